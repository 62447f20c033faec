"""Test links: anybody who has one tries the questionnaire out, and nothing is kept of it."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import clock, trials
from cixi_survey.authoring import drafts
from cixi_survey.authoring.drafts import Edit, Writer
from cixi_survey.models import AuditEntry, Base, TrialLink
from cixi_survey.trials import Subject
from tests import factories
from tests.conftest import SECRET

SMALL = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')
FAULTY = SMALL.replace('type: single', 'type: sinlge', 1)
ANSWERS = {
    name: value if isinstance(value, list) else str(value)
    for name, value in factories.ANSWERS.items()
}


def text(response):
    return html.unescape(response.get_data(as_text=True))


class Office:
    """An organiser with a draft and a published version, and a phone of somebody else."""

    def __init__(self, app, client):
        self.database = app.extensions['cixi_database']
        self.client, self.phone = client, app.test_client()
        staff = factories.sign_in(client, self.database, 'organiser')
        self.writer = Writer(staff.username, staff.id)
        with self.database.transaction() as session:
            self.draft = drafts.create(session, SMALL, self.writer, clock.now()).id
            self.version = factories.publish(session).sha256
        root = '/staff/questionnaires'
        self.of_draft = f'{root}/drafts/{self.draft}/trial'
        self.of_version = f'{root}/{self.version}/trial'

    def change(self, address, **fields):
        data = {'csrf_token': self.client.token(), **fields}
        return self.client.post(address, data=data)

    def links(self, address):
        page = self.client.get(f'{address}?lang=en').get_data(as_text=True)
        return re.findall(r'>http://localhost(/try/[^<]+)<', page)

    def made(self, address):
        self.change(address)
        return self.links(address)[0]

    def rows(self, *tables):
        with self.database.reading() as session:
            return [session.execute(sa.select(table)).all() for table in tables]

    def acts(self):
        with self.database.reading() as session:
            entries = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
        return [(each.action, each.subject) for each in entries if 'trial' in each.action]


@pytest.fixture
def office(app, client):
    return Office(app, client)


def send(phone, address, answers=ANSWERS):
    page = phone.get(f'{address}?lang=en').get_data(as_text=True)
    hidden = dict(re.findall(r'type="hidden" name="(csrf_token|_\w+)" value="([^"]*)"', page))
    return phone.post(f'{address}?lang=en', data={**hidden, **answers, '_do': 'send'})


@pytest.mark.parametrize('which', ['of_draft', 'of_version'])
def test_a_phone_without_account_fills_in_the_real_thing_and_nothing_is_kept(office, which):
    address = office.made(getattr(office, which))
    before = office.rows(*Base.metadata.sorted_tables)
    first = office.phone.get(f'{address}?lang=en')
    assert first.headers['X-Robots-Tag'] == 'noindex, nofollow'
    assert first.headers['X-Frame-Options'] == 'DENY'
    assert '<strong>Test</strong> <span>Nothing is sent or kept.</span>' in text(first)
    assert '/staff/questionnaires' not in text(first)
    page = text(send(office.phone, address))
    assert 'What would have been sent' in page
    assert '"overall": "satisfied"' in page
    wrong = send(office.phone, address, {**ANSWERS, 'adults': '0'})
    assert wrong.status_code == 422
    assert 'Between 1 and 20.' in text(wrong)
    send(office.phone, address, {**ANSWERS, 'consent': 'no'})
    assert office.rows(*Base.metadata.sorted_tables) == before


def test_the_page_has_each_good_link_with_a_code_to_scan(office):
    office.made(office.of_draft)
    office.made(office.of_draft)
    page = office.client.get(office.of_draft).get_data(as_text=True)
    assert page.count('class="qr"') == 2
    assert len(set(office.links(office.of_draft))) == 2
    assert office.links(office.of_version) == []
    for page in (office.of_version, office.of_version.removesuffix('/trial')):
        assert 'QuestionnaireVersion' not in text(office.client.get(page))


def test_a_link_is_ended_alone_and_at_once_and_both_acts_are_on_record(office):
    one = office.made(office.of_draft)
    other = office.made(office.of_draft)
    office.change(office.of_draft, end='1')
    ended = office.phone.get(f'{one}?lang=en')
    assert ended.status_code == 410
    assert 'This test link is over' in text(ended)
    assert office.phone.get(other).status_code == 200
    assert office.links(office.of_draft) == [other]
    subject = f'draft:{office.draft}'
    assert office.acts() == [('trial.make', subject)] * 2 + [('trial.end', subject)]


def test_a_link_is_ended_only_at_the_page_of_what_it_leads_to(office):
    address = office.made(office.of_draft)
    assert office.change(office.of_version, end='1').status_code == 404
    assert office.phone.get(address).status_code == 200


def test_a_link_expires(office):
    address = office.made(office.of_version)
    long_ago = clock.now() - trials.GOOD_FOR
    with office.database.transaction() as session:
        session.execute(
            sa.update(TrialLink).values(made_at=long_ago - timedelta(days=1), expires_at=long_ago)
        )
    assert office.phone.get(address).status_code == 410
    assert send(office.phone, address).status_code == 410
    assert office.links(office.of_version) == []


def test_a_deleted_draft_takes_its_links_along_and_no_other_inherits_them(office):
    address = office.made(office.of_draft)
    with office.database.transaction() as session:
        drafts.delete(session, office.draft, office.writer, clock.now())
    assert office.phone.get(address).status_code == 404
    with office.database.transaction() as session:
        draft = drafts.create(session, SMALL, office.writer, clock.now())
        fresh = trials.make(
            session, Subject(draft_id=draft.id), actor='wang', staff_id=1, now=clock.now()
        )
        assert trials.token(fresh, SECRET) not in address
    assert office.phone.get(address).status_code == 404


def test_an_address_cannot_be_made_up_and_who_tries_is_held_up(office):
    made_up = trials._serializer('another key entirely, of the same length').dumps(1)
    office.made(office.of_draft)
    codes = [office.phone.get(f'/try/{made_up}').status_code for _ in range(11)]
    assert codes == [404] * 10 + [429]


def test_the_newest_sound_state_of_the_draft_is_tried(office):
    address = office.made(office.of_draft)
    newer = SMALL.replace('总体满意吗？', '总的来说满意吗？')
    for seen, state in enumerate((newer, FAULTY), 1):
        with office.database.transaction() as session:
            edit = Edit(state, 'write')
            drafts.save(session, office.draft, edit, office.writer, clock.now(), seen=seen)
    page = text(office.phone.get(f'{address}?lang=zh'))
    assert '总的来说满意吗？' in page
    assert 'sinlge' not in page
    assert '显示的是最近一次没有错误的内容' in page


def test_a_stale_page_is_shown_again_with_everything(office):
    address = office.made(office.of_draft)
    office.phone.get(address)
    again = office.phone.post(address, data={**ANSWERS, '_do': 'send', 'csrf_token': 'old'})
    assert again.status_code == 400
    assert re.search('name="overall" value="satisfied"[^>]* checked', text(again))


def test_only_who_may_edit_makes_links(app, office):
    reader = app.test_client()
    factories.sign_in(reader, office.database, 'statistician', username='zhao')
    assert '建立测试链接' not in text(reader.get(f'{office.of_draft}?lang=zh'))
    refused = reader.post(office.of_draft, data={'csrf_token': reader.token()})
    assert refused.status_code == 403
    assert office.rows(TrialLink) == [[]]
