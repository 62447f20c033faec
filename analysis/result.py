"""What an estimator returns: one frozen row per statistic, and rows that know their covariance."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, overload

import numpy as np

from analysis import intervals, variance
from analysis.arguments import fitted, real
from analysis.columns import Floats, Mask
from analysis.design import Design
from analysis.errors import BadOption, listed
from analysis.intervals import Bounds
from analysis.record import UNTOLD, Record, Records
from analysis.table import aligned, number
from analysis.variance import Reach, Totals

# A variance this small beside the spread of the data is what rounding leaves of zero.
ROUNDING = 1e-24

# Larger joint tables (units × statistics) are kept apart by variable.
JOINT_TABLE = 4_000_000


ONE_PSU = 'one PSU: no variance can be estimated'

# What names a row: its label or variable, or both; else its position.
Name: TypeAlias = int | float | bool | str
Key: TypeAlias = Name | tuple[Name, Name]


@dataclass(frozen=True, kw_only=True, repr=False)
class Estimate(Record):
    """One statistic in one domain; it knows how it was made and can give further bounds.

    ``n`` counts the answers used, ``missing`` the rows of the domain without an answer.
    ``deff`` compares with a simple random sample without replacement (R ``deff=TRUE``),
    ``deff_wr`` with replacement; ``n_eff`` is the size of the latter with equal precision.
    ``limits`` are the ends of the scale, (0, 1) for shares; ``pooled_deff`` is the design
    effect over all towns where it took the place of the town's own.  ``unlabelled`` counts the
    rows without a label in ``by=``: they are in no group, and any might have been in this one.
    ``reason`` says why there is no standard error (NaN), where there are answers but one PSU.
    ``origin`` are the shares of a contrast whose interval is made from their own limits;
    ``unit_scale`` marks a mean of answers that all lie from 0 to 1.
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
    reason: str = ''
    origin: Origin | None = field(default=None, metadata=UNTOLD)
    unit_scale: bool = field(default=False, metadata=UNTOLD)

    def bounds(self, tail: float, method: str | None = None) -> Bounds:
        """Lower and upper bound, each missed with probability ``tail`` (above 0, up to 0.5)."""
        if not 0 < real(tail, 'tail') <= 0.5:
            raise BadOption(f'tail is {tail:g}; it must lie above 0 and up to 0.5, as 0.05.')
        if self.census:
            return self.est, self.est
        if self.origin is not None:
            return self.origin.bounds(self.est, tail, method)
        low, high, _ = intervals.bounds(
            self.est,
            0.0 if self.reason and self.limits is not None else self.se,
            n=self.n,
            df=self.df,
            tail=tail,
            method=self.method if method is None else method,
            limits=self.limits,
            size=None if self.pooled_deff is None else self.n_eff,
        )
        return low, high

    @property
    def shows_variance(self) -> bool:
        """Whether a share (or bounded score) has a variance above rounding to go by."""
        low, high = self.limits or intervals.UNIT
        width = high - low
        return intervals.shows_variance((self.est - low) / width, self.se / width, self.n)

    def interval(self, level: float = 0.95, method: str | None = None) -> Bounds:
        """Two-sided interval at another level or by another method."""
        return self.bounds((1.0 - intervals.check_level(level)) / 2.0, method)

    def __repr__(self) -> str:
        return text_table([self])


@dataclass(frozen=True)
class Origin:
    """The shares that a contrast Σ cθ is made of, and how they go together, (k, k)."""

    rows: tuple[Estimate, ...]
    coefficients: tuple[float, ...]
    correlation: tuple[tuple[float, ...], ...]

    def bounds(self, est: float, tail: float, method: str | None = None) -> Bounds:
        """MOVER: the distance from each share to its own limit, added up as errors are.

        Newcombe 1998 (Stat. Med. 17, 873), method 10; with correlations Zou and Donner 2008 (Stat.
        Med. 27, 1693).
        """
        c = np.array(self.coefficients)
        points = np.array([row.est for row in self.rows])
        low, high = np.array([row.bounds(tail, method) for row in self.rows]).T
        down = c * (points - np.where(c > 0, low, high))
        up = c * (np.where(c > 0, high, low) - points)
        sign = np.sign(c)
        together = np.array(self.correlation) * np.outer(sign, sign)
        below, above = (math.sqrt(max(float(d @ together @ d), 0.0)) for d in (down, up))
        return est - below, est + above


@dataclass(frozen=True, eq=False)
class Base:
    """What belongs to the rows ``used`` (None: all), whatever is measured; k entries each."""

    weight: Floats
    n: Floats
    missing: Floats
    unlabelled: int
    reach: Reach
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

    A row is found by its label, by (variable, label), or by position where no label is or reads as
    that number; ``rows.rows`` knows positions only.  ``presence`` says which units of the design
    carry weight in each row (for the degrees of freedom of several rows together).
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
        return self.rows[self._place(fitted(key, Key, 'The name of a row'))]

    def __reversed__(self) -> Iterator[Estimate]:
        return reversed(self.rows)

    def position(self, key: Key) -> int:
        """Index of the row that a key names; it must be exactly one.

        Where any row is called by a number, a number is a name: one that no row has is refused
        and not taken as a position, which would be another row than was meant.
        """
        key = fitted(key, Key, 'The name of a row')
        if _is_number(key) and not self._called(key):
            numbered = [name for row in self.rows for name in _names(row) if _reads_as(name)]
            if numbered:
                raise BadOption(
                    f'No row is called {key!r}; there are: {listed(numbered, 20)}.',
                    'Rows called by numbers are named by them, not by their position.',
                )
        return self._place(key)

    def _place(self, key: Key) -> int:
        found = self._called(key)
        if not found and isinstance(key, int) and not isinstance(key, bool):
            if not -len(self.rows) <= key < len(self.rows):
                raise BadOption(f'There is no row {key}; there are {len(self.rows)}, from 0 on.')
            return key % len(self.rows)
        if len(found) != 1:
            names = [row.label or row.variable for row in self.rows]
            raise BadOption(
                f'{key!r} points at {len(found)} rows; there are: {listed(names, 20)}.',
                'Name one row by its label, or by (variable, label).',
            )
        return found[0]

    def _called(self, key: Key) -> list[int]:
        """The rows of that name: by their text, else by the number it reads as."""
        for same in (_same_text, _same_number):
            found = [i for i, row in enumerate(self.rows) if _fits(row, key, same)]
            if found:
                return found
        return []

    def df_together(self, positions: Sequence[int]) -> int:
        """PSUs − strata, counting those seen in any of the rows."""
        return variance.df_of_union(self._design, [self.presence[i] for i in positions])

    def share_psus(self, positions: Sequence[int] | None = None) -> bool:
        """Whether any PSU has weight in more than one of the rows (of all, or of some)."""
        seen = np.zeros(self._design.stages[0].units, dtype=bool)
        some = self.presence if positions is None else [self.presence[i] for i in positions]
        for weight, column in some:
            psus = np.flatnonzero(_weight_by_unit(weight, column) != 0)
            if self._design.unit_psu is not None:
                psus = np.unique(self._design.unit_psu[psus])
            if seen[psus].any():
                return True
            seen[psus] = True
        return False

    def __repr__(self) -> str:
        return text_table(self.rows)


def _names(row: Estimate) -> list[str]:
    return [name for name in (row.label, row.variable) if name]


def _is_number(key: Key) -> bool:
    return isinstance(key, int | float) and not isinstance(key, bool)


def _reads_as(name: str) -> bool:
    """Whether a name reads as a whole number, so that a position could be meant for it."""
    try:
        return float(name).is_integer()
    except ValueError:
        return False


def _same_text(name: str, key: Name) -> bool:
    return name == str(key)


def _same_number(name: str, key: Name) -> bool:
    """1, 1.0 and '1' are one label; a text is only its own."""
    if not _is_number(key):
        return False
    try:
        return float(name) == key
    except ValueError:
        return False


def _fits(row: Estimate, key: Key, same: Callable[[str, Name], bool]) -> bool:
    if isinstance(key, tuple):
        return same(row.variable, key[0]) and same(row.label, key[1])
    return same(row.label, key) or same(row.variable, key)


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
    unit_scale: Collection[str] = (),
) -> Estimates:
    """A row for each variable and domain; the covariance is that of the design if not given.

    ``unit_scale`` names the variables whose values all lie from 0 to 1.
    """
    if covariance is None:
        covariance = _covariance(design, list(parts.values()))
    if df is not None:
        parts = {name: _with_df(part, df) for name, part in parts.items()}
    rows: list[Estimate] = []
    presence: list[tuple[Totals, int]] = []
    for variable, part in parts.items():
        for j, label in enumerate(labels):
            var = _variance(part, j, float(covariance[len(rows), len(rows)]), kind)
            covariance[len(rows), len(rows)] = var
            row = _row(part, j, var, variable, label, kind, level, method, limits)
            rows.append(replace(row, unit_scale=True) if variable in unit_scale else row)
            presence.append((part.base.raw, j))
    unknown = [i for i, row in enumerate(rows) if row.reason]
    covariance[unknown, :] = np.nan
    covariance[:, unknown] = np.nan
    return Estimates(rows, covariance, design, presence)


def _with_df(part: Part, df: int) -> Part:
    reached = part.base.reach
    known = replace(reached, df=np.full(len(reached.df), float(df)))
    return replace(part, base=replace(part.base, reach=known))


def _variance(part: Part, j: int, var: float, kind: str) -> float:
    """The variance: 0 where it is what rounding leaves of none, NaN where one PSU gives none.

    One PSU tells nothing of how PSUs differ: a mean or ratio inside it has no variance, and a
    variance of 0 without degrees of freedom is only that of PSUs from themselves.  A total in one
    PSU has one by the PSUs beside it that hold nothing of the domain.
    """
    reached = part.base.reach
    size = abs(float(part.est[j])) if kind in ('total', 'ratio') else 0.0
    if var < ROUNDING * max(float(part.spread[j]), size * size):
        var = 0.0
    if reached.exact[j]:
        return var
    nothing = reached.df[j] < 1 and not var > 0
    unknown = nothing and reached.lonely[j] if kind == 'total' else nothing or reached.alone[j]
    return math.nan if unknown else var


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
    reason = ONE_PSU if n and math.isnan(var) else ''
    se = math.sqrt(max(var, 0.0)) if n and not reason else math.nan
    # Who was reached but did not answer leaves the figure as open as who was not reached.
    census = bool(base.reach.exact[j]) and n > 0 and not base.missing[j] and not base.unlabelled
    deff, deff_wr, n_eff = _design_effects(float(part.spread[j]), var, n, weight)
    if limits is not None and n and not census:
        width = limits[1] - limits[0]
        seen = 0.0 if reason else se
        n_eff = intervals.effective_size((est - limits[0]) / width, seen / width, n)
        if kind != 'proportion' and n_eff != n and var > 0:
            n_eff = float(part.spread[j]) / var
    low, high, used = est, est, method
    if not census:
        low, high, used = intervals.bounds(
            est,
            0.0 if reason and limits is not None else se,
            n=n,
            df=base.reach.df[j],
            tail=(1 - level) / 2,
            method=method,
            limits=limits,
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
        df=int(base.reach.df[j]),
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
        reason=reason,
    )


def _design_effects(spread: float, var: float, n: int, weight: float) -> tuple[float, float, float]:
    """V over that of a simple random sample of n out of Σw (without, with replacement); n_eff."""
    if n < 2 or not spread > 0 or math.isnan(var):
        return math.nan, math.nan, math.nan
    if var == 0:
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
    lines = [table]
    for reason in dict.fromkeys(row.reason for row in rows if row.reason):
        names = [row.label or row.variable or row.kind for row in rows if row.reason == reason]
        lines.append(f'No standard error of {listed(names, 20)}: {reason}.')
    if outside:
        lines.append(f'Rows without a group, in none of these: {outside}')
    return '\n'.join(lines)
