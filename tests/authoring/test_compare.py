"""The page that sets two versions side by side."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from cixi_survey import clock, versions
from cixi_survey.questionnaire import definition
from tests import factories

SMALL = factories.small()
TEXT = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')
FAIR = '{value: fair, label: {zh: 一般, en: Fair}}\n    - {value: not_very,'
FIVE = definition.load(
    TEXT.replace('{value: not_very,', FAIR, 1)
    .replace('scores: {satisfied: 100,', 'scores: {fair: 70, satisfied: 100,')
    .replace('世界环境日是哪天？', '世界环境日是哪一天？')
)
OTHER = definition.load(TEXT.replace('name: small', 'name: other', 1))


@pytest.fixture
def statistician(client, app_database):
    factories.sign_in(client, app_database, 'statistician')
    return client


def shown(page) -> str:
    """The words of a page, without its mark-up."""
    text = re.sub(r'<(script|style).*?</\1>', '', page.get_data(as_text=True), flags=re.S)
    return ' '.join(re.sub(r'<[^>]+>', ' ', text).split())


def publish(session, questionnaire):
    return factories.publish(session, questionnaire).sha256


def test_the_page_says_first_whether_the_figures_compare_and_why(statistician, app_database):
    with app_database.transaction() as session:
        old, new = publish(session, SMALL), publish(session, FIVE)
    page = statistician.get(f'/staff/questionnaires/compare?old={old}&new={new}&lang=en')
    words = shown(page)
    assert 'Satisfaction not comparable' in words
    assert 'There are 5 answers to choose from and were 4: “Satisfied overall?”' in words
    assert 'Knowledge with care' in words
    assert 'Participation comparable' in words
    html = page.get_data(as_text=True)
    assert re.search(r'世界环境日是哪<ins>.*?一</ins>天', html, re.S)
    assert words.index('May the figures') < words.index('question by question')
    back = shown(statistician.get(f'/staff/questionnaires/compare?old={new}&new={old}&lang=zh'))
    assert '现在有4个选项，原来是5个' in back


def test_the_version_of_the_wave_before_is_offered_by_itself(statistician, app_database):
    with app_database.transaction() as session:
        first, second = publish(session, SMALL), publish(session, FIVE)
        publish(session, OTHER)
        now = clock.now()
        for slug, questionnaire, days in (('w1', SMALL, 900), ('w2', FIVE, 500), ('w3', FIVE, 9)):
            factories.wave(
                session,
                slug=slug,
                questionnaire=questionnaire,
                opens_at=now - timedelta(days=days),
                state='planned',
            )
        assert versions.used_before(session, second).sha256 == first
        assert versions.used_before(session, first) is None
    page = statistician.get(f'/staff/questionnaires/compare?new={second}').get_data(as_text=True)
    assert f'<option value="{first}" selected>' in page
    assert f'<option value="{second}" selected>' in page


def test_a_version_never_used_is_compared_with_the_one_used_last(app_database):
    with app_database.transaction() as session:
        first, second = publish(session, SMALL), publish(session, FIVE)
        factories.wave(session, questionnaire=SMALL)
        assert versions.used_before(session, second).sha256 == first


def test_without_two_versions_there_is_nothing_to_compare(statistician, app_database):
    assert statistician.get('/staff/questionnaires/compare').status_code == 200
    with app_database.transaction() as session:
        sha256 = publish(session, SMALL)
    words = shown(statistician.get('/staff/questionnaires/compare?lang=en'))
    assert 'There is only one version so far.' in words
    same = f'/staff/questionnaires/compare?old={sha256}&new={sha256}&lang=en'
    assert 'Both are the same version' in shown(statistician.get(same))
    missing = statistician.get(f'/staff/questionnaires/compare?old={"0" * 64}')
    assert missing.status_code == 404
