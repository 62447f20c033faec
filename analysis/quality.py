"""How good is the survey?  Outcome rates, missing items, scales, and a volunteer sample's tilt.

Sources: AAPOR, Standard Definitions (10th ed. 2023) for the rates; Cronbach 1951; Crocker and
Algina 1986 for items; Stuart 2010 (Stat. Sci. 25) for standardised differences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.columns import Floats, groups, numbers
from analysis.errors import BadOption, ConstantColumn, UnknownLevel, listed

# Interview, partial, refusal, non-contact, other, unknown household, unknown other, not eligible.
OUTCOMES = ('I', 'P', 'R', 'NC', 'O', 'UH', 'UO', 'NE')
NOT_TO_CLAIM = (
    'These are the answers of people who chose to take part. No estimate of sampling error can '
    'be calculated; they do not stand for all residents, and no share, ranking or target '
    'verdict for the population may be drawn from them.'
)


@dataclass(frozen=True)
class Rates:
    """AAPOR rates of one group; weighted when weights were given.  NaN where nothing is below."""

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
    coop3: float
    ref1: float
    con1: float


def outcome_rates(
    outcomes: Any, *, weights: Any = None, by: Any = None, e: float | None = None
) -> list[Rates]:
    """Response, cooperation, refusal and contact rates from a column of outcome codes.

    Codes are I, P, R, NC, O, UH, UO, NE.  ``e`` is the share of the unknown that is supposed
    eligible; left out, it is that of the known cases (the proportional method), by group.
    """
    coded = groups(outcomes, 'outcomes')
    unknown = [name for name in coded.names() if name not in OUTCOMES]
    if unknown or (coded.codes < 0).any():
        raise UnknownLevel(
            f'Unknown outcome {listed(unknown) or "(empty)"}.', f'Codes are {", ".join(OUTCOMES)}.'
        )
    if e is not None and not 0 <= e <= 1:
        raise BadOption(f'e is a share from 0 to 1, not {e:g}.')
    rows = len(coded.codes)
    weight = np.ones(rows) if weights is None else numbers(weights, 'weights', rows)
    split = groups(np.zeros(rows) if by is None else by, 'by', rows)
    found = []
    for j, label in enumerate(split.names()):
        here = split.codes == j
        held = np.bincount(coded.codes[here], weight[here], len(coded))
        counts = dict.fromkeys(OUTCOMES, 0.0)
        counts.update(zip(coded.names(), held.tolist(), strict=True))
        found.append(_rates('' if by is None else label, counts, e))
    return found


def _rates(label: str, c: dict[str, float], e: float | None) -> Rates:
    eligible = c['I'] + c['P'] + c['R'] + c['NC'] + c['O']
    unknown = c['UH'] + c['UO']
    share = _over(eligible, eligible + c['NE']) if e is None else e
    everybody = eligible + unknown
    estimated = eligible + share * unknown
    asked = c['I'] + c['P'] + c['R']
    return Rates(
        label=label,
        counts=c,
        e=share,
        rr1=_over(c['I'], everybody),
        rr2=_over(c['I'] + c['P'], everybody),
        rr3=_over(c['I'], estimated),
        rr4=_over(c['I'] + c['P'], estimated),
        rr5=_over(c['I'], eligible),
        rr6=_over(c['I'] + c['P'], eligible),
        coop1=_over(c['I'], asked + c['O']),
        coop3=_over(c['I'], asked),
        ref1=_over(c['R'], everybody),
        con1=_over(asked + c['O'], everybody),
    )


def _over(above: float, below: float) -> float:
    return above / below if below else math.nan


def item_nonresponse(columns: Mapping[str, Any], weights: Any = None) -> dict[str, float]:
    """Weighted share without an answer, by item."""
    found = {}
    for name, values in columns.items():
        column = np.asarray(values, dtype=object)
        missing = np.array(
            [v is None or v == '' or (isinstance(v, float) and math.isnan(v)) for v in column]
        )
        weight = np.ones(len(column)) if weights is None else numbers(weights, 'weights')
        found[name] = float(weight[missing].sum() / weight.sum())
    return found


def cronbach_alpha(items: Mapping[str, Any], weights: Any = None) -> float:
    """Weighted α = k/(k − 1)·(1 − Σ var(item)/var(sum)) over rows that answered every item."""
    matrix, weight = _complete(items, weights)
    covariance = np.cov(matrix, rowvar=False, aweights=weight, ddof=0)
    k, total = matrix.shape[1], float(covariance.sum())
    if k < 2:
        raise BadOption('Cronbach’s α needs at least two items.')
    if not total > 0:
        raise ConstantColumn('The items do not vary: α is not defined.')
    return float(k / (k - 1) * (1.0 - float(np.trace(covariance)) / total))


@dataclass(frozen=True)
class Item:
    """A knowledge item: share right, and its correlation with the rest of the score."""

    name: str
    difficulty: float
    discrimination: float


def item_analysis(items: Mapping[str, Any], weights: Any = None) -> list[Item]:
    """Difficulty (share right) and corrected item-rest correlation, weighted.

    A negative discrimination marks an item that the better informed answer wrongly: look at
    its key.  NaN for an item that all answer alike.
    """
    matrix, weight = _complete(items, weights)
    found = []
    for j, name in enumerate(items):
        rest = matrix.sum(axis=1) - matrix[:, j]
        block = np.cov(matrix[:, j], rest, aweights=weight, ddof=0)
        spread = math.sqrt(float(block[0, 0] * block[1, 1]))
        relation = float(block[0, 1]) / spread if spread > 0 else math.nan
        found.append(Item(name, float(np.average(matrix[:, j], weights=weight)), relation))
    return found


def _complete(items: Mapping[str, Any], weights: Any) -> tuple[Floats, Floats]:
    matrix = np.stack([numbers(values, name) for name, values in items.items()], axis=1)
    weight = np.ones(len(matrix)) if weights is None else numbers(weights, 'weights', len(matrix))
    whole = np.isfinite(matrix).all(axis=1) & (weight > 0)
    if whole.sum() < 2:
        raise BadOption('Fewer than two rows have answered every item.')
    return matrix[whole], weight[whole]


@dataclass(frozen=True)
class Balance:
    """How far a level's share in a sample is from the population's, in standard deviations."""

    margin: str
    level: str
    sample: float
    population: float
    asmd: float


def balance(
    margins: Mapping[str, Any],
    population: Mapping[str, Mapping[Any, float]],
    weights: Any = None,
) -> list[Balance]:
    """Absolute standardised differences of a volunteer sample from the population.

    |p − P|/√(P(1 − P)) for every level; above 0.1 is usually called a tilt.  What may not be
    said of such a sample whatever its balance is in ``NOT_TO_CLAIM``.
    """
    found = []
    for name, column in margins.items():
        coded = groups(column, name)
        weight = np.ones(len(coded.codes)) if weights is None else numbers(weights, 'weights')
        known = coded.codes >= 0
        held = np.bincount(coded.codes[known], weight[known], len(coded))
        shares = dict(zip(coded.names(), (held / held.sum()).tolist(), strict=True))
        people = {str(level): float(count) for level, count in population[name].items()}
        strange = [level for level in shares if level not in people]
        if strange:
            raise UnknownLevel(f'{name}: the population figures do not have {listed(strange)}.')
        total = sum(people.values())
        for level, count in people.items():
            share, own = count / total, shares.get(level, 0.0)
            spread = math.sqrt(share * (1.0 - share))
            gap = abs(own - share) / spread if spread > 0 else math.nan
            found.append(Balance(name, level, own, share, gap))
    return found
