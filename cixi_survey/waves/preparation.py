"""How far the preparation of a wave has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.errors import Problem
from cixi_survey.models import (
    ContactOffer,
    Frame,
    SampleDraw,
    Staff,
    VillageDraw,
    VillageFrame,
    Wave,
    WaveApproval,
    WavePlan,
)
from cixi_survey.waves import approval, cautions, draw, frame, guards, printing, two_stage, villages


@dataclass(frozen=True)
class Preparation:
    """What is there already, and what keeps the wave from opening."""

    towns: int
    adults: int
    plan: WavePlan | None
    margins: tuple[str, ...]
    villages: VillageFrame | None
    first: VillageDraw | None
    drawn_villages: int
    lists_missing: int
    frame: Frame | None
    frame_units: int
    draw: SampleDraw | None
    sampled: int
    with_code: int
    offers: bool
    problems: tuple[Problem, ...]
    cautions: tuple[Problem, ...]
    asked: WaveApproval | None
    asked_by: str
    decided_by: str
    standing: approval.Standing
    changed: tuple[str, ...]

    @property
    def legal_basis_missing(self) -> bool:
        return any(problem.code == 'legal_basis_missing' for problem in self.problems)

    @property
    def approval_missing(self) -> bool:
        return any(problem.code.startswith('approval') for problem in self.problems)


def _called(session: Session, username: str) -> str:
    """The name of a person of the staff; the user name where the account is gone."""
    name = session.scalar(sa.select(Staff.name).where(Staff.username == username))
    return name or username


def of(session: Session, wave: Wave, now: datetime) -> Preparation:
    """The preparation of a wave as it is now."""
    stored = frame.stored_frame(session, wave)
    sampled, with_code = printing.counts(session, wave)
    asked = approval.latest(session, wave) if wave.state == 'planned' else None
    problems = guards.opening_problems(session, wave, now) if wave.state == 'planned' else []
    return Preparation(
        towns=len(wave.strata),
        adults=sum(stratum.population for stratum in wave.strata),
        plan=session.get(WavePlan, wave.id),
        margins=tuple(sorted({margin.variable for margin in wave.margins})),
        villages=villages.stored_frame(session, wave),
        first=villages.drawn(session, wave),
        drawn_villages=len(two_stage.of_wave(session, wave)),
        lists_missing=len(two_stage.without_list(session, wave)),
        frame=stored,
        frame_units=sum(each.units for each in frame.counts(session, stored)) if stored else 0,
        draw=draw.drawn(session, wave),
        sampled=sampled,
        with_code=with_code,
        offers=session.get(ContactOffer, wave.id) is not None,
        problems=tuple(problems),
        cautions=tuple(cautions.of(session, wave)) if wave.state == 'planned' else (),
        asked=asked,
        asked_by=_called(session, asked.asked_by) if asked else '',
        decided_by=_called(session, asked.decided_by) if asked else '',
        standing=approval.standing(session, wave) if wave.state == 'planned' else 'none',
        changed=tuple(approval.changed(session, wave, asked)) if asked else (),
    )
