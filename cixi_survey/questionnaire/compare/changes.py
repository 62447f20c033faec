"""What is different between two versions, question by question and option by option."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.compare.wording import TextChange, text_changes
from cixi_survey.questionnaire.model import Option, Question, Questionnaire, Row, Section

Texts = Mapping[str, str]
Status = Literal['added', 'removed', 'changed', 'same']
EntryKind = Literal['added', 'removed', 'text', 'moved', 'code', 'apart', 'not_apart']


@dataclass(frozen=True)
class EntryChange:
    """A change of one option of a list, or of one row of a grid.

    ``name`` is the value or name as it is now (or was, if it is gone); ``before`` the one it had,
    where only that is different (``code``).
    """

    kind: EntryKind
    name: str
    label: Texts
    texts: tuple[TextChange, ...] = ()
    before: str = ''


@dataclass(frozen=True)
class Change:
    """One thing that is different in a question, or in what stands around the questions.

    ``kind`` is the key of the format that differs.  What differs is in ``texts`` (by language), in
    ``entries`` (options, rows) or in ``old`` and ``new`` as they are written, empty for not there.
    """

    kind: str
    texts: tuple[TextChange, ...] = ()
    entries: tuple[EntryChange, ...] = ()
    old: str = ''
    new: str = ''


@dataclass(frozen=True)
class Asked:
    """A question of one version with its place: the how-manieth, in which section."""

    number: int
    section: Section
    question: Question
    options: tuple[Option, ...]


@dataclass(frozen=True)
class QuestionChange:
    """A question in both versions, or in one of them.

    ``moved`` when it stands elsewhere among the questions that both have; a question that got
    another name has a change of kind ``name``.
    """

    status: Status
    old: Asked | None
    new: Asked | None
    moved: bool = False
    changes: tuple[Change, ...] = ()

    @property
    def question(self) -> Question:
        """The question as it is now, or as it was."""
        asked = self.new or self.old
        assert asked is not None  # it is in one of the versions
        return asked.question


@dataclass(frozen=True)
class SectionChange:
    """A section that is not the same in both versions."""

    status: Status
    section: Section
    changes: tuple[Change, ...] = ()


# --- what stands around the questions -------------------------------------------------------------


def head(old: Questionnaire, new: Questionnaire) -> tuple[Change, ...]:
    """What differs in title, introduction, notice, time, languages and screening."""
    found = [
        _texts('title', old.title, new.title),
        _texts('introduction', old.introduction, new.introduction),
        _texts('notice', old.notice.text, new.notice.text),
        _plain('notice_version', old.notice.version, new.notice.version),
        _plain('minutes', old.minutes, new.minutes),
        _plain('languages', ' '.join(old.languages), ' '.join(new.languages)),
        _plain('screening', _rules(old), _rules(new)),
    ]
    return tuple(change for change in found if change is not None)


def _rules(questionnaire: Questionnaire) -> str:
    return '\n'.join(f'{condition(rule.when)} → {rule.outcome}' for rule in questionnaire.screening)


def condition(text: str | None) -> str:
    """A condition in its one spelling, so that blanks and brackets make no difference."""
    return str(expressions.parse(text)) if text else ''


def sections(old: Questionnaire, new: Questionnaire) -> tuple[SectionChange, ...]:
    """The sections that are not the same, by their names, in the order of ``new``."""
    before = {section.name: section for section in old.sections}
    found = []
    for section in new.sections:
        earlier = before.pop(section.name, None)
        if earlier is None:
            found.append(SectionChange('added', section))
            continue
        changes = [
            _texts('title', earlier.title, section.title),
            _texts('introduction', earlier.introduction, section.introduction),
        ]
        if any(changes):
            found.append(SectionChange('changed', section, tuple(filter(None, changes))))
    return (*found, *(SectionChange('removed', section) for section in before.values()))


# --- questions ------------------------------------------------------------------------------------


def asked(questionnaire: Questionnaire) -> tuple[Asked, ...]:
    """Every question with its place."""
    pairs = [(section, one) for section in questionnaire.sections for one in section.questions]
    return tuple(
        Asked(number, section, question, questionnaire.options_of(question))
        for number, (section, question) in enumerate(pairs, 1)
    )


def matched(old: Questionnaire, new: Questionnaire) -> dict[str, str]:
    """For each question of ``new`` that was in ``old``: its name then.

    By name; and a question without a namesake is the one that asked the very same.
    """
    before = {each.question.name: each for each in asked(old)}
    after = {each.question.name: each for each in asked(new)}
    found = {name: name for name in after if name in before}
    gone = {_identity(each): name for name, each in before.items() if name not in after}
    for name, each in after.items():
        if name not in found and _identity(each) in gone:
            found[name] = gone.pop(_identity(each))
    return found


def _identity(each: Asked) -> str:
    """What a question asks, whatever it is called."""
    rows = [tuple(row.label.items()) for row in each.question.rows]
    options = [(option.value, tuple(option.label.items())) for option in each.options]
    return repr((each.question.type, tuple(each.question.label.items()), rows, options))


def questions(old: Questionnaire, new: Questionnaire) -> tuple[QuestionChange, ...]:
    """Every question of both versions, in the order of ``new``; see ``Comparison``."""
    before = {each.question.name: each for each in asked(old)}
    after = {each.question.name: each for each in asked(new)}
    names = matched(old, new)
    stay = _in_order([before[name].number for name in names.values()])
    moved = {name for name, stays in zip(names, stay, strict=True) if not stays}
    found = []
    for name, each in after.items():
        if name not in names:
            found.append(QuestionChange('added', None, each))
            continue
        earlier = before[names[name]]
        changes = _question(earlier, each)
        status: Status = 'changed' if changes or name in moved else 'same'
        found.append(QuestionChange(status, earlier, each, name in moved, changes))
    gone = [each for name, each in before.items() if name not in names.values()]
    return tuple(_with_gone(found, gone))


def _with_gone(found: list[QuestionChange], gone: Sequence[Asked]) -> list[QuestionChange]:
    """Put each question that is gone behind the one that it stood behind."""
    for each in gone:
        places = [
            place
            for place, change in enumerate(found, 1)
            if change.old and change.old.number < each.number and not change.moved
        ]
        found.insert(max(places, default=0), QuestionChange('removed', each, None))
    return found


def _in_order(numbers: Sequence[int]) -> list[bool]:
    """Which of the numbers belong to a longest rising series: the others have moved."""
    tails: list[int] = []
    lengths = []
    for number in numbers:
        length = bisect_left(tails, number)
        tails[length : length + 1] = [number]
        lengths.append(length)
    stays = [False] * len(numbers)
    wanted, below = len(tails) - 1, max(numbers, default=0) + 1
    for place in range(len(numbers) - 1, -1, -1):
        if lengths[place] == wanted and numbers[place] < below:
            stays[place], wanted, below = True, wanted - 1, numbers[place]
    return stays


def _question(old: Asked, new: Asked) -> tuple[Change, ...]:
    before, after = old.question, new.question
    found = [
        _plain('name', before.name, after.name),
        _plain('section', old.section.name, new.section.name),
        _plain('type', before.type, after.type),
        _texts('label', before.label, after.label),
        _texts('hint', before.hint, after.hint),
        _entries('options', entries(old.options), entries(new.options)),
        _entries('rows', entries(before.rows), entries(after.rows)),
        _plain('required', _yes(before.required), _yes(after.required)),
        _plain('relevant', condition(before.relevant), condition(after.relevant)),
        _plain('constraint', condition(before.constraint), condition(after.constraint)),
        _texts('constraint_message', before.constraint_message, after.constraint_message),
        _plain('max_length', before.max_length or '', after.max_length or ''),
        _plain('right', _several(before.right), _several(after.right)),
        _plain('attention', before.attention or '', after.attention or ''),
        _texts('explanation', before.explanation, after.explanation),
        _plain('source', before.source or '', after.source or ''),
        _plain('secret', _yes(before.secret), _yes(after.secret)),
    ]
    return tuple(change for change in found if change is not None)


def _yes(value: bool) -> str:
    return 'true' if value else ''


def _several(right: str | tuple[str, ...] | None) -> str:
    return right if isinstance(right, str) else ' '.join(sorted(right or ()))


def _texts(kind: str, old: Texts | None, new: Texts | None) -> Change | None:
    found = text_changes(old, new)
    return Change(kind, texts=found) if found else None


def _plain(kind: str, old: object, new: object) -> Change | None:
    return Change(kind, old=str(old), new=str(new)) if old != new else None


# --- options and rows -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """An option or a row, as far as they are alike."""

    name: str
    label: Texts
    apart: bool


def entries(parts: Sequence[Option] | Sequence[Row]) -> tuple[Entry, ...]:
    """Options or rows as entries."""
    return tuple(
        Entry(part.value, part.label, part.apart)
        if isinstance(part, Option)
        else Entry(part.name, part.label, False)
        for part in parts
    )


def paired(old: Sequence[Entry], new: Sequence[Entry]) -> dict[str, str]:
    """For each entry of ``new`` that was in ``old``: its name then, by name or by its words."""
    before = {each.name: each for each in old}
    found = {each.name: each.name for each in new if each.name in before}
    gone = {tuple(each.label.items()): each.name for each in old if each.name not in found.values()}
    for each in new:
        words = tuple(each.label.items())
        if each.name not in found and words in gone:
            found[each.name] = gone.pop(words)
    return {each.name: found[each.name] for each in new if each.name in found}


def _entries(kind: str, old: Sequence[Entry], new: Sequence[Entry]) -> Change | None:
    found = entry_changes(old, new)
    return Change(kind, entries=found) if found else None


def entry_changes(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[EntryChange, ...]:
    """What differs between two lists of options, or the rows of two grids."""
    before = {each.name: each for each in old}
    places = {each.name: place for place, each in enumerate(old)}
    pairs = paired(old, new)
    stay = _in_order([places[name] for name in pairs.values()])
    moved = {name for name, stays in zip(pairs, stay, strict=True) if not stays}
    found: list[EntryChange] = []
    for each in new:
        if each.name not in pairs:
            found.append(EntryChange('added', each.name, each.label))
            continue
        earlier = before[pairs[each.name]]
        texts = text_changes(earlier.label, each.label)
        if texts:
            found.append(EntryChange('text', each.name, each.label, texts))
        if earlier.name != each.name:
            found.append(EntryChange('code', each.name, each.label, before=earlier.name))
        if earlier.apart != each.apart:
            kind: EntryKind = 'apart' if each.apart else 'not_apart'
            found.append(EntryChange(kind, each.name, each.label))
        if each.name in moved:
            found.append(EntryChange('moved', each.name, each.label))
    gone = [each for each in old if each.name not in pairs.values()]
    return (*found, *(EntryChange('removed', each.name, each.label) for each in gone))
