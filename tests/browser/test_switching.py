"""The language and the size are switched at any moment, and nothing that was answered is lost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from cixi_survey.models import Draft
from tests.browser.answering import NEXT, SEND, Site, choose, open_site
from tests.browser.test_states import conflict_of_two_phones, conflict_of_two_windows

ENGLISH = 'header button:has-text("English")'
CHINESE = 'header button:has-text("中文")'
GIVEN = """() => {
  const form = document.getElementById('answers');
  return [...new FormData(form)].filter(([name]) => !/^(csrf_token|_)/.test(name));
}"""
REASON = '太吵了。“夜里也是”\n<b>第二行</b> & 🙂'


@pytest.fixture
def site(served: Any) -> Site:
    return open_site(served)


def drafts(site: Site) -> int:
    with site.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Draft)) or 0


def switch(page: Page, button: str, language: str) -> None:
    page.click(button)
    page.wait_for_url(f'**lang={language}**')
    page.wait_for_load_state()


def test_answers_of_every_kind_stay_as_they_are_when_the_language_changes(
    site: Site, page: Page
) -> None:
    page.goto(site.open_link)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    page.select_option('#f-village', '330282004001')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    choose(page, 'overall', 'not_at_all')
    choose(page, 'sat_water', 'rather')
    page.fill('#f-reason', REASON)
    page.click(NEXT)
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    choose(page, 'did', 'sorted')
    page.fill('#f-adults', '２')
    before = page.evaluate(GIVEN)
    assert len(before) == 11
    for button, language in ((ENGLISH, 'en'), (CHINESE, 'zh'), (ENGLISH, 'en')):
        switch(page, button, language)
        assert page.evaluate(GIVEN) == before
        expect(page.locator('#f-adults')).to_be_visible()  # the place is kept, too
    page.click(NEXT)
    expect(page.locator('#given')).to_contain_text('<b>第二行</b> & 🙂')
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    expect(page.get_by_role('heading', level=1)).to_have_text(
        'Thank you, your answers have arrived'
    )
    stored = site.answers()
    assert stored['reason'].replace('\r', '') == REASON
    assert (stored['did'], stored['adults'], stored['sat_water']) == (['sorted'], 2, 'rather')


def test_an_untouched_form_changes_its_language_without_a_draft(
    site: Site, browser: Browser, browser_context_args: Any
) -> None:
    for script in (True, False):
        context = browser.new_context(**browser_context_args, java_script_enabled=script)
        page = context.new_page()
        page.goto(f'{site.open_link}?c=poster-7')
        switch(page, ENGLISH, 'en')
        expect(page.locator('html')).to_have_attribute('lang', 'en')
        assert 'c=poster-7' in page.url
        page.click('header button:has-text("Large print")')
        page.wait_for_url('**elder=1**')
        assert drafts(site) == 0
        context.close()


@pytest.mark.parametrize('reach', [conflict_of_two_phones, conflict_of_two_windows])
def test_two_versions_are_still_both_there_in_another_language(
    site: Site, browser: Browser, browser_context_args: Any, reach: Any
) -> None:
    context = browser.new_context(**{**browser_context_args, 'locale': 'en-GB'})
    page = context.new_page()
    reach(site, page)
    switch(page, CHINESE, 'zh')
    expect(page.locator('#title-conflict')).to_have_text('接着填哪一份答案？')
    expect(page.locator('#conflict [data-mine]')).to_have_text('答了1题')
    expect(page.locator('#conflict [data-theirs]')).to_have_text('答了3题')
    page.click('#conflict button >> nth=0')
    expect(page.locator('#conflict')).to_be_hidden()
    assert [pair for pair in page.evaluate(GIVEN) if pair[1]] == [['age', 'a40_up']]
    context.close()


def test_without_javascript_the_choice_is_offered_in_the_language_asked_for(
    site: Site, browser: Browser, browser_context_args: Any
) -> None:
    context = browser.new_context(**browser_context_args, java_script_enabled=False)
    page, other = context.new_page(), context.new_page()
    for each, age in ((page, 'a40_up'), (other, 'a18_39')):
        each.goto(site.invitation)
        choose(each, 'age', age)
    other.click('main button[value=save]')
    other.wait_for_url('**saved=1**')
    page.click(ENGLISH)
    heading = page.get_by_role('heading', level=1)
    expect(heading).to_have_text('Which answers do you want to go on with?')
    page.click(CHINESE)
    expect(heading).to_have_text('接着填哪一份答案？')
    page.click('#choice button >> nth=0')
    page.wait_for_url('**saved=1**')
    assert page.is_checked('input[name=age][value=a40_up]')
    context.close()


def test_without_a_network_the_language_stays_and_so_do_the_answers(site: Site, page: Page) -> None:
    page.goto(site.open_link)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.context.set_offline(True)
    page.click(ENGLISH)
    expect(page.locator('#told')).to_contain_text('现在没有网络')
    assert page.is_checked('input[name=consent][value=yes]')
    page.context.set_offline(False)
    switch(page, ENGLISH, 'en')
    assert page.is_checked('input[name=consent][value=yes]')
