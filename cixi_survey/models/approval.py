"""The second pair of eyes before a wave opens."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Json, Key, Moment, Sha256, one_of

DECISIONS = ('', 'approved', 'returned', 'taken_back')


class WaveApproval(Base):
    """That somebody asked to open a wave, what exactly, and what a second person decided.

    ``content`` is all that opening fixes, ``sha256`` its digest: a wave that is no longer the same
    needs another approval.  The database keeps one person from being both.
    """

    __tablename__ = 'wave_approval'
    __table_args__ = (
        one_of('decision', DECISIONS),
        sa.CheckConstraint(
            "decision NOT IN ('approved', 'returned') OR decided_by <> asked_by",
            name='second_person',
        ),
        sa.CheckConstraint("(decision = '') = (decided_at IS NULL)", name='decided'),
    )

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), index=True)
    content: Mapped[Json]
    sha256: Mapped[Sha256]
    asked_at: Mapped[Moment]
    asked_by: Mapped[str] = mapped_column(sa.String(64))
    decision: Mapped[str] = mapped_column(sa.String(12), default='')
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    decided_by: Mapped[str] = mapped_column(sa.String(64), default='')
    remark: Mapped[str] = mapped_column(sa.String(1000), default='')
