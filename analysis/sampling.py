"""Drawing a sample from a frame: seeded, reproducible, with inclusion probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from analysis import joint
from analysis.arguments import checked
from analysis.columns import Codes, Floats, Groups, groups, numbers
from analysis.errors import (
    AnalysisError,
    BadOption,
    ClusterInTwoStrata,
    SampleTooLarge,
    UnknownLevel,
    listed,
)
from analysis.options import generator, number, whole_number


@checked
def draw_stratified(
    strata: Any, n_by_stratum: Mapping[Any, int], seed: int
) -> tuple[Codes, Floats]:
    """A simple random sample without replacement in every stratum of a frame.

    ``strata`` labels the rows of the frame.  Returns the drawn rows (ascending) and their
    inclusion probabilities n_h/N_h.  Each row gets a random number from the seed (PCG64) and
    the smallest n_h of a stratum are taken: the same seed on the same frame gives the same
    sample on every machine, and a larger n only adds rows.
    """
    towns = _labelled(strata, 'stratum')
    wanted = _wanted(n_by_stratum, towns)
    order = generator(seed).random(len(towns.codes))
    rows, shares = [], []
    for code, name in enumerate(towns.names()):
        members = np.flatnonzero(towns.codes == code)
        n = wanted[name]
        if n > len(members):
            raise SampleTooLarge(
                f'Stratum {name}: {n} of {len(members)} rows cannot be drawn.',
                'Lower its size, or extend the frame.',
            )
        rows.append(members[np.argsort(order[members], kind='stable')[:n]])
        shares.append(np.full(n, n / len(members) if len(members) else 0.0))
    return _ascending(rows, shares)


def _labelled(labels: Any, name: str, rows: int | None = None) -> Groups:
    """A column of the frame without gaps: a row without a label could never be drawn."""
    coded = groups(labels, name, rows)
    if coded.gaps.size:
        raise UnknownLevel(f'The frame has no {name} in row {coded.gaps[0] + 1}.')
    return coded


def _wanted(sizes: Any, towns: Groups) -> dict[str, int]:
    """How many to draw in each stratum, from one number for all or a mapping by name.

    Names are compared as text, so that 1 and '1' are one stratum; one that is left out gets 0.
    """
    names = towns.names()
    if not isinstance(sizes, Mapping):
        return dict.fromkeys(names, whole_number(sizes, 'The sample size'))
    given = {str(name): whole_number(n, f'The size of stratum {name}') for name, n in sizes.items()}
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UnknownLevel(
            f'The frame has no rows of stratum {listed(unknown)}.', f'It has: {listed(names, 20)}.'
        )
    return {name: given.get(name, 0) for name in names}


def _ascending(rows: list[Codes], shares: list[Floats]) -> tuple[Codes, Floats]:
    drawn = np.concatenate(rows) if rows else np.array([], dtype=np.intp)
    share = np.concatenate(shares) if shares else np.array([])
    order = np.argsort(drawn, kind='stable')
    return drawn[order], share[order]


@checked
def inclusion_probabilities(sizes: Any, n: float) -> Floats:
    """Probabilities proportional to size that add up to ``n``; certainties are set to 1.

    A unit so large that its share would pass 1 is taken for certain, and the rest is shared
    out again, until nothing passes 1.  R: sampling::inclusionprobabilities.
    """
    measure, n = numbers(sizes, 'sizes'), number(n, 'n')
    bad = np.flatnonzero(~((measure >= 0) & (measure < np.inf)))
    if bad.size:
        raise BadOption(f'Sizes must be finite and not negative; not so in row {bad[0] + 1}.')
    positive = int((measure > 0).sum())
    if not 0 <= n <= positive:
        raise SampleTooLarge(f'{n:g} units cannot be drawn from {positive} with a size above 0.')
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


@checked
def draw_pps(
    sizes: Any,
    n: int | Mapping[Any, int],
    seed: int | None = None,
    *,
    start: float | None = None,
    strata: Any = None,
) -> tuple[Codes, Floats]:
    """Systematic sample with probability proportional to size, in the order of the frame.

    The random start in [0, 1) comes from the ``seed``, or is given as ``start`` (a number
    drawn in public, say).  With ``strata`` every stratum has a start of its own from the seed,
    and ``n`` is for each, or by stratum.  Certainties are in the sample with probability 1.
    Returns the drawn rows and their inclusion probabilities.  Source: Madow 1949 (Ann. Math.
    Stat. 20).
    """
    measure = numbers(sizes, 'sizes')
    if (seed is None) == (start is None):
        raise BadOption('Give a seed or a start, one of the two.')
    if strata is None:
        begin = generator(seed).random() if start is None else number(start, 'start')
        return _systematic(measure, whole_number(n, 'The sample size'), begin)
    if start is not None:
        raise BadOption('Strata need a seed: one start for all would tie them together.')
    towns, random = _labelled(strata, 'stratum', len(measure)), generator(seed)
    rows, shares = [], []
    for code, (name, wanted) in enumerate(_wanted(n, towns).items()):
        members = np.flatnonzero(towns.codes == code)
        with _in_stratum(name):
            drawn, share = _systematic(measure[members], wanted, float(random.random()))
        rows.append(members[drawn])
        shares.append(share)
    return _ascending(rows, shares)


@contextmanager
def _in_stratum(name: str) -> Iterator[None]:
    """Faults of a draw that name the stratum."""
    try:
        yield
    except AnalysisError as error:
        raise type(error)(f'Stratum {name}: {error.what}', error.cure) from error


def _systematic(measure: Floats, n: int, begin: float) -> tuple[Codes, Floats]:
    if not 0 <= begin < 1:
        raise BadOption(f'start must lie in 0 to below 1, not {begin:g}.')
    probability = inclusion_probabilities(measure, n)
    certain = probability >= 1.0
    random = np.flatnonzero(~certain & (probability > 0))
    # Rounding at the end of the sum must not lose or win a unit.
    reached = np.round(np.cumsum(probability[random]), 9)
    hits = begin + np.arange(n - int(certain.sum()))
    chosen = random[np.searchsorted(reached, np.round(hits, 9), side='right')]
    rows = np.sort(np.concatenate([np.flatnonzero(certain), chosen]))
    return rows, probability[rows]


@checked
def draw_simple(size: int, n: int, seed: int) -> tuple[Codes, Floats]:
    """Simple random sample without replacement of n out of the rows 0 … size − 1."""
    return draw_stratified(np.zeros(whole_number(size, 'size'), dtype=np.intp), {0: n}, seed)


@checked
def draw_systematic(
    size: int,
    n: int | Mapping[Any, int],
    seed: int | None = None,
    *,
    start: float | None = None,
    strata: Any = None,
) -> tuple[Codes, Floats]:
    """Every (size/n)-th row of an ordered list from a random (or given) start in [0, 1)."""
    ones = np.ones(whole_number(size, 'size'))
    return draw_pps(ones, n, seed, start=start, strata=strata)


@checked
def draw_sampford(
    sizes: Any, n: int | Mapping[Any, int], seed: int, *, strata: Any = None
) -> tuple[Codes, Floats, Floats]:
    """Sampford's sample with probability proportional to size, with joint probabilities.

    One unit is drawn with probability π/n and n − 1 with probability proportional to
    π/(1 − π), with replacement, again and again until all differ; with ``strata`` in each by
    itself.  Returns rows, inclusion probabilities, and the matrix of joint probabilities of the
    drawn rows (π on the diagonal), as ``joint.estimate`` takes it.  Source: Sampford 1967
    (Biometrika 54).  R: sampling::UPsampford.
    """
    measure, random = numbers(sizes, 'sizes'), generator(seed)
    if strata is None:
        return _sampford(measure, whole_number(n, 'The sample size'), random)
    towns = _labelled(strata, 'stratum', len(measure))
    rows, shares, blocks = [], [], []
    for code, (name, wanted) in enumerate(_wanted(n, towns).items()):
        members = np.flatnonzero(towns.codes == code)
        with _in_stratum(name):
            drawn, share, block = _sampford(measure[members], wanted, random)
        rows.append(members[drawn])
        shares.append(share)
        blocks.append(block)
    together, share = np.concatenate(rows), np.concatenate(shares)
    table, begin = np.outer(share, share), 0
    for block in blocks:
        inside = slice(begin, begin + len(block))
        table[inside, inside] = block
        begin += len(block)
    order = np.argsort(together, kind='stable')
    return together[order], share[order], table[np.ix_(order, order)]


def _sampford(measure: Floats, n: int, random: np.random.Generator) -> tuple[Codes, Floats, Floats]:
    everybody = inclusion_probabilities(measure, n)
    certain = np.flatnonzero(everybody >= 1.0)
    unsure = np.flatnonzero((everybody > 0) & (everybody < 1.0))
    left = n - len(certain)
    chosen = _rejective(everybody[unsure], left, random) if left else np.array([], dtype=np.intp)
    rows = np.sort(np.concatenate([certain, unsure[chosen]]))
    table = np.outer(everybody[rows], everybody[rows])
    if left > 1:
        inside = np.flatnonzero(everybody[rows] < 1.0)
        table[np.ix_(inside, inside)] = joint.sampford(everybody[unsure], left, chosen)
    np.fill_diagonal(table, everybody[rows])
    return rows, everybody[rows], table


def _rejective(probability: Floats, n: int, random: np.random.Generator) -> Codes:
    first = probability / probability.sum()
    odds = probability / (1.0 - probability)
    odds = odds / odds.sum()
    for _ in range(1_000_000):
        drawn = np.append(
            random.choice(len(first), p=first),
            random.choice(len(first), size=n - 1, p=odds),
        )
        if len(set(drawn.tolist())) == n:
            return np.sort(drawn)
    raise SampleTooLarge(
        "Sampford's method found no sample of different units.",
        'It is slow when most of a small frame is drawn: use draw_pps.',
    )


@checked
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
    ``sizes`` says otherwise (for every PSU); ``n_psus`` is a number for each stratum, or by
    stratum.  PSUs with fewer rows than ``per_psu`` are taken whole.  Returns drawn rows, their
    inclusion probabilities, and those of their PSUs.
    """
    units = _labelled(psu, 'psu')
    every = np.zeros(len(units.codes), dtype=np.intp) if strata is None else strata
    towns = _labelled(every, 'stratum', len(units.codes))
    each, wanted = whole_number(per_psu, 'per_psu', 1), _wanted(n_psus, towns)
    held = np.bincount(units.codes, minlength=len(units)).astype(np.float64)
    measure = held if sizes is None else _size_of_psus(sizes, units)
    first_seed, second_seed = np.random.SeedSequence(whole_number(seed, 'The seed')).spawn(2)
    starts = np.random.Generator(np.random.PCG64(first_seed))
    order = np.random.Generator(np.random.PCG64(second_seed)).random(len(units.codes))
    home = _home_of_psus(units, towns)
    chance = np.zeros(len(units))
    for code, (name, number_of_psus) in enumerate(wanted.items()):
        members = np.flatnonzero(home == code)
        if number_of_psus > len(members):
            raise SampleTooLarge(f'Stratum {name} has {len(members)} PSUs, not {number_of_psus}.')
        with _in_stratum(name):
            picked, share = _systematic(measure[members], number_of_psus, float(starts.random()))
        chance[members[picked]] = share
    rows = [
        members[np.argsort(order[members], kind='stable')[:each]]
        for members in (np.flatnonzero(units.codes == unit) for unit in np.flatnonzero(chance))
    ]
    drawn = np.sort(np.concatenate(rows)) if rows else np.array([], dtype=np.intp)
    first = chance[units.codes[drawn]]
    return drawn, first * np.minimum(each / held[units.codes[drawn]], 1.0), first


def _home_of_psus(units: Groups, towns: Groups) -> Codes:
    home = np.full(len(units), -1, dtype=np.intp)
    home[units.codes] = towns.codes
    elsewhere = home[units.codes] != towns.codes
    if elsewhere.any():
        shared = sorted({str(units.labels[code]) for code in units.codes[elsewhere]})
        raise ClusterInTwoStrata(f'PSU {listed(shared)} lies in more than one stratum.')
    return home


def _size_of_psus(sizes: Mapping[Any, float], units: Groups) -> Floats:
    """The measure of size by PSU; one without a size would have no chance, unnoticed."""
    by_name = {str(name): size for name, size in sizes.items()}
    names = units.names()
    absent = [name for name in names if name not in by_name]
    strange = [name for name in by_name if name not in names]
    if absent or strange:
        raise UnknownLevel(
            f'sizes must name every PSU of the frame; {listed(absent)} missing.'
            if absent
            else f'sizes names {listed(strange)}, which the frame does not have.'
        )
    return numbers([by_name[name] for name in names], 'sizes')
