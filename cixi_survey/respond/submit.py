"""A response is taken exactly once, with the consent behind it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cixi_survey import codes, places
from cixi_survey.errors import N_, ProblemsFound, Refusal
from cixi_survey.models import Draft, Invitation, Response, ScreenedOut, Wave
from cixi_survey.questionnaire import answers
from cixi_survey.questionnaire.answers import Checked
from cixi_survey.respond.entrance import CodeSpent, Entrance, find, let_in, questionnaire_of

log = logging.getLogger(__name__)


class OtherAnswers(Refusal):
    """The same form was sent before, with other answers."""

    code = 'other_answers'
    title = N_('This questionnaire was already sent')
    message = N_(
        'It arrived before with other answers, under the receipt %(reference)s. What came first '
        'counts; the answers sent now were not kept.'
    )
    cure = N_(
        'If the first ones were wrong, you can withdraw them on the receipt page while the survey '
        'runs.'
    )

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(reference=codes.grouped(reference))


@dataclass(frozen=True)
class Submission:
    """What one press of the button sends."""

    submission_id: str
    raw: Mapping[str, Sequence[str]]
    started_at: datetime
    language: str
    channel: str = ''
    mode: str = 'web'


@dataclass(frozen=True)
class Receipt:
    """The acknowledgement: how to speak of this response later, and how the interview ended."""

    reference: str
    outcome: str


@dataclass(frozen=True)
class Thanked:
    """The interview ended and nothing of it was kept; ``rule`` is the screening rule behind it."""

    rule: int


def submit(
    session: Session, entrance: Entrance, submission: Submission, now: datetime
) -> Receipt | Thanked:
    """Take the answers of one person once; acknowledged when the transaction is committed.

    The same submission with the same answers gives the same receipt, however often and however
    late it comes.  Of whom nothing may be kept there is no receipt, and the code stays good for an
    adult of the home.  Raises ProblemsFound (nothing is stored), OtherAnswers, and the refusals of
    ``entrance``.
    """
    wave, invitation = find(session, entrance, lock=True)
    first = _stored(session, submission.submission_id)
    if first is None:
        let_in(wave, invitation, now)
    questionnaire = questionnaire_of(session, wave)
    checked = answers.check(
        questionnaire, submission.raw, towns=places.towns(), villages=places.villages()
    )
    text = canonical(checked.answers)
    if first is not None:
        return _replay(first, wave, text, checked)
    if checked.problems:
        raise ProblemsFound(checked.problems)
    if checked.dropped:
        # Names may be anything that a hand-made form sends; values are never written down.
        log.info('wave %s: answers dropped: %.500r', wave.slug, checked.dropped)
    begun = _take_draft(session, submission, invitation)
    if checked.rule is not None and not checked.kept:
        _count(session, wave, checked.outcome)
        return Thanked(checked.rule)
    agreed = checked.outcome == 'complete' or answers.consented(questionnaire, checked.answers)
    values = {
        'submission_id': submission.submission_id,
        'wave_id': wave.id,
        'version_sha256': wave.version_sha256,
        'sealed': False,
        'outcome': checked.outcome,
        'answers': text,
        'answers_sha256': _sha256(text),
        'language': submission.language,
        'channel': submission.channel,
        'notice_version': questionnaire.notice.version,
        'notice_sha256': wave.notice_sha256,
        'consented_at': min([*begun.consented, now]) if agreed else None,
        'mode': submission.mode,
        'started_at': min(submission.started_at, *begun.started, now),
        'submitted_at': now,
        **_design(invitation),
    }
    reference = _insert(session, values)
    if reference is None:
        return _lost_race(session, submission, wave, text, checked)
    if invitation is not None:
        invitation.outcome = checked.outcome
    return Receipt(reference, checked.outcome)


def canonical(checked: Mapping[str, object]) -> str:
    """The one spelling of a set of answers."""
    return json.dumps(checked, ensure_ascii=False, sort_keys=True, separators=(',', ':'))


def _stored(session: Session, submission_id: str) -> Response | None:
    query = sa.select(Response).where(Response.submission_id == submission_id)
    return session.scalars(query).first()


def _replay(first: Response, wave: Wave, text: str, checked: Checked) -> Receipt:
    same = first.answers_sha256 == _sha256(text) and not checked.problems
    if first.wave_id != wave.id or not (same or first.withdrawn_at):
        raise OtherAnswers(first.reference)
    return Receipt(first.reference, first.outcome)


def _lost_race(
    session: Session, submission: Submission, wave: Wave, text: str, checked: Checked
) -> Receipt:
    """Another request stored this submission, or used this code, after our look."""
    first = _stored(session, submission.submission_id)
    if first is None:
        raise CodeSpent
    return _replay(first, wave, text, checked)


@dataclass(frozen=True)
class _Begun:
    """When what is sent now was begun, and when the person agreed to it: empty without a draft."""

    started: Sequence[datetime]
    consented: Sequence[datetime]


def _take_draft(session: Session, submission: Submission, invitation: Invitation | None) -> _Begun:
    """Delete the draft that this submission ends; says since when it was written."""
    mine = Draft.submission_id == submission.submission_id
    if invitation is not None:
        mine = sa.or_(mine, Draft.invitation_id == invitation.id)
    gone = sa.delete(Draft).where(mine).returning(Draft.started_at, Draft.consented_at)
    rows = session.execute(gone).all()
    return _Begun(
        [row.started_at for row in rows],
        [row.consented_at for row in rows if row.consented_at is not None],
    )


def _count(session: Session, wave: Wave, outcome: str) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == 'sqlite' else postgresql.insert
    statement = insert(ScreenedOut).values(wave_id=wave.id, outcome=outcome, count=1)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=['wave_id', 'outcome'], set_={'count': ScreenedOut.count + 1}
        )
    )


def _design(invitation: Invitation | None) -> dict[str, object]:
    if invitation is None:
        return {'stream': 'open'}
    return {
        'stream': 'probability',
        'invitation_id': invitation.id,
        'stratum': invitation.stratum,
        'psu': invitation.psu,
        'base_weight': invitation.base_weight,
        'frame_count': invitation.frame_count,
    }


def _insert(session: Session, values: Mapping[str, object]) -> str | None:
    """Insert a response under a new reference; None when the submission or the code came before.

    One statement that gives way instead of failing: an IntegrityError would end the transaction
    on PostgreSQL.
    """
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == 'sqlite' else postgresql.insert
    for _attempt in range(3):
        statement = insert(Response).values(reference=codes.new_reference(), **values)
        stored: str | None = session.scalar(
            statement.on_conflict_do_nothing().returning(Response.reference)
        )
        if stored is not None:
            return stored
        taken = sa.or_(
            Response.submission_id == values['submission_id'],
            Response.invitation_id == values.get('invitation_id'),
        )
        if session.scalar(sa.select(Response.id).where(taken)) is not None:
            return None
    raise RuntimeError('three new references in a row were taken')


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
