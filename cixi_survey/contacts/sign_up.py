"""Leaving a contact after answering, and taking it off the list again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cixi_survey import codes
from cixi_survey.access import NotFound
from cixi_survey.contacts import address
from cixi_survey.contacts.address import Vault
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Contact, ContactGiven, ContactOffer, Response, Wave


class NothingOffered(Refusal):
    """This wave keeps no list, or the survey is over."""

    status = 404
    code = 'nothing_offered'
    title = N_('There is no list to sign up for')
    message = N_('This survey keeps no list of contacts, or it has ended.')
    cure = N_('The results are published on this site; nobody needs to sign up to read them.')


class AlreadyGiven(Refusal):
    """With this receipt a contact was left before."""

    code = 'already_given'
    title = N_('You have signed up already')
    message = N_('With this receipt a number or an address was left before.')
    cure = N_(
        'To change it, choose “Take me off a list” and enter both the removal number and this '
        'receipt number. Then you can sign up again.'
    )


@dataclass(frozen=True)
class Choice:
    """What somebody may sign up for with a receipt."""

    title: dict[str, str]
    news: bool
    prizes: int
    rules: dict[str, str]
    keep_until: date

    @property
    def only(self) -> list[str]:
        """The one thing there is to sign up for, when there is no choice."""
        things = ['news'] * self.news + ['prize'] * (self.prizes > 0)
        return things if len(things) == 1 else []


def offered(session: Session, reference: str, now: datetime) -> Choice:
    """What the receipt ``reference`` allows.  Raises NotFound, NothingOffered, AlreadyGiven."""
    _response, offer, news, prizes = _door(session, reference, now)
    return Choice(offer.wave.title, news, prizes, offer.rules, offer.keep_until)


def _door(
    session: Session, reference: str, now: datetime, *, lock: bool = False
) -> tuple[Response, ContactOffer, bool, int]:
    query = sa.select(Response).where(Response.reference == reference)
    if lock:  # first the wave, as every writer does: it cannot close before this is committed
        wave = sa.select(Wave).join(Response, Response.wave_id == Wave.id)
        wave = wave.where(Response.reference == reference)
        session.scalars(wave.with_for_update(read=True, key_share=True, of=Wave)).first()
        query = query.with_for_update()
    response = session.scalars(query).first()
    if response is None:
        raise NotFound
    offer = session.get(ContactOffer, response.wave_id)
    news, prizes = offer.open_to(response, now) if offer else (False, 0)
    if offer is None or not (news or prizes):
        raise NothingOffered
    if session.get(ContactGiven, response.id) is not None:
        raise AlreadyGiven
    return response, offer, news, prizes


def sign_up(
    session: Session,
    reference: str,
    contact: str,
    *,
    news: bool,
    prize: bool,
    vault: Vault,
    now: datetime,
) -> str:
    """Put a contact on the list of the receipt's wave; gives the number that takes it off again.

    A contact that is on the list already stays there once; what was chosen is added.
    Raises ProblemsFound (fields ``contact``, ``purpose``), NotFound, NothingOffered, AlreadyGiven.
    """
    response, offer, may_news, prizes = _door(session, reference, now, lock=True)
    news, prize = news and may_news, prize and prizes > 0
    problems = [] if news or prize else [_nothing_chosen()]
    try:
        plain = address.normalise(contact)
    except ProblemsFound as found:
        raise ProblemsFound([*problems, *found.problems]) from None
    if problems:
        raise ProblemsFound(problems)
    number = codes.new_reference()
    values = {
        'id': secrets.token_hex(32),
        'wave_id': offer.wave_id,
        'news': news,
        'prize': prize,
        'sealed_contact': vault.seal(plain),
        'fingerprint': vault.fingerprint(offer.wave_id, plain),
        'removal_hash': vault.removal(number),
    }
    insert = sqlite.insert if session.get_bind().dialect.name == 'sqlite' else postgresql.insert
    session.execute(
        insert(Contact)
        .values(**values)
        .on_conflict_do_update(
            index_elements=['wave_id', 'fingerprint'],
            set_={
                'news': sa.or_(Contact.news, sa.literal(news)),
                'prize': sa.or_(Contact.prize, sa.literal(prize)),
                'removal_hash': values['removal_hash'],
            },
        )
    )
    session.add(ContactGiven(response_id=response.id))
    session.flush()
    return number


def _nothing_chosen() -> Problem:
    return Problem(
        'purpose',
        'purpose_missing',
        N_('Please choose what you want to sign up for.'),
        N_('Or leave this page: nothing is kept.'),
    )


class NotOnTheList(Refusal):
    """No contact has this removal number."""

    status = 404
    code = 'not_on_the_list'
    title = N_('No list has this number')
    message = N_('It is mistyped, or the contact was taken off the list before.')
    cure = N_('Compare it with the number you noted. If it is lost, call the office in charge.')


class NotSignedUp(Refusal):
    """This receipt is not marked as one that signed up for the list in question."""

    status = 404
    code = 'not_signed_up'
    title = N_('Nobody has signed up with this receipt')
    message = N_('It is mistyped, or it belongs to another survey. Nothing has been deleted yet.')
    cure = N_('Compare it with your receipt, or leave this field empty.')


def remove(session: Session, given: str, receipt: str = '', *, vault: Vault) -> None:
    """Delete the contact with this removal number; with ``receipt`` one may sign up again.

    Which receipt a contact came from is kept nowhere, so whoever leaves may say it, and it is not
    kept either.  Each contact that goes frees one receipt: nobody gets a second chance in a draw.
    Raises NotOnTheList, NotSignedUp.
    """
    number = codes.normalise_reference(given)
    wave_id = number and session.scalar(
        sa.delete(Contact)
        .where(Contact.removal_hash == vault.removal(number))
        .returning(Contact.wave_id)
    )
    if not wave_id:
        raise NotOnTheList
    if receipt.strip():
        _free(session, codes.normalise_reference(receipt) or '', wave_id)


def _free(session: Session, reference: str, wave_id: int) -> None:
    of_receipt = sa.select(Response.id).where(
        Response.reference == reference, Response.wave_id == wave_id
    )
    freed = session.execute(sa.delete(ContactGiven).where(ContactGiven.response_id.in_(of_receipt)))
    if not freed.rowcount:  # type: ignore[attr-defined]
        raise NotSignedUp
