"""A sample in two stages: the villages are drawn first, then persons from the lists of these.

A department lists residents only where villages were drawn.  Each stage has a seed of its own: that
of the second is made when the lists are there, so that nobody can arrange a list to a known seed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis import sampling
from cixi_survey import audit, places
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import (
    TWO_STAGE,
    DrawnVillage,
    Frame,
    FrameUnit,
    SampleDraw,
    VillageDraw,
    Wave,
)
from cixi_survey.waves import draw, frame, lifecycle, stages, table, villages
from cixi_survey.waves.stages import Asked, Stages

NOTHING_MORE: Mapping[str, int] = MappingProxyType({})
LEAST_LISTED = 0.5
"""Of the adults of a village; a shorter list must have left many out."""
LIST_HEADING = ('stratum', 'town', 'psu', 'village', 'size', 'probability', 'persons')


class NoVillagesDrawn(Refusal):
    """The second stage needs the first."""

    code = 'no_villages_drawn'
    title = N_('The villages have not been drawn yet')
    message = N_('Persons are drawn in the second stage, from the lists of drawn villages.')
    cure = N_('Draw the villages first.')


class ListsMissing(Refusal):
    """A drawn village has nobody on the list."""

    code = 'lists_missing'
    title = N_('Lists of drawn villages are missing')
    message = N_('%(count)s drawn villages have nobody on the list: %(villages)s.')
    cure = N_('A drawn village cannot be left out or replaced: load its list, then draw.')


def draw_villages(
    session: Session,
    slug: str,
    asked: Mapping[str, Asked],
    *,
    seed: int | None,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
) -> VillageDraw:
    """Draw the villages of a planned wave, with chances proportional to their adults.

    Of a list of units that is loaded, only those of the drawn villages are kept.
    Raises NotPlanned, SampleDrawn, VillagesDrawn, NoVillages, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    frame.refuse_if_drawn(session, wave)
    villages.refuse_if_drawn(session, wave)
    planned = stages.work_out(session, wave, asked, response=1.0, rho=0.0)
    stored = villages.stored_frame(session, wave)
    assert stored is not None  # work_out refuses without
    seed = secrets.randbelow(draw.SEEDS) if seed is None else seed
    rows = drawn_rows(planned, seed)
    session.execute(sa.insert(DrawnVillage), [{'wave_id': wave.id, **row} for row in rows])
    made = VillageDraw(
        wave_id=wave.id,
        frame_id=stored.id,
        frame_sha256=stored.sha256,
        seed=seed,
        towns=_towns(planned),
        drawn_at=now,
        drawn_by=staff_id,
    )
    session.add(made)
    session.flush()
    left_out = _keep_lists_of(session, wave, [str(row['psu']) for row in rows])
    details = {'seed': seed, 'frame_sha256': stored.sha256, 'villages': len(rows)}
    details |= {'towns': made.towns, 'units_left_out': left_out}
    audit.on_wave(session, wave, 'wave.villages_draw', actor, now, details)
    return made


def drawn_rows(planned: Stages, seed: int) -> list[dict[str, object]]:
    """The drawn villages in the order of their codes: systematic, a start of its own by town."""
    every = [village for town in planned.towns for village in town.villages]
    persons = [int(n) for town in planned.towns for n in town.persons]
    rows, chance = sampling.draw_pps(
        np.array([village.size for village in every], dtype=np.float64),
        {town.town_code: town.asked.villages for town in planned.towns},
        seed,
        strata=np.array([village.stratum for village in every]),
    )
    return [
        {**every[row]._asdict(), 'probability': float(share), 'persons': persons[row]}
        for row, share in zip(rows.tolist(), chance.tolist(), strict=True)
    ]


def _towns(planned: Stages) -> dict[str, object]:
    return {
        town.town_code: {
            'villages': town.asked.villages,
            'of': len(town.villages),
            'certain': town.certain,
            'persons': town.asked.persons,
            'rate': town.rate,
        }
        for town in planned.towns
    }


def asked_of(made: VillageDraw) -> dict[str, Asked]:
    """What was asked for when the villages were drawn."""
    towns: Mapping[str, Mapping[str, int]] = made.towns  # type: ignore[assignment]
    return {code: Asked(each['villages'], each['persons']) for code, each in towns.items()}


def _keep_lists_of(session: Session, wave: Wave, drawn: Iterable[str]) -> int:
    stored = frame.stored_frame(session, wave)
    if stored is None:
        return 0
    gone = frame.keep_only(session, stored, list(drawn))
    stored.units -= gone
    session.flush()
    if not stored.units:
        frame.remove(session, wave)
    return gone


def of_wave(session: Session, wave: Wave) -> list[DrawnVillage]:
    """The drawn villages of a wave in the order of their codes."""
    query = sa.select(DrawnVillage).where(DrawnVillage.wave_id == wave.id)
    return list(session.scalars(query.order_by(DrawnVillage.psu)))


def discard_villages(session: Session, slug: str, *, actor: str, now: datetime) -> None:
    """Forget the drawn villages of a planned wave and the lists that were loaded for them.

    Raises NotPlanned, SampleDrawn.
    """
    wave = lifecycle.planned(session, slug)
    frame.refuse_if_drawn(session, wave)
    found = villages.drawn(session, wave)
    if found is None:
        return
    stored = frame.stored_frame(session, wave)
    details = {'seed': found.seed, 'frame_sha256': found.frame_sha256}
    details |= {'units': stored.units if stored else 0}
    frame.remove(session, wave)
    session.execute(sa.delete(DrawnVillage).where(DrawnVillage.wave_id == wave.id))
    session.delete(found)
    session.flush()
    audit.on_wave(session, wave, 'wave.villages_discard', actor, now, details)


@dataclass(frozen=True)
class TownLists:
    """How far the lists of the drawn villages of a town have come."""

    town_code: str
    name: Mapping[str, str]
    villages: int
    with_list: int
    units: int
    persons: int
    short: tuple[str, ...]


def lists(session: Session, wave: Wave) -> list[TownLists]:
    """By town the drawn villages and their lists; ``short`` names lists shorter than wanted."""
    listed = _listed(session, wave)
    drawn: dict[str, list[DrawnVillage]] = {}
    for village in of_wave(session, wave):
        drawn.setdefault(village.stratum, []).append(village)
    return [
        TownLists(
            stratum.town_code,
            stratum.name,
            len(mine),
            sum(village.psu in listed for village in mine),
            sum(listed[village.psu] for village in mine),
            sum(min(village.persons, listed[village.psu]) for village in mine),
            tuple(_name(v.psu) for v in mine if 0 < listed[v.psu] < v.persons),
        )
        for stratum in wave.strata
        for mine in [drawn.get(stratum.town_code, [])]
    ]


def to_draw(session: Session, wave: Wave) -> dict[str, tuple[int, int]]:
    """By drawn village how many persons the draw takes and how many are on the list."""
    listed = _listed(session, wave)
    return {
        village.psu: (min(village.persons, listed[village.psu]), listed[village.psu])
        for village in of_wave(session, wave)
    }


def without_list(session: Session, wave: Wave) -> list[str]:
    """Names of the drawn villages that have nobody on the list."""
    listed = _listed(session, wave)
    return [_name(village.psu) for village in of_wave(session, wave) if village.psu not in listed]


def _listed(session: Session, wave: Wave) -> Counter[str]:
    query = (
        sa.select(FrameUnit.psu, sa.func.count())
        .join(Frame, Frame.id == FrameUnit.frame_id)
        .where(Frame.wave_id == wave.id)
        .group_by(FrameUnit.psu)
    )
    return Counter({row[0]: row[1] for row in session.execute(query)})


class ShortList(NamedTuple):
    """A list that has far fewer adults than its village."""

    psu: str
    listed: int
    size: int

    @property
    def name(self) -> str:
        return _name(self.psu)


def short_lists(
    session: Session, wave: Wave, adults: Mapping[str, int] | None = None
) -> list[ShortList]:
    """The drawn villages of whose adults less than half are on their list, by code.

    ``adults`` are those on lists that are not stored yet, by village; otherwise the stored are
    looked at.  Villages without a list are not among them.
    """
    if adults is None:
        query = (
            sa.select(FrameUnit.psu, sa.func.sum(FrameUnit.size))
            .join(Frame, Frame.id == FrameUnit.frame_id)
            .where(Frame.wave_id == wave.id)
            .group_by(FrameUnit.psu)
        )
        adults = {row[0]: int(row[1]) for row in session.execute(query)}
    return [
        ShortList(village.psu, adults[village.psu], village.size)
        for village in of_wave(session, wave)
        if 0 < adults.get(village.psu, 0) < village.size * LEAST_LISTED
    ]


def _name(code: str) -> str:
    return places.villages().get(code, (code, ''))[0]


def draw_persons(
    session: Session,
    slug: str,
    *,
    seed: int | None,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
    reserve: dict[str, object] | None = None,
) -> SampleDraw:
    """Draw persons (or addresses) in the drawn villages: in each a simple random sample.

    Raises NotPlanned, SampleExists, NoVillagesDrawn, ListsMissing, NothingToDrawFrom.
    """
    wave = lifecycle.planned(session, slug)
    draw.refuse_a_second(session, wave)
    if villages.drawn(session, wave) is None:
        raise NoVillagesDrawn
    stored = frame.stored_frame(session, wave)
    if stored is None:
        raise draw.NothingToDrawFrom
    missing = without_list(session, wave)
    if missing:
        shown = ', '.join(missing[:10]) + (' …' if len(missing) > 10 else '')
        raise ListsMissing(count=len(missing), villages=shown)
    drawn = of_wave(session, wave)
    listed = frame.ordered(session, stored, by_village=True)
    seed = secrets.randbelow(draw.SEEDS) if seed is None else seed
    units = drawn_units(drawn, listed, seed)
    _keep_counts(session, drawn, listed, units)
    return draw.keep(
        session,
        wave,
        stored,
        listed,
        units,
        seed=seed,
        method=TWO_STAGE,
        allocated=dict(Counter(unit.row.stratum for unit in units)),
        actor=actor,
        now=now,
        staff_id=staff_id,
        reserve=reserve,
    )


def drawn_units(
    drawn: Iterable[DrawnVillage],
    listed: Sequence[frame.FrameRow],
    seed: int,
    more: Mapping[str, int] = NOTHING_MORE,
) -> list[draw.Drawn]:
    """The second stage: units with their probabilities over both stages; ``more`` by village."""
    counts = Counter(row.psu for row in listed)
    first = {village.psu: village.probability for village in drawn}
    wanted = {
        village.psu: min(village.persons, counts[village.psu]) + more.get(village.psu, 0)
        for village in drawn
    }
    chosen, share = sampling.draw_stratified(np.array([row.psu for row in listed]), wanted, seed)
    return [
        draw.Drawn(listed[row], first[listed[row].psu] * float(chance), counts[listed[row].psu])
        for row, chance in zip(chosen.tolist(), share.tolist(), strict=True)
    ]


def _keep_counts(
    session: Session,
    drawn: Iterable[DrawnVillage],
    listed: Iterable[frame.FrameRow],
    units: Iterable[draw.Drawn],
) -> None:
    there = Counter(row.psu for row in listed)
    taken = Counter(unit.row.psu for unit in units)
    for village in drawn:
        village.listed, village.drawn = there[village.psu], taken[village.psu]
    session.flush()


@dataclass(frozen=True)
class TownSum:
    """The chances of a town added up, beside what they must come to."""

    town_code: str
    name: Mapping[str, str]
    villages: int
    village_chances: float
    persons: int
    person_chances: float


def sums(session: Session, wave: Wave) -> list[TownSum]:
    """Chances by town: those of all villages give the drawn ones, those of all persons n.

    The chance of a person on a list is that of the village times the drawn share of the list; a
    drawn village stands for 1/π villages like it.
    """
    made = villages.drawn(session, wave)
    if made is None:
        return []
    planned = stages.work_out(session, wave, asked_of(made), response=1.0, rho=0.0)
    drawn: dict[str, list[DrawnVillage]] = {}
    for village in of_wave(session, wave):
        drawn.setdefault(village.stratum, []).append(village)
    return [
        TownSum(
            town.town_code,
            town.name,
            len(mine),
            float(town.chance.sum()),
            sum(village.drawn or village.persons for village in mine),
            town.n,
        )
        for town in planned.towns
        for mine in [drawn.get(town.town_code, [])]
    ]


def drawn_file(session: Session, wave: Wave) -> bytes:
    """The drawn villages as CSV, for those who make their lists."""
    rows = [
        [
            village.stratum,
            places.town(village.stratum).get('zh', village.stratum),
            village.psu,
            _name(village.psu),
            village.size,
            repr(village.probability),
            village.persons,
        ]
        for village in of_wave(session, wave)
    ]
    return table.write(LIST_HEADING, rows)
