"""Test links: made and ended by staff, good for anybody who has one, for a week.

The address holds the signed number of the link.  The table holds what the link is to, until when,
and whether it was ended; so a link can be ended at once and alone, the page of the links can show
them again, and a copy of the database gives none away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session, joinedload

from cixi_survey import audit
from cixi_survey.access import NotFound
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import TrialLink

GOOD_FOR = timedelta(days=7)


class LinkOver(Refusal):
    """The test link has expired or was ended."""

    status = 410
    code = 'trial_over'
    title = N_('This test link is over')
    message = N_('Test links are good for some days, and can be ended before.')
    cure = N_('If you are still to test the questionnaire, ask for a new link.')


@dataclass(frozen=True)
class Subject:
    """What is tried out: a draft by its number, or a version by its name."""

    draft_id: int | None = None
    version_sha256: str | None = None

    @property
    def audited(self) -> str:
        """As the record of acts names it."""
        return f'draft:{self.draft_id}' if self.draft_id else f'questionnaire:{self.version_sha256}'


def make(
    session: Session, subject: Subject, *, actor: str, staff_id: int, now: datetime
) -> TrialLink:
    """A new link to something that there is."""
    link = TrialLink(
        draft_id=subject.draft_id,
        version_sha256=subject.version_sha256,
        made_at=now,
        made_by=staff_id,
        expires_at=now + GOOD_FOR,
    )
    session.add(link)
    session.flush()
    details = {'link': link.id, 'until': link.expires_at.isoformat(timespec='minutes')}
    audit.record(
        session,
        actor=actor,
        action='trial.make',
        subject=subject.audited,
        now=now,
        details=details,
    )
    return link


def end(session: Session, subject: Subject, link_id: int, *, actor: str, now: datetime) -> None:
    """End a link at once; one that is over stays as it is.  Raises access.NotFound."""
    query = _of(subject).where(TrialLink.id == link_id).with_for_update()
    link = session.scalars(query).first()
    if link is None:
        raise NotFound
    if link.ended_at is None and link.expires_at > now:
        link.ended_at = now
        session.flush()
        audit.record(
            session,
            actor=actor,
            action='trial.end',
            subject=subject.audited,
            now=now,
            details={'link': link.id},
        )


def good(session: Session, subject: Subject, now: datetime) -> Sequence[TrialLink]:
    """The links to something that are good now, the latest first."""
    query = _of(subject).where(TrialLink.ended_at.is_(None), TrialLink.expires_at > now)
    query = query.options(joinedload(TrialLink.maker)).order_by(TrialLink.id.desc())
    return session.scalars(query).all()


def token(link: TrialLink, secret_key: str) -> str:
    """What stands in the address of a link."""
    text = _serializer(secret_key).dumps(link.id)
    assert isinstance(text, str)
    return text


def find(session: Session, text: str, secret_key: str, now: datetime) -> TrialLink:
    """The link of an address.  Raises access.NotFound, LinkOver."""
    try:
        link = session.get(TrialLink, _serializer(secret_key).loads(text))
    except BadSignature:
        link = None
    if link is None:
        raise NotFound
    if link.ended_at is not None or link.expires_at <= now:
        raise LinkOver
    return link


def _of(subject: Subject) -> sa.Select[TrialLink]:
    return sa.select(TrialLink).where(
        TrialLink.draft_id == subject.draft_id
        if subject.draft_id
        else TrialLink.version_sha256 == subject.version_sha256
    )


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt='trial link')
