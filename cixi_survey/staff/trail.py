"""The record of what staff did, page by page, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.errors import N_
from cixi_survey.models import AuditEntry

PAGE_SIZE = 50
ACTION_NAMES = {
    'staff.create': N_('Account created'),
    'staff.sign_in': N_('Signed in'),
    'staff.sign_out_everywhere': N_('Signed out everywhere'),
    'staff.change_password': N_('Password changed'),
    'staff.reset_password': N_('Password reset'),
    'staff.roles': N_('Roles changed'),
    'staff.deactivate': N_('Account deactivated'),
    'staff.reactivate': N_('Account reactivated'),
    'draft.create': N_('Questionnaire draft made'),
    'draft.delete': N_('Questionnaire draft deleted'),
    'library.keep': N_('Question put into the library'),
    'trial.make': N_('Test link made'),
    'trial.end': N_('Test link ended'),
    'questionnaire.publish': N_('Questionnaire version published'),
    'wave.create': N_('Wave created'),
    'wave.edit': N_('Wave edited'),
    'wave.put_forward': N_('Wave put forward for approval'),
    'wave.take_back': N_('Request for approval taken back'),
    'wave.approve': N_('Wave approved'),
    'wave.send_back': N_('Wave sent back'),
    'wave.open': N_('Wave opened'),
    'wave.close': N_('Wave closed and sealed'),
    'wave.populations': N_('Populations loaded'),
    'wave.margins': N_('Margins loaded'),
    'wave.frame': N_('Sampling frame loaded'),
    'wave.draw': N_('Sample drawn'),
    'wave.draw_discard': N_('Sample discarded'),
    'wave.codes': N_('Codes made'),
    'wave.codes_again': N_('New codes made, the old ones revoked'),
    'run.make': N_('Estimates computed'),
    'result.publish': N_('Results published'),
    'microdata.export': N_('Microdata exported'),
}


@dataclass(frozen=True)
class Entry:
    """One line of the record; ``details`` as name and text."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Page:
    """One page of the record, the latest entries first."""

    entries: tuple[Entry, ...]
    number: int
    pages: int
    total: int


def page(session: Session, number: int) -> Page:
    """Page ``number`` of the record, or the nearest there is."""
    total = session.scalar(sa.select(sa.func.count(AuditEntry.id))) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), pages)
    query = (
        sa.select(AuditEntry)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    entries = tuple(_entry(row) for row in session.scalars(query))
    return Page(entries, number, pages, total)


def _entry(row: AuditEntry) -> Entry:
    details = tuple((name, _text(value)) for name, value in row.details.items())
    return Entry(row.id, row.at, row.actor, row.action, row.subject, details)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return ', '.join(f'{name}: {_text(part)}' for name, part in value.items())
    if isinstance(value, list | tuple):
        return ', '.join(_text(part) for part in value)
    return '–' if value is None or value == '' else str(value)
