"""Of children nothing is kept: no answer, no draft, no time, no code spent; only a count."""

import json

import pytest
import sqlalchemy as sa

from cixi_survey import clock
from cixi_survey.models import Draft, ScreenedOut
from cixi_survey.questionnaire import answers, definition
from cixi_survey.waves import monitor
from tests import factories
from tests.respond.conftest import COMPLETE, database_of, open_field

CHILD = {'consent': ['yes'], 'age': ['under18'], 'town': ['330282108'], 'reason': ['我十二岁']}


@pytest.fixture
def adults_only():
    path = factories.FIXTURES / 'small.yaml'
    text = path.read_text(encoding='utf-8')
    old = "'under18'\", outcome: ineligible,"
    assert old in text
    return definition.load(text.replace(old, f'{old} keep: outcome,'), filename='adults.yaml')


@pytest.fixture
def place(both_apps, adults_only):
    return open_field(both_apps, questionnaire=adults_only)


def everything(place) -> str:
    """All rows of all tables in which something of a person could be."""
    tables = ('response', 'draft', 'invitation', 'screened_out', 'audit_entry', 'limit_counter')
    with database_of(place.app).reading() as session:
        return str(
            {name: session.execute(sa.text(f'SELECT * FROM {name}')).all() for name in tables}
        )


def counted(place):
    with database_of(place.app).reading() as session:
        return dict(session.execute(sa.select(ScreenedOut.outcome, ScreenedOut.count)).all())


@pytest.mark.parametrize('door', ['', '/s/w2026?c=school'])
def test_only_the_outcome_is_counted(place, door):
    before = everything(place)
    form = place.form(door)
    sent = form.send(CHILD)
    assert (sent.status_code, sent.location) == (303, '/s/w2026/goodbye/1')
    assert place.responses() == []
    assert counted(place) == {'ineligible': 1}
    after = everything(place)
    assert after.replace("[(1, 'ineligible', 1)]", '[]') == before
    for kept in ('我十二岁', 'under18', 'school', '330282108'):
        assert kept not in after.replace(before, '')
    with form.client.session_transaction() as cookie:
        assert 'receipts' not in cookie
    assert form.client.get_cookie('ticket', path='/s/w2026') is None


def test_the_page_thanks_says_that_nothing_was_kept_and_saves_the_letter(place):
    form = place.form()
    page = form.client.get(form.send(CHILD).location).get_data(as_text=True)
    for said in ('谢谢', '本调查面向成年人', '一样也没有留下', '邀请码还能用'):
        assert said in page
    assert '回执' not in page.partition('<footer')[0]
    for other in ('/s/w2026/goodbye/0', '/s/w2026/goodbye/9', '/s/none/goodbye/1'):
        assert form.client.get(other).status_code == 404


def test_an_adult_of_the_home_still_answers_with_the_same_code(place):
    place.form().send(CHILD)
    assert place.outcome() == 'pending'
    assert place.form().send(COMPLETE).status_code == 303
    (stored,) = place.responses()
    assert (stored.stream, stored.outcome) == ('probability', 'complete')


def test_what_was_saved_on_the_way_is_deleted_as_soon_as_the_age_is_known(place):
    form = place.form()
    saved = form.save({'consent': ['yes'], 'town': ['330282108']})
    assert saved.json['revision'] == 1
    ended = form.save(CHILD, 1)
    assert ended.json == {'revision': 0, 'kept': False}
    with database_of(place.app).reading() as session:
        assert session.scalars(sa.select(Draft)).all() == []
    # It was a slip of the finger: the page still has the answers, and saves them anew.
    again = form.save({**CHILD, 'age': ['a18_39']})
    assert again.json['revision'] == 1
    assert counted(place) == {}


def test_changing_the_language_without_script_keeps_nothing_either(place):
    form = place.form('/s/w2026')
    turned = form.send(CHILD, do='lang:en')
    assert turned.status_code == 303
    assert 'ticket' not in str(turned.headers.getlist('Set-Cookie'))
    assert '我十二岁' not in everything(place)


def test_a_program_learns_where_the_goodbye_is(place):
    body = place.form().send(CHILD, Accept='application/json').json
    assert body['goodbye'] == '/s/w2026/goodbye/1'
    assert body['message'] == '本调查面向成年人。'
    assert 'receipt' not in body


def test_the_returns_count_them_apart_from_outcomes(place):
    for _child in range(3):
        place.form('/s/w2026').send(CHILD)
    with database_of(place.app).reading() as session:
        wave = session.scalars(sa.select(factories.Wave)).one()
        returns = monitor.returns(session, wave, clock.now())
    assert returns.turned_away == 3
    assert returns.open_stream['ineligible'] == 0


def test_every_minor_of_the_questionnaires_that_come_with_the_program_is_left_alone():
    for path in (factories.BASELINE, factories.BASELINE.parent / 'templates' / 'blank.yaml'):
        questionnaire = definition.load_file(path)
        for age in ('under_14', 'a14_17'):
            given = {'consent': ['yes'], 'age': [age], 'resident': ['yes'], 'sex': ['male']}
            checked = answers.check(questionnaire, given, towns={}, villages={})
            assert (checked.outcome, checked.kept, checked.answers) == ('ineligible', False, {})
            assert '你' in checked.message['zh']
        adult = answers.check(
            questionnaire, {'consent': ['yes'], 'age': ['a18_29']}, towns={}, villages={}
        )
        assert adult.kept


def test_without_the_rule_what_decided_is_kept_as_before(app):
    place = open_field(app)
    place.form().send(CHILD)
    (stored,) = place.responses()
    assert json.loads(stored.answers) == {'age': 'under18', 'consent': 'yes'}
