"""The first page, and what machines ask for."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cixi_survey import clock, database, i18n, notices
from cixi_survey.access import public
from cixi_survey.models import Publication, Wave
from cixi_survey.questionnaire.definition import from_canonical

bp = Blueprint('home', __name__)


@bp.get('/')
@public
def home() -> ResponseReturnValue:
    with database.reading() as session:
        open_waves = [_card(wave) for wave in _open_waves(session) if wave.open_link]
        published = [
            {
                'slug': publication.wave.slug,
                'title': publication.wave.title,
                'published_text': i18n.day(publication.published_at),
            }
            for publication in session.scalars(
                sa.select(Publication).order_by(Publication.published_at.desc())
            )
        ]
    latest = {entry['slug']: entry for entry in reversed(published)}
    return render_template(
        'home/home.html', open_waves=open_waves, published=list(reversed(latest.values()))
    )


def _open_waves(session: Session) -> list[Wave]:
    now = clock.now()
    waves = session.scalars(sa.select(Wave).where(Wave.state == 'open').order_by(Wave.closes_at))
    return [wave for wave in waves if wave.is_open(now)]


def _card(wave: Wave) -> dict[str, Any]:
    return {
        'slug': wave.slug,
        'title': wave.title,
        'closes_at_text': i18n.moment(wave.closes_at),
        'minutes': from_canonical(wave.version.definition).minutes,
    }


@bp.get('/about')
@public
def about() -> ResponseReturnValue:
    return render_template('home/about.html', open_waves=_whom_to_ask())


@bp.get('/protection')
@public
def protection() -> ResponseReturnValue:
    """The way of an answer, who may see it, how long it is kept, what it is used for."""
    return render_template('home/protection.html', open_waves=_whom_to_ask())


def _whom_to_ask() -> list[dict[str, Any]]:
    with database.reading() as session:
        return [
            {'title': wave.title, 'contact': wave.contact}
            for wave in _open_waves(session)
            if wave.contact
        ]


@bp.get('/notice/<address>')
@public
def notice(address: str) -> ResponseReturnValue:
    """A privacy notice as it was when people agreed to it; it never changes and never goes."""
    with database.reading() as session:
        found = notices.find(session, address)
    return render_template('home/notice.html', privacy=found)


@bp.get('/styleguide')
@public
def styleguide() -> ResponseReturnValue:
    return render_template('home/styleguide.html')


@bp.get('/healthz')
@public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify({'status': 'ok'})


@bp.get('/readyz')
@public
def readyz() -> ResponseReturnValue:
    """The process and its database answer; 503 by DatabaseUnreachable otherwise."""
    database.get().check()
    return jsonify({'status': 'ok', 'database': 'ok'})
