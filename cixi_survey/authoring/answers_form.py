"""Lists of answers and of rows in forms: their fields, and what their buttons do.

The same list stands at a question and at a named option list; only its path differs.
"""

from __future__ import annotations

from collections.abc import Mapping

from cixi_survey.authoring import arranging
from cixi_survey.authoring.fields import Collector
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire import editing, references
from cixi_survey.questionnaire.source import Data, Path

LISTS = ('options', 'rows')


def collect_options(form: Collector, *steps: str) -> dict[str, str]:
    """The fields of the answers; returns which values were renamed, from old to new."""
    renamed: dict[str, str] = {}
    for index, option in _entries(form, *steps):
        form.texts(*steps, index, 'label', needed=True)
        form.flag(*steps, index, 'apart')
        old, new = str(option.get('value', '')), form.typed(*steps, index, 'value')
        if new and new != old:
            form.put(new, *steps, index, 'value')
            renamed[old] = new
    return renamed


def collect_rows(form: Collector) -> dict[str, str]:
    """The fields of the rows of a grid; returns which were renamed."""
    renamed: dict[str, str] = {}
    for index, row in _entries(form, 'rows'):
        form.texts('rows', index, 'label', needed=True)
        old, new = str(row.get('name', '')), form.typed('rows', index, 'name')
        if new and new != old:
            form.put(new, 'rows', index, 'name')
            renamed[old] = new
    return renamed


def collect_marks(form: Collector, key: str) -> None:
    """Which answers are marked (``right``, ``attention``): their indices become values."""
    values = _values(form)
    marked = [
        values[int(each)]
        for each in form.ticked(f'{key}_at')
        if each.isdecimal() and int(each) < len(values)
    ]
    found = form.data(key)
    if form.data('type') == 'multiple' and key == 'right':
        chosen: list[Data] = list(marked)
        old = [str(each) for each in found] if isinstance(found, list) else []
        if set(marked) != set(old) or not isinstance(found, list):
            form.put(chosen or '', key)
    elif marked and str(found) != marked[0]:
        form.put(marked[0], key)
    elif not marked and found is None:
        form.put('', key)


def act(reading: Reading, part: Part, do: str, several: str) -> str | None:
    """What a button of a list does to the text; None when it is none of theirs.

    Buttons are ``options-add``, ``rows-several``, ``options-up:2``, ``options-place:4:1``…
    """
    what, _colon, places = do.partition(':')
    which, _dash, verb = what.partition('-')
    if which not in LISTS:
        return None
    path: Path = part.path if part.kind == 'list' else (*part.path, which)
    at = [int(each) for each in places.split(':') if each.isdecimal()]
    length = _length(reading, path)
    if verb in ('add', 'several'):
        lines = [line.strip() for line in several.splitlines() if line.strip()]
        return _added(reading, part, path, lines if verb == 'several' else [''])
    if not at or any(each > length for each in at) or at[0] == length:
        return reading.text
    match verb, at:
        case 'up', [index] if index:
            return editing.move(reading.text, (*path, index), (*path, index - 1))
        case 'down', [index] if index + 1 < length:
            return editing.move(reading.text, (*path, index), (*path, index + 2))
        case 'place', [index, to]:
            return editing.move(reading.text, (*path, index), (*path, to))
        case 'remove', [index]:
            return editing.remove(reading.text, (*path, index))
    return reading.text


def _added(reading: Reading, part: Part, path: Path, lines: list[str]) -> str:
    text = reading.text
    for line in lines:
        read = Reading(text) if text is not reading.text else reading
        index = _length(read, path)
        if path[-1] == 'rows':
            entry: Data = dict(arranging.row(read, part, line))
        else:
            given = read.value(path)
            taken = [
                str(each.get('value', ''))
                for each in (given if isinstance(given, list) else [])
                if isinstance(each, dict)
            ]
            entry = dict(arranging.option(read, taken, line))
        text = editing.insert(text, (*path, index), entry)
    return text


def _entries(form: Collector, *steps: str) -> list[tuple[int, Mapping[str, Data]]]:
    """The entries that the form showed; it says their number itself."""
    count = form.typed(*steps, 'count') if steps else form.typed('count')
    found = form.data(*steps)
    shown = int(count) if count.isdecimal() else 0
    return [
        (index, each)
        for index, each in enumerate(found if isinstance(found, list) else [])
        if index < shown and isinstance(each, dict)
    ]


def _values(form: Collector) -> list[str]:
    """The values of the question's answers, as they will be."""
    question = form.data()
    if not isinstance(question, dict):
        return []
    own = not isinstance(question.get('options'), str)
    return [
        (own and form.typed('options', index, 'value')) or str(each.get('value', ''))
        for index, each in enumerate(references.options(dict(form.reading.data), question))
    ]


def _length(reading: Reading, path: Path) -> int:
    found = reading.value(path)
    return len(found) if isinstance(found, list) else 0
