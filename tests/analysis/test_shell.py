"""The other commands of ``python -m analysis``: planning, drawing, weighting, replicating."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, proportion, replicates, weights
from analysis.__main__ import main
from analysis.precision import Aim, allocate_for_precision
from analysis.presentation import flag
from analysis.progress import Progress
from tests.analysis.apidata import DATA, apiclus1

STRAT = [str(DATA / 'apistrat.csv'), '--weights', 'pw', '--strata', 'stype', '--fpc', 'fpc']
CLUS1 = [str(DATA / 'apiclus1.csv'), '--weights', 'pw', '--psu', 'dnum', '--fpc', 'fpc']
MARGINS = (
    'margin,level,count\nstype,E,4421\nstype,H,755\nstype,M,1018\n'
    'sch.wide,No,1072\nsch.wide,Yes,5122\n'
)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command; returns exit code, output and error text."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_size_for_a_target_and_for_a_margin(shell: Any) -> None:
    options = ('--target', '80', '--truth', '85', '--deff', '1.5', '--response', '0.6', '--json')
    assert json.loads(shell('size', *options)[1]) == {
        'effective': 380,
        'answers': 570,
        'addresses': 950,
        'lacking': 0,
    }
    assert '385' in shell('size', '--margin', '5')[1]
    assert '--target needs --truth' in shell('size', '--target', '80')[2]


def test_towns_get_their_sample_sizes(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / 'towns.csv'
    file.write_text('镇街,人口\n浒山,100000\n周巷,50000\n附海,900\n', encoding='utf-8-sig')
    options = (str(file), '--strata', '镇街', '--population', '人口', '--n', '1000')
    sizes = json.loads(shell('allocate', *options, '--minimum', '80', '--json')[1])
    assert sizes == {'浒山': 539, '周巷': 381, '附海': 80}
    assert '附海' in shell('allocate', *options)[1]


def test_the_cheapest_sizes_for_several_bounds(shell: Any, tmp_path: Path) -> None:
    file = tmp_path / 'towns.csv'
    file.write_text(
        'town,side,people,sd_water,income,sd_income,cost\n'
        'a,west,9000,0.30,100,40,1\nb,west,4000,0.45,80,60,2\nc,east,700,0.50,70,20,1\n'
    )
    options = ('allocate', str(file), '--strata', 'town', '--population', 'people')
    bounds = ('--se', 'sd_water=0.02', '--cv', 'income,sd_income=0.03', '--cost', 'cost')
    told = json.loads(
        shell(*options, *bounds, '--domain', 'side', '--domain-se', 'sd_water=0.06', '--json')[1]
    )
    aims = {
        'sd_water': Aim({'a': 0.30, 'b': 0.45, 'c': 0.50}, se=0.02, domain_se=0.06),
        'sd_income': Aim({'a': 40, 'b': 60, 'c': 20}, cv=0.03, mean={'a': 100, 'b': 80, 'c': 70}),
    }
    plan = allocate_for_precision(
        {'a': 9000, 'b': 4000, 'c': 700},
        aims,
        domains={'a': 'west', 'b': 'west', 'c': 'east'},
        cost={'a': 1, 'b': 2, 'c': 1},
    )
    assert told['sizes'] == plan.sizes
    assert [(r['variable'], r['domain']) for r in told['reached']] == [
        ('sd_water', ''),
        ('sd_water', 'west'),
        ('sd_water', 'east'),
        ('sd_income', ''),
    ]
    assert 'binding' in shell(*options, *bounds)[1]
    assert 'bound of sd_water' in shell(*options, '--se', 'sd_water=0.001', '--cap', '9')[2]
    assert 'Give --n, or bounds' in shell(*options)[2]
    assert '--se must read SD=BOUND' in shell(*options, '--se', 'sd_water')[2]
    assert '--cv must read MEAN,SD=BOUND' in shell(*options, '--cv', 'sd_income=1')[2]
    assert "no column 'sd_air'" in shell(*options, '--se', 'sd_air=1')[2]


def test_a_drawn_sample_carries_its_weights_and_can_be_drawn_again(
    shell: Any, tmp_path: Path
) -> None:
    frame = tmp_path / 'frame.csv'
    lines = [f'{town},{town}{i // 10},{i}' for town in 'ab' for i in range(60)]
    frame.write_text('town,village,unit\n' + '\n'.join(lines) + '\n')
    options = ('draw', str(frame), '--seed', '7', '--strata', 'town')
    first = shell(*options, '--n', '6')[1]
    assert first == shell(*options, '--n', '6')[1]
    drawn = rows_of(first)
    assert len(drawn) == 12
    assert sum(float(row['weight']) for row in drawn) == pytest.approx(120)
    two_stage = rows_of(shell(*options, '--n', '3', '--psu', 'village', '--per-psu', '5')[1])
    assert len({row['village'] for row in two_stage}) == 6
    assert sum(float(row['weight']) for row in two_stage) == pytest.approx(120)
    sizes = tmp_path / 'sizes.csv'
    sizes.write_text('stratum,n\na,2\nb,4\n')
    by_town = rows_of(shell(*options, '--sizes', str(sizes))[1])
    assert [row['town'] for row in by_town] == ['a'] * 2 + ['b'] * 4
    assert 'Stratum a: 61 of 60' in shell(*options, '--n', '61')[2]


def test_the_design_stratum_by_stratum(shell: Any) -> None:
    told = json.loads(shell('design', *STRAT, '--json')[1])
    assert told['df'] == 197
    assert [row['rows'] for row in told['strata']] == [100, 50, 50]
    assert 'Kish 1.186' in shell('design', *STRAT)[1]


def test_raked_weights_as_a_column_and_their_report(shell: Any, tmp_path: Path) -> None:
    margins = tmp_path / 'margins.csv'
    margins.write_text(MARGINS)
    options = ('weight', str(DATA / 'apiclus1.csv'), '--weights', 'pw', '--margins', str(margins))
    rows = rows_of(shell(*options)[1])
    high = sum(float(row['calibrated']) for row in rows if row['stype'] == 'H')
    assert high == pytest.approx(755, rel=1e-9)
    report = json.loads(shell(*options, '--report')[1])
    assert report['tiny'] == ['stype=H (14)']
    trimmed = json.loads(shell(*options, '--report', '--trim', '60')[1])
    assert trimmed['cut'] > 0
    assert trimmed['kish'] < report['kish']
    margins.write_text(MARGINS + 'stype,E,5\n')
    assert 'stype E is given again in line 7 of' in shell(*options)[2]
    margins.write_text(MARGINS + 'planet,Earth,5\n')
    assert "no column 'planet'" in shell(*options)[2]


def test_calibrated_weights_keep_their_bounds(shell: Any, tmp_path: Path) -> None:
    margins = tmp_path / 'margins.csv'
    margins.write_text('margin,level,count\nstype,E,4421\nstype,H,755\nstype,M,1018\n')
    options = ('weight', str(DATA / 'apiclus1.csv'), '--weights', 'pw', '--margins', str(margins))
    linear = rows_of(shell(*options, '--method', 'linear')[1])
    assert sum(float(r['calibrated']) for r in linear if r['stype'] == 'M') == pytest.approx(1018)
    told = json.loads(shell(*options, '--method', 'logit', '--bounds', '0.8,1.9', '--report')[1])
    assert told['kind'] == 'calibration (logit)'
    assert 0.8 <= told['g_min'] <= told['g_max'] <= 1.9
    said = shell(*options, '--method', 'linear', '--bounds', '0.95,1.05')[2]
    assert said.startswith('error: ')
    assert 'stype=' in said
    # A row without level is the total of a column: svytotal of enroll becomes it exactly.
    margins.write_text(margins.read_text() + 'enroll,,3400000\n')
    rows = rows_of(shell(*options, '--method', 'linear')[1])
    reached = sum(float(row['calibrated']) * float(row['enroll']) for row in rows)
    assert reached == pytest.approx(3_400_000, rel=1e-9)
    assert '--bounds must be two numbers' in shell(*options, '--bounds', 'low')[2]
    assert '--trim goes with plain raking' in shell(*options, '--trim', '60')[2]


def test_towns_with_one_design_effect_and_their_flags(shell: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    lines = [
        f'{town},{town}{village},{1 + person % 3},{int(random.random() < 0.6 + 0.08 * village)}'
        for town in 'ABC'
        for village in range(5)
        for person in range(12)
    ]
    file = tmp_path / 'wave.csv'
    file.write_text('town,village,w,ok\n' + '\n'.join(lines) + '\n')
    sample = ('estimate', str(file), '--weights', 'w', '--strata', 'town', '--psu', 'village')
    options = (*sample, '--proportion', 'ok', '--by', 'town')
    own = json.loads(shell(*options, '--json')[1])['estimates']
    pooled = json.loads(shell(*options, '--json', '--pooled-deff', '--flags')[1])['estimates']
    assert [row['est'] for row in pooled] == [row['est'] for row in own]
    assert {row['df'] for row in pooled} == {12}
    assert len({row['pooled_deff'] for row in pooled}) == 1
    assert {row['flag']['flag'] for row in pooled} <= {'show', 'review', 'suppress'}
    told = json.loads(shell(*options, '--json', '--flags')[1])['estimates']
    expected = flag(
        proportion(
            Design(
                [float(line.split(',')[2]) for line in lines],
                strata=[line[0] for line in lines],
                psu=[line.split(',')[1] for line in lines],
            ),
            [float(line[-1]) for line in lines],
            by=[line[0] for line in lines],
        )['A']
    )
    assert told[0]['flag'] == {'flag': expected.flag, 'reasons': list(expected.reasons)}
    text = shell(*options, '--pooled-deff', '--flags')[1]
    assert 'Design effect pooled over the groups: ' in text
    assert 'because' in text
    assert '--pooled-deff needs --by' in shell(*sample, '--proportion', 'ok', '--pooled-deff')[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_long_work_shows_how_far_it_is_on_a_terminal_only() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with Progress(stream, 'replicates', after=0.0) as progress:
            progress(7, 500)
            if stream is terminal:
                begin = time.monotonic()
                while '7 of 500' not in terminal.getvalue() and time.monotonic() < begin + 5:
                    threading.Event().wait(0.01)
    assert 'replicates: 7 of 500 … 0 s' in terminal.getvalue()
    assert terminal.getvalue().endswith('\r')  # the line is cleared for the result
    assert pipe.getvalue() == ''
    with Progress(terminal := Terminal(), 'quick'):
        pass
    assert terminal.getvalue() == ''


def test_every_replicate_is_counted_as_it_is_raked() -> None:
    margins = {'stype': apiclus1['stype']}
    people = {'stype': {'E': 4421, 'H': 755, 'M': 1018}}
    design = replicates.jackknife(Design(apiclus1['pw'], psu=apiclus1['dnum']))
    told: list[tuple[int, int]] = []
    step = weights.rake(apiclus1['pw'], margins, people).step
    design.calibrated(step, progress=lambda done, total: told.append((done, total)))
    assert told == [(r + 1, 15) for r in range(15)]


def test_replicate_weights_for_other_programs(shell: Any) -> None:
    rows = rows_of(shell('replicates', *CLUS1)[1])
    told = json.loads(shell('replicates', *CLUS1, '--report')[1])
    table = np.array([[float(row[f'replicate_{r + 1}']) for r in range(15)] for row in rows])
    handed = replicates.given(
        apiclus1['pw'], table, kind='JKn', scale=told['scale'], rscales=told['rscales'], df=14
    )
    own = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    expected = mean(replicates.jackknife(own), apiclus1['api00'])
    assert mean(handed, apiclus1['api00']).se == pytest.approx(expected.se, rel=1e-9)
    assert 'needs --seed' in shell('replicates', *CLUS1, '--kind', 'bootstrap')[2]


def test_groups_compared_with_one_of_them(shell: Any) -> None:
    told = json.loads(shell('compare', *CLUS1, '--mean', 'api00', '--by', 'stype', '--json')[1])
    assert [row['label'] for row in told['estimates']] == ['H − E', 'M − E']
    # svyglm(api00 ~ stype, CLUS1): stypeM
    assert told['estimates'][1]['est'] == pytest.approx(-17.428055555555556, rel=1e-9)
    assert told['estimates'][1]['se'] == pytest.approx(14.337390234216771, rel=1e-9)
    other = shell('compare', *CLUS1, '--mean', 'api00', '--by', 'stype', '--reference', 'H')[1]
    assert 'E − H' in other
    assert 'needs --by' in shell('compare', *CLUS1, '--mean', 'api00')[2]
    missing = ('compare', *CLUS1, '--mean', 'api00', '--by', 'stype', '--reference', 'X')
    assert 'no group' in shell(*missing)[2]


def test_the_coverage_of_a_plan(shell: Any) -> None:
    options = ('--share', '85', '--n', '60', '--villages', '6', '--samples', '20', '--json')
    code, out, err = shell('coverage', *options)
    found = {row['method']: row for row in json.loads(out)}
    assert code == 0
    assert err == ''  # no terminal: logs and pipes stay clean
    assert found['wilson']['intervals'] == 20 * 18
    assert found['wilson']['covered'] > 0.92
    assert found['wald']['width'] < found['korn-graubard']['width']
    assert found['wilson, pooled deff']['width'] < found['wilson']['width']
    assert (
        'no villages or 2' in shell('coverage', '--share', '85', '--n', '9', '--villages', '1')[2]
    )


@pytest.mark.parametrize(
    'command',
    [
        'estimate',
        'compare',
        'size',
        'allocate',
        'draw',
        'coverage',
        'design',
        'weight',
        'replicates',
    ],
)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, '--help'])
    assert ended.value.code == 0
    assert 'usage: python -m analysis' in capsys.readouterr().out
