"""Files: read back by other programs, and the microdata that give the published figures again."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from cixi_survey.config import ROOT
from cixi_survey.models import Response, Run, Wave
from cixi_survey.results import exports
from cixi_survey.results.disclosure import SUPPRESSED
from cixi_survey.results.exports import DataChanged
from tests import factories
from tests.results.conftest import database_of, made, published, sampled, whole


def test_the_table_is_read_by_excel_and_by_python(published_app: Flask) -> None:
    client = published_app.test_client()
    response = client.get('/results/w2026-11.csv?lang=zh')
    assert response.mimetype == 'text/csv'
    disposition = response.headers['Content-Disposition']
    assert "filename*=UTF-8''2026%E5%B9%B411%E6%9C%88.csv" in disposition
    assert response.data.startswith(b'\xef\xbb\xbf')
    rows = list(csv.DictReader(io.StringIO(response.data.decode('utf-8-sig'))))
    content = client.get('/results/w2026-11.json').get_json()
    expected = sum(1 + len(each['towns']) for each in [*content['indicators'], *content['items']])
    assert len(rows) == expected
    city = next(r for r in rows if r['name'] == 'satisfaction_share' and not r['town_code'])
    found = next(each for each in content['indicators'] if each['name'] == 'satisfaction_share')
    assert float(city['estimate']) == found['total']['est']
    assert float(city['se']) == found['total']['se']
    assert city['decision'] == found['total']['verdict']['decision']
    assert (city['target'], city['target_basis']) == ('0.8', 'national')
    assert {r['data'] for r in rows} == {'演示数据 demonstration data'}


def test_suppressed_rows_of_the_table_have_no_number(app: Flask) -> None:
    with database_of(app).transaction() as session:
        published(session, whole(session, sizes={'330282108': 24}))
    text = app.test_client().get('/results/w2026-11.csv').data.decode('utf-8-sig')
    hidden = [r for r in csv.DictReader(io.StringIO(text)) if r['status'] == SUPPRESSED]
    assert {r['town_zh'] for r in hidden} >= {'附海镇'}
    for row in hidden:
        for name in ('estimate', 'se', 'lci', 'uci', 'n', 'n_eff', 'df', 'decision'):
            assert row[name] == ''


@pytest.mark.parametrize('text', ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1'])
def test_no_cell_is_taken_for_a_formula(text: str) -> None:
    assert exports.guarded(text) == f"'{text}"


def test_the_json_says_it_is_a_demonstration_and_holds_the_whole_result(
    published_app: Flask,
) -> None:
    response = published_app.test_client().get('/results/w2026-11.json')
    assert response.mimetype == 'application/json'
    content = response.get_json()
    assert content['format'] == 1
    assert content['demonstration'] is True
    assert len(content['wave']['towns']) == 18
    assert len(content['indicators']) == 4


def microdata(app: Flask, folder: Path, **options: Any) -> dict[str, Any]:
    """Export a run's microdata into ``folder``; the figures of the run."""
    with database_of(app).transaction() as session:
        wave = whole(session, sizes={'330282108': 40})
        frozen = made(session, wave, **options)
        content = exports.microdata_zip(session, wave, frozen)
        figures: dict[str, Any] = json.loads(frozen.figures)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return figures


def commands(folder: Path) -> list[list[str]]:
    readme = (folder / 'README.md').read_text(encoding='utf-8')
    return [shlex.split(line) for line in re.findall(r'^python -m analysis .*$', readme, re.M)]


def estimates(command: list[str], folder: Path, *more: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, *command[1:], *more, '--json'],
        cwd=folder,
        env={'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)['estimates']
    return found


@pytest.mark.parametrize(
    'options', [{}, {'raking': False, 'reason': 'test', 'method': 'korn-graubard', 'level': 0.9}]
)
def test_the_commands_of_the_readme_give_the_figures_again(
    app: Flask, tmp_path: Path, options: dict[str, Any]
) -> None:
    figures = microdata(app, tmp_path, **options)
    lines = commands(tmp_path)
    assert len(lines) == len(figures['indicators'])
    for line, indicator in zip(lines, figures['indicators'], strict=True):
        (city,) = estimates(line, tmp_path)
        agree(city, indicator['total'])
        by_town = {row['label']: row for row in estimates(line, tmp_path, '--by', 'STRATUM')}
        for row in indicator['towns']:
            agree(by_town[row['town']], row)
        if indicator['target']:
            assert city['verdict']['decision'] == indicator['total']['verdict']['decision']


def test_the_microdata_name_no_village(app: Flask, tmp_path: Path) -> None:
    microdata(app, tmp_path)
    text = (tmp_path / 'microdata.csv').read_text(encoding='utf-8-sig')
    with database_of(app).reading() as session:
        sampled = list(session.scalars(sa.select(Response.psu).where(Response.psu.is_not(None))))
    assert not any(village in text for village in set(sampled))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert 'village' not in rows[0]
    # Which answers share a village can still be told.
    sizes = sorted(Counter(sampled).values())
    assert sorted(Counter(row['PSU'] for row in rows).values()) == sizes
    assert rows[0]['PSU'] == '1'


def agree(again: dict[str, Any], figure: dict[str, Any]) -> None:
    for name in ('est', 'se', 'lci', 'uci', 'n_eff'):
        assert again[name] == pytest.approx(figure[name], rel=1e-6, abs=1e-9), name
    assert (again['n'], again['df']) == (figure['n'], figure['df'])


def test_household_figures_come_back_as_ratios(app: Flask, tmp_path: Path) -> None:
    questionnaire = factories.small()
    items = json.loads(questionnaire.canonical())
    household = next(each for each in items['indicators'] if each['name'] == 'participation')
    items['indicators'].append(
        {**household, 'name': 'homes', 'family': 'household', 'household_size': 'adults'}
    )
    changed = type(questionnaire).model_validate_json(json.dumps(items))
    with database_of(app).transaction() as session:
        wave = whole(session, questionnaire=changed)
        frozen = made(session, wave)
        content = exports.microdata_zip(session, wave, frozen)
        figures = json.loads(frozen.figures)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    homes = next(each for each in figures['indicators'] if each['name'] == 'homes')
    persons = next(each for each in figures['indicators'] if each['name'] == 'participation')
    assert homes['kind'] == 'household'
    assert homes['total']['est'] != persons['total']['est']
    (line,) = [line for line in commands(tmp_path) if '--ratio' in line]
    (again,) = estimates(line, tmp_path)
    for name in ('est', 'se'):
        assert again[name] == pytest.approx(homes['total'][name], rel=1e-6)
    # By hand from the file: Σ w/a·y over Σ w/a.
    rows = read(tmp_path / 'microdata.csv')
    weight = [float(row['W_FINAL']) / int(row['adults']) for row in rows]
    above = sum(w * float(row['I_homes']) for w, row in zip(weight, rows, strict=True))
    assert homes['total']['est'] == pytest.approx(above / sum(weight), rel=1e-9)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding='utf-8-sig', newline='') as file:
        return list(csv.DictReader(file))


def test_the_microdata_have_codes_weights_and_a_codebook_but_no_way_back(
    app: Flask, tmp_path: Path
) -> None:
    figures = microdata(app, tmp_path)
    assert (tmp_path / 'microdata.csv').read_bytes().startswith(b'\xef\xbb\xbf')
    rows = read(tmp_path / 'microdata.csv')
    codebook = {row['variable']: row for row in read(tmp_path / 'codebook.csv')}
    assert len(rows) == figures['dataset']['n']
    assert list(rows[0]) == list(codebook)
    assert codebook['overall']['label_zh'] == '总体满意吗？'
    assert 'satisfied=满意/Satisfied' in codebook['overall']['values']
    assert {row['did__sorted'] for row in rows} == {'0', '1'}
    assert 'reason' not in rows[0]  # free text stays inside
    assert sum(float(row['W_FINAL']) for row in rows) == pytest.approx(
        sum(town['population'] for town in figures['wave']['towns'])
    )
    assert {row['DATA'] for row in rows} == {'演示数据 demonstration data'}
    text = (tmp_path / 'microdata.csv').read_text(encoding='utf-8-sig')
    with database_of(app).reading() as session:
        secret = session.execute(
            sa.select(Response.reference, Response.submission_id, Response.answers_sha256)
        ).all()
        keys = [
            row.town
            for row in session.execute(
                sa.select(Response.stratum.label('town'))
                .where(Response.stream == 'probability')
                .order_by(Response.id)
            )
        ]
    for reference, submission, _ in secret[:200]:
        assert reference not in text
        assert submission not in text
    assert [row['STRATUM'] for row in rows] != keys


def test_the_same_export_twice_is_the_same_file(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = whole(session)
        frozen = made(session, wave)
        first = exports.microdata_zip(session, wave, frozen)
        assert exports.microdata_zip(session, wave, frozen) == first


def test_microdata_of_other_answers_than_the_run_s_are_refused(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = whole(session)
        made(session, wave)
    with database_of(app).transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        sampled(session, wave, '330282004', [{}], probability=0.1, frame_count=40)
        with pytest.raises(DataChanged):
            exports.microdata_zip(
                session,
                session.scalars(sa.select(Wave)).one(),
                session.scalars(sa.select(Run)).one(),
            )
