"""Columns as they come (lists, arrays, frame columns) turned into checked numpy arrays.

Numbers become float64, so that totals of integer columns cannot overflow.  Labels are
coded once into ``Groups``; everything after works on the small integer codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from analysis.errors import BadColumn, listed

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.intp]
Mask: TypeAlias = NDArray[np.bool_]


# What files write where a number is missing (R writes NA).
MISSING = ('', 'NA')


@dataclass(frozen=True, eq=False)
class Groups:
    """A column of labels as integers: ``labels[codes[i]]`` is row i; code -1 means no label."""

    codes: Codes
    labels: Sequence[object]

    def __len__(self) -> int:
        return len(self.labels)

    def names(self) -> tuple[str, ...]:
        """The labels as text, as they are shown."""
        return tuple(str(label) for label in self.labels)


def sums(codes: Codes, values: Floats, size: int) -> Floats:
    """Sum of the values by code, an array of length ``size``."""
    return np.asarray(np.bincount(codes, values, size), dtype=np.float64)


def counts(codes: Codes, size: int) -> Floats:
    """How often each code appears, as floats (they are divided by later)."""
    return np.bincount(codes, minlength=size).astype(np.float64)


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
    if isinstance(values, Groups):
        result = values
    elif hasattr(values, 'cat') and hasattr(values.cat, 'codes'):
        result = _from_categorical(values.cat)
    elif hasattr(values, 'categories') and hasattr(values, 'codes'):
        result = _from_categorical(values)
    else:
        array = np.asarray(values)
        if array.ndim != 1:
            raise BadColumn(f'{name} must be one column; it has {array.ndim} dimensions.')
        result = _code(array)
    if rows is not None and len(result.codes) != rows:
        raise BadColumn(f'{name} has {len(result.codes)} rows where {rows} are expected.')
    return result


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
    if high - low > 4 * array.size + 1000:
        labels, codes = np.unique(array, return_inverse=True)
        return Groups(codes.astype(np.intp, copy=False), tuple(labels.tolist()))
    # A table of the range is many times faster than sorting, and codes usually are dense.
    offset = array if low == 0 else array - low
    offset = offset.astype(np.intp, copy=False)
    present = np.zeros(high - low + 1, dtype=bool)
    present[offset] = True
    if present.all():
        return Groups(offset, range(low, high + 1))
    lookup = np.cumsum(present) - 1
    return Groups(lookup[offset], tuple((np.flatnonzero(present) + low).tolist()))


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
