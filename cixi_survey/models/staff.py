"""Staff accounts, their roles and their sessions."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Key, Moment, one_of

ROLES = ('administrator', 'organiser', 'statistician')


class Staff(Base):
    """A person who works with the platform.  A left one is deactivated, never deleted."""

    __tablename__ = 'staff'

    id: Mapped[Key]
    username: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[Moment]
    deactivated_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    roles: Mapped[list[StaffRole]] = relationship(
        back_populates='staff', cascade='all, delete-orphan', lazy='selectin'
    )


class StaffRole(Base):
    """One role of one person."""

    __tablename__ = 'staff_role'
    __table_args__ = (one_of('role', ROLES),)

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'), primary_key=True)
    role: Mapped[str] = mapped_column(sa.String(20), primary_key=True)

    staff: Mapped[Staff] = relationship(back_populates='roles')


class StaffSession(Base):
    """A signed-in browser: its random id is all that the cookie holds, so it can be revoked."""

    __tablename__ = 'staff_session'

    id: Mapped[str] = mapped_column(sa.String(43), primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'), index=True)
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment]

    staff: Mapped[Staff] = relationship(lazy='joined')
