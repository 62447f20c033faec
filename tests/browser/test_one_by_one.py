"""One question a screen: by the switch, in large print, and on by itself after a tap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.answering import (
    BACK,
    NEXT,
    SEND,
    Site,
    answer_what_is_asked,
    assert_accessible,
    choose,
    open_site,
    wait_for_draft,
)

ONE = '#view button'
AUTO = '#auto'
MOMENT = 2_500


@pytest.fixture
def site(served: Any) -> Site:
    return open_site(served)


def asked(page: Page) -> list[str]:
    """The questions and rows of grids on the screen, by variable."""
    names: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('.question [id^=f-]:not(p)')]"
        '.filter(each => each.offsetParent).map(each => each.name)'
    )
    return names


def test_the_switch_by_keyboard_leaves_the_focus_on_the_page(site: Site, page: Page) -> None:
    page.goto(site.invitation)
    for _press in range(2):  # on the cover nothing else takes the focus
        page.focus(ONE)
        page.keyboard.press('Space')
        expect(page.locator(ONE)).to_be_focused()
    page.click(NEXT)
    page.focus(ONE)
    page.keyboard.press('Space')
    assert page.evaluate('document.activeElement.closest("#answers") !== null')


def test_the_switch_keeps_answers_and_place_and_is_remembered(site: Site, page: Page) -> None:
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.click(ONE)
    assert asked(page) == ['town']
    assert page.inner_text('#progress span >> nth=0') == '第2题，共11题'
    page.select_option('#f-town', '330282004')
    page.click(NEXT)
    assert asked(page) == ['village']
    page.click(NEXT)
    page.click(NEXT)
    assert page.text_content('#f-age-error') == '错误：请选一项。'
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    assert asked(page) == ['overall']
    choose(page, 'overall', 'not_at_all')
    page.click(NEXT)
    assert asked(page) == ['sat_water']
    expect(page.locator('.grid > legend')).to_be_visible()
    page.click(NEXT)
    page.click(NEXT)
    assert asked(page) == ['reason']
    for name in ('sat_air', 'sat_water', 'overall'):
        page.go_back()
        assert asked(page) == [name]
    expect(page.locator('.question.now legend')).to_be_focused()
    choose(page, 'overall', 'satisfied')
    page.click(NEXT)
    page.click(BACK)
    assert asked(page) == ['overall']
    expect(page.locator('#kept')).to_have_text('已保存')
    page.reload()
    assert asked(page) == ['overall']
    page.go_back()
    assert asked(page) == ['age']
    page.click('header button:has-text("English")')
    page.wait_for_url('**lang=en**')
    assert asked(page) == ['age']
    page.click(ONE)
    assert asked(page) == ['consent', 'town', 'village', 'age']
    page.click(ONE)
    for _row in range(4):
        page.click(NEXT)
    assert asked(page) == ['k_one']  # nobody asks for the reason any more
    page.goto(site.open_link)
    page.click(NEXT)
    assert asked(page) == ['consent']


@pytest.fixture
def tapping(site: Site, page: Page) -> Page:
    """On the first question, one at a time, with a clock of its own."""
    page.clock.install()
    page.goto(site.open_link)
    page.click(ONE)
    page.click(NEXT)
    expect(page.locator(AUTO)).to_be_visible()
    return page


def test_a_tap_on_a_single_answer_moves_on_and_any_touch_or_key_stays(tapping: Page) -> None:
    page = tapping
    choose(page, 'consent', 'yes')
    expect(page.locator('#pace')).to_be_visible()
    assert page.inner_text('#pace [role=status]') == '马上到下一题……'
    page.clock.run_for(MOMENT)
    assert asked(page) == ['town']
    page.select_option('#f-town', '330282004')  # not of a list
    page.clock.run_for(MOMENT)
    assert asked(page) == ['town']
    page.click(BACK)
    for stay in (
        lambda: page.click('#pace button'),
        lambda: page.click('.question legend'),
        lambda: page.keyboard.press('Shift'),
        lambda: page.mouse.wheel(0, 40),
    ):
        choose(page, 'consent', 'yes')  # the same answer once more is a wish, too
        expect(page.locator('#pace')).to_be_visible()
        stay()
        expect(page.locator('#pace')).to_be_hidden()
        page.clock.run_for(MOMENT)
        assert asked(page) == ['consent']
    page.click(AUTO)
    choose(page, 'consent', 'yes')
    page.clock.run_for(MOMENT)
    assert asked(page) == ['consent']


def test_arrow_keys_look_through_the_answers_and_space_chooses(tapping: Page) -> None:
    page = tapping
    page.keyboard.press('Tab')
    page.keyboard.press('Space')
    page.clock.run_for(MOMENT)
    assert asked(page) == ['town']
    page.click(NEXT)
    page.select_option('#f-town', '330282004')
    page.click(NEXT)
    page.click(NEXT)
    page.focus('#f-age')
    for key in ('ArrowDown', 'ArrowDown', 'ArrowUp'):
        page.keyboard.press(key)
        page.clock.run_for(MOMENT)
    assert page.is_checked('[value=a18_39]')
    assert asked(page) == ['age']
    page.keyboard.press('Enter')
    assert asked(page) == ['overall']


@pytest.fixture
def still(site: Site, browser: Browser, browser_context_args: Any) -> Iterator[Page]:
    context = browser.new_context(**browser_context_args, reduced_motion='reduce')
    yield context.new_page()
    context.close()


def test_with_less_motion_it_moves_on_only_when_asked_to(site: Site, still: Page) -> None:
    still.clock.install()
    still.goto(site.open_link)
    still.click(ONE)
    still.click(NEXT)
    assert still.get_attribute(AUTO, 'aria-pressed') == 'false'
    choose(still, 'consent', 'yes')
    still.clock.run_for(MOMENT)
    assert asked(still) == ['consent']
    still.click(AUTO)
    choose(still, 'consent', 'yes')
    still.clock.run_for(MOMENT)
    assert asked(still) == ['town']


# What the Ministry of Industry and Information Technology asks of a page for the old, measured:
# texts below 18 px, lines closer than 1.3, targets below 60 px, the least size of body text
GEOMETRY = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) =>
    each.getClientRects().length && each.offsetWidth > 1 && !each.closest('.skip'));
  const name = (each) => each.className + ' ' + each.textContent.trim().slice(0, 20);
  const size = (each) => parseFloat(getComputedStyle(each).fontSize);
  const leading = (each) => parseFloat(getComputedStyle(each).lineHeight);
  const texts = all('body *').filter((each) =>
    [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  const targets = all('main button, main a, main label.choice, main select, main textarea, '
    + 'main input:not([type=radio]):not([type=checkbox]), header button')
    .filter((each) => getComputedStyle(each).display !== 'inline');  // a link within a sentence
  return {
    small: texts.filter((each) => size(each) < 18).map(name),
    tight: texts.filter((each) => leading(each) < 1.295 * size(each)).map(name),
    targets: targets.map((each) => [name(each), each.getBoundingClientRect()])
      .filter(([, box]) => box.height < 60 || box.width < 60)
      .map(([what, box]) => [what, box.width, box.height]),
    body: Math.min(99, ...texts.filter((each) => each.matches('.card, .hint, .part p')).map(size)),
    wide: Math.max(0, document.documentElement.scrollWidth - window.innerWidth),
  };
}"""


@pytest.mark.parametrize(
    ('size', 'body', 'language', 'width'),
    [(1, 18, 'zh', 360), (3, 30, 'en', 320)],
)
def test_large_print_is_large_throughout(
    site: Site, page: Page, size: int, body: int, language: str, width: int
) -> None:
    page.set_viewport_size({'width': width, 'height': 700})
    page.goto(f'{site.invitation}?elder={size}&lang={language}')
    stops = 0
    while True:
        shape = page.evaluate(GEOMETRY)
        where = page.url
        assert shape['small'] == [], where
        assert shape['tight'] == [], where
        assert shape['targets'] == [], where
        assert shape['wide'] == 0, where
        assert shape['body'] >= body, where
        if stops in {0, 1, 5, 13}:
            assert_accessible(page, where, 'wcag2aaa')
        if not page.locator(NEXT).is_visible():
            break
        if stops:
            answer_what_is_asked(page)
            expect(page.locator('#pace')).to_be_hidden()
        page.click(NEXT)
        stops += 1
        if page.locator(NEXT).is_visible():
            assert len(asked(page)) == 1
    assert stops == 13  # the cover and twelve questions
    expect(page.locator(ONE)).to_be_hidden()
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert page.evaluate(GEOMETRY)['small'] == []


def test_paragraphs_in_large_print_stand_further_apart_than_lines(served: Any, page: Page) -> None:
    page.goto(f'{served[1]}/about?elder=1')
    line, gap = page.evaluate(
        """() => {
          const second = document.querySelector('main p + p');
          const first = second.previousElementSibling;
          return [parseFloat(getComputedStyle(second).lineHeight),
            second.getBoundingClientRect().top - first.getBoundingClientRect().bottom];
        }"""
    )
    assert gap >= 1.3 * line - 1


IN_SIGHT = """(element) => {
  const box = element.getBoundingClientRect();
  const steps = document.querySelector('.bar-below').getBoundingClientRect();
  return box.top >= 0 && box.bottom <= steps.top;
}"""


def test_in_large_print_nothing_to_choose_or_to_mend_is_out_of_sight_without_a_sign(
    served: Any, page: Page
) -> None:
    site = open_site(served, real=True)
    more = page.locator('#onward button')
    oldest = page.locator('.choice:has([value=a70_up])')
    page.goto(f'{site.invitation}?elder=2')
    page.click(NEXT)
    page.click(NEXT)
    assert page.locator('#f-consent').evaluate(IN_SIGHT)
    expect(page.locator('#told [role=alert]')).to_have_text('错误：请选一项。')
    choose(page, 'consent', 'yes')
    expect(more).to_be_hidden()
    page.click(NEXT)
    expect(more).to_be_visible()
    assert not oldest.evaluate(IN_SIGHT)
    more.click()
    assert oldest.evaluate(IN_SIGHT)
    expect(more).to_be_hidden()
    oldest.click()
    page.click(NEXT)
    choose(page, 'resident', 'yes')
    page.click(NEXT)
    wait_for_draft(site, 'yes', 'resident')
    page.goto(site.invitation)
    assert page.locator('#anew summary').evaluate(IN_SIGHT)
    assert page.locator('#f-town').evaluate(IN_SIGHT)
    page.click(BACK)
    page.click(BACK)
    page.evaluate(
        "() => { const link = document.createElement('a'); link.href = '#f-age';"
        " document.querySelector('#told').append(link); link.click(); }"
    )
    assert oldest.evaluate(IN_SIGHT)
