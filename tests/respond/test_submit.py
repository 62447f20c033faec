"""One response for one person, whatever the network, the phone and the person do."""

import json
import logging
import re
import secrets
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import access, clock
from cixi_survey.models import Draft, Invitation, Response
from cixi_survey.respond.entrance import Entrance
from cixi_survey.respond.submit import Submission, submit
from tests import factories
from tests.conftest import make_app
from tests.respond.conftest import COMPLETE, Form, database_of, open_field


def test_an_invited_answer_is_stored_once_with_its_design_and_gives_a_receipt(both_places):
    form = both_places.form()
    sent = form.send()
    assert sent.status_code == 303, sent.get_data(as_text=True)
    (stored,) = both_places.responses()
    assert sent.location == f'/receipt/{stored.reference}'
    assert (stored.stream, stored.outcome, stored.language) == ('probability', 'complete', 'zh')
    assert (stored.stratum, stored.base_weight, stored.frame_count) == ('330282004', 200, 1000)
    assert json.loads(stored.answers)['did'] == ['sorted']
    assert both_places.outcome() == 'complete'
    page = form.client.get(sent.location).get_data(as_text=True)
    assert stored.reference[:3] in page


def test_an_answer_by_the_open_link_is_in_the_other_stream_and_keeps_its_poster(both_places):
    form = both_places.form('/s/w2026?c=poster-7')
    assert form.send().status_code == 303
    (stored,) = both_places.responses()
    assert (stored.stream, stored.channel) == ('open', 'poster-7')
    assert (stored.invitation_id, stored.stratum, stored.base_weight) == (None, None, None)
    assert both_places.outcome() == 'pending'


def test_a_channel_that_is_no_name_is_not_kept(place):
    assert place.form('/s/w2026?c=<script>').send().status_code == 303
    assert place.responses()[0].channel == ''


@pytest.mark.parametrize('door', ['/s/w2026', None])
def test_fifty_identical_sendings_at_once_are_one_response_and_fifty_equal_receipts(
    both_places, door
):
    form = both_places.form(door or '')
    with form.client.session_transaction() as cookie:
        session = dict(cookie)

    def send(_number):
        client = both_places.app.test_client()
        with client.session_transaction() as cookie:
            cookie.update(session)
        return Form(client, form.address, form.hidden).send()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(50)))
    assert {answer.status_code for answer in answers} == {303}
    (stored,) = both_places.responses()
    assert {answer.location for answer in answers} == {f'/receipt/{stored.reference}'}


def test_two_phones_with_one_code_are_one_response_and_the_second_sees_no_answers(both_places):
    first, second = both_places.form(), both_places.form()
    assert first.send().status_code == 303
    told = second.send({**COMPLETE, 'overall': ['not_at_all']})
    assert told.status_code == 409
    page = told.get_data(as_text=True)
    assert '已经用过' in page
    assert '附海镇' not in page
    assert len(both_places.responses()) == 1
    assert '已经用过' in both_places.form().open().get_data(as_text=True)


def test_many_phones_with_one_code_at_the_same_moment_are_one_response(both_places):
    forms = [both_places.form() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        codes = sorted(answer.status_code for answer in pool.map(lambda form: form.send(), forms))
    assert codes == [303] + [409] * 7
    assert len(both_places.responses()) == 1


def test_the_same_form_with_other_answers_shows_the_first_receipt(both_places):
    form = both_places.form('/s/w2026')
    first = form.send()
    again = form.send({**COMPLETE, 'overall': ['not_at_all']})
    assert again.status_code == 409
    assert first.location in again.get_data(as_text=True)
    (stored,) = both_places.responses()
    assert json.loads(stored.answers)['overall'] == 'satisfied'


def test_a_repeat_a_day_later_and_after_the_end_still_gives_the_receipt(both_places):
    form = both_places.form('/s/w2026')
    first = form.send()
    both_places.change(closes_at=clock.now() - timedelta(hours=1))
    again = form.send()
    assert (again.status_code, again.location) == (303, first.location)
    assert len(both_places.responses()) == 1


def test_a_repeat_with_an_old_token_at_a_door_shut_since_still_gives_the_receipt(both_places):
    form = both_places.form()
    first = form.send()
    form.client.delete_cookie('cixi')
    both_places.change(closes_at=clock.now() - timedelta(hours=1))
    exchanged = form.send(Accept='application/json')
    assert (exchanged.status_code, exchanged.json['error']) == (400, 'stale_page')
    form.hidden['csrf_token'] = exchanged.json['csrf_token']
    assert exchanged.json['ticket'] == form.hidden['_ticket']
    again = form.send(Accept='application/json')
    assert again.json['receipt'] == first.location


def test_a_program_is_told_the_receipt_of_what_came_first(place):
    form = place.form('/s/w2026')
    first = form.send()
    again = form.send({**COMPLETE, 'overall': ['not_at_all']}, Accept='application/json')
    assert (again.status_code, again.json['error']) == (409, 'other_answers')
    assert again.json['receipt'] == first.location


def test_a_wave_that_closes_in_the_middle_says_so_and_keeps_nothing(both_places):
    form = both_places.form()
    assert form.save(COMPLETE).status_code == 200
    both_places.change(closes_at=clock.now() - timedelta(minutes=2))
    told = form.send()
    assert told.status_code == 410
    assert '已经结束' in told.get_data(as_text=True)
    assert both_places.responses() == []
    assert both_places.outcome() == 'pending'
    assert form.save(COMPLETE, 1).status_code == 410


def submission():
    return Submission(secrets.token_hex(16), COMPLETE, clock.now(), 'zh')


def test_closing_waits_for_the_answers_that_are_being_stored(both_places):
    database = database_of(both_places.app)

    def close():
        with database.transaction() as session:
            access.wave_for(session, 'w2026', lock=True)
            return session.scalar(sa.select(sa.func.count()).select_from(Response))

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            submit(session, Entrance(slug='w2026'), submission(), clock.now())
            closing = pool.submit(close)
            assert wait([closing], 0.3).not_done
        assert closing.result(10) == 1


def test_residents_do_not_wait_for_each_other(postgres_url, tmp_path):
    """On PostgreSQL the wave is only held against closing, not against other answers."""
    place = open_field(make_app(postgres_url, tmp_path / 'data'))
    with database_of(place.app).transaction() as session:
        submit(session, Entrance(slug='w2026'), submission(), clock.now())
        assert place.form('/s/w2026').send().status_code == 303
    assert len(place.responses()) == 2
    database_of(place.app).engine.dispose()


@pytest.mark.parametrize(
    ('changes', 'status', 'words'),
    [
        ({'opens_at': clock.now() + timedelta(hours=2)}, 403, '还没有开始'),
        ({'state': 'planned'}, 403, '还没有开始'),
        ({'closes_at': clock.now() - timedelta(hours=2)}, 410, '已经结束'),
        ({'state': 'closed', 'sealed': True}, 410, '提前结束'),
    ],
)
def test_a_shut_door_says_why(place, changes, status, words):
    place.change(**changes)
    for address in ('/s/w2026', f'/i/{place.code}'):
        page = place.app.test_client().get(address)
        assert page.status_code == status
        assert words in page.get_data(as_text=True)
        assert '<form' not in page.get_data(as_text=True)


def test_a_wave_without_open_link_leads_to_the_code(place):
    place.change(open_link=False)
    page = place.app.test_client().get('/s/w2026')
    assert page.status_code == 403
    assert 'href="/i"' in page.get_data(as_text=True)
    assert place.form().send().status_code == 303


def test_everything_missing_is_told_at_once_and_nothing_typed_is_lost(place):
    form = place.form()
    told = form.send({'consent': ['yes'], 'adults': ['many'], 'reason': ['噪声<b>']})
    assert told.status_code == 422
    page = told.get_data(as_text=True)
    for name in ('town', 'age', 'overall', 'k_one', 'k_two', 'adults'):
        assert f'href="#f-{name}"' in page
        assert f'id="f-{name}-error"' in page
    assert 'value="many"' in page
    assert '噪声&lt;b&gt;' in page
    assert place.responses() == []
    form.take(told)
    assert form.send().status_code == 303


def test_what_was_not_asked_is_dropped_and_only_its_name_is_written_down(place, caplog):
    caplog.set_level(logging.INFO)
    secret = '我的电话是13800000000'
    place.form().send({**COMPLETE, 'reason': [secret], 'no_such': [secret]})
    (stored,) = place.responses()
    assert secret not in stored.answers
    assert "'reason'" in caplog.text
    assert "'no_such'" in caplog.text
    assert secret not in caplog.text


def test_a_refusal_keeps_the_refusal_and_nothing_else(both_places):
    form = both_places.form()
    sent = form.send({**COMPLETE, 'consent': ['no']})
    (stored,) = both_places.responses()
    assert (stored.outcome, json.loads(stored.answers)) == ('refusal', {'consent': 'no'})
    assert both_places.outcome() == 'refusal'
    assert '谢谢' in form.client.get(sent.location).get_data(as_text=True)


def test_someone_outside_the_population_is_thanked_and_kept_apart(both_places):
    form = both_places.form()
    sent = form.send({'consent': ['yes'], 'age': ['under18'], 'overall': ['satisfied']})
    (stored,) = both_places.responses()
    assert stored.outcome == both_places.outcome() == 'ineligible'
    assert 'overall' not in json.loads(stored.answers)
    page = form.client.get(sent.location).get_data(as_text=True)
    assert '本调查面向成年人' in page
    assert '6月5日' not in page


def test_a_session_that_expired_costs_no_answer(place):
    form = place.form('/s/w2026?c=poster-7')
    form.client.delete_cookie('cixi')
    form.client.set_cookie('lang', 'en')
    told = form.send()
    assert told.status_code == 400
    page = told.get_data(as_text=True)
    assert 'Everything you filled in is still here' in page
    assert '<option value="330282004001" selected>' in page
    assert place.responses() == []
    form.take(told)
    assert form.send().status_code == 303
    assert place.responses()[0].channel == 'poster-7'


def test_a_browser_without_cookies_is_told_what_to_do(place):
    form = place.form()
    form.client = place.app.test_client()
    told = form.send()
    assert told.status_code == 400
    assert 'Cookie' in told.get_data(as_text=True)


def test_nobody_makes_a_submission_id_up_or_uses_one_of_another_door(place):
    form, other = place.form(), place.form('/s/w2026')
    good = form.hidden['_ticket']
    # not the last character: some of its bits mean nothing
    changed = good[:-9] + ('A' if good[-9] != 'A' else 'B') + good[-8:]
    for ticket in ('', 'made-up', changed, other.hidden['_ticket']):
        forged = Form(form.client, form.address, {**form.hidden, '_ticket': ticket})
        assert forged.send().status_code == 400
        assert forged.save(COMPLETE).status_code == 400
    assert place.responses() == []


def test_a_program_gets_json(place):
    form = place.form()
    told = form.send({'consent': ['yes']}, Accept='application/json')
    assert told.status_code == 422
    assert {'name': 'adults', 'message': '请填一个数字。'} in told.json['problems']
    form.client.delete_cookie('cixi')
    stale = form.send(Accept='application/json')
    assert (stale.status_code, stale.json['error']) == (400, 'stale_page')
    form.hidden |= {'csrf_token': stale.json['csrf_token'], '_ticket': stale.json['ticket']}
    sent = form.send(Accept='application/json')
    assert sent.json['receipt'] == f'/receipt/{place.responses()[0].reference}'
    spent = place.form().send(Accept='application/json')
    assert spent.status_code in {400, 409}


def test_opening_a_questionnaire_writes_nothing(both_places):
    """Link previews and curious neighbours must not spend a code."""
    written = []
    engine = database_of(both_places.app).engine

    @sa.event.listens_for(engine, 'before_cursor_execute')
    def watch(_connection, _cursor, statement, *_rest):
        if not statement.lstrip().upper().startswith(('SELECT', 'BEGIN', 'PRAGMA')):
            written.append(statement)

    for address in (f'/i/{both_places.code}', '/s/w2026', '/i', f'/i?code={both_places.code}'):
        for _ in range(2):
            assert both_places.app.test_client().get(address).status_code in {200, 303}
    assert written == []


def test_a_sent_questionnaire_takes_its_draft_away_and_keeps_when_it_was_begun(both_places):
    form = both_places.form()
    assert form.save({'consent': ['yes']}).status_code == 200
    earlier = clock.now() - timedelta(hours=3)
    with database_of(both_places.app).transaction() as session:
        session.execute(sa.update(Draft).values(started_at=earlier))
    assert both_places.form().send().status_code == 303
    assert both_places.responses()[0].started_at == earlier
    with database_of(both_places.app).reading() as session:
        assert session.scalars(sa.select(Draft)).all() == []


def test_a_phone_that_sent_before_is_reminded_and_may_send_for_another_person(place):
    form = place.form('/s/w2026')
    first = form.send().location
    page = form.open().get_data(as_text=True)
    assert first in page
    assert form.send().status_code == 303
    assert len(place.responses()) == 2


def test_a_phone_whose_answers_were_withdrawn_is_not_reminded_of_them(place):
    form = place.form('/s/w2026')
    address = form.send().location
    form.client.post(f'{address}/withdraw', data={'csrf_token': form.client.token()})
    assert address not in form.open().get_data(as_text=True)


def test_two_surveys_in_one_browser_stay_apart(place):
    with database_of(place.app).transaction() as session:
        factories.wave(session, slug='other', title_zh='另一次')
    one = place.form('/s/w2026')
    two = place.form('/s/other', one.client)
    one.save({'consent': ['yes'], 'adults': ['3']})
    two.save({'consent': ['yes'], 'adults': ['7']})
    assert 'value="3"' in one.open().get_data(as_text=True)
    assert 'value="7"' in two.open().get_data(as_text=True)
    crossed = Form(one.client, '/s/other', one.hidden)
    assert crossed.send().status_code == 400


def test_the_last_minute_that_is_shown_still_counts(place):
    soon = clock.now() + timedelta(seconds=10)
    place.change(closes_at=soon.replace(second=0))
    assert place.form().send().status_code == 303
    with database_of(place.app).reading() as session:
        assert session.scalars(sa.select(Invitation.outcome)).one() == 'complete'


def test_a_phone_that_sends_no_referer_can_send_over_https(place):
    client = place.app.test_client()
    safe = {'base_url': 'https://survey.example'}
    page = client.get('/s/w2026', **safe).get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
    sent = client.post('/s/w2026', data={**hidden, **COMPLETE, '_do': 'send'}, **safe)
    assert sent.status_code == 303
