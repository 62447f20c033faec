"""The editor in a real browser: from an empty department to a published questionnaire.

Every page is read by axe and fits a phone, a tablet and a desk; what is typed is saved as one
types, parts move by the keyboard, two windows do not overwrite each other, and a phone without
scripts can do all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cixi_survey.authoring import reading
from cixi_survey.models import QuestionnaireDraft, QuestionnaireVersion
from cixi_survey.questionnaire import definition
from tests import factories
from tests.browser.axe import violations

HOME = '/staff/questionnaires'
WIDTHS = (360, 768, 1280)


class Desk:
    """What an organiser does in one window; every page that is looked at is checked."""

    def __init__(self, page: Page, address: str, shots: Path) -> None:
        self.page, self.address, self.shots = page, address, shots

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def follow(self, text: str) -> None:
        self.page.get_by_role('link', name=text).first.click()

    def press(self, text: str) -> None:
        self.page.get_by_role('button', name=text, exact=True).first.click()

    def kind(self, value: str) -> None:
        self.page.locator(f'button.kind[value={value}]').click()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f'[id="f-{name.replace("__", ".")}"]').fill(value)

    def choose(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f'[id="f-{name.replace("__", ".")}"]').select_option(value)

    def saved(self) -> None:
        expect(self.page.locator('#saved')).to_contain_text('已保存')

    def look(self, name: str) -> None:
        """Read the page with axe, and see that it fits at every width."""
        for width in WIDTHS:
            self.page.set_viewport_size({'width': width, 'height': 800})
            self.page.screenshot(path=self.shots / f'{name}-{width}.png')
            over = self.page.evaluate('document.documentElement.scrollWidth - innerWidth')
            assert over <= 0, f'{name} is {over} px too wide at {width}'
        assert violations(self.page) == [], name


@pytest.fixture
def browsing(served: tuple[Flask, str], browser: Browser) -> Iterator[BrowserContext]:
    """A browser in which an organiser has signed in."""
    made = browser.new_context(
        viewport={'width': 1280, 'height': 800}, locale='zh-CN', timezone_id='Asia/Shanghai'
    )
    made.set_default_timeout(10_000)
    made.add_cookies([signed_in(*served)])
    yield made
    made.close()


def signed_in(app: Flask, address: str) -> dict[str, str]:
    client = app.test_client()
    factories.sign_in(client, app.extensions['cixi_database'], 'organiser', username='wang.fang')
    client.get('/staff')
    cookie = client.get_cookie(app.config['SESSION_COOKIE_NAME'])
    assert cookie
    return {'name': cookie.key, 'value': cookie.value, 'url': address}


def draft_of(app: Flask) -> QuestionnaireDraft:
    with app.extensions['cixi_database'].reading() as session:
        return session.scalars(sa.select(QuestionnaireDraft)).one()


def questions_of(app: Flask) -> list[str]:
    return [part.key for part, _question in reading.of(draft_of(app).source).questions]


def a_draft_is_begun(desk: Desk) -> None:
    desk.open(HOME)
    desk.look('empty')
    desk.follow('新建问卷')
    desk.look('new')
    desk.press('从模板开始')
    desk.page.wait_for_url('**/general')
    desk.look('general')


def a_section_gets_its_questions(desk: Desk) -> None:
    """A section with a question of three answers, and a scale that only some are asked."""
    desk.follow('＋ 部分')
    desk.look('add-section')
    desk.press('添加部分')
    desk.fill(title__zh='公园', title__en='Parks')
    desk.saved()
    desk.page.locator('main form').get_by_role('link', name='（还没有文字）').click()
    desk.fill(label__zh='您去过公园吗？', label__en='Have you been to a park?')
    desk.fill(options__0__label__zh='去过', options__0__label__en='Yes')
    desk.fill(options__1__label__zh='没去过', options__1__label__en='No')
    desk.page.locator('[id="f-options.1.label.zh"]').press('Enter')
    added = desk.page.locator('[id="f-options.2.label.zh"]')
    expect(added).to_be_focused()
    added.fill('记不清')
    desk.fill(options__2__label__en='I forget')
    desk.saved()
    desk.look('question')
    desk.follow('＋ 在后面加一题')
    desk.look('add-question')
    desk.kind('scale')
    desk.fill(label__zh='您对公园满意吗？')
    desk.choose(options__list='satisfaction')
    expect(desk.page.locator('[id="f-options.0.label.zh"]')).to_have_count(0)
    desk.page.get_by_text('满足条件才问').click()
    desk.choose(relevant__rows__0__variable='q1', relevant__rows__0__value='a1')
    desk.saved()


def what_is_missing_is_said_beside_the_field(desk: Desk) -> None:
    error = desk.page.locator('[id="f-label.en-error"]')
    expect(error).to_contain_text('还缺英语文字')
    expect(desk.page.locator('[id="f-label.en"]')).to_have_attribute('aria-invalid', 'true')
    expect(desk.page.locator('#outline [aria-current] .mark')).to_be_visible()
    desk.look('fault')


def parts_move_by_the_keyboard(desk: Desk, app: Flask) -> None:
    """By the arrow keys in the outline and by buttons; the focus stays and the place is said."""
    assert questions_of(app)[-2:] == ['q1', 'q2']
    desk.page.locator('#grip-question-q2').press('ArrowUp')
    expect(desk.page.locator('#moved')).to_have_text('现在排在第1位，共2位')
    expect(desk.page.locator('#grip-question-q2')).to_be_focused()
    assert questions_of(app)[-2:] == ['q2', 'q1']
    desk.page.locator('#down').press('Enter')
    expect(desk.page.locator('#moved')).to_have_text('第2个，共2个')
    expect(desk.page.locator('#down')).to_be_focused()
    assert questions_of(app)[-2:] == ['q1', 'q2']


def a_step_is_undone(desk: Desk, app: Flask) -> None:
    """A removal; and what was typed so lately that it was not saved yet is no loss either."""
    before = draft_of(app).source
    desk.press('删除')
    expect(desk.page.get_by_text('点“撤销”可以找回来')).to_be_visible()
    assert questions_of(app)[-1] == 'q1'
    desk.press('撤销')
    expect(desk.page.get_by_text('已撤销上一步。')).to_be_visible()
    assert draft_of(app).source == before
    desk.open(f'{HOME}/drafts/{draft_of(app).id}/question/q2')
    desk.fill(label__zh='公园好不好？')
    desk.press('撤销')
    expect(desk.page.get_by_text('已撤销上一步。')).to_be_visible()
    assert draft_of(app).source == before


def two_windows_do_not_overwrite_each_other(desk: Desk, app: Flask) -> None:
    address = f'{HOME}/drafts/{draft_of(app).id}/question/q1'
    desk.open(address)
    other = Desk(desk.page.context.new_page(), desk.address, desk.shots)
    other.open(address)
    other.fill(label__zh='您去过城里的公园吗？')
    other.saved()
    desk.fill(label__zh='您今年去过公园吗？')
    desk.press('查看两个版本')
    expect(desk.page.get_by_text('对方保存的是：“您去过城里的公园吗？”')).to_be_visible()
    expect(desk.page.locator('[id="f-label.zh"]')).to_have_value('您今年去过公园吗？')
    desk.look('conflict')
    desk.press('保存我写的')
    desk.saved()
    assert '您今年去过公园吗？' in draft_of(app).source
    other.page.close()


def the_missing_translation_is_written(desk: Desk) -> None:
    desk.follow('翻译')
    desk.look('translations')
    desk.page.locator('#filters').get_by_role('link', name='缺译文').click()
    field = desk.page.get_by_label('英语')
    expect(field).to_have_count(1)
    field.fill('Are you satisfied with the parks?')
    desk.saved()
    expect(desk.page.locator('#filters')).to_contain_text(re.compile('缺译文 *0'))
    desk.look('translated')


def the_draft_is_published(desk: Desk, app: Flask) -> None:
    desk.follow('发布问卷')
    desk.look('publish')
    desk.page.locator('main form.confirm button').click()
    expect(desk.page.get_by_text('版本已发布。')).to_be_visible()
    with app.extensions['cixi_database'].transaction() as session:
        version = session.scalars(sa.select(QuestionnaireVersion)).one()
        asked = definition.from_canonical(version.definition)
        factories.wave(session, slug='parks', questionnaire=asked)
    desk.page.set_viewport_size({'width': 360, 'height': 740})
    desk.open('/s/parks')
    expect(desk.page.get_by_text('您今年去过公园吗？')).to_be_attached()


def test_from_an_empty_department_to_a_published_questionnaire(
    served: tuple[Flask, str], browsing: BrowserContext, tmp_path: Path
) -> None:
    app, address = served
    desk = Desk(browsing.new_page(), address, tmp_path)
    a_draft_is_begun(desk)
    a_section_gets_its_questions(desk)
    what_is_missing_is_said_beside_the_field(desk)
    parts_move_by_the_keyboard(desk, app)
    a_step_is_undone(desk, app)
    two_windows_do_not_overwrite_each_other(desk, app)
    the_missing_translation_is_written(desk)
    the_draft_is_published(desk, app)


def test_a_questionnaire_is_written_on_a_phone_without_scripts(
    served: tuple[Flask, str], browser: Browser, tmp_path: Path
) -> None:
    app, address = served
    context = browser.new_context(
        viewport={'width': 360, 'height': 740}, locale='zh-CN', java_script_enabled=False
    )
    context.set_default_timeout(10_000)
    context.add_cookies([signed_in(app, address)])
    desk = Desk(context.new_page(), address, tmp_path)
    desk.open(f'{HOME}/drafts/new')
    desk.press('从模板开始')
    desk.open(f'{HOME}/drafts/{draft_of(app).id}/add?section=about_you')
    desk.kind('single')
    desk.fill(label__zh='您去过公园吗？', label__en='Have you been to a park?')
    desk.press('＋ 添加选项')
    for at, (zh, en) in enumerate([('去过', 'Yes'), ('没去过', 'No'), ('记不清', 'I forget')]):
        desk.fill(**{f'options__{at}__label__zh': zh, f'options__{at}__label__en': en})
    desk.page.get_by_text('满足条件才问').click()
    desk.choose(relevant__rows__0__variable='sex')
    desk.press('保存')
    expect(desk.page.get_by_text('请选择选项')).to_be_visible()
    desk.choose(relevant__rows__0__value='female')
    desk.press('↑ 上移')
    expect(desk.page.locator('#place')).to_have_text('第2个，共3个')
    desk.follow('翻译')
    desk.page.get_by_label('英语').first.fill('A survey')
    desk.press('保存')
    expect(desk.page.get_by_text('译文已保存。')).to_be_visible()
    desk.follow('发布问卷')
    desk.page.locator('main form.confirm button').click()
    expect(desk.page.get_by_text('版本已发布。')).to_be_visible()
    context.close()
