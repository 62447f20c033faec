"""A questionnaire is one thing with one name, however its file is laid out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from cixi_survey.questionnaire import definition, model, verify
from cixi_survey.questionnaire.expressions import FUNCTIONS
from cixi_survey.questionnaire.model import Part

FIXTURES = Path(__file__).parent.parent / 'fixtures'
TEXT = (FIXTURES / 'answering.yaml').read_text()
QUESTIONNAIRE = definition.load(TEXT, filename='answering.yaml')


def test_variables_stand_in_the_order_of_asking_and_rows_of_a_grid_are_variables() -> None:
    assert [variable.name for variable in QUESTIONNAIRE.variables()] == [
        *('consent', 'here', 'years', 'age', 'town', 'village'),
        *('overall', 'why', 'why_more', 'water', 'air', 'did', 'check'),
    ]
    water = QUESTIONNAIRE.variable('water')
    assert water.field_id == 'f-water'
    assert water.kind == 'single'
    assert water.label == {'zh': '水', 'en': 'Water'}
    assert water.question.name == 'fields'
    assert water.section.name == 'views'
    assert water.values == ('good', 'bad', 'unsure')
    assert water.apart == {'unsure'}
    assert water.option('bad').label['en'] == 'Dissatisfied'


def test_what_is_asked_for_and_not_there_is_a_key_error() -> None:
    for ask in (QUESTIONNAIRE.variable, QUESTIONNAIRE.indicator):
        with pytest.raises(KeyError):
            ask('nothing')


def test_the_canonical_text_gives_the_same_questionnaire_and_the_same_name() -> None:
    again = definition.from_canonical(QUESTIONNAIRE.canonical())
    assert again == QUESTIONNAIRE
    assert again.sha256 == QUESTIONNAIRE.sha256
    assert definition.from_canonical(QUESTIONNAIRE.canonical()) is again
    assert verify.verify(again) == []


def test_the_canonical_text_is_sorted_json_without_blanks() -> None:
    text = QUESTIONNAIRE.canonical()
    ordered = json.dumps(
        json.loads(text), ensure_ascii=False, sort_keys=True, separators=(',', ':')
    )
    assert text == ordered
    assert '慈溪' in text


def test_layout_comments_and_spelled_out_defaults_do_not_change_the_name() -> None:
    laid_out = TEXT.replace(
        'title: {zh: 回答, en: Answering}', '# A remark\ntitle:\n  en: "Answering"\n  zh: 回答'
    ).replace('{name: town, type: town,', '{type: town, name: town,')
    said_again = laid_out.replace(
        'name: here, type: single,', 'name: here, required: false, type: single,'
    )
    assert len({TEXT, laid_out, said_again}) == 3
    assert definition.load(laid_out).sha256 == QUESTIONNAIRE.sha256
    assert definition.load(said_again).sha256 == QUESTIONNAIRE.sha256
    assert definition.load('\ufeff' + TEXT.replace('\n', '\r\n')).sha256 == QUESTIONNAIRE.sha256


@pytest.mark.parametrize(
    ('old', 'new'),
    [
        ('住在慈溪吗？', '您住在慈溪吗？'),
        ('. <= 120', '. <= 130'),
        ('{value: sorted,', '{value: sorting,'),
        ('required: true, label: {zh: 镇', 'label: {zh: 镇'),
        ('住在慈溪吗？, en: Do you live here?', '住在慈溪吗？, en: Is this your home?'),
    ],
)
def test_any_change_of_what_is_asked_changes_the_name(old: str, new: str) -> None:
    assert old in TEXT
    assert definition.load(TEXT.replace(old, new)).sha256 != QUESTIONNAIRE.sha256


def test_a_questionnaire_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match='frozen'):
        QUESTIONNAIRE.minutes = 1  # type: ignore[misc]


def test_numbers_as_option_values_are_texts_and_yes_is_no_truth_value() -> None:
    text = TEXT.replace('{value: sorted,', '{value: 1,').replace('{value: walked,', '{value: 2,')
    assert definition.load(text).variable('did').values == ('1', '2', 'none')
    assert QUESTIONNAIRE.variable('consent').values == ('yes', 'no')


def test_the_page_gets_the_conditions_as_trees() -> None:
    rules = definition.page_rules(QUESTIONNAIRE)
    assert json.loads(json.dumps(rules)) == rules
    assert rules['variables'] == {
        'consent': {'required': True},
        'years': {
            'relevant': ['=', ['ref', 'here'], 'yes'],
            'constraint': ['and', ['>=', ['this'], 0], ['<=', ['this'], 120]],
        },
        'age': {
            'constraint': ['and', ['>=', ['this'], 0], ['<=', ['this'], 120]],
            'required': True,
        },
        'town': {'required': True},
        'overall': {'required': True},
        'why': {'relevant': ['=', ['ref', 'overall'], 'bad'], 'required': True},
        'why_more': {'relevant': ['!=', ['ref', 'why'], '']},
        'water': {'relevant': ['!=', ['ref', 'overall'], 'unsure'], 'required': True},
        'air': {'relevant': ['!=', ['ref', 'overall'], 'unsure'], 'required': True},
        'did': {
            'constraint': [
                'or',
                ['not', ['selected', ['this'], 'none']],
                ['=', ['count-selected', ['this']], 1],
            ],
            'required': True,
        },
    }
    assert rules['screening'] == [
        {'when': ['!=', ['ref', 'consent'], 'yes'], 'needs': ['consent'], 'outcome': 'refusal'},
        {'when': ['<', ['ref', 'age'], 18], 'needs': ['age'], 'outcome': 'ineligible'},
        {'when': ['<', ['ref', 'years'], 1], 'needs': ['years'], 'outcome': 'ineligible'},
    ]


@pytest.mark.parametrize('name', ['small.yaml', 'answering.yaml', 'questionnaires/valid.yaml'])
def test_the_questionnaires_of_the_tests_are_right(name: str) -> None:
    assert definition.check_file(FIXTURES / name) == ()


def test_every_questionnaire_that_ships_is_right() -> None:
    shipped = sorted((FIXTURES.parent.parent / 'surveys').glob('*.yaml'))
    assert shipped
    for path in shipped:
        assert [problem.text() for problem in definition.check_file(path)] == []


DOCUMENTATION = (FIXTURES.parent.parent / 'docs' / 'questionnaire.md').read_text()


def test_the_documentation_names_every_key_and_every_choice() -> None:
    documented = set(re.findall(r'[a-z][a-z0-9_]*', DOCUMENTATION))
    parts = [
        each for each in vars(model).values() if isinstance(each, type) and issubclass(each, Part)
    ]
    assert len(parts) == 11
    for part in parts:
        assert part.model_fields.keys() <= documented
    for choice in (model.QuestionType, model.Outcome, model.Family, model.Rule, model.Basis):
        assert set(get_args(choice)) <= documented
    for function in FUNCTIONS:
        assert f'{function}(' in DOCUMENTATION


def test_the_example_of_the_documentation_is_right() -> None:
    (example,) = re.findall(r'```yaml\n(.*?)```', DOCUMENTATION, re.DOTALL)
    assert [problem.text() for problem in definition.check_text(example)] == []
