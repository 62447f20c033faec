"""The pages: from the receipt to the list and off it, and the way of a draw for staff."""

import html
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import clock, codes, notices
from cixi_survey.contacts.address import Vault
from cixi_survey.models import Contact, Wave
from tests import factories
from tests.conftest import SECRET
from tests.contacts.test_sign_up import answered, offer
from tests.respond.conftest import database_of


@pytest.fixture
def receipt(app):
    with database_of(app).transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        return answered(session, wave)


def token(client, address):
    page = client.get(address).get_data(as_text=True)
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def test_from_the_receipt_to_the_list_and_off_it(app, client, receipt):
    address = f'/receipt/{receipt}/contact'
    assert address in client.get(f'/receipt/{receipt}').get_data(as_text=True)
    csrf = token(client, address)
    page = client.post(address, data={'csrf_token': csrf, 'contact': '1380000'})
    text = page.get_data(as_text=True)
    assert page.status_code == 422
    assert 'value="1380000"' in text
    assert 'f-purpose-error' in text
    assert 'f-contact-error' in text
    done = client.post(
        address,
        data={'csrf_token': csrf, 'contact': '138 0000 0001', 'purpose': ['news', 'prize']},
    ).get_data(as_text=True)
    number = re.search(r'<code id="removal">([^<]+)</code>', done)[1]
    assert address not in client.get(f'/receipt/{receipt}').get_data(as_text=True)
    given = client.get(address)
    assert given.status_code == 409
    way = re.search(r'href="(/contact/remove\?receipt=[^"]+)"', given.get_data(as_text=True))[1]
    assert f'value="{codes.grouped(receipt)}"' in client.get(way).get_data(as_text=True)
    with database_of(app).reading() as session:
        kept = session.scalars(sa.select(Contact)).one()
    assert Vault(SECRET).open(kept.sealed_contact) == '13800000001'
    csrf = token(client, '/contact/remove')
    wrong = client.post('/contact/remove', data={'csrf_token': csrf, 'number': '234-678-9CD'})
    assert wrong.status_code == 422
    other = {'csrf_token': csrf, 'number': number, 'receipt': '234-678-9CD'}
    wrong = client.post('/contact/remove', data=other)
    assert 'f-receipt-error' in wrong.get_data(as_text=True)
    right = client.post('/contact/remove', data={**other, 'receipt': receipt})
    assert right.status_code == 200
    assert '这张回执还可以重新报名' in right.get_data(as_text=True)
    with database_of(app).reading() as session:
        assert session.scalars(sa.select(Contact)).all() == []
    assert client.get(address).status_code == 200


def test_one_offer_needs_no_tick_and_success_says_for_what_it_is(app, client):
    with database_of(app).transaction() as session:
        wave = factories.wave(session)
        offer(session, wave, prizes=0)
        address = f'/receipt/{answered(session, wave)}'
    assert '抽奖' not in client.get(address).get_data(as_text=True)
    page = client.get(f'{address}/contact').get_data(as_text=True)
    assert 'name="purpose"' not in page
    fields = {'csrf_token': token(client, f'{address}/contact'), 'contact': '13800000001'}
    done = client.post(f'{address}/contact', data=fields).get_data(as_text=True)
    assert '结果公布时通知您' in done
    assert f'href="{address}"' in done
    with database_of(app).reading() as session:
        assert session.scalars(sa.select(Contact.news)).one()


def test_the_receipt_names_the_draw_that_it_leads_to(client, receipt):
    assert '抽奖和结果通知' in client.get(f'/receipt/{receipt}').get_data(as_text=True)


def test_numbers_cannot_be_tried_out(client):
    csrf = token(client, '/contact/remove')
    answers = [
        client.post('/contact/remove', data={'csrf_token': csrf, 'number': '234-678-9CD'})
        for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert client.get('/receipt/2346789CD/contact').status_code == 404


def test_staff_take_a_draw_from_the_offer_to_the_public_page(app):
    first, second = app.test_client(), app.test_client()
    database = database_of(app)
    factories.sign_in(first, database, 'organiser', username='wu')
    factories.sign_in(second, database, 'administrator', username='xu')
    with database.transaction() as session:
        wave = factories.wave(session, state='planned')
        closes = wave.closes_at
    staff = '/staff/waves/w2026/contacts'
    csrf = token(first, f'{staff}/offer')
    day = (clock.local(closes) + timedelta(days=60)).date().isoformat()
    fields = {'csrf_token': csrf, 'news': 'y', 'prizes': '1', 'keep_until': day}
    refused = first.post(f'{staff}/offer', data=fields)
    assert refused.status_code == 422
    assert 'f-rules_zh-error' in refused.get_data(as_text=True)
    rules = {'rules_zh': '抽一人', 'rules_en': 'One person wins.'}
    assert first.post(f'{staff}/offer', data={**fields, **rules}).status_code == 303
    with database.transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        notices.freeze(session, wave, clock.now())
        wave.state = 'open'
        reference = answered(session, wave)
    resident = app.test_client()
    sign_up = f'/receipt/{reference}/contact'
    resident.post(
        sign_up,
        data={
            'csrf_token': token(resident, sign_up),
            'contact': '13900000009',
            'purpose': ['news', 'prize'],
        },
    )
    shown = first.get(staff).get_data(as_text=True)
    assert '13900000009' not in shown
    assert first.post(f'{staff}/draw', data={'csrf_token': csrf, 'seed': '1'}).status_code == 409
    first.post('/staff/waves/w2026/close', data={'csrf_token': csrf, 'early': 'y'})
    assert first.post(f'{staff}/draw', data={'csrf_token': csrf, 'seed': 'x'}).status_code == 422
    assert first.post(f'{staff}/draw', data={'csrf_token': csrf, 'seed': '1'}).status_code == 303
    assert first.post(f'{staff}/confirm', data={'csrf_token': csrf}).status_code == 409
    assert '…0009' not in resident.get('/draw/w2026').get_data(as_text=True)
    theirs = token(second, staff)
    assert second.post(f'{staff}/confirm', data={'csrf_token': theirs}).status_code == 303
    assert second.post(f'{staff}/winners.csv', data={'csrf_token': theirs}).status_code == 403
    winners = first.post(f'{staff}/winners.csv', data={'csrf_token': csrf})
    assert '\t13900000009' in winners.get_data(as_text=True)
    assert '…0009' in html.unescape(resident.get('/draw/w2026').get_data(as_text=True))
    assert first.post(f'{staff}/news.csv', data={'csrf_token': csrf}).status_code == 409
    assert first.get(f'{staff}/delete').status_code == 200
    assert first.post(f'{staff}/delete', data={'csrf_token': csrf}).status_code == 303
    assert first.post(f'{staff}/winners.csv', data={'csrf_token': csrf}).status_code == 409
