"""Questionnaires: publish a version, list them, read one."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms.fields.choices import SelectChoice

from cixi_survey import access, clock, database
from cixi_survey.access import requires
from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import definition
from cixi_survey.waves import questionnaires, uploads
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import QuestionnaireForm


@bp.get('/questionnaires')
@requires('wave.see')
def list_questionnaires() -> ResponseReturnValue:
    with database.reading() as session:
        versions = questionnaires.versions(session)
        rows = [
            {
                'version': version,
                'title': definition.from_canonical(version.definition).title,
                'waves': questionnaires.waves_of(session, version.sha256),
            }
            for version in versions
        ]
    return render_template('waves/questionnaires.html', rows=rows, may=access.signed_in().may)


@bp.route('/questionnaires/publish', methods=['GET', 'POST'])
@requires('questionnaire.publish')
def publish_questionnaire() -> ResponseReturnValue:
    form = QuestionnaireForm()
    names = [path.name for path in questionnaires.files()]
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
                published = questionnaires.publish(
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
            return redirect(url_for('waves.show_questionnaire', sha256=published.sha256), 303)
    page = render_template('waves/publish_questionnaire.html', form=form, problems=problems)
    return page, 422 if problems or form.errors else 200


def _chosen(form: QuestionnaireForm) -> tuple[bytes, str]:
    upload = form.file.data
    if upload and upload.filename:
        return uploads.receive(upload.read()), upload.filename
    return questionnaires.shipped(form.file_name.data or ''), form.file_name.data


@bp.get('/questionnaires/<sha256>')
@requires('wave.see')
def show_questionnaire(sha256: str) -> ResponseReturnValue:
    with database.reading() as session:
        version = questionnaires.version(session, sha256)
        waves = questionnaires.waves_of(session, sha256)
    return render_template(
        'waves/questionnaire.html',
        version=version,
        waves=waves,
        questionnaire=definition.from_canonical(version.definition),
        may=access.signed_in().may,
    )


@bp.get('/questionnaires/<sha256>/source')
@requires('wave.see')
def questionnaire_source(sha256: str) -> ResponseReturnValue:
    """The file as it was published."""
    with database.reading() as session:
        version = questionnaires.version(session, sha256)
    name = f'{version.name}-{sha256[:12]}.yaml'
    headers = {'Content-Disposition': f'attachment; filename="{name}"'}
    return version.source, 200, {'Content-Type': 'application/yaml; charset=utf-8', **headers}
