"""Drawing the sample: allocation, a recorded seed, probabilities kept for every unit."""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis import allocation as allocating
from analysis import sampling
from cixi_survey import audit
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import (
    TWO_STAGE,
    Draft,
    DrawnVillage,
    Frame,
    Invitation,
    Response,
    SampleDraw,
    Wave,
)
from cixi_survey.waves import frame, lifecycle, villages

METHODS: dict[str, allocating.Allocation] = {
    'power': 'power',
    'proportional': 'proportional',
    'equal': 'equal',
}
METHOD_NAMES = {
    'power': N_('square root of the population'),
    'proportional': N_('in proportion to the population'),
    'equal': N_('the same number in every town'),
    TWO_STAGE: N_('villages first, then persons in them'),
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


class Drawn(NamedTuple):
    """A drawn unit, its chance over all stages, and the length of the list it came from."""

    row: frame.FrameRow
    probability: float
    frame_count: int


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
    reserve: dict[str, object] | None = None,
) -> SampleDraw:
    """Draw the sample of a planned wave: in every town a simple random sample of the units.

    Frame, seed and allocation together give the same sample again.  Codes come later.
    Raises NotPlanned, SampleExists, VillagesDrawn, NothingToDrawFrom, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    refuse_a_second(session, wave)
    villages.refuse_if_drawn(session, wave)
    allocation = allocate(
        session, wave, method=method, total=total, minimum=max(minimum, 2), response=100
    )
    stored = frame.stored_frame(session, wave)
    assert stored is not None  # allocate refuses without
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    listed = frame.ordered(session, stored, by_village=False)
    return keep(
        session,
        wave,
        stored,
        listed,
        drawn_units(listed, allocation.by_town, seed),
        seed=seed,
        method=method,
        allocated=allocation.by_town,
        actor=actor,
        now=now,
        staff_id=staff_id,
        reserve=reserve,
        minimum=minimum,
    )


def refuse_a_second(session: Session, wave: Wave) -> None:
    """Raise SampleExists when the wave has a sample."""
    earlier = drawn(session, wave)
    if earlier is not None:
        raise SampleExists(time=earlier.drawn_at, seed=earlier.seed)


def drawn_units(
    listed: Sequence[frame.FrameRow], sizes: Mapping[str, int], seed: int
) -> list[Drawn]:
    """In every town a simple random sample of the listed units."""
    counts = Counter(row.stratum for row in listed)
    chosen, share = sampling.draw_stratified(np.array([row.stratum for row in listed]), sizes, seed)
    return [
        Drawn(listed[row], float(chance), counts[listed[row].stratum])
        for row, chance in zip(chosen.tolist(), share.tolist(), strict=True)
    ]


def _check_threshold(reserve: Mapping[str, object] | None, units: int) -> None:
    """Raise ProblemsFound for a rule that could never say no."""
    below = int(str(reserve['below'])) if reserve else 0
    if below > units:
        message = N_('The sample has only %(units)s units, so there are always fewer answers.')
        cure = N_('Enter at most %(units)s; else the rule would never say no.')
        problem = Problem('reserve_below', 'always_below', message, cure, {'units': units})
        raise ProblemsFound([problem])


def keep(
    session: Session,
    wave: Wave,
    stored: Frame,
    listed: Sequence[frame.FrameRow],
    units: Sequence[Drawn],
    *,
    seed: int,
    method: str,
    allocated: Mapping[str, int],
    actor: str,
    now: datetime,
    staff_id: int | None,
    reserve: dict[str, object] | None,
    **more: object,
) -> SampleDraw:
    """Store drawn units as the sample of a wave, with all that it takes to draw them again.

    ``reserve`` is the rule of ``reserve.Rule``, which is settled with the draw.  Raises
    ProblemsFound.
    """
    _check_threshold(reserve, len(units))
    add_units(session, wave, units)
    made = SampleDraw(
        wave_id=wave.id,
        frame_id=stored.id,
        frame_sha256=stored.sha256,
        seed=seed,
        allocation=method,
        allocated=dict(allocated),
        drawn_at=now,
        drawn_by=staff_id,
        list_sha256=frame.fingerprint(listed),
        sample_sha256=fingerprint(units),
        reserve=reserve,
    )
    session.add(made)
    session.flush()
    details = {'seed': seed, 'frame_sha256': stored.sha256, 'allocation': method}
    details |= {'list_sha256': made.list_sha256, 'sample_sha256': made.sample_sha256}
    details |= {**more, 'units': len(units), 'by_town': made.allocated, 'reserve': reserve}
    audit.on_wave(session, wave, 'wave.draw', actor, now, details)
    return made


def add_units(session: Session, wave: Wave, units: Sequence[Drawn]) -> None:
    """Put drawn units into the sample of a wave; they have no codes yet."""
    session.execute(
        sa.insert(Invitation),
        [
            {
                'wave_id': wave.id,
                **unit.row._asdict(),
                'probability': unit.probability,
                'frame_count': unit.frame_count,
                'outcome': 'pending',
            }
            for unit in units
        ],
    )


def fingerprint(units: Iterable[Drawn]) -> str:
    """SHA-256 of a sample, whatever the order of its units."""
    return frame.fingerprint(
        sorted(
            (u.row.stratum, u.row.psu, u.row.unit, u.row.size, repr(u.probability)) for u in units
        )
    )


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
    counted = sa.update(DrawnVillage).where(DrawnVillage.wave_id == wave.id)
    session.execute(counted.values(listed=None, drawn=None))
    session.delete(found)
    session.flush()
    audit.on_wave(session, wave, 'wave.draw_discard', actor, now, details)
