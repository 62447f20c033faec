"""What an estimator returns: one frozen row per statistic, and rows that know their covariance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, overload

import numpy as np

from analysis import intervals, variance
from analysis.arguments import fitted, real
from analysis.columns import Floats, Mask
from analysis.design import Design
from analysis.errors import BadOption, listed
from analysis.intervals import Bounds
from analysis.record import Record, Records
from analysis.table import aligned, number
from analysis.variance import Totals

# A variance this small beside the spread of the data is what rounding leaves of zero.
ROUNDING = 1e-24

# Larger joint tables (units × statistics) are kept apart by variable.
JOINT_TABLE = 4_000_000


# What names a row: its position, its label or variable, or both.
Key: TypeAlias = int | str | tuple[str, str]


@dataclass(frozen=True, kw_only=True, repr=False)
class Estimate(Record):
    """One statistic in one domain; it knows how it was made and can give further bounds.

    ``n`` counts the answers used, ``missing`` the rows of the domain without an answer.
    ``deff`` compares with a simple random sample without replacement (R ``deff=TRUE``),
    ``deff_wr`` with replacement; ``n_eff`` is the size of the latter with equal precision.
    ``limits`` are the ends of the scale, (0, 1) for shares; ``pooled_deff`` is the design
    effect over all towns where it took the place of the town's own.  ``unlabelled`` counts the
    rows without a label in ``by=``: they are in no group, and any might have been in this one.
    """

    label: str
    variable: str
    kind: str
    est: float
    se: float
    lci: float
    uci: float
    cv: float
    df: int
    n: int
    missing: int
    n_eff: float
    deff: float
    deff_wr: float
    method: str
    level: float
    limits: Bounds | None = None
    census: bool = False
    pooled_deff: float | None = None
    unlabelled: int = 0

    def bounds(self, tail: float, method: str | None = None) -> Bounds:
        """Lower and upper bound, each missed with probability ``tail`` (above 0, up to 0.5)."""
        if not 0 < real(tail, 'tail') <= 0.5:
            raise BadOption(f'tail is {tail:g}; it must lie above 0 and up to 0.5, as 0.05.')
        if self.census:
            return self.est, self.est
        low, high, _ = intervals.bounds(
            self.est,
            self.se,
            n=self.n,
            df=self.df,
            tail=tail,
            method=self.method if method is None else method,
            limits=self.limits,
            size=None if self.pooled_deff is None else self.n_eff,
        )
        return low, high

    def interval(self, level: float = 0.95, method: str | None = None) -> Bounds:
        """Two-sided interval at another level or by another method."""
        return self.bounds((1.0 - intervals.check_level(level)) / 2.0, method)

    def __repr__(self) -> str:
        return text_table([self])


@dataclass(frozen=True, eq=False)
class Base:
    """What belongs to the rows ``used`` (None: all), whatever is measured; k entries each."""

    weight: Floats
    n: Floats
    missing: Floats
    unlabelled: int
    df: Floats
    exact: Mask
    used: Mask | None
    raw: Totals
    ones: Totals


@dataclass(frozen=True, eq=False)
class Part:
    """One statistic in every domain: estimate, influence, and ``spread``.

    ``spread`` is what the variance would be in one draw with replacement, so that
    spread/(n − 1) is the variance under simple random sampling.  Replicates compute the
    statistic again: ``formula`` from the weighted sums of ``columns`` (``raw`` by unit).
    """

    base: Base
    est: Floats
    influence: Totals
    spread: Floats
    columns: Callable[[], tuple[Floats, ...]]
    raw: tuple[Totals, ...]
    formula: Callable[..., Floats]
    sum_by_domain: Callable[[Floats], Floats] | None


class Estimates(Records[Estimate]):
    """Rows with their joint covariance, in the order of variables and then of groups.

    A row is found by position, by label, or by (variable, label).  ``presence`` says which units
    of the design carry weight in each row (for the degrees of freedom of several rows together).
    """

    def __init__(
        self,
        rows: Sequence[Estimate],
        covariance: Floats,
        design: Design,
        presence: Sequence[tuple[Totals, int]],
    ) -> None:
        super().__init__(rows)
        self.covariance = covariance
        self._design = design
        self.presence = tuple(presence)

    @overload
    def __getitem__(self, key: Key) -> Estimate: ...

    @overload
    def __getitem__(self, key: slice) -> Estimates: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            block = self.covariance[key, key]
            return Estimates(self.rows[key], block, self._design, self.presence[key])
        return self.rows[self.position(key)]

    def position(self, key: Key) -> int:
        """Index of a row; a label must point at exactly one."""
        key = fitted(key, Key, 'The name of a row')
        if isinstance(key, int):
            if not -len(self.rows) <= key < len(self.rows):
                raise BadOption(f'There is no row {key}; there are {len(self.rows)}, from 0 on.')
            return key % len(self.rows)
        found = [
            i
            for i, row in enumerate(self.rows)
            if key in ((row.variable, row.label), row.label, row.variable)
        ]
        if len(found) != 1:
            names = [row.label or row.variable for row in self.rows]
            raise BadOption(
                f'{key!r} points at {len(found)} rows; there are: {listed(names, 20)}.',
                'Name one row by its label, or by (variable, label).',
            )
        return found[0]

    def df_together(self, positions: Sequence[int]) -> int:
        """PSUs − strata, counting those seen in any of the rows."""
        return variance.df_of_union(self._design, [self.presence[i] for i in positions])

    def share_psus(self) -> bool:
        """Whether any PSU has weight in more than one of the rows."""
        seen = np.zeros(self._design.stages[0].units, dtype=bool)
        for weight, column in self.presence:
            psus = np.flatnonzero(_weight_by_unit(weight, column) != 0)
            if self._design.unit_psu is not None:
                psus = np.unique(self._design.unit_psu[psus])
            if seen[psus].any():
                return True
            seen[psus] = True
        return False

    def __repr__(self) -> str:
        return text_table(self.rows)


def _weight_by_unit(weight: Totals, column: int) -> Floats:
    if weight.domain is None:
        return np.asarray(weight.values[:, column])
    return np.where(weight.domain == column, weight.values, 0.0)


def assemble(
    design: Design,
    parts: Mapping[str, Part],
    *,
    labels: Sequence[str],
    kind: str,
    level: float,
    method: str,
    limits: Bounds | None,
    covariance: Floats | None = None,
    df: int | None = None,
) -> Estimates:
    """A row for each variable and domain; the covariance is that of the design if not given."""
    if covariance is None:
        covariance = _covariance(design, list(parts.values()))
    if df is not None:
        parts = {name: _with_df(part, df) for name, part in parts.items()}
    rows: list[Estimate] = []
    presence: list[tuple[Totals, int]] = []
    for variable, part in parts.items():
        for j, label in enumerate(labels):
            var = float(covariance[len(rows), len(rows)])
            rows.append(_row(part, j, var, variable, label, kind, level, method, limits))
            presence.append((part.base.raw, j))
    return Estimates(rows, covariance, design, presence)


def _with_df(part: Part, df: int) -> Part:
    return replace(part, base=replace(part.base, df=np.full(len(part.base.df), float(df))))


def _covariance(design: Design, parts: Sequence[Part]) -> Floats:
    size = sum(part.influence.k for part in parts)
    if len(parts) == 1:
        return variance.covariance(design, parts[0].influence)
    if size * design.units <= JOINT_TABLE:
        return variance.covariance(design, variance.side_by_side([p.influence for p in parts]))
    result, start = np.full((size, size), np.nan), 0
    for part in parts:
        stop = start + part.influence.k
        result[start:stop, start:stop] = variance.covariance(design, part.influence)
        start = stop
    return result


def _row(
    part: Part,
    j: int,
    var: float,
    variable: str,
    label: str,
    kind: str,
    level: float,
    method: str,
    limits: Bounds | None,
) -> Estimate:
    base = part.base
    n, weight = int(base.n[j]), float(base.weight[j])
    est = float(part.est[j]) if n else math.nan
    se = math.sqrt(max(var, 0.0)) if n else math.nan
    # Who was reached but did not answer leaves the figure as open as who was not reached.
    census = bool(base.exact[j]) and n > 0 and not base.missing[j] and not base.unlabelled
    deff, deff_wr, n_eff = _design_effects(float(part.spread[j]), var, n, weight)
    if limits is not None and n and not census:
        width = limits[1] - limits[0]
        n_eff = intervals.effective_size((est - limits[0]) / width, se / width, n)
        if kind != 'proportion' and n_eff != n and var > 0:
            n_eff = float(part.spread[j]) / var
    low, high, used = est, est, method
    if not census:
        low, high, used = intervals.bounds(
            est, se, n=n, df=base.df[j], tail=(1 - level) / 2, method=method, limits=limits
        )
    return Estimate(
        label=label,
        variable=variable,
        kind=kind,
        est=est,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(est) if n and est else math.nan,
        df=int(base.df[j]),
        n=n,
        missing=int(base.missing[j]),
        n_eff=n_eff,
        deff=deff,
        deff_wr=deff_wr,
        method=used,
        level=level,
        limits=limits,
        census=census,
        unlabelled=base.unlabelled,
    )


def _design_effects(spread: float, var: float, n: int, weight: float) -> tuple[float, float, float]:
    """V over that of a simple random sample of n out of Σw (without, with replacement); n_eff."""
    if n < 2 or not spread > 0:
        return math.nan, math.nan, math.nan
    if var < ROUNDING * spread:
        return 0.0, 0.0, math.nan
    with_replacement = var / (spread / (n - 1))
    left = 1.0 - n / weight
    without = with_replacement / left if left > 0 else math.nan
    return without, with_replacement, spread / var


def text_table(rows: Sequence[Estimate]) -> str:
    """Estimates as a table: what, estimate, error, interval, how many answers, how made."""
    header = ['', 'est', 'se', 'low', 'high', 'cv', 'df', 'n', 'missing', 'n_eff', 'deff', 'method']
    body = []
    for row in rows:
        name = ' '.join(part for part in (row.variable, row.label) if part) or row.kind
        figures = [number(v) for v in (row.est, row.se, row.lci, row.uci, row.cv)]
        sizes = [str(row.df), str(row.n), str(row.missing), number(row.n_eff, 1)]
        body.append([name, *figures, *sizes, number(row.deff, 3), row.method])
    table, outside = aligned(header, body), max((row.unlabelled for row in rows), default=0)
    return f'{table}\nRows without a group, in none of these: {outside}' if outside else table
