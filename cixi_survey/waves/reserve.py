"""The reserve of a sample: whole random replicates, released by a rule that was set with the draw.

Nobody who refuses or is not met is replaced by somebody else.  If too few answer, a whole
replicate is added: a random part of the same list that the seed has fixed with the sample.  The
draw sorts a list by random numbers and takes the first n; the next q are the first replicate, and
so on.  Nothing of a reserve is stored before it is released, and the sample with it is the one
that would have been drawn with that size at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, clock
from cixi_survey.errors import N_, Problem, Refusal, Term
from cixi_survey.models import Invitation, SampleDraw, Wave
from cixi_survey.waves import draw, frame, lifecycle, two_stage

DAYS_BETWEEN = 7


class NoReserve(Refusal):
    """The sample was drawn without a reserve."""

    code = 'no_reserve'
    title = N_('This sample has no reserve')
    message = N_('A reserve and its rule are set when the sample is drawn.')


class NotReleased(Refusal):
    """The rule says no; every reason is among the problems."""

    code = 'not_released'
    title = N_('The reserve cannot be released now')
    message = N_('The rule was set before fieldwork, so that nobody can steer the result:')


@dataclass(frozen=True)
class Rule:
    """How large the reserve is and when it may be released.

    ``share`` is the size of a replicate in per cent of the sample.  One may be released from
    ``from_day`` on, the next a week after at the earliest, while there are fewer than ``below``
    complete answers from the sample.
    """

    replicates: int
    share: int
    from_day: date
    below: int

    @classmethod
    def of(cls, made: SampleDraw) -> Rule | None:
        """The rule of a drawn sample."""
        return cls.of_kept(made.reserve) if made.reserve else None

    @classmethod
    def of_kept(cls, kept: Mapping[str, Any]) -> Rule:
        """The rule from what ``kept`` gave."""
        day = date.fromisoformat(kept['from_day'])
        return cls(kept['replicates'], kept['share'], day, kept['below'])

    def kept(self) -> dict[str, object]:
        """As it is stored with the draw."""
        return {
            'replicates': self.replicates,
            'share': self.share,
            'from_day': self.from_day.isoformat(),
            'below': self.below,
        }

    def size(self, drawn: int, listed: int) -> int:
        """Units of a replicate in a place where ``drawn`` of ``listed`` are in the sample."""
        return units_of(drawn, listed, self.share, self.replicates)

    def day_of(self, replicate: int) -> date:
        """From which day on this replicate may be released."""
        return self.from_day + timedelta(days=DAYS_BETWEEN * (replicate - 1))


def units_of(drawn: int, listed: int, share: int, replicates: int) -> int:
    """Units of each of the replicates in a place: ``share`` per cent of ``drawn``, rounded up."""
    return min(ceil(drawn * share / 100), (listed - drawn) // replicates)


@dataclass(frozen=True)
class State:
    """The reserve of a wave as it is now; ``problems`` say why nothing can be released.

    A replicate has ``size`` units, the sample alone ``drawn``.
    """

    rule: Rule
    released: int
    complete: int
    size: int
    drawn: int
    problems: tuple[Problem, ...]


def state(session: Session, wave: Wave, now: datetime) -> State:
    """How the reserve stands.  Raises NoReserve."""
    made, rule = _drawn_with(session, wave)
    query = sa.select(sa.func.count(Invitation.id)).where(
        Invitation.wave_id == wave.id, Invitation.outcome == 'complete'
    )
    complete = session.scalar(query) or 0
    problems = _problems(wave, made, rule, complete, now)
    size, drawn = replicate(session, wave, made)
    return State(rule, made.released_replicates, complete, size, drawn, tuple(problems))


def replicate(session: Session, wave: Wave, made: SampleDraw) -> tuple[int, int]:
    """How many units a replicate of a drawn sample has, and how many the sample alone."""
    rule, places = Rule.of(made), _places(session, wave, made).values()
    size = sum(rule.size(n, listed) for n, listed in places) if rule else 0
    return size, sum(n for n, _listed in places)


def _drawn_with(session: Session, wave: Wave) -> tuple[SampleDraw, Rule]:
    made = draw.drawn(session, wave)
    rule = Rule.of(made) if made else None
    if made is None or rule is None:
        raise NoReserve
    return made, rule


def _problems(
    wave: Wave, made: SampleDraw, rule: Rule, complete: int, now: datetime
) -> list[Problem]:
    found = []
    if not wave.is_open(now):
        message = N_('The wave is %(state)s; a reserve is released while answers are taken.')
        state_name = Term(lifecycle.STATE_NAMES[wave.state])
        found.append(Problem('wave', 'not_running', message, values={'state': state_name}))
    if made.released_replicates >= rule.replicates:
        message = N_('All %(count)s replicates are released.')
        values: dict[str, object] = {'count': rule.replicates}
        return [*found, Problem('replicates', 'all_released', message, values=values)]
    day = rule.day_of(made.released_replicates + 1)
    if clock.local(now).date() < day:
        message = N_('The next replicate may be released from %(day)s on.')
        found.append(Problem('from_day', 'too_early', message, values={'day': day}))
    if complete >= rule.below:
        message = N_('%(complete)s complete answers are there; the rule says fewer than %(below)s.')
        values = {'complete': complete, 'below': rule.below}
        found.append(Problem('below', 'enough', message, values=values))
    return found


def release(session: Session, slug: str, *, actor: str, now: datetime) -> int:
    """Add the next replicate to the sample; returns how many units it has.  They need codes.

    Raises NoReserve, NotReleased, NotFound.
    """
    wave = access.wave_for(session, slug, lock=True)
    made, rule = _drawn_with(session, wave)
    problems = list(state(session, wave, now).problems)
    stored = frame.stored_frame(session, wave)
    listed = frame.ordered(session, stored, by_village=made.two_stage) if stored else []
    if not problems and frame.fingerprint(listed) != made.list_sha256:
        message = N_('The list is not the one that the sample was drawn from.')
        cure = N_('Repeat the draw to see what has changed.')
        problems = [Problem('list', 'list_changed', message, cure)]
    if problems:
        raise NotReleased(problems=problems)
    number = made.released_replicates + 1
    before = {unit.row.unit for unit in sample(session, wave, made, listed, number - 1)}
    added = [
        unit for unit in sample(session, wave, made, listed, number) if unit.row.unit not in before
    ]
    places = _places(session, wave, made)
    draw.add_units(session, wave, added)
    made.released = {
        'replicates': number,
        'places': {place: [n, number * rule.size(n, all_)] for place, (n, all_) in places.items()},
    }
    session.flush()
    details = {'replicate': number, 'units': len(added), 'rule': rule.kept()}
    audit.on_wave(session, wave, 'wave.reserve', actor, now, details)
    return len(added)


def sample(
    session: Session,
    wave: Wave,
    made: SampleDraw,
    listed: Sequence[frame.FrameRow],
    replicates: int,
) -> list[draw.Drawn]:
    """The units of the sample with so many replicates, with the chances of the sample alone."""
    rule = Rule.of(made)
    places = _places(session, wave, made)
    more = {
        place: replicates * rule.size(n, all_) if rule and replicates else 0
        for place, (n, all_) in places.items()
    }
    drawn = two_stage.of_wave(session, wave)
    first = {village.psu: village.probability for village in drawn}
    if made.two_stage:
        units = two_stage.drawn_units(drawn, listed, made.seed, more)
    else:
        sizes = {town: n + more[town] for town, (n, _all) in places.items()}
        units = draw.drawn_units(listed, sizes, made.seed)
    return [_as_in_sample(unit, made, places, first) for unit in units]


def _as_in_sample(
    unit: draw.Drawn,
    made: SampleDraw,
    places: Mapping[str, tuple[int, int]],
    first: Mapping[str, float],
) -> draw.Drawn:
    """The unit with the chance that the sample alone gives, to the last bit as it was drawn."""
    n = places[unit.row.psu if made.two_stage else unit.row.stratum][0]
    share = n / unit.frame_count
    chance = first[unit.row.psu] * share if made.two_stage else share
    return unit._replace(probability=chance)


def _places(session: Session, wave: Wave, made: SampleDraw) -> dict[str, tuple[int, int]]:
    """By village or town the units of the sample as drawn, and those on the list."""
    if made.two_stage:
        drawn = two_stage.of_wave(session, wave)
        return {village.psu: (village.drawn or 0, village.listed or 0) for village in drawn}
    counts = Counter(_frame_counts(session, wave))
    return {town: (int(str(n)), counts[town]) for town, n in made.allocated.items()}


def _frame_counts(session: Session, wave: Wave) -> dict[str, int]:
    query = (
        sa.select(Invitation.stratum, sa.func.max(Invitation.frame_count))
        .where(Invitation.wave_id == wave.id)
        .group_by(Invitation.stratum)
    )
    return {row[0]: row[1] for row in session.execute(query)}
