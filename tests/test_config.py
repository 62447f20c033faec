"""Settings: every fault at once, one line each; the documented table is that of the code."""

import pytest

from cixi_survey import config
from cixi_survey.database import Database
from cixi_survey.errors import ProblemsFound


def test_an_empty_environment_gives_the_defaults():
    settings = config.load({})
    assert (settings.host, settings.port, settings.demo) == ('127.0.0.1', 8000, True)
    assert settings.database_url == f'sqlite:///{config.ROOT / "instance" / "cixi_survey.db"}'


def test_every_bad_setting_is_named_with_what_it_must_be():
    with pytest.raises(ProblemsFound) as caught:
        config.load(
            {'CIXI_PORT': 'eighty', 'CIXI_DEMO': 'maybe', 'CIXI_PROT': '1', 'CIXI_SECRET_KEY': 'x'}
        )
    texts = [problem.text() for problem in caught.value.problems]
    assert texts == [
        'The setting CIXI_PORT cannot be “eighty”. It must be a port, 1 to 65535.',
        'The setting CIXI_DEMO cannot be “maybe”. It must be 1 or 0.',
        'There is no setting CIXI_PROT. The settings are listed in docs/settings.md.',
        'The setting CIXI_SECRET_KEY cannot be “…”. It must be at least 32 characters.',
    ]


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = config.make_data_folder(config.load({'CIXI_DATA': str(tmp_path / 'data')}))
    second = config.make_data_folder(config.load({'CIXI_DATA': str(tmp_path / 'data')}))
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 48
    assert (tmp_path / 'data' / 'secret.key').stat().st_mode & 0o077 == 0


def test_the_documented_table_is_the_table_in_the_code():
    documented = (config.ROOT / 'docs' / 'settings.md').read_text(encoding='utf-8')
    for setting in config.SETTINGS:
        default = f'`{setting.default}`' if setting.default else '–'
        row = f'| `{setting.variable}` | {default} | {setting.expects} | {setting.help} |'
        assert row in documented, row


def test_a_bad_database_address_is_named_without_its_password():
    with pytest.raises(ProblemsFound) as found:
        Database('mysql://wang:half@secret@db.example/cixi')
    said = found.value.problems[0].text()
    assert 'db.example/cixi' in said
    assert 'secret' not in said
