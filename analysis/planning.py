"""Before fieldwork: how many answers, what they will show, and whether a target can be proved.

Shares are numbers from 0 to 1.  ``deff`` is the expected design effect: clustering,
1 + (m − 1)ρ for m answers in each village, times unequal weights, 1 + cv² (Kish 1965).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.errors import BadOption, BadTarget, UnknownLevel, listed
from analysis.intervals import check_level
from analysis.result import Estimate


@dataclass(frozen=True)
class Size:
    """Effective answers wanted, answers to collect, and addresses to draw for them."""

    effective: int
    answers: int
    addresses: int


def design_effect(per_village: float, rho: float, weight_cv: float = 0.0) -> float:
    """(1 + (m − 1)ρ)·(1 + cv²): villages of m answers with correlation ρ, unequal weights."""
    if per_village < 1 or not 0 <= rho <= 1 or weight_cv < 0:
        raise BadOption('Needs m ≥ 1, 0 ≤ ρ ≤ 1 and cv ≥ 0.')
    return (1.0 + (per_village - 1.0) * rho) * (1.0 + weight_cv**2)


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
    _check_share(p, 'p')
    if not 0 < margin < 1:
        raise BadOption(f'margin must be a share between 0 and 1, as 0.03; not {margin:g}.')
    z = normal_quantile((1.0 + check_level(level)) / 2.0)
    return _size(z * z * p * (1.0 - p) / margin**2, population, deff, response)


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

    n = ((z_α √(p₀q₀) + z_β √(p₁q₁))/(p₁ − p₀))² for the one-sided score test that the verdict
    makes (Fleiss, Levin and Paik 2003, section 2.4).
    """
    _check_share(truth, 'truth')
    _check_share(target, 'target')
    if truth == target:
        raise BadTarget('A truth that equals the target can never be told from it.')
    if not 0 < power < 1:
        raise BadOption(f'power must be a share, as 0.8; not {power:g}.')
    z_level, z_power = normal_quantile(check_level(level)), normal_quantile(power)
    spread = z_level * math.sqrt(target * (1 - target)) + z_power * math.sqrt(truth * (1 - truth))
    return _size((spread / (truth - target)) ** 2, population, deff, response)


def power(truth: float, target: float, effective: float, *, level: float = 0.95) -> float:
    """Probability that ``effective`` answers show a true share above (below) the target.

    Exact binomial probability of the counts whose one-sided Wilson bound clears the target.
    """
    from scipy.special import bdtr, bdtrc

    _check_share(truth, 'truth')
    n = math.floor(effective)
    if n < 1:
        raise BadOption(f'The effective size must be at least 1, not {effective:g}.')
    if truth < target:
        return power(1.0 - truth, 1.0 - target, effective, level=level)
    first = _first_count(target, n, level)
    if first > n:
        return 0.0
    return float(bdtrc(first - 1, n, truth)) if first > 0 else float(bdtr(n, n, truth))


def smallest_met(target: float, effective: float, *, level: float = 0.95) -> float:
    """The smallest share that this effective size shows above the target."""
    _check_share(target, 'target')
    z = normal_quantile(check_level(level))
    return target + z * math.sqrt(target * (1 - target) / effective)


def _first_count(target: float, n: int, level: float) -> int:
    """The smallest count whose lower Wilson bound lies above the target; n + 1 if none does."""
    z = normal_quantile(check_level(level))
    wanted = n * target + z * math.sqrt(n * target * (1 - target))
    return min(math.floor(wanted) + 1, n + 1)


def more_answers(estimate: Estimate, target: float, *, level: float = 0.95) -> int | None:
    """How many more answers decide, if the share and the design effect stay as they are.

    0 when decided already; None when the estimate equals the target.
    """
    if estimate.limits != (0.0, 1.0):
        raise BadOption('more_answers is for shares.')
    _check_share(target, 'target')
    if math.isnan(estimate.est):
        raise BadTarget(f'There is no estimate for {estimate.label or "this domain"}.')
    if estimate.est == target:
        return None
    z = normal_quantile(check_level(level))
    effective = (z / (estimate.est - target)) ** 2 * target * (1 - target)
    deff = estimate.n / estimate.n_eff
    return max(0, math.ceil(effective * deff) - estimate.n)


@dataclass(frozen=True)
class Expected:
    """What a plan gives in one town, or in the city as a whole."""

    name: str
    answers: int
    effective: float
    margin: float
    smallest_met: float
    power: float


def expected_precision(
    population: Mapping[str, float],
    answers: Mapping[str, int],
    *,
    p: float,
    target: float,
    truth: float,
    deff: float | Mapping[str, float] = 1.0,
    level: float = 0.95,
) -> list[Expected]:
    """Margins and power by town and for the city (last row), at share p and a true share.

    The city's variance is Σ (N_h/N)² p(1 − p)·deff_h/n_h: unequal sampling rates cost it
    precision even when every town is well served.
    """
    absent = [name for name in population if not answers.get(name)]
    if absent:
        raise UnknownLevel(f'The plan has no answers in {listed(absent)}.')
    z, rows = normal_quantile((1.0 + check_level(level)) / 2.0), []
    total = sum(population.values())
    variance = 0.0
    for name, people in population.items():
        effect = deff[name] if isinstance(deff, Mapping) else deff
        effective = answers[name] / effect
        variance += (people / total) ** 2 / effective
        rows.append(_expected(name, answers[name], effective, p, target, truth, z, level))
    everybody = sum(answers[name] for name in population)
    rows.append(_expected('all', everybody, 1.0 / variance, p, target, truth, z, level))
    return rows


def _expected(
    name: str,
    answers: int,
    effective: float,
    p: float,
    target: float,
    truth: float,
    z: float,
    level: float,
) -> Expected:
    return Expected(
        name,
        answers,
        effective,
        z * math.sqrt(p * (1 - p) / effective),
        smallest_met(target, effective, level=level),
        power(truth, target, effective, level=level),
    )


def _size(effective: float, population: float | None, deff: float, response: float) -> Size:
    """Finite population, design effect, response: in this order, each rounded up."""
    if deff <= 0 or not 0 < response <= 1:
        raise BadOption('Needs deff above 0 and a response rate above 0 up to 1.')
    wanted = math.ceil(effective - 1e-9)
    answers = math.ceil(wanted * deff - 1e-9)
    if population is not None:
        if population < 1:
            raise BadOption(f'The population must be at least 1, not {population:g}.')
        answers = math.ceil(answers / (1.0 + (answers - 1.0) / population) - 1e-9)
    return Size(wanted, answers, math.ceil(answers / response - 1e-9))


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def _check_share(value: float, name: str) -> None:
    if not 0 < value < 1 or not np.isfinite(value):
        raise BadOption(f'{name} must be a share between 0 and 1, as 0.8; not {value:g}.')
