"""Quantiles of weighted data by named rules, with Woodruff's interval.

The interval of the share at or below the quantile is turned back into values by the same rule
(Woodruff 1952, JASA 47); the standard error is its width over 2 t.  The slope of that step, se of
the quantile over se of the share, carries the covariances over too.  R: svyquantile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, Mask, numbers, refuse_negative
from analysis.design import Design
from analysis.domains import Domains
from analysis.errors import BadColumn, BadOption, EmptyDomain, listed
from analysis.estimate import proportion
from analysis.intervals import check_level, check_method, t_quantile
from analysis.options import number
from analysis.replicates import ReplicateDesign
from analysis.result import Estimate, Estimates
from analysis.variance import Totals

# Cumulated weights this close to p count as equal to it.
CLOSE = 1e-12
Rule: TypeAlias = 'Callable[[_Sorted, float], float]'


@checked
def quantile(
    design: Design | ReplicateDesign,
    y: Any,
    p: float | Sequence[float] = 0.5,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    rule: str = 'math',
    method: str = 'wald',
) -> Estimates:
    """Quantiles of ``y``: a row for each p and group, with their covariance.

    ``rule``: ``math`` (smallest value with at least p below or at it), ``school`` (the mean of
    two neighbours at a tie), ``hf1`` … ``hf9`` (Hyndman and Fan 1996).  ``method`` is the
    interval of the share, R's interval.type: wald (R ``mean``), korn-graubard (``beta``),
    logit (``xlogit``), arcsine (``asin``), wilson; where all clusters agree Korn–Graubard's, as
    the row says.  Replicate designs give the share its variance by their replicates.

    An interval of the share that reaches 0 or 1 ends at the smallest or largest value, and the
    standard error then comes from the other side alone (NaN when both sides are cut).
    """
    if rule not in RULES:
        raise BadOption(f'Unknown quantile rule {rule!r}; use {listed(RULES, 20)}.')
    plain = design.design if isinstance(design, ReplicateDesign) else design
    refuse_negative(plain.weights, 'shares below a value then do not grow with it')
    domains = Domains.of(plain, by, where)
    groups = _groups(plain, _checked(y, plain), domains, RULES[rule])
    asked = [(share, group) for share in _wanted(p) for group in groups]
    below = {str(k): group.below(share) for k, (share, group) in enumerate(asked) if group.find}
    if not below:
        raise EmptyDomain('No row has an answer and a positive weight.')
    shares: Estimates = proportion(
        design, below, level=check_level(level), method=check_method(method)
    )
    places = {int(key): i for i, key in enumerate(below)}
    rows = [
        _row(shares.rows[places[k]], group, share, rule)
        if k in places
        else _nothing(shares.rows[0], group, share, rule)
        for k, (share, group) in enumerate(asked)
    ]
    rows = [replace(row, unlabelled=domains.unlabelled) for row in rows]
    return _together(rows, shares, [places.get(k) for k in range(len(asked))], plain)


@dataclass(frozen=True, eq=False)
class _Group:
    """The rows of one domain; ``find`` gives its quantiles, None where nobody answered."""

    label: str
    column: Floats
    inside: Mask
    find: Callable[[float], float] | None
    missing: int

    def value(self, p: float) -> float:
        assert self.find is not None
        return self.find(p)

    def below(self, p: float) -> Floats:
        """1 at or below the quantile, 0 above, NaN outside the domain or without an answer."""
        known = self.inside & ~np.isnan(self.column)
        return np.where(known, self.column <= self.value(p), np.nan)


def _groups(design: Design, column: Floats, domains: Domains, rule: Rule) -> list[_Group]:
    everybody = np.ones(design.n, dtype=bool) if domains.inside is None else domains.inside
    found = []
    for j, label in enumerate(domains.labels):
        inside = everybody if domains.codes is None else everybody & (domains.codes == j)
        used = inside & ~np.isnan(column) & (design.weights > 0)
        find = _finder(column[used], design.weights[used], rule) if used.any() else None
        missing = int(np.count_nonzero(inside & np.isnan(column)))
        found.append(_Group(label, column, inside, find, missing))
    return found


def _wanted(p: Any) -> list[float]:
    given = [p] if isinstance(p, str) or not hasattr(p, '__iter__') else list(p)
    wanted = [number(one, 'A quantile') for one in given]
    if not wanted or not all(0 < one < 1 for one in wanted):
        raise BadOption(f'Quantiles must lie between 0 and 1, not {listed(given)}.')
    return wanted


def _checked(y: Any, design: Design) -> Floats:
    column = numbers(y, 'y', design.n)
    infinite = np.flatnonzero(np.isinf(column))
    if infinite.size:
        raise BadColumn(f'y is infinite in row {infinite[0] + 1}.', 'Correct it or leave it empty.')
    return column


def _row(share: Estimate, group: _Group, p: float, rule: str) -> Estimate:
    """The quantile from the ``share`` at or below it."""
    value = group.value(p)
    low, high, se = value, value, 0.0
    if not share.census:
        low, high = group.value(share.lci), group.value(share.uci)
        sides = [value - low] * (share.lci > 0) + [high - value] * (share.uci < 1)
        t = t_quantile((1 + share.level) / 2, share.df)
        se = sum(sides) / len(sides) / t if sides else math.nan
    return replace(
        share,
        label=group.label,
        variable=f'{p:g}',
        kind='quantile',
        est=value,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(value) if value else math.nan,
        missing=group.missing,
        method=f'{rule}/{share.method}',
        limits=None,
    )


def _nothing(like: Estimate, group: _Group, p: float, rule: str) -> Estimate:
    """The row of a group without answers."""
    nan = math.nan
    return replace(
        like,
        label=group.label,
        variable=f'{p:g}',
        kind='quantile',
        est=nan,
        se=nan,
        lci=nan,
        uci=nan,
        cv=nan,
        df=0,
        n=0,
        missing=group.missing,
        n_eff=nan,
        deff=nan,
        deff_wr=nan,
        method=rule,
        limits=None,
        census=False,
    )


def _together(
    rows: list[Estimate], shares: Estimates, places: list[int | None], design: Design
) -> Estimates:
    """The covariance of the shares, times the slopes of the quantiles in them.

    A slope is 1/f at the quantile, as the two standard errors have it.
    """
    known = [k for k, place in enumerate(places) if place is not None]
    there = [place for place in places if place is not None]
    slope = np.array(
        [
            rows[k].se / shares.rows[i].se if shares.rows[i].se > 0 else 0.0
            for k, i in zip(known, there, strict=True)
        ]
    )
    covariance = np.full((len(rows), len(rows)), np.nan)
    block = shares.covariance[np.ix_(there, there)] * np.outer(slope, slope)
    covariance[np.ix_(known, known)] = block
    np.fill_diagonal(covariance, [row.se**2 for row in rows])
    nobody = (Totals(np.zeros((design.units, 1)), 1), 0)
    presence = [nobody if place is None else shares.presence[place] for place in places]
    return Estimates(rows, covariance, design, presence)


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Values in order, their weights, and the weights cumulated."""

    x: Floats
    w: Floats
    cumulated: Floats

    def neighbours(self, p: float) -> tuple[int, int, bool]:
        """Positions of the last value at or below p and the next; whether p is hit exactly."""
        share = self.cumulated / self.cumulated[-1]
        low = int(np.searchsorted(share, p + CLOSE, side='right')) - 1
        exact = low >= 0 and abs(float(share[low]) - p) <= CLOSE
        return low, min(low + 1, len(self.x) - 1), exact


def _finder(values: Floats, weights: Floats, rule: Rule) -> Callable[[float], float]:
    """The rule on sorted values, with the cumulated weights made once."""
    order = np.argsort(values, kind='stable')
    data = _Sorted(values[order], weights[order], np.cumsum(weights[order]))
    return lambda p: rule(data, p)


def _math(data: _Sorted, p: float) -> float:
    low, high, exact = data.neighbours(p)
    return float(data.x[low] if exact else data.x[high])


def _school(data: _Sorted, p: float) -> float:
    low, high, exact = data.neighbours(p)
    return float((data.x[low] + data.x[high]) / 2 if exact else data.x[high])


def _nearest_even(data: _Sorted, p: float) -> float:
    """hf3: at a tie the even order statistic of the distinct values."""
    distinct, first = np.unique(data.x, return_index=True)
    weight = np.add.reduceat(data.w, first)
    low, high, exact = _Sorted(distinct, weight, np.cumsum(weight)).neighbours(p)
    # R counts positions from 1.
    return float(distinct[low] if exact and (low + 1) % 2 == 0 else distinct[high])


def _between(data: _Sorted, p: float) -> float:
    """hf4: linear on the distribution function itself."""
    return float(np.interp(p, data.cumulated / data.cumulated[-1], data.x))


def _plotting(a: float, b: float) -> Rule:
    """Linear between plotting positions (C − a·w)/(C_n + b·w_n) of each value."""

    def rule(data: _Sorted, p: float) -> float:
        position = (data.cumulated - a * data.w) / (data.cumulated[-1] + b * data.w[-1])
        return float(np.interp(p, position, data.x))

    return rule


def _ends(data: _Sorted, p: float) -> float:
    """hf7: the smallest value at 0, the largest at 1."""
    if len(data.x) == 1:
        return float(data.x[0])
    position = np.append(0.0, data.cumulated[:-1]) / data.cumulated[-2]
    return float(np.interp(p, position, data.x))


RULES: dict[str, Rule] = {
    'math': _math,
    'school': _school,
    'hf1': _math,
    'hf2': _school,
    'hf3': _nearest_even,
    'hf4': _between,
    'hf5': _plotting(1 / 2, 0.0),
    'hf6': _plotting(0.0, 1.0),
    'hf7': _ends,
    'hf8': _plotting(1 / 3, 1 / 3),
    'hf9': _plotting(3 / 8, 1 / 4),
}
