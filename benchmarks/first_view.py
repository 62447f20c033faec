"""The first view of the questionnaire on a slow phone and a bad network, beside SurveyJS.

    .venv/bin/python -m benchmarks.first_view [--runs 5] [--without-surveyjs] [--write]

Chromium with 400 kbit/s, 400 ms and a processor 4 times slower (Chrome DevTools Protocol), on a
page of 360 × 740: our questionnaire, and the same one made with SurveyJS (surveyjs.py, installed by
npm into a temporary folder), served by the same waitress with the same compression and the same
headers for files.  Cold: an empty browser.  Warm: the second visit, files in the browser's cache
(without the service worker, which the protocol does not slow down).  Kept: our second visit with
the network away, from what the worker kept.

Contentful: the first text is painted.  Answerable: the start button was pressed by a script as
soon as there was one, and the first answer is chosen.  Weight: what came over the network for it,
heads included, without the empty form that ours fetches later to keep it.  The server has sent
everything once before, so that its files are packed.  Medians of the runs.  --write puts the table
into docs/performance.md.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Response
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright
from waitress import create_server

from benchmarks import site, surveyjs
from benchmarks.written import machine, put, today
from cixi_survey import config, create_app, pages
from cixi_survey.demo import load as demo
from cixi_survey.questionnaire import definition

BYTES_PER_SECOND = 400_000 / 8
LATENCY_MS = 400
SLOWER = 4
PHONE = {'viewport': {'width': 360, 'height': 740}, 'is_mobile': True, 'locale': 'zh-CN'}
OURS, THEIRS = 'cixi_survey', f'SurveyJS {surveyjs.VERSION}'
ADDRESSES = {OURS: f'/s/{site.SLUG}', THEIRS: '/surveyjs'}
STARTS = {OURS: '#steps .button.large', THEIRS: '.sd-navigation__start-btn'}
VISITS = ('cold', 'warm', 'kept')
# Presses start and the first answer as soon as they are there, as a very quick finger would.
FINGER = """(() => {
  let begun = false;
  let chosen = null;
  const visible = (element) => element.getClientRects().length > 0;
  const find = (selector) => Array.from(document.querySelectorAll(selector))
    .find((each) => visible(each.closest('label') || each));
  const look = () => {
    if (chosen && chosen.checked) {
      window.answerable = performance.now();
      return;
    }
    const start = find('START');
    if (!begun && start) {
      begun = true;
      start.click();
    }
    chosen = begun && find('input[type=radio]');
    if (chosen) chosen.click();
    setTimeout(look, 10);
  };
  look();
})()"""
CONTENTFUL = "() => performance.getEntriesByName('first-contentful-paint').length"
MOMENTS = """() => [
  performance.getEntriesByName('first-contentful-paint')[0].startTime, window.answerable
]"""
KEPT = """() => document.getElementById('stays').textContent ===
  JSON.parse(document.getElementById('rules').textContent).texts.ready"""

Figures = dict[str, float]


@contextmanager
def served(folder: Path, *, with_surveyjs: bool) -> Iterator[str]:
    """Both questionnaires behind one waitress; the address of the site."""
    files = folder / 'static'
    shutil.copytree(config.ROOT / 'static', files)
    with site.database_of('sqlite') as url:
        environ = {'CIXI_DATABASE_URL': url, 'CIXI_SECRET_KEY': site.SECRET}
        settings = replace(config.load(environ), data=folder / 'data')
        app = create_app(settings)
        app.static_folder = str(files)
        if with_surveyjs:
            surveyjs.install(folder, files)
            app.add_url_rule('/surveyjs', view_func=_surveyjs_page)
        server = create_server(app, host='127.0.0.1', port=0, threads=settings.threads, ident=None)
        threading.Thread(target=server.run, daemon=True).start()
        yield f'http://127.0.0.1:{server.effective_port}'
        server.trigger.pull_trigger(server.close)


def _surveyjs_page() -> Response:
    questionnaire = definition.load_file(demo.QUESTIONNAIRE)
    page = surveyjs.page(questionnaire, questionnaire.title['zh'], pages.static_url)
    policy = pages.HEADERS['Content-Security-Policy']
    # it writes styles into the page, which ours forbids
    allowed = policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    return Response(page, headers={'Content-Security-Policy': allowed}, mimetype='text/html')


class Meter:
    """Slows a page down and counts what comes to it over the network."""

    def __init__(self, page: Page, *, network: bool) -> None:
        self.weight = self.requests = 0
        self._later: set[str] = set()
        self._protocol: CDPSession = page.context.new_cdp_session(page)
        self._protocol.send('Emulation.setCPUThrottlingRate', {'rate': SLOWER})
        if network:
            self._protocol.send('Network.enable')
            self._protocol.on('Network.requestWillBeSent', self._note)
            self._protocol.on('Network.loadingFinished', self._count)
            conditions = {
                'offline': False,
                'latency': LATENCY_MS,
                'downloadThroughput': BYTES_PER_SECOND,
                'uploadThroughput': BYTES_PER_SECOND,
            }
            self._protocol.send('Network.emulateNetworkConditions', conditions)

    def _note(self, event: dict[str, Any]) -> None:
        if event['request']['url'].endswith('?empty'):
            self._later.add(event['requestId'])

    def _count(self, event: dict[str, Any]) -> None:
        if event['encodedDataLength'] and event['requestId'] not in self._later:
            self.weight += event['encodedDataLength']
            self.requests += 1


def visit(context: BrowserContext, address: str, start: str, *, network: bool = True) -> Figures:
    """Open a questionnaire and choose the first answer."""
    page = context.new_page()
    page.add_init_script(FINGER.replace('START', start))
    meter = Meter(page, network=network)
    page.goto(address, wait_until='commit', timeout=120_000)
    page.wait_for_function('() => window.answerable', timeout=120_000)
    page.wait_for_function(CONTENTFUL)
    page.wait_for_load_state('load')
    page.wait_for_timeout(300)  # the last of the protocol's messages
    contentful, answerable = page.evaluate(MOMENTS)
    page.close()
    return {
        'contentful': contentful,
        'answerable': answerable,
        'weight': meter.weight / 1024,
        'requests': meter.requests,
    }


def cold_and_warm(browser: Browser, url: str, program: str) -> dict[str, Figures]:
    context = browser.new_context(**PHONE, service_workers='block')
    address = url + ADDRESSES[program]
    found = {name: visit(context, address, STARTS[program]) for name in ('cold', 'warm')}
    context.close()
    return found


def kept(browser: Browser, url: str) -> Figures:
    """Our page without a network, after a visit with one."""
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.goto(url + ADDRESSES[OURS])
    page.wait_for_function(KEPT)
    page.close()
    context.set_offline(True)
    seen = visit(context, url + ADDRESSES[OURS], STARTS[OURS], network=False)
    context.close()
    return seen


def measure(url: str, runs: int, programs: tuple[str, ...]) -> dict[str, dict[str, Figures]]:
    """Medians by program and visit; the programs take turns."""
    found: dict[str, dict[str, list[Figures]]] = {each: {} for each in programs}
    with sync_playwright() as playwright:
        chromium = shutil.which('chromium')
        browser = playwright.chromium.launch(executable_path=chromium, args=['--no-sandbox'])
        for program in programs:
            cold_and_warm(browser, url, program)  # the server packs its files at the first request
        for _run in range(runs):
            for program in programs:
                seen = cold_and_warm(browser, url, program)
                if program == OURS:
                    seen['kept'] = kept(browser, url)
                for name, figures in seen.items():
                    found[program].setdefault(name, []).append(figures)
        browser.close()
    return {
        program: {name: _medians(seen) for name, seen in visits.items()}
        for program, visits in found.items()
    }


def _medians(seen: list[Figures]) -> Figures:
    return {name: statistics.median(each[name] for each in seen) for name in seen[0]}


def table(found: dict[str, dict[str, Figures]], runs: int) -> str:
    """Markdown: each measure of each visit, ours, theirs and how many times ours theirs is."""
    programs = list(found)
    head = ['visit', 'measure', *programs, *(['ratio'] if len(programs) > 1 else [])]
    lines = [f'| {" | ".join(head)} |', '|---' * len(head) + '|']
    measures = (
        ('contentful', 'contentful, s', 1000, '.2f'),
        ('answerable', 'answerable, s', 1000, '.2f'),
        ('weight', 'weight, KB', 1, ',.1f'),
        ('requests', 'requests', 1, '.0f'),
    )
    for name in VISITS:
        for measure_, text, unit, form in measures:
            values = [found[each].get(name, {}).get(measure_) for each in programs]
            if name == 'kept' and measure_ in {'weight', 'requests'}:
                continue
            cells = ['–' if value is None else f'{value / unit:{form}}' for value in values]
            if len(programs) > 1:
                ours, theirs = values
                cells.append(f'{theirs / ours:.1f}' if ours and theirs else '–')
            lines.append(f'| {name} | {text} | {" | ".join(cells)} |')
    lines.append(f'\nMedians of {runs} runs, {today()}; {machine()}.')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--without-surveyjs', action='store_true')
    parser.add_argument('--write', action='store_true', help='put the table into the docs')
    options = parser.parse_args()
    programs = (OURS,) if options.without_surveyjs else (OURS, THEIRS)
    with (
        tempfile.TemporaryDirectory() as name,
        served(Path(name), with_surveyjs=THEIRS in programs) as url,
    ):
        text = table(measure(url, options.runs, programs), options.runs)
    print(text)
    if options.write:
        put('performance.md', 'first view', text)


if __name__ == '__main__':
    main()
