"""Joint inclusion probabilities, and the variance that follows from them.

A sample with unequal probabilities without replacement is not described by strata and rates; the
probabilities π_ij that two units are both drawn take their place.  One stage: the rows are the
units.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from analysis import intervals
from analysis.arguments import checked
from analysis.columns import Floats, flags, number_table, numbers
from analysis.errors import BadColumn, BadOption, EmptyDomain, NotConverged
from analysis.result import Estimate

Form = Literal['yates-grundy', 'horvitz-thompson']
# How far π_i, summed up from the same frequencies as π_ij, may lie from what was asked for.
TOLERANCE = 1e-9


@checked
def estimate(
    y: Any,
    joint: Any,
    *,
    kind: Literal['total', 'mean'] = 'total',
    form: Form = 'yates-grundy',
    where: Any = None,
    level: float = 0.95,
) -> Estimate:
    """Horvitz–Thompson total Σy/π, or the mean Σ(y/π)/Σ(1/π), with its design-based error.

    ``joint`` (n, n) holds π_ij of the drawn units, π_i on the diagonal.  ``yates-grundy`` is
    ½ ΣΣ (π_iπ_j − π_ij)/π_ij (z_i − z_j)² with z = influence/π (Sen 1953; Yates and Grundy 1953),
    right for samples of fixed size and never negative under Sampford's design;
    ``horvitz-thompson`` is ΣΣ (π_ij − π_iπ_j)/π_ij z_i z_j, for any design.  df = n − 1.
    R: svydesign(fpc = ~p, pps = ppsmat(joint), variance = "YG" or "HT").
    """
    table = _checked(joint)
    share = np.diag(table)
    column = numbers(y, 'y', len(table))
    inside = np.ones(len(table), dtype=bool) if where is None else flags(where, 'where', len(table))
    used = inside & ~np.isnan(column)
    if np.isinf(column[used]).any() or not used.any():
        raise EmptyDomain('No row has a finite answer.', 'Check where= and the missing values.')
    people = float((1.0 / share[used]).sum())
    values = np.where(used, column, 0.0)
    est = float((values / share).sum())
    if kind == 'mean':
        est /= people
        values = np.where(used, column - est, 0.0) / people
    elif kind != 'total':
        raise BadOption(f"kind is {kind!r}; it must be 'total' or 'mean'.")
    variance = _variance(values / share, table, form)
    if variance < 0:
        raise BadOption(
            f'The variance estimate is negative ({variance:.4g}), as this form can be.',
            "Use form='yates-grundy' for a sample of fixed size.",
        )
    return _row(kind, est, math.sqrt(variance), used, inside, form, level)


def _checked(joint: Any) -> Floats:
    table = number_table(joint, 'joint')
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2:
        raise BadColumn(f'Joint probabilities must be a square table; it has shape {table.shape}.')
    share = np.diag(table)
    least = np.minimum.outer(share, share)
    bad = np.argwhere(~((table > 0) & (table <= least * (1 + 1e-9))))
    if len(bad):
        i, j = bad[0]
        raise BadColumn(
            f'The joint probability of rows {i + 1} and {j + 1} is {table[i, j]:g}; it must lie '
            'above 0 and not above the probability of either.',
            'Pairs that can never be drawn together leave the variance unknown.',
        )
    return table


def _variance(z: Floats, table: Floats, form: str) -> float:
    share = np.diag(table)
    apart = 1.0 - np.outer(share, share) / table
    if form == 'yates-grundy':
        return float(-0.5 * (apart * np.subtract.outer(z, z) ** 2).sum())
    if form == 'horvitz-thompson':
        # π_ii = π_i, so that the diagonal is 1 − π_i.
        return float(z @ apart @ z)
    raise BadOption(f"form is {form!r}; it must be 'yates-grundy' or 'horvitz-thompson'.")


def _row(
    kind: str, est: float, se: float, used: Any, inside: Any, form: str, level: float
) -> Estimate:
    n = int(used.sum())
    tail = (1.0 - intervals.check_level(level)) / 2.0
    df = len(used) - 1
    low, high, _ = intervals.bounds(est, se, n=n, df=df, tail=tail, method='t')
    return Estimate(
        label='',
        variable='',
        kind=kind,
        est=est,
        se=se,
        lci=low,
        uci=high,
        cv=se / abs(est) if est else math.nan,
        df=df,
        n=n,
        missing=int(inside.sum()) - n,
        n_eff=math.nan,
        deff=math.nan,
        deff_wr=math.nan,
        method=f't/{form}',
        level=level,
    )


@checked
def sampford(probability: Any, n: int, rows: Any = None) -> Floats:
    """Joint inclusion probabilities of Sampford's design, (N, N) or only between some ``rows``.

    π < 1 must add up to n ≥ 2.  A sample s has probability ∝ Π_{s} π/(1 − π) · Σ_{not s} π
    (Sampford 1967), so π_ij is a sum of Poisson-binomial probabilities P(X_i = X_j = 1, X_k = 0,
    ΣX = n).  They are read off the generating function at the roots of unity: every term is a
    product of factors of modulus up to 1, and nothing cancels however large n is.
    """
    p = numbers(probability, 'probability')
    if not ((p > 0) & (p < 1)).all() or n < 2 or abs(p.sum() - n) > 1e-9 * n:
        raise BadOption('Sampford needs probabilities between 0 and 1 that add up to n ≥ 2.')
    spread = p * (1.0 - p)
    # An odd number of roots leaves out −1, where a factor could be 0; beyond this many standard
    # deviations the sum has no probability that a float can hold.
    size = min(len(p), 2 * math.ceil(12.0 * math.sqrt(float(spread.sum())) + 40.0)) | 1
    root = np.exp(2j * math.pi * np.arange(size) / size)
    factor = 1.0 - p[:, None] + p[:, None] * root
    generating = np.prod(factor, axis=0)
    left_out = (spread[:, None] / factor).sum(axis=0)

    def at(count: int) -> Any:
        return generating * root ** (-float(count)) / size

    chosen = np.arange(len(p)) if rows is None else rows
    inverse, own = 1.0 / factor[chosen], spread[chosen]
    whole = float((at(n) * left_out).sum().real)
    single = (inverse @ (at(n - 1) * left_out) - own * (inverse**2 @ at(n - 1))).real
    if np.abs(single / whole - 1.0).max() > TOLERANCE:
        raise NotConverged('The joint probabilities lost their digits.', 'Draw fewer units.')
    both = ((inverse * (at(n - 2) * left_out)) @ inverse.T).real
    one = own[:, None] * ((inverse**2 * at(n - 2)) @ inverse.T).real
    joint = np.outer(p[chosen], p[chosen]) * (both - one - one.T) / whole
    np.fill_diagonal(joint, p[chosen])
    return np.asarray(joint)
