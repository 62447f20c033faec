"""Residents’ texts are in plain words: short sentences, common characters, nothing of an office.

The rules and why they are these: docs/languages.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from cixi_survey.questionnaire import source

ROOT = Path(__file__).parent.parent.parent
CATALOGUE = ROOT / 'translations/zh_Hans_CN/LC_MESSAGES/messages.po'
# Where residents are; what staff read is not held to this
ROOMS = ('contacts', 'home', 'respond', 'verify')
TEMPLATES = ('errors', *ROOMS)
KEYWORDS = {'_': None, 'N_': None, '_l': None, 'gettext': None}
STAFF_PAGES = {
    'contacts': {'delete.html', 'draw.html', 'lists.html', 'offer.html'},
    'home': {'styleguide.html'},
}
STAFF_MODULES = {'forms.py', 'lists.py', 'prizes.py', 'trial.py', 'trial_views.py'}

# Han characters in a sentence and between two stops; words in a sentence
MOST_IN_SENTENCE, MOST_IN_CLAUSE, MOST_WORDS = 36, 22, 25
ZH_SENTENCE = re.compile(r'[。！？；：\n]')
ZH_CLAUSE = re.compile(r'[。！？；：\n，、（）“”《》]')
EN_SENTENCE = re.compile(r'(?<=[.!?;:])\s+|\n')
HAN = re.compile(r'[\u4e00-\u9fff]')

# Beyond the 3,755 common characters of GB/T 2312, level 1: places, and 浏览, which phones say
KNOWN_CHARACTERS = frozenset('浒庵崇浏')

OFFICIALESE = {
    'zh': (
        r'予以|加以|上述|兹|特此|逾期|届时|知悉|切实|落实|贯彻|遵循|鉴于|本着|为此|敬请|烦请|务必|填报|'
        r'方可|即可|如需|若(?!干)|诸如|凡|恕|无误|妥善|悉数|是否|(?<!平)均(?!值)|'
        r'进行(?!的|。|$)|不得(?!影响|占用)'
    ),
    'en': (
        r'\b(?:utili[sz]e|pursuant|hereby|herewith|whereby|thereof|therein|prior to|in order to|'
        r'in accordance with|with regard to|in respect of|commence|terminate|aforementioned|'
        r'notwithstanding|furthermore|subsequent(?:ly)?|facilitate|endeavour|ascertain|shall)\b|'
        r'\b(?:e\.g\.|i\.e\.)'
    ),
}


@cache
def catalogue() -> Mapping[str, str]:
    with CATALOGUE.open('rb') as file:
        found = read_po(file)
    return {str(message.id): str(message.string) for message in found if message.id}


def said_in_code() -> Iterator[str]:
    """The source texts of all that residents’ rooms say."""
    for room in TEMPLATES:
        for path in (ROOT / 'templates' / room).glob('*.html'):
            if path.name not in STAFF_PAGES.get(room, ()):
                yield from extracted('jinja2.ext.babel_extract', path)
    for room in ROOMS:
        folder = ROOT / 'cixi_survey' / room
        modules = folder.glob('*.py') if folder.is_dir() else [folder.with_suffix('.py')]
        for path in modules:
            if path.name not in STAFF_MODULES:
                yield from extracted('python', path)


def extracted(method: str, path: Path) -> Iterator[str]:
    for _line, message, _comments, _context in extract_from_file(method, path, KEYWORDS):
        yield message if isinstance(message, str) else message[0]


def asked() -> Iterator[Mapping[str, str]]:
    """Every text of a shipped questionnaire or library that residents read."""
    for folder in ('surveys', 'surveys/library', 'surveys/templates'):
        for path in (ROOT / folder).glob('*.yaml'):
            yield from localised(source.read(path.read_text('utf-8')).data)


def localised(data: object) -> Iterator[Mapping[str, str]]:
    if isinstance(data, Mapping):
        if set(data) == {'zh', 'en'}:
            yield {name: str(text) for name, text in data.items()}
            return
        for name, value in data.items():
            if name not in {'indicators', 'source', 'note'}:  # for those who evaluate
                yield from localised(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from localised(value)


def texts(language: str) -> set[str]:
    found = {text[language] for text in asked()}
    said = set(said_in_code())
    return found | ({catalogue().get(text, '') for text in said} if language == 'zh' else said)


def pieces(text: str, at: re.Pattern[str]) -> list[str]:
    return [piece.strip() for piece in at.split(text) if piece.strip()]


def long_sentences(text: str) -> list[str]:
    return [each for each in pieces(text, ZH_SENTENCE) if len(HAN.findall(each)) > MOST_IN_SENTENCE]


def long_clauses(text: str) -> list[str]:
    return [each for each in pieces(text, ZH_CLAUSE) if len(HAN.findall(each)) > MOST_IN_CLAUSE]


def rare_characters(text: str) -> list[str]:
    """Han characters outside of level 1 of GB/T 2312 (rows 16 to 55, first byte B0 to D7)."""
    codes = {each: each.encode('gb2312', 'replace')[0] for each in HAN.findall(text)}
    return [
        each
        for each, code in codes.items()
        if not 0xB0 <= code <= 0xD7 and each not in KNOWN_CHARACTERS
    ]


def long_english(text: str) -> list[str]:
    return [each for each in pieces(text, EN_SENTENCE) if len(each.split()) > MOST_WORDS]


def office(language: str) -> Callable[[str], list[str]]:
    pattern = re.compile(OFFICIALESE[language], re.IGNORECASE)
    return lambda text: [found[0] for found in pattern.finditer(text)]


RULES: list[tuple[str, str, Callable[[str], list[str]]]] = [
    ('zh', f'a sentence of more than {MOST_IN_SENTENCE} characters', long_sentences),
    ('zh', f'more than {MOST_IN_CLAUSE} characters without a stop', long_clauses),
    ('zh', 'characters that not everybody knows', rare_characters),
    ('zh', 'a word of an office', office('zh')),
    ('en', f'a sentence of more than {MOST_WORDS} words', long_english),
    ('en', 'a word of an office', office('en')),
]


@pytest.mark.parametrize(('language', 'fault', 'find'), RULES)
def test_what_residents_read_is_plain(
    language: str, fault: str, find: Callable[[str], list[str]]
) -> None:
    found = {text: faults for text in texts(language) if (faults := find(text))}
    told = '\n'.join(f'{faults} in: {text}' for text, faults in sorted(found.items()))
    assert not found, f'{fault}:\n{told}'


def test_residents_texts_are_found() -> None:
    assert len(texts('zh')) > 700
    assert '愿意参加吗？' not in texts('zh')  # of a fixture
    assert '请填一个数字。' in texts('zh')


@pytest.mark.parametrize(
    ('find', 'text'),
    [
        (long_sentences, '为了' * 20),
        (long_clauses, '这是一个没有停顿而且很长很长很长很长很长的句子吗'),
        (rare_characters, '龃龉'),
        (office('zh'), '请予以配合'),
        (long_english, 'word ' * 30),
        (office('en'), 'Prior to sending, read this.'),
    ],
)
def test_what_is_not_plain_is_found(find: Callable[[str], list[str]], text: str) -> None:
    assert find(text)
