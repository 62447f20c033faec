"""Sampling frames and the draws made from them, in one stage or in two."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Json, Key, Moment, Sha256, TownCode, VillageCode

TWO_STAGE = 'two_stage'


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


class VillageFrame(Base):
    """The villages and communities of a wave with their sizes: what a first stage draws from.

    ``sha256`` is that of the rows in the order of their codes, whatever file they came in.
    """

    __tablename__ = 'village_frame'

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), unique=True)
    filename: Mapped[str] = mapped_column(sa.String(200))
    source: Mapped[str] = mapped_column(sa.String(300))
    demonstration: Mapped[bool]
    sha256: Mapped[Sha256]
    villages: Mapped[int]
    loaded_at: Mapped[Moment]
    loaded_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))


class FrameVillage(Base):
    """One village or community of a frame; ``size`` is its number of adults."""

    __tablename__ = 'frame_village'
    __table_args__ = (sa.CheckConstraint('size > 0', name='size'),)

    frame_id: Mapped[int] = mapped_column(sa.ForeignKey('village_frame.id'), primary_key=True)
    psu: Mapped[VillageCode] = mapped_column(primary_key=True)
    stratum: Mapped[TownCode]
    size: Mapped[int]


class VillageDraw(Base):
    """The first stage of a sample: how the villages were drawn.

    ``towns`` holds for each town code how many ``villages`` out of how many (``of``), how many of
    them for certain, how many ``persons`` for each, and the ``rate`` that the finite population
    correction takes for the villages left to chance.
    """

    __tablename__ = 'village_draw'

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), unique=True)
    frame_id: Mapped[int] = mapped_column(sa.ForeignKey('village_frame.id'))
    frame_sha256: Mapped[Sha256]
    seed: Mapped[int] = mapped_column(sa.BigInteger)
    towns: Mapped[Json]
    drawn_at: Mapped[Moment]
    drawn_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))


class DrawnVillage(Base):
    """A village in the sample, with its chance to get there and how many persons it gives.

    ``listed`` and ``drawn`` (units of its list, and of those in the sample) are known from the
    second stage on.  It names nobody and so stays when the wave closes.
    """

    __tablename__ = 'drawn_village'
    __table_args__ = (
        sa.CheckConstraint('probability > 0 AND probability <= 1', name='probability'),
        sa.CheckConstraint('persons > 0', name='persons'),
        sa.CheckConstraint('drawn <= listed', name='drawn'),
    )

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    psu: Mapped[VillageCode] = mapped_column(primary_key=True)
    stratum: Mapped[TownCode]
    size: Mapped[int]
    probability: Mapped[float]
    persons: Mapped[int]
    listed: Mapped[int | None]
    drawn: Mapped[int | None]

    @property
    def certain(self) -> bool:
        """Whether it is in every sample, so that its persons carry the variance."""
        return self.probability == 1


class SampleDraw(Base):
    """A drawn sample: with frame and seed it can be drawn again to the same list.

    ``frame_sha256`` is that of the file that was loaded, ``list_sha256`` that of the rows that were
    drawn from, ``sample_sha256`` that of the drawn ones; samples of old have the first only.

    ``reserve`` is the rule by which replicates may be released (``waves.reserve.Rule``).
    ``released`` says how many were, and by place (the town, or the village where villages were
    drawn first) the units of the sample as it was drawn and those that came to it.  Every
    invitation keeps the chance of the sample as it was drawn until the wave closes; ``growth``
    makes of it that of the whole.
    """

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
    list_sha256: Mapped[Sha256 | None]
    sample_sha256: Mapped[Sha256 | None]
    reserve: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    released: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))

    @property
    def released_replicates(self) -> int:
        return int(self.released['replicates']) if self.released else 0

    def growth(self, town: str, village: str) -> float:
        """By how much the released replicates have raised the chance of the units of a place."""
        drawn, more = (
            (self.released or {}).get('places', {}).get(village if self.two_stage else town, (1, 0))
        )
        return float((drawn + more) / drawn)

    @property
    def two_stage(self) -> bool:
        """Whether villages were drawn first."""
        return self.allocation == TWO_STAGE
