"""The question library as staff see it: banks and published questions, and where each was used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from cixi_survey import versions
from cixi_survey.authoring.reading import Reading
from cixi_survey.errors import Problem, ProblemsFound
from cixi_survey.models import QuestionnaireVersion, Wave
from cixi_survey.questionnaire import definition, editing, library, references
from cixi_survey.questionnaire.compare import Change, compare
from cixi_survey.questionnaire.library import Item
from cixi_survey.questionnaire.model import Questionnaire
from cixi_survey.questionnaire.source import Data

SHIPPED = versions.FOLDER / 'library'
ASKED = 'asked'
KNOWLEDGE = 'knowledge'
"""Beside the types of questions: those with a right answer."""


@dataclass(frozen=True)
class Book:
    """A question of the library with the versions and the waves that asked it."""

    item: Item
    bank: str
    """The bank that it is from, empty when it is only known from a published version."""
    versions: tuple[QuestionnaireVersion, ...]
    waves: tuple[Wave, ...]


@dataclass(frozen=True)
class Shelf:
    """The whole library; ``faulty`` are bank files that cannot be used, with their problems."""

    books: tuple[Book, ...]
    homes: tuple[tuple[str, dict[str, str]], ...]
    """The banks and, as ``bank/topic``, their topics, with what each is called."""
    faulty: tuple[tuple[str, tuple[Problem, ...]], ...]

    def find(self, key: str) -> Book | None:
        """The question with this key."""
        return next((book for book in self.books if book.item.key == key), None)


def load(session: Session, folders: Sequence[Path]) -> Shelf:
    """Every question of the banks in ``folders`` and of the published versions, each once."""
    banks, faulty = [], []
    for path in sorted(path for folder in folders for path in folder.glob('*.yaml')):
        try:
            banks.append(_bank(path, path.stat().st_mtime_ns))
        except ProblemsFound as refused:
            faulty.append((path.name, refused.problems))
    used: dict[str, list[QuestionnaireVersion]] = {}
    asked: list[Item] = []
    published = versions.every(session)
    waves = {version.sha256: versions.waves_of(session, version.sha256) for version in published}
    for version in published:
        items = library.items_of(definition.from_canonical(version.definition), version.name)
        asked += items
        for key in {item.key for item in items}:
            used.setdefault(key, []).append(version)
    home = {item.key: bank.name for bank in reversed(banks) for item in bank.items}
    found = library.distinct([*(item for bank in banks for item in bank.items), *asked])
    books = [
        Book(
            item,
            home.get(item.key, ''),
            tuple(used.get(item.key, ())),
            tuple(wave for version in used.get(item.key, ()) for wave in waves[version.sha256]),
        )
        for item in found
    ]
    homes: dict[str, dict[str, str]] = {}
    for bank in banks:
        homes[bank.name] = bank.title
        homes |= {f'{bank.name}/{item.topic.name}': item.topic.title for item in bank.items}
    return Shelf(tuple(books), tuple(homes.items()), tuple(faulty))


@lru_cache(maxsize=64)
def _bank(path: Path, changed: int) -> library.Bank:
    del changed  # part of the key: a file that was changed is read anew
    problems = library.check_file(path)
    if problems:
        raise ProblemsFound(problems)
    text = path.read_text(encoding='utf-8-sig')
    return library.load(text, filename=path.name)


def chosen(
    books: Iterable[Book], *, words: str = '', kind: str = '', home: str = ''
) -> tuple[Book, ...]:
    """The books that say ``words``, are of a type (or ``knowledge``), and are from ``home``.

    That is a bank, a topic of one (``bank/topic``), or ``asked``: asked in a published version.
    """
    return tuple(
        book
        for book in books
        if book.item.says(words) and _is_of(book, kind) and _is_from(book, home)
    )


def _is_of(book: Book, kind: str) -> bool:
    return not kind or (
        book.item.is_knowledge if kind == KNOWLEDGE else kind == book.item.question.type
    )


def _is_from(book: Book, home: str) -> bool:
    if home == ASKED:
        return bool(book.versions)
    return not home or home in (book.bank, f'{book.bank}/{book.item.topic.name}')


# --- a question of a draft ------------------------------------------------------------------------


@dataclass(frozen=True)
class Asking:
    """A published version that asked a question: with which waves, and how it was different."""

    version: QuestionnaireVersion
    waves: tuple[Wave, ...]
    same: bool
    """Whether it was asked in the same words with the same answers."""
    changes: tuple[Change, ...]


def asked(session: Session, now: Questionnaire, item: Item) -> tuple[Asking, ...]:
    """The versions, the latest first, that asked a question of ``now`` or one of its name."""
    found = []
    for version in versions.every(session):
        before = definition.from_canonical(version.definition)
        items = library.items_of(before, version.name)
        same = any(each.key == item.key for each in items)
        if not same and all(each.question.name != item.question.name for each in items):
            continue
        changes = next(
            change.changes
            for change in compare(before, now).questions
            if change.new is not None and change.new.question.name == item.question.name
        )
        waves = tuple(versions.waves_of(session, version.sha256))
        found.append(Asking(version, waves, same, changes))
    return tuple(found)


# --- into a draft ---------------------------------------------------------------------------------


def put(reading: Reading, item: Item, section: int) -> tuple[str, str]:
    """The file of a draft with the question at the end of a section, and the name it has there.

    A name that is taken gets a number; a list that the draft has already is referred to by name.
    Raises KeyError when there is no such section.
    """
    part = item.data(reading.languages)
    taken = {name for _path, each in references.questions(dict(reading.data))
             for name in (str(each.get('name')), *references.variables(each))}  # fmt: skip
    renamed(part, taken)
    lists = reading.data.get('options')
    for name, options in (lists if isinstance(lists, dict) else {}).items():
        if options == part.get('options'):
            part['options'] = name
    questions = reading.value(('sections', section, 'questions'))
    if reading.value(('sections', section)) is None:
        raise KeyError(section)
    end = len(questions) if isinstance(questions, list) else 0
    text = editing.insert(reading.text, ('sections', section, 'questions', end), part)
    return text, str(part['name'])


def renamed(part: dict[str, Data], taken: set[str]) -> dict[str, Data]:
    """The question with a number behind each of its names that is taken."""
    part['name'] = _unused(str(part['name']), taken)
    rows = part.get('rows')
    for row in rows if isinstance(rows, list) else ():
        assert isinstance(row, dict)  # by the model
        row['name'] = _unused(str(row['name']), taken)
    return part


def _unused(name: str, taken: set[str]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f'{name[:28]}_{number}'
    taken.add(found)
    return found
