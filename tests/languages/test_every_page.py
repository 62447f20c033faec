"""Every page and every text of the site is given to the translators.

The site speaks a made-up language (``pseudo``); what stands outside of its brackets and is neither
data nor marked as another language was forgotten.
"""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from werkzeug.test import TestResponse

from cixi_survey import clock, codes, database, notices, trials
from cixi_survey.authoring import drafts
from cixi_survey.config import ROOT
from cixi_survey.errors import Refusal
from cixi_survey.models import (
    Base,
    ContactOffer,
    QuestionnaireVersion,
    Run,
    Staff,
    Wave,
    WaveApproval,
    WaveStratum,
)
from cixi_survey.waves import villages
from tests import factories
from tests.authoring.forms import Form
from tests.client import CheckingClient
from tests.conftest import SECRET, make_app
from tests.languages import pseudo
from tests.languages.reading import leftovers, untranslated, untranslated_json
from tests.questionnaire.xlsform import forms
from tests.results import conftest as results
from tests.waves import conftest as waves

SKIPPED = {'static'}
ROLES = ('administrator', 'organiser', 'statistician')
# What is data although no row of the database holds it, or holds it otherwise.
DATA = (
    '示例',
    'frame-template',
    'demonstration-',
    'small.yaml',
    'cixi-eco-baseline.yaml',
    *(
        'zh',
        'en',
        'chinois',
        'anglais',
        'français',
        'list',
        'yearbook 2025',
        'register',
        'newcomer',
        '新人',
    ),
)
TITLES = (
    *('Test wave', 'Autumn survey 2026', 'November 2026', 'Small questionnaire', 'Journey'),
    *('慈溪市生态文明公众调查', 'Cixi Public Survey on Eco-civilisation'),
)
SMALL = (factories.FIXTURES / 'small.yaml').read_bytes()
BAD_YAML = SMALL.replace(b'type: single', b'type: sinlge', 1).replace(b'minutes: 2', b'minutes: x')
# The parts of each draft whose forms are read: each kind of form once, and those with a fault.
PARTS = (
    {
        *(('general', ''), ('section', 'views'), ('list', 'satisfaction'), ('screening', '')),
        *(
            ('indicator', 'knowledge'),
            ('indicator', 'participation'),
            ('indicator', 'satisfaction_score'),
        ),
        *(
            ('question', name)
            for name in ('consent', 'town', 'fields', 'reason', 'k_one', 'adults')
        ),
        *(('question', 'none'), ('none', ''), ('none', 'none')),
    },
    {('general', ''), ('question', 'consent')},
    set(),
)
BAD_TABLE = b'stratum,psu\nnowhere,1\n'


class World:
    """The site in the made-up language, with something in every state, read page by page."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.database: database.Database = app.extensions['cixi_database']
        self.now = clock.now()
        self.values: dict[str, list[Any]] = {}
        self.found: dict[str, str] = {}
        self.tokens: dict[int, tuple[str, str]] = {}
        self._people()
        self._waves()
        self.public = self._client()
        self.staff = self._client()
        factories.sign_in(self.staff, self.database, *ROLES, username='wang')
        with self.database.transaction() as session:
            session.execute(
                sa.update(Staff).values(password_hash=PasswordHasher().hash('a secret'))
            )
        self.known = self._texts()

    def _client(self) -> CheckingClient:
        client = self.app.test_client()
        assert isinstance(client, CheckingClient)
        client.get(f'/about?lang={pseudo.LOCALE}')
        return client

    def _people(self) -> None:
        with self.database.transaction() as session:
            factories.staff(session, 'organiser', username='li')
            factories.staff(session, 'statistician', username='zhao').deactivated_at = self.now
            factories.staff(session, 'administrator', username='sun').must_change_password = True
        self.values['username'] = ['li', 'zhao', 'sun', 'nobody']

    def _waves(self) -> None:
        day = timedelta(days=1)
        with self.database.transaction() as session:
            waves.create(session, slug='empty', approval_number='', approval_valid_until=None)
            waves.prepared(session, slug='autumn-2026', questionnaire=None)
            self._staged(session)
            running = factories.wave(session, slug='running')
            factories.wave(session, slug='invited', open_link=False)
            factories.wave(session, slug='soon', opens_at=self.now + day)
            factories.wave(
                session, slug='over', opens_at=self.now - 9 * day, closes_at=self.now - day
            )
            factories.wave(
                session,
                slug='early',
                state='closed',
                closed_at=self.now - day,
                opens_at=self.now - 2 * day,
            )
            _unit, good = factories.invitation(session, running)
            spent, spent_code = factories.invitation(session, running)
            sent = [
                factories.response(session, running, spent),
                factories.response(session, running, outcome='refusal'),
                factories.response(session, running, withdrawn_at=self.now),
            ]
            tiny = results.tiny(session)
            estimated = results.tiny(session, slug='estimated')
            results.made(session, estimated)
            whole = results.whole(session)
            results.published(session, whole)
            results.made(session, whole, raking=False, reason='no figures')
            for wave, purged in ((running, None), (whole, None), (estimated, self.now)):
                session.add(
                    ContactOffer(
                        wave_id=wave.id,
                        news=True,
                        prizes=2,
                        rules_zh='规则',
                        rules_en='The rules',
                        keep_until=(self.now + 90 * day).date(),
                        purged_at=purged,
                    )
                )
            self.values['address'] = [notices.of(session, running).address, 'none']
            sealed = factories.response(session, tiny)
            self.values['reference'] = [each.reference for each in (*sent, sealed)] + ['none']
        self.values['slug'] = [
            *(
                'empty',
                'autumn-2026',
                'villages',
                'staged',
                'running',
                'invited',
                'soon',
                'over',
                'early',
            ),
            *('tiny', 'estimated', 'w2026-11', 'none'),
        ]
        self.values['code'] = [good, spent_code, codes.new_code(), 'AAAA']
        self.values['draft_id'], self.values['revision'] = [*self._drafts(), 999], [1, 9]
        self.values['token'] = [*self._trials(), 'none']
        self.parts = dict(zip(self.values['draft_id'], PARTS, strict=False))
        self.values['kind'] = sorted({kind for kind, _key in set().union(*PARTS)})
        self.values['key'] = sorted({key for _kind, key in set().union(*PARTS)} - {''})
        with self.database.reading() as session:
            self.values['sha256'] = [*session.scalars(sa.select(QuestionnaireVersion.sha256)), '0']
            waves_of = sa.select(Run.id, Wave.slug).join(Wave, Wave.id == Run.wave_id)
            self.run_of = {row[0]: row[1] for row in session.execute(waves_of)}
            self.values['run_id'] = [*self.run_of, 999]

    @staticmethod
    def _staged(session: Any) -> None:
        """Waves in two stages: with villages to draw, and with lists of half of the drawn ones."""
        for slug in ('villages', 'staged'):
            waves.create(session, slug=slug)
            waves.load_populations(session, slug=slug)
            villages.load_shipped(session, slug, **waves.ACT)
        waves.draw_villages(session, slug='staged')
        waves.load_lists(session, slug='staged', every=2)

    def _drafts(self) -> list[int]:
        """Drafts of questionnaires: a sound one, a faulty one, one that was changed."""
        with self.database.transaction() as session:
            person = session.scalars(sa.select(Staff)).first()
            assert person is not None
            writer = drafts.Writer(person.username, person.id)
            made = [
                drafts.create(session, text.decode(), writer, self.now)
                for text in (SMALL, BAD_YAML, SMALL)
            ]
            edit = drafts.Edit(BAD_YAML.decode(), 'write')
            drafts.save(session, made[-1].id, edit, writer, self.now, seen=made[-1].revision)
            return [draft.id for draft in made]

    def drafted(self, text: bytes) -> int:
        """A new draft with this file."""
        with self.database.transaction() as session:
            person = session.scalars(sa.select(Staff)).first()
            assert person is not None
            writer = drafts.Writer(person.username, person.id)
            return drafts.create(session, text.decode(), writer, self.now).id

    def _trials(self) -> list[str]:
        """Test links: to a sound draft, to one that has only faults, and one that is ended."""
        with self.database.transaction() as session:
            person = session.scalars(sa.select(Staff)).first()
            assert person is not None
            made = [
                trials.make(
                    session,
                    trials.Subject(draft_id=draft),
                    actor=person.username,
                    staff_id=person.id,
                    now=self.now,
                )
                for draft in (*self.values['draft_id'][:2], self.values['draft_id'][0])
            ]
            made[-1].ended_at = self.now
            return [trials.token(link, SECRET) for link in made]

    def _texts(self) -> list[str]:
        """Everything that the database holds, but for what has a language of its own."""
        texts = set(DATA)
        own_language = {'title_zh', 'title_en', 'name_zh', 'name_en', 'definition', 'source'}
        own_language |= {'figures', 'result', 'answers', 'rules_zh', 'rules_en'}
        with self.database.reading() as session:
            for table in Base.metadata.sorted_tables:
                for row in session.execute(sa.select(table)).mappings():
                    for column, value in row.items():
                        if column not in own_language or table.name == 'frame':
                            texts |= set(_strings(value))
        return sorted((text for text in texts if len(text) > 1), key=len, reverse=True)

    def look(self, response: TestResponse) -> TestResponse:
        """Keep what is not translated on a page, by text, with where it stood first."""
        where = f'{response.request.method} {response.request.path}'
        said: list[str] = []
        if response.mimetype == 'text/html' and response.status_code not in {301, 302, 303}:
            said = untranslated(response.get_data(as_text=True), self.known, TITLES)
        elif response.mimetype == 'application/json' and response.status_code >= 400:
            said = untranslated_json(response.json, self.known)
        if response.is_streamed:
            response.close()  # a file
        for text in said:
            self.found.setdefault(text, f'{where} ({response.status_code})')
        return response

    def get(self, address: str, **headers: str) -> TestResponse:
        client = self.staff if address.startswith('/staff') else self.public
        return self.look(client.get(address, headers=headers))

    def post(self, address: str, follow: bool = True, **data: Any) -> TestResponse:
        client = self.staff if address.startswith('/staff') else self.public
        data = {'csrf_token': self._token(client), **data}
        response = self.look(client.post(address, data=data, content_type='multipart/form-data'))
        if follow and response.status_code == 303:
            self.get(response.location)
        return response

    def report(self) -> None:
        """Fail with everything that was found since the last report."""
        found, self.found = self.found, {}
        self.known = self._texts()  # what was made meanwhile is data too
        said = sorted(
            f'{where}: {text}'
            for text, where in found.items()
            if leftovers(text.partition(': ')[2], [*self.known, *TITLES * text.startswith('title')])
        )
        assert not said, 'not given to the translators:\n' + '\n'.join(said)

    def entries(self) -> int:
        """How many acts are on record, and rows of what people do."""
        with self.database.reading() as session:
            return sum(
                session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
                if table.name != 'limit_counter'
            )

    def _token(self, client: CheckingClient) -> str:
        """The token of a client's session, as long as that is the same."""
        with client.session_transaction() as session:
            raw = session.get('csrf_token')
        if self.tokens.get(id(client), ('', ''))[0] != raw or raw is None:
            token = client.token()
            with client.session_transaction() as session:
                self.tokens[id(client)] = (session['csrf_token'], token)
        return self.tokens[id(client)][1]

    def addresses(self, method: str) -> Iterator[str]:
        """Each address of the map that takes ``method``, with each value of its places.

        A place that ``values`` does not know gets the numbers 0 and 1: give it real ones there.
        """
        for rule in self.app.url_map.iter_rules():
            if rule.endpoint in SKIPPED or method not in (rule.methods or ()):
                continue
            names = sorted(rule.arguments)
            for chosen in product(*(self.values.get(name, (0, 1)) for name in names)):
                values = dict(zip(names, chosen, strict=True))
                if (
                    values.get('run_id') in self.run_of
                    and values.get('slug') != self.run_of[values['run_id']]
                ):
                    continue  # as unknown as a run that there is not
                part = (values.get('kind', 'question'), values.get('key', ''))
                known = self.parts.get(values.get('draft_id', 0), ())
                if {'kind', 'key'} & values.keys() and part not in known:
                    continue
                built = rule.build(values)
                assert built is not None
                yield built[1]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from (part for part in value.split(':') if part)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _strings(name)
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


@pytest.fixture(scope='module')
def world(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, translations: Path
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp('every_page')
    shutil.copy(sqlite_template, folder / 'test.db')
    app = make_app(f'sqlite:///{folder}/test.db', folder, translations=translations)
    app.extensions['cixi_database'].engine.dispose()
    yield World(app)
    app.extensions['cixi_database'].engine.dispose()


def test_the_reader_finds_what_was_forgotten() -> None:
    page = (
        '<html lang="fr"><title>⟦Tîtlé⟧</title><body><h1>Forgotten</h1>'
        '<p>⟦Sàîd <b>慈溪</b>⟧ 12.5 %</p>'
        '<p>⟦a⟧ oops ⟦b⟧</p><span lang="en">Question</span><img alt="Picture"><code>W_FINAL</code>'
        '<button data-done="Has been copied">⟦c⟧</button><p>wang 0574</p>'
        '<script type="application/json">{"texts": {"next": "Next"}}</script></body></html>'
    )
    assert untranslated(page, ['wang']) == [
        'img alt: Picture',
        'button data-done: Has been copied',
        'script next: Next',
        'text: Forgotten',
        'text: oops',
    ]


def test_every_page_in_every_state(world: World) -> None:
    for address in world.addresses('GET'):
        if world.get(address).status_code >= 400 and '/staff' not in address:
            world.get(address, Accept='application/json')
    world.report()


def test_every_refusal_of_a_form(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.values, 'slug', ['empty', 'running', 'tiny', 'none'])
    acts = re.compile(
        r'/(close|delete|publish|deactivate|discard|remove|sign-out[a-z-]*|withdraw)$'
    )
    for address in world.addresses('POST'):
        if not acts.search(address) and '/codes' not in address:
            world.post(address)
            world.post(address, **dict.fromkeys(FIELDS, '?'))
    world.report()


FIELDS = (
    *('slug', 'title_zh', 'title_en', 'version_sha256', 'opens_at', 'closes_at', 'target_n'),
    *('approval_valid_until', 'satisfaction_scale', 'target_basis', 'method', 'total', 'minimum'),
    *('response', 'seed', 'level', 'raking', 'username', 'name', 'roles', 'old', 'password'),
    *('again', 'file_name', 'code', 'making', 'consent', 'town', 'village', 'age', 'adults'),
)


def upload(content: bytes, name: str = 'file.csv') -> dict[str, Any]:
    return {'file': (io.BytesIO(content), name)}


def faulty_form() -> bytes:
    """A workbook that loses something, lacks something and is changed in something."""
    return forms.workbook(
        survey=[('type', 'name', 'label'), ('calculate', 'a', ''), ('text', 'Q1', '问？')]
    )


def hidden(response: TestResponse) -> dict[str, str]:
    """The hidden fields of a page, but for the token."""
    import html

    page = response.get_data(as_text=True)
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in fields if name != 'csrf_token'}


def second_person(world: World, wave: str) -> None:
    """Everything that can happen between putting a wave forward and its approval."""

    def put_forward(asked_by: str) -> dict[str, str]:
        world.post(f'{wave}/put-forward')
        written(WaveApproval, asked_by=asked_by)
        page = world.get(f'{wave}/approval').get_data(as_text=True)
        return dict(re.findall(r'name="(seen)"[^>]* value="([^"]+)"', page))

    def written(model: type[Base], **values: object) -> None:
        with world.database.transaction() as session:
            session.execute(sa.update(model).values(**values))

    for name in ('put-forward', 'approval', 'open'):
        world.get(f'{wave}/{name}')
    world.post(f'{wave}/open')
    world.post(f'{wave}/approval', decision='approve', **put_forward('wang'))
    world.post(f'{wave}/take-back')
    seen = put_forward('zhao')
    world.post(f'{wave}/approval', **seen)
    world.post(f'{wave}/approval', decision='send_back', **seen)
    world.post(f'{wave}/approval', decision='send_back', remark='旅程', **seen)
    world.get(wave)
    seen = put_forward('zhao')
    written(WaveStratum, population=7)
    for address in (wave, f'{wave}/approval'):
        world.get(address)
    world.post(f'{wave}/approval', decision='approve', **seen)
    world.post(f'{wave}/approval', decision='approve', **put_forward('zhao'))
    world.get(wave)


def test_every_act_of_staff_and_what_it_says(world: World) -> None:
    wave, plan = '/staff/waves/empty', {'slug': 'journey'}
    page = world.get(f'{wave}/edit').get_data(as_text=True)
    plan |= dict(re.findall(r'name="(\w+)"[^>]* value="([^"]+)"', page))
    plan |= {'slug': 'journey', 'satisfaction_scale': 'share', 'target_basis': 'national'}
    plan |= {'version_sha256': world.values['sha256'][0], 'title_zh': '旅程', 'title_en': 'Journey'}
    del plan['csrf_token']
    for name in ('lang', '_switch', 'seen'):
        plan.pop(name, None)
    for content in (faulty_form(), faulty_form()[:-99], b''):
        file = upload(content, 'form.xlsx')
        world.post('/staff/questionnaires/drafts/new', start='file', **file)
    world.post('/staff/waves/new', **{**plan, 'title_en': '中文'})
    world.post('/staff/waves/new', **{**plan, 'closes_at': plan['opens_at']})
    world.post('/staff/waves/new', **plan)
    wave = '/staff/waves/journey'
    world.post(f'{wave}/edit', **plan, seen='old')
    world.post(f'{wave}/edit', **{**plan, 'target_n': '50'})
    tables = {
        'populations': waves.POPULATIONS.encode(),
        'margins': waves.MARGINS.encode(),
        'frame': waves.frame_text().encode(),
    }
    for name, content in tables.items():
        source = {'source': 'list'} if name == 'frame' else {}
        for bad in (
            BAD_TABLE,
            b'',
            content.replace(b'330282004', b'1'),
            '\ufeff镇\n'.encode('gb18030'),
        ):
            world.post(f'{wave}/{name}', **upload(bad), **source)
        preview = world.post(f'{wave}/{name}', **upload(content), **source)
        world.post(f'{wave}/{name}', **{**hidden(preview), 'parcel': 'damaged'})
        world.post(f'{wave}/{name}', **hidden(preview))
        world.get(f'{wave}/{name}')
    world.post(f'{wave}/margins/remove')
    asked = {'method': 'power', 'total': '100', 'minimum': '10', 'response': '60', 'seed': '1'}
    world.get(f'{wave}/draw?preview=1&method=power&total=100000&minimum=10&response=60&seed=')
    world.get(f'{wave}/draw?preview=1&method=power&total=100&minimum=10&response=60&seed=')
    world.post(f'{wave}/draw', **asked)
    world.get(f'{wave}/draw')
    world.get(f'{wave}/draw/discard')
    world.post(f'{wave}/draw/discard')
    world.post(f'{wave}/draw', **asked)
    made = world.post(f'{wave}/codes', making='0')
    key = re.search(r'name="key" value="([^"]+)"', made.get_data(as_text=True))
    assert key
    world.post(f'{wave}/codes', making='0')
    world.post(f'{wave}/codes', making='0', sure='yes')
    world.get(f'{wave}/codes')
    world.post(f'{wave}/slips', key=key[1])
    world.post(f'{wave}/slips', key='none')
    second_person(world, wave)
    world.post(f'{wave}/open')
    world.post(f'{wave}/open')
    world.get(f'{wave}/close')
    world.post(f'{wave}/close')
    world.post(f'{wave}/close', early='y')
    world.post(f'{wave}/close')
    for name in ('edit', 'open', 'draw', 'codes', 'close', 'returns', ''):
        world.get(f'{wave}/{name}'.rstrip('/'))
    world.post(f'{wave}/estimates', level='0.95', method='wilson', raking='yes')
    world.post('/staff/waves/tiny/estimates', level='0.95', method='wilson', raking='yes')
    world.post('/staff/waves/tiny/estimates', level='0.9', method='wilson', raking='no', reason='')
    estimated = _run_of(world, 'estimated')
    world.post(f'/staff/waves/estimated/estimates/{estimated}/publish')
    world.get(f'/staff/waves/estimated/estimates/{estimated}/preview')
    again = max(run for run in world.values['run_id'] if run != 999)
    world.post(f'/staff/waves/w2026-11/estimates/{again}/publish')
    world.post(f'/staff/waves/w2026-11/estimates/{again}/publish', reason='a reason')
    for address in (
        '/results',
        '/results/w2026-11',
        '/results/estimated',
        '/staff',
        '/staff/waves',
    ):
        world.get(address)
    for content in (SMALL, BAD_YAML, b'\xff\xfe', b'format: 1\nname: x\n'):
        world.post('/staff/questionnaires/publish', **upload(content, 'small.yaml'))
    world.post('/staff/questionnaires/publish', file_name='cixi-eco-baseline.yaml')
    with world.database.reading() as session:
        published = session.scalars(sa.select(QuestionnaireVersion.sha256)).all()
    for sha256 in published:
        world.get(f'/staff/questionnaires/{sha256}')
    person = {'username': 'newcomer', 'name': '新人', 'roles': 'organiser'}
    world.post('/staff/accounts/new', **{**person, 'username': 'li'})
    world.post('/staff/accounts/new', **person)
    for act in ('password', 'deactivate', 'reactivate'):
        world.post(f'/staff/accounts/newcomer/{act}')
    world.post('/staff/accounts/newcomer', roles='statistician')
    world.post('/staff/accounts/wang/deactivate')
    world.post('/staff/password', old='x', password='short', again='short')
    world.post('/staff/password', old='x', password='long enough now', again='differs')
    for address in ('/staff/accounts', '/staff/accounts/newcomer', '/staff/audit?verify=1'):
        world.get(address)
    world.post('/staff/sign-out-everywhere')
    world.post('/staff/sign-in', username='wang', password='wrong')
    world.report()


def test_every_word_about_contacts_and_prizes(world: World) -> None:
    wave = '/staff/waves/autumn-2026/contacts'
    offer = {'news': 'y', 'prizes': '2', 'rules_zh': '规则', 'rules_en': 'Rules'}
    for until in ('', '2020-01-01', f'{world.now + timedelta(days=90):%Y-%m-%d}'):
        world.post(f'{wave}/offer', **offer, keep_until=until)
    world.get(wave)
    world.get(f'{wave}/offer')
    world.post(f'{wave}/offer/nothing')
    receipt = f'/receipt/{world.values["reference"][0]}/contact'
    world.get(receipt)
    for contact in ('', 'nothing', '13800138000'):
        world.post(receipt, contact=contact, purpose='news')
    world.post(receipt, contact='13800138001', purpose='news')
    for number in ('', 'none'):
        world.post('/contact/remove', number=number)
    wave = '/staff/waves/w2026-11/contacts'
    for seed in ('', 'x', '7'):
        world.post(f'{wave}/draw', seed=seed)
    world.get(wave)
    world.post(f'{wave}/confirm')
    world.get('/draw/w2026-11')
    world.get(f'{wave}/delete')
    world.report()


def test_every_form_of_the_editor_and_what_it_says(world: World) -> None:
    world.staff = world._client()  # another test has signed out
    factories.sign_in(world.staff, world.database, *ROLES, username='lin')
    number = world.drafted(SMALL)
    draft = f'/staff/questionnaires/drafts/{number}'
    say = partial(edited, world)
    age, words = f'{draft}/question/age', f'{draft}/translations'
    say(age, options__0__label__en='', hint__en='Half', relevant__mode='simple')
    say(age, relevant__mode='simple', relevant__rows__0__variable='village')
    say(age, 'options-add')
    say(age, 'own-answers')
    say(age, 'share-answers')
    say(age, 'copy')
    say(age, 'up')
    say(age, 'remove')
    world.get(f'{age}/remove')
    say(age, role='attention')
    say(age, role='knowledge')
    say(age, type='integer', constraint__mode='range', constraint__least='x')
    say(f'{draft}/question/did', constraint__mode='alone', constraint__value='')
    say(f'{draft}/question/reason', max_length='9999')
    say(f'{draft}/section/views', title__en='')
    say(f'{draft}/screening', 'rule-add')
    say(f'{draft}/general', minutes='x', languages=['zh', 'en', pseudo.LOCALE])
    say(f'{draft}/indicator/knowledge', 'target-add')
    say(f'{draft}/indicator/satisfaction_score', scores__rather='x', household_size='adults')
    for what, kind in (
        ('question', 'grid'),
        ('section', ''),
        ('list', ''),
        ('indicator', 'household'),
    ):
        world.get(f'{draft}/add?what={what}')
        world.post(f'{draft}/add', what=what, kind=kind)
    for only in ('all', 'missing'):
        world.get(f'{words}?only={only}')
    theirs = Form(world.get(words).get_data(as_text=True))
    say(words, **{'text.question/town/label': 'Where?'})
    mine = {'text.question/town/label': ['Town?'], 'text.question/none/label': ['Lost']}
    world.post(words, **{**theirs.sent(), **mine})
    page = world.get(f'{draft}/question/town').get_data(as_text=True)
    say(f'{draft}/question/town', label__en='Which town?')
    world.post(f'{draft}/question/town', **Form(page).sent(label__en='What town?'))
    say(f'{draft}/question/did', 'remove')
    world.post(f'{draft}/question/did')
    world.post(f'{draft}/undo')
    for address in ('history', 'publish', 'general'):
        world.get(f'{draft}/{address}')
    key = re.search(r'name="key" value="([^"]+)"', world.get(
        f'/staff/questionnaires/library?draft={number}').get_data(as_text=True))  # fmt: skip
    assert key
    world.post(f'{draft}/library', key=key[1], section='0')
    world.get(f'/staff/questionnaires/library?draft={number}&words=nothing')
    world.report()


def edited(world: World, address: str, do: str = 'save', **changes: Any) -> TestResponse:
    """Send the form of a page of the editor, changed."""
    form = Form(world.get(address).get_data(as_text=True))
    return world.post(form.action, **form.sent(do, **changes))


def _run_of(world: World, slug: str) -> int:
    with world.database.reading() as session:
        runs = session.scalars(sa.select(Run)).all()
        return next(run.id for run in runs if json.loads(run.figures)['wave']['slug'] == slug)


def test_every_way_to_answer_and_what_it_says(world: World) -> None:
    form = hidden(world.get('/s/running'))
    world.post('/s/running', **form, adults='x', k_one='june5')
    world.post('/s/running', **{**form, '_ticket': 'none'}, adults='2')
    answers = {
        name: value
        for name, value in factories.ANSWERS.items()
        if name not in {'village'}
    }  # fmt: skip
    world.post('/s/running', **form, **answers)
    world.post('/s/running', **form, **{**answers, 'adults': '3'})
    world.get('/s/running')
    other = hidden(world.get('/s/running'))
    world.post('/s/running', **other, _do='save', adults='2')
    world.post('/s/running', **{**other, '_revision': '0'}, _do='save', adults='3')
    world.get('/s/running')
    world.get('/s/running?saved=1')
    world.post('/i', code='')
    world.post('/i', code='7KQW-3MNP-X9DT')
    world.post('/i', code='7KQW')
    receipt = world.values['reference'][0]
    world.get(f'/receipt/{receipt}/withdraw')
    world.post(f'/receipt/{receipt}/withdraw')
    world.report()


def test_every_refusal_and_every_state_is_a_message(translations: Path) -> None:
    from babel.support import Translations

    with (translations / pseudo.LOCALE / 'LC_MESSAGES' / 'messages.mo').open('rb') as file:
        catalogue = Translations(file)
    forgotten = [
        (kind.__name__, text)
        for kind in _kinds(Refusal)
        for text in (kind.title, kind.message, kind.cure)
        if text and leftovers(catalogue.gettext(text), ())
    ]
    assert forgotten == []


def _kinds(kind: type) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def test_no_problem_is_made_of_a_text_that_is_not_marked_for_translation() -> None:
    """The third and fourth argument of a Problem are message ids: by ``N_`` or by a name."""
    forgotten = []
    for path in sorted((ROOT / 'cixi_survey').rglob('*.py')):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            called = isinstance(node, ast.Call) and getattr(node.func, 'id', '')
            if called == 'Problem':
                forgotten += [
                    f'{path.name}:{argument.lineno}'
                    for argument in node.args[2:4]
                    if isinstance(argument, ast.JoinedStr)
                    or (isinstance(argument, ast.Constant) and argument.value)
                ]
    assert forgotten == []


class Typed(HTMLParser):
    """The forms of a page with their fields, filled in, and the buttons of the languages."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: dict[str, dict[str, str]] = {}
        self.addresses: dict[str, str] = {}
        self.switches: dict[str, str] = {}
        self.written: set[str] = set()
        self._form = ''
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or '' for name, value in attrs}
        if tag == 'form':
            self._form = given.get('id', '')
            self.forms[self._form] = {}
            self.addresses[self._form] = given.get('action', '')
        elif tag == 'button' and given.get('name') == '_switch' and given['value'] == 'lang:en':
            self.switches[given['form']] = given['value']
        elif tag in {'input', 'textarea'} and self._form:
            self._field(given)

    def handle_endtag(self, tag: str) -> None:
        if tag == 'form':
            self._form = ''

    def _field(self, given: dict[str, str]) -> None:
        kind, name = given.get('type', 'text'), given.get('name', '')
        if kind in {'hidden', 'file'} or (kind in {'checkbox', 'radio'} and 'checked' in given):
            self.forms[self._form][name] = given.get('value', '')
        elif kind not in {'checkbox', 'radio', 'password'} and 'readonly' not in given:
            self.forms[self._form][name] = 'half written'
            self.written.add(name)


def test_switching_the_language_keeps_what_was_typed_and_does_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = set()
    monkeypatch.setitem(world.values, 'slug', ['empty', 'autumn-2026', 'running', 'tiny'])
    monkeypatch.setitem(world.values, 'code', ['AAAA'])
    world.staff = world._client()
    factories.sign_in(world.staff, world.database, *ROLES, username='zheng')
    for address in world.addresses('GET'):
        client = world.staff if address.startswith('/staff') else world.public
        page = client.get(address)
        typed = Typed(page.get_data(as_text=True)) if page.mimetype == 'text/html' else None
        page.close()
        for form in typed.switches if typed else ():
            assert form in typed.forms, f'{address} names a form {form} that it does not have'
            before = world.entries()
            data = {**typed.forms[form], 'csrf_token': world._token(client), '_switch': 'lang:en'}
            answer = client.post(typed.addresses[form] or address, data=data)
            assert answer.status_code == 200, (address, answer.status_code)
            again = answer.get_data(as_text=True)
            assert '<html lang="en">' in again, address
            kept = again.count('half written')
            wanted = sum(value == 'half written' for value in typed.forms[form].values())
            assert kept >= wanted, f'{address} lost {wanted - kept} of {typed.forms[form]}'
            assert 'role="alert"' not in again, f'{address} complains'
            assert world.entries() == before, f'{address} acted'
            tried.add(form)
            client.get(f'/about?lang={pseudo.LOCALE}')
    assert len(tried) >= 10, tried
