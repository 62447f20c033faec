"""Pictures of every page for the docs, taken from the demonstration: ``make pictures``.

``PAGES`` names each page by its endpoint; ``tests/test_pictures.py`` fails when one is missing.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy.orm import Session
from waitress import create_server

from cixi_survey import clock, migrate
from cixi_survey.authoring import drafts
from cixi_survey.config import ROOT
from cixi_survey.database import Database
from cixi_survey.demo import load as demo
from cixi_survey.models import Notice, Response, Run, Staff, StaffSession, Wave
from cixi_survey.notices import ADDRESS_LENGTH
from cixi_survey.waves import approval, frame, lifecycle, populations, stages, two_stage, villages
from cixi_survey.waves.stages import Asked
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.conftest import SECRET, make_app

FOLDER = ROOT / 'docs' / 'images' / 'pages'
LIST = ROOT / 'docs' / 'pages.md'
PHONE, DESK = (360, 740), (1280, 800)
TALLEST = 2200
PLANNED = '2027-03'
STAGED, BEFORE = '2027-06', '2027-09'
NOT_PAGES = {
    'home.healthz': 'for machines',
    'home.readyz': 'for machines',
    'static': 'a file',
    'respond.picture_to_share': 'a file',
    'results.result_csv': 'a file',
    'respond.worker': 'a script',
    'respond.goodbye': 'what a minor sees; tests/respond/test_minors.py',
    'authoring.version_xlsform': 'a file',
    'authoring.draft_file': 'a file',
    'authoring.translations_workbook': 'a file',
    'authoring.remove_part': 'a question before a deletion',
    'authoring.draft_change': 'one step of the history',
    'respond.preview_version': 'as respond.preview',
    'respond.try_out': 'as respond.preview, behind a link',
    'results.result_json': 'a file',
    'authoring.version_source': 'a file',
    'waves.frame_template': 'a file',
    'waves.margins_template': 'a file',
    'waves.populations_template': 'a file',
    'waves.villages_template': 'a file',
    'waves.drawn_villages_file': 'a file',
    'waves.discard_villages': 'a question before a deletion',
    'waves.release_reserve': 'a question before an act; tests/waves/test_reserve.py',
    'waves.link_code': 'a file',
}


@dataclass(frozen=True)
class Scene:
    """The demonstration, served, with a planned wave beside its two."""

    app: Flask
    url: str
    code: str
    past: str
    present: str
    reference: str
    sha256: str
    run_id: int
    notice: str
    draft: int

    @property
    def planned(self) -> str:
        return PLANNED

    @property
    def staged(self) -> str:
        return STAGED

    @property
    def before(self) -> str:
        return BEFORE


@dataclass(frozen=True)
class Shot:
    """One picture: the address of the page, who sees it, and what to do there first."""

    name: str
    endpoint: str
    address: Callable[[Scene], str]
    caption: str
    role: str = ''
    size: tuple[int, int] = PHONE
    act: Callable[[Page], None] | None = None
    query: str = ''
    dark: bool = False


def _staff(suffix: str = '') -> Callable[[Scene], str]:
    return lambda _scene: f'/staff{suffix}'


def _at(template: str) -> Callable[[Scene], str]:
    return lambda scene: template.format(scene=scene)


def _answering(page: Page) -> None:
    page.click('#steps .button.large')
    page.wait_for_timeout(200)


PAGES = (
    Shot('home', 'home.home', _at('/'), 'The first page'),
    Shot('home-desk', 'home.home', _at('/'), 'The first page on a desk', size=DESK),
    Shot('home-english', 'home.home', _at('/'), 'The first page in English', query='lang=en'),
    Shot('home-large', 'home.home', _at('/'), 'The first page in large print', query='elder=2'),
    Shot('about', 'home.about', _at('/about'), 'About the survey'),
    Shot('protection', 'home.protection', _at('/protection'), 'How answers are protected'),
    Shot('notice', 'home.notice', _at('/notice/{scene.notice}'), 'A privacy notice, kept for good'),
    Shot('withdraw-by-number', 'respond.enter_receipt', _at('/withdraw'), 'Typing in a receipt'),
    Shot('verify', 'verify.ask', _at('/verify'), 'Is this survey genuine?'),
    Shot(
        'verify-survey', 'verify.show_survey', _at('/verify/{scene.present}'), 'One survey checked'
    ),
    Shot('enter-code', 'respond.enter_code', _at('/i'), 'Typing in a code'),
    Shot('cover', 'respond.by_code', _at('/i/{scene.code}'), 'The cover of the questionnaire'),
    Shot(
        'staff-preview',
        'respond.preview',
        _at('/staff/questionnaires/drafts/{scene.draft}/preview'),
        'A draft as residents see it',
        'organiser',
    ),
    Shot(
        'questions',
        'respond.by_code',
        _at('/i/{scene.code}'),
        'The first questions',
        act=_answering,
    ),
    Shot(
        'questions-large',
        'respond.by_code',
        _at('/i/{scene.code}'),
        'A question in large print',
        act=_answering,
        query='elder=1',
    ),
    Shot(
        'questions-dark',
        'respond.by_code',
        _at('/i/{scene.code}'),
        'Questions on a dark phone',
        act=_answering,
        dark=True,
    ),
    Shot(
        'questions-english',
        'respond.open_link',
        _at('/s/{scene.present}'),
        'Questions in English, by the open link',
        act=_answering,
        query='lang=en',
    ),
    Shot('receipt', 'respond.receipt', _at('/receipt/{scene.reference}'), 'The receipt'),
    Shot(
        'withdraw',
        'respond.ask_to_withdraw',
        _at('/receipt/{scene.reference}/withdraw'),
        'Withdrawing answers',
    ),
    Shot(
        'sign-up',
        'contacts.leave_contact',
        _at('/receipt/{scene.reference}/contact'),
        'Signing up to hear the results',
    ),
    Shot('sign-off', 'contacts.remove_contact', _at('/contact/remove'), 'Getting off the list'),
    Shot(
        'draw', 'contacts.public_draw', _at('/draw/{scene.present}'), 'The public record of a draw'
    ),
    Shot('results', 'results.list_results', _at('/results'), 'Results'),
    Shot('result', 'results.show_result', _at('/results/{scene.past}'), 'A published result'),
    Shot(
        'result-desk',
        'results.show_result',
        _at('/results/{scene.past}'),
        'A published result on a desk',
        size=DESK,
    ),
    Shot('styleguide', 'home.styleguide', _at('/styleguide'), 'The components', size=DESK),
    Shot('sign-in', 'staff.sign_in', _staff('/sign-in'), 'Staff sign in', size=DESK),
)

STAFF_PAGES = (
    ('staff', 'staff.home', '/staff', 'What is waiting', 'organiser'),
    ('password', 'staff.change_password', '/staff/password', 'One’s own password', 'organiser'),
    ('accounts', 'staff.list_accounts', '/staff/accounts', 'Accounts', 'administrator'),
    ('account', 'staff.edit_account', '/staff/accounts/organiser', 'An account', 'administrator'),
    (
        'account-new',
        'staff.create_account',
        '/staff/accounts/new',
        'A new account',
        'administrator',
    ),
    ('record', 'staff.audit_trail', '/staff/audit', 'The record of what was done', 'administrator'),
    ('waves', 'waves.list_waves', '/staff/waves', 'Waves', 'organiser'),
    ('wave-new', 'waves.create_wave', '/staff/waves/new', 'A new wave', 'organiser'),
    ('wave-planned', 'waves.show_wave', '/staff/waves/{planned}', 'A planned wave', 'organiser'),
    ('wave-open', 'waves.show_wave', '/staff/waves/{present}', 'An open wave', 'organiser'),
    ('wave-edit', 'waves.edit_wave', '/staff/waves/{planned}/edit', 'Editing a wave', 'organiser'),
    (
        'populations',
        'waves.load_populations',
        '/staff/waves/{planned}/populations',
        'Loading populations',
        'organiser',
    ),
    ('margins', 'waves.load_margins', '/staff/waves/{planned}/margins', 'Margins', 'organiser'),
    ('frame', 'waves.load_frame', '/staff/waves/{planned}/frame', 'The frame', 'organiser'),
    ('sample', 'waves.draw_sample', '/staff/waves/{planned}/draw', 'Drawing a sample', 'organiser'),
    (
        'sample-discard',
        'waves.discard_sample',
        '/staff/waves/{planned}/draw/discard',
        'Discarding a sample',
        'organiser',
    ),
    ('codes', 'waves.make_codes', '/staff/waves/{planned}/codes', 'Codes', 'organiser'),
    (
        'put-forward',
        'waves.put_forward',
        '/staff/waves/{planned}/put-forward',
        'Putting a wave forward',
        'organiser',
    ),
    (
        'approval',
        'waves.decide',
        '/staff/waves/{planned}/approval',
        'A second person looks and decides',
        'statistician',
    ),
    ('open', 'waves.open_wave', '/staff/waves/{planned}/open', 'Opening a wave', 'organiser'),
    ('returns', 'waves.show_returns', '/staff/waves/{present}/returns', 'Returns', 'organiser'),
    ('close', 'waves.close_wave', '/staff/waves/{present}/close', 'Closing a wave', 'organiser'),
    (
        'contacts',
        'contacts.show_lists',
        '/staff/waves/{past}/contacts',
        'Contacts and prizes',
        'organiser',
    ),
    (
        'contacts-offer',
        'contacts.set_offer',
        '/staff/waves/{planned}/contacts/offer',
        'What is offered after the receipt',
        'organiser',
    ),
    (
        'contacts-delete',
        'contacts.delete_contacts',
        '/staff/waves/{past}/contacts/delete',
        'Deleting contacts',
        'organiser',
    ),
    ('estimates', 'results.list_waves', '/staff/estimates', 'Estimates', 'statistician'),
    ('runs', 'results.list_runs', '/staff/waves/{past}/estimates', 'Runs', 'statistician'),
    (
        'run',
        'results.show_run',
        '/staff/waves/{past}/estimates/{run_id}',
        'A run with its weights',
        'statistician',
    ),
    (
        'preview',
        'results.preview_run',
        '/staff/waves/{past}/estimates/{run_id}/preview',
        'What the public would see',
        'statistician',
    ),
    (
        'questionnaires',
        'authoring.list_all',
        '/staff/questionnaires',
        'Questionnaires',
        'organiser',
    ),
    (
        'questionnaire',
        'authoring.show_version',
        '/staff/questionnaires/{sha256}',
        'A published version',
        'organiser',
    ),
    (
        'compare',
        'authoring.compare_versions',
        '/staff/questionnaires/compare',
        'Two versions side by side',
        'organiser',
    ),
    (
        'paper',
        'authoring.paper_form',
        '/staff/questionnaires/{sha256}/paper',
        'The paper form',
        'organiser',
    ),
    (
        'library',
        'authoring.question_library',
        '/staff/questionnaires/library',
        'The library of questions',
        'organiser',
    ),
    (
        'draft-new',
        'authoring.new_draft',
        '/staff/questionnaires/drafts/new',
        'Beginning a draft',
        'organiser',
    ),
    (
        'draft',
        'authoring.edit_part',
        '/staff/questionnaires/drafts/{draft}/question/sat_overall',
        'Editing a question',
        'organiser',
    ),
    (
        'draft-asked',
        'authoring.asked_before',
        '/staff/questionnaires/drafts/{draft}/question/sat_overall/asked',
        'Where a question was asked before',
        'organiser',
    ),
    (
        'draft-general',
        'authoring.show_draft',
        '/staff/questionnaires/drafts/{draft}',
        'A draft',
        'organiser',
    ),
    (
        'draft-add',
        'authoring.choose_kind',
        '/staff/questionnaires/drafts/{draft}/add',
        'Adding a part',
        'organiser',
    ),
    (
        'draft-translations',
        'authoring.show_translations',
        '/staff/questionnaires/drafts/{draft}/translations',
        'Translations side by side',
        'organiser',
    ),
    (
        'draft-source',
        'authoring.draft_source',
        '/staff/questionnaires/drafts/{draft}/source',
        'The file behind a draft',
        'organiser',
    ),
    (
        'draft-history',
        'authoring.draft_history',
        '/staff/questionnaires/drafts/{draft}/history',
        'The history of a draft',
        'organiser',
    ),
    (
        'draft-publish',
        'authoring.publish_draft',
        '/staff/questionnaires/drafts/{draft}/publish',
        'Publishing a draft',
        'organiser',
    ),
    (
        'draft-trial',
        'authoring.try_draft',
        '/staff/questionnaires/drafts/{draft}/trial',
        'Test links of a draft',
        'organiser',
    ),
    (
        'version-trial',
        'authoring.try_version',
        '/staff/questionnaires/{sha256}/trial',
        'Test links of a version',
        'organiser',
    ),
    (
        'draft-delete',
        'authoring.delete_draft',
        '/staff/questionnaires/drafts/{draft}/delete',
        'Deleting a draft',
        'organiser',
    ),
    (
        'plan',
        'waves.plan_wave',
        '/staff/waves/{planned}/plan',
        'Planning the sample',
        'organiser',
    ),
    ('villages', 'waves.load_villages', '/staff/waves/{staged}/villages', 'Villages', 'organiser'),
    (
        'villages-draw',
        'waves.draw_villages',
        '/staff/waves/{before}/villages/draw',
        'Drawing villages',
        'organiser',
    ),
    (
        'villages-drawn',
        'waves.draw_villages',
        '/staff/waves/{staged}/villages/draw',
        'Drawn villages',
        'organiser',
    ),
    (
        'persons-draw',
        'waves.draw_persons',
        '/staff/waves/{staged}/persons/draw',
        'A sample in two stages',
        'organiser',
    ),
    (
        'draw-repeat',
        'waves.repeat_draw',
        '/staff/waves/{staged}/draw/repeat',
        'Repeating a draw',
        'organiser',
    ),
    (
        'wave-notice',
        'waves.show_notice',
        '/staff/waves/{present}/notice',
        'The notice of a wave',
        'organiser',
    ),
    (
        'publish',
        'authoring.publish',
        '/staff/questionnaires/publish',
        'Publishing a version',
        'organiser',
    ),
)


def _staff_shot(name: str, endpoint: str, address: str, caption: str, role: str) -> Shot:
    def made(scene: Scene) -> str:
        return address.format(planned=PLANNED, staged=STAGED, before=BEFORE, **vars(scene))

    return Shot(f'staff-{name}', endpoint, made, caption, role, DESK)


def shots() -> tuple[Shot, ...]:
    """Every picture, residents' pages first."""
    return (*PAGES, *(_staff_shot(*row) for row in STAFF_PAGES))


@contextmanager
def demonstration() -> Iterator[Scene]:
    """The demonstration in a database of its own, served by the product's server."""
    with tempfile.TemporaryDirectory() as folder:
        url = f'sqlite:///{folder}/pictures.db'
        database = Database(url)
        migrate.upgrade(database)
        database.engine.dispose()
        app = make_app(url, Path(folder))
        code = _fill(app)
        server = create_server(app, host='127.0.0.1', port=0, threads=4, ident=None)
        threading.Thread(target=server.run, daemon=True).start()
        try:
            yield _scene(app, f'http://127.0.0.1:{server.effective_port}', code)
        finally:
            server.trigger.pull_trigger(server.close)
            app.extensions['cixi_database'].engine.dispose()


def _fill(app: Flask) -> str:
    now = clock.now()
    with app.extensions['cixi_database'].transaction() as session:
        loaded = demo.load(session, secret_key=SECRET, now=now)
        _past, present = demo._scenes(now)
        version = session.scalars(sa.select(Wave.version_sha256)).first()
        coming = replace(
            present,
            slug=PLANNED,
            season=('2027年3月', 'March 2027'),
            opens_at=now + timedelta(days=100),
            closes_at=now + timedelta(days=130),
        )
        lifecycle.create(session, demo._plan(coming, version), actor=demo.ACTOR, now=now)
        wave = session.scalars(sa.select(Wave).where(Wave.slug == PLANNED)).one()
        wave.demonstration = True
        demo._prepare(session, coming, now)
        _two_stages(session, coming, version, now)
        approval.put_forward(session, wave, actor='organiser', now=now)
        person = session.scalars(sa.select(Staff.id).where(Staff.username == 'organiser')).one()
        text = demo.QUESTIONNAIRE.read_text(encoding='utf-8')
        drafts.create(session, text, drafts.Writer('organiser', person), now)
    return loaded.code


def _two_stages(session: Session, coming: Any, version: str, now: datetime) -> None:
    """Two more planned waves: one with a sample in two stages, one before the first of them."""
    act = {'actor': demo.ACTOR, 'now': now}
    adults = demo.POPULATIONS.read_bytes()
    sha256 = populations.parse(adults).sha256
    for slug, season in (
        (BEFORE, ('2027年9月', 'September 2027')),
        (STAGED, ('2027年6月', 'June 2027')),
    ):
        later = replace(coming, slug=slug, season=season)
        wave = lifecycle.create(session, demo._plan(later, version), **act)
        wave.demonstration = True
        populations.store(session, slug, adults, sha256=sha256, **act)
        villages.load_shipped(session, slug, **act)
    asked = {
        town: Asked(stages.usual(len(mine), number=10, all_up_to=12), 17)
        for town, mine in stages.by_town(session, wave).items()
    }
    two_stage.draw_villages(session, STAGED, asked, seed=20270605, **act)
    households = frame.template(40, villages=frame.drawn_villages(session, wave))
    sha256 = frame.parse(households, frame.limits(session, wave)).sha256
    names = {'filename': 'demonstration-lists.csv', 'source': 'demonstration data'}
    frame.store(session, STAGED, households, sha256=sha256, **names, **act)
    two_stage.draw_persons(session, STAGED, seed=20270606, **act)


def _scene(app: Flask, url: str, code: str) -> Scene:
    with app.extensions['cixi_database'].reading() as session:
        waves = session.scalars(sa.select(Wave).order_by(Wave.opens_at)).all()
        past, present, *_planned = waves
        reference = session.scalars(
            sa.select(Response.reference).where(
                Response.wave_id == present.id,
                Response.outcome == 'complete',
                Response.stream == 'probability',
            )
        ).first()
        run_id = session.scalars(sa.select(Run.id)).first()
        notice = session.scalars(sa.select(Notice.sha256)).first()
    return Scene(
        app,
        url,
        code,
        past.slug,
        present.slug,
        str(reference),
        past.version_sha256,
        int(run_id or 0),
        str(notice)[:ADDRESS_LENGTH],
        1,
    )


def take(browser: Browser, scene: Scene, shot: Shot) -> Image.Image:
    """The picture of a page, no taller than ``TALLEST``."""
    context = _context(browser, scene, shot)
    page = context.new_page()
    address = shot.address(scene)
    answer = page.goto(f'{scene.url}{address}{"?" if shot.query else ""}{shot.query}')
    assert answer is not None
    assert answer.status == 200, f'{address}: {answer.status}'
    if shot.act:
        shot.act(page)
    image = Image.open(io.BytesIO(page.screenshot(full_page=shot.act is None)))
    context.close()
    return image.convert('RGB').crop((0, 0, image.width, min(image.height, TALLEST)))


def _context(browser: Browser, scene: Scene, shot: Shot) -> BrowserContext:
    width, height = shot.size
    context = browser.new_context(
        viewport={'width': width, 'height': height},
        is_mobile=shot.size == PHONE,
        has_touch=shot.size == PHONE,
        locale='zh-CN',
        timezone_id='Asia/Shanghai',
        color_scheme='dark' if shot.dark else 'light',
        reduced_motion='reduce',
    )
    if shot.role:
        cookie = _signed_in(scene.app, shot.role)
        context.add_cookies([{'name': 'cixi', 'value': cookie, 'url': scene.url}])
    return context


def _signed_in(app: Flask, role: str) -> str:
    """The session cookie of the demonstration's person with this role."""
    name = {'administrator': 'admin'}.get(role, role)
    now = clock.now()
    key = f'pictures {role}'
    with app.extensions['cixi_database'].transaction() as session:
        person = session.scalars(sa.select(Staff).where(Staff.username == name)).one()
        if session.get(StaffSession, key) is None:
            session.add(StaffSession(id=key, staff_id=person.id, created_at=now, seen_at=now))
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    assert serializer is not None
    cookie: str = serializer.dumps({'_user_id': key, '_fresh': True})
    return cookie


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    chromium = shutil.which('chromium')
    with demonstration() as scene, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_FLAGS))
        for shot in shots():
            take(browser, scene, shot).save(FOLDER / f'{shot.name}.webp', quality=60, method=6)
            print(shot.name, file=sys.stderr)
        browser.close()
    LIST.write_text(page_list(), encoding='utf-8')


def page_list() -> str:
    """The page of the docs that shows every picture."""
    lines = [
        '# Every page, as it looks',
        '',
        'Made from the demonstration by `make pictures`; phones are 360 pixels wide.',
    ]
    for title, wanted in (('Residents', ''), ('Staff', 'staff')):
        lines += ['', f'## {title}', '']
        for shot in shots():
            if bool(shot.role) == bool(wanted):
                width = 240 if shot.size == PHONE else 640
                picture = f'<img src="images/pages/{shot.name}.webp" width="{width}" alt="">'
                lines += [f'**{shot.caption}**', '', picture, '']
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
