"""The lists of a wave as staff keep them: what is offered, how many signed up, export, deletion."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, clock
from cixi_survey.contacts.address import Vault
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Contact, ContactOffer, PrizeDraw, Publication, Wave


class OfferFixed(Refusal):
    """People answer under the rules that they read."""

    code = 'offer_fixed'
    title = N_('What was offered can no longer be changed')
    message = N_('“%(title)s” has been opened; whoever signs up relies on the rules shown then.')


class NotYetPublished(Refusal):
    """The list of those who want to hear the results is for the day of the results."""

    code = 'not_yet_published'
    title = N_('The results are not published yet')
    message = N_('The list may be taken out when there is something to tell.')
    cure = N_('Publish the results first.')


@dataclass(frozen=True)
class Offer:
    """What a wave offers: word of the results, a number of prizes with their rules, until when."""

    news: bool
    prizes: int
    rules_zh: str
    rules_en: str
    keep_until: date


@dataclass(frozen=True)
class Lists:
    """Where the lists of a wave stand.  No contact is in here."""

    wave: Wave
    offer: ContactOffer | None
    news: int
    entries: int
    draw: PrizeDraw | None
    published: bool


def of(session: Session, slug: str) -> Lists:
    """The lists of a wave.  Raises NotFound."""
    wave = access.wave_for(session, slug)
    counts = sa.select(
        sa.func.count().filter(Contact.news), sa.func.count().filter(Contact.prize)
    ).where(Contact.wave_id == wave.id)
    news, entries = session.execute(counts).one()
    published = session.scalar(
        sa.select(Publication.id).where(Publication.wave_id == wave.id).limit(1)
    )
    return Lists(
        wave=wave,
        offer=session.get(ContactOffer, wave.id),
        news=news,
        entries=entries,
        draw=session.get(PrizeDraw, wave.id),
        published=published is not None,
    )


def offer(session: Session, slug: str, wanted: Offer | None, *, actor: str, now: datetime) -> None:
    """Set what a planned wave offers; None offers nothing.

    Raises OfferFixed, ProblemsFound (fields of ``Offer``), NotFound.
    """
    wave = access.wave_for(session, slug, lock=True)
    if wave.state != 'planned':
        raise OfferFixed(title=wave.title)
    if wanted is not None:
        problems = _problems(wanted, wave)
        if problems:
            raise ProblemsFound(problems)
    session.execute(sa.delete(ContactOffer).where(ContactOffer.wave_id == wave.id))
    details: dict[str, object] = {'offer': 'nothing'}
    if wanted is not None:
        session.add(ContactOffer(wave_id=wave.id, **vars(wanted)))
        details = {**vars(wanted), 'keep_until': wanted.keep_until.isoformat()}
    session.flush()
    audit.on_wave(session, wave, 'contacts.offer', actor, now, details)


def _problems(wanted: Offer, wave: Wave) -> list[Problem]:
    problems = []
    if not wanted.news and not wanted.prizes:
        message = N_('Neither word of the results nor a prize would be offered.')
        cure = N_('Choose one of them, or choose to offer nothing.')
        problems.append(Problem('news', 'nothing_offered', message, cure))
    for name in ('rules_zh', 'rules_en') if wanted.prizes else ():
        if not getattr(wanted, name).strip():
            message = N_('The rules of the draw are missing.')
            cure = N_('Say what can be won, who draws, when and where, and how winners are told.')
            problems.append(Problem(name, 'rules_missing', message, cure))
    if wanted.keep_until <= clock.local(wave.closes_at).date():
        message = N_('The contacts would be deleted before the wave closes.')
        cure = N_('Choose a day after %(closes)s, late enough to draw and to tell people.')
        values = {'closes': clock.local(wave.closes_at).date()}
        problems.append(Problem('keep_until', 'kept_too_short', message, cure, values))
    return problems


def news_file(
    session: Session, slug: str, *, vault: Vault, actor: str, now: datetime
) -> tuple[str, bytes]:
    """Name and content of the list of those who want to hear the results, for an SMS gateway.

    Raises NotYetPublished, NotFound.
    """
    lists = of(session, slug)
    if not lists.published:
        raise NotYetPublished
    sealed = session.scalars(
        sa.select(Contact.sealed_contact).where(Contact.wave_id == lists.wave.id, Contact.news)
    )
    contacts = sorted(vault.open(one) for one in sealed)
    audit.on_wave(session, lists.wave, 'contacts.export', actor, now, {'contacts': len(contacts)})
    return f'{slug}-contacts.csv', contacts_csv(contacts)


def contacts_csv(contacts: list[str]) -> bytes:
    """A column of contacts as a spreadsheet opens it without spoiling long numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(['contact', 'kind'])
    for contact in contacts:
        mail = '@' in contact
        # A tab keeps Excel from reading a number, or a formula, where there is an address.
        writer.writerow([f'\t{contact}', 'e-mail' if mail else 'mobile'])
    return text.getvalue().encode('utf-8-sig')


def purge(session: Session, now: datetime) -> int:
    """Delete every contact whose day has come; gives how many.  Harmless when repeated."""
    today = clock.local(now).date()
    due = session.scalars(
        sa.select(ContactOffer)
        .where(ContactOffer.keep_until < today, ContactOffer.purged_at.is_(None))
        .with_for_update(skip_locked=True)
    ).all()
    return sum(_purge(session, each, 'retention', now) for each in due)


def purge_now(session: Session, slug: str, *, actor: str, now: datetime) -> int:
    """Delete the contacts of a wave before their day.  Raises NotFound."""
    wave = access.wave_for(session, slug, lock=True)
    found = session.get(ContactOffer, wave.id)
    if found is None:
        raise access.NotFound
    return _purge(session, found, actor, now)


def _purge(session: Session, due: ContactOffer, actor: str, now: datetime) -> int:
    gone = session.execute(sa.delete(Contact).where(Contact.wave_id == due.wave_id))
    count: int = gone.rowcount  # type: ignore[attr-defined]
    drawn = session.get(PrizeDraw, due.wave_id)
    if drawn is not None:
        drawn.winners = []
    due.purged_at = now
    session.flush()
    audit.on_wave(session, due.wave, 'contacts.purge', actor, now, {'contacts': count})
    return count
