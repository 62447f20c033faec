"""Stored answers as coded columns, without making an object of every answer.

The answers of a response are one canonical JSON object (``{"age":"a30_39","did":["a","b"]}``).  Cut
at every ``,"`` it falls into pieces that repeat from response to response: ``age":"a30_39`` is the
same piece wherever it stands.  No cut can fall inside a text, where a quotation mark is always
written ``\\"``.  So each distinct piece is read once, and numpy sorts the codes of the pieces into
columns: a hundred thousand responses take a third of the time of parsing each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cixi_survey.questionnaire.indicators import Coded

CUT = b',"'
END = b'\n'  # ends a response: a bare line break cannot stand in JSON
KEY = re.compile(rb'([a-z][a-z0-9_]*)":(.*)', re.DOTALL)
NOWHERE = -1

Ints = NDArray[np.int32]


class _Codes(dict[bytes, int]):
    """Piece to code; a new piece gets the next one."""

    def __missing__(self, piece: bytes) -> int:
        code = self[piece] = len(self)
        return code


class AnswerReader:
    """Takes canonical answers portion by portion and gives the columns of some variables.

    ``several`` are those of the variables that hold a list; their labels are tuples.  Raises
    ValueError for answers with spaces between their parts, which this site never stores.
    """

    def __init__(self, variables: Sequence[str], several: Collection[str]) -> None:
        self._singles = [name for name in variables if name not in several]
        self._lists = [name for name in variables if name in several]
        self._pieces = _Codes({END: 0})
        self._parts: list[Ints] = []
        self._list_pieces = [_Codes() for _ in self._lists]
        self._list_parts: list[list[Ints]] = [[] for _ in self._lists]

    def add(self, texts: Sequence[bytes]) -> None:
        """Take the answers of some responses, each as stored."""
        between = CUT + END + CUT
        joined = between.join([text[2:-1] for text in texts]) + CUT + END
        self._parts.append(_coded(joined.split(CUT), self._pieces))
        for name, codes, parts in zip(
            self._lists, self._list_pieces, self._list_parts, strict=True
        ):
            begin = f'"{name}":['.encode()
            found = [text.partition(begin)[2].partition(b']') for text in texts]
            parts.append(_coded([inside + closed for inside, closed, _rest in found], codes))

    def columns(self, order: NDArray[np.intp]) -> dict[str, Coded]:
        """Every column with its rows in this order; an answer that is not there is None."""
        column, value, labels = self._read_pieces()
        codes = _joined(self._parts)
        ends = codes == 0
        row = np.cumsum(ends, dtype=np.int32) - ends
        table = np.full((len(self._singles), len(order)), NOWHERE, dtype=np.int32)
        placed = column[codes] != NOWHERE
        table[column[codes[placed]], row[placed]] = value[codes[placed]]
        found = {
            name: _column(table[place][order], labels[place])
            for place, name in enumerate(self._singles)
        }
        for name, pieces, parts in zip(
            self._lists, self._list_pieces, self._list_parts, strict=True
        ):
            chosen = [_chosen(piece) for piece in pieces]
            found[name] = _column(_joined(parts)[order], chosen)
        return found

    def _read_pieces(self) -> tuple[NDArray[np.int16], Ints, list[list[Any]]]:
        """For each piece its column and the code of its value there; the values by column."""
        place = {name.encode(): index for index, name in enumerate(self._singles)}
        column = np.full(len(self._pieces), NOWHERE, dtype=np.int16)
        value = np.zeros(len(self._pieces), dtype=np.int32)
        labels: list[list[Any]] = [[] for _ in self._singles]
        for piece, code in self._pieces.items():
            match = KEY.match(piece)
            if match and match[2][:1].isspace():
                raise ValueError('stored answers are not in their canonical spelling')
            if match and match[1] in place:
                index = column[code] = place[match[1]]
                value[code] = len(labels[index])
                labels[index].append(json.loads(match[2]))
        return column, value, labels


def _coded(pieces: Sequence[bytes], codes: _Codes) -> Ints:
    return np.fromiter(map(codes.__getitem__, pieces), np.int32, len(pieces))


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.zeros(0, np.int32)


def _chosen(piece: bytes) -> tuple[Any, ...] | None:
    """The list in a piece that ends with its bracket; an empty piece is no answer."""
    return tuple(json.loads(b'[' + piece)) if piece else None


def _column(codes: NDArray[np.integer[Any]], labels: Sequence[Any]) -> Coded:
    """The column with sorted labels, equal ones taken together; NOWHERE becomes None."""
    distinct = sorted({*labels, None} if (codes == NOWHERE).any() else {*labels}, key=_sort_key)
    place = {label: index for index, label in enumerate(distinct)}
    lookup = np.array([place[label] for label in labels] + [place.get(None, 0)], dtype=np.intp)
    return Coded(lookup[codes], tuple(distinct))


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ''
    return (0, 0.0, '') if value is None else (2, 0.0, str(value))
