"""Population figures, and the levels of the sample that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.columns import Floats, Groups, groups
from analysis.errors import BadOption, MarginsDisagree, UnknownLevel, listed


def labelled(values: Any, name: str, rows: int) -> Groups:
    coded = groups(values, name, rows)
    if coded.gaps.size:
        raise UnknownLevel(
            f'{name} is missing in {coded.gaps.size} rows (row {listed(coded.gaps + 1, 3)}).',
            'Give each row a level; "not known" can be one if the population has it too.',
        )
    return coded


def population_targets(
    coded: Groups, population: Mapping[Any, float], weight: Floats, name: str
) -> Floats:
    """Population of each level; every level with people needs answers and the reverse.

    ``weight`` is the sum of the weights in each level.
    """
    by_name = {str(label): float(count) for label, count in population.items()}
    bad = [label for label, count in by_name.items() if not 0 <= count < np.inf]
    if bad:
        raise BadOption(f'The population of {name} must be a count; not so for {listed(bad)}.')
    sampled = {label for label, sum_ in zip(coded.names(), weight, strict=True) if sum_ > 0}
    unknown = sorted(label for label in sampled if not by_name.get(label))
    empty = [label for label in unknown if label in by_name]
    if empty:
        raise UnknownLevel(
            f'{name}: the population of {listed(empty)} is 0, the sample has rows of it.',
            'Correct the label, or its population.',
        )
    if unknown:
        raise UnknownLevel(
            f'{name}: the sample has {listed(unknown)}, the population figures have not.',
            'Correct the label, or add its population.',
        )
    unseen = sorted(label for label, count in by_name.items() if count and label not in sampled)
    if unseen:
        raise UnknownLevel(
            f'{name}: nobody in the sample stands for {listed(unseen)}.',
            'Merge the level with another one, in the sample and in the population.',
        )
    # Levels with neither people nor answers keep a harmless 1: nothing is multiplied by it.
    return np.array([by_name.get(label) or 1.0 for label in coded.names()])


def check_kept(coded: Groups, first: Floats, now: Floats, name: str) -> None:
    """Refuses a replicate in which a level that had weight (``first``) has none left (``now``).

    Its people would be missing in that replicate, and the variance would take their absence for
    sampling error.
    """
    names = coded.names()
    lost = [names[i] for i in np.flatnonzero((first > 0) & ~(now > 0))]
    if lost:
        raise UnknownLevel(
            f'{name}: nobody is left to stand for {listed(lost)}.',
            'Merge the level with another one, in the sample and in the population.',
        )


def check_iteration(rounds: int, tolerance: float) -> None:
    """Refuses iterations that cannot be right."""
    if rounds < 1 or not 0 < tolerance < 1:
        raise BadOption('Needs at least 1 round and a tolerance between 0 and 1, as 1e-6.')


def check_totals(targets: Mapping[str, Floats], rows: int) -> None:
    """Refuses margins of different totals, and totals below the number of rows: shares."""
    sums = {name: float(target.sum()) for name, target in targets.items()}
    low, high = min(sums.values()), max(sums.values())
    if high - low > 1e-6 * high:
        stated = ', '.join(f'{name} {value:,.10g}' for name, value in sums.items())
        raise MarginsDisagree(
            f'The margins add up to different populations: {stated}.',
            'Scale them to one total first.',
        )
    if high < rows * (1 - 1e-6):
        raise BadOption(
            f'The population adds up to {high:,.6g}, and {rows:,} rows stand for it.',
            'Give population counts; multiply shares by the population.',
        )
