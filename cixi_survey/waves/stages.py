"""Two stages, worked out: how many villages in each town, how many persons in each, what it gives.

Villages come with a chance proportional to their adults; in a small town all are taken.  A
village that is in for certain is no part of chance any more: its persons carry the variance, and
it gives as many of them as fit the rate of its town, so that the chance of an adult hardly
depends on the village.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from analysis import allocation, planning, sampling
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Wave
from cixi_survey.waves import villages

ASSUMED_SHARE = 0.8
DEFAULT_RHO = 0.05
DEFAULT_VILLAGES = 10
DEFAULT_ALL_UP_TO = 12
LEAST_VILLAGES = 2
LEAST_PERSONS = 5
"""In a village taken for certain: two of them have to answer, or it has no error of its own."""

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]


class NoVillages(Refusal):
    """The first stage has nothing to draw from."""

    code = 'no_villages'
    title = N_('First load the villages and communities')
    message = N_('A draw in two stages takes villages first, and needs their sizes.')
    cure = N_('Load the populations of the towns and the villages, then come back.')


@dataclass(frozen=True)
class Asked:
    """What is wanted of a town: villages, and persons in each of them."""

    villages: int
    persons: int


@dataclass(frozen=True)
class TownStages:
    """Two stages in one town, before they are drawn.

    ``chance`` and ``persons`` are by village, in the order of ``villages``; ``rate`` is the share
    of the first stage that the finite population correction takes.  ``effective`` and
    ``half_width`` (in points) are what the expected answers are worth.
    """

    town_code: str
    name: Mapping[str, str]
    population: int
    asked: Asked
    villages: Sequence[villages.Village]
    chance: Floats
    persons: Counts
    completes: float
    effective: float

    @property
    def certain(self) -> int:
        return int((self.chance >= 1).sum())

    @property
    def takes_all(self) -> bool:
        return self.certain == len(self.villages)

    @property
    def adults(self) -> int:
        return sum(village.size for village in self.villages)

    @property
    def n(self) -> float:
        """Persons to expect: the sum of everybody's chance."""
        return float((self.chance * self.persons).sum())

    @property
    def deff(self) -> float:
        return self.completes / self.effective

    @property
    def half_width(self) -> float:
        return half_width(self.effective)

    @property
    def rate(self) -> float:
        """Σπ²/k over the villages left to chance (Hartley and Rao 1962); k/K if all are alike."""
        left = self.chance[self.chance < 1]
        return float((left**2).sum() / left.sum()) if left.size else 0.0


@dataclass(frozen=True)
class Stages:
    """Two stages in every town of a wave."""

    towns: tuple[TownStages, ...]

    @property
    def drawn_villages(self) -> int:
        return sum(town.asked.villages for town in self.towns)

    @property
    def n(self) -> float:
        return sum(town.n for town in self.towns)

    @property
    def completes(self) -> float:
        return sum(town.completes for town in self.towns)

    @property
    def effective(self) -> float:
        """What the answers of all towns are worth for the city: unequal chances cost as well."""
        people = sum(town.population for town in self.towns)
        return 1 / sum((t.population / people) ** 2 / t.effective for t in self.towns)

    @property
    def deff(self) -> float:
        return self.completes / self.effective

    @property
    def half_width(self) -> float:
        return half_width(self.effective)


def half_width(effective: float) -> float:
    """Half the width of the 95 % interval of a share of 80 %, in points."""
    z = planning.normal_quantile(0.975)
    return float(100 * z * np.sqrt(ASSUMED_SHARE * (1 - ASSUMED_SHARE) / effective))


def usual(count: int, *, number: int, all_up_to: int) -> int:
    """How many of ``count`` villages: all where they are few."""
    return count if count <= max(all_up_to, number) else number


def work_out(
    session: Session, wave: Wave, asked: Mapping[str, Asked], *, response: float, rho: float
) -> Stages:
    """What two stages give, for a share ``response`` of answers and the likeness ``rho`` of
    neighbours (the correlation inside a village).

    Raises NoVillages, ProblemsFound (``villages_<town>``, ``persons_<town>``).
    """
    found = by_town(session, wave)
    problems = [
        problem
        for stratum in wave.strata
        for problem in _problems(
            stratum.town_code, found[stratum.town_code], asked[stratum.town_code]
        )
    ]
    if problems:
        raise ProblemsFound(problems)
    return Stages(
        tuple(
            of_town(
                stratum.town_code,
                stratum.name,
                stratum.population,
                found[stratum.town_code],
                asked[stratum.town_code],
                response,
                rho,
            )
            for stratum in wave.strata
        )
    )


def by_town(session: Session, wave: Wave) -> dict[str, list[villages.Village]]:
    """The villages of every town of a wave.  Raises NoVillages, ProblemsFound."""
    stored = villages.stored_frame(session, wave)
    if stored is None or not wave.strata:
        raise NoVillages
    found: dict[str, list[villages.Village]] = {each.town_code: [] for each in wave.strata}
    for village in villages.of_frame(session, stored):
        found[village.stratum].append(village)
    empty = [stratum.name for stratum in wave.strata if not found[stratum.town_code]]
    if empty:
        message = N_('There is no village or community in: %(towns)s.')
        cure = N_('Load a list that covers them, or populations without them.')
        raise ProblemsFound(
            [Problem('villages', 'town_without_villages', message, cure, {'towns': empty})]
        )
    return found


def _problems(town: str, found: Sequence[villages.Village], asked: Asked) -> list[Problem]:
    problems = []
    least = min(LEAST_VILLAGES, len(found))
    if not least <= asked.villages <= len(found):
        message = N_('Between %(least)s and %(most)s villages can be drawn here.')
        cure = N_('An error can be calculated from two at least.')
        values: dict[str, object] = {'least': least, 'most': len(found)}
        problems.append(Problem(f'villages_{town}', 'villages_wrong', message, cure, values))
    most = sum(village.size for village in found) // len(found)
    if not LEAST_VILLAGES <= asked.persons <= most:
        message = N_('Between %(least)s and %(most)s persons can be drawn in each village here.')
        values = {'least': LEAST_VILLAGES, 'most': most}
        problems.append(Problem(f'persons_{town}', 'persons_wrong', message, '', values))
    return problems


def of_town(
    code: str,
    name: Mapping[str, str],
    population: int,
    found: Sequence[villages.Village],
    asked: Asked,
    response: float,
    rho: float,
) -> TownStages:
    """Two stages in one town; ``asked`` must fit its villages."""
    sizes = np.array([village.size for village in found], dtype=np.float64)
    chance = sampling.inclusion_probabilities(sizes, asked.villages)
    persons = persons_by_village(sizes, chance, asked.persons)
    sure = chance >= 1
    expected = chance * persons * response
    clustered = planning.design_effect(max(1.0, asked.persons * response), rho)
    parts = (
        (sizes[sure].sum(), expected[sure].sum(), 1.0),
        (sizes[~sure].sum(), expected[~sure].sum(), clustered),
    )
    variance = sum((size / sizes.sum()) ** 2 * deff / n for size, n, deff in parts if n > 0)
    return TownStages(
        code,
        name,
        population,
        asked,
        found,
        chance,
        persons,
        float(expected.sum()),
        float(1 / variance),
    )


def persons_by_village(sizes: Floats, chance: Floats, persons: int) -> Counts:
    """How many persons each village gives if it is drawn.

    ``persons`` where it was left to chance.  A village that is in for certain gives what the rate
    of its town asks for: with π = k·N_i/N and m/N_i in a drawn village every chance is k·m/N.
    """
    sure = chance >= 1
    result = np.full(len(sizes), persons, dtype=np.intp)
    if sure.all():
        least = min(persons, LEAST_PERSONS)
        table = dict(enumerate(sizes.tolist()))
        minimum = {place: min(least, int(size)) for place, size in table.items()}
        spread = allocation.allocate(table, persons * len(sizes), 'proportional', minimum=minimum)  # type: ignore[arg-type]
        result[:] = [spread[place] for place in table]  # type: ignore[index]
    elif sure.any():
        rate = persons * chance[~sure].sum() / sizes[~sure].sum()
        result[sure] = np.maximum(persons, np.round(rate * sizes[sure])).astype(np.intp)
    return result
