"""The stages of selection as tables of units, with the share of the population each drew.

``population`` (counts) and ``rate`` (shares) belong to the strata of a stage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import real
from analysis.columns import Codes, Floats, Groups, chosen, counts, numbers, rows_that_differ
from analysis.errors import BadOption, LonelyPsu, PopulationTooSmall, UnknownLevel, listed
from analysis.layout import Level, move_certainty


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of selection, as a table of the units drawn at it (not of rows).

    ``stratum`` gives each unit's stratum, ``parent`` the unit of the stage above it,
    ``drawn`` and ``fraction`` belong to the strata: units drawn, and their share of all units.
    ``within`` is the unit above of each stratum; None where every unit above is one stratum (or
    at the first stage).
    """

    stratum: Codes
    labels: Sequence[object]
    parent: Codes | None
    drawn: Floats
    fraction: Floats
    within: Codes | None = None

    @property
    def units(self) -> int:
        return len(self.stratum)

    def from_above(self, values: Any) -> Any:
        """Values by unit of the stage above, handed to the strata of this one (last axis)."""
        return values if self.within is None else values[..., self.within]


@dataclass(frozen=True)
class Sizes:
    """What the strata of every stage were drawn from: an entry a stage, counts or shares."""

    entries: tuple[Any, ...]
    counts: bool

    @classmethod
    def of(cls, population: Any, rate: Any, stages: int) -> Sizes:
        given = population if rate is None else rate
        several = given if isinstance(given, tuple) else (given,)
        if len(several) > stages:
            raise BadOption(
                f'{len(several)} stages of population or rate for {stages} stages of units.',
                'Name the units of every stage in psu and ssu.',
            )
        return cls((*several, *[None] * (stages - len(several))), rate is None)

    @property
    def unknown(self) -> float:
        """What stands for a stage of which nothing was said: drawn with replacement."""
        return np.inf if self.counts else 0.0

    def of_strata(self, stage: int, level: Level) -> Floats:
        """Population or rate of each stratum from a number, a mapping, or a column by row."""
        entry, name = self.entries[stage], 'population' if self.counts else 'rate'
        units, strata = level.units, level.strata
        if entry is None:
            return np.full(len(strata), self.unknown)
        if isinstance(entry, Mapping):
            named = {str(key): value for key, value in entry.items()}
            absent = [label for label in strata.names() if label not in named]
            if absent:
                raise PopulationTooSmall(
                    f'{name} says nothing about stratum {listed(absent)}.', 'Add it.'
                )
            surplus = [one for one in named if one not in set(strata.names()) and named[one]]
            if surplus:
                raise UnknownLevel(
                    f'{name} has stratum {listed(surplus)}, of which the sample has no row.',
                    'Correct the label; a stratum without a sample is left out or merged.',
                )
            return np.array([real(named[one], f'{name}[{one!r}]') for one in strata.names()])
        scalar = isinstance(entry, str) or not hasattr(entry, '__len__')
        if scalar or (isinstance(entry, np.ndarray) and not entry.ndim):
            return np.full(len(strata), real(entry, f'{name}, if not a column or a mapping,'))
        column = numbers(entry, name, len(units.codes))
        found = column[units.first][strata.first]
        differs = rows_that_differ(column, found[strata.codes], units.codes)
        if differs.size:
            varying = sorted(set(strata.of_rows(units.codes[differs]).each()))
            raise PopulationTooSmall(
                f'{name} is missing or varies inside stratum {listed(varying)}.',
                'It belongs to the whole stratum: give the same number in each of its rows.',
            )
        return found

    def by_row(self, levels: Sequence[Level]) -> list[Floats]:
        """The same for every row, stage by stage."""
        return [
            self.of_strata(stage, level)[level.strata_by_row().codes]
            for stage, level in enumerate(levels)
        ]


def stages_of(
    levels: tuple[Level, ...], population: Any, rate: Any, certainty: Any
) -> tuple[tuple[Level, ...], tuple[Stage, ...]]:
    """The levels with certainty PSUs moved down, and the stages that the variance needs.

    Later stages matter only below a stage with a known fraction.
    """
    sizes = Sizes.of(population, rate, len(levels))
    if certainty is not None:
        levels, columns = move_certainty(levels, certainty, sizes.by_row(levels), sizes.unknown)
        sizes = Sizes(tuple(columns), sizes.counts)
    stages: list[Stage] = []
    for stage, level in enumerate(levels):
        if stage and not (stages[-1].fraction > 0).any():
            break
        strata = level.strata
        drawn = counts(strata.codes, len(strata))
        fraction = _fractions(sizes.of_strata(stage, level), drawn, strata, sizes.counts, stage)
        stages.append(
            Stage(strata.codes, strata.labels, level.above, drawn, fraction, level.within)
        )
    return levels, tuple(stages)


def _fractions(wanted: Floats, drawn: Floats, strata: Groups, counts: bool, level: int) -> Floats:
    """Share of units drawn in each stratum; refuses samples larger than their population."""
    where = 'PSUs' if level == 0 else f'units of stage {level + 1}'
    if counts:
        short = ~(wanted >= drawn)
        if short.any():
            cases = [
                f'{name} (population {there:g}, drawn {taken:g})'
                for name, there, taken in zip(
                    chosen(strata.labels, short), wanted[short], drawn[short], strict=True
                )
            ]
            raise PopulationTooSmall(
                f'The population is smaller than the number of {where} drawn: {listed(cases, 4)}.',
                'population= counts the units of that stage; shares go to rate=.',
            )
        return np.where(np.isinf(wanted), 0.0, drawn / wanted)
    bad = ~((wanted >= 0) & (wanted <= 1))
    if bad.any():
        cases = [
            f'{name} ({share:g})'
            for name, share in zip(chosen(strata.labels, bad), wanted[bad], strict=True)
        ]
        raise PopulationTooSmall(
            f'A rate must lie between 0 and 1; not so in stratum {listed(cases, 4)}.',
            'Numbers of units go to population=.',
        )
    return wanted


def refuse_nothing_to_average(stage: Stage) -> None:
    """Raises LonelyPsu where every stratum has one PSU: no other lends it a variance."""
    if ((stage.drawn == 1) & (stage.fraction < 1)).all():
        raise LonelyPsu(
            'Every stratum has one PSU: there is no variance to average.',
            'Merge similar strata (collapse_strata), or choose lonely_psu="adjust".',
        )


def refuse_lonely(stages: tuple[Stage, ...]) -> None:
    """Raises LonelyPsu naming the strata from which one unit was drawn out of several."""
    for level, stage in enumerate(stages):
        alone = (stage.drawn == 1) & (stage.fraction < 1)
        if level:
            # Below a stage drawn with replacement nothing is added, so nothing is missing.
            above = stages[level - 1]
            alone &= stage.from_above(above.fraction[above.stratum]) > 0
        if alone.any():
            kind = 'stratum' if level == 0 else f'unit of stage {level}'
            names = listed(chosen(stage.labels, alone))
            raise LonelyPsu(
                f'Only one unit was sampled at stage {level + 1} in {kind} {names}.',
                'Merge with a similar stratum, or choose lonely_psu= adjust, average, '
                'certainty or remove.',
            )


def to_first_stage(stages: tuple[Stage, ...]) -> Codes | None:
    """PSU of every deepest unit; None when the deepest units are the PSUs."""
    if len(stages) == 1:
        return None
    mapping = stages[-1].parent
    for stage in reversed(stages[1:-1]):
        assert stage.parent is not None
        assert mapping is not None
        mapping = stage.parent[mapping]
    return mapping
