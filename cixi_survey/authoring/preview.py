"""Where a part of a draft stands in the page that residents get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire.source import Data

COVER = 'part-cover'


@bp.app_template_global('place_in_preview')
def place(reading: Reading, part: Part) -> str:
    """The id of the element that shows a part, or of what comes nearest to it.

    A list is shown by the first question that offers it, an indicator by its first item.
    """
    if part.kind == 'section':
        return f'part-{reading.value((*part.path, "name"))}'
    if part.kind == 'question':
        found = reading.value(part.path)
        return _field(found) if isinstance(found, dict) else COVER
    if part.kind == 'list':
        users = (each for _part, each in reading.questions if each.get('options') == part.path[-1])
        return _first(users)
    if part.kind == 'indicator':
        items = reading.value((*part.path, 'items'))
        first = items[0] if isinstance(items, list) and items else None
        return f'f-{first}' if isinstance(first, str) else COVER
    return COVER


def _first(questions: Iterable[Mapping[str, Data]]) -> str:
    return next(map(_field, questions), COVER)


def _field(question: Mapping[str, Data]) -> str:
    """The field of a question: of a grid that of its first row."""
    rows = question.get('rows')
    if question.get('type') == 'grid' and isinstance(rows, list) and rows:
        question = rows[0] if isinstance(rows[0], dict) else question
    return f'f-{question.get("name")}'
