"""Test links to a draft or to a version: make one, show them with their codes to scan, end one."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import access, clock, database, pages, qr, trials, versions
from cixi_survey.access import requires
from cixi_survey.authoring import saving
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.draft_views import sheet
from cixi_survey.models import TrialLink
from cixi_survey.questionnaire import definition
from cixi_survey.trials import Subject


@bp.get('/drafts/<int:draft_id>/trial')
@requires('questionnaire.see')
def try_draft(draft_id: int) -> ResponseReturnValue:
    draft = saving.read(draft_id)
    shown = _links(Subject(draft_id=draft_id))
    return render_template('authoring/try_draft.html', sheet=sheet(draft), **shown)


@bp.post('/drafts/<int:draft_id>/trial')
@requires('questionnaire.edit')
def change_draft_links(draft_id: int) -> ResponseReturnValue:
    saving.read(draft_id)
    _change(Subject(draft_id=draft_id))
    return redirect(url_for('.try_draft', draft_id=draft_id), 303)


@bp.get('/<sha256>/trial')
@requires('questionnaire.see')
def try_version(sha256: str) -> ResponseReturnValue:
    with database.reading() as session:
        version = versions.find(session, sha256)
    return render_template(
        'authoring/try_version.html',
        version=version,
        questionnaire=definition.from_canonical(version.definition),
        **_links(Subject(version_sha256=sha256)),
    )


@bp.post('/<sha256>/trial')
@requires('questionnaire.edit')
def change_version_links(sha256: str) -> ResponseReturnValue:
    with database.reading() as session:
        versions.find(session, sha256)
    _change(Subject(version_sha256=sha256))
    return redirect(url_for('.try_version', sha256=sha256), 303)


def _links(subject: Subject) -> dict[str, object]:
    """What the pages of the links show."""
    with database.reading() as session:
        good = trials.good(session, subject, clock.now())
    return {
        'links': [(link, _address(link), qr.inline(_address(link))) for link in good],
        'days': trials.GOOD_FOR.days,
        'may_make': access.signed_in().may('questionnaire.edit'),
    }


def _address(link: TrialLink) -> str:
    token = trials.token(link, str(current_app.config['SECRET_KEY']))
    return pages.site_url() + url_for('respond.try_out', token=token)


def _change(subject: Subject) -> None:
    """End the link that a button names, or make one."""
    writer, ends = saving.writer(), request.form.get('end', '')
    with database.transaction() as session:
        if ends:
            link_id = int(ends) if ends.isdecimal() else 0
            trials.end(session, subject, link_id, actor=writer.actor, now=clock.now())
        else:
            trials.make(
                session,
                subject,
                actor=writer.actor,
                staff_id=writer.staff_id,
                now=clock.now(),
            )
    flash(
        _('The link is ended. Who opens it is told so.')
        if ends
        else _('The link is made. Scan the code with a phone, or pass the address on.'),
        'success',
    )
