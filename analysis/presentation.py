"""May this rate be shown?  The presentation standards of NCHS (Series 2 No. 175, 2017).

For shares only: sample size, the width of the Korn–Graubard interval, degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from analysis.arguments import checked
from analysis.errors import BadOption
from analysis.record import Record
from analysis.result import Estimate

SMALLEST = 30
NARROW, WIDE, RELATIVE = 0.05, 0.30, 1.30
FEW_DF = 8


@dataclass(frozen=True, repr=False)
class Flag(Record):
    """``show``, ``review`` (a statistician looks at it first) or ``suppress``; and why."""

    flag: Literal['show', 'review', 'suppress']
    reasons: tuple[str, ...] = ()


@checked
def flag(estimate: Estimate) -> Flag:
    """The flag of a share: suppress before review before show."""
    if estimate.limits is None:
        raise BadOption('Presentation flags are for shares and bounded scores.')
    if not estimate.n or math.isnan(estimate.est):
        return Flag('suppress', ('no answers',))
    against = _against_showing(estimate)
    if against:
        return Flag('suppress', tuple(against))
    doubts = []
    if estimate.df < FEW_DF and not estimate.census:
        doubts.append(f'{estimate.df} degrees of freedom, below {FEW_DF}')
    if estimate.est in estimate.limits:
        doubts.append('all answers alike')
    return Flag('review', tuple(doubts)) if doubts else Flag('show')


def _against_showing(estimate: Estimate) -> list[str]:
    reasons = []
    if estimate.n < SMALLEST:
        reasons.append(f'{estimate.n} answers, below {SMALLEST}')
    if estimate.census or estimate.limits is None:
        return reasons
    if estimate.n_eff < SMALLEST:
        reasons.append(f'effective size {estimate.n_eff:.1f}, below {SMALLEST}')
    span = estimate.limits[1] - estimate.limits[0]
    low, high = estimate.interval(0.95, 'nchs')
    width = (high - low) / span
    share = (estimate.est - estimate.limits[0]) / span
    if width >= WIDE:
        reasons.append(f'interval {width:.2f} wide, {WIDE:.2f} or more')
    elif width > NARROW and share > 0 and width / share > RELATIVE:
        reasons.append(f'interval {width / share:.0%} of the share, above {RELATIVE:.0%}')
    return reasons
