"""Has the target been met?  A one-sided decision that can also say "not known yet"."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from analysis.arguments import checked, real
from analysis.errors import BadOption, BadTarget
from analysis.intervals import check_level
from analysis.record import Record, Records
from analysis.regression import Test, two_sided
from analysis.result import Estimate

Decision = Literal['met', 'not_met', 'undecided']


@dataclass(frozen=True, kw_only=True, repr=False)
class Verdict(Record):
    """``met``: the lower bound lies above the target; ``not_met``: the upper bound below it.

    Each bound is one-sided at ``level``, by the method of the estimate.  ``p_met`` is the
    probability of an estimate at least this high if the truth were exactly the target (the
    smallest 1 − level at which it would be called met), ``p_not_met`` the same for one this low.
    Of ``decide_together`` the bounds are one-sided at the level of each step, not at ``level``.
    """

    decision: Decision
    target: float
    level: float
    bound_lower: float
    bound_upper: float
    method: str
    p_met: float
    p_not_met: float
    label: str = ''


def decide(estimate: Estimate, target: float, *, level: float = 0.95) -> Verdict:
    """Compare an estimate with a target *in the same unit* (0.8 for a share, 80 for a score).

    The bounds come from the estimate's own interval method, so the verdict never contradicts
    the interval beside it.  An estimate without a standard error (one PSU) is undecided: nothing is
    known of its bounds, and both p-values are 1.  Raises BadTarget for a target off the scale of
    the estimate, an estimate that does not exist, or a mean whose answers show no variance and have
    no ``limits``.
    """
    target, level = _checked(estimate, target), check_level(level)
    low, high = estimate.bounds(1.0 - level)
    return Verdict(
        decision=_decision(low, high, target),
        target=target,
        level=level,
        bound_lower=low,
        bound_upper=high,
        method=estimate.method,
        p_met=_p_value(estimate, target, 0),
        p_not_met=_p_value(estimate, target, 1),
        label=estimate.label,
    )


@checked
def decide_together(
    rows: Iterable[Estimate], target: float, *, level: float = 0.95
) -> Records[Verdict]:
    """Verdicts for several towns of which all are right at once with probability ``level``.

    Holm's step-down rule (1979, Scand. J. Stat. 6) on the p-values of each side; the p-values
    returned are the adjusted ones.  Eighteen separate verdicts at 95 % would make about one
    false one; here the chance of any is 5 %.  The bounds are those of the step at which the rule
    looked at the town, so that they pass the target exactly where the decision says so: one-sided
    at 1 − (1 − level)/(towns left), for towns after the step where it stopped that step's.
    """
    judged = list(rows)
    alone = [decide(row, target, level=level) for row in judged]
    above, below = [verdict.p_met for verdict in alone], [verdict.p_not_met for verdict in alone]
    lower, upper = _tails(above, 1.0 - level), _tails(below, 1.0 - level)
    met, not_met = holm(above), holm(below)
    together = []
    for i, (row, verdict) in enumerate(zip(judged, alone, strict=True)):
        low, high = row.bounds(lower[i])[0], row.bounds(upper[i])[1]
        together.append(
            replace(
                verdict,
                decision=_decision(low, high, verdict.target),
                bound_lower=low,
                bound_upper=high,
                p_met=met[i],
                p_not_met=not_met[i],
            )
        )
    return Records(together)


def _decision(low: float, high: float, target: float) -> Decision:
    if low > target:
        return 'met'
    return 'not_met' if high < target else 'undecided'


def _tails(p_values: Sequence[float], alpha: float) -> list[float]:
    """The tail at which Holm's rule looks at each: α/(those left), and where it stops that of all.

    A bound at this tail passes the target exactly where the rule rejects.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    tails, stopped = [alpha] * len(p_values), False
    for rank, i in enumerate(order):
        if not stopped:
            tail = alpha / (len(order) - rank)
            stopped = not p_values[i] < tail
        tails[i] = tail
    return tails


@checked
def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    if not all(0 <= p <= 1 for p in p_values):
        raise BadOption('p_values must lie from 0 to 1.')
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def compare_with(
    estimate: Estimate, value: float, se: float = 0.0, *, df: float = math.inf, level: float = 0.95
) -> Test:
    """Does an estimate differ from an outside figure that has its own standard error?

    The two are taken as independent; t with Satterthwaite's degrees of freedom.
    """
    _check_one(estimate)
    if not _is_number(value) or not _is_number(se) or se < 0:
        raise BadTarget('The outside figure needs a number and a standard error from 0.')
    if not real(df, 'df') > 0:
        raise BadTarget(f'df must be above 0, not {df:g}.')
    check_level(level)
    if math.isnan(estimate.se):
        name = estimate.label or 'this domain'
        if estimate.reason:
            raise BadTarget(f'There is no standard error of {name}: {estimate.reason}.')
        raise BadTarget(f'There is no estimate for {name} to compare.')
    total = estimate.se**2 + se**2
    if not total > 0:
        raise BadTarget('Neither figure has any error: nothing to test.')
    shares = estimate.se**4 / max(estimate.df, 1) + (se**4 / df if math.isfinite(df) else 0.0)
    degrees = total**2 / shares if shares > 0 else 1e9
    gap = estimate.est - value
    statistic = gap / math.sqrt(total)
    return Test(statistic, None, degrees, two_sided(statistic, degrees), gap, 't, two figures')


def _checked(estimate: Estimate, target: float) -> float:
    _check_one(estimate)
    if not _is_number(target):
        raise BadTarget(f'The target must be a number, not {target!r}.')
    if math.isnan(estimate.est):
        raise BadTarget(f'There is no estimate for {estimate.label or "this domain"} to judge.')
    if estimate.limits is not None:
        low, high = estimate.limits
        if not low <= target <= high:
            share = (low, high) == (0.0, 1.0)
            raise BadTarget(
                f'The target {target:g} lies outside the scale {low:g} to {high:g}.',
                f'Write {target / 100:g} for {target:g} %.' if share else '',
            )
    _check_mean(estimate, float(target))
    return float(target)


def _check_mean(estimate: Estimate, target: float) -> None:
    """Refuses to judge a mean by a target it cannot reach, or by an error of 0 that is none."""
    if estimate.unit_scale and not 0 <= target <= 1:
        raise BadTarget(
            f'The target {target:g} cannot be reached by a mean of answers from 0 to 1.',
            f'Use proportion, and write {target / 100:g} for {target:g} %.',
        )
    unbounded = estimate.kind == 'mean' and estimate.limits is None
    if unbounded and estimate.se == 0 and not estimate.census:
        raise BadTarget(
            f'The answers of {estimate.label or "this domain"} show no variance: how far the mean '
            'may be from the truth is not known.',
            'Use proportion.' if estimate.unit_scale else 'Give limits=, the ends of the scale.',
        )


def _check_one(estimate: Any) -> None:
    if not isinstance(estimate, Estimate):
        raise BadTarget('A verdict is about one row.', 'Judge each: [decide(row, target) for …].')


def _is_number(value: Any) -> bool:
    """A finite number, and not true or false."""
    try:
        return math.isfinite(real(value, 'value'))
    except BadOption:
        return False


def _p_value(estimate: Estimate, target: float, side: int) -> float:
    """The tail at which the bound of this side touches the target, by halving."""
    sign = 1.0 if side == 0 else -1.0

    def clears(tail: float) -> bool:
        return sign * (estimate.bounds(tail)[side] - target) > 0

    if not clears(0.5):
        # At tail 0.5 both bounds are about the estimate: the data do not point to this side.
        return _beyond_half(estimate, target, side)
    low, high = 1e-12, 0.5
    if clears(low):
        return low
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if clears(middle) else (middle, high)
    return high


def _beyond_half(estimate: Estimate, target: float, side: int) -> float:
    """One minus the p-value of the other side, where the estimate lies beyond the target."""
    if math.isnan(estimate.bounds(0.5)[side]):
        return 1.0
    other = 1 - side
    sign = 1.0 if other == 0 else -1.0
    if not sign * (estimate.bounds(0.5)[other] - target) > 0:
        return 0.5
    return 1.0 - _p_value(estimate, target, other)
