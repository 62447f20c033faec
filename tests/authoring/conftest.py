"""The database behind the pages of questionnaires."""

from __future__ import annotations

import pytest
from flask import Flask

from cixi_survey.database import Database
from tests import factories
from tests.authoring.desk import BASELINE, BLANK, Desk


@pytest.fixture
def app_database(app: Flask) -> Database:
    database: Database = app.extensions['cixi_database']
    return database


@pytest.fixture
def staff(client, app_database):
    return factories.sign_in(client, app_database, 'organiser')


@pytest.fixture
def desk(client, app_database, staff):
    return Desk(client, app_database, staff, BLANK)


@pytest.fixture
def baseline(client, app_database, staff):
    return Desk(client, app_database, staff, BASELINE)
