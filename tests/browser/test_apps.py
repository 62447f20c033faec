"""Apps that show pages within themselves (WeChat, QQ, UC) and browsers that lack or refuse much.

Chromium plays them: with their user agent, without what they lack, with what they do to pages.
docs/browsers.md lists the quirks and what only a real phone can show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.answering import (
    NEXT,
    SEND,
    Site,
    answer_what_is_asked,
    choose,
    open_site,
    wait_for_draft,
)
from tests.browser.axe import violations

ANDROID = 'Mozilla/5.0 (Linux; U; Android 10; zh-CN) AppleWebKit/537.36 (KHTML, like Gecko)'
WECHAT = (
    f'{ANDROID} Version/4.0 Chrome/107.0.5304.141 Mobile Safari/537.36 XWEB/5169 '
    'MMWEBSDK/20230405 MicroMessenger/8.0.35.2360(0x2800235D) WeChat/arm64 Weixin NetType/4G'
)
WECHAT_IOS = (
    'Mozilla/5.0 (iPhone; CPU iPhone OS 13_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like '
    'Gecko) Mobile/15E148 MicroMessenger/8.0.34(0x18002234) NetType/WIFI Language/zh_CN'
)
UC = f'{ANDROID} Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36'
QQ = f'{ANDROID} Version/4.0 Chrome/66.0.3359.126 MQQBrowser/9.6 Mobile Safari/537.36 QQ/8.2.7'

NO_WORKER = 'delete Navigator.prototype.serviceWorker; delete window.caches;'
NO_VOICE = 'delete window.speechSynthesis; delete window.SpeechSynthesisUtterance;'
NO_CLIPBOARD = 'delete Navigator.prototype.clipboard;'
OLD = """['ResizeObserver', 'IntersectionObserver', 'HTMLDialogElement', 'Intl', 'AbortController',
  'structuredClone', 'queueMicrotask', 'PerformanceObserver', 'TextEncoder']
  .forEach((name) => { delete window[name]; });
delete Object.fromEntries;
delete Array.prototype.flat;
delete Array.prototype.flatMap;
delete String.prototype.replaceAll;
delete Promise.prototype.finally;
['replaceChildren', 'toggleAttribute'].forEach((name) => { delete Element.prototype[name]; });"""
REFUSING = """const refuse = { get() { throw new DOMException('denied', 'SecurityError'); } };
['localStorage', 'sessionStorage', 'caches'].forEach((name) => {
  Object.defineProperty(window, name, refuse);
});
Object.defineProperty(Navigator.prototype, 'serviceWorker', refuse);"""
BRIDGE = """window.told = [];
document.addEventListener('DOMContentLoaded', () => setTimeout(() => {
  window.WeixinJSBridge = { call: (what) => window.told.push(what) };
  document.dispatchEvent(new Event('WeixinJSBridgeReady'));
}, 50));"""

APPS = {
    'WeChat on Android': (WECHAT, BRIDGE + NO_VOICE + NO_CLIPBOARD),
    'WeChat on an iPhone that keeps nothing': (WECHAT_IOS, BRIDGE + REFUSING),
    'an old QQ': (QQ, NO_WORKER + NO_VOICE + NO_CLIPBOARD + OLD),
}
SHARED = '?c=poster-7&from=singlemessage&isappinstalled=0'


@pytest.fixture
def site(served: Any) -> Site:
    return open_site(served)


@pytest.fixture
def phone(browser: Browser, browser_context_args: Any) -> Iterator[Callable[..., Page]]:
    """Makes a page of a phone: its user agent, what runs before every page, more of the context."""
    contexts = []

    def make(agent: str = '', script: str = '', **more: Any) -> Page:
        given = {**browser_context_args, **({'user_agent': agent} if agent else {}), **more}
        context = browser.new_context(**given)
        contexts.append(context)
        if script:
            context.add_init_script(script)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


def until(page: Page, condition: str) -> None:
    """Wait in the page itself: our CSP forbids what Playwright has for it."""
    page.evaluate(
        f'async () => {{ while (!({condition})) await new Promise((go) => setTimeout(go, 50)); }}'
    )


@pytest.mark.parametrize('app', APPS)
def test_a_survey_passed_on_in_an_app_is_answered_and_received(
    site: Site, phone: Callable[..., Page], app: str
) -> None:
    page = phone(*APPS[app])
    faults: list[str] = []
    page.on('pageerror', lambda fault: faults.append(str(fault)))
    address = f'{site.open_link}{SHARED}'
    page.goto(address)
    expect(page.locator('#aloud')).to_be_hidden()
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    expect(page.locator('#kept')).to_have_text('已保存')
    choose(page, 'overall', 'satisfied')

    # The swipe that closes a page within an app; the next one finds what was saved on the way out.
    other = page.context.new_page()
    page.close(run_before_unload=True)
    wait_for_draft(site, 'satisfied')
    other.on('pageerror', lambda fault: faults.append(str(fault)))
    other.goto(address)
    expect(other.locator('#title-views')).to_be_visible()
    assert other.is_checked('input[name=overall][value=satisfied]')

    # A link to another tab opens over the page; back again everything stands as before.
    other.goto(f'{site.url}/verify/w2026')
    other.go_back()
    expect(other.locator('#title-views')).to_be_visible()
    assert other.is_checked('input[name=overall][value=satisfied]')
    other.click(NEXT)
    choose(other, 'k_one', 'june5')
    choose(other, 'k_two', 'walk')
    other.fill('#f-adults', '2')
    other.click(NEXT)
    other.click(SEND)
    other.wait_for_url('**/receipt/*')
    expect(other.locator('[data-print]')).to_be_hidden()  # an app cannot print
    other.click('[data-copy=reference]')
    expect(other.locator('#reference-status')).to_have_text('已复制')
    if 'WeChat' in app:  # nobody passes on a receipt by its menu
        until(other, "told.includes('hideOptionMenu')")
    other.locator('img.share').scroll_into_view_if_needed()
    until(other, "document.querySelector('img.share').naturalWidth >= 300")
    other.go_back()
    other.wait_for_load_state()
    (stored,) = site.responses()
    assert (stored.stream, stored.channel) == ('open', 'poster-7')
    assert faults == []


def test_a_personal_page_cannot_be_passed_on_by_the_menu_of_wechat_and_the_open_one_can(
    site: Site, phone: Callable[..., Page]
) -> None:
    page = phone(WECHAT, BRIDGE)
    page.goto(site.invitation)
    until(page, "told.includes('hideOptionMenu')")
    assert page.get_attribute('link[rel=canonical]', 'href') == site.open_link
    page.goto(site.open_link, wait_until='networkidle')
    assert page.evaluate('told') == []


@pytest.fixture
def no_cookies(site: Site) -> None:
    """The site as a browser sees it that sends no cookie back."""
    inner = site.app.wsgi_app

    def without(environ: dict[str, Any], start: Any) -> Any:
        environ.pop('HTTP_COOKIE', None)
        return inner(environ, start)

    site.app.wsgi_app = without  # type: ignore[method-assign]


@pytest.mark.usefixtures('no_cookies')
def test_refused_cookies_are_told_once_before_all_is_filled_in_and_nothing_is_lost(
    site: Site, phone: Callable[..., Page]
) -> None:
    page = phone(WECHAT_IOS, REFUSING)
    page.goto(site.open_link)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    told = page.locator('#told .notice.error')
    expect(told).to_contain_text('Cookie')
    expect(page.locator('#kept')).to_contain_text('请不要关闭这个页面')
    choose(page, 'overall', 'satisfied')
    page.click(NEXT)
    expect(told).to_have_count(0)  # told once is enough
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '2')
    page.click(NEXT)
    page.click(SEND)
    expect(told).to_contain_text('Cookie')
    assert site.responses() == []
    assert page.is_checked('input[name=k_two][value=walk]')


STUCK = """() => {
  window.scrollTo(0, (document.documentElement.scrollHeight - innerHeight) / 2);
  return ['.place', '.bar-below'].reduce((sum, name) => {
    const box = document.querySelector(name).getBoundingClientRect();
    const edge = box.top <= 1 || box.bottom >= innerHeight - 1;
    return sum + (edge ? Math.max(0, Math.min(box.bottom, innerHeight) - Math.max(box.top, 0)) : 0);
  }, 0) / innerHeight;
}"""
WIDE = """() => [...document.querySelectorAll('body *')]
  .filter((each) => each.offsetWidth > 1 && each.getBoundingClientRect().right > innerWidth + 1
    && !each.closest('.visually-hidden, .skip'))
  .map((each) => each.className + ' ' + each.textContent.trim().slice(0, 30))"""


@pytest.mark.parametrize(
    ('width', 'height', 'scale', 'element', 'query'),
    [
        (640, 512, 1, 'body', ''),  # a desk of 1280 × 1024 at 200 %
        (360, 740, 1.3, 'body', ''),
        (320, 568, 1.6, 'body', 'lang=en'),
        (320, 568, 1.3, 'body', 'elder=1'),
        (320, 568, 1.6, 'documentElement', ''),
    ],
)
def test_text_enlarged_by_an_app_leaves_four_fifths_of_the_screen_to_the_questions(
    served: Any,
    phone: Callable[..., Page],
    width: int,
    height: int,
    scale: float,
    element: str,
    query: str,
) -> None:
    """WeChat enlarges the text alone: on an iPhone by a property of the body."""
    site = open_site(served, real=True)
    enlarge = f"""document.addEventListener('DOMContentLoaded', () => {{
      document.body.style.webkitTextSizeAdjust = '{scale * 100 if element == 'body' else 100}%';
      document.documentElement.style.fontSize = '{'' if element == 'body' else f'{scale * 100}%'}';
    }});"""
    page = phone(WECHAT_IOS, enlarge, viewport={'width': width, 'height': height})
    page.goto(f'{site.open_link}?{query}')
    size = 'parseFloat(getComputedStyle(document.querySelector("#part-cover p")).fontSize)'
    assert page.evaluate(size) >= 17 * scale
    assert page.evaluate(WIDE) == []
    page.click(NEXT)
    for stop in range(4):
        page.wait_for_timeout(100)  # a frame in which the page may settle
        assert page.evaluate(STUCK) <= 0.2, f'{stop}: the bars take too much'
        assert page.evaluate(WIDE) == [], stop
        answer_what_is_asked(page)
        expect(page.locator('#pace')).to_be_hidden()
        page.click(NEXT)


# What old browsers do not understand, taken out of the style sheets as they would skip it
NOT_UNDERSTOOD = (
    r'(?m)^\s*--[\w-]+:[^;}]+;?',
    r'[\w-]+:\s*[^;{}]*var\(--[^;{}]*;?',
    r'display:\s*(?:inline-)?(?:flex|grid)\s*;?',
    r'(?:position:\s*(?:-webkit-)?sticky|accent-color:[^;}]*|text-wrap:[^;}]*|gap:[^;}]*)\s*;?',
)


def without_modern_css(route: Route) -> None:
    answer = route.fetch()
    text = answer.text()
    for pattern in NOT_UNDERSTOOD:
        text = re.sub(pattern, '', text)
    text = text.replace('@supports (--flex: boxes)', '@supports (flex: boxes)')
    assert 'var(' not in text
    route.fulfill(response=answer, body=text)


OVERLAP = """() => {
  const texts = 'legend, label:not(.choice), .card, .hint, .error, h1, h2, main p, button';
  const seen = [...document.querySelectorAll(texts)].filter((each) => each.offsetWidth > 1
    && each.textContent.trim() && !each.closest('.visually-hidden, [aria-hidden]'));
  const words = (each) => each.textContent.trim().slice(0, 30);
  const boxes = seen.map((each) => {
    const range = document.createRange();
    range.selectNodeContents(each);
    return range.getBoundingClientRect();
  });
  const found = [];
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    const [one, two] = [seen[i], seen[i + 1 + j]];
    const apart = a.right <= b.left + 1 || b.right <= a.left + 1
      || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
    if (!apart && !one.contains(two) && !two.contains(one)) {
      found.push(words(one) + ' / ' + words(two));
    }
  }));
  return found;
}"""


def assert_readable(page: Page) -> None:
    """No text over another, nothing beyond the edge."""
    page.wait_for_load_state()
    assert page.evaluate(OVERLAP) == []
    assert page.evaluate(WIDE) == []


def test_without_modern_css_and_scripts_the_form_is_readable_and_can_be_sent(
    site: Site, phone: Callable[..., Page]
) -> None:
    """Scripts that such a browser cannot read do not run; its style sheets have great gaps."""
    page = phone(UC)
    page.route('**/*.css*', without_modern_css)
    page.route('**/*.js*', lambda route: route.abort())
    page.goto(site.invitation)
    assert_readable(page)
    assert violations(page) == []
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    page.click(SEND)
    assert '需要您看一下' in page.inner_text('.error-summary')
    assert_readable(page)
    choose(page, 'age', 'a18_39')
    choose(page, 'overall', 'satisfied')
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '2')
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert_readable(page)
    assert site.answers()['adults'] == 2
