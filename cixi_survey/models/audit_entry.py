"""The audit trail of what staff did."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Json, Key, Moment, Sha256


class AuditEntry(Base):
    """One act.  Each entry carries the hash of the one before, so a removed or edited one shows."""

    __tablename__ = 'audit_entry'

    id: Mapped[Key]
    at: Mapped[Moment]
    actor: Mapped[str] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(60), index=True)
    subject: Mapped[str] = mapped_column(sa.String(100), index=True)
    details: Mapped[Json]
    previous: Mapped[Sha256] = mapped_column(unique=True)
    digest: Mapped[Sha256] = mapped_column(unique=True)
