"""The receipt: proof without answers, something to learn, and the way back."""

import json
from datetime import timedelta

import sqlalchemy as sa

from cixi_survey import clock, codes
from cixi_survey.models import Response, Wave
from cixi_survey.questionnaire import definition
from tests import factories
from tests.respond.conftest import COMPLETE, database_of, open_field

WRONG = {**COMPLETE, 'k_two': ['car'], 'overall': ['not_at_all'], 'reason': ['河水太脏']}


def text(client, address):
    page = client.get(address)
    assert page.status_code == 200
    return page.get_data(as_text=True)


def test_the_one_who_sent_sees_what_was_right_and_why(place):
    form = place.form()
    page = text(form.client, form.send(WRONG).location)
    assert '2道题您答对了1道' in page
    assert '您选的是： 开车' in page
    assert '“135”绿色出行：一公里步行。' in page
    assert '每年6月5日。' in page


def test_anyone_else_with_the_number_learns_the_right_answers_but_not_the_given_ones(place):
    address = place.form().send(WRONG).location
    page = text(place.app.test_client(), address)
    assert '每年6月5日。' in page
    for answer in ('开车', '河水太脏', '不满意', '附海', '答对', '您选的是'):
        assert answer not in page


def test_a_secret_item_is_neither_explained_nor_counted(app):
    text_of_file = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')
    secret = definition.load(
        text_of_file.replace('right: june5', 'secret: true\n        right: june5')
    )
    place = open_field(app, questionnaire=secret)
    form = place.form()
    page = text(form.client, form.send(WRONG).location)
    assert '1道题您答对了0道' in page
    for key in ('每年6月5日。', '世界环境日', '6月5日'):
        assert key not in page


def test_the_next_person_at_the_phone_does_not_read_what_was_answered(place):
    form = place.form()
    address = form.send(WRONG).location
    first = text(form.client, address)
    assert '只显示这一次' in first
    assert '您选的是' in first
    again = text(form.client, address)
    assert codes.grouped(address.rsplit('/', 1)[1]) in again
    for private in ('您选的是', '答对', '开车', '您：'):
        assert private not in again


def test_a_receipt_that_is_first_opened_late_shows_no_answer_either(place):
    form = place.form()
    address = form.send(WRONG).location
    with form.client.session_transaction() as cookie:
        cookie['fresh'] = [cookie['fresh'][0], cookie['fresh'][1] - 601]
    assert '您选的是' not in text(form.client, address)


def test_who_was_not_asked_is_promised_no_counting_of_answers(place):
    form = place.form()
    page = text(form.client, form.send({**COMPLETE, 'consent': ['no']}).location)
    assert json.loads(place.responses()[0].answers) == {'consent': 'no'}
    assert '我们只记下问卷为什么在这里结束' in page
    assert '撤回这条记录' in page
    for promise in ('汇总答案', '凭编号看不到您答了什么', '正确答案'):
        assert promise not in page


def test_the_number_may_be_typed_as_it_is_read(place):
    address = place.form().send().location
    reference = address.rsplit('/', 1)[1]
    spoken = codes.grouped(reference).lower()
    assert codes.grouped(reference) in text(place.app.test_client(), f'/receipt/{spoken}')
    wrong = 'C' if reference[-1] != 'C' else 'D'
    for unknown in (reference[:-1] + wrong, codes.new_reference(), 'x'):
        assert place.app.test_client().get(f'/receipt/{unknown}').status_code == 404


def test_numbers_are_not_found_by_trying(place):
    """Whoever finds one could withdraw another person's answers."""
    form = place.form()
    address = form.send().location
    stranger = place.app.test_client()
    for _ in range(10):
        assert stranger.get(f'/receipt/{codes.new_reference()}').status_code == 404
    assert stranger.get(address).status_code == 429
    assert stranger.get(f'{address}/withdraw').status_code == 429
    token = stranger.token()
    withdrawal = stranger.post(f'{address}/withdraw', data={'csrf_token': token})
    assert withdrawal.status_code == 429
    assert place.responses()[0].withdrawn_at is None
    assert form.client.get(address).status_code == 200


def test_withdrawing_asks_first_then_empties_the_answers_and_frees_nothing(both_places):
    form = both_places.form()
    address = form.send(WRONG).location
    question = form.client.get(f'{address}/withdraw')
    asked = question.get_data(as_text=True)
    for told in ('撤回后不能恢复', '您的全部答案，包括您自己写的话', '留下什么，为什么'):
        assert told in asked
    assert '锁存' not in asked
    assert both_places.responses()[0].withdrawn_at is None
    token = form.client.token()
    for _again in range(2):
        done = form.client.post(f'{address}/withdraw', data={'csrf_token': token})
        assert (done.status_code, done.location) == (303, address)
    (stored,) = both_places.responses()
    assert json.loads(stored.answers) == {}
    assert stored.withdrawn_at is not None
    assert both_places.outcome() == 'complete'
    page = text(form.client, address)
    assert '已经撤回' in page
    assert '开车' not in page
    assert both_places.form().send().status_code in {400, 409}
    assert form.send(WRONG).location == address
    assert len(both_places.responses()) == 1


def test_nothing_is_withdrawn_without_a_token(place):
    address = place.form().send().location
    assert place.app.test_client().post(f'{address}/withdraw').status_code == 400
    assert place.responses()[0].withdrawn_at is None


def test_after_the_wave_is_sealed_it_is_too_late(both_places):
    form = both_places.form()
    address = form.send().location
    token = form.client.token()
    with database_of(both_places.app).transaction() as session:
        session.execute(sa.update(Response).values(sealed=True, invitation_id=None))
        session.execute(
            sa.update(Wave).values(
                state='closed', sealed=True, closes_at=clock.now() - timedelta(minutes=5)
            )
        )
    assert form.client.get(f'{address}/withdraw').status_code == 409
    late = form.client.post(f'{address}/withdraw', data={'csrf_token': token})
    assert late.status_code == 409
    said = late.get_data(as_text=True)
    assert '现在已经不能撤回了' in said
    assert '为了保护您' in said
    assert 'href="/results"' in said
    assert json.loads(both_places.responses()[0].answers) != {}
    assert f'{address}/withdraw' not in text(form.client, address)
