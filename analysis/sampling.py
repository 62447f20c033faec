"""Allocation of a sample to strata, and drawing it: seeded, reproducible, with probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from analysis.columns import Codes, Floats, groups, numbers
from analysis.errors import BadOption, SampleTooLarge, UnknownLevel, listed

Allocation = Literal['proportional', 'equal', 'power', 'neyman']


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
    names = list(population)
    people = numbers([population[name] for name in names], 'population')
    if not names or not (people > 0).all():
        bad = [name for name, count in zip(names, people, strict=True) if not count > 0]
        raise BadOption(f'Every stratum needs a population above 0; not so for {listed(bad)}.')
    measure = _measure(method, names, people, exponent, spread)
    highest = np.minimum(np.floor(people), _limit(cap, names, np.inf))
    lowest = np.minimum(_limit(minimum, names, 0.0), np.floor(people))
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
    given = np.ones(len(names)) if spread is None else _limit(spread, names, 1.0)
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


def _limit(value: Any, names: list[Any], default: float) -> Floats:
    if value is None:
        return np.full(len(names), default)
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise UnknownLevel(f'There is no stratum {listed(unknown)}.')
        return np.array([float(value.get(name, default)) for name in names])
    return np.full(len(names), float(value))


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


def draw_stratified(
    strata: Any, n_by_stratum: Mapping[Any, int], seed: int
) -> tuple[Codes, Floats]:
    """A simple random sample without replacement in every stratum of a frame.

    ``strata`` labels the rows of the frame.  Returns the drawn rows (ascending) and their
    inclusion probabilities n_h/N_h.  Each row gets a random number from the seed (PCG64) and
    the smallest n_h of a stratum are taken: the same seed on the same frame gives the same
    sample on every machine, and a larger n only adds rows.
    """
    coded = groups(strata, 'strata')
    if coded.codes.size and coded.codes.min() < 0:
        row = int(np.flatnonzero(coded.codes < 0)[0]) + 1
        raise UnknownLevel(f'The frame has no stratum in row {row}.')
    wanted = {str(label): int(n) for label, n in n_by_stratum.items()}
    names = coded.names()
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise UnknownLevel(f'The frame has no rows of stratum {listed(unknown)}.')
    order = _generator(seed).random(len(coded.codes))
    rows, shares = [], []
    for code, name in enumerate(names):
        members = np.flatnonzero(coded.codes == code)
        n = wanted.get(name, 0)
        if not 0 <= n <= len(members):
            raise SampleTooLarge(
                f'Stratum {name}: {n} of {len(members)} rows cannot be drawn.',
                'Lower its size, or extend the frame.',
            )
        rows.append(members[np.argsort(order[members], kind='stable')[:n]])
        shares.append(np.full(n, n / len(members) if len(members) else 0.0))
    drawn = np.concatenate(rows) if rows else np.array([], dtype=np.intp)
    share = np.concatenate(shares) if shares else np.array([])
    ascending = np.argsort(drawn, kind='stable')
    return drawn[ascending], share[ascending]


def inclusion_probabilities(sizes: Any, n: int) -> Floats:
    """Probabilities proportional to size that add up to ``n``; certainties are set to 1.

    A unit so large that its share would pass 1 is taken for certain, and the rest is shared
    out again, until nothing passes 1.  R: sampling::inclusionprobabilities.
    """
    measure = numbers(sizes, 'sizes')
    bad = np.flatnonzero(~((measure >= 0) & (measure < np.inf)))
    if bad.size:
        raise BadOption(f'Sizes must be finite and not negative; not so in row {bad[0] + 1}.')
    positive = int((measure > 0).sum())
    if not 0 <= n <= positive:
        raise SampleTooLarge(f'{n} units cannot be drawn from {positive} with a size above 0.')
    result = np.zeros(len(measure))
    certain = np.zeros(len(measure), dtype=bool)
    while True:
        rest = ~certain & (measure > 0)
        left = n - int(certain.sum())
        if not left or not rest.any():
            result[:] = certain
            return result
        share = left * measure / measure[rest].sum()
        passing = rest & (share >= 1.0)
        if not passing.any():
            return np.where(certain, 1.0, np.where(rest, share, 0.0))
        certain |= passing


def draw_pps(
    sizes: Any, n: int, seed: int | None = None, *, start: float | None = None
) -> tuple[Codes, Floats]:
    """Systematic sample with probability proportional to size, in the order of the frame.

    The random start in [0, 1) comes from the ``seed``, or is given as ``start`` (a number
    drawn in public, say).  Certainties are in the sample with probability 1.  Returns the
    drawn rows and their inclusion probabilities.  Source: Madow 1949 (Ann. Math. Stat. 20).
    """
    probability = inclusion_probabilities(sizes, n)
    if (seed is None) == (start is None):
        raise BadOption('Give a seed or a start, one of the two.')
    begin = float(_generator(seed).random()) if start is None else float(start)
    if not 0 <= begin < 1:
        raise BadOption(f'start must lie in 0 to below 1, not {begin:g}.')
    certain = probability >= 1.0
    random = np.flatnonzero(~certain & (probability > 0))
    # Rounding at the end of the sum must not lose or win a unit.
    reached = np.round(np.cumsum(probability[random]), 9)
    hits = begin + np.arange(n - int(certain.sum()))
    chosen = random[np.searchsorted(reached, np.round(hits, 9), side='right')]
    rows = np.sort(np.concatenate([np.flatnonzero(certain), chosen]))
    return rows, probability[rows]


def draw_simple(size: int, n: int, seed: int) -> tuple[Codes, Floats]:
    """Simple random sample without replacement of n out of the rows 0 … size − 1."""
    return draw_stratified(np.zeros(size, dtype=np.intp), {0: n}, seed)


def draw_systematic(
    size: int, n: int, seed: int | None = None, *, start: float | None = None
) -> tuple[Codes, Floats]:
    """Every (size/n)-th row of an ordered list from a random (or given) start in [0, 1)."""
    return draw_pps(np.ones(size), n, seed, start=start)


def draw_sampford(sizes: Any, n: int, seed: int) -> tuple[Codes, Floats, Floats]:
    """Sampford's sample with probability proportional to size, with joint probabilities.

    One unit is drawn with probability π/n and n − 1 with probability proportional to
    π/(1 − π), with replacement, again and again until all differ.  Returns rows, inclusion
    probabilities, and the matrix of joint probabilities of the drawn rows (π on the
    diagonal).  Source: Sampford 1967 (Biometrika 54).  R: sampling::UPsampford.
    """
    everybody = inclusion_probabilities(sizes, n)
    certain = np.flatnonzero(everybody >= 1.0)
    random = np.flatnonzero((everybody > 0) & (everybody < 1.0))
    left, generator = n - len(certain), _generator(seed)
    chosen = np.array([], dtype=np.intp)
    if left:
        chosen = random[_rejective(everybody[random], left, generator)]
    rows = np.sort(np.concatenate([certain, chosen]))
    joint = np.outer(everybody[rows], everybody[rows])
    inside = np.flatnonzero(everybody[rows] < 1.0)
    if left > 1:
        among = joint_sampford(everybody[random], left)
        where = np.searchsorted(random, rows[inside])
        joint[np.ix_(inside, inside)] = among[np.ix_(where, where)]
    np.fill_diagonal(joint, everybody[rows])
    return rows, everybody[rows], joint


def _rejective(probability: Floats, n: int, generator: np.random.Generator) -> Codes:
    first = probability / probability.sum()
    odds = probability / (1.0 - probability)
    odds = odds / odds.sum()
    for _ in range(1_000_000):
        drawn = np.append(
            generator.choice(len(first), p=first),
            generator.choice(len(first), size=n - 1, p=odds),
        )
        if len(set(drawn.tolist())) == n:
            return np.sort(drawn)
    raise SampleTooLarge(
        "Sampford's method found no sample of different units.",
        'It is slow when most of a small frame is drawn: use draw_pps.',
    )


def joint_sampford(probability: Floats, n: int) -> Floats:
    """Joint inclusion probabilities under Sampford's design for π < 1 that add up to n ≥ 2."""
    share = probability / n
    odds = share / (1.0 - probability)
    powers = [float((odds**r).sum()) for r in range(1, n + 1)]
    whole = [1.0]
    for m in range(1, n + 1):
        terms = [(-1) ** (r - 1) * powers[r - 1] * whole[m - r] for r in range(1, m + 1)]
        whole.append(sum(terms) / m)
    constant = 1.0 / sum(t * whole[n - t] / n**t for t in range(1, n + 1))
    pair_sum, pair_product = np.add.outer(odds, odds), np.outer(odds, odds)
    without = [np.ones_like(pair_sum)]
    for m in range(1, n - 1):
        two = without[m - 2] if m > 1 else 0.0
        without.append(whole[m] - pair_sum * without[m - 1] - pair_product * two)
    both = n * np.add.outer(share, share)
    total = sum((t - both) * without[n - t] / n ** (t - 2) for t in range(2, n + 1))
    joint = constant * pair_product * np.asarray(total)
    np.fill_diagonal(joint, probability)
    return np.asarray(joint)


def draw_two_stage(
    psu: Any,
    n_psus: int | Mapping[Any, int],
    per_psu: int,
    seed: int,
    *,
    strata: Any = None,
    sizes: Mapping[Any, float] | None = None,
) -> tuple[Codes, Floats, Floats]:
    """PSUs with probability proportional to size, then a simple random sample in each.

    ``psu`` labels the rows of the frame; the size of a PSU is its number of rows unless
    ``sizes`` says otherwise; ``n_psus`` is a number (for each stratum, or by stratum).  PSUs
    with fewer rows than ``per_psu`` are taken whole.  Returns drawn rows, their inclusion
    probabilities, and those of their PSUs.
    """
    units = groups(psu, 'psu')
    towns = groups(np.zeros(len(units.codes)) if strata is None else strata, 'strata')
    home = np.full(len(units), -1, dtype=np.intp)
    home[units.codes] = towns.codes
    if (home[units.codes] != towns.codes).any():
        raise BadOption('A PSU label appears in more than one stratum.')
    held = np.bincount(units.codes, minlength=len(units)).astype(np.float64)
    measure = held if sizes is None else _limit(sizes, list(units.labels), 0.0)
    random, order = _generator(seed), _generator(seed + 1).random(len(units.codes))
    chance = np.zeros(len(units))
    chosen: list[int] = []
    for code, name in enumerate(towns.names()):
        members = np.flatnonzero(home == code)
        wanted = n_psus if isinstance(n_psus, int) else n_psus.get(towns.labels[code], 0)
        if wanted > len(members):
            raise SampleTooLarge(f'Stratum {name} has {len(members)} PSUs, not {wanted}.')
        if wanted:
            picked, probability = draw_pps(measure[members], wanted, start=float(random.random()))
            chosen += members[picked].tolist()
            chance[members[picked]] = probability
    rows = []
    for unit in chosen:
        members = np.flatnonzero(units.codes == unit)
        rows.append(members[np.argsort(order[members], kind='stable')[:per_psu]])
    drawn = np.sort(np.concatenate(rows)) if rows else np.array([], dtype=np.intp)
    first = chance[units.codes[drawn]]
    second = np.minimum(per_psu / held[units.codes[drawn]], 1.0)
    return drawn, first * second, first


def _generator(seed: int | None) -> np.random.Generator:
    if seed is None or isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise BadOption(f'The seed must be a whole number from 0; it is {seed!r}.')
    return np.random.Generator(np.random.PCG64(seed))
