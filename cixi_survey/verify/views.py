"""Is it genuine?  The pages by which a resident checks a survey, a letter or a poster."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue

from cixi_survey import clock, database
from cixi_survey.access import public
from cixi_survey.verify import lookup

bp = Blueprint('verify', __name__)


@bp.get('/verify')
@public
def ask() -> ResponseReturnValue:
    """How to check, the surveys that run now, and what there is to say to a check code."""
    given = request.args.get('code', '').strip()
    secret_key, now = _secret(), clock.now()
    with database.reading() as session:
        running = lookup.running(session, secret_key=secret_key, now=now)
        reply = None
        if given:
            reply = lookup.look_up(session, given, secret_key=secret_key, now=now)
    page = render_template('verify/ask.html', running=running, reply=reply, given=given[:40])
    return page, 422 if reply and reply.answer == 'mistyped' else 200


@bp.get('/verify/<slug>')
@public
def show_survey(slug: str) -> ResponseReturnValue:
    """One survey: everything on its letters and posters that can be compared."""
    with database.reading() as session:
        survey = lookup.find(session, slug, secret_key=_secret(), now=clock.now())
    return render_template('verify/survey.html', survey=survey)


def _secret() -> str:
    return str(current_app.config['SECRET_KEY'])
