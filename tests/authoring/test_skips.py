# Sentences stand unbroken here, as people read them.
# ruff: noqa: E501

"""Conditions in the words of a paper form."""

from __future__ import annotations

import pytest

from cixi_survey.authoring.skips import Speaker
from cixi_survey.questionnaire import definition
from tests import factories

SMALL = factories.small()
NUMBERS = {question.name: number for number, question in enumerate(SMALL.questions(), 1)}
TOWNS = {'330282004': {'zh': '浒山街道', 'en': 'Hushan Subdistrict'}}
CASES = [
    (
        "${consent} = 'yes'",
        '只问第1题答“是”的人',
        'Only for those who answered “Yes” to question 1',
    ),
    (
        "${consent} != 'yes'",
        '只问第1题没有答“是”的人',
        'Only for those who did not answer “Yes” to question 1',
    ),
    (
        "${overall} = 'not_very' or ${overall} = 'not_at_all'",
        '只问第5题答“不太满意”或者“不满意”的人',
        'Only for those who answered “Not very satisfied” or “Not satisfied” to question 5',
    ),
    (
        "${consent} = 'yes' and ${adults} > 2",
        '只问第1题答“是”并且第11题填的大于2的人',
        'Only for those who answered “Yes” to question 1 and gave more than 2 in question 11',
    ),
    (
        "(${consent} = 'yes' or ${adults} >= 3) and ${adults} != 9",
        '只问（第1题答“是”或者第11题填3或更多）并且第11题填的不是9的人',
        'Only for those who (answered “Yes” to question 1 or gave 3 or more in question 11) and gave another number than 9 in question 11',
    ),
    (
        "not(${consent} = 'yes' and 3 < ${adults})",
        '只问第1题没有答“是”或者第11题填3或更少的人',
        'Only for those who did not answer “Yes” to question 1 or gave 3 or less in question 11',
    ),
    (
        "selected(${did}, 'walked') and count-selected(${did}) > 1",
        '只问第10题答“绿色出行”并且第10题勾了超过1项的人',
        'Only for those who answered “Travelled green” to question 10 and ticked more than 1 answers in question 10',
    ),
    (
        "${sat_water} = 'satisfied'",
        '只问第6题“水”一行答“满意”的人',
        'Only for those who answered “Satisfied” to question 6, “Water”',
    ),
    (
        "${town} = '330282004'",
        '只问第2题答“浒山街道”的人',
        'Only for those who answered “Hushan Subdistrict” to question 2',
    ),
    ("${village} != ''", '只问第3题有回答的人', 'Only for those who answered question 3'),
    ("${village} = ''", '只问第3题没有回答的人', 'Only for those who left question 3 empty'),
    (
        '${adults} mod 2 = 1',
        '只问符合条件${adults} mod 2 = 1的人',
        'Only for those who meet the condition ${adults} mod 2 = 1',
    ),
]


@pytest.mark.parametrize(('condition', 'chinese', 'english'), CASES)
def test_a_condition_is_said_as_on_paper(app, condition, chinese, english) -> None:
    speaker = Speaker(SMALL, NUMBERS, TOWNS)
    with app.test_request_context('/?lang=zh'):
        assert speaker.only(condition) == chinese
    with app.test_request_context('/?lang=en'):
        assert speaker.only(condition) == english


def test_who_need_not_go_on(app) -> None:
    with app.test_request_context('/?lang=zh'):
        said = Speaker(SMALL, NUMBERS, {}).stops(SMALL.screening[0].when)
    assert said == '第1题答“否”的，请到此为止。'


def test_every_condition_of_the_baseline_can_be_said_without_code(app) -> None:
    baseline = definition.load_file(factories.BASELINE)
    numbers = {question.name: n for n, question in enumerate(baseline.questions(), 1)}
    speaker = Speaker(baseline, numbers, {})
    with app.test_request_context('/?lang=zh'):
        said = [speaker.stops(rule.when) for rule in baseline.screening]
        said += [speaker.only(each.relevant) for each in baseline.questions() if each.relevant]
    assert said
    assert not any('${' in each for each in said)
