"""What a step of weighting did: the new weights, a report, and the step for the variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, Groups, counts, dot, finite_weights
from analysis.record import Record
from analysis.steps import Step

# Below this many answers a class or cell is reported as tiny.
TINY = 20


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Record):
    """What a step did.  ``misfit`` is the largest relative error of each margin afterwards.

    ``kish`` is 1 + cv² of the weights, ``n_eff`` the number of weights (``n``, without those
    of 0) over it; ``g_min`` and ``g_max`` bound new/old weight; ``empty`` and ``tiny`` name groups
    without answers and groups with few; ``large`` those whose factor passed the limit.  ``cut``
    weights were trimmed, ``given_up`` is the share of all weight above the limit.  ``negative``
    are the rows (from 1) whose weight fell below 0, as a linear calibration without bounds allows.
    """

    kind: str
    n: int
    total: float
    kish: float
    n_eff: float
    g_min: float
    g_max: float
    iterations: int = 0
    misfit: Mapping[str, float] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    tiny: tuple[str, ...] = ()
    large: tuple[str, ...] = ()
    collapsed: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    given_up: float = 0.0
    kish_untrimmed: float | None = None
    negative: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights after a step, by row, with its report."""

    values: Floats
    report: Report
    step: Step

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f'Weights of {len(self)} rows\n{self.report!r}'

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.array(self.values, dtype=dtype, copy=copy)


@checked
def kish(weights: Any) -> float:
    """Kish's design effect of unequal weights, n Σw²/(Σw)², over those that are not 0."""
    values = finite_weights(weights)
    return np.count_nonzero(values) * dot(values, values) / float(values.sum()) ** 2


def report_on(
    kind: str, before: Floats, after: Floats, change: Floats | None = None, **more: Any
) -> Report:
    """The report of a step; ``change`` are the factors new/old where they are known already."""
    known = change is not None
    if change is None:
        used = (before != 0) & (after != 0)
        change = after[used] / before[used]
    count, total = int(np.count_nonzero(after)), float(after.sum())
    effect = count * dot(after, after) / total**2
    # Factors that are all positive leave no weight below 0; a million rows need no second look.
    below = () if known and change.min() >= 0 else (np.flatnonzero(after < 0) + 1).tolist()
    return Report(
        kind=kind,
        n=count,
        total=total,
        kish=effect,
        n_eff=count / effect,
        g_min=float(change.min()),
        g_max=float(change.max()),
        negative=tuple(below),
        **more,
    )


def tiny_groups(margins: Mapping[str, Groups], before: Floats, limit: int) -> tuple[str, ...]:
    """Levels with fewer than ``limit`` rows of positive weight, with their number."""
    used = before > 0
    found = {name: counts(coded.codes[used], len(coded)) for name, coded in margins.items()}
    return tiny_counts(margins, found, limit)


def tiny_counts(
    margins: Mapping[str, Groups], count: Mapping[str, Floats], limit: int
) -> tuple[str, ...]:
    found = []
    for name, coded in margins.items():
        prefix = '' if len(margins) == 1 else f'{name}='
        found += [
            f'{prefix}{coded.labels[int(i)]} ({count[name][i]:.0f})'
            for i in np.flatnonzero((count[name] > 0) & (count[name] < limit))
        ]
    return tuple(found)


def largest_misfit(reached: Floats, target: Floats) -> float:
    return float((np.abs(reached - target) / target)[reached > 0].max())
