"""What is called impossible must be so: nothing that residents do reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cixi_survey.questionnaire import answers, definition, expressions, verify
from cixi_survey.questionnaire.model import Questionnaire
from tests.questionnaire import properties

FIXTURES = Path(__file__).parent.parent / 'fixtures' / 'questionnaires'
DATA = definition.load((FIXTURES / 'valid.yaml').read_text()).model_dump()


def with_conditions(
    relevant: dict[str, str], screening: list[str], constraint: str = '. >= 0 and . <= 120'
) -> Questionnaire:
    data: dict[str, Any] = {**DATA, 'indicators': ()}
    data['sections'] = [
        {
            **section,
            'questions': [
                {
                    **question,
                    'relevant': relevant.get(question['name']),
                    'constraint': constraint if question['name'] == 'age' else None,
                    'required': False,
                }
                for question in section['questions']
            ],
        }
        for section in DATA['sections']
    ]
    data['screening'] = [
        {'when': when, 'outcome': 'ineligible', 'message': {'zh': '谢', 'en': 'Thanks'}}
        for when in screening
    ]
    return Questionnaire.model_validate(data)


def codes(questionnaire: Questionnaire) -> set[str]:
    return {problem.code for problem in verify.verify(questionnaire)}


atoms = st.sampled_from(
    [
        *("${consent} = 'yes'", "${consent} = 'no'", "${consent} != 'no'", "${consent} = ''"),
        *('${age} < 18', '${age} >= 18', "${age} = '60'", '${age} > 119', '${age} > 120'),
        *('${age} = 17.5', '${age} != 0', "${age} != ''", 'true()', 'false()'),
    ]
)
later_atoms = atoms | st.sampled_from(
    [
        *("${overall} = 'bad'", "${overall} != 'bad'", "selected(${overall}, 'good')"),
        *("${reason} = ''", "${reason} != ''", "${reason} = '好'", '${air} = ${water}'),
    ]
)
last_atoms = later_atoms | st.sampled_from(
    [
        *("selected(${did}, 'none')", 'count-selected(${did}) > 2', 'count-selected(${did}) = 1'),
        *('count-selected(${did}) > 3', "selected(${did}, 'sorted')", '${age} + 1 > 130'),
    ]
)


def conditions(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        below,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(' and '.join).map('({})'.format),
            st.tuples(inner, inner).map(' or '.join).map('({})'.format),
            inner.map('not({})'.format),
        ),
        max_leaves=3,
    )


sent = st.fixed_dictionaries(
    {
        'consent': st.sampled_from([[], ['yes'], ['no']]),
        'age': st.sampled_from([[], *([str(n)] for n in (0, 1, 16, 17, 18, 60, 119, 120))]),
        'overall': st.sampled_from([[], ['good'], ['bad'], ['unsure']]),
        'water': st.sampled_from([[], ['good'], ['bad']]),
        'air': st.sampled_from([[], ['good'], ['bad']]),
        'reason': st.sampled_from([[], ['好'], ['河']]),
        'did': st.lists(st.sampled_from(['sorted', 'walked', 'none']), unique=True),
    }
)


@settings(properties, max_examples=300)
@given(
    st.fixed_dictionaries(
        {
            'reason': conditions(atoms | st.just("${overall} = 'bad'")),
            'quiz': conditions(last_atoms),
        }
    ),
    st.lists(conditions(atoms), max_size=2),
    st.lists(sent, min_size=15, max_size=15),
)
def test_what_residents_do_reach_is_never_called_unreachable(
    relevant: dict[str, str], screening: list[str], residents: list[dict[str, list[str]]]
) -> None:
    questionnaire = with_conditions(relevant, screening)
    problems = verify.verify(questionnaire)
    named = {problem.values['name'] for problem in problems if problem.code == 'unreachable'}
    found = {(problem.code, problem.where) for problem in problems}
    rules = [expressions.parse(when) for when in screening]
    for resident in residents:
        checked = answers.check(questionnaire, resident, towns={}, villages={})
        if checked.outcome == 'complete':
            assert not named & answers.relevant(questionnaire, checked.answers)
            if all(checked.answers.get(name) for name in ('consent', 'age')):
                assert 'always_fires' not in {code for code, _ in found}
        else:
            fired = next(i for i, rule in enumerate(rules) if rule.holds(checked.answers))
            assert ('never_fires', f'screening.{fired}.when') not in found


@pytest.mark.parametrize(
    'condition',
    [
        "${consent} = 'yes' and ${consent} = 'no'",
        'not(${age} < 18) and ${age} < 18',
        '${age} > 10 and ${age} < 11',
        '${age} > 120',
        "selected(${did}, 'none') and count-selected(${did}) = 0",
        'count-selected(${did}) > 3',
        "${reason} = '好' and ${reason} = '坏'",
        "not(${overall} = 'bad' or ${overall} != 'bad')",
    ],
)
def test_contradictions_are_found(condition: str) -> None:
    assert 'unreachable' in codes(with_conditions({'quiz': condition}, []))


@pytest.mark.parametrize(
    'condition',
    [
        '${age} + 1 > 200',
        "regex(${reason}, 'x') and string-length(${reason}) > 5",
        '${air} = ${water} and ${air} != ${water}',
    ],
)
def test_nothing_is_claimed_where_it_cannot_be_told(condition: str) -> None:
    assert codes(with_conditions({'quiz': condition}, [])) == set()


def test_a_condition_on_everything_is_left_alone_rather_than_tried_for_ever() -> None:
    wide = ' and '.join(f'${{age}} != {n}' for n in range(60))
    wide += " and ${consent} = 'yes' and ${overall} = 'bad' and ${water} = 'bad'"
    wide += " and ${air} = 'bad' and selected(${did}, 'none') and ${reason} != '好'"
    assert codes(with_conditions({'quiz': wide}, [])) == set()
