"""The list of units of a wave: checked, counted by town, stored as it was loaded.

Where villages were drawn first, the list is theirs alone: rows of other villages are not kept, and
lists may come village by village, a later one in place of an earlier one of the same village.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import audit, places
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import DrawnVillage, Frame, FrameUnit, SampleDraw, VillageDraw, Wave
from cixi_survey.waves import lifecycle, table

COLUMNS = (
    table.Column('stratum', ('town_code', '镇街代码', '层'), 9 + 20),
    table.Column('psu', ('village_code', '村社代码', '初级抽样单元'), 12 + 20),
    table.Column('unit', ('地址', '单元', '住户'), 200),
    table.Column('size', ('adults', '成年人数', '人数'), 20),
)
MAXIMUM_SIZE = 100_000


class SampleDrawn(Refusal):
    """The frame or the populations cannot change under a drawn sample."""

    code = 'sample_drawn'
    title = N_('A sample has already been drawn')
    message = N_('It was drawn from the present frame with the present populations.')
    cure = N_('Discard the sample first; that is possible until the wave opens.')


@dataclass(frozen=True)
class Unit:
    """One row of a frame file."""

    stratum: str
    psu: str
    unit: str
    size: int


class FrameRow(NamedTuple):
    """A unit as it is drawn from."""

    stratum: str
    psu: str
    unit: str
    size: int


@dataclass(frozen=True)
class TownCount:
    """What a frame holds in one town."""

    town_code: str
    name: dict[str, str]
    psus: int
    units: int
    adults: int


@dataclass(frozen=True)
class Limits:
    """What a list may hold: the towns of the wave, and where they were drawn its villages.

    ``taken`` are the names of units that are stored already, with their village.
    """

    towns: Collection[str]
    villages: Collection[str] | None = None
    taken: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ParsedFrame:
    """A frame file without faults; ``left_out`` counts rows of villages that were not drawn."""

    units: tuple[Unit, ...]
    encoding: str
    sha256: str
    left_out: int = 0

    @property
    def villages(self) -> frozenset[str]:
        return frozenset(unit.psu for unit in self.units)

    def by_town(self) -> list[TownCount]:
        """Counts by town, in the order of the plan."""
        units = Counter(unit.stratum for unit in self.units)
        adults: Counter[str] = Counter()
        psus: dict[str, set[str]] = {}
        for unit in self.units:
            adults[unit.stratum] += unit.size
            psus.setdefault(unit.stratum, set()).add(unit.psu)
        return [
            TownCount(code, name, len(psus[code]), units[code], adults[code])
            for code, name in places.towns().items()
            if code in units
        ]


def parse(content: bytes, limits: Limits | Collection[str]) -> ParsedFrame:
    """Read and check a frame file within limits (or for these towns); raises TableRefused."""
    limits = limits if isinstance(limits, Limits) else Limits(limits)
    faults = table.Faults()
    read = table.read(content, COLUMNS, faults)
    units: list[Unit] = []
    lines: dict[str, int] = {}
    left_out = 0
    for line, row in read:
        before = faults.total
        check_place(row['stratum'], row['psu'], limits.towns, line, faults)
        if limits.villages is not None and row['psu'] not in limits.villages:
            left_out += faults.total == before
            continue
        size = read_size(row['size'], MAXIMUM_SIZE, line, faults)
        _check_new(row['unit'], lines, line, faults)
        _check_free(row['unit'], row['psu'], limits.taken, line, faults)
        if size and faults.total == before:
            units.append(Unit(row['stratum'], row['psu'], row['unit'], size))
    if left_out and not units and not faults.total:
        message = N_('All rows are of villages that were not drawn.')
        faults.add(0, '', 'none_drawn', message, N_('Upload the lists of the drawn villages.'))
    faults.refuse()
    return ParsedFrame(tuple(units), read.encoding, read.sha256, left_out)


def check_place(
    town: str, village: str, towns: Collection[str], line: int, faults: table.Faults
) -> None:
    """Note what is wrong with the codes of a row."""
    if not table.known_code(town, places.towns(), line, 'stratum', faults):
        return
    if town not in towns:
        message = N_('%(town)s is not among the towns of this wave.')
        cure = N_('Leave the row out, or load a population for the town first.')
        faults.add(line, 'stratum', 'town_not_in_wave', message, cure, town=places.towns()[town])
        return
    if not table.known_code(village, places.villages(), line, 'psu', faults):
        return
    name, belongs = places.villages()[village]
    if belongs != town:
        message = N_('%(village)s (%(code)s) belongs to %(right)s, not to %(town)s.')
        cure = N_('Correct the one that is wrong; the first nine digits name the town.')
        known = places.towns()
        faults.add(
            line,
            'psu',
            'village_elsewhere',
            message,
            cure,
            village=name,
            code=village,
            right=known[belongs],
            town=known[town],
        )


def read_size(text: str, largest: int, line: int, faults: table.Faults) -> int | None:
    """A number of adults; notes what is wrong with it otherwise."""
    size = table.whole(text)
    if size is not None and size <= largest:
        return size
    if text.strip('0.') == '' and text:
        message = N_('“%(column)s” is 0: such a row could never be drawn.')
        cure = N_('Enter the number of adults, or leave the row out if nobody lives there.')
        faults.add(line, 'size', 'size_zero', message, cure)
        return None
    message = N_('“%(column)s” is “%(text)s”; it must be a whole number from 1 up.')
    cure = N_('It is the number of adults there; 1 in a list of persons.')
    faults.add(line, 'size', 'size_wrong', message, cure, text=text[:40])
    return None


def _check_new(unit: str, lines: dict[str, int], line: int, faults: table.Faults) -> None:
    first = lines.setdefault(unit, line)
    if first != line:
        message = N_('“%(unit)s” stands already in line %(first)s.')
        cure = N_('Every unit needs a name of its own; put the village before the house number.')
        faults.add(line, 'unit', 'unit_twice', message, cure, unit=unit[:60], first=first)


def _check_free(
    unit: str, village: str, taken: Mapping[str, str], line: int, faults: table.Faults
) -> None:
    elsewhere = taken.get(unit)
    if elsewhere is not None and elsewhere != village:
        message = N_('“%(unit)s” stands already in the list of %(village)s, which is stored.')
        cure = N_('Every unit needs a name of its own; put the village before the house number.')
        name = places.villages()[elsewhere][0]
        faults.add(line, 'unit', 'unit_elsewhere', message, cure, unit=unit[:60], village=name)


def limits(session: Session, wave: Wave) -> Limits:
    """What a list of this wave may hold."""
    towns = {stratum.town_code for stratum in wave.strata}
    villages = drawn_villages(session, wave)
    stored = stored_frame(session, wave)
    if villages is None or stored is None:
        return Limits(towns, villages)
    query = sa.select(FrameUnit.unit, FrameUnit.psu).where(FrameUnit.frame_id == stored.id)
    return Limits(towns, villages, {row[0]: row[1] for row in session.execute(query)})


def drawn_villages(session: Session, wave: Wave) -> frozenset[str] | None:
    """The codes of the drawn villages; None where no villages were drawn."""
    if session.scalar(sa.select(VillageDraw.id).where(VillageDraw.wave_id == wave.id)) is None:
        return None
    return frozenset(
        session.scalars(sa.select(DrawnVillage.psu).where(DrawnVillage.wave_id == wave.id))
    )


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
) -> Frame:
    """Store a frame that was seen in the preview under ``sha256``.

    It replaces an earlier one; of a wave whose villages were drawn, the lists of its villages.
    Raises NotPlanned, SampleDrawn, TableRefused, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    refuse_if_drawn(session, wave)
    allowed = limits(session, wave)
    parsed = parse(content, allowed)
    if parsed.sha256 != sha256:
        raise ProblemsFound([another_file()])
    stored = stored_frame(session, wave) if allowed.villages is not None else None
    if stored is None:
        remove(session, wave)
        stored = Frame(wave_id=wave.id, units=0)
        session.add(stored)
    else:
        stored.units -= keep_only(session, stored, parsed.villages, others=True)
    stored.filename, stored.source = filename[:200], source[:300]
    stored.sha256, stored.loaded_at, stored.loaded_by = parsed.sha256, now, staff_id
    stored.units += len(parsed.units)
    session.flush()
    session.execute(
        sa.insert(FrameUnit),
        [{'frame_id': stored.id, **vars(unit)} for unit in parsed.units],
    )
    details = {'file': filename, 'sha256': parsed.sha256, 'units': len(parsed.units)}
    if allowed.villages is not None:
        details |= {'villages': len(parsed.villages), 'left_out': parsed.left_out}
    audit.on_wave(session, wave, 'wave.frame', actor, now, {**details, 'source': source})
    return stored


def keep_only(
    session: Session, stored: Frame, villages: Collection[str], *, others: bool = False
) -> int:
    """Delete the units outside these villages (with ``others`` those in them); how many they were.

    The number in the frame's own record is left to the caller.
    """
    inside = FrameUnit.psu.in_(villages)
    which = inside if others else sa.not_(inside)
    units = sa.delete(FrameUnit).where(FrameUnit.frame_id == stored.id, which)
    return int(session.execute(units).rowcount)  # type: ignore[attr-defined]


def ordered(session: Session, stored: Frame, *, by_village: bool) -> list[FrameRow]:
    """The units in the order in which they are drawn from.

    That of the file, so that file and seed suffice; with ``by_village`` village after village,
    because their lists come one by one.
    """
    order = (FrameUnit.psu, FrameUnit.id) if by_village else (FrameUnit.id,)
    query = (
        sa.select(FrameUnit.stratum, FrameUnit.psu, FrameUnit.unit, FrameUnit.size)
        .where(FrameUnit.frame_id == stored.id)
        .order_by(*order)
    )
    return [FrameRow(*row) for row in session.execute(query)]


def fingerprint(rows: Iterable[tuple[object, ...]]) -> str:
    """SHA-256 of rows in their order: cells by a tab, rows by a line break, in UTF-8."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(('\t'.join(str(cell) for cell in row) + '\n').encode())
    return digest.hexdigest()


def another_file() -> Problem:
    """The file that is to be stored is not the one that was previewed."""
    return Problem(
        'file',
        'another_file',
        N_('This is not the file that was shown in the preview.'),
        N_('Upload it once more.'),
    )


def refuse_if_drawn(session: Session, wave: Wave) -> None:
    """Raise SampleDrawn when a sample of the wave exists."""
    if session.scalar(sa.select(SampleDraw.id).where(SampleDraw.wave_id == wave.id)):
        raise SampleDrawn


def remove(session: Session, wave: Wave) -> None:
    """Forget the frame of a planned wave."""
    found = stored_frame(session, wave)
    if found is not None:
        session.execute(sa.delete(FrameUnit).where(FrameUnit.frame_id == found.id))
        session.execute(sa.delete(Frame).where(Frame.id == found.id))
        session.expunge(found)


def stored_frame(session: Session, wave: Wave) -> Frame | None:
    """The frame of a wave, if one is loaded."""
    return session.scalars(sa.select(Frame).where(Frame.wave_id == wave.id)).first()


def counts(session: Session, frame: Frame) -> list[TownCount]:
    """What a stored frame holds by town, in the order of the plan."""
    query = (
        sa.select(
            FrameUnit.stratum,
            sa.func.count(sa.distinct(FrameUnit.psu)),
            sa.func.count(FrameUnit.id),
            sa.func.sum(FrameUnit.size),
        )
        .where(FrameUnit.frame_id == frame.id)
        .group_by(FrameUnit.stratum)
    )
    found = {row[0]: row for row in session.execute(query)}
    return [
        TownCount(code, name, found[code][1], found[code][2], int(found[code][3]))
        for code, name in places.towns().items()
        if code in found
    ]


def template(
    households: int = 20,
    towns: Collection[str] | None = None,
    villages: Collection[str] | None = None,
) -> bytes:
    """A made-up frame of the real villages and communities, to try things out and as a pattern.

    With ``villages`` of these alone.
    """
    rows = [
        [town, village, f'{name} 示例{number:03d}户 ({village})', 1 + (number * 7 + index) % 4]
        for index, (village, (name, town)) in enumerate(places.villages().items())
        if (towns is None or town in towns) and (villages is None or village in villages)
        for number in range(1, households + 1)
    ]
    return table.write([column.name for column in COLUMNS], rows)
