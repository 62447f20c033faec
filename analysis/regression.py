"""Linear and logistic regression with design-based errors, and t-tests.

Coefficients solve Σ w x (y − μ(x'β)) = 0; the influence of a row is A⁻¹ x (y − μ) with
A = Σ w μ' x x' (Binder 1983).  df = PSUs − strata + 1 − number of coefficients.  R: svyglm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import variance
from analysis.arguments import checked
from analysis.columns import (
    Floats,
    Mask,
    flags,
    groups,
    holds_numbers,
    label_column,
    measured,
    numbers,
    refuse_negative,
)
from analysis.design import Design
from analysis.errors import (
    BadColumn,
    BadOption,
    ConstantColumn,
    EmptyDomain,
    LonelyPsu,
    NotConverged,
    listed,
)
from analysis.estimate import mean
from analysis.intervals import check_level, t_quantile
from analysis.options import number
from analysis.record import Record
from analysis.replicates import ReplicateDesign
from analysis.result import Estimate, Estimates
from analysis.variance import Totals

TOO_FEW = 'too few PSUs for the coefficients, no variance can be estimated'
# An error below this share of the estimate is what rounding leaves of none.
ROUNDING = 1e-12
MORE_PSUS = 'Widen where=, or merge groups, so that there are more PSUs than strata.'


@dataclass(frozen=True, repr=False)
class Test(Record):
    """A test statistic with its reference distribution: F(df1, df2), or t when df1 is None.

    ``n`` counts the rows used, ``missing`` those of the domain without an answer or a group.
    """

    statistic: float
    df1: float | None
    df2: float
    p_value: float
    estimate: float | None
    method: str
    n: int | None = None
    missing: int | None = None


@checked
def linear(
    design: Design | ReplicateDesign,
    y: Any,
    x: Mapping[str, Any],
    *,
    where: Any = None,
    level: float = 0.95,
) -> Estimates:
    """Weighted least squares; a row for the constant and every term, with their covariance.

    Labels (text, categorical columns) of ``x`` become indicators of all but the first.
    """
    return _regression(design, y, x, where, level, logistic=False)


@checked
def logistic(
    design: Design | ReplicateDesign,
    y: Any,
    x: Mapping[str, Any],
    *,
    where: Any = None,
    level: float = 0.95,
) -> Estimates:
    """Logistic regression of a 0/1 answer; coefficients on the log odds."""
    return _regression(design, y, x, where, level, logistic=True)


@checked
def t_test(
    design: Design | ReplicateDesign,
    y: Any,
    group: Any = None,
    *,
    pair: Any = None,
    value: float = 0.0,
    where: Any = None,
) -> Test:
    """Do two groups differ in the mean; does one mean differ from ``value``, or from its pair?

    With ``group`` the difference second − first label; with ``pair``, another answer of the same
    persons, the mean of y − pair; else the mean of y.  df are PSUs − strata, less 1 for two groups.
    R: svyttest(y ~ group), svyttest(I(y - pair) ~ 0), svyttest(I(y - value) ~ 0); for the last
    two R takes one degree off, though a single mean is estimated.
    """
    plain = design.design if isinstance(design, ReplicateDesign) else design
    if group is None:
        answers = numbers(y, 'y', plain.n)
        if pair is not None:
            answers = answers - numbers(pair, 'pair', plain.n)
        row = mean(design, answers, where=where)
        kind = 'one-sample t-test' if pair is None else 'paired t-test'
        return _test(row, number(value, 'value'), kind)
    if pair is not None:
        raise BadOption('Give group (two groups) or pair (two answers of one person), not both.')
    coded = groups(group, 'group', plain.n).seen()
    if len(coded) > 2:
        raise BadOption(
            f'A t-test compares two groups; there are {len(coded)}: {listed(coded.names())}.',
            'Use where= to choose the rows of two of them.',
        )
    if len(coded) < 2:
        raise ConstantColumn('group is the same in every row: there is nothing to compare.')
    second = np.where(coded.codes < 0, np.nan, coded.codes.astype(np.float64))
    rows = linear(design, y, {str(coded.labels[1]): second}, where=where)
    return _test(rows.rows[1], number(value, 'value'), 't-test')


def _test(row: Estimate, value: float, kind: str) -> Test:
    if row.reason:
        raise LonelyPsu(f'There is nothing to test with: {row.reason}.', MORE_PSUS)
    if not row.se > ROUNDING * abs(row.est):
        raise ConstantColumn(
            'The answers do not vary (inside the groups): there is nothing to test.',
            'Look at the means themselves.',
        )
    gap = row.est - value
    p_value = two_sided(gap / row.se, row.df)
    return Test(gap / row.se, None, row.df, p_value, gap, kind, row.n, row.missing)


def two_sided(statistic: float, df: float) -> float:
    """P(|t| ≥ |statistic|) with df degrees of freedom."""
    from scipy.special import stdtr

    return float(2.0 * stdtr(max(df, 1.0), -abs(statistic)))


def _regression(
    design: Design | ReplicateDesign,
    y: Any,
    x: Mapping[str, Any],
    where: Any,
    level: float,
    *,
    logistic: bool,
) -> Estimates:
    replicates = design if isinstance(design, ReplicateDesign) else None
    plain = design.design if isinstance(design, ReplicateDesign) else design
    answer = measured(y, 'y', plain.n)
    names, matrix = term_matrix(x, plain.n)
    used = ~np.isnan(answer) & ~np.isnan(matrix).any(axis=1)
    domain = np.ones(plain.n, dtype=bool) if where is None else flags(where, 'where', plain.n)
    inside, missing = used & domain, int((domain & ~used).sum())
    if not plain.weights[inside].any():
        raise EmptyDomain(
            'No row with a positive weight has an answer and all terms.',
            'Check where= and the missing values.',
        )
    if logistic:
        refuse_negative(
            np.where(inside, plain.weights, 0.0), 'a likelihood has no meaning with them'
        )
        _check_yes_and_no(answer[inside & (plain.weights > 0)])
    answer, matrix = np.where(inside, answer, 0.0), np.where(inside[:, None], matrix, 0.0)
    fit = logistic_fit if logistic else _linear_fit
    beta, bread, residuals = fit(matrix, answer, plain.weights * inside, names)
    if replicates is None:
        covariance = _sandwich(plain, matrix * residuals[:, None] @ bread)
    else:
        covariance = _over_replicates(replicates, fit, matrix, answer, inside, names, beta)
    return _rows(plain, replicates, names, beta, covariance, inside, missing, level)


def _check_yes_and_no(answer: Floats) -> None:
    if not np.isin(answer, (0.0, 1.0)).all():
        raise BadColumn('Logistic regression needs answers of 0 and 1.')
    if answer.min() == answer.max():
        raise ConstantColumn(
            f'The answer is {answer[0]:g} in every row used: there is nothing to explain.'
        )


def term_matrix(x: Mapping[str, Any], n: int) -> tuple[list[str], Floats]:
    """Names and columns of the constant and the terms; labels as indicators, NaN if missing."""
    names, columns = ['constant'], [np.ones(n)]
    for name, values in x.items():
        column = label_column(values, name, n)
        if holds_numbers(column):
            names.append(name)
            columns.append(measured(column, name, n))
            continue
        coded = groups(column, name, n).seen()
        if len(coded) < 2:
            raise ConstantColumn(f'{name} has the same label in every row.', 'Leave it out.')
        for code, label in enumerate(coded.names()):
            if code:
                names.append(f'{name}={label}')
                here = (coded.codes == code).astype(np.float64)
                columns.append(np.where(coded.codes < 0, np.nan, here))
    return names, np.stack(columns, axis=1)


def solve(gram: Floats, names: list[str]) -> Floats:
    """Inverse of Σ w x x', or an error that names the terms without information of their own."""
    endless = [n for n, size in zip(names, np.diag(gram), strict=True) if not np.isfinite(size)]
    if endless:
        raise BadColumn(
            f'{listed(endless)} has values too large to be squared.', 'Give it in a larger unit.'
        )
    scale = np.sqrt(np.diag(gram))
    empty = [name for name, size in zip(names, scale, strict=True) if size == 0]
    if empty:
        raise ConstantColumn(f'{listed(empty)} is zero in every row used.', 'Leave it out.')
    values, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    if values[0] < 1e-11:
        part = [n for n, v in zip(names, vectors[:, 0], strict=True) if abs(v) > 1e-4]
        raise ConstantColumn(
            f'{listed(part)} say the same thing (one is a sum of the others, or constant).',
            'Leave one of them out.',
        )
    inverse = vectors / values @ vectors.T
    return np.asarray(inverse / np.outer(scale, scale))


def _linear_fit(
    x: Floats, y: Floats, weights: Floats, names: list[str]
) -> tuple[Floats, Floats, Floats]:
    """β, A⁻¹ and residuals."""
    with np.errstate(over='ignore'):
        bread = solve((x * weights[:, None]).T @ x, names)
        if not np.isfinite(np.vecdot(y, y)):
            raise BadColumn(
                'The answer has values too large to be squared.', 'Give it in a larger unit.'
            )
    beta = bread @ (x.T @ (weights * y))
    # A second step on the residuals wins back the digits that squaring lost.
    beta = beta + bread @ (x.T @ (weights * (y - x @ beta)))
    return beta, bread, y - x @ beta


def logistic_fit(
    x: Floats, y: Floats, weights: Floats, names: list[str]
) -> tuple[Floats, Floats, Floats]:
    """β, A⁻¹ and residuals by Newton's method."""
    beta = np.zeros(x.shape[1])
    # Terms that depend on each other do so here; later only a coefficient without end hides one.
    solve((x * (0.25 * weights)[:, None]).T @ x, names)
    for _ in range(60):
        mean = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -500, 500)))
        if float(weights @ np.abs(y - mean)) < 1e-6 * float(weights.sum()):
            break
        try:
            bread = solve((x * (weights * mean * (1 - mean))[:, None]).T @ x, names)
        except ConstantColumn:
            break
        step = bread @ (x.T @ (weights * (y - mean)))
        beta = beta + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(beta).max()):
            mean = 1.0 / (1.0 + np.exp(-(x @ beta)))
            return beta, bread, y - mean
        if np.abs(x @ beta).max() > 200:
            break
    largest = names[int(np.abs(beta).argmax())]
    raise NotConverged(
        f'The logistic regression does not converge; {largest} grows without end.',
        'A term that predicts the answer perfectly has no finite coefficient: merge its groups.',
    )


def _sandwich(design: Design, scores: Floats) -> Floats:
    columns = []
    for j in range(scores.shape[1]):
        column = np.ascontiguousarray(scores[:, j])
        raw = variance.totals(design, design.weights * column, None, 1)
        columns.append(variance.residual(design, raw, column, None, 1))
    return variance.covariance(design, variance.side_by_side(columns))


def _over_replicates(
    replicates: ReplicateDesign,
    fit: Any,
    x: Floats,
    y: Floats,
    inside: Mask,
    names: list[str],
    beta: Floats,
) -> Floats:
    values = np.stack(
        [fit(x, y, replicates.row_weights(r) * inside, names)[0] for r in range(replicates.count)]
    )
    return replicates.spread(values, beta)


def _rows(
    design: Design,
    replicates: ReplicateDesign | None,
    names: list[str],
    beta: Floats,
    covariance: Floats,
    inside: Mask,
    missing: int,
    level: float,
) -> Estimates:
    weight = variance.totals(design, design.weights * inside, None, 1)
    known = None if replicates is None else replicates.df
    reached = variance.reach(design, weight)
    degrees = float(reached.df[0]) if known is None else known
    df = int(degrees) + 1 - len(names)
    # All rows observed leave nothing open; few PSUs leave no variance beside the coefficients.
    reason = TOO_FEW if df < 1 and not (reached.exact[0] and not missing) else ''
    if reason:
        covariance = np.full_like(covariance, np.nan)
    t = t_quantile((1 + check_level(level)) / 2, df)
    rows = []
    for j, name in enumerate(names):
        var = float(covariance[j, j])
        est, se = float(beta[j]), math.nan if reason else math.sqrt(max(var, 0.0))
        rows.append(
            Estimate(
                label=name,
                variable='',
                kind='coefficient',
                est=est,
                se=se,
                lci=est - t * se,
                uci=est + t * se,
                cv=se / abs(est) if est else math.nan,
                df=df,
                n=int((inside & (design.weights != 0)).sum()),
                missing=missing,
                n_eff=math.nan,
                deff=math.nan,
                deff_wr=math.nan,
                method='t',
                level=level,
                reason=reason,
            )
        )
    table = Totals(weight.values, 1)
    return Estimates(rows, covariance, design, [(table, 0)] * len(rows))
