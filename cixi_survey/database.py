"""Engine, sessions and the one way to write.

``with transaction() as session`` is the only way to change anything: what was done in the block is
committed, durably, before the block is left; an exception undoes all of it.  ``with reading()``
gives a session for queries.  On SQLite a writing transaction starts with ``BEGIN IMMEDIATE``
behind one lock of the process, because a plain ``BEGIN`` that reads first fails at once when
another writer came in between, and because threads that wait inside SQLite sleep in growing steps.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal

BUSY_MILLISECONDS = 30_000
TAKEN = {'23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'}


class DatabaseUnreachable(Refusal):
    """The database does not answer or cannot be opened."""

    status = 503
    code = 'database_unreachable'
    title = N_('The service is interrupted for a moment')
    message = N_('The database does not answer: %(reason)s.')
    cure = N_('Nothing that was confirmed is lost. Try again in a few minutes.')


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment in UTC.  SQLite keeps it as text without a zone, so the zone is put back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError('a moment needs a time zone')
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == 'sqlite' else value

    def process_result_value(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """An engine and its ways in; one per application, also usable without one (jobs, notebooks)."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = _parsed(url)
        # A message of the database may come into the log; the answers of a person may not.
        options: dict[str, Any] = {'json_serializer': _json, 'hide_parameters': True}
        if self.is_sqlite:
            path = self.url.database
            if path and path != ':memory:':
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            options['connect_args'] = {'check_same_thread': False}
        options |= {'pool_size': pool_size, 'max_overflow': 20, 'pool_pre_ping': not self.is_sqlite}
        self.engine = sa.create_engine(self.url, **options)
        self._writing: threading.Lock | nullcontext[None] = nullcontext()
        if self.is_sqlite:
            self._writing = threading.Lock()
            _prepare_sqlite(self.engine)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == 'sqlite'

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end of the block, or undone as a whole."""
        engine = self.engine.execution_options(sqlite_begin='IMMEDIATE')
        opened = Session(engine, expire_on_commit=False)
        with self._writing, _explained(), opened as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for queries; whatever it changed is dropped."""
        with _explained(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    def scrub(self, *tables: str) -> None:
        """Clear from the files what rows of these tables held before they were changed or deleted.

        For after a transaction that was to make something unknowable.  Backups and the write-ahead
        log of a PostgreSQL server are out of reach.
        """
        if self.is_sqlite:
            connection = self.engine.raw_connection()
            with closing(connection), self._writing:
                connection.cursor().execute('PRAGMA wal_checkpoint(TRUNCATE)')
            return
        with _explained(), self.engine.connect() as opened:
            opened.execution_options(isolation_level='AUTOCOMMIT')
            opened.exec_driver_sql(f'VACUUM {", ".join(tables)}')

    def check(self) -> None:
        """Ask the database for a sign of life.  Raises DatabaseUnreachable."""
        with self.reading() as session:
            session.execute(sa.text('SELECT 1'))


def _parsed(url: str) -> sa.URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in {'sqlite', 'postgresql'}:
        values = {'name': 'CIXI_DATABASE_URL', 'value': url.rpartition('@')[2]}
        raise ProblemsFound(
            [
                Problem(
                    'CIXI_DATABASE_URL',
                    'bad_database_url',
                    N_('The setting %(name)s cannot be “%(value)s”.'),
                    N_(
                        'It must be an address such as sqlite:////folder/file.db or '
                        'postgresql://user:password@host/name.'
                    ),
                    values,
                )
            ]
        )
    return parsed


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.TimeoutError, sa.exc.InterfaceError) as error:
        reason = str(getattr(error, 'orig', None) or error).strip().splitlines()[0]
        raise DatabaseUnreachable(reason=reason) from error


def added(session: Session, row: object) -> bool:
    """Insert ``row``; False when something of it is unique and taken, perhaps at this moment."""
    try:
        with session.begin_nested():
            session.add(row)
    except sa.exc.IntegrityError as error:
        reason = getattr(error.orig, 'sqlstate', None) or error.orig.sqlite_errorname  # type: ignore[union-attr]
        if reason in TAKEN:
            return False
        raise
    return True


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(',', ':'))


def _prepare_sqlite(engine: sa.Engine) -> None:
    @event.listens_for(engine, 'connect')
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are ours, also around CREATE TABLE
        cursor = connection.cursor()
        cursor.execute(f'PRAGMA busy_timeout={BUSY_MILLISECONDS}')
        cursor.execute('PRAGMA journal_mode=WAL')
        cursor.execute('PRAGMA synchronous=FULL')
        cursor.execute('PRAGMA foreign_keys=ON')
        cursor.execute('PRAGMA secure_delete=ON')  # what is deleted is overwritten, not only freed
        cursor.close()

    @event.listens_for(engine, 'begin')
    def begin(connection: sa.Connection) -> None:
        mode = connection.get_execution_options().get('sqlite_begin', 'DEFERRED')
        connection.exec_driver_sql(f'BEGIN {mode}')


def get() -> Database:
    """The database of the running application."""
    database: Database = current_app.extensions['cixi_database']
    return database


def transaction() -> AbstractContextManager[Session]:
    """``with transaction() as session``: see Database.transaction."""
    return get().transaction()


def reading() -> AbstractContextManager[Session]:
    """``with reading() as session``: see Database.reading."""
    return get().reading()
