"""Columns read from pieces of text are those that parsing every answer would give."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey.respond.submit import canonical
from cixi_survey.results.coding import AnswerReader

SINGLES = ('age', 'adults', 'sat_air', 'zone')
LISTS = ('did', 'used')
value = st.text('abz_019', min_size=1, max_size=4)
answers = st.fixed_dictionaries(
    {},
    optional={
        'age': value,
        'adults': st.integers(-9, 99),
        'sat_air': value,
        'zone': value,
        'did': st.lists(value, unique=True, max_size=4),
        'used': st.lists(value, unique=True, max_size=2),
        'remark': st.text(max_size=30)
        | st.sampled_from(['","age":"x', '"did":["a"]', '\n,"\n', '\\"']),
    },
)


def parsed(rows: list[dict[str, object]], name: str) -> list[object]:
    found = [row.get(name) for row in rows]
    return [tuple(each) if isinstance(each, list) else each for each in found]


def read(texts: list[bytes], order: list[int], portion: int = 3) -> dict[str, list[object]]:
    reader = AnswerReader([*SINGLES, *LISTS], set(LISTS))
    for start in range(0, len(texts), portion):
        reader.add(texts[start : start + portion])
    columns = reader.columns(np.array(order, dtype=np.intp))
    return {name: [each.labels[code] for code in each.codes] for name, each in columns.items()}


@given(st.lists(answers, min_size=1, max_size=12), st.randoms())
def test_the_columns_are_those_of_parsing_every_answer(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    found = read([canonical(row).encode() for row in rows], order)
    for name in (*SINGLES, *LISTS):
        assert found[name] == [parsed(rows, name)[place] for place in order]


def test_no_responses_give_empty_columns():
    assert read([], []) == {name: [] for name in (*SINGLES, *LISTS)}


def test_another_spelling_is_refused_instead_of_misread():
    with pytest.raises(ValueError, match='canonical'):
        read([json.dumps({'remark': 'x', 'age': 'a'}).encode()], [0])
