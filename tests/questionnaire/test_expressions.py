# Messages stand unbroken here, so that they are found by what a person reads.
# ruff: noqa: E501

"""Conditions: the same cases as in the browser, faults with their place, and properties."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey.questionnaire.expressions import (
    Current,
    ExpressionError,
    Literal,
    Node,
    Operation,
    Reference,
    _written,
    parse,
)
from tests.questionnaire import properties

CASES = json.loads((Path(__file__).parent.parent / 'fixtures/expression_cases.json').read_text())


@pytest.mark.parametrize('case', CASES, ids=lambda case: case['expression'])
def test_the_cases_shared_with_the_page(case: dict[str, Any]) -> None:
    expression = parse(case['expression'])
    assert expression.as_json() == case['tree']
    result = expression.evaluate(case['values'], case.get('current'))
    assert result == case['expected']
    assert isinstance(result, bool) == isinstance(case['expected'], bool)


def test_the_cases_cover_every_operator_and_function() -> None:
    heads = {node[0] for case in CASES for node in lists_in(case['tree'])}
    assert heads == {
        *('ref', 'this', 'and', 'or', 'not', '=', '!=', '<', '<=', '>', '>='),
        *('+', '-', '*', 'div', 'mod', 'neg'),
        *('selected', 'count-selected', 'string-length', 'regex'),
    }


def lists_in(tree: Any) -> list[list[Any]]:
    if not isinstance(tree, list):
        return []
    return [tree, *(below for each in tree[1:] for below in lists_in(each))]


FAULTS = {
    '': (0, 'Something to compare is missing here: a question, a number or a text.'),
    '${a} =': (6, 'Something to compare is missing here: a question, a number or a text.'),
    "${a} = 'yes": (
        7,
        "The text that begins here has no closing quotation mark. Close it with the same mark: '",
    ),
    '${a b} = 1': (
        0,
        'A question is referred to as ${name}. Write the name in small letters, digits and _, without blanks, in ${…}.',
    ),
    '${a} = 1 && ${b} = 2': (9, '“&&” is not used in expressions. Write and'),
    '${a} <> 1': (5, '“<>” is not used in expressions. Write !='),
    '${a} ≥ 18': (5, '“≥” is not used in expressions. Write >='),
    '${a} = 1 AND true()': (9, '“AND” is not used in expressions. Write and'),
    '${a} = 1；': (8, '“；” is not used in expressions.'),
    'not（${a} = 1）': (3, '“（” is not used in expressions. Write ('),
    '(${a} = 1': (0, 'This bracket is not closed. Add )'),
    '${a} = 1)': (8, 'This closing bracket has no opening one.'),
    '${a} 1': (5, 'Before “1” an operator is missing. Join two conditions with and, or.'),
    'age > 1': (
        0,
        "“age” is neither a question nor a text. Write ${age} for the answer to a question, 'age' for a text.",
    ),
    'today() > 1': (
        0,
        'There is no function “today”. Possible are: not, selected, count-selected, string-length, regex, true, false',
    ),
    "selected('a', 'b')": (
        0,
        "“selected” is used in another way. For example: selected(${a}, 'value')",
    ),
    'true(1)': (0, '“true” is used in another way. For example: true()'),
    "regex(., '(')": (
        10,
        'The pattern cannot be used: “(”. Use letters, [0-9], \\d, ., ?, +, *, {6}, | and (…) without repeating a group, and three of + * {1,6} at most.',
    ),
}


@pytest.mark.parametrize('text', FAULTS)
def test_a_fault_says_where_it_is_and_what_to_write(text: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse(text)
    assert (refused.value.position, str(refused.value)) == FAULTS[text]


@pytest.mark.parametrize(
    'pattern',
    [
        *('(a+)+', '(a|a)*', '(ab){2,}', r'(a)\1', '(?=a)', '(?P<x>a)', '(?i)a', 'a++', 'a*+'),
        *(r'\s', r'\b', r'\-', '[]a]', '[^]a]', '[[a]', '[a--b]', 'a{', 'a}', '[z-a]', '*a'),
    ],
)
def test_patterns_that_browsers_read_otherwise_or_that_take_for_ever_are_refused(
    pattern: str,
) -> None:
    with pytest.raises(ExpressionError, match='The pattern cannot be used'):
        parse(f"regex(., '{pattern}')")


def test_endless_nesting_and_endless_text_are_refused() -> None:
    for text in ('(' * 500, '-' * 500 + '1', 'not(' * 200 + '1' + ')' * 200):
        with pytest.raises(ExpressionError, match='nested too deeply'):
            parse(text)
    with pytest.raises(ExpressionError, match='longer than 2000 characters'):
        parse('1 + ' * 1000 + '1')


def test_a_long_chain_of_conditions_is_no_nesting() -> None:
    assert parse(' or '.join(f'${{a}} = {n}' for n in range(150))).holds({'a': 149})


names = st.from_regex('[a-z][a-z0-9_]{0,8}', fullmatch=True)
numbers = st.integers(0, 10**6).map(float) | st.integers(0, 10**6).map(lambda n: n / 1000)
texts = st.text(st.characters(exclude_characters='\'"', exclude_categories=['Cs']), max_size=6)
answers = st.builds(Reference, names) | st.just(Current())
leaves = answers | st.builds(Literal, numbers | texts | st.booleans())


def above(below: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    two = st.tuples(below, below)
    operators = st.sampled_from(
        ['=', '!=', '<', '<=', '>', '>=', 'and', 'or', '+', '-', '*', 'div', 'mod']
    )
    return st.one_of(
        st.builds(Operation, operators, two),
        st.builds(Operation, st.sampled_from(('neg', 'not')), st.tuples(below)),
        st.builds(Operation, st.just('selected'), st.tuples(answers, st.builds(Literal, texts))),
        st.builds(
            Operation, st.sampled_from(('count-selected', 'string-length')), st.tuples(answers)
        ),
    )


trees = st.recursive(leaves, above, max_leaves=8)
values = st.text(max_size=5) | st.integers(-200, 200) | st.lists(st.sampled_from('abc')) | st.none()


@properties
@given(trees)
def test_what_is_written_reads_as_the_same_tree(tree: Node) -> None:
    text = _written(tree)
    again = parse(text)
    assert str(again) == text
    assert again.as_json() == parse(str(again)).as_json()
    assert json.loads(json.dumps(again.as_json())) == again.as_json()


@properties
@given(trees, st.dictionaries(names, values), values)
def test_every_tree_has_a_value_for_every_answers(
    tree: Node, given_values: dict[str, Any], current: Any
) -> None:
    expression = parse(_written(tree))
    by_name = {name: given_values.get(name) for name in expression.names()} | given_values
    result = expression.evaluate(by_name, current)
    assert isinstance(result, bool | float | str)
    assert expression.holds(by_name, current) in (True, False)


PIECES = (*"${}ab.'()=!<>+-*, 19", '"', 'and ', 'not(', 'selected(', '${a}', "'x'", '＝')


def fault_of(text: str) -> ExpressionError | None:
    try:
        parse(text)
    except ExpressionError as refused:
        return refused
    return None


@properties
@given(st.lists(st.sampled_from(PIECES), max_size=25).map(''.join))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    fault = fault_of(text)
    assert fault is None or (0 <= fault.position <= len(text) and str(fault))


@properties
@given(st.text(st.sampled_from('ab^$.*+?()[]{}|\\d-,09 '), max_size=12) | st.text(max_size=8))
def test_any_pattern_is_refused_or_answers_at_once(pattern: str) -> None:
    text = f"regex(., '{pattern.replace(chr(39), '')}')"
    fault = fault_of(text)
    assert fault is None or fault.code == 'pattern'
    if fault is None:
        started = time.process_time()
        parse(text).holds({}, 'a' * 500 + '!')
        assert time.process_time() - started < 0.5
