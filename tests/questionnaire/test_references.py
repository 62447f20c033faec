"""A part that gets another name is followed by everything that names it."""

from __future__ import annotations

import pytest

from cixi_survey.questionnaire import definition, editing, references, source
from tests import factories

BASELINE = factories.BASELINE.read_text(encoding='utf-8')
SMALL = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')


def faults(text):
    return [problem.text() for problem in definition.check_text(text)]


def renamed(text, path, changes, value):
    return editing.put(text, {path: value, **changes})


def places(text):
    """The path of the name of every variable."""
    found = []
    for path, question in references.questions(source.read(text).data):
        if question['type'] == 'grid':
            found += [(*path, 'rows', index, 'name') for index in range(len(question['rows']))]
        else:
            found.append((*path, 'name'))
    return found


def value_at(text, path):
    data = source.read(text).data
    for step in path:
        data = data[step]
    return data


@pytest.mark.parametrize('path', places(SMALL), ids=lambda path: value_at(SMALL, path))
def test_a_variable_can_be_renamed_without_a_fault(path):
    old = value_at(SMALL, path)
    data = source.read(SMALL).data
    new = renamed(
        SMALL, path, references.renamed_variables(data, {old: 'renamed_now'}), 'renamed_now'
    )
    assert faults(new) == []
    assert f'${{{old}}}' not in new
    back = references.renamed_variables(source.read(new).data, {'renamed_now': old})
    assert source.read(renamed(new, path, back, old)).data == data


def test_an_answer_can_be_renamed_without_a_fault():
    data = source.read(BASELINE).data
    first = ('sections', 0, 'questions', 0)
    new = {'yes': 'willing', 'no': 'unwilling'}
    values = {(*first, 'options', i, 'value'): each for i, each in enumerate(new.values())}
    text = editing.put(BASELINE, {**values, **references.renamed_values(data, first, new)})
    assert faults(text) == []
    assert "${consent} = 'unwilling'" in text
    assert "${resident} = 'no'" in text  # another question with the same word


def test_the_answers_of_a_shared_list_are_renamed_everywhere():
    data = source.read(BASELINE).data
    where = ('options', 'satisfaction')
    values = {(*where, 0, 'value'): 'very'}
    changes = references.renamed_values(data, where, {'satisfied': 'very'})
    text = editing.put(BASELINE, {**values, **changes})
    assert faults(text) == []
    assert 'scores: {very: 100' in text
    assert text.count('positive: [very, rather_satisfied]') == 3


def test_keys_and_conditions_follow_an_answer():
    text = """\
format: 1
sections:
  - name: one
    questions:
      - name: a
        type: multiple
        options: [{value: x}, {value: w}]
        right: [x, w]
        constraint: not(selected(., 'x') and 'x' != 'w')
      - name: b
        type: single
        options: [{value: x}]
        attention: x
        relevant: "${a} = 'x' or selected(${a}, 'x') or ${b} = 'x' or 'x' = ${a}"
"""
    data = source.read(text).data
    changes = references.renamed_values(data, ('sections', 0, 'questions', 0), {'x': 'longer'})
    new = editing.put(text, changes)
    assert 'right: [longer, w]' in new
    assert "selected(., 'longer') and 'x' != 'w'" in new
    assert "${a} = 'longer' or selected(${a}, 'longer') or ${b} = 'x' or 'longer' = ${a}" in new
    assert 'attention: x' in new


def test_an_answer_that_another_item_offers_too_keeps_counting():
    text = """\
sections:
  - questions:
      - {name: a, type: single, options: [{value: x}]}
      - {name: b, type: single, options: [{value: x}]}
indicators:
  - {items: [a, b], positive: [x], scores: {x: 5}}
"""
    data = source.read(text).data
    changes = references.renamed_values(data, ('sections', 0, 'questions', 0), {'x': 'z'})
    assert changes == {
        ('indicators', 0, 'positive'): ['x', 'z'],
        ('indicators', 0, 'scores'): {'z': 5, 'x': 5},
    }


def test_where_a_variable_is_used_can_be_said_before_it_is_deleted():
    data = source.read(BASELINE).data
    assert references.uses(data, {'consent'}) == [('screening', 0, 'when')]
    assert references.uses(data, {'adults'}) == [('indicators', 9, 'household_size')]
    assert references.uses(data, {'sat_water'}) == [('indicators', 4, 'items')]
    assert references.uses(data, {'education'}) == []


def test_a_list_is_followed_by_the_questions_that_name_it():
    data = source.read(BASELINE).data
    changes = references.renamed_list(data, 'device', 'equipment')
    text = editing.rename_key(editing.put(BASELINE, changes), ('options', 'device'), 'equipment')
    assert faults(text) == []


@pytest.mark.parametrize(
    'data',
    [
        None,
        [],
        {'sections': 'x'},
        {'sections': [1, {'questions': {}}], 'screening': [{'when': 5}], 'indicators': [[]]},
        {'sections': [{'questions': [{'type': 'grid', 'rows': 5, 'options': 'none'}]}]},
        {'sections': [{'questions': [{'name': ['a'], 'relevant': '${'}]}], 'options': []},
    ],
)
def test_a_file_of_any_shape_can_be_asked(data):
    assert references.uses(data, {'a'}) == []
    assert references.renamed_variables(data, {'a': 'b'}) == {}
    assert references.renamed_list(data, 'a', 'b') == {}
    assert references.renamed_values(data, ('sections', 0, 'questions', 0), {'a': 'b'}) == {}


def test_names_and_answers_that_change_at_once_are_both_followed():
    data = source.read(BASELINE).data
    first = ('sections', 0, 'questions', 0)
    changes = references.follow(
        data, {'consent': 'resident', 'resident': 'consent'}, {first: {'no': 'never'}}
    )
    assert list(changes.values()) == ["${resident} = 'never'", "${consent} = 'no'"]
