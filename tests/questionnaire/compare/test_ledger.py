# Sentences stand unbroken here, so that they are found by what a person reads.
# ruff: noqa: E501

"""May the figures of two waves be set against each other?  The cases of the field, by name."""

from __future__ import annotations

import pytest

from cixi_survey.questionnaire.compare import IndicatorComparison, compare
from cixi_survey.questionnaire.model import Questionnaire
from tests.questionnaire.compare.test_changes import SMALL, TEXT, changed, cut

K_TWO = cut('      - name: k_two', '      - name: did')
FIELDS = cut('      - name: fields', '      - name: reason')
OVERALL = cut('      - {name: overall,', '      - name: fields')
UNSURE = '    - {value: unsure, label: {zh: 说不清, en: Hard to say}, apart: true}\n'
FIELDS_INDICATOR = """  - name: fields
    family: satisfaction
    scale: share
    rule: top_two
    items: [sat_water, sat_air]
    positive: [satisfied, rather]
    label: {zh: 分领域, en: By field}
    definition: {zh: 平均, en: Mean}
  - name: satisfaction_share
"""
WITH_FIELDS = changed(('  - name: satisfaction_share\n', FIELDS_INDICATOR))


def ledger(old: Questionnaire, new: Questionnaire) -> dict[str, IndicatorComparison]:
    return {each.name: each for each in compare(old, new).indicators}


def verdicts(old: Questionnaire, new: Questionnaire) -> dict[str, str]:
    return {name: each.verdict for name, each in ledger(old, new).items()}


def sentences(found: IndicatorComparison) -> list[str]:
    """The reasons that bear on the verdict, in English."""
    said = []
    for reason in found.reasons:
        values = {
            key: ', '.join(label['en'] for label in value)
            if isinstance(value, tuple)
            else value['en']
            if isinstance(value, dict)
            else value
            for key, value in reason.finding.values.items()
        }
        said.append(f'{reason.weight}: {reason.finding.message % values}')
    return said


def test_the_same_questionnaire_compares_with_itself() -> None:
    found = ledger(SMALL, SMALL)
    assert set(verdicts(SMALL, SMALL).values()) == {'yes'}
    assert sentences(found['knowledge']) == [
        'none: Questions, answers, base and order are the same.'
    ]


def test_what_nobody_is_asked_by_leaves_every_figure_comparable() -> None:
    new = changed(
        ('minutes: 2', 'minutes: 4'),
        ('title: {zh: 小问卷', 'title: {zh: 一份小问卷'),
        ('explanation: {zh: 每年6月5日。', 'explanation: {zh: 是每年的6月5日。'),
        ('{basis: plan, from_year: 2025, value: 85', '{basis: plan, from_year: 2025, value: 90'),
    )
    assert set(verdicts(SMALL, new).values()) == {'yes'}
    assert sentences(ledger(SMALL, new)['knowledge']) == [
        'none: The targets are different; the figures are not touched by that.',
        'none: Questions, answers, base and order are the same.',
    ]


# name: (what is changed in the file, the indicator looked at, its verdict, what is said)
CASES: dict[str, tuple[list[tuple[str, str]], str, str, list[str]]] = {
    'four points to five': (
        [('    - {value: not_very,', '    - {value: fair, label: {zh: 一般, en: Fair}}\n    - {value: not_very,'),
         ('{satisfied: 100, rather: 80, not_very: 60, not_at_all: 30}', '{satisfied: 100, rather: 80, fair: 60, not_very: 30, not_at_all: 0}')],
        'satisfaction_share', 'no',
        ['no: There are 5 answers to choose from and were 4: “Satisfied overall?”'],
    ),
    'five points to four scores otherwise too': (
        [('    - {value: not_very,', '    - {value: fair, label: {zh: 一般, en: Fair}}\n    - {value: not_very,'),
         ('{satisfied: 100, rather: 80, not_very: 60, not_at_all: 30}', '{satisfied: 100, rather: 80, fair: 60, not_very: 30, not_at_all: 0}')],
        'satisfaction_score', 'no',
        ['no: Other answers count, or count for more or less.',
         'no: There are 5 answers to choose from and were 4: “Satisfied overall?”'],
    ),
    '"don’t know" no longer offered': (
        [(UNSURE, '')], 'satisfaction_share', 'no',
        ['no: “Don’t know” is no longer offered as it was: “Satisfied overall?”'],
    ),
    'item replaced': (
        [(K_TWO, K_TWO.replace('name: k_two', 'name: k_three').replace('一公里以内最好怎么走？', '三公里以内最好怎么走？')),
         ('items: [k_one, k_two]', 'items: [k_one, k_three]')],
        'knowledge', 'no',
        ['no: It is the mean of other items: 1 of 2 are gone, 1 are new. What can be compared is the mean of the 1 items that both have.'],
    ),
    'the only item replaced': (
        [('items: [overall]\n    positive', 'items: [sat_water]\n    positive')],
        'satisfaction_share', 'no',
        ['no: It is measured by another question: “Satisfied overall?” before, “Water” now.'],
    ),
    'typo mended': (
        [('世界环境日是哪天？', '世界环境日是哪一天？')], 'knowledge', 'care',
        ['care: A word or two are different; if only a slip was mended, the figures compare: “When is World Environment Day?”'],
    ),
    'punctuation': (
        [('世界环境日是哪天？', '世界环境日，是哪天?')], 'knowledge', 'yes',
        ['none: Only the punctuation is different: “When is World Environment Day?”',
         'none: Questions, answers, base and order are the same.'],
    ),
    'another question under the same name': (
        [('总体满意吗？', '您觉得总体上比去年好吗？')], 'satisfaction_share', 'no',
        ['no: Worded differently: “Satisfied overall?”'],
    ),
    'another key': (
        [('right: walk', 'right: car')], 'knowledge', 'no',
        ['no: Another answer is right: “How best to go one kilometre?”'],
    ),
    'another condition': (
        [('      - name: did\n        type: multiple\n', "      - name: did\n        type: multiple\n        relevant: \"${age} = 'a40_up'\"\n")],
        'participation', 'no',
        ['no: Asked of other people, by another condition: “What did you do in the last year?”'],
    ),
    'other answers count': (
        [('positive: [sorted, walked]', 'positive: [sorted]')], 'participation', 'no',
        ['no: Other answers count, or count for more or less.'],
    ),
    'one answer instead of several': (
        [('      - name: did\n        type: multiple\n', '      - name: did\n        type: single\n'),
         ("        constraint: \"not(selected(., 'none')) or count-selected(.) = 1\"\n        constraint_message: {zh: “都没有”不能与其他选项同选。, en: “None” cannot go with others.}\n", '')],
        'participation', 'no',
        ['no: Answered in another way (several answers before, one answer now): “What did you do in the last year?”'],
    ),
    'a hint more': (
        [('{name: overall, type: scale, required: true,', '{name: overall, type: scale, required: true, hint: {zh: 请照实回答。, en: Please be frank.},')],
        'satisfaction_share', 'care',
        ['care: The hint is another one: “Satisfied overall?”'],
    ),
    'may be left out now': (
        [('{name: overall, type: scale, required: true,', '{name: overall, type: scale,')],
        'satisfaction_share', 'care',
        ['care: May be left out in one of the versions only: “Satisfied overall?”'],
    ),
    'other codes for the same answers': (
        [('{value: walked, label', '{value: on_foot, label'), ('positive: [sorted, walked]', 'positive: [sorted, on_foot]')],
        'participation', 'yes',
        ['none: The same answers have other codes, which are matched: “What did you do in the last year?”',
         'none: Questions, answers, base and order are the same.'],
    ),
    'the answers the other way round': (
        [('    - {value: satisfied, label: {zh: 满意, en: Satisfied}}\n', ''),
         (UNSURE, f'    - {{value: satisfied, label: {{zh: 满意, en: Satisfied}}}}\n{UNSURE}')],
        'satisfaction_share', 'care',
        ['care: The answers stand in another order: “Satisfied overall?”'],
    ),
    'another base of “don’t know”': (
        [('items: [k_one, k_two]\n    dont_know: wrong', 'items: [k_one, k_two]\n    dont_know: out_of_base')],
        'knowledge', 'no',
        ['no: How “don’t know” counts is different: counts as wrong before, is left out now.'],
    ),
    'a question more before it': (
        [('      - {name: overall,', '      - {name: change, type: single, options: yesno, label: {zh: 变好了吗？, en: Has it improved?}}\n      - {name: overall,')],
        'satisfaction_share', 'care',
        ['care: Asked before it now, and not then: “Has it improved?”'],
    ),
    'other people screened out': (
        [("{when: \"${age} = 'under18'\"", "{when: \"${age} != 'a40_up'\"")],
        'knowledge', 'no',
        ['no: Other people are screened out: the answers stand for another population.'],
    ),
    'the question behind the screening': (
        [('label: {zh: 年龄, en: Age}', 'label: {zh: 您家最年长的人多大？, en: How old is the oldest in your home?}')],
        'knowledge', 'no',
        ['no: “How old is the oldest in your home?” decides who is interviewed, and it is asked otherwise.'],
    ),
    'another introduction of the section': (
        [('    title: {zh: 知识, en: Knowledge}\n', '    title: {zh: 知识, en: Knowledge}\n    introduction: {zh: 请不要查资料。, en: Please do not look anything up.}\n')],
        'knowledge', 'care',
        ['care: The text at the beginning of the section is another one.'],
    ),
    'only the English is different': (
        [('en: Satisfied overall?', 'en: Are you happy with it?')], 'satisfaction_share', 'no',
        ['no: Worded differently: “Are you happy with it?”'],
    ),
}  # fmt: skip


@pytest.mark.parametrize('case', CASES)
def test_a_case_of_the_field(case: str) -> None:
    replacements, name, verdict, said = CASES[case]
    found = ledger(SMALL, changed(*replacements))[name]
    assert found.verdict == verdict
    assert sentences(found) == said


def test_dont_know_offered_where_it_was_not() -> None:
    without = changed((UNSURE, ''))
    found = ledger(without, SMALL)['satisfaction_share']
    assert sentences(found) == [
        'no: “Don’t know” is offered and was not, so fewer people choose one of the answers: “Satisfied overall?”'
    ]


def test_the_items_that_both_have_can_still_be_compared() -> None:
    replacements, name, *_ = CASES['item replaced']
    found = ledger(SMALL, changed(*replacements))[name]
    assert [item.name for item in found.common] == ['k_one']


def test_particular_questions_asked_before_the_general_one() -> None:
    """Order swapped: the fields give the overall answer its yardstick."""
    swapped = changed((FIELDS, ''), (OVERALL, f'{FIELDS}{OVERALL}'), text=_text(WITH_FIELDS))
    found = ledger(WITH_FIELDS, swapped)
    assert found['satisfaction_share'].verdict == 'no'
    assert sentences(found['satisfaction_share']) == [
        'no: Now on the other side of it, and what is asked first colours what comes after: “How satisfied are you with these?”'
    ]
    assert found['fields'].verdict == 'no'
    assert found['knowledge'].verdict == 'yes'


def _text(questionnaire: Questionnaire) -> str:
    del questionnaire
    return TEXT.replace('  - name: satisfaction_share\n', FIELDS_INDICATOR)


def test_many_items_with_the_same_change_are_named_in_one_sentence() -> None:
    new = changed((UNSURE, ''), text=_text(WITH_FIELDS))
    assert sentences(ledger(WITH_FIELDS, new)['fields']) == [
        'no: “Don’t know” is no longer offered as it was: “Water, Air”'
    ]


def test_a_share_and_a_score_are_never_set_against_each_other() -> None:
    new = changed(
        (
            '    scale: share\n    rule: top_two\n    items: [overall]\n    positive: [satisfied, rather]\n',
            '    scale: score\n    rule: mean_score\n    items: [overall]\n    scores: {satisfied: 100, rather: 80, not_very: 60, not_at_all: 30}\n',
        )
    )
    assert 'no: It was a share and is now a score: two scales that do not compare.' in sentences(
        ledger(SMALL, new)['satisfaction_share']
    )


def test_indicators_of_one_version_only_are_told() -> None:
    assert verdicts(SMALL, WITH_FIELDS)['fields'] == 'added'
    assert verdicts(WITH_FIELDS, SMALL)['fields'] == 'removed'
