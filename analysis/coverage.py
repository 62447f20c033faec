"""Simulation: how often do the intervals of a plan hold the truth?

Towns of equal true share, sampled simply or in villages that differ (normal on the log odds),
with unequal weights; every sample goes through the estimators of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.arguments import check_fields, checked
from analysis.design import Design
from analysis.errors import BadOption
from analysis.estimate import proportion
from analysis.intervals import t_quantile
from analysis.options import generator
from analysis.pooled import pool_design_effect
from analysis.record import Record, Records
from analysis.result import Estimate

METHODS = ('wilson', 'korn-graubard', 'nchs', 'logit', 'likelihood', 'arcsine', 'wald')
POOLED = 'wilson, pooled deff'
# Samples that are estimated in one go, as if they were one large survey.
BLOCK = 20


@dataclass(frozen=True)
class Plan:
    """Towns with ``n`` answers each and true share ``p``; ``villages`` 0 is a simple sample.

    ``village_sd`` is the standard deviation of villages on the log odds, ``weight_sd`` that of
    the logarithm of the weights.
    """

    p: float
    n: int
    villages: int = 0
    towns: int = 18
    village_sd: float = 0.35
    weight_sd: float = 0.3
    target: float = 0.8

    def __post_init__(self) -> None:
        check_fields(self)

    def check(self) -> None:
        """Refuse plans that cannot be simulated."""
        if not 0 < self.p < 1 or not 0 < self.target < 1:
            raise BadOption('The share and the target must lie between 0 and 1.')
        if self.n < 2 or self.towns < 2 or self.villages == 1 or self.villages > self.n:
            raise BadOption('Needs 2 towns, 2 answers a town, and no villages or 2 up to n.')
        if self.village_sd < 0 or self.weight_sd < 0:
            raise BadOption('Standard deviations (of villages, of weights) must not be negative.')


@dataclass(frozen=True, repr=False)
class Coverage(Record):
    """Shares of intervals: that hold the truth, that lie wholly above the target; mean width."""

    method: str
    intervals: int
    covered: float
    width: float
    above: float


@checked
def simulate(
    plan: Plan, samples: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> Records[Coverage]:
    """Coverage of every method over ``samples`` samples of all towns; ``wald`` is the textbook's.

    ``progress`` is told how many samples of how many are done.
    """
    plan.check()
    if samples < 1:
        raise BadOption('At least one sample is needed.')
    random = generator(seed)
    sums = {method: np.zeros(4) for method in METHODS}
    if plan.villages:
        sums[POOLED] = np.zeros(4)
    blocks = math.ceil(samples / BLOCK)
    for done in range(blocks):
        rows, pooled = _block(plan, random)
        for method in METHODS:
            for row in rows:
                _note(sums[method], row, method, plan)
        for row in pooled:
            _note(sums[POOLED], row, 'wilson', plan)
        if progress is not None:
            progress(min((done + 1) * BLOCK, samples), samples)
    return Records(
        Coverage(method, int(s[0]), s[1] / s[0], s[2] / s[0], s[3] / s[0])
        for method, s in sums.items()
    )


def _block(plan: Plan, random: np.random.Generator) -> tuple[list[Estimate], list[Estimate]]:
    """Estimates by town of BLOCK samples (and with the design effect pooled in each)."""
    count = BLOCK * plan.towns
    town = np.repeat(np.arange(count), plan.n)
    weight = np.exp(random.normal(0.0, plan.weight_sd, town.size))
    if not plan.villages:
        answers = (random.random(town.size) < plan.p).astype(float)
        return list(proportion(Design(np.ones(town.size), strata=town), answers, by=town)), []
    village = town * plan.villages + np.tile(np.arange(plan.n) % plan.villages, count)
    centre = _intercept(plan.p, plan.village_sd)
    effect = random.normal(centre, plan.village_sd, count * plan.villages)
    answers = (random.random(town.size) < 1 / (1 + np.exp(-effect[village]))).astype(float)
    rows = proportion(Design(weight, strata=town, psu=village), answers, by=town)
    pooled: list[Estimate] = []
    for start in range(0, count, plan.towns):
        pooled += pool_design_effect(rows[start : start + plan.towns])
    return list(rows), pooled


def _intercept(p: float, spread: float) -> float:
    """The log odds around which villages with this spread have the mean p."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = float((weight / (1 + np.exp(-(middle + spread * nodes)))).sum())
        low, high = (middle, high) if mean < p else (low, middle)
    return (low + high) / 2


def _note(sums: np.ndarray, row: Estimate, method: str, plan: Plan) -> None:
    if method == 'wald':
        low, high = _plain_wald(row, 0.025)
        lower = _plain_wald(row, 0.05)[0]
    else:
        low, high = row.interval(0.95, method)
        lower = row.bounds(0.05, method)[0]
    sums += (1.0, low <= plan.p <= high, high - low, lower > plan.target)


def _plain_wald(row: Estimate, tail: float) -> tuple[float, float]:
    """As textbooks have it; the library steps aside from it at 0 and 1."""
    half = t_quantile(1 - tail, row.df) * row.se
    return max(row.est - half, 0.0), min(row.est + half, 1.0)
