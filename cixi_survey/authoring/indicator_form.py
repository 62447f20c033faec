"""The form of an indicator: which questions count, which answers, against which targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cixi_survey.authoring import arranging
from cixi_survey.authoring.fields import Collector, Fields
from cixi_survey.authoring.outline import Words, answer_label, label, row_label
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire import editing, references
from cixi_survey.questionnaire.editing import REMOVED
from cixi_survey.questionnaire.source import Data, Path

FAMILIES = ('knowledge', 'satisfaction', 'participation', 'behaviour', 'household')
RULES = ('share_right', 'top_two', 'mean_score', 'any_of', 'category_share')
BASES = ('national', 'plan', 'chapter8', 'province', 'other')
_SCALES = {'mean_score': 'score'}


def collect(form: Collector) -> None:
    """The fields of an indicator."""
    form.texts('label', needed=True)
    form.texts('definition', needed=True)
    form.line('name', needed=True)
    form.line('family', needed=True)
    form.line('source')
    form.line('dont_know')
    form.line('household_size')
    _items(form)
    _rule(form)
    _targets(form)
    _baseline(form)


def _items(form: Collector) -> None:
    if not form.has('items', 'shown'):
        return
    ticked = set(form.ticked('items'))
    found = form.data('items')
    old = [str(each) for each in found] if isinstance(found, list) else []
    new: list[Data] = [each for each in old if each in ticked]
    new += [name for name, _text in scorable(form.reading) if name in ticked and name not in old]
    if new != old:
        form.put(new if new else [], 'items')
        if not new:
            form.changes[*form.part.path, 'items'] = []


def _rule(form: Collector) -> None:
    """How answers count; what another rule needs goes when the rule changes."""
    rule = form.typed('rule')
    if not rule:
        return
    changed = rule != form.data('rule')
    form.line('rule', needed=True)
    if changed:
        form.put(_SCALES.get(rule, 'share'), 'scale')
        if rule in ('share_right', 'mean_score'):
            form.put(REMOVED, 'positive')
        if rule != 'mean_score':
            form.put(REMOVED, 'scores')
        return
    if form.has('positive', 'shown'):
        offered = [value for value, _text, _apart in answers(form.reading, form.part)]
        ticked = set(form.ticked('positive'))
        found = form.data('positive')
        old = [str(each) for each in found] if isinstance(found, list) else []
        new: list[Data] = [each for each in old if each in ticked or each not in offered]
        new += [each for each in offered if each in ticked and each not in old]
        if new != old:
            form.put(new, 'positive')
    for value, _text, _apart in answers(form.reading, form.part):
        form.number('scores', value, whole=False)


def _targets(form: Collector) -> None:
    found = form.data('targets')
    for index, _target in enumerate(found if isinstance(found, list) else ()):
        if not form.has('targets', index, 'basis'):
            continue
        form.line('targets', index, 'basis', needed=True)
        form.number('targets', index, 'value', whole=False)
        form.number('targets', index, 'from_year')
        form.texts('targets', index, 'label')
        form.line('targets', index, 'source')


def _baseline(form: Collector) -> None:
    if not form.has('baseline', 'year'):
        return
    typed = [form.typed('baseline', key) for key in ('year', 'value', 'source')]
    noted = any(form.typed('baseline', 'note', each) for each in form.reading.languages)
    if not any(typed) and not noted:
        form.put(REMOVED, 'baseline')
        return
    form.number('baseline', 'year')
    form.number('baseline', 'value', whole=False)
    form.texts('baseline', 'note')
    form.line('baseline', 'source')


def act(reading: Reading, part: Part, do: str) -> str | None:
    """What the buttons of the targets do: ``target-add``, ``target-remove:1``."""
    verb, _colon, place = do.partition(':')
    found = reading.value((*part.path, 'targets'))
    length = len(found) if isinstance(found, list) else 0
    path: Path = (*part.path, 'targets')
    if verb == 'target-add':
        target: dict[str, Data] = {'basis': 'national', 'value': 80}
        target['label'] = dict(arranging.empty(reading))
        return editing.insert(reading.text, (*path, length), target)
    if verb == 'target-remove' and place.isdecimal() and int(place) < length:
        if length == 1:
            return editing.put(reading.text, {path: REMOVED})
        return editing.remove(reading.text, (*path, int(place)))
    return None


def scorable(reading: Reading) -> Iterator[tuple[str, Words]]:
    """The variables that can count, with their wordings: those with answers to choose."""
    for _part, question in reading.questions:
        kind = question.get('type')
        if kind == 'grid':
            for _index, row in references.entries(dict(question), 'rows'):
                yield str(row.get('name', '')), row_label(reading, question, row)
        elif kind in ('single', 'multiple', 'scale') and 'attention' not in question:
            yield str(question.get('name', '')), label(reading, question)


def answers(reading: Reading, part: Part) -> list[tuple[str, Words, bool]]:
    """The answers that the items of an indicator offer: (value, wording, kept apart)."""
    items = reading.value((*part.path, 'items'))
    chosen = {str(each) for each in items} if isinstance(items, list) else set()
    found: dict[str, tuple[Words, bool]] = {}
    for _part, question in reading.questions:
        if chosen & set(references.variables(question)):
            for option in references.options(dict(reading.data), question):
                text = answer_label(reading, option)
                found.setdefault(str(option.get('value', '')), (text, option.get('apart') is True))
    return [(value, text, apart) for value, (text, apart) in found.items()]


def context(fields: Fields) -> dict[str, object]:
    """What can be chosen."""
    reading, part = fields.reading, fields.part
    items = fields.data('items')
    given: Mapping[str, object] = fields.given or {}
    positive = fields.data('positive')
    return {
        'families': FAMILIES,
        'rules': RULES,
        'bases': BASES,
        'rule': fields.value('rule'),
        'scorable': list(scorable(reading)),
        'items': given.get('items', items if isinstance(items, list) else []),
        'answers': answers(reading, part),
        'positive': given.get('positive', positive if isinstance(positive, list) else []),
        'numbers': [
            (str(question.get('name', '')), label(reading, question))
            for _part, question in reading.questions
            if question.get('type') == 'integer'
        ],
        'targets': range(fields.count('targets')),
    }
