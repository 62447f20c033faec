"""Conditions in XLSForm syntax: ``${age} >= 18 and selected(${modes}, 'bus')``.

An expression is read once into an immutable tree, which the server evaluates and which is handed
to the page as JSON, so that both decide alike.  Nothing is ever given to Python's ``eval``.

Grammar, loosest first (all binary operators group to the left)::

    or          "or"
    and         "and"
    comparison  "=" "!=" "<" "<=" ">" ">="      one at most: a < b < c is refused
    sum         "+" "-"
    product     "*" "div" "mod"
    negation    "-"
    primary     number | 'text' | "text" | ${name} | . | function(…) | (…)

Values are those of XPath 1.0 as XLSForm uses it.  An answer is text; several answers are the
values with a blank between; no answer is the empty text, which is no number, so that every
comparison of size with it is false.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NoReturn

from cixi_survey.errors import N_
from cixi_survey.questionnaire import patterns

Answer = str | int | float | Sequence[str] | None
Result = str | float | bool
Json = str | int | float | bool | list['Json']

MAX_LENGTH = 2000
MAX_DEPTH = 40


class ExpressionError(Exception):
    """An expression that cannot be understood: what, where (from 0) and how to mend it."""

    def __init__(self, code: str, position: int, message: str, cure: str = '', **values: object):
        self.code = code
        self.position = position
        self.message = message
        self.cure = cure
        self.values = values
        super().__init__(' '.join(part % values for part in (message, cure) if part))


# --- the tree -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Literal:
    """A number, a text or a truth value written in the expression."""

    value: Result
    position: int = 0


@dataclass(frozen=True)
class Reference:
    """The answer to a question: ``${name}``."""

    name: str
    position: int = 0


@dataclass(frozen=True)
class Current:
    """The answer that a constraint is about: ``.``"""

    position: int = 0


@dataclass(frozen=True)
class Operation:
    """An operator or a function with what it is applied to; ``neg`` is the minus sign."""

    name: str
    operands: tuple[Node, ...]
    position: int = 0


Node = Literal | Reference | Current | Operation

_BINDING = {
    'or': 1,
    'and': 2,
    **dict.fromkeys(('=', '!=', '<', '<=', '>', '>='), 3),
    **dict.fromkeys(('+', '-'), 4),
    **dict.fromkeys(('*', 'div', 'mod'), 5),
}
_COMPARISON = 3
_NEGATION = 6
COMPARISONS = frozenset(name for name, binding in _BINDING.items() if binding == _COMPARISON)
ARITHMETIC = frozenset(('+', '-', '*', 'div', 'mod', 'neg'))


@dataclass(frozen=True)
class Function:
    """A function's signature: one letter an argument, a answer, l literal text, x anything."""

    arguments: str
    usage: str


FUNCTIONS: Mapping[str, Function] = {
    'not': Function('x', 'not(${a} = 1)'),
    'selected': Function('al', "selected(${a}, 'value')"),
    'count-selected': Function('a', 'count-selected(${a})'),
    'string-length': Function('a', 'string-length(.)'),
    'regex': Function('al', "regex(., '[0-9]{6}')"),
    'true': Function('', 'true()'),
    'false': Function('', 'false()'),
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression."""

    text: str
    tree: Node

    def evaluate(self, values: Mapping[str, Answer], current: Answer = None) -> Result:
        """The value of the expression when ``values`` have been answered, ``.`` being current."""
        return _evaluate(self.tree, values, current)

    def holds(self, values: Mapping[str, Answer], current: Answer = None) -> bool:
        """Whether the expression is true."""
        return _truth(_evaluate(self.tree, values, current))

    def references(self) -> tuple[Reference, ...]:
        """Every ``${name}`` in the order of writing, repeated ones too."""
        return tuple(node for node in walk(self.tree) if isinstance(node, Reference))

    def names(self) -> frozenset[str]:
        """The names of the questions referred to."""
        return frozenset(reference.name for reference in self.references())

    def current(self) -> Current | None:
        """The first ``.`` of the expression."""
        return next((node for node in walk(self.tree) if isinstance(node, Current)), None)

    def as_json(self) -> Json:
        """The tree for the page: a literal is itself, all else a list with its name first.

        ``["ref", "age"]``, ``["this"]``, ``["=", a, b]``, ``["neg", a]``, ``["selected", a, "v"]``.
        """
        return _as_json(self.tree)

    def __str__(self) -> str:
        return _written(self.tree)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of writing."""
    yield node
    if isinstance(node, Operation):
        for operand in node.operands:
            yield from walk(operand)


def _as_json(node: Node) -> Json:
    match node:
        case Literal(value):
            whole = isinstance(value, float) and value.is_integer()
            return int(value) if whole else value
        case Reference(name):
            return ['ref', name]
        case Current():
            return ['this']
        case Operation(name, operands):
            return [name, *map(_as_json, operands)]


def _written(node: Node, outer: int = 0) -> str:
    match node:
        case Literal(value):
            return _written_literal(value)
        case Reference(name):
            return f'${{{name}}}'
        case Current():
            return '.'
        case Operation('neg', (operand,)):
            text, binding = '-' + _written(operand, _NEGATION), _NEGATION
        case Operation(name, operands) if name in _BINDING:
            binding = _BINDING[name]
            # One side more than its own binding keeps `a - (b - c)` and refuses `a < b < c`.
            left = binding + 1 if binding == _COMPARISON else binding
            text = f'{_written(operands[0], left)} {name} {_written(operands[1], binding + 1)}'
        case Operation(name, operands):
            return f'{name}({", ".join(map(_written, operands))})'
    return f'({text})' if binding < outer else text


def _written_literal(value: Result) -> str:
    if isinstance(value, bool):
        return 'true()' if value else 'false()'
    if isinstance(value, str):
        return f'"{value}"' if "'" in value else f"'{value}'"
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), 'f')


# --- evaluation -----------------------------------------------------------------------------------

_NUMBER = re.compile(r'-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)')
_XML_SPACE = ' \t\r\n'


def _answer(value: Answer) -> str:
    if value is None:
        return ''
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else repr(value)
    return ' '.join(value)


def _number(value: Result) -> float:
    if isinstance(value, str):
        text = value.strip(_XML_SPACE)
        return float(text) if _NUMBER.fullmatch(text) else math.nan
    return float(value)


def _truth(value: Result) -> bool:
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return bool(value)


def _equal(left: Result, right: Result) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return _truth(left) == _truth(right)
    if isinstance(left, float) or isinstance(right, float):
        return _number(left) == _number(right)
    return left == right


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.inf * math.copysign(1, left) * math.copysign(1, right)


def _remainder(left: float, right: float) -> float:
    if not right or math.isinf(left) or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.fmod(left, right)


def _text(value: Result) -> str:
    assert isinstance(value, str)  # the parser admits nothing else here
    return value


_OPERATIONS: Mapping[str, Callable[..., Result]] = {
    '=': _equal,
    '!=': lambda a, b: not _equal(a, b),
    '<': lambda a, b: _number(a) < _number(b),
    '<=': lambda a, b: _number(a) <= _number(b),
    '>': lambda a, b: _number(a) > _number(b),
    '>=': lambda a, b: _number(a) >= _number(b),
    '+': lambda a, b: _number(a) + _number(b),
    '-': lambda a, b: _number(a) - _number(b),
    '*': lambda a, b: _number(a) * _number(b),
    'div': lambda a, b: _divided(_number(a), _number(b)),
    'mod': lambda a, b: _remainder(_number(a), _number(b)),
    'neg': lambda a: -_number(a),
    'not': lambda a: not _truth(a),
    'selected': lambda a, value: value in _text(a).split(),
    'count-selected': lambda a: float(len(_text(a).split())),
    'string-length': lambda a: float(len(_text(a))),
    'regex': lambda a, pattern: patterns.compiled(pattern).fullmatch(_text(a)) is not None,
}


def _evaluate(node: Node, values: Mapping[str, Answer], current: Answer) -> Result:
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Reference):
        return _answer(values.get(node.name))
    if isinstance(node, Current):
        return _answer(current)
    operands = node.operands
    if node.name == 'and':
        return all(_truth(_evaluate(each, values, current)) for each in operands)
    if node.name == 'or':
        return any(_truth(_evaluate(each, values, current)) for each in operands)
    return _OPERATIONS[node.name](*(_evaluate(each, values, current) for each in operands))


# --- reading --------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:
      (?P<number>[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})
    | (?P<text>'[^']*'|"[^"]*")
    | \$\{(?P<ref>[a-z][a-z0-9_]*)\}
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z]+)*)
    | (?P<op>!=|<=|>=|[=<>+*(),.-])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)

# What people write instead, and what to write: the sentence is the same for all.
_INSTEAD = {
    '==': '=',
    '&&': 'and',
    '||': 'or',
    '<>': '!=',
    '!': 'not(…)',
    '/': 'div',
    '%': 'mod',
    '×': '*',
    '÷': 'div',
    '≥': '>=',
    '≤': '<=',
    '≠': '!=',
    **dict(zip('＝＜＞（），。', '=<>(),.', strict=True)),
    **dict.fromkeys('“”‘’', "'"),
}


@dataclass(frozen=True)
class _Token:
    kind: str
    value: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    offset = 0
    while True:
        match = _TOKEN.match(text, offset)
        if match is None:
            _refuse_character(text, offset)
        kind = match.lastgroup or ''
        # `==` would read as two signs, each of them right.
        if kind == 'op' and text[match.start(kind) :][:2] in ('==', '<>'):
            _refuse_character(text, match.start(kind))
        start = match.start(kind) - (2 if kind == 'ref' else 0)
        tokens.append(_Token(kind, match[kind], start))
        if kind == 'end':
            return tokens
        offset = match.end()


def _refuse_character(text: str, offset: int) -> NoReturn:
    while text[offset] in _XML_SPACE:
        offset += 1
    rest = text[offset:]
    if rest[0] in '\'"':
        raise ExpressionError(
            'open_text', offset,
            N_('The text that begins here has no closing quotation mark.'),
            N_('Close it with the same mark: %(mark)s'), mark=rest[0],
        )  # fmt: skip
    if rest[0] == '$':
        raise ExpressionError(
            'bad_reference', offset,
            N_('A question is referred to as ${name}.'),
            N_('Write the name in small letters, digits and _, without blanks, in ${…}.'),
        )  # fmt: skip
    for wrong in (rest[:2], rest[0]):
        if wrong in _INSTEAD:
            raise ExpressionError(
                'wrong_sign', offset,
                N_('“%(found)s” is not used in expressions.'), N_('Write %(instead)s'),
                found=wrong, instead=_INSTEAD[wrong],
            )  # fmt: skip
    raise ExpressionError(
        'wrong_sign', offset, N_('“%(found)s” is not used in expressions.'), found=rest[0]
    )


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.token
        self.at += 1
        return token

    def takes(self, sign: str) -> bool:
        if self.token.kind == 'op' and self.token.value == sign:
            self.at += 1
            return True
        return False

    def whole(self) -> Node:
        tree = self.expression(1)
        token = self.token
        if token.kind != 'end':
            self.left_over(token)
        return tree

    def left_over(self, token: _Token) -> NoReturn:
        if token.value == ')':
            self.fail('not_opened', N_('This closing bracket has no opening one.'))
        self.fail(
            'no_operator',
            N_('Before “%(found)s” an operator is missing.'),
            N_('Join two conditions with and, or.'),
            found=token.value,
        )

    def fail(self, code: str, message: str, cure: str = '', **values: object) -> NoReturn:
        raise ExpressionError(code, self.token.position, message, cure, **values)

    def expression(self, least: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail('too_deep', N_('The brackets are nested too deeply.'))
        left = self.operand()
        while (binding := self.binding()) >= least:
            operator = self.take()
            right = self.expression(binding + 1)
            left = Operation(operator.value, (left, right), operator.position)
            if binding == _COMPARISON and self.binding() == _COMPARISON:
                self.fail(
                    'chained',
                    N_('Two comparisons in a row cannot be understood.'),
                    N_('Write them apart, for example: . >= 18 and . <= 120'),
                )
        self.depth -= 1
        return left

    def binding(self) -> int:
        token = self.token
        if token.kind == 'word' and token.value.lower() in ('and', 'or', 'div', 'mod'):
            if token.value != token.value.lower():
                self.fail(
                    'capitals',
                    N_('“%(found)s” is not used in expressions.'), N_('Write %(instead)s'),
                    found=token.value, instead=token.value.lower(),
                )  # fmt: skip
            return _BINDING[token.value]
        return _BINDING.get(token.value, 0) if token.kind == 'op' else 0

    def operand(self) -> Node:
        token = self.token
        match token.kind, token.value:
            case 'number', digits:
                self.take()
                return Literal(float(digits), token.position)
            case 'text', quoted:
                self.take()
                return Literal(quoted[1:-1], token.position)
            case 'ref', name:
                self.take()
                return Reference(name, token.position)
            case 'op', '.':
                self.take()
                return Current(token.position)
            case 'op', '-':
                self.take()
                return Operation('neg', (self.expression(_NEGATION),), token.position)
            case 'op', '(':
                self.take()
                inner = self.expression(1)
                self.close(token)
                return inner
            case 'word', _:
                return self.function()
        return self.fail(
            'no_operand',
            N_('Something to compare is missing here: a question, a number or a text.'),
        )

    def close(self, opened: _Token) -> None:
        if not self.takes(')'):
            raise ExpressionError(
                'not_closed', opened.position, N_('This bracket is not closed.'), N_('Add )')
            )

    def function(self) -> Node:
        word = self.token
        following = self.tokens[self.at + 1]
        if not (following.kind == 'op' and following.value == '('):
            self.fail(
                'bare_word',
                N_('“%(word)s” is neither a question nor a text.'),
                N_("Write ${%(word)s} for the answer to a question, '%(word)s' for a text."),
                word=word.value,
            )
        signature = FUNCTIONS.get(word.value)
        if signature is None:
            near = difflib.get_close_matches(word.value.lower(), FUNCTIONS, 1, 0.7)
            self.fail(
                'unknown_function',
                N_('There is no function “%(name)s”.'),
                N_('Possible are: %(known)s'),
                name=word.value,
                known=', '.join(near or FUNCTIONS),
            )
        self.take()
        opened = self.take()
        operands: list[Node] = []
        if not (self.token.kind == 'op' and self.token.value == ')'):
            operands.append(self.expression(1))
            while self.takes(','):
                operands.append(self.expression(1))
        self.close(opened)
        _check_arguments(word, signature, operands)
        if word.value in ('true', 'false'):
            return Literal(word.value == 'true', word.position)
        return Operation(word.value, tuple(operands), word.position)


def _check_arguments(word: _Token, signature: Function, operands: list[Node]) -> None:
    right = len(operands) == len(signature.arguments) and all(
        kind == 'x'
        or (kind == 'a' and isinstance(operand, Reference | Current))
        or (kind == 'l' and isinstance(operand, Literal) and isinstance(operand.value, str))
        for kind, operand in zip(signature.arguments, operands, strict=True)
    )
    if not right:
        raise ExpressionError(
            'arguments', word.position,
            N_('“%(name)s” is used in another way.'), N_('For example: %(usage)s'),
            name=word.value, usage=signature.usage,
        )  # fmt: skip
    if word.value == 'regex':
        _check_pattern(operands[1])


def _check_pattern(operand: Node) -> None:
    assert isinstance(operand, Literal)
    found = patterns.fault(str(operand.value))
    if found:
        raise ExpressionError(
            'pattern',
            operand.position + 1 + found[0],
            N_('The pattern cannot be used: “%(found)s”.'),
            N_(
                'Use letters, [0-9], \\d, ., ?, +, *, {6}, | and (…) without repeating a group, '
                'and three of + * {1,6} at most.'
            ),
            found=found[1],
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read an expression; raises ExpressionError with the place of the fault."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            'too_long', MAX_LENGTH,
            N_('The expression is longer than %(most)s characters.'),
            N_('Divide it over several questions.'), most=MAX_LENGTH,
        )  # fmt: skip
    return Expression(text, _Parser(text).whole())
