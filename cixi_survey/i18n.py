"""The reader's language and large print, and how texts, dates, numbers and faults are shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, ParamSpec, TypeVar

from babel import dates
from flask import Flask, Response, current_app, g, has_request_context, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, gettext
from flask_babel import refresh as forget_catalogue
from markupsafe import Markup

from cixi_survey import clock, languages
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal, Term
from cixi_survey.languages import NO_LANGUAGE, Language

P = ParamSpec('P')
T = TypeVar('T')

ELDER_STEPS = ('0', '1', '2', '3')
REMEMBERED_SECONDS = 365 * 24 * 3600


def known() -> Mapping[str, Language]:
    """The languages of the site by their codes."""
    found: Mapping[str, Language] = current_app.extensions['cixi_languages']
    return found


def reader() -> Language:
    """The reader's language: asked for now, remembered, the browser's, or the default."""
    if not has_request_context():
        return known()[current_app.config['LANGUAGE']]
    if 'language' not in g:
        g.language = known()[_choose_language()]
    chosen: Language = g.language
    return chosen


def language() -> str:
    """The code of the reader's language."""
    return reader().code


def _choose_language() -> str:
    for asked in _asked_and_remembered('lang'):
        if asked in known():
            return asked
    accepted = request.accept_languages.best_match(list(known()))
    return accepted or str(current_app.config['LANGUAGE'])


def elder() -> int:
    """Large print: 0 is off, 1 to 3 its sizes (``?elder=1``, remembered)."""
    for asked in (g.get('switched', {}).get('elder', ''), *_asked_and_remembered('elder')):
        if asked in ELDER_STEPS:
            return int(asked)
    return 0


def _asked_and_remembered(name: str) -> Iterable[str]:
    """By the address and by the cookie; the address of a form may be older than the cookie."""
    asked, remembered = request.args.get(name, ''), request.cookies.get(name, '')
    older = request.method == 'POST' and not _looks_only()
    return (remembered, asked) if older else (asked, remembered)


# --- texts ----------------------------------------------------------------------------------------


def localised(texts: Mapping[str, str], wanted: str | None = None) -> str:
    """The text in the reader's language, or else in the nearest one there is; empty if none is."""
    return _chosen(texts, wanted)[1]


def marked(texts: Mapping[str, str]) -> str | Markup:
    """The same for HTML: in another language than the reader's it says so, to be read out right."""
    attribute = lang_attribute(texts)
    text = localised(texts)
    return Markup('<span{}>{}</span>').format(attribute, text) if attribute else text


def lang_attribute(texts: Mapping[str, str]) -> str | Markup:
    """`` lang="…"`` for the element that holds a localised text, if it is not the reader's.

    For a name or code, which is the same in all languages, it says that.
    """
    code, text = _chosen(texts)
    if code == NO_LANGUAGE:
        return Markup(' translate="no"') if any(map(str.isalpha, text)) else ''
    return Markup(' lang="{}"').format(tag(code)) if code != language() else ''


def foreign(texts: Mapping[str, str]) -> str:
    """The tag of the language in which a localised text is shown; empty for the reader's."""
    code = _chosen(texts)[0]
    if code in {language(), NO_LANGUAGE}:
        return ''
    return tag(code)


def tag(code: str) -> str:
    """What ``lang=`` says for a language; for one that the site does not speak, its code."""
    spoken = known().get(code)
    return spoken.html if spoken else code


def _chosen(texts: Mapping[str, str], wanted: str | None = None) -> tuple[str, str]:
    chosen = known().get(wanted or '', reader())
    for code in (wanted or chosen.code, *chosen.fallback):
        if texts.get(code):
            return code, texts[code]
    return next(iter(texts.items()), (NO_LANGUAGE, ''))


def listed(things: Iterable[object]) -> str | Markup:
    """Things in a row, with the comma of the reader's language."""
    texts = [thing if isinstance(thing, Markup) else str(thing) for thing in things]
    comma = reader().list_comma
    marked_up = any(isinstance(text, Markup) for text in texts)
    return Markup('{}').format(comma).join(texts) if marked_up else comma.join(texts)


def sentences(parts: Iterable[str]) -> str:
    """Sentences after one another."""
    return reader().sentence_joiner.join(parts)


def problem_text(problem: Problem) -> str:
    """What is wrong and how to mend it, in the reader's language."""
    parts = [part for part in (problem.message, problem.cure) if part]
    return sentences(gettext(part) % _shown(problem.values) for part in parts)


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
        return moment(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, Mapping):
        return localised(value)
    if isinstance(value, Term):
        return gettext(value)
    if isinstance(value, list | tuple):
        return listed(_shown_value(one) for one in value)
    return value


# --- times and numbers ----------------------------------------------------------------------------


def moment(when: datetime) -> str:
    """Day and minute by the clock in Cixi, as the reader's language writes them."""
    spoken = reader()
    return dates.format_datetime(clock.local(when), spoken.moment, locale=spoken.locale)


def day(when: date) -> str:
    """A date, or the day in Cixi on which a moment falls."""
    spoken = reader()
    local = clock.local(when) if isinstance(when, datetime) else when
    return dates.format_date(local, spoken.date, locale=spoken.locale)


def number(value: float, digits: int = 0) -> str:
    """``1,804`` or ``82.4``, with the reader's signs."""
    return reader().number(value, digits)


def percent(share: float, digits: int = 1) -> str:
    """``84.3%`` of a share between 0 and 1, with the reader's signs."""
    return reader().percent(share, digits)


def exact_percent(share: float) -> str:
    """``80%`` of a share that was chosen, such as a target or a level of confidence."""
    return reader().exact_percent(share)


# --- the site -------------------------------------------------------------------------------------


def switch(wish: str) -> None:
    """Answer this request in another language or size (``lang:en``, ``elder:1``), and remember it.

    A wish for something that there is not changes nothing.
    """
    what, _colon, value = wish.partition(':')
    if value in _possible().get(what, ()):
        g.setdefault('switched', {})[what] = value
    if what == 'lang' and value in known():
        g.language = known()[value]
        forget_catalogue()


def _possible() -> dict[str, Collection[str]]:
    return {'lang': known().keys(), 'elder': ELDER_STEPS}


def shows_again(view: Callable[P, T]) -> Callable[P, T]:
    """State of a view that its page has a form whose contents survive a switch of language.

    Its template names the form (``typed_form``); the switch then sends it, and the view has to
    show it again as it was typed, doing nothing, when ``switching()``.  Our ``Form`` sees to that.
    """
    view.shows_again = True  # type: ignore[attr-defined]
    return view


def looks_only(view: Callable[P, T]) -> Callable[P, T]:
    """State of a view that its language and size go by its address alone and are not remembered.

    For looking at something in another language without changing one's own.
    """
    view.looks_only = True  # type: ignore[attr-defined]
    return view


def _looks_only() -> bool:
    view = current_app.view_functions.get(request.endpoint or '')
    return bool(getattr(view, 'looks_only', False))


def switching() -> bool:
    """Whether the form of this request was sent only to see it in another language or size."""
    return bool(g.get('switching'))


def _switch_and_show_again() -> ResponseReturnValue | None:
    wish = request.form.get('_switch', '') if request.method == 'POST' else ''
    if not wish:
        return None
    switch(wish)
    view = current_app.view_functions.get(request.endpoint or '')
    if not getattr(view, 'shows_again', False):
        return redirect(request.path, 303)  # it would act; better to lose what was typed
    g.switching = True
    return None


def _remember(response: Response) -> Response:
    switched = g.get('switched', {})
    for name, possible in ({} if _looks_only() else _possible()).items():
        asked = switched.get(name) or next(iter(_asked_and_remembered(name)))
        if asked in possible:
            response.set_cookie(
                name,
                asked,
                max_age=REMEMBERED_SECONDS,
                secure=request.is_secure,
                httponly=True,
                samesite='Lax',
            )
    return response


def _bad_default(code: str, possible: Iterable[str]) -> Problem:
    return Problem(
        'CIXI_LANGUAGE',
        'bad_setting',
        N_('The setting %(name)s cannot be “%(value)s”.'),
        N_('Possible are: %(known)s'),
        {'name': 'CIXI_LANGUAGE', 'value': code, 'known': ', '.join(possible)},
    )


def init_app(app: Flask) -> None:
    """Read the languages.  Raises ProblemsFound when one, or the default, cannot be used."""
    folder = app.config['SETTINGS'].translations
    found = languages.load(folder)
    if app.config['LANGUAGE'] not in found:
        raise ProblemsFound([_bad_default(app.config['LANGUAGE'], found)])
    app.extensions['cixi_languages'] = found
    app.config['BABEL_TRANSLATION_DIRECTORIES'] = str(folder)
    Babel(app, locale_selector=lambda: str(reader().locale))
    app.before_request(_switch_and_show_again)
    app.after_request(_remember)
    filters: dict[str, Any] = {
        'localised': localised,
        'marked': marked,
        'lang_attribute': lang_attribute,
        'listed': listed,
        'sentences': sentences,
        'problem_text': problem_text,
        'problem_place': problem_place,
        'moment': moment,
        'date': day,
        'number': number,
        'percent': percent,
        'exact_percent': exact_percent,
    }
    app.jinja_env.filters |= filters
    app.jinja_env.globals['reader'] = reader
