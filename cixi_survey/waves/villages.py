"""The villages and communities of a wave with their sizes: what a first stage is drawn from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import audit, places
from cixi_survey.errors import N_, ProblemsFound, Refusal
from cixi_survey.models import FrameVillage, VillageDraw, VillageFrame, Wave
from cixi_survey.waves import frame, lifecycle, table

COLUMNS = (
    frame.COLUMNS[0],
    frame.COLUMNS[1],
    table.Column('size', ('adults', '成年人数', '人数', '规模'), 20),
    table.Column('source', ('来源',), 300, optional=True),
)
MAXIMUM_SIZE = 1_000_000
SHIPPED = Path(places.FOLDER) / 'demonstration-village-sizes.csv'
SHIPPED_SOURCE = (
    '村（社区）：国家统计局2023年代码；人数：演示数据，不是真实数字 / '
    'units: National Bureau of Statistics, codes of 2023; sizes: demonstration figures, not real'
)
INVENTED = ('demonstration', '演示')


class VillagesDrawn(Refusal):
    """The villages cannot change, or be drawn again, under a drawn first stage."""

    code = 'villages_drawn'
    title = N_('The villages have already been drawn')
    message = N_('They were drawn on %(time)s with the seed %(seed)s.')
    cure = N_('Discard them first; that is possible until the sample is drawn from their lists.')


class NoTowns(Refusal):
    """Without populations it is not known which towns the wave has."""

    code = 'no_towns'
    title = N_('First load the populations')
    message = N_('They say which towns the wave has, and so which villages belong to it.')
    cure = N_('Load the adults by town, then come back.')


class Village(NamedTuple):
    """One village or community and its size."""

    stratum: str
    psu: str
    size: int


@dataclass(frozen=True)
class TownVillages:
    """The villages of one town."""

    town_code: str
    name: dict[str, str]
    villages: int
    adults: int
    smallest: int
    largest: int


@dataclass(frozen=True)
class ParsedVillages:
    """A file of villages without faults, in the order of the codes."""

    villages: tuple[Village, ...]
    encoding: str
    sha256: str
    demonstration: bool

    def by_town(self) -> list[TownVillages]:
        """Counts by town, in the order of the plan."""
        return by_town(self.villages)

    def missing(self, towns: Collection[str]) -> list[str]:
        """Names of the villages of these towns that the file does not have."""
        found = {village.psu for village in self.villages}
        return [
            name
            for code, (name, town) in places.villages().items()
            if town in towns and code not in found
        ]


def by_town(villages: Sequence[Village]) -> list[TownVillages]:
    """Counts by town, in the order of the plan."""
    sizes: dict[str, list[int]] = {}
    for village in villages:
        sizes.setdefault(village.stratum, []).append(village.size)
    return [
        TownVillages(code, name, len(mine), sum(mine), min(mine), max(mine))
        for code, name in places.towns().items()
        if (mine := sizes.get(code))
    ]


def parse(content: bytes, towns: Collection[str]) -> ParsedVillages:
    """Read and check a file of villages for a wave with these towns; raises TableRefused."""
    faults = table.Faults()
    read = table.read(content, COLUMNS, faults)
    found: list[Village] = []
    lines: dict[str, int] = {}
    demonstration = False
    for line, row in read:
        before = faults.total
        frame.check_place(row['stratum'], row['psu'], towns, line, faults)
        size = frame.read_size(row['size'], MAXIMUM_SIZE, line, faults)
        _check_once(row['psu'], lines, line, faults)
        demonstration |= invented(row.get('source', ''))
        if size and faults.total == before:
            found.append(Village(row['stratum'], row['psu'], size))
    faults.refuse()
    found.sort(key=lambda village: village.psu)
    return ParsedVillages(tuple(found), read.encoding, read.sha256, demonstration)


def _check_once(code: str, lines: dict[str, int], line: int, faults: table.Faults) -> None:
    first = lines.setdefault(code, line)
    if first != line:
        message = N_('The village or community %(code)s stands already in line %(first)s.')
        cure = N_('Keep one of the two rows, or add their adults together.')
        faults.add(line, 'psu', 'village_twice', message, cure, code=code[:40], first=first)


def shipped(towns: Collection[str] | None = None) -> bytes:
    """The real villages and communities (of these towns) with invented sizes, as a file."""
    lines = SHIPPED.read_text(encoding='utf-8').splitlines(keepends=True)
    kept = [line for line in lines[1:] if towns is None or line.partition(',')[0] in towns]
    return (lines[0] + ''.join(kept)).encode('utf-8-sig')


def store(
    session: Session,
    slug: str,
    content: bytes,
    *,
    filename: str,
    source: str,
    sha256: str,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
) -> VillageFrame:
    """Store a file of villages that was seen in the preview; it replaces an earlier one.

    Raises NotPlanned, SampleDrawn, VillagesDrawn, TableRefused, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    frame.refuse_if_drawn(session, wave)
    refuse_if_drawn(session, wave)
    parsed = parse(content, {stratum.town_code for stratum in wave.strata})
    if parsed.sha256 != sha256:
        raise ProblemsFound([frame.another_file()])
    remove(session, wave)
    stored = VillageFrame(
        wave_id=wave.id,
        filename=filename[:200],
        source=source[:300],
        demonstration=parsed.demonstration,
        sha256=frame.fingerprint(parsed.villages),
        villages=len(parsed.villages),
        loaded_at=now,
        loaded_by=staff_id,
    )
    session.add(stored)
    session.flush()
    rows = [{'frame_id': stored.id, **village._asdict()} for village in parsed.villages]
    session.execute(sa.insert(FrameVillage), rows)
    details = {'file': filename, 'sha256': stored.sha256, 'villages': stored.villages}
    details |= {'source': source, 'demonstration': stored.demonstration}
    audit.on_wave(session, wave, 'wave.villages', actor, now, details)
    return stored


def load_shipped(
    session: Session, slug: str, *, actor: str, now: datetime, staff_id: int | None = None
) -> VillageFrame:
    """Store the villages that come with the program, of the towns of the wave.

    Raises NoTowns, and what ``store`` raises.
    """
    wave = lifecycle.planned(session, slug)
    towns = {stratum.town_code for stratum in wave.strata}
    if not towns:
        raise NoTowns
    content = shipped(towns)
    return store(
        session,
        slug,
        content,
        filename=SHIPPED.name,
        source=SHIPPED_SOURCE,
        sha256=parse(content, towns).sha256,
        actor=actor,
        now=now,
        staff_id=staff_id,
    )


def refuse_if_drawn(session: Session, wave: Wave) -> None:
    """Raise VillagesDrawn when the villages of the wave were drawn."""
    found = drawn(session, wave)
    if found is not None:
        raise VillagesDrawn(time=found.drawn_at, seed=found.seed)


def drawn(session: Session, wave: Wave) -> VillageDraw | None:
    """The first stage of a wave's sample, if there is one."""
    return session.scalars(sa.select(VillageDraw).where(VillageDraw.wave_id == wave.id)).first()


def remove(session: Session, wave: Wave) -> None:
    """Forget the villages of a planned wave."""
    found = stored_frame(session, wave)
    if found is not None:
        session.execute(sa.delete(FrameVillage).where(FrameVillage.frame_id == found.id))
        session.execute(sa.delete(VillageFrame).where(VillageFrame.id == found.id))
        session.expunge(found)


def invented(source: str) -> bool:
    """Whether a source says of its figures that they are made up."""
    return any(mark in source.lower() for mark in INVENTED)


def stored_frame(session: Session, wave: Wave) -> VillageFrame | None:
    """The villages of a wave, if they are loaded."""
    return session.scalars(sa.select(VillageFrame).where(VillageFrame.wave_id == wave.id)).first()


def of_frame(session: Session, stored: VillageFrame) -> list[Village]:
    """The villages in the order of their codes, in which they are drawn from.

    The last three digits put the communities of a town before its villages, so that a systematic
    draw takes its share of both.
    """
    query = (
        sa.select(FrameVillage.stratum, FrameVillage.psu, FrameVillage.size)
        .where(FrameVillage.frame_id == stored.id)
        .order_by(FrameVillage.psu)
    )
    return [Village(*row) for row in session.execute(query)]
