"""Trimming: weights cut at a limit, their sum kept by the others."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, Mask, finite_weights
from analysis.errors import BadOption, InfeasibleBounds
from analysis.steps import Step
from analysis.weights.report import Weights, report_on

Method = Literal['additive', 'proportional']


@checked
def trim(
    weights: Any,
    *,
    upper: float = np.inf,
    lower: float = 0.0,
    method: Method = 'additive',
) -> Weights:
    """Weights cut at ``upper`` and raised to ``lower``, their sum kept by the others.

    What is cut is shared among the weights inside the limits: equally (``additive``, as R's
    trimWeights with strict=TRUE) or in proportion to them (``proportional``), again and again
    until none is outside; weights that were cut stay at their limit.  Negative weights, as a
    linear calibration without bounds makes them, are raised to ``lower`` too (-inf leaves them);
    rows of weight 0 stand for nobody and keep it.

    The variance follows the step (``analysis.steps``), the limits taken as
    fixed beforehand; in replicates a PSU that counts twice has its rows twice, each cut at the
    same limits (R cuts the doubled weights).
    Raises InfeasibleBounds where no weights inside the limits keep the sum.
    """
    before = finite_weights(weights)
    if not lower < upper or not upper > 0:
        raise BadOption(f'The limits must satisfy lower < upper > 0, not {lower:g}, {upper:g}.')
    once = (before != 0).astype(np.float64)
    after, free = _cut(before, once, lower, upper, method)
    total = float(before.sum())
    report = report_on(
        f'trimming ({method})',
        before,
        after,
        cut=int(np.count_nonzero((once > 0) & ~free)),
        given_up=float(np.clip(before - upper, 0.0, None).sum() / total),
    )

    def redo(start: Floats, times: Floats) -> Floats:
        return _cut(start, np.where(start != 0, times, 0.0), lower, upper, method)[0]

    step = Step.of_trimming(before, after, free, additive=method == 'additive', redo=redo)
    return Weights(after, report, step)


def _cut(
    start: Floats, times: Floats, lower: float, upper: float, method: Method
) -> tuple[Floats, Mask]:
    """New weights of rows that are there so many times, and which of them are inside the limits."""
    there = times > 0
    total, count = float(start[there].sum()), float(times[there].sum())
    if not count * lower <= total <= count * upper:
        raise _no_room(count, total, lower, upper)
    # Of one of the copies of each row, which all have one weight.
    each = np.divide(start, times, out=np.zeros_like(start), where=there)
    free, near = there.copy(), 1e-12 * total / count
    while True:
        outside = free & ((each > upper + near) | (each < lower - near))
        if not outside.any():
            return np.where(there, each * times, start), free
        free &= ~outside
        each[outside] = np.clip(each[outside], lower, upper)
        surplus = total - float(times @ each)
        if not free.any():
            if abs(surplus) > 1e-9 * total:
                raise _no_room(count, total, lower, upper)
        elif method == 'additive':
            each[free] += surplus / times[free].sum()
        else:
            each[free] *= 1.0 + surplus / float(times[free] @ each[free])


def _no_room(count: float, total: float, lower: float, upper: float) -> InfeasibleBounds:
    return InfeasibleBounds(
        f'{count:g} weights between {lower:g} and {upper:g} cannot add up to {total:,.6g}.',
        'Widen the limits.',
    )
