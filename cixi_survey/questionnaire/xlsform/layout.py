"""Which sheet and which column says what: one table for writing and for reading.

Sheets and columns whose names begin with ``cixi_`` say what XLSForm has no word for; other tools
pass over them.  They are described in docs/questionnaire.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from babel import Locale, UnknownLocaleError

from cixi_survey.questionnaire.source import Data

SURVEY, CHOICES, SETTINGS = 'survey', 'choices', 'settings'
SCREENING, INDICATORS, TARGETS = 'cixi_screening', 'cixi_indicators', 'cixi_targets'
SHEETS = (SURVEY, CHOICES, SETTINGS, SCREENING, INDICATORS, TARGETS)

INTRODUCTION, NOTICE = 'cixi_introduction', 'cixi_notice'
"""Names of the two notes before the first group."""

TOWN, VILLAGE = 'town', 'village'
OWN = 'own'
"""In ``cixi_options``: the list belongs to this question and is no named list."""

Kind = Literal['text', 'texts', 'word', 'flag', 'words', 'answers', 'integer', 'number', 'scores']


@dataclass(frozen=True)
class Column:
    """A column and the place of its value within the part that a row describes.

    ``text`` is kept letter by letter, ``word`` without blanks around it; ``texts`` is one column
    for each language, ``answers`` one word or (for several answers) many.
    """

    heading: str
    key: tuple[str, ...]
    kind: Kind = 'text'


def _column(heading: str, kind: Kind = 'text', key: str = '') -> Column:
    return Column(heading, tuple((key or heading.removeprefix('cixi_')).split('.')), kind)


QUESTION = (
    _column('label', 'texts'),
    _column('hint', 'texts'),
    _column('required', 'flag'),
    _column('relevant'),
    _column('constraint'),
    _column('constraint_message', 'texts'),
    _column('cixi_right', 'answers'),
    _column('cixi_explanation', 'texts'),
    _column('cixi_source'),
    _column('cixi_attention', 'word'),
    _column('cixi_secret', 'flag'),
    _column('cixi_max_length', 'integer'),
)
OPTION = (_column('label', 'texts'), _column('cixi_apart', 'flag'))
RULE = (
    _column('when'),
    _column('outcome', 'word'),
    _column('message', 'texts'),
    _column('keep', 'word'),
)
INDICATOR = (
    _column('name', 'word'),
    _column('family', 'word'),
    _column('scale', 'word'),
    _column('rule', 'word'),
    _column('items', 'words'),
    _column('positive', 'words'),
    _column('scores', 'scores'),
    _column('dont_know', 'word'),
    _column('household_size', 'word'),
    _column('label', 'texts'),
    _column('definition', 'texts'),
    _column('source'),
    _column('baseline_year', 'integer', 'baseline.year'),
    _column('baseline_value', 'number', 'baseline.value'),
    _column('baseline_note', 'texts', 'baseline.note'),
    _column('baseline_source', 'text', 'baseline.source'),
)
TARGET = (
    _column('basis', 'word'),
    _column('value', 'number'),
    _column('from_year', 'integer'),
    _column('label', 'texts'),
    _column('source'),
)
SETTING = (
    _column('form_id', 'word', 'name'),
    _column('cixi_minutes', 'integer'),
    _column('cixi_notice_version', key='notice.version'),
)

_CODE = re.compile(r'[a-z]{2,3}(-[A-Za-z]{2,4})?')


def language_heading(code: str) -> str:
    """How a language is named in headings: ``中文 (zh)``."""
    try:
        name = Locale.parse(code, sep='-').language_name
    except (UnknownLocaleError, ValueError):
        name = None
    return f'{name or code} ({code})'


def language_code(heading: str) -> str | None:
    """The code of a language as headings name it (``中文 (zh)``, ``English``, ``en``), or None."""
    name = heading.strip()
    bracketed = re.search(r'[(（]\s*([^()（）]+?)\s*[)）]$', name)
    for candidate in (bracketed[1] if bracketed else '', name):
        if _CODE.fullmatch(candidate):
            return candidate
    return _codes_by_name().get(name.casefold())


@cache
def _codes_by_name() -> Mapping[str, str]:
    """The codes of languages by the names that Chinese and English have for them."""
    found: dict[str, str] = {'汉语': 'zh'}
    for locale in (Locale('en'), Locale('zh')):
        for code, name in locale.languages.items():
            if _CODE.fullmatch(code):
                found.setdefault(str(name).casefold(), code)
    return found


def value_at(part: Mapping[str, Data], key: tuple[str, ...]) -> Data:
    """The value at ``key`` within a part, None where there is none."""
    value: Data = dict(part)
    for step in key:
        value = value.get(step) if isinstance(value, dict) else None
    return value
