"""Every message is translated in every catalogue, with the same places for values."""

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from babel.support import Translations

from cixi_survey.config import ROOT
from tests.languages import pseudo

FOLDER = ROOT / 'translations'
CATALOGUES = sorted(path.parent.parent.name for path in FOLDER.glob('*/LC_MESSAGES/messages.po'))
PLACES = re.compile(r'%\((\w+)\)s')


def path_of(locale):
    return FOLDER / locale / 'LC_MESSAGES' / 'messages.po'


@pytest.fixture(scope='module', params=CATALOGUES)
def catalogue(request):
    return read_po(BytesIO(path_of(request.param).read_bytes()), locale=request.param)


@pytest.fixture(scope='module')
def extracted(tmp_path_factory):
    path = tmp_path_factory.mktemp('messages') / 'messages.pot'
    return {message.id for message in pseudo.extracted(path) if message.id}


def test_the_catalogues_are_those_of_the_languages():
    with_catalogue = {path.name for path in FOLDER.iterdir() if path.is_dir()} - {'en'}
    assert set(CATALOGUES) == with_catalogue


def test_every_message_of_code_and_templates_is_translated(catalogue, extracted):
    translated = {message.id for message in catalogue if message.id and message.string}
    assert sorted(extracted - translated) == []


def test_the_catalogue_holds_nothing_that_nobody_says(catalogue, extracted):
    kept = {message.id for message in catalogue if message.id}
    assert sorted(kept - extracted) == []


def test_translations_keep_the_places_for_values(catalogue):
    for message in catalogue:
        if message.id:
            assert set(PLACES.findall(message.id)) == set(PLACES.findall(message.string)), (
                message.id
            )


def test_no_translation_is_uncertain(catalogue):
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_what_make_compiles_speaks_chinese(tmp_path):
    """A catalogue without a header counts as uncertain, and would be passed over in silence."""
    made = tmp_path / 'messages.mo'
    recipe = next(
        line
        for line in (ROOT / 'Makefile').read_text().splitlines()
        if 'pybabel -q compile' in line
    )
    options = recipe.partition(' compile ')[2].partition(' -i ')[0].split()
    pybabel = str(Path(sys.executable).parent / 'pybabel')
    command = [
        pybabel,
        '-q',
        'compile',
        *options,
        '-i',
        str(path_of('zh_Hans_CN')),
        '-o',
        str(made),
    ]
    subprocess.run([*command, '-l', 'zh_Hans_CN'], check=True, timeout=120)
    with made.open('rb') as file:
        assert Translations(file).gettext('Home') == '首页'
