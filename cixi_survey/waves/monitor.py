"""The returns of a wave, live: by town, by day, and the two streams apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import clock, places
from cixi_survey.models import (
    OUTCOMES,
    RESPONSE_OUTCOMES,
    STREAMS,
    Draft,
    DrawnVillage,
    Invitation,
    Response,
    ScreenedOut,
    Wave,
)

DAYS_SHOWN = 14
NEEDED_BY_TOWN = 2  # complete answers without which the estimates refuse a town


@dataclass(frozen=True)
class Row:
    """Sampled units of one town (or of all) by outcome; the outcomes add up to ``sampled``.

    ``enough`` says whether the town can be estimated with what has come in.
    """

    name: Mapping[str, str] | None
    outcomes: dict[str, int] = field(default_factory=dict)
    enough: bool = True

    @property
    def sampled(self) -> int:
        return sum(self.outcomes.values())

    @property
    def response_rate(self) -> float | None:
        """RR1 of AAPOR: complete among all but the known ineligible; nobody is presumed out."""
        base = self.sampled - self.outcomes['ineligible']
        return self.outcomes['complete'] / base if base else None


@dataclass(frozen=True)
class Day:
    """Completed questionnaires received on one day, by stream."""

    date: str
    counts: dict[str, int]


@dataclass(frozen=True)
class Returns:
    """Everything on the page of returns."""

    rows: tuple[Row, ...]
    total: Row
    open_stream: dict[str, int]
    begun: int
    withdrawn: int
    turned_away: int
    by_village: bool
    days: tuple[Day, ...]
    at: datetime

    @property
    def too_few(self) -> tuple[Row, ...]:
        """Towns from which too little has come in to make any figures of the wave."""
        return tuple(row for row in self.rows if not row.enough)

    @property
    def busiest(self) -> int:
        """The largest count of a day, for the scale of the chart."""
        return max((count for day in self.days for count in day.counts.values()), default=0)


def returns(session: Session, wave: Wave, now: datetime) -> Returns:
    """Count what has come in up to now."""
    certain = _certainty_of_villages(session, wave)
    rows = _by_town(session, wave, certain)
    total = Row(None, {name: sum(row.outcomes[name] for row in rows) for name in OUTCOMES})
    begun = session.scalar(sa.select(sa.func.count()).where(Draft.wave_id == wave.id)) or 0
    withdrawn = sa.select(sa.func.count(Response.id)).where(
        Response.wave_id == wave.id, Response.withdrawn_at.is_not(None)
    )
    turned_away = sa.select(sa.func.sum(ScreenedOut.count)).where(ScreenedOut.wave_id == wave.id)
    return Returns(
        rows=tuple(rows),
        total=total,
        open_stream=_open_stream(session, wave),
        begun=begun,
        withdrawn=session.scalar(withdrawn) or 0,
        turned_away=session.scalar(turned_away) or 0,
        by_village=bool(certain),
        days=_days(session, wave, now),
        at=now,
    )


def _by_town(session: Session, wave: Wave, certain: Mapping[str, Mapping[str, bool]]) -> list[Row]:
    place = (Invitation.stratum, Invitation.psu, Invitation.outcome)
    query = (
        sa.select(*place, sa.func.count(Invitation.id))
        .where(Invitation.wave_id == wave.id)
        .group_by(*place)
    )
    found: dict[str, dict[str, int]] = {}
    complete: dict[str, dict[str, int]] = {}
    for town, village, outcome, count in session.execute(query):
        found.setdefault(town, dict.fromkeys(OUTCOMES, 0))[outcome] += count
        if outcome == 'complete':
            complete.setdefault(town, {})[village] = count
    order = {code: place for place, code in enumerate(places.towns())}
    return [
        Row(places.town(town), found[town], _enough(complete.get(town, {}), certain.get(town, {})))
        for town in sorted(found, key=lambda code: order.get(code, 999))
    ]


def _certainty_of_villages(session: Session, wave: Wave) -> dict[str, dict[str, bool]]:
    """Of each town the drawn villages, and whether each is in every sample; {} in one stage."""
    found: dict[str, dict[str, bool]] = {}
    for village in session.scalars(sa.select(DrawnVillage).where(DrawnVillage.wave_id == wave.id)):
        found.setdefault(village.stratum, {})[village.psu] = village.certain
    return found


def _enough(complete: Mapping[str, int], certain: Mapping[str, bool]) -> bool:
    """Whether a town has the answers without which the estimates refuse the whole wave.

    ``complete`` counts them by village.  Where villages were left to chance two of them must have
    answered; where all are certain, two people of one village.
    """
    if sum(complete.values()) < NEEDED_BY_TOWN:
        return False
    if not certain:
        return True
    if all(certain.values()):
        return max(complete.values()) >= NEEDED_BY_TOWN
    return sum(not certain[village] for village in complete) >= NEEDED_BY_TOWN


def _open_stream(session: Session, wave: Wave) -> dict[str, int]:
    query = (
        sa.select(Response.outcome, sa.func.count(Response.id))
        .where(
            Response.wave_id == wave.id,
            Response.stream == 'open',
            Response.withdrawn_at.is_(None),
        )
        .group_by(Response.outcome)
    )
    found = {row[0]: row[1] for row in session.execute(query)}
    return {outcome: found.get(outcome, 0) for outcome in RESPONSE_OUTCOMES}


def _days(session: Session, wave: Wave, now: datetime) -> tuple[Day, ...]:
    """The last fourteen days of Cixi's calendar up to now or to the end of the wave."""
    last = min(now, wave.closes_at)
    first = max(last - timedelta(days=DAYS_SHOWN - 1), min(wave.opens_at, last))
    midnight = clock.local(first).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight + timedelta(days=day) for day in range(DAYS_SHOWN)]
    starts = [start for start in starts if start <= last]
    sums = [
        sa.func.sum(
            sa.case(
                (
                    sa.and_(
                        Response.submitted_at >= start,
                        Response.submitted_at < start + timedelta(days=1),
                    ),
                    1,
                ),
                else_=0,
            )
        )
        for start in starts
    ]
    query = (
        sa.select(Response.stream, *sums)
        .where(
            Response.wave_id == wave.id,
            Response.outcome == 'complete',
            Response.submitted_at >= midnight,
        )
        .group_by(Response.stream)
    )
    found = {row[0]: row[1:] for row in session.execute(query)} if starts else {}
    return tuple(
        Day(
            start.strftime('%Y-%m-%d'),
            {stream: int(found[stream][place]) if stream in found else 0 for stream in STREAMS},
        )
        for place, start in enumerate(starts)
    )
