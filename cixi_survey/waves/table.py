"""Tables that people upload: read as text, with every fault named by line and column.

A CSV file, or the first sheet of a workbook (.xlsx).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire.xlsform import workbook

SHOWN_PROBLEMS = 100
BOMS = ((b'\xef\xbb\xbf', 'utf-8-sig'), (b'\xff\xfe', 'utf-16'), (b'\xfe\xff', 'utf-16'))
ENCODING_NAMES = {'utf-8': 'UTF-8', 'utf-8-sig': 'UTF-8', 'utf-16': 'UTF-16', 'gb18030': 'GB18030'}
MANGLED_CODE = re.compile(r'\d+(\.\d+)?[eE]\+?\d+|\d+\.0+')


class TableRefused(ProblemsFound):
    """A table with faults: the first hundred, and how many there are in all."""

    def __init__(self, problems: Sequence[Problem], total: int) -> None:
        super().__init__(problems)
        self.total = total


class Faults:
    """Collects the faults of a table; counts all, keeps the first hundred."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.total = 0

    def add(
        self,
        line: int,
        column: str,
        code: str,
        message: str,
        cure: str = '',
        /,
        **values: object,
    ) -> None:
        """Note one fault; ``column`` is its name, said in front of the message by the page."""
        self.total += 1
        if len(self.kept) < SHOWN_PROBLEMS:
            values = {'column': column, **values}
            self.kept.append(Problem(column, code, message, cure, values, line or None))

    def refuse(self) -> None:
        """Raise TableRefused if there was any."""
        if self.total:
            raise TableRefused(sorted(self.kept, key=lambda fault: fault.line or 0), self.total)


@dataclass(frozen=True)
class Column:
    """A column by its name; ``aliases`` are headings that mean the same.

    An ``optional`` column may be missing or have empty cells.
    """

    name: str
    aliases: tuple[str, ...] = ()
    longest: int = 300
    optional: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of a file as text, with their lines."""

    rows: tuple[tuple[int, Mapping[str, str]], ...]
    encoding: str
    sha256: str

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        return iter(self.rows)


def read(content: bytes, columns: Sequence[Column], faults: Faults) -> Table:
    """Read a file with these columns (others are ignored); raises TableRefused.

    CSV in UTF-8 with or without byte order mark, UTF-16, or GB18030 as Chinese spreadsheets save
    it; or the first sheet of a workbook.  Empty cells and cells that are too long go to ``faults``.
    """
    lines, encoding = _opened(content, faults)
    rows = []
    places = _places(next(lines, (1, []))[1], columns, faults)
    width = max(places.values()) + 1
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) < width:
            _too_few(faults, line, len(cells), width)
            continue
        values = {name: cells[place].strip() for name, place in places.items()}
        if _cells_sound(values, columns, line, faults):
            rows.append((line, values))
    if not rows and not faults.total:
        message = N_('The file has a heading but no rows.')
        faults.add(0, '', 'no_rows', message, N_('Add one row for each entry.'))
    return Table(tuple(rows), encoding, hashlib.sha256(content).hexdigest())


def _opened(content: bytes, faults: Faults) -> tuple[Iterator[tuple[int, list[str]]], str]:
    """The lines of a file with their numbers, and how it was read."""
    if workbook.looks_like_one(content):
        return _sheet_lines(content, faults), 'XLSX'
    text, encoding = _decoded(content, faults)
    return _csv_lines(text, faults), encoding


def _sheet_lines(content: bytes, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    try:
        sheets = workbook.read(content)
    except workbook.NotAWorkbook as error:
        raise TableRefused(error.problems, len(error.problems)) from error
    for number, cells in enumerate(next(iter(sheets.values())).rows if sheets else (), start=1):
        for cell in cells:
            if cell.dated:
                message = N_('The spreadsheet has turned a cell of this row into a date: %(text)s.')
                cure = N_('Format the column as text, type the cell again, and save the workbook.')
                faults.add(number, '', 'cell_dated', message, cure, text=cell.text)
        yield number, [cell.text for cell in cells]


def _csv_lines(text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    lines = csv.reader(io.StringIO(text, newline=''), strict=True, delimiter=_separator(text))
    try:
        for cells in lines:
            yield lines.line_num, cells
    except csv.Error as error:
        message = N_('The table breaks off here: %(reason)s.')
        cure = N_('Look for a quotation mark that is opened and not closed.')
        faults.add(lines.line_num, '', 'csv_broken', message, cure, reason=str(error))


def _decoded(content: bytes, faults: Faults) -> tuple[str, str]:
    if not content.strip():
        faults.add(0, '', 'empty_file', N_('The file is empty.'), N_('Choose another file.'))
        faults.refuse()
    marked = next((name for mark, name in BOMS if content.startswith(mark)), None)
    for encoding in [marked] if marked else ['utf-8', 'gb18030']:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if '\0' not in text:
            return text, ENCODING_NAMES[encoding]
    message = N_('The file is not text in UTF-8 or GB18030.')
    cure = N_('In the spreadsheet choose “Save as”, then “CSV UTF-8 (comma separated)”.')
    faults.add(0, '', 'encoding', message, cure)
    faults.refuse()
    raise AssertionError('refused above')


def _separator(text: str) -> str:
    heading = text.split('\n', 1)[0]
    return next((mark for mark in ',\t;' if mark in heading), ',')


def _places(heading: Sequence[str], columns: Sequence[Column], faults: Faults) -> dict[str, int]:
    found = [cell.strip().strip('\ufeff').lower() for cell in heading]
    places = {}
    for column in columns:
        names = [column.name, *column.aliases]
        hits = [place for place, cell in enumerate(found) if cell in names]
        if len(hits) == 1:
            places[column.name] = hits[0]
        elif hits:
            message = N_('The heading “%(column)s” stands more than once.')
            faults.add(1, column.name, 'column_twice', message, N_('Keep one of them.'))
        elif not column.optional:
            message = N_('The column “%(column)s” is missing; the file has: %(found)s.')
            cure = N_('The first line must name the columns, separated by commas.')
            shown = ', '.join(cell for cell in heading if cell.strip())[:120] or '–'
            faults.add(1, column.name, 'column_missing', message, cure, found=shown)
    faults.refuse()
    return places


def _too_few(faults: Faults, line: int, found: int, wanted: int) -> None:
    message = N_('The row has %(found)s cells; it needs %(wanted)s.')
    cure = N_('A cell that contains a comma must stand in quotation marks.')
    faults.add(line, '', 'cells_missing', message, cure, found=found, wanted=wanted)


def _cells_sound(
    values: Mapping[str, str], columns: Sequence[Column], line: int, faults: Faults
) -> bool:
    before = faults.total
    for column in columns:
        value = values.get(column.name, '')
        if not value and column.optional:
            continue
        if not value:
            faults.add(line, column.name, 'cell_empty', N_('“%(column)s” is empty.'))
        elif len(value) > column.longest:
            message = N_('“%(column)s” has more than %(longest)s characters.')
            faults.add(line, column.name, 'cell_long', message, longest=column.longest)
    return faults.total == before


def whole(text: str) -> int | None:
    """A positive whole number as spreadsheets write it (``12``, ``1,200``), or None."""
    plain = text.replace(',', '') if re.fullmatch(r'\d{1,3}(,\d{3})+', text) else text
    if not re.fullmatch(r'[0-9]{1,9}', plain):
        return None
    return int(plain) or None


def known_code(
    code: str, known: Mapping[str, object], line: int, column: str, faults: Faults
) -> bool:
    """Whether ``code`` is one of ``known``; notes what is wrong with it otherwise."""
    if code in known:
        return True
    if MANGLED_CODE.fullmatch(code):
        message = N_(
            '“%(column)s” is “%(code)s”: the spreadsheet has turned the code into a number.'
        )
        cure = N_('Format the column as text before you enter the codes, and save again.')
        faults.add(line, column, 'code_mangled', message, cure, code=code)
        return False
    message = N_('“%(column)s”: there is no code “%(code)s” in the survey’s area.')
    cure = N_('Codes, not names, are compared; the list is in the template.')
    faults.add(line, column, 'code_unknown', message, cure, code=code[:40])
    return False


def write(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A CSV file that spreadsheets open with Chinese intact and without running a formula."""
    out = io.StringIO(newline='')
    writer = csv.writer(out)
    writer.writerow(heading)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return out.getvalue().encode('utf-8-sig')


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell[:1] in {'=', '+', '-', '@', '\t', '\r'}:
        return "'" + cell
    return cell
