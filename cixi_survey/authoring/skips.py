"""Conditions said in words, as a paper form needs them: “only those who answered “Yes” to 3”."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext

from cixi_survey import i18n
from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.expressions import Literal, Node, Operation, Reference
from cixi_survey.questionnaire.model import Questionnaire, Variable

_OPPOSITE = {'=': '!=', '!=': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>'}
_TURNED = {'<': '>', '>': '<', '<=': '>=', '>=': '<='}


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


@dataclass(frozen=True)
class Speaker:
    """Says conditions of one questionnaire in the reader's language.

    ``numbers`` are the numbers of the questions on the paper by their names, ``towns`` the names
    of towns by their codes.
    """

    questionnaire: Questionnaire
    numbers: Mapping[str, int]
    towns: Mapping[str, Mapping[str, str]]

    def only(self, condition: str) -> str:
        """Whom a question is for."""
        return _('Only for those who %(condition)s', condition=self._said(condition))

    def stops(self, condition: str) -> str:
        """Who need not go on."""
        return _('Those who %(condition)s stop here.', condition=self._said(condition))

    def _said(self, condition: str) -> str:
        return self._node(expressions.parse(condition).tree)

    def _node(self, node: Node, *, opposite: bool = False, within: str = '') -> str:
        match node:
            case Operation(('and' | 'or') as name, _operands):
                return self._joined(node, name, opposite, within)
            case Operation('not', (inner,)):
                return self._node(inner, opposite=not opposite, within=within)
            case Operation('selected', (Reference(name), Literal(value))):
                return self._answered(self._variable(name), [str(value)], opposite)
            case Operation(name, (left, right)) if name in _OPPOSITE:
                said = self._comparison(_OPPOSITE[name] if opposite else name, left, right)
                if said:
                    return said
        text = str(expressions.Expression('', node))
        return _('meet the condition %(condition)s', condition=f'not({text})' if opposite else text)

    def _joined(self, node: Operation, name: str, opposite: bool, within: str) -> str:
        if opposite:  # not (a and b) is: not a, or not b
            name = 'or' if name == 'and' else 'and'
        parts = _flat(node, node.name)
        same = self._one_of(parts) if node.name == 'or' else None
        if same:
            return self._answered(same[0], same[1], opposite)
        inner = [self._node(part, opposite=opposite, within=name) for part in parts]
        text = inner[0]
        for each in inner[1:]:
            values = {'one': text, 'other': each}
            both = _('%(one)s and %(other)s', **values)
            text = both if name == 'and' else _('%(one)s or %(other)s', **values)
        return _('(%(condition)s)', condition=text) if within and within != name else text

    def _one_of(self, parts: Sequence[Node]) -> tuple[Variable, list[str]] | None:
        """The variable and its answers, when the parts ask for one of several answers to it."""
        names, values = set(), []
        for part in parts:
            match part:
                case Operation('=' | 'selected', (Reference(name), Literal(value))) if value != '':
                    names.add(name)
                    values.append(str(value))
                case _:
                    return None
        return (self._variable(names.pop()), values) if len(names) == 1 else None

    def _comparison(self, name: str, left: Node, right: Node) -> str:
        if isinstance(left, Literal) and not isinstance(right, Literal):
            return self._comparison(_TURNED.get(name, name), right, left)
        match left, right:
            case Reference(variable), Literal(value):
                return self._value(name, self._variable(variable), value)
            case Operation('count-selected', (Reference(variable),)), Literal(value):
                question, count = self._question(self._variable(variable)), _written(value)
                return _count(name, question, count)
        return ''

    def _value(self, name: str, variable: Variable, value: expressions.Result) -> str:
        question = self._question(variable)
        if value == '':
            return (
                _('left %(question)s empty', question=question)
                if name == '='
                else _('answered %(question)s', question=question)
            )
        if variable.options or variable.kind == 'town':
            if name in ('=', '!='):
                return self._answered(variable, [_written(value)], name == '!=')
            return ''
        return _size(name, question, _written(value))

    def _answered(self, variable: Variable, values: Sequence[str], opposite: bool) -> str:
        answers = ''
        for value in values:
            quoted = _('“%(answer)s”', answer=self._label(variable, value))
            answers = _('%(one)s or %(other)s', one=answers, other=quoted) if answers else quoted
        question = self._question(variable)
        if opposite:
            return _(
                'did not answer %(answers)s to %(question)s', answers=answers, question=question
            )
        return _('answered %(answers)s to %(question)s', answers=answers, question=question)

    def _label(self, variable: Variable, value: str) -> str:
        if variable.kind == 'town':
            return i18n.localised(self.towns.get(value, {'zxx': value}))
        known = {option.value: option.label for option in variable.options}
        return i18n.localised(known.get(value, {'zxx': value}))

    def _variable(self, name: str) -> Variable:
        return self.questionnaire.variable(name)

    def _question(self, variable: Variable) -> str:
        number = self.numbers[variable.question.name]
        if variable.row is None:
            return _('question %(number)s', number=number)
        row = i18n.localised(variable.row.label)
        return _('question %(number)s, “%(row)s”', number=number, row=row)


def _flat(node: Node, name: str) -> list[Node]:
    if isinstance(node, Operation) and node.name == name:
        return [each for operand in node.operands for each in _flat(operand, name)]
    return [node]


def _written(value: expressions.Result) -> str:
    return f'{value:g}' if isinstance(value, float) else str(value)


def _size(name: str, question: str, value: str) -> str:
    values = {'question': question, 'value': value}
    match name:
        case '=':
            return _('gave %(value)s in %(question)s', **values)
        case '!=':
            return _('gave another number than %(value)s in %(question)s', **values)
        case '>':
            return _('gave more than %(value)s in %(question)s', **values)
        case '>=':
            return _('gave %(value)s or more in %(question)s', **values)
        case '<':
            return _('gave less than %(value)s in %(question)s', **values)
    return _('gave %(value)s or less in %(question)s', **values)


def _count(name: str, question: str, count: str) -> str:
    values = {'question': question, 'count': count}
    match name:
        case '=':
            return _('ticked %(count)s answers in %(question)s', **values)
        case '>':
            return _('ticked more than %(count)s answers in %(question)s', **values)
        case '>=':
            return _('ticked %(count)s or more answers in %(question)s', **values)
        case '<':
            return _('ticked fewer than %(count)s answers in %(question)s', **values)
        case '<=':
            return _('ticked %(count)s or fewer answers in %(question)s', **values)
    return _('did not tick exactly %(count)s answers in %(question)s', **values)
