"""What the checks say, in the words of a form: without keys, braces and dashes.

The checks speak to somebody who has the file before them; at a form the same fault often needs a
shorter sentence and another cure.  What is not in the table is said as the checks say it.
"""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale
from flask_babel import gettext as _

from cixi_survey.errors import N_, Problem
from cixi_survey.i18n import problem_text

_TO_FILL_IN = N_('This is still to be filled in.')
WORDS: dict[str, tuple[str, str]] = {
    'missing_translation': (N_('The text in %(language_name)s is missing.'), ''),
    'missing': (_TO_FILL_IN, ''),
    'key_without_source': (N_('Say where the right answer is found.'), ''),
    'key_without_explanation': (
        N_('Say why it is right; residents read it after they have sent their answers.'),
        '',
    ),
    'no_options': (N_('There are no answers to choose from.'), N_('Add some.')),
    'no_rows': (N_('There are no rows.'), N_('Add some.')),
    'right_form': (N_('No right answer is marked.'), N_('Mark it in the list of answers.')),
    'message_alone': (
        N_('There is a message, but no limit.'),
        N_('Choose a limit, or empty the message.'),
    ),
    'unknown_list': (N_('There is no option list “%(name)s”.'), N_('Choose another list.')),
    'unknown_language': (
        N_('There is a text in %(language_name)s, which is not a language here.'),
        N_('Add the language under “General”, or remove the text in the file.'),
    ),
    'rule_incomplete': (N_('Something that the way of counting needs is missing.'), ''),
    'household_without_size': (
        N_('A household figure needs the question on how many people could have been chosen.'),
        '',
    ),
    'item_without_key': (
        N_('“%(name)s” has no right answer.'),
        N_('Mark it in the question, or leave the question out here.'),
    ),
    'knowledge_without_key': (
        N_('None of the questions has a right answer.'),
        N_('Mark it in the questions, or choose another kind.'),
    ),
    'score_missing': (N_('The answer “%(value)s” has no score.'), ''),
}


def text(problem: Problem) -> str:
    """What is wrong, and how to mend it in the form, in the reader's language."""
    known = WORDS.get(problem.code)
    if known is None:
        return problem_text(problem)
    language = problem.values.get('language')
    values = {**problem.values, 'language_name': language_name(str(language or ''))}
    message, cure = known
    return problem_text(Problem(problem.where, problem.code, message, cure, values))


def language_name(code: str) -> str:
    """The name of a language in the reader's; its code when nobody knows it."""
    try:
        found = Locale.parse(code, sep='-').get_language_name(get_locale())
    except (UnknownLocaleError, ValueError):
        return code
    return found or code


TYPES = {
    'single': N_('one answer'),
    'multiple': N_('several answers'),
    'scale': N_('scale'),
    'grid': N_('grid'),
    'integer': N_('whole number'),
    'text': N_('text'),
    'town': N_('town'),
    'village': N_('village or community'),
}


def type_name(kind: object) -> str:
    """What a type of question is called; the word itself when it is none."""
    return _(TYPES[kind]) if isinstance(kind, str) and kind in TYPES else str(kind or '')
