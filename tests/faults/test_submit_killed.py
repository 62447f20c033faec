"""``kill -9`` of the server under load: what was acknowledged is there, and there once."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from cixi_survey.models import Invitation, Response
from tests import factories
from tests.process import Server

PEOPLE = 120
KILLED_AFTER = 40
DEADLINE = 60


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
