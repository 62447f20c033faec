"""Drafts: answers on their way, kept on the server so that another phone can go on with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cixi_survey import places
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Draft, Invitation, Response, Wave
from cixi_survey.questionnaire import answers
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.respond.entrance import Entrance, find, let_in, questionnaire_of

Raw = Mapping[str, Sequence[str]]
MOST_CHARACTERS = 60_000


class StaleDraft(Refusal):
    """Another tab or phone saved in between; the draft as it stands now is in ``current``."""

    code = 'stale_draft'
    title = N_('Which answers do you want to go on with?')
    message = N_('Another window or phone saved answers to this questionnaire at %(saved_at)s.')
    cure = N_('Nothing has been overwritten. Choose which answers to go on with.')

    def __init__(self, current: Saved) -> None:
        self.current = current
        super().__init__(saved_at=current.saved_at)


class AlreadySent(Refusal):
    """The questionnaire was sent; there is nothing left to save."""

    code = 'already_sent'
    title = N_('This questionnaire was already sent')
    message = N_('It arrived, and its answers are no longer changed.')
    cure = N_('To answer for another person, open the link again.')


class DraftTooLarge(Refusal):
    """More text than any honest questionnaire has."""

    status = 413
    code = 'draft_too_large'
    title = N_('This is too large')
    message = N_('Your answers are longer than can be kept.')
    cure = N_('Please shorten the longest text.')


@dataclass(frozen=True)
class Saved:
    """A draft as it is kept."""

    submission_id: str
    revision: int
    answers: dict[str, list[str]]
    section: str
    started_at: datetime
    saved_at: datetime


def resume(session: Session, submission_id: str, invitation: Invitation | None) -> Saved | None:
    """The draft to go on with: that of the invitation, else that of the submission."""
    draft = _find(session, submission_id, invitation)
    return _saved(draft) if draft else None


def save(
    session: Session,
    entrance: Entrance,
    *,
    submission_id: str,
    raw: Raw,
    section: str,
    revision: int,
    started_at: datetime,
    channel: str,
    now: datetime,
) -> Saved | None:
    """Keep what has been filled in so far; ``revision`` is the one that the page last saw.

    Of whom nothing may be kept, and of who declines, the draft goes, and there is nothing saved:
    None.
    Raises StaleDraft when another one was saved in between and differs, AlreadySent,
    DraftTooLarge, and the refusals of ``entrance``.
    """
    wave, invitation = find(session, entrance, lock=True)
    let_in(wave, invitation, now)
    if session.scalar(sa.select(Response.id).where(Response.submission_id == submission_id)):
        raise AlreadySent
    questionnaire = questionnaire_of(session, wave)
    given = filled_in(questionnaire, raw)
    if len(json.dumps(given)) > MOST_CHARACTERS:
        raise DraftTooLarge
    checked = answers.check(questionnaire, given, towns=places.towns(), villages=places.villages())
    draft = _find(session, submission_id, invitation, lock=True)
    if checked.outcome == 'refusal' and _is_newer(draft, revision, given):
        raise StaleDraft(_saved(draft))
    if not checked.kept or checked.outcome == 'refusal':
        if draft is not None:
            session.delete(draft)
        return None
    agreed = answers.consented(questionnaire, checked.answers)
    if draft is None:
        values = {
            'submission_id': submission_id,
            'answers': given,
            'section': section[:40],
            'channel': channel,
            'started_at': started_at,
            'saved_at': now,
            'consented_at': now if agreed else None,
        }
        draft = _insert(session, wave, invitation, values)
        if draft is not None:
            return _saved(draft)
        draft = _find(session, submission_id, invitation, lock=True)
        assert draft is not None
    if _is_newer(draft, revision, given):
        raise StaleDraft(_saved(draft))
    if draft.answers != given or draft.section != section[:40]:
        draft.answers = dict(given)
        draft.consented_at = (draft.consented_at or now) if agreed else None
        draft.section = section[:40]
        draft.saved_at = now
        draft.revision += 1
    return _saved(draft)


def discard(
    session: Session, submission_id: str, invitation: Invitation | None, revision: int
) -> None:
    """Delete the draft to go on with, if there is one.

    That of an invitation only as ``revision``, which the page has seen: what somebody else of the
    home saved since is not thrown away by one who cannot know of it.
    """
    mine = sa.and_(Draft.submission_id == submission_id, Draft.invitation_id.is_(None))
    if invitation is not None:
        mine = sa.and_(Draft.invitation_id == invitation.id, Draft.revision == revision)
    session.execute(sa.delete(Draft).where(mine))


def filled_in(questionnaire: Questionnaire, raw: Raw) -> dict[str, list[str]]:
    """What was filled in of the questionnaire's own fields, as texts, nothing judged."""
    names = (variable.name for variable in questionnaire.variables())
    given = {name: [text for text in raw.get(name, ()) if text.strip()] for name in names}
    return {name: texts for name, texts in given.items() if texts}


def _is_newer(
    draft: Draft | None, revision: int, given: Mapping[str, list[str]]
) -> TypeGuard[Draft]:
    """Whether somebody saved other answers since the page saw ``revision``."""
    return draft is not None and draft.revision != revision and draft.answers != given


def _find(
    session: Session, submission_id: str, invitation: Invitation | None, *, lock: bool = False
) -> Draft | None:
    of = Draft.submission_id == submission_id
    if invitation is not None:
        of = Draft.invitation_id == invitation.id
    query = sa.select(Draft).where(of)
    return session.scalars(query.with_for_update() if lock else query).first()


def _insert(
    session: Session, wave: Wave, invitation: Invitation | None, values: Mapping[str, object]
) -> Draft | None:
    """A first draft; None when another request saved one at this moment."""
    insert = sqlite.insert if session.get_bind().dialect.name == 'sqlite' else postgresql.insert
    statement = insert(Draft).values(
        wave_id=wave.id, invitation_id=invitation and invitation.id, revision=1, **values
    )
    return session.scalar(statement.on_conflict_do_nothing().returning(Draft))


def _saved(draft: Draft) -> Saved:
    kept = {name: list(texts) for name, texts in draft.answers.items()}  # type: ignore[call-overload]
    return Saved(
        draft.submission_id,
        draft.revision,
        kept,
        draft.section,
        draft.started_at,
        draft.saved_at,
    )
