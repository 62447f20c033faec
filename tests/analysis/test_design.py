"""What a design accepts, what it refuses, and what it says then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, total
from analysis.columns import Groups
from analysis.errors import (
    BadColumn,
    BadOption,
    BadWeights,
    ClusterInTwoStrata,
    EmptyDomain,
    LonelyPsu,
    PopulationTooSmall,
    WeightSumFar,
)
from tests.analysis.apidata import apiclus2, apistrat, matches

TOWN = ['A', 'A', 'A', 'B', 'B', 'B']
VILLAGE = [1, 1, 2, 3, 3, 4]
Y = [1.0, 2.0, 4.0, 3.0, 5.0, 8.0]


def test_weights_follow_from_the_population_when_none_are_given() -> None:
    design = Design(strata=TOWN, population={'A': 30, 'B': 60})
    assert design.weights.tolist() == [10, 10, 10, 20, 20, 20]


def test_population_and_rate_are_two_ways_to_say_the_same() -> None:
    by_count = Design(np.ones(6), strata=TOWN, population={'A': 6, 'B': 12}, any_scale=True)
    by_rate = Design(np.ones(6), strata=TOWN, rate={'A': 0.5, 'B': 0.25})
    assert mean(by_count, Y).se == pytest.approx(mean(by_rate, Y).se, rel=1e-14)


def test_counts_given_as_rates_are_refused_by_stratum() -> None:
    with pytest.raises(PopulationTooSmall, match=r'stratum A \(30\).*population='):
        Design(np.ones(6), strata=TOWN, rate={'A': 30, 'B': 0.5})
    with pytest.raises(PopulationTooSmall, match=r'A \(population 0.5, drawn 3\).*rate='):
        Design(np.ones(6), strata=TOWN, population={'A': 0.5, 'B': 60})


def test_a_population_that_varies_inside_a_stratum_names_it() -> None:
    with pytest.raises(PopulationTooSmall, match='varies inside stratum B'):
        Design(np.ones(6), strata=TOWN, population=[30, 30, 30, 60, 61, 60])


@pytest.mark.parametrize(
    ('weights', 'words'),
    [
        ([1, 1, -2, 1, 1, 1], '-2 in row 3'),
        ([1, np.nan, 1, 1, 1, 1], 'nothing in row 2'),
        ([1, 1, 1, 1, 1, np.inf], 'inf in row 6'),
        ([0, 0, 0, 0, 0, 0], 'all zero'),
    ],
)
def test_bad_weights_are_named_by_row(weights: list[float], words: str) -> None:
    with pytest.raises(BadWeights, match=words):
        Design(weights, strata=TOWN)


def test_probabilities_outside_0_to_1_are_refused() -> None:
    with pytest.raises(BadWeights, match=r'1\.5 in row 2'):
        Design(probabilities=[0.5, 1.5])
    assert Design(probabilities=[0.5, 0.25]).weights.tolist() == [2, 4]


def test_one_village_label_in_two_towns_is_refused_unless_labels_are_nested() -> None:
    twice = [1, 1, 2, 1, 1, 2]
    with pytest.raises(ClusterInTwoStrata, match=r'2 PSU labels.*1, 2.*nest=True'):
        Design(np.ones(6), strata=TOWN, psu=twice)
    nested = Design(np.ones(6), strata=TOWN, psu=twice, nest=True)
    plain = Design(np.ones(6), strata=TOWN, psu=VILLAGE)
    assert mean(nested, Y) == mean(plain, Y)
    assert nested.psu.names() == ('A/1', 'A/2', 'B/1', 'B/2')


def test_a_town_with_one_village_is_named_with_every_cure() -> None:
    with pytest.raises(
        LonelyPsu, match=r'Only one unit.*in stratum A\. .*adjust, average, certainty'
    ):
        Design(np.ones(6), strata=TOWN, psu=[1, 1, 1, 2, 3, 4])


def test_rules_for_lonely_psus() -> None:
    # Town A has one village with total 7; B has villages with totals 3, 5, 8 around 16/3.
    def variance(rule: str) -> float:
        design = Design(np.ones(6), strata=TOWN, psu=[1, 1, 1, 2, 3, 4], lonely_psu=rule)  # type: ignore[arg-type]
        return float(total(design, Y).se ** 2)

    of_b = 3 / 2 * sum((t - 16 / 3) ** 2 for t in (3, 5, 8))
    assert variance('remove') == pytest.approx(of_b)
    assert variance('certainty') == pytest.approx(of_b)
    assert variance('average') == pytest.approx(2 * of_b)
    # Measured from the mean of all four villages, (7 + 3 + 5 + 8)/4.
    assert variance('adjust') == pytest.approx(of_b + (7 - 23 / 4) ** 2)


def test_a_lonely_village_that_is_its_whole_stratum_is_no_fault() -> None:
    design = Design(np.ones(6), strata=TOWN, psu=[1, 1, 1, 2, 3, 4], population={'A': 1, 'B': 30})
    assert design.df == 2


def test_certainty_villages_pass_the_variance_to_their_persons() -> None:
    sure = Design(
        np.ones(6), strata=TOWN, psu=[1, 1, 1, 2, 3, 4], certainty=[True] * 3 + [False] * 3
    )
    by_hand = Design(np.ones(6), strata=TOWN, psu=[11, 12, 13, 2, 3, 4])
    assert total(sure, Y).se == pytest.approx(total(by_hand, Y).se, rel=1e-14)
    assert sure.df == by_hand.df == 4


def test_a_sum_of_weights_far_from_the_population_is_refused() -> None:
    with pytest.raises(WeightSumFar, match=r'add up to 6, the population to 90.*any_scale'):
        Design(np.ones(6), strata=TOWN, population={'A': 30, 'B': 60})


def test_it_is_refused_over_several_stages_too() -> None:
    """2 of 10 villages with 3 of 40 persons each: the six stand for 400."""
    stages: dict[str, Any] = {'psu': [1, 1, 1, 2, 2, 2], 'ssu': range(6), 'population': (10, 40)}
    words = r'add up to 6, the population to 400 \(estimated over 2 stages\).*any_scale'
    with pytest.raises(WeightSumFar, match=words):
        Design(np.ones(6), **stages)
    with pytest.raises(WeightSumFar, match='add up to 1,800'):
        Design(np.full(6, 300.0), **stages)
    assert Design(np.ones(6), **stages, any_scale=True).n == 6
    assert Design(np.full(6, 60.0), **stages).total_weight == 360
    # How many persons a village has is not said here, so nothing can be compared.
    assert Design(np.full(6, 1000.0), psu=stages['psu'], population=10).n == 6


def test_options_are_checked() -> None:
    with pytest.raises(BadOption, match=r'lonely_psu is .center.'):
        Design(np.ones(6), lonely_psu='center')  # type: ignore[arg-type]
    with pytest.raises(BadOption, match='not both'):
        Design(np.ones(6), population=60, rate=0.1)
    with pytest.raises(BadOption, match='ssu needs psu'):
        Design(np.ones(6), ssu=VILLAGE)
    with pytest.raises(BadOption, match='needs weights'):
        Design()


def test_a_row_without_stratum_is_named() -> None:
    with pytest.raises(BadColumn, match=r'strata is missing in 1 rows \(row 2\)'):
        Design(np.ones(3), strata=['A', None, 'A'])


def test_a_design_from_a_table_knows_r_words_and_missing_columns() -> None:
    table = {'w': [1, 1, 1, 1], 's': ['A', 'A', 'B', 'B'], 'v': [1, 2, 3, 4]}
    assert Design.from_table(table, weights='w', strata='s', ids='v').df == 2
    with pytest.raises(BadColumn, match="no column 'pw'"):
        Design.from_table(table, weights='pw')


def test_integer_columns_cannot_overflow() -> None:
    people = np.full(1000, 2**31 - 1, dtype=np.int32)
    design = Design(np.full(1000, 5000))
    assert total(design, people).est == 5000 * 1000 * float(2**31 - 1)


@pytest.mark.parametrize(
    'labels',
    [
        np.array([-100, -100, 100, 100, 7, 7], dtype=np.int8),
        np.array([2**63, 2**63, 2**64 - 1, 2**64 - 1, 5, 5], dtype=np.uint64),
        np.array([1.5, 1.5, -2.0, -2.0, 0.0, 0.0]),
        np.array(['北', '北', 'x', 'x', 'y', 'y']),
        np.array([True, True, False, False, False, False]),
        ['b', 'b', 'a', 'a', 2, 2],
    ],
    ids=lambda labels: str(np.asarray(labels).dtype),
)
def test_labels_of_any_kind_name_their_own_rows(labels: object) -> None:
    rows = total(Design(np.ones(6)), Y, by=labels)
    for row in rows:
        here = [str(label) == row.label for label in np.asarray(labels, dtype=object)]
        assert row.est == sum(y for y, inside in zip(Y, here, strict=True) if inside)
    assert sum(row.est for row in rows) == sum(Y)
    # As strata too, by the labels of the villages or row by row.
    psu = [1, 2, 3, 4, 5, 6]
    assert total(Design(np.ones(6), strata=labels, psu=psu), Y).se == pytest.approx(
        total(Design(np.ones(6), strata=labels), Y).se, rel=1e-14
    )


def test_a_category_without_rows_is_no_stratum() -> None:
    towns = Groups(np.array([0, 0, 0, 2, 2, 2]), ('A', 'none', 'B'))
    design = Design(np.ones(6), strata=towns, psu=VILLAGE, population=np.full(6, 30))
    assert design.strata.names() == ('A', 'B')
    assert (
        total(design, Y).se
        == total(Design(np.ones(6), strata=TOWN, psu=VILLAGE, rate=2 / 30), Y).se
    )
    assert [row.n for row in total(design, Y, by=towns)] == [3, 0, 3]


def test_an_empty_domain_is_an_error_and_an_empty_group_a_row() -> None:
    design = Design(np.ones(6), strata=TOWN)
    with pytest.raises(EmptyDomain):
        mean(design, Y, where=[False] * 6)
    rows = mean(design, [1, 2, 3, np.nan, np.nan, np.nan], by=TOWN)
    assert rows['B'].n == 0
    assert rows['B'].missing == 3
    assert np.isnan(rows['B'].est)


def test_df_counts_villages_and_towns_seen_in_the_domain() -> None:
    design = Design(np.ones(6), strata=TOWN, psu=VILLAGE)
    assert mean(design, Y).df == 2
    assert mean(design, Y, where=matches(TOWN, 'A')).df == 1


def test_a_second_stage_counts_only_below_a_known_first_stage() -> None:
    two = Design(apiclus2['pw'], psu=apiclus2['dnum'], ssu=apiclus2['snum'])
    one = Design(apiclus2['pw'], psu=apiclus2['dnum'])
    assert mean(two, apiclus2['api00']).se == mean(one, apiclus2['api00']).se


def test_a_census_has_no_sampling_error() -> None:
    design = Design(strata=TOWN, population={'A': 3, 'B': 3})
    result = mean(design, Y)
    assert (result.se, result.lci, result.uci, result.census) == (0, result.est, result.est, True)


def test_the_design_says_what_it_is() -> None:
    design = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
    assert repr(design) == 'Design(200 rows, 3 strata, 200 PSUs, df 197)'
