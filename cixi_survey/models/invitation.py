"""Sampled units, their codes and their outcomes: the collection side."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.models.base import Base, Key, Sha256, TownCode, VillageCode, one_of
from cixi_survey.models.wave import Wave

OUTCOMES = ('pending', 'complete', 'refusal', 'ineligible')


class Invitation(Base):
    """One sampled unit of a wave and its code.

    The code is kept only as a keyed hash.  There is no time of answering here and the key order
    is that of the draw, so that after closing nothing leads from an invitation to its answers.
    ``probability`` is the inclusion probability of the unit over all stages; ``frame_count`` is the
    number of units in the list it was drawn from, which is that of its town, or of its village
    where villages were drawn first (``DrawnVillage`` has the first stage).  The base weight of the
    answering adult is size / probability.
    When the wave closes the rows become nameless: name, village and code go, in a new order, and
    what is left is how many units of which design value ended how.
    """

    __tablename__ = 'invitation'
    __table_args__ = (
        sa.UniqueConstraint('wave_id', 'unit'),
        one_of('outcome', OUTCOMES),
        sa.CheckConstraint('probability > 0 AND probability <= 1', name='probability'),
    )

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'))
    stratum: Mapped[TownCode]
    psu: Mapped[VillageCode]
    unit: Mapped[str] = mapped_column(sa.String(200))
    size: Mapped[int]
    probability: Mapped[float]
    frame_count: Mapped[int]
    code_hash: Mapped[Sha256 | None] = mapped_column(unique=True)
    outcome: Mapped[str] = mapped_column(sa.String(12), default='pending')

    wave: Mapped[Wave] = relationship()

    @property
    def base_weight(self) -> float:
        """Adults represented by the one adult who answers here."""
        return self.size / self.probability


class ClosedCode(Base):
    """A code of a wave that is over: so that its letter still leads to the right page.

    Nothing else is kept of a code after closing, least of all its household.
    """

    __tablename__ = 'closed_code'

    code_hash: Mapped[Sha256] = mapped_column(primary_key=True)
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), index=True)
