"""Responses and the drafts before them: the answer side."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Json, Key, Moment, Sha256, TownCode, VillageCode, one_of
from cixi_survey.models.wave import Wave

STREAMS = ('probability', 'open')
RESPONSE_OUTCOMES = ('complete', 'refusal', 'ineligible')
MODES = ('web', 'paper', 'interviewer')


class Response(Base):
    """What one person sent, once.

    Constraints keep the rules: one response per submission and per invitation, the version is that
    of the wave, the stream is probability or open, a probability response carries its design
    values and, until the wave is sealed, its invitation; an open one has none of them.

    The consent is ``notice_sha256`` (what was read), ``consented_at`` (when it was agreed to; empty
    for who did not) and ``mode`` (how).  Triggers refuse to change a response except by a
    withdrawal before the wave is sealed or when the wave's answers are erased; both empty the
    answers.  In a wave on statutory ground a withdrawal keeps them in ``locked``, encrypted.
    """

    __tablename__ = 'response'
    __table_args__ = (
        sa.ForeignKeyConstraint(['wave_id', 'version_sha256'], ['wave.id', 'wave.version_sha256']),
        sa.ForeignKeyConstraint(
            ['wave_id', 'sealed'],
            ['wave.id', 'wave.sealed'],
            onupdate='CASCADE',
            deferrable=True,
            initially='DEFERRED',
            name='fk_response_sealed_wave',
        ),
        one_of('stream', STREAMS),
        one_of('outcome', RESPONSE_OUTCOMES),
        one_of('mode', MODES),
        sa.CheckConstraint(
            'locked IS NULL OR withdrawn_at IS NOT NULL', name='locked_when_withdrawn'
        ),
        sa.CheckConstraint(
            "(stream = 'probability' AND stratum IS NOT NULL AND psu IS NOT NULL "
            'AND base_weight IS NOT NULL AND base_weight > 0 '
            'AND frame_count IS NOT NULL AND frame_count > 0) OR '
            "(stream = 'open' AND invitation_id IS NULL AND stratum IS NULL AND psu IS NULL "
            'AND base_weight IS NULL AND frame_count IS NULL)',
            name='design_of_stream',
        ),
        sa.CheckConstraint('NOT sealed OR invitation_id IS NULL', name='sealed_without_invitation'),
        sa.CheckConstraint(
            "sealed OR stream = 'open' OR invitation_id IS NOT NULL", name='invited_until_sealed'
        ),
        sa.Index('ix_response_wave_id_stream', 'wave_id', 'stream'),
    )

    id: Mapped[Key]
    reference: Mapped[str] = mapped_column(sa.String(12), unique=True)
    submission_id: Mapped[str] = mapped_column(sa.String(32), unique=True)
    wave_id: Mapped[int]
    version_sha256: Mapped[Sha256]
    sealed: Mapped[bool] = mapped_column(default=False)
    stream: Mapped[str] = mapped_column(sa.String(12))
    outcome: Mapped[str] = mapped_column(sa.String(12))
    invitation_id: Mapped[int | None] = mapped_column(sa.ForeignKey('invitation.id'), unique=True)
    stratum: Mapped[TownCode | None]
    psu: Mapped[VillageCode | None]
    base_weight: Mapped[float | None]
    frame_count: Mapped[int | None]
    answers: Mapped[str] = mapped_column(sa.Text)
    answers_sha256: Mapped[Sha256]
    language: Mapped[str] = mapped_column(sa.String(8))
    channel: Mapped[str] = mapped_column(sa.String(40), default='')
    notice_version: Mapped[str] = mapped_column(sa.String(40))
    notice_sha256: Mapped[Sha256 | None] = mapped_column(sa.ForeignKey('notice.sha256'))
    consented_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    mode: Mapped[str] = mapped_column(sa.String(12), default='web')
    started_at: Mapped[Moment]
    submitted_at: Mapped[Moment]
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    locked: Mapped[str | None] = mapped_column(sa.Text)

    wave: Mapped[Wave] = relationship(
        foreign_keys='Response.wave_id', primaryjoin='Response.wave_id == Wave.id', viewonly=True
    )


class ScreenedOut(Base):
    """How often an interview ended so that nothing of it may be kept, as with children.

    A count and nothing else: no person, no time, no place, no code.
    """

    __tablename__ = 'screened_out'
    __table_args__ = (one_of('outcome', RESPONSE_OUTCOMES),)

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    outcome: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    count: Mapped[int]


class Draft(Base):
    """Answers on their way, kept from section to section; one per code, deleted when sent.

    ``revision`` grows with each save: a save that names an older one is from a stale tab.
    ``consented_at`` is when the person first agreed, if so.
    """

    __tablename__ = 'draft'

    submission_id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), index=True)
    invitation_id: Mapped[int | None] = mapped_column(sa.ForeignKey('invitation.id'), unique=True)
    revision: Mapped[int]
    answers: Mapped[Json]
    section: Mapped[str] = mapped_column(sa.String(40), default='')
    channel: Mapped[str] = mapped_column(sa.String(40), default='')
    started_at: Mapped[Moment]
    saved_at: Mapped[Moment]
    consented_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
