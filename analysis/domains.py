"""Domains: which rows are estimated together.  Never by deleting the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import as_mapping, is_table
from analysis.columns import Codes, Floats, Groups, Mask, counts, dot, flags, groups, sums
from analysis.design import Design
from analysis.errors import BadOption, EmptyDomain


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
        """``by`` labels groups, ``where`` marks rows; one without a label is in no domain.

        Several columns, as a mapping or a list, are crossed: a row without one of the labels has
        none.
        """
        inside = None if where is None else flags(where, 'where', design.n)
        if by is None:
            return cls(None, ('',), inside)
        coded = _crossed(by, design.n)
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


def _crossed(by: Any, rows: int) -> Groups:
    """The groups of one column, or of several crossed: their labels joined as ``Hushan / f``."""
    several = isinstance(by, list | tuple) and 0 < len(by) < rows and all(map(_is_column, by))
    if is_table(by):
        named = {f'by[{name!r}]': column for name, column in as_mapping(by).items()}
    else:
        named = {f'by[{i}]': column for i, column in enumerate(by)} if several else {'by': by}
    coded = [groups(column, name, rows) for name, column in named.items()]
    if not coded:
        raise BadOption('by names no column.', 'Give one, or leave by out.')
    if len(coded) == 1:
        return coded[0]
    codes = np.stack([each.codes for each in coded], axis=1)
    known = (codes >= 0).all(axis=1)
    pairs, place = np.unique(codes[known], axis=0, return_inverse=True)
    names = [each.names() for each in coded]
    labels = tuple(
        ' / '.join(name[code] for name, code in zip(names, pair, strict=True))
        for pair in pairs.tolist()
    )
    found = np.full(rows, -1, dtype=np.intp)
    found[known] = place.ravel()
    return Groups(found, labels)


def _is_column(value: Any) -> bool:
    return hasattr(value, '__len__') and not isinstance(value, str | bytes)
