"""Weights step by step: what is met, what is reported, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, mean, total, weights
from analysis.errors import (
    BadColumn,
    BadOption,
    BadWeights,
    MarginsDisagree,
    NotConverged,
    UnknownLevel,
)
from analysis.propensity import propensity_classes, r_indicator

SEX = np.array(['f', 'm'] * 50)
AGE = np.repeat(['18-34', '35-59', '60+', '60+'], 25)
BASE = np.linspace(5, 15, 100)


def test_base_weights_are_inverse_probabilities() -> None:
    assert weights.base([0.5, 0.1, 1]).tolist() == [2, 10, 1]
    with pytest.raises(BadWeights, match='0 in row 2'):
        weights.base([0.5, 0])


def test_kish() -> None:
    assert weights.kish([1, 1, 1, 1]) == 1
    assert weights.kish([1, 3, 0]) == pytest.approx(2 * 10 / 16)


def test_unknown_eligibility_is_spread_over_the_known_of_the_class() -> None:
    done = weights.unknown_eligibility(
        [10, 10, 10, 10], [True, False, True, True], ['A', 'A', 'B', 'B']
    )
    assert done.values.tolist() == [20, 0, 10, 10]


def test_respondents_stand_for_the_others_of_their_class() -> None:
    done = weights.nonresponse([10, 20, 10, 10], [1, 0, 1, 1], ['A', 'A', 'B', 'B'], minimum=1)
    assert done.values.tolist() == [30, 0, 10, 10]
    assert done.report.total == 50


def test_the_ineligible_keep_their_weight_and_answer_for_nobody() -> None:
    done = weights.nonresponse(
        [10, 10, 10, 10], [1, 0, 0, 0], eligible=[1, 1, 1, 0], minimum=1, largest=2
    )
    assert done.values.tolist() == [30, 0, 0, 10]
    assert done.report.large == ('all (3.00)',)


def test_small_classes_are_reported_and_merged_only_on_demand() -> None:
    responded = np.ones(100, dtype=bool)
    responded[::3] = False
    classes = np.repeat(['a', 'b', 'c', 'd'], [60, 10, 20, 10])
    alone = weights.nonresponse(BASE, responded, classes, minimum=15)
    assert [name.split()[0] for name in alone.report.tiny] == ['b', 'c', 'd']
    merged = weights.nonresponse(BASE, responded, classes, minimum=15, collapse='neighbour')
    assert merged.report.tiny == ()
    assert merged.report.collapsed == {'b': 'b+c+d', 'c': 'b+c+d', 'd': 'b+c+d'}
    by_name = weights.nonresponse(
        BASE, responded, classes, minimum=15, collapse={'b': 'c', 'd': 'c'}
    )
    np.testing.assert_allclose(by_name.values, merged.values)


def test_a_class_in_which_nobody_answered_is_named() -> None:
    with pytest.raises(BadOption, match=r'Nobody answered in class B.*collapse'):
        weights.nonresponse([1, 1, 1], [1, 1, 0], ['A', 'A', 'B'])


def test_the_variance_follows_the_adjustment_for_non_response() -> None:
    # With one class the adjusted mean is that of the respondents: a ratio over the full sample.
    random = np.random.default_rng(7)
    village = np.repeat(np.arange(20), 5)
    answered = random.random(100) < 0.7
    y = random.normal(50, 10, 100)
    design = Design(BASE, psu=village)
    done = weights.nonresponse(BASE, answered)
    adjusted = mean(design.calibrated(done.step), np.where(answered, y, np.nan))
    respondents = mean(design, y, where=answered)
    assert adjusted.est == pytest.approx(respondents.est)
    assert adjusted.se == pytest.approx(respondents.se)
    # The adjusted total carries the variation of the full sample's size as well.
    as_total = total(design.calibrated(done.step), np.where(answered, y, np.nan))
    factor = done.report.g_max
    g = factor * BASE * answered * (y - respondents.est) + BASE * respondents.est
    sums = np.bincount(village, g)
    assert as_total.se**2 == pytest.approx(20 / 19 * ((sums - sums.mean()) ** 2).sum())


def test_post_strata_are_met_and_the_report_says_at_what_price() -> None:
    done = weights.post_stratify(BASE, AGE, {'18-34': 300, '35-59': 400, '60+': 300})
    sums = {age: done.values[age == AGE].sum() for age in np.unique(AGE)}
    assert sums == pytest.approx({'18-34': 300, '35-59': 400, '60+': 300})
    assert done.report.kish > 1
    assert done.report.g_min < 1 < done.report.g_max
    assert done.report.tiny == ()


def test_a_cell_without_answers_is_named_and_can_be_merged() -> None:
    people = {'18-34': 300, '35-59': 400, '60+': 300, '80+': 20}
    with pytest.raises(UnknownLevel, match=r'nobody in the sample stands for 80\+'):
        weights.post_stratify(BASE, AGE, people)
    done = weights.post_stratify(BASE, AGE, people, collapse={'80+': '60+'})
    assert done.values[AGE == '60+'].sum() == pytest.approx(320)


def test_a_level_that_the_population_does_not_have_is_named() -> None:
    with pytest.raises(UnknownLevel, match=r'the sample has 60\+, the population'):
        weights.post_stratify(BASE, AGE, {'18-34': 300, '35-59': 400})


def test_missing_levels_are_counted() -> None:
    with pytest.raises(UnknownLevel, match=r'sex is missing in 1 rows \(row 2\)'):
        weights.rake([1, 1], {'sex': ['f', None]}, {'sex': {'f': 2}})


def test_raking_meets_every_margin() -> None:
    people = {'sex': {'f': 480, 'm': 520}, 'age': {'18-34': 300, '35-59': 400, '60+': 300}}
    done = weights.rake(BASE, {'sex': SEX, 'age': AGE}, people)
    for level, count in people['sex'].items():
        assert done.values[level == SEX].sum() == pytest.approx(count, rel=1e-8)
    for level, count in people['age'].items():
        assert done.values[level == AGE].sum() == pytest.approx(count, rel=1e-8)
    assert max(done.report.misfit.values()) <= 1e-8
    # g is a product of one factor for each margin: log g is additive.
    g = done.values / BASE
    assert g[0] * g[26 + 1] == pytest.approx(g[1] * g[26])


def test_margins_that_disagree_are_refused_with_their_sums() -> None:
    with pytest.raises(MarginsDisagree, match='sex 1,000, age 1,010'):
        weights.rake(
            BASE,
            {'sex': SEX, 'age': AGE},
            {'sex': {'f': 480, 'm': 520}, 'age': {'18-34': 310, '35-59': 400, '60+': 300}},
        )


def test_raking_that_cannot_converge_names_the_margin() -> None:
    # Everybody under 35 is a woman and the reverse: the margins contradict each other.
    sex, age = ['f', 'f', 'm', 'm'], ['y', 'y', 'o', 'o']
    with pytest.raises(NotConverged, match=r"margin '(sex|age)', level"):
        weights.rake(
            np.ones(4),
            {'sex': sex, 'age': age},
            {'sex': {'f': 60, 'm': 40}, 'age': {'y': 40, 'o': 60}},
        )


def test_raked_levels_that_exist_only_as_categories_are_harmless() -> None:
    from analysis.columns import Groups

    sex = Groups(np.array([0, 1] * 50), ('f', 'm', 'other'))
    done = weights.rake(BASE, {'sex': sex}, {'sex': {'f': 480, 'm': 520, 'other': 0}})
    assert done.report.total == pytest.approx(1000)


def test_steps_must_follow_each_other() -> None:
    design = Design(BASE)
    first = weights.post_stratify(BASE, AGE, {'18-34': 300, '35-59': 400, '60+': 300})
    second = weights.post_stratify(first, SEX, {'f': 500, 'm': 500})
    both = design.calibrated(first.step, second.step)
    assert len(both.steps) == 2
    assert total(both, by=SEX)['f'].se == pytest.approx(0, abs=1e-9)
    with pytest.raises(BadOption, match='in the order'):
        design.calibrated(second.step)


def test_classes_of_the_propensity_to_answer() -> None:
    random = np.random.default_rng(2)
    age = random.uniform(18, 80, 600)
    sex = np.where(random.random(600) < 0.5, 'f', 'm')
    responded = random.random(600) < 1 / (1 + np.exp(-(age - 45) / 15))
    classes = propensity_classes(responded, {'age': age, 'sex': sex})
    rates = [responded[classes.codes == k].mean() for k in range(len(classes))]
    assert len(classes) == 5
    assert rates == sorted(rates)
    done = weights.nonresponse(np.ones(600), responded, classes, largest=10)
    # The young answer less; their weight makes up for it.
    plain = age[responded].mean()
    adjusted = (done.values * age).sum() / done.values.sum()
    assert abs(adjusted - age.mean()) < 0.3 * abs(plain - age.mean())
    assert r_indicator(responded, {'age': age}) < 0.6
    assert r_indicator(random.random(600) < 0.5, {'age': age}) > 0.9


def test_propensities_need_what_is_known_of_everybody() -> None:
    with pytest.raises(BadColumn, match='age is missing'):
        propensity_classes([1, 0, 1, 0], {'age': [20, np.nan, 40, 50]})
