"""Drafts of questionnaires: made, saved, undone, deleted; the file is the only truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from cixi_survey import access, audit, versions
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import QuestionnaireDraft, QuestionnaireDraftSave
from cixi_survey.questionnaire import definition, editing, source
from cixi_survey.versions import Published

SAVES_KEPT = 80
# Saves of one person at one place within this time are one step for undoing.
TYPING = timedelta(minutes=2)
TITLE_MOST = 200

ACTS = {
    'create': N_('Draft made'),
    'edit': N_('Changed'),
    'add': N_('Added'),
    'copy': N_('Copied'),
    'move': N_('Moved'),
    'remove': N_('Removed'),
    'translate': N_('Translations changed'),
    'write': N_('File changed by hand'),
    'undo': N_('Undone'),
    'restore': N_('Earlier state restored'),
}


class NothingToUndo(Refusal):
    """The draft stands at its first state that is kept."""

    code = 'nothing_to_undo'
    title = N_('There is nothing to undo')
    message = N_('This is the oldest state of the draft that is kept.')


class DraftMoved(Exception):
    """Somebody saved the draft since the revision that the new state was made from."""


@dataclass(frozen=True)
class Writer:
    """Who writes, as the record and the tables name them."""

    actor: str
    staff_id: int


@dataclass(frozen=True)
class Edit:
    """A new state of the file and what was done: one of ``ACTS``, and to what."""

    source: str
    act: str
    subject: str = ''
    typing: bool = False
    """Saved while somebody types: a step with the save before it, for undoing."""


def create(
    session: Session, text: str, writer: Writer, now: datetime, *, based_on: str | None = None
) -> QuestionnaireDraft:
    """A new draft with this file, whatever its faults; ``based_on`` names a published version."""
    text = editing.tidied(text)
    draft = QuestionnaireDraft(
        title=title_of(text) or '',
        source=text,
        based_on=based_on,
        created_at=now,
        created_by=writer.staff_id,
        changed_at=now,
        changed_by=writer.staff_id,
    )
    session.add(draft)
    session.flush()
    session.add(_saved(draft, Edit(text, 'create'), None, _faults(text)))
    _record(session, 'draft.create', draft, writer, now, based_on=based_on or '')
    return draft


def every(session: Session) -> Sequence[QuestionnaireDraft]:
    """Every draft, the last changed first."""
    query = (
        sa.select(QuestionnaireDraft)
        .options(joinedload(QuestionnaireDraft.changer))
        .order_by(QuestionnaireDraft.changed_at.desc(), QuestionnaireDraft.id.desc())
    )
    return session.scalars(query).all()


def find(session: Session, draft_id: int) -> QuestionnaireDraft:
    """One draft with who changed it last.  Raises access.NotFound."""
    query = sa.select(QuestionnaireDraft).where(QuestionnaireDraft.id == draft_id)
    found = session.scalars(query.options(joinedload(QuestionnaireDraft.changer))).first()
    if found is None:
        raise access.NotFound
    return found


def saves(session: Session, draft_id: int) -> Sequence[QuestionnaireDraftSave]:
    """The states that are kept, the latest first."""
    query = (
        sa.select(QuestionnaireDraftSave)
        .options(joinedload(QuestionnaireDraftSave.saver))
        .where(QuestionnaireDraftSave.draft_id == draft_id)
        .order_by(QuestionnaireDraftSave.revision.desc())
    )
    return session.scalars(query).all()


def save(
    session: Session, draft_id: int, edit: Edit, writer: Writer, now: datetime, *, seen: int
) -> QuestionnaireDraft:
    """Store a new state of the file, made from revision ``seen``.

    Raises DraftMoved when that is not the newest any more, access.NotFound.
    """
    draft = _locked(session, draft_id)
    if draft.revision != seen:
        raise DraftMoved
    if edit.source == draft.source:
        return draft
    return _store(
        session, draft, edit, writer, now, parent=draft.revision, faults=_faults(edit.source)
    )


def undo(session: Session, draft_id: int, writer: Writer, now: datetime) -> QuestionnaireDraft:
    """Go back to the state before the last step; once more goes back one more.

    Raises NothingToUndo, access.NotFound.
    """
    draft = _locked(session, draft_id)
    last = session.get_one(QuestionnaireDraftSave, (draft_id, draft.revision))
    before = session.get(QuestionnaireDraftSave, (draft_id, last.parent)) if last.parent else None
    if before is None:
        raise NothingToUndo
    edit = Edit(before.source, 'undo', last.subject)
    return _store(session, draft, edit, writer, now, parent=before.parent, faults=before.faults)


def restore(
    session: Session, draft_id: int, revision: int, writer: Writer, now: datetime
) -> QuestionnaireDraft:
    """Make an earlier state the newest.  Raises access.NotFound when it is not kept."""
    draft = _locked(session, draft_id)
    found = session.get(QuestionnaireDraftSave, (draft_id, revision))
    if found is None:
        raise access.NotFound
    edit = Edit(found.source, 'restore', str(revision))
    return _store(session, draft, edit, writer, now, parent=draft.revision, faults=found.faults)


def publish(
    session: Session, draft_id: int, writer: Writer, now: datetime, *, seen: int
) -> Published:
    """Publish revision ``seen`` of a draft as an immutable version.

    Raises DraftMoved when that is not the newest any more, ProblemsFound, access.NotFound.
    """
    draft = _locked(session, draft_id)
    if draft.revision != seen:
        raise DraftMoved
    published = versions.publish(
        session,
        draft.source.encode(),
        filename=f'draft {draft.id}',
        actor=writer.actor,
        now=now,
        staff_id=writer.staff_id,
    )
    draft.published_sha256, draft.published_revision = published.sha256, draft.revision
    session.flush()
    return published


def delete(session: Session, draft_id: int, writer: Writer, now: datetime) -> None:
    """Delete a draft with its states; what was published from it stays.

    Raises access.NotFound.
    """
    draft = _locked(session, draft_id)
    session.execute(
        sa.delete(QuestionnaireDraftSave).where(QuestionnaireDraftSave.draft_id == draft_id)
    )
    session.delete(draft)
    session.flush()
    _record(session, 'draft.delete', draft, writer, now)


def title_of(text: str) -> str | None:
    """The title that the file gives itself; None when it has none that can be read."""
    data = source.read(text).data
    titles = data.get('title') if isinstance(data, dict) else None
    words = titles.values() if isinstance(titles, dict) else (titles,)
    found = next((each for each in words if isinstance(each, str) and each.strip()), None)
    return found.strip()[:TITLE_MOST] if found else None


def _locked(session: Session, draft_id: int) -> QuestionnaireDraft:
    query = sa.select(QuestionnaireDraft).where(QuestionnaireDraft.id == draft_id)
    found = session.scalars(query.with_for_update()).first()
    if found is None:
        raise access.NotFound
    return found


def _store(
    session: Session,
    draft: QuestionnaireDraft,
    edit: Edit,
    writer: Writer,
    now: datetime,
    *,
    parent: int | None,
    faults: int,
) -> QuestionnaireDraft:
    last = session.get_one(QuestionnaireDraftSave, (draft.id, draft.revision))
    joins = (
        edit.typing
        and (last.act, last.subject, last.saved_by) == (edit.act, edit.subject, writer.staff_id)
        and now - last.saved_at <= TYPING
    )
    if joins:
        parent = last.parent
        session.delete(last)
        session.flush()
    draft.source = edit.source
    draft.title = title_of(edit.source) or draft.title
    draft.revision += 1
    draft.changed_at, draft.changed_by = now, writer.staff_id
    session.add(_saved(draft, edit, parent, faults))
    session.execute(
        sa.delete(QuestionnaireDraftSave).where(
            QuestionnaireDraftSave.draft_id == draft.id,
            QuestionnaireDraftSave.revision <= draft.revision - SAVES_KEPT,
        )
    )
    session.flush()
    return draft


def _faults(text: str) -> int:
    return len(definition.check_text(text))


def _saved(
    draft: QuestionnaireDraft, edit: Edit, parent: int | None, faults: int
) -> QuestionnaireDraftSave:
    return QuestionnaireDraftSave(
        draft_id=draft.id,
        revision=draft.revision,
        parent=parent,
        source=edit.source,
        act=edit.act,
        subject=edit.subject[:TITLE_MOST],
        faults=faults,
        saved_at=draft.changed_at,
        saved_by=draft.changed_by,
    )


def _record(
    session: Session,
    action: str,
    draft: QuestionnaireDraft,
    writer: Writer,
    now: datetime,
    **details: object,
) -> None:
    audit.record(
        session,
        actor=writer.actor,
        action=action,
        subject=f'draft:{draft.id}',
        now=now,
        details={'title': draft.title, **details},
    )
