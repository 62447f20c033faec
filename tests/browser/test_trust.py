"""Why a resident can trust the survey: checked on a phone, also where no script runs."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from cixi_survey import codes
from cixi_survey.models import Draft, Invitation, Response, ScreenedOut
from tests import factories
from tests.browser.answering import (
    NEXT,
    SEND,
    answer_what_is_asked,
    assert_accessible,
    choose,
    open_site,
)
from tests.conftest import SECRET


def stored(site, query):
    with site.database.reading() as session:
        return session.scalars(query).all()


@pytest.fixture
def plain(browser, browser_context_args):
    """A phone on which no script runs."""
    context = browser.new_context(**{**browser_context_args, 'java_script_enabled': False})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize('basis', ['consent', 'statutory'])
def test_from_the_notice_to_the_withdrawal_without_javascript(served, plain, basis):
    site = open_site(served, real=True, legal_basis=basis)
    plain.goto(site.invitation)
    assert plain.locator('.notice-lines dt').all_inner_texts() == [
        '谁在问', '问什么', '做什么用', '留多久', '您的权利',
    ]  # fmt: skip
    with plain.context.expect_page() as opened:
        plain.click('.cover a:has-text("看全文")')
    expect(opened.value.get_by_role('heading', name='依据什么')).to_be_visible()
    opened.value.close()
    fill_without_script(plain)
    plain.click(SEND)
    plain.wait_for_url('**/receipt/*')
    number = plain.inner_text('#reference')
    plain.click('main a:has-text("隐私说明，版本")')
    assert '2026-12' in plain.inner_text('main')
    plain.go_back()
    plain.click('main a:has-text("撤回我的答案")')  # one
    told = plain.inner_text('main')
    assert ('马上删除什么' in told) == (basis == 'consent')
    plain.click('main form button')  # two
    assert '已经撤回' in plain.inner_text('h1')
    assert ('加密锁存到' in plain.inner_text('main')) == (basis == 'statutory')
    (response,) = stored(site, sa.select(Response))
    assert response.answers == '{}'
    assert (response.locked is None) == (basis == 'consent')
    plain.goto(site.url)
    plain.click('footer a:has-text("撤回答案")')
    plain.fill('#f-receipt', number.lower())
    plain.click('main form button')
    assert '已经撤回' in plain.inner_text('h1')


def fill_without_script(page):
    """The third answer to everything, by hand: no script may run to do it."""
    for group in page.locator('fieldset:not(.grid)').all():
        inputs = group.locator('input')
        inputs.nth(min(2, inputs.count() - 1)).check()
    for name in ('consent', 'resident'):
        page.check(f'input[name={name}][value=yes]')
    page.check('input[name=age][value=a30_39]')
    page.select_option('#f-town', '330282108')
    page.fill('#f-adults', '2')


def test_of_a_child_nothing_is_left_on_the_phone_or_on_the_server(served, page):
    site = open_site(served, real=True)
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    choose(page, 'age', 'under_14')
    choose(page, 'resident', 'yes')
    page.select_option('#f-town', '330282108')
    page.click(NEXT)
    expect(page.locator('#ending-message')).to_contain_text('这份问卷是请大人填的')
    page.click(SEND)
    page.wait_for_url('**/goodbye/*')
    assert '一样也没有留下' in page.inner_text('main')
    assert_accessible(page, 'goodbye to a child')
    left = page.evaluate('JSON.stringify([localStorage, sessionStorage])')
    assert 'under_14' not in left
    assert [each.count for each in stored(site, sa.select(ScreenedOut))] == [1]
    assert stored(site, sa.select(Response)) == stored(site, sa.select(Draft)) == []
    assert stored(site, sa.select(Invitation.outcome)) == ['pending']
    page.goto(site.invitation)  # the letter goes to an adult
    page.click(NEXT)
    assert not page.is_checked('input[name=age][value=under_14]')
    answer_what_is_asked(page)


def test_a_letter_is_checked_on_the_phone(served, page):
    site = open_site(served)
    page.goto(site.invitation)
    with page.context.expect_page() as opened:
        page.click('.approval-check a')
    survey = opened.value
    survey.wait_for_load_state()
    code = codes.grouped(codes.check_code('w2026', SECRET))
    assert survey.inner_text('.big-number') == code
    assert_accessible(survey, 'the page of a survey')
    survey.click('.breadcrumb a')
    survey.fill('#f-code', code.lower().replace('-', ' '))
    survey.click('main form button')
    assert '这是我们的防伪码' in survey.inner_text('.notice.success')
    assert_accessible(survey, 'a check code of ours')
    survey.fill('#f-code', codes.check_code('forged', SECRET))
    survey.click('main form button')
    assert '不要扫' in survey.inner_text('.notice.error')
    survey.goto(f'{site.url}/verify?elder=3&code=ABC')
    assert_accessible(survey, 'a mistyped check code in the largest print')


LOOKS = {'dark in English': {'color_scheme': 'dark', 'locale': 'en-GB'}, 'largest print': {}}


@pytest.mark.parametrize('look', list(LOOKS))
def test_the_pages_of_trust_are_for_everyone(served, browser, browser_context_args, look):
    site = open_site(served, real=True, legal_basis='statutory')
    with site.database.transaction() as session:
        wave = session.scalars(sa.select(factories.Wave)).one()
        reference = factories.response(session, wave).reference
        notice = wave.notice_sha256[:16]
    page = browser.new_context(**{**browser_context_args, **LOOKS[look]}).new_page()
    if look == 'largest print':
        page.goto(f'{site.url}/?elder=3')
    for address in (
        f'/notice/{notice}',
        '/withdraw',
        f'/receipt/{reference}',
        f'/receipt/{reference}/withdraw',
        '/verify',
        '/protection',
    ):
        page.goto(site.url + address)
        assert_accessible(page, f'{address}, {look}')
    page.context.close()
