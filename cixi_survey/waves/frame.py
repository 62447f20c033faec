"""The sampling frame of a wave: checked, counted by town, stored as it was loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import audit, places
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Frame, FrameUnit, SampleDraw, Wave
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


@dataclass(frozen=True)
class TownCount:
    """What a frame holds in one town."""

    town_code: str
    name: dict[str, str]
    psus: int
    units: int
    adults: int


@dataclass(frozen=True)
class ParsedFrame:
    """A frame file without faults."""

    units: tuple[Unit, ...]
    encoding: str
    sha256: str

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


def parse(content: bytes, towns: Collection[str]) -> ParsedFrame:
    """Read and check a frame file for a wave with these towns; raises TableRefused."""
    faults = table.Faults()
    read = table.read(content, COLUMNS, faults)
    units: list[Unit] = []
    lines: dict[str, int] = {}
    for line, row in read:
        before = faults.total
        _check_place(row['stratum'], row['psu'], towns, line, faults)
        size = _size(row['size'], line, faults)
        _check_new(row['unit'], lines, line, faults)
        if size and faults.total == before:
            units.append(Unit(row['stratum'], row['psu'], row['unit'], size))
    faults.refuse()
    return ParsedFrame(tuple(units), read.encoding, read.sha256)


def _check_place(
    town: str, village: str, towns: Collection[str], line: int, faults: table.Faults
) -> None:
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


def _size(text: str, line: int, faults: table.Faults) -> int | None:
    size = table.whole(text)
    if size is not None and size <= MAXIMUM_SIZE:
        return size
    message = N_('“%(column)s” is “%(text)s”; it must be a whole number from 1 up.')
    cure = N_('It is the number of adults at the address; 1 in a list of persons.')
    faults.add(line, 'size', 'size_wrong', message, cure, text=text[:40])
    return None


def _check_new(unit: str, lines: dict[str, int], line: int, faults: table.Faults) -> None:
    first = lines.setdefault(unit, line)
    if first != line:
        message = N_('“%(unit)s” stands already in line %(first)s.')
        cure = N_('Every unit needs a name of its own; put the village before the house number.')
        faults.add(line, 'unit', 'unit_twice', message, cure, unit=unit[:60], first=first)


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
    """Store a frame that was seen in the preview under ``sha256``; it replaces an earlier one.

    Raises NotPlanned, SampleDrawn, TableRefused, ProblemsFound.
    """
    wave = lifecycle.planned(session, slug)
    refuse_if_drawn(session, wave)
    parsed = parse(content, {stratum.town_code for stratum in wave.strata})
    if parsed.sha256 != sha256:
        raise ProblemsFound([another_file()])
    remove(session, wave)
    stored = Frame(
        wave_id=wave.id,
        filename=filename[:200],
        source=source[:300],
        sha256=parsed.sha256,
        units=len(parsed.units),
        loaded_at=now,
        loaded_by=staff_id,
    )
    session.add(stored)
    session.flush()
    session.execute(
        sa.insert(FrameUnit),
        [{'frame_id': stored.id, **vars(unit)} for unit in parsed.units],
    )
    details = {'file': filename, 'sha256': parsed.sha256, 'units': len(parsed.units)}
    audit.on_wave(session, wave, 'wave.frame', actor, now, {**details, 'source': source})
    return stored


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


def template(households: int = 20, towns: Collection[str] | None = None) -> bytes:
    """A made-up frame of the real villages and communities, to try things out and as a pattern."""
    rows = [
        [town, village, f'{name} 示例{number:03d}户 ({village})', 1 + (number * 7 + index) % 4]
        for index, (village, (name, town)) in enumerate(places.villages().items())
        if towns is None or town in towns
        for number in range(1, households + 1)
    ]
    return table.write([column.name for column in COLUMNS], rows)
