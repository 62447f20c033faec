"""Questionnaires: publish a version, list them, read one."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms.fields.choices import SelectChoice

from cixi_survey import access, clock, database, i18n, versions
from cixi_survey.access import requires
from cixi_survey.authoring import (
    compare_views,
    draft_views,
    drafts,
    edit_views,
    library_views,
    paper_views,
    preview,
    transfer_views,
    translation_views,
    trial_views,
)
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.forms import QuestionnaireForm
from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import definition

__all__ = [
    'NAVIGATION',
    'bp',
    'compare_views',
    'draft_views',
    'edit_views',
    'library_views',
    'paper_views',
    'preview',
    'transfer_views',
    'translation_views',
    'trial_views',
]
NAVIGATION = (('questionnaire.see', 'authoring.list_all', _l('Questionnaires')),)


@bp.get('')
@requires('questionnaire.see')
def list_all() -> ResponseReturnValue:
    with database.reading() as session:
        rows = [
            {
                'version': version,
                'title': definition.from_canonical(version.definition).title,
                'waves': versions.waves_of(session, version.sha256),
            }
            for version in versions.every(session)
        ]
        writing = drafts.every(session)
    return render_template(
        'authoring/list.html', rows=rows, drafts=writing, may=access.signed_in().may
    )


@bp.route('/publish', methods=['GET', 'POST'])
@requires('questionnaire.publish')
@i18n.shows_again
def publish() -> ResponseReturnValue:
    form = QuestionnaireForm()
    names = [path.name for path in versions.files()]
    form.file_name.choices = [
        SelectChoice('', _('none: I upload my own')),
        *(SelectChoice(name) for name in names),
    ]
    problems: tuple[object, ...] = ()
    if form.validate_on_submit():
        person = access.signed_in()
        try:
            content, filename = _chosen(form)
            with database.transaction() as session:
                published = versions.publish(
                    session,
                    content,
                    filename=filename,
                    actor=person.username,
                    now=clock.now(),
                    staff_id=person.staff_id,
                )
        except ProblemsFound as found:
            problems = found.problems
        else:
            if published.new:
                flash(_('The version is published.'), 'success')
            else:
                flash(_('This version was published before; nothing has changed.'), 'info')
            return redirect(url_for('authoring.show_version', sha256=published.sha256), 303)
    page = render_template('authoring/publish.html', form=form, problems=problems)
    return page, 422 if problems or form.errors else 200


def _chosen(form: QuestionnaireForm) -> tuple[bytes, str]:
    upload = form.file.data
    if upload and upload.filename:
        return upload.read(), upload.filename
    return versions.shipped(form.file_name.data or ''), form.file_name.data


@bp.get('/<sha256>')
@requires('questionnaire.see')
def show_version(sha256: str) -> ResponseReturnValue:
    with database.reading() as session:
        version = versions.find(session, sha256)
        waves = versions.waves_of(session, sha256)
    return render_template(
        'authoring/version.html',
        version=version,
        waves=waves,
        questionnaire=definition.from_canonical(version.definition),
        may=access.signed_in().may,
    )


@bp.get('/<sha256>/source')
@requires('questionnaire.see')
def version_source(sha256: str) -> ResponseReturnValue:
    """The file as it was published."""
    with database.reading() as session:
        version = versions.find(session, sha256)
    name = f'{version.name}-{sha256[:12]}.yaml'
    headers = {'Content-Disposition': f'attachment; filename="{name}"'}
    return version.source, 200, {'Content-Type': 'application/yaml; charset=utf-8', **headers}
