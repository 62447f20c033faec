"""What is waiting: each wave with the step that comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.errors import N_
from cixi_survey.models import (
    Frame,
    Invitation,
    SampleDraw,
    VillageDraw,
    VillageFrame,
    Wave,
    WaveApproval,
    WaveStratum,
)

STATE_NAMES = {
    'planned': N_('planned'),
    'open': N_('open'),
    'closed': N_('closed'),
    'estimated': N_('estimated'),
    'published': N_('published'),
}


@dataclass(frozen=True)
class Waiting:
    """One wave and what to do about it; ``due`` when somebody should act now."""

    slug: str
    title: dict[str, str]
    state: str
    step: str
    due: bool
    ends_at: datetime


def waves(session: Session, now: datetime) -> list[Waiting]:
    """Every wave, those that need an act first, then the latest."""
    found = session.scalars(sa.select(Wave).order_by(Wave.opens_at.desc())).all()
    rows = []
    for wave in found:
        step, due = _next_step(session, wave, now)
        rows.append(Waiting(wave.slug, wave.title, wave.state, step, due, wave.ended_at))
    return sorted(rows, key=lambda row: not row.due)


def _next_step(session: Session, wave: Wave, now: datetime) -> tuple[str, bool]:
    if wave.state == 'planned':
        return _preparation(session, wave), True
    if wave.state == 'open':
        if now < wave.opens_at:
            return N_('Nothing to do: answers are taken from the opening time on.'), False
        if wave.is_open(now):
            if _without_code(session, wave):
                return N_('Units of the reserve have no code yet: make their codes.'), True
            return N_('Answers are coming in. Watch the returns.'), False
        return N_('The time is over: close the wave.'), True
    return {
        'closed': (N_('Compute the estimates.'), True),
        'estimated': (N_('Check the estimates and publish the results.'), True),
        'published': (N_('Nothing to do: the results are public.'), False),
    }[wave.state]


def _without_code(session: Session, wave: Wave) -> bool:
    query = sa.select(sa.literal(1)).where(
        Invitation.wave_id == wave.id, Invitation.code_hash.is_(None)
    )
    return session.scalar(query.limit(1)) is not None


def _preparation(session: Session, wave: Wave) -> str:
    def missing(model: type[WaveStratum | VillageFrame | VillageDraw | Frame | SampleDraw]) -> bool:
        query = sa.select(sa.literal(1)).where(model.wave_id == wave.id).limit(1)
        return session.scalar(query) is None

    if missing(WaveStratum):
        return N_('Load the population of the towns.')
    if missing(Frame):
        if not missing(VillageDraw):
            return N_('Load the lists of the drawn villages.')
        if not missing(VillageFrame):
            return N_('Draw the villages.')
        return N_('Load the sampling frame, or open by link only.')
    if missing(SampleDraw):
        return N_('Draw the sample.')
    if _without_code(session, wave):
        return N_('Make and print the codes.')
    decision = session.scalar(
        sa.select(WaveApproval.decision)
        .where(WaveApproval.wave_id == wave.id)
        .order_by(WaveApproval.id.desc())
        .limit(1)
    )
    return {
        '': N_('A second person has to look at the wave and decide.'),
        'approved': N_('Open the wave.'),
        'returned': N_('Mend what was remarked and put the wave forward again.'),
    }.get(str(decision), N_('Check everything and put the wave forward for approval.'))
