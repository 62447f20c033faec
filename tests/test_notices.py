"""The privacy notice: right for the wave, short enough to be read, and never changed afterwards."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import clock, languages, notices
from cixi_survey.models import Notice, Response, Wave
from cixi_survey.questionnaire import definition
from tests import factories
from tests.respond.conftest import COMPLETE, open_field
from tests.waves import conftest as make

ENDS = clock.from_local(clock.datetime(2026, 12, 26, 20, 0))


def composed(database, **changes):
    with database.transaction() as session:
        questionnaire = definition.load_file(factories.BASELINE)
        changes = {'opens_at': ENDS - timedelta(days=9), 'closes_at': ENDS, **changes}
        wave = factories.wave(session, questionnaire=questionnaire, **changes)
        return notices.compose(wave, questionnaire)


def all_of(text):
    sections = [part for section in text.sections for part in section.paragraphs]
    return '\n'.join([*(line.says for line in text.lines), *sections])


@pytest.mark.parametrize('basis', ['consent', 'statutory'])
def test_the_short_form_has_five_lines_that_are_read_without_effort(app, basis):
    notice = composed(app.extensions['cixi_database'], legal_basis=basis)
    chinese = notice.texts['zh']
    assert [line.about for line in chinese.lines] == [
        '谁在问',
        '问什么',
        '做什么用',
        '留多久',
        '您的权利',
    ]
    for line in chinese.lines:
        said = re.sub('[0-9]+年[0-9]+月[0-9]+日( [0-9:]+)?', '某日', line.says)
        for sentence in re.split('[。；]', said):
            assert len(sentence) <= 28, sentence
    for line in notice.texts['en'].lines:
        for sentence in re.split('[.?:] ', line.says):
            assert len(sentence.split()) <= 25, sentence


def test_who_how_long_and_until_when_are_those_of_the_wave(app):
    notice = composed(app.extensions['cixi_database'], retention_years=3)
    chinese, english = all_of(notice.texts['zh']), all_of(notice.texts['en'])
    for told in ('慈溪市统计局', '0574-12345678', '慈环调1号', '慈统审〔2026〕1号'):
        assert told in chinese
        assert told in english
    assert '2026年12月26日 20:00' in chinese
    assert '2029年12月26日' in chinese
    assert '26 December 2029' in english
    assert '年龄段、性别、文化程度' in chinese  # the questionnaire's own words


def test_each_ground_promises_what_its_withdrawal_does_and_not_the_other(app):
    database = app.extensions['cixi_database']
    consent = all_of(composed(database, slug='a', legal_basis='consent').texts['zh'])
    statutory = all_of(composed(database, slug='b', legal_basis='statutory').texts['zh'])
    assert '撤回后答案马上删除' in consent
    assert '第一款第一项' in consent
    assert '锁存' not in consent
    assert '锁存到2028年12月26日' in statutory
    assert '第一款第三项' in statutory
    assert '马上删除' not in statutory
    for both in (consent, statutory):
        assert '参加不参加由您自己决定' in both
        assert '统计法' in both


@pytest.mark.parametrize('day', [clock.datetime(2028, 2, 29), clock.datetime(2027, 12, 31)])
def test_answers_are_kept_for_whole_years(day):
    wave = Wave(closes_at=clock.from_local(day), retention_years=2)
    kept = (wave.answers_until - clock.local(wave.closes_at).date()).days
    assert kept in {730, 731}


def test_opening_keeps_the_notice_word_for_word(database, monkeypatch):
    with database.transaction() as session:
        wave = make.prepared(session)
        assert wave.notice_sha256 is None
        before = notices.of(session, wave)
        make.open_wave(session)
    # The next release says it in other words; what people agreed to stays as it was.
    monkeypatch.setattr(languages, 'speaker', lambda *_language: lambda _message: 'other words')
    notices._known.clear()
    with database.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        kept = session.scalars(sa.select(Notice)).one()
        assert notices.of(session, wave) == before
        assert (wave.notice_sha256, kept.version) == (before.sha256, '1')
        assert notices.compose(wave, factories.small()) != before
        assert notices.find(session, before.address) == before


def test_a_notice_stays_readable_at_its_address_and_prints_its_mark(app, client):
    place = open_field(app)
    page = client.get(place.address_of_notice())
    text = page.get_data(as_text=True)
    assert '测试批次' in text
    assert '自愿、匿名。' in text
    assert re.search('[0-9a-f]{64}', text)
    with app.extensions['cixi_database'].transaction() as session:
        factories.wave(session, slug='next', retention_years=5)
    assert client.get(place.address_of_notice()).get_data(as_text=True) == text
    assert 'Your rights' in client.get(f'{place.address_of_notice()}?lang=en').text
    for unknown in ('0' * 16, 'x', '%25' * 16):
        assert client.get(f'/notice/{unknown}').status_code == 404


def test_the_cover_shows_the_short_form_and_leads_to_the_whole(app, client):
    place = open_field(app, legal_basis='statutory')
    page = client.get(f'/s/{place.slug}').get_data(as_text=True)
    address = f'href="{place.address_of_notice()}"'
    assert page.index('谁在问') < page.index('您的权利') < page.index(address)
    assert page.index(address) < page.index('name="consent"')
    assert '依据什么' in client.get(place.address_of_notice()).text


# --- the consent behind an answer -----------------------------------------------------------------


def stored(place) -> Response:
    (response,) = place.responses()
    return response


def test_what_is_sent_is_stored_with_notice_time_and_mode(both_apps):
    place = open_field(both_apps)
    receipt = place.form().send().location
    response = stored(place)
    with both_apps.extensions['cixi_database'].reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        assert response.notice_sha256 == wave.notice_sha256
    assert response.consented_at == response.submitted_at
    assert (response.mode, response.notice_version) == ('web', '1')
    page = both_apps.test_client().get(receipt).get_data(as_text=True)
    assert f'href="{place.address_of_notice()}"' in page
    assert '看过并同意了这份说明' in page


def test_consent_is_of_the_moment_it_was_first_given(app, monkeypatch):
    place = open_field(app)
    given = clock.now()

    def at(minutes):
        monkeypatch.setattr(clock, 'now', lambda: given + timedelta(minutes=minutes))

    form = place.form()
    revision = form.save({'town': ['330282004']}).json['revision']
    for minutes, answer in ((1, 'yes'), (2, 'no'), (3, 'yes'), (4, 'yes')):
        at(minutes)
        revision = form.save(
            {'consent': [answer], 'town': ['330282004'], 'adults': [str(minutes)]}, revision
        ).json['revision']
    at(9)
    form.send()
    response = stored(place)
    assert response.consented_at == given + timedelta(minutes=3)
    assert response.submitted_at == given + timedelta(minutes=9)


def test_who_says_no_has_consented_to_nothing(app):
    place = open_field(app)
    place.form().send({**COMPLETE, 'consent': ['no']})
    assert stored(place).outcome == 'refusal'
    assert stored(place).consented_at is None
    assert stored(place).notice_sha256
