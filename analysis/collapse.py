"""Small groups merged with others: classes for the weights, strata for the variance alone.

Nothing is merged unless it was asked for, and what went where is told.

Collapsed strata are what field practice does with a stratum that has one PSU: it is joined to
a stratum that is like it, and the two count as one in the variance.  The weights and the
estimates stay as they are.  The variance then holds the difference of the strata as well, so it
is on average too large and never too small; the less they differ, the better.  Which strata go
together is decided from the design, before anybody has seen the answers.
Sources: Wolter 2007, section 2.5; Rust and Kalton 1987 (J. Off. Stat. 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, Groups, Mask, counts, positive_or_zero, sums
from analysis.errors import BadOption, LonelyPsu, UnknownLevel, listed
from analysis.layout import Level, complete, lay_out


@dataclass(frozen=True, eq=False, repr=False)
class Collapsed:
    """Strata for ``Design(strata=…, psu=…)`` after small ones were merged.

    ``merged`` says for every stratum that changed its name where it went; ``small`` are the
    strata that had too few PSUs, with their number.
    """

    strata: Groups
    psu: Groups
    merged: Mapping[str, str]
    small: Mapping[str, int]

    @checked
    def population(self, counts: Mapping[Any, float]) -> dict[str, float]:
        """Population counts by stratum, added up for the merged ones."""
        return merged_counts(counts, self.merged)

    def __repr__(self) -> str:
        return f'Collapsed({self})'

    def __str__(self) -> str:
        """``A+B: A (1 PSU), B``: what was merged, for a report on methods."""
        parts: dict[str, list[str]] = {}
        for old, new in self.merged.items():
            told = f'{old} ({self.small[old]} PSU)' if old in self.small else old
            parts.setdefault(new, []).append(told)
        return '; '.join(f'{new}: {", ".join(old)}' for new, old in parts.items()) or 'none'


@checked
def collapse_strata(
    strata: Any,
    psu: Any = None,
    *,
    rule: Mapping[Any, Any] | str = 'neighbour',
    minimum: int = 2,
    within: Any = None,
    weights: Any = None,
    nest: bool = False,
) -> Collapsed:
    """Merge every stratum with fewer than ``minimum`` PSUs with another, for the variance.

    ``strata`` and ``psu`` are the columns of the design (without ``psu`` every row is a PSU).
    ``rule`` names the pairs, as {'Longshan': 'Zhangqi'}, or is ``'neighbour'``: a small stratum
    joins the next in the order of labels, the last one the one before; a categorical column
    brings its own order, so that neighbours can be strata that are alike.  ``within`` labels
    regions that are not crossed.  Only PSUs with a row of positive weight count.

    Raises LonelyPsu naming the strata that stay too small, UnknownLevel for a name that is no
    stratum.  A ``population`` by stratum has to follow: ``collapsed.population(…)``.
    """
    rows = len(complete(strata, 'strata', None).codes)
    (level,) = lay_out(rows, strata, psu, None, None, nest)
    used = np.ones(len(level.units), dtype=bool)
    if weights is not None:
        held = sums(level.units.codes, positive_or_zero(weights, 'weights', rows), len(used))
        used = held > 0
    found = counts(level.strata.codes[used], len(level.strata))
    regions = _regions(within, level, rows)
    if isinstance(rule, Mapping):
        check_names(rule, level.strata.names())
    new = _new_names(level.strata.names(), found, minimum, rule, regions)
    merged, moved = _renamed(level.strata, new)
    left = counts(merged.codes[used], len(merged))
    if (left < minimum).any():
        lonely = [
            f'{merged.labels[i]} ({left[i]:.0f})' for i in np.flatnonzero(left < minimum).tolist()
        ]
        raise LonelyPsu(
            f'After merging, stratum {listed(lonely)} still has fewer than {minimum} PSUs.',
            'Name a stratum to join in rule, or choose larger regions for within.',
        )
    small = {
        str(level.strata.labels[i]): int(found[i]) for i in np.flatnonzero(found < minimum).tolist()
    }
    return Collapsed(merged.of_rows(level.units.codes), level.units, moved, small)


def _regions(within: Any, level: Level, rows: int) -> Sequence[int]:
    """The region of each stratum, as a number."""
    if within is None:
        return [0] * len(level.strata)
    region = complete(within, 'within', rows)
    stratum = level.strata.codes[level.units.codes]
    first = np.zeros(len(level.strata), dtype=np.intp)
    first[stratum] = region.codes
    crossed = np.unique(stratum[first[stratum] != region.codes]).tolist()
    if crossed:
        names = listed(level.strata.labels[i] for i in crossed)
        raise BadOption(f'within differs inside stratum {names}.', 'A stratum lies in one region.')
    return first.tolist()


def merged_classes(
    coded: Groups, counted: Mask, minimum: int, rule: Mapping[Any, Any] | str | None
) -> tuple[Groups, dict[str, str]]:
    """Classes by row after merging, and which class went where; ``counted`` rows make them full."""
    if rule is None:
        return coded, {}
    found = counts(coded.codes[counted], len(coded))
    return _renamed(coded, _new_names(coded.names(), found, minimum, rule, [0] * len(coded)))


def check_names(rule: Mapping[Any, Any], names: Iterable[str]) -> None:
    """Raises UnknownLevel for a rule about a group that does not exist."""
    there = list(names)
    unknown = [str(old) for old in rule if str(old) not in there]
    if unknown:
        raise UnknownLevel(f'There is no {listed(unknown)} to merge; there is {listed(there)}.')
    homes = [str(new) for new in rule.values()]
    alone = [home for home in homes if home not in there and homes.count(home) == 1]
    if alone:
        raise UnknownLevel(
            f'There is no {listed(alone)} to merge with; there is {listed(there)}.',
            'A new name needs two that go there.',
        )


def merged_counts(
    population: Mapping[Any, float], rule: Mapping[Any, Any] | None
) -> dict[str, float]:
    """Population figures added up for the merged groups."""
    homes = {} if rule is None else {str(old): str(new) for old, new in rule.items()}
    merged: dict[str, float] = {}
    for label, count in population.items():
        home = homes.get(str(label), str(label))
        merged[home] = merged.get(home, 0.0) + count
    return merged


def _new_names(
    names: Sequence[str],
    count: Floats,
    minimum: int,
    rule: Mapping[Any, Any] | str,
    regions: Sequence[int],
) -> list[str]:
    """What each label is called after merging."""
    if isinstance(rule, Mapping):
        homes = {str(old): str(new) for old, new in rule.items()}
        return [homes.get(name, name) for name in names]
    if rule != 'neighbour':
        raise BadOption(f"The rule to merge by is {rule!r}; it must be a mapping or 'neighbour'.")
    new = list(names)
    for region in dict.fromkeys(regions):
        members = [i for i, one in enumerate(regions) if one == region]
        for run in _runs([float(count[i]) for i in members], minimum):
            together = '+'.join(names[members[i]] for i in run)
            for i in run:
                new[members[i]] = together
    return new


def _runs(count: Sequence[float], minimum: int) -> list[list[int]]:
    """Runs of neighbours with at least ``minimum``; a short last run joins the one before."""
    runs: list[list[int]] = [[]]
    for i in range(len(count)):
        runs[-1].append(i)
        if sum(count[j] for j in runs[-1]) >= minimum:
            runs.append([])
    last = runs.pop()
    if last and runs:
        runs[-1].extend(last)
    elif last:
        runs.append(last)
    return runs


def _renamed(coded: Groups, new: Sequence[str]) -> tuple[Groups, dict[str, str]]:
    labels = list(dict.fromkeys(new))
    position = {label: i for i, label in enumerate(labels)}
    lookup = np.array([position[label] for label in new], dtype=np.intp)
    moved = {old: to for old, to in zip(coded.names(), new, strict=True) if old != to}
    return Groups(lookup[coded.codes], tuple(labels), coded.complete), moved
