"""Are two answers related?  Rao and Scott's correction of Pearson's test of a two-way table."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, flags, groups
from analysis.design import Design
from analysis.errors import ConstantColumn, EmptyDomain, LonelyPsu
from analysis.estimate import mean
from analysis.regression import MORE_PSUS, Test
from analysis.replicates import ReplicateDesign

# A design effect this small is what rounding leaves of none.
NO_VARIANCE = 1e-10


@checked
def rao_scott(
    design: Design | ReplicateDesign, rows: Any, columns: Any, *, where: Any = None
) -> Test:
    """F test with the second-order correction of Rao and Scott 1984 (Ann. Stat. 12).

    Rows without one of the answers are outside the domain, and ``missing``.  ``statistic`` is
    X²/tr(Δ) on (tr Δ)²/tr(Δ²) and that times (PSUs − strata) degrees of freedom.
    R: svychisq(statistic = "F").
    """
    plain = design.design if isinstance(design, ReplicateDesign) else design
    first, second = groups(rows, 'rows', plain.n), groups(columns, 'columns', plain.n)
    known = (first.codes >= 0) & (second.codes >= 0)
    domain = np.ones(plain.n, dtype=bool) if where is None else flags(where, 'where', plain.n)
    missing = int(np.count_nonzero(domain & ~known))
    inside = known & domain & (plain.weights != 0)
    if not inside.any():
        raise EmptyDomain('No row with a positive weight has both answers.', 'Check where=.')
    row = _present(first.codes, inside, 'rows')
    column = _present(second.codes, inside, 'columns')
    height, width = int(row.max()) + 1, int(column.max()) + 1
    cell = row * width + column
    indicators = {str(k): (cell == k).astype(np.float64) for k in range(height * width)}
    shares = mean(design, indicators, where=inside)
    p = np.array([share.est for share in shares])
    table = p.reshape(height, width)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    n = shares.rows[0].n
    if shares.rows[0].reason:
        raise LonelyPsu(f'There is nothing to test with: {shares.rows[0].reason}.', MORE_PSUS)
    pearson = n * float(((table - expected) ** 2 / expected).sum())
    delta = _generalised_effects(p, shares.covariance, height, width, n)
    trace = float(np.trace(delta))
    if not trace > NO_VARIANCE:
        raise ConstantColumn(
            'The table has no sampling variance to compare with.',
            'Every unit was observed, or one of the answers decides the other.',
        )
    df1 = trace**2 / float(np.trace(delta @ delta))
    df2 = df1 * design_df(design, shares.rows[0].df)
    statistic = pearson / trace
    p_value = f_tail(statistic, df1, df2)
    return Test(statistic, df1, df2, p_value, None, 'Rao–Scott F', n, missing)


def design_df(design: Design | ReplicateDesign, seen: int) -> int:
    """PSUs − strata of the rows used, or what a replicate file says."""
    return design.df if isinstance(design, ReplicateDesign) and design.df is not None else seen


def f_tail(statistic: float, df1: float, df2: float) -> float:
    """P(F ≥ statistic)."""
    from scipy.special import fdtrc

    return float(fdtrc(df1, df2, max(statistic, 0.0)))


def _present(codes: Any, inside: Any, name: str) -> Any:
    """Codes without gaps over the labels that rows inside have; 0 outside."""
    labels, found = np.unique(codes[inside], return_inverse=True)
    if len(labels) < 2:
        raise ConstantColumn(f'All rows have the same answer in {name}: nothing to compare.')
    result = np.zeros(len(codes), dtype=np.intp)
    result[inside] = found
    return result


def _generalised_effects(p: Floats, covariance: Floats, height: int, width: int, n: int) -> Floats:
    """Δ: covariance of the interaction contrasts over that of a simple random sample."""
    main = [np.ones(height * width)]
    main += [np.repeat(np.arange(height) == i, width).astype(float) for i in range(1, height)]
    main += [np.tile(np.arange(width) == j, height).astype(float) for j in range(1, width)]
    base = np.stack(main, axis=1)
    both = np.stack(
        [a * b for a in main[1:height] for b in main[height:]],
        axis=1,
    )
    contrasts = both - base @ np.linalg.lstsq(base, both, rcond=None)[0]
    inverse = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
    simple = contrasts.T @ (contrasts * inverse[:, None]) / n
    scaled = contrasts * inverse[:, None]
    return np.asarray(np.linalg.solve(simple, scaled.T @ covariance @ scaled))
