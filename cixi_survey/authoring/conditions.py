"""Conditions that can be put together by choosing: “only if this question has that answer”.

``simple`` reads a condition of that kind, ``written`` writes one; any other stays a text that
those who know the expressions write themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cixi_survey.authoring.outline import Words, answer_label, label, row_label
from cixi_survey.authoring.reading import Reading
from cixi_survey.questionnaire import expressions, references
from cixi_survey.questionnaire.expressions import (
    Current,
    ExpressionError,
    Literal,
    Node,
    Operation,
    Reference,
)
from cixi_survey.questionnaire.source import Path

ROWS_MOST = 8
_SIGNS = {'is': '=', 'is_not': '!=', 'at_least': '>=', 'at_most': '<='}
_OPS = {sign: op for op, sign in _SIGNS.items()}
NUMBER = re.compile(r'-?[0-9]{1,9}(\.[0-9]{1,6})?')


@dataclass(frozen=True)
class Row:
    """One comparison: a variable, how (a key of ``_SIGNS`` or ``answered``), with what."""

    variable: str
    op: str = 'is'
    value: str = ''


@dataclass(frozen=True)
class Simple:
    """Comparisons that must all hold (``and``) or of which one is enough (``or``)."""

    rows: tuple[Row, ...]
    join: str = 'and'


@dataclass(frozen=True)
class Choice:
    """A variable that a condition may look at: its wording, kind, answers as (value, wording)."""

    name: str
    text: Words
    kind: str
    options: tuple[tuple[str, Words], ...] = ()


def choices(
    reading: Reading, towns: Mapping[str, Words], before: Path | None = None
) -> Iterator[Choice]:
    """The variables in the order of asking, up to the question at ``before``."""
    for part, question in reading.questions:
        if part.path == before:
            return
        kind = str(question.get('type', ''))
        given = tuple(
            (str(each.get('value', '')), answer_label(reading, each))
            for each in references.options(dict(reading.data), question)
        )
        if kind == 'grid':
            for _index, row in references.entries(dict(question), 'rows'):
                text = row_label(reading, question, row)
                yield Choice(str(row.get('name', '')), text, 'single', given)
            continue
        kind = 'single' if kind == 'scale' else kind
        options = tuple(towns.items()) if kind == 'town' else given
        yield Choice(str(question.get('name', '')), label(reading, question), kind, options)


def simple(text: str) -> Simple | None:
    """A condition as comparisons, None when it is more than that."""
    try:
        tree = expressions.parse(text).tree
    except ExpressionError:
        return None
    join = tree.name if isinstance(tree, Operation) and tree.name in ('and', 'or') else 'and'
    rows = [_row(each) for each in _flat(tree, join)]
    found = tuple(row for row in rows if row is not None)
    return Simple(found, join) if len(found) == len(rows) <= ROWS_MOST else None


def written(simple: Simple, kinds: Mapping[str, str]) -> str:
    """The expression; ``kinds`` has the kind of each variable."""
    return f' {simple.join} '.join(
        _written(row, kinds.get(row.variable, 'single')) for row in simple.rows
    )


def is_complete(row: Row, kind: str) -> bool:
    """Whether there is something to compare with."""
    if row.op == 'answered':
        return True
    return bool(NUMBER.fullmatch(row.value) if kind == 'integer' else row.value)


def _flat(tree: Node, join: str) -> Sequence[Node]:
    if isinstance(tree, Operation) and tree.name == join:
        return [*_flat(tree.operands[0], join), *_flat(tree.operands[1], join)]
    return [tree]


def _row(node: Node) -> Row | None:
    match node:
        case Operation('selected', (Reference(variable), Literal(value))):
            return Row(variable, 'is', str(value))
        case Operation('not', (Operation('selected', (Reference(variable), Literal(value))),)):
            return Row(variable, 'is_not', str(value))
        case Operation('!=', (Reference(variable), Literal(''))):
            return Row(variable, 'answered')
        case Operation(sign, (Reference(variable), Literal(value))) if sign in _OPS:
            if isinstance(value, bool) or value == '':
                return None
            return Row(variable, _OPS[sign], _number(value))
    return None


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def _written(row: Row, kind: str) -> str:
    reference = f'${{{row.variable}}}'
    if row.op == 'answered':
        return f"{reference} != ''"
    if kind == 'integer' and NUMBER.fullmatch(row.value):
        return f'{reference} {_SIGNS[row.op]} {row.value}'
    mark = '"' if "'" in row.value else "'"
    value = f'{mark}{row.value}{mark}'
    if kind == 'multiple':
        selected = f'selected({reference}, {value})'
        return f'not({selected})' if row.op == 'is_not' else selected
    return f'{reference} {_SIGNS[row.op]} {value}'


# --- limits of an answer --------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """What an answer may be.

    ``mode`` is ``none``, ``range`` (a number from ``least`` to ``most``), ``most`` (that many
    answers at most), ``alone`` (the answer ``value`` excludes all others) or ``expression``.
    """

    mode: str
    least: str = ''
    most: str = ''
    value: str = ''


def limit(text: str) -> Limit:
    """A constraint as a limit that can be chosen, or as an expression."""
    if not text.strip():
        return Limit('none')
    try:
        tree = expressions.parse(text).tree
    except ExpressionError:
        return Limit('expression')
    match tree:
        case Operation(
            'and', (Operation('>=', (Current(), low)), Operation('<=', (Current(), up)))
        ) if _literal(low) and _literal(up):
            return Limit('range', _literal(low), _literal(up))
        case Operation('>=', (Current(), low)) if _literal(low):
            return Limit('range', _literal(low))
        case Operation('<=', (Current(), up)) if _literal(up):
            return Limit('range', '', _literal(up))
        case Operation('<=', (Operation('count-selected', (Current(),)), up)) if _literal(up):
            return Limit('most', most=_literal(up))
        case Operation(
            'not',
            (
                Operation(
                    'and',
                    (
                        Operation('selected', (Current(), Literal(str(value)))),
                        Operation('>', (Operation('count-selected', (Current(),)), Literal(1.0))),
                    ),
                ),
            ),
        ):
            return Limit('alone', value=value)
    return Limit('expression')


def limited(limit: Limit) -> str:
    """The constraint of a limit; empty when there is none or it is not complete."""
    match limit.mode:
        case 'range':
            parts = [('>=', limit.least), ('<=', limit.most)]
            return ' and '.join(
                f'. {sign} {number}' for sign, number in parts if NUMBER.fullmatch(number)
            )
        case 'most' if NUMBER.fullmatch(limit.most):
            return f'count-selected(.) <= {limit.most}'
        case 'alone' if limit.value:
            return f"not(selected(., '{limit.value}') and count-selected(.) > 1)"
    return ''


def _literal(node: Node) -> str:
    match node:
        case Literal(float(value)):
            return _number(value)
        case Operation('neg', (Literal(float(value)),)):
            return _number(-value)
    return ''
