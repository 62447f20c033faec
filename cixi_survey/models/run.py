"""Estimation runs and what was published from them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.models.base import Base, Key, Moment, Sha256
from cixi_survey.models.wave import Wave


class Run(Base):
    """A frozen computation: inputs by hash, options, software, every figure.

    A trigger of the migration refuses every UPDATE and DELETE.
    """

    __tablename__ = 'run'
    __table_args__ = (sa.UniqueConstraint('id', 'wave_id'),)

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), index=True)
    dataset_sha256: Mapped[Sha256]
    version_sha256: Mapped[Sha256] = mapped_column(sa.ForeignKey('questionnaire_version.sha256'))
    options: Mapped[str] = mapped_column(sa.Text)
    software: Mapped[str] = mapped_column(sa.String(200))
    figures: Mapped[str] = mapped_column(sa.Text)
    figures_sha256: Mapped[Sha256]
    made_at: Mapped[Moment]
    made_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))

    wave: Mapped[Wave] = relationship()


class Publication(Base):
    """What the public sees of a run, after disclosure control; a revision is a new row."""

    __tablename__ = 'publication'
    __table_args__ = (
        sa.ForeignKeyConstraint(['run_id', 'wave_id'], ['run.id', 'run.wave_id']),
        sa.UniqueConstraint('wave_id', 'revision'),
        sa.CheckConstraint("revision = 1 OR reason <> ''", name='revision_explained'),
    )

    id: Mapped[Key]
    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'))
    run_id: Mapped[int]
    revision: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(1000), default='')
    result: Mapped[str] = mapped_column(sa.Text)
    result_sha256: Mapped[Sha256]
    published_at: Mapped[Moment]
    published_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))

    wave: Mapped[Wave] = relationship(foreign_keys='Publication.wave_id')
    run: Mapped[Run] = relationship(
        foreign_keys='Publication.run_id', primaryjoin='Publication.run_id == Run.id', viewonly=True
    )
