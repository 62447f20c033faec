"""What a newcomer tries first either works or says how it is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, proportion, weights
from analysis.__main__ import as_options, main
from analysis.collapse import collapse_strata
from analysis.errors import BadColumn, BadOption, UnknownLevel
from analysis.planning import expected_precision
from analysis.precision import Aim, allocate_for_precision
from analysis.propensity import propensity_classes

TOWN, SEX = np.array(list('aabbab')), np.array(['f', 'm', 'f', '', 'f', 'm'])
YES, D = np.array([1.0, 0, 1, 0, 1, 1]), Design(np.full(6, 10.0))
CSV = (
    'w,town,y,happy,code,open\n2,a,1.0,yes,007,true\n2,a,0.0,no,7,false\n'
    '3,b,1.0,yes,7,true\n3,b,1.0,no,7,\n'
)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Any]:
    """Runs ``estimate`` on the file; returns the figures, or the message."""
    file = tmp_path / 'wave.csv'
    file.write_text(CSV)

    def run(*options: str) -> Any:
        code = main(['estimate', str(file), '--weights', 'w', *options, '--json'])
        said = capsys.readouterr()
        return said.err if code else json.loads(said.out)['estimates']

    return run


def test_groups_are_crossed_by_a_mapping_or_a_list() -> None:
    rows = proportion(D, YES, by={'town': TOWN, 'sex': SEX})
    assert [(row.label, row.n) for row in rows] == [
        ('a / f', 2),
        ('a / m', 1),
        ('b / f', 1),
        ('b / m', 1),
    ]
    assert rows[0].unlabelled == 1
    assert proportion(D, YES, by=[TOWN, SEX]).to_dicts() == rows.to_dicts()
    assert len(proportion(D, YES, by=[TOWN])) == 2
    with pytest.raises(BadColumn, match=r'by\[1\] has 2 rows where 6'):
        proportion(D, YES, by=[TOWN, SEX[:2]])
    with pytest.raises(BadOption, match='by names no column'):
        proportion(D, YES, by={})


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: Design('w', data={'w': YES}), r"Design.from_table\(data, weights='w'"),
        (lambda: Design('w'), "it is 'w'. Pass the column itself"),
        (lambda: mean(D, 'y'), r"Pass the column itself, as table\['y'\]; Design.from_table"),
        (lambda: mean(D), r"mean: missing a required argument: 'y'. It is called as mean\(design"),
        (lambda: mean(D, YES, TOWN), r'too many positional arguments.*mean\(design, y, \*, by=…'),
        (
            lambda: weights.unknown_eligibility(np.ones(6), TOWN == 'a', TOWN),
            'No unit of known eligibility in class b. Give its rows the label',
        ),
        (
            lambda: mean(D, YES, where=[True, None, False, True, True, True]),
            r'A missing value is neither; fill it in \(False leaves the row out\)',
        ),
        (
            lambda: weights.post_stratify(np.ones(6), TOWN, {'a': 0, 'b': 60}),
            'the population of a is 0, the sample has rows of it',
        ),
    ],
)
def test_the_message_says_how_it_is_done(call: Callable[[], Any], words: str) -> None:
    with pytest.raises((BadColumn, BadOption, UnknownLevel), match=words):
        call()


def test_a_stratum_or_class_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownLevel, match='population has stratum c, of which the sample has no'):
        Design(strata=TOWN, population={'a': 30, 'b': 30, 'c': 5})
    Design(strata=TOWN, population={'a': 30, 'b': 30, 'c': 0})
    with pytest.raises(UnknownLevel, match='There is no Z to merge with; there is a, b'):
        collapse_strata(['a', 'b', 'b'], rule={'a': 'Z'})
    assert collapse_strata(['a', 'b', 'b'], rule={'a': 'Z', 'b': 'Z'}).small == {'a': 1}


def test_rows_of_any_result_are_found_by_their_names() -> None:
    plan = expected_precision(
        {'a': 900, 'b': 700}, {'a': 90, 'b': 70}, p=0.8, target=0.8, truth=0.9
    )
    assert plan['b'] is plan[1]
    with pytest.raises(BadOption, match=r"'c' names no row of these\. There are: a, b, all"):
        plan['c']


def test_numbers_are_compared_as_numbers_and_codes_as_text(shell: Any) -> None:
    for condition in ('y=1', 'y==1', 'y == 1', ' y = 1.00 '):
        assert shell('--total', 'w', '--where', condition)[0]['n'] == 3
    assert shell('--total', 'w', '--where', 'y != 1')[0]['n'] == 1
    assert shell('--total', 'w', '--where', 'code=7')[0]['n'] == 3
    assert shell('--total', 'w', '--where', 'code=007')[0]['n'] == 1
    assert shell('--proportion', 'y=1')[0]['est'] == pytest.approx(0.8)
    assert 'No row has town = c. It has: a, b.' in shell('--mean', 'y', '--where', 'town=c')


def test_true_and_false_are_an_answer_and_other_words_need_one(shell: Any) -> None:
    row = shell('--proportion', 'open')[0]
    assert (row['n'], row['missing'], row['est']) == (3, 1, pytest.approx(5 / 7))
    assert '--proportion happy=VALUE counts one of its values' in shell('--proportion', 'happy')


def test_shares_are_written_as_people_write_them(shell: Any) -> None:
    def verdict(*options: str) -> tuple[float, float]:
        told = shell('--proportion', 'y', *options)[0]['verdict']
        return told['target'], told['level']

    for target in ('80', '80%', '0.8'):
        assert verdict('--target', target, '--level', '90') == (0.8, 0.9)
    assert 'only shares are compared with per cent' in shell('--total', 'y', '--target', '80%')
    assert "--target must be a number as 80, 80% or 0.8; not 'x'" in shell(
        '--mean', 'y', '--target', 'x'
    )


def test_a_file_with_other_separators_is_told(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / 'excel.csv'
    file.write_text('w;y\n1;0\n')
    assert main(['estimate', str(file), '--weights', 'w', '--mean', 'y']) == 2
    assert 'its columns separated by semicolons. Save it with commas' in capsys.readouterr().err


def test_the_shell_speaks_of_its_options() -> None:
    assert as_options('choose lonely_psu= adjust') == 'choose --lonely adjust'
    assert as_options('say nest=True; shares go to rate=.') == 'say --nest; shares go to --rate.'
    assert as_options("No row has by=1 and 'where=3'.") == "No row has by=1 and 'where=3'."


def test_results_read_at_a_glance() -> None:
    assert repr(Design(np.full(4, 2.0))) == 'Design(4 rows, 1 stratum, 4 PSUs, df 3)'
    joined = collapse_strata(['a', 'b', 'b'])
    assert repr(joined) == 'Collapsed(a+b: a (1 PSU), b)'
    classes = propensity_classes(YES, {'x': [1.0, 2, 3, 1, 5, 2]}, classes=2)
    assert repr(classes).startswith('Groups(6 rows: class 1 (')
    plan = allocate_for_precision({'a': 500, 'b': 300}, {'y': Aim(spread={'a': 1, 'b': 2}, se=0.2)})
    assert 'variable y, bound 0.2000, se 0.1984, binding True' in repr(plan)
