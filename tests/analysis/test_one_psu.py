"""One village tells nothing of how villages differ: no error, no interval, no verdict."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from analysis import Design, decide, difference, mean, proportion, ratio, replicates, total
from analysis.__main__ import main
from analysis.association import rao_scott
from analysis.errors import BadOption, BadTarget, LonelyPsu
from analysis.pooled import pool_design_effect
from analysis.regression import linear, t_test
from analysis.verdict import compare_with, decide_together

VILLAGE = np.repeat(np.arange(8), 5)
SCORE = np.random.default_rng(1).normal(80.0, 5.0, 40)
YES = (SCORE > 79).astype(float)
FIRST = VILLAGE == 0
EIGHT = Design(np.ones(40), psu=VILLAGE)


def one_village(rule: Any) -> Design:
    return Design(np.ones(5), psu=[1] * 5, lonely_psu=rule)


def knows_nothing(row: Any) -> None:
    assert math.isfinite(row.est)
    assert all(math.isnan(figure) for figure in (row.se, row.lci, row.uci, row.cv))
    assert row.reason == 'one PSU: no variance can be estimated'
    assert 'No standard error of' in repr(row)
    assert row.to_dict()['se'] is None


@pytest.mark.parametrize('rule', ['adjust', 'certainty', 'remove'])
def test_one_village_in_all_gives_no_variance_of_anything(rule: Any) -> None:
    design, y = one_village(rule), SCORE[:5]
    for row in (mean(design, y), total(design, y), total(design), ratio(design, y, y + 1.0)):
        knows_nothing(row)
        verdict = decide(row, row.est - 1000)
        assert (verdict.decision, verdict.p_met, verdict.p_not_met) == ('undecided', 1.0, 1.0)
    if rule == 'certainty':
        knows_nothing(mean(replicates.jackknife(design), y))


def test_a_domain_inside_one_village_has_no_error_of_its_mean() -> None:
    knows_nothing(mean(EIGHT, SCORE, where=FIRST))
    knows_nothing(ratio(EIGHT, SCORE, SCORE + 1.0, where=FIRST))
    knows_nothing(ratio(EIGHT, np.where(FIRST, SCORE, 0.0), FIRST.astype(float)))
    # The villages without anybody of the domain say how much its total could have been another.
    assert total(EIGHT, SCORE, where=FIRST).se == pytest.approx(SCORE[FIRST].sum())


def test_weights_that_were_calibrated_do_not_turn_one_village_into_knowledge() -> None:
    sex = np.arange(40) % 2
    design = EIGHT.calibrated_on(sex)
    knows_nothing(mean(design, SCORE, where=FIRST))


def test_a_share_in_one_village_keeps_the_widest_interval_but_claims_no_error() -> None:
    row = proportion(EIGHT, YES, where=FIRST)
    assert math.isnan(row.se)
    assert row.uci - row.lci > 0.9
    assert (row.lci, row.uci) == row.interval(0.95)
    assert decide(row, 0.5).decision == 'undecided'


def test_villages_of_two_strata_still_say_how_they_differ() -> None:
    # One village of the domain in each of two strata of four: R gives this error too.
    design = Design(np.ones(40), strata=VILLAGE // 4, psu=VILLAGE)
    row = mean(design, SCORE, where=np.isin(VILLAGE, [0, 4]))
    assert row.df == 0
    assert row.se > 0
    assert not row.reason


def test_a_census_of_villages_is_still_without_error() -> None:
    row = mean(Design(np.ones(5), psu=[1] * 5, population=1), SCORE[:5])
    assert (row.census, row.se, row.reason) == (True, 0.0, '')


def test_a_village_without_error_is_compared_with_nothing() -> None:
    group = np.where(FIRST, 'first', 'rest')
    for rows in (mean(EIGHT, SCORE, by=group), proportion(EIGHT, YES, by=group)):
        with pytest.raises(BadOption, match=r'no standard error of first to compare.*one PSU'):
            difference(rows, 'first', 'rest')
    with pytest.raises(BadTarget, match='no standard error of first: one PSU'):
        compare_with(mean(EIGHT, SCORE, by=group)['first'], 70.0)
    together = decide_together(mean(EIGHT, SCORE, by=group), 60.0)
    assert [verdict.decision for verdict in together] == ['undecided', 'met']


def test_tests_say_that_there_is_one_village_and_not_that_answers_do_not_vary() -> None:
    design = one_village('adjust')
    for test in (
        lambda: t_test(design, SCORE[:5]),
        lambda: t_test(EIGHT, SCORE, value=70.0, where=FIRST),
        lambda: rao_scott(EIGHT, YES, np.arange(40) % 2, where=FIRST),
    ):
        with pytest.raises(LonelyPsu, match='one PSU: no variance can be estimated'):
            test()
    with pytest.raises(LonelyPsu, match='too few PSUs'):
        t_test(EIGHT, SCORE, np.arange(40) % 2, where=FIRST)


def test_coefficients_from_too_few_villages_have_no_errors() -> None:
    rows = linear(EIGHT, SCORE, {'x': np.arange(40)}, where=VILLAGE < 2)
    assert rows[0].df == 0
    assert all(math.isnan(row.se) and math.isnan(row.lci) for row in rows)
    assert 'too few PSUs' in rows[1].reason
    assert linear(EIGHT, SCORE, {'x': np.arange(40)}, where=VILLAGE < 3)[1].se > 0


def test_a_town_of_one_village_borrows_the_design_effect_of_the_others() -> None:
    town = np.repeat(['a', 'b', 'c'], [15, 20, 5])
    rows = proportion(Design(np.ones(40), psu=VILLAGE), YES, by=town)
    assert math.isnan(rows['c'].se)
    pooled = pool_design_effect(rows)[2]
    assert pooled.se > 0
    assert not pooled.reason


def test_what_rounding_leaves_of_no_variance_is_none() -> None:
    agree = proportion(
        Design(np.ones(40), psu=np.repeat(np.arange(10), 4)), [1.0, 1.0, 1.0, 0] * 10
    )
    assert agree.se == 0
    assert ratio(EIGHT, 0.3 * SCORE, SCORE).se == 0


def test_the_shell_says_it_too(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / 'wave.csv'
    lines = [
        f'1,{v},{"one" if v == 0 else "rest"},{y}' for v, y in zip(VILLAGE, SCORE, strict=True)
    ]
    file.write_text('w,village,town,score\n' + '\n'.join(lines), encoding='utf-8')
    asked = ['--weights', 'w', '--psu', 'village', '--mean', 'score', '--by', 'town']
    assert main(['estimate', str(file), *asked, '--target', '60']) == 0
    said = capsys.readouterr().out
    assert 'No standard error of one: one PSU: no variance can be estimated.' in said
    assert 'undecided' in said
    assert main(['estimate', str(file), *asked, '--target', '60', '--json']) == 0
    first = json.loads(capsys.readouterr().out)['estimates'][0]
    assert first['se'] is None
    assert first['verdict']['decision'] == 'undecided'
