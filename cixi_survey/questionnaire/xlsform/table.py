"""The sheets of a form as records: headings understood, each cell with its place.

What other tools call by several names is here called by one (``ALIASES``), and the languages of
the form are found out from all headings together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cixi_survey.errors import N_, Problem
from cixi_survey.questionnaire.source import Data, Path, Place
from cixi_survey.questionnaire.xlsform import layout
from cixi_survey.questionnaire.xlsform.layout import Column
from cixi_survey.questionnaire.xlsform.workbook import Cell, Sheet

ALIASES = {
    'caption': 'label',
    'relevance': 'relevant',
    'constraining_message': 'constraint_message',
    'readonly': 'read_only',
    'calculate': 'calculation',
    'command': 'type',
    'listname': 'list_name',
    'image': 'media::image',
    'audio': 'media::audio',
    'video': 'media::video',
    'set_form_title': 'form_title',
    'set_form_id': 'form_id',
}
_FAMILIES = frozenset({'media', 'bind', 'body', 'instance', 'control'})
_TRANSLATED = frozenset(
    {'label', 'hint', 'guidance_hint', 'constraint_message', 'required_message', 'caption'}
)
_YES = frozenset({'yes', 'true', 'true()', '1', '是'})
_NO = frozenset({'no', 'false', 'false()', '0', '否'})
_CHINESE = re.compile('[\u4e00-\u9fff]')


@dataclass
class Report:
    """What has to be said about a workbook.

    A problem is something that the questionnaire would lack or have wrong; a remark says what was
    left out or changed without harm.
    """

    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, code: str, message: str, cure: str, **values: object) -> None:
        self.problems.append(_said(place, code, message, cure, values))

    def remark(
        self, place: Place, code: str, message: str, cure: str = '', **values: object
    ) -> None:
        self.remarks.append(_said(place, code, message, cure, values))


def _said(
    place: Place, code: str, message: str, cure: str, values: Mapping[str, object]
) -> Problem:
    return Problem('', code, message, cure, values, place.line, place.column, place.sheet)


@dataclass(frozen=True)
class Heading:
    """The heading of a column: what it is, and in which language as the author calls it."""

    base: str
    language: str
    cell: Cell


def headings(sheet: Sheet) -> tuple[Heading, ...]:
    """The headings of a sheet, those of empty columns left out."""
    row = sheet.rows[0] if sheet.rows else ()
    return tuple(_heading(cell) for cell in row if cell.text.strip())


def _heading(cell: Cell) -> Heading:
    parts = [part.strip() for part in cell.text.split('::')]
    if len(parts) == 1 and ':' in cell.text:  # the spelling of old forms
        before, after = (part.strip() for part in cell.text.split(':', 1))
        if before.lower().replace(' ', '_') in _TRANSLATED:
            parts = [before, after]
    base = re.sub(r'\s+', '_', parts[0].lower())
    if base in _FAMILIES and len(parts) > 1:
        base, parts = f'{base}::{parts[1].lower()}', parts[1:]
    return Heading(ALIASES.get(base, base), '::'.join(parts[1:]), cell)


@dataclass
class Languages:
    """The languages of a form, the default first, and what the headings call them."""

    codes: list[str] = field(default_factory=list)
    unnamed: str = ''
    """The language of texts in columns that name none."""

    def of(self, heading: Heading) -> str | None:
        """The language of a translated column; None when it cannot be told."""
        if not heading.language:
            return self.unnamed
        return layout.language_code(heading.language)


def languages(sheets: Sequence[Sheet], default: str, report: Report) -> Languages:
    """Find out the languages from the headings of ``sheets``; ``default`` is the setting."""
    first = layout.language_code(default) if default.strip() else None
    found = Languages([first] if first else [])
    bare = False
    for sheet in sheets:
        for heading in headings(sheet):
            if not heading.language:
                bare = bare or heading.base == 'label'
                continue
            code = layout.language_code(heading.language)
            if code is None:
                message = N_('It cannot be told which language “%(language)s” is.')
                cure = N_('Write the language with its code, as in “label::English (en)”.')
                place = place_of(sheet, heading.cell)
                report.problem(place, 'language_unknown', message, cure, language=heading.language)
            elif code not in found.codes:
                found.codes.append(code)
    if bare or not found.codes:
        found.unnamed = first or ('zh' if any(map(_chinese, sheets)) else 'en')
        if found.unnamed not in found.codes:
            found.codes.insert(0, found.unnamed)
    return found


def _chinese(sheet: Sheet) -> bool:
    return any(_CHINESE.search(cell.text) for row in sheet.rows[1:] for cell in row)


def place_of(sheet: Sheet, cell: Cell) -> Place:
    """Where a cell stands."""
    return Place(cell.row, cell.column, sheet=sheet.name)


@dataclass
class Part:
    """What a row describes, and the place of each value by its path within it."""

    data: dict[str, Data] = field(default_factory=dict)
    places: dict[Path, Place] = field(default_factory=dict)

    def put(self, key: Path, value: Data, place: Place) -> None:
        """Set the value at ``key``, with its place."""
        data = self.data
        for step in key[:-1]:
            inner = data.setdefault(str(step), {})
            assert isinstance(inner, dict)  # keys of `layout` never run through a text
            data = inner
        data[str(key[-1])] = value
        self.places[key] = place

    def take(self, key: str, part: Part) -> None:
        """Add an inner part to the list under ``key``."""
        inner = self.data.setdefault(key, [])
        assert isinstance(inner, list)  # lists are made here only
        self.places |= {(key, len(inner), *path): place for path, place in part.places.items()}
        inner.append(part.data)


class Record:
    """One row of a sheet: its cells by what the columns are."""

    def __init__(self, table: Table, row: Sequence[Cell]) -> None:
        self.table = table
        self.row = row
        self.place = Place(row[0].row, 1, sheet=table.sheet.name)
        self._cells = {
            (heading.base, code): row[heading.cell.column - 1] for heading, code in table.columns
        }

    def cell(self, base: str, language: str = '') -> Cell | None:
        return self._cells.get((base, language))

    def filled(self, base: str) -> Place | None:
        """Where the first cell of a column stands that has a text, in whatever language."""
        for (name, _), cell in self._cells.items():
            if name == base and cell.text.strip():
                return place_of(self.table.sheet, cell)
        return None

    def text(self, base: str) -> str:
        """The text of a cell without blanks around it, empty when there is none."""
        cell = self.cell(base)
        return cell.text.strip() if cell else ''

    def place_of(self, base: str, language: str = '') -> Place:
        """Where a value stands or ought to stand."""
        cell = self.cell(base, language)
        return place_of(self.table.sheet, cell) if cell else self.place

    def part(self, columns: Sequence[Column]) -> Part:
        """The values of this row in ``columns``; what cannot be read is reported."""
        part = Part()
        part.places[()] = self.place
        for column in columns:
            if column.kind == 'texts':
                self.texts(part, column)
            else:
                self.value(part, column)
        return part

    def texts(self, part: Part, column: Column) -> None:
        texts: dict[str, Data] = {}
        for language in self.table.languages.codes:
            cell = self.cell(column.heading, language)
            if cell is None:
                continue
            place = place_of(self.table.sheet, cell)
            part.places[(*column.key, language)] = place
            part.places.setdefault(column.key, place)
            if self.sound(cell) and cell.text.strip():
                texts[language] = cell.text
        if texts:
            part.put(column.key, texts, part.places[column.key])

    def value(self, part: Part, column: Column) -> None:
        cell = self.cell(column.heading)
        if cell is None or not cell.text.strip() or not self.sound(cell):
            return
        place = place_of(self.table.sheet, cell)
        value = _READ[column.kind](cell.text)
        if value is None:
            message, cure = _WRONG[column.kind]
            report = self.table.report
            report.problem(place, 'cell_wrong', message, cure, value=cell.text.strip()[:60])
        elif value is not False:
            part.put(column.key, value, place)

    def sound(self, cell: Cell) -> bool:
        """Whether the cell holds what was typed; reports a date made of it."""
        if cell.dated:
            message = N_('The spreadsheet has turned this cell into a date (%(value)s).')
            cure = N_('Format the column as text and type the value again.')
            place = place_of(self.table.sheet, cell)
            self.table.report.problem(place, 'cell_date', message, cure, value=cell.text)
        return not cell.dated


class Table:
    """A sheet as records; columns that nothing is known of are reported."""

    def __init__(
        self, sheet: Sheet, known: frozenset[str], found: Languages, report: Report
    ) -> None:
        self.sheet = sheet
        self.languages = found
        self.report = report
        self.columns: list[tuple[Heading, str]] = []
        taken: set[tuple[str, str]] = set()
        for heading in headings(sheet):
            translated = heading.base in _TEXTS or bool(heading.language)
            code = found.of(heading) if translated else ''
            if code is None:  # reported with the languages
                continue
            key = (heading.base, code)
            place = place_of(sheet, heading.cell)
            if key in taken:
                message = N_('The column “%(column)s” stands twice.')
                cure = N_('Keep one of them; the first was read.')
                name = heading.cell.text.strip()
                report.problem(place, 'column_again', message, cure, column=name)
                continue
            taken.add(key)
            self.columns.append((heading, code))
            if heading.base not in known:
                message = N_('The column “%(column)s” is not read.')
                report.remark(place, 'column_unknown', message, column=heading.cell.text.strip())

    def __iter__(self) -> Iterator[Record]:
        for row in self.sheet.rows[1:]:
            if any(cell.text.strip() for cell in row):
                yield Record(self, row)


_TEXTS = frozenset(
    column.heading
    for part in (layout.QUESTION, layout.OPTION, layout.RULE, layout.INDICATOR, layout.TARGET)
    for column in part
    if column.kind == 'texts'
)


# --- what a cell says; None when it cannot be read, False when it says no more than the default ---


def _flag(text: str) -> Data:
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def _integer(text: str) -> Data:
    return int(text) if re.fullmatch(r'\s*-?[0-9]{1,9}\s*', text) else None


def _number(text: str) -> Data:
    try:
        return float(text)
    except ValueError:
        return None


def _scores(text: str) -> Data:
    scores: dict[str, Data] = {}
    for word in re.split(r'[\s,;，；]+', text.strip()):
        answer, sign, score = word.partition('=')
        value = _number(score) if sign else None
        if value is None or answer in scores:
            return None
        scores[answer] = value
    return scores


def _words(text: str) -> Data:
    return list(text.split())


_READ = {
    'text': lambda text: text,
    'word': lambda text: text.strip(),
    'flag': _flag,
    'words': _words,
    'answers': _words,
    'integer': _integer,
    'number': _number,
    'scores': _scores,
}
_WRONG = {
    'flag': (N_('“%(value)s” is neither yes nor no.'), N_('Write yes or no.')),
    'integer': (N_('“%(value)s” is no whole number.'), N_('Write it with digits only.')),
    'number': (N_('“%(value)s” is no number.'), N_('Write it with digits and a decimal point.')),
    'scores': (
        N_('“%(value)s” cannot be read as scores.'),
        N_('Write each answer with its score, as in: good=100 fair=60 bad=0'),
    ),
}
