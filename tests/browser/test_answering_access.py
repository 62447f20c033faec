"""Every page and state of answering, for everyone: axe finds nothing, nothing sticks out."""

from datetime import timedelta

import pytest

from cixi_survey import clock
from tests.browser.answering import (
    NEXT,
    SEND,
    answer_what_is_asked,
    assert_accessible,
    fill_small,
    open_site,
)

LOOKS = {
    'light': {},
    'dark in English': {'color_scheme': 'dark', 'locale': 'en-GB'},
    'narrow': {'viewport': {'width': 320, 'height': 640}},
}


@pytest.fixture(params=list(LOOKS))
def look(request, browser, browser_context_args):
    context = browser.new_context(**{**browser_context_args, **LOOKS[request.param]})
    yield context.new_page()
    context.close()


def test_every_part_of_the_real_questionnaire(served, look):
    site = open_site(served, real=True)
    look.goto(site.invitation)
    assert_accessible(look, 'cover')
    look.click(NEXT)
    look.click(NEXT)
    assert_accessible(look, 'first part with problems')
    for number in range(look.locator('section.part:has(.question)').count() - 1):
        answer_what_is_asked(look)
        look.click(NEXT)
        assert_accessible(look, f'part {number + 2}')
    look.click(NEXT)
    assert_accessible(look, 'check')
    look.click(SEND)
    look.wait_for_url('**/receipt/*')
    assert_accessible(look, 'receipt')
    look.goto(look.url + '/withdraw')
    assert_accessible(look, 'withdrawal')
    look.click('form button')
    assert_accessible(look, 'withdrawn')


def test_typing_a_code_and_doors_that_are_shut(served, look):
    site = open_site(served)
    look.goto(f'{site.url}/i')
    assert_accessible(look, 'typing a code')
    look.fill('#f-code', '7KQW')
    look.click('button.large')
    assert_accessible(look, 'a mistyped code')
    look.goto(site.invitation)
    fill_small(look)
    look.context.set_offline(True)
    look.click(SEND)
    look.wait_for_selector('#waiting:not([hidden])')
    assert_accessible(look, 'waiting for a network')
    look.context.set_offline(False)
    look.wait_for_url('**/receipt/*')
    look.goto(site.invitation)
    assert_accessible(look, 'a used code')
    site.change(closes_at=clock.now() - timedelta(hours=1))
    look.goto(site.open_link)
    assert_accessible(look, 'an ended survey')


def test_without_javascript(served, browser, browser_context_args):
    """axe needs JavaScript itself: so the script of the page alone is kept away."""
    site = open_site(served, real=True)
    page = browser.new_context(**browser_context_args).new_page()
    page.route('**/respond.js*', lambda route: route.abort())
    page.goto(site.invitation)
    assert_accessible(page, 'the whole form')
    page.click(SEND)
    assert_accessible(page, 'the whole form with its problems')
    page.context.close()
