"""Columns as they come (lists, arrays, frame columns) turned into checked numpy arrays.

Numbers become float64, so that totals of integer columns cannot overflow.  Labels are
coded once into ``Groups``; everything after works on the small integer codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadColumn, BadWeights, listed

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


# What files write where a number is missing (R writes NA).
MISSING = ('', 'NA')


# Rows that are worked on at a time, so that what is made of them stays in the processor's cache;
# more at a time (LONG) where little is made of each.
PIECE, LONG = 1 << 15, 1 << 17
# BLAS wakes other processors for longer products than this one, for a millisecond's work.
ONE_PROCESSOR = 8192


@dataclass(frozen=True, eq=False)
class Groups:
    """A column of labels as integers: ``labels[codes[i]]`` is row i; code -1 means no label.

    ``complete`` says that no row is without a label; where it is False, nobody has looked.
    """

    codes: Codes
    labels: Sequence[object]
    complete: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def first(self) -> Codes:
        """A row of each label, -1 where no row has it."""
        return first_rows(self.codes, len(self.labels))

    @property
    def each_row(self) -> bool:
        """Whether row i has label i, so that adding up by label would only copy the rows."""
        size = len(self.codes)
        return len(self.labels) == size and bool((self.codes == np.arange(size)).all())

    @cached_property
    def gaps(self) -> Codes:
        """The rows without a label."""
        return np.flatnonzero(self.codes < 0) if not self.complete else np.array([], np.intp)

    def of_rows(self, rows: Codes) -> Groups:
        """The labels of some rows."""
        return Groups(self.codes[rows], self.labels, self.complete)

    def each(self) -> list[str]:
        """The label of every row as text; all must have one."""
        names = self.names()
        return [names[code] for code in self.codes]

    def seen(self) -> Groups:
        """Without the labels that no row has."""
        here = self.first >= 0
        if here.all():
            return self
        labels = [label for label, used in zip(self.labels, here, strict=True) if used]
        lookup = np.append(np.cumsum(here) - 1, -1)
        return Groups(lookup[self.codes], labels, self.complete)

    def names(self) -> tuple[str, ...]:
        """The labels as text, as they are shown."""
        return tuple(str(label) for label in self.labels)


class _PairLabels(Sequence[str]):
    """``first/second`` for pairs of labels, written only when somebody asks."""

    def __init__(self, first: Groups, second: Groups, pairs: Codes) -> None:
        self._first, self._second, self._pairs = first.labels, second.labels, pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, slice):
            return [self[i] for i in range(len(self))[position]]
        before, after = divmod(int(self._pairs[position]), len(self._second))
        return f'{self._first[before]}/{self._second[after]}'


def paired(first: Groups, second: Groups) -> Groups:
    """The pairs of labels that rows have, in the order of the first and then of the second."""
    pairs, codes = np.unique(first.codes * len(second) + second.codes, return_inverse=True)
    labels = _PairLabels(first, second, pairs)
    return Groups(codes.astype(np.intp, copy=False), labels, complete=True)


def chosen(labels: Sequence[object], which: Mask) -> list[str]:
    """The labels marked by ``which``, as text."""
    return [str(labels[i]) for i in np.flatnonzero(which).tolist()]


def sums(codes: Codes, values: Floats, size: int) -> Floats:
    """Sum of the values by code, an array of length ``size``."""
    return np.asarray(np.bincount(codes, values, size), dtype=np.float64)


def counts(codes: Codes, size: int) -> Floats:
    """How often each code appears, as floats (they are divided by later)."""
    return np.bincount(codes, minlength=size).astype(np.float64)


def dot(first: Floats, second: Floats) -> float:
    """Σ first·second, on one processor."""
    whole = len(first) // ONE_PROCESSOR * ONE_PROCESSOR
    lines = (-1, ONE_PROCESSOR)
    inside = np.vecdot(first[:whole].reshape(lines), second[:whole].reshape(lines)).sum()
    return float(inside + np.vecdot(first[whole:], second[whole:]))


def pieces(rows: int, size: int) -> Iterator[slice]:
    """The rows, some at a time."""
    return (slice(start, start + size) for start in range(0, rows, size))


def rows_that_differ(column: NDArray[Any], by_code: NDArray[Any], codes: Codes) -> Codes:
    """Rows whose value is not that of their code (a missing value never is)."""
    found = [
        rows.start + np.flatnonzero(by_code.take(codes[rows]) != column[rows])
        for rows in pieces(len(codes), LONG)
    ]
    return np.concatenate(found) if found else np.array([], dtype=np.intp)


def first_rows(codes: Codes, size: int) -> Codes:
    """A row of each code, -1 where no row has it; reads no more rows than it takes."""
    # Code -1 falls on the last entry, which is cut off.
    found = np.full(size + 1, -1, dtype=np.intp)
    start, stop = 0, PIECE // 2
    while start < len(codes) and found[:size].min(initial=0) < 0:
        rows = np.arange(start, min(stop, len(codes)))
        found[codes[start:stop]] = rows
        start, stop = stop, 4 * stop
    return found[:size]


def numbers(values: Any, name: str, rows: int | None = None) -> Floats:
    """A numeric column as float64; None, NaN, empty text and NA count as missing (NaN).

    Raises BadColumn naming the first rows (counted from 1) that are not numbers.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise BadColumn(f'{name} must be one column; it has {array.ndim} dimensions.')
    if array.dtype.kind in 'biuf':
        result = np.ascontiguousarray(array, dtype=np.float64)
    else:
        result = _numbers_from_objects(array.tolist(), name)
    if rows is not None and len(result) != rows:
        raise BadColumn(f'{name} has {len(result)} rows where {rows} are expected.')
    return result


def _numbers_from_objects(values: Sequence[Any], name: str) -> Floats:
    result = np.empty(len(values))
    bad = []
    for row, value in enumerate(values):
        try:
            result[row] = np.nan if value is None or value in MISSING else float(value)
        except (TypeError, ValueError):
            bad.append(f'{value!r} in row {row + 1}')
    if bad:
        raise BadColumn(
            f'{name} must be numeric; found {listed(bad, 3)}.',
            'Recode the value, or leave it empty if the answer is missing.',
        )
    return result


def positive_or_zero(values: Any, name: str = 'weights', rows: int | None = None) -> Floats:
    """A column of weights: finite, not negative, not all zero; else BadWeights naming the rows."""
    column = numbers(values, name, rows)
    smallest_weight(column, name)
    return column


def smallest_weight(column: Floats, name: str = 'weights') -> float:
    """The smallest of some weights, after the checks of ``positive_or_zero``."""
    if not column.size:
        raise BadWeights(f'{name} has no rows.')
    low, high = float(column.min()), float(column.max())
    if not (low >= 0 and high < np.inf):
        bad = np.flatnonzero(~((column >= 0) & (column < np.inf)))
        found = ['nothing' if np.isnan(column[i]) else f'{column[i]:g}' for i in bad]
        cases = [f'{value} in row {i + 1}' for value, i in zip(found, bad, strict=True)]
        raise BadWeights(
            f'{name} must be finite and not negative; found {listed(cases, 4)}.',
            'A unit outside the sample has no row; one that did not answer may have weight 0.',
        )
    if high == 0:
        raise BadWeights(f'{name} are all zero.')
    return low


def row_count(values: Any, name: str) -> int:
    """How many rows a column has."""
    if isinstance(values, str) or not hasattr(values, '__len__'):
        raise BadColumn(f'{name} must be a column; it is {values!r}.')
    return len(values)


def flags(values: Any, name: str, rows: int) -> Mask:
    """A yes/no column as booleans; 0/1 is accepted, anything else is refused."""
    array = np.asarray(values)
    if array.dtype.kind != 'b':
        as_numbers = numbers(values, name, rows)
        if not np.isin(as_numbers, (0.0, 1.0)).all():
            raise BadColumn(f'{name} must be true or false (or 1 and 0) in every row.')
        array = as_numbers == 1.0
    if array.shape != (rows,):
        raise BadColumn(f'{name} has shape {array.shape} where {rows} rows are expected.')
    return array


def groups(values: Any, name: str, rows: int | None = None) -> Groups:
    """Code a column of labels; labels are sorted unless the column brings its own order.

    A ``Groups`` or a categorical column (with ``categories`` and ``codes``) keeps its labels
    and their order, also those that no row has.  None, NaN and empty text become code -1.
    """
    column = label_column(values, name, rows)
    return column if isinstance(column, Groups) else _code(column)


def label_column(values: Any, name: str, rows: int | None = None) -> Groups | NDArray[Any]:
    """A column of labels as it came, or as ``Groups`` where it brings its own order."""
    column: Groups | NDArray[Any]
    if isinstance(values, Groups):
        column = values
    elif hasattr(values, 'cat') and hasattr(values.cat, 'codes'):
        column = _from_categorical(values.cat)
    elif hasattr(values, 'categories') and hasattr(values, 'codes'):
        column = _from_categorical(values)
    else:
        column = np.asarray(values)
        if column.ndim != 1:
            raise BadColumn(f'{name} must be one column; it has {column.ndim} dimensions.')
    length = len(column.codes) if isinstance(column, Groups) else len(column)
    if rows is not None and length != rows:
        raise BadColumn(f'{name} has {length} rows where {rows} are expected.')
    return column


def _from_categorical(values: Any) -> Groups:
    return Groups(np.asarray(values.codes, dtype=np.intp), tuple(values.categories))


def _code(array: NDArray[Any]) -> Groups:
    if array.dtype.kind == 'b':
        present = [label for label in (False, True) if (array == label).any()]
        codes = array.astype(np.intp) - (present[0] if present else 0)
        return Groups(codes, tuple(present))
    if array.dtype.kind in 'iu' and array.size:
        return _code_integers(array)
    if array.dtype.kind == 'f':
        return _code_floats(array)
    return _code_objects(array.tolist())


def _code_integers(array: NDArray[Any]) -> Groups:
    low, high = int(array.min()), int(array.max())
    if high - low > 4 * array.size + 1000 or high > np.iinfo(np.intp).max:
        labels, codes = np.unique(array, return_inverse=True)
        return Groups(codes.astype(np.intp, copy=False), tuple(labels.tolist()), complete=True)
    # A table of the range is many times faster than sorting, and codes usually are dense.
    # Widened first: the difference of two small integers need not be one.
    offset = array.astype(np.intp, copy=False)
    offset = offset if low == 0 else offset - low
    present = first_rows(offset, high - low + 1) >= 0
    if present.all():
        return Groups(offset, range(low, high + 1), complete=True)
    lookup = np.cumsum(present) - 1
    return Groups(lookup[offset], tuple((np.flatnonzero(present) + low).tolist()), complete=True)


def _code_floats(array: NDArray[Any]) -> Groups:
    missing = np.isnan(array)
    labels, inverse = np.unique(array[~missing], return_inverse=True)
    codes = np.full(array.size, -1, dtype=np.intp)
    codes[~missing] = inverse
    whole = bool((labels == np.round(labels)).all()) and bool((abs(labels) < 2**53).all())
    return Groups(codes, tuple(labels.astype(np.int64).tolist() if whole else labels.tolist()))


def _code_objects(values: Sequence[Any]) -> Groups:
    empty = {None, ''}
    distinct = {value for value in dict.fromkeys(values) if value not in empty and value == value}
    try:
        labels = sorted(distinct)
    except TypeError:
        labels = sorted(distinct, key=str)
    position = {label: code for code, label in enumerate(labels)}
    codes = np.fromiter((position.get(value, -1) for value in values), np.intp, len(values))
    return Groups(codes, tuple(labels))
