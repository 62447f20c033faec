"""A draft beside its form as residents see it, and tried out: in a real browser."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from cixi_survey import clock
from cixi_survey.authoring import drafts
from cixi_survey.authoring.drafts import Writer
from cixi_survey.models import Draft, Response, StaffSession
from tests import factories
from tests.browser.axe import violations

SMALL = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')


@pytest.fixture
def browser_context_args() -> dict[str, object]:
    """A desk in the publicity department."""
    return {
        'viewport': {'width': 1280, 'height': 800},
        'locale': 'zh-CN',
        'timezone_id': 'Asia/Shanghai',
    }


@pytest.fixture
def desk(page: Page, served):
    """An organiser, signed in, with a draft."""
    app, address = served
    now = clock.now()
    with app.extensions['cixi_database'].transaction() as session:
        staff = factories.staff(session, 'organiser')
        drafts.create(session, SMALL, Writer(staff.username, staff.id), now)
        session.add(StaffSession(id='desk', staff_id=staff.id, created_at=now, seen_at=now))
    cookie = app.session_interface.get_signing_serializer(app).dumps({'_user_id': 'desk'})
    page.context.add_cookies([{'name': 'cixi', 'value': cookie, 'url': address}])
    return page, f'{address}/staff/questionnaires/drafts/1', app.extensions['cixi_database']


def test_the_preview_follows_the_editor_and_keeps_what_was_chosen_in_it(desk):
    page, address, _database = desk
    page.goto(f'{address}/question/overall')
    frame = page.frame_locator('#preview iframe')
    question = frame.locator('.question[data-question=overall]')
    expect(question).to_have_class(re.compile('edited'))
    expect(question).to_be_in_viewport()
    assert page.evaluate('scrollY') == 0
    assert violations(page) == []

    # what is chosen there stays while the draft changes, and the focus stays in the editor
    question.locator('input[value=not_at_all]').check()
    field = page.locator('#f-label\\.zh')
    field.focus()
    field.press_sequentially('（预览）')
    expect(question.locator('legend')).to_contain_text('（预览）')
    expect(question.locator('input[value=not_at_all]')).to_be_checked()
    expect(field).to_be_focused()
    expect(frame.locator('[data-question=reason]')).to_be_visible()

    # another language and size there, this page stays as it is
    frame.get_by_role('button', name='English').click()
    expect(frame.locator('html')).to_have_attribute('lang', 'en')
    frame.get_by_role('button', name='Large print').click()
    expect(frame.locator('html')).to_have_attribute('data-elder', '1')
    expect(question.locator('input[value=not_at_all]')).to_be_checked()
    page.locator('#f-label\\.en').fill('Are you content?')
    expect(question.locator('legend')).to_contain_text('Are you content?')
    expect(page.locator('html')).to_have_attribute('lang', 'zh-CN')

    # a fault: the last good state, called that; the same page by itself for a phone
    page.locator('#f-label\\.zh').fill('')
    expect(frame.locator('.trial summary')).to_contain_text('last state without faults')
    page.set_viewport_size({'width': 360, 'height': 740})
    expect(page.locator('#preview')).to_be_hidden()
    page.get_by_role('link', name='看看居民看到的样子').click()
    expect(page.locator('.question[data-question=overall]')).to_have_class(re.compile('edited'))
    banner, place = (page.locator(each).bounding_box() for each in ('.trial', '.place'))
    assert banner['height'] > 50
    assert banner['y'] + banner['height'] <= place['y'] + 1
    assert violations(page) == []
    page.get_by_role('link', name='返回问卷').click()
    expect(page.locator('#edit')).to_be_visible()


def test_a_test_link_to_its_end_leaves_nothing_on_the_device_or_the_server(desk):
    page, address, database = desk
    page.goto(f'{address}/trial')
    page.get_by_role('button', name='建立测试链接').click()
    assert violations(page) == []
    address = page.locator('.test-link code').inner_text()
    page.context.clear_cookies()  # another phone, without an account
    page.set_viewport_size({'width': 360, 'height': 740})
    page.goto(address)
    assert violations(page) == []
    page.locator('#steps .button.large').click()
    below = 'document.querySelector(".place").getBoundingClientRect().bottom'
    heading = page.locator('h2:focus')
    assert heading.bounding_box()['y'] >= page.evaluate(below)
    page.locator('label:has(input[name=consent][value=yes])').click()
    expect(page.locator('#kept')).to_be_empty()
    page.goto(address)
    expect(page.locator('input[name=consent]:checked')).to_have_count(0)
    kept = page.evaluate('[Object.keys(localStorage), document.cookie]')
    assert kept == [[], '']

    page.locator('#steps .button.large').click()
    page.locator('label:has(input[name=consent][value=no])').click()
    page.locator('#steps .button.large').click()
    page.locator('#finish .button').click()
    expect(page.get_by_role('heading', level=1)).to_have_text('本来会提交的内容')
    assert violations(page) == []
    page.get_by_role('button', name='修改答案').click()
    expect(page.locator('input[name=consent][value=no]')).to_be_checked()
    with database.reading() as session:
        for table in (Response, Draft):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
