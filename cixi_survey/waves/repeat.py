"""Drawing a sample again from what is recorded, to see that it comes out the same.

Each stage has its input, of which the hash was recorded with the draw, and its outcome.  When the
wave has closed the lists of persons are gone; the villages can still be drawn again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis.errors import AnalysisError
from cixi_survey.errors import N_, ProblemsFound
from cixi_survey.models import Invitation, SampleDraw, Wave
from cixi_survey.waves import draw, frame, reserve, stages, two_stage, villages

PARTS = {
    'village_frame': N_('List of villages'),
    'villages': N_('Drawn villages'),
    'list': N_('List of persons or addresses'),
    'sample': N_('Drawn sample'),
    'units': N_('Units in the sample now'),
}


@dataclass(frozen=True)
class Part:
    """One input or outcome: ``same`` is None where it cannot be told any more."""

    name: str
    same: bool | None
    recorded: str
    found: str


@dataclass(frozen=True)
class Repeated:
    """A draw done again."""

    parts: tuple[Part, ...]

    @property
    def identical(self) -> bool:
        """Whether everything that can be compared is the same, and something can."""
        told = [part.same for part in self.parts if part.same is not None]
        return bool(told) and all(told)

    @property
    def changed(self) -> tuple[str, ...]:
        """What differs from the record."""
        return tuple(part.name for part in self.parts if part.same is False)

    @property
    def untold(self) -> tuple[str, ...]:
        """What cannot be compared any more."""
        return tuple(part.name for part in self.parts if part.same is None)


def repeat(session: Session, wave: Wave) -> Repeated:
    """Draw the villages and the sample of a wave again and compare with what is recorded."""
    return Repeated((*_villages(session, wave), *_sample(session, wave)))


def _villages(session: Session, wave: Wave) -> Iterable[Part]:
    made, stored = villages.drawn(session, wave), villages.stored_frame(session, wave)
    if made is None or stored is None:
        return
    found = frame.fingerprint(villages.of_frame(session, stored))
    yield Part('village_frame', found == made.frame_sha256, made.frame_sha256, found)
    recorded = frame.fingerprint(
        (village.psu, repr(village.probability), village.persons)
        for village in two_stage.of_wave(session, wave)
    )
    try:
        planned = stages.work_out(session, wave, two_stage.asked_of(made), response=1.0, rho=0.0)
        rows = sorted(two_stage.drawn_rows(planned, made.seed), key=lambda row: str(row['psu']))
    except ProblemsFound:  # a changed list need not allow what was drawn
        rows = []
    again = frame.fingerprint(
        (row['psu'], repr(row['probability']), row['persons']) for row in rows
    )
    yield Part('villages', again == recorded, recorded, again)


def _sample(session: Session, wave: Wave) -> Iterable[Part]:
    made = draw.drawn(session, wave)
    if made is None:
        return
    stored = frame.stored_frame(session, wave)
    listed = []
    if stored is not None:
        listed = frame.ordered(session, stored, by_village=made.two_stage)
    if not listed or made.list_sha256 is None:
        recorded = made.list_sha256 or made.frame_sha256
        yield Part('list', None, recorded, '')
    else:
        found = frame.fingerprint(listed)
        yield Part('list', found == made.list_sha256, made.list_sha256, found)
    kept = _kept(session, wave)
    if not listed:
        yield Part('sample', None, made.sample_sha256 or '', '')
        return
    recorded = made.sample_sha256 or kept
    alone = draw.fingerprint(_again(session, wave, made, listed, 0))
    whole = draw.fingerprint(_again(session, wave, made, listed, made.released_replicates))
    yield Part('sample', alone == recorded, recorded, alone)
    yield Part('units', whole == kept, kept, whole)


def _again(
    session: Session,
    wave: Wave,
    made: SampleDraw,
    listed: list[frame.FrameRow],
    replicates: int,
) -> list[draw.Drawn]:
    """The units that seed and list give; none where the list cannot give them."""
    try:
        return reserve.sample(session, wave, made, listed, replicates)
    except AnalysisError:
        return []


def _kept(session: Session, wave: Wave) -> str:
    """The fingerprint of the units that are in the sample now."""
    query = sa.select(
        Invitation.stratum,
        Invitation.psu,
        Invitation.unit,
        Invitation.size,
        Invitation.probability,
        Invitation.frame_count,
    ).where(Invitation.wave_id == wave.id)
    return draw.fingerprint(
        draw.Drawn(frame.FrameRow(*row[:4]), row[4], row[5]) for row in session.execute(query)
    )
