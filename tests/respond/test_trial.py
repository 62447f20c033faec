"""Trying a questionnaire out: the real page, the real rules, and nothing that stays of it."""

from __future__ import annotations

import html
import re

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from cixi_survey import clock
from cixi_survey.authoring import drafts
from cixi_survey.authoring.drafts import Edit, Writer
from cixi_survey.models import Base
from tests import factories
from tests.respond.conftest import COMPLETE, database_of

SMALL = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')
FAULTY = SMALL.replace('type: single', 'type: sinlge', 1)


def text(response):
    return html.unescape(response.get_data(as_text=True))


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="(csrf_token|_\w+)" value="([^"]*)">', page))


class Trial:
    """A draft, and somebody of the staff who tries it out."""

    def __init__(self, app, *states):
        self.client = app.test_client()
        self.database = database_of(app)
        staff = factories.sign_in(self.client, self.database, 'organiser')
        self.writer = Writer(staff.username, staff.id)
        with self.database.transaction() as session:
            self.id = drafts.create(session, states[0], self.writer, clock.now()).id
        for at, state in enumerate(states[1:], 1):
            self.save(state, at)
        self.address = f'/staff/questionnaires/drafts/{self.id}/preview'

    def save(self, state, seen):
        with self.database.transaction() as session:
            edit = Edit(state, 'write')
            drafts.save(session, self.id, edit, self.writer, clock.now(), seen=seen)

    def look(self, query='?lang=en'):
        return self.client.get(self.address + query)

    def post(self, answers, do='send', query='?lang=en'):
        fields = hidden(self.look(query).get_data(as_text=True))
        return self.client.post(self.address + query, data={**fields, **answers, '_do': do})


@pytest.fixture
def trial(app):
    return Trial(app, SMALL)


def rows(database):
    """Everything that the database holds."""
    with database.reading() as session:
        return {
            table.name: session.execute(sa.select(table)).all()
            for table in Base.metadata.sorted_tables
        }


def test_the_page_is_that_of_residents(trial, app):
    with trial.database.transaction() as session:
        factories.wave(session)
    theirs = app.test_client().get('/s/w2026?lang=en').get_data(as_text=True)
    ours = text(trial.look())

    def asked(page):
        return re.search(r'<section class="part" id="part-(?!cover).*</form>', page, re.DOTALL)[0]

    assert asked(ours) == html.unescape(asked(theirs))
    assert re.search('id="rules">(.*)<', ours)[1] == html.unescape(
        re.search('id="rules">(.*)<', theirs)[1]
    )


def test_it_is_marked_and_leads_to_no_page_of_a_wave(trial):
    page = text(trial.look())
    assert 'Nothing is sent or kept.' in page
    assert 'sending.js' not in page
    assert hidden(page)['_ticket'] == ''
    for address in ('/verify/', '/notice/', '/s/', '/i/'):
        assert f'href="{address}' not in page
    assert '(set by the survey wave)' in page


def test_what_would_have_been_sent_is_shown_as_coded(trial):
    page = text(trial.post(COMPLETE))
    assert 'What would have been sent' in page
    assert 'How the survey ended: complete' in page
    assert '"overall": "satisfied"' in page
    assert '"adults": 2' in page
    stored = re.search(r'<pre[^>]*>(.*?)</pre>', page, re.DOTALL)[1]
    assert '"did": [\n    "sorted"\n  ]' in stored


def test_what_a_condition_skips_is_named_with_what_would_be_dropped(trial):
    page = text(trial.post({**COMPLETE, 'reason': 'none of your business'}))
    lines = re.findall(r'<div class="skipped">.*?</div>', page, re.DOTALL)
    line = next(line for line in lines if '<code>reason</code>' in line)
    assert 'its condition does not hold' in line
    assert 'what was entered would be dropped' in line


def test_an_early_end_says_so_and_what_is_needed_no_more(trial):
    page = text(trial.post({**COMPLETE, 'consent': 'no'}))
    assert 'How the survey ended: refusal' in page
    assert page.count('<div class="ended">') > 5


def test_problems_are_said_as_to_residents_and_what_was_entered_stays(trial):
    answers = {**COMPLETE, 'adults': ['many']}
    response = trial.post(answers)
    assert response.status_code == 422
    page = text(response)
    assert 'This is not a whole number.' in page
    assert 'value="many"' in page


@pytest.mark.parametrize('do', ['lang:zh', 'elder:2'])
def test_language_and_size_change_with_the_answers_and_for_the_preview_alone(trial, do):
    response = trial.post(COMPLETE, do)
    page = text(response)
    assert re.search('name="overall" value="satisfied"[^>]* checked', page)
    assert ('<html lang="zh-CN"' in page) == (do == 'lang:zh')
    assert ('data-elder="2"' in page) == (do == 'elder:2')
    what, value = do.split(':')
    assert re.search(f'<form id="answers"[^>]* action="[^"]*{what}={value}', page)
    kept = {cookie.key for cookie in trial.client._cookies.values()}
    assert not {'lang', 'elder'} & kept


def test_keeping_for_later_says_that_nothing_is_kept(trial):
    page = text(trial.post(COMPLETE, 'save'))
    assert 'This is only a trial, so nothing is kept' in page
    assert re.search('name="overall" value="satisfied"[^>]* checked', page)


def test_with_faults_the_last_good_state_is_shown_and_called_that(app):
    trial = Trial(app, SMALL, FAULTY)
    page = text(trial.look())
    assert 'this is the last state without faults' in page
    assert 'sinlge' in page
    assert 'name="consent"' in page


def test_without_any_good_state_the_faults_are_shown(app):
    page = text(Trial(app, FAULTY).look())
    assert 'Nothing to show yet' in page
    assert 'sinlge' in page


def test_nothing_of_a_trial_is_written_whatever_is_done(both_apps):
    trial = Trial(both_apps, SMALL)
    before, written = rows(trial.database), []

    @event.listens_for(trial.database.engine, 'before_cursor_execute')
    def note(_connection, _cursor, statement, *_more):
        if not re.match(r'\s*(SELECT|BEGIN|PRAGMA)', statement):
            written.append(statement)

    for do in ('send', 'save', 'again', 'lang:zh', 'elder:1', 'anew', 'keep:1'):
        assert trial.post(COMPLETE, do).status_code == 200
    trial.post({'consent': 'yes'})
    event.remove(trial.database.engine, 'before_cursor_execute', note)
    assert written == []
    assert rows(trial.database) == before


def test_a_trial_form_sent_at_a_real_door_is_not_taken(trial, app):
    with trial.database.transaction() as session:
        factories.wave(session)
    fields = hidden(trial.look().get_data(as_text=True))
    sent = trial.client.post('/s/w2026', data={**fields, **COMPLETE, '_do': 'send'})
    assert sent.status_code == 400
    assert rows(trial.database)['response'] == []


def test_only_pages_of_this_site_may_frame_it_and_only_the_editor_frames(trial):
    inner = trial.look()
    assert inner.headers['X-Frame-Options'] == 'SAMEORIGIN'
    assert "frame-ancestors 'self'" in inner.headers['Content-Security-Policy']
    outer = trial.client.get(f'/staff/questionnaires/drafts/{trial.id}/general')
    assert outer.headers['X-Frame-Options'] == 'DENY'
    assert "frame-ancestors 'none'; frame-src 'self'" in outer.headers['Content-Security-Policy']
    for address in ('/', '/staff/questionnaires'):
        policy = trial.client.get(address).headers['Content-Security-Policy']
        assert 'frame-src' not in policy
        assert "frame-ancestors 'none'" in policy
