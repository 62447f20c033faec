"""A questionnaire as an XLSForm workbook."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire.model import Questionnaire
from cixi_survey.questionnaire.source import Data
from cixi_survey.questionnaire.xlsform import layout
from cixi_survey.questionnaire.xlsform.layout import Column

LONGEST_CELL = 32_767
_IMPOSSIBLE = frozenset('\ufffe\uffff')
_WIDE = {'type': 24, 'name': 20, 'list_name': 20, 'cixi_source': 30}

Part = Mapping[str, Any]
Row = dict[str, str | float]
Names = Mapping[str, str]


def write(
    questionnaire: Questionnaire,
    *,
    made: datetime,
    towns: Mapping[str, Names],
    villages: Mapping[str, tuple[str, str]],
) -> bytes:
    """The workbook (.xlsx) of a questionnaire; the same arguments give the same bytes.

    ``towns`` are names by language by code, ``villages`` name and town code by code: what the
    types ``town`` and ``village`` offer.  Raises ProblemsFound for a text that no cell can hold.
    """
    writer = _Writer(questionnaire)
    writer.areas(towns, villages)
    writer.survey()
    sheets = {
        layout.SURVEY: writer.survey_rows,
        layout.CHOICES: writer.choices,
        layout.SETTINGS: [writer.settings()],
        layout.SCREENING: writer.rows(writer.data.get('screening', ()), layout.RULE),
        layout.INDICATORS: writer.rows(writer.data.get('indicators', ()), layout.INDICATOR),
        layout.TARGETS: writer.targets(),
    }
    headings = {
        layout.SURVEY: ['type', 'name', *writer.headings(layout.QUESTION), *_SURVEY_ONLY],
        layout.CHOICES: ['list_name', 'name', *writer.headings(layout.OPTION), layout.TOWN],
        layout.SETTINGS: writer.settings_headings(),
        layout.SCREENING: writer.headings(layout.RULE),
        layout.INDICATORS: writer.headings(layout.INDICATOR),
        layout.TARGETS: ['indicator', *writer.headings(layout.TARGET)],
    }
    return _workbook({name: (headings[name], rows) for name, rows in sheets.items() if rows}, made)


_SURVEY_ONLY = ('appearance', 'choice_filter', 'cixi_type', 'cixi_options', 'cixi_name')


class _Writer:
    def __init__(self, questionnaire: Questionnaire) -> None:
        self.questionnaire = questionnaire
        self.data: Part = questionnaire.model_dump(mode='json', exclude_defaults=True)
        self.languages = [layout.language_heading(code) for code in questionnaire.languages]
        names = {variable.name for variable in questionnaire.variables()}
        names |= {question.name for question in questionnaire.questions()}
        self.taken = names | {layout.INTRODUCTION, layout.NOTICE}
        self.lists = set(questionnaire.options)
        self.survey_rows: list[Row] = []
        self.choices: list[Row] = []
        self.town_list = _unused('towns', self.lists)
        self.village_list = _unused('villages', self.lists)
        self.last_town = ''
        for name, options in self.data.get('options', {}).items():
            self.options(name, options)

    def headings(self, columns: Sequence[Column]) -> list[str]:
        """The headings of some columns, those of texts once for each language."""
        return [heading for column in columns for heading in self.spread(column)]

    def spread(self, column: Column) -> list[str]:
        if column.kind != 'texts':
            return [column.heading]
        return [f'{column.heading}::{language}' for language in self.languages]

    def row(self, part: Part, columns: Sequence[Column]) -> Row:
        """The cells of a part."""
        row: Row = {}
        for column in columns:
            value = layout.value_at(part, column.key)
            if value is None:
                continue
            if column.kind == 'texts':
                assert isinstance(value, dict)  # by the model
                row |= self.texts(column.heading, value)
            else:
                row[column.heading] = _cell(column, value)
        return row

    def rows(self, parts: Sequence[Part], columns: Sequence[Column]) -> list[Row]:
        return [self.row(part, columns) for part in parts]

    def texts(self, heading: str, texts: Mapping[str, Any]) -> Row:
        return {
            f'{heading}::{layout.language_heading(code)}': str(text) for code, text in texts.items()
        }

    # --- choices ---

    def options(self, name: str, options: Sequence[Part]) -> None:
        for option in options:
            own = {'list_name': name, 'name': str(option['value'])}
            self.choices.append({**own, **self.row(option, layout.OPTION)})

    def areas(self, towns: Mapping[str, Names], villages: Mapping[str, tuple[str, str]]) -> None:
        """The lists behind questions for a town or a village, if there are such questions."""
        asked = {question.type for question in self.questionnaire.questions()}
        languages = self.questionnaire.languages
        if 'town' in asked:
            for code, names in towns.items():
                label = {each: names.get(each) or next(iter(names.values())) for each in languages}
                own: Row = {'list_name': self.town_list, 'name': code}
                self.choices.append({**own, **self.texts('label', label)})
        if 'village' in asked:
            for code, (name, town) in villages.items():
                own = {'list_name': self.village_list, 'name': code, layout.TOWN: town}
                self.choices.append({**own, **self.texts('label', dict.fromkeys(languages, name))})

    # --- survey ---

    def survey(self) -> None:
        self.note(layout.INTRODUCTION, self.data['introduction'])
        self.note(layout.NOTICE, self.data['notice']['text'])
        for section in self.data['sections']:
            # A group and a question of one name would make ${name} ambiguous.
            name = _unused(section['name'], self.taken)
            group = self.survey_row('begin_group', name, self.texts('label', section['title']))
            if name != section['name']:
                group['cixi_name'] = section['name']
            if 'introduction' in section:
                self.note(_unused(f'{name}_introduction', self.taken), section['introduction'])
            for question in section['questions']:
                self.question(question)
            self.survey_row('end_group', name)

    def survey_row(self, kind: str, name: str, cells: Row | None = None) -> Row:
        self.survey_rows.append({'type': kind, 'name': name, **(cells or {})})
        return self.survey_rows[-1]

    def note(self, name: str, texts: Mapping[str, Any]) -> None:
        self.survey_row('note', name, self.texts('label', texts))

    def question(self, question: Part) -> None:
        cells = self.row(question, layout.QUESTION)
        name, kind = question['name'], question['type']
        if kind == 'grid':
            self.grid(question, cells)
            return
        if kind in ('integer', 'text'):
            self.survey_row(kind, name, cells)
        elif kind == 'town':
            self.survey_row(f'select_one {self.town_list}', name, {**cells, 'cixi_type': kind})
            self.last_town = name
        elif kind == 'village':
            filtered = f'{layout.TOWN} = ${{{self.last_town}}}'
            cells |= {'cixi_type': kind, 'choice_filter': filtered}
            self.survey_row(f'select_one {self.village_list}', name, cells)
        else:
            cells |= {'appearance': 'likert'} if kind == 'scale' else {}
            name_of_list, marks = self.list_of(question)
            command = 'select_multiple' if kind == 'multiple' else 'select_one'
            self.survey_row(f'{command} {name_of_list}', name, {**cells, **marks})

    def list_of(self, question: Part) -> tuple[str, Row]:
        """The list of a question and what has to be said of it; an own one is written now."""
        options = question['options']
        if isinstance(options, str):
            return options, {}
        name = _unused(question['name'], self.lists)
        self.options(name, options)
        return name, {'cixi_options': layout.OWN}

    def grid(self, question: Part, cells: Row) -> None:
        name_of_list, marks = self.list_of(question)
        required = {'required': cells.pop('required')} if 'required' in cells else {}
        group = {**cells, **marks, 'appearance': 'table-list'}
        self.survey_row('begin_group', question['name'], group)
        for row in question['rows']:
            label = self.texts('label', row['label'])
            self.survey_row(f'select_one {name_of_list}', row['name'], {**label, **required})
        self.survey_row('end_group', question['name'])

    # --- the other sheets ---

    def settings_headings(self) -> list[str]:
        others = [f'cixi_title::{language}' for language in self.languages[1:]]
        own = self.headings(layout.SETTING)
        return ['form_title', 'version', 'default_language', *own, *others]

    def settings(self) -> Row:
        title = self.texts('cixi_title', self.data['title'])
        first = title.pop(f'cixi_title::{self.languages[0]}')
        return {
            'form_title': first,
            'version': self.questionnaire.sha256[:12],
            'default_language': self.languages[0],
            **self.row(self.data, layout.SETTING),
            **title,
        }

    def targets(self) -> list[Row]:
        return [
            {'indicator': indicator['name'], **self.row(target, layout.TARGET)}
            for indicator in self.data.get('indicators', ())
            for target in indicator.get('targets', ())
        ]


def _unused(name: str, taken: set[str]) -> str:
    """``name``, with a number behind it if it is taken; it is taken from then on."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f'{name}_{number}'
    taken.add(found)
    return found


def _cell(column: Column, value: Data) -> str | float:
    if column.kind == 'flag':
        return 'yes'
    if column.kind == 'scores':
        assert isinstance(value, dict)  # by the model
        return ' '.join(f'{answer}={_number(score)}' for answer, score in value.items())
    if isinstance(value, list):
        return ' '.join(map(str, value))
    if isinstance(value, int | float):
        # A cell keeps 16 digits; a number that has more of them is kept as text.
        return value if float(f'{value:.16G}') == value else _number(value)
    return str(value)


def _number(value: Data) -> str:
    assert isinstance(value, int | float)  # by the model
    return str(int(value)) if value == int(value) else repr(value)


# --- the file -------------------------------------------------------------------------------------


def _workbook(sheets: Mapping[str, tuple[list[str], list[Row]]], made: datetime) -> bytes:
    out = io.BytesIO()
    options = {'constant_memory': True, 'strings_to_formulas': False, 'strings_to_urls': False}
    book = xlsxwriter.Workbook(out, {**options, 'strings_to_numbers': False})
    book.set_properties({'created': made.replace(tzinfo=None)})
    bold = book.add_format({'bold': True, 'bottom': 1, 'valign': 'top'})
    plain = book.add_format({'text_wrap': True, 'valign': 'top'})
    problems: list[Problem] = []
    for name, (headings, rows) in sheets.items():
        used = [each for each in headings if each in _KEPT or any(each in row for row in rows)]
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for place, heading in enumerate(used):
            sheet.set_column(place, place, 40 if '::' in heading else _WIDE.get(heading, 14))
            sheet.write_string(0, place, heading, bold)
        for line, row in enumerate(rows, 1):
            for place, value in _placed(row, used):
                if isinstance(value, str):
                    problems += _impossible(value, name, line + 1, place + 1)
                    sheet.write_string(line, place, value, plain)
                else:
                    sheet.write_number(line, place, value, plain)
    book.close()
    if problems:
        raise ProblemsFound(problems)
    return out.getvalue()


# Without these two a sheet is no sheet of an XLSForm, used or not.
_KEPT = frozenset({'type', 'name', 'list_name'})


def _placed(row: Row, headings: Sequence[str]) -> Iterator[tuple[int, str | float]]:
    return ((place, row[name]) for place, name in enumerate(headings) if name in row)


def _impossible(text: str, sheet: str, line: int, column: int) -> list[Problem]:
    if len(text) > LONGEST_CELL:
        message = N_('A cell of a workbook holds %(most)s characters; this text has %(count)s.')
        cure = N_('Shorten the text.')
        values = {'most': LONGEST_CELL, 'count': len(text)}
        return [Problem('', 'cell_full', message, cure, values, line, column, sheet)]
    if _IMPOSSIBLE.intersection(text) or any('\ud800' <= each <= '\udfff' for each in text):
        message = N_('This text has a character that no workbook can hold.')
        cure = N_('Remove the character.')
        return [Problem('', 'cell_character', message, cure, {}, line, column, sheet)]
    return []
