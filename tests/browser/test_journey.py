"""The whole line in a browser: from the address in a QR code to the published figure."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cixi_survey import clock
from cixi_survey.staff import accounts
from tests import factories
from tests.browser.answering import SEND, Site, assert_accessible, choose, fill_small

TOWNS = ('330282004', '330282108')
FACTORY_ANSWERS = 60
PASSWORD = '上林湖的水 2026 clear'


@pytest.fixture
def site(served: tuple[Flask, str]) -> Site:
    """An open wave of two towns in which most have answered and one household has not."""
    app, url = served
    with app.extensions['cixi_database'].transaction() as session:
        wave = factories.wave(session)
        for town in TOWNS:
            answers = [
                {'town': town, 'overall': 'not_very' if number % 10 == 0 else 'satisfied'}
                for number in range(FACTORY_ANSWERS)
            ]
            factories.many(session, wave, answers)
        _unit, code = factories.invitation(session, wave)
    return Site(app, url, code)


def answer(page: Page, site: Site, *, with_script: bool) -> str:
    """Answer at the address of the slip; the reference on the receipt."""
    page.goto(site.invitation)
    if with_script:
        fill_small(page)
    else:
        for name, value in {
            'consent': 'yes',
            'age': 'a18_39',
            'overall': 'satisfied',
            'k_one': 'june5',
            'k_two': 'walk',
        }.items():
            choose(page, name, value)
        page.select_option('#f-town', '330282004')
        page.fill('#f-adults', '2')
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert '答对' in page.inner_text('main') or '正确答案' in page.inner_text('main')
    return page.url.rsplit('/', 1)[-1]


def publish(context: BrowserContext, site: Site) -> None:
    """Staff close the wave, make the figures and publish them."""
    with site.database.transaction() as session:
        accounts.create(
            session,
            username='zhang.san',
            name='张三',
            password=PASSWORD,
            roles=['organiser', 'statistician'],
            actor='test',
            now=clock.now(),
        )
    page = context.new_page()
    page.goto(f'{site.url}/staff/sign-in')
    page.fill('#f-username', 'zhang.san')
    page.fill('#f-password', PASSWORD)
    page.get_by_role('button', name='登录').click()
    page.goto(f'{site.url}/staff/waves/w2026/close')
    page.get_by_text('我知道', exact=False).click()
    page.get_by_role('button', name='结束并封存').click()
    page.goto(f'{site.url}/staff/waves/w2026/estimates')
    page.get_by_role('button', name='开始计算').click()
    page.get_by_role('button', name='公布', exact=True).click()
    page.close()


@pytest.mark.parametrize('with_script', [True, False], ids=['with script', 'without script'])
def test_from_the_slip_to_the_published_figure(
    site: Site, browser: Browser, browser_context_args: dict[str, Any], with_script: bool
) -> None:
    phone = browser.new_context(**{**browser_context_args, 'java_script_enabled': with_script})
    page = phone.new_page()
    reference = answer(page, site, with_script=with_script)
    assert [r.reference for r in site.responses() if r.reference == reference] == [reference]

    desk = browser.new_context(viewport={'width': 1280, 'height': 800}, locale='zh-CN')
    publish(desk, site)

    page.goto(f'{site.url}/results/w2026')
    expect(page.locator('#goals')).to_be_visible()
    counted = f'{len(TOWNS) * FACTORY_ANSWERS + 1}'
    satisfaction = page.locator('article#satisfaction_share').inner_text()
    assert f'n = {counted}' in satisfaction
    assert '达标' in satisfaction
    assert re.search(r'\d+\.\d% 至 \d+\.\d%', satisfaction), 'a figure without its interval'
    if with_script:
        assert_accessible(page, 'the published result')
    phone.close()
    desk.close()
