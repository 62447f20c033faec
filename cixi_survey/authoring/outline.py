"""The outline beside the forms of the editor: what there is, in order, and where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from cixi_survey import i18n
from cixi_survey.authoring import wording
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.languages import NO_LANGUAGE
from cixi_survey.questionnaire.source import Data

Words = Mapping[str, str]
"""What somebody wrote, by language, for the filter ``marked``."""


@dataclass(frozen=True)
class Entry:
    """One part: what it says of itself, its kind of question if it is one, how much is wrong."""

    part: Part
    text: Words
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

    def entry(part: Part, text: Words, type_: str = '', inner: tuple[Entry, ...] = ()) -> Entry:
        return Entry(part, text, type_, faults.get(part, 0), inner)

    sections = tuple(
        entry(
            part,
            words(reading, section.get('title')),
            inner=tuple(
                entry(each, words(reading, question.get('label')), str(question.get('type', '')))
                for each, question in reading.questions
                if each.path[:2] == part.path
            ),
        )
        for part, section in reading.sections
    )
    return Outline(
        entry(Part('general', ()), {}),
        sections,
        tuple(entry(part, unspoken(part.path[1])) for part in reading.lists),
        entry(Part('screening', ('screening',)), {}),
        tuple(entry(part, words(reading, each.get('label'))) for part, each in reading.indicators),
    )


def words(reading: Reading, texts: Data) -> Words:
    """What an author wrote, by language, the default one first; empty when nothing is there."""
    if not isinstance(texts, dict):
        return unspoken(texts)
    ordered = dict.fromkeys([*reading.languages, *texts])
    written = {language: texts.get(language) for language in ordered}
    return {
        language: text.strip()
        for language, text in written.items()
        if isinstance(text, str) and text.strip()
    }


def unspoken(code: object) -> Words:
    """A name or code, which is the same in every language; empty when there is none."""
    text = code.strip() if isinstance(code, str) else ''
    return {NO_LANGUAGE: text} if text else {}


def _spoken(text: str) -> Words:
    """What is in the reader's language already."""
    return {i18n.language(): text}


def label(reading: Reading, question: Mapping[str, Data]) -> Words:
    """What a question is called in lists: its wording, or its name."""
    return words(reading, question.get('label')) or unspoken(question.get('name'))


def row_label(reading: Reading, question: Mapping[str, Data], row: Mapping[str, Data]) -> Words:
    """What a row of a grid is called in lists: the question and the row."""
    whole, own = label(reading, question), words(reading, row.get('label'))
    shared = {each: f'{whole[each]} · {own[each]}' for each in whole if each in own}
    return shared or own or unspoken(row.get('name'))


def answer_label(reading: Reading, option: Mapping[str, Data]) -> Words:
    """What an answer is called in lists: its wording, or its value."""
    return words(reading, option.get('label')) or unspoken(str(option.get('value', '')))


def title_of(reading: Reading) -> Words:
    """What the questionnaire is called."""
    return words(reading, reading.value(('title',)))


def name_of(reading: Reading, part: Part) -> Words:
    """What a part is called: by its author, or in the reader's language."""
    if part.kind == 'general':
        return _spoken(_('General and privacy notice'))
    if part.kind == 'screening':
        return _spoken(_('Ending early'))
    if part.kind == 'list':
        return _spoken(_('Answers “%(name)s”', name=part.path[1]))
    found = reading.value(part.path)
    if isinstance(found, dict):
        return words(reading, found.get('label') or found.get('title')) or unspoken(part.key)
    return unspoken(part.key)


def shortened(text: Words, most: int) -> Words:
    """The words cut off after so many characters."""
    return {
        language: each if len(each) <= most else f'{each[:most].rstrip()}…'
        for language, each in text.items()
    }


def subject(reading: Reading, text: str) -> Words:
    """What a save was about: ``question/age`` by the wording of now, a language by its name."""
    kind, _slash, key = text.partition('/')
    if kind == 'translations':
        return _spoken(wording.language_name(key))
    part = reading.part(kind, key)
    return name_of(reading, part) if part else unspoken(key or kind)
