"""Collapsed strata: small ones merged for the variance, and what was merged told."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, mean, total
from analysis.collapse import collapse_strata
from analysis.columns import Groups
from analysis.errors import BadOption, LonelyPsu, UnknownLevel

# Towns with 1, 2, 1 and 2 villages.
TOWN = ['A', 'A', 'B', 'B', 'B', 'C', 'D', 'D']
VILLAGE = [1, 1, 2, 2, 3, 4, 5, 6]
Y = [1.0, 2.0, 4.0, 3.0, 5.0, 8.0, 2.0, 6.0]


def test_two_towns_of_one_village_are_measured_from_each_other() -> None:
    # Villages with totals 3 and 8 in towns of their own: V = 2·Σ(t − t̄)² = (3 − 8)².
    w, towns, villages = np.ones(3), ['A', 'A', 'C'], [1, 1, 4]
    with pytest.raises(LonelyPsu, match='stratum A, C'):
        Design(w, strata=towns, psu=villages)
    merged = collapse_strata(towns, villages)
    design = Design(w, strata=merged.strata, psu=merged.psu)
    found = total(design, [1.0, 2.0, 8.0])
    assert (found.est, found.se**2, found.df) == (11.0, pytest.approx(25.0), 1)
    assert str(merged) == 'A+C: A (1 PSU), C (1 PSU)'


def test_a_small_town_joins_the_next_one_and_the_report_says_so() -> None:
    merged = collapse_strata(TOWN, VILLAGE)
    assert merged.merged == {'A': 'A+B', 'B': 'A+B', 'C': 'C+D', 'D': 'C+D'}
    assert merged.small == {'A': 1, 'C': 1}
    assert str(merged) == 'A+B: A (1 PSU), B; C+D: C (1 PSU), D'
    by_hand = Design(np.ones(8), strata=['x'] * 5 + ['y'] * 3, psu=VILLAGE)
    design = Design(np.ones(8), strata=merged.strata, psu=merged.psu)
    assert total(design, Y).se == total(by_hand, Y).se
    # Estimates stay what they are, by town too.
    rows = mean(design, Y, by=TOWN)
    assert rows['C'].est == 8.0
    assert mean(design, Y).est == np.mean(Y)


def test_the_population_follows_the_merging() -> None:
    merged = collapse_strata(TOWN, VILLAGE)
    people = merged.population({'A': 10, 'B': 20, 'C': 5, 'D': 30})
    assert people == {'A+B': 30, 'C+D': 35}
    design = Design(
        np.ones(8), strata=merged.strata, psu=merged.psu, population=people, any_scale=True
    )
    assert design.stages[0].fraction.tolist() == [3 / 30, 3 / 35]


def test_enough_villages_leave_everything_as_it_is() -> None:
    merged = collapse_strata(['A', 'A', 'B', 'B'])
    assert (merged.merged, merged.small, str(merged)) == ({}, {}, 'none')


def test_pairs_by_name_by_region_and_by_the_order_of_categories() -> None:
    named = collapse_strata(TOWN, VILLAGE, rule={'A': 'D', 'C': 'B'})
    assert named.strata.names() == ('D', 'B')
    # Regions are not crossed: A and C lie in the west, B and D in the east.
    region = ['west', 'west', 'east', 'east', 'east', 'west', 'east', 'east']
    within = collapse_strata(TOWN, VILLAGE, within=region)
    assert within.merged == {'A': 'A+C', 'C': 'A+C'}
    # Towns in the order of their size.
    codes = np.array([0, 0, 2, 2, 2, 1, 3, 3])
    ordered = collapse_strata(Groups(codes, ('A', 'C', 'B', 'D')), VILLAGE)
    assert ordered.merged == {'A': 'A+C', 'C': 'A+C'}


def test_villages_of_weight_0_do_not_count_and_labels_may_start_again() -> None:
    weights = [1, 1, 1, 1, 0, 1, 1, 1]
    merged = collapse_strata(TOWN, VILLAGE, weights=weights)
    assert merged.small == {'A': 1, 'B': 1, 'C': 1}
    again = collapse_strata(TOWN, [1, 1, 1, 1, 2, 1, 1, 2], nest=True)
    design = Design(np.ones(8), strata=again.strata, psu=again.psu)
    assert (len(design.psu), design.df) == (6, 4)


def test_what_cannot_be_merged_is_named() -> None:
    with pytest.raises(LonelyPsu, match=r'stratum A \(1\) still has fewer than 2 PSUs'):
        collapse_strata(['A', 'A'], [1, 1])
    with pytest.raises(LonelyPsu, match=r'stratum C \(1\)'):
        collapse_strata(TOWN, VILLAGE, rule={'A': 'B'})
    with pytest.raises(UnknownLevel, match='There is no Z to merge; there is A, B, C, D'):
        collapse_strata(TOWN, VILLAGE, rule={'Z': 'B'})
    with pytest.raises(BadOption, match='within differs inside stratum A'):
        collapse_strata(TOWN, VILLAGE, within=[1, 2, 1, 1, 1, 1, 1, 1])
    with pytest.raises(BadOption, match="'nearest'; it must be a mapping or 'neighbour'"):
        collapse_strata(TOWN, VILLAGE, rule='nearest')


def test_the_collapsed_variance_is_on_average_not_too_small() -> None:
    # Towns of two villages with different means, one village drawn from each.
    random = np.random.default_rng(5)
    villages = random.normal(50, 10, (6, 2)) + 5 * np.arange(6)[:, None]
    draws = [villages[np.arange(6), random.integers(0, 2, 6)] for _ in range(400)]
    merged = collapse_strata(list('ABCDEF'))
    design = Design(np.full(6, 2.0), strata=merged.strata, psu=merged.psu)
    totals = [total(design, drawn) for drawn in draws]
    spread = float(np.var([row.est for row in totals]))
    assert np.mean([row.se**2 for row in totals]) > spread
