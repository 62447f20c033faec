"""The whole way with no pointer: Tab, Space, Enter, arrows and digits, from cover to receipt.

On every stop of the focus it is in sight, marked, and covered by nothing (WCAG 2.2, 2.4.7, 2.4.11).
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.answering import NEXT, SEND, open_site

SCREENS = {
    'a small phone': ({'viewport': {'width': 320, 'height': 568}}, ''),
    'a tablet in English and large print': (
        {'viewport': {'width': 768, 'height': 1024}, 'locale': 'en-GB'},
        '?elder=1',
    ),
    # What Chromium makes of a window of 1280 × 800 at 200 %.
    'a desk at 200 %': (
        {'viewport': {'width': 640, 'height': 400}, 'device_scale_factor': 2, 'is_mobile': False},
        '',
    ),
}

FOCUS = """([next, send]) => {
  const at = document.activeElement;
  if (!at || at === document.body) return {kind: 'page'};
  const seen = at.closest('label') || at;
  const box = seen.getBoundingClientRect();
  const middle = [box.left + box.width / 2, box.top + Math.min(box.height, 40) / 2];
  const over = document.elementFromPoint(...middle);
  const group = at.name ? [...document.querySelectorAll(`input[name="${at.name}"]`)] : [];
  const marks = [at, seen, at.nextElementSibling || at].map((one) => getComputedStyle(one));
  return {
    kind: at.matches(next) ? 'on' : at.matches(send) ? 'send' : at.type || at.tagName.toLowerCase(),
    name: at.name || at.id || at.textContent.trim().slice(0, 20),
    answered: group.length > 1 ? group.some((one) => one.checked) : Boolean(at.value),
    covered: at.tabIndex >= 0 && !(over && (seen.contains(over) || over.contains(seen))),
    marked: at.tabIndex < 0 || marks.some((style) => style.outlineStyle !== 'none'),
  };
}"""


def press_on(page: Page, focus: dict[str, Any]) -> None:
    """What a person at a keyboard does where the focus is."""
    if focus['kind'] == 'on':
        page.keyboard.press('Enter')
        return
    if focus['kind'] == 'send':
        page.keyboard.press('Enter')
        page.wait_for_url('**/receipt/*')
        return
    if not focus.get('answered'):
        if focus['kind'] in ('radio', 'checkbox'):
            page.keyboard.press('Space')
            if focus['name'] == 'age':  # the first is a child's
                page.keyboard.press('ArrowDown')
                page.keyboard.press('ArrowDown')
        elif focus['kind'] == 'select-one':
            page.keyboard.press('ArrowDown')
        elif focus.get('name') == 'adults':
            page.keyboard.type('2')
    page.keyboard.press('Tab')


@pytest.mark.parametrize('screen', list(SCREENS))
def test_from_the_cover_to_the_receipt(
    served: Any, browser: Browser, browser_context_args: dict[str, Any], screen: str
) -> None:
    options, query = SCREENS[screen]
    site = open_site(served, real=True)
    context = browser.new_context(**{**browser_context_args, **options})
    page = context.new_page()
    page.goto(site.invitation + query)
    stops = 0
    while '/receipt/' not in page.url:
        stops += 1
        assert stops < 900, f'lost at {page.url}, in {page.inner_text("main")[:300]}'
        focus = page.evaluate(FOCUS, [NEXT, SEND])
        if focus['kind'] != 'page':
            assert not focus['covered'], (screen, focus)
            assert focus['marked'], (screen, focus)
        press_on(page, focus)
    page.wait_for_load_state()
    (stored,) = site.responses()
    assert stored.outcome == 'complete'
    context.close()
