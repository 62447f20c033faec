"""Published questionnaire versions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Moment, Sha256


class QuestionnaireVersion(Base):
    """An immutable version, named by the SHA-256 of its canonical definition.

    A trigger of the migration refuses every UPDATE and DELETE.
    """

    __tablename__ = 'questionnaire_version'

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(64), index=True)
    definition: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.Text)
    published_at: Mapped[Moment]
    published_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))
