"""Answering on a bad network: nothing is lost or doubled, and the phone tells the truth."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from cixi_survey import clock
from tests.browser.answering import NEXT, SEND, Site, choose, fill_small, open_site
from tests.browser.network import network

COPIES = 'Object.keys(localStorage).length'
NO_STORAGE = """Object.defineProperty(window, 'localStorage', {
  get() { throw new DOMException('denied', 'SecurityError'); }
});"""


@pytest.fixture
def way(served):
    with network(urlsplit(served[1]).port) as made:
        yield made


@pytest.fixture
def site(served, way):
    """The site, reached through the network."""
    direct = open_site(served)
    return Site(direct.app, way.url, direct.code)


def wait_for_draft(page):
    expect(page.locator('#kept')).to_have_text('已保存')


def test_a_draft_of_ones_own_whose_acknowledgement_was_lost_is_no_conflict(site, way, page):
    page.goto(site.invitation)
    page.click(NEXT)
    way.way = 'deaf'
    choose(page, 'age', 'a18_39')
    with page.expect_request('**/draft'):
        page.evaluate('dispatchEvent(new Event("online"))')
    page.wait_for_timeout(300)
    way.way = 'down'
    expect(page.locator('#kept')).to_contain_text('先存在这部手机上')
    choose(page, 'age', 'a40_up')
    way.way = 'up'
    page.evaluate('dispatchEvent(new Event("online"))')
    wait_for_draft(page)
    assert page.locator('#conflict').is_hidden()
    page.reload()
    assert page.is_checked('input[name=age][value=a40_up]')


def test_a_sending_whose_acknowledgement_was_lost_has_its_receipt_in_a_new_browser_session(
    site, way, page
):
    page.goto(site.invitation)
    fill_small(page)
    way.way = 'deaf'
    with page.expect_request(site.invitation):
        page.click(SEND)
    page.wait_for_timeout(300)
    way.way = 'down'
    expect(page.locator('#title-waiting')).to_have_text('已存在这部手机上，还没有提交')
    assert len(site.responses()) == 1
    way.way = 'up'
    page.context.clear_cookies()
    again = page.context.new_page()
    page.close()
    again.goto(site.invitation)
    again.wait_for_url('**/receipt/*')
    assert len(site.responses()) == 1
    assert again.evaluate(COPIES) == 0


def test_the_page_of_some_wireless_network_is_not_taken_for_the_site(site, page):
    page.goto(site.open_link)
    fill_small(page)
    sign_in = {'status': 200, 'content_type': 'text/html', 'body': '<p>Welcome to free Wi-Fi'}
    page.route('**/s/w2026*', lambda route: route.fulfill(**sign_in))
    page.click(SEND)
    expect(page.locator('#title-waiting')).to_be_focused()
    assert '正在提交' not in page.inner_text('#waiting')
    page.unroute('**/s/w2026*')
    page.click('#waiting button')
    page.wait_for_url('**/receipt/*')
    assert len(site.responses()) == 1


def test_a_phone_that_may_keep_nothing_says_so_and_still_sends(site, way, page):
    page.add_init_script(NO_STORAGE)
    page.goto(site.open_link)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    expect(page.locator('#kept')).to_contain_text('请不要关闭这个页面')
    choose(page, 'age', 'a18_39')
    page.select_option('#f-town', '330282004')
    page.click(NEXT)
    wait_for_draft(page)
    choose(page, 'overall', 'satisfied')
    page.click(NEXT)
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '2')
    page.click(NEXT)
    way.way = 'down'
    page.click(SEND)
    expect(page.locator('#title-waiting')).to_have_text('还没有提交')
    assert '存在这部手机上' not in page.inner_text('#waiting')
    assert '请不要关闭这个页面' in page.inner_text('#waiting')
    way.way = 'up'
    page.click('#waiting button')
    page.wait_for_url('**/receipt/*')
    assert site.answers()['adults'] == 2


def test_leaving_the_page_without_a_network_says_what_is_kept_and_loses_nothing(site, way, page):
    page.goto(site.open_link)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    way.way = 'down'
    page.click('header button:has-text("English")')
    expect(page.locator('#told')).to_contain_text('现在没有网络')
    assert page.is_checked('input[name=consent][value=yes]')
    way.way = 'up'
    page.click('header button:has-text("English")')
    page.wait_for_url('**lang=en**')
    assert page.is_checked('input[name=consent][value=yes]')
    assert page.locator('#conflict').is_hidden()


def test_answers_of_a_survey_that_ended_meanwhile_are_removed_and_that_is_said(site, way, page):
    page.goto(site.invitation)
    fill_small(page)
    way.way = 'down'
    page.click(SEND)
    expect(page.locator('#waiting')).to_be_visible()
    site.change(closes_at=clock.now() - timedelta(minutes=2))
    way.way = 'up'
    page.goto(site.invitation)
    expect(page.locator('#shut')).to_be_visible()
    assert '没有收到' in page.inner_text('main')
    assert page.evaluate(COPIES) == 0
    assert site.responses() == []
