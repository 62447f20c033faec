"""The two doors to a questionnaire, the open link and the invitation code, and who is let in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.access import NotFound
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import ClosedCode, Invitation, QuestionnaireVersion, Wave
from cixi_survey.questionnaire.definition import Questionnaire, from_canonical


class TurnedAway(Refusal):
    """This door is shut at present."""


class CodeUnknown(Refusal):
    """A well-formed code that was never given out, or was replaced."""

    status = 404
    code = 'code_unknown'
    title = N_('We do not know this code')
    message = N_('The code %(given)s is complete, but it belongs to no letter of ours.')
    cure = N_(
        'Please compare it with your letter once more. If you were sent a new letter, only the '
        'code in the new one counts.'
    )


class CodeSpent(TurnedAway):
    """The questionnaire of this code was sent already."""

    code = 'code_spent'
    title = N_('This code has been used')
    message = N_(
        'A questionnaire was already sent with this code, and each code counts once. What was '
        'answered is not shown here to anyone.'
    )
    cure = N_('If that was you, thank you: nothing more is to be done. If it was not, tell us.')


class NotYetOpen(TurnedAway):
    """The wave has not begun."""

    status = 403
    code = 'not_yet_open'
    title = N_('This survey has not started yet')
    message = N_('Answers are taken from %(opens_at)s (Beijing time).')
    cure = N_('Please come back then. Your link or code stays good.')


class NotYetAnnounced(NotYetOpen):
    """The wave is being prepared."""

    message = N_('It is still being prepared, and its first day has not been announced.')


class WaveClosed(TurnedAway):
    """The wave has ended."""

    status = 410
    code = 'wave_closed'
    title = N_('This survey has ended')
    message = N_('Answers were taken until %(closes_at)s (Beijing time).')
    cure = N_(
        'What had not been sent by then was not received and is not kept. The results will be '
        'published on this site.'
    )


class ClosedEarly(WaveClosed):
    """The wave was closed before its time."""

    message = N_('It was closed before the day that had been announced.')


class InvitationOnly(TurnedAway):
    """The wave has no open link."""

    status = 403
    code = 'invitation_only'
    title = N_('This survey is by invitation')
    message = N_('It is answered with the code of an invitation letter.')
    cure = N_('If you have a letter, enter its code.')


@dataclass(frozen=True)
class Entrance:
    """Through which door a person comes: the slug of a wave, or the hash of a code."""

    slug: str = ''
    code_hash: str = ''
    given: str = ''

    def door(self, wave: Wave) -> str:
        """What a ticket is good for: this wave, and this code if there is one."""
        return f'{wave.slug}/{self.code_hash[:16]}'


def find(
    session: Session, entrance: Entrance, *, lock: bool = False
) -> tuple[Wave, Invitation | None]:
    """The wave behind an entrance, and the invitation when it is by the code of a running wave.

    Raises NotFound or CodeUnknown.  ``lock`` is for writing: the wave cannot be closed before the
    transaction ends (others may answer meanwhile), and the invitation is ours alone.
    """
    of_code = sa.select(Invitation.wave_id).where(Invitation.code_hash == entrance.code_hash)
    by_code = bool(entrance.code_hash)
    waves = sa.select(Wave).where(
        Wave.id == of_code.scalar_subquery() if by_code else Wave.slug == entrance.slug
    )
    invitations = sa.select(Invitation).where(Invitation.code_hash == entrance.code_hash)
    if lock:
        waves = waves.with_for_update(read=True, key_share=True)
        invitations = invitations.with_for_update()
    wave = session.scalars(waves).first()
    invitation = session.scalars(invitations).first() if by_code and wave else None
    if by_code and invitation is None:
        wave = session.scalars(
            sa.select(Wave)
            .join(ClosedCode, ClosedCode.wave_id == Wave.id)
            .where(ClosedCode.code_hash == entrance.code_hash)
        ).first()
        if wave is None:
            raise CodeUnknown(given=entrance.given)
    if wave is None:
        raise NotFound
    return wave, invitation


def let_in(wave: Wave, invitation: Invitation | None, now: datetime) -> None:
    """Raise the refusal that fits unless answers are taken at this door now."""
    if not wave.is_open(now):
        if wave.state == 'planned':
            raise NotYetAnnounced
        if now < wave.opens_at:
            raise NotYetOpen(opens_at=wave.opens_at)
        raise WaveClosed(closes_at=wave.closes_at) if now > wave.closes_at else ClosedEarly
    if invitation is None and not wave.open_link:
        raise InvitationOnly
    if invitation is not None and invitation.outcome != 'pending':
        raise CodeSpent


_known: dict[str, Questionnaire] = {}


def questionnaire_of(session: Session, wave: Wave) -> Questionnaire:
    """The questionnaire of a wave; a version never changes, so it is read once."""
    found = _known.get(wave.version_sha256)
    if found is None:
        version = session.get_one(QuestionnaireVersion, wave.version_sha256)
        found = _known[wave.version_sha256] = from_canonical(version.definition)
    return found
