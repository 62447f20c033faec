"""Questionnaires out to other tools and in from them, through the pages."""

from __future__ import annotations

import pytest

from cixi_survey.questionnaire import definition, xlsform
from tests import factories

BASELINE = definition.load_file(factories.BASELINE)


@pytest.fixture
def version(app_database):
    with app_database.transaction() as session:
        return factories.publish(session, BASELINE)


def test_a_version_is_downloaded_as_an_xlsform_that_says_the_same(client, app_database, version):
    factories.sign_in(client, app_database, 'statistician')
    address = f'/staff/questionnaires/{version.sha256}'
    assert f'{address}/xlsform' in client.get(address).get_data(as_text=True)
    file = client.get(f'{address}/xlsform')
    name = f'cixi-eco-baseline-{version.sha256[:12]}.xlsx'
    assert file.headers['Content-Disposition'] == f'attachment; filename="{name}"'
    back = xlsform.read(file.data)
    assert back.questionnaire is not None
    assert back.questionnaire.sha256 == version.sha256


def test_the_answer_keys_are_not_for_the_public(client, version):
    refused = client.get(f'/staff/questionnaires/{version.sha256}/xlsform')
    assert refused.location.startswith('/staff/sign-in')
