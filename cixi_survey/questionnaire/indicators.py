"""Answers of a wave to scores: one number a person, nan for who is out of the base.

Columns are arrays of one entry a response: the value chosen (``''`` or None when there is none),
for several answers a list, or the values in one text with blanks between; numbers for integers.
Large columns are best given ``Coded``: each distinct value once, so that it is scored once.
A share is scored 0…1, a score 0…100; the mean over persons, weighted, is the indicator.

========================  ================================================================
rule                      a person's score over the items
========================  ================================================================
``share_right``           share of items answered right; no answer is not right, so the base
                          is everybody
``top_two``               share of answered items whose answer is positive
``mean_score``            mean score of answered items
``any_of``                1 if any item has a positive answer, 0 if none has; out of the base
                          when no item was answered
``category_share``        one answer: positive or not; several: share of the positive options
                          that were chosen; mean over answered items
========================  ================================================================

An answer kept apart from the scale (don't know) counts as no answer with ``out_of_base`` and as
not right, not positive, score 0, with ``wrong``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cixi_survey.questionnaire.model import DontKnow, Indicator, Variable

Scores = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Coded:
    """A column as small integers: ``labels[codes[i]]`` is the value of response i."""

    codes: NDArray[np.intp]
    labels: tuple[object, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the column that this stands for."""
        return self.codes.shape

    def mapped(self, number: Callable[[object], float]) -> Scores:
        """``number`` of each entry."""
        table = np.array([number(label) for label in self.labels] or [np.nan], dtype=np.float64)
        return table[self.codes]


Column = NDArray[Any] | Coded


def coded(column: Column) -> Coded:
    """The column with each distinct value once."""
    if isinstance(column, Coded):
        return column
    if column.dtype.kind != 'O':
        labels, codes = np.unique(column, return_inverse=True)
        return Coded(codes, tuple(labels.tolist()))
    places: dict[object, int] = {}
    keys = (tuple(each) if isinstance(each, list) else each for each in column.tolist())
    codes = np.fromiter((places.setdefault(key, len(places)) for key in keys), np.intp, len(column))
    return Coded(codes, tuple(places))


def score(
    indicator: Indicator,
    columns: Mapping[str, Column],
    n: int,
    *,
    dont_know: DontKnow | None = None,
) -> Scores:
    """The score of each of ``n`` persons; ``dont_know`` overrides the rule of the indicator."""
    matrix = np.stack(list(items(indicator, columns, n, dont_know=dont_know).values()))
    answered = ~np.isnan(matrix)
    base = answered.sum(axis=0).astype(np.float64)
    total = np.where(answered, matrix, 0.0).sum(axis=0)
    if indicator.rule == 'any_of':
        total, base = (total > 0).astype(np.float64), np.minimum(base, 1.0)
    return _ratio(total, base)


def items(
    indicator: Indicator,
    columns: Mapping[str, Column],
    n: int,
    *,
    dont_know: DontKnow | None = None,
) -> dict[str, Scores]:
    """The score of each person on each item alone, by the item's name."""
    rule = dont_know or indicator.dont_know_rule
    return {
        variable.name: _item(indicator, variable, _column(columns, variable, n), rule)
        for variable in indicator.variables
    }


def dont_know(indicator: Indicator, columns: Mapping[str, Column], n: int) -> Scores:
    """Share of items to which each person gave an answer kept apart; nan when none was answered."""
    given, apart = np.zeros(n), np.zeros(n)
    for variable in indicator.variables:
        column = _column(columns, variable, n)
        given += _answered(column)
        apart += _chosen(variable, column, variable.apart) > 0
    return _ratio(apart, given)


def breadth(indicator: Indicator, columns: Mapping[str, Column], n: int) -> Scores:
    """Share of items to which each person gave any answer but don't know, right or not."""
    known = np.zeros(n)
    for variable in indicator.variables:
        column = _column(columns, variable, n)
        known += _answered(column) & ~(_chosen(variable, column, variable.apart) > 0)
    return known / len(indicator.variables)


def passed(scores: Scores, mark: float = 0.8) -> Scores:
    """1 for a score at or above ``mark``, else 0, nan kept: the pass share is its mean."""
    # 0.6 of 15 items must not fail for the last bit of a division.
    return np.where(np.isnan(scores), np.nan, (scores >= mark - 1e-9).astype(np.float64))


def household_divisor(indicator: Indicator, columns: Mapping[str, Column], n: int) -> Scores:
    """By what each person's weight is divided for a household indicator; nan when not known.

    One person of each household was asked: large households are met more often by as much.
    """
    if indicator.household_size is None:
        return np.ones(n)
    sizes = coded(columns[indicator.household_size]).mapped(_size)
    return np.where(sizes >= 1, sizes, np.nan)


def _ratio(part: Scores, whole: Scores) -> Scores:
    result = np.full(len(part), np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _size(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float(str(value or '') or 'nan')


def _column(columns: Mapping[str, Column], variable: Variable, n: int) -> Coded:
    column = columns[variable.name]
    if column.shape != (n,):
        raise ValueError(f'column {variable.name} has shape {column.shape}, expected ({n},)')
    return coded(column)


def _item(indicator: Indicator, variable: Variable, column: Coded, dont_know: DontKnow) -> Scores:
    answered = _answered(column)
    apart = (_chosen(variable, column, variable.apart) > 0) if variable.apart else ~answered
    if indicator.rule == 'share_right':
        result = _right(variable, column).astype(np.float64)
        answered = np.ones_like(answered)
    elif indicator.rule == 'mean_score':
        result = _mapped(column, lambda value: (indicator.scores or {}).get(value, 0.0))
    else:
        positive = frozenset(indicator.positive) & frozenset(variable.values)
        result = _chosen(variable, column, positive)
        if variable.kind == 'multiple' and indicator.rule == 'category_share':
            result = result / max(len(positive), 1)
        else:
            result = (result > 0).astype(np.float64)
    if variable.apart and dont_know == 'out_of_base':
        # Don't know ticked beside a positive answer of several: the positive answer stands.
        answered = answered & ~(apart & ~(result > 0))
    return np.where(answered, result, np.nan)


def _right(variable: Variable, column: Coded) -> Flags:
    if variable.kind != 'multiple':
        return _chosen(variable, column, frozenset(variable.right)) > 0
    right = frozenset(variable.right)
    exactly = _mapped(column, lambda value: float(frozenset(value.split()) == right))
    return exactly > 0


def _chosen(variable: Variable, column: Coded, values: frozenset[str]) -> Scores:
    """How many of ``values`` each person chose."""
    if variable.kind == 'multiple':
        return _mapped(column, lambda value: float(len(values.intersection(value.split()))))
    return _mapped(column, lambda value: float(value in values))


def _answered(column: Coded) -> Flags:
    return _mapped(column, lambda value: float(bool(value.strip()))) > 0


def _mapped(column: Coded, number: Callable[[str], float]) -> Scores:
    return column.mapped(lambda value: number(_as_text(value)))


def _as_text(value: object) -> str:
    # Only nan differs from itself: it is what a data frame has for no answer.
    if value is None or value != value:
        return ''
    return ' '.join(value) if isinstance(value, tuple | list) else str(value)
