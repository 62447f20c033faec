"""The forms of what is said at the start, of a section, of a named list, of the screening rules."""

from __future__ import annotations

from collections.abc import Mapping

from cixi_survey import i18n
from cixi_survey.authoring import answers_form, arranging, conditions_form, texts
from cixi_survey.authoring.fields import Collector, Fields, Typed
from cixi_survey.authoring.outline import words
from cixi_survey.authoring.reading import NAME, Part, Reading
from cixi_survey.questionnaire import editing, references
from cixi_survey.questionnaire.editing import Change
from cixi_survey.questionnaire.source import Data, Path

# --- general --------------------------------------------------------------------------------------


def collect_general(form: Collector) -> None:
    """Title, introduction, time, notice."""
    form.texts('title', needed=True)
    form.texts('introduction', needed=True)
    form.number('minutes')
    form.line('name', needed=True)
    form.line('notice', 'version', needed=True)
    form.texts('notice', 'text', needed=True)


def later_general(reading: Reading, part: Part, given: Typed) -> Mapping[Path, Change]:
    """The languages, when boxes were ticked or cleared; a language goes with its texts."""
    del part
    if 'languages.shown' not in given:
        return {}
    chosen = set(given.get('languages', ()))
    kept: list[Data] = [each for each in reading.languages if each in chosen]
    kept += [each for each in known_languages(reading) if each in chosen and each not in kept]
    if not kept or kept == list(reading.languages):
        return {}
    changes: dict[Path, Change] = {('languages',): kept}
    for language in set(reading.languages) - chosen:
        changes |= texts.without_language(reading, language)
    return changes


def known_languages(reading: Reading) -> list[str]:
    """The languages that can be chosen: those of the draft and those of the site."""
    return list(dict.fromkeys([*reading.languages, *i18n.known()]))


def context_general(fields: Fields) -> dict[str, object]:
    """The languages to choose from."""
    chosen = (fields.given or {}).get('languages', fields.languages)
    return {'known_languages': known_languages(fields.reading), 'chosen_languages': chosen}


# --- section --------------------------------------------------------------------------------------


def collect_section(form: Collector) -> None:
    """Title, introduction, name."""
    form.texts('title', needed=True)
    form.texts('introduction')
    form.line('name', needed=True)


def context_section(fields: Fields) -> dict[str, object]:
    """The questions of the section."""
    inner = [
        (part, words(fields.reading, question.get('label')), str(question.get('type', '')))
        for part, question in fields.reading.questions
        if part.path[:2] == fields.part.path
    ]
    return {'questions': inner, 'uses': arranging.uses(fields.reading, fields.part)}


# --- named list -----------------------------------------------------------------------------------


def collect_list(form: Collector) -> None:
    """The answers, and the questions that refer to those that were renamed."""
    values = answers_form.collect_options(form)
    if values:
        follows = references.follow(dict(form.reading.data), {}, {form.part.path: values})
        form.changes = {**follows, **form.changes}


def rename_list(reading: Reading, part: Part, new: str) -> str:
    """The text with another name for a list; the questions follow."""
    old, lists = str(part.path[1]), reading.value(('options',))
    if new == old or not NAME.fullmatch(new) or (isinstance(lists, dict) and new in lists):
        return reading.text
    text = editing.put(reading.text, references.renamed_list(dict(reading.data), old, new))
    return editing.rename_key(text, part.path, new)


def context_list(fields: Fields) -> dict[str, object]:
    """Who uses the list."""
    return {'uses': arranging.uses(fields.reading, fields.part)}


# --- screening ------------------------------------------------------------------------------------


def collect_screening(form: Collector) -> None:
    """Each rule: condition, outcome, what the resident reads."""
    for index, _rule in references.entries(dict(form.reading.data), 'screening'):
        if not form.has(index, 'outcome'):
            continue
        conditions_form.collect(form, index, 'when')
        form.line(index, 'outcome', needed=True)
        form.line(index, 'keep')
        form.texts(index, 'message', needed=True)


def context_screening(fields: Fields) -> dict[str, object]:
    """The rules with their conditions."""
    return {
        'choices': conditions_form.for_script(conditions_form.choices(fields.reading)),
        'rules': [
            (index, conditions_form.builder(fields, index, 'when'))
            for index, _rule in references.entries(dict(fields.reading.data), 'screening')
        ],
    }


def act_screening(reading: Reading, do: str) -> str | None:
    """What the buttons of the rules do: ``rule-add``, ``rule-up:1``, ``rule-remove:0`` …"""
    verb, _colon, place = do.partition(':')
    if verb == 'rule-add':
        return arranging.add_rule(reading)[0]
    found = reading.value(('screening',))
    length = len(found) if isinstance(found, list) else 0
    index = int(place) if place.isdecimal() else length
    path: Path = ('screening', index)
    if index >= length:
        return None
    match verb:
        case 'rule-remove' if length == 1:
            return editing.put(reading.text, {('screening',): editing.REMOVED})
        case 'rule-remove':
            return editing.remove(reading.text, path)
        case 'rule-up' if index:
            return editing.move(reading.text, path, ('screening', index - 1))
        case 'rule-down' if index + 1 < length:
            return editing.move(reading.text, path, ('screening', index + 2))
    return None
