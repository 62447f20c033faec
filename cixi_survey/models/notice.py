"""Privacy notices as residents read them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cixi_survey.models.base import Base, Moment, Sha256


class Notice(Base):
    """One privacy notice, word for word, in every language (JSON); frozen.

    It is named by the SHA-256 of its content, so a response that names it says exactly what its
    sender agreed to, whatever later programs and questionnaires say.
    """

    __tablename__ = 'notice'

    sha256: Mapped[Sha256] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(sa.String(40))
    content: Mapped[str] = mapped_column(sa.Text)
    made_at: Mapped[Moment]
