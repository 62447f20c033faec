"""Before fieldwork: how many answers, what they will show, and whether a target can be proved.

Shares are numbers from 0 to 1.  ``deff`` is the expected design effect: clustering,
1 + (m − 1)ρ for m answers in each village, times unequal weights, 1 + cv² (Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats
from analysis.errors import BadOption, BadTarget, SampleTooLarge, UnknownLevel, listed
from analysis.intervals import check_level
from analysis.options import number, share
from analysis.record import Record, Records
from analysis.result import Estimate
from analysis.verdict import decide

# A share this close to a target needs more answers than there are people.
ENDLESS = 1_000_000_000


@dataclass(frozen=True, repr=False)
class Size(Record):
    """Effective answers wanted, answers to collect, and addresses to draw for them.

    ``effective`` is before the finite population correction, which ``answers`` have.
    ``lacking`` says by how many the addresses exceed the population: so many are not there.
    """

    effective: int
    answers: int
    addresses: int
    lacking: int = 0


@checked
def design_effect(per_village: float, rho: float, weight_cv: float = 0.0) -> float:
    """(1 + (m − 1)ρ)·(1 + cv²): villages of m answers with correlation ρ, unequal weights."""
    per_village, weight_cv = number(per_village, 'm'), number(weight_cv, 'cv')
    if per_village < 1 or not 0 <= number(rho, 'ρ') <= 1 or weight_cv < 0:
        raise BadOption('Needs m ≥ 1, 0 ≤ ρ ≤ 1 and cv ≥ 0.')
    return (1.0 + (per_village - 1.0) * rho) * (1.0 + weight_cv**2)


@checked
def size_for_margin(
    margin: float,
    *,
    p: float = 0.5,
    level: float = 0.95,
    population: float | None = None,
    deff: float = 1.0,
    response: float = 1.0,
) -> Size:
    """Answers for a two-sided interval of p ± margin: z²p(1 − p)/margin² (Cochran 1977, 4.4)."""
    p, margin = share(p, 'p'), share(margin, 'margin', '0.03')
    ratio = normal_quantile((1.0 + check_level(level)) / 2.0) / margin
    return _size(ratio * ratio * p * (1.0 - p), population, deff, response)


@checked
def size_for_target(
    truth: float,
    target: float,
    *,
    power: float = 0.8,
    level: float = 0.95,
    population: float | None = None,
    deff: float = 1.0,
    response: float = 1.0,
) -> Size:
    """Answers with which a true share is shown above (or below) the target with this power.

    The smallest number from which on the exact ``power`` never falls below the one asked for: it
    goes up and down a little from count to count (Chernick and Liu 2002, Am. Stat. 56).  Found
    near n = ((z_α √(p₀q₀) + z_β √(p₁q₁))/(p₁ − p₀))², the formula for the one-sided score test
    that the verdict makes (Fleiss, Levin and Paik 2003, section 2.4).
    """
    truth, target, power = share(truth, 'truth'), share(target, 'target'), share(power, 'power')
    if truth == target:
        raise BadTarget('A truth that equals the target can never be told from it.')
    z_level, z_power = normal_quantile(check_level(level)), normal_quantile(power)
    spread = z_level * math.sqrt(target * (1 - target)) + z_power * math.sqrt(truth * (1 - truth))
    about = (spread / (truth - target)) ** 2
    if about > ENDLESS:
        raise BadTarget(f'{truth:g} lies too close to {target:g} to be told from it.')
    return _size(_reaching(truth, target, power, level, about), population, deff, response)


def _reaching(truth: float, target: float, wanted: float, level: float, about: float) -> int:
    """The smallest n from which on the exact power is at least the one wanted.

    The power rises by φ(z)·|p₁ − p₀|/(2√n) a unit and falls by a binomial probability where the
    count that shows the target goes up: the two are even after about 1/(φ(z)·|p₁ − p₀|) units.
    """
    density = math.exp(-(normal_quantile(wanted) ** 2) / 2.0) / math.sqrt(2.0 * math.pi)
    reach = 3.0 / (density * abs(truth - target)) + 10.0 / min(target, 1.0 - target)
    low, high = math.floor(about - reach), math.ceil(about + reach)
    while True:
        sizes = np.arange(max(low, 1), high + 1)
        short = np.flatnonzero(_powers(truth, target, sizes, level) < wanted)
        if short.size and sizes[short[-1]] == high:
            high += math.ceil(reach)
        elif not short.size and low > 1:
            low -= math.ceil(reach)
        else:
            return int(sizes[short[-1]]) + 1 if short.size else 1


@checked
def power(truth: float, target: float, effective: float, *, level: float = 0.95) -> float:
    """Probability that ``effective`` answers show a true share above (below) the target.

    Exact binomial probability of the counts whose one-sided Wilson bound clears the target.
    ``effective`` may be infinite: everybody was asked.
    """
    truth, target, level = share(truth, 'truth'), share(target, 'target'), check_level(level)
    if effective == math.inf:
        return float(truth != target)
    n = math.floor(number(effective, 'The effective size'))
    if n < 1:
        raise BadOption(f'The effective size must be at least 1, not {effective:g}.')
    return float(_powers(truth, target, np.array([n]), level)[0])


def _powers(truth: float, target: float, sizes: Any, level: float) -> Floats:
    """``power`` for several sizes at once."""
    from scipy.special import bdtrc

    if truth < target:
        truth, target = 1.0 - truth, 1.0 - target
    # The smallest count whose lower Wilson bound lies above the target.
    z = normal_quantile(level)
    first = np.floor(sizes * target + z * np.sqrt(sizes * target * (1 - target))) + 1
    reachable = first <= sizes
    return np.where(reachable, bdtrc(np.minimum(first, sizes) - 1.0, sizes, truth), 0.0)


@checked
def smallest_met(target: float, effective: float, *, level: float = 0.95) -> float:
    """The smallest share that this effective size shows above the target; NaN if none does."""
    target, z = share(target, 'target'), normal_quantile(check_level(level))
    if not effective > 0:
        raise BadOption(f'The effective size must be above 0, not {effective:g}.')
    least = target + z * math.sqrt(target * (1 - target) / effective)
    return least if least < 1 else math.nan


@checked
def more_answers(estimate: Estimate, target: float, *, level: float = 0.95) -> int | None:
    """How many more answers decide, if share, design effect and df stay as they are.

    By the interval method of the estimate, as ``decide`` has it: at least 1 while that says
    undecided, 0 when it is decided already; None when the estimate equals the target.
    """
    if estimate.limits is None:
        raise BadOption('more_answers is for shares and bounded scores.')
    if decide(estimate, target, level=level).decision != 'undecided':
        return 0
    if estimate.est == target or estimate.census:
        return None

    def undecided(n: int) -> bool:
        shrink = estimate.n / n
        larger = replace(
            estimate, n=n, se=estimate.se * math.sqrt(shrink), n_eff=estimate.n_eff / shrink
        )
        return decide(larger, target, level=level).decision == 'undecided'

    low, high = estimate.n, 2 * estimate.n
    while undecided(high):
        low, high = high, 2 * high
        if high > ENDLESS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if undecided(middle) else (low, middle)
    return high - estimate.n


@dataclass(frozen=True, repr=False)
class Expected(Record):
    """What a plan gives in one town, or in the city as a whole."""

    name: str
    answers: int
    effective: float
    margin: float
    smallest_met: float
    power: float


@checked
def expected_precision(
    population: Mapping[str, float],
    answers: Mapping[str, int],
    *,
    p: float,
    target: float,
    truth: float,
    deff: float | Mapping[str, float] = 1.0,
    level: float = 0.95,
) -> Records[Expected]:
    """Margins and power by town and for the city (last row), at share p and a true share.

    The city's variance is Σ (N_h/N)² p(1 − p)·deff_h/n_h·(N_h − n_h)/(N_h − 1): unequal sampling
    rates cost it precision even when every town is well served.  Where everybody is asked the
    effective size is infinite.
    """
    p, target, truth = share(p, 'p'), share(target, 'target'), share(truth, 'truth')
    absent = [name for name in population if not answers.get(name)]
    if absent or not population:
        raise UnknownLevel(f'The plan has no answers in {listed(absent) or "any town"}.')
    z, rows = normal_quantile((1.0 + check_level(level)) / 2.0), []
    people = {
        name: number(count, f'The population of {name}') for name, count in population.items()
    }
    asked = {name: number(answers[name], f'The number of answers in {name}') for name in people}
    total = sum(people.values())
    variance = 0.0
    for name, count in people.items():
        if not 0 < asked[name] <= count:
            raise SampleTooLarge(f'{name}: {asked[name]:g} answers of {count:g} people.')
        known = _correction(asked[name], count)
        inverse = known * _effect(deff, name) / asked[name]
        variance += (count / total) ** 2 * inverse
        effective = 1.0 / inverse if inverse > 0 else math.inf
        rows.append(_expected(name, asked[name], effective, p, target, truth, z, level))
    effective = 1.0 / variance if variance > 0 else math.inf
    everybody = sum(asked.values())
    return Records([*rows, _expected('all', everybody, effective, p, target, truth, z, level)])


def _effect(deff: float | Mapping[str, float], name: str) -> float:
    if isinstance(deff, Mapping):
        if name not in deff:
            raise UnknownLevel(f'deff says nothing about {name}.')
        deff = deff[name]
    if not number(deff, 'deff') > 0:
        raise BadOption(f'deff must be above 0, not {deff:g}.')
    return float(deff)


def _correction(n: float, population: float) -> float:
    """(N − n)/(N − 1): what sampling without replacement leaves of the variance."""
    return (population - n) / (population - 1.0) if population > 1 else 0.0


def _expected(
    name: str,
    answers: float,
    effective: float,
    p: float,
    target: float,
    truth: float,
    z: float,
    level: float,
) -> Expected:
    return Expected(
        name,
        round(answers),
        effective,
        z * math.sqrt(p * (1 - p) / effective),
        smallest_met(target, effective, level=level),
        power(truth, target, effective, level=level) if effective >= 1 else 0.0,
    )


def _size(effective: float, population: float | None, deff: float, response: float) -> Size:
    """Finite population, design effect, response: in this order, each rounded up."""
    deff, response = number(deff, 'deff'), number(response, 'response')
    if deff <= 0 or not 0 < response <= 1:
        raise BadOption('Needs deff above 0 and a response rate above 0 up to 1.')
    if effective > ENDLESS:
        raise BadOption('No population is large enough for a margin as small as that.')
    wanted = math.ceil(effective - 1e-9)
    answers = math.ceil(wanted * deff - 1e-9)
    if population is not None:
        if not number(population, 'population') >= 1:
            raise BadOption(f'The population must be at least 1, not {population:g}.')
        answers = math.ceil(answers / (1.0 + (answers - 1.0) / population) - 1e-9)
    addresses = math.ceil(answers / response - 1e-9)
    there = math.inf if population is None else math.floor(population)
    return Size(wanted, answers, addresses, int(max(addresses - there, 0)))


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))
