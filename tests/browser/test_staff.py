"""The staff side in a real browser: from an empty database to a sealed wave, axe on every page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from cixi_survey import clock
from cixi_survey.models import Invitation, Response, Wave
from tests import factories
from tests.browser.axe import violations
from tests.waves import conftest as make

PASSWORD = 'otter rides the 4 o’clock tram'
PHONE_PAGES = (
    '',
    '/waves',
    '/waves/autumn-2026',
    '/waves/autumn-2026/returns',
    '/waves/autumn-2026/codes',
    '/waves/new',
    '/questionnaires',
    '/questionnaires/publish',
    '/accounts',
    '/audit',
)


@pytest.fixture
def browser_context_args() -> dict[str, object]:
    """A desk in the publicity department."""
    return {
        'viewport': {'width': 1280, 'height': 800},
        'locale': 'zh-CN',
        'timezone_id': 'Asia/Shanghai',
    }


class Desk:
    """What a staff member does in the browser; every page that is opened is checked."""

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page, self.address, self.folder = page, address, folder

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.check()

    def press(self, text: str) -> None:
        self.page.get_by_role('button', name=text, exact=True).first.click()
        self.page.wait_for_load_state()
        self.check()

    def follow(self, text: str) -> None:
        self.page.get_by_role('link', name=text, exact=True).first.click()
        self.page.wait_for_load_state()
        self.check()

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f'#f-{name}').fill(value)

    def load(self, path: str, content: str, button: str = '保存') -> None:
        self.open(path)
        if self.page.locator('#f-source').count():
            self.fill(source='村社住户名册 2026-11-01')
        file = {'name': 'file.csv', 'mimeType': 'text/csv', 'buffer': content.encode()}
        self.page.locator('#f-file').set_input_files(file)
        self.press('检查文件')
        self.press(button)

    def check(self, page: Page | None = None) -> None:
        page = page or self.page
        assert violations(page) == [], page.url
        width = page.evaluate('document.documentElement.scrollWidth - innerWidth')
        assert width <= 0, f'{page.url} is {width} px too wide'


def sign_in(desk: Desk, username: str, password: str) -> None:
    desk.open('/staff')
    desk.fill(username=username, password=password)
    desk.press('登录')


def administrator_makes_an_organiser(desk: Desk, generated: str) -> str:
    """The first administrator changes the printed password and makes an organiser's account."""
    sign_in(desk, 'li.wei', generated)
    desk.fill(old=generated, password=PASSWORD, again=PASSWORD)
    desk.press('修改密码')
    desk.follow('账号')
    desk.follow('新建账号')
    desk.fill(username='wang.fang', name='王芳')
    desk.page.get_by_text('调查组织员', exact=False).click()
    desk.press('建立账号')
    password = desk.page.locator('#one-time-password').inner_text()
    desk.open('/staff/audit')
    expect(desk.page.get_by_role('rowheader', name='新建账号')).to_have_count(2)
    desk.press('退出')
    return password


def organiser_creates_the_wave(desk: Desk, one_time: str) -> None:
    sign_in(desk, 'wang.fang', one_time)
    desk.fill(old=one_time, password=PASSWORD, again=PASSWORD)
    desk.press('修改密码')
    desk.follow('发布问卷')
    desk.page.locator('#f-file_name').select_option('cixi-eco-baseline.yaml')
    desk.press('检查并发布')
    desk.follow('新建批次')
    today = clock.local(clock.now())
    desk.fill(
        title_zh='2026年冬季生态文明公众调查',
        title_en='Winter survey 2026',
        slug='winter-2026',
        opens_at=f'{today - timedelta(hours=2):%Y-%m-%dT%H:%M}',
        closes_at=f'{today + timedelta(days=20):%Y-%m-%dT18:00}',
        target_n='30',
        operator='慈溪市统计局',
        contact='0574-12345678',
        form_number='慈环调1号',
        form_authority='慈溪市统计局',
        approval_number='慈统审〔2026〕1号',
        approval_valid_until=f'{today + timedelta(days=90):%Y-%m-%d}',
    )
    desk.page.locator('#f-version_sha256').select_option(index=0)
    desk.page.locator('label.choice:has(input[value=statutory])').click()
    desk.press('建立批次')


def organiser_draws_the_sample(desk: Desk) -> None:
    wave = '/staff/waves/winter-2026'
    desk.load(f'{wave}/populations', make.POPULATIONS)
    desk.load(f'{wave}/frame', make.frame_text(60, 40))
    desk.open(wave)
    desk.follow('抽取')
    desk.fill(total='50', minimum='10', seed='20261123')
    desk.press('查看分配')
    desk.press('按此抽取')
    desk.follow('生成邀请码')
    desk.press('生成邀请码')


def slips_are_ready_to_print(desk: Desk) -> str:
    """Open the printable sheet and return the address in its first QR code's slip."""
    with desk.page.context.expect_page() as opened:
        desk.page.get_by_role('button', name='全部镇（街道）的邀请单').click()
    sheet = opened.value
    sheet.wait_for_load_state()
    desk.check(sheet)
    expect(sheet.locator('.slip')).to_have_count(50)
    expect(sheet.locator('.slip svg')).to_have_count(50)
    sheet.emulate_media(media='print')
    pdf = sheet.pdf(prefer_css_page_size=True, path=desk.folder / 'slips.pdf')
    assert len(re.findall(rb'/Type\s*/Page\b', pdf)) == 9
    sheet.set_viewport_size({'width': 718, 'height': 1050})  # A4 between its margins
    cut = 'all => all.filter(slip => slip.scrollHeight > slip.clientHeight).length'
    assert sheet.locator('.slip').evaluate_all(cut) == 0
    code = sheet.locator('.slip .code').first.inner_text()
    sheet.close()
    return code


def a_second_person_approves(desk: Desk) -> None:
    """The organiser puts the wave forward, the administrator looks at it and approves."""
    desk.open('/staff/waves/winter-2026')
    desk.follow('全面检查并提交审批')
    desk.press('提交审批')
    desk.press('退出')
    sign_in(desk, 'li.wei', PASSWORD)
    desk.follow('2026年冬季生态文明公众调查')
    desk.follow('审核并决定')
    desk.page.get_by_text('批准：可以按现状开放').click()
    desk.press('作出决定')
    desk.press('退出')
    sign_in(desk, 'wang.fang', PASSWORD)


@pytest.mark.timeout(240)  # some forty pages, each looked through by axe
def test_from_an_empty_database_to_a_sealed_wave(served, page: Page, tmp_path: Path) -> None:
    app, address = served
    made = app.test_cli_runner().invoke(
        args=['staff', 'create-administrator', 'li.wei', '--generate']
    )
    generated = re.search(r'shown only now: (\S+)', made.output)
    assert generated
    desk = Desk(page, address, tmp_path)
    one_time = administrator_makes_an_organiser(desk, generated.group(1))
    organiser_creates_the_wave(desk, one_time)
    organiser_draws_the_sample(desk)
    code = slips_are_ready_to_print(desk)
    a_second_person_approves(desk)
    desk.open('/staff/waves/winter-2026/open')
    desk.press('开放调查')
    page.goto(f'{address}/i/{code}')
    expect(page.locator('body')).to_contain_text('慈统审〔2026〕1号')
    database = app.extensions['cixi_database']
    with database.transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        factories.response(session, wave, session.scalars(sa.select(Invitation)).first())
        factories.response(session, wave)
    desk.open('/staff/waves/winter-2026')
    desk.follow('回收情况')
    expect(page.get_by_role('row', name='全部镇（街道）')).to_contain_text('2.0%')
    desk.open('/staff')
    desk.open('/staff/waves/winter-2026/close')
    desk.page.get_by_text('我知道', exact=False).click()
    desk.press('结束并封存本批次')
    with database.reading() as session:
        assert session.scalars(sa.select(Wave.state)).one() == 'closed'
        assert set(session.scalars(sa.select(Response.invitation_id))) == {None}


def test_the_staff_pages_fit_a_phone_and_work_without_javascript(served, browser) -> None:
    app, address = served
    database = app.extensions['cixi_database']
    with database.transaction() as session:
        make.opened(session)
    made = app.test_cli_runner().invoke(
        args=['staff', 'create-administrator', 'li.wei'], input=f'{PASSWORD}\n{PASSWORD}\n'
    )
    assert made.exit_code == 0
    with database.transaction() as session:
        from cixi_survey.staff import accounts

        roles = ['administrator', 'organiser']
        now = clock.now()
        accounts.set_roles(session, username='li.wei', roles=roles, actor='test', now=now)
    context = browser.new_context(
        viewport={'width': 360, 'height': 740}, locale='zh-CN', java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f'{address}/staff/waves/autumn-2026/returns')
    page.locator('#f-username').fill('li.wei')
    page.locator('#f-password').fill(PASSWORD)
    page.get_by_role('button', name='登录').click()
    expect(page.get_by_role('row', name='全部镇（街道）')).to_be_visible()
    for path in PHONE_PAGES:
        page.goto(f'{address}/staff{path}')
        box = page.locator('html').bounding_box()
        assert box
        assert box['width'] <= 360, path
    page.get_by_role('button', name='退出').click()
    expect(page.get_by_role('heading', name='登录')).to_be_visible()
    context.close()
