"""Tables at the border: CSV or Parquet in, aligned text out."""

from __future__ import annotations

import csv
import importlib.util
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import AnalysisError, BadColumn

Table = Mapping[str, Sequence[Any]]
# What other programs put between the columns of a CSV file.
SEPARATORS = ((';', 'semicolons'), ('\t', 'tabs'), ('|', 'bars'))
# "row 3", "row 3, 5, 9" in a message: rows of a table, counted from 1.
ROWS = re.compile(r'\brow (\d+(?:, \d+)*)')


@contextmanager
def opened(path: str | Path, *, named: bool = False) -> Iterator[Table]:
    """The columns of a file by name; faults told inside name lines of the file, not rows.

    Blank lines and line breaks in quotes make the two differ by more than the header.  ``named``
    adds the path, where several files are open.
    """
    table = read_table(path)
    try:
        yield table
    except AnalysisError as error:
        if not isinstance(table, CsvTable):
            raise
        where = f' of {path}' if named else ''

        def line(found: re.Match[str]) -> str:
            rows = [int(row) for row in found.group(1).split(', ')]
            known = [str(table.lines[row - 1]) for row in rows if row <= len(table.lines)]
            return f'line {", ".join(known)}{where}' if known else found.group(0)

        raise type(error)(ROWS.sub(line, error.what), error.cure) from error


def read_table(path: str | Path) -> Table:
    """Columns by name: of a Parquet file (``.parquet``, ``.pq``), else of a CSV file."""
    if Path(path).suffix.lower() in ('.parquet', '.pq'):
        return ParquetTable(Path(path))
    return read_csv(path)


class ParquetTable(Mapping[str, Sequence[Any]]):
    """A Parquet file of which only the columns that are asked for are read, each once.

    Columns of numbers come as arrays (missing is NaN), all others as lists of text (missing is
    empty, as in CSV).  Needs pyarrow or polars.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._known = path, {}
        if not path.is_file():
            raise BadColumn(f'There is no file {path}.')
        self._arrow = importlib.util.find_spec('pyarrow') is not None
        if not self._arrow and importlib.util.find_spec('polars') is None:
            raise BadColumn(
                f'{path} is a Parquet file; reading it needs the package pyarrow or polars.',
                'pip install pyarrow, or save the file as CSV.',
            )
        self._names = self._guarded(self._read_names)

    _known: dict[str, Sequence[Any]]

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._guarded(self._read_column, name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _guarded(self, read: Any, *arguments: str) -> Any:
        try:
            return read(*arguments)
        except Exception as error:
            # The two packages have many classes of faults of a file, not all of them public.
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BadColumn(f'{self._path} cannot be read as Parquet: {first}') from error

    def _read_names(self) -> list[str]:
        if self._arrow:
            parquet = importlib.import_module('pyarrow.parquet')
            return list(parquet.read_schema(self._path).names)
        return list(importlib.import_module('polars').read_parquet_schema(self._path))

    def _read_column(self, name: str) -> Any:
        if self._arrow:
            parquet = importlib.import_module('pyarrow.parquet')
            types = importlib.import_module('pyarrow').types
            column = parquet.read_table(self._path, columns=[name]).column(0)
            if types.is_integer(column.type) or types.is_floating(column.type):
                return np.asarray(column.to_numpy())
            values = column.to_pylist()
        else:
            polars = importlib.import_module('polars')
            series = polars.read_parquet(self._path, columns=[name]).to_series()
            if series.dtype.is_numeric() and not series.dtype.is_decimal():
                return np.asarray(series.to_numpy())
            values = series.to_list()
        return [_text(value) for value in values]


def texts(column: Any) -> list[str]:
    """A column as labels: numbers as CSV would write them, missing as empty text."""
    if isinstance(column, list) and (not column or isinstance(column[0], str)):
        return column
    return [_text(value) for value in np.asarray(column, dtype=object).tolist()]


def _text(value: Any) -> str:
    if value is None:
        return ''
    if isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return ''
    return f'{value:.0f}' if value.is_integer() else repr(value)


class CsvTable(dict[str, list[str]]):
    """Columns of text by name; ``lines`` says on which line of the file each row begins."""

    lines: list[int]


def read_csv(path: str | Path) -> CsvTable:
    """Columns of a CSV file by name, as text.  UTF-8, with or without a byte order mark."""
    try:
        with Path(path).open(encoding='utf-8-sig', newline='') as file:
            reader = csv.reader(file)
            header = next(reader, None)
            if not header:
                raise BadColumn(f'{path} is empty.', 'Its first line must name the columns.')
            return _columns(header, reader, str(path))
    except FileNotFoundError as error:
        raise BadColumn(f'There is no file {path}.') from error
    except (IsADirectoryError, PermissionError) as error:
        raise BadColumn(f'{path} cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise BadColumn(f'{path} is not UTF-8 text.', 'Save it as CSV UTF-8.') from error
    except csv.Error as error:
        raise BadColumn(f'{path} is not a CSV file: {error}.') from error


def _columns(header: list[str], reader: Any, path: str) -> CsvTable:
    other = next((name for mark, name in SEPARATORS if mark in header[0]), None)
    if len(header) == 1 and other:
        raise BadColumn(
            f'{path} has its columns separated by {other}.', 'Save it with commas between them.'
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadColumn(f'{path} has two columns named {twice[0]!r}.')
    kept, lines, begin = [], [], reader.line_num + 1
    for row in reader:
        if row:
            if len(row) != len(header):
                raise BadColumn(
                    f'Line {begin} of {path} has {len(row)} fields, its header {len(header)}.'
                )
            kept.append(row)
            lines.append(begin)
        begin = reader.line_num + 1
    if not kept:
        raise BadColumn(f'{path} has a header but no rows.')
    table = CsvTable(zip(header, map(list, zip(*kept, strict=True)), strict=True))
    table.lines = lines
    return table


def csv_text(columns: Table) -> str:
    """Columns as CSV, without the last line break (whoever prints it adds one)."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator='\n')
    writer.writerow(columns)
    writer.writerows(zip(*(texts(values) for values in columns.values()), strict=True))
    return target.getvalue().rstrip('\n')


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A plain table; the first ``left`` columns start, the others end together."""
    every = [header, *rows]
    widths = [max(display_width(row[i]) for row in every) for i in range(len(header))]
    lines = []
    for row in every:
        blanks = [
            ' ' * (width - display_width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        cells = [
            cell + blank if i < left else blank + cell
            for i, (cell, blank) in enumerate(zip(row, blanks, strict=True))
        ]
        lines.append('  '.join(cells).rstrip())
    return '\n'.join(lines)


def display_width(text: str) -> int:
    """Columns of a terminal that a text takes: two for Chinese, none for marks on a letter."""
    return sum(
        2 if unicodedata.east_asian_width(char) in 'WF' else 1
        for char in text
        if unicodedata.category(char) not in ('Mn', 'Me', 'Cf')
    )


def number(value: float, digits: int = 4) -> str:
    """A figure for reading; NaN is a dash."""
    if math.isnan(value):
        return '–'
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f'{value:.{digits}g}' if abs(value) < 1e-3 else f'{value:,.0f}'
    return f'{value:,.{digits}f}'
