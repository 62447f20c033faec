"""Faults of meaning in a questionnaire: what is well formed and yet cannot work.

Every check adds to one list and none stops at the first fault.  A fault knows the path of the
value that it is about, from which the loader finds line and column.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cixi_survey.errors import N_, Problem
from cixi_survey.questionnaire.faults import Faults, asked_questions
from cixi_survey.questionnaire.model import Option, Part, Question, Questionnaire
from cixi_survey.questionnaire.source import Path
from cixi_survey.questionnaire.verify_conditions import verify_conditions
from cixi_survey.questionnaire.verify_indicators import verify_indicators


def verify(questionnaire: Questionnaire) -> list[Problem]:
    """All faults of meaning, without their lines."""
    return [problem for _, _, problem in located(questionnaire)]


def located(questionnaire: Questionnaire) -> list[tuple[Path, int, Problem]]:
    """All faults of meaning, each with its path and the offset within the text there."""
    faults = Faults()
    _texts(questionnaire, (), questionnaire.languages, faults)
    _names(questionnaire, faults)
    for path, question in asked_questions(questionnaire):
        _question(questionnaire, question, path, faults)
    _villages(questionnaire, faults)
    verify_conditions(questionnaire, faults)
    verify_indicators(questionnaire, faults)
    return faults.found


# --- texts and names ------------------------------------------------------------------------------


TRANSLATED = frozenset(
    {
        *('title', 'introduction', 'label', 'hint', 'text', 'message', 'constraint_message'),
        *('explanation', 'definition', 'note'),
    }
)


def _texts(value: object, path: Path, languages: Sequence[str], faults: Faults) -> None:
    if isinstance(value, dict) and path[-1] in TRANSLATED:
        _translated(value, path, languages, faults)
        return
    inner: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Part):
        inner = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, tuple):
        inner = enumerate(value)
    elif isinstance(value, dict):
        inner = value.items()
    for step, each in inner:
        _texts(each, (*path, step), languages, faults)


def _translated(
    texts: dict[str, str], path: Path, languages: Sequence[str], faults: Faults
) -> None:
    for language in languages:
        if not texts.get(language, '').strip():
            faults.add(
                (*path, language),
                'missing_translation',
                N_('The text in language “%(language)s” is missing.'),
                N_('Add “%(language)s: …”.'),
                language=language,
            )
    for language in texts:
        if language not in languages:
            faults.add(
                (*path, language),
                'unknown_language',
                N_('“%(language)s” is not one of the languages of this questionnaire.'),
                N_('Add it to “languages”, or remove this text.'),
                language=language,
            )


# Fields of the page that are no answers, and names that a form in a browser keeps for itself.
RESERVED = frozenset(
    {
        *('csrf_token', 'submission_id', 'lang', 'elder', 'code', 'c', 'version', 'draft'),
        *('stream', 'section', 'action', 'submit', 'reset', 'elements', 'length', 'method'),
        *('name', 'id', 'target'),
    }
)


def _names(questionnaire: Questionnaire, faults: Faults) -> None:
    sections = questionnaire.sections
    _unique(
        ((('languages', i), each) for i, each in enumerate(questionnaire.languages)),
        faults,
    )
    _unique(((('sections', i, 'name'), each.name) for i, each in enumerate(sections)), faults)
    _unique(
        ((('indicators', i, 'name'), each.name) for i, each in enumerate(questionnaire.indicators)),
        faults,
    )
    names = list(_variable_names(questionnaire))
    _unique(names, faults)
    for path, name in names:
        if name in RESERVED:
            faults.add(
                path,
                'reserved_name',
                N_('“%(name)s” is a name that the page uses itself.'),
                N_('Choose another name.'),
                name=name,
            )
    if not sections:
        faults.add(('sections',), 'empty_section', N_('There is no section.'), N_('Add one.'))
    for i, section in enumerate(sections):
        if not section.questions:
            faults.add(
                ('sections', i, 'questions'),
                'empty_section',
                N_('The section “%(name)s” has no questions.'),
                N_('Add a question or remove the section.'),
                name=section.name,
            )
    for name, options in questionnaire.options.items():
        _options(options, ('options', name), faults)


def _variable_names(questionnaire: Questionnaire) -> Iterator[tuple[Path, str]]:
    for path, question in asked_questions(questionnaire):
        yield (*path, 'name'), question.name
        for r, row in enumerate(question.rows):
            yield (*path, 'rows', r, 'name'), row.name


def _unique(named: Iterable[tuple[Path, str]], faults: Faults) -> None:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            faults.add(
                path,
                'duplicate_name',
                N_('“%(name)s” has been used before.'),
                N_('Give each its own name.'),
                name=name,
            )
        seen.add(name)


def _options(options: Sequence[Option], path: Path, faults: Faults) -> None:
    if not options:
        faults.add(
            path, 'no_options', N_('This list has no options.'), N_('Add “- {value: …, label: …}”.')
        )
    seen: set[str] = set()
    for index, option in enumerate(options):
        if option.value in seen:
            faults.add(
                (*path, index, 'value'),
                'duplicate_option',
                N_('The option “%(value)s” stands twice in this list.'),
                N_('Give each option its own value.'),
                value=option.value,
            )
        seen.add(option.value)


# --- one question ---------------------------------------------------------------------------------

_CHOICES = ('single', 'multiple', 'scale', 'grid')
_ONLY_FOR = {
    'options': _CHOICES,
    'rows': ('grid',),
    'max_length': ('text',),
    'right': ('single', 'multiple'),
    'attention': ('single', 'scale'),
    'constraint': ('single', 'multiple', 'scale', 'integer', 'text'),
    'constraint_message': ('single', 'multiple', 'scale', 'integer', 'text'),
}


def _question(questionnaire: Questionnaire, question: Question, path: Path, faults: Faults) -> None:
    for key, types in _ONLY_FOR.items():
        if getattr(question, key) and question.type not in types:
            faults.add(
                (*path, key),
                'not_for_type',
                N_('“%(key)s” has no meaning for a question of type “%(type)s”.'),
                N_('Remove it; it belongs to: %(types)s'),
                key=key,
                type=question.type,
                types=', '.join(types),
            )
    if question.secret and question.right is None:
        faults.add(
            (*path, 'secret'),
            'secret_without_key',
            N_('Only a knowledge item can be kept secret; “%(name)s” has no right answer.'),
            N_('Give it a right answer, or remove “secret”.'),
            name=question.name,
        )
    if question.type in _CHOICES:
        _choice(questionnaire, question, path, faults)
    if question.type == 'grid' and not question.rows:
        faults.add(
            path, 'no_rows', N_('A grid needs rows.'), N_('Add “rows: [{name: …, label: …}]”.')
        )
    if question.constraint_message and not question.constraint:
        faults.add(
            (*path, 'constraint_message'),
            'message_alone',
            N_('There is a message for a constraint, but no constraint.'),
            N_('Add “constraint: …” or remove the message.'),
        )
    _key(questionnaire, question, path, faults)


def _choice(questionnaire: Questionnaire, question: Question, path: Path, faults: Faults) -> None:
    if question.options is None:
        faults.add(
            path,
            'no_options',
            N_('A question of type “%(type)s” needs options.'),
            N_('Add “options:” with the name of a list, or with the options themselves.'),
            type=question.type,
        )
    elif not isinstance(question.options, str):
        _options(question.options, (*path, 'options'), faults)
    elif question.options not in questionnaire.options:
        known = list(questionnaire.options)
        near = difflib.get_close_matches(question.options, known, 1)
        faults.add(
            (*path, 'options'),
            'unknown_list',
            N_('There is no option list “%(name)s”.'),
            N_('Did you mean “%(near)s”?') if near else N_('Add it under “options”.'),
            name=question.options,
            near=near[0] if near else '',
        )


def _key(questionnaire: Questionnaire, question: Question, path: Path, faults: Faults) -> None:
    right = question.right
    keys = (right,) if isinstance(right, str) else right or ()
    options = {option.value: option for option in questionnaire.options_of(question)}
    for value in keys:
        _offered('right', value, question, options, path, faults)
        if value in options and options[value].apart:
            faults.add(
                (*path, 'right'),
                'right_is_apart',
                N_('The right answer “%(value)s” is kept apart from the scale.'),
                N_('Remove “apart”, or give another right answer.'),
                value=value,
            )
    if question.attention is not None:
        _offered('attention', question.attention, question, options, path, faults)
    if right is not None:
        _key_is_whole(question, path, faults)


def _offered(
    key: str,
    value: str,
    question: Question,
    options: Mapping[str, Option],
    path: Path,
    faults: Faults,
) -> None:
    if options and value not in options:
        faults.add(
            (*path, key),
            f'{key}_not_an_option',
            N_('“%(value)s” is not an option of “%(name)s”.'),
            N_('Possible are: %(known)s'),
            value=value,
            name=question.name,
            known=', '.join(difflib.get_close_matches(value, options, 1) or options),
        )


def _key_is_whole(question: Question, path: Path, faults: Faults) -> None:
    if (question.type == 'multiple') == isinstance(question.right, str) or not question.right:
        faults.add(
            (*path, 'right'),
            'right_form',
            N_('The right answer has the wrong form for type “%(type)s”.'),
            N_('Write one value for “single”, a list [a, b] for “multiple”.'),
            type=question.type,
        )
    if question.attention is not None:
        faults.add(
            (*path, 'attention'),
            'attention_and_key',
            N_('A question is either a knowledge item or an attention check.'),
            N_('Remove “right” or “attention”.'),
        )
    for wanted in ('source', 'explanation'):
        if not getattr(question, wanted):
            faults.add(
                path,
                f'key_without_{wanted}',
                N_('The knowledge item “%(name)s” has no “%(wanted)s”.'),
                N_('Say where the right answer is found (source) and why it is right.'),
                name=question.name,
                wanted=wanted,
            )


def _villages(questionnaire: Questionnaire, faults: Faults) -> None:
    town = False
    for path, question in asked_questions(questionnaire):
        town = town or question.type == 'town'
        if question.type == 'village' and not town:
            faults.add(
                path,
                'village_without_town',
                N_('“%(name)s” asks for a village, but no question before it asks for the town.'),
                N_('Put a question of type “town” before it.'),
                name=question.name,
            )
