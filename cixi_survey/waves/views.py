"""Waves: list, create, edit, open, close, and the returns."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from cixi_survey import access, clock, codes, database, i18n, notices, pages, qr, versions
from cixi_survey.access import requires, wave_for
from cixi_survey.errors import N_, ProblemsFound, Term
from cixi_survey.models import Wave
from cixi_survey.questionnaire import definition
from cixi_survey.waves import (
    approval,
    approval_views,
    decided,
    lifecycle,
    monitor,
    planner_views,
    preparation,
    sample_views,
    upload_views,
    village_views,
)
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import CloseForm, OpenForm, WaveForm

__all__ = [
    'NAVIGATION',
    'approval_views',
    'bp',
    'planner_views',
    'sample_views',
    'upload_views',
    'village_views',
]
CHANNEL = re.compile(r'[\w-]{1,40}')
NAVIGATION = (('wave.see', 'waves.list_waves', _l('Waves')),)


@bp.get('/waves')
@requires('wave.see')
def list_waves() -> ResponseReturnValue:
    with database.reading() as session:
        waves = session.scalars(sa.select(Wave).order_by(Wave.opens_at.desc())).all()
        published = versions.every(session)
    return render_template(
        'waves/list.html',
        waves=waves,
        any_version=bool(published),
        state_names=lifecycle.STATE_NAMES,
        may=access.signed_in().may,
    )


@bp.route('/waves/new', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def create_wave() -> ResponseReturnValue:
    with database.reading() as session:
        published = versions.every(session)
    form = WaveForm.for_versions(published)
    if form.validate_on_submit():
        person = access.signed_in()
        try:
            with database.transaction() as session:
                wave = lifecycle.create(
                    session,
                    form.plan(),
                    actor=person.username,
                    now=clock.now(),
                    staff_id=person.staff_id,
                )
        except ProblemsFound as found:
            form.show(found.problems)
        else:
            flash(_('The wave is created. Now prepare it step by step.'), 'success')
            return redirect(url_for('waves.show_wave', slug=wave.slug), 303)
    page = render_template('waves/edit.html', form=form, wave=None, any_version=bool(published))
    return page, 422 if form.errors else 200


@bp.get('/waves/<slug>')
@requires('wave.see')
def show_wave(slug: str) -> ResponseReturnValue:
    now = clock.now()
    with database.reading() as session:
        wave = wave_for(session, slug)
        ready = preparation.of(session, wave, now)
        questionnaire = definition.from_canonical(wave.version.definition)
    return render_template(
        'waves/show.html',
        wave=wave,
        ready=ready,
        questionnaire=questionnaire,
        margins=decided.margins(questionnaire, ready.margins),
        step_entries=_steps(wave, ready),
        words=decided,
        changed=[_(approval.NAMES[name]) for name in ready.changed],
        person=access.signed_in(),
        running=wave.is_open(now),
        over=now > wave.closes_at and not wave.is_open(now),
        link=_link(wave),
        check_code=codes.check_code(slug, str(current_app.config['SECRET_KEY'])),
        may=access.signed_in().may,
    )


def _steps(wave: Wave, ready: preparation.Preparation) -> list[dict[str, str]]:
    """The states of a wave, with its approval between planning and opening."""
    names = dict(lifecycle.STATE_NAMES)
    order = [names.pop('planned'), N_('approved'), *names.values()]
    state = 'approved' if ready.standing == 'approved' else wave.state
    reached = ('planned', 'approved', *names).index(state)
    notes = {lifecycle.STATE_NAMES['open']: i18n.moment(wave.opens_at)}
    if not wave.sealed:  # what was planned; it may be closed earlier or later
        notes[lifecycle.STATE_NAMES['closed']] = i18n.moment(wave.closes_at)
    return [
        {
            'text': _(name),
            'state': 'done' if place < reached else 'current' if place == reached else 'todo',
            'note': notes.get(name, ''),
        }
        for place, name in enumerate(order)
    ]


@bp.route('/waves/<slug>/edit', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def edit_wave(slug: str) -> ResponseReturnValue:
    with database.reading() as session:
        wave = wave_for(session, slug)
        if wave.state != 'planned':
            state = Term(lifecycle.STATE_NAMES[wave.state])
            raise lifecycle.NotPlanned(title=wave.title, state=state, slug=slug)
        published = versions.every(session)
    form = WaveForm.for_versions(published, wave)
    form.slug.data = wave.slug
    if not form.is_submitted():
        form.seen.data = lifecycle.fingerprint(wave)
    if form.validate_on_submit():
        try:
            with database.transaction() as session:
                lifecycle.edit(
                    session,
                    slug,
                    form.plan(),
                    actor=access.signed_in().username,
                    now=clock.now(),
                    seen=form.seen.data or '',
                )
        except ProblemsFound as found:
            form.show(found.problems)
        else:
            flash(_('The wave is saved.'), 'success')
            return redirect(url_for('waves.show_wave', slug=slug), 303)
    page = render_template('waves/edit.html', form=form, wave=wave, any_version=True)
    return page, 422 if form.errors else 200


@bp.get('/waves/<slug>/notice')
@requires('wave.see')
def show_notice(slug: str) -> ResponseReturnValue:
    """The privacy notice as residents will read it, or read it now."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        privacy = notices.of(session, wave, translations=_translations())
    return render_template('waves/notice.html', wave=wave, privacy=privacy)


def _translations() -> Path:
    folder: Path = current_app.config['SETTINGS'].translations
    return folder


@bp.route('/waves/<slug>/open', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def open_wave(slug: str) -> ResponseReturnValue:
    now = clock.now()
    problems: tuple[object, ...] = ()
    if OpenForm().validate_on_submit():
        try:
            with database.transaction() as session:
                lifecycle.open_wave(
                    session,
                    slug,
                    actor=access.signed_in().username,
                    now=now,
                    translations=_translations(),
                )
        except lifecycle.NotReady as refusal:
            problems = refusal.problems
        else:
            flash(_('The wave is open.'), 'success')
            return redirect(url_for('waves.show_wave', slug=slug), 303)
    with database.reading() as session:
        wave = approval_views.not_opened(session, slug)
        ready = preparation.of(session, wave, now)
        left = lifecycle.problems_left(session, wave, now)
    page = render_template(
        'waves/open.html',
        wave=wave,
        ready=ready,
        problems=problems or left,
        refused=bool(problems),
    )
    return page, 409 if problems else 200


@bp.route('/waves/<slug>/close', methods=['GET', 'POST'])
@requires('wave.manage')
def close_wave(slug: str) -> ResponseReturnValue:
    now = clock.now()
    form = CloseForm()
    with database.reading() as session:
        wave = wave_for(session, slug)
        returns = monitor.returns(session, wave, now)
    if wave.state != 'open':
        state = Term(lifecycle.STATE_NAMES[wave.state])
        raise lifecycle.NotOpen(title=wave.title, state=state, slug=slug)
    if now >= wave.closes_at:
        del form.early
    if form.validate_on_submit():
        with database.transaction() as session:
            lifecycle.close_wave(session, slug, actor=access.signed_in().username, now=now)
        database.get().scrub(*lifecycle.SCRUBBED)
        flash(_('The wave is closed and sealed.'), 'success')
        return redirect(url_for('waves.show_wave', slug=slug), 303)
    page = render_template('waves/close.html', wave=wave, returns=returns, form=form)
    return page, 422 if form.errors else 200


@bp.get('/waves/<slug>/returns')
@requires('wave.see')
def show_returns(slug: str) -> ResponseReturnValue:
    now = clock.now()
    with database.reading() as session:
        wave = wave_for(session, slug)
        returns = monitor.returns(session, wave, now)
    return render_template(
        'waves/returns.html', wave=wave, returns=returns, running=wave.is_open(now)
    )


@bp.get('/waves/<slug>/link.svg')
@requires('wave.see')
def link_code(slug: str) -> ResponseReturnValue:
    """The QR code of the open link for posters; ``?c=`` names the channel it is hung up in."""
    with database.reading() as session:
        wave = wave_for(session, slug)
    if not wave.open_link:
        raise access.NotFound
    channel = request.args.get('c', '')
    if channel and not CHANNEL.fullmatch(channel):
        raise access.NotFound
    name = f'{slug}-{channel}' if channel else slug
    return send_file(
        io.BytesIO(qr.file(_link(wave, channel))),
        mimetype='image/svg+xml',
        as_attachment=True,
        download_name=f'{name}.svg',
    )


def _link(wave: Wave, channel: str = '') -> str:
    address = f'{pages.site_url()}/s/{wave.slug}'
    return f'{address}?c={quote(channel)}' if channel else address
