"""The door to questionnaires: load a file, check it, its stored form, the rules of its page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path as FilePath

from pydantic import ValidationError

from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire import expressions, schema, source, verify
from cixi_survey.questionnaire.model import (
    Indicator,
    Option,
    Question,
    Questionnaire,
    Section,
    Variable,
)
from cixi_survey.questionnaire.source import Path, Source

__all__ = (
    'Indicator',
    'Option',
    'Question',
    'Questionnaire',
    'Section',
    'Variable',
    'check_file',
    'check_source',
    'check_text',
    'from_canonical',
    'load',
    'load_file',
    'page_rules',
)


def load(text: str, *, filename: str = '') -> Questionnaire:
    """Read a questionnaire file; raises ProblemsFound with every fault and its line."""
    questionnaire, problems = _read(text, filename)
    if questionnaire is None or problems:
        raise ProblemsFound(problems)
    return questionnaire


def load_file(path: FilePath) -> Questionnaire:
    """Read a questionnaire from a path; raises ProblemsFound."""
    text, problems = _text(path)
    if problems:
        raise ProblemsFound(problems)
    return load(text, filename=str(path))


def check_text(text: str, *, filename: str = '') -> tuple[Problem, ...]:
    """All faults of a questionnaire file, in the order of its lines."""
    return _read(text, filename)[1]


def check_file(path: FilePath | str) -> tuple[Problem, ...]:
    """All faults of the file at ``path``, that it cannot be read included."""
    text, problems = _text(FilePath(path))
    return problems or check_text(text, filename=str(path))


@lru_cache(maxsize=64)
def from_canonical(text: str) -> Questionnaire:
    """The questionnaire of a stored canonical text, which was checked before it was stored."""
    return Questionnaire.model_validate_json(text)


def page_rules(questionnaire: Questionnaire) -> dict[str, object]:
    """What the page's script needs beside the labels: conditions as trees (see ``as_json``).

    ``variables`` has for each variable that has one: ``relevant``, ``constraint``, ``required``.
    A rule of ``screening`` is to be looked at only when every question in ``needs`` that is
    relevant has been answered.
    """
    variables: dict[str, dict[str, object]] = {}
    for variable in questionnaire.variables():
        question = variable.question
        rules: dict[str, object] = {}
        if question.relevant is not None:
            rules['relevant'] = expressions.parse(question.relevant).as_json()
        if question.constraint is not None:
            rules['constraint'] = expressions.parse(question.constraint).as_json()
        if question.required:
            rules['required'] = True
        if rules:
            variables[variable.name] = rules
    screening = []
    for rule in questionnaire.screening:
        condition = expressions.parse(rule.when)
        needs = sorted(condition.names())
        screening.append({'when': condition.as_json(), 'needs': needs, 'outcome': rule.outcome})
    return {'variables': variables, 'screening': screening}


def _text(path: FilePath) -> tuple[str, tuple[Problem, ...]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        values = {'file': str(path), 'reason': error.strerror or str(error)}
        message = N_('The file %(file)s cannot be read: %(reason)s.')
        return '', (Problem(str(path), 'unreadable', message, '', values),)
    try:
        return raw.decode('utf-8-sig'), ()
    except UnicodeDecodeError as error:
        line = raw.count(b'\n', 0, error.start) + 1
        column = error.start - (raw.rfind(b'\n', 0, error.start) + 1) + 1
        message = N_('The file is not written in UTF-8.')
        cure = N_('Save it as UTF-8 in your editor (not GBK or ANSI).')
        return '', (Problem(str(path), 'not_utf8', message, cure, {}, line, column),)


def _read(text: str, filename: str) -> tuple[Questionnaire | None, tuple[Problem, ...]]:
    read = source.read(text)
    if not isinstance(read.data, dict):
        message = N_('This is not a questionnaire: a mapping with “format: 1” is expected.')
        cure = N_('See docs/questionnaire.md for an example.')
        problems = read.problems or [
            Problem(filename, 'not_a_questionnaire', message, cure, {}, 1, 1)
        ]
        return None, tuple(problems)
    if not read.whole:
        return None, tuple(read.problems)
    return check_source(read)


def check_source(read: Source) -> tuple[Questionnaire | None, tuple[Problem, ...]]:
    """The questionnaire in data whose places are known, and all its faults in their order.

    There is none when the data are too faulty to be read as one.
    """
    questionnaire, faults = _validated(read)
    problems = [*read.problems, *(problem for _, problem in faults)]
    if questionnaire is not None:
        broken = {path for path, _ in faults}
        problems += (
            _placed(problem, path, offset, read)
            for path, offset, problem in verify.located(questionnaire)
            if not _follows(path, problem, broken)
        )
    problems.sort(key=lambda one: (one.sheet, one.line or 0, one.column or 0))
    return questionnaire, tuple(problems)


def _validated(read: Source) -> tuple[Questionnaire | None, list[tuple[Path, Problem]]]:
    try:
        return Questionnaire.model_validate(read.data), []
    except ValidationError as error:
        faults = schema.problems(error, read)
    try:
        return Questionnaire.model_validate(schema.repaired(read.data, faults)), faults
    except ValidationError:
        return None, faults


# Faults that say no more than that a name, a type or an option, itself reported, is unread.
_OPTION_FAULTS = frozenset(
    {
        *('unknown_list', 'no_options', 'unknown_option', 'unknown_value', 'duplicate_option'),
        *('right_not_an_option', 'attention_not_an_option', 'nothing_positive', 'score_missing'),
        *('unreachable', 'never_fires'),
    }
)
_TYPE_FAULTS = _OPTION_FAULTS | {
    *('item_type', 'type_mismatch', 'not_for_type', 'household_size_type', 'village_without_town'),
}
_NAME_FAULTS = frozenset(
    {
        *('unknown_reference', 'unknown_item', 'unknown_list', 'duplicate_name'),
        *('household_size_type', 'unreachable', 'never_fires'),
    }
)
_FOLLOWING = {
    'name': _NAME_FAULTS,
    'type': _TYPE_FAULTS,
    'value': _OPTION_FAULTS,
    'options': _OPTION_FAULTS,
}


def _follows(path: Path, problem: Problem, broken: set[Path]) -> bool:
    return any(
        path[: len(each)] == each or problem.code in _FOLLOWING.get(str(each[-1]), ())
        for each in broken
    )


def _placed(problem: Problem, path: Sequence[str | int], offset: int, read: Source) -> Problem:
    place = read.place(tuple(path))
    column = place.column + (offset if place.inline else 0)
    return Problem(
        problem.where,
        problem.code,
        problem.message,
        problem.cure,
        problem.values,
        place.line,
        column,
        place.sheet,
    )
