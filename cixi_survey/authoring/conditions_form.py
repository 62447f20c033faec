"""The fields of conditions: always, by choosing questions and answers, or as an expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from cixi_survey import i18n, places
from cixi_survey.authoring import conditions
from cixi_survey.authoring.conditions import Choice, Limit, Row, Simple
from cixi_survey.authoring.fields import Collector, Fields, name
from cixi_survey.authoring.reading import Reading
from cixi_survey.questionnaire.editing import REMOVED
from cixi_survey.questionnaire.source import Path

OPS = ('is', 'is_not', 'at_least', 'at_most', 'answered')


@dataclass(frozen=True)
class Builder:
    """A condition as the form shows it; ``rows`` ends with an empty one to fill in."""

    steps: Path
    mode: str
    rows: tuple[Row, ...]
    join: str
    text: str
    choices: tuple[Choice, ...]

    def choice(self, variable: str) -> Choice | None:
        """What is known of a variable."""
        return next((each for each in self.choices if each.name == variable), None)


def choices(reading: Reading, before: Path | None = None) -> tuple[Choice, ...]:
    """The variables that a condition may look at."""
    return tuple(conditions.choices(reading, places.towns(), before))


def for_script(known: Sequence[Choice]) -> dict[str, object]:
    """The same for the page's script, which offers the answers of the question chosen.

    An answer is its value, its wording for the reader, and the tag of its language if another.
    """
    return {
        each.name: {
            'kind': each.kind,
            'options': [
                (value, i18n.localised(text), i18n.foreign(text)) for value, text in each.options
            ],
        }
        for each in known
    }


def builder(fields: Fields, *steps: str | int, before: Path | None = None) -> Builder:
    """The condition at a path of the part."""
    text = fields.value(*steps)
    known = choices(fields.reading, before)
    if fields.given is not None and name(*steps, 'mode') in fields.given:
        form = Collector(fields.reading, fields.part, fields.given)
        text = form.typed(*steps, 'text')
        rows, join = _rows(form, steps, half=True), form.typed(*steps, 'join') or 'and'
        rows = rows if rows and not rows[-1].variable else (*rows, Row(''))
        return Builder(steps, form.typed(*steps, 'mode'), rows, join, text, known)
    found = conditions.simple(text) if text else None
    mode = 'always' if not text else 'simple' if found else 'expression'
    rows = found.rows if found else ()
    return Builder(steps, mode, (*rows, Row('')), found.join if found else 'and', text, known)


def collect(form: Collector, *steps: str | int, before: Path | None = None) -> None:
    """The fields of a condition."""
    mode = form.typed(*steps, 'mode')
    found = form.data(*steps)
    old = found if isinstance(found, str) else ''
    if mode == 'always':
        form.put(REMOVED, *steps)
    elif mode == 'expression':
        text = form.typed(*steps, 'text')
        if text != old.strip():
            form.put(text or REMOVED, *steps)
    elif mode == 'simple':
        _collect_simple(form, steps, old, choices(form.reading, before))


def _collect_simple(form: Collector, steps: Path, old: str, known: Sequence[Choice]) -> None:
    kinds = {each.name: each.kind for each in known}
    rows = _rows(form, steps)
    if not rows:
        form.held[name(*steps, 'rows', 0, 'variable')] = _('Choose a question.')
    for index, row in enumerate(rows):
        if not conditions.is_complete(row, kinds.get(row.variable, '')):
            said = _('Enter a number.') if kinds.get(row.variable) == 'integer' else _(
                'Choose the answer.'
            )  # fmt: skip
            form.held[name(*steps, 'rows', index, 'value')] = said
    if any(each.startswith(f'{name(*steps)}.') for each in form.held):
        return
    join = form.typed(*steps, 'join') if len(rows) > 1 else 'and'
    new = Simple(tuple(_fitting(row, kinds) for row in rows), join or 'and')
    if conditions.simple(old) != new:
        form.put(conditions.written(new, kinds), *steps)


def _fitting(row: Row, kinds: dict[str, str]) -> Row:
    """A size can be compared only with a number."""
    sized = row.op in ('at_least', 'at_most') and kinds.get(row.variable) != 'integer'
    return replace(row, op='is') if sized else row


def _rows(form: Collector, steps: Path, *, half: bool = False) -> tuple[Row, ...]:
    """The lines that name a question; with ``half`` also those that only have an answer."""
    found = []
    for index in range(conditions.ROWS_MOST + 1):
        variable = form.typed(*steps, 'rows', index, 'variable')
        op = form.typed(*steps, 'rows', index, 'op')
        value = form.typed(*steps, 'rows', index, 'value')
        if variable or (half and value):
            row = Row(variable, op if op in OPS else 'is', value)
            found.append(replace(row, value='') if row.op == 'answered' else row)
    return tuple(found)


def limit(fields: Fields) -> Limit:
    """The limit of an answer as the form shows it."""
    if fields.given is not None and 'constraint.mode' in fields.given:
        return _typed_limit(Collector(fields.reading, fields.part, fields.given))
    return conditions.limit(fields.value('constraint'))


def collect_limit(form: Collector) -> None:
    """The fields of a question's constraint and its message."""
    if not form.has('constraint', 'mode'):
        return
    wanted = _typed_limit(form)
    found = form.data('constraint')
    old = found if isinstance(found, str) else ''
    if wanted.mode == 'none':
        form.put(REMOVED, 'constraint')
        form.put(REMOVED, 'constraint_message')
        return
    if wanted.mode == 'expression':
        text = form.typed('constraint', 'text')
        if text != old.strip():
            form.put(text or REMOVED, 'constraint')
    elif wanted != conditions.limit(old):
        text = conditions.limited(wanted)
        if text:
            form.put(text, 'constraint')
        else:
            field = {'range': 'least', 'most': 'most', 'alone': 'value'}[wanted.mode]
            form.held[f'constraint.{field}'] = (
                _('Choose the answer.') if field == 'value' else _('Enter a number.')
            )
    form.texts('constraint_message')


def _typed_limit(form: Collector) -> Limit:
    mode = form.typed('constraint', 'mode')
    given = {key: form.typed('constraint', key) for key in ('least', 'most', 'value')}
    match mode:
        case 'range':
            return Limit(mode, given['least'], given['most'])
        case 'most':
            return Limit(mode, most=given['most'])
        case 'alone':
            return Limit(mode, value=given['value'])
    return Limit(mode if mode in ('none', 'expression') else 'none')
