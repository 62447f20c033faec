"""Settings: one tuple says everything there is; the environment (``CIXI_*``) sets it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cixi_survey.errors import N_, Problem, ProblemsFound

VERSION = '0.1.0'
ROOT = Path(__file__).resolve().parent.parent


def _text(value: str) -> str:
    return value


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not low <= number <= high:
            raise ValueError(f'between {low} and {high}')
        return number

    return parse


def _switch(value: str) -> bool:
    states = {'1': True, 'true': True, 'yes': True, '0': False, 'false': False, 'no': False}
    if value.lower() not in states:
        raise ValueError('1 or 0')
    return states[value.lower()]


@dataclass(frozen=True)
class Setting:
    """One setting: ``parse`` turns its text into a value or raises ValueError with the rule."""

    name: str
    parse: Callable[[str], object]
    default: str
    expects: str
    help: str

    @property
    def variable(self) -> str:
        return f'CIXI_{self.name}'


SETTINGS: tuple[Setting, ...] = (
    Setting('HOST', _text, '127.0.0.1', 'an address', 'Address that the server listens on.'),
    Setting('PORT', _integer(1, 65535), '8000', 'a port, 1 to 65535', 'Port of the server.'),
    Setting(
        'DATA',
        _text,
        'instance',
        'a folder',
        'Folder for what the site keeps: the SQLite database and the generated secret key. '
        'A relative path is taken from the project.',
    ),
    Setting(
        'DATABASE_URL',
        _text,
        '',
        'an SQLAlchemy URL',
        'Database. Empty: SQLite in the data folder. PostgreSQL: '
        '`postgresql://user:password@host/name`.',
    ),
    Setting(
        'SECRET_KEY',
        _text,
        '',
        'at least 32 characters',
        'Key for cookies, invitation codes and check codes, and for withdrawn answers that must be '
        'kept. Empty: made at the first start and kept in the data folder. Several hosts must '
        'share one; a changed key makes printed codes useless.',
    ),
    Setting(
        'DEMO', _switch, '1', '1 or 0', 'Load the demonstration into an empty database at start.'
    ),
    Setting(
        'SITE_URL',
        _text,
        '',
        'http(s)://host[:port]',
        'Public address printed in QR codes and links. Empty: the address of the request.',
    ),
    Setting(
        'PROXIES',
        _integer(0, 9),
        '0',
        'a number, 0 to 9',
        'How many reverse proxies stand before the site (they set X-Forwarded-*).',
    ),
    Setting(
        'THREADS', _integer(1, 256), '8', 'a number, 1 to 256', 'Threads of the built-in server.'
    ),
    Setting(
        'LANGUAGE',
        _text,
        'zh',
        'the code of a language',
        'Language of first contact: one of those in the folder of translations.',
    ),
    Setting(
        'TRANSLATIONS',
        _text,
        'translations',
        'a folder',
        'Folder with the languages of the site, each in a folder of its own (docs/languages.md). '
        'A relative path is taken from the project.',
    ),
    Setting(
        'OFFLINE',
        _switch,
        '1',
        '1 or 0',
        'Let phones keep the empty questionnaire to go on without a network. 0 also takes away '
        'what they have kept, at their next visit.',
    ),
    Setting(
        'CONTACT',
        _text,
        '',
        'text',
        'Telephone or address for questions about the survey, shown at the foot of every page.',
    ),
)


@dataclass(frozen=True)
class Config:
    """Every setting, parsed."""

    host: str
    port: int
    data: Path
    database_url: str
    secret_key: str
    demo: bool
    site_url: str
    proxies: int
    threads: int
    language: str
    translations: Path
    offline: bool
    contact: str


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read all settings from ``environ``.

    Raises ProblemsFound naming each variable that cannot be used.
    """
    source = os.environ if environ is None else environ
    values: dict[str, object] = {}
    problems: list[Problem] = []
    for setting in SETTINGS:
        text = source.get(setting.variable, setting.default)
        try:
            values[setting.name.lower()] = setting.parse(text)
        except ValueError:
            problems.append(_bad_setting(setting, text))
    known = {setting.variable for setting in SETTINGS}
    problems.extend(
        Problem(
            name,
            'unknown_setting',
            N_('There is no setting %(name)s.'),
            N_('The settings are listed in docs/settings.md.'),
            {'name': name},
        )
        for name in sorted(source)
        if name.startswith('CIXI_') and name not in known
    )
    secret = str(values.get('secret_key', ''))
    if secret and len(secret) < 32:
        problems.append(_bad_setting(SETTINGS[4], '…'))
    if problems:
        raise ProblemsFound(problems)
    data = ROOT / str(values['data'])
    values['data'] = data
    values['translations'] = ROOT / str(values['translations'])
    values['database_url'] = values['database_url'] or f'sqlite:///{data / "cixi_survey.db"}'
    values['site_url'] = str(values['site_url']).rstrip('/')
    return Config(**values)  # type: ignore[arg-type]


def _bad_setting(setting: Setting, text: str) -> Problem:
    return Problem(
        setting.variable,
        'bad_setting',
        N_('The setting %(name)s cannot be “%(value)s”.'),
        N_('It must be %(expects)s.'),
        {'name': setting.variable, 'value': text, 'expects': setting.expects},
    )


def make_data_folder(config: Config) -> Config:
    """Make the data folder and, where none is set, the secret key; return the complete settings.

    Raises OSError when the folder cannot be written.
    """
    config.data.mkdir(parents=True, exist_ok=True)
    if config.secret_key:
        return config
    path = config.data / 'secret.key'
    try:
        with path.open('x', encoding='ascii') as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass  # made by an earlier start, or by another process at this moment
    key = path.read_text(encoding='ascii')
    if len(key) < 32:
        raise ProblemsFound([_bad_setting(SETTINGS[4], str(path))])
    return Config(**{**config.__dict__, 'secret_key': key})
