"""An .xlsx file to the texts of its cells, without trusting it.

A workbook is a ZIP archive of XML.  A few kilobytes can unpack to gigabytes, and one forgotten
cell at the far corner of a sheet makes a reader that keeps whole rectangles ask for all memory:
both are measured before anything is read.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook

from cixi_survey.errors import N_, Problem, ProblemsFound

MAX_UNPACKED = 32 * 1024 * 1024
MAX_CELLS = 400_000
PORTION = 1024 * 1024
ARCHIVE = b'PK'
OLD_EXCEL = b'\xd0\xcf\x11\xe0'
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_DATES = (dt.datetime, dt.date, dt.time, dt.timedelta)


class NotAWorkbook(ProblemsFound):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Cell:
    """The text of one cell and where it stands, both counted from 1.

    ``dated`` when the spreadsheet has made a date of it: what was typed is lost.
    """

    text: str
    row: int
    column: int
    dated: bool = False


@dataclass(frozen=True)
class Sheet:
    """A sheet by its name in small letters."""

    name: str
    rows: tuple[tuple[Cell, ...], ...]


def read(content: bytes) -> dict[str, Sheet]:
    """The sheets of a workbook by their names in small letters.  Raises NotAWorkbook."""
    _measure(content)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = [(name, workbook.get_sheet_by_name(name)) for name in workbook.sheet_names]
        return {
            name.strip().lower(): Sheet(name, tuple(_rows(sheet.to_python(skip_empty_area=False))))
            for name, sheet in found
        }
    except CalamineError as error:
        raise _damaged() from error


def looks_like_one(content: bytes) -> bool:
    """Whether this is a workbook, or at least no text: an archive, or an old workbook."""
    return content.startswith((ARCHIVE, OLD_EXCEL))


def _measure(content: bytes) -> None:
    """Raise NotAWorkbook for what is no workbook or would fill the memory."""
    if content.startswith(OLD_EXCEL):
        message = N_('This is a workbook in the old format (.xls), or one with a password.')
        cure = N_('Open it in the spreadsheet and save it as .xlsx without a password.')
        raise _refused('old_workbook', message, cure)
    if not content.startswith(ARCHIVE):
        raise _not_a_workbook()
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if 'xl/workbook.xml' not in names:
                raise _not_a_workbook()
            if 'xl/vbaProject.bin' in names:
                message = N_('The workbook has macros (.xlsm).')
                cure = N_('Save it in the spreadsheet as .xlsx, without macros.')
                raise _refused('workbook_macros', message, cure)
            for entry in archive.infolist():
                unpacked += entry.file_size
                if unpacked > MAX_UNPACKED:
                    raise _too_large()
                _measure_entry(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _damaged() from error


def _measure_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Read an entry to its end: its real size is then the one that it states."""
    sheet = entry.filename.startswith('xl/worksheets/')
    furthest_row = furthest_column = 0
    rest = b''
    with archive.open(entry) as stream:
        while portion := stream.read(PORTION):
            if not sheet:
                continue
            for match in _CELL.finditer(rest + portion):
                furthest_column = max(furthest_column, _column_number(match[1]))
                furthest_row = max(furthest_row, int(match[2]))
            rest = portion[-200:]
    if furthest_row * furthest_column > MAX_CELLS:
        message = N_('A sheet reaches as far as row %(row)s, column %(column)s.')
        cure = N_('Delete the empty rows and columns behind the table, and save it again.')
        column = Problem('', '', '', column=furthest_column).letters
        raise _refused('sheet_far', message, cure, row=furthest_row, column=column)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _rows(values: Sequence[Sequence[object]]) -> Iterator[tuple[Cell, ...]]:
    for row, cells in enumerate(values, 1):
        yield tuple(
            Cell(_text(value), row, column, isinstance(value, _DATES))
            for column, value in enumerate(cells, 1)
        )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return 'TRUE' if value else 'FALSE'
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _not_a_workbook() -> NotAWorkbook:
    message = N_('This is not a workbook (.xlsx).')
    cure = N_('Save it as .xlsx in the spreadsheet and upload that file.')
    return _refused('not_a_workbook', message, cure)


def _damaged() -> NotAWorkbook:
    message = N_('The workbook is damaged, or only a part of it was saved or sent.')
    cure = N_('Open it in the spreadsheet, save it again as .xlsx and upload that file.')
    return _refused('workbook_damaged', message, cure)


def _too_large() -> NotAWorkbook:
    message = N_('The workbook is too large.')
    cure = N_('Remove pictures and sheets that are not needed.')
    return _refused('workbook_large', message, cure)


def _refused(code: str, message: str, cure: str, **values: object) -> NotAWorkbook:
    return NotAWorkbook([Problem('file', code, message, cure, values)])
