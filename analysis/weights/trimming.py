"""Trimming: weights cut at a limit, their sum kept by the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, positive_or_zero
from analysis.errors import BadOption, InfeasibleBounds
from analysis.steps import Step
from analysis.weights.report import Weights, report_on


@checked
def trim(
    weights: Any, *, upper: float = np.inf, lower: float = 0.0, method: str = 'additive'
) -> Weights:
    """Weights cut at ``upper`` and raised to ``lower``, their sum kept by the others.

    What is cut is shared among the weights inside the limits: equally (``additive``, as R's
    trimWeights with strict=TRUE) or in proportion to them (``proportional``), again and again
    until none is outside; weights that were cut stay at their limit.  The variance takes the
    result as given: trimming has no residual of its own.
    """
    before = positive_or_zero(weights)
    used = before > 0
    if not 0 <= lower < upper:
        raise BadOption(f'The limits must satisfy 0 ≤ lower < upper, not {lower:g}, {upper:g}.')
    if method not in ('additive', 'proportional'):
        raise BadOption(f'Unknown trimming {method!r}; use additive or proportional.')
    total, count = float(before.sum()), int(used.sum())
    if not count * lower <= total <= count * upper:
        raise InfeasibleBounds(
            f'{count} weights between {lower:g} and {upper:g} cannot add up to {total:,.6g}.',
            'Widen the limits.',
        )
    after, fixed = before.copy(), ~used
    while True:
        outside = ~fixed & ((after > upper * (1 + 1e-12)) | (after < lower * (1 - 1e-12)))
        if not outside.any():
            break
        fixed |= outside
        after[outside] = np.clip(after[outside], lower, upper)
        surplus, free = total - after.sum(), ~fixed
        if not free.any():
            break
        if method == 'additive':
            after[free] += surplus / free.sum()
        else:
            after[free] *= 1.0 + surplus / after[free].sum()
    moved = used & fixed
    report = report_on(
        f'trimming ({method})',
        before,
        after,
        cut=int(moved.sum()),
        given_up=float(np.clip(before - upper, 0.0, None).sum() / total),
    )

    def redo(start: Floats) -> Floats:
        return trim(start, upper=upper, lower=lower, method=method).values

    return Weights(after, report, Step((), before, after, redo=redo))
