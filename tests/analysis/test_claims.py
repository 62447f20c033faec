"""What a file claims about its weights is checked where the numbers can tell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, planning, proportion, replicates, smallarea, weights
from analysis.__main__ import main
from analysis.calibration import calibrate
from analysis.errors import BadOption, UnknownLevel, WeightSumFar

R = np.random.default_rng(11)
N = 120
BASE, Y = R.uniform(5, 15, N), R.normal(50, 9, N)
TOWN, SEX = R.permutation(np.repeat(['A', 'B', 'C'], 40)), R.permutation(np.repeat(['f', 'm'], 60))
PEOPLE = {'town': {'A': 300, 'B': 400, 'C': 500}, 'sex': {'f': 650, 'm': 550}}
MARGINS = {'town': TOWN, 'sex': SEX}


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_weights_that_were_raked_or_calibrated_on_the_columns_are_taken() -> None:
    for done in (
        weights.rake(BASE, MARGINS, PEOPLE),
        calibrate(BASE, MARGINS, PEOPLE, method='linear'),
    ):
        told = Design(done.values).calibrated_on(TOWN, SEX, base_weights=BASE)
        expected = mean(Design(BASE).calibrated(done.step), Y)
        assert mean(told, Y).se == pytest.approx(expected.se, rel=1e-12)
        rounded = Design(np.round(done.values, 2)).calibrated_on(TOWN, SEX, base_weights=BASE)
        assert mean(rounded, Y).se == pytest.approx(expected.se, rel=1e-3)
    strata = weights.post_stratify(BASE, TOWN, PEOPLE['town'])
    Design(strata.values).calibrated_on(TOWN, base_weights=BASE)


def test_a_claim_that_cannot_be_true_is_refused() -> None:
    raked = Design(weights.rake(BASE, MARGINS, PEOPLE).values)
    with pytest.raises(BadOption, match=r'final/base is not the same for all rows of a group.*row'):
        raked.calibrated_on(TOWN, base_weights=BASE)
    trimmed = weights.trim(raked.weights, upper=12).values
    with pytest.raises(BadOption, match='neither a product nor a sum over the levels'):
        Design(trimmed).calibrated_on(TOWN, SEX, base_weights=BASE)
    with pytest.raises(BadOption, match='base weight is 0 and the final one is not: row 1'):
        raked.calibrated_on(TOWN, base_weights=np.r_[0.0, BASE[1:]])
    with pytest.raises(BadOption, match='needs the columns'):
        raked.calibrated_on(base_weights=BASE)


def test_the_shell_wants_the_base_weights_of_a_claim(shell: Any, tmp_path: Path) -> None:
    final = weights.rake(BASE, MARGINS, PEOPLE).values
    lines = [
        f'{b},{w},{t},{s},{y}' for b, w, t, s, y in zip(BASE, final, TOWN, SEX, Y, strict=True)
    ]
    file = tmp_path / 'wave.csv'
    file.write_text('\n'.join(['base,final,town,sex,y', *lines]))
    options = ('estimate', str(file), '--weights', 'final', '--mean', 'y')
    for claim in ('--raked-on', '--post-strata'):
        code, _, said = shell(*options, claim, 'town')
        assert code == 2
        assert f'{claim} needs --base-weights' in said
    raked = (*options, '--raked-on', 'town,sex', '--base-weights')
    assert shell(*raked, 'base')[0] == 0
    assert 'no adjustment lies between' in shell(*raked, 'final')[2]
    assert 'in line' in shell(*options, '--post-strata', 'town', '--base-weights', 'base')[2]


def test_jkn_replicates_need_scale_and_rscales() -> None:
    table = np.ones((4, 3)) + np.eye(4, 3)
    for lacking in ({'scale': 1.0}, {'rscales': [0.5, 0.5, 0.5]}):
        with pytest.raises(BadOption, match=r'need scale and rscales.*\(n_h − 1\)/n_h'):
            replicates.given(np.ones(4), table, kind='JKn', **lacking)
    replicates.given(np.ones(4), table, kind='JKn', scale=1.0, rscales=[0.5, 0.5, 0.5])


def test_more_addresses_than_people_are_told(shell: Any) -> None:
    size = planning.size_for_margin(0.03, population=500, response=0.4)
    assert (size.answers, size.addresses, size.lacking) == (341, 853, 353)
    assert planning.size_for_margin(0.03, response=0.4).lacking == 0
    plan = ('size', '--margin', '3', '--population', '500')
    code, _, said = shell(*plan, '--response', '40')
    assert code == 2
    assert '341 answers at 40 % response need 853 addresses, and there are 500 people' in said
    assert 'effective answers (before the finite population correction)' in shell(*plan)[1]
    assert json.loads(shell(*plan, '--json')[1])['lacking'] == 0


def test_shares_are_no_population_counts() -> None:
    shares = {'town': {'A': 0.25, 'B': 0.35, 'C': 0.4}, 'sex': {'f': 0.55, 'm': 0.45}}
    cure = r'adds up to 1, and 120 rows stand for it\. Give population counts; multiply shares'
    for call in (
        lambda: weights.rake(BASE, MARGINS, shares),
        lambda: weights.post_stratify(BASE, TOWN, shares['town']),
        lambda: calibrate(BASE, MARGINS, shares),
    ):
        with pytest.raises(BadOption, match=cure):
            call()
    # Weights that add up to the number of answers are as good as any.
    to_rows = {name: {k: 120 * v for k, v in levels.items()} for name, levels in shares.items()}
    assert weights.rake(BASE, MARGINS, to_rows).values.sum() == pytest.approx(120)


def test_probabilities_are_no_weights(shell: Any, tmp_path: Path) -> None:
    share = R.uniform(0.05, 1, N)
    with pytest.raises(WeightSumFar, match='probabilities='):
        Design(share)
    Design(share, any_scale=True)
    Design(BASE / BASE.mean())
    Design(np.full(N, 0.5))
    Design(np.repeat([0.0, 1.0], 60))
    file = tmp_path / 'drawn.csv'
    file.write_text('pi,y\n0.1,1\n0.5,0\n0.2,1\n')
    options = ('estimate', str(file), '--mean', 'y', '--weights', 'pi')
    assert 'Use --probabilities pi; --any-scale accepts' in shell(*options)[2]
    assert shell(*options, '--any-scale')[0] == 0


def test_what_is_known_of_towns_is_found_by_their_names() -> None:
    yes, weight = (R.random(N) < 0.7) * 1.0, np.full(N, 10.0)
    towns = np.repeat([f'T{i}' for i in range(6)], 20)
    rows, city = proportion(Design(weight), yes, by=towns), proportion(Design(weight), yes)
    people = {row.label: 200.0 for row in rows}
    column = [3.1, 2.0, 5.5, 4.2, 3.3, 1.0]
    by_place = smallarea.small_areas(rows, city, people, {'income': column})
    named = dict(reversed(list(zip(people, column, strict=True))))
    assert smallarea.small_areas(rows, city, people, {'income': named}) == by_place
    with pytest.raises(UnknownLevel, match='income says nothing about T0'):
        smallarea.small_areas(rows, city, people, {'income': dict.fromkeys(list(named)[:-1], 1)})
