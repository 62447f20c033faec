"""Columns as they come (lists, arrays, frame columns) turned into checked numpy arrays.

Numbers become float64, so that totals of integer columns cannot overflow.  Labels are
coded once into ``Groups``; everything after works on the small integer codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.arguments import shown
from analysis.errors import BadColumn, BadWeights, listed

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]

T = TypeVar('T', bound=np.generic)


# Rows that are worked on at a time, so that what is made of them stays in the processor's cache;
# more at a time (LONG) where little is made of each.
PIECE, LONG = 1 << 15, 1 << 17
# BLAS wakes other processors for longer products than this one, for a millisecond's work.
ONE_PROCESSOR = 8192


NO_ANSWER = 'A unit outside the sample has no row; one that did not answer may have weight 0.'
NO_NEGATIVE = 'Calibrate with bounds, or by raking or logit, or use weights.trim.'


@dataclass(frozen=True, eq=False, repr=False)
class Groups:
    """A column of labels as integers: ``labels[codes[i]]`` is row i; code -1 means no label.

    ``complete`` says that no row is without a label; where it is False, nobody has looked.
    """

    codes: Codes
    labels: Sequence[object]
    complete: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        found = counts(self.codes[self.codes >= 0], len(self))
        told = [f'{name} ({n:.0f})' for name, n in zip(self.names(), found, strict=True)]
        return f'Groups({len(self.codes)} rows: {listed(told)})'

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


def frozen(array: NDArray[T], given: Any) -> NDArray[T]:
    """The array, never to be written to again; a copy where it is the memory of ``given``."""
    if array is getattr(given, 'codes', given) or not array.flags.owndata:
        array = array.copy()
    array.setflags(write=False)
    return array


def counts(codes: Codes, size: int) -> Floats:
    """How often each code appears, as floats (they are divided by later)."""
    return np.bincount(codes, minlength=size).astype(np.float64)


def ratio(above: Floats, below: Floats, otherwise: float = 1.0) -> Floats:
    """above/below, and ``otherwise`` (a factor that changes nothing) where that is nothing/0."""
    return np.divide(above, below, out=np.full_like(below, otherwise), where=below != 0)


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
    array = one_column(values, name, rows)
    if array.dtype.kind in 'biuf':
        return np.ascontiguousarray(array, dtype=np.float64)
    return _numbers_from_objects(array.tolist(), name)


def measured(values: Any, name: str, rows: int | None = None) -> Floats:
    """The same, and none of them infinite."""
    column = numbers(values, name, rows)
    infinite = np.flatnonzero(np.isinf(column))
    if infinite.size:
        raise BadColumn(
            f'{name} is infinite in row {infinite[0] + 1}.', 'Correct it or leave it empty.'
        )
    return column


def one_column(values: Any, name: str, rows: int | None = None) -> NDArray[Any]:
    """A list, an array or the column of a frame as an array of one dimension."""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, '__len__'):
        raise BadColumn(
            f'{name} must be a column, with a value for each row; it is {shown(values)}.',
            "Pass the column itself, as table['y']; Design.from_table alone takes names."
            if isinstance(values, str)
            else '',
        )
    if isinstance(values, np.ma.MaskedArray):
        hidden, values = np.ma.getmaskarray(values), np.array(values.data, dtype=object)
        values[hidden] = None
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise BadColumn(
            f'{name} must be one column; its rows have values of several sizes.'
        ) from error
    if array.ndim != 1:
        raise BadColumn(
            f'{name} must be one column; it has {array.ndim} dimensions.',
            'Name one column. The estimators take several for y and by, as a mapping from names.',
        )
    if rows is not None and len(array) != rows:
        raise BadColumn(f'{name} has {len(array)} rows where {rows} are expected.')
    if array.dtype.kind in 'mM':
        return _dates_as_text(array)
    if array.dtype.kind in 'cV':
        raise BadColumn(f'{name} must hold numbers, labels or dates, not {array.dtype}.')
    return array


def _dates_as_text(array: NDArray[Any]) -> NDArray[Any]:
    """A date is no number, and as a label it is its own text; without the time where all have 0."""
    missing = np.isnat(array)
    if array.dtype.kind == 'M' and (array.astype('M8[D]') == array)[~missing].all():
        array = array.astype('M8[D]')
    return np.where(missing, '', array.astype(str))


def number_table(values: Any, name: str) -> Floats:
    """Several columns of numbers side by side, as an array of two dimensions."""
    try:
        table = np.asarray(values)
        if table.dtype.kind in 'biufO':
            return table.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        pass
    raise BadColumn(f'{name} must be a table of numbers; it is {shown(values)}.')


def holds_numbers(column: Groups | NDArray[Any]) -> bool:
    """Whether a column is one of numbers (missing ones left aside) and not of labels."""
    if isinstance(column, Groups):
        return False
    if column.dtype.kind != 'O':
        return column.dtype.kind in 'biuf'
    return all(isinstance(value, int | float | np.number) or is_missing(value) for value in column)


def is_missing(value: Any) -> bool:
    """None, NaN, NA of whatever library, empty text, and what R writes for it: the text NA."""
    if value is None or (isinstance(value, str) and value in ('', 'NA')):
        return True
    return type(value).__name__ in ('NAType', 'NaTType') or (
        isinstance(value, float | np.floating) and bool(np.isnan(value))
    )


def _numbers_from_objects(values: Sequence[Any], name: str) -> Floats:
    result, bad = np.full(len(values), np.nan), []
    for row, value in enumerate(values):
        try:
            result[row] = float(value)
        except (TypeError, ValueError, OverflowError):
            if not is_missing(value):
                bad.append(f'{shown(value)} in row {row + 1}')
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


def finite_weights(values: Any, name: str = 'weights', rows: int | None = None) -> Floats:
    """A column of weights of which some may be negative, as a linear calibration makes them.

    Raises BadWeights naming rows that are missing or infinite, and where the sum is not above 0.
    """
    column = numbers(values, name, rows)
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise BadWeights(f'{name} must be finite; row {listed(bad + 1, 4)} is not.', NO_ANSWER)
    if not column.sum() > 0:
        raise BadWeights(f'{name} add up to {column.sum():g}; the sum must be above 0.')
    return column


def refuse_negative(weights: Floats, why: str) -> None:
    """Raises BadWeights naming the rows below 0, for what has no meaning with them."""
    below = np.flatnonzero(weights < 0)
    if below.size:
        raise BadWeights(
            f'{below.size} weights are negative (row {listed(below + 1, 4)}): {why}.', NO_NEGATIVE
        )


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
            f'{NO_ANSWER} {NO_NEGATIVE}' if low < 0 else NO_ANSWER,
        )
    if high == 0:
        raise BadWeights(f'{name} are all zero.')
    return low


def flags(values: Any, name: str, rows: int | None = None) -> Mask:
    """A yes/no column as booleans; 0/1 is accepted, anything else is refused."""
    array = one_column(values, name, rows)
    if array.dtype.kind == 'b':
        return np.asarray(array, dtype=np.bool_)
    as_numbers = numbers(array, name)
    wrong = np.flatnonzero(~np.isin(as_numbers, (0.0, 1.0)))
    if wrong.size:
        raise BadColumn(
            f'{name} must be true or false (or 1 and 0) in every row; row {listed(wrong + 1, 4)} '
            'is not.',
            'A missing value is neither; fill it in (False leaves the row out).'
            if np.isnan(as_numbers[wrong]).any()
            else '',
        )
    return np.asarray(as_numbers == 1.0)


def row_count(values: Any, name: str) -> int:
    """How many rows a column has."""
    column = label_column(values, name)
    return len(column.codes if isinstance(column, Groups) else column)


def groups(values: Any, name: str, rows: int | None = None) -> Groups:
    """Code a column of labels; labels are sorted unless the column brings its own order.

    A ``Groups`` or a categorical column (with ``categories`` and ``codes``) keeps its labels
    and their order, also those that no row has.  None, NaN, empty text and NA become code -1.
    """
    column = label_column(values, name, rows)
    return column if isinstance(column, Groups) else _code(column, name)


def label_column(values: Any, name: str, rows: int | None = None) -> Groups | NDArray[Any]:
    """A column of labels as it came, or as ``Groups`` where it brings its own order."""
    if isinstance(values, Groups):
        column = values
    elif hasattr(values, 'cat') and hasattr(values.cat, 'codes'):
        column = _from_categorical(values.cat)
    elif hasattr(values, 'categories') and hasattr(values, 'codes'):
        column = _from_categorical(values)
    elif type(getattr(values, 'dtype', None)).__name__ == 'Enum':
        column = _from_enum(values)
    else:
        return one_column(values, name, rows)
    codes = column.codes
    if codes.size and not (codes.min() >= -1 and codes.max() < len(column)):
        raise BadColumn(f'{name} has codes without a label.', 'Codes run from 0; -1 is no label.')
    if rows is not None and len(codes) != rows:
        raise BadColumn(f'{name} has {len(codes)} rows where {rows} are expected.')
    return column


def _from_enum(values: Any) -> Groups:
    """A column of polars with categories in a fixed order."""
    codes = values.to_physical().cast(int).fill_null(-1).to_numpy()
    return Groups(codes.astype(np.intp), tuple(values.dtype.categories.to_list()))


def _from_categorical(values: Any) -> Groups:
    return Groups(np.asarray(values.codes, dtype=np.intp), tuple(values.categories))


def _code(array: NDArray[Any], name: str) -> Groups:
    if array.dtype.kind == 'b':
        present = [label for label in (False, True) if (array == label).any()]
        codes = array.astype(np.intp) - (present[0] if present else 0)
        return Groups(codes, tuple(present))
    if array.dtype.kind in 'iu' and array.size:
        return _code_integers(array)
    if array.dtype.kind == 'f':
        return _code_floats(array)
    return _code_objects(array.tolist(), name)


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
    # In 16 bits 2^53 itself would be infinite.
    labels = labels.astype(np.float64)
    whole = bool((labels == np.round(labels)).all()) and bool((abs(labels) < 2**53).all())
    return Groups(codes, tuple(labels.astype(np.int64).tolist() if whole else labels.tolist()))


def _code_objects(values: Sequence[Any], name: str) -> Groups:
    try:
        distinct = {value for value in dict.fromkeys(values) if not is_missing(value)}
    except TypeError as error:
        raise BadColumn(
            f'{name} must hold labels: text, numbers or dates.', 'It has lists or mappings in it.'
        ) from error
    try:
        labels = sorted(distinct)
    except TypeError:
        labels = sorted(distinct, key=str)
    position = {label: code for code, label in enumerate(labels)}
    codes = np.fromiter((position.get(value, -1) for value in values), np.intp, len(values))
    return Groups(codes, tuple(labels))
