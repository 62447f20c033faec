# Pieces of the file stand unbroken here, so that they are found in it.
# ruff: noqa: E501, ISC004

"""What is different between two versions, question by question."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.compare import Change, Comparison, compare
from cixi_survey.questionnaire.model import Questionnaire
from tests.factories import FIXTURES
from tests.questionnaire.generated import questionnaires

TEXT = (FIXTURES / 'small.yaml').read_text(encoding='utf-8')
SMALL = definition.load(TEXT)


def changed(*replacements: tuple[str, str], text: str = TEXT) -> Questionnaire:
    """The small questionnaire with pieces of its file replaced; still without faults."""
    for old, new in replacements:
        assert text.count(old) == 1, (text.count(old), old)
        text = text.replace(old, new)
    return definition.load(text)


def cut(begin: str, end: str) -> str:
    """The file from one piece of text up to another."""
    return TEXT[TEXT.index(begin) : TEXT.index(end)]


def the_change(comparison: Comparison) -> Change:
    """The only thing that is different in the only question that is."""
    (question,) = comparison.different
    assert question.status == 'changed'
    (change,) = question.changes
    return change


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(questionnaires())
def test_a_version_does_not_differ_from_itself(questionnaire: Questionnaire) -> None:
    comparison = compare(questionnaire, questionnaire)
    assert comparison.same
    assert (comparison.head, comparison.sections, comparison.different) == ((), (), ())
    assert {indicator.verdict for indicator in comparison.indicators} <= {'yes'}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(questionnaires(), questionnaires())
def test_what_is_added_one_way_is_removed_the_other_way(
    old: Questionnaire, new: Questionnaire
) -> None:
    there, back = compare(old, new), compare(new, old)
    added = {each.question.name for each in there.questions if each.status == 'added'}
    removed = {each.question.name for each in back.questions if each.status == 'removed'}
    assert added == removed
    in_both = [each for each in there.questions if each.old and each.new]
    assert len(in_both) + len(added) == len(new.questions())


def test_a_question_that_is_new_or_gone_stands_where_it_is_asked() -> None:
    new = changed(
        (cut('      - {name: village', '      - name: age'), ''),
        (
            '      - name: reason\n',
            '      - {name: change, type: single, options: yesno, label: {zh: 变好了吗？, en: Better?}}\n'
            '      - name: reason\n',
        ),
    )
    found = [(each.question.name, each.status) for each in compare(SMALL, new).questions]
    assert found[:3] == [('consent', 'same'), ('town', 'same'), ('village', 'removed')]
    assert found[5:8] == [('fields', 'same'), ('change', 'added'), ('reason', 'same')]


def test_one_question_moved_up_is_one_question_moved() -> None:
    fields = cut('      - name: fields', '      - name: reason')
    overall = '      - {name: overall,'
    new = changed((fields, ''), (overall, f'{fields}{overall}'))
    (moved,) = compare(SMALL, new).different
    assert moved.moved
    assert moved.old
    assert moved.new
    assert (moved.old.number, moved.new.number) in ((5, 6), (6, 5))
    assert moved.changes == ()


def test_a_question_that_changes_its_section_says_so() -> None:
    did = cut('      - name: did', '      - {name: adults')
    new = changed(
        (did, ''), ('  - name: knowledge\n    title', f'{did}  - name: knowledge\n    title')
    )
    (question,) = compare(SMALL, new).different
    assert question.question.name == 'did'
    assert question.moved
    assert question.changes == (Change('section', old='knowledge', new='views'),)


def test_a_question_under_another_name_is_the_same_question() -> None:
    new = changed(('{name: adults,', '{name: grown_ups,'))
    assert the_change(compare(SMALL, new)) == Change('name', old='adults', new='grown_ups')


def test_another_wording_is_shown_by_language_with_the_signs_that_differ() -> None:
    new = changed(('总体满意吗？', '总的满意吗？'))
    change = the_change(compare(SMALL, new))
    assert change.kind == 'label'
    (text,) = change.texts
    assert (text.language, text.closeness) == ('zh', 'small')
    assert [(piece.kind, piece.text) for piece in text.pieces] == [
        ('same', '总'),
        ('removed', '体'),
        ('added', '的'),
        ('same', '满意吗？'),
    ]


def test_each_question_that_uses_a_list_is_told_of_its_change() -> None:
    fair = '    - {value: fair, label: {zh: 一般, en: Fair}}\n'
    not_very = '    - {value: not_very,'
    scores = 'scores: {satisfied: 100,'
    new = changed((not_very, f'{fair}{not_very}'), (scores, f'{scores} fair: 70,'))
    found = compare(SMALL, new).different
    assert [each.question.name for each in found] == ['overall', 'fields']
    for each in found:
        (change,) = each.changes
        assert change.kind == 'options'
        assert [(one.kind, one.name) for one in change.entries] == [('added', 'fair')]


OPTIONS = {
    'an option less': (('          - {value: walked, label: {zh: 绿色出行, en: Travelled green}}\n', ''), ('positive: [sorted, walked]', 'positive: [sorted]')),
    'another word': (('{value: walked, label: {zh: 绿色出行, en', '{value: walked, label: {zh: 步行出行, en'),),
    'another code': (('{value: walked, label', '{value: on_foot, label'), ('positive: [sorted, walked]', 'positive: [sorted, on_foot]')),
    'kept apart': (('{value: none, label: {zh: 都没有, en: None}}', '{value: none, label: {zh: 都没有, en: None}, apart: true}'),),
    'another order': (('          - {value: walked, label: {zh: 绿色出行, en: Travelled green}}\n', ''), ('          - {value: sorted,', '          - {value: walked, label: {zh: 绿色出行, en: Travelled green}}\n          - {value: sorted,')),
}  # fmt: skip


@pytest.mark.parametrize(
    ('case', 'kinds'),
    [
        ('an option less', {'removed'}),
        ('another word', {'text'}),
        ('another code', {'code'}),
        ('kept apart', {'apart'}),
        ('another order', {'moved'}),
    ],
)
def test_what_has_changed_in_a_list_of_options(case: str, kinds: set[str]) -> None:
    change = the_change(compare(SMALL, changed(*OPTIONS[case])))
    assert change.kind == 'options'
    assert {entry.kind for entry in change.entries} == kinds


def test_a_row_that_is_gone_from_a_grid() -> None:
    new = changed(('          - {name: sat_air, label: {zh: 空气, en: Air}}\n', ''))
    change = the_change(compare(SMALL, new))
    assert change.kind == 'rows'
    assert [(entry.kind, entry.name) for entry in change.entries] == [('removed', 'sat_air')]


PLAIN = [
    ('right: walk', 'right: car', Change('right', old='walk', new='car')),
    ('max_length: 200', 'max_length: 300', Change('max_length', old='200', new='300')),
    (
        "relevant: \"${overall} = 'not_very' or ${overall} = 'not_at_all'\"",
        'relevant: "${overall} = \'not_at_all\'"',
        Change(
            'relevant',
            old="${overall} = 'not_very' or ${overall} = 'not_at_all'",
            new="${overall} = 'not_at_all'",
        ),
    ),
    (
        '{name: town, type: town, required: true,',
        '{name: town, type: town,',
        Change('required', old='true', new=''),
    ),
]


@pytest.mark.parametrize(('old', 'new', 'change'), PLAIN)
def test_what_is_no_text_is_shown_as_it_is_written(old: str, new: str, change: Change) -> None:
    assert the_change(compare(SMALL, changed((old, new)))) == change


def test_another_spelling_of_a_condition_is_no_change() -> None:
    new = changed(
        (
            "\"${overall} = 'not_very' or ${overall} = 'not_at_all'\"",
            "\"( ${overall}='not_very' )  or  ${overall}  = 'not_at_all'\"",
        )
    )
    assert compare(SMALL, new).different == ()


def test_what_stands_around_the_questions() -> None:
    new = changed(
        ('  version: "1"', '  version: "2"'),
        ('{zh: 自愿、匿名。, en: Voluntary and anonymous.}', '{zh: 自愿。, en: Voluntary.}'),
        ('minutes: 2', 'minutes: 3'),
        ('{when: "${age} = \'under18\'"', '{when: "${age} != \'a18_39\'"'),
        ('title: {zh: 看法, en: Views}', 'title: {zh: 您的看法, en: Your views}'),
    )
    comparison = compare(SMALL, new)
    assert comparison.different == ()
    assert [change.kind for change in comparison.head] == [
        *('notice', 'notice_version', 'minutes', 'screening')
    ]
    (section,) = comparison.sections
    assert (section.section.name, section.status) == ('views', 'changed')
    assert not comparison.same
