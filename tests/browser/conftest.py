"""A real Chromium on a phone-sized page, and the site served by the production server."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from waitress import create_server, wasyncore

from tests.conftest import copied, make_app

CHROMIUM_FLAGS = (
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
)


@pytest.fixture(scope='session')
def browser_type_launch_args() -> dict[str, Any]:
    chromium = shutil.which('chromium')
    assert chromium, 'the browser tests need Debian’s chromium: apt-get install chromium'
    return {'executable_path': chromium, 'args': list(CHROMIUM_FLAGS)}


@pytest.fixture
def browser_context_args() -> dict[str, Any]:
    """A small Android phone in Cixi."""
    return {
        'viewport': {'width': 360, 'height': 740},
        'is_mobile': True,
        'has_touch': True,
        'locale': 'zh-CN',
        'timezone_id': 'Asia/Shanghai',
    }


@pytest.fixture
def served(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Flask, str]]:
    """The application and its address, served by waitress in a thread."""
    with serving(sqlite_url, tmp_path) as site:
        yield site


@pytest.fixture(scope='module')
def read_only(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, str]]:
    """The same for all tests of a module: for those that change nothing."""
    folder = tmp_path_factory.mktemp('site')
    with serving(copied(sqlite_template, folder), folder) as site:
        yield site


@contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[Flask, str]]:
    app = make_app(url, folder / 'data')
    server = create_server(app, host='127.0.0.1', port=0, threads=4, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield app, f'http://127.0.0.1:{server.effective_port}'
    # Closed from within its own loop: taken away under it, its sockets would break the thread.
    # A socket that does not close in order must not keep the loop, and this test, alive for ever.
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map, ignore_all=True))
    thread.join(timeout=20)
    assert not thread.is_alive(), 'the served site did not end'
    server.task_dispatcher.shutdown()
    app.extensions['cixi_database'].engine.dispose()
