"""Replicate designs: jackknife, bootstrap, BRR, Fay, and replicate weights made by others.

A replicate is the sample with its units weighted anew; the spread of a statistic over the
replicates is its variance, scale·Σ rscale·(θ_r − centre)².  Factors are kept for each sampled
unit and act on unit totals, so that 500 replicates of 100,000 rows are one small matrix
product.  Adjustments of weights are made again in every replicate: replicate first, then
``calibrated``.

Sources: Wolter 2007 (Introduction to Variance Estimation); Rao, Wu and Yue 1992 (Surv. Meth.
18); Preston 2009 (Surv. Meth. 35); Judkins 1990 for Fay's method.  R: as.svrepdesign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.columns import Floats, Mask, chosen
from analysis.design import Design
from analysis.errors import AnalysisError, BadColumn, BadOption, NotConverged, listed
from analysis.result import Part
from analysis.steps import Step
from analysis.variance import dense


@dataclass(frozen=True, eq=False)
class ReplicateDesign:
    """A design with R replicates; the estimators take it in place of a ``Design``.

    ``factors`` (R, units) multiply the weights of the design's units, or ``given`` (n, R) holds
    full replicate weights by row.  ``mse`` centres at the estimate of the full sample and not
    at the mean of the replicates.  ``df`` replaces PSUs − strata where those are not known.
    """

    design: Design
    kind: str
    factors: Floats | None
    given: Floats | None
    scale: float
    rscales: Floats
    mse: bool
    df: int | None = None

    @property
    def count(self) -> int:
        return len(self.rscales)

    @property
    def n(self) -> int:
        return self.design.n

    @property
    def weights(self) -> Floats:
        return self.design.weights

    def calibrated(
        self, *steps: Step, progress: Callable[[int, int], None] | None = None
    ) -> ReplicateDesign:
        """The steps applied to the full sample and made again in every replicate.

        ``progress`` is told how many replicates of how many are done.
        """
        for step in steps:
            if step.redo is None:
                raise BadOption('This step cannot be made again in replicates.')
        changed = self.design.calibrated(*steps)
        again = [step.redo for step in steps if step.redo is not None]
        columns = np.empty((self.n, self.count), order='F')
        for r in range(self.count):
            column = self.row_weights(r)
            for redo in again:
                column = _in_replicate(redo, column, r)
            columns[:, r] = column
            if progress is not None:
                progress(r + 1, self.count)
        return replace(self, design=changed, given=columns, factors=None)

    def row_weights(self, r: int) -> Floats:
        """Weights of all rows in replicate r (counted from 0)."""
        if self.given is not None:
            return np.asarray(self.given[:, r])
        assert self.factors is not None
        unit = self.design.row_unit
        factor = self.factors[r] if unit is None else self.factors[r][unit]
        return np.asarray(self.design.weights * factor)

    def covariance(self, parts: Sequence[Part]) -> Floats:
        """Covariance of all statistics of some parts from their values in every replicate."""
        values = np.hstack([self._values(part) for part in parts])
        used = self.rscales > 0
        if not np.isfinite(values[used]).all():
            first = int(np.flatnonzero(~np.isfinite(values).all(axis=1) & used)[0]) + 1
            raise BadOption(
                f'A statistic is not defined in replicate {first}: a domain is empty there.',
                'Estimate without the smallest groups.',
            )
        return self.spread(values, np.hstack([part.est for part in parts]))

    def spread(self, values: Floats, estimate: Floats) -> Floats:
        """Covariance from the statistics in every replicate, (R, k), and in the full sample."""
        used = self.rscales > 0
        centre = estimate if self.mse else values[used].mean(axis=0)
        apart = (values - centre) * np.sqrt(self.scale * self.rscales)[:, None]
        return np.asarray(apart[used].T @ apart[used])

    def _values(self, part: Part) -> Floats:
        """The statistics of a part in every replicate, (R, k)."""
        if self.factors is not None:
            sums = [self.factors @ dense(raw) for raw in part.raw]
        else:
            sums = [self._sums_by_row(column, part) for column in part.columns()]
        with np.errstate(invalid='ignore', divide='ignore'):
            return np.asarray(part.formula(*sums))

    def _sums_by_row(self, column: Floats, part: Part) -> Floats:
        if part.sum_by_domain is None:
            assert self.given is not None
            return np.asarray(self.given.T @ column)[:, None]
        return np.stack(
            [part.sum_by_domain(self.row_weights(r) * column) for r in range(self.count)]
        )


def _in_replicate(redo: Callable[[Floats], Floats], column: Floats, r: int) -> Floats:
    try:
        return redo(column)
    except AnalysisError as error:
        raise NotConverged(
            f'The adjustment fails in replicate {r + 1}: {error.what}',
            'Merge small groups: every replicate must have answers in each.',
        ) from error


def jackknife(design: Design, *, mse: bool = False) -> ReplicateDesign:
    """Delete one PSU at a time (JKn; JK1 in one stratum), with the population correction.

    Factor n_h/(n_h − 1) for the rest of the stratum; rscale (1 − f_h)(n_h − 1)/n_h.  A stratum
    with one PSU: ``adjust`` deletes it whole and lets the other H − 1 strata stand for it, factor
    H/(H − 1), rscale (H − 1)/H without correction; ``average`` multiplies the variance by
    PSUs / (PSUs that have others beside them).  Both as R: as.svrepdesign(type = "JKn").
    """
    _refuse_steps(design)
    stage, units = design.stages[0], design.stages[0].units
    n = stage.drawn[stage.stratum]
    factors = np.ones((units, units))
    for h in range(len(stage.drawn)):
        members = np.flatnonzero(stage.stratum == h)
        if len(members) > 1:
            factors[np.ix_(members, members)] = len(members) / (len(members) - 1)
    rscales = (1.0 - stage.fraction[stage.stratum]) * (n - 1.0) / n
    alone = (n == 1) & (stage.fraction[stage.stratum] < 1)
    scale = 1.0
    if alone.any() and design.lonely_psu == 'average':
        scale = _average_scale(alone)
    if alone.any() and design.lonely_psu == 'adjust':
        strata = len(stage.drawn)
        if strata == 1:
            raise BadOption('One PSU in all: the jackknife has nothing to adjust it to.')
        factors[alone] = strata / (strata - 1)
        rscales[alone] = (strata - 1) / strata
        np.fill_diagonal(factors, np.where((n > 1) | alone, 0.0, 1.0))
    else:
        np.fill_diagonal(factors, np.where(n > 1, 0.0, 1.0))
    kind = 'JK1' if len(stage.drawn) == 1 else 'JKn'
    return _from_psus(design, kind, factors, scale, rscales, mse)


def _average_scale(alone: Mask) -> float:
    if alone.all():
        raise BadOption('Every stratum has one PSU: there is no variance to average.')
    return float(len(alone) / (~alone).sum())


def bootstrap(
    design: Design, replicates: int = 500, *, seed: int, mse: bool = False
) -> ReplicateDesign:
    """Rao–Wu–Yue bootstrap: n_h − 1 PSUs with replacement, rescaled; Preston's for more stages.

    Factor 1 − λ + λ·n/(n − 1)·(times drawn) with λ² = 1 − f.  The same seed gives the same
    replicates.  R: type = "subbootstrap" and, for several stages, "mrbbootstrap".  One PSU in a
    stratum leaves nothing to draw from: ``certainty`` and ``remove`` let it add nothing, the
    other rules are refused.
    """
    _refuse_steps(design)
    _refuse_borrowed_variance(design)
    _check_count(replicates)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise BadOption(f'The seed must be a whole number; it is {seed!r}.')
    random = np.random.Generator(np.random.PCG64(seed))
    if len(design.stages) > 1:
        factors = _preston(design, replicates, random)
        kind = 'bootstrap (Preston)'
    else:
        factors = _rao_wu(design, replicates, random)
        kind = 'bootstrap (Rao–Wu–Yue)'
    rscales = np.ones(replicates)
    return ReplicateDesign(design, kind, factors, None, 1.0 / (replicates - 1), rscales, mse)


def _rao_wu(design: Design, replicates: int, random: np.random.Generator) -> Floats:
    stage = design.stages[0]
    factors = np.ones((replicates, stage.units))
    for h in range(len(stage.drawn)):
        members = np.flatnonzero(stage.stratum == h)
        n = len(members)
        if n < 2:
            continue
        drawn = random.multinomial(n - 1, np.full(n, 1.0 / n), size=replicates)
        keep = np.sqrt(1.0 - stage.fraction[h])
        factors[:, members] = 1.0 - keep + keep * (n / (n - 1)) * drawn
    return factors


def _preston(design: Design, replicates: int, random: np.random.Generator) -> Floats:
    """Half of the units of every stage without replacement, inside those kept above."""
    above = np.ones((replicates, 1))
    share = np.ones(1)
    total = np.ones((replicates, 1))
    for stage in design.stages:
        half = np.floor(stage.drawn / 2.0)
        left = np.maximum(stage.drawn - half, 1.0)
        share = np.broadcast_to(stage.from_above(share), half.shape)
        keep = np.sqrt(half * share * (1.0 - stage.fraction) / left)
        inflate = np.divide(stage.drawn, half, out=np.zeros_like(half), where=half > 0)
        taken = _halves(stage.stratum, half, replicates, random)
        path = np.broadcast_to(stage.from_above(above), (replicates, len(half)))
        start = np.broadcast_to(stage.from_above(total), (replicates, len(half)))
        change = (keep * path)[:, stage.stratum] * (inflate[stage.stratum] * taken - 1.0)
        total = start[:, stage.stratum] + change
        above = path[:, stage.stratum] * np.sqrt(inflate)[stage.stratum] * taken
        share = (share * stage.fraction)[stage.stratum]
    return total


def _halves(stratum: Any, half: Floats, replicates: int, random: np.random.Generator) -> Floats:
    """0/1 for ``half`` units of each stratum drawn without replacement, (replicates, units)."""
    taken = np.zeros((replicates, len(stratum)))
    order = np.argsort(stratum, kind='stable')
    starts = np.searchsorted(stratum[order], np.arange(len(half) + 1))
    for h in range(len(half)):
        members = order[starts[h] : starts[h + 1]]
        ranks = random.random((replicates, len(members))).argsort(axis=1).argsort(axis=1)
        taken[:, members] = ranks < half[h]
    return taken


def balanced(design: Design, *, fay: float = 0.0, mse: bool = False) -> ReplicateDesign:
    """Balanced repeated replication for two PSUs in every stratum; Fay's method with ``fay`` > 0.

    One PSU of each stratum counts 2 − fay, the other fay, by the columns of a Hadamard matrix.
    R: type = "BRR", "Fay" (fay.rho); there the population correction is left out too.
    """
    from scipy.linalg import hadamard

    _refuse_steps(design)
    stage = design.stages[0]
    if not 0 <= fay < 1:
        raise BadOption(f'fay must lie from 0 to below 1, not {fay:g}.')
    wrong = chosen(stage.labels, stage.drawn != 2)
    if wrong:
        raise BadOption(
            f'Balanced replicates need two PSUs in every stratum; not so in {listed(wrong)}.',
            'Use the jackknife or the bootstrap.',
        )
    size = 1 << len(stage.drawn).bit_length()
    signs = hadamard(size)[:, 1 : len(stage.drawn) + 1].astype(np.float64)
    second = np.zeros(stage.units, dtype=bool)
    order = np.argsort(stage.stratum, kind='stable')
    second[order[1::2]] = True
    side = np.where(second, -1.0, 1.0) * signs[:, stage.stratum]
    factors = 1.0 + (1.0 - fay) * side
    kind = 'Fay' if fay else 'BRR'
    return _from_psus(design, kind, factors, 1 / (size * (1 - fay) ** 2), np.ones(size), mse)


def given(
    weights: Any,
    replicate_weights: Any,
    *,
    kind: str = 'other',
    scale: float | None = None,
    rscales: Any = None,
    fay: float = 0.0,
    combined: bool = True,
    mse: bool = False,
    df: int | None = None,
) -> ReplicateDesign:
    """Replicate weights that came with the data, a table (n, R).

    ``kind`` JK1, BRR, Fay or bootstrap sets the scale ((R − 1)/R, 1/R, 1/(R(1 − fay)²),
    1/(R − 1)); for others, also JKn, give ``scale`` and ``rscales``.  ``combined=False`` means
    factors that multiply ``weights``.  ``df`` is R − 1 unless said.  R: svrepdesign.
    """
    design = Design(weights)
    table = np.asarray(replicate_weights, dtype=np.float64)
    if table.ndim != 2 or len(table) != design.n:
        raise BadColumn(f'Replicate weights must be a table of {design.n} rows; {table.shape}.')
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise BadColumn(f'Replicate weight {column + 1} is not a number in row {row + 1}.')
    count = table.shape[1]
    _check_count(count)
    known = {
        'JK1': (count - 1) / count,
        'BRR': 1.0 / count,
        'Fay': 1.0 / (count * (1.0 - fay) ** 2),
        'bootstrap': 1.0 / (count - 1),
    }
    if kind not in known and scale is None and rscales is None:
        raise BadOption(f'Replicates of kind {kind!r} need scale and rscales.')
    chosen = known.get(kind, 1.0) if scale is None else float(scale)
    each = np.ones(count) if rscales is None else np.asarray(rscales, dtype=np.float64)
    if each.shape != (count,):
        raise BadOption(f'rscales has {each.size} entries for {count} replicates.')
    if not combined:
        table = table * design.weights[:, None]
    degrees = count - 1 if df is None else int(df)
    return ReplicateDesign(design, kind, None, table, chosen, each, mse, degrees)


def _from_psus(
    design: Design, kind: str, factors: Floats, scale: float, rscales: Floats, mse: bool
) -> ReplicateDesign:
    """Factors of PSUs handed down to the units of the design."""
    if design.unit_psu is not None:
        factors = factors[:, design.unit_psu]
    return ReplicateDesign(design, kind, factors, None, scale, rscales, mse)


def _refuse_steps(design: Design) -> None:
    if design.steps:
        raise BadOption(
            'Make the replicates from the design before its weights were adjusted.',
            'Then adjust the replicate design: replicates.jackknife(design).calibrated(step).',
        )


def _refuse_borrowed_variance(design: Design) -> None:
    """Rules that lend a lonely unit variance have no counterpart in the bootstrap."""
    alone = any(((stage.drawn == 1) & (stage.fraction < 1)).any() for stage in design.stages)
    if design.lonely_psu in ('adjust', 'average') and alone:
        raise BadOption(
            f'The bootstrap has no rule {design.lonely_psu!r} for a stratum with one PSU.',
            'Merge it, use lonely_psu="certainty", or use the jackknife.',
        )


def _check_count(replicates: int) -> None:
    if replicates < 2:
        raise BadOption(f'At least 2 replicates are needed, not {replicates}.')
