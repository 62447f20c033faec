"""What a resident sends, however it is sent, becomes answers that the survey can stand on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey.questionnaire import answers, definition
from cixi_survey.questionnaire.answers import Checked
from cixi_survey.questionnaire.constraints import alone, example
from tests import factories
from tests.questionnaire import properties

FIXTURE = Path(__file__).parent.parent / 'fixtures' / 'answering.yaml'
QUESTIONNAIRE = definition.load(FIXTURE.read_text(), filename='answering.yaml')
TOWNS = {'t1': '浒山街道', 't2': '龙山镇'}
VILLAGES = {'v1': ('北门社区', 't1'), 'v2': ('徐福村', 't2')}

WHOLE = {
    'consent': ['yes'],
    'here': ['yes'],
    'years': ['12'],
    'age': ['35'],
    'town': ['t1'],
    'village': ['v1'],
    'overall': ['bad'],
    'why': ['河水臭'],
    'why_more': ['没有了'],
    'water': ['bad'],
    'air': ['good'],
    'did': ['walked', 'sorted'],
    'check': ['bad'],
}


def check(**changes: list[str] | None) -> Checked:
    raw = {name: texts for name, texts in (WHOLE | changes).items() if texts is not None}
    return answers.check(QUESTIONNAIRE, raw, towns=TOWNS, villages=VILLAGES)


def said(checked: Checked) -> dict[str, str]:
    return {problem.where: problem.text() for problem in checked.problems}


def test_a_whole_interview_is_kept_as_it_was_answered() -> None:
    checked = check()
    assert checked == Checked(
        answers={
            'consent': 'yes',
            'here': 'yes',
            'years': 12,
            'age': 35,
            'town': 't1',
            'village': 'v1',
            'overall': 'bad',
            'why': '河水臭',
            'why_more': '没有了',
            'water': 'bad',
            'air': 'good',
            'did': ['sorted', 'walked'],
            'check': 'bad',
        },
        problems=(),
        dropped=(),
        outcome='complete',
    )


def test_everything_missing_is_named_at_once_each_at_its_field() -> None:
    checked = check(age=None, town=[''], overall=[' '], water=None, did=[])
    assert said(checked) == {
        'f-age': 'Please enter a number.',
        'f-town': 'Please choose your town or subdistrict.',
        'f-village': 'Please choose your town or subdistrict first. '
        'Then choose the village or community in it.',
        'f-overall': 'Please choose an answer.',
        'f-water': 'Please choose an answer.',
        'f-did': 'Please choose at least one answer.',
    }


def test_a_problem_carries_the_wording_of_its_question() -> None:
    (problem,) = check(water=None).problems
    assert problem.values['question'] == {'zh': '水', 'en': 'Water'}


@pytest.mark.parametrize(
    ('sent', 'kept'),
    [
        *(('35', 35), (' 35 ', 35), ('３５', 35), ('　３5', 35), ('+35', 35), ('035', 35)),
        *(('0', 0), ('-0', 0), ('120', 120)),
        *(('2人', 2), ('两个', 2), ('３ 位', 3), ('两个人', 2), ('一', 1), ('十', 10)),
    ],
)
def test_a_number_is_read_as_people_type_it(sent: str, kept: int) -> None:
    assert check(age=[sent], consent=['yes'], years=['5']).answers.get('age') == kept


@pytest.mark.parametrize('sent', ['三十五', '35岁', '3 5', '35.5', '1e2', '0x20', '٣٥', '--3', '²'])
def test_what_is_no_whole_number_is_told(sent: str) -> None:
    said_of_it = said(check(age=[sent]))
    assert said_of_it == {'f-age': 'This is not a whole number. Write it in digits, such as 35.'}


def test_what_a_constraint_lets_stand_alone_and_a_number_that_it_takes() -> None:
    variables = {each.name: each for each in definition.load_file(factories.BASELINE).variables()}
    assert {name: found for name, each in variables.items() if (found := alone(each))} == {
        'participation': ('none',)
    }
    assert example(variables['adults']) == 2


def test_a_number_out_of_range_gets_the_words_of_the_author_or_ours() -> None:
    (problem,) = check(age=['121']).problems
    assert problem.values['said'] == {'zh': '请填0到120。', 'en': 'From 0 to 120.'}
    assert said(check(years=['-1'])) == {
        'f-years': 'This answer is outside of what is possible. Please check it.'
    }
    assert said(check(age=['9' * 40])) == {'f-age': 'This number is too large. Please check it.'}


def test_a_text_that_is_too_long_is_not_cut() -> None:
    checked = check(why=['河' * 13])
    assert said(checked) == {
        'f-why': 'The text has 13 characters; 10 is the most. Please shorten it by 3.'
    }
    assert 'why' not in checked.answers


def test_a_text_is_counted_in_characters_and_line_ends_once() -> None:
    assert check(why=['  𠮷一二三四\r\n六七八九  ']).answers['why'] == '𠮷一二三四\n六七八九'


def test_what_no_database_can_store_is_taken_out_of_a_text() -> None:
    assert check(why=['臭\x00\x1b[31m\ud800']).answers['why'] == '臭[31m'
    assert check(why=['好\u202e坏\u2066']).answers['why'] == '好坏'
    assert check(why=['👨\u200d👩']).answers['why'] == '👨\u200d👩'
    for unseen in ('\x00\x07', '\u200b', '\u202e', '\ufeff', '\u3000'):
        assert said(check(why=[unseen])) == {'f-why': 'Please write an answer.'}


def test_only_offered_answers_are_taken() -> None:
    checked = check(overall=['great'], did=['sorted', 'flew'], town=['t9'], air=['BAD'])
    told = 'This answer is not one of those offered. Please choose again.'
    assert {where: text for where, text in said(checked).items() if where != 'f-village'} == {
        'f-overall': told,
        'f-did': told,
        'f-town': told,
        'f-air': told,
    }


def test_one_answer_means_one() -> None:
    told = 'Several answers came in, but only one is possible. Please choose one.'
    assert said(check(air=['good', 'bad'])) == {'f-air': told}
    assert check(air=['good', 'good']).answers['air'] == 'good'


def test_several_answers_come_in_the_order_of_the_options_and_once() -> None:
    assert check(did=['walked', 'sorted', 'walked']).answers['did'] == ['sorted', 'walked']
    assert check(did=['walked sorted']).answers['did'] == ['sorted', 'walked']


def test_none_and_something_cannot_both_be_true() -> None:
    assert 'f-did' in said(check(did=['none', 'walked']))
    assert check(did=['none']).answers['did'] == ['none']


def test_a_village_lies_in_the_town_that_was_chosen() -> None:
    assert said(check(village=['v2'])) == {
        'f-village': 'This village or community does not belong to the town chosen. '
        'Please choose it again, or correct the town.'
    }
    assert check(village=['v2'], town=['t2']).answers['village'] == 'v2'
    assert 'village' not in check(village=['v9']).answers
    assert check(village=None).outcome == 'complete'


def test_answers_to_what_was_not_asked_are_dropped_and_named() -> None:
    checked = check(overall=['unsure'])
    assert checked.problems == ()
    assert checked.dropped == ('air', 'water', 'why', 'why_more')
    assert not {'why', 'why_more', 'water', 'air'} & checked.answers.keys()


def test_dropping_reaches_down_the_chain() -> None:
    checked = check(overall=['good'])
    assert checked.dropped == ('why', 'why_more')


def test_unknown_names_are_dropped_and_named_and_empty_ones_are_no_answers() -> None:
    checked = check(shoe_size=['42'], nothing=[''], __proto__=['x'])
    assert checked.dropped == ('__proto__', 'shoe_size')


def test_a_refusal_keeps_the_refusal_and_nothing_else() -> None:
    checked = check(consent=['no'], age=['abc'])
    assert checked.outcome == 'refusal'
    assert checked.message == {'zh': '谢谢。', 'en': 'Thanks.'}
    assert checked.answers == {'consent': 'no'}
    assert checked.problems == ()
    assert 'overall' in checked.dropped


def test_the_first_rule_that_holds_decides() -> None:
    assert check(consent=['no'], age=['12']).outcome == 'refusal'
    checked = check(age=['12'])
    assert checked.outcome == 'ineligible'
    assert checked.message['en'] == 'Adults only.'
    assert checked.answers == {'consent': 'yes', 'age': 12}


def test_what_decided_a_condition_of_the_screening_is_kept_with_it() -> None:
    assert check(years=['0']).answers == {'consent': 'yes', 'age': 35, 'here': 'yes', 'years': 0}


def test_an_overlooked_question_never_ends_the_interview() -> None:
    checked = check(consent=None)
    assert checked.outcome == 'complete'
    assert said(checked) == {'f-consent': 'Please choose an answer.'}
    assert check(age=['abc']).outcome == 'complete'


def test_the_rule_that_ended_an_interview_is_found_again_from_what_was_kept() -> None:
    for changes, message in (
        ({'consent': ['no']}, 'Thanks.'),
        ({'age': ['12']}, 'Adults only.'),
        ({'years': ['0']}, 'A year at least.'),
    ):
        rule = answers.screened(QUESTIONNAIRE, check(**changes).answers)
        assert rule is not None
        assert rule.message['en'] == message
    assert answers.screened(QUESTIONNAIRE, check().answers) is None


def test_a_rule_on_a_question_that_was_not_asked_does_not_hold() -> None:
    assert check(here=['no'], years=['0']).outcome == 'complete'


def test_the_attention_check_is_kept_whatever_was_answered() -> None:
    assert check(check=['good']).answers['check'] == 'good'


def test_relevant_names_what_is_to_be_asked_so_far() -> None:
    everything = {variable.name for variable in QUESTIONNAIRE.variables()}
    assert answers.relevant(QUESTIONNAIRE, check().answers) == everything
    assert everything - answers.relevant(QUESTIONNAIRE, {}) == {'years', 'why', 'why_more'}


def test_a_questionnaire_is_checked_in_well_under_two_milliseconds() -> None:
    check()
    started = time.process_time()
    for _ in range(100):
        check()
    assert (time.process_time() - started) / 100 < 0.002


# --- properties -----------------------------------------------------------------------------------

NAUGHTY = [
    *('', ' ', '\x00', '\ud800', 'null', 'None', 'NaN', 'Infinity', '-1', '1e999', '0x1', '\u202e'),
    *('%s', '%(a)s', '{0}', '${age}', "' or 1=1 --", '<script>alert(1)</script>', '../../etc'),
    *('۱۲', '½', '𝟛𝟝', 'ﷺ', '👨‍👩‍👧', 'a\u0301', '\ufeff35', '９' * 30, 'x' * 10_000, '慈' * 600),
]
OFFERED = ['yes', 'no', 'good', 'bad', 'unsure', 'sorted', 'walked', 'none', 't1', 't2', 'v1', 'v2']
sent = st.one_of(
    st.sampled_from(OFFERED),
    st.sampled_from(NAUGHTY),
    st.integers(-5, 130).map(str),
    st.text(max_size=8),
)
fields = st.sampled_from([*WHOLE, 'fields', 'unknown', '__class__'])
sendings = st.dictionaries(fields, st.lists(sent, max_size=3), max_size=16)
forms = sendings | sendings.map(lambda changes: WHOLE | changes)


def check_raw(raw: dict[str, list[str]]) -> Checked:
    return answers.check(QUESTIONNAIRE, raw, towns=TOWNS, villages=VILLAGES)


def as_sent(checked: Checked) -> dict[str, list[str]]:
    return {
        name: answer if isinstance(answer, list) else [str(answer)]
        for name, answer in checked.answers.items()
    }


def test_two_texts_for_one_question_are_told_and_neither_is_silently_chosen() -> None:
    assert check_raw(WHOLE | {'why_more': ['\x00', 'yes', ' yes ']}).answers['why_more'] == 'yes'
    (problem,) = check_raw(WHOLE | {'why_more': ['yes', 'no']}).problems
    assert (problem.where, problem.code) == ('f-why_more', 'several')


@properties
@given(forms)
def test_whatever_is_sent_is_kept_told_or_named_as_dropped(raw: dict[str, list[str]]) -> None:
    checked = check_raw(raw)
    told = {problem.where.removeprefix('f-') for problem in checked.problems}
    for name, texts in raw.items():
        if any(text.strip() for text in texts) and name not in checked.answers:
            blank = all(not answers.clean(text) for text in texts)
            assert name in told or name in checked.dropped or blank
    assert not set(checked.dropped) & checked.answers.keys()
    for problem in checked.problems:
        assert problem.text()


@properties
@given(forms)
def test_checking_checked_answers_again_changes_nothing(raw: dict[str, list[str]]) -> None:
    checked = check_raw(raw)
    again = check_raw(as_sent(checked))
    assert again.answers == checked.answers
    assert again.outcome == checked.outcome
    assert again.dropped == ()


@properties
@given(forms, st.data())
def test_dropped_answers_never_matter(raw: dict[str, list[str]], data: st.DataObject) -> None:
    checked = check_raw(raw)
    other = {name: data.draw(st.lists(sent, max_size=2)) for name in checked.dropped}
    again = check_raw({**raw, **other})
    assert again.answers == checked.answers
    assert again.problems == checked.problems
    assert again.outcome == checked.outcome


@properties
@given(forms)
def test_kept_answers_are_exactly_those_that_were_to_be_asked(raw: dict[str, list[str]]) -> None:
    checked = check_raw(raw)
    assert checked.answers.keys() <= answers.relevant(QUESTIONNAIRE, checked.answers)
    for name, answer in checked.answers.items():
        variable = QUESTIONNAIRE.variable(name)
        for value in answer if isinstance(answer, list) else [answer]:
            assert not variable.options or value in variable.values
        assert not isinstance(answer, str) or answer.encode('utf-8')
