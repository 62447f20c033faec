"""Quantiles of weighted data by named rules, with Woodruff's interval.

The interval of the share at or below the quantile is turned back into values by the same rule
(Woodruff 1952, JASA 47); the standard error is its width over 2 t.  R: svyquantile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.columns import Floats, Mask, numbers
from analysis.design import Design
from analysis.domains import Domains
from analysis.errors import BadOption, listed
from analysis.estimate import proportion
from analysis.intervals import check_level, t_quantile
from analysis.result import Estimate, Estimates
from analysis.variance import Totals, to_units

# Cumulated weights this close to p count as equal to it.
CLOSE = 1e-12


def quantile(
    design: Design,
    y: Any,
    p: float | list[float] = 0.5,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    rule: str = 'math',
    method: str = 'wald',
) -> Estimates:
    """Quantiles of ``y``: a row for each p and group.

    ``rule``: ``math`` (smallest value with at least p below or at it), ``school`` (the mean of
    two neighbours at a tie), ``hf1`` … ``hf9`` (Hyndman and Fan 1996).  ``method`` is the
    interval of the share, R's interval.type: wald (R ``mean``), korn-graubard (``beta``),
    logit (``xlogit``), arcsine (``asin``), wilson.
    """
    if rule not in RULES:
        raise BadOption(f'Unknown quantile rule {rule!r}; use {listed(RULES, 20)}.')
    wanted = [p] if isinstance(p, int | float) else list(p)
    if not wanted or not all(0 < share < 1 for share in wanted):
        raise BadOption(f'Quantiles must lie between 0 and 1, not {listed(wanted)}.')
    column = numbers(y, 'y', design.n)
    domains = Domains.of(design, by, where)
    answered = ~np.isnan(column) if domains.inside is None else domains.inside & ~np.isnan(column)
    rows: list[Estimate] = []
    presence: list[tuple[Totals, int]] = []
    for share in wanted:
        for j, label in enumerate(domains.labels):
            here = answered if domains.codes is None else answered & (domains.codes == j)
            rows.append(_one(design, column, here, share, label, level, rule, method))
            weight = to_units(design, design.weights * here, None, 1)
            presence.append((Totals(weight, 1), 0))
    covariance = np.full((len(rows), len(rows)), np.nan)
    np.fill_diagonal(covariance, [row.se**2 for row in rows])
    return Estimates(rows, covariance, design, presence)


def _one(
    design: Design,
    column: Floats,
    here: Mask,
    p: float,
    label: str,
    level: float,
    rule: str,
    method: str,
) -> Estimate:
    used = here & (design.weights > 0)
    blank: dict[str, Any] = {
        'label': label,
        'variable': f'{p:g}',
        'kind': 'quantile',
        'method': f'{rule}/{method}',
    }
    if not used.any():
        return Estimate(**blank, level=level, **_nothing())
    find = _finder(column[used], design.weights[used], RULES[rule])
    value = find(p)
    below = np.where(here, (column <= value).astype(np.float64), np.nan)
    share: Estimate = proportion(design, below, where=here, level=level, method=method)
    low = find(share.lci) if 0 <= share.lci < 1 and share.se > 0 else math.nan
    high = find(share.uci) if 0 < share.uci <= 1 and share.se > 0 else math.nan
    t = t_quantile((1 + check_level(level)) / 2, share.df)
    se = (high - low) / (2 * t)
    return Estimate(
        **blank,
        level=level,
        est=value,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(value) if value else math.nan,
        df=share.df,
        n=share.n,
        missing=0,
        n_eff=share.n_eff,
        deff=share.deff,
        deff_wr=share.deff_wr,
    )


def _nothing() -> Mapping[str, Any]:
    figures = ('est', 'se', 'lci', 'uci', 'cv', 'n_eff', 'deff', 'deff_wr')
    return {**dict.fromkeys(figures, math.nan), 'df': 0, 'n': 0, 'missing': 0}


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


Rule = Callable[[_Sorted, float], float]


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
