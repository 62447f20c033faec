"""The prize draw: by chance among all who signed up, repeatable from its seed, with two people.

What somebody answered has no part in it; nobody could find it out here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit
from cixi_survey.contacts.address import Vault, ending
from cixi_survey.contacts.lists import contacts_csv
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Contact, ContactOffer, PrizeDraw, Wave


class NoPrizes(Refusal):
    """This wave has no prizes."""

    status = 404
    code = 'no_prizes'
    title = N_('This wave has no prize draw')
    message = N_('Nothing was offered to those who answered it.')


class StillOpen(Refusal):
    """Everybody who answers in time takes part."""

    code = 'draw_too_early'
    title = N_('The draw comes after the end')
    message = N_('People may sign up until the wave closes.')
    cure = N_('Close the wave first.')


class DrawnBefore(Refusal):
    """A draw happens once."""

    code = 'drawn_before'
    title = N_('The prizes are drawn already')
    message = N_('A second draw would let somebody choose between the two.')


class NobodySignedUp(Refusal):
    """There is nothing to draw from."""

    code = 'nobody_signed_up'
    title = N_('Nobody signed up for the draw')
    message = N_('There is nobody to draw from.')


class NoDraw(Refusal):
    """The prizes have not been drawn."""

    code = 'no_draw'
    title = N_('The prizes are not drawn yet')
    message = N_('There are no winners to confirm or to tell.')
    cure = N_('Draw them first.')


class SamePerson(Refusal):
    """Who drew may not confirm."""

    code = 'same_person'
    title = N_('A second person must confirm the draw')
    message = N_('Whoever drew the prizes cannot confirm them.')
    cure = N_('Ask a colleague with the role to look at the draw and to confirm it.')


class NotConfirmed(Refusal):
    """One person's draw is not final."""

    code = 'draw_not_confirmed'
    title = N_('The draw is not confirmed yet')
    message = N_('The winners can be told when a second person has confirmed the draw.')


class ContactsGone(Refusal):
    """The contacts were deleted as promised."""

    code = 'contacts_gone'
    title = N_('The contacts are deleted')
    message = N_('Their time was over. The draw itself stays on record.')


def chosen(entries: Sequence[str], prizes: int, seed: int) -> list[str]:
    """The winners among the distinct ``entries``, in the order of the draw.

    Simple random sampling without replacement from the sorted entries by numpy's PCG64: the same
    entries, number of prizes and seed give the same winners.
    """
    ordered = sorted(entries)
    places = np.random.Generator(np.random.PCG64(seed)).permutation(len(ordered))
    return [ordered[place] for place in places[:prizes]]


def draw(
    session: Session,
    slug: str,
    seed: int,
    *,
    vault: Vault,
    actor: str,
    staff_id: int,
    now: datetime,
) -> PrizeDraw:
    """Draw the prizes of a closed wave.

    Raises NoPrizes, StillOpen, DrawnBefore, ContactsGone, NobodySignedUp, NotFound.
    """
    wave, offer = _offer(session, slug)
    if not wave.sealed:
        raise StillOpen
    if session.get(PrizeDraw, wave.id) is not None:
        raise DrawnBefore
    if offer.purged_at is not None:
        raise ContactsGone
    sealed = _sealed(session, wave)
    if not sealed:
        raise NobodySignedUp
    winners = chosen(list(sealed), offer.prizes, seed)
    made = PrizeDraw(
        wave_id=wave.id,
        seed=seed,
        entries=len(sealed),
        entries_sha256=hashlib.sha256('\n'.join(sorted(sealed)).encode()).hexdigest(),
        winners=winners,
        endings=[ending(vault.open(sealed[winner])) for winner in winners],
        drawn_at=now,
        drawn_by=staff_id,
    )
    session.add(made)
    session.flush()
    audit.on_wave(session, wave, 'prizes.draw', actor, now, {'seed': seed, 'entries': len(sealed)})
    return made


def confirm(session: Session, slug: str, *, actor: str, staff_id: int, now: datetime) -> PrizeDraw:
    """Confirm a draw as the second person.

    Raises NoPrizes, NoDraw, SamePerson, ContactsGone, NotFound.
    """
    wave, offer = _offer(session, slug)
    made = _made(session, wave)
    if made.confirmed_at is not None:
        return made
    if made.drawn_by == staff_id:
        raise SamePerson
    if offer.purged_at is not None:
        raise ContactsGone
    made.confirmed_at, made.confirmed_by = now, staff_id
    session.flush()
    audit.on_wave(session, wave, 'prizes.confirm', actor, now, {'winners': len(made.winners)})
    return made


def winners_file(
    session: Session, slug: str, *, vault: Vault, actor: str, now: datetime
) -> tuple[str, bytes]:
    """Name and content of the list of winners, in the order of the draw.

    Raises NoPrizes, NoDraw, NotConfirmed, ContactsGone, NotFound.
    """
    wave, offer = _offer(session, slug)
    made = _made(session, wave)
    if made.confirmed_at is None:
        raise NotConfirmed
    if offer.purged_at is not None:
        raise ContactsGone
    sealed = _sealed(session, wave)
    # Who has asked to be taken off the list since the draw is not told of a prize.
    contacts = [vault.open(sealed[winner]) for winner in made.winners if winner in sealed]
    audit.on_wave(session, wave, 'prizes.export', actor, now, {'winners': len(contacts)})
    return f'{slug}-winners.csv', contacts_csv(contacts)


def public_record(session: Session, slug: str) -> tuple[Wave, ContactOffer, PrizeDraw | None]:
    """What everybody may know of the draw of a wave.  Raises NoPrizes, NotFound."""
    wave, offer = _offer(session, slug, lock=False)
    made = session.get(PrizeDraw, wave.id)
    return wave, offer, made if made is not None and made.confirmed_at is not None else None


def _offer(session: Session, slug: str, *, lock: bool = True) -> tuple[Wave, ContactOffer]:
    wave = access.wave_for(session, slug, lock=lock)
    found = session.get(ContactOffer, wave.id)
    if found is None or not found.prizes or wave.state == 'planned':
        raise NoPrizes
    return wave, found


def _made(session: Session, wave: Wave) -> PrizeDraw:
    made = session.get(PrizeDraw, wave.id)
    if made is None:
        raise NoDraw
    return made


def _sealed(session: Session, wave: Wave) -> dict[str, str]:
    """The sealed contacts of those who take part, by fingerprint."""
    rows = session.execute(
        sa.select(Contact.fingerprint, Contact.sealed_contact).where(
            Contact.wave_id == wave.id, Contact.prize
        )
    )
    return {fingerprint: sealed for fingerprint, sealed in rows}  # noqa: C416 - rows, not pairs
