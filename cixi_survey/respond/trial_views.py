"""Trying a questionnaire out: the preview beside the editor.  Nothing here writes anything."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import clock, database, i18n, pages
from cixi_survey.access import requires
from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.respond import page, posted, trial
from cixi_survey.respond.blueprint import bp
from cixi_survey.respond.page import State, Trial
from cixi_survey.respond.posted import Posted
from cixi_survey.respond.trial import Subject


@bp.route('/staff/questionnaires/drafts/<int:draft_id>/preview', methods=['GET', 'POST'])
@requires('questionnaire.see')
@pages.framed
@i18n.looks_only
def preview(draft_id: int) -> ResponseReturnValue:
    """A draft as residents would see it, in a frame of the editor or by itself."""
    with database.reading() as session:
        subject = trial.of_draft(session, draft_id)
    return _try(subject, back=url_for('authoring.show_draft', draft_id=draft_id))


def _try(subject: Subject, *, back: str = '') -> ResponseReturnValue:
    """The form as residents have it; posted, what it would have sent or itself once more."""
    questionnaire = subject.questionnaire
    if questionnaire is None:
        return render_template('respond/untried.html', problems=subject.problems, back=back)
    given = posted.read()
    if request.method == 'GET':
        return _form(questionnaire, subject, _state(given), back)
    if given.do != 'send':
        i18n.switch(given.do)
        return _form(questionnaire, subject, _state(given, 'not_kept', given.do == 'save'), back)
    try:
        report = trial.report(questionnaire, given.raw)
    except ProblemsFound as found:
        state = State('', 1, given.section, given.raw, found.problems)
        return _form(questionnaire, subject, state, back), 422
    shown = _trial(subject, back)
    return render_template(
        'respond/tried.html', questionnaire=questionnaire, report=report, given=given, trial=shown
    )


def _state(given: Posted, notice: str = '', told: bool = False) -> State:
    # Of no draft, and with a revision: then the page opens at the place that its address names
    return State('', 1, given.section, given.raw, notice=notice if told else '')


def _form(questionnaire: Questionnaire, subject: Subject, state: State, back: str) -> str:
    wave = trial.setting(questionnaire, clock.now(), _('(set by the survey wave)'))
    return page.tried(wave, questionnaire, state, _trial(subject, back))


def _trial(subject: Subject, back: str) -> Trial:
    elder = i18n.elder()
    query = {'lang': i18n.language(), **({'elder': elder} if elder else {})}
    address = f'{request.path}?{urlencode(query)}'
    return Trial(address, back=back, problems=subject.problems, saved_at=subject.saved_at)
