"""Links by which anybody may try a questionnaire out."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Key, Moment
from cixi_survey.models.staff import Staff


class TrialLink(Base):
    """A test link to a draft or to a published version, good until ``expires_at`` or ``ended_at``.

    Nothing refers to it: what is entered behind it is kept nowhere.
    """

    __tablename__ = 'trial_link'
    __table_args__ = (
        sa.CheckConstraint('(draft_id IS NULL) <> (version_sha256 IS NULL)', name='one_subject'),
        sa.CheckConstraint('expires_at > made_at', name='order_of_times'),
        # An address must not lead to another link that was given the number of a deleted one.
        {'sqlite_autoincrement': True},
    )

    id: Mapped[Key]
    draft_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey('questionnaire_draft.id', ondelete='CASCADE'), index=True
    )
    version_sha256: Mapped[str | None] = mapped_column(
        sa.String(64), sa.ForeignKey('questionnaire_version.sha256'), index=True
    )
    made_at: Mapped[Moment]
    made_by: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'))
    expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime())

    maker: Mapped[Staff] = relationship()
