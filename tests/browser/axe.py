"""axe-core on a page, under our CSP: evaluated, not added as a script."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']


@cache
def _source() -> str:
    return (files('axe_playwright_python') / 'axe.min.js').read_text(encoding='utf-8')


def violations(page: Page, *more_rules: str) -> list[str]:
    """What axe finds on the page as it is now, one line each; empty when all is well."""
    page.wait_for_load_state()
    if not page.evaluate('Boolean(window.axe)'):
        page.evaluate(_source())
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})",
        [*RULES, *more_rules],
    )
    return [
        f'{fault["id"]}: {node["target"]} {node["failureSummary"]}'
        for fault in found['violations']
        for node in fault['nodes']
    ]
