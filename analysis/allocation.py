"""A given number of answers spread over strata, between a minimum and a cap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, numbers
from analysis.errors import BadOption, SampleTooLarge, UnknownLevel, listed
from analysis.options import number, whole_number

Allocation = Literal['proportional', 'equal', 'power', 'neyman']


@checked
def allocate(
    population: Mapping[str, float],
    n: int,
    method: Allocation = 'proportional',
    *,
    exponent: float = 0.5,
    spread: Mapping[str, float] | None = None,
    minimum: int | Mapping[str, int] = 0,
    cap: int | Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Sample sizes by stratum that add up to ``n``, each between ``minimum`` and ``cap``.

    Sizes are proportional to N (``proportional``), to 1 (``equal``), to N^exponent times the
    coefficient of variation (``power``, Bankier 1988, Am. Stat. 42; ``spread`` are the CVs, all
    alike when left out), or to N·S (``neyman``; ``spread`` are the S).  Nothing exceeds the
    population.  The limits are met together: sizes are min(max(λm, lowest), highest) with
    the one λ that gives n, which is the optimum under the limits, and not what fixing one
    offender after the other gives.  Whole numbers by largest remainder.
    """
    if not isinstance(population, Mapping):
        raise BadOption('population must map each stratum to its number of people.')
    n, names = whole_number(n, 'n'), list(population)
    people = numbers([population[name] for name in names], 'population')
    held = (people > 0) & (people < np.inf)
    if not names or not held.all():
        bad = [name for name, one in zip(names, held, strict=True) if not one]
        raise BadOption(f'Every stratum needs a population above 0; not so for {listed(bad)}.')
    measure = _measure(method, names, people, exponent, spread)
    highest = np.minimum(np.floor(people), _by_name(cap, names, np.inf, 'cap'))
    lowest = np.minimum(_by_name(minimum, names, 0.0, 'minimum'), np.floor(people))
    _check_limits(names, n, lowest, highest)
    exact = _between(measure, n, lowest, highest)
    return dict(zip(names, _whole(exact, n, highest), strict=True))


def _measure(
    method: str,
    names: list[str],
    people: Floats,
    exponent: float,
    spread: Mapping[str, float] | None,
) -> Floats:
    given = _by_name(spread, names, 1.0, 'spread')
    if not (given > 0).all():
        raise BadOption('spread must be above 0 in every stratum.')
    if method == 'proportional':
        return people
    if method == 'equal':
        return np.ones(len(names))
    if method == 'power':
        if not 0 <= exponent <= 1:
            raise BadOption(f'exponent must lie between 0 (equal) and 1, not {exponent:g}.')
        return np.asarray(people**exponent * given)
    if method == 'neyman':
        if spread is None:
            raise BadOption('Neyman allocation needs spread: the standard deviation by stratum.')
        return people * given
    raise BadOption(f'Unknown allocation {method!r}; use proportional, equal, power or neyman.')


def _by_name(value: Any, names: list[Any], default: float, what: str) -> Floats:
    """A number for every stratum, from one for all or a mapping; counts must be whole."""
    given = dict.fromkeys(names, value) if not isinstance(value, Mapping) else value
    unknown = [key for key in given if key not in names]
    if unknown:
        raise UnknownLevel(f'There is no stratum {listed(unknown)}.')
    check = number if what == 'spread' else whole_number
    return np.array(
        [default if given.get(name) is None else check(given[name], what) for name in names]
    )


def _check_limits(names: list[str], n: int, lowest: Floats, highest: Floats) -> None:
    crossed = [names[i] for i in np.flatnonzero(lowest > highest)]
    if crossed:
        raise BadOption(f'The minimum is above the cap in stratum {listed(crossed)}.')
    if n > highest.sum():
        raise SampleTooLarge(
            f'{n} units are asked for; the strata hold {highest.sum():.0f} at most.',
            'Lower n or raise the cap.',
        )
    if n < max(lowest.sum(), 1):
        raise BadOption(
            f'{n} units do not cover the minimum in every stratum, {lowest.sum():.0f} together.',
            'Raise n or lower the minimum.',
        )


def _between(measure: Floats, n: int, lowest: Floats, highest: Floats) -> Floats:
    """min(max(λ·measure, lowest), highest) for the λ at which they add up to n."""

    def sizes(factor: float) -> Floats:
        return np.clip(factor * measure, lowest, highest)

    low, high = 0.0, float((highest / measure).max())
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if sizes(middle).sum() < n else (low, middle)
    return sizes(high)


def _whole(exact: Floats, n: int, highest: Floats) -> list[int]:
    """Round to whole numbers with the same total, within the limits."""
    # A hair is added so that 20 computed as 19.999999 counts as 20.
    floor = np.floor(exact + 1e-9)
    rest = exact - floor
    rest[floor >= highest] = -1.0
    missing = round(n - float(floor.sum()))
    floor[np.argsort(-rest, kind='stable')[:missing]] += 1
    return [int(size) for size in floor]
