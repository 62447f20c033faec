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
from analysis.result import Estimate, Estimates, Key, Origin


@checked
def contrast(
    rows: Estimates, coefficients: Mapping[Key, float], *, level: float = 0.95, label: str = ''
) -> Estimate:
    """Σ cθ over some rows, with variance c'Vc from their covariance and a t interval.

    df are PSUs − strata seen in any of the rows.  Where a share among them shows no variance (0 or
    1) the interval comes from the shares' own limits (``Origin.bounds``).  R: svycontrast.
    """
    if not coefficients:
        raise BadOption('A contrast needs at least one row and its coefficient.')
    positions = [rows.position(key) for key in coefficients]
    values = [number(c, f'The coefficient of {key!r}') for key, c in coefficients.items()]
    return _contrast(rows, positions, np.array(values), level, label)


@checked
def difference(rows: Estimates, first: Key, second: Key, *, level: float = 0.95) -> Estimate:
    """First row minus second, with their covariance (they may share villages or persons).

    A row is named by its label, as it was given or as text.
    """
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
    at = np.array([rows.rows[i].est for i in positions])
    errors = np.array([rows.rows[i].se for i in positions])
    step = 1e-3 * np.maximum(np.abs(at), errors + 1e-300)
    function = _guarded(function)
    gradient = np.array([_slope(function, at, j, step[j]) for j in range(len(at))])
    linear = _contrast(rows, positions, gradient, level, label or 'function')
    est = function(at)
    low, high, _ = intervals.bounds(
        est, linear.se, n=0, df=linear.df, tail=(1 - level) / 2, method='t'
    )
    cv = linear.se / abs(est) if est else math.nan
    return replace(
        linear, kind='function', est=est, lci=low, uci=high, cv=cv, method='t', origin=None
    )


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
    parts = [rows.rows[i] for i in positions]
    block = rows.covariance[np.ix_(positions, positions)]
    if np.isnan(block).any():
        _refuse_unknown(parts)
    est = float(sum(value * row.est for value, row in zip(c, parts, strict=True)))
    se = math.sqrt(max(float(c @ block @ c), 0.0))
    df = rows.df_together(positions)
    tail = (1 - intervals.check_level(level)) / 2
    low, high, used = intervals.bounds(est, se, n=0, df=df, tail=tail, method='t')
    origin = _origin(rows, positions, c)
    if origin is not None:
        (low, high), used = origin.bounds(est, tail), f'mover/{parts[0].method}'
    return Estimate(
        label=label or _words(parts, c),
        variable=parts[0].variable,
        kind='difference',
        est=est,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(est) if est else math.nan,
        df=df,
        n=sum(row.n for row in parts),
        missing=sum(row.missing for row in parts),
        n_eff=math.nan,
        deff=math.nan,
        deff_wr=math.nan,
        method=used,
        level=level,
        unlabelled=max(row.unlabelled for row in parts),
        origin=origin,
    )


def _refuse_unknown(parts: Sequence[Estimate]) -> None:
    empty = [row.label for row in parts if not row.n]
    if empty:
        raise BadOption(f'Nothing was estimated for {", ".join(empty)}: no answers there.')
    unknown = [row for row in parts if math.isnan(row.se)]
    if unknown:
        names = ', '.join(row.label or row.variable for row in unknown)
        reason = f' ({unknown[0].reason})' if unknown[0].reason else ''
        raise BadOption(f'There is no standard error of {names} to compare with{reason}.')
    raise BadOption(
        'The covariance of these rows was not kept: the table would be too large.',
        'Estimate fewer columns in one call.',
    )


def _origin(rows: Estimates, positions: list[int], c: Floats) -> Origin | None:
    """The shares of a contrast in which one shows no variance, though it was not observed in full.

    Their correlation then is not known.  Shares of separate PSUs have none; others are taken as
    they would make the interval widest.
    """
    parts = [rows.rows[i] for i in positions]
    open_ends = [row for row in parts if row.limits is not None and not row.census]
    if any(row.limits is None for row in parts) or all(row.shows_variance for row in open_ends):
        return None
    if rows.share_psus(positions):
        together = np.outer(np.sign(c), np.sign(c))
    else:
        together = np.eye(len(parts))
    correlation = tuple(tuple(line) for line in together.tolist())
    return Origin(tuple(parts), tuple(c.tolist()), correlation)


def _words(parts: Sequence[Estimate], c: Floats) -> str:
    names = [row.label or row.variable for row in parts]
    if c.tolist() == [1.0, -1.0]:
        return f'{names[0]} − {names[1]}'
    return ' '.join(f'{value:+g}·{name}' for value, name in zip(c, names, strict=True))
