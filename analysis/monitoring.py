"""Bounds that stay valid however often one looks while answers arrive.

A 95 % interval is right at one planned look.  Looking every day until the target seems met
finds a false "met" far more often than in 5 % of surveys.  A confidence sequence holds at every
look at once, and is wider for it.  It is for watching fieldwork, never the published interval.

Source: Robbins 1970 (Ann. Math. Stat. 41); Waudby-Smith and Ramdas 2024 (JRSS B 86), the
beta-binomial mixture: the ratio of the mixture's likelihood to that of p is a martingale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import numbers
from analysis.errors import BadColumn, BadOption
from analysis.intervals import check_level
from analysis.options import number, whole_number
from analysis.record import Record, Records


@dataclass(frozen=True, repr=False)
class Look(Record):
    """The bounds after ``n`` answers; valid together with those of all other looks."""

    n: int
    share: float
    low: float
    high: float


@checked
def confidence_sequence(
    answers: Any,
    looks: Iterable[int] | None = None,
    *,
    level: float = 0.95,
    deff: float = 1.0,
    prior: tuple[float, float] = (0.5, 0.5),
) -> Records[Look]:
    """Bounds for a share after each of some numbers of answers, in order of arrival.

    ``answers`` are 0/1 and in the order in which they came, from a simple random sample; a
    clustered one is brought to its effective size by ``deff`` (an approximation).  ``looks``
    are numbers of answers (all when left out).
    """
    column = numbers(answers, 'answers')
    if not np.isin(column, (0.0, 1.0)).all():
        raise BadColumn('answers must be 0 or 1, without gaps.')
    if number(deff, 'deff') <= 0 or min(prior) <= 0:
        raise BadOption('deff and both numbers of the prior must be above 0.')
    hits = np.cumsum(column)
    chosen = range(1, len(column) + 1) if looks is None else looks
    if not isinstance(chosen, Iterable):
        raise BadOption(f'looks must be a list of numbers of answers, not {chosen!r}.')
    chosen = [whole_number(n, 'A look') for n in chosen]
    outside = [n for n in chosen if not 1 <= n <= len(column)]
    if outside:
        raise BadOption(f'There is no look after {outside[0]} of {len(column)} answers.')
    limit = -math.log(1.0 - check_level(level))
    return Records(
        Look(n, float(hits[n - 1]) / n, *_bounds(hits[n - 1] / deff, n / deff, limit, prior))
        for n in chosen
    )


def _bounds(hits: float, n: float, limit: float, prior: tuple[float, float]) -> tuple[float, float]:
    """Values of p at which the likelihood ratio to the mixture stays below its limit."""
    from scipy.optimize import brentq
    from scipy.special import betaln

    a, b = prior
    mixture = float(betaln(a + hits, b + n - hits) - betaln(a, b))

    def excess(p: float) -> float:
        own = hits * math.log(p) if hits else 0.0
        own += (n - hits) * math.log1p(-p) if n > hits else 0.0
        return mixture - own - limit

    share, tiny = hits / n, 1e-12
    low = high = share
    below, above = max(share - tiny, tiny), min(share + tiny, 1 - tiny)
    low = float(brentq(excess, tiny, below)) if share > tiny and excess(tiny) > 0 else 0.0
    high = float(brentq(excess, above, 1 - tiny)) if share < 1 and excess(1 - tiny) > 0 else 1.0
    return low, high
