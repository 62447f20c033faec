"""Trying a questionnaire out: the preview for staff, and the test links.  Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import clock, database, i18n, limits, pages, trials
from cixi_survey.access import NotFound, public, requires, token_checked_in_view, token_is_stale
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import TrialLink
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
    return _Tried(subject, back=url_for('authoring.show_draft', draft_id=draft_id)).answer()


@bp.route('/staff/questionnaires/<sha256>/preview', methods=['GET', 'POST'])
@requires('questionnaire.see')
@i18n.looks_only
def preview_version(sha256: str) -> ResponseReturnValue:
    """A published version as residents see it."""
    with database.reading() as session:
        subject = trial.of_version(session, sha256)
    return _Tried(subject, back=url_for('authoring.show_version', sha256=sha256)).answer()


@bp.route('/try/<token>', methods=['GET', 'POST'])
@public
@pages.unlisted
@i18n.looks_only
@token_checked_in_view
def try_out(token: str) -> ResponseReturnValue:
    """The questionnaire of a test link, for anybody who has it."""
    link = _link(token)
    with database.reading() as session:
        if link.draft_id is not None:
            subject = trial.of_draft(session, link.draft_id)
        else:
            subject = trial.of_version(session, str(link.version_sha256))
    stale = request.method == 'POST' and token_is_stale()
    return _Tried(subject, until=link.expires_at).answer(stale=stale)


def _link(token: str) -> TrialLink:
    """The link meant.  Who tries addresses is held up, as with codes."""
    limits.refuse_guessing('trials')
    try:
        with database.reading() as session:
            return trials.find(session, token, str(current_app.config['SECRET_KEY']), clock.now())
    except NotFound:
        limits.count_failure('trials')
        raise


@dataclass(frozen=True)
class _Tried:
    """What is tried out, and through which door: a test link ``until`` then, or by staff."""

    subject: Subject
    until: datetime | None = None
    back: str = ''

    def answer(self, *, stale: bool = False) -> ResponseReturnValue:
        """The form as residents have it; posted, what it would have sent or itself once more."""
        questionnaire = self.subject.questionnaire
        if questionnaire is None:
            problems = self.subject.problems
            return render_template('respond/untried.html', problems=problems, back=self.back)
        given = posted.read()
        if stale:
            notice = 'stale' if request.cookies else 'no_cookies'
            return self._form(questionnaire, _state(given, notice=notice)), 400
        if request.method == 'GET':
            return self._form(questionnaire, _state(given))
        if given.do != 'send':
            i18n.switch(given.do)
            notice = 'not_kept' if given.do == 'save' else ''
            return self._form(questionnaire, _state(given, notice=notice))
        return self._report(questionnaire, given)

    def _report(self, questionnaire: Questionnaire, given: Posted) -> ResponseReturnValue:
        try:
            report = trial.report(questionnaire, given.raw)
        except ProblemsFound as found:
            return self._form(questionnaire, _state(given, problems=found.problems)), 422
        return render_template(
            'respond/tried.html',
            questionnaire=questionnaire,
            report=report,
            given=given,
            trial=self._trial(),
        )

    def _form(self, questionnaire: Questionnaire, state: State) -> str:
        wave = trial.setting(questionnaire, clock.now(), _('(set by the survey wave)'))
        return page.tried(wave, questionnaire, state, self._trial())

    def _trial(self) -> Trial:
        elder = i18n.elder()
        query = {'lang': i18n.language(), **({'elder': elder} if elder else {})}
        return Trial(
            f'{request.path}?{urlencode(query)}',
            self.until,
            self.back,
            self.subject.problems,
            self.subject.saved_at,
        )


def _state(given: Posted, **more: Any) -> State:
    # Of no draft, and with a revision: then the page opens at the place that its address names
    return State('', 1, given.section, given.raw, **more)
