"""Differences and other linear contrasts of rows that were estimated together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis import intervals
from analysis.arguments import checked
from analysis.columns import Floats
from analysis.errors import BadOption
from analysis.options import number
from analysis.result import Estimate, Estimates, Key


@checked
def contrast(
    rows: Estimates, coefficients: Mapping[Key, float], *, level: float = 0.95, label: str = ''
) -> Estimate:
    """Σ cθ over some rows, with variance c'Vc from their covariance and a t interval.

    df are PSUs − strata seen in any of the rows.  R: svycontrast.
    """
    if not coefficients:
        raise BadOption('A contrast needs at least one row and its coefficient.')
    positions = [rows.position(key) for key in coefficients]
    values = [number(c, f'The coefficient of {key!r}') for key, c in coefficients.items()]
    return _contrast(rows, positions, np.array(values), level, label)


@checked
def difference(rows: Estimates, first: Key, second: Key, *, level: float = 0.95) -> Estimate:
    """First row minus second, with their covariance (they may share villages or persons)."""
    positions = [rows.position(first), rows.position(second)]
    return _contrast(rows, positions, np.array([1.0, -1.0]), level, '')


@checked
def smooth(
    rows: Estimates,
    function: Callable[[Floats], float],
    keys: Sequence[Key] | None = None,
    *,
    level: float = 0.95,
    label: str = '',
) -> Estimate:
    """Any smooth function of some rows, by the delta method: f(θ̂) with variance ∇f' V ∇f.

    ``function`` takes the estimates of ``keys`` (all rows when left out) as an array and returns
    a number.  The gradient is numerical (central differences, extrapolated once).  Raises
    BadOption where the function has no finite value near the estimates.
    """
    positions = list(range(len(rows))) if keys is None else [rows.position(key) for key in keys]
    if not positions:
        raise BadOption('keys names no row.', 'Leave it out to take all of them.')
    at = np.array([rows[i].est for i in positions])
    step = 1e-3 * np.maximum(np.abs(at), np.array([rows[i].se for i in positions]) + 1e-300)
    function = _guarded(function)
    gradient = np.array([_slope(function, at, j, step[j]) for j in range(len(at))])
    linear = _contrast(rows, positions, gradient, level, label or 'function')
    est = function(at)
    low, high, _ = intervals.bounds(
        est, linear.se, n=0, df=linear.df, tail=(1 - level) / 2, method='t'
    )
    cv = linear.se / abs(est) if est else math.nan
    return replace(linear, kind='function', est=est, lci=low, uci=high, cv=cv)


def _guarded(function: Callable[[Floats], float]) -> Callable[[Floats], float]:
    """The user's function, whose faults are told as such."""

    def value(at: Floats) -> float:
        try:
            with np.errstate(all='ignore'):
                result = np.asarray(function(at), dtype=np.float64)
        except (ArithmeticError, TypeError, ValueError, IndexError) as error:
            raise BadOption(f'The function fails at {at.tolist()}: {error}.') from error
        if result.ndim or not np.isfinite(result):
            raise BadOption(f'The function must return one finite number, not {result.tolist()}.')
        return float(result)

    return value


def _slope(function: Callable[[Floats], float], at: Floats, j: int, step: float) -> float:
    """Central differences with three steps, combined so that the error is of sixth order."""
    unit = np.zeros(len(at))
    unit[j] = 1.0
    rough = [
        (function(at + unit * h) - function(at - unit * h)) / (2 * h)
        for h in (step, step / 2, step / 4)
    ]
    once = [(4 * rough[1] - rough[0]) / 3, (4 * rough[2] - rough[1]) / 3]
    return float((16 * once[1] - once[0]) / 15)


def _contrast(
    rows: Estimates, positions: list[int], c: Floats, level: float, label: str
) -> Estimate:
    block = rows.covariance[np.ix_(positions, positions)]
    if np.isnan(block).any():
        empty = [rows[i].label for i in positions if not rows[i].n]
        if empty:
            raise BadOption(f'Nothing was estimated for {", ".join(empty)}: no answers there.')
        unknown = [rows[i].label or rows[i].variable for i in positions if math.isnan(rows[i].se)]
        if unknown:
            raise BadOption(f'There is no standard error of {", ".join(unknown)} to compare with.')
        raise BadOption(
            'The covariance of these rows was not kept: the table would be too large.',
            'Estimate fewer columns in one call.',
        )
    est = float(sum(value * rows[i].est for value, i in zip(c, positions, strict=True)))
    se = math.sqrt(max(float(c @ block @ c), 0.0))
    df = rows.df_together(positions)
    low, high, used = intervals.bounds(
        est, se, n=0, df=df, tail=(1 - intervals.check_level(level)) / 2, method='t'
    )
    return Estimate(
        label=label or _words(rows, positions, c),
        variable=rows[positions[0]].variable,
        kind='difference',
        est=est,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(est) if est else math.nan,
        df=df,
        n=sum(rows[i].n for i in positions),
        missing=sum(rows[i].missing for i in positions),
        n_eff=math.nan,
        deff=math.nan,
        deff_wr=math.nan,
        method=used,
        level=level,
        unlabelled=max(rows[i].unlabelled for i in positions),
    )


def _words(rows: Estimates, positions: list[int], c: Floats) -> str:
    names = [rows[i].label or rows[i].variable for i in positions]
    if c.tolist() == [1.0, -1.0]:
        return f'{names[0]} − {names[1]}'
    return ' '.join(f'{value:+g}·{name}' for value, name in zip(c, names, strict=True))
