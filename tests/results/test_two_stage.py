"""A wave whose villages were drawn first: strata, villages and persons all count for the error."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from analysis import estimate
from analysis.design import Design
from cixi_survey.models import DrawnVillage, Invitation, Run, Wave
from cixi_survey.questionnaire.indicators import coded
from cixi_survey.results import dataset, exports, presentation, weighting
from cixi_survey.results.dataset import FirstStage, Sampling
from cixi_survey.waves import lifecycle, monitor, villages
from tests import factories
from tests.results.conftest import FUHAI, HUSHAN, database_of, made
from tests.results.test_files import agree, commands, estimates
from tests.waves import conftest as make
from tests.waves.conftest import ACT, SLUG

# Rscript two_stage.R: estimate and standard error of the city, then of towns A, B and C.
CITY = (0.658890060543537, 0.128007581873226)
TOWNS = (
    (0.674718965703295, 0.220069427720037),
    (0.721453288366399, 0.157897699541146),
    (0.63358778628052, 0.147307741465455),
)


def sampling_of(rows: list[dict[str, str]]) -> Sampling:
    def column(name: str) -> Any:
        return np.array([float(row[name]) for row in rows])

    first = FirstStage(column('chance'), {'A': 0.42, 'B': 0.0, 'C': 0.36}, {'A': 3, 'C': 2})
    towns = coded(np.array([row['town'] for row in rows]))
    return Sampling(
        towns,
        coded(np.array([row['village'] for row in rows])),
        column('w'),
        column('listed'),
        first,
    )


@pytest.fixture(scope='module')
def rows() -> list[dict[str, str]]:
    with (Path(__file__).parent / 'two_stage.csv').open(newline='') as file:
        return list(csv.DictReader(file))


def answers(rows: list[dict[str, str]]) -> Any:
    return np.array([float(row['y']) for row in rows])


def test_errors_of_two_stages_are_those_of_r(rows: list[dict[str, str]]) -> None:
    sampling = sampling_of(rows)
    design = weighting.design_of(sampling, sampling.base_weight)
    city = estimate.mean(design, answers(rows))
    assert (city.est, city.se) == pytest.approx(CITY, rel=1e-9)
    # 6 villages by chance in 2 towns; 12 persons in 3 villages of B, 8 in one of C: 4 + 9 + 7 − 1.
    assert city.df == 19
    towns = estimate.mean(design, answers(rows), by=weighting.groups_of(sampling.stratum))
    assert [(row.est, row.se) for row in towns] == [pytest.approx(each, rel=1e-9) for each in TOWNS]


def test_a_town_without_chance_villages_is_a_stratified_sample_of_persons(
    rows: list[dict[str, str]],
) -> None:
    mine = [row for row in rows if row['town'] == 'B' and row['village'] != 'b3']
    sampling, y = sampling_of(mine), answers(mine)
    found = estimate.mean(weighting.design_of(sampling, sampling.base_weight), y)
    persons = Design(
        sampling.base_weight,
        strata=weighting.groups_of(sampling.psu),
        rate=weighting.sampled_share(sampling.psu, sampling.base_weight),
    )
    assert found.se == pytest.approx(estimate.mean(persons, y).se, rel=1e-12)


def test_one_answer_of_a_village_drawn_by_chance_takes_the_spread_of_the_others(
    rows: list[dict[str, str]],
) -> None:
    mine = [row for row in rows if row['town'] == 'A']
    alone = [row for row in mine if row['village'] != 'a1'] + mine[:1]
    sampling = sampling_of(alone)
    found = estimate.mean(weighting.design_of(sampling, sampling.base_weight), answers(alone))
    first_stage = Design(sampling.base_weight, psu=weighting.groups_of(sampling.psu), rate=0.42)
    assert found.se > estimate.mean(first_stage, answers(alone)).se


def closed(session: Session, *, silent: str = '', each: int = 1000) -> Wave:
    """A wave of two towns in two stages, answered by every second person, sealed.

    Nobody answers in the town ``silent`` but in its first village, and in no village of Hushan
    more than ``each``.
    """
    answered(session, silent=silent, each=each)
    return lifecycle.close_wave(session, SLUG, **ACT)


def answered(session: Session, *, silent: str = '', each: int = 1000) -> Wave:
    """The same, still open."""
    make.create(session)
    make.load_populations(session)
    villages.load_shipped(session, SLUG, **ACT)
    make.draw_villages(session)
    make.load_lists(session)
    make.draw_persons(session)
    make.make_codes(session)
    wave = make.open_wave(session)
    units = session.scalars(sa.select(Invitation).order_by(Invitation.psu, Invitation.unit)).all()
    first = min(unit.psu for unit in units if unit.stratum == HUSHAN)
    counted: Counter[str] = Counter()
    for place, unit in enumerate(units):
        if place % 2 or (unit.stratum == silent and unit.psu != first):
            continue
        counted[unit.psu] += 1
        if unit.stratum == HUSHAN and counted[unit.psu] > each:
            continue
        content = 'satisfied' if int(unit.psu) % 3 else 'not_at_all'
        age = 'a18_39' if place % 4 else 'a40_up'
        factories.response(session, wave, unit, {'overall': content, 'age': age})
    return wave


def run_of(session: Session, wave: Wave) -> tuple[Run, dict[str, Any]]:
    frozen = made(session, wave, raking=False, reason='test')
    return frozen, json.loads(frozen.figures)


def test_a_run_follows_the_draw_of_its_wave(database: Any) -> None:
    with database.transaction() as session:
        wave = closed(session)
        _frozen, figures = run_of(session, wave)
        sample = dataset.load(session, wave, 'probability')
        drawn = session.scalars(sa.select(DrawnVillage)).all()
    assert sample.sampling is not None
    first = sample.sampling.first
    assert first is not None
    chances = {village.psu: village.probability for village in drawn}
    psus = [str(sample.sampling.psu.labels[code]) for code in sample.sampling.psu.codes]
    assert first.chance.tolist() == [chances[psu] for psu in psus]
    assert [
        (t['town'], t['villages'], t['certain']) for t in figures['wave']['villages']['towns']
    ] == [
        (HUSHAN, 10, sum(v.certain for v in drawn if v.stratum == HUSHAN)),
        (FUHAI, 8, 8),
    ]
    share = next(i for i in figures['indicators'] if i['name'] == 'satisfaction_share')
    # The towns by hand: PSUs − strata are villages − 1, and persons − villages.
    answered = [sum(psu.startswith(town) for psu in psus) for town in (HUSHAN, FUHAI)]
    assert [row['df'] for row in share['towns']] == [10 - 1, answered[1] - 8]
    # Likeness inside the villages of Hushan makes its error larger than that of single persons.
    hushan = share['towns'][0]
    assert hushan['se'] ** 2 > hushan['est'] * (1 - hushan['est']) / hushan['n']


def test_a_town_that_answered_from_one_village_only_has_no_error(database: Any) -> None:
    with database.transaction() as session:
        wave = closed(session, silent=HUSHAN)
        with pytest.raises(weighting.VillageAlone, match='Hushan'):
            run_of(session, wave)


@pytest.mark.parametrize('method', ['wilson', 'korn-graubard', 'logit'])
def test_a_town_with_one_answer_in_each_village_is_kept_with_no_error_of_its_own(
    app: Flask, method: str
) -> None:
    with database_of(app).transaction() as session:
        frozen = made(session, closed(session, each=1), raking=False, reason='t', method=method)
        share = json.loads(frozen.figures)['indicators'][0]
    assert share['towns'][0]['se'] is None
    assert share['total']['est'] is not None


@pytest.mark.parametrize(('silent', 'too_few'), [('', []), (HUSHAN, ['Hushan Subdistrict'])])
def test_who_closes_is_warned_by_the_rule_of_the_estimates(
    app: Flask, silent: str, too_few: list[str]
) -> None:
    with database_of(app).transaction() as session:
        wave = answered(session, silent=silent)
        found = monitor.returns(session, wave, ACT['now'])
    assert [row.name['en'] for row in found.too_few if row.name] == too_few


def test_files_and_page_tell_of_the_two_stages(app: Flask, tmp_path: Path) -> None:
    with database_of(app).transaction() as session:
        wave = closed(session)
        frozen, figures = run_of(session, wave)
        content = exports.microdata_zip(session, wave, frozen)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    for line, figure in zip(commands(tmp_path), figures['indicators'], strict=True):
        assert 'CERTAIN' in line
        (again,) = estimates(line, tmp_path)
        agree(again, figure['total'])
    text = (tmp_path / 'microdata.csv').read_text(encoding='utf-8-sig')
    assert HUSHAN + '0' not in text
    with app.test_request_context('/?lang=en'):
        told = dict(presentation._sample(figures))
        figures['wave']['draw']['released'] = 1
        with_reserve = dict(presentation._sample(figures))['Sample']
    assert 'by a rule set before: 1.' in with_reserve
    assert '18 of 35' in told['Sample']
    assert 'seed 7' in told['Sample']
