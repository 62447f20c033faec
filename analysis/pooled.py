"""One design effect for all towns, for intervals in towns with few villages.

With five or six villages the variance of a town is itself hardly known, and t(5) pays for
that with wide intervals.  Towns that were sampled alike have about the same design effect;
its mean over the towns is known well.  This borrows the design effect only, never the share.
Source: Kish and Frankel 1974 (JRSS B 36) and common practice of large surveys; the coverage is
measured in ``benchmarks/coverage.py``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from analysis.arguments import checked
from analysis.errors import BadOption
from analysis.intervals import bounds
from analysis.record import Records
from analysis.result import Estimate, Estimates


@checked
def pool_design_effect(rows: Estimates) -> Records[Estimate]:
    """The rows of several towns with intervals from their common design effect.

    deff = Σ V_a / Σ p_a(1 − p_a)/n_a over towns with some variance; n_eff = n_a/deff; df of
    these towns together.  The estimates stay; se, interval, n_eff and df change, and
    ``pooled_deff`` says so.  Raises BadOption for rows that are not shares of separate towns:
    groups that share villages know the variance no better together than each alone.
    """
    if any(row.limits is None for row in rows) or len({row.variable for row in rows}) != 1:
        raise BadOption('A design effect is pooled over the towns of one share (or score).')
    if rows.share_psus():
        raise BadOption(
            'These groups share villages (PSUs): their design effects are not separate evidence.',
            'Pool over towns, or other groups of whole villages.',
        )
    simple = [_simple_variance(row) for row in rows]
    useful = [i for i, row in enumerate(rows) if simple[i] > 0 and row.df > 0]
    if len(useful) < 2:
        raise BadOption('Fewer than two towns show any variance: nothing to pool.')
    deff = sum(rows.rows[i].se ** 2 for i in useful) / sum(simple[i] for i in useful)
    df = rows.df_together(useful)
    return Records(
        _with(row, v, deff, df) if row.n else row for row, v in zip(rows, simple, strict=True)
    )


def _simple_variance(row: Estimate) -> float:
    """p(1 − p)/n on the scale of the row."""
    if not row.n or row.limits is None:
        return 0.0
    low, high = row.limits
    p = (row.est - low) / (high - low)
    return p * (1.0 - p) / row.n * (high - low) ** 2


def _with(row: Estimate, simple: float, deff: float, df: int) -> Estimate:
    se, size = math.sqrt(deff * simple), row.n / deff
    low, high, used = bounds(
        row.est,
        se,
        n=row.n,
        df=df,
        tail=(1.0 - row.level) / 2.0,
        method=row.method,
        limits=row.limits,
        size=size,
    )
    return replace(
        row,
        se=se,
        lci=low,
        uci=high,
        cv=se / row.est if row.est else math.nan,
        df=df,
        n_eff=size,
        method=used,
        pooled_deff=deff,
        reason='',
    )
