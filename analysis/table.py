"""Tables at the border: CSV in, aligned text out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from analysis.errors import BadColumn


def read_csv(path: str | Path) -> dict[str, list[str]]:
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


def _columns(header: list[str], rows: Iterable[list[str]], path: str) -> dict[str, list[str]]:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadColumn(f'{path} has two columns named {twice[0]!r}.')
    kept = []
    for number, row in enumerate(rows, start=1):
        if not row:
            continue
        if len(row) != len(header):
            raise BadColumn(
                f'Row {number} of {path} has {len(row)} fields, its header {len(header)}.'
            )
        kept.append(row)
    if not kept:
        raise BadColumn(f'{path} has a header but no rows.')
    return dict(zip(header, map(list, zip(*kept, strict=True)), strict=True))


def csv_text(columns: Mapping[str, Sequence[str]]) -> str:
    """Columns as CSV, without the last line break (whoever prints it adds one)."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator='\n')
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return target.getvalue().rstrip('\n')


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A plain table; the first ``left`` columns start, the others end together."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append('  '.join(cells).rstrip())
    return '\n'.join(lines)


def number(value: float, digits: int = 4) -> str:
    """A figure for reading; NaN is a dash."""
    if math.isnan(value):
        return '–'
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f'{value:.{digits}g}' if abs(value) < 1e-3 else f'{value:,.0f}'
    return f'{value:,.{digits}f}'
