# Messages stand unbroken here, so that they are found by what a person reads.
# ruff: noqa: E501

"""Each file in fixtures/questionnaires has one fault; what is said about it is spelled out here."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from cixi_survey.errors import Problem, ProblemsFound
from cixi_survey.questionnaire import definition

FIXTURES = Path(__file__).parent.parent / 'fixtures' / 'questionnaires'

# file: (code, what a person reads), in the order of the lines
FAULTS: dict[str, list[tuple[str, str]]] = {
    'after_screening': [
        (
            'unreachable',
            'line 43, column 20: “reason” is never asked: no answers make this condition true. Mend the condition or remove the question.',
        ),
    ],
    'alias': [
        (
            'alias',
            'line 6, column 15: References within the file (&name, *name) are not used here. Write the text again, or use a named list under “options”.',
        ),
    ],
    'all_positive': [
        (
            'all_positive',
            'line 84, column 15: Every option of “overall” counts as positive. Leave out those that do not count.',
        ),
        (
            'all_positive',
            'line 84, column 15: Every option of “water” counts as positive. Leave out those that do not count.',
        ),
        (
            'all_positive',
            'line 84, column 15: Every option of “air” counts as positive. Leave out those that do not count.',
        ),
    ],
    'always_fires': [
        (
            'always_fires',
            'line 68, column 13: No interview gets past this rule: it holds whatever is answered. Mend the condition.',
        ),
    ],
    'always_true': [
        (
            'always_fires',
            'line 68, column 13: No interview gets past this rule: it holds whatever is answered. Mend the condition.',
        ),
    ],
    'apart_counted': [
        (
            'apart_counted',
            'line 84, column 22: “unsure” is kept apart from the scale and cannot count. Remove it here, or remove “apart” from the option.',
        ),
    ],
    'apart_scored': [
        (
            'apart_counted',
            'line 93, column 41: “unsure” is kept apart from the scale and cannot count. Remove it here, or remove “apart” from the option.',
        ),
    ],
    'arguments': [
        (
            'bad_expression',
            "line 43, column 20: “selected” is used in another way. For example: selected(${a}, 'value')",
        ),
    ],
    'attention_and_key': [
        (
            'attention_and_key',
            'line 59, column 20: A question is either a knowledge item or an attention check. Remove “right” or “attention”.',
        ),
        (
            'attention_scored',
            'line 76, column 13: “quiz” is an attention check and measures nothing. Remove it from the items.',
        ),
    ],
    'attention_not_an_option': [
        (
            'attention_not_an_option',
            'line 65, column 20: “worst” is not an option of “check”. Possible are: good, bad, unsure',
        ),
    ],
    'attention_scored': [
        (
            'attention_scored',
            'line 83, column 22: “check” is an attention check and measures nothing. Remove it from the items.',
        ),
    ],
    'bad_expression': [
        ('bad_expression', 'line 43, column 31: “==” is not used in expressions. Write ='),
    ],
    'bad_name': [
        (
            'bad_name',
            'line 21, column 16: “Consent” cannot be used as a name here. Begin with a small letter; then small letters, digits and _, 32 at most.',
        ),
        (
            'bad_name',
            'line 32, column 16: “over all” cannot be used as a name here. Begin with a small letter; then small letters, digits and _, 32 at most.',
        ),
    ],
    'bare_word': [
        (
            'bad_expression',
            "line 43, column 33: “bad” is neither a question nor a text. Write ${bad} for the answer to a question, 'bad' for a text.",
        ),
    ],
    'baseline_on_share': [
        (
            'baseline_scale',
            'line 87, column 15: The baseline was a score and cannot stand beside a share. Move it to the indicator with “scale: score”.',
        ),
    ],
    'chained': [
        (
            'bad_expression',
            'line 43, column 32: Two comparisons in a row cannot be understood. Write them apart, for example: . >= 18 and . <= 120',
        ),
    ],
    'contradiction': [
        (
            'unreachable',
            'line 43, column 20: “reason” is never asked: no answers make this condition true. Mend the condition or remove the question.',
        ),
    ],
    'count_of_single': [
        (
            'type_mismatch',
            'line 43, column 35: “overall” is of type “scale”: only one option can be selected. Mend the condition.',
        ),
    ],
    'current_in_relevant': [
        (
            'no_current',
            'line 43, column 20: “.” stands for the answer itself and has a meaning in “constraint” only. Write ${name} of the question that is meant.',
        ),
    ],
    'duplicate_indicator': [
        (
            'duplicate_name',
            'line 88, column 11: “satisfaction” has been used before. Give each its own name.',
        ),
    ],
    'duplicate_item': [
        (
            'duplicate_item',
            'line 83, column 22: The item “overall” stands twice. Remove one of them.',
        ),
    ],
    'duplicate_key': [
        (
            'duplicate_key',
            'line 9, column 1: “minutes” stands twice here, first in line 8. Remove one of them.',
        ),
        (
            'duplicate_key',
            'line 43, column 9: “type” stands twice here, first in line 42. Remove one of them.',
        ),
    ],
    'duplicate_name': [
        (
            'duplicate_name',
            'line 39, column 20: “town” has been used before. Give each its own name.',
        ),
    ],
    'duplicate_option': [
        (
            'duplicate_option',
            'line 15, column 15: The option “good” stands twice in this list. Give each option its own value.',
        ),
    ],
    'duplicate_section': [
        (
            'duplicate_name',
            'line 29, column 11: “start” has been used before. Give each its own name.',
        ),
    ],
    'duplicate_target': [
        (
            'duplicate_target',
            'line 87, column 45: There are two targets of basis “national” from the same year. Remove one, or give each its “from_year”.',
        ),
    ],
    'empty_list': [
        (
            'no_options',
            'line 10, column 10: This list has no options. Add “- {value: …, label: …}”.',
        ),
    ],
    'empty_section': [
        (
            'empty_section',
            'line 69, column 16: The section “later” has no questions. Add a question or remove the section.',
        ),
    ],
    'equal_multiple': [
        (
            'type_mismatch',
            'line 63, column 20: “did” may have several answers: use selected(${did}, …). Mend the condition.',
        ),
    ],
    'fraction': [
        ('wrong_kind', 'line 8, column 10: A whole number is expected here.'),
    ],
    'full_width_colon': [
        (
            'full_width_colon',
            'line 42, column 19: After “max_length” stands a full-width colon “：”. Write “max_length: ” with an ordinary colon and a blank.',
        ),
    ],
    'full_width_colon_inline': [
        (
            'full_width_colon',
            'line 30, column 13: After “zh” stands a full-width colon “：”. Write “zh: ” with an ordinary colon and a blank.',
        ),
    ],
    'full_width_quotes': [
        ('bad_expression', "line 43, column 33: “‘” is not used in expressions. Write '"),
    ],
    'gbk': [
        (
            'not_utf8',
            'line 5, column 15: The file is not written in UTF-8. Save it as UTF-8 in your editor (not GBK or ANSI).',
        ),
    ],
    'grid_reference': [
        (
            'unknown_reference',
            'line 43, column 20: There is no question “fields”. It is a grid: refer to one of its rows.',
        ),
    ],
    'household_size_type': [
        (
            'household_size_type',
            'line 111, column 21: “overall” is not a question of type “integer”. Name the question that asks how many people could have been chosen.',
        ),
    ],
    'household_without_size': [
        (
            'household_without_size',
            'line 105, column 5: A household indicator needs “household_size”. Name the question that asks how many people could have been chosen.',
        ),
    ],
    'impossible': [
        (
            'impossible',
            'line 24, column 22: No answer to “age” meets this constraint. Mend the constraint.',
        ),
        (
            'never_fires',
            'line 69, column 13: This rule can never end an interview. Mend the condition or remove the rule.',
        ),
    ],
    'item_is_grid': [
        (
            'unknown_item',
            'line 83, column 22: There is no question “fields”. It is a grid: refer to one of its rows.',
        ),
    ],
    'item_type': [
        (
            'item_type',
            'line 83, column 22: “did” is of type “multiple”, which the rule “top_two” cannot score. Choose another item or another rule.',
        ),
    ],
    'item_without_key': [
        (
            'item_without_key',
            'line 75, column 19: The knowledge item “overall” has no right answer. Add “right: …” to the question.',
        ),
    ],
    'key_without_explanation': [
        (
            'key_without_explanation',
            'line 52, column 9: The knowledge item “quiz” has no “explanation”. Say where the right answer is found (source) and why it is right.',
        ),
    ],
    'key_without_source': [
        (
            'key_without_source',
            'line 52, column 9: The knowledge item “quiz” has no “source”. Say where the right answer is found (source) and why it is right.',
        ),
    ],
    'knowledge_not_for_all': [
        (
            'knowledge_not_for_all',
            'line 76, column 13: The knowledge item “quiz” is not asked of everybody. Remove its “relevant”: all are measured by the same items.',
        ),
    ],
    'knowledge_rule': [
        (
            'knowledge_rule',
            'line 74, column 11: Knowledge is measured by right answers: family “knowledge”, rule “share_right”. Change the rule or the family.',
        ),
    ],
    'knowledge_without_key': [
        (
            'knowledge_without_key',
            'line 71, column 5: “knowledge” is called knowledge, but none of its items has a right answer. Add “right: …” to the items, or give the indicator another family.',
        ),
    ],
    'later_reference': [
        (
            'later_reference',
            'line 43, column 29: “did” is not asked before this condition is needed. Refer to earlier questions only, or move the question up.',
        ),
    ],
    'length_of_integer': [
        (
            'type_mismatch',
            'line 24, column 36: “age” is of type “integer”: it is no text. Mend the condition.',
        ),
    ],
    'message_alone': [
        (
            'message_alone',
            'line 24, column 29: There is a message for a constraint, but no constraint. Add “constraint: …” or remove the message.',
        ),
    ],
    'missing_key': [
        ('missing', 'line 40, column 9: “type” is missing here. Add “type: …”.'),
    ],
    'missing_translation': [
        (
            'missing_translation',
            'line 27, column 34: The text in language “en” is missing. Add “en: …”.',
        ),
        (
            'missing_translation',
            'line 38, column 47: The text in language “en” is missing. Add “en: …”.',
        ),
    ],
    'never_fires': [
        (
            'never_fires',
            'line 69, column 13: This rule can never end an interview. Mend the condition or remove the rule.',
        ),
    ],
    'never_true': [
        (
            'unreachable',
            'line 43, column 20: “reason” is never asked: no answers make this condition true. Mend the condition or remove the question.',
        ),
    ],
    'no_items': [
        ('wrong_kind', 'line 75, column 12: This list may not be empty.'),
    ],
    'no_operator': [
        (
            'bad_expression',
            'line 43, column 39: Before “water” an operator is missing. Join two conditions with and, or.',
        ),
    ],
    'no_options': [
        (
            'no_options',
            'line 32, column 9: A question of type “scale” needs options. Add “options:” with the name of a list, or with the options themselves.',
        ),
    ],
    'no_rows': [
        ('no_rows', 'line 33, column 9: A grid needs rows. Add “rows: [{name: …, label: …}]”.'),
    ],
    'no_sections': [
        ('empty_section', 'line 17, column 11: There is no section. Add one.'),
    ],
    'not_a_questionnaire': [
        (
            'not_a_questionnaire',
            'line 1, column 1: This is not a questionnaire: a mapping with “format: 1” is expected. See docs/questionnaire.md for an example.',
        ),
    ],
    'not_for_rule': [
        (
            'not_for_rule',
            'line 85, column 13: “scores” has no meaning for the rule “top_two”. Remove it.',
        ),
    ],
    'not_for_type': [
        (
            'not_for_type',
            'line 27, column 43: “options” has no meaning for a question of type “town”. Remove it; it belongs to: single, multiple, scale, grid',
        ),
        (
            'not_for_type',
            'line 27, column 63: “max_length” has no meaning for a question of type “town”. Remove it; it belongs to: text',
        ),
    ],
    'not_yaml': [
        (
            'yaml',
            "line 5, column 6: This is not YAML: expected ',' or ']', but got ':'. Look at the indentation and at : - { } [ ] and quotation marks before this place.",
        ),
    ],
    'nothing_positive': [
        (
            'nothing_positive',
            'line 84, column 15: No option of “quiz” counts as positive. Add one of its options, or remove the item.',
        ),
    ],
    'number_for_text': [
        (
            'wrong_kind',
            'line 27, column 53: A text is expected here. Put a number, a date, true or false in quotation marks.',
        ),
    ],
    'number_too_small': [
        ('out_of_range', 'line 42, column 21: The number must be 1 or more.'),
    ],
    'outside_of_range': [
        (
            'unreachable',
            'line 43, column 20: “reason” is never asked: no answers make this condition true. Mend the condition or remove the question.',
        ),
    ],
    'own_reference': [
        (
            'later_reference',
            'line 43, column 20: “reason” is not asked before this condition is needed. Refer to earlier questions only, or move the question up.',
        ),
    ],
    'pattern': [
        (
            'bad_expression',
            'line 43, column 36: The pattern cannot be used: “+”. Use letters, [0-9], \\d, ., ?, +, *, {6}, | and (…) without repeating a group, and three of + * {1,6} at most.',
        ),
    ],
    'reserved_name': [
        (
            'reserved_name',
            'line 40, column 15: “submit” is a name that the page uses itself. Choose another name.',
        ),
    ],
    'right_form': [
        (
            'right_form',
            'line 59, column 16: The right answer has the wrong form for type “single”. Write one value for “single”, a list [a, b] for “multiple”.',
        ),
    ],
    'right_is_apart': [
        (
            'right_is_apart',
            'line 59, column 16: The right answer “unknown” is kept apart from the scale. Remove “apart”, or give another right answer.',
        ),
    ],
    'right_not_an_option': [
        (
            'right_not_an_option',
            'line 59, column 16: “june5” is not an option of “quiz”. Possible are: june',
        ),
    ],
    'rule_incomplete': [
        (
            'rule_incomplete',
            'line 79, column 5: The rule “top_two” needs “positive”. Say which answers count, and how.',
        ),
    ],
    'score_missing': [
        (
            'score_missing',
            'line 93, column 13: The option “bad” of “overall” has no score. Give it a score, or mark the option with “apart: true”.',
        ),
    ],
    'score_range': [
        (
            'score_range',
            'line 93, column 20: A score lies between 0 and 100. Mend the score of “good”.',
        ),
    ],
    'screening_reference': [
        (
            'unknown_reference',
            'line 69, column 13: There is no question “alter”. Did you mean “water”?',
        ),
    ],
    'secret_without_key': [
        (
            'secret_without_key',
            'line 47, column 17: Only a knowledge item can be kept secret; “did” has no right answer. Give it a right answer, or remove “secret”.',
        ),
    ],
    'selected_in_integer': [
        (
            'type_mismatch',
            'line 43, column 29: “age” is of type “integer”: nothing is selected in it. Mend the condition.',
        ),
    ],
    'several_faults': [
        ('missing', 'line 2, column 1: “minutes” is missing here. Add “minutes: …”.'),
        (
            'unknown_key',
            'line 8, column 1: The key “minuts” is not known here. Did you mean “minutes”?',
        ),
        (
            'missing_translation',
            'line 28, column 40: The text in language “en” is missing. Add “en: …”.',
        ),
        ('not_possible', 'line 41, column 15: “txet” is not possible here. Possible are: text'),
        ('unknown_item', 'line 83, column 22: There is no question “watre”. Did you mean “water”?'),
    ],
    'size_of_choice': [
        (
            'type_mismatch',
            'line 43, column 20: “overall” is of type “scale”: it has no size to compare. Mend the condition.',
        ),
    ],
    'size_without_household': [
        (
            'size_without_household',
            'line 103, column 21: “household_size” belongs to indicators of the family “household”. Remove it, or change the family.',
        ),
    ],
    'sum_of_choice': [
        (
            'type_mismatch',
            'line 43, column 20: “overall” is of type “scale”: it cannot be calculated with. Mend the condition.',
        ),
    ],
    'tabs': [
        (
            'yaml',
            "line 18, column 1: This is not YAML: found character '\\t' that cannot start any token. Indent with blanks, not with tabs.",
        ),
    ],
    'target_as_fraction': [
        (
            'target_scale',
            'line 78, column 53: Targets and baselines are written on the scale from 0 to 100. Write 80 for 80 % or 80 points.',
        ),
    ],
    'text_for_number': [
        (
            'type_mismatch',
            'line 43, column 20: “age” is of type “integer”: compare it with a number. Mend the condition.',
        ),
    ],
    'text_for_texts': [
        (
            'wrong_kind',
            'line 27, column 41: A text in each language is expected here. Write for example {zh: 满意, en: Satisfied}',
        ),
    ],
    'truth_value': [
        (
            'wrong_kind',
            'line 14, column 15: A text is expected here. Put a number, a date, true or false in quotation marks.',
        ),
    ],
    'unknown_basis': [
        (
            'not_possible',
            'line 87, column 23: “natinal” is not possible here. Possible are: national',
        ),
    ],
    'unknown_function': [
        (
            'bad_expression',
            'line 43, column 20: There is no function “select”. Possible are: selected',
        ),
    ],
    'unknown_item': [
        ('unknown_item', 'line 83, column 22: There is no question “watre”. Did you mean “water”?'),
    ],
    'unknown_key': [
        (
            'unknown_key',
            'line 43, column 9: The key “relevent” is not known here. Did you mean “relevant”?',
        ),
    ],
    'unknown_key_far': [
        (
            'unknown_key',
            'line 9, column 1: The key “settings” is not known here. Possible are: format, name, languages, title, introduction, notice, minutes, options, sections, screening, indicators',
        ),
    ],
    'unknown_language': [
        (
            'unknown_language',
            'line 27, column 63: “fr” is not one of the languages of this questionnaire. Add it to “languages”, or remove this text.',
        ),
    ],
    'unknown_list': [
        (
            'unknown_list',
            'line 32, column 47: There is no option list “likeing”. Did you mean “liking”?',
        ),
    ],
    'unknown_option': [
        (
            'unknown_option',
            'line 43, column 33: “bed” is not an option of “overall”. Possible are: bad',
        ),
    ],
    'unknown_option_selected': [
        (
            'unknown_option',
            'line 43, column 41: “poor” is not an option of “overall”. Possible are: good, bad, unsure',
        ),
    ],
    'unknown_reference': [
        (
            'unknown_reference',
            'line 43, column 20: There is no question “overal”. Did you mean “overall”?',
        ),
    ],
    'unknown_type': [
        ('not_possible', 'line 41, column 15: “txet” is not possible here. Possible are: text'),
    ],
    'unknown_value': [
        (
            'unknown_value',
            'line 84, column 22: “godo” is not an option of any item. Possible are: good',
        ),
    ],
    'unreachable_chain': [
        (
            'unreachable',
            'line 63, column 20: “check” is never asked: no answers make this condition true. Mend the condition or remove the question.',
        ),
    ],
    'village_without_town': [
        (
            'village_without_town',
            'line 27, column 9: “village” asks for a village, but no question before it asks for the town. Put a question of type “town” before it.',
        ),
    ],
    'word_for_list': [
        (
            'wrong_kind',
            'line 75, column 12: A list is expected here. Begin each entry with “- ”, or write [a, b, c]',
        ),
    ],
    'wrong_scale': [
        (
            'wrong_scale',
            'line 81, column 12: The rule “top_two” gives a share. Write “scale: share”, or choose another rule.',
        ),
    ],
}


def said(problems: tuple[Problem, ...]) -> list[tuple[str, str]]:
    return [(problem.code, problem.text()) for problem in problems]


@cache
def problems_of(name: str) -> tuple[Problem, ...]:
    return definition.check_file(FIXTURES / f'{name}.yaml')


@pytest.mark.parametrize('name', FAULTS)
def test_the_fault_is_named_with_its_place_and_its_cure(name: str) -> None:
    assert said(problems_of(name)) == FAULTS[name]


def test_every_fixture_but_the_valid_one_is_expected_to_fail() -> None:
    assert {path.stem for path in FIXTURES.glob('*.yaml')} == FAULTS.keys() | {'valid'}


def test_the_valid_questionnaire_has_no_faults() -> None:
    assert definition.check_file(FIXTURES / 'valid.yaml') == ()


@pytest.mark.parametrize('name', ['not_yaml', 'alias', 'several_faults', 'unreachable_chain'])
def test_a_faulty_file_never_becomes_a_questionnaire(name: str) -> None:
    text = (FIXTURES / f'{name}.yaml').read_text()
    with pytest.raises(ProblemsFound) as refused:
        definition.load(text, filename=name)
    assert said(refused.value.problems) == FAULTS[name]


def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    problems = definition.check_file(tmp_path / 'no.yaml')
    assert said(problems) == [
        ('unreadable', f'The file {tmp_path}/no.yaml cannot be read: No such file or directory.')
    ]


def test_every_message_fits_its_values() -> None:
    for name in FAULTS:
        for problem in problems_of(name):
            assert '%(' not in problem.text()
            assert problem.line is not None
            assert problem.column is not None


@pytest.mark.parametrize(
    'text',
    [
        '',
        '\x00',
        '\ufeff',
        '[' * 1200,
        '{' * 1200,
        '- ' * 3000,
        '? ? ?',
        '? [a]\n: b',
        '!!python/object/apply:os.system [id]',
        'format: 1\n---\nformat: 1',
        'a: &a [*a]',
        'format: .nan\nminutes: .inf\nname: 0x',
        'format: 1\nsections: [{questions: [{name: a, type: [], options: {}, right: {}}]}]',
        'format: {}\nname: {}\nsections: [{questions: [{type: {}, options: {a: b}, right: {}}]}]',
        'format: 1\nlanguages: {}\nsections: {}\nindicators: 3\nscreening: [1]',
        'format: 1\nindicators: [{items: [1, [], {}], scores: {[]: 1}}]',
        'x' * 1_000_001,
    ],
    ids=range(17),
)
def test_no_text_makes_the_reader_crash(text: str) -> None:
    problems = definition.check_text(text)
    assert problems
    for problem in problems:
        # A mapping would be taken for a text by language where the fault is shown.
        assert all(isinstance(value, str | int) for value in problem.values.values())
        assert problem.text()


def test_a_small_file_cannot_fill_the_memory_through_references() -> None:
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    lines += [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]' for i in range(1, 12)]
    assert {problem.code for problem in definition.check_text('\n'.join(lines))} == {'alias'}
