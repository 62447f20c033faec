"""How much every sampled unit counts in every replicate.

Factors act on unit totals.  Where they are random or few they are a table (R, units); a jackknife
has one replicate for each PSU, and its sums over replicates follow from sums by stratum, so that
its table, PSUs × PSUs, is never built.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.columns import Codes, Floats, Mask, sums
from analysis.design import Design, Stage


class Factors(Protocol):
    """What a replicate design needs of its factors."""

    def totals(self, table: Floats) -> Floats:
        """Σ over units of factor·value in every replicate: (units, k) → (R, k)."""

    def of(self, replicate: int) -> Floats:
        """The factors of one replicate (counted from 0) by unit."""


@dataclass(frozen=True, eq=False)
class Table:
    """Factors written out, (R, units)."""

    values: Floats

    def totals(self, table: Floats) -> Floats:
        return np.asarray(self.values @ table)

    def of(self, replicate: int) -> Floats:
        return np.asarray(self.values[replicate])


@dataclass(frozen=True, eq=False)
class DeleteOne:
    """PSU r deleted, the rest of its stratum × n/(n − 1); nothing where it is alone.

    ``whole`` PSUs (alone, under the rule "adjust") take their stratum with them, and the other
    H − 1 strata count H/(H − 1).  ``psu`` gives the PSU of each unit, None where they are units.
    """

    stage: Stage
    psu: Codes | None
    whole: Mask

    def totals(self, table: Floats) -> Floats:
        stage = self.stage
        own = table if self.psu is None else _sum_by(self.psu, table, stage.units)
        by_stratum = _sum_by(stage.stratum, own, len(stage.drawn))
        everything, around = by_stratum.sum(axis=0), by_stratum[stage.stratum]
        n = stage.drawn[stage.stratum][:, None]
        moved = np.divide(around - n * own, n - 1.0, out=np.zeros_like(own), where=n > 1)
        result = everything + moved
        if self.whole.any():
            strata = len(stage.drawn)
            result[self.whole] = strata / (strata - 1) * (everything - around[self.whole])
        return np.asarray(result)

    def of(self, replicate: int) -> Floats:
        stage = self.stage
        factors = np.ones(stage.units)
        stratum = stage.stratum[replicate]
        n, strata = stage.drawn[stratum], len(stage.drawn)
        if self.whole[replicate]:
            factors[:] = strata / (strata - 1)
            factors[replicate] = 0.0
        elif n > 1:
            factors[stage.stratum == stratum] = n / (n - 1.0)
            factors[replicate] = 0.0
        return factors if self.psu is None else factors[self.psu]


def _sum_by(codes: Codes, table: Floats, size: int) -> Floats:
    return np.stack([sums(codes, column, size) for column in table.T], axis=1)


def rao_wu(stage: Stage, replicates: int, random: np.random.Generator) -> Table:
    """n_h − 1 PSUs with replacement, rescaled by λ² = 1 − f (Rao, Wu and Yue 1992)."""
    factors = np.ones((replicates, stage.units))
    for h in range(len(stage.drawn)):
        members = np.flatnonzero(stage.stratum == h)
        n = len(members)
        if n < 2:
            continue
        drawn = random.multinomial(n - 1, np.full(n, 1.0 / n), size=replicates)
        keep = np.sqrt(1.0 - stage.fraction[h])
        factors[:, members] = 1.0 - keep + keep * (n / (n - 1)) * drawn
    return Table(factors)


def preston(design: Design, replicates: int, random: np.random.Generator) -> Table:
    """Half of the units of every stage without replacement, inside those kept above.

    A stratum that was drawn whole, or has one unit, is kept whole: it adds nothing itself, and the
    stages below it carry what varies.
    """
    above = np.ones((replicates, 1))
    share = np.ones(1)
    total = np.ones((replicates, 1))
    for stage in design.stages:
        half = np.floor(stage.drawn / 2.0)
        half = np.where((half < 1) | (stage.fraction >= 1), stage.drawn, half)
        left = np.maximum(stage.drawn - half, 1.0)
        share = np.broadcast_to(stage.from_above(share), half.shape)
        keep = np.sqrt(half * share * (1.0 - stage.fraction) / left)
        keep = np.where(half < stage.drawn, keep, 0.0)
        inflate = stage.drawn / half
        taken = _drawn(stage.stratum, half, replicates, random)
        path = np.broadcast_to(stage.from_above(above), (replicates, len(half)))
        start = np.broadcast_to(stage.from_above(total), (replicates, len(half)))
        change = (keep * path)[:, stage.stratum] * (inflate[stage.stratum] * taken - 1.0)
        total = start[:, stage.stratum] + change
        above = path[:, stage.stratum] * np.sqrt(inflate)[stage.stratum] * taken
        share = (share * stage.fraction)[stage.stratum]
    return Table(total)


def _drawn(stratum: Codes, wanted: Floats, replicates: int, random: np.random.Generator) -> Floats:
    """0/1 for ``wanted`` units of each stratum drawn without replacement, (replicates, units)."""
    taken = np.zeros((replicates, len(stratum)))
    order = np.argsort(stratum, kind='stable')
    starts = np.searchsorted(stratum[order], np.arange(len(wanted) + 1))
    for h in range(len(wanted)):
        members = order[starts[h] : starts[h + 1]]
        ranks = random.random((replicates, len(members))).argsort(axis=1).argsort(axis=1)
        taken[:, members] = ranks < wanted[h]
    return taken


def half_samples(stage: Stage, fay: float) -> Floats:
    """One PSU of each pair counts 2 − fay, the other fay, by a Hadamard matrix, (R, PSUs)."""
    from scipy.linalg import hadamard

    strata = len(stage.drawn)
    signs = hadamard(1 << strata.bit_length())[:, 1 : strata + 1].astype(np.float64)
    second = np.zeros(stage.units, dtype=bool)
    order = np.argsort(stage.stratum, kind='stable')
    second[order[1::2]] = True
    return np.asarray(1.0 + (1.0 - fay) * np.where(second, -1.0, 1.0) * signs[:, stage.stratum])
