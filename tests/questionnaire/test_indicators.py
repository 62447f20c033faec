"""Answers become scores by the rules of the questionnaire, worked out here by hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from cixi_survey.questionnaire import answers, definition, indicators
from cixi_survey.questionnaire.indicators import Coded, coded
from cixi_survey.questionnaire.model import Indicator
from tests.questionnaire import properties

NAN = float('nan')
TEXT = (Path(__file__).parent.parent / 'fixtures' / 'questionnaires' / 'valid.yaml').read_text()
TEXT += """
  - {name: knowledge_two, family: knowledge, scale: share, rule: share_right, items: [quiz, signs],
     label: {zh: 知, en: K}, definition: {zh: 知, en: K}}
  - {name: means, family: behaviour, scale: share, rule: category_share, items: [overall],
     positive: [good], label: {zh: 行, en: M}, definition: {zh: 行, en: M}}
  - {name: both, family: participation, scale: share, rule: any_of, items: [did, overall],
     positive: [sorted, walked, good], label: {zh: 或, en: B}, definition: {zh: 或, en: B}}
"""
TEXT = TEXT.replace(
    '      - name: check\n',
    """      - name: signs
        type: multiple
        label: {zh: 哪些？, en: Which?}
        options:
          - {value: a, label: {zh: 甲, en: A}}
          - {value: b, label: {zh: 乙, en: B}}
          - {value: c, label: {zh: 丙, en: C}}
          - {value: unknown, label: {zh: 不知道, en: Don't know}, apart: true}
        right: [a, b]
        explanation: {zh: 甲和乙, en: A and B}
        source: 规划
      - name: check
""",
)
QUESTIONNAIRE = definition.load(TEXT)


def column(*entries: Any) -> np.ndarray[Any, Any]:
    result = np.empty(len(entries), dtype=object)
    result[:] = entries
    return result


def score(name: str, *, dont_know: Any = None, **columns: np.ndarray[Any, Any]) -> list[float]:
    n = len(next(iter(columns.values())))
    indicator = QUESTIONNAIRE.indicator(name)
    return indicators.score(indicator, columns, n, dont_know=dont_know).tolist()


def same(found: Any, expected: list[float]) -> None:
    assert_allclose(found, expected, rtol=0, atol=1e-12, equal_nan=True)


def test_dont_know_and_no_answer_are_not_right_and_stay_in_the_base() -> None:
    same(score('knowledge', quiz=column('june', 'march', 'unknown', '', None)), [1, 0, 0, 0, 0])


def test_knowledge_is_the_share_of_items_answered_right() -> None:
    quiz = column('june', 'june', 'march', '')
    signs = column(['a', 'b'], ['a'], ['b', 'a'], None)
    same(score('knowledge_two', quiz=quiz, signs=signs), [1, 0.5, 0.5, 0])


def test_several_right_answers_are_right_when_all_and_only_they_are_chosen() -> None:
    signs = column(['a', 'b'], ['a'], ['a', 'b', 'c'], ['unknown'], [])
    quiz = column(*['march'] * 5)
    same(score('knowledge_two', quiz=quiz, signs=signs), [0.5, 0, 0, 0, 0])


def test_dont_know_leaves_the_base_of_knowledge_only_when_asked_to() -> None:
    quiz = column('june', 'march', 'unknown', '')
    same(score('knowledge', quiz=quiz, dont_know='out_of_base'), [1, 0, NAN, 0])


def test_satisfaction_is_the_share_of_the_positive_answers_given() -> None:
    found = score(
        'satisfaction',
        overall=column('good', 'bad', 'unsure', '', 'good'),
        water=column('good', 'good', 'bad', '', 'unsure'),
        air=column('bad', 'good', 'good', '', ''),
    )
    same(found, [2 / 3, 2 / 3, 0.5, NAN, 1])


def test_the_worst_case_counts_hard_to_say_as_not_satisfied() -> None:
    columns = {
        'overall': column('good', 'unsure'),
        'water': column('unsure', 'unsure'),
        'air': column('', 'unsure'),
    }
    same(score('satisfaction', **columns), [1, NAN])
    same(score('satisfaction', dont_know='wrong', **columns), [0.5, 0])


def test_a_score_lies_between_0_and_100_and_leaves_hard_to_say_out() -> None:
    overall = column('good', 'bad', 'unsure', None, '')
    same(score('score', overall=overall), [100, 0, NAN, NAN, NAN])
    same(score('score', dont_know='wrong', overall=overall), [100, 0, 0, NAN, NAN])


def test_any_of_is_out_of_the_base_only_when_nothing_was_answered() -> None:
    did = column(['sorted'], ['none'], [], None, ['walked', 'none'])
    same(score('part', did=did), [1, 0, NAN, NAN, 1])
    overall = column('', 'good', 'unsure', 'bad', 'bad')
    same(score('both', did=did, overall=overall), [1, 1, NAN, 0, 1])


def test_a_category_share_of_one_answer_is_yes_or_no_and_of_several_a_share() -> None:
    same(score('means', overall=column('good', 'bad', 'unsure', '')), [1, 0, NAN, NAN])
    same(score('household', did=column(['sorted'], ['walked'], [])), [1, 0, NAN])


def test_each_item_has_its_own_scores() -> None:
    found = indicators.items(
        QUESTIONNAIRE.indicator('satisfaction'),
        {
            'overall': column('good', ''),
            'water': column('unsure', 'bad'),
            'air': column('bad', 'good'),
        },
        2,
    )
    assert list(found) == ['overall', 'water', 'air']
    same(list(found.values()), [[1, NAN], [NAN, 0], [0, 1]])


def test_the_share_of_dont_know_the_breadth_and_the_passes_stand_beside() -> None:
    indicator = QUESTIONNAIRE.indicator('knowledge_two')
    columns = {
        'quiz': column('june', 'unknown', 'march', ''),
        'signs': column(['a'], ['unknown'], ['a', 'b'], None),
    }
    same(indicators.dont_know(indicator, columns, 4), [0, 1, 0, NAN])
    same(indicators.breadth(indicator, columns, 4), [1, 0, 1, 0])
    same(indicators.passed(np.array([0.8, 0.79, 12 * (1 / 15), NAN])), [1, 0, 1, NAN])
    same(indicators.passed(np.array([0.6, 0.5]), mark=0.6), [1, 0])


def test_a_household_is_met_as_often_as_it_has_people_to_be_chosen() -> None:
    household = QUESTIONNAIRE.indicator('household')
    divide = indicators.household_divisor
    expected = [1, 4, NAN, NAN, NAN]
    same(divide(household, {'age': column(1, 4, None, 0, '')}, 5), expected)
    same(divide(household, {'age': np.array([1, 4, NAN, 0, NAN])}, 5), expected)
    same(divide(household, {'age': np.array(['1', '4', '', '0', ''])}, 5), expected)
    same(divide(QUESTIONNAIRE.indicator('part'), {}, 2), [1, 1])


SPELLINGS = {
    'lists': column(['sorted', 'walked'], ['none'], []),
    'tuples': column(('sorted', 'walked'), ('none',), None),
    'texts': column('sorted walked', 'none', ''),
    'array of text': np.array(['sorted walked', 'none', '']),
    'nan': column('sorted walked', 'none', NAN),
    'codes': Coded(np.array([1, 0, 2]), (('none',), ['sorted', 'walked'], '')),
}


@pytest.mark.parametrize('spelling', SPELLINGS)
def test_a_column_may_come_in_any_of_the_usual_forms(spelling: str) -> None:
    indicator = QUESTIONNAIRE.indicator('part')
    same(indicators.score(indicator, {'did': SPELLINGS[spelling]}, 3), [1, 0, NAN])


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r'column quiz has shape \(2,\), expected \(3,\)'):
        indicators.score(QUESTIONNAIRE.indicator('knowledge'), {'quiz': column('a', 'b')}, 3)


def test_no_persons_give_no_scores() -> None:
    empty = np.array([], dtype=object)
    same(indicators.score(QUESTIONNAIRE.indicator('knowledge'), {'quiz': empty}, 0), [])


def test_a_hundred_thousand_persons_are_scored_in_milliseconds() -> None:
    n = 100_000
    random = np.random.default_rng(1)
    answers_given = np.array(['good', 'bad', 'unsure', ''], dtype=object)
    columns = {
        name: coded(answers_given[random.integers(0, 4, n)]) for name in ('overall', 'water', 'air')
    }
    started = time.process_time()
    scores = indicators.score(QUESTIONNAIRE.indicator('satisfaction'), columns, n)
    assert time.process_time() - started < 0.2
    assert np.nanmean(scores) == pytest.approx(0.5, abs=0.01)


def by_hand(indicator: Indicator, given_answers: dict[str, Any]) -> float:
    """One person's score, straight from the definition, item by item."""
    parts = []
    for variable in indicator.variables:
        answer = given_answers.get(variable.name)
        chosen = [answer] if isinstance(answer, str) else list(answer or [])
        if indicator.rule == 'share_right':
            parts.append(float(sorted(chosen) == sorted(variable.right)))
            continue
        positive = [value for value in chosen if value in indicator.positive]
        if not chosen or (variable.apart & set(chosen) and not positive):
            continue
        if indicator.rule == 'mean_score':
            assert indicator.scores
            parts.append(indicator.scores[chosen[0]])
        elif indicator.rule == 'category_share' and variable.kind == 'multiple':
            parts.append(len(positive) / len(set(indicator.positive) & set(variable.values)))
        else:
            parts.append(float(bool(positive)))
    if indicator.rule == 'any_of':
        return float(any(parts)) if parts else NAN
    return sum(parts) / len(parts) if parts else NAN


def any_answer(name: str) -> st.SearchStrategy[list[str]]:
    variable = QUESTIONNAIRE.variable(name)
    most = 4 if variable.kind == 'multiple' else 1
    return st.lists(st.sampled_from(variable.values), max_size=most)


people = st.lists(
    st.fixed_dictionaries(
        {name: any_answer(name) for name in ('overall', 'water', 'air', 'did', 'quiz', 'signs')}
    ),
    min_size=1,
    max_size=8,
)


@properties
@given(people)
def test_whole_columns_give_what_each_person_gives_alone(raw: list[dict[str, list[str]]]) -> None:
    checked = [answers.check(QUESTIONNAIRE, each, towns={}, villages={}).answers for each in raw]
    columns = {
        variable.name: column(*(each.get(variable.name) for each in checked))
        for variable in QUESTIONNAIRE.variables()
    }
    for indicator in QUESTIONNAIRE.indicators:
        found = indicators.score(indicator, columns, len(raw))
        same(found, [by_hand(indicator, each) for each in checked])
        top = 100 if indicator.scale == 'score' else 1
        assert np.all(np.isnan(found) | ((found >= 0) & (found <= top)))
