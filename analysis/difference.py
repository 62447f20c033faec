"""Differences and other linear contrasts of rows that were estimated together."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from analysis import intervals
from analysis.columns import Floats
from analysis.errors import BadOption
from analysis.result import Estimate, Estimates

Key = int | str | tuple[str, str]


def contrast(
    rows: Estimates, coefficients: Mapping[Key, float], *, level: float = 0.95, label: str = ''
) -> Estimate:
    """Σ cθ over some rows, with variance c'Vc from their covariance and a t interval.

    df are PSUs − strata seen in any of the rows.  R: svycontrast.
    """
    return _contrast(
        rows,
        [rows.position(key) for key in coefficients],
        np.array(list(coefficients.values()), dtype=np.float64),
        level,
        label,
    )


def difference(rows: Estimates, first: Key, second: Key, *, level: float = 0.95) -> Estimate:
    """First row minus second, with their covariance (they may share villages or persons)."""
    positions = [rows.position(first), rows.position(second)]
    return _contrast(rows, positions, np.array([1.0, -1.0]), level, '')


def _contrast(
    rows: Estimates, positions: list[int], c: Floats, level: float, label: str
) -> Estimate:
    block = rows.covariance[np.ix_(positions, positions)]
    if np.isnan(block).any():
        empty = [rows[i].label for i in positions if not rows[i].n]
        if empty:
            raise BadOption(f'Nothing was estimated for {", ".join(empty)}: no answers there.')
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
    )


def _words(rows: Estimates, positions: list[int], c: Floats) -> str:
    names = [rows[i].label or rows[i].variable for i in positions]
    if c.tolist() == [1.0, -1.0]:
        return f'{names[0]} − {names[1]}'
    return ' '.join(f'{value:+g}·{name}' for value, name in zip(c, names, strict=True))
