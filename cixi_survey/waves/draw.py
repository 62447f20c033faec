"""Drawing the sample: allocation, a recorded seed, probabilities kept for every unit."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis import allocation as allocating
from analysis import sampling
from cixi_survey import audit
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Draft, Frame, FrameUnit, Invitation, Response, SampleDraw, Wave
from cixi_survey.waves import frame, lifecycle

METHODS: dict[str, allocating.Allocation] = {
    'power': 'power',
    'proportional': 'proportional',
    'equal': 'equal',
}
METHOD_NAMES = {
    'power': N_('square root of the population'),
    'proportional': N_('in proportion to the population'),
    'equal': N_('the same number in every town'),
}
DEFAULT_MINIMUM = 80
DEFAULT_RESPONSE = 60
ASSUMED_SHARE = 0.8
ASSUMED_DEFF = 1.2  # one adult of a household of unequal size; the sample itself has one stage
Z95 = 1.959964
SEEDS = 10**9


class NothingToDrawFrom(Refusal):
    """Populations or frame are missing."""

    code = 'nothing_to_draw_from'
    title = N_('There is nothing to draw from yet')
    message = N_('A sample needs the populations of the towns and a sampling frame.')
    cure = N_('Load both, then come back.')


class SampleExists(Refusal):
    """A wave has one sample."""

    code = 'sample_exists'
    title = N_('A sample has already been drawn')
    message = N_('It was drawn on %(time)s with the seed %(seed)s.')
    cure = N_('Discard it first if you want to draw anew.')


class SampleInUse(Refusal):
    """Somebody has begun to answer."""

    code = 'sample_in_use'
    title = N_('This sample is in use')
    message = N_('There are answers or begun questionnaires from it already.')


@dataclass(frozen=True)
class Share:
    """What one town gets, and what it will be worth."""

    town_code: str
    name: Mapping[str, str]
    population: int
    units: int
    n: int
    completes: float
    half_width: float | None

    @property
    def probability(self) -> float:
        return self.n / self.units if self.units else 0.0


@dataclass(frozen=True)
class Allocation:
    """How a sample spreads over the towns of a wave."""

    method: str
    shares: tuple[Share, ...]
    half_width: float | None

    @property
    def total(self) -> int:
        return sum(share.n for share in self.shares)

    @property
    def expected_completes(self) -> float:
        return sum(share.completes for share in self.shares)

    @property
    def by_town(self) -> dict[str, int]:
        return {share.town_code: share.n for share in self.shares}


def allocate(
    session: Session, wave: Wave, *, method: str, total: int, minimum: int, response: int
) -> Allocation:
    """Spread ``total`` units over the towns; ``response`` (per cent) gives the precision.

    Raises NothingToDrawFrom, ProblemsFound.
    """
    stored = frame.stored_frame(session, wave)
    if stored is None or not wave.strata:
        raise NothingToDrawFrom
    units = {count.town_code: count.units for count in frame.counts(session, stored)}
    population = {stratum.town_code: stratum.population for stratum in wave.strata}
    problems = _allocation_problems(wave, units, total=total, minimum=minimum)
    if problems:
        raise ProblemsFound(problems)
    sizes = allocating.allocate(
        population,
        total,
        METHODS[method],
        minimum={town: min(minimum, units[town]) for town in population},
        cap=units,
    )
    shares = tuple(
        _share(stratum.town_code, stratum.name, stratum.population, units, sizes, response)
        for stratum in wave.strata
    )
    return Allocation(method, shares, _overall_half_width(shares))


def _allocation_problems(
    wave: Wave, units: dict[str, int], *, total: int, minimum: int
) -> list[Problem]:
    empty = [stratum.name for stratum in wave.strata if not units.get(stratum.town_code)]
    if empty:
        message = N_('The frame has no unit in: %(towns)s.')
        cure = N_('Load a frame that covers them, or populations without them.')
        return [Problem('total', 'town_without_units', message, cure, {'towns': empty})]
    towns = [stratum.town_code for stratum in wave.strata]
    available = sum(units[town] for town in towns)
    if total > available:
        message = N_('%(total)s units are asked for; the frame has %(available)s.')
        values = {'total': total, 'available': available}
        cure = N_('Ask for fewer, or load a longer list.')
        return [Problem('total', 'frame_too_small', message, cure, values)]
    needed = sum(min(max(minimum, 2), units[town]) for town in towns)
    if total < needed:
        message = N_('%(total)s units do not suffice for the minimum in %(towns)s towns.')
        cure = N_('Draw at least %(needed)s, or lower the minimum (never below 2 per town).')
        values = {'total': total, 'towns': len(towns), 'needed': needed}
        return [Problem('total', 'minimum_too_high', message, cure, values)]
    return []


def _share(
    town: str,
    name: Mapping[str, str],
    population: int,
    units: dict[str, int],
    sizes: dict[str, int],
    response: int,
) -> Share:
    completes = sizes[town] * response / 100
    return Share(
        town, name, population, units[town], sizes[town], completes, _half_width(completes)
    )


def _half_width(completes: float) -> float | None:
    """Half the width of the 95 % interval of a share of 80 %, in per cent points."""
    if completes < 2:
        return None
    variance = ASSUMED_DEFF * ASSUMED_SHARE * (1 - ASSUMED_SHARE) / completes
    return 100 * Z95 * math.sqrt(variance)


def _overall_half_width(shares: tuple[Share, ...]) -> float | None:
    if any(share.half_width is None for share in shares):
        return None
    people = sum(share.population for share in shares)
    squares = ((share.population / people * (share.half_width or 0)) ** 2 for share in shares)
    return math.sqrt(sum(squares))


def drawn(session: Session, wave: Wave) -> SampleDraw | None:
    """The draw of a wave, if there is one."""
    return session.scalars(sa.select(SampleDraw).where(SampleDraw.wave_id == wave.id)).first()


def draw(
    session: Session,
    slug: str,
    *,
    method: str,
    total: int,
    minimum: int,
    seed: int | None,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
) -> SampleDraw:
    """Draw the sample of a planned wave: in every town a simple random sample of the units.

    Frame, seed and allocation together give the same sample again.  Codes come later.
    Raises NotPlanned, SampleExists, NothingToDrawFrom, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    earlier = drawn(session, wave)
    if earlier is not None:
        raise SampleExists(time=earlier.drawn_at, seed=earlier.seed)
    allocation = allocate(
        session, wave, method=method, total=total, minimum=max(minimum, 2), response=100
    )
    stored = frame.stored_frame(session, wave)
    assert stored is not None  # allocate refuses without
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    rows = _drawn_rows(session, wave, stored, allocation.by_town, seed)
    session.execute(sa.insert(Invitation), rows)
    made = SampleDraw(
        wave_id=wave.id,
        frame_id=stored.id,
        frame_sha256=stored.sha256,
        seed=seed,
        allocation=method,
        allocated=dict(allocation.by_town),
        drawn_at=now,
        drawn_by=staff_id,
    )
    session.add(made)
    session.flush()
    details = {'seed': seed, 'frame_sha256': stored.sha256, 'allocation': method}
    details |= {'minimum': minimum, 'units': len(rows), 'by_town': allocation.by_town}
    audit.on_wave(session, wave, 'wave.draw', actor, now, details)
    return made


def _drawn_rows(
    session: Session, wave: Wave, stored: Frame, sizes: dict[str, int], seed: int
) -> list[dict[str, object]]:
    query = (
        sa.select(FrameUnit.stratum, FrameUnit.psu, FrameUnit.unit, FrameUnit.size)
        .where(FrameUnit.frame_id == stored.id)
        .order_by(FrameUnit.id)  # the order of the file, so that file and seed suffice
    )
    units = session.execute(query).all()
    strata = np.array([unit.stratum for unit in units])
    names, totals = np.unique(strata, return_counts=True)
    counts = dict(zip(names.tolist(), totals.tolist(), strict=True))
    chosen, probabilities = sampling.draw_stratified(strata, sizes, seed)
    return [
        {
            'wave_id': wave.id,
            'stratum': units[row].stratum,
            'psu': units[row].psu,
            'unit': units[row].unit,
            'size': units[row].size,
            'probability': float(probability),
            'frame_count': counts[units[row].stratum],
            'outcome': 'pending',
        }
        for row, probability in zip(chosen.tolist(), probabilities.tolist(), strict=True)
    ]


def discard(session: Session, slug: str, *, actor: str, now: datetime) -> None:
    """Throw the sample of a planned wave away, codes included.

    Raises NotPlanned, SampleInUse.
    """
    wave = lifecycle.planned(session, slug)
    found = drawn(session, wave)
    if found is None:
        return
    used = sa.or_(
        sa.exists().where(Response.wave_id == wave.id),
        sa.exists().where(Draft.wave_id == wave.id),
    )
    if session.scalar(sa.select(used)):
        raise SampleInUse
    count = session.execute(sa.delete(Invitation).where(Invitation.wave_id == wave.id)).rowcount  # type: ignore[attr-defined]
    details = {'seed': found.seed, 'frame_sha256': found.frame_sha256, 'units': count}
    session.delete(found)
    session.flush()
    audit.on_wave(session, wave, 'wave.draw_discard', actor, now, details)
