"""Languages, large print, and how dates and faults are shown to the reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request
from flask_babel import Babel, gettext

from cixi_survey import clock
from cixi_survey.errors import Problem, Refusal, Term

LANGUAGES = {'zh': '中文', 'en': 'English'}
LOCALES = {'zh': 'zh_Hans_CN', 'en': 'en'}
ELDER_STEPS = ('0', '1', '2', '3')
REMEMBERED_SECONDS = 365 * 24 * 3600


def language() -> str:
    """The reader's language: asked for now, remembered, the browser's, or the default."""
    if not has_request_context():
        return str(current_app.config['LANGUAGE'])
    if 'language' not in g:
        g.language = _choose_language()
    return str(g.language)


def _choose_language() -> str:
    for asked in (request.args.get('lang'), request.cookies.get('lang')):
        if asked in LANGUAGES:
            return asked
    return request.accept_languages.best_match(list(LANGUAGES)) or current_app.config['LANGUAGE']


def elder() -> int:
    """Large print: 0 is off, 1 to 3 its sizes (``?elder=1``, remembered)."""
    for asked in (request.args.get('elder'), request.cookies.get('elder')):
        if asked in ELDER_STEPS:
            return int(asked)
    return 0


def localised(texts: Mapping[str, str], reader: str | None = None) -> str:
    """The text in the reader's language, or in the first one there is."""
    return texts.get(reader or language()) or next(iter(texts.values()))


def problem_text(problem: Problem) -> str:
    """What is wrong and how to mend it, in the reader's language."""
    parts = [part for part in (problem.message, problem.cure) if part]
    return _join(gettext(part) % _shown(problem.values) for part in parts)


def problem_place(problem: Problem) -> str:
    """Where in a file it is, in the reader's language; empty when it is about the whole."""
    if problem.sheet and problem.line:
        text = gettext('Sheet “%(sheet)s”, row %(row)s, column %(column)s')
    elif problem.sheet:
        text = gettext('Sheet “%(sheet)s”')
    else:
        text = gettext('Line %(line)s') if problem.line else ''
    place = {'sheet': problem.sheet, 'row': problem.line, 'column': problem.letters}
    return str(text % {**place, 'line': problem.line})


def refusal_texts(refusal: Refusal) -> dict[str, str]:
    """Title, message and cure of a refusal in the reader's language."""
    values = _shown(refusal.values)
    parts = {'title': refusal.title, 'message': refusal.message, 'cure': refusal.cure}
    return {name: gettext(text) % values if text else '' for name, text in parts.items()}


def _shown(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _shown_value(value) for name, value in values.items()}


def _shown_value(value: object) -> object:
    """A value as the reader reads it: Cixi's clock, the reader's language, lists with commas."""
    if isinstance(value, datetime):
        return clock.show(value)
    if isinstance(value, Mapping):
        return localised(value)
    if isinstance(value, Term):
        return gettext(value)
    if isinstance(value, list | tuple):
        return ('、' if language() == 'zh' else ', ').join(str(_shown_value(one)) for one in value)
    return value


def _join(parts: Any) -> str:
    return ('' if language() == 'zh' else ' ').join(parts)


def _remember(response: Response) -> Response:
    for name, known in (('lang', tuple(LANGUAGES)), ('elder', ELDER_STEPS)):
        asked = request.args.get(name)
        if asked in known:
            response.set_cookie(
                name,
                asked,
                max_age=REMEMBERED_SECONDS,
                secure=request.is_secure,
                httponly=True,
                samesite='Lax',
            )
    return response


def init_app(app: Flask) -> None:
    app.config['BABEL_TRANSLATION_DIRECTORIES'] = str(app.config['ROOT'] / 'translations')
    Babel(app, locale_selector=lambda: LOCALES[language()])
    app.after_request(_remember)
    app.jinja_env.filters |= {
        'localised': localised,
        'problem_text': problem_text,
        'problem_place': problem_place,
        'moment': clock.show,
        'date': clock.show_date,
    }
