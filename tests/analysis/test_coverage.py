"""Coverage of intervals in unequal towns: exact where all outcomes can be tried, or simulated."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.coverage import Plan, exact, simulate
from analysis.errors import BadOption
from analysis.intervals import bounds
from benchmarks.coverage import DESIGNS, SHARES

UNEQUAL = Plan(0.9, (30, 55, 100), towns=3, people=(9000, 210_000, 50_000))


def test_simple_towns_are_covered_as_the_binomial_distribution_has_it() -> None:
    from scipy.stats import binom

    found = {(row.method, row.town): row for row in exact(UNEQUAL, ['wilson'])}
    for town, n in (('1', 30), ('2', 55), ('3', 100)):
        held = above = 0.0
        for yes in range(n + 1):
            p, chance = yes / n, float(binom.pmf(yes, n, 0.9))
            se = (p * (1 - p) / (n - 1)) ** 0.5
            ends = bounds(p, se, n=n, df=n - 1, tail=0.025, method='wilson', limits=(0, 1))
            low = bounds(p, se, n=n, df=n - 1, tail=0.05, method='wilson', limits=(0, 1))[0]
            held += chance * (ends[0] <= 0.9 <= ends[1])
            above += chance * (low > 0.8)
        assert found['wilson', town].covered == pytest.approx(held, abs=1e-12)
        assert found['wilson', town].above == pytest.approx(above, abs=1e-12)


def test_a_simulation_of_unequal_towns_comes_close_to_it_and_has_the_city_too() -> None:
    rows = simulate(UNEQUAL, 600, 3, by_town=True, methods=['wilson'])
    assert [row.town for row in rows] == ['1', '2', '3', 'city']
    assert {row.intervals for row in rows} == {600}
    sure = [row.covered for row in exact(UNEQUAL, ['wilson'])]
    assert [row.covered for row in rows[:3]] == pytest.approx(sure, abs=0.03)
    assert 0.9 < rows[3].covered < 0.99
    together = simulate(UNEQUAL, 600, 3, methods=['wilson'])[0]
    assert together.covered == pytest.approx(np.mean([row.covered for row in rows[:3]]))


def test_towns_may_have_villages_in_different_number() -> None:
    plan = Plan(0.8, (30, 60), villages=(5, 8), towns=2)
    assert [row.intervals for row in simulate(plan, 20, 1, by_town=True)][:2] == [20, 20]
    with pytest.raises(BadOption, match='villages has 2 numbers for 3 towns'):
        simulate(Plan(0.8, 30, villages=(5, 8), towns=3), 20, 1)
    with pytest.raises(BadOption, match='Only simple samples'):
        exact(plan)
    with pytest.raises(BadOption, match='Unknown method magic'):
        simulate(plan, 20, 1, methods=['magic'])


def test_the_published_study_is_of_unequal_towns() -> None:
    assert SHARES[0] == 0.75
    assert SHARES[-1] == 0.97
    for plan in DESIGNS.values():
        plan.check()
        assert len(set(plan.sizes)) == len(set(plan.persons)) == 18
        assert (plan.sizes.min(), plan.sizes.max()) == (30, 100)


def test_the_default_keeps_what_is_asked_in_the_towns_of_simple_samples() -> None:
    """Exact, so that no luck is in it: 0.93 to two digits in the lowest town, 0.95 on average."""
    for p in (0.80, 0.97):
        plan = Plan(p, DESIGNS['simple'].n, towns=18)
        rows = exact(plan, ['wilson'])
        assert min(row.covered for row in rows) > 0.9295
        assert np.mean([row.covered for row in rows]) > 0.95
        if p == plan.target:
            assert max(row.above for row in rows) < 0.06
