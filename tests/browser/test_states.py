"""What one rarely sees while answering: two versions, doors that are shut, receipts of every kind.

Each must be accessible in every width and look, since nobody passes by to notice that it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from cixi_survey import clock
from cixi_survey.models import Response, Wave
from tests.browser.answering import (
    NEXT,
    SEND,
    Site,
    assert_accessible,
    choose,
    fill_small,
    open_site,
)
from tests.browser.test_styleguide import SMALL_TARGETS

# Width, dark, large print
LOOKS = [
    (320, False, ''),
    (360, True, '3'),
    (768, True, ''),
    (1280, False, '1'),
]


def begin(page: Page, address: str, age: str) -> None:
    page.goto(address)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', age)


def conflict_of_two_phones(site: Site, page: Page) -> None:
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    page.goto(site.invitation)
    begin(other, site.invitation, 'a18_39')
    other.click(NEXT)
    expect(other.locator('#kept')).to_have_text('Saved')
    other.close()
    begin_here(page)


def conflict_of_two_windows(site: Site, page: Page) -> None:
    page.goto(site.open_link)
    other = page.context.new_page()
    begin(other, site.open_link, 'a18_39')
    other.close()
    begin_here(page)


def begin_here(page: Page) -> None:
    page.click(NEXT)
    choose(page, 'age', 'a40_up')
    expect(page.locator('#title-conflict')).to_be_focused()


def two_versions_without_script(site: Site, page: Page) -> None:
    page.route('**/respond.js*', lambda route: route.abort())
    other = page.context.new_page()
    other.route('**/respond.js*', lambda route: route.abort())
    for each in (page, other):
        each.goto(site.invitation)
    for each, age in ((other, 'a18_39'), (page, 'a40_up')):
        choose(each, 'age', age)
        each.click('main button[value=save]')
        each.wait_for_load_state()
    other.close()
    expect(page.locator('#choice')).to_be_visible()


def send(site: Site, page: Page) -> None:
    page.goto(site.invitation)
    fill_small(page)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')


def a_used_code(site: Site, page: Page) -> None:
    send(site, page)
    page.goto(site.invitation)
    expect(page.locator('#shut')).to_be_attached()


def an_ended_survey(site: Site, page: Page) -> None:
    site.change(closes_at=clock.now() - timedelta(hours=1))
    page.goto(site.open_link)
    expect(page.locator('#shut')).to_be_attached()


def a_survey_by_letter_only(site: Site, page: Page) -> None:
    site.change(open_link=False)
    page.goto(site.open_link)
    expect(page.get_by_role('heading', level=1)).to_be_visible()


def an_unknown_code(site: Site, page: Page) -> None:
    page.goto(site.invitation[:-1])
    expect(page.locator('#f-code')).to_be_visible()


def a_receipt(site: Site, page: Page) -> None:
    send(site, page)


def a_receipt_of_another(site: Site, page: Page) -> None:
    send(site, page)
    page.context.clear_cookies()
    page.reload()


def a_withdrawn_receipt(site: Site, page: Page) -> None:
    send(site, page)
    page.goto(f'{page.url}/withdraw')
    page.click('main form button')
    page.wait_for_url('**/receipt/*')


def a_receipt_of_who_is_not_asked(site: Site, page: Page) -> None:
    begin(page, site.invitation, 'under18')
    page.click(NEXT)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')


def a_receipt_of_a_sealed_survey(site: Site, page: Page) -> None:
    send(site, page)
    with site.database.transaction() as session:
        session.execute(sa.update(Response).values(sealed=True, invitation_id=None))
        closed = {'state': 'closed', 'sealed': True, 'closes_at': clock.now()}
        session.execute(sa.update(Wave).values(closed))
    page.reload()


STATES: list[Callable[[Site, Page], None]] = [
    conflict_of_two_phones,
    conflict_of_two_windows,
    two_versions_without_script,
    a_used_code,
    an_ended_survey,
    a_survey_by_letter_only,
    an_unknown_code,
    a_receipt,
    a_receipt_of_another,
    a_withdrawn_receipt,
    a_receipt_of_who_is_not_asked,
    a_receipt_of_a_sealed_survey,
]


@pytest.mark.parametrize('reach', STATES)
def test_every_state_is_accessible_in_every_width_and_look(
    served: Any,
    browser: Browser,
    browser_context_args: Any,
    reach: Callable[[Site, Page], None],
) -> None:
    english = {'locale': 'en-GB'} if reach in STATES[:2] else {}
    context = browser.new_context(**{**browser_context_args, **english, 'reduced_motion': 'reduce'})
    page = context.new_page()
    reach(open_site(served), page)
    for width, dark, size in LOOKS:
        page.set_viewport_size({'width': width, 'height': 740})
        page.emulate_media(color_scheme='dark' if dark else 'light')
        page.evaluate(
            """(size) => size ? document.documentElement.setAttribute('data-elder', size)
              : document.documentElement.removeAttribute('data-elder')""",
            size,
        )
        more = ('wcag2aaa',) if size else ()
        assert_accessible(page, f'{width} px{" dark" if dark else ""} {size}', *more)
        least = 60 if size else 24
        assert page.evaluate(SMALL_TARGETS, least) == [], f'{width} px {size}'
    context.close()
