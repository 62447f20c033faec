"""No option at the shell is overlooked, misread or half done."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, proportion, replicates, sampling, weights
from analysis.__main__ import main
from analysis.table import aligned, display_width
from tests.analysis.apidata import DATA, apiclus1

CLUS1 = [str(DATA / 'apiclus1.csv'), '--weights', 'pw', '--psu', 'dnum', '--fpc', 'fpc']
WAVE = (
    '镇街,性别,年龄,权重,满意\n'
    '观海卫,男,30,2,1\n观海卫,女,40,2,0\n浒山,男,50,1,1\n浒山,女,60,1,1\n观海卫,男,70,2,0\n浒山,,20,1,0\n'
)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; returns exit code, output and error text."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def wave(tmp_path: Path) -> list[str]:
    file = tmp_path / 'wave.csv'
    file.write_text(WAVE, encoding='utf-8')
    return ['estimate', str(file), '--weights', '权重', '--proportion', '满意', '--json']


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_all_conditions_hold_and_all_groups_are_crossed(shell: Any, wave: list[str]) -> None:
    def counts(*options: str) -> dict[str, int]:
        told = json.loads(shell(*wave, *options)[1])
        return {row['label']: row['n'] for row in told['estimates']}

    assert counts('--where', '镇街=观海卫', '--where', '性别=男') == {'': 2}
    assert counts('--where', '年龄>=40', '--where', '年龄<70') == {'': 3}
    # Nothing is known of the sex of one person: neither = nor != holds.
    assert counts('--where', '性别!=男') == {'': 2}
    crossed = {'观海卫 / 男': 2, '观海卫 / 女': 1, '浒山 / 男': 1, '浒山 / 女': 1}
    assert counts('--by', '镇街', '--by', '性别') == crossed
    assert counts('--by', '镇街,性别') == crossed
    assert 'No row has 年龄>200' in shell(*wave, '--where', '年龄>200')[2]
    assert "'alt' is not a number" in shell(*wave, '--where', '年龄>alt')[2]
    assert 'must read COLUMN=VALUE' in shell(*wave, '--where', '年龄')[2]


def test_faults_name_the_line_of_the_file(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / 'in.csv'
    # A blank line, and a text with a line break in it: row 3 is line 7.
    file.write_text('w,y,t\n1,2,a\n\n1,3,"two\nlines"\n\n1,good,b\n')
    said = shell('estimate', str(file), '--weights', 'w', '--mean', 'y')[2]
    assert "found 'good' in line 7." in said
    file.write_text('w,y,t\n1,2,a\n\n1,3\n')
    assert 'Line 4 of' in shell('estimate', str(file), '--weights', 'w', '--mean', 'y')[2]
    margins = tmp_path / 'margins.csv'
    file.write_text('w,t\n1,a\n1,b\n')
    margins.write_text('margin,level,count\n\nt,a,many\nt,b,5\n')
    said = shell('weight', str(file), '--weights', 'w', '--margins', str(margins))[2]
    assert f"found 'many' in line 3 of {margins}" in said


def test_chinese_labels_stand_in_straight_columns(shell: Any, wave: list[str]) -> None:
    text = shell(*wave[:-1], '--by', '镇街')[1]
    lines = text.splitlines()[2:]
    ends = [display_width(line[: line.index('wilson') + 6]) for line in lines[1:]]
    assert len(set(ends)) == 1
    assert display_width('浒山 a') == 6
    assert display_width('e\u0301') == 1
    table = aligned(['', 'n'], [['观海卫', '1'], ['b', '22']])
    assert table.splitlines()[1:] == ['观海卫   1', 'b       22']


def test_margins_are_read_in_one_unit_and_said_back(shell: Any) -> None:
    for text in ('3', '3%', '0.03'):
        said = shell('size', '--margin', text)[1]
        assert said.startswith('50 % ± 3 %')
        assert '1,068' in said
    assert '50 % ± 0.5 %' in shell('size', '--margin', '0.5%')[1]
    assert '50 % ± 1 %' in shell('size', '--margin', '1')[1]
    code, _, said = shell('size', '--margin', '0.5')
    assert code == 2
    assert '0.5 can mean 0.5 per cent or 50 per cent. Write 0.5% or 50%.' in said
    target = shell('size', '--target', '80', '--truth', '85%')[1]
    assert target.startswith('85 % told from 80 % with a chance of 80 %')
    for options, words in (
        (('--margin', '3', '--population', 'nan'), 'population must be a number'),
        (('--margin', '1e-300'), 'No population is large enough'),
        (('--margin', '3', '--truth', '85'), '--margin has --share'),
        (('--margin', 'three'), "must be a number as 80, 80% or 0.8; not 'three'"),
    ):
        assert words in shell('size', *options)[2]


@pytest.fixture
def frame(tmp_path: Path) -> str:
    lines = [f'{t},{t}{i // 10},{5 + i // 10},{i}' for t in 'ab' for i in range(60)]
    file = tmp_path / 'frame.csv'
    file.write_text('town,village,people,unit\n' + '\n'.join(lines) + '\n')
    return str(file)


def test_samples_by_every_method_at_the_shell(shell: Any, frame: str, tmp_path: Path) -> None:
    sizes = tmp_path / 'sizes.csv'
    sizes.write_text('stratum,n\na,4\nb,6\n')
    base = ('draw', frame, '--seed', '7', '--strata', 'town', '--sizes', str(sizes))
    for method in ('simple', 'systematic', 'pps', 'sampford'):
        size = ('--size', 'people') if method in ('pps', 'sampford') else ()
        drawn = rows_of(shell(*base, '--method', method, *size)[1])
        assert [row['town'] for row in drawn] == ['a'] * 4 + ['b'] * 6
        for row in drawn:
            n = 4 if row['town'] == 'a' else 6
            share = n * float(row['people']) / 450 if size else n / 60
            assert float(row['probability']) == pytest.approx(share)
    public = rows_of(
        shell('draw', frame, '--n', '3', '--method', 'systematic', '--start', '0.5')[1]
    )
    rows, _ = sampling.draw_systematic(120, 3, start=0.5)
    assert [int(row['unit']) for row in public] == [int(i) % 60 for i in rows]
    # Two stages by a size of the villages: n villages of a town have probability n·M/ΣM.
    two = ('draw', frame, '--seed', '3', '--strata', 'town', '--n', '2', '--psu', 'village')
    drawn = rows_of(shell(*two, '--per-psu', '5', '--size', 'people')[1])
    assert len(drawn) == 20
    for row in drawn:
        first = 2 * float(row['people']) / sum(range(5, 11))
        assert float(row['probability']) == pytest.approx(first * 5 / 10)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ('--seed 1 --n 3 --per-psu 4', '--psu and --per-psu go together'),
        ('--seed 1 --n 3 --psu village', '--psu and --per-psu go together'),
        ('--seed 1 --n 2 --psu village --per-psu 0', 'per_psu must be a whole number from 1'),
        ('--seed 1 --n 2 --psu village --per-psu -1', 'per_psu must be a whole number from 1'),
        ('--seed 1 --n 3 --method pps', 'need --size'),
        ('--seed 1 --n 3 --method simple --size people', 'need --size'),
        ('--seed 1 --start 0.5 --n 3', '--start is for systematic draws'),
        ('--n 3', 'Give --seed'),
        ('--start 0.5 --n 3 --strata town --size people', 'Strata need a seed'),
        ('--seed 1 --n 2 --psu village --per-psu 2 --size unit', 'unit differs inside'),
        ('--seed 1 --sizes SIZES --size people', '--sizes needs --strata'),
        ('--seed 1 --sizes SIZES --strata town', 'no rows of stratum zz'),
        ('--seed 1 --sizes SIZES --strata town --psu village --per-psu 2', 'no rows of stratum zz'),
    ],
)
def test_draws_refuse_what_they_would_overlook(
    shell: Any, frame: str, tmp_path: Path, options: str, words: str
) -> None:
    sizes = tmp_path / 'sizes.csv'
    sizes.write_text('stratum,n\na,4\nzz,6\n')
    given = [str(sizes) if option == 'SIZES' else option for option in options.split()]
    code, out, said = shell('draw', frame, *given)
    assert (code, out) == (2, '')
    assert words in said


def test_allocations_refuse_options_of_the_other_way(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / 'towns.csv'
    file.write_text('town,people,sd\na,900,0.4\nb,400,0.5\n')
    base = ('allocate', str(file), '--strata', 'town', '--population', 'people')
    assert 'go with bounds' in shell(*base, '--n', '90', '--deff', '2')[2]
    assert 'go with --n' in shell(*base, '--se', 'sd=0.05', '--method', 'equal')[2]


def test_replicate_weights_are_read_as_they_were_written(shell: Any, tmp_path: Path) -> None:
    file, report = tmp_path / 'with.csv', tmp_path / 'report.json'
    file.write_text(shell('replicates', *CLUS1)[1])
    report.write_text(shell('replicates', *CLUS1, '--report')[1])
    base = ('estimate', str(file), '--weights', 'pw', '--replicates', 'replicate_')
    told = json.loads(shell(*base, '--scales', str(report), '--mean', 'api00', '--json')[1])
    own = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    expected = mean(replicates.jackknife(own), apiclus1['api00'])
    row = told['estimates'][0]
    assert (row['se'], row['df']) == (pytest.approx(expected.se, rel=1e-9), 14)
    assert told['design']['replicates'] == 15
    # JK1 without the correction: known by its kind.
    plain = json.loads(shell(*base, '--replicate-kind', 'JK1', '--mean', 'api00', '--json')[1])
    free = mean(
        replicates.jackknife(Design(apiclus1['pw'], psu=apiclus1['dnum'])), apiclus1['api00']
    )
    assert plain['estimates'][0]['se'] == pytest.approx(free.se, rel=1e-9)
    for options, words in (
        (('--psu', 'dnum'), 'takes the place of the design: leave out --psu'),
        (('--replicate-kind', 'jk'), "Unknown kind of replicates 'jk'"),
        (('--rscales', 'a,b'), '--rscales must be numbers'),
        ((), "Replicates of kind 'other' need scale"),
    ):
        assert words in shell(*base, *options, '--mean', 'api00')[2]
    missing = ('estimate', str(file), '--weights', 'pw', '--mean', 'api00')
    assert 'no columns rep1, rep2' in shell(*missing, '--replicates', 'rep')[2]
    assert 'means nothing without --replicates' in shell(*missing, '--mse')[2]


def test_words_of_r_and_probabilities_describe_the_same_sample(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / 'sample.csv'
    lines = [
        f'{h},{h}{i // 3},{10 + h},{1 / (10 + h)!r},{i * h % 7}' for h in (1, 2) for i in range(12)
    ]
    file.write_text('h,v,w,p,y\n' + '\n'.join(lines) + '\n')
    first = shell(
        'estimate', str(file), '--weights', 'w', '--strata', 'h', '--psu', 'v', '--mean', 'y'
    )
    again = shell(
        'estimate', str(file), '--probs', 'p', '--stratum', 'h', '--id', 'v', '--mean', 'y'
    )
    wgt = shell('estimate', str(file), '--wgt', 'w', '--strata', 'h', '--ids', 'v', '--mean', 'y')
    assert first[1] == again[1] == wgt[1] != ''
    words = ('--proportion', 'y=1', '--where', 'y<=3', '--ci', 'xlogit', '--json')
    told = json.loads(shell('estimate', str(file), '--wgt', 'w', *words)[1])
    assert told['estimates'][0]['method'] == 'logit'


def test_weights_of_the_silent_go_to_those_who_answered(shell: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(6)
    town = np.repeat(['a', 'b', 'c'], [60, 40, 12])
    answered = (random.random(112) < 0.6).astype(int)
    sex = np.where(answered, random.choice(['f', 'm'], 112), '')
    base = np.repeat([10.0, 12.0, 9.0], [60, 40, 12])
    file, margins = tmp_path / 'asked.csv', tmp_path / 'margins.csv'
    rows = zip(town, base, answered, sex, strict=True)
    file.write_text('town,w,yes,sex\n' + '\n'.join(','.join(map(str, row)) for row in rows) + '\n')
    margins.write_text('margin,level,count\nsex,f,600\nsex,m,550\n')
    options = ('weight', str(file), '--weights', 'w', '--responded', 'yes', '--classes', 'town')
    found = [float(row['calibrated']) for row in rows_of(shell(*options)[1])]
    expected = weights.nonresponse(base, answered, town)
    np.testing.assert_allclose(found, expected.values, rtol=1e-12)
    report = json.loads(shell(*options, '--collapse', '--report')[1])
    assert report['collapsed'] == {'b': 'b+c', 'c': 'b+c'}
    raked = (*options, '--margins', str(margins))
    done = np.array([float(row['calibrated']) for row in rows_of(shell(*raked)[1])])
    assert done[sex == 'f'].sum() == pytest.approx(600, rel=1e-9)
    assert (done[answered == 0] == 0).all()
    both = json.loads(shell(*raked, '--report')[1])
    assert (both['kind'], both['earlier'][0]['kind']) == ('raking', 'non-response')
    # The file so made can be estimated from: weight 0 stands for nobody.
    final = tmp_path / 'final.csv'
    final.write_text(shell(*raked)[1])
    told = json.loads(
        shell('estimate', str(final), '--weights', 'calibrated', '--proportion', 'sex=f', '--json')[
            1
        ]
    )
    assert told['estimates'][0]['n'] == int(answered.sum())
    assert told['estimates'][0]['est'] == pytest.approx(600 / 1150)
    for wrong, words in (
        (('--margins', str(margins), '--classes', 'town'), 'need --responded'),
        ((), 'Give --responded, --margins, or both'),
        (('--responded', 'yes', '--trim', '5'), 'need --margins'),
    ):
        assert words in shell('weight', str(file), '--weights', 'w', *wrong)[2]


def test_a_plan_that_cannot_be_simulated_is_refused(shell: Any) -> None:
    base = ('coverage', '--share', '85', '--n', '30', '--samples', '20')
    assert 'seed must be a whole number from 0' in shell(*base, '--seed', '-1')[2]
    assert 'must not be negative' in shell(*base, '--villages', '6', '--village-sd', '-1')[2]


def test_a_full_disk_is_one_line() -> None:
    with Path('/dev/full').open('w') as full:
        done = subprocess.run(
            [sys.executable, '-m', 'analysis', 'size', '--margin', '3'],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=DATA.parents[2],
        )
    assert done.returncode == 2
    assert done.stderr == 'error: the output cannot be written: No space left on device.\n'


def test_probabilities_and_shares_of_a_group_agree_with_the_library(shell: Any) -> None:
    told = json.loads(shell('estimate', *CLUS1, '--proportion', 'sch.wide=Yes', '--json')[1])
    own = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    expected = proportion(own, apiclus1['sch.wide'], value='Yes')
    assert told['estimates'][0]['lci'] == pytest.approx(expected.lci)
