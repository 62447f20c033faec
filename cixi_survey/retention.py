"""How long single answers are kept: locked when withdrawn, erased when their time is over."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, clock
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Response, Wave
from cixi_survey.vault import Vault

EMPTY = '{}'
EMPTIED = {'answers': EMPTY, 'answers_sha256': hashlib.sha256(EMPTY.encode()).hexdigest()}


class ReasonMissing(Refusal):
    """Whoever reads what is locked says why."""

    code = 'reason_missing'
    title = N_('A reason is needed')
    message = N_('Withdrawn answers are locked; the record shows who unlocked them, and why.')
    cure = N_('Name the inspection or the order for which they are needed.')


def vault(secret_key: str) -> Vault:
    """Where withdrawn answers are locked."""
    return Vault(secret_key, 'withdrawn answers')


def unlock(
    session: Session, slug: str, *, secret_key: str, reason: str, actor: str, now: datetime
) -> list[dict[str, object]]:
    """The withdrawn answers of a wave on statutory ground, for an inspection; put on record.

    Raises ReasonMissing, vault.Unreadable, NotFound.
    """
    if not reason.strip():
        raise ReasonMissing
    wave = access.wave_for(session, slug)
    query = sa.select(Response.stream, Response.stratum, Response.locked).where(
        Response.wave_id == wave.id, Response.locked.is_not(None)
    )
    opener = vault(secret_key)
    rows: list[dict[str, object]] = [
        {'stream': stream, 'stratum': stratum, 'answers': json.loads(opener.open(locked))}
        for stream, stratum, locked in session.execute(query)
        if locked is not None
    ]
    rows.sort(key=lambda row: json.dumps(row, sort_keys=True))  # not in the order of answering
    details = {'answers': len(rows), 'reason': reason}
    audit.on_wave(session, wave, 'answers.unlock', actor, now, details)
    return rows


def erase_due(session: Session, *, actor: str, now: datetime) -> int:
    """Empty the answers of every wave whose time is over; gives of how many waves.

    Figures, how many people answered and how each ended stay.  Once that is committed,
    ``Database.scrub('response')`` clears the files.  Harmless when repeated.
    """
    closed = sa.select(Wave).where(Wave.sealed, Wave.erased_at.is_(None))
    today = clock.local(now).date()
    due = [
        wave
        for wave in session.scalars(closed.with_for_update(skip_locked=True))
        if wave.answers_until < today
    ]
    for wave in due:
        wave.erased_at = now
        session.flush()
        erased = session.execute(
            sa.update(Response)
            .where(Response.wave_id == wave.id)
            .values(locked=None, **EMPTIED)
            .execution_options(synchronize_session=False)
        )
        count = erased.rowcount  # type: ignore[attr-defined]
        audit.on_wave(session, wave, 'answers.erase', actor, now, {'responses': count})
    return len(due)
