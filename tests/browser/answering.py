"""What the tests of answering in a browser share: a wave, a phone, quick fingers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page

from cixi_survey.database import Database
from cixi_survey.models import Draft, Response, Wave
from cixi_survey.questionnaire import definition
from tests import factories
from tests.browser.axe import violations

NEXT = '#steps .button.large'
BACK = '#steps .button.secondary'
SEND = '#finish .button.large'


@dataclass
class Site:
    """The served site with one open wave and one invitation."""

    app: Flask
    url: str
    code: str

    @property
    def database(self) -> Database:
        database: Database = self.app.extensions['cixi_database']
        return database

    @property
    def invitation(self) -> str:
        return f'{self.url}/i/{self.code}'

    @property
    def open_link(self) -> str:
        return f'{self.url}/s/w2026'

    def responses(self) -> list[Response]:
        with self.database.reading() as session:
            return list(session.scalars(sa.select(Response)))

    def answers(self) -> dict[str, Any]:
        (stored,) = self.responses()
        answers: dict[str, Any] = json.loads(stored.answers)
        return answers

    def change(self, **values: object) -> None:
        with self.database.transaction() as session:
            session.execute(sa.update(Wave).values(**values))


def open_site(served: tuple[Flask, str], *, real: bool = False, **changes: object) -> Site:
    app, url = served
    questionnaire = definition.load_file(factories.BASELINE) if real else None
    with app.extensions['cixi_database'].transaction() as session:
        wave = factories.wave(session, questionnaire=questionnaire, **changes)  # type: ignore[arg-type]
        _unit, code = factories.invitation(session, wave)
    return Site(app, url, code)


def wait_for_draft(site: Site, answer: str, name: str = '') -> None:
    """Until the server has a draft with this answer (to the question ``name``)."""
    for _attempt in range(100):
        with site.database.reading() as session:
            kept = session.scalars(sa.select(Draft.answers)).all()
        if any([answer] in ([each.get(name)] if name else each.values()) for each in kept):
            return
        time.sleep(0.05)
    raise AssertionError(f'the server never got “{answer}”')


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f'label.choice:has(input[name="{name}"][value="{value}"])').click()


def fill_small(page: Page) -> None:
    """Answer the small questionnaire up to its last button, on the check of the answers."""
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    choose(page, 'overall', 'satisfied')
    page.click(NEXT)
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '２')
    page.click(NEXT)


def answer_what_is_asked(page: Page) -> None:
    """The third (or last) answer of each question of choices shown, and numbers and places."""
    script = """() => {
      const first = ['consent', 'resident'];
      document.querySelectorAll('.question fieldset:not(.grid)').forEach((group) => {
        if (!group.offsetParent) return;
        const inputs = group.querySelectorAll('input');
        const third = Math.min(2, inputs.length - 1);
        inputs[first.includes(inputs[0].name) ? 0 : third].click();
      });
    }"""
    page.evaluate(script)
    if page.locator('#f-town').is_visible():
        page.select_option('#f-town', '330282108')
    if page.locator('#f-adults').is_visible():
        page.fill('#f-adults', '2')


def assert_accessible(page: Page, where: str, *more_rules: str) -> None:
    """No fault that axe can find, and nothing that must be scrolled sideways.

    On a screen as tall as the page: axe holds what scrolls below a bar for covered for ever.
    """
    page.wait_for_load_state()  # a press may have led to a page that is only beginning
    window = page.viewport_size or {}
    tall = page.evaluate('document.documentElement.scrollHeight')
    page.set_viewport_size({'width': window['width'], 'height': max(tall, window['height'])})
    found = violations(page, *more_rules)
    assert found == [], f'{where}: {found}'
    width = page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
    assert width <= 0, f'{where} is {width} px too wide'
    page.set_viewport_size({'width': window['width'], 'height': window['height']})
