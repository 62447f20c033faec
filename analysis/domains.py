"""Domains: which rows are estimated together.  Never by deleting the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.columns import Codes, Floats, Groups, Mask, counts, dot, flags, groups, sums
from analysis.design import Design
from analysis.errors import EmptyDomain


@dataclass(frozen=True, eq=False)
class Domains:
    """Groups with a row each, and the rows inside at all (None: all of them).

    ``unlabelled`` rows that ``where`` marks have no label and so are inside no group.
    """

    codes: Codes | None
    labels: tuple[str, ...]
    inside: Mask | None
    unlabelled: int = 0

    @classmethod
    def of(cls, design: Design, by: Any, where: Any) -> Domains:
        """``by`` labels groups, ``where`` marks rows; one without a label is in no domain."""
        inside = None if where is None else flags(where, 'where', design.n)
        if by is None:
            return cls(None, ('',), inside)
        coded: Groups = groups(by, 'by', design.n)
        codes = coded.codes
        if not len(coded):
            raise EmptyDomain('by is missing in every row.', 'Give the groups, or leave by out.')
        if not coded.gaps.size:
            return cls(codes, coded.names(), inside)
        labelled = codes >= 0
        left = ~labelled if inside is None else inside & ~labelled
        inside = labelled if inside is None else inside & labelled
        return cls(np.where(labelled, codes, 0), coded.names(), inside, int(left.sum()))

    @property
    def size(self) -> int:
        return len(self.labels)

    def count(self, rows: Mask | None, n: int) -> Floats:
        """Rows by domain (all rows for None)."""
        if self.codes is None:
            return np.array([n if rows is None else np.count_nonzero(rows)], dtype=np.float64)
        return counts(self.codes if rows is None else self.codes[rows], self.size)

    def summing(self) -> Callable[[Floats], Floats] | None:
        """``sum``, or None where there is one domain and a plain sum will do."""
        return None if self.codes is None else self.sum

    def sum(self, values: Floats) -> Floats:
        if self.codes is None:
            return np.array([values.sum()])
        return sums(self.codes, values, self.size)

    def sum_products(self, rows: slice, first: Floats, second: Floats) -> Floats:
        """Σ first·second by domain over some rows."""
        if self.codes is None:
            return np.array([dot(first, second)])
        return sums(self.codes[rows], first * second, self.size)
