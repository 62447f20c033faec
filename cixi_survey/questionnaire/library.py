"""The question library: questions ready to be asked, with topic, source, key and explanation.

A bank file has the form of a questionnaire with ``topics`` in place of ``sections`` and without
what surrounds the questions of an interview; it is checked by the same checks.  A question is the
same question wherever it asks the same in the same words with the same answers, whatever it is
called: that is its ``key``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path as FilePath

from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire import definition, source
from cixi_survey.questionnaire.model import Option, Question, Questionnaire, Section
from cixi_survey.questionnaire.source import Data, Path, Place, Source

KEYS = ('format', 'name', 'languages', 'title', 'options', 'topics')


@dataclass(frozen=True)
class Item:
    """A question of the library with the answers it offers.

    ``home`` names the bank, or the questionnaire, that it is from; ``topic`` its topic or section.
    """

    home: str
    topic: Section
    question: Question
    options: tuple[Option, ...]
    languages: tuple[str, ...]

    @cached_property
    def key(self) -> str:
        """What names this question: the same for the same wording, rows and answers."""
        asks = {
            'type': self.question.type,
            'label': self.question.label,
            'rows': [row.label for row in self.question.rows],
            'options': [[option.label, option.apart] for option in self.options],
        }
        text = json.dumps(asks, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def is_knowledge(self) -> bool:
        """Whether there is a right answer."""
        return self.question.right is not None

    def says(self, words: str) -> bool:
        """Whether each of the words is found in the question, its answers, key or source."""
        question = self.question
        labels = [row.label for row in question.rows]
        labels += [option.label for option in self.options]
        texts = [
            *(text for label in (question.label, *labels) for text in label.values()),
            *(question.hint or {}).values(),
            *(question.explanation or {}).values(),
            *self.topic.title.values(),
            question.name,
            question.source or '',
        ]
        found = '\n'.join(texts).casefold()
        return all(word in found for word in words.casefold().split())

    def data(self, languages: Sequence[str]) -> dict[str, Data]:
        """The question as a questionnaire file says it, with its answers written out.

        Texts are those of ``languages``; what the library does not have is left out, so that the
        checks ask for it.
        """
        part = self.question.model_dump(mode='json', exclude_defaults=True)
        if self.options:
            part['options'] = [
                option.model_dump(mode='json', exclude_defaults=True) for option in self.options
            ]
        part.pop('relevant', None)
        spoken = _spoken(part, languages)
        assert isinstance(spoken, dict)  # as the part is
        return spoken


_TEXTS = frozenset({'label', 'hint', 'constraint_message', 'explanation'})


def _spoken(value: Data, languages: Sequence[str], key: str = '') -> Data:
    """The value with its texts in some languages only."""
    if isinstance(value, list):
        return [_spoken(each, languages) for each in value]
    if not isinstance(value, dict):
        return value
    if key in _TEXTS:
        return {language: value[language] for language in languages if language in value}
    return {name: _spoken(each, languages, name) for name, each in value.items()}


@dataclass(frozen=True)
class Bank:
    """One file of the library."""

    name: str
    title: dict[str, str]
    items: tuple[Item, ...]


def load(text: str, *, filename: str = '') -> Bank:
    """Read a bank file; raises ProblemsFound with every fault and its line."""
    bank, problems = _read(text, filename)
    if bank is None or problems:
        raise ProblemsFound(problems)
    return bank


def check(text: str, *, filename: str = '') -> tuple[Problem, ...]:
    """All faults of a bank file, in the order of its lines."""
    return _read(text, filename)[1]


def check_file(path: FilePath) -> tuple[Problem, ...]:
    """All faults of the file at ``path``: a bank if it has topics, else a questionnaire."""
    try:
        text = path.read_text(encoding='utf-8-sig')
    except (OSError, UnicodeDecodeError):
        return definition.check_file(path)
    faults = check if is_bank(text) else definition.check_text
    return faults(text, filename=str(path))


def is_bank(text: str) -> bool:
    """Whether a file means to be a bank: it has topics."""
    data = source.read(text).data
    return isinstance(data, dict) and 'topics' in data


def _read(text: str, filename: str) -> tuple[Bank | None, tuple[Problem, ...]]:
    read = source.read(text)
    if not isinstance(read.data, dict):
        message = N_('This is not a file of the question library: “topics: …” is expected.')
        cure = N_('See docs/questionnaire.md for an example.')
        problems = read.problems or [Problem(filename, 'not_a_bank', message, cure, {}, 1, 1)]
        return None, tuple(problems)
    if not read.whole:
        return None, tuple(read.problems)
    foreign = [_foreign(key, read.place((key,), key=True)) for key in read.data if key not in KEYS]
    questionnaire, faults = definition.check_source(_interview(read))
    problems = sorted([*foreign, *faults], key=lambda one: (one.line or 0, one.column or 0))
    if questionnaire is None:
        return None, tuple(problems)
    items = items_of(questionnaire, questionnaire.name)
    return Bank(questionnaire.name, questionnaire.title, items), tuple(problems)


def _foreign(key: str, place: Place) -> Problem:
    message = N_('The key “%(key)s” is not known here.')
    cure = N_('Possible are: %(known)s')
    values = {'key': key, 'known': ', '.join(KEYS)}
    return Problem(key, 'unknown_key', message, cure, values, place.line, place.column)


def _interview(read: Source) -> Source:
    """The bank as a questionnaire: what an interview has beside its questions is supplied."""
    assert isinstance(read.data, dict)  # by the caller
    data: dict[str, Data] = {key: value for key, value in read.data.items() if key in KEYS}
    title = data.get('title', {})
    supplied: dict[str, Data] = {
        'introduction': title,
        'notice': {'version': '-', 'text': title},
        'minutes': 1,
    }
    if 'topics' in data:
        supplied['sections'] = data.pop('topics')
    return replace(
        read,
        data={**data, **supplied},
        values=_renamed(read.values),
        keys=_renamed(read.keys),
    )


def _renamed(places: dict[Path, Place]) -> dict[Path, Place]:
    return {
        ('sections', *path[1:]) if path[:1] == ('topics',) else path: place
        for path, place in places.items()
    }


def items_of(questionnaire: Questionnaire, home: str) -> tuple[Item, ...]:
    """Every question of a questionnaire as an item of the library."""
    return tuple(
        Item(home, section, question, questionnaire.options_of(question), questionnaire.languages)
        for section in questionnaire.sections
        for question in section.questions
    )


def distinct(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items without repetition, the first of each kept."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.key, item)
    return tuple(found.values())
