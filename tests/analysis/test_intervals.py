"""Intervals that hold near the ends of the scale, and verdicts that agree with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    Design,
    Estimate,
    contrast,
    decide,
    difference,
    intervals,
    mean,
    proportion,
    smooth,
)
from analysis.errors import BadColumn, BadOption, BadTarget
from analysis.pooled import pool_design_effect
from analysis.verdict import decide_together
from tests.analysis.apidata import apiclus1

SHARE_METHODS = [name for name in intervals.METHODS if name != 't']


def sample(hits: int, n: int) -> Design:
    return Design(np.full(n, 10.0))


def share(hits: int, n: int, **options: object) -> Estimate:
    result = proportion(sample(hits, n), [1.0] * hits + [0.0] * (n - hits), **options)  # type: ignore[arg-type]
    assert isinstance(result, Estimate)
    return result


def test_wilson_by_hand() -> None:
    # Wilson 1927 with p = 0.8, n_eff = p(1 − p)/V = 24 (V divides by n − 1 = 24), t of 24 df
    result = share(20, 25)
    t = 2.0638985616280205
    centre = (0.8 + t * t / 48) / (1 + t * t / 24)
    half = t * math.sqrt(0.16 / 24 + t * t / (4 * 24**2)) / (1 + t * t / 24)
    assert result.n_eff == pytest.approx(24)
    assert (result.lci, result.uci) == pytest.approx((centre - half, centre + half), rel=1e-12)


def test_wilson_as_r_survey_4_5_gives_it() -> None:
    # svyciprop(~I(sch.wide == "Yes"), CLUS1, method = "wilson")   survey 4.5
    design = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    result = proportion(design, apiclus1['sch.wide'], value='Yes')
    assert (round(result.lci, 4), round(result.uci, 4)) == (0.8242, 0.9117)


def test_korn_graubard_of_a_simple_sample_is_near_clopper_pearson() -> None:
    # binom.test(18, 20)$conf.int: 0.6830173 0.9876515; n_eff is 19 here, so a little wider
    low, high, _ = intervals.bounds(
        0.9, math.sqrt(0.09 / 20), n=20, df=19, tail=0.025, method='korn-graubard', limits=(0, 1)
    )
    assert (low, high) == pytest.approx((0.6830173, 0.9876515), abs=1e-7)


@pytest.mark.parametrize('method', SHARE_METHODS)
@pytest.mark.parametrize('hits', [0, 30])
def test_a_share_of_0_or_1_gets_a_one_sided_interval_of_some_width(method: str, hits: int) -> None:
    result = share(hits, 30, method=method)
    if hits:
        assert result.uci == 1
        assert 0.85 < result.lci < 0.95
    else:
        assert result.lci == 0
        assert 0.05 < result.uci < 0.15
    assert result.n_eff == 30


def test_the_method_in_the_row_is_the_one_that_was_used() -> None:
    assert share(30, 30, method='logit').method == 'korn-graubard'
    assert share(29, 30, method='logit').method == 'logit'
    # R's words are understood.
    named = {'beta': 'korn-graubard', 'xlogit': 'logit', 'asin': 'arcsine', 'mean': 'wald'}
    assert {word: share(25, 30, method=word).method for word in named} == named


def test_villages_that_all_agree_do_not_make_a_share_certain() -> None:
    design = Design(np.ones(40), psu=np.repeat(np.arange(10), 4))
    result = proportion(design, [1.0, 1.0, 1.0, 0.0] * 10)
    assert result.se < 1e-12
    assert result.n_eff == 40
    assert result.lci < 0.65
    assert result.uci > 0.85


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SHARE_METHODS),
    st.floats(0.01, 0.99),
    st.integers(10, 500),
    st.floats(0.5, 4),
    st.integers(1, 60),
)
def test_bounds_contain_the_estimate_and_widen_with_the_level(
    method: str, p: float, n: int, deff: float, df: int
) -> None:
    se = math.sqrt(p * (1 - p) / n * deff)
    last = (p, p)
    for tail in (0.4, 0.1, 0.025, 0.005):
        low, high, _ = intervals.bounds(p, se, n=n, df=df, tail=tail, method=method, limits=(0, 1))
        assert 0 <= low <= p + 1e-9
        assert p - 1e-9 <= high <= 1
        if tail < 0.4:
            assert low <= last[0] + 1e-9
            assert high >= last[1] - 1e-9
        last = low, high


def test_a_score_stays_on_its_scale_and_never_claims_to_be_certain() -> None:
    design = Design(np.ones(20))
    near_top = mean(design, [100.0] * 19 + [0.0], limits=(0, 100))
    assert near_top.uci == 100
    perfect = mean(design, [100.0] * 20, limits=(0, 100))
    assert perfect.uci == 100
    assert perfect.lci < 90
    with pytest.raises(BadColumn, match='leaves its scale 0 to 100: 120 in row 2'):
        mean(design, [50.0, 120.0] + [50.0] * 18, limits=(0, 100))


def test_options_of_intervals_are_checked() -> None:
    with pytest.raises(BadOption, match=r"Unknown interval method 'exact'.*wilson"):
        share(5, 10, method='exact')
    with pytest.raises(BadOption, match=r'level is 95.*0\.95'):
        share(5, 10, level=95)
    with pytest.raises(BadOption, match='for shares and bounded scores'):
        mean(sample(5, 10), np.arange(10.0), method='wilson')


def test_a_score_is_not_a_share() -> None:
    with pytest.raises(BadColumn, match=r'0 or 1.*row 1 has 80.*mean for scores'):
        proportion(Design(np.ones(2)), [80, 1])


def test_a_value_that_nobody_gave_is_named_with_those_that_were() -> None:
    with pytest.raises(BadColumn, match=r"value 'yes'.*No, Yes"):
        proportion(Design(np.ones(2)), ['Yes', 'No'], value='yes')


def test_verdicts_met_not_met_undecided() -> None:
    assert decide(share(97, 100), 0.8).decision == 'met'
    assert decide(share(60, 100), 0.8).decision == 'not_met'
    assert decide(share(83, 100), 0.8).decision == 'undecided'


def test_the_smallest_share_shown_as_met_grows_with_the_sample() -> None:
    # With n_eff 100 and a one-sided 5 % Wilson bound a share of 87 % is shown above 80 %, 86 % not.
    assert decide(share(87, 101), 0.8).decision == 'undecided'
    assert decide(share(88, 101), 0.8).decision == 'met'


def test_the_verdict_is_the_one_sided_bound_of_the_same_method() -> None:
    for method in SHARE_METHODS:
        estimate = share(87, 100, method=method)
        verdict = decide(estimate, 0.8)
        low, high = estimate.interval(0.90)
        assert (verdict.bound_lower, verdict.bound_upper) == (low, high)
        assert verdict.method == estimate.method
        # The p-value is the tail at which the bound touches the target.
        assert estimate.bounds(verdict.p_met)[0] == pytest.approx(0.8, abs=1e-6)
        assert (verdict.p_met < 0.05) == (verdict.decision == 'met')
        assert verdict.p_not_met == pytest.approx(1 - verdict.p_met, abs=0.02)


def test_a_share_of_exactly_the_target_is_undecided() -> None:
    assert decide(share(80, 100), 0.8).decision == 'undecided'


def test_a_full_share_cannot_prove_a_target_of_one() -> None:
    assert decide(share(100, 100), 1.0).decision == 'undecided'


def test_a_target_in_per_cent_for_a_share_is_refused_with_the_right_number() -> None:
    with pytest.raises(BadTarget, match=r'80 lies outside the scale 0 to 1.*0\.8 for 80 %'):
        decide(share(80, 100), 80)
    for target in (math.nan, None, '0.8', True):
        with pytest.raises(BadTarget, match='must be a number'):
            decide(share(80, 100), target)  # type: ignore[arg-type]
    rows = proportion(sample(5, 10), [1.0] * 5 + [0.0] * 5, by=['a', 'b'] * 5)
    with pytest.raises(BadTarget, match='about one row'):
        decide(rows, 0.8)
    assert decide(rows[np.int64(0)], np.float64(0.8)).target == 0.8
    with pytest.raises(BadTarget, match='scale 0 to 100'):
        decide(mean(Design(np.ones(3)), [50, 60, 70], limits=(0, 100)), 120)


def test_scores_and_differences_are_judged_in_their_own_unit() -> None:
    design = Design(np.ones(200))
    scores = np.where(np.arange(200) % 2, 95.0, 85.0)
    assert decide(mean(design, scores, limits=(0, 100)), 80).decision == 'met'
    rows = mean(design, scores, by=np.arange(200) % 2)
    assert decide(difference(rows, '1', '0'), 5).decision == 'met'


def test_a_domain_without_answers_has_no_verdict() -> None:
    rows = proportion(Design(np.ones(4)), [1, 0, np.nan, np.nan], by=['A', 'A', 'B', 'B'])
    with pytest.raises(BadTarget, match='no estimate for B'):
        decide(rows['B'], 0.8)


def towns_of_six_villages() -> tuple[Design, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    town = np.repeat(np.arange(4), 60)
    village = town * 6 + np.tile(np.arange(6), 40)
    share_of_village = random.uniform(0.6, 1.0, 24)[village]
    yes = (random.random(240) < share_of_village).astype(float)
    yes[town == 3] = 1.0
    return Design(np.ones(240), strata=town, psu=village), town, yes


def test_a_pooled_design_effect_is_the_mean_over_the_towns() -> None:
    design, town, yes = towns_of_six_villages()
    rows = proportion(design, yes, by=town)
    pooled = pool_design_effect(rows)
    simple = [row.est * (1 - row.est) / row.n for row in rows][:3]
    deff = sum(row.se**2 for row in list(rows)[:3]) / sum(simple)
    assert [row.pooled_deff for row in pooled] == pytest.approx([deff] * 4)
    assert pooled[0].df == 15
    assert pooled[0].est == rows[0].est
    assert pooled[0].se == pytest.approx(math.sqrt(deff * simple[0]))
    assert pooled[0].n_eff == pytest.approx(60 / deff)
    # A town where all agree gets the common precision, not n: its interval is one-sided.
    assert pooled[3].uci == 1
    assert pooled[3].n_eff == pytest.approx(60 / deff)
    # The verdict speaks about the interval that is shown.
    assert decide(pooled[0], 0.8).bound_lower == pooled[0].interval(0.9)[0]


def test_a_design_effect_needs_towns_with_variance() -> None:
    design, town, yes = towns_of_six_villages()
    with pytest.raises(BadOption, match='Fewer than two towns'):
        pool_design_effect(proportion(design, np.ones(240), by=town))
    with pytest.raises(BadOption, match='of one share'):
        pool_design_effect(mean(design, yes, by=town))


def test_groups_that_cut_across_villages_have_no_common_design_effect() -> None:
    design, _, yes = towns_of_six_villages()
    age = np.where(np.arange(240) // 7 % 2, 'young', 'old')
    with pytest.raises(BadOption, match='share villages'):
        pool_design_effect(proportion(design, yes, by=age))


def test_pooled_degrees_of_freedom_are_those_of_the_design() -> None:
    village = np.repeat(np.arange(12), 10)
    design = Design(np.ones(120), psu=village)
    yes = (np.random.default_rng(0).random(120) < 0.7).astype(float)
    rows = proportion(design, yes, by=village // 6)
    # One stratum of 12 villages: 11, although each half has 5 of its own.
    assert [row.df for row in rows] == [5, 5]
    assert pool_design_effect(rows)[0].df == design.df == 11


def test_some_rows_of_a_table_are_a_table() -> None:
    design, town, yes = towns_of_six_villages()
    rows = proportion(design, yes, by=town)
    some = rows[1:3]
    assert [row.label for row in some] == ['1', '2']
    np.testing.assert_array_equal(some.covariance, rows.covariance[1:3, 1:3])
    assert difference(some, '1', '2') == difference(rows, '1', '2')


def towns(first: list[float], second: list[float], psu: object = None) -> object:
    n = len(first) + len(second)
    design = Design(np.full(n, 10.0), psu=psu)
    return proportion(design, first + second, by=['a'] * len(first) + ['b'] * len(second))


def test_a_difference_of_full_and_empty_shares_is_not_certain() -> None:
    # Newcombe 1998, table II: 10/10 − 0/10 is 0.6075 to 1 by method 10, with normal quantiles.
    rows = towns([1.0] * 10, [0.0] * 10)
    apart = difference(rows, 'a', 'b')
    a, b = rows['a'], rows['b']
    assert (apart.est, apart.se, apart.method) == (1.0, 0.0, 'mover/wilson')
    assert apart.lci == pytest.approx(1 - math.hypot(1 - a.lci, b.uci))
    assert apart.uci == 1.0
    assert decide(apart, 0.95).decision == 'undecided'
    assert decide(apart, 0.2).decision == 'met'
    # Newcombe's own figure, from Wilson limits with z: 0/10 to 0.2775.
    assert 1 - math.hypot(0.2775, 0.2775) == pytest.approx(0.6075, abs=1e-4)


def test_one_full_share_widens_a_difference_by_its_own_limit() -> None:
    rows = towns([1.0] * 20, [1.0, 0.0] * 10)
    apart, a, b = difference(rows, 'a', 'b'), rows['a'], rows['b']
    assert apart.lci == pytest.approx(0.5 - math.hypot(1 - a.lci, b.uci - 0.5))
    assert apart.uci == pytest.approx(0.5 + (0.5 - b.lci))
    # Another level comes from the shares' limits at that level.
    assert apart.bounds(0.05)[0] == pytest.approx(
        0.5 - math.hypot(1 - a.bounds(0.05)[0], b.bounds(0.05)[1] - 0.5)
    )


def test_shares_of_the_same_villages_without_variance_get_the_widest_difference() -> None:
    villages = list(range(10)) * 2
    rows = towns([1.0] * 10, [0.0] * 10, villages)
    a, b = rows['a'], rows['b']
    assert difference(rows, 'a', 'b').lci == pytest.approx(1 - (1 - a.lci) - b.uci)


def test_a_difference_of_shares_with_variance_keeps_its_t_interval() -> None:
    apart = difference(towns([1.0] * 9 + [0.0], [1.0, 0.0] * 5), 'a', 'b')
    assert apart.method == 't'
    assert apart.uci - apart.est == pytest.approx(apart.est - apart.lci)


def test_towns_asked_in_full_differ_for_certain() -> None:
    design = Design(np.ones(20), strata=['a'] * 10 + ['b'] * 10, population={'a': 10, 'b': 10})
    rows = proportion(design, [1.0] * 10 + [0.0] * 10, by=['a'] * 10 + ['b'] * 10)
    assert difference(rows, 'a', 'b').interval() == (1.0, 1.0)


def test_a_mean_of_yes_and_no_is_not_judged_in_per_cent() -> None:
    design, yes = Design(np.ones(20)), [1.0] * 17 + [0.0] * 3
    with pytest.raises(BadTarget, match=r'80 cannot be reached.*Use proportion, and write 0\.8'):
        decide(mean(design, yes), 80)
    assert decide(mean(design, yes), 0.3).decision == 'met'
    assert decide(mean(design, [50.0, 1.0] * 10), 80).decision == 'not_met'


def test_answers_that_never_vary_do_not_prove_a_mean() -> None:
    design = Design(np.ones(20))
    with pytest.raises(BadTarget, match=r'no variance.*Use proportion'):
        decide(mean(design, np.ones(20)), 0.8)
    with pytest.raises(BadTarget, match=r'no variance.*limits='):
        decide(mean(design, np.full(20, 90.0)), 80)
    assert decide(mean(design, np.full(20, 90.0), limits=(0, 100)), 20).decision == 'met'
    everybody = Design(np.ones(20), population=20)
    assert decide(mean(everybody, np.ones(20)), 0.8).decision == 'met'


def test_bounds_of_several_towns_agree_with_their_verdicts_together() -> None:
    hits = [70, 72, 73, 74, 76, 78, 80]
    towns = [share(hit, 80) for hit in hits]
    alone = [decide(row, 0.85) for row in towns]
    together = decide_together(towns, 0.85)
    for one in together:
        assert (one.decision == 'met') == (one.bound_lower > 0.85)
        assert (one.decision == 'not_met') == (one.bound_upper < 0.85)
        assert (one.decision == 'met') == (one.p_met < 0.05)
    met = [one.decision for one in together].count('met')
    assert 0 < met < [one.decision for one in alone].count('met')
    # The clearest town is looked at first, at 5 % over all seven.
    assert together[6].bound_lower == towns[6].bounds(0.05 / 7)[0]


def test_contrasts_and_functions_of_rows_say_what_is_wrong() -> None:
    rows = mean(sample(6, 12), np.arange(12.0), by=np.repeat(['a', 'b', 'c'], 4))
    with pytest.raises(BadOption, match='at least one row'):
        contrast(rows, {})
    with pytest.raises(BadOption, match=r"coefficients\['a'\] must be a number; it is 'x'"):
        contrast(rows, {'a': 'x'})  # type: ignore[dict-item]
    with pytest.raises(BadOption, match='There is no row 99; there are 3'):
        rows[99]
    with pytest.raises(BadOption, match='one finite number, not'):
        smooth(rows, lambda at: at)  # type: ignore[arg-type, return-value]
    with pytest.raises(BadOption, match='The function fails at'):
        smooth(rows, lambda at: at[9])
    with pytest.raises(BadOption, match='one finite number, not nan'):
        smooth(rows, lambda at: float(np.log(-at[0])))
