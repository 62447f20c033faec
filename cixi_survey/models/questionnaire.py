"""Published questionnaire versions, and drafts of the next ones."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey.models.base import Base, Key, Moment, Sha256
from cixi_survey.models.staff import Staff


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


class QuestionnaireDraft(Base):
    """A questionnaire that is being written; ``source``, its file, is the only truth about it.

    ``revision`` grows with each save.  ``published_sha256`` and ``published_revision`` say what
    was published from it last.
    """

    __tablename__ = 'questionnaire_draft'
    __table_args__ = (
        sa.CheckConstraint('revision > 0', name='revision'),
        sa.CheckConstraint(
            '(published_sha256 IS NULL) = (published_revision IS NULL)', name='published'
        ),
        # An old tab must not save into another draft that was given the number of a deleted one.
        {'sqlite_autoincrement': True},
    )

    id: Mapped[Key]
    title: Mapped[str] = mapped_column(sa.String(200))
    source: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(default=1)
    based_on: Mapped[str | None] = mapped_column(
        sa.String(64), sa.ForeignKey('questionnaire_version.sha256')
    )
    published_sha256: Mapped[str | None] = mapped_column(
        sa.String(64), sa.ForeignKey('questionnaire_version.sha256')
    )
    published_revision: Mapped[int | None]
    created_at: Mapped[Moment]
    created_by: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'))
    changed_at: Mapped[Moment]
    changed_by: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'))

    changer: Mapped[Staff] = relationship(foreign_keys='QuestionnaireDraft.changed_by')


class QuestionnaireDraftSave(Base):
    """One state of a draft's file, kept so that a save can be undone; only the last ones are.

    ``parent`` is the revision that undoing leads back to.  ``faults`` counts what the checks said.
    """

    __tablename__ = 'questionnaire_draft_save'

    draft_id: Mapped[int] = mapped_column(
        sa.ForeignKey('questionnaire_draft.id', ondelete='CASCADE'), primary_key=True
    )
    revision: Mapped[int] = mapped_column(primary_key=True)
    parent: Mapped[int | None]
    source: Mapped[str] = mapped_column(sa.Text)
    act: Mapped[str] = mapped_column(sa.String(20))
    subject: Mapped[str] = mapped_column(sa.String(200), default='')
    faults: Mapped[int]
    saved_at: Mapped[Moment]
    saved_by: Mapped[int] = mapped_column(sa.ForeignKey('staff.id'))

    saver: Mapped[Staff] = relationship()
