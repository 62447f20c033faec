"""How to reach people who left a telephone number or an address after answering.

A store of its own: nothing here leads to an answer, and nothing of an answer leads here.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Moment, Sha256
from cixi_survey.models.response import Response
from cixi_survey.models.wave import Wave


class ContactOffer(Base):
    """What a wave offers after the receipt: word of the results, and perhaps a prize draw."""

    __tablename__ = 'contact_offer'
    __table_args__ = (
        sa.CheckConstraint('prizes >= 0', name='prizes'),
        sa.CheckConstraint("prizes = 0 OR (rules_zh <> '' AND rules_en <> '')", name='rules'),
        sa.CheckConstraint('news OR prizes > 0', name='something'),
    )

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    news: Mapped[bool]
    prizes: Mapped[int]
    rules_zh: Mapped[str] = mapped_column(sa.String(1000), default='')
    rules_en: Mapped[str] = mapped_column(sa.String(1000), default='')
    keep_until: Mapped[date]
    purged_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    wave: Mapped[Wave] = relationship()

    @property
    def rules(self) -> dict[str, str]:
        return {'zh': self.rules_zh, 'en': self.rules_en}

    def open_to(self, response: Response, now: datetime) -> tuple[bool, int]:
        """What the sender of ``response`` may sign up for: word of the results, so many prizes.

        Prizes are for the sample: on an open link they would draw prize hunters.
        """
        if not self.wave.is_open(now) or response.outcome != 'complete':
            return False, 0
        return self.news, self.prizes if response.stream == 'probability' else 0


class Contact(Base):
    """One telephone number or e-mail address, encrypted.

    The key is random and there is no time, so that nothing tells when or in which order people
    signed up; closing the wave writes the rows anew in a random order.  ``fingerprint`` is a
    keyed hash of the contact: one person counts once in a draw.  ``removal_hash`` is the keyed
    hash of the number by which it can be taken off the list.
    """

    __tablename__ = 'contact'
    __table_args__ = (
        sa.UniqueConstraint('wave_id', 'fingerprint'),
        sa.CheckConstraint('news OR prize', name='purpose'),
    )

    id: Mapped[Sha256] = mapped_column(primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('contact_offer.wave_id'))
    news: Mapped[bool]
    prize: Mapped[bool]
    sealed_contact: Mapped[str] = mapped_column(sa.String(1000))
    fingerprint: Mapped[Sha256]
    removal_hash: Mapped[Sha256] = mapped_column(unique=True)


class ContactGiven(Base):
    """That the sender of a response has left a contact: so that nobody does it twice.

    Which contact is not said, and closing the wave deletes the row.
    """

    __tablename__ = 'contact_given'

    response_id: Mapped[int] = mapped_column(sa.ForeignKey('response.id'), primary_key=True)


class PrizeDraw(Base):
    """The draw of a wave: reproducible from its seed, valid when a second person has confirmed it.

    ``winners`` are fingerprints in the order of the draw; ``endings`` the last characters of their
    contacts, which is what the public page shows.
    """

    __tablename__ = 'prize_draw'
    __table_args__ = (
        sa.CheckConstraint(
            '(confirmed_at IS NULL) = (confirmed_by IS NULL)', name='confirmed_by_somebody'
        ),
        sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> drawn_by', name='two_people'),
    )

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('contact_offer.wave_id'), primary_key=True)
    seed: Mapped[int] = mapped_column(sa.BigInteger)
    entries: Mapped[int]
    entries_sha256: Mapped[Sha256]
    winners: Mapped[list[str]] = mapped_column(sa.JSON())
    endings: Mapped[list[str]] = mapped_column(sa.JSON())
    drawn_at: Mapped[Moment]
    drawn_by: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    confirmed_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))
