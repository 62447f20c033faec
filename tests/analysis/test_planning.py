"""Sizes before fieldwork, verdicts on several towns, flags, and looking while answers arrive."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from analysis import Design, decide, mean, planning, proportion
from analysis.errors import BadColumn, BadOption, BadTarget, SampleTooLarge, UnknownLevel
from analysis.monitoring import confidence_sequence
from analysis.presentation import flag
from analysis.result import Estimate
from analysis.verdict import compare_with, decide_together, holm


def share(hits: int, n: int) -> Estimate:
    result = proportion(Design(np.full(n, 10.0)), [1.0] * hits + [0.0] * (n - hits))
    assert isinstance(result, Estimate)
    return result


def test_size_for_a_margin() -> None:
    # Cochran 1977: 1.96²·0.25/0.05² = 384.1
    assert planning.size_for_margin(0.05).answers == 385
    # then ×1.5 = 578, of 2,000 people 578/(1 + 577/2000) = 448.6, at 60 % response 748.3
    size = planning.size_for_margin(0.05, population=2000, deff=1.5, response=0.6)
    assert (size.effective, size.answers, size.addresses) == (385, 449, 749)


# The formula of Fleiss gives 2408, 1055, 584, 368, 181, 83, 32, a little short of the power.
@pytest.mark.parametrize(
    ('truth', 'effective'),
    [(0.82, 2443), (0.83, 1079), (0.84, 601), (0.85, 380), (0.87, 191), (0.90, 86), (0.95, 35)],
)
def test_size_to_prove_more_than_80_percent(truth: float, effective: int) -> None:
    assert planning.size_for_target(truth, 0.80).effective == effective

    def exact(n: int) -> float:
        met = [k for k in range(n + 1) if wilson_lower(k / n, n) > 0.80]
        return float(binom.sf(met[0] - 1, n, truth)) if met else 0.0

    # One answer fewer may miss the power; that many, or any number more, never do.
    assert exact(effective - 1) < 0.80
    assert min(exact(n) for n in range(effective, effective + 40)) >= 0.80


def wilson_lower(p: float, n: int) -> float:
    z = 1.6448536269514722
    centre = p + z * z / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return float((centre - half) / (1 + z * z / n))


@pytest.mark.parametrize('power', [0.3, 0.5, 0.9, 0.99])
def test_the_power_asked_for_is_reached_above_and_below_the_target(power: float) -> None:
    for truth, target in ((0.9, 0.8), (0.55, 0.6), (0.02, 0.05)):
        n = planning.size_for_target(truth, target, power=power).effective
        reached = [planning.power(truth, target, m) for m in range(n, n + 200)]
        assert min(reached) >= power
        assert n == 1 or planning.power(truth, target, n - 1) < power


def test_the_power_holds_with_villages_and_a_finite_population_too() -> None:
    size = planning.size_for_target(0.85, 0.80, population=2000, deff=1.5)
    town = planning.expected_precision(
        {'a': 2000}, {'a': size.answers}, p=0.8, target=0.8, truth=0.85, deff=1.5
    )[0]
    assert town.power >= 0.80
    assert size.answers < 570


@pytest.mark.parametrize(
    ('effective', 'truth', 'power'),
    [(100, 0.80, 0.047), (100, 0.90, 0.88), (400, 0.85, 0.82), (800, 0.83, 0.70), (50, 0.85, 0.22)],
)
def test_power_of_a_plan(effective: int, truth: float, power: float) -> None:
    assert planning.power(truth, 0.80, effective) == pytest.approx(power, abs=0.006)


def test_power_agrees_with_the_verdict_it_speaks_about() -> None:
    # Shares whose verdict is "met", weighed by their binomial probabilities (n_eff = n, normal t).
    first = min(k for k in range(101) if k / 100 > planning.smallest_met(0.8, 100))
    assert planning.power(0.9, 0.8, 100) == pytest.approx(binom.sf(first - 1, 100, 0.9))
    assert planning.power(0.7, 0.8, 100) == pytest.approx(planning.power(0.3, 0.2, 100))


def test_the_city_pays_for_equal_samples_in_unequal_towns() -> None:
    rows = planning.expected_precision(
        {'a': 90_000, 'b': 10_000}, {'a': 100, 'b': 100}, p=0.8, target=0.8, truth=0.9, deff=1.5
    )
    town, _, city = rows
    left = 1.5 / 100 * (90_000 - 100) / 89_999, 1.5 / 100 * (10_000 - 100) / 9_999
    assert town.effective == pytest.approx(1 / left[0])
    assert city.answers == 200
    assert city.effective == pytest.approx(1 / (0.81 * left[0] + 0.01 * left[1]))
    assert city.margin < town.margin
    assert city.power > town.power
    with pytest.raises(UnknownLevel, match='no answers in b'):
        planning.expected_precision({'a': 9, 'b': 1}, {'a': 5}, p=0.8, target=0.8, truth=0.9)


def test_everybody_asked_leaves_nothing_uncertain() -> None:
    town, city = planning.expected_precision(
        {'a': 100}, {'a': 100}, p=0.8, target=0.8, truth=0.9, deff=1.5
    )
    assert (town.margin, town.smallest_met, town.power) == (0, 0.8, 1)
    assert city.margin == 0
    with pytest.raises(SampleTooLarge, match='a: 101 answers of 100 people'):
        planning.expected_precision({'a': 100}, {'a': 101}, p=0.8, target=0.8, truth=0.9)


def test_no_share_can_prove_a_target_that_the_size_does_not_reach() -> None:
    assert np.isnan(planning.smallest_met(0.98, 5))
    assert planning.smallest_met(0.98, 500) < 1
    assert planning.power(0.99, 0.98, 5) == 0
    with pytest.raises(BadOption, match='effective size must be above 0'):
        planning.smallest_met(0.8, 0)


def test_design_effects_of_villages_and_weights() -> None:
    assert planning.design_effect(10, 0.05) == pytest.approx(1.45)
    assert planning.design_effect(10, 0.05, 0.5) == pytest.approx(1.45 * 1.25)


def test_how_many_more_answers_decide() -> None:
    row = share(86, 100)
    assert decide(row, 0.8).decision == 'undecided'
    more = planning.more_answers(row, 0.8)
    assert more is not None
    assert 15 < more < 30
    hits = round(0.86 * (100 + more))
    assert decide(share(hits + 1, 100 + more), 0.8).decision == 'met'
    assert planning.more_answers(share(95, 100), 0.8) == 0
    assert planning.more_answers(share(80, 100), 0.8) is None


def test_an_undecided_town_of_few_villages_needs_at_least_one_more_answer() -> None:
    undecided = 0
    for seed in range(50):
        random = np.random.default_rng(seed)
        village = np.repeat(np.arange(6), 12)
        row = proportion(Design(np.ones(72), psu=village), (random.random(72) < 0.88) * 1.0)
        if decide(row, 0.8).decision != 'undecided':
            assert planning.more_answers(row, 0.8) == 0
            continue
        undecided += 1
        more = planning.more_answers(row, 0.8)
        assert more is None or more >= 1
    assert undecided > 10


def test_more_answers_speak_of_the_interval_of_the_row() -> None:
    wilson, beta = (
        share(86, 100),
        proportion(Design(np.full(100, 10.0)), [1.0] * 86 + [0.0] * 14, method='korn-graubard'),
    )
    first, second = planning.more_answers(wilson, 0.8), planning.more_answers(beta, 0.8)
    assert first is not None
    assert second is not None
    assert second > first


def test_options_of_plans_are_checked() -> None:
    with pytest.raises(BadOption, match=r'as 0\.03; not 3'):
        planning.size_for_margin(3)
    with pytest.raises(BadOption, match='truth must be a share'):
        planning.size_for_target(85, 80)
    with pytest.raises(BadTarget, match='never be told'):
        planning.size_for_target(0.8, 0.8)
    with pytest.raises(BadTarget, match='too close'):
        planning.size_for_target(0.800001, 0.8)
    for wrong in (np.nan, '2'):
        with pytest.raises(BadOption, match='deff must be a'):
            planning.size_for_margin(0.03, deff=wrong)  # type: ignore[arg-type]
        with pytest.raises(BadOption, match='population must be a'):
            planning.size_for_margin(0.03, population=wrong)  # type: ignore[arg-type]
    with pytest.raises(BadOption, match='No population is large enough'):
        planning.size_for_margin(1e-300)
    plan = {'population': {'a': 100}, 'answers': {'a': 10}, 'target': 0.8, 'truth': 0.9}
    with pytest.raises(BadOption, match='deff must be above 0'):
        planning.expected_precision(**plan, p=0.8, deff=0)  # type: ignore[arg-type]
    with pytest.raises(UnknownLevel, match='deff says nothing about a'):
        planning.expected_precision(**plan, p=0.8, deff={'b': 1})  # type: ignore[arg-type]
    with pytest.raises(BadOption, match='p must be a share'):
        planning.expected_precision(**plan, p=1.8)  # type: ignore[arg-type]


def test_holm_by_hand() -> None:
    # sorted .01 .02 .03 .2 → ×4, ×3, ×2, ×1 and never falling
    assert holm([0.2, 0.01, 0.03, 0.02]) == pytest.approx([0.2, 0.04, 0.06, 0.06])
    assert holm([]) == []


def test_towns_together_are_judged_more_strictly() -> None:
    rows = [share(88, 101), share(99, 101), share(60, 101)]
    alone = [decide(row, 0.8).decision for row in rows]
    together = decide_together(rows, 0.8)
    assert alone == ['met', 'met', 'not_met']
    assert [verdict.decision for verdict in together] == ['undecided', 'met', 'not_met']
    assert together[0].p_met > 0.05


def test_an_outside_figure_with_its_own_error() -> None:
    row = mean(Design(np.ones(50)), np.linspace(70, 90, 50))
    exact = compare_with(row, 78.0)
    uncertain = compare_with(row, 78.0, 1.5, df=30)
    assert exact.statistic == pytest.approx((80 - 78) / row.se)
    assert exact.df2 == pytest.approx(49)
    assert uncertain.p_value > exact.p_value
    assert 30 < uncertain.df2 < 79
    with pytest.raises(BadTarget, match='standard error from 0'):
        compare_with(row, 78.0, -1)
    for value, se in (('78', 1.0), (78.0, np.nan), (np.inf, 0.0)):
        with pytest.raises(BadTarget, match='standard error from 0'):
            compare_with(row, value, se)  # type: ignore[arg-type]


def test_flags_of_the_presentation_standard() -> None:
    assert flag(share(80, 100)).flag == 'show'
    assert flag(share(20, 25)).flag == 'suppress'
    assert '25 answers, below 30' in flag(share(20, 25)).reasons
    assert flag(share(100, 100)).reasons == ('all answers alike',)
    # 2 of 60: the interval is several times the share itself
    assert flag(share(2, 60)).flag == 'suppress'
    # 40 answers around one half: more than 0.30 wide
    assert flag(share(20, 40)).reasons[0].startswith('interval 0.3')
    few = proportion(Design(np.ones(200), psu=np.repeat(np.arange(5), 40)), [1.0, 1, 1, 0] * 50)
    assert flag(few).flag == 'review'
    assert flag(few).reasons == ('4 degrees of freedom, below 8',)
    empty = proportion(Design(np.ones(2)), [1, np.nan], by=['A', 'B'])['B']
    assert flag(empty).reasons == ('no answers',)


def test_a_confidence_sequence_is_wider_than_the_final_interval() -> None:
    random = np.random.default_rng(5)
    answers = (random.random(400) < 0.85).astype(float)
    looks = confidence_sequence(answers, [50, 100, 400])
    final = share(int(answers.sum()), 400)
    assert looks[2].low < final.lci < final.uci < looks[2].high
    assert looks[0].high - looks[0].low > looks[1].high - looks[1].low
    wider = confidence_sequence(answers, [400], deff=2)[0]
    assert wider.low < looks[2].low


def test_it_holds_at_every_look_at_once() -> None:
    random = np.random.default_rng(6)
    wrong = 0
    for _ in range(200):
        answers = (random.random(200) < 0.8).astype(float)
        looks = confidence_sequence(answers, list(range(5, 201, 5)))
        wrong += any(not look.low <= 0.8 <= look.high for look in looks)
    # Expected at most 5 %; 200 fixed intervals looked at 40 times would fail in about a third.
    assert wrong <= 16


def test_sequences_at_the_ends_and_wrong_input() -> None:
    ones = confidence_sequence([1.0] * 30, [30])[0]
    assert ones.high == 1
    assert 0.75 < ones.low < 0.95
    zeros = confidence_sequence([0.0] * 30, [30])[0]
    assert zeros.low == 0
    with pytest.raises(BadColumn, match='must be 0 or 1'):
        confidence_sequence([1, 0.5])
    with pytest.raises(BadOption, match='looks must be a list of whole numbers; it is 3'):
        confidence_sequence([1, 0, 1], 3)  # type: ignore[arg-type]
    with pytest.raises(BadOption, match='no look after 9 of 2'):
        confidence_sequence([1, 0], [9])
