"""A language is a folder: what follows from it, and what is wrong with one that cannot be used."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from cixi_survey import config, create_app, i18n, languages, notices
from cixi_survey.errors import N_, Problem, ProblemsFound
from tests import factories

MOMENT = datetime(2026, 12, 3, 10, 30, tzinfo=UTC)


def text(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def reading(app: Flask, code: str):
    return app.test_request_context(f'/?lang={code}')


def test_the_languages_of_the_site_are_the_folders(app: Flask) -> None:
    folders = {path.name for path in (config.ROOT / 'translations').iterdir() if path.is_dir()}
    with app.app_context():
        assert {str(each.locale) for each in i18n.known().values()} == folders


def test_two_languages_have_a_link_three_have_a_list_without_script(
    app: Flask, trilingual: Flask
) -> None:
    page = text(app.test_client().get('/about?lang=zh'))
    assert '<details class="languages">' not in page
    assert re.search(r'<a href="/about\?lang=en" lang="en" hreflang="en">English</a>', page)
    page = text(trilingual.test_client().get('/about?lang=fr'))
    menu = re.search(r'<details class="languages">(.*?)</details>', page, re.S)
    assert menu
    assert 'Þséûdô' in menu[1].partition('</summary>')[0]
    assert re.findall(r'lang="([^"]+)" hreflang', menu[1]) == ['en', 'zh-CN']


def test_a_page_tells_machines_its_other_languages(trilingual: Flask) -> None:
    page = text(trilingual.test_client().get('/about?lang=fr&c=poster'))
    assert '<html lang="fr">' in page
    alternates = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)">', page))
    assert alternates == {
        'en': 'http://localhost/about?lang=en&amp;c=poster',
        'fr': 'http://localhost/about?lang=fr&amp;c=poster',
        'zh-CN': 'http://localhost/about?lang=zh&amp;c=poster',
    }


def test_the_language_is_asked_for_remembered_or_the_browsers(trilingual: Flask) -> None:
    client = trilingual.test_client()
    accepts = {'Accept-Language': 'fr-CA,fr;q=0.9,en;q=0.5'}
    assert '<html lang="fr">' in text(client.get('/', headers=accepts))
    assert '<html lang="zh-CN">' in text(client.get('/'))
    client.get('/?lang=fr')
    assert '<html lang="fr">' in text(client.get('/'))
    assert '<html lang="fr">' in text(client.get('/?lang=de'))


@pytest.mark.parametrize(
    ('code', 'moment', 'day', 'number', 'percent', 'row'),
    [
        ('zh', '2026年12月3日 18:30', '2026年12月3日', '1,804.5', '84.3%', '甲、乙'),
        ('en', '3 December 2026, 18:30', '3 December 2026', '1,804.5', '84.3%', '甲, 乙'),
        ('fr', '2026-12-03 18:30', '2026-12-03', '1\u202f804,5', '84,3\xa0%', '甲 ¦ 乙'),
    ],
)
def test_times_numbers_and_lists_are_written_as_the_language_does(
    trilingual: Flask, code: str, moment: str, day: str, number: str, percent: str, row: str
) -> None:
    with reading(trilingual, code):
        assert i18n.moment(MOMENT) == moment
        assert i18n.day(date(2026, 12, 3)) == day
        assert i18n.number(1804.5, 1) == number
        assert i18n.percent(0.8432) == percent
        assert i18n.listed(['甲', '乙']) == row


def test_sentences_of_a_problem_stand_after_one_another_as_the_language_writes(
    trilingual: Flask,
) -> None:
    problem = Problem('age', 'x', N_('This may not be empty.'), N_('Remove it.'))
    with reading(trilingual, 'zh'):
        assert ' ' not in i18n.problem_text(problem)
    with reading(trilingual, 'fr'):
        assert '⟧ ⟦' in i18n.problem_text(problem)


def test_a_text_that_is_missing_is_shown_in_the_nearest_language_and_says_so(
    trilingual: Flask,
) -> None:
    both = {'zh': '满意', 'en': 'Satisfied <b>'}
    with reading(trilingual, 'fr'):
        assert i18n.localised(both) == 'Satisfied <b>'
        assert i18n.marked(both) == '<span lang="en">Satisfied &lt;b&gt;</span>'
        assert i18n.marked({'zh': '满意'}) == '<span lang="zh-CN">满意</span>'
        assert i18n.marked({**both, 'fr': 'Satisfait'}) == 'Satisfait'
        assert i18n.marked({languages.NO_LANGUAGE: '330282'}) == '330282'
    with reading(trilingual, 'en'):
        assert i18n.marked(both) == 'Satisfied <b>'


def test_the_questionnaire_is_answered_in_a_language_that_it_does_not_have(
    trilingual: Flask,
) -> None:
    database = trilingual.extensions['cixi_database']
    with database.transaction() as session:
        factories.wave(session)
    page = text(trilingual.test_client().get('/s/w2026?lang=fr'))
    assert '<html lang="fr">' in page
    assert re.search(r'<h1 id="title"[^>]*><span lang="en">Test wave</span></h1>', page)
    for legend in re.findall(r'<legend>(.*?)</legend>', page, re.S):
        assert legend.startswith('<span lang="en">'), legend
    assert re.search(r'<option value="330282004" lang="en">Hushan Subdistrict</option>', page)
    assert re.search(r'<option value="330282004001" lang="zh-CN">', page)


def broken(folder: Path, **files: str) -> list[str]:
    for path in ('zh_Hans_CN', 'en'):
        shutil.copytree(config.ROOT / 'translations' / path, folder / path)
    for name, content in files.items():
        file = folder / name.replace('__', '/')
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding='utf-8')
    with pytest.raises(ProblemsFound) as found:
        languages.load(folder)
    return [problem.text() for problem in found.value.problems]


@pytest.mark.parametrize(
    ('place', 'content', 'said'),
    [
        ('Klingon__language.toml', '', 'is not named like a locale'),
        ('fr__language.toml', '', 'is not compiled'),
        ('en__language.toml', 'name = "English', 'cannot be read'),
        ('en__language.toml', 'comma = 3', '“comma”'),
        ('en__language.toml', 'dates = "y"', 'Possible are: code, colon, comma'),
        ('en__language.toml', 'fallback = ["de"]', 'falls back to “de”'),
        ('en_GB__language.toml', '', 'have the code “en”'),
        ('en_GB__language.toml', 'code = "British English"', 'cannot be the code'),
    ],
)
def test_a_language_that_cannot_be_used_stops_the_start_and_says_why(
    tmp_path: Path, place: str, content: str, said: str
) -> None:
    (told,) = broken(tmp_path / 'translations', **{place: content})
    assert said in told


def test_an_unknown_default_language_stops_the_start(tmp_path: Path) -> None:
    settings = config.load({'CIXI_DATA': str(tmp_path), 'CIXI_LANGUAGE': 'fr'})
    with pytest.raises(ProblemsFound) as found:
        create_app(settings)
    assert 'CIXI_LANGUAGE cannot be “fr”. Possible are: ' in str(found.value)


def test_the_privacy_notice_is_kept_in_every_language_of_the_site(
    trilingual: Flask, translations: Path
) -> None:
    database = trilingual.extensions['cixi_database']
    with database.transaction() as session:
        wave = factories.wave(session, state='planned', legal_basis='consent')
        kept = notices.freeze(session, wave, MOMENT, translations=translations)
    assert list(kept.texts) == ['en', 'fr', 'zh']
    page = text(trilingual.test_client().get(f'/notice/{kept.address}?lang=fr'))
    assert all(line.says.startswith('⟦') for line in kept.texts['fr'].lines)
    assert kept.texts['fr'].lines[0].says in page
    assert '<p lang="en">Voluntary and anonymous.</p>' in page
