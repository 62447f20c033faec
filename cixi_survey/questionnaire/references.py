"""Where the parts of a questionnaire name each other, in a file that may have faults.

An author renames a question, an answer or a list in one place; what else names it has to follow.
Everything works on plain data as ``source.read`` gives it and takes any shape of it: what is not
as it should be names nothing.  The answers are changes for ``editing.put``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Set

from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.expressions import (
    Current,
    ExpressionError,
    Literal,
    Node,
    Operation,
    Reference,
)
from cixi_survey.questionnaire.source import Data, Path

_REFERENCE = re.compile(r'\$\{([a-z][a-z0-9_]*)\}')
_COMPARING = ('=', '!=', 'selected')


def entries(data: Data, *path: str) -> Iterator[tuple[int, Mapping[str, Data]]]:
    """The mappings in the list at ``path``, with their indices; none when there is no list."""
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    for index, each in enumerate(data if isinstance(data, list) else ()):
        if isinstance(each, dict):
            yield index, each


def questions(data: Data) -> Iterator[tuple[Path, Mapping[str, Data]]]:
    """Every question with its path, in the order of asking."""
    for s, section in entries(data, 'sections'):
        for q, question in entries(dict(section), 'questions'):
            yield ('sections', s, 'questions', q), question


def variables(question: Mapping[str, Data]) -> tuple[str, ...]:
    """The names under which a question's answers are kept: its own, or those of its rows."""
    if question.get('type') == 'grid':
        return tuple(str(row.get('name', '')) for _index, row in entries(dict(question), 'rows'))
    return (str(question.get('name', '')),)


def options(data: Data, question: Mapping[str, Data]) -> tuple[Mapping[str, Data], ...]:
    """The options of a question, its own or those of the list it names."""
    given = question.get('options')
    if isinstance(given, str):
        return tuple(each for _index, each in entries(data, 'options', given))
    return tuple(each for _index, each in entries(dict(question), 'options'))


def conditions(data: Data) -> Iterator[tuple[Path, str, tuple[str, ...]]]:
    """Every condition: its path, its text, and the variables that ``.`` stands for in it."""
    for path, question in questions(data):
        for key, own in (('relevant', ()), ('constraint', variables(question))):
            text = question.get(key)
            if isinstance(text, str):
                yield (*path, key), text, own
    for index, rule in entries(data, 'screening'):
        text = rule.get('when')
        if isinstance(text, str):
            yield ('screening', index, 'when'), text, ()


def uses(data: Data, names: Set[str]) -> list[Path]:
    """The paths of all conditions and indicators that name one of these variables."""
    found: list[Path] = []
    for path, text, _own in conditions(data):
        if any(f'${{{name}}}' in text for name in names):
            found.append(path)
    for index, indicator in entries(data, 'indicators'):
        if names & set(_words(indicator.get('items'))):
            found.append(('indicators', index, 'items'))
        if indicator.get('household_size') in names:
            found.append(('indicators', index, 'household_size'))
    return found


def follow(
    data: Data, variables: Mapping[str, str], values: Mapping[Path, Mapping[str, str]]
) -> dict[Path, Data]:
    """What has to follow when variables and values are renamed at once.

    ``variables`` goes from old to new names; ``values`` does so for each question or named list
    (see ``renamed_values``).
    """
    changes: dict[Path, Data] = {}
    working = copy.deepcopy(data)
    for where, renamed in values.items():
        changes |= _applied(working, renamed_values(working, where, renamed))
    return changes | _applied(working, renamed_variables(working, variables))


def _applied(data: Data, changes: dict[Path, Data]) -> dict[Path, Data]:
    for path, value in changes.items():
        parent = data
        for step in path[:-1]:
            parent = parent[step]  # type: ignore[index]
        parent[path[-1]] = value  # type: ignore[index]
    return changes


def renamed_variables(data: Data, renamed: Mapping[str, str]) -> dict[Path, Data]:
    """What has to follow when variables get other names."""
    changes: dict[Path, Data] = {}
    for path, text, _own in conditions(data):
        follows = _REFERENCE.sub(lambda found: f'${{{renamed.get(found[1], found[1])}}}', text)
        if follows != text:
            changes[path] = follows
    for index, indicator in entries(data, 'indicators'):
        words: list[Data] = list(_words(indicator.get('items')))
        new = [renamed.get(str(each), each) for each in words]
        if new != words:
            changes['indicators', index, 'items'] = new
        size = indicator.get('household_size')
        if isinstance(size, str) and size in renamed:
            changes['indicators', index, 'household_size'] = renamed[size]
    return changes


def renamed_list(data: Data, old: str, new: str) -> dict[Path, Data]:
    """What has to follow when the option list ``old`` is to be called ``new``."""
    return {(*path, 'options'): new for path, each in questions(data) if each.get('options') == old}


def renamed_values(data: Data, where: Path, renamed: Mapping[str, str]) -> dict[Path, Data]:
    """What has to follow when option values change: in keys, conditions and indicators.

    ``where`` is the path of the question that has the options, or of the named list.
    """
    changes: dict[Path, Data] = {}
    concerned: set[str] = set()
    for path, question in questions(data):
        if path != where and not (where[0] == 'options' and question.get('options') == where[1]):
            continue
        concerned.update(variables(question))
        for key in ('right', 'attention'):
            found = question.get(key)
            follows = _followed(found, renamed)
            if follows != found:
                changes[*path, key] = follows
    for path, text, own in conditions(data):
        follows = _condition(text, concerned, renamed, bool(concerned & set(own)))
        if follows != text:
            changes[path] = follows
    for index, indicator in entries(data, 'indicators'):
        changes |= _indicator(data, index, indicator, concerned, renamed)
    return changes


def _followed(found: Data, renamed: Mapping[str, str]) -> Data:
    if isinstance(found, list):
        return [_followed(each, renamed) for each in found]
    return renamed.get(str(found), found) if isinstance(found, str | int) else found


def _indicator(
    data: Data,
    index: int,
    indicator: Mapping[str, Data],
    concerned: Set[str],
    renamed: Mapping[str, str],
) -> dict[Path, Data]:
    items = set(_words(indicator.get('items')))
    if not items & concerned:
        return {}
    # Another question of the indicator may offer an answer of the same name, which stays.
    others = {
        str(option.get('value'))
        for _path, question in questions(data)
        if items & set(variables(question)) - concerned
        for option in options(data, question)
    }
    changes: dict[Path, Data] = {}
    positive = indicator.get('positive')
    if isinstance(positive, list):
        follows: list[Data] = []
        for each in positive:
            new = _followed(each, renamed)
            follows += [each, new] if new != each and str(each) in others else [new]
        if follows != positive:
            changes['indicators', index, 'positive'] = follows
    scores = indicator.get('scores')
    if isinstance(scores, dict) and set(scores) & set(renamed):
        kept = {key: score for key, score in scores.items() if key in others and key in renamed}
        changes['indicators', index, 'scores'] = {
            **{renamed.get(key, key): score for key, score in scores.items()},
            **kept,
        }
    return changes


def _words(found: Data) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def _condition(text: str, concerned: Set[str], renamed: Mapping[str, str], own: bool) -> str:
    """A condition with the values of the questions concerned renamed; faulty ones stay."""
    try:
        tree = expressions.parse(text).tree
    except ExpressionError:
        return text
    found = sorted(_compared(tree, concerned, own), key=lambda each: each.position, reverse=True)
    for literal in found:
        new = renamed.get(str(literal.value))
        if new is not None:
            end = literal.position + len(str(literal.value)) + 1
            text = f'{text[: literal.position + 1]}{new}{text[end:]}'
    return text


def _compared(tree: Node, concerned: Set[str], own: bool) -> Iterator[Literal]:
    """The texts with which the answer to one of these questions is compared."""
    for node in expressions.walk(tree):
        if not isinstance(node, Operation) or node.name not in _COMPARING:
            continue
        about = any(
            (isinstance(each, Reference) and each.name in concerned)
            or (own and isinstance(each, Current))
            for each in node.operands
        )
        for each in node.operands if about else ():
            if isinstance(each, Literal) and isinstance(each.value, str):
                yield each
