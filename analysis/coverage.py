"""Simulation: how often do the intervals of a plan hold the truth?

Towns of equal true share but any size, sampled simply or in villages that differ (normal on the
log odds), with unequal weights; every sample goes through the estimators of this package.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arguments import check_fields, checked
from analysis.columns import Codes, Floats
from analysis.design import Design
from analysis.errors import BadOption, listed
from analysis.estimate import proportion
from analysis.intervals import t_quantile
from analysis.options import generator
from analysis.pooled import pool_design_effect
from analysis.record import Record, Records
from analysis.result import Estimate, Estimates

METHODS = ('wilson', 'korn-graubard', 'nchs', 'logit', 'likelihood', 'arcsine', 'wald')
POOLED = 'wilson, pooled deff'
# Samples that are estimated in one go, as if they were one large survey.
BLOCK = 20


@dataclass(frozen=True)
class Plan:
    """Towns with ``n`` answers each and true share ``p``; ``villages`` 0 is a simple sample.

    ``n`` and ``villages`` are a number for all ``towns`` or one for each; ``people`` live in each
    (left out: equally many), which gives the towns their weight in the city.  ``village_sd`` is
    the standard deviation of villages on the log odds, ``weight_sd`` that of the logarithm of the
    weights inside a town.
    """

    p: float
    n: int | Sequence[int]
    villages: int | Sequence[int] = 0
    towns: int = 18
    village_sd: float = 0.35
    weight_sd: float = 0.3
    target: float = 0.8
    people: Sequence[float] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ('n', 'villages', 'people'):
            given = getattr(self, name)
            object.__setattr__(self, name, tuple(given) if isinstance(given, list) else given)

    @property
    def sizes(self) -> Codes:
        """Answers by town."""
        return _by_town(self.n, self.towns, 'n')

    @property
    def clusters(self) -> Codes:
        """Villages drawn by town."""
        return _by_town(self.villages, self.towns, 'villages')

    @property
    def persons(self) -> Floats:
        """People by town."""
        given = 1.0 if self.people is None else self.people
        return _by_town(given, self.towns, 'people').astype(np.float64)

    @property
    def simple(self) -> bool:
        return not self.clusters.any()

    def check(self) -> None:
        """Refuse plans that cannot be simulated."""
        if not 0 < self.p < 1 or not 0 < self.target < 1:
            raise BadOption('The share and the target must lie between 0 and 1.')
        few = self.towns < 2 or self.sizes.min() < 2
        if (
            few
            or (not self.simple and self.clusters.min() < 2)
            or (self.clusters > self.sizes).any()
        ):
            raise BadOption('Needs 2 towns, 2 answers a town, and no villages or 2 up to n.')
        if self.village_sd < 0 or self.weight_sd < 0:
            raise BadOption('Standard deviations (of villages, of weights) must not be negative.')
        if not ((self.persons > 0) & (self.persons < np.inf)).all():
            raise BadOption('people must be above 0 in every town.')


def _by_town(given: Any, towns: int, name: str) -> NDArray[Any]:
    column = np.array(given if isinstance(given, tuple) else [given] * towns)
    if len(column) != towns:
        raise BadOption(f'{name} has {len(column)} numbers for {towns} towns.')
    return column


@dataclass(frozen=True, repr=False)
class Coverage(Record):
    """Shares of intervals: that hold the truth, that lie wholly above the target; mean width.

    ``town`` is counted from 1, ``city`` is all of them together, and '' any of them.
    """

    method: str
    intervals: int
    covered: float
    width: float
    above: float
    town: str = ''


@checked
def simulate(
    plan: Plan,
    samples: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    *,
    by_town: bool = False,
    methods: Sequence[str] = (*METHODS, POOLED),
) -> Records[Coverage]:
    """Coverage of the methods over ``samples`` samples of all towns; ``wald`` is the textbook's.

    ``by_town`` gives a row for every town and the city.  ``progress`` is told how many samples of
    how many are done.
    """
    plan.check()
    if samples < 1:
        raise BadOption('At least one sample is needed.')
    random = generator(seed)
    _check_methods(methods, (*METHODS, POOLED))
    sums = {
        method: np.zeros((plan.towns + 1, 4))
        for method in methods
        if method != POOLED or not plan.simple
    }
    blocks = math.ceil(samples / BLOCK)
    for done in range(blocks):
        block = _Block.draw(plan, random)
        for method, found in sums.items():
            rows = block.pooled() if method == POOLED else block.rows(by_town)
            for i, row in enumerate(rows):
                _note(found[block.place(i)], row, 'wilson' if method == POOLED else method, plan)
        if progress is not None:
            progress(min((done + 1) * BLOCK, samples), samples)
    if not by_town:
        return Records([_share(method, found.sum(axis=0), '') for method, found in sums.items()])
    return Records(
        [
            _share(method, one, _name(t, plan))
            for method, found in sums.items()
            for t, one in enumerate(found)
            if one[0]
        ]
    )


@checked
def exact(plan: Plan, methods: Sequence[str] = METHODS) -> Records[Coverage]:
    """The same for every town of a simple sample without chance, from all possible counts.

    Each has its binomial probability, and ``intervals`` is 1: that of all together.
    """
    from scipy.special import bdtr

    plan.check()
    _check_methods(methods, METHODS)
    if not plan.simple:
        raise BadOption('Only simple samples have so few outcomes that all can be tried.')
    town = np.repeat(np.arange(plan.towns), plan.sizes + 1)
    yes = np.concatenate([np.arange(size + 1) for size in plan.sizes])
    sample = np.repeat(np.arange(len(yes)), plan.sizes[town])
    place = np.concatenate([np.arange(size) for size in plan.sizes[town]])
    answers = (place < yes[sample]).astype(np.float64)
    rows = list(proportion(Design(np.ones(len(answers)), strata=sample), answers, by=sample))
    size = plan.sizes[town]
    below = np.where(yes > 0, bdtr(np.maximum(yes - 1, 0), size, plan.p), 0.0)
    chance = bdtr(yes, size, plan.p) - below
    found = []
    for method in methods:
        each = np.zeros((plan.towns, 4))
        for row, home, probability in zip(rows, town, chance, strict=True):
            one = np.zeros(4)
            _note(one, row, method, plan)
            each[home] += probability * one
        found += [_share(method, sums, _name(t, plan)) for t, sums in enumerate(each)]
    return Records(found)


def _check_methods(methods: Sequence[str], known: Sequence[str]) -> None:
    unknown = [method for method in methods if method not in known]
    if unknown:
        raise BadOption(f'Unknown method {listed(unknown)}; use {listed(known, 20)}.')


def _name(town: int, plan: Plan) -> str:
    return 'city' if town == plan.towns else str(town + 1)


def _share(method: str, sums: Floats, town: str) -> Coverage:
    count, covered, width, above = sums.tolist()
    return Coverage(method, round(count), covered / count, width / count, above / count, town)


@dataclass(frozen=True)
class _Block:
    """Estimates of BLOCK samples: by sample and town, and of the city by sample."""

    plan: Plan
    towns: Estimates
    city: Estimates

    def rows(self, city: bool) -> Sequence[Estimate]:
        return [*self.towns, *self.city] if city else self.towns

    def pooled(self) -> Sequence[Estimate]:
        """Those of the towns with the design effect pooled in each sample."""
        size = self.plan.towns
        return [
            row
            for start in range(0, len(self.towns), size)
            for row in pool_design_effect(self.towns[start : start + size])
        ]

    def place(self, i: int) -> int:
        """The town of a row: first come those of the towns, then those of the city."""
        return i % self.plan.towns if i < len(self.towns) else self.plan.towns

    @classmethod
    def draw(cls, plan: Plan, random: np.random.Generator) -> _Block:
        count = BLOCK * plan.towns
        sizes, clusters = np.tile(plan.sizes, BLOCK), np.tile(plan.clusters, BLOCK)
        town = np.repeat(np.arange(count), sizes)
        weight = np.tile(plan.persons / plan.sizes, BLOCK)[town]
        if plan.simple:
            design = Design(weight, strata=town, any_scale=True)
            answers = (random.random(town.size) < plan.p).astype(float)
        else:
            place = np.concatenate([np.arange(size) for size in sizes])
            village = (np.cumsum(clusters) - clusters)[town] + place % clusters[town]
            weight = weight * np.exp(random.normal(0.0, plan.weight_sd, town.size))
            centre = _intercept(plan.p, plan.village_sd)
            effect = random.normal(centre, plan.village_sd, clusters.sum())
            answers = random.random(town.size) < 1 / (1 + np.exp(-effect[village]))
            design = Design(weight, strata=town, psu=village, any_scale=True)
        city = proportion(design, answers, by=town // plan.towns)
        return cls(plan, proportion(design, answers, by=town), city)


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
