"""A row is named by its label, however the label was given; never taken by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from analysis import Design, contrast, difference, mean, smooth
from analysis.errors import BadOption

D = Design(np.ones(6))
Y = [1.0, 2.0, 3.0, 4.0, 6.0, 9.0]


def by(labels: Sequence[Any]) -> Any:
    return mean(D, Y, by=[*labels, *labels])


@pytest.mark.parametrize('second', [2, '2', np.int64(2), 2.0])
def test_a_number_given_as_a_label_is_that_label_and_not_a_position(second: Any) -> None:
    rows = by([1, 2, 3])
    assert difference(rows, second, 1).label == '2 − 1'
    assert difference(rows, second, 1).est == pytest.approx(4.0 - 2.5)
    assert contrast(rows, {second: 1.0, 3: -1.0}).est == pytest.approx(4.0 - 6.0)
    assert smooth(rows, lambda at: float(at[0] / at[1]), [second, 1]).est == pytest.approx(1.6)
    assert rows[second].label == '2'


def test_a_number_that_is_no_label_is_no_position_among_numbered_rows() -> None:
    rows = by([1, 2, 3])
    for wrong in (0, 4, -1):
        with pytest.raises(BadOption, match=rf'No row is called {wrong}; there are: 1, 2, 3'):
            difference(rows, wrong, 1)
        with pytest.raises(BadOption, match='named by them, not by their position'):
            contrast(rows, {wrong: 1.0})


def test_rows_called_by_words_are_also_found_by_position() -> None:
    rows = by(['old', 'middle', 'young'])
    assert difference(rows, 0, 2).label == difference(rows, 'middle', 'young').label
    assert rows[-1].label == 'young'


def test_going_through_rows_and_slices_knows_positions_only() -> None:
    rows = by([3, 1, 2])
    assert [row.label for row in rows] == ['1', '2', '3']
    assert [row.label for row in reversed(rows)] == ['3', '2', '1']
    assert [row.label for row in rows[1:]] == ['2', '3']
    assert rows[0].label == '1'
    assert rows.rows[1].label == '2'


def test_true_and_false_and_numbers_with_a_point_are_labels_too() -> None:
    assert difference(mean(D, Y, by=[True, False] * 3), True, False).label == 'True − False'
    assert difference(by([1.5, 2.5, 3.5]), 2.5, 1.5).label == '2.5 − 1.5'


def test_text_is_only_itself_and_the_exact_label_goes_first() -> None:
    rows = by(['07', '7', 'x'])
    assert rows['07'].label == '07'
    assert rows[7].label == '7'
    assert by(['07', '8', 'x'])[7].label == '07'
    with pytest.raises(BadOption, match="'7' points at 0 rows"):
        difference(by(['07', '8', 'x']), '7', '8')


def test_columns_called_by_numbers_are_named_by_them() -> None:
    rows = mean(D, {1: Y, 2: Y[::-1]}, by=['a', 'b'] * 3)
    assert rows[(2, 'a')].variable == '2'
    assert difference(mean(D, {1: Y, 2: Y[::-1]}), 2, 1).label == '2 − 1'
