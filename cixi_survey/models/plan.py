"""The plan of a wave: the question that its size answers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Json, Moment


class WavePlan(Base):
    """The question of the planner and what it came to, as saved with the wave."""

    __tablename__ = 'wave_plan'

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    question: Mapped[Json]
    answers: Mapped[int]
    addresses: Mapped[int]
    saved_at: Mapped[Moment]
    saved_by: Mapped[str] = mapped_column(sa.String(64))
