"""``or_other`` written out as other tools do it: one answer more, and a text that follows it."""

from __future__ import annotations

from collections.abc import Sequence

from cixi_survey.questionnaire.source import Data, Place
from cixi_survey.questionnaire.xlsform.table import Part

VALUE = 'other'
_ANSWER = {'zh': '其他', 'en': 'Other'}
_QUESTION = {'zh': '您选了“其他”，请写明：', 'en': 'You chose “Other”. Please say what:'}


def offer(question: Part, options: Sequence[Part], languages: Sequence[str]) -> None:
    """Give a question its own copy of a list, with the answer “other” if it has none."""
    question.data['options'] = []
    question.places.pop(('options',), None)
    for option in options:
        question.take('options', Part(dict(option.data), dict(option.places)))
    if all(option.data.get('value') != VALUE for option in options):
        place = question.places[('type',)]
        added = Part(places={(): place})
        added.put(('value',), VALUE, place)
        added.data['label'] = _said(_ANSWER, languages)
        question.take('options', added)


def follow(question: Part, name: str, languages: Sequence[str]) -> Part:
    """The text that is asked of those who chose “other”."""
    place: Place = question.places[('type',)]
    asked = str(question.data['name'])
    several = question.data['type'] == 'multiple'
    text = Part(places={(): place})
    text.put(('name',), name, place)
    text.put(('type',), 'text', place)
    chosen = f"selected(${{{asked}}}, '{VALUE}')" if several else f"${{{asked}}} = '{VALUE}'"
    text.put(('relevant',), chosen, place)
    text.data['label'] = _said(_QUESTION, languages)
    return text


def _said(texts: dict[str, str], languages: Sequence[str]) -> Data:
    return {code: texts.get(code, texts['en']) for code in languages}
