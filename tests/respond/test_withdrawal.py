"""Taking back what was sent: from the receipt in two taps, or by typing its number."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from cixi_survey import clock, codes
from cixi_survey.models import Wave
from cixi_survey.waves import lifecycle
from tests.contacts.test_sign_up import offer
from tests.respond.conftest import COMPLETE, database_of, open_field

SAID = {**COMPLETE, 'overall': ['not_at_all'], 'reason': ['河水太脏']}


def text(client, address, status=200):
    page = client.get(address)
    assert page.status_code == status
    return page.get_data(as_text=True)


def typed(client, number):
    return client.post('/withdraw', data={'csrf_token': client.token(), 'receipt': number})


def number_of(form):
    return form.send(SAID).location.rsplit('/', 1)[1]


def test_the_address_is_on_every_foot_and_leads_to_the_same_question(place):
    number = number_of(place.form())
    stranger = place.app.test_client()
    for page in ('/', '/about', '/s/w2026', f'/receipt/{number}'):
        assert 'href="/withdraw"' in text(stranger, page)
    for spelling in (number, number.lower(), codes.grouped(number), f' {" ".join(number)} '):
        done = typed(stranger, spelling)
        assert (done.status_code, done.location) == (303, f'/receipt/{number}/withdraw')
    assert place.responses()[0].withdrawn_at is None


def test_a_number_mistyped_or_unknown_is_explained_and_kept_in_the_field(place):
    client = place.app.test_client()
    for number, said in (('', '请输入回执编号'), ('7KQ-W3M', '没有这个回执编号')):
        page = typed(client, number)
        assert page.status_code == 422
        assert said in page.text
        assert f'value="{number}"' in page.text
    assert typed(client, '<b>').status_code == 422


def test_numbers_are_not_found_by_trying_here_either(place):
    number, stranger = number_of(place.form()), place.app.test_client()
    for _ in range(10):
        assert typed(stranger, codes.new_reference()).status_code == 422
    assert typed(stranger, number).status_code == 429


@pytest.mark.parametrize(
    ('basis', 'asked', 'done'),
    [
        ('consent', '马上删除什么', '已于'),
        ('statutory', '只有依法检查时才能打开', '加密锁存到'),
    ],
)
def test_it_is_said_before_and_after_what_goes_what_stays_and_until_when(app, basis, asked, done):
    place = open_field(app, legal_basis=basis)
    form = place.form()
    number = number_of(form)
    question = text(form.client, f'/receipt/{number}/withdraw')
    assert asked in question
    kept = ('没有这些，就说不清一共请了多少人', '哪个村（社区）', '最迟到调查结束时销毁')
    assert all(told in question for told in kept)
    assert '退出名单' not in question  # this wave keeps no contacts
    assert place.address_of_notice() in question
    if basis == 'statutory':
        assert re.search('锁存到20[0-9]{2}年[0-9]+月[0-9]+日', question)
    token = form.client.token()
    form.client.post(f'/receipt/{number}/withdraw', data={'csrf_token': token})
    page = text(form.client, f'/receipt/{number}')
    assert all(told in page for told in (done, *kept))
    for gone in ('河水太脏', '您选的是', '不满意'):
        assert gone not in page
    (stored,) = place.responses()
    assert (stored.locked is None) == (basis == 'consent')
    assert '河水' not in f'{stored.answers}{stored.locked}'


def test_who_types_the_code_of_the_letter_learns_which_number_is_meant(place):
    page = typed(place.app.test_client(), codes.grouped(place.code).lower())
    assert page.status_code == 422
    assert '这是信上的邀请码，不是回执编号' in page.get_data(as_text=True)


def test_who_came_by_the_open_link_hears_nothing_of_a_letter_and_all_of_the_list(place):
    with database_of(place.app).transaction() as session:
        offer(session, session.scalars(sa.select(Wave)).one())
    form = place.form('/s/w2026')
    address = form.send().location
    before = text(form.client, f'{address}/withdraw')
    form.client.post(f'{address}/withdraw', data={'csrf_token': form.client.token()})
    for page in (before, text(form.client, address)):
        main = page[page.index('<main') : page.index('</main')]
        for never_had in ('邀请信', '邀请码', '村（社区）'):
            assert never_had not in main
        assert '还在报名名单里，和答案分开存放' in main
        assert 'href="/contact/remove"' in main
    assert '网站的备份里可能还有' in text(form.client, '/withdraw')


def test_who_comes_too_late_reads_why_and_until_when_answers_are_kept(place):
    form = place.form()
    number = number_of(form)
    with database_of(place.app).transaction() as session:
        wave = lifecycle.close_wave(session, place.slug, actor='li', now=clock.now())
    late = typed(form.client, number)
    page = text(form.client, late.location, 409)
    assert '为了保护您' in page
    assert f'{wave.answers_until.year}年' in text(form.client, f'/receipt/{number}')
