"""Every component in a real browser: readable, reachable, and nothing sticks out."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser.axe import violations

SMALL_TARGETS = """least => [
    ...document.querySelectorAll('a, button, input, select, textarea, summary')]
  .filter(e => e.type !== 'hidden' && e.getClientRects().length && !e.classList.contains('skip'))
  .filter(e => !e.closest('[aria-hidden=true]'))
  .filter(e => e.tagName !== 'A' || getComputedStyle(e).display !== 'inline')
  .map(e => [e.outerHTML.slice(0, 80), (e.closest('label.choice') || e).getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""


def open_page(
    browser: Browser, address: str, *, width: int = 360, scheme: str = 'light'
) -> tuple[Page, list[str]]:
    context = browser.new_context(
        viewport={'width': width, 'height': 740}, locale='zh-CN', color_scheme=scheme
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on('console', lambda message: complaints.append(message.text))
    page.goto(address)
    return page, complaints


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize(
    ('query', 'more_rules', 'least'),
    [('elder=0', (), 44), ('elder=1', ('wcag2aaa',), 60), ('elder=3', ('wcag2aaa',), 60)],
)
def test_components_are_accessible_and_large_enough(
    read_only: tuple[Flask, str],
    browser: Browser,
    scheme: str,
    query: str,
    more_rules: tuple[str, ...],
    least: int,
) -> None:
    page, complaints = open_page(browser, f'{read_only[1]}/styleguide?{query}', scheme=scheme)
    assert complaints == []
    assert violations(page, *more_rules) == []
    assert page.evaluate(SMALL_TARGETS, least) == []
    page.context.close()


@pytest.mark.parametrize('width', [320, 360, 768, 1280])
def test_no_page_is_wider_than_the_screen(
    read_only: tuple[Flask, str], browser: Browser, width: int
) -> None:
    page, _ = open_page(browser, read_only[1], width=width)
    for path in ('/styleguide', '/', '/about', '/nowhere'):
        for query in ('lang=zh', 'lang=en', 'lang=en&elder=3', 'lang=zh&elder=0'):
            page.goto(f'{read_only[1]}{path}?{query}')
            wide = page.evaluate('document.documentElement.scrollWidth')
            assert wide <= width, (path, query)
    page.context.close()


def test_large_print_runs_from_20_to_30_pixels_with_room_between_lines(
    read_only: tuple[Flask, str], browser: Browser
) -> None:
    sizes = []
    for step in (1, 2, 3):
        page, _ = open_page(browser, f'{read_only[1]}/protection?elder={step}')
        size, leading = page.evaluate(
            'e => ["fontSize", "lineHeight"].map(name => parseFloat(getComputedStyle(e)[name]))',
            page.query_selector('main li'),
        )
        assert leading >= 1.5 * size
        sizes.append(size)
        page.context.close()
    assert sizes[0] >= 20
    assert sizes == sorted(sizes)
    assert sizes[-1] >= 30


def test_the_reader_may_zoom(read_only: tuple[Flask, str], browser: Browser) -> None:
    page, _ = open_page(browser, f'{read_only[1]}/about')
    viewport = page.get_attribute('meta[name=viewport]', 'content') or ''
    assert 'user-scalable' not in viewport
    assert 'maximum-scale' not in viewport
    page.context.close()


def test_the_summary_of_errors_takes_the_focus_and_leads_to_the_field(
    read_only: tuple[Flask, str], browser: Browser
) -> None:
    page, _ = open_page(browser, f'{read_only[1]}/styleguide')
    assert page.evaluate('document.activeElement.className') == 'error-summary'
    page.click('.error-summary a')
    assert page.evaluate('document.activeElement.id') == 'f-sg-age'
    page.context.close()
