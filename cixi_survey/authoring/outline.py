"""The outline beside the forms of the editor: what there is, in order, and where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from cixi_survey.authoring import wording
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire.source import Data


@dataclass(frozen=True)
class Entry:
    """One part: how it is called, its kind of question if it is one, how much is wrong in it."""

    part: Part
    text: str
    type: str = ''
    faults: int = 0
    inner: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Outline:
    """The parts as an author looks for them."""

    general: Entry
    sections: tuple[Entry, ...]
    lists: tuple[Entry, ...]
    screening: Entry
    indicators: tuple[Entry, ...]


def of(reading: Reading) -> Outline:
    """The outline of a draft."""
    faults: dict[Part, int] = {}
    for fault in reading.faults:
        faults[fault.part] = faults.get(fault.part, 0) + 1

    def entry(part: Part, text: str, type_: str = '', inner: tuple[Entry, ...] = ()) -> Entry:
        return Entry(part, text, type_, faults.get(part, 0), inner)

    sections = tuple(
        entry(
            part,
            words(reading, section.get('title')) or str(section.get('name', '')),
            inner=tuple(
                entry(each, label(reading, question), str(question.get('type', '')))
                for each, question in reading.questions
                if each.path[:2] == part.path
            ),
        )
        for part, section in reading.sections
    )
    return Outline(
        entry(Part('general', ()), ''),
        sections,
        tuple(entry(part, str(part.path[1])) for part in reading.lists),
        entry(Part('screening', ('screening',)), ''),
        tuple(
            entry(part, words(reading, each.get('label')) or str(each.get('name', '')))
            for part, each in reading.indicators
        ),
    )


def words(reading: Reading, texts: Data) -> str:
    """A text in the default language, or in the first that has one."""
    if not isinstance(texts, dict):
        return texts.strip() if isinstance(texts, str) else ''
    ordered = [texts.get(language) for language in reading.languages] + list(texts.values())
    return next((each.strip() for each in ordered if isinstance(each, str) and each.strip()), '')


def label(reading: Reading, question: Mapping[str, Data]) -> str:
    """What a question is called in lists: its wording, or its name."""
    return words(reading, question.get('label')) or str(question.get('name', ''))


def name_of(reading: Reading, part: Part) -> str:
    """What a part is called, in the reader's language."""
    if part.kind == 'general':
        return str(_('General and privacy notice'))
    if part.kind == 'screening':
        return str(_('Ending early'))
    if part.kind == 'list':
        return str(_('Answers “%(name)s”', name=part.path[1]))
    found = reading.value(part.path)
    if isinstance(found, dict):
        return words(reading, found.get('label') or found.get('title')) or part.key
    return part.key


def subject(reading: Reading, text: str) -> str:
    """What a save was about: ``question/age`` by the wording of now, a language by its name."""
    kind, _slash, key = text.partition('/')
    if kind == 'translations':
        return wording.language_name(key)
    part = reading.part(kind, key)
    return name_of(reading, part) if part else key or kind
