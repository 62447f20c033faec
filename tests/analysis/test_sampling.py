"""Allocation within limits, and samples that can be drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import allocation, joint, sampling
from analysis.errors import BadOption, ClusterInTwoStrata, SampleTooLarge, UnknownLevel

TOWNS = {'a': 100_000, 'b': 50_000, 'c': 10_000, 'd': 90}


def test_proportional_and_equal() -> None:
    assert allocation.allocate({'a': 60, 'b': 30, 'c': 10}, 10) == {'a': 6, 'b': 3, 'c': 1}
    assert allocation.allocate({'a': 60, 'b': 30, 'c': 10}, 9, 'equal') == {'a': 3, 'b': 3, 'c': 3}


def test_power_allocation_lies_between_equal_and_proportional() -> None:
    # √100000 : √50000 : √10000 = 316.2 : 223.6 : 100
    sizes = allocation.allocate({'a': 100_000, 'b': 50_000, 'c': 10_000}, 640, 'power')
    assert sizes == {'a': 316, 'b': 224, 'c': 100}


def test_neyman_follows_the_spread() -> None:
    # N·S: 1000·40, 1000·10
    sizes = allocation.allocate({'a': 1000, 'b': 1000}, 50, 'neyman', spread={'a': 40, 'b': 10})
    assert sizes == {'a': 40, 'b': 10}
    with pytest.raises(BadOption, match='needs spread'):
        allocation.allocate({'a': 10}, 5, 'neyman')


def test_minimum_and_cap_are_met_together() -> None:
    sizes = allocation.allocate(TOWNS, 1000, 'proportional', minimum=80, cap=500)
    assert sum(sizes.values()) == 1000
    assert sizes['a'] == 500
    assert 80 <= sizes['c'] <= 90
    assert sizes['d'] == 80
    # What the caps leave goes to the free strata in proportion.
    assert sizes['b'] == 1000 - 500 - sizes['c'] - 80


def test_no_stratum_gets_more_than_it_has() -> None:
    assert allocation.allocate(TOWNS, 1000, 'equal')['d'] == 90
    assert allocation.allocate({'a': 5, 'b': 1000}, 100, 'equal', minimum=20) == {'a': 5, 'b': 95}


def test_impossible_allocations_say_why() -> None:
    with pytest.raises(SampleTooLarge, match='the strata hold 30 at most'):
        allocation.allocate({'a': 10, 'b': 20}, 40)
    with pytest.raises(BadOption, match='do not cover the minimum'):
        allocation.allocate({'a': 100, 'b': 200}, 40, minimum=30)
    with pytest.raises(BadOption, match='minimum is above the cap in stratum a, b'):
        allocation.allocate({'a': 100, 'b': 200}, 40, minimum=30, cap=20)
    with pytest.raises(BadOption, match='it must be proportional, equal'):
        allocation.allocate({'a': 100}, 10, 'optimal')  # type: ignore[arg-type]
    with pytest.raises(UnknownLevel, match='no stratum z'):
        allocation.allocate({'a': 100}, 10, cap={'z': 5})


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=18),
    st.floats(0, 1),
    st.sampled_from(['proportional', 'equal', 'power']),
    st.integers(0, 30),
)
def test_sizes_are_whole_within_limits_and_add_up(
    people: list[int], share: float, method: str, minimum: int
) -> None:
    population = {f's{i}': float(count) for i, count in enumerate(people)}
    least = sum(min(minimum, count) for count in people)
    n = max(1, least + int(share * (sum(people) - least)))
    sizes = allocation.allocate(population, n, method, minimum=minimum)  # type: ignore[arg-type]
    assert sum(sizes.values()) == n
    for name, size in sizes.items():
        assert min(minimum, population[name]) <= size <= population[name]


def test_a_seed_draws_the_same_sample_again_and_a_larger_n_only_adds() -> None:
    strata = np.repeat(['a', 'b'], [200, 100])
    rows, probabilities = sampling.draw_stratified(strata, {'a': 20, 'b': 10}, 20261123)
    again, _ = sampling.draw_stratified(strata, {'a': 20, 'b': 10}, 20261123)
    more, _ = sampling.draw_stratified(strata, {'a': 30, 'b': 10}, 20261123)
    assert rows.tolist() == again.tolist()
    assert set(rows) < set(more)
    assert (strata[rows] == 'a').sum() == 20
    assert probabilities.tolist() == [0.1] * 30
    # Pinned: another machine or version must draw these very rows.
    assert rows[:5].tolist() == [0, 2, 7, 9, 17]


def test_every_row_is_drawn_as_often_as_its_probability_says() -> None:
    strata = np.repeat(['a', 'b'], [10, 5])
    hits = np.zeros(15)
    for seed in range(4000):
        rows, _ = sampling.draw_stratified(strata, {'a': 3, 'b': 3}, seed)
        hits[rows] += 1
    np.testing.assert_allclose(hits[:10] / 4000, 0.3, atol=0.03)
    np.testing.assert_allclose(hits[10:] / 4000, 0.6, atol=0.03)


def test_a_sample_larger_than_the_frame_names_the_stratum() -> None:
    with pytest.raises(SampleTooLarge, match='Stratum b: 6 of 5'):
        sampling.draw_stratified(np.repeat(['a', 'b'], [10, 5]), {'a': 3, 'b': 6}, 1)
    with pytest.raises(UnknownLevel, match='no rows of stratum c'):
        sampling.draw_stratified(['a', 'b'], {'c': 1}, 1)
    with pytest.raises(BadOption, match='seed must be a whole number'):
        sampling.draw_stratified(['a', 'b'], {'a': 1}, 1.5)  # type: ignore[arg-type]


def test_probabilities_proportional_to_size_with_certainties() -> None:
    # 50 is more than a third of 100, taken for certain; then 2·size/50
    assert sampling.inclusion_probabilities([50, 20, 20, 10], 3).tolist() == [1, 0.8, 0.8, 0.4]
    assert sampling.inclusion_probabilities([5, 0, 5], 2).tolist() == [1, 0, 1]
    with pytest.raises(SampleTooLarge):
        sampling.inclusion_probabilities([5, 0], 2)


def test_systematic_pps_by_hand() -> None:
    # cumulated π: .4 .8 1.4 2.0; start .5 hits .5 and 1.5
    rows, probabilities = sampling.draw_pps([2, 2, 3, 3], 2, start=0.5)
    assert rows.tolist() == [1, 3]
    assert probabilities.tolist() == [0.4, 0.6]
    with pytest.raises(BadOption, match='seed or a start'):
        sampling.draw_pps([2, 2], 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=2, max_size=30), st.data())
def test_pps_draws_n_distinct_rows_with_the_certain_ones(
    sizes: list[int], data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(sizes)))
    start = data.draw(st.floats(0, 0.999))
    rows, probabilities = sampling.draw_pps(sizes, n, start=start)
    assert len(set(rows.tolist())) == n
    everybody = sampling.inclusion_probabilities(sizes, n)
    assert everybody.sum() == pytest.approx(n)
    assert set(np.flatnonzero(everybody == 1)) <= set(rows)
    np.testing.assert_array_equal(everybody[rows], probabilities)


def test_systematic_and_simple_samples() -> None:
    rows, probabilities = sampling.draw_systematic(10, 5, start=0.5)
    assert rows.tolist() == [1, 3, 5, 7, 9]
    assert probabilities.tolist() == [0.5] * 5
    rows, _ = sampling.draw_simple(100, 10, seed=3)
    assert len(set(rows.tolist())) == 10


def test_sampford_draws_as_often_as_it_says() -> None:
    sizes = [5, 9, 14, 20, 23, 29]
    hits, pairs = np.zeros(6), np.zeros((6, 6))
    for seed in range(3000):
        rows, _, _ = sampling.draw_sampford(sizes, 3, seed)
        hits[rows] += 1
        pairs[np.ix_(rows, rows)] += 1
    everybody = sampling.inclusion_probabilities(sizes, 3)
    np.testing.assert_allclose(hits / 3000, everybody, atol=0.035)
    np.testing.assert_allclose(pairs / 3000, joint.sampford(everybody, 3), atol=0.035)
    # A certainty is drawn always and independently of the rest.
    rows, probabilities, table = sampling.draw_sampford([1000, 5, 9, 14, 20], 3, 1)
    assert rows[0] == 0
    np.testing.assert_allclose(table[0], probabilities)


def test_two_stages_give_every_person_of_a_town_about_the_same_chance() -> None:
    town = np.repeat(['a', 'b'], [600, 400])
    village = np.concatenate([np.repeat(np.arange(12), 50), np.repeat(np.arange(100, 108), 50)])
    rows, probabilities, first = sampling.draw_two_stage(
        village, {'a': 4, 'b': 3}, 10, seed=9, strata=town
    )
    assert len(rows) == 70
    assert len(np.unique(village[rows])) == 7
    np.testing.assert_allclose(probabilities[town[rows] == 'a'], 4 / 12 * 10 / 50)
    np.testing.assert_allclose(first[town[rows] == 'b'], 3 / 8)
    assert (1 / probabilities).sum() == pytest.approx(1000)
    with pytest.raises(SampleTooLarge, match='Stratum b has 8 PSUs, not 9'):
        sampling.draw_two_stage(village, {'a': 1, 'b': 9}, 10, seed=9, strata=town)


VILLAGE, TOWN = np.repeat(np.arange(10), 10), np.repeat([1, 2], 50)


def test_strata_of_two_stages_are_matched_by_name_and_none_is_overlooked() -> None:
    by_number, _, _ = sampling.draw_two_stage(VILLAGE, {1: 2, 2: 2}, 4, 1, strata=TOWN)
    by_name, _, _ = sampling.draw_two_stage(VILLAGE, {'1': 2, '2': 2}, 4, 1, strata=TOWN)
    assert by_number.tolist() == by_name.tolist()
    assert len(by_name) == 16
    with pytest.raises(UnknownLevel, match='no rows of stratum zz'):
        sampling.draw_two_stage(VILLAGE, {1: 2, 'zz': 2}, 4, 1, strata=TOWN)
    rows, _, _ = sampling.draw_two_stage(VILLAGE, np.int64(2), 4, np.int64(1), strata=TOWN)
    assert rows.tolist() == by_name.tolist()


def test_every_village_has_a_chance_or_is_named() -> None:
    with pytest.raises(UnknownLevel, match='sizes must name every PSU of the frame; 2, 3'):
        sampling.draw_two_stage(VILLAGE, 2, 3, 1, sizes={0: 5, 1: 5})
    with pytest.raises(UnknownLevel, match='sizes names 77'):
        sampling.draw_two_stage(VILLAGE, 2, 3, 1, sizes=dict.fromkeys([*range(10), 77], 5))
    with pytest.raises(UnknownLevel, match='no psu in row 1'):
        sampling.draw_two_stage([None, *VILLAGE[1:]], 2, 3, 1)
    with pytest.raises(ClusterInTwoStrata, match='PSU 0 lies in more than one'):
        sampling.draw_two_stage(VILLAGE, 1, 3, 1, strata=[*np.repeat('a', 5), *np.repeat('b', 95)])
    for per_psu in (0, -1, 2.5, None):
        with pytest.raises(BadOption, match='per_psu must be'):
            sampling.draw_two_stage(VILLAGE, 2, per_psu, 1)  # type: ignore[arg-type]


def test_a_seed_draws_the_same_two_stages_again() -> None:
    first, _, _ = sampling.draw_two_stage(VILLAGE, 3, 4, 7)
    assert first.tolist() == sampling.draw_two_stage(VILLAGE, 3, 4, 7)[0].tolist()
    assert first.tolist() != sampling.draw_two_stage(VILLAGE, 3, 4, 8)[0].tolist()


def test_unequal_probabilities_stratum_by_stratum() -> None:
    sizes = np.tile([1.0, 2, 3, 4, 10], 20)
    rows, share = sampling.draw_pps(sizes, {'1': 4, '2': 6}, 5, strata=TOWN)
    assert ((TOWN[rows] == 1).sum(), (TOWN[rows] == 2).sum()) == (4, 6)
    np.testing.assert_allclose(share, np.where(TOWN[rows] == 1, 4, 6) * sizes[rows] / 200)
    every, share = sampling.draw_systematic(100, 5, 3, strata=TOWN)
    assert np.diff(every[:5]).tolist() == [10] * 4
    assert share.tolist() == [0.1] * 10
    with pytest.raises(BadOption, match='Strata need a seed'):
        sampling.draw_pps(sizes, 4, start=0.5, strata=TOWN)
    with pytest.raises(SampleTooLarge, match='Stratum 2: 60 units cannot be drawn from 50'):
        sampling.draw_pps(sizes, {1: 2, 2: 60}, 5, strata=TOWN)


@pytest.mark.parametrize('n', [1.5, '3', None, True, np.nan, -1])
def test_sample_sizes_are_whole_numbers(n: object) -> None:
    for draw in (
        lambda: sampling.draw_pps([1, 2, 3], n, 1),  # type: ignore[arg-type]
        lambda: sampling.draw_simple(5, n, 1),  # type: ignore[arg-type]
        lambda: sampling.draw_stratified(['a', 'b'], {'a': n}, 1),  # type: ignore[dict-item]
        lambda: sampling.draw_sampford([1, 2, 3], n, 1),  # type: ignore[arg-type]
        lambda: allocation.allocate({'a': 100}, n),  # type: ignore[arg-type]
    ):
        with pytest.raises(BadOption, match='must be a'):
            draw()
    with pytest.raises(BadOption, match='size must be a whole number from 0'):
        sampling.draw_simple(-1, 0, 1)
    with pytest.raises(BadOption, match='population must be a mapping from names to numbers'):
        allocation.allocate([100, 50], 10)  # type: ignore[arg-type]
    with pytest.raises(BadOption, match='minimum must be a whole number'):
        allocation.allocate({'a': 100}, 10, minimum=2.5)  # type: ignore[arg-type]
