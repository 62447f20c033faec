"""``python -m analysis estimate``: what a statistician at the shell sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis import Design, mean, weights
from analysis.__main__ import main
from tests.analysis.apidata import DATA, apiclus1

STRAT = [str(DATA / 'apistrat.csv'), '--weights', 'pw', '--strata', 'stype', '--fpc', 'fpc']
CLUS1 = [str(DATA / 'apiclus1.csv'), '--weights', 'pw', '--psu', 'dnum', '--fpc', 'fpc']


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; returns exit code, output and error text."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(['estimate', *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def write(path: Path, text: str, encoding: str = 'utf-8') -> str:
    path.write_text(text, encoding=encoding)
    return str(path)


def test_it_runs_as_a_module_without_the_web_application() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'analysis', 'estimate', *STRAT, '--mean', 'api00'],
        capture_output=True,
        text=True,
        check=True,
        cwd=DATA.parents[2],
    )
    assert '662.2874' in done.stdout
    assert '9.4089' in done.stdout


def test_json_carries_every_digit_and_the_design(shell: Any) -> None:
    code, out, _ = shell(*STRAT, '--mean', 'api00', '--json')
    told = json.loads(out)
    assert code == 0
    # svymean(~api00, STRAT)
    assert told['estimates'][0]['est'] == pytest.approx(662.287363159321, rel=1e-12)
    assert told['estimates'][0]['se'] == pytest.approx(9.408940802785, rel=1e-12)
    assert told['design'] == {
        'rows': 200,
        'strata': 3,
        'psus': 200,
        'stages': 1,
        'df': 197,
        'sum_of_weights': pytest.approx(6194),
        'lonely_psu': 'fail',
        'calibration_steps': 0,
    }


def test_every_row_says_how_it_was_made(shell: Any) -> None:
    _, out, _ = shell(*CLUS1, '--proportion', 'sch.wide=Yes', '--by', 'stype')
    header, *rows = out.splitlines()[2:]
    for word in ('est', 'se', 'low', 'high', 'df', 'n', 'missing', 'n_eff', 'deff', 'method'):
        assert word in header.split()
    assert [row.split()[1] for row in rows] == ['E', 'H', 'M']
    assert all(row.endswith('wilson') for row in rows)


def test_a_target_in_per_cent_and_as_a_share_give_one_verdict(shell: Any) -> None:
    verdicts = []
    for target in ('80', '0.8'):
        _, out, _ = shell(*CLUS1, '--proportion', 'sch.wide=Yes', '--target', target, '--json')
        verdicts.append(json.loads(out)['estimates'][0]['verdict'])
    assert verdicts[0] == verdicts[1]
    assert verdicts[0]['decision'] == 'met'
    assert verdicts[0]['target'] == 0.8


def test_a_mean_of_zeros_and_ones_is_a_share(shell: Any, tmp_path: Path) -> None:
    rows = '\n'.join(f'{town},10,{int(i % 5 > 0)}' for i in range(40) for town in 'AB')
    file = write(tmp_path / 'wave.csv', f'town,weight,satisfied\n{rows}\n')
    options = (file, '--weights', 'weight', '--strata', 'town', '--mean', 'satisfied')
    _, out, _ = shell(*options, '--target', '80', '--ci', 'korn-graubard', '--json')
    row = json.loads(out)['estimates'][0]
    assert row['method'] == 'korn-graubard'
    assert row['verdict']['decision'] == 'undecided'


def test_files_from_spreadsheets_with_a_byte_order_mark_are_read(
    shell: Any, tmp_path: Path
) -> None:
    text = '权重,镇街,满意\n1.5,浒山,1\n2,浒山,0\n1,周巷,1\n1,周巷,\n'
    file = write(tmp_path / '调查.csv', text, 'utf-8-sig')
    code, out, _ = shell(file, '--weights', '权重', '--mean', '满意', '--by', '镇街', '--json')
    assert code == 0
    found = {row['label']: (row['n'], row['missing']) for row in json.loads(out)['estimates']}
    assert found == {'浒山': (2, 0), '周巷': (1, 1)}


def test_final_weights_with_their_margins_reproduce_the_calibrated_error(
    shell: Any, tmp_path: Path
) -> None:
    margins = {'stype': {'E': 4421, 'H': 755, 'M': 1018}, 'sch.wide': {'No': 1072, 'Yes': 5122}}
    design = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    done = weights.rake(design.weights, {name: apiclus1[name] for name in margins}, margins)
    expected = mean(design.calibrated(done.step), apiclus1['api00'])
    columns = ('dnum', 'fpc', 'stype', 'sch.wide', 'api00', 'pw')
    lines = [
        ','.join([*(str(apiclus1[name][i]) for name in columns), repr(float(done.values[i]))])
        for i in range(183)
    ]
    file = write(tmp_path / 'micro.csv', '\n'.join([','.join([*columns, 'final']), *lines]))
    options = (file, '--weights', 'final', '--psu', 'dnum', '--fpc', 'fpc', '--mean', 'api00')
    raked = ('--raked-on', 'stype,sch.wide', '--base-weights', 'pw')
    _, out, _ = shell(*options, *raked, '--json')
    row = json.loads(out)['estimates'][0]
    assert row['est'] == pytest.approx(expected.est, rel=1e-10)
    assert row['se'] == pytest.approx(expected.se, rel=1e-10)


def test_two_stages_and_a_domain(shell: Any) -> None:
    _, out, _ = shell(
        str(DATA / 'apiclus2.csv'),
        *('--weights', 'pw', '--psu', 'dnum', '--ssu', 'snum', '--fpc', 'fpc1,fpc2'),
        *('--total', 'enroll', '--json'),
    )
    # svytotal(~enroll, CLUS2, na.rm=TRUE)
    row = json.loads(out)['estimates'][0]
    assert row['est'] == pytest.approx(2639272.93, rel=1e-9)
    assert row['se'] == pytest.approx(799638.3, rel=1e-6)
    assert row['missing'] == 6


@pytest.mark.parametrize(
    ('text', 'options', 'words'),
    [
        ('w,y\n1,2\n1,3\n', ['--mean', 'z'], "There is no column 'z'. The file has: w, y."),
        ('w,y\n1,2\n1,good\n', ['--mean', 'y'], "y must be numeric; found 'good' in line 3."),
        ('w,y\n1,2\n-1,3\n', ['--mean', 'y'], 'not negative; found -1 in line 3.'),
        ('w,y\n1,2\n,3\n', ['--mean', 'y'], 'found nothing in line 3.'),
        ('w,y\n1,2\n1\n', ['--mean', 'y'], 'Line 3 of'),
        ('w,w\n1,2\n', ['--mean', 'w'], "two columns named 'w'"),
        ('w,y\n', ['--mean', 'y'], 'has a header but no rows'),
        ('', ['--mean', 'y'], 'is empty'),
        ('w,y\n1,5\n1,7\n', ['--mean', 'y', '--ci', 'wilson'], 'for shares and bounded scores'),
        ('w,y\n1,5\n1,7\n', ['--mean', 'y', '--limits', 'low'], '--limits must be two numbers'),
        ('w,y\n1,1\n1,0\n', ['--mean', 'y', '--target', '180'], 'outside the scale 0 to 1'),
        ('w,y\n1,1\n1,0\n', ['--mean', 'y', '--level', '20'], 'level is 0.2'),
        ('w,y\n1,1\n1,0\n', ['--mean', 'y', '--where', 'y=7'], 'No row has y = 7.'),
        ('w,y\n1,1\n1,0\n', ['--ratio', 'y'], '--ratio needs two columns as Y/X'),
        ('w,y\n1,a\n1,b\n', ['--proportion', 'y=c'], "No row of y=c has the value 'c'"),
    ],
)
def test_a_fault_is_one_clear_line_and_exit_code_2(
    shell: Any, tmp_path: Path, text: str, options: list[str], words: str
) -> None:
    file = write(tmp_path / 'in.csv', text)
    code, out, err = shell(file, '--weights', 'w', *options)
    assert code == 2
    assert out == ''
    assert words in err
    assert err.startswith('error: ')
    assert err.count('\n') == 1


def test_a_missing_file_and_a_file_that_is_not_text(shell: Any, tmp_path: Path) -> None:
    assert 'There is no file' in shell(str(tmp_path / 'no.csv'), '--weights', 'w', '--mean', 'y')[2]
    (tmp_path / 'image.csv').write_bytes(b'\xff\xd8\xff\xe0')
    said = shell(str(tmp_path / 'image.csv'), '--weights', 'w', '--mean', 'y')[2]
    assert 'is not UTF-8 text' in said


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(['estimate', '--help'])
    assert '--mean satisfied --by town --target 80' in capsys.readouterr().out


def test_na_in_a_numeric_column_is_a_missing_answer(shell: Any, tmp_path: Path) -> None:
    file = write(tmp_path / 'r.csv', 'w,y\n1,5\n1,NA\n1,7\n')
    row = json.loads(shell(file, '--weights', 'w', '--mean', 'y', '--json')[1])['estimates'][0]
    assert (row['est'], row['n'], row['missing']) == (6, 2, 1)
