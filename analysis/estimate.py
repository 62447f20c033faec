"""Means, totals, ratios and proportions with their standard errors, for all or by group.

Each estimator states its formula and its influence; the rest (sums over units, variance,
intervals, design effects) is shared.  Missing answers are a domain: the rows stay in the
design, the answers that are there are used, and the count of the missing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import variance
from analysis.columns import Codes, Floats, Groups, Mask, counts, flags, groups, numbers, sums
from analysis.design import Design
from analysis.errors import BadColumn, BadOption, EmptyDomain
from analysis.intervals import Bounds, check_level, check_method
from analysis.replicates import ReplicateDesign
from analysis.result import Base, Estimate, Estimates, Part, assemble

SHARE: Bounds = (0.0, 1.0)
# Rows that are summed at a time.
PIECE = 1 << 16


def mean(
    design: Design | ReplicateDesign,
    y: Any,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    method: str = 't',
    limits: Bounds | None = None,
) -> Any:
    """Weighted mean Σwy/Σw; a mapping of several columns gives one row for each.

    ``by`` labels groups that get a row each (with covariances), ``where`` marks the rows of a
    domain.  ``limits`` are the ends of the scale, as (0, 100): the interval stays inside, and
    the methods for shares can be used.  R: svymean, svyby.
    """
    return _each(design, y, _one_mean, 'mean', by, where, level, method, limits)


def proportion(
    design: Design | ReplicateDesign,
    y: Any,
    *,
    value: Any = None,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    method: str = 'wilson',
) -> Any:
    """Share of the population: ``y`` is 0/1 or true/false, or labels of which ``value`` counts.

    A value between 0 and 1 is taken as a person's own share (of items answered rightly).
    R: svymean of an indicator, svyciprop.
    """
    columns = y if isinstance(y, Mapping) else {'': y}
    shares = {name: _as_share(column, value, str(name)) for name, column in columns.items()}
    given = shares if isinstance(y, Mapping) else shares['']
    return _each(design, given, _one_mean, 'proportion', by, where, level, method, SHARE)


def total(
    design: Design | ReplicateDesign,
    y: Any = None,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
) -> Any:
    """Weighted total Σwy; without ``y`` the number of people.  R: svytotal."""
    column = np.ones(design.n) if y is None else y
    return _each(design, column, _one_total, 'total', by, where, level, 't', None)


def ratio(
    design: Design | ReplicateDesign,
    y: Any,
    x: Any,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
) -> Any:
    """Ratio of totals Σwy/Σwx.  R: svyratio."""
    below = numbers(x, 'denominator', design.n)

    def estimator(design: Design, column: Floats, domains: Domains, _: _Shared) -> Part:
        return _one_ratio(design, column, below, domains)

    return _each(design, y, estimator, 'ratio', by, where, level, 't', None)


@dataclass(frozen=True, eq=False)
class Domains:
    """Which rows are estimated together: groups, and the rows inside at all (None: all)."""

    codes: Codes | None
    labels: tuple[str, ...]
    inside: Mask | None

    @classmethod
    def of(cls, design: Design, by: Any, where: Any) -> Domains:
        inside = None if where is None else flags(where, 'where', design.n)
        if by is None:
            return cls(None, ('',), inside)
        coded: Groups = groups(by, 'by', design.n)
        codes = coded.codes
        if codes.size and codes.min() < 0:
            unlabelled = codes < 0
            inside = ~unlabelled if inside is None else inside & ~unlabelled
            codes = np.where(unlabelled, 0, codes)
        return cls(codes, coded.names(), inside)

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


class _Shared:
    """What several columns have in common, made once: the base of complete ones, memory."""

    def __init__(self) -> None:
        self.complete: Base | None = None
        self.key: Codes | None = None
        self._memory: tuple[Floats, Floats] | None = None

    def prepare(self, design: Design, domains: Domains) -> None:
        """The cell of every row in the table of units and domains."""
        if design.row_unit is not None and domains.codes is not None:
            self.key = design.row_unit * domains.size + domains.codes
        if design.row_unit is not None:
            self._memory = np.empty(design.n), np.empty(design.n)

    def moved(self, column: Floats, origin: float, used: Mask | None) -> Floats:
        """column − origin, and 0 in rows that are not used."""
        if used is not None:
            return np.where(used, column - origin, 0.0)
        return np.subtract(column, origin, out=self._memory[0] if self._memory else None)

    def weighted(self, design: Design, values: Floats) -> Floats:
        """weights·values; in memory that the next column will use again."""
        return np.multiply(design.weights, values, out=self._memory[1] if self._memory else None)


def _base(design: Design, used: Mask | None, domains: Domains, key: Codes | None) -> Base:
    column = np.ones(design.n) if used is None else used.astype(np.float64)
    weighted = design.weights if used is None else design.weights * column
    raw = variance.totals(design, weighted, domains.codes, domains.size, key)
    counted = _with_weight(design, used)
    n = domains.count(counted, design.n)
    missing = np.zeros(domains.size)
    if used is not domains.inside:
        missing = domains.count(domains.inside, design.n) - domains.count(used, design.n)
    df, exact = variance.degrees_of_freedom(design, raw)
    ones = variance.residual(design, raw, column, domains.codes, domains.size)
    return Base(raw.sum(), n, missing, df, exact, column, raw, ones)


def _with_weight(design: Design, used: Mask | None) -> Mask | None:
    """The rows used that stand for anybody: weight 0 (did not answer) does not count in n."""
    if design.positive:
        return used
    positive = design.weights > 0
    return positive if used is None else used & positive


def _used(column: Floats, domains: Domains, name: str) -> Mask | None:
    """Rows with an answer inside the domain; None when that is all of them."""
    total = column.sum()
    if np.isfinite(total):
        return domains.inside
    infinite = np.isinf(column)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0]) + 1
        raise BadColumn(f'{name or "y"} is infinite in row {row}.', 'Correct it or leave it empty.')
    answered = ~np.isnan(column)
    return answered if domains.inside is None else answered & domains.inside


def _one_mean(design: Design, column: Floats, domains: Domains, shared: _Shared) -> Part:
    """ȳ = Σwy/Σw; influence (y − ȳ)/Σw."""
    plain = _plain_sums(design, column, domains)
    base, used = _base_of(design, column, domains, shared, known_complete=plain is not None)
    # From a value near the data: constants then come out exact and sums of squares keep digits.
    origin = float(column[0 if used is None else int(used.argmax())])
    with np.errstate(invalid='ignore', divide='ignore'):
        if plain is not None:
            raw = above = variance.Totals(plain[0][:, None], 1)
            square = np.array([plain[1]])
        else:
            moved = shared.moved(column, origin, used)
            weighted = shared.weighted(design, moved)
            raw = variance.totals(design, weighted, domains.codes, domains.size, shared.key)
            above = variance.residual(design, raw, moved, domains.codes, domains.size)
            square = _mean_square(weighted, moved, domains, shared.key, design.units)
        shift = raw.sum() / base.weight
        influence = variance.combine([(above, 1 / base.weight), (base.ones, -shift / base.weight)])
        spread = square / base.weight - shift**2
    return Part(
        base,
        shift + origin,
        influence,
        spread,
        lambda: (_Shared().moved(column, origin, used), base.column),
        (raw, base.raw),
        lambda above, below: origin + above / below,
        domains.summing(),
    )


def _plain_sums(design: Design, column: Floats, domains: Domains) -> tuple[Floats, float] | None:
    """Σw(y − y₁) by unit and Σw(y − y₁)², where all rows are one domain; None with gaps.

    In pieces that stay in the processor's cache: a column is then read from memory once.  A
    missing or infinite answer makes the sums so too, whatever its weight, and is dealt with by
    whoever asked.
    """
    unit = design.row_unit
    if unit is None or domains.codes is not None or domains.inside is not None or design.steps:
        return None
    origin, square = float(column[0]), 0.0
    if not np.isfinite(origin) or design.units * 4 > PIECE:
        return None
    table = np.zeros(design.units)
    with np.errstate(invalid='ignore'):
        for start in range(0, design.n, PIECE):
            rows = slice(start, start + PIECE)
            moved = column[rows] - origin
            weighted = design.weights[rows] * moved
            table += sums(unit[rows], weighted, design.units)
            # Not BLAS: it would wake threads for a millisecond's work.
            square += float(np.einsum('i,i->', weighted, moved))
    return (table, square) if np.isfinite(square) else None


def _one_total(design: Design, column: Floats, domains: Domains, shared: _Shared) -> Part:
    """Ŷ = Σwy; influence y."""
    base, used = _base_of(design, column, domains, shared)
    values = column if used is None else np.where(used, column, 0.0)
    weighted = design.weights * values
    raw = variance.totals(design, weighted, domains.codes, domains.size)
    influence = variance.residual(design, raw, values, domains.codes, domains.size)
    est = raw.sum()
    with np.errstate(invalid='ignore', divide='ignore'):
        average = est / base.weight
        spread = _mean_square(weighted, values, domains) / base.weight - average**2
    return Part(
        base,
        est,
        influence,
        spread * base.weight**2,
        lambda: (values,),
        (raw,),
        lambda sums: sums,
        domains.summing(),
    )


def _one_ratio(design: Design, y: Floats, x: Floats, domains: Domains) -> Part:
    """R = Σwy/Σwx; influence (y − Rx)/Σwx."""
    base, used = _base_of(design, y + x, domains, _Shared())
    parts, totals, columns, by_unit = [], [], [], []
    for column in (y, x):
        values = column if used is None else np.where(used, column, 0.0)
        raw = variance.totals(design, design.weights * values, domains.codes, domains.size)
        parts.append(variance.residual(design, raw, values, domains.codes, domains.size))
        totals.append(raw.sum())
        by_unit.append(raw)
        columns.append(values)
    with np.errstate(invalid='ignore', divide='ignore'):
        est = totals[0] / totals[1]
        influence = variance.combine([(parts[0], 1 / totals[1]), (parts[1], -est / totals[1])])
        by_row = est[0] if domains.codes is None else est[domains.codes]
        left = columns[0] - by_row * columns[1]
        spread = _mean_square(design.weights * left, left, domains) / base.weight
        spread = spread * (base.weight / totals[1]) ** 2
    return Part(
        base,
        est,
        influence,
        spread,
        lambda: (columns[0], columns[1]),
        tuple(by_unit),
        lambda above, below: above / below,
        domains.summing(),
    )


def _mean_square(
    weighted: Floats, values: Floats, domains: Domains, key: Codes | None = None, units: int = 0
) -> Floats:
    """Σw·v² by domain."""
    if key is not None:
        # In place: the weighted column has been summed already.  Into many cells rather than into
        # a few, so that the processor need not wait for its own last addition.
        product = np.multiply(weighted, values, out=weighted)
        table = sums(key, product, units * domains.size)
        return np.asarray(table.reshape(units, domains.size).sum(axis=0))
    if domains.codes is None:
        # Not BLAS: it would wake threads for a millisecond's work.
        return np.array([float(np.einsum('i,i->', weighted, values))])
    return domains.sum(weighted * values)


def _base_of(
    design: Design,
    column: Floats,
    domains: Domains,
    shared: _Shared,
    known_complete: bool = False,
) -> tuple[Base, Mask | None]:
    used = domains.inside if known_complete else _used(column, domains, '')
    if used is not domains.inside:
        base = _base(design, used, domains, shared.key)
    else:
        if shared.complete is None:
            shared.complete = _base(design, used, domains, shared.key)
        base = shared.complete
    if not base.n.any():
        raise EmptyDomain(
            'No row with an answer and a positive weight is left.',
            'Check where=, by= and the missing values.',
        )
    return base, used


def _as_share(column: Any, value: Any, name: str) -> Any:
    if value is not None:
        labels = np.asarray(column, dtype=object)
        wanted = set(value) if isinstance(value, list | tuple | set | frozenset) else {value}
        share = np.array([np.nan if _is_missing(v) else float(v in wanted) for v in labels])
        if not (share == 1).any() and not any(v in wanted for v in labels):
            seen = sorted({str(v) for v in labels if not _is_missing(v)})
            raise BadColumn(
                f'No row of {name or "y"} has the value {value!r}.',
                f'It has: {", ".join(seen[:10])}.',
            )
        return share
    share = numbers(column, name or 'y')
    with np.errstate(invalid='ignore'):
        outside = (share < 0) | (share > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise BadColumn(
            f'{name or "y"} must be 0 or 1 (or a share between); row {row + 1} has {share[row]:g}.',
            'Say value= to count one category, or use mean for scores.',
        )
    return share


def _is_missing(value: Any) -> bool:
    return value is None or value == '' or (isinstance(value, float) and np.isnan(value))


def _each(
    design: Design | ReplicateDesign,
    y: Any,
    estimator: Any,
    kind: str,
    by: Any,
    where: Any,
    level: float,
    method: str,
    limits: Bounds | None,
) -> Estimate | Estimates:
    """Run an estimator on one column or several, and put the rows together."""
    level, method = check_level(level), check_method(method)
    replicates = design if isinstance(design, ReplicateDesign) else None
    design = design.design if isinstance(design, ReplicateDesign) else design
    domains, shared = Domains.of(design, by, where), _Shared()
    shared.prepare(design, domains)
    columns = y if isinstance(y, Mapping) else {'': y}
    if not columns:
        raise BadOption('No column to estimate.')
    parts = []
    for name, values in columns.items():
        column = numbers(values, str(name) or 'y', design.n)
        if limits is not None:
            _check_limits(column, limits, str(name) or 'y')
        parts.append(estimator(design, column, domains, shared))
    rows = assemble(
        design,
        dict(zip(map(str, columns), parts, strict=True)),
        labels=domains.labels,
        kind=kind,
        level=level,
        method=method,
        limits=limits,
        covariance=None if replicates is None else replicates.covariance(parts),
        df=None if replicates is None else replicates.df,
    )
    return rows[0] if by is None and not isinstance(y, Mapping) else rows


def _check_limits(column: Floats, limits: Bounds, name: str) -> None:
    low, high = limits
    if not low < high:
        raise BadOption(f'limits must be (lowest, highest), not {limits}.')
    with np.errstate(invalid='ignore'):
        outside = (column < low) | (column > high)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise BadColumn(
            f'{name} leaves its scale {low:g} to {high:g}: {column[row]:g} in row {row + 1}.'
        )
