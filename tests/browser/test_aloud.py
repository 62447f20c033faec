"""Reading aloud.  Chromium has no voices here: one that keeps what it was told is put in."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answering import NEXT, Site, assert_accessible, choose, open_site

BUTTON = '#aloud'
MANDARIN = {'lang': 'zh-CN', 'name': 'Mandarin', 'localService': True}
ENGLISH = {'lang': 'en-GB', 'name': 'English', 'localService': True}
CANTONESE = {'lang': 'zh-HK', 'name': 'Cantonese', 'localService': True}
ANDROID = {'lang': 'zh_CN', 'name': 'as Android writes it', 'localService': True}
FAR = {'lang': 'zh-CN', 'name': 'of a company far away', 'localService': False}

VOICES = """(() => {
  const synth = new EventTarget();
  let line = [];
  window.told = [];
  window.arrive = (list) => { synth.list = list; synth.dispatchEvent(new Event('voiceschanged')); };
  window.lineEnds = () => line.shift().onend();
  window.lineFails = () => line.shift().onerror({ error: 'audio-hardware' });
  window.speaking = () => line.length;
  synth.list = [];
  synth.getVoices = () => synth.list;
  synth.speak = (said) => { told.push(said); line.push(said); };
  synth.cancel = () => {
    line.forEach((said) => setTimeout(() => said.onerror({ error: 'canceled' })));
    line = [];
  };
  Object.defineProperty(window, 'speechSynthesis', { value: synth });
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
})();"""


@pytest.fixture
def site(served: Any) -> Site:
    return open_site(served)


@pytest.fixture
def heard(site: Site, page: Page) -> Page:
    """The open questionnaire on a device whose voices have not loaded yet."""
    page.add_init_script(VOICES)
    page.goto(site.open_link, wait_until='networkidle')
    return page


def texts(page: Page) -> list[str]:
    """What was read so far."""
    spoken: list[str] = page.evaluate('told.map(each => each.text)')
    return spoken


def hear(page: Page) -> list[str]:
    """Let the voice come to the end; all that it has read."""
    while page.evaluate('speaking()'):
        page.evaluate('lineEnds()')
    return texts(page)


def test_without_a_voice_of_the_device_nothing_is_offered(site: Site, page: Page) -> None:
    page.goto(site.open_link, wait_until='networkidle')
    assert page.evaluate('speechSynthesis.getVoices().length') == 0
    expect(page.locator(BUTTON)).to_be_hidden()


@pytest.mark.parametrize(
    ('voices', 'offered'),
    [
        ([MANDARIN], True),
        ([ANDROID], True),
        ([CANTONESE, ENGLISH], False),
        ([FAR], False),
        ([], False),
    ],
)
def test_voices_that_come_late_are_offered_if_they_speak_the_language(
    heard: Page, voices: list[dict[str, Any]], offered: bool
) -> None:
    expect(heard.locator(BUTTON)).to_be_hidden()
    heard.evaluate('voices => arrive(voices)', voices)
    expect(heard.locator(BUTTON)).to_be_visible(visible=offered)


def test_questions_and_answers_are_read_in_order_and_marked(heard: Page) -> None:
    page = heard
    page.evaluate('voices => arrive(voices)', [ENGLISH, CANTONESE, MANDARIN])
    page.click(NEXT)
    page.click(BUTTON)
    assert page.inner_text(BUTTON) == '停止'
    assert page.inner_text('.spoken') == '开始'
    for line in ('愿意参加吗？', '是', '否'):
        page.evaluate('lineEnds()')
        assert page.inner_text('.spoken') == line
    assert_accessible(page, 'being read aloud')
    said = page.evaluate('(({ lang, rate, voice }) => [lang, rate, voice.name])(told[0])')
    assert said == ['zh-CN', 0.9, 'Mandarin']
    heard_all = hear(page)
    assert heard_all[4] == '所在镇（街道）'
    assert heard_all[-3:] == ['18岁以下', '18 到 39岁', '40岁及以上']
    assert page.locator('.spoken').count() == 0
    assert page.inner_text(BUTTON) == '再读'


def test_the_next_screen_is_read_too_until_it_is_stopped(heard: Page) -> None:
    page = heard
    page.evaluate('voices => arrive(voices)', [MANDARIN])
    page.click(BUTTON)
    page.click(NEXT)
    expect(page.locator('.spoken')).to_have_text('开始')
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    expect(page.locator('.spoken')).to_have_text('看法')
    page.click(BUTTON)
    assert page.inner_text(BUTTON) == '朗读'
    assert page.locator('.spoken').count() == 0
    before = len(texts(page))
    page.go_back()
    page.wait_for_timeout(500)
    assert len(texts(page)) == before


def test_it_stops_on_leaving_and_says_when_it_cannot(heard: Page) -> None:
    page = heard
    page.evaluate('voices => arrive(voices)', [MANDARIN])
    page.click(BUTTON)
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert page.evaluate('speaking()') == 0
    assert page.inner_text(BUTTON) == '朗读'
    page.click(BUTTON)
    page.evaluate('lineFails()')
    expect(page.locator('#aloud-told')).to_have_text('这台设备现在读不出来。')
    assert page.inner_text(BUTTON) == '朗读'


def test_large_print_reads_slower_and_on_every_page(site: Site, page: Page) -> None:
    page.add_init_script(VOICES)
    for path in ('/', '/about', f'/i/{site.code}'):
        page.goto(f'{site.url}{path}?elder=2&lang=en', wait_until='networkidle')
        page.evaluate('voices => arrive(voices)', [MANDARIN, ENGLISH])
        page.click(BUTTON)
        first = page.locator('.approval dt').first if path.startswith('/i/') else page.locator('h1')
        assert page.evaluate('told[0].text') == first.inner_text()
        assert page.evaluate('told[0].lang + told[0].voice.lang + told[0].rate') == 'enen-GB0.8'
        page.click(BUTTON)
    page.click(NEXT)
    page.click(BUTTON)
    assert hear(page)[-3:] == ['Will you take part?', 'Yes', 'No']
