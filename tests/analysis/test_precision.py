"""The cheapest sample for several bounds: hand, brute force and a general optimiser agree."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from analysis.errors import BadOption, InfeasibleBounds, UnknownLevel
from analysis.precision import Aim, allocate_for_precision

TOWNS = {'a': 9000, 'b': 4000, 'c': 700}
WATER = {'a': 0.30, 'b': 0.45, 'c': 0.50}
WASTE = {'a': 0.50, 'b': 0.20, 'c': 0.35}


def variance(sizes: dict[str, float], spread: dict[str, float], where: str = 'abc') -> float:
    everybody = sum(TOWNS[h] for h in where)
    return sum(
        (TOWNS[h] / everybody * spread[h]) ** 2 * (1 / sizes[h] - 1 / TOWNS[h]) for h in where
    )


def test_one_bound_is_neymans_allocation_by_hand() -> None:
    # n_h = W_h S_h Σ W S / (V + Σ W S²/N), the textbook formula (Cochran 1977, 5.25)
    plan = allocate_for_precision(TOWNS, {'water': Aim(WATER, se=0.02)})
    total = sum(TOWNS.values())
    share = {h: TOWNS[h] / total for h in TOWNS}
    top = sum(share[h] * WATER[h] for h in TOWNS)
    below = 0.02**2 + sum(share[h] * WATER[h] ** 2 for h in TOWNS) / total
    for h in TOWNS:
        assert plan.exact[h] == pytest.approx(share[h] * WATER[h] * top / below, rel=1e-9)
    assert all(abs(plan.sizes[h] - plan.exact[h]) < 1 for h in TOWNS)


def test_dearer_answers_are_taken_less_often() -> None:
    cost = {'a': 1.0, 'b': 4.0, 'c': 1.0}
    plan = allocate_for_precision(TOWNS, {'water': Aim(WATER, se=0.02)}, cost=cost)
    cheap = allocate_for_precision(TOWNS, {'water': Aim(WATER, se=0.02)})
    # n_h ∝ N_h S_h / √c_h
    expected = cheap.exact['b'] / cheap.exact['a'] / 2
    assert plan.exact['b'] / plan.exact['a'] == pytest.approx(expected, rel=1e-9)


def test_two_bounds_against_every_whole_allocation() -> None:
    aims = {'water': Aim(WATER, se=0.075), 'waste': Aim(WASTE, se=0.09)}
    plan = allocate_for_precision(TOWNS, aims, minimum=2)
    best = min(
        sum(sizes)
        for sizes in itertools.product(range(2, 45), range(2, 45), range(2, 15))
        if variance(dict(zip('abc', sizes, strict=True)), WATER) <= 0.075**2
        and variance(dict(zip('abc', sizes, strict=True)), WASTE) <= 0.09**2
    )
    assert plan.exact_cost <= best <= plan.cost <= best + 1
    assert variance(dict(plan.sizes), WATER) <= 0.075**2
    assert variance(dict(plan.sizes), WASTE) <= 0.09**2


@pytest.mark.parametrize('seed', range(8))
def test_the_exact_optimum_is_that_of_a_general_optimiser(seed: int) -> None:
    random = np.random.default_rng(seed)
    people = np.floor(10 ** random.uniform(2.5, 5, 6))
    spreads = random.uniform(0.1, 1, (3, 6))
    price = random.uniform(1, 4, 6)
    bound = random.uniform(0.01, 0.04, 3)
    strata = [f's{h}' for h in range(6)]

    def named(values: Any) -> dict[str, float]:
        return dict(zip(strata, map(float, values), strict=True))

    aims = {f'v{j}': Aim(named(spreads[j]), se=float(bound[j]), domain_se=0.08) for j in range(3)}
    home = dict(zip(strata, ['west'] * 3 + ['east'] * 3, strict=True))
    cap = np.floor(people * 0.9)
    plan = allocate_for_precision(
        named(people),
        aims,
        domains=home,
        cost=named(price),
        minimum=20,
        cap={h: int(n) for h, n in named(cap).items()},
    )

    def slack(n: Any) -> list[float]:
        found = []
        for j in range(3):
            for inside, limit in (
                (slice(None), bound[j]),
                (slice(0, 3), 0.08),
                (slice(3, 6), 0.08),
            ):
                part = people[inside] / people[inside].sum() * spreads[j][inside]
                apart = part**2 @ (1 / n[inside] - 1 / people[inside])
                found.append(1 - float(apart) / limit**2)
        return found

    other = minimize(
        lambda n: price @ n / 1000,
        np.minimum(cap, 3 * np.array(list(plan.exact.values()))),
        jac=lambda _: price / 1000,
        method='SLSQP',
        bounds=[(20, top) for top in cap],
        constraints={'type': 'ineq', 'fun': slack},
        options={'maxiter': 2000, 'ftol': 1e-14},
    )
    assert other.success
    assert plan.exact_cost == pytest.approx(1000 * other.fun, rel=1e-6)
    np.testing.assert_allclose(list(plan.exact.values()), other.x, rtol=2e-3)


def test_a_cv_is_a_standard_error_over_the_mean() -> None:
    mean = {'a': 0.9, 'b': 0.7, 'c': 0.5}
    centre = sum(TOWNS[h] * mean[h] for h in TOWNS) / sum(TOWNS.values())
    by_cv = allocate_for_precision(TOWNS, {'w': Aim(WATER, cv=0.03, mean=mean)})
    by_se = allocate_for_precision(TOWNS, {'w': Aim(WATER, se=0.03 * centre)})
    assert by_cv.exact == pytest.approx(by_se.exact)
    with pytest.raises(BadOption, match='The cv of w needs mean'):
        allocate_for_precision(TOWNS, {'w': Aim(WATER, cv=0.03)})


def test_domains_have_bounds_of_their_own() -> None:
    aim = Aim(WATER, domain_se={'hills': 0.03})
    plan = allocate_for_precision(
        TOWNS, {'water': aim}, domains={'a': 'plain', 'b': 'hills', 'c': 'hills'}
    )
    assert plan.sizes['a'] == 2  # nothing is asked of the plain but the minimum
    assert [(r.variable, r.domain) for r in plan.reached] == [('water', 'hills')]
    assert math.sqrt(variance(dict(plan.sizes), WATER, 'bc')) <= 0.03
    assert plan.reached[0].se == pytest.approx(math.sqrt(variance(dict(plan.sizes), WATER, 'bc')))


def test_it_says_which_bound_costs_and_which_comes_for_free() -> None:
    aims = {'water': Aim(WATER, se=0.02), 'waste': Aim(WASTE, se=0.2)}
    plan = allocate_for_precision(TOWNS, aims)
    assert [reached.binding for reached in plan.reached] == [True, False]


def test_a_bound_beyond_the_caps_names_the_variable() -> None:
    aims = {'water': Aim(WATER, se=0.05), 'waste': Aim(WASTE, se=0.01)}
    with pytest.raises(InfeasibleBounds, match=r'bound of waste \(bound 0.01, reached 0.03'):
        allocate_for_precision(TOWNS, aims, cap=100)
    with pytest.raises(InfeasibleBounds, match='waste in hills'):
        allocate_for_precision(
            TOWNS,
            {'waste': Aim(WASTE, domain_se={'hills': 0.001})},
            domains={'a': 'plain', 'b': 'hills', 'c': 'hills'},
            cap=500,
        )


def test_a_bound_that_only_a_census_meets_is_a_census() -> None:
    plan = allocate_for_precision({'a': 40, 'b': 30}, {'y': Aim({'a': 5, 'b': 9}, se=1e-9)})
    assert plan.sizes == {'a': 40, 'b': 30}


def test_a_variable_without_spread_asks_for_nothing() -> None:
    plan = allocate_for_precision(TOWNS, {'y': Aim(dict.fromkeys(TOWNS, 0.0), se=0.1)})
    assert plan.sizes == dict.fromkeys(TOWNS, 2)
    assert not plan.reached[0].binding
    both = {'y': Aim(dict.fromkeys(TOWNS, 0.0), se=0.1), 'water': Aim(WATER, se=0.02)}
    alone = allocate_for_precision(TOWNS, {'water': both['water']})
    assert allocate_for_precision(TOWNS, both).sizes == alone.sizes


def test_faults_of_the_plan_are_named() -> None:
    with pytest.raises(BadOption, match='spread of water says nothing about stratum b, c'):
        allocate_for_precision(TOWNS, {'water': Aim({'a': 1}, se=1)})
    with pytest.raises(BadOption, match='No aim states a bound'):
        allocate_for_precision(TOWNS, {'water': Aim(WATER)})
    with pytest.raises(BadOption, match='water: a bound must be above 0'):
        allocate_for_precision(TOWNS, {'water': Aim(WATER, se=0)})
    with pytest.raises(BadOption, match='minimum is above the cap in stratum a, b'):
        allocate_for_precision(TOWNS, {'water': Aim(WATER, se=1)}, minimum=900, cap=800)
    with pytest.raises(UnknownLevel, match='bound for sea, which is no domain'):
        allocate_for_precision(
            TOWNS,
            {'water': Aim(WATER, domain_se={'sea': 1})},
            domains=dict.fromkeys(TOWNS, 'land'),
        )
    with pytest.raises(BadOption, match='say in which domains'):
        allocate_for_precision(TOWNS, {'water': Aim(WATER, domain_se=1)})


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(30, 100_000), st.floats(0, 3), st.floats(0, 3)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0.005, 0.5),
    st.floats(0.005, 0.5),
)
def test_every_plan_meets_its_bounds_and_one_bound_less_never_costs_more(
    rows: list[tuple[int, float, float]], first: float, second: float
) -> None:
    people = {str(h): row[0] for h, row in enumerate(rows)}
    aims = {
        'x': Aim({str(h): row[1] for h, row in enumerate(rows)}, se=first),
        'y': Aim({str(h): row[2] for h, row in enumerate(rows)}, se=second),
    }
    plan = allocate_for_precision(people, aims)
    assert all(reached.se <= reached.bound * (1 + 1e-6) for reached in plan.reached)
    assert all(0 <= plan.sizes[h] <= people[h] for h in people)
    alone = allocate_for_precision(people, {'x': aims['x']})
    assert alone.exact_cost <= plan.exact_cost * (1 + 1e-8)
