"""Parts of a questionnaire added, copied, moved and removed: from one text to the next.

Each function takes a reading, gives the new text, and where the part that it is about is now.
New parts are as empty as the format allows; the checks then say what is to be filled in.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping

from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire import editing, references
from cixi_survey.questionnaire.editing import REMOVED
from cixi_survey.questionnaire.source import Data, Path

Arranged = tuple[str, Path]
CHOICES = ('single', 'multiple', 'scale', 'grid')
# What may be asked for: the types, and two uses of them that have names of their own.
KINDS = (*CHOICES, 'integer', 'text', 'town', 'village', 'knowledge', 'attention')
# Which keys have a meaning for which types only; the others go when the type changes.
ONLY_FOR: Mapping[str, tuple[str, ...]] = {
    'options': CHOICES,
    'rows': ('grid',),
    'max_length': ('text',),
    'right': ('single', 'multiple'),
    'explanation': ('single', 'multiple'),
    'source': ('single', 'multiple'),
    'secret': ('single', 'multiple'),
    'attention': ('single', 'scale'),
    'constraint': ('single', 'multiple', 'scale', 'integer', 'text'),
    'constraint_message': ('single', 'multiple', 'scale', 'integer', 'text'),
}


def add_question(reading: Reading, section: Part, index: int, kind: str) -> Arranged:
    """A new question of a kind (one of ``KINDS``) before the question at ``index``."""
    path: Path = (*section.path, 'questions', index)
    return editing.insert(reading.text, path, _question(reading, kind)), path


def add_section(reading: Reading, index: int) -> Arranged:
    """A new section before the section at ``index``."""
    names = [str(each.get('name', '')) for _part, each in reading.sections]
    section: Data = {
        'name': fresh(names, 'section'),
        'title': empty(reading),
        'questions': [_question(reading, 'single')],
    }
    return editing.insert(reading.text, ('sections', index), section), ('sections', index)


def add_list(reading: Reading) -> Arranged:
    """A new option list with two answers."""
    given = reading.value(('options',))
    name = fresh(given if isinstance(given, dict) else (), 'answers')
    text = editing.put(reading.text, {('options', name): _options(reading, 2)})
    return text, ('options', name)


def add_rule(reading: Reading) -> Arranged:
    """A new screening rule at the end."""
    index = _length(reading, ('screening',))
    rule: Data = {'when': '', 'outcome': 'ineligible', 'message': empty(reading)}
    return editing.insert(reading.text, ('screening', index), rule), ('screening', index)


def add_indicator(reading: Reading, family: str) -> Arranged:
    """A new indicator of a family at the end, with the rule that is usual for it."""
    index = _length(reading, ('indicators',))
    names = [str(each.get('name', '')) for _part, each in reading.indicators]
    rules = {'knowledge': 'share_right', 'satisfaction': 'top_two', 'participation': 'any_of'}
    indicator: dict[str, Data] = {
        'name': fresh(names, family),
        'family': family,
        'scale': 'share',
        'rule': rules.get(family, 'category_share'),
        'items': list(_usual_items(reading, family)),
        'label': empty(reading),
        'definition': empty(reading),
    }
    return editing.insert(reading.text, ('indicators', index), indicator), ('indicators', index)


def copy_part(reading: Reading, part: Part) -> Arranged:
    """A copy right after a question, section or indicator, with names of its own."""
    data = copy.deepcopy(reading.value(part.path))
    index = part.path[-1]
    assert isinstance(index, int)
    assert isinstance(data, dict)
    taken = set(_names(reading))
    if part.kind == 'section':
        data['name'] = fresh([each.key for each, _s in reading.sections], _stem(data))
        for _index, question in references.entries(data, 'questions'):
            _rename(question, taken)
    elif part.kind == 'question':
        _rename(data, taken)
    else:
        data['name'] = fresh([each.key for each, _i in reading.indicators], _stem(data))
    path: Path = (*part.path[:-1], index + 1)
    return editing.insert(reading.text, path, data), path


def move(reading: Reading, part: Part, target: Path) -> Arranged:
    """A part before the entry that is now at ``target``, which may be one past the last."""
    text = editing.move(reading.text, part.path, target)
    index, old = target[-1], part.path[-1]
    assert isinstance(index, int)
    assert isinstance(old, int)
    same = target[:-1] == part.path[:-1]
    return text, (*target[:-1], index - 1 if same and index > old else index)


def step(reading: Reading, part: Part, by: int) -> Arranged | None:
    """A part one place up (-1) or down (1); a question goes on into the next section.

    None when it stands at the end.
    """
    index = part.path[-1]
    assert isinstance(index, int)
    length = _length(reading, part.path[:-1])
    if 0 <= index + by < length:
        return move(reading, part, (*part.path[:-1], index + by + (by > 0)))
    if part.kind != 'question':
        return None
    section = part.path[1]
    assert isinstance(section, int)
    beyond: Path = ('sections', section + by)
    if section + by < 0 or not isinstance(reading.value(beyond), dict):
        return None
    place = 0 if by > 0 else _length(reading, (*beyond, 'questions'))
    return move(reading, part, (*beyond, 'questions', place))


def remove(reading: Reading, part: Part) -> str:
    """The text without a part."""
    parent = reading.value(part.path[:-1])
    optional = part.kind in ('list', 'indicator')
    if optional and isinstance(parent, dict | list) and len(parent) == 1:
        return editing.put(reading.text, {part.path[:-1]: REMOVED})
    return editing.remove(reading.text, part.path)


def uses(reading: Reading, part: Part) -> list[tuple[Part, str]]:
    """Which other parts name what this one holds, and what they name."""
    data = dict(reading.data)
    names: set[str] = set()
    for each, question in reading.questions:
        if each.path[: len(part.path)] == part.path:
            names |= set(references.variables(question))
    paths = [(path, name) for name in sorted(names) for path in references.uses(data, {name})]
    if part.kind == 'list':
        name = str(part.path[1])
        paths += [
            (path, name) for path, each in references.questions(data) if each.get('options') == name
        ]
    found = [(reading.part_of(path), name) for path, name in paths]
    return [(each, name) for each, name in found if each.path[: len(part.path)] != part.path]


def change_type(reading: Reading, part: Part, kind: str) -> dict[Path, editing.Change]:
    """What comes and goes when a question gets another type."""
    changes: dict[Path, editing.Change] = {(*part.path, 'type'): kind}
    for key, kinds in ONLY_FOR.items():
        if kind not in kinds and reading.value((*part.path, key)) is not None:
            changes[*part.path, key] = REMOVED
    right = reading.value((*part.path, 'right'))
    if right and kind == 'multiple' and not isinstance(right, list):
        changes[*part.path, 'right'] = [right]
    elif isinstance(right, list) and kind == 'single':
        changes[*part.path, 'right'] = right[0] if right else REMOVED
    if kind in CHOICES and reading.value((*part.path, 'options')) is None:
        changes[*part.path, 'options'] = _options(reading, 2)
    if kind == 'grid' and reading.value((*part.path, 'rows')) is None:
        changes[*part.path, 'rows'] = [
            {'name': fresh(_names(reading), f'{part.key}_1'), 'label': empty(reading)}
        ]
    return changes


def own_options(reading: Reading, part: Part) -> str:
    """The text with a copy of the named list as the question's own answers."""
    question = reading.value(part.path)
    assert isinstance(question, dict)
    given: list[Data] = [
        dict(each) for each in references.options(dict(reading.data), question)
    ] or _options(reading, 2)
    return editing.put(reading.text, {(*part.path, 'options'): given})


def share_options(reading: Reading, part: Part) -> Arranged:
    """The text with the question's own answers as a named list that others may use."""
    given = reading.value((*part.path, 'options'))
    lists = reading.value(('options',))
    name = fresh(lists if isinstance(lists, dict) else (), part.key or 'answers')
    text = editing.put(
        reading.text,
        {('options', name): given, (*part.path, 'options'): name},
    )
    return text, ('options', name)


def option(reading: Reading, taken: Collection[str], text: str = '') -> dict[str, Data]:
    """A new answer with a value of its own."""
    label = empty(reading)
    label[reading.languages[0]] = text
    return {'value': fresh(taken, 'a1'), 'label': dict(label)}


def row(reading: Reading, part: Part, text: str = '') -> dict[str, Data]:
    """A new row of a grid with a name of its own."""
    label = empty(reading)
    label[reading.languages[0]] = text
    stem = str(reading.value((*part.path, 'name')) or 'row')[:24]
    return {'name': fresh(_names(reading), f'{stem}_1'), 'label': dict(label)}


def empty(reading: Reading) -> dict[str, Data]:
    """A text that is still to be written, in each language."""
    return dict.fromkeys(reading.languages, '')


def fresh(taken: Collection[str], wanted: str) -> str:
    """``wanted``, or with the next number behind it that is not taken."""
    base = wanted.rstrip('0123456789')
    number = int(wanted[len(base) :] or 1)
    if base == wanted:
        base += '_'
    while wanted in taken:
        number += 1
        wanted = f'{base}{number}'
    return wanted


def _question(reading: Reading, kind: str) -> Data:
    types = {'knowledge': 'single', 'attention': 'single'}
    name = fresh(_names(reading), {'town': 'town', 'village': 'village'}.get(kind, 'q1'))
    question: dict[str, Data] = {
        'name': name,
        'type': types.get(kind, kind),
        'required': True,
        'label': dict(empty(reading)),
    }
    if kind in CHOICES or kind in types:
        options = _options(reading, 2)
        question['options'] = options
        if kind == 'knowledge':
            question |= {'right': 'a1', 'explanation': dict(empty(reading)), 'source': ''}
        elif kind == 'attention':
            question['attention'] = 'a1'
    if kind == 'grid':
        question['rows'] = [{'name': f'{name}_1', 'label': dict(empty(reading))}]
    if kind in ('text', 'village'):
        del question['required']
    return dict(question)


def _options(reading: Reading, count: int) -> list[Data]:
    found: list[dict[str, Data]] = []
    for _number in range(count):
        found.append(option(reading, [str(each['value']) for each in found]))
    return list(found)


def _names(reading: Reading) -> set[str]:
    return {
        name
        for _part, question in reading.questions
        for name in (str(question.get('name', '')), *references.variables(question))
    }


def _usual_items(reading: Reading, family: str) -> Iterator[str]:
    for _part, question in reading.questions:
        if family == 'knowledge' and question.get('right'):
            yield str(question.get('name', ''))


def _rename(question: Mapping[str, Data], taken: set[str]) -> None:
    """New names for a question and its rows, in place."""
    assert isinstance(question, dict)
    question['name'] = fresh(taken, _stem(question))
    taken.add(str(question['name']))
    for _index, each in references.entries(question, 'rows'):
        assert isinstance(each, dict)
        each['name'] = fresh(taken, _stem(each))
        taken.add(str(each['name']))


def _stem(data: Mapping[str, Data]) -> str:
    return str(data.get('name') or 'part')[:28]


def _length(reading: Reading, path: Path) -> int:
    found = reading.value(path)
    return len(found) if isinstance(found, list) else 0
