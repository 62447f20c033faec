"""The cheapest sample that keeps several standard errors below their bounds at once.

Minimise Σ c_h n_h subject to Σ_h W_h² S_hj² (1/n_h − 1/N_h) ≤ V_j for every variable j (and
domain), with a lowest and highest size in each stratum.  The problem is convex; its optimum is
n_h = √(Σ_j λ_j a_hj / c_h) between the limits, with one multiplier λ_j ≥ 0 for each bound.
Sources: Chromy 1987 (Proc. ASA Surv. Res. Meth.); Bethel 1989 (Surv. Meth. 15).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from analysis.arguments import check_fields, checked
from analysis.columns import Floats, numbers
from analysis.errors import BadOption, InfeasibleBounds, NotConverged, UnknownLevel, listed
from analysis.record import Record, Records

Bound: TypeAlias = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Aim:
    """How precisely the mean of one variable must be known.

    ``spread`` is the standard deviation by stratum (√(p(1 − p)) for a share).  ``se`` and ``cv``
    bound the standard error or the coefficient of variation of the whole population's mean;
    ``domain_se`` and ``domain_cv`` those of domains (a number for every domain, or a mapping
    that leaves some out).  A cv needs ``mean``, the expected mean by stratum.
    """

    spread: Mapping[str, float]
    se: float | None = None
    cv: float | None = None
    domain_se: Bound = None
    domain_cv: Bound = None
    mean: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, repr=False)
class Reached(Record):
    """One bound (on the standard error) and what the sample reaches; ``domain`` '' is all.

    ``binding`` says that this bound costs something: without it the sample could be smaller.
    """

    variable: str
    domain: str
    bound: float
    se: float
    binding: bool


@dataclass(frozen=True, repr=False)
class PrecisionPlan(Record):
    """Whole ``sizes`` by stratum, the ``exact`` optimum before rounding, and the cost of both."""

    sizes: dict[str, int]
    exact: dict[str, float]
    cost: float
    exact_cost: float
    reached: Records[Reached]


@dataclass(frozen=True, eq=False)
class _Bounds:
    """Row j: Σ_h a_hj/n_h ≤ limit_j, where limit = bound² + Σ a_hj/N_h."""

    names: list[tuple[str, str]]
    a: Floats
    bound: Floats
    limit: Floats

    def se(self, sizes: Floats) -> Floats:
        spare = self.limit - self.bound**2
        return np.sqrt(np.maximum(self.a @ (1.0 / sizes) - spare, 0.0))


@checked
def allocate_for_precision(
    population: Mapping[str, float],
    aims: Mapping[str, Aim],
    *,
    domains: Mapping[str, str] | None = None,
    cost: float | Mapping[str, float] = 1.0,
    minimum: int | Mapping[str, int] = 2,
    cap: int | Mapping[str, int] | None = None,
    deff: float = 1.0,
) -> PrecisionPlan:
    """The cheapest stratified sample that meets every bound of every variable.

    ``population`` is N by stratum; ``domains`` says in which domain each stratum lies; ``cost``
    is per answer; ``deff`` multiplies every variance (villages in the second stage, say).
    Sizes are rounded up, and down again where every bound still holds, so they are at most one
    unit a stratum above the exact optimum.  Raises InfeasibleBounds naming the variables whose
    bounds the largest sizes (the caps, or everybody) do not meet.
    """
    strata = list(population)
    people = _by_stratum(population, strata, 'population')
    price = _by_stratum(cost, strata, 'cost')
    if not 0 < deff < math.inf:
        raise BadOption(f'deff must be above 0, not {deff:g}.')
    highest = np.floor(people)
    if cap is not None:
        given = cap if isinstance(cap, Mapping) else dict.fromkeys(strata, cap)
        _known(given, strata, 'cap')
        highest = np.minimum(highest, [float(given.get(name, math.inf)) for name in strata])
    wanted = minimum if isinstance(minimum, Mapping) else dict.fromkeys(strata, minimum)
    _known(wanted, strata, 'minimum')
    lowest = np.array([max(float(wanted.get(name, 1)), 1.0) for name in strata])
    lowest = np.minimum(lowest, np.floor(people))
    crossed = [strata[h] for h in np.flatnonzero((lowest > highest) | (highest < 1))]
    if crossed:
        raise BadOption(f'The minimum is above the cap in stratum {listed(crossed)}.')
    bounds = _bounds(strata, people, aims, domains, deff)
    _refuse_infeasible(bounds, highest)
    exact, multiplier = _optimum(bounds.a / bounds.limit[:, None], price, lowest, highest)
    sizes = _rounded(bounds, exact, price, lowest)
    binding = multiplier > 1e-7 * max(float(multiplier.max()), 1e-300)
    reached = Records(
        Reached(variable, domain, float(bounds.bound[j]), float(se), bool(binding[j]))
        for j, ((variable, domain), se) in enumerate(
            zip(bounds.names, bounds.se(sizes), strict=True)
        )
    )
    return PrecisionPlan(
        {name: int(n) for name, n in zip(strata, sizes, strict=True)},
        {name: float(n) for name, n in zip(strata, exact, strict=True)},
        float(price @ sizes),
        float(price @ exact),
        reached,
    )


def _known(given: Mapping[str, object], strata: list[str], name: str) -> None:
    unknown = [key for key in given if key not in strata]
    if unknown:
        raise UnknownLevel(f'{name} names stratum {listed(unknown)}, which does not exist.')


def _by_stratum(
    values: float | Mapping[str, float], strata: list[str], name: str, positive: bool = True
) -> Floats:
    """A number for every stratum, all above 0 (or finite and not negative)."""
    given = values if isinstance(values, Mapping) else dict.fromkeys(strata, values)
    _known(given, strata, name)
    absent = [key for key in strata if key not in given]
    if absent or not strata:
        raise BadOption(f'{name} says nothing about stratum {listed(absent) or "at all"}.')
    result = numbers([given[key] for key in strata], name)
    bad = ~((result > 0) if positive else (result >= 0)) | np.isinf(result)
    if bad.any():
        least = 'above 0' if positive else 'at least 0'
        named = [strata[h] for h in np.flatnonzero(bad)]
        raise BadOption(f'{name} must be {least} and finite; not so in stratum {listed(named)}.')
    return result


def _bounds(
    strata: list[str],
    people: Floats,
    aims: Mapping[str, Aim],
    domains: Mapping[str, str] | None,
    deff: float,
) -> _Bounds:
    """One row for each bound that any aim states."""
    home = _homes(strata, domains)
    names, rows, squares = [], [], []
    for variable, aim in aims.items():
        spread = _by_stratum(aim.spread, strata, f'spread of {variable}', positive=False)
        for domain, bound in _stated(variable, aim, strata, people, home):
            inside = np.ones(len(strata), dtype=bool) if not domain else home == domain
            share = np.where(inside, people, 0.0) / people[inside].sum()
            if not 0 < bound < math.inf:
                raise BadOption(f'{_called(variable, domain)}: a bound must be above 0.')
            names.append((variable, domain))
            rows.append(deff * (share * spread) ** 2)
            squares.append(bound)
    if not names:
        raise BadOption('No aim states a bound.', 'Give se, cv, domain_se or domain_cv.')
    a, bound_of = np.array(rows), np.array(squares)
    return _Bounds(names, a, bound_of, bound_of**2 + a @ (1.0 / people))


def _homes(strata: list[str], domains: Mapping[str, str] | None) -> np.ndarray:
    if domains is None:
        return np.full(len(strata), '', dtype=object)
    _known(domains, strata, 'domains')
    absent = [name for name in strata if not domains.get(name)]
    if absent:
        raise BadOption(f'domains says nothing about stratum {listed(absent)}.')
    return np.array([domains[name] for name in strata], dtype=object)


def _stated(
    variable: str, aim: Aim, strata: list[str], people: Floats, home: np.ndarray
) -> list[tuple[str, float]]:
    """(domain, bound on the standard error) of every bound of an aim."""
    expected = (
        None if aim.mean is None else _by_stratum(aim.mean, strata, f'mean of {variable}', False)
    )

    def from_cv(domain: str, bound: float) -> float:
        if expected is None:
            raise BadOption(f'The cv of {variable} needs mean: the expected mean by stratum.')
        inside = np.ones(len(strata), dtype=bool) if not domain else home == domain
        centre = float(people[inside] @ expected[inside] / people[inside].sum())
        if not centre > 0:
            raise BadOption(f'{_called(variable, domain)} has mean 0 and so no cv.', 'Bound se.')
        return bound * centre

    found = [] if aim.se is None else [('', float(aim.se))]
    if aim.cv is not None:
        found.append(('', from_cv('', float(aim.cv))))
    found += list(_by_domain(variable, aim.domain_se, home).items())
    found += [(d, from_cv(d, b)) for d, b in _by_domain(variable, aim.domain_cv, home).items()]
    return found


def _by_domain(variable: str, bound: Bound, home: np.ndarray) -> dict[str, float]:
    if bound is None:
        return {}
    there = [str(name) for name in dict.fromkeys(home) if name]
    if not there:
        raise BadOption(f'{variable} has bounds for domains; say in which domains the strata lie.')
    if not isinstance(bound, Mapping):
        return dict.fromkeys(there, float(bound))
    unknown = [key for key in bound if key not in there]
    if unknown:
        raise UnknownLevel(f'{variable} has a bound for {listed(unknown)}, which is no domain.')
    return {key: float(value) for key, value in bound.items()}


def _called(variable: str, domain: str) -> str:
    return f'{variable} in {domain}' if domain else variable


def _refuse_infeasible(bounds: _Bounds, highest: Floats) -> None:
    """A standard error only falls as sizes grow, so the largest sizes settle the question."""
    best = bounds.se(highest)
    failed = np.flatnonzero(best > bounds.bound * (1.0 + 1e-9))
    if failed.size:
        cases = [
            f'{_called(*bounds.names[j])} (bound {bounds.bound[j]:.4g}, reached {best[j]:.4g})'
            for j in failed
        ]
        raise InfeasibleBounds(
            f'Even the largest sizes do not meet the bound of {listed(cases, 4)}.',
            'Loosen these bounds, or raise the cap.',
        )


def _optimum(a: Floats, price: Floats, lowest: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """Sizes and multipliers for Σ_h a_hj/n_h ≤ 1: Newton's method on the concave dual.

    The dual is Σ c n(λ) + Σ λ_j (Σ_h a_hj/n_h(λ) − 1) with n(λ) = √(λ'a/c) between the limits.
    Stops when the bounds hold and the cost equals the dual, both to 1e-10.
    """

    def sizes(multiplier: Floats) -> Floats:
        return np.clip(np.sqrt(multiplier @ a / price), lowest, highest)

    def dual(multiplier: Floats) -> float:
        n = sizes(multiplier)
        return float(price @ n + multiplier @ (a @ (1.0 / n) - 1.0))

    multiplier = np.sqrt(a * price).sum(axis=1) ** 2 / len(a)
    if not multiplier.any():
        return lowest, multiplier
    size = np.maximum(multiplier, 1e-9 * multiplier.max())
    damping = 1e-9
    for _ in range(1000):
        n = sizes(multiplier)
        over = a @ (1.0 / n) - 1.0
        value, cost = dual(multiplier), float(price @ n)
        if over.max() <= 1e-10 and cost - value <= 1e-10 * cost:
            return n, multiplier
        free = (n > lowest) & (n < highest)
        curve = 0.5 * (a[:, free] / (price[free] * n[free] ** 3)) @ a[:, free].T
        moved = _newton(multiplier, over, curve + np.diag(damping * cost / size**2))
        # The dual itself is known to rounding only; near the top a step need not show in it.
        if dual(moved) >= value - 1e-14 * cost:
            multiplier, damping = moved, max(damping / 10.0, 1e-13)
        else:
            damping *= 10.0
    raise NotConverged('The allocation did not converge.', 'Look for bounds that differ widely.')


def _newton(multiplier: Floats, over: Floats, curve: Floats) -> Floats:
    """The λ ≥ 0 at the top of the quadratic with this slope and (negative) curvature."""
    from scipy.optimize import nnls

    scale = 1.0 / np.sqrt(np.diag(curve))
    root = np.linalg.cholesky(curve * np.outer(scale, scale))
    aim = (curve @ multiplier + over) * scale
    return np.asarray(scale * nnls(root.T, np.linalg.solve(root, aim))[0])


def _rounded(bounds: _Bounds, exact: Floats, price: Floats, lowest: Floats) -> Floats:
    """Round up; then take one unit away where every bound still holds, the dearest first."""
    sizes = np.maximum(np.ceil(exact * (1.0 - 1e-9)), lowest)
    allowed = bounds.limit * (1.0 + 1e-9)
    for h in np.lexsort((exact - np.floor(exact), -price)):
        if sizes[h] - 1.0 < lowest[h]:
            continue
        sizes[h] -= 1.0
        if (bounds.a @ (1.0 / sizes) > allowed).any():
            sizes[h] += 1.0
    return sizes
