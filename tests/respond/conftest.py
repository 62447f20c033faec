"""A wave that can be answered, and ways to answer it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from cixi_survey import notices
from cixi_survey.database import Database
from cixi_survey.models import Invitation, Response, Wave
from tests import factories
from tests.client import CheckingClient

COMPLETE: Mapping[str, Sequence[str]] = {
    name: [str(text) for text in (value if isinstance(value, list) else [value])]
    for name, value in factories.ANSWERS.items()
}


def database_of(app: Flask) -> Database:
    database: Database = app.extensions['cixi_database']
    return database


@dataclass
class Form:
    """The questionnaire as a browser without JavaScript has it: hidden values and what is typed."""

    client: CheckingClient
    address: str
    hidden: dict[str, str] = field(default_factory=dict)

    def open(self) -> TestResponse:
        page = self.client.get(self.address)
        self.take(page)
        return page

    def take(self, page: TestResponse) -> None:
        found = re.findall(
            r'<input type="hidden" name="(csrf_token|_\w+)" value="([^"]*)">',
            page.get_data(as_text=True),
        )
        self.hidden = dict(found)

    def send(
        self, answers: Mapping[str, Sequence[str]] = COMPLETE, *, do: str = 'send', **headers: str
    ) -> TestResponse:
        return self.client.post(
            self.address, data={**self.hidden, **answers, '_do': do}, headers=headers
        )

    def save(self, answers: Mapping[str, Sequence[str]], revision: int = 0) -> TestResponse:
        path, _, query = self.address.partition('?')
        return self.client.post(
            f'{path}/draft?{query}',
            data={**self.hidden, **answers, '_revision': str(revision), '_section': 'views'},
            headers={'Accept': 'application/json'},
        )


@dataclass
class Field:
    """An open wave with one invitation."""

    app: Flask
    slug: str
    code: str

    def form(self, address: str = '', client: CheckingClient | None = None) -> Form:
        """The form, opened, in a browser of its own unless ``client`` is given."""
        made = client or self.app.test_client()
        assert isinstance(made, CheckingClient)
        form = Form(made, address or f'/i/{self.code}')
        form.open()
        return form

    def responses(self) -> list[Response]:
        with database_of(self.app).reading() as session:
            return list(session.scalars(sa.select(Response).order_by(Response.id)))

    def outcome(self) -> str:
        with database_of(self.app).reading() as session:
            return session.scalars(sa.select(Invitation.outcome)).one()

    def address_of_notice(self) -> str:
        with database_of(self.app).reading() as session:
            wave = session.scalars(sa.select(Wave).where(Wave.slug == self.slug)).one()
            return f'/notice/{notices.of(session, wave).address}'

    def change(self, **values: object) -> None:
        with database_of(self.app).transaction() as session:
            session.execute(sa.update(Wave).values(**values))


def open_field(app: Flask, **changes: object) -> Field:
    with database_of(app).transaction() as session:
        wave = factories.wave(session, **changes)  # type: ignore[arg-type]
        _unit, code = factories.invitation(session, wave, size=2)
    return Field(app, wave.slug, code)


@pytest.fixture
def place(app: Flask) -> Field:
    return open_field(app)


@pytest.fixture
def both_places(both_apps: Flask) -> Field:
    return open_field(both_apps)
