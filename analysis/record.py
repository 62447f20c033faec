"""What every function gives back: a ``Record``, or ``Records`` with one row each.

A record is a frozen data class whose fields are the figures.  Alone or in rows it is read at a
glance, and goes on as a mapping, JSON or a data frame.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar, overload

import numpy as np

from analysis.errors import BadOption, listed
from analysis.table import aligned, number

# Entries of a list that a repr shows before it says how many more there are.
SHOWN = 6
# Marks a field that is no figure: field(metadata=UNTOLD).
UNTOLD = {'told': False}


class Record:
    """The figures of one result."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain values; NaN (not defined) and infinity become None."""
        return {name: plain(value) for name, value in _fields(self)}

    def to_json(self) -> str:
        return _json(self.to_dict())

    def to_frame(self) -> Any:
        """A pandas or polars data frame (whichever is installed) of one row."""
        return _frame([self.to_dict()])

    def __repr__(self) -> str:
        told = [(f'  {name}', _cell(value)) for name, value in _fields(self) if _says(value)]
        return aligned([type(self).__name__, ''], told, left=2)


R = TypeVar('R', bound=Record, covariant=True)


class Records(Sequence[R], Generic[R]):
    """Results of one kind, in order; they never change."""

    def __init__(self, rows: Iterable[R]) -> None:
        self.rows = tuple(rows)

    @overload
    def __getitem__(self, key: int | str) -> R: ...

    @overload
    def __getitem__(self, key: slice) -> Records[R]: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._row_called(key)
        return Records(self.rows[key]) if isinstance(key, slice) else self.rows[key]

    def _row_called(self, name: str) -> R:
        """The one row whose label (or name) this is."""
        names = [getattr(row, 'label', getattr(row, 'name', '')) for row in self.rows]
        if names.count(name) != 1:
            raise BadOption(
                f'{name!r} names {names.count(name) or "no"} row of these.',
                f'There are: {listed(filter(None, names))}.'
                if any(names)
                else 'Count them from 0.',
            )
        return self.rows[names.index(name)]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Records) and self.rows == other.rows

    __hash__ = None  # type: ignore[assignment]

    def to_dicts(self) -> list[dict[str, Any]]:
        return [row.to_dict() for row in self.rows]

    def to_json(self) -> str:
        return _json(self.to_dicts())

    def to_frame(self) -> Any:
        """The rows as a pandas or polars data frame, whichever is installed."""
        return _frame(self.to_dicts())

    def __repr__(self) -> str:
        if not self.rows:
            return f'{type(self).__name__}: none'
        header = [name for name, _ in _fields(self.rows[0])]
        body = [[_cell(value) for _, value in _fields(row)] for row in self.rows]
        return aligned(header, body)


def _fields(record: Any) -> list[tuple[str, Any]]:
    """The figures; what a record only keeps to go on from (``UNTOLD``) is none."""
    told = [field.name for field in fields(record) if field.metadata != UNTOLD]
    return [(name, getattr(record, name)) for name in told]


def plain(value: Any) -> Any:
    """A value as JSON knows it; what is not a finite number is None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if is_dataclass(value):
        return {name: plain(inner) for name, inner in _fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(inner) for inner in value]
    return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _frame(rows: list[dict[str, Any]]) -> Any:
    for name in ('pandas', 'polars'):
        if importlib.util.find_spec(name):
            return importlib.import_module(name).DataFrame(rows)
    raise BadOption('to_frame needs pandas or polars.', 'Use to_dict() or to_dicts() without them.')


def _says(value: Any) -> bool:
    """Whether a field has something to tell: not those that are empty."""
    return value is not None and not (isinstance(value, str | Sequence | Mapping) and not value)


def _cell(value: Any) -> str:
    if value is None:
        return '–'
    if isinstance(value, float):
        return number(value)
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, Mapping):
        value = [f'{key} {_cell(inner)}' for key, inner in value.items()]
    if isinstance(value, Records):
        return '; '.join(map(_cell, value.rows))
    if isinstance(value, Record):
        told = [(name, inner) for name, inner in _fields(value) if _says(inner)]
        return ', '.join(f'{name} {_cell(inner)}' for name, inner in told)
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = [f'… {len(value)} in all'] if len(value) > SHOWN else []
        return ', '.join([_cell(one) for one in value[:SHOWN]] + more)
    return str(value)
