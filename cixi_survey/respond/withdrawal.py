"""Withdrawing answers: as easy as giving them, until the wave is sealed.

What happens to them follows from the legal basis of the wave.  By consent they are deleted.  On
statutory ground the rules on statistics ask that the record is kept, and the Personal Information
Protection Law (article 47) that nobody works with it any more: it stays encrypted until the answers
of the wave are erased.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import retention
from cixi_survey.access import NotFound
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Response, Wave


class TooLateToWithdraw(Refusal):
    """The wave is sealed: nobody can tell whose answers are whose."""

    code = 'too_late_to_withdraw'
    title = N_('These answers can no longer be withdrawn')
    message = N_(
        'The survey ended on %(ended_at)s. Then the link between people and answers was cut for '
        'good, to protect you: nobody can find your answers any more, not even we.'
    )
    cure = N_(
        'They serve statistics only, and no figure leads back to you. If something worries you, '
        'please ask us.'
    )


def withdraw(session: Session, reference: str, *, secret_key: str, now: datetime) -> None:
    """Take the answers behind a receipt out of everything; its code stays used.

    Raises NotFound, TooLateToWithdraw.  A second withdrawal changes nothing.
    """
    locked = (
        sa.select(Wave)
        .join(Response, Response.wave_id == Wave.id)
        .where(Response.reference == reference)
        .with_for_update(read=True, key_share=True, of=Wave)
    )
    wave = session.scalars(locked).first()
    response = session.scalars(
        sa.select(Response).where(Response.reference == reference).with_for_update()
    ).first()
    if wave is None or response is None:
        raise NotFound
    if response.withdrawn_at is not None:
        return
    if wave.sealed:
        raise TooLateToWithdraw(ended_at=wave.ended_at)
    if wave.legal_basis == 'statutory':
        response.locked = retention.vault(secret_key).lock(response.answers)
    for name, value in retention.EMPTIED.items():
        setattr(response, name, value)
    response.withdrawn_at = now
