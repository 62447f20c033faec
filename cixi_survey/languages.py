"""The languages of the site: each is a folder of ``translations``, and nothing elsewhere.

A folder is named as Babel names the locale (``zh_Hans_CN``) and holds the catalogue and, where the
habits of the locale's data do not fit, ``language.toml`` with what the catalogue cannot say.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.support import Translations

from cixi_survey.errors import N_, Problem, ProblemsFound

SOURCE = 'en'  # the language that the texts in code and templates are written in
NO_LANGUAGE = 'zxx'  # ISO 639: what stands here is a code or a number


@dataclass(frozen=True)
class Language:
    """One language as its readers know it.

    ``code`` is what ``?lang=``, cookies, questionnaires and titles call it; ``html`` is its BCP 47
    tag; ``fallback`` names, in order, the languages whose texts its readers get where there are
    none in their own; ``date`` and ``moment`` are patterns of Unicode's locale data (UTS 35).
    """

    locale: Locale
    code: str
    name: str
    html: str
    fallback: tuple[str, ...] = ()
    list_comma: str = ', '
    comma: str = ', '
    semicolon: str = '; '
    colon: str = ': '
    sentence_joiner: str = ' '
    date: str = 'yyyy-MM-dd'
    moment: str = 'yyyy-MM-dd HH:mm'
    decimal_point: str = field(init=False, default='.')
    thousands: str = field(init=False, default=',')
    percent_sign: str = field(init=False, default='%')

    def __post_init__(self) -> None:
        symbols = self.locale.number_symbols.get('latn', {})
        object.__setattr__(self, 'decimal_point', symbols.get('decimal', '.'))
        object.__setattr__(self, 'thousands', symbols.get('group', ','))
        object.__setattr__(self, 'percent_sign', self.locale.percent_formats[None].suffix[0])

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    def number(self, value: float, digits: int = 0) -> str:
        """A number with a fixed count of digits after the point: the same digits everywhere."""
        return self._written(f'{value:,.{digits}f}')

    def short(self, value: float) -> str:
        """A number with only the digits that it needs: ``80``, ``82.5``."""
        return self._written(f'{value:g}')

    def percent(self, share: float, digits: int = 1) -> str:
        """A share as a percentage: ``84.3%``."""
        return self.number(share * 100, digits) + self.percent_sign

    def exact_percent(self, share: float) -> str:
        """A share that was chosen and not measured: ``80%``, ``99.5%``."""
        return self.short(share * 100) + self.percent_sign

    def _written(self, english: str) -> str:
        return english.translate({ord(','): self.thousands, ord('.'): self.decimal_point})


CODE = re.compile(r'[a-z]{2,3}(-[A-Za-z]{2,4})?')  # as in questionnaires
BAD_CODE_CURE = N_('Use a language code such as zh or en.')
TEXT_KEYS = frozenset(each.name for each in fields(Language) if each.init) - {'locale', 'fallback'}


def load(folder: Path) -> Mapping[str, Language]:
    """The languages of a folder of translations by their codes, in the order of the folders.

    Raises ProblemsFound with everything that keeps a language from being used.
    """
    found: dict[str, Language] = {}
    problems: list[Problem] = []
    for path in sorted(each for each in folder.glob('*') if each.is_dir()):
        language, faults = _read(path)
        problems += faults
        if language is None:
            continue
        if language.code in found:
            problems.append(_doubled(path, language, found[language.code]))
        found[language.code] = language
    problems += _unknown_fallbacks(folder, found)
    if not found and not problems:
        message = N_('There is no language in %(folder)s.')
        problems.append(Problem('translations', 'no_language', message, '', {'folder': folder}))
    if problems:
        raise ProblemsFound(problems)
    return MappingProxyType(found)


@cache
def speaker(language: Language, folder: Path) -> Callable[[str], str]:
    """What turns message ids into a language of ``folder`` where no request says which: for
    documents that are written in every language at once.
    """
    if language.locale.language == SOURCE:
        return str
    return Translations.load(folder, [str(language.locale)]).gettext


def _read(path: Path) -> tuple[Language | None, list[Problem]]:
    try:
        locale = Locale.parse(path.name)
    except (ValueError, UnknownLocaleError):
        message = N_('The folder %(folder)s is not named like a locale, such as zh_Hans_CN.')
        return None, [Problem(path.name, 'no_locale', message, '', {'folder': path})]
    try:
        given = _given(path / 'language.toml')
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = N_('The file %(file)s cannot be read: %(reason)s.')
        values = {'file': path / 'language.toml', 'reason': error}
        return None, [Problem(path.name, 'unreadable', message, '', values)]
    problems = [_bad_key(path, key) for key, value in given.items() if not _fits(key, value)]
    if locale.language != SOURCE and not (path / 'LC_MESSAGES' / 'messages.mo').exists():
        message = N_('The catalogue of %(folder)s is not compiled.')
        cure = N_('Run “make run” or “make messages”.')
        problems.append(Problem(path.name, 'no_catalogue', message, cure, {'folder': path}))
    if problems:
        return None, problems
    given = {'code': locale.language, **given}
    if not CODE.fullmatch(given['code']):
        message = N_('“%(code)s” in %(folder)s cannot be the code of a language.')
        values = {'code': given['code'], 'folder': path}
        return None, [Problem(path.name, 'bad_code', message, BAD_CODE_CURE, values)]
    usual = {
        'name': locale.language_name or locale.language,
        'html': path.name.replace('_', '-'),
        'list_comma': locale.list_patterns['standard']['middle'].format('', ''),
    }
    fallback = tuple(given.pop('fallback', ()))
    return Language(locale=locale, fallback=fallback, **{**usual, **given}), []


def _given(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding='utf-8')) if path.exists() else {}


def _fits(key: str, value: object) -> bool:
    if key == 'fallback':
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return key in TEXT_KEYS and isinstance(value, str)


def _bad_key(path: Path, key: str) -> Problem:
    return Problem(
        path.name,
        'bad_key',
        N_('“%(key)s” in %(file)s is unknown or has no text as its value.'),
        N_('Possible are: %(known)s'),
        {
            'key': key,
            'file': path / 'language.toml',
            'known': ', '.join(sorted({*TEXT_KEYS, 'fallback'})),
        },
    )


def _doubled(path: Path, language: Language, first: Language) -> Problem:
    return Problem(
        path.name,
        'code_taken',
        N_('Both %(first)s and %(second)s have the code “%(code)s”.'),
        N_('Write another “code” into the language.toml of one of them.'),
        {'first': first.locale, 'second': path.name, 'code': language.code},
    )


def _unknown_fallbacks(folder: Path, found: Mapping[str, Language]) -> Iterable[Problem]:
    for language in found.values():
        for code in language.fallback:
            if code not in found:
                yield Problem(
                    str(language.locale),
                    'unknown_fallback',
                    N_('The language %(name)s falls back to “%(code)s”, which %(folder)s lacks.'),
                    N_('Possible are: %(known)s'),
                    {
                        'name': language.name,
                        'code': code,
                        'folder': folder,
                        'known': ', '.join(found),
                    },
                )
