"""Refusals, wrong addresses and bugs, as a page or as JSON, in the reader's language."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge

from cixi_survey import access, database, i18n
from cixi_survey.errors import N_, Refusal

log = logging.getLogger(__name__)


class StalePage(Refusal):
    """A form was sent with a CSRF token that is not of this browser session."""

    status = 400
    code = 'stale_page'
    title = N_('This page was open too long')
    message = N_('For your safety the form was not processed.')
    cure = N_('Go back, reload the page and send it again. Cookies must be allowed.')


class NoCookies(StalePage):
    """A form was sent by a browser that keeps no cookie; its page has not lost what was typed."""

    title = N_('Not sent yet')
    message = N_(
        'Your browser refuses cookies, and without one a form cannot be sent safely. Please allow '
        'cookies for this site and send it once more; everything you filled in is still here.'
    )
    cure = ''


class TooLarge(Refusal):
    """The request body is larger than the site takes."""

    status = 413
    code = 'too_large'
    title = N_('This is too large')
    message = N_('What you sent is larger than this site accepts.')
    cure = N_('Send a smaller file or a shorter text.')


class Interrupted(Refusal):
    """The database is out of reach.  Where it lives and why it fails is for the log only."""

    status = database.DatabaseUnreachable.status
    code = database.DatabaseUnreachable.code
    title = database.DatabaseUnreachable.title
    cure = database.DatabaseUnreachable.cure


class WrongWay(Refusal):
    """Another HTTP fault: method not allowed, bad request …"""

    code = 'wrong_way'
    title = N_('This cannot be done here')
    message = N_('The site does not understand this request (%(status)s %(name)s).')
    cure = N_('Go to the first page and start from there.')


def wants_json() -> bool:
    """Whether the caller is a program: a JSON body, or JSON preferred to HTML."""
    return request.is_json or (
        request.accept_mimetypes.best_match(['text/html', 'application/json']) == 'application/json'
    )


def show_refusal(refusal: Refusal, status: int | None = None) -> ResponseReturnValue:
    """The page (or JSON object) of a refusal."""
    texts = i18n.refusal_texts(refusal)
    status = status or refusal.status
    if wants_json():
        problems = [
            {'where': problem.where, 'code': problem.code, 'message': i18n.problem_text(problem)}
            for problem in refusal.problems
        ]
        return jsonify({'error': refusal.code, **texts, 'problems': problems}), status
    page = render_template(
        'errors/refusal.html', refusal=refusal, problems=refusal.problems, **texts
    )
    return page, status


def _refused(refusal: Refusal) -> ResponseReturnValue:
    if isinstance(refusal, database.DatabaseUnreachable):
        g.without_database = True
        log.error('database unreachable: %s', refusal.text())
        return show_refusal(Interrupted())
    return show_refusal(refusal)


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, NotFound):
        return show_refusal(access.NotFound())
    if isinstance(error, CSRFError):
        return show_refusal(StalePage())
    if isinstance(error, RequestEntityTooLarge):
        return show_refusal(TooLarge())
    if error.code is None or error.code < 400:
        return error
    return show_refusal(WrongWay(status=error.code, name=error.name), error.code)


def _bug(error: Exception) -> ResponseReturnValue:
    number = secrets.token_hex(4)
    # The rule and not the path: an invitation's path is its code.
    log.error('bug %s at %s %s', number, request.method, request.url_rule, exc_info=error)
    g.without_database = True
    if wants_json():
        return jsonify({'error': 'bug', 'number': number, 'title': _('Something went wrong')}), 500
    return render_template('errors/bug.html', number=number), 500


def _refuse_nul() -> None:
    """No address of ours holds a NUL, and PostgreSQL cannot even be asked for one."""
    asked = (request.path, *(text for _name, texts in request.args.lists() for text in texts))
    if any('\0' in text for text in asked):
        raise access.NotFound


def init_app(app: Flask) -> None:
    app.before_request(_refuse_nul)
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)
