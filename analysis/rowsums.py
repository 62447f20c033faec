"""What the rows add up to: weights, weighted values and squares, by unit and domain.

All that estimators need of a million rows are these small tables.  Rows are read in pieces, and
each piece once for all columns, so that a column comes from memory once and the weights and
labels beside it stay in the processor's cache.

A missing answer is a domain: its row counts for the variance and adds nothing.  Nobody looks for
gaps beforehand; a column with one has sums that are not finite, and is then read again with the
rows that did answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis import variance
from analysis.columns import LONG, PIECE, Codes, Floats, Mask, chosen, measured, pieces
from analysis.design import Design
from analysis.domains import Domains
from analysis.errors import BadColumn, BadWeights, EmptyDomain, listed
from analysis.result import Base
from analysis.variance import Totals

# From this many columns on a matrix of the weights is worth making.
SEVERAL = 4


@dataclass(frozen=True, eq=False)
class RowSums:
    """Sums of one column, measured from ``origin``: Σw(y − o) by unit, Σw(y − o)² by domain.

    ``residual`` is ``raw`` less what a calibration of the weights fixes.
    """

    base: Base
    column: Floats
    origin: float
    raw: Totals
    residual: Totals
    square: Floats

    @classmethod
    def of(
        cls,
        design: Design,
        domains: Domains,
        base: Base,
        column: Floats,
        origin: float,
        table: Floats,
        square: Floats,
    ) -> RowSums:
        raw = _totals(design, table, domains)
        found = cls(base, column, origin, raw, raw, square)
        if design.steps:
            codes, size = domains.codes, domains.size
            found = replace(
                found, residual=variance.residual(design, raw, found.moved(), codes, size)
            )
        return found

    def moved(self) -> Floats:
        """y − o by row, and 0 in rows that are not used."""
        used = self.base.used
        return _without(self.column - self.origin, None if used is None else ~used)


def row_sums(
    design: Design, columns: Mapping[str, Floats], domains: Domains, *, centred: bool
) -> list[RowSums]:
    """Sums of several columns, measured from 0 or (``centred``) from a value near the data.

    From there constants come out exact, and sums of squares keep their digits.
    """
    first = 0 if domains.inside is None else int(domains.inside.argmax())
    origins = {
        name: float(column[first]) if centred else 0.0
        for name, column in columns.items()
        if np.isfinite(column[first])
    }
    weight, tables, squares = _read(
        design, [columns[name] for name in origins], [*origins.values()], domains, domains.inside
    )
    shared: Base | None = None
    found: dict[str, RowSums] = {}
    for (name, origin), table, square in zip(origins.items(), tables, squares, strict=True):
        if np.isfinite(square).all():
            shared = shared or base_of(design, domains, domains.inside, weight)
            found[name] = RowSums.of(design, domains, shared, columns[name], origin, table, square)
    for name, column in columns.items():
        if name not in found:
            used = answered(column, domains, name)
            (found[name],) = sums_within(design, {name: column}, domains, used, centred=centred)
    return [found[name] for name in columns]


def sums_within(
    design: Design, columns: Mapping[str, Floats], domains: Domains, used: Mask, *, centred: bool
) -> list[RowSums]:
    """The same over the rows ``used``, in which no answer is missing."""
    first = int(used.argmax())
    origins = [float(column[first]) if centred else 0.0 for column in columns.values()]
    weight, tables, squares = _read(design, [*columns.values()], origins, domains, used)
    base = base_of(design, domains, used, weight)
    for name, square in zip(columns, squares, strict=True):
        if not np.isfinite(square).all():
            raise BadColumn(
                f'{name or "y"} has values too large to be squared.', 'Give it in a larger unit.'
            )
    return [
        RowSums.of(design, domains, base, column, origin, table, square)
        for column, origin, table, square in zip(
            columns.values(), origins, tables, squares, strict=True
        )
    ]


def answered(column: Floats, domains: Domains, name: str) -> Mask:
    """Rows of the domains with an answer; raises BadColumn for an infinite one."""
    there = ~np.isnan(measured(column, name or 'y'))
    return there if domains.inside is None else there & domains.inside


def base_of(
    design: Design, domains: Domains, used: Mask | None, weight: Floats | None = None
) -> Base:
    """Counts, weight and degrees of freedom of the rows used; ``weight`` as read, if it was."""
    if weight is None:
        weight, _, _ = _read(design, [], [], domains, used)
    n = domains.count(_with_weight(design, used), design.n)
    if not n.any():
        raise EmptyDomain(
            'No row with an answer and a positive weight is left.',
            'Check where=, by= and the missing values.',
        )
    if weight.min() < 0:
        _refuse_nobody(design, domains, used, n)
    missing = np.zeros(domains.size)
    if used is not domains.inside:
        missing = domains.count(domains.inside, design.n) - domains.count(used, design.n)
    raw = _totals(design, weight, domains)
    reached = variance.reach(design, raw)
    ones = raw
    if design.steps:
        inside = indicator(used, design.n)
        ones = variance.residual(design, raw, inside, domains.codes, domains.size)
    return Base(raw.sum(), n, missing, domains.unlabelled, reached, used, raw, ones)


def _refuse_nobody(design: Design, domains: Domains, used: Mask | None, n: Floats) -> None:
    """Refuses a domain in which negative weights outweigh the others."""
    there = domains.sum(_without(design.weights, None if used is None else ~used))
    short = [label or 'the domain' for label in chosen(domains.labels, (n > 0) & ~(there > 0))]
    if short:
        below = np.flatnonzero(design.weights < 0) + 1
        raise BadWeights(
            f'The weights of {listed(short)} add up to 0 or less; row {listed(below, 4)} has one '
            'below 0.',
            'Calibrate with bounds, or by raking or logit, or use weights.trim.',
        )


def indicator(used: Mask | None, n: int) -> Floats:
    """1 in the rows used, else 0."""
    return np.ones(n) if used is None else used.astype(np.float64)


def _with_weight(design: Design, used: Mask | None) -> Mask | None:
    """The rows used but those of weight 0 (did not answer), which do not count in n."""
    if design.positive:
        return used
    counted: Mask = design.weights != 0
    return counted if used is None else used & counted


def _read(
    design: Design,
    columns: Sequence[Floats],
    origins: Sequence[float],
    domains: Domains,
    used: Mask | None,
) -> tuple[Floats, Floats, Floats]:
    """Σw and Σw(y − o) by unit and domain, Σw(y − o)² by domain; a column is left at a gap."""
    unit, domain, k = design.row_unit, domains.codes, domains.size
    if unit is None:
        return _read_elements(design, columns, origins, domains, used)
    cells = design.units * k
    several = len(columns) >= SEVERAL and cells <= LONG
    weights, tables = np.zeros(cells), np.zeros((len(columns), cells))
    squares = np.zeros((len(columns), k))
    for rows in pieces(design.n, LONG if several else PIECE):
        cell = unit[rows] if domain is None else unit[rows] * k + domain[rows]
        left_out = None if used is None else ~used[rows]
        weight = _without(design.weights[rows], left_out)
        np.add.at(weights, cell, weight)
        matrix = _matrix(cell, weight, cells) if several else None
        for j in np.flatnonzero(np.isfinite(squares).all(axis=1)).tolist():
            moved = _without(columns[j][rows] - origins[j], left_out)
            if matrix is None:
                weighted = weight * moved
                np.add.at(tables[j], cell, weighted)
                squares[j] += domains.sum_products(rows, weighted, moved)
            else:
                tables[j] += matrix @ moved
                moved *= moved
                squares[j] += domains.sum_products(rows, weight, moved)
    return weights, tables, squares


def _without(values: Floats, left_out: Mask | None) -> Floats:
    return values if left_out is None else np.where(left_out, 0.0, values)


def _matrix(cell: Codes, weight: Floats, cells: int) -> Any:
    """The matrix that, times a column, gives its weighted sums by cell.

    Weighting and adding are then one pass; making it pays where several columns follow.
    """
    from scipy.sparse import coo_array

    # Short integers: there is less to read.
    places = cell.astype(np.int32), np.arange(len(cell), dtype=np.int32)
    return coo_array((weight, places), shape=(cells, len(cell)))


def _read_elements(
    design: Design,
    columns: Sequence[Floats],
    origins: Sequence[float],
    domains: Domains,
    used: Mask | None,
) -> tuple[Floats, Floats, Floats]:
    """The same where every row is a unit: nothing is added up by unit."""
    left_out = None if used is None else ~used
    weights = _without(design.weights, left_out)
    tables = np.empty((len(columns), design.n))
    squares = np.empty((len(columns), domains.size))
    for j, (column, origin) in enumerate(zip(columns, origins, strict=True)):
        moved = _without(column - origin, left_out)
        np.multiply(weights, moved, out=tables[j])
        squares[j] = domains.sum_products(slice(None), tables[j], moved)
    return weights, tables, squares


def _totals(design: Design, table: Floats, domains: Domains) -> Totals:
    if design.row_unit is None and domains.codes is not None:
        return Totals(table, domains.size, domains.codes)
    return Totals(table.reshape(-1, domains.size), domains.size)
