"""The rows of the sheet ``survey`` as sections with questions.

A group on the outside is a section; a group with the appearance ``table-list`` is a grid; other
groups within are dissolved, their condition goes to each question in them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cixi_survey.errors import N_
from cixi_survey.questionnaire.source import Data, Place
from cixi_survey.questionnaire.xlsform import layout, other
from cixi_survey.questionnaire.xlsform.names import Names
from cixi_survey.questionnaire.xlsform.table import Part, Record, Report

_SELECT = re.compile(
    r'(?P<command>select_one|select_multiple|select1'
    r'|select one(?: from)?|select multiple|select all that apply(?: from)?)'
    r' (?P<list>\S+)(?P<other> (?:or_other|or other|or specify other))?'
)
_COLLECTED = frozenset(
    {
        *('start', 'end', 'today', 'deviceid', 'phonenumber', 'username', 'email', 'audit'),
        *('simserial', 'subscriberid', 'imei', 'start-geopoint', 'background-audio'),
    }
)
_FILES = frozenset(
    {'image', 'photo', 'audio', 'video', 'file', 'geopoint', 'geotrace', 'geoshape', 'barcode'}
)
_CURES = {
    'decimal': N_('Use “integer”, in a smaller unit if need be.'),
    'range': N_('Use “integer” with a constraint.'),
    **dict.fromkeys(
        ('date', 'time', 'dateTime'),
        N_('Offer periods as options, or ask with the type “text”.'),
    ),
    **dict.fromkeys(
        ('calculate', 'hidden', 'csv-external', 'xml-external'),
        N_('Write the condition with the questions themselves.'),
    ),
    **dict.fromkeys(_FILES, N_('Leave it out: this survey takes no files and no positions.')),
    'rank': N_('Ask for the most important one, or rate each with a grid.'),
    **dict.fromkeys(
        ('acknowledge', 'trigger'), N_('Use select_one with a list of one or two options.')
    ),
    **dict.fromkeys(
        ('select_one_from_file', 'select_multiple_from_file', 'select_one_external'),
        N_('Put the options on the sheet “choices”.'),
    ),
}
_TYPES = ('select_one', 'select_multiple', 'integer', 'text', 'note', 'begin_group', 'end_group')
_NOT_CARRIED = {
    'default': N_('Leave it out: no answer is filled in beforehand here.'),
    'calculation': N_('Write the condition with the questions themselves.'),
    'choice_filter': N_('Only villages follow the town (see docs/questionnaire.md).'),
    'trigger': N_('Write the condition with the questions themselves.'),
    'read_only': N_('Leave it out, or write the text as a note.'),
    'repeat_count': N_('Ask once, or write the questions out.'),
}
_ONLY_DRESS = (
    *('guidance_hint', 'required_message', 'parameters', 'media::image', 'media::audio'),
    *('media::video', 'media::big-image', 'autoplay'),
)
COLUMNS = frozenset(
    {
        *('type', 'name', 'appearance', 'disabled', 'cixi_type', 'cixi_options', 'cixi_name'),
        *(column.heading for column in layout.QUESTION),
        *_NOT_CARRIED,
        *_ONLY_DRESS,
    }
)
# The heading of a section for questions that stand in no group.
_TITLES = {'zh': '问题', 'en': 'Questions'}
_WITHIN_GRID = tuple(column for column in layout.QUESTION if column.heading == 'label')
_GROUP = tuple(column for column in layout.QUESTION if column.heading in ('label', 'relevant'))


@dataclass
class Group:
    """A group that is open: a ``section``, a ``grid``, or one that will be dissolved (neither)."""

    begun: Record
    relevant: str = ''
    section: Part | None = None
    grid: Part | None = None
    list_name: str = ''
    rows_required: list[bool] = field(default_factory=list)

    @property
    def place(self) -> Place:
        return self.begun.place_of('type')


@dataclass
class Survey:
    """What the sheet says; ``questions`` hold the own names of the form until all is read."""

    names: Names
    lists: Mapping[str, list[Part]]
    report: Report
    languages: Sequence[str]
    sections: list[Part] = field(default_factory=list)
    opening: Part = field(default_factory=Part)
    """The texts before the first question: ``introduction`` and ``notice``."""
    groups: list[Group] = field(default_factory=list)
    pending: Record | None = None
    skipping: int = 0
    implicit: Part | None = None
    consumed: set[str] = field(default_factory=set)
    """The lists that belong to one question, or are the towns or villages."""
    named: set[str] = field(default_factory=set)
    """The lists that questions share by name."""
    copied: set[str] = field(default_factory=set)
    """The lists that a question has with an answer more."""

    def read(self, record: Record) -> None:
        """Take the next row."""
        words = ' '.join(record.text('type').split())
        if record.text('disabled').lower() in ('yes', 'true'):
            return
        command = re.sub(r'^(begin|end)[ _](lgroup|looped group)$', r'\1_repeat', words)
        command = re.sub(r'^(begin|end) (group|repeat|loop)$', r'\1_\2', command)
        if self._skipped(command, record):
            return
        select = _SELECT.fullmatch(words)
        step = self._steps().get(command)
        if select:
            self._select(record, select)
        elif step:
            step(record)
        else:
            self._unknown(record, command)

    def _steps(self) -> Mapping[str, Callable[[Record], None]]:
        return {
            'begin_group': self._begin,
            'end_group': self._end,
            'note': self._note,
            'integer': lambda record: self._question(record, 'integer'),
            'text': lambda record: self._question(record, 'text'),
        }

    def finish(self) -> None:
        """Say what is still open at the end of the sheet."""
        self._drop_pending()
        self.consumed |= self.copied - self.named
        for group in self.groups:
            message = N_('This group is not ended.')
            cure = N_('Add a row “end_group” where it ends.')
            self.report.problem(group.place, 'group_open', message, cure)

    # --- groups ---

    def _skipped(self, command: str, record: Record) -> bool:
        """Whether the row stands in a repeat, which is left out as a whole."""
        if command in ('begin_repeat', 'begin_loop', 'begin_kobomatrix', 'begin_score'):
            if not self.skipping:
                message = N_('Questions cannot be repeated here; all of “%(name)s” is left out.')
                cure = N_('Ask once, or write the questions out.')
                name = record.text('name') or command
                self.report.problem(record.place_of('type'), 'repeat', message, cure, name=name)
            self.skipping += 1
            return True
        if self.skipping and command in ('end_repeat', 'end_loop', 'end_kobomatrix', 'end_score'):
            self.skipping -= 1
            return True
        return self.skipping > 0

    def _begin(self, record: Record) -> None:
        if 'table-list' in record.text('appearance').split():
            self.groups.append(Group(record, grid=self._grid(record)))
            return
        self._dress(record)
        group = Group(record, record.text('relevant'))
        if any(each.section for each in self.groups):
            message = N_('The inner group “%(name)s” is dissolved; its questions stay.')
            name = record.text('name')
            self.report.remark(group.place, 'group_within', message, name=name)
        else:
            self._drop_pending()
            group.section = self._section(record, record.part(_GROUP))
            self.implicit = None
        self.groups.append(group)

    def _section(self, record: Record, part: Part) -> Part:
        section = Part(places={(): record.place})
        given = 'cixi_name' if record.text('cixi_name') else 'name'
        name = self.names.section(record.text(given), record.place_of(given))
        section.put(('name',), name, record.place_of(given))
        section.data['title'] = part.data.get('label', {})
        self._move(part, section, 'label', 'title')
        section.data['questions'] = []
        self.sections.append(section)
        return section

    def _move(self, part: Part, other: Part, old: str, new: str) -> None:
        for path, place in part.places.items():
            if path[:1] == (old,):
                other.places[(new, *path[1:])] = place

    def _grid(self, record: Record) -> Part:
        part = self._asked(record, 'grid')
        part.data['rows'] = []
        return part

    def _end(self, record: Record) -> None:
        if not self.groups:
            message = N_('No group is open here.')
            cure = N_('Remove this row, or add “begin_group” where the group begins.')
            self.report.problem(record.place_of('type'), 'group_end', message, cure)
            return
        group = self.groups.pop()
        if group.section is not None:
            self._drop_pending()
        if group.grid is not None:
            self._finish_grid(group.grid, group)

    def _finish_grid(self, grid: Part, group: Group) -> None:
        if any(group.rows_required):
            grid.data['required'] = True
            if not all(group.rows_required):
                message = N_('In a grid all rows are required or none; here all are.')
                self.report.remark(group.place, 'grid_required', message)
        self._add(grid)

    # --- notes ---

    def _note(self, record: Record) -> None:
        self._drop_pending()
        if record.text('relevant'):
            message = N_('A text cannot have a condition; it is shown to all.')
            cure = N_('Say in the text whom it is for, or ask it as a question.')
            self.report.problem(record.place_of('relevant'), 'note_relevant', message, cure)
        if self.groups and self.groups[-1].grid:
            message = N_('Within a grid there can be no note.')
            cure = N_('Put the text into the hint of the group.')
            self.report.problem(record.place_of('type'), 'note_grid', message, cure)
            return
        if not self.groups and not self.sections:
            notice = record.text('name') == layout.NOTICE
            _join(self.opening, 'notice' if notice else 'introduction', record)
            return
        section = next((each.section for each in self.groups if each.section), None)
        if section and not section.data['questions']:
            _join(section, 'introduction', record)
        else:
            self.pending = record

    def _drop_pending(self) -> None:
        """A note that no question follows has no place."""
        if self.pending:
            message = N_('This note has no place: no question follows it in the section.')
            cure = N_('Move the text to the beginning of the section or to the hint of a question.')
            self.report.problem(self.pending.place_of('type'), 'note_alone', message, cure)
            self.pending = None

    def _hinted(self, part: Part) -> None:
        """Put the note before a question into its hint."""
        if not self.pending:
            return
        note, self.pending = self.pending, None
        own = part.data.get('hint')
        part.data.pop('hint', None)
        _join(part, 'hint', note)
        hint = part.data.get('hint')
        if isinstance(own, dict) and isinstance(hint, dict):
            part.data['hint'] = {
                code: '\n\n'.join(str(each) for each in (hint.get(code), own.get(code)) if each)
                for code in {**hint, **own}
            }
        message = N_('The note was put into the hint of the question after it, “%(name)s”.')
        self.report.remark(note.place, 'note_to_hint', message, name=part.data['name'])

    # --- questions ---

    def _question(self, record: Record, kind: str) -> None:
        if self.groups and self.groups[-1].grid is not None:
            self._not_a_row(record)
            return
        self._add(self._asked(record, kind))

    def _not_a_row(self, record: Record) -> None:
        message = N_('In a grid every row is a “select_one” of the same list.')
        cure = N_('Move this question behind the group.')
        self.report.problem(record.place_of('type'), 'grid_row', message, cure)

    def _asked(self, record: Record, kind: str) -> Part:
        self._dress(record)
        part = record.part(layout.QUESTION)
        part.put(('type',), kind, record.place_of('type'))
        name = self.names.question(record.text('name'), record.place_of('name'))
        part.put(('name',), name, record.place_of('name'))
        part.data.setdefault('label', {})
        self._hinted(part)
        for group in reversed(self.groups):
            if group.relevant:
                own = part.data.get('relevant')
                joined = f'({group.relevant}) and ({own})' if own else group.relevant
                place = part.places.get(('relevant',), group.begun.place_of('relevant'))
                part.put(('relevant',), joined, place)
        return part

    def _add(self, part: Part) -> None:
        section = next((each.section for each in self.groups if each.section), self.implicit)
        if section is None:
            section = self.implicit = self._outside(part)
        section.take('questions', part)

    def _outside(self, part: Part) -> Part:
        """A section for questions that stand in no group."""
        place = part.places[()]
        section = Part(places={(): place})
        section.put(('name',), self.names.section('', place), place)
        title: Data = {code: _TITLES.get(code, _TITLES['en']) for code in self.languages}
        section.data |= {'title': title, 'questions': []}
        self.sections.append(section)
        message = N_('Questions that stand in no group were put into a section of their own.')
        self.report.remark(place, 'no_group', message)
        return section

    def _select(self, record: Record, select: re.Match[str]) -> None:
        multiple = select['command'] in ('select_multiple', 'select multiple') or (
            'all that apply' in select['command']
        )
        grid = self.groups[-1].grid if self.groups else None
        if grid is None:
            self._choice(record, select['list'], multiple, bool(select['other']))
            return
        if select['other']:
            message = N_('In a grid there is no “or_other”; the rows have their list only.')
            cure = N_('Add an option for it, or ask this row as a question of its own.')
            self.report.problem(record.place_of('type'), 'or_other', message, cure)
        self._row(record, select['list'], multiple, self.groups[-1])

    def _choice(self, record: Record, list_name: str, multiple: bool, or_other: bool) -> None:
        kind = 'multiple' if multiple else 'single'
        given = record.text('cixi_type').lower()
        if given in (layout.TOWN, layout.VILLAGE):
            self.consumed.add(list_name)
            self._add(self._asked(record, given))
            return
        if given:
            message = N_('“%(value)s” is not possible here.')
            cure = N_('Write town or village, or nothing.')
            place = record.place_of('cixi_type')
            self.report.problem(place, 'cixi_type', message, cure, value=given)
        if 'likert' in record.text('appearance').split() and not multiple:
            kind = 'scale'
        part = self._asked(record, kind)
        right = part.data.get('right')
        if isinstance(right, list) and len(right) == 1 and not multiple:
            part.data['right'] = right[0]
        if or_other and list_name in self.lists:
            self._or_other(part, list_name)
            return
        self._options(part, list_name, record, record.place_of('type'))
        self._add(part)

    def _or_other(self, part: Part, list_name: str) -> None:
        """A question whose last answer can be written in."""
        self.copied.add(list_name)
        other.offer(part, self.lists[list_name], self.languages)
        self._add(part)
        place = part.places[('type',)]
        name = self.names.question(f'{part.data["name"]}_{other.VALUE}', place)
        self._add(other.follow(part, name, self.languages))
        message = N_('“or_other” was written out: an answer “other”, and “%(name)s” after it.')
        self.report.remark(place, 'or_other_written', message, name=name)

    def _options(self, part: Part, list_name: str, asked: Record, place: Place) -> None:
        """The list of a question, by its name or written out where it is the question's own."""
        if asked.text('cixi_options') == layout.OWN and list_name in self.lists:
            self.consumed.add(list_name)
            part.data['options'] = []
            for option in self.lists[list_name]:
                part.take('options', option)
        else:
            self.named.add(list_name)
            part.put(('options',), self.names.list(list_name, place), place)

    def _row(self, record: Record, list_name: str, multiple: bool, group: Group) -> None:
        grid = group.grid
        assert grid is not None  # by the caller
        if multiple:
            self._not_a_row(record)
            return
        row = record.part(_WITHIN_GRID)
        name = self.names.question(record.text('name'), record.place_of('name'))
        row.put(('name',), name, record.place_of('name'))
        row.data.setdefault('label', {})
        grid.take('rows', row)
        whole = record.part(layout.QUESTION)
        group.rows_required.append(whole.data.get('required') is True)
        for key in whole.data:
            if key not in ('label', 'required'):
                message = N_('A row of a grid has no “%(key)s” of its own.')
                cure = N_('Give it to the group, or ask this row as a question of its own.')
                self.report.problem(whole.places[(key,)], 'grid_key', message, cure, key=key)
        if not group.list_name:
            group.list_name = list_name
            self._options(grid, list_name, group.begun, record.place_of('type'))
        elif group.list_name != list_name:
            self._not_a_row(record)

    # --- what cannot be carried over ---

    def _unknown(self, record: Record, command: str) -> None:
        place = record.place_of('type')
        word = command.split(' ')[0]
        if word in _COLLECTED:
            message = N_('“%(type)s” is not collected here, to protect those who answer.')
            self.report.remark(place, 'not_collected', message, type=word)
            return
        if not command:
            message = N_('This row has no type.')
            cure = N_('Possible are: %(known)s')
        else:
            message = N_('There is no type “%(type)s” here; the question is left out.')
            near = difflib.get_close_matches(word, _TYPES, 1)
            cure = _CURES.get(word) or (
                N_('Did you mean “%(near)s”?') if near else N_('Possible are: %(known)s')
            )
        self.report.problem(
            place, 'type_unknown', message, cure,
            type=command, known=', '.join(_TYPES),
            near=(difflib.get_close_matches(word, _TYPES, 1) or [''])[0],
        )  # fmt: skip

    def _dress(self, record: Record) -> None:
        """Report what a row says and a questionnaire here cannot."""
        village = record.text('cixi_type').lower() == layout.VILLAGE
        for base, cure in _NOT_CARRIED.items():
            if base == 'choice_filter' and village:
                continue
            if record.text(base) and record.text(base).lower() not in ('no', 'false'):
                message = N_('“%(column)s” is not carried over.')
                self.report.problem(
                    record.place_of(base), 'not_carried', message, cure, column=base
                )
        for base in _ONLY_DRESS:
            if place := record.filled(base):
                message = N_('“%(column)s” is not carried over.')
                self.report.remark(place, 'dress', message, column=base)


def _join(part: Part, key: str, record: Record) -> None:
    """Add the text of a note to a text of ``part``, as a paragraph of its own."""
    note = record.part(_WITHIN_GRID)
    label: Data = note.data.get('label')
    texts = part.data.setdefault(key, {})
    assert isinstance(texts, dict)  # texts by language
    for code, text in (label if isinstance(label, dict) else {}).items():
        texts[code] = f'{texts[code]}\n\n{text}' if code in texts else text
    for path, place in note.places.items():
        if path[:1] == ('label',):
            part.places.setdefault((key, *path[1:]), place)
