"""How good is the survey?  Outcome rates, missing items, scales, and a volunteer sample's tilt.

Sources: AAPOR, Standard Definitions (10th ed. 2023) for the rates; Cronbach 1951; Crocker and
Algina 1986 for items; Stuart 2010 (Stat. Sci. 25) for standardised differences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, chosen, groups, measured, positive_or_zero, row_count
from analysis.errors import (
    BadOption,
    ConstantColumn,
    EmptyDomain,
    UnknownLevel,
    listed,
)
from analysis.options import number
from analysis.record import Record, Records

# Interview, partial, refusal, non-contact, other, unknown household, unknown other, not eligible.
OUTCOMES = ('I', 'P', 'R', 'NC', 'O', 'UH', 'UO', 'NE')
# The final disposition codes of the Standard Definitions by their first decimal, or as a whole.
# 1.0 and 2.0 do not say enough: complete or partial, refusal or not reached.
AAPOR = {
    '1.1': 'I',
    '1.2': 'P',
    '2.1': 'R',
    '2.2': 'NC',
    '2.3': 'O',
    '3.1': 'UH',
    '3': 'UO',
    '4': 'NE',
}
NOT_TO_CLAIM = (
    'These are the answers of people who chose to take part. No estimate of sampling error can '
    'be calculated; they do not stand for all residents, and no share, ranking or target '
    'verdict for the population may be drawn from them.'
)


@dataclass(frozen=True, repr=False)
class Rates(Record):
    """AAPOR rates of one group; weighted when weights were given.  NaN where nothing is below.

    RR1 to RR6 response, COOP1 to COOP4 cooperation, REF1 to REF3 refusal, CON1 to CON3 contact, as
    numbered in the Standard Definitions.
    """

    label: str
    counts: Mapping[str, float]
    e: float
    rr1: float
    rr2: float
    rr3: float
    rr4: float
    rr5: float
    rr6: float
    coop1: float
    coop2: float
    coop3: float
    coop4: float
    ref1: float
    ref2: float
    ref3: float
    con1: float
    con2: float
    con3: float


@checked
def outcome_rates(
    outcomes: Any, *, weights: Any = None, by: Any = None, e: float | None = None
) -> Records[Rates]:
    """Response, cooperation, refusal and contact rates from a column of outcome codes.

    Codes are I, P, R, NC, O, UH, UO, NE, or the numbers of the Standard Definitions: 1.1 and 1.2
    (complete, partial), 2.1… (refusal, break-off), 2.2… (non-contact), 2.3… (other), 3.1…
    (unknown if a household), other 3… (unknown, other), 4… (not eligible).  ``e`` is the share of
    the unknown that is supposed eligible; left out, it is that of the known cases (the
    proportional method), by group.
    """
    coded = groups(outcomes, 'outcomes')
    if not coded.codes.size:
        raise BadOption('There are no outcomes.')
    if coded.gaps.size:
        row = coded.gaps[0] + 1
        raise UnknownLevel(f'The outcome is missing in row {row}.', 'A case not tried yet is UO.')
    kinds = _kinds(coded.names())
    if e is not None and not 0 <= number(e, 'e') <= 1:
        raise BadOption(f'e is a share from 0 to 1, not {e:g}.')
    rows = len(coded.codes)
    weight = _weights(weights, rows)
    split = groups(np.zeros(rows) if by is None else by, 'by', rows)
    if split.gaps.size:
        raise UnknownLevel(
            f'by is missing in {split.gaps.size} rows (row {listed(split.gaps + 1, 3)}).',
            'Every case counts: give it a group, "not known" perhaps.',
        )
    found = []
    for j, label in enumerate(split.names()):
        here = split.codes == j
        held = np.bincount(coded.codes[here], weight[here], len(coded))
        counts = dict.fromkeys(OUTCOMES, 0.0)
        for kind, cases in zip(kinds, held.tolist(), strict=True):
            counts[kind] += cases
        found.append(_rates('' if by is None else label, counts, e))
    return Records(found)


def _kinds(codes: Sequence[str]) -> list[str]:
    """The outcome that each code stands for."""
    found = [_kind(code) for code in codes]
    unknown = [code for code, kind in zip(codes, found, strict=True) if kind is None]
    if unknown:
        raise UnknownLevel(
            f'Unknown outcome {listed(unknown)}.',
            f"Codes are {', '.join(OUTCOMES)}, or AAPOR's numbers with a decimal: 1.1 complete, "
            '1.2 partial, 2.1 refusal, 2.2 non-contact, 2.3 other, 3.1, 3.2, 4.',
        )
    return [kind for kind in found if kind is not None]


def _kind(code: str) -> str | None:
    if code in OUTCOMES:
        return code
    whole, _, decimals = code.strip().partition('.')
    if decimals and not decimals.isdigit():
        return None
    return AAPOR.get(f'{whole}.{decimals[:1]}', AAPOR.get(whole))


def _weights(weights: Any, rows: int) -> Floats:
    """Weights of cases, 1 for each where none are given."""
    return np.ones(rows) if weights is None else positive_or_zero(weights, 'weights', rows)


def _rates(label: str, c: dict[str, float], e: float | None) -> Rates:
    interviews = c['I'] + c['P']
    asked = interviews + c['R']
    reached = asked + c['O']
    eligible = reached + c['NC']
    unknown = c['UH'] + c['UO']
    share = _over(eligible, eligible + c['NE']) if e is None else e
    # Everybody whose eligibility is not known counted as eligible; by the share e; not at all.
    everybody, estimated = eligible + unknown, eligible + share * unknown
    return Rates(
        label=label,
        counts=c,
        e=share,
        rr1=_over(c['I'], everybody),
        rr2=_over(interviews, everybody),
        rr3=_over(c['I'], estimated),
        rr4=_over(interviews, estimated),
        rr5=_over(c['I'], eligible),
        rr6=_over(interviews, eligible),
        coop1=_over(c['I'], reached),
        coop2=_over(interviews, reached),
        coop3=_over(c['I'], asked),
        coop4=_over(interviews, asked),
        ref1=_over(c['R'], everybody),
        ref2=_over(c['R'], estimated),
        ref3=_over(c['R'], eligible),
        con1=_over(reached, everybody),
        con2=_over(reached, estimated),
        con3=_over(reached, eligible),
    )


def _over(above: float, below: float) -> float:
    return above / below if below else math.nan


@checked
def item_nonresponse(columns: Mapping[str, Any], weights: Any = None) -> dict[str, float]:
    """Weighted share without an answer, by item."""
    found = {}
    for name, values in columns.items():
        missing = groups(values, name).codes < 0
        weight = _weights(weights, len(missing))
        found[name] = float(weight[missing].sum() / weight.sum())
    return found


@checked
def cronbach_alpha(items: Mapping[str, Any], weights: Any = None) -> float:
    """Weighted α = k/(k − 1)·(1 − Σ var(item)/var(sum)) over rows that answered every item."""
    matrix, weight, _ = _complete(items, weights)
    covariance = np.atleast_2d(np.cov(matrix, rowvar=False, aweights=weight, ddof=0))
    k, total = matrix.shape[1], float(covariance.sum())
    if k < 2:
        raise BadOption('Cronbach’s α needs at least two items.')
    same = chosen(list(items), np.diag(covariance) <= 0)
    if same:
        raise ConstantColumn(
            f'All rows have the same answer to {listed(same)}: α is not defined with that.',
            'Leave it out of the scale.',
        )
    if not total > 0:
        raise ConstantColumn('The sum of the items does not vary: α is not defined.')
    return float(k / (k - 1) * (1.0 - float(np.trace(covariance)) / total))


@dataclass(frozen=True, repr=False)
class Item(Record):
    """A knowledge item: share right, and its correlation with the rest of the score.

    ``n`` rows answered every item, ``missing`` rows (of a weight above 0) did not.
    """

    name: str
    difficulty: float
    discrimination: float
    n: int
    missing: int


@checked
def item_analysis(items: Mapping[str, Any], weights: Any = None) -> Records[Item]:
    """Difficulty (share right) and corrected item-rest correlation, weighted.

    A negative discrimination marks an item that the better informed answer wrongly: look at
    its key.  NaN for an item that all answer alike.
    """
    matrix, weight, missing = _complete(items, weights)
    found = []
    for j, name in enumerate(items):
        rest = matrix.sum(axis=1) - matrix[:, j]
        block = np.cov(matrix[:, j], rest, aweights=weight, ddof=0)
        spread = math.sqrt(float(block[0, 0] * block[1, 1]))
        relation = float(block[0, 1]) / spread if spread > 0 else math.nan
        share = float(np.average(matrix[:, j], weights=weight))
        found.append(Item(name, share, relation, len(weight), missing))
    return Records(found)


def _complete(items: Mapping[str, Any], weights: Any) -> tuple[Floats, Floats, int]:
    """The rows that answered every item, their weights, and how many others there are."""
    if not items:
        raise BadOption('There are no items.')
    first = next(iter(items))
    rows = row_count(items[first], first)
    matrix = np.stack([measured(values, name, rows) for name, values in items.items()], axis=1)
    weight = _weights(weights, rows)
    counted = weight > 0
    whole = np.isfinite(matrix).all(axis=1) & counted
    if whole.sum() < 2:
        raise EmptyDomain('Fewer than two rows have answered every item.')
    return matrix[whole], weight[whole], int(counted.sum() - whole.sum())


@dataclass(frozen=True, repr=False)
class Balance(Record):
    """How far a level's share in a sample is from the population's, in standard deviations.

    ``missing`` rows have no level of this margin and count in none.
    """

    margin: str
    level: str
    sample: float
    population: float
    asmd: float
    missing: int


@checked
def balance(
    margins: Mapping[str, Any],
    population: Mapping[str, Mapping[Any, float]],
    weights: Any = None,
) -> Records[Balance]:
    """Absolute standardised differences of a volunteer sample from the population.

    |p − P|/√(P(1 − P)) for every level; above 0.1 is usually called a tilt.  What may not be
    said of such a sample whatever its balance is in ``NOT_TO_CLAIM``.
    """
    found = []
    for name, column in margins.items():
        coded = groups(column, name)
        weight = _weights(weights, len(coded.codes))
        known = coded.codes >= 0
        held = np.bincount(coded.codes[known], weight[known], len(coded))
        if not held.sum() > 0:
            raise EmptyDomain(f'{name}: nobody has an answer.')
        shares = dict(zip(coded.names(), (held / held.sum()).tolist(), strict=True))
        people = _people(population, name, list(shares))
        total = sum(people.values())
        for level, count in people.items():
            share, own = count / total, shares.get(level, 0.0)
            spread = math.sqrt(share * (1.0 - share))
            gap = abs(own - share) / spread if spread > 0 else math.nan
            found.append(Balance(name, level, own, share, gap, len(coded.gaps)))
    return Records(found)


def _people(
    population: Mapping[str, Mapping[Any, float]], name: str, levels: list[str]
) -> dict[str, float]:
    """The population of every level of a margin, all levels of the sample among them."""
    if name not in population:
        raise UnknownLevel(f'The population figures say nothing about {name}.')
    people = {str(level): count for level, count in population[name].items()}
    strange = [level for level in levels if level not in people]
    if strange:
        raise UnknownLevel(f'{name}: the population figures do not have {listed(strange)}.')
    if not people or min(people.values()) < 0 or not 0 < sum(people.values()) < math.inf:
        raise BadOption(f'{name}: population figures must be counts, not negative and not all 0.')
    return people
