"""Faults of form in words that an author of questionnaires understands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from cixi_survey.errors import N_, Problem
from cixi_survey.questionnaire import model
from cixi_survey.questionnaire.source import Data, Path, Source

# The steps that pydantic adds to a path for its own use: which of two forms, and "the key itself".
_FORMS = ('one', 'many')
_KEY = '[key]'

_EXPECTED = {
    'string_type': N_('A text is expected here.'),
    'dict_type': N_('A text in each language is expected here.'),
    'model_type': N_('Several keys are expected here, each with its value.'),
    'tuple_type': N_('A list is expected here.'),
    'bool_type': N_('true or false is expected here.'),
    'bool_parsing': N_('true or false is expected here.'),
    'int_type': N_('A whole number is expected here.'),
    'int_parsing': N_('A whole number is expected here.'),
    'int_from_float': N_('A whole number is expected here.'),
    'float_type': N_('A number is expected here.'),
    'float_parsing': N_('A number is expected here.'),
    'finite_number': N_('A number is expected here.'),
    'string_too_short': N_('This may not be empty.'),
    'too_short': N_('This list may not be empty.'),
    'string_too_long': N_('This text is too long.'),
}
_CURES = {
    'string_type': N_('Put a number, a date, true or false in quotation marks.'),
    'dict_type': N_('Write for example {zh: 满意, en: Satisfied}'),
    'tuple_type': N_('Begin each entry with “- ”, or write [a, b, c]'),
}
_NAMES = {
    'name': N_('Begin with a small letter; then small letters, digits and _, 32 at most.'),
    'value': N_('Use letters, digits, _ . and -, 64 at most, no blanks.'),
    'slug': N_('Begin with a small letter; then small letters, digits and -, 64 at most.'),
    'language': N_('Use a language code such as zh or en.'),
}


def problems(error: ValidationError, source: Source) -> list[tuple[Path, Problem]]:
    """Each fault found by the models, with its path in the file."""
    found = []
    for fault in error.errors(include_url=False):
        path = _path(fault['loc'], source)
        found.append((path, _problem(fault, path, source)))
    return found


def _path(location: tuple[int | str, ...], source: Source) -> Path:
    path: Path = ()
    data = source.data
    for step in location:
        inside = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if isinstance(data, dict) and step in data:
            data, path = data[str(step)], (*path, step)
        elif inside and isinstance(data, list) and isinstance(step, int):
            data, path = data[step], (*path, step)
        elif step not in (*_FORMS, _KEY):
            path = (*path, step)
    return path


def dotted(path: Path) -> str:
    """A path as it is written in a message: sections.0.questions.2.label"""
    return '.'.join(map(str, path))


def _problem(fault: Mapping[str, Any], path: Path, source: Source) -> Problem:
    kind = fault['type']
    about_key = kind == 'extra_forbidden' or fault['loc'][-1:] == (_KEY,)
    place = source.place(path[:-1] if kind == 'missing' else path, key=about_key)
    code, message, cure, values = _words(fault, path)
    return Problem(dotted(path), code, message, cure, values, place.line, place.column, place.sheet)


def _words(fault: Mapping[str, Any], path: Path) -> tuple[str, str, str, dict[str, object]]:
    kind = fault['type']
    last = path[-1] if path else ''
    context = fault.get('ctx', {})
    if kind == 'missing':
        return 'missing', N_('“%(key)s” is missing here.'), N_('Add “%(key)s: …”.'), {'key': last}
    if kind == 'extra_forbidden':
        return _unknown_key(str(last), path)
    if kind == 'literal_error':
        return (
            'not_possible',
            N_('“%(value)s” is not possible here.'),
            N_('Possible are: %(known)s'),
            {
                'value': str(fault['input']),
                'known': _choices(str(fault['input']), context['expected']),
            },
        )
    if kind == 'string_pattern_mismatch':
        return (
            'bad_name',
            N_('“%(value)s” cannot be used as a name here.'),
            _NAMES[_which_name(context['pattern'])],
            {'value': fault['input']},
        )
    if kind in ('greater_than_equal', 'less_than_equal'):
        at_least = kind == 'greater_than_equal'
        message = (
            N_('The number must be %(limit)s or more.')
            if at_least
            else N_('The number must be %(limit)s or less.')
        )
        return 'out_of_range', message, '', {'limit': context['ge' if at_least else 'le']}
    if kind in _EXPECTED:
        return 'wrong_kind', _EXPECTED[kind], _CURES.get(kind, ''), {}
    return 'wrong_kind', N_('This cannot stand here: %(reason)s.'), '', {'reason': fault['msg']}


def _which_name(pattern: str) -> str:
    if '{2,3}' in pattern:
        return 'language'
    if 'A-Z' in pattern:
        return 'value'
    return 'slug' if '{0,63}' in pattern else 'name'


def _choices(given: str, expected: str) -> str:
    known = [word.strip(" '") for word in expected.replace(' or ', ', ').split(',')]
    return ', '.join(difflib.get_close_matches(given, known, 1) or known)


def _unknown_key(key: str, path: Path) -> tuple[str, str, str, dict[str, object]]:
    message = N_('The key “%(key)s” is not known here.')
    known = _known_keys(path[:-1])
    near = difflib.get_close_matches(key, known, 1, 0.8)
    if near:
        return 'unknown_key', message, N_('Did you mean “%(near)s”?'), {'key': key, 'near': near[0]}
    return 'unknown_key', message, N_('Possible are: %(known)s'), {
        'key': key,
        'known': ', '.join(known),
    }  # fmt: skip


def _known_keys(path: Path) -> list[str]:
    part: Any = model.Questionnaire
    for step in path:
        if isinstance(step, int) or not (isinstance(part, type) and issubclass(part, BaseModel)):
            continue
        field = part.model_fields.get(step)
        part = _part_within(field.annotation) if field else None
    return list(part.model_fields) if part is not None else []


def _part_within(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        part = _part_within(inner)
        if part is not None:
            return part
    return None


def repaired(data: Data, faults: list[tuple[Path, Problem]]) -> Data:
    """The data without what is faulty, so that the rest can be checked for sense as well."""
    if isinstance(data, dict):
        result: Data = {key: repaired(value, _below(faults, key)) for key, value in data.items()}
    elif isinstance(data, list):
        result = [repaired(value, _below(faults, index)) for index, value in enumerate(data)]
    else:
        result = data
    if isinstance(result, dict):
        for path, problem in faults:
            if len(path) == 1:
                result.pop(str(path[0]), None)
                stand_in = _STAND_INS.get(str(path[0]))
                if stand_in is not None and problem.code != 'unknown_key':
                    result[str(path[0])] = stand_in
    return result


def _below(faults: list[tuple[Path, Problem]], step: str | int) -> list[tuple[Path, Problem]]:
    return [(path[1:], problem) for path, problem in faults if path[:1] == (step,)]


# What takes the place of a required value that is missing or wrong while the rest is checked.
_STAND_INS: dict[str, Data] = {
    'format': 1,
    'name': 'unnamed',
    'languages': ['zh'],
    'minutes': 1,
    **{key: {} for key in ('title', 'introduction', 'label', 'definition', 'message', 'text')},
    'notice': {'version': '1', 'text': {}},
    'version': '1',
    'type': 'text',
    'value': '0',
    'when': 'false()',
    'outcome': 'ineligible',
}
