"""The site with a third language that is nothing but a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import make_app
from tests.languages import pseudo


@pytest.fixture(scope='session')
def translations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('languages')
    return pseudo.make(folder / 'translations', pseudo.extracted(folder / 'messages.pot'))


@pytest.fixture
def trilingual(sqlite_url: str, tmp_path: Path, translations: Path) -> Iterator[Flask]:
    app = make_app(sqlite_url, tmp_path / 'data', translations=translations)
    yield app
    app.extensions['cixi_database'].engine.dispose()
