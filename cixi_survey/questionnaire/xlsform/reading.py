"""An XLSForm workbook as a questionnaire, with everything that is wrong with it.

Nothing stops at the first fault.  What the format here cannot say is reported with its sheet, row
and column and what to do; what is then read is checked like any other questionnaire, and those
faults have the places of their cells too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cixi_survey.errors import N_, Problem
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.questionnaire.source import Data, Place, Source
from cixi_survey.questionnaire.xlsform import layout, survey, table, workbook
from cixi_survey.questionnaire.xlsform.layout import Column
from cixi_survey.questionnaire.xlsform.names import Names
from cixi_survey.questionnaire.xlsform.table import Languages, Part, Record, Report, Table
from cixi_survey.questionnaire.xlsform.workbook import NotAWorkbook, Sheet


@dataclass(frozen=True)
class Imported:
    """A workbook as it could be read.

    ``data`` is the questionnaire as its file would say it, as far as it goes; ``questionnaire`` is
    there when nothing is wrong.  ``problems`` want mending, ``remarks`` only tell.
    """

    data: dict[str, Data]
    questionnaire: Questionnaire | None
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]

    @property
    def losses(self) -> tuple[Problem, ...]:
        """The problems by which something of the workbook is not in ``data``."""
        return tuple(problem for problem in self.problems if problem.code in _LOSSES)

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The other problems: what ``data`` have not or have wrong."""
        return tuple(problem for problem in self.problems if problem.code not in _LOSSES)


def read(content: bytes) -> Imported:
    """Read a workbook (.xlsx).  Raises NotAWorkbook when it is none."""
    sheets = workbook.read(content)
    if layout.SURVEY not in sheets:
        message = N_('There is no sheet “survey” in the workbook; it has: %(found)s.')
        cure = N_('Name the sheet with the questions “survey”.')
        found = ', '.join(sheet.name for sheet in sheets.values())
        raise NotAWorkbook([Problem('file', 'no_survey', message, cure, {'found': found})])
    return _Reader(sheets).imported()


_LOSSES = frozenset(
    {
        *('type_unknown', 'not_carried', 'or_other', 'repeat', 'grid_row', 'grid_key'),
        *('note_relevant', 'note_grid', 'note_alone', 'no_list', 'target_alone'),
        *('language_unknown', 'column_again', 'cell_date', 'cell_wrong'),
    }
)
# What to do about a fault, said for a workbook and not for a file of text.
_CURES = {
    'missing_translation': N_('Fill in the column of this language.'),
    'unknown_list': N_('Add the list to the sheet “choices”, or mend its name.'),
    'no_options': N_('Add the options to the sheet “choices”.'),
    'no_rows': N_('Add “select_one” rows between begin_group and end_group.'),
    'key_without_source': N_('Fill in the column cixi_source: where the right answer is found.'),
    'key_without_explanation': N_('Fill in the columns cixi_explanation: why it is right.'),
    'village_without_town': N_('Put a question with “town” in cixi_type before it.'),
    'right_form': N_('Write one value for select_one, values with blanks for select_multiple.'),
}
# What a questionnaire has and a foreign form has not.
_MISSING: dict[tuple[str, ...], tuple[str, str]] = {
    ('title',): (
        N_('The form has no title.'),
        N_('Fill in form_title on the sheet “settings”.'),
    ),
    ('introduction',): (
        N_('The form has no introduction.'),
        N_('Write it as a row of type “note” before the first group.'),
    ),
    ('notice', 'text'): (
        N_('The form has no privacy notice.'),
        N_('Write it as a row of type “note” with the name cixi_notice before the first group.'),
    ),
    ('notice', 'version'): (
        N_('The privacy notice has no version.'),
        N_('Write it as cixi_notice_version on the sheet “settings”, for example 2026-11.'),
    ),
    ('minutes',): (
        N_('The form does not say how long it takes.'),
        N_('Write the minutes as cixi_minutes on the sheet “settings”.'),
    ),
}
_SETTINGS = frozenset(
    {
        *('form_title', 'version', 'default_language', 'cixi_title'),
        *(column.heading for column in layout.SETTING),
    }
)
_SETTINGS_WITHOUT_MEANING = frozenset(
    {
        *('style', 'allow_choice_duplicates', 'instance_name', 'public_key', 'submission_url'),
        *('id_string', 'namespaces'),
    }
)


class _Reader:
    def __init__(self, sheets: dict[str, Sheet]) -> None:
        self.sheets = sheets
        self.report = Report()
        self.names = Names()
        self.whole = Part()
        self.order = {sheet.name: place for place, sheet in enumerate(sheets.values())}
        self.languages = self._languages()
        self.missing: list[str] = []

    def imported(self) -> Imported:
        settings = self._settings()
        lists = self._choices()
        asked = survey.Survey(self.names, lists, self.report, self.languages.codes)
        for record in self._table(layout.SURVEY, survey.COLUMNS):
            asked.read(record)
        asked.finish()
        self._head(settings, asked)
        self._lists(lists, asked)
        for section in asked.sections:
            self.whole.take('sections', section)
        self._rules()
        self._indicators()
        self._renamed()
        return self._checked()

    def _languages(self) -> Languages:
        default = ''
        settings = self.sheets.get(layout.SETTINGS)
        if settings and len(settings.rows) > 1:
            for heading in table.headings(settings):
                if heading.base == 'default_language':
                    default = settings.rows[1][heading.cell.column - 1].text
        forms = [self.sheets[name] for name in layout.SHEETS if name in self.sheets]
        return table.languages(forms, default, self.report)

    def _table(self, name: str, known: Iterable[str]) -> Iterable[Record]:
        sheet = self.sheets.get(name)
        return Table(sheet, frozenset(known), self.languages, self.report) if sheet else ()

    def _rows(self, name: str, columns: Sequence[Column], *more: str) -> Iterable[Record]:
        return self._table(name, {*more, *(column.heading for column in columns)})

    # --- settings ---

    def _settings(self) -> Record | None:
        known = _SETTINGS | _SETTINGS_WITHOUT_MEANING
        return next(iter(self._table(layout.SETTINGS, known)), None)

    def _head(self, settings: Record | None, asked: survey.Survey) -> None:
        """All that stands before the sections, in the order of the format."""
        place = settings.place if settings else Place(1, 1, sheet=self.sheets[layout.SURVEY].name)
        part = settings.part(layout.SETTING) if settings else Part()
        self.whole.places |= {(): place, **part.places}
        self.whole.data |= {'format': 1, 'languages': list(self.languages.codes), **part.data}
        self.whole.put(('name',), self._slug(part, place), part.places.get(('name',), place))
        title = self._title(settings)
        self.whole.data |= {'title': title} if title else {}
        if 'introduction' in asked.opening.data:
            self.whole.data['introduction'] = asked.opening.data['introduction']
        if 'notice' in asked.opening.data:
            self.whole.put(('notice', 'text'), asked.opening.data['notice'], place)
        for path, each in asked.opening.places.items():
            self.whole.places[('notice', 'text', *path[1:]) if path[0] == 'notice' else path] = each
        self._missing(place)

    def _missing(self, place: Place) -> None:
        """Say which of the parts before the questions the form has not."""
        for path, (message, cure) in _MISSING.items():
            value: Data = self.whole.data
            for step in path:
                value = value.get(step) if isinstance(value, dict) else None
            if value is None:
                self.missing.append('.'.join(path))
                self.report.problem(place, f'no_{path[-1]}', message, cure)

    def _slug(self, part: Part, place: Place) -> str:
        given = str(part.data.get('name') or '').strip()
        if re.fullmatch('[a-z][a-z0-9-]{0,63}', given):
            return given
        plain = re.sub('[^a-z0-9]+', '-', given.lower()).strip('-')[:60]
        found = plain if plain[:1].isalpha() else f'form-{plain}'.strip('-')
        message = N_('The form is called “%(name)s” here.')
        cure = N_('Write another form_id on the sheet “settings” if you like.')
        self.report.remark(part.places.get(('name',), place), 'form_id', message, cure, name=found)
        return found

    def _title(self, settings: Record | None) -> dict[str, Data]:
        titles: dict[str, Data] = {}
        if settings is None:
            return titles
        first = settings.cell('form_title')
        for code in self.languages.codes:
            cell = settings.cell('cixi_title', code)
            if code == self.languages.codes[0] and first and first.text.strip():
                cell = first
            if cell:
                self.whole.places[('title', code)] = table.place_of(settings.table.sheet, cell)
                if cell.text.strip():
                    titles[code] = cell.text
        return titles

    # --- the other sheets ---

    def _choices(self) -> dict[str, list[Part]]:
        lists: dict[str, list[Part]] = {}
        for record in self._rows(
            layout.CHOICES, layout.OPTION, 'list_name', 'name', 'value', layout.TOWN
        ):
            list_name = record.text('list_name')
            column = 'name' if record.cell('name') else 'value'
            option = record.part(layout.OPTION)
            cell = record.cell(column)
            if cell and cell.text.strip() and record.sound(cell):
                option.put(('value',), cell.text.strip(), record.place_of(column))
            option.data.setdefault('label', {})
            if not list_name:
                message = N_('This option belongs to no list.')
                cure = N_('Fill in the column list_name.')
                self.report.problem(record.place_of('list_name'), 'no_list', message, cure)
            else:
                lists.setdefault(list_name, []).append(option)
        return lists

    def _lists(self, lists: dict[str, list[Part]], asked: survey.Survey) -> None:
        """The lists that are not a question's own and not the towns and villages."""
        named = {name: options for name, options in lists.items() if name not in asked.consumed}
        options: dict[str, Data] = {}
        for list_name, parts in named.items():
            holder = Part()
            name = self.names.list(list_name, parts[0].places[()])
            for part in parts:
                holder.take(name, part)
            options |= holder.data
            for path, place in holder.places.items():
                self.whole.places[('options', *path)] = place
            self.whole.places[('options', name)] = parts[0].places[()]
        if options:
            self.whole.data['options'] = options

    def _rules(self) -> None:
        for record in self._rows(layout.SCREENING, layout.RULE):
            rule = record.part(layout.RULE)
            rule.data.setdefault('message', {})
            self.whole.take('screening', rule)

    def _indicators(self) -> None:
        indicators: list[Part] = []
        for record in self._rows(layout.INDICATORS, layout.INDICATOR):
            indicator = record.part(layout.INDICATOR)
            for key in ('label', 'definition'):
                indicator.data.setdefault(key, {})
            indicators.append(indicator)
        found = {str(each.data.get('name', '')): each for each in reversed(indicators)}
        for record in self._rows(layout.TARGETS, layout.TARGET, 'indicator'):
            name = record.text('indicator')
            if name in found:
                found[name].take('targets', record.part(layout.TARGET))
            else:
                message = N_('There is no indicator “%(name)s”.')
                cure = N_('Write the name of an indicator of the sheet cixi_indicators.')
                place = record.place_of('indicator')
                self.report.problem(place, 'target_alone', message, cure, name=name)
        for indicator in indicators:
            self.whole.take('indicators', indicator)

    # --- names ---

    def _renamed(self) -> None:
        """Let conditions and indicators use the names as they are here."""
        if not self.names.changed:
            return
        _rewrite(self.whole.data, self.names)
        changed = ', '.join(f'{old} → {new}' for old, new in self.names.changed.items())
        message = N_('Names are small letters, digits and _ here; these were changed: %(changed)s')
        assert self.names.first is not None  # something was changed
        self.report.remark(self.names.first, 'renamed', message, changed=changed)

    # --- the whole ---

    def _checked(self) -> Imported:
        data = self.whole.data
        source = Source(data=data, values=self.whole.places)
        questionnaire, faults = definition.check_source(source)
        problems = [
            *self.report.problems,
            *(_for_a_workbook(each) for each in faults if not self._told(each)),
        ]
        for name, sheet in self.sheets.items():
            if name not in layout.SHEETS and not name.startswith('_'):
                message = N_('The sheet “%(name)s” is not read.')
                place = Place(0, 0, sheet=sheet.name)
                self.report.remark(place, 'sheet_unknown', message, name=sheet.name)
        return Imported(
            data,
            None if problems else questionnaire,
            tuple(sorted(problems, key=self._position)),
            tuple(sorted(self.report.remarks, key=self._position)),
        )

    def _told(self, fault: Problem) -> bool:
        """Whether a fault only repeats that something is missing of which it has been said."""
        broken = {
            (one.sheet, one.line)
            for one in self.report.problems
            if one.code in ('cell_date', 'cell_wrong')
        }
        return fault.code == 'missing' and (
            (fault.sheet, fault.line) in broken
            or any(f'{path}.'.startswith(f'{fault.where}.') for path in self.missing)
        )

    def _position(self, problem: Problem) -> tuple[int, int, int]:
        return (
            self.order.get(problem.sheet, len(self.order)),
            problem.line or 0,
            problem.column or 0,
        )


def _for_a_workbook(problem: Problem) -> Problem:
    cure = _CURES.get(problem.code)
    if problem.code == 'missing':
        cure = N_('Fill in the column for it.')
    return replace(problem, cure=cure) if cure and '%(near)s' not in problem.cure else problem


def _rewrite(value: Data, names: Names) -> None:
    if isinstance(value, list):
        for each in value:
            _rewrite(each, names)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in ('relevant', 'constraint', 'when') and isinstance(inner, str):
            value[key] = names.referring(inner)
        elif key == 'items' and isinstance(inner, list):
            value[key] = [names.questions.get(str(each), each) for each in inner]
        elif key == 'household_size':
            value[key] = names.questions.get(str(inner), inner)
        else:
            _rewrite(inner, names)
