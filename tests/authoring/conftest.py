"""The database behind the pages of questionnaires."""

from __future__ import annotations

import pytest
from flask import Flask

from cixi_survey.database import Database


@pytest.fixture
def app_database(app: Flask) -> Database:
    database: Database = app.extensions['cixi_database']
    return database
