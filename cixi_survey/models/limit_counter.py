"""Counters of the rate limits, shared by every process that uses the database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base


class LimitCounter(Base):
    """How often a key was used in its present window; ``expires_at`` in Unix seconds."""

    __tablename__ = 'limit_counter'

    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[float] = mapped_column(index=True)
