"""Strata inside the villages (R: strata = ~s1 + s2), against R survey 4.1-1 (`later_strata.R`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, replicates, total
from analysis.__main__ import main
from analysis.errors import (
    BadColumn,
    BadOption,
    ClusterInTwoStrata,
    LonelyPsu,
    PopulationTooSmall,
)
from tests.analysis.test_two_stage import pairs


def made() -> dict[str, Any]:
    """The sample of later_strata.R: the old and the new part of each village are strata."""
    cells = [
        (h, i, p, j, k)
        for h in range(3)
        for i in range(3 + h % 2)
        for p in range(2)
        for j in range(2 + (i + p) % 2)
        for k in range(2)
    ]
    h, i, p, j, k = np.array(cells).T
    house = 100 * (10 * h + i) + 10 * p + j
    return {
        'h': h,
        'i': 10 * h + i,
        'p': p,
        'house': house,
        'person': 10 * house + k,
        'N': 9 + 2 * h,
        'M': 8 + 3 * p + i,
        'w': 1 + (7 * h + 3 * i + 5 * p + j) % 6 / 4,
        'y': (37 * h + 61 * i + 17 * p + 29 * j + 43 * k + 11 * i * p) % 50,
        'g': (i + j + k) % 3,
    }


D = made()
# mean of y, total of y, means by g: estimate and standard error in turn
EXPECTED = {
    # svydesign(id=~i+house, strata=~h+p, weights=~w, fpc=~N+M)
    'two': [
        *(25.769230769230770, 1.304357888004034, 4020.0, 303.687406235834658),
        *(23.065326633165828, 1.749933894305871, 26.646226415094340, 2.230105688965058),
        *(27.422535211267604, 2.542963060011111),
    ],
    # svydesign(id=~i+house+person, strata=~h+p+ones, weights=~w, fpc=~N+M+K, nest=TRUE)
    'three': [
        *(25.769230769230770, 1.316502605502238, 4020.0, 304.960072964328162),
        *(23.065326633165828, 1.789743475098488, 26.646226415094340, 2.273314440060143),
        *(27.422535211267604, 2.576171707068867),
    ],
    # svydesign(id=~i+house, strata=~h, weights=~w, fpc=~N+I(2*N))
    'unstratified': [
        *(25.769230769230770, 1.218127255525999, 4020.0, 293.641227346194910),
        *(23.065326633165828, 1.744722820156144, 26.646226415094340, 2.226674583761155),
        *(27.422535211267604, 2.535792684995107),
    ],
}


def design(kind: str = 'two', **options: Any) -> Design:
    shared: dict[str, Any] = {'strata': D['h'], 'psu': D['i'], 'any_scale': True}
    if kind == 'three':
        shared |= {
            'ssu': [D['house'], D['person']],
            'ssu_strata': [D['p'], None],
            'population': (D['N'], D['M'], 3),
        }
    elif kind == 'two':
        shared |= {'ssu': D['house'], 'ssu_strata': D['p'], 'population': (D['N'], D['M'])}
    else:
        shared |= {'ssu': D['house'], 'population': (D['N'], 2 * D['N'])}
    return Design(D['w'], **{**shared, **options})


@pytest.mark.parametrize('kind', list(EXPECTED))
def test_strata_of_later_stages_as_in_r(kind: str) -> None:
    one = design(kind)
    found = pairs([mean(one, D['y']), total(one, D['y']), *mean(one, D['y'], by=D['g'])])
    np.testing.assert_allclose(found, EXPECTED[kind], rtol=1e-8)
    assert one.df == 7  # 10 villages, 3 strata


def test_labels_that_start_again_in_each_part_need_nest() -> None:
    again = D['house'] % 10
    with pytest.raises(ClusterInTwoStrata, match='2 ssu labels appear in more than one of'):
        design(ssu=again)
    nested = design(ssu=again, nest=True)
    assert mean(nested, D['y']).se == pytest.approx(mean(design(), D['y']).se, rel=1e-12)


def test_one_part_everywhere_is_no_stratification() -> None:
    flat = design('unstratified')
    same = design('unstratified', ssu_strata=np.ones(len(D['y'])))
    assert mean(same, D['y']).se == pytest.approx(mean(flat, D['y']).se, rel=1e-12)


def test_a_second_stage_taken_whole_adds_nothing_in_its_stratum() -> None:
    # Old parts surveyed in full: their term vanishes, as computed by hand from the villages.
    rate = np.where(D['p'] == 0, 1.0, 0.5)
    one = design(population=None, rate=(0.3, rate))
    hand = 0.0
    for h in range(3):
        villages = sorted(set(D['i'][D['h'] == h]))
        totals = [float((D['w'] * D['y'])[D['i'] == i].sum()) for i in villages]
        hand += 0.7 * len(villages) * float(np.var(totals, ddof=1))
        for i in villages:
            new = (D['i'] == i) & (D['p'] == 1)
            houses = sorted(set(D['house'][new]))
            inner = [float((D['w'] * D['y'])[D['house'] == j].sum()) for j in houses]
            hand += 0.3 * 0.5 * len(houses) * float(np.var(inner, ddof=1))
    assert total(one, D['y']).se ** 2 == pytest.approx(hand, rel=1e-12)


def test_the_bootstrap_follows_the_inner_strata() -> None:
    many = replicates.bootstrap(design('three'), 4000, seed=2)
    assert total(many, D['y']).se == pytest.approx(EXPECTED['three'][3], rel=0.05)


def test_faults_name_the_village_and_its_part() -> None:
    with pytest.raises(PopulationTooSmall, match=r'0/1 \(population 1, drawn 3\)'):
        design(population=(D['N'], np.where((D['i'] == 0) & (D['p'] == 1), 1, D['M'])))
    with pytest.raises(PopulationTooSmall, match='varies inside stratum 0/0'):
        design(population=(D['N'], np.arange(len(D['y'])) + 50))
    first = (D['i'] != 11) | (D['p'] != 0) | (D['house'] % 10 == 0)
    with pytest.raises(LonelyPsu, match='stage 2 in unit of stage 1 11/0'):
        Design(
            D['w'][first],
            strata=D['h'][first],
            psu=D['i'][first],
            ssu=D['house'][first],
            ssu_strata=D['p'][first],
            population=(D['N'][first], D['M'][first]),
        )
    with pytest.raises(BadOption, match='2 columns for 1 later stages'):
        design(ssu_strata=[D['p'], D['p']])


def parts_of(certain: np.ndarray[Any, Any], kind: str, **options: Any) -> list[float]:
    """Variances of the total of y: left to chance, and in certainty villages, by two designs."""
    chance, sure = ({n: c[rows] for n, c in D.items()} for rows in (~certain, certain))
    shared: dict[str, Any] = {'any_scale': True, 'lonely_psu': 'certainty'}
    three = kind == 'three'
    first = Design(
        chance['w'],
        strata=chance['h'],
        psu=chance['i'],
        ssu=[chance['house'], chance['person']] if three else chance['house'],
        ssu_strata=[chance['p'], None] if three else chance['p'],
        population=(chance['N'], chance['M'], 3) if three else (chance['N'], chance['M']),
        **shared,
    )
    second = Design(
        sure['w'],
        strata=2 * sure['i'] + sure['p'],
        psu=sure['house'],
        ssu=sure['person'] if three else None,
        population=(sure['M'], 3) if three else sure['M'],
        **shared,
    )
    return [total(one, data['y']).se ** 2 for one, data in ((first, chance), (second, sure))]


@pytest.mark.parametrize('kind', ['two', 'three'])
def test_a_certainty_village_passes_its_variance_to_the_strata_inside_it(kind: str) -> None:
    # Villages 10 and 21 were taken for certain: nothing of their sums between villages counts,
    # and each of their parts is a stratum, with its own number of houses.
    certain = np.isin(D['i'], (10, 21))
    one = design(kind, certainty=certain)
    assert total(one, D['y']).se ** 2 == pytest.approx(sum(parts_of(certain, kind)), rel=1e-12)
    assert 'h/' not in str(one.strata.names())
    assert {'1/10/0', '1/10/1', '2/21/0', '2/21/1'} <= set(one.strata.names())
    houses = len(set(D['house'][certain]))
    assert one.df == (10 - 2) + houses - 3 - 4
    many = replicates.bootstrap(one, 4000, seed=2)
    assert total(many, D['y']).se == pytest.approx(total(one, D['y']).se, rel=0.05)


def test_a_certainty_village_without_strata_or_known_houses() -> None:
    certain = D['i'] == 10
    plain = design('unstratified', certainty=certain, population=None)
    by_hand = Design(
        D['w'],
        strata=np.where(certain, 'sure', D['h'].astype(str)),
        psu=np.where(certain, D['house'] + 1000, D['i']),
    )
    assert total(plain, D['y']).se == pytest.approx(total(by_hand, D['y']).se, rel=1e-12)
    with pytest.raises(PopulationTooSmall, match=r'1/10 \(population 2, drawn'):
        design('unstratified', certainty=certain, population=(D['N'], np.where(certain, 2, 99)))
    with pytest.raises(BadColumn, match='certainty differs inside PSU 10'):
        design('unstratified', certainty=D['house'] == 1000)
    with pytest.raises(BadOption, match='certainty needs psu'):
        Design(D['w'], certainty=certain)


def test_inner_strata_at_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ['h', 'i', 'p', 'house', 'N', 'M', 'w', 'y']
    lines = [','.join(str(D[name][row]) for name in names) for row in range(len(D['y']))]
    file = tmp_path / 'parts.csv'
    file.write_text('\n'.join([','.join(names), *lines]) + '\n')
    sample = ('--weights', 'w', '--strata', 'h', '--psu', 'i', '--ssu', 'house')
    main(['estimate', str(file), *sample, '--ssu-strata', 'p', '--fpc', 'N,M', '--mean', 'y'])
    assert '1.3044' in capsys.readouterr().out
