"""The chain of what staff did.  Residents' answers are not in it: their rows are the record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.models import AuditEntry, Wave

BEGINNING = '0' * 64
CHAIN = 0x61756469  # any number that no other advisory lock of this database uses


def record(
    session: Session,
    *,
    actor: str,
    action: str,
    subject: str,
    now: datetime,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append one act; ``subject`` names the thing as ``kind:key``.

    Acts queue here until the end of their transaction, so this is the last thing that a
    transaction does.
    """
    if session.get_bind().dialect.name == 'postgresql':
        # A lock on the last row would not do: who waited for it would still see it as the last.
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(CHAIN)))
    last = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).first()
    entry = AuditEntry(
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        details=dict(details or {}),
        previous=last.digest if last else BEGINNING,
    )
    entry.digest = _digest(entry)
    session.add(entry)
    session.flush()


def on_wave(
    session: Session,
    wave: Wave,
    action: str,
    actor: str,
    now: datetime,
    details: Mapping[str, object] | None = None,
) -> None:
    """Append an act on a wave."""
    subject = f'wave:{wave.slug}'
    record(session, actor=actor, action=action, subject=subject, now=now, details=details)


def broken_at(session: Session) -> int | None:
    """The id of the first entry that does not follow from the one before, or None."""
    previous = BEGINNING
    for entry in session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)):
        if entry.previous != previous or entry.digest != _digest(entry):
            return entry.id
        previous = entry.digest
    return None


def _digest(entry: AuditEntry) -> str:
    content = [
        entry.previous,
        entry.at.astimezone(UTC).isoformat(),
        entry.actor,
        entry.action,
        entry.subject,
        entry.details,
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
