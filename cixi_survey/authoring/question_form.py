"""The form of a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cixi_survey.authoring import answers_form, arranging, conditions_form
from cixi_survey.authoring.fields import Collector, Fields, Typed
from cixi_survey.authoring.outline import answer_label
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire import references
from cixi_survey.questionnaire.editing import REMOVED, Change
from cixi_survey.questionnaire.source import Path

ROLES = ('ordinary', 'knowledge', 'attention')
_OF_ROLE = {'right': 'knowledge', 'explanation': 'knowledge', 'source': 'knowledge',
            'secret': 'knowledge', 'attention': 'attention'}  # fmt: skip


def collect(form: Collector) -> None:
    """The fields of a question."""
    form.texts('label', needed=True)
    form.texts('hint')
    form.flag('required')
    form.line('name', needed=True)
    _answers(form)
    form.number('max_length')
    conditions_form.collect_limit(form)
    if form.has('relevant', 'mode'):
        conditions_form.collect(form, 'relevant', before=form.part.path)
    if form.has('role'):
        _role(form)


def later(reading: Reading, part: Part, given: Typed) -> Mapping[Path, Change]:
    """What changes after the fields are stored: with another type other keys have a meaning."""
    kind = given.get('type', [''])[0]
    if not kind or kind == reading.value((*part.path, 'type')):
        return {}
    return arranging.change_type(reading, part, kind)


def _answers(form: Collector) -> None:
    listed = form.typed('options', 'list')
    own = isinstance(form.data('options'), list)
    values: dict[str, str] = {}
    if listed and form.data('options') != listed:
        form.put(listed, 'options')
    elif own:
        values = answers_form.collect_options(form, 'options')
    renamed = answers_form.collect_rows(form) if form.data('rows') is not None else {}
    old, new = str(form.data('name') or ''), form.typed('name')
    if old and new and old != new:
        renamed[old] = new
    follows = references.follow(
        dict(form.reading.data), renamed, {form.part.path: values} if values else {}
    )
    form.changes = {**follows, **form.changes}


def _role(form: Collector) -> None:
    role = form.typed('role')
    if role not in ROLES:
        return
    for key, of in _OF_ROLE.items():
        if of != role:
            form.put(REMOVED, key)
    if role == 'knowledge':
        answers_form.collect_marks(form, 'right')
        form.texts('explanation', needed=True)
        form.line('source', needed=True)
        if form.has('secret', 'shown'):
            form.flag('secret')
        # A knowledge item that lacks them is still one: the checks ask for them.
        for key in ('explanation', 'source'):
            if form.data(key) is None and not form.touches(key):
                empty = dict(arranging.empty(form.reading)) if key == 'explanation' else ''
                form.put(empty, key)
    elif role == 'attention':
        answers_form.collect_marks(form, 'attention')


def role_of(question: Mapping[str, Any]) -> str:
    """What a question is there for."""
    if any(key in question for key in ('right', 'explanation', 'source')):
        return 'knowledge'
    return 'attention' if 'attention' in question else 'ordinary'


def context(fields: Fields) -> dict[str, object]:
    """What the form shows besides the fields."""
    question = fields.data()
    assert isinstance(question, dict)
    data = dict(fields.reading.data)
    options = references.options(data, question)
    right = question.get('right')
    marked = right if isinstance(right, list) else [right]
    kind = str(question.get('type', ''))
    relevant = conditions_form.builder(fields, 'relevant', before=fields.part.path)
    return {
        'type': kind,
        'kinds': [each for each in arranging.KINDS if each not in ROLES],
        'role': (fields.given or {}).get('role', [role_of(question)])[0],
        'with_answers': kind in arranging.CHOICES,
        'with_roles': kind in ('single', 'multiple', 'scale'),
        'own_answers': isinstance(question.get('options'), list),
        'shared_answers': [
            (str(each.get('value', '')), answer_label(fields.reading, each)) for each in options
        ],
        'right': [i for i, each in enumerate(options) if each.get('value') in marked],
        'attention': [
            i for i, each in enumerate(options) if each.get('value') == question.get('attention')
        ],
        'limit': conditions_form.limit(fields),
        'relevant': relevant,
        'choices': conditions_form.for_script(relevant.choices),
        'lists': [str(part.path[1]) for part in fields.reading.lists],
        'uses': arranging.uses(fields.reading, fields.part),
    }
