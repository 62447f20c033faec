"""Sampling frames and the draws made from them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Json, Key, Moment, Sha256, TownCode, VillageCode


class Frame(Base):
    """A list from which samples are drawn, as it was loaded: never edited, loaded anew instead."""

    __tablename__ = 'frame'

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), unique=True)
    filename: Mapped[str] = mapped_column(sa.String(200))
    source: Mapped[str] = mapped_column(sa.String(300))
    sha256: Mapped[Sha256]
    units: Mapped[int]
    loaded_at: Mapped[Moment]
    loaded_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))


class FrameUnit(Base):
    """One unit of a frame: an address (household) or a person.

    ``size`` is the number of eligible adults at the unit, 1 for a list of persons.
    """

    __tablename__ = 'frame_unit'
    __table_args__ = (
        sa.UniqueConstraint('frame_id', 'unit'),
        sa.CheckConstraint('size > 0', name='size'),
    )

    id: Mapped[Key]
    frame_id: Mapped[int] = mapped_column(sa.ForeignKey('frame.id'))
    stratum: Mapped[TownCode]
    psu: Mapped[VillageCode]
    unit: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int]


class SampleDraw(Base):
    """A drawn sample: with frame and seed it can be drawn again to the same list."""

    __tablename__ = 'sample_draw'

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), unique=True)
    frame_id: Mapped[int] = mapped_column(sa.ForeignKey('frame.id'))
    frame_sha256: Mapped[Sha256]
    seed: Mapped[int] = mapped_column(sa.BigInteger)
    allocation: Mapped[str] = mapped_column(sa.String(20))
    allocated: Mapped[Json]
    drawn_at: Mapped[Moment]
    drawn_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))
