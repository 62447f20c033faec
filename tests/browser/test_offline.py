"""The questionnaire without a network: what worker.js shows, what it leaves alone, what stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Error, Page, expect

from cixi_survey import clock
from cixi_survey.database import Database
from cixi_survey.models import Draft, Response, Wave
from tests import factories
from tests.browser.answering import BACK, NEXT, SEND, Site, choose, fill_small, open_site
from tests.browser.network import Network, network
from tests.process import Server

KEPT = """async () => {
  const all = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    all[name] = (await cache.keys()).map((request) => request.url.slice(location.origin.length));
  }
  return all;
}"""
FORM = "async (door) => (await caches.match(door, {cacheName: 'cixi ' + door})).text()"


@pytest.fixture
def way(served: tuple[Flask, str]) -> Iterator[Network]:
    with network(urlsplit(served[1]).port or 0) as made:
        yield made


@pytest.fixture
def site(served: tuple[Flask, str], way: Network) -> Site:
    direct = open_site(served)
    return Site(direct.app, way.url, direct.code)


def open_until_kept(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator('#stays')).to_contain_text('没有网络也能接着填')


def test_without_a_network_one_reloads_comes_back_answers_sends_and_is_received_once(
    site: Site, way: Network, page: Page
) -> None:
    open_until_kept(page, f'{site.open_link}?c=poster-7')
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282108')
    choose(page, 'age', 'a40_up')
    page.click(NEXT)
    expect(page.locator('#kept')).to_have_text('已保存')
    page.context.clear_cookies()  # as if the browser had been closed
    way.way = 'down'

    page.reload()
    expect(page.locator('#title-views')).to_be_visible()
    expect(page.locator('#told')).to_contain_text('现在没有网络')
    choose(page, 'overall', 'satisfied')
    expect(page.locator('#kept')).to_contain_text('先存在这部手机上')

    other = page.context.new_page()
    page.close()
    other.goto(f'{site.open_link}?c=poster-7')
    expect(other.locator('#title-views')).to_be_visible()
    assert other.is_checked('input[name=overall][value=satisfied]')
    other.click(BACK)
    assert other.input_value('#f-town') == '330282108'
    other.click(NEXT)
    other.click(NEXT)
    choose(other, 'k_one', 'june5')
    choose(other, 'k_two', 'walk')
    other.fill('#f-adults', '2')
    other.click(NEXT)
    other.click(SEND)
    expect(other.locator('#title-waiting')).to_have_text('已存在这部手机上，还没有提交')

    other.reload()
    expect(other.locator('#title-waiting')).to_be_visible()
    assert site.responses() == []
    way.way = 'up'
    other.click('#waiting button')
    other.wait_for_url('**/receipt/*')
    (stored,) = site.responses()
    assert stored.channel == 'poster-7'
    assert site.answers()['overall'] == 'satisfied'
    assert other.evaluate(KEPT) == {}
    assert other.evaluate('localStorage.length') == 0


def test_the_next_person_at_a_shared_phone_begins_with_an_empty_form(
    site: Site, way: Network, page: Page
) -> None:
    page.on('dialog', lambda dialog: dialog.accept())

    def begun_by_another(address: str) -> None:
        open_until_kept(page, address)
        page.click(NEXT)
        choose(page, 'age', 'a40_up')
        page.click(NEXT)
        expect(page.locator('#kept')).to_have_text('已保存')

    begun_by_another(f'{site.open_link}?c=poster-7')
    page.reload()
    assert page.is_checked('input[name=age][value=a40_up]')
    page.click('#anew summary')
    page.click('#anew button')
    page.wait_for_url('**/s/w2026?c=poster-7')
    expect(page.locator('#anew')).to_be_hidden()
    assert page.locator('input:checked').count() == 0
    assert drafts(site) == 0
    assert page.evaluate('localStorage.length') == 0

    begun_by_another(site.open_link)
    way.way = 'down'
    page.reload()
    assert page.is_checked('input[name=age][value=a40_up]')
    page.click('#anew summary')
    page.click('#anew button')
    expect(page.locator('#anew')).to_be_hidden()
    assert page.locator('input:checked').count() == 0


def drafts(site: Site) -> int:
    with site.database.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Draft)) or 0


def test_a_killed_server_is_a_missing_network(sqlite_url: str, tmp_path: Any, page: Page) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        _unit, code = factories.invitation(session, factories.wave(session))
    server = Server(sqlite_url, tmp_path / 'data')
    server.start()
    server.wait()
    address = f'http://127.0.0.1:{server.port}/i/{code}'
    open_until_kept(page, address)
    fill_small(page)
    server.kill()
    page.reload()
    expect(page.locator('#title-review')).to_be_visible()
    assert page.input_value('#f-adults') == '２'
    page.click(SEND)
    expect(page.locator('#title-waiting')).to_be_visible()
    server.start()
    server.wait()
    page.click('#waiting button')
    page.wait_for_url('**/receipt/*')
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Response)) == 1
    server.kill()
    database.engine.dispose()


def test_a_dead_network_does_not_keep_one_waiting_and_one_questionnaire_is_not_another(
    site: Site, way: Network, page: Page
) -> None:
    with site.database.transaction() as session:
        factories.wave(session, slug='other')
        wave = session.scalars(sa.select(Wave).where(Wave.slug == 'w2026')).one()
        _unit, neighbour = factories.invitation(session, wave)
    open_until_kept(page, site.open_link)
    open_until_kept(page, site.invitation)
    way.way = 'dead'
    page.goto(site.open_link, timeout=20_000)
    expect(page.locator('#told')).to_contain_text('现在没有网络')
    way.way = 'down'
    grouped = '-'.join(re.findall('....', site.code.lower()))
    page.goto(f'{site.url}/i/{grouped}')
    expect(page.locator('#title')).to_have_text('测试批次')
    for address in (f'{site.url}/s/other', f'{site.url}/i/{neighbour}', f'{site.url}/results'):
        with pytest.raises(Error, match='net::ERR'):
            page.goto(address)


def test_what_is_kept_holds_no_answer_and_no_code_and_follows_a_new_edition(
    site: Site, page: Page
) -> None:
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'age', 'a40_up')
    page.select_option('#f-town', '330282108')
    page.click(NEXT)
    page.click(BACK)
    expect(page.locator('#kept')).to_have_text('已保存')
    page.reload()
    open_until_kept(page, site.invitation)
    door = f'/i/{site.code}'
    form = page.evaluate(FORM, door)
    assert 'data-kept' in form
    assert site.code not in form
    assert ' checked' not in form
    assert ' selected' not in form
    kept = page.evaluate(KEPT)[f'cixi {door}']
    scripts = ('aloud.js', 'pace.js', 'respond.js', 'review.js', 'sending.js', 'wechat.js')
    files = sorted((*scripts, 'respond.css', 'style.css'))
    expected = [door, *(f'/static/{name}' for name in files)]
    assert sorted(address.split('?')[0] for address in kept) == expected

    asked = []
    page.on('response', lambda response: asked.append((response.url, response.status)))
    open_until_kept(page, site.invitation)
    assert (f'{site.invitation}?empty', 304) in asked
    site.change(form_number='慈环调2号')
    page.evaluate(
        """async (door) => {
      const cache = await caches.open('cixi ' + door);
      await cache.put('/static/respond.js?v=old', new Response(''));
      const over = await caches.open('cixi /s/over');
      await over.put('/s/over', new Response('', {headers: {'Survey-Closes': '1000'}}));
    }""",
        door,
    )
    open_until_kept(page, site.invitation)
    expect(page.locator('#stays')).to_be_visible()
    assert '慈环调2号' in page.evaluate(FORM, door)
    assert page.evaluate(KEPT) == {f'cixi {door}': kept}


def test_a_door_that_is_shut_takes_everything_from_the_phone(
    site: Site, way: Network, page: Page
) -> None:
    open_until_kept(page, site.invitation)
    page.click(NEXT)
    choose(page, 'age', 'a40_up')
    page.click(NEXT)
    site.change(closes_at=clock.now() - timedelta(hours=1))
    page.goto(site.invitation)
    expect(page.locator('h1')).to_have_text('这次调查已经结束')
    expect(page.locator('#shut')).to_be_visible()
    assert page.evaluate(KEPT) == {}
    assert page.evaluate('localStorage.length') == 0


def test_the_worker_answers_two_kinds_of_get_and_nothing_else(site: Site, page: Page) -> None:
    open_until_kept(page, site.open_link)
    page.reload()
    (worker,) = page.context.service_workers
    touched = worker.evaluate(
        """async (cases) => {
          const taken = [];
          for (const [method, address, navigates] of cases) {
            const request = new Request(address, {method});
            if (navigates) Object.defineProperty(request, 'mode', {value: 'navigate'});
            const event = new FetchEvent('fetch', {request});
            event.waitUntil = () => undefined;
            event.respondWith = (answer) => {
              answer.catch(() => undefined);
              taken.push([method, address, navigates]);
            };
            self.dispatchEvent(event);
          }
          return taken;
        }""",
        cases := [
            ['GET', '/s/w2026', True],
            ['GET', '/s/w2026?lang=en', True],
            ['GET', '/static/style.css?v=1', False],
            ['POST', '/s/w2026', True],
            ['POST', '/s/w2026', False],
            ['POST', '/s/w2026/draft', False],
            ['HEAD', '/s/w2026', False],
            ['GET', '/s/w2026', False],
            ['GET', '/s/w2026?empty', False],
            ['GET', '/s/w2026/draft', True],
            ['GET', '/static/style.css', False],
            ['GET', '/receipt/234', True],
            ['GET', '/results', True],
            ['GET', '/staff', True],
            ['GET', '/', True],
            ['GET', 'https://example.org/s/w2026', True],
            ['GET', 'https://example.org/static/style.css?v=1', False],
        ],
    )
    assert touched == cases[:3]
    scopes = page.evaluate(
        """async () =>
          (await navigator.serviceWorker.getRegistrations()).map((one) => one.scope)"""
    )
    assert scopes == [f'{site.url}/s/']


def test_the_switch_takes_away_what_phones_have_kept(site: Site, page: Page) -> None:
    open_until_kept(page, site.open_link)
    site.app.config['OFFLINE'] = False
    site.app.extensions['questionnaire_pages'].clear()
    page.goto(site.open_link)
    page.evaluate(
        """async () => {
          const left = async () => (await caches.keys()).length
            + (await navigator.serviceWorker.getRegistrations()).length;
          while (await left()) await new Promise((resolve) => setTimeout(resolve, 50));
        }"""
    )
    page.goto(site.open_link)
    fill_small(page)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert page.evaluate(KEPT) == {}
