"""The pages of the second pair of eyes: putting a wave forward, looking at it, deciding."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from cixi_survey import access, clock, database, i18n
from cixi_survey.access import requires, wave_for
from cixi_survey.errors import Term
from cixi_survey.models import Wave
from cixi_survey.waves import approval, decided, lifecycle, preparation
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import DecisionForm, PutForwardForm


def not_opened(session: Session, slug: str) -> Wave:
    """The wave, to look at, while it is planned.  Raises AlreadyOpened, NotFound."""
    wave = wave_for(session, slug)
    if wave.state != 'planned':
        state = Term(lifecycle.STATE_NAMES[wave.state])
        raise lifecycle.AlreadyOpened(title=wave.title, state=state, slug=slug)
    return wave


@bp.route('/waves/<slug>/put-forward', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def put_forward(slug: str) -> ResponseReturnValue:
    form = PutForwardForm()
    now = clock.now()
    problems: tuple[object, ...] = ()
    if form.validate_on_submit():
        try:
            with database.transaction() as session:
                lifecycle.put_forward(
                    session,
                    slug,
                    without_sample=form.without_sample.data,
                    actor=access.signed_in().username,
                    now=now,
                )
        except lifecycle.NotReady as refusal:
            problems = refusal.problems
        else:
            flash(_('The wave is put forward. A second person has to look at it.'), 'success')
            return redirect(url_for('waves.show_wave', slug=slug), 303)
    with database.reading() as session:
        wave = not_opened(session, slug)
        ready = preparation.of(session, wave, now)
        before = approval.opened_before(session, wave)
        rows = decided.beside(session, wave, before)
    page = render_template(
        'waves/put_forward.html',
        wave=wave,
        ready=ready,
        form=form,
        before=before,
        rows=rows,
        problems=problems or (() if form.was_tried() else ready.problems),
        refused=bool(problems),
    )
    return page, 409 if problems else 200


@bp.route('/waves/<slug>/approval', methods=['GET', 'POST'])
@requires('wave.approve')
@i18n.shows_again
def decide(slug: str) -> ResponseReturnValue:
    """What was put forward, beside the wave before; the second person approves or sends back."""
    form = DecisionForm()
    if form.validate_on_submit():
        return _decided(slug, form)
    now = clock.now()
    with database.reading() as session:
        wave = not_opened(session, slug)
        ready = preparation.of(session, wave, now)
        if ready.asked is None or ready.asked.decision:
            raise approval.NotAsked(title=wave.title)
        before = approval.opened_before(session, wave)
        rows = decided.beside(session, wave, before)
    form.seen.data = ready.asked.sha256
    page = render_template(
        'waves/approve.html',
        wave=wave,
        ready=ready,
        form=form,
        before=before,
        rows=rows,
        changed=[_(approval.NAMES[name]) for name in ready.changed],
        own=ready.asked.asked_by == access.signed_in().username,
    )
    return page, 422 if form.errors else 200


def _decided(slug: str, form: DecisionForm) -> ResponseReturnValue:
    act = {'seen': form.seen.data or '', 'actor': access.signed_in().username}
    with database.transaction() as session:
        if form.decision.data == 'approve':
            approval.approve(session, slug, **act, now=clock.now())
            flash(_('The wave is approved; it may be opened.'), 'success')
        else:
            remark = (form.remark.data or '').strip()
            approval.send_back(session, slug, **act, remark=remark, now=clock.now())
            flash(_('The wave is sent back with your remark.'), 'success')
    return redirect(url_for('waves.show_wave', slug=slug), 303)


@bp.post('/waves/<slug>/take-back')
@requires('wave.manage')
def take_back(slug: str) -> ResponseReturnValue:
    with database.transaction() as session:
        approval.take_back(session, slug, actor=access.signed_in().username, now=clock.now())
    flash(_('The request is taken back. Nothing else has changed.'), 'success')
    return redirect(url_for('waves.show_wave', slug=slug), 303)
