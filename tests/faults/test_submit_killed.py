"""``kill -9`` of the server under load: what was acknowledged is there, and there once."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from cixi_survey.config import ROOT
from cixi_survey.models import Invitation, Response
from tests import factories
from tests.conftest import SECRET

PEOPLE = 120
KILLED_AFTER = 40
DEADLINE = 60


class Server:
    """A server process of its own, started again after each kill."""

    def __init__(self, url: str, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port: int = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            'CIXI_DATABASE_URL': url,
            'CIXI_DATA': str(data),
            'CIXI_DEMO': '0',
            'CIXI_PORT': str(self.port),
            'CIXI_SECRET_KEY': SECRET,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, '-m', 'flask', '--app', 'app', 'serve']
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method: str, path: str, cookie: str = '', body: str = '') -> tuple[int, str, str]:
        """Status, the address led to or the page, and the cookie."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        headers = {'Cookie': cookie, 'Content-Type': 'application/x-www-form-urlencoded'}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
        finally:
            connection.close()
        given = (response.getheader('Set-Cookie') or '').split(';')[0]
        return response.status, response.getheader('Location') or page, given or cookie


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(database_url, tmp_path / 'data')
    server.start()
    yield server
    server.kill()


class Crowd:
    """Residents who open the form, send it, and try again until they hold a receipt."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: list[str] = []
        self.counted = threading.Condition()

    def patiently(self, *request: str) -> tuple[int, str, str]:
        for _ in range(DEADLINE * 20):
            try:
                return self.server.ask(*request)
            except (OSError, http.client.HTTPException):
                threading.Event().wait(0.05)
        raise TimeoutError(request[:2])

    def answer(self, code: str) -> str:
        status, page, cookie = self.patiently('GET', f'/i/{code}')
        assert status == 200, page
        hidden = re.findall(r'name="(csrf_token|_ticket)" value="([^"]*)"', page)
        body = urlencode([*hidden, *factories.ANSWERS.items()], doseq=True)
        status, address, _cookie = self.patiently('POST', f'/i/{code}', cookie, body)
        assert status == 303, address
        with self.counted:
            self.acknowledged.append(address)
            self.counted.notify_all()
        return address

    def wait_for(self, number: int) -> None:
        with self.counted:
            assert self.counted.wait_for(lambda: len(self.acknowledged) >= number, DEADLINE)


def test_nothing_acknowledged_is_lost_and_nothing_is_doubled(server, database):
    with database.transaction() as session:
        wave = factories.wave(session)
        codes = [factories.invitation(session, wave)[1] for _ in range(PEOPLE)]
    crowd = Crowd(server)
    with ThreadPoolExecutor(12) as pool:
        people = [pool.submit(crowd.answer, code) for code in codes]
        crowd.wait_for(KILLED_AFTER)
        server.kill()
        server.start()
        addresses = [person.result(DEADLINE) for person in people]
    assert len(crowd.acknowledged) == PEOPLE
    with database.reading() as session:
        stored = session.scalars(sa.select(Response.reference)).all()
        outcomes = session.scalars(sa.select(Invitation.outcome)).all()
    assert sorted(f'/receipt/{reference}' for reference in stored) == sorted(addresses)
    assert set(outcomes) == {'complete'}
