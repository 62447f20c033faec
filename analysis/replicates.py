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
from itertools import pairwise
from typing import Any

import numpy as np

from analysis import factors
from analysis.arguments import as_mapping, checked, is_table
from analysis.columns import Floats, chosen, number_table, numbers, ratio
from analysis.design import Design
from analysis.errors import (
    AnalysisError,
    BadColumn,
    BadOption,
    BadWeights,
    NotConverged,
    TooLarge,
    listed,
)
from analysis.options import generator, number, whole_number
from analysis.result import Part
from analysis.steps import Redo, Step
from analysis.variance import dense

# Replicate weights by row beyond this number (8 GiB) are not kept.
LARGEST = 1 << 30
# Replicates that differ by less than this share are counted as one for the degrees of freedom (R).
ALIKE = 1e-5


@dataclass(frozen=True, eq=False)
class ReplicateDesign:
    """A design with R replicates; the estimators take it in place of a ``Design``.

    ``factors`` multiply the weights of the design's units, or ``given`` (n, R) holds full
    replicate weights by row.  ``mse`` centres at the estimate of the full sample and not
    at the mean of the replicates.  ``df`` replaces PSUs − strata where those are not known.
    ``origin`` are the replicates before their weights were adjusted.
    """

    design: Design
    kind: str
    factors: factors.Factors | None
    given: Floats | None
    scale: float
    rscales: Floats
    mse: bool
    df: int | None = None
    origin: ReplicateDesign | None = None

    @property
    def count(self) -> int:
        return len(self.rscales)

    @property
    def n(self) -> int:
        return self.design.n

    @property
    def weights(self) -> Floats:
        return self.design.weights

    def __repr__(self) -> str:
        return f'ReplicateDesign({self.kind}, {self.count} replicates of {self.design!r})'

    @checked
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
        if self.n * self.count > LARGEST:
            raise TooLarge(
                f'{self.count:,} replicates of {self.n:,} rows are too many to adjust one by one.',
                'Use bootstrap with some hundred replicates, or groups of rows as PSUs.',
            )
        origin = self if self.origin is None else self.origin
        columns = np.empty((self.n, self.count), order='F')
        for r in range(self.count):
            column = self.row_weights(r)
            times = ratio(origin.row_weights(r), origin.weights, 0.0)
            for redo in again:
                column = _in_replicate(redo, column, times, r)
            columns[:, r] = column
            if progress is not None:
                progress(r + 1, self.count)
        return replace(self, design=changed, given=columns, factors=None, origin=origin)

    def row_weights(self, r: int) -> Floats:
        """Weights of all rows in replicate r (counted from 0)."""
        if self.given is not None:
            return np.asarray(self.given[:, r])
        assert self.factors is not None
        unit = self.design.row_unit
        factor = self.factors.of(r) if unit is None else self.factors.of(r)[unit]
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
        if not used.any():
            return np.zeros((values.shape[1], values.shape[1]))
        centre = estimate if self.mse else values[used].mean(axis=0)
        apart = (values - centre) * np.sqrt(self.scale * self.rscales)[:, None]
        return np.asarray(apart[used].T @ apart[used])

    def _values(self, part: Part) -> Floats:
        """The statistics of a part in every replicate, (R, k)."""
        if self.factors is not None:
            sums = [self.factors.totals(dense(raw)) for raw in part.raw]
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


def _in_replicate(redo: Redo, column: Floats, times: Floats, r: int) -> Floats:
    try:
        return redo(column, times)
    except AnalysisError as error:
        raise NotConverged(
            f'The adjustment fails in replicate {r + 1}: {error.what}',
            'Merge small groups: every replicate must have answers in each.',
        ) from error


@checked
def jackknife(design: Design, *, mse: bool = False, drop_fpc: bool = False) -> ReplicateDesign:
    """Delete one PSU at a time (JKn; JK1 in one stratum), with the population correction.

    Factor n_h/(n_h − 1) for the rest of the stratum; rscale (1 − f_h)(n_h − 1)/n_h.  A stratum
    with one PSU: ``adjust`` deletes it whole and lets the other H − 1 strata stand for it, factor
    H/(H − 1), rscale (H − 1)/H without correction; ``average`` multiplies the variance by
    PSUs / (PSUs that have others beside them).  Both as R: as.svrepdesign(type = "JKn").

    Only the first stage has a correction.  Where ``population`` or ``rate`` let later stages add
    to the variance, that part would be lost, in a stratum with all its PSUs everything: BadOption,
    unless ``drop_fpc=True`` accepts it (R drops it with a warning).
    """
    _refuse_steps(design)
    if _later_stages_add(design) and not drop_fpc:
        raise BadOption(
            'The jackknife corrects for the population at the first stage only; what the later '
            'stages of this design add to the variance would be lost.',
            'Use the bootstrap, which keeps it, or accept the loss with drop_fpc=True.',
        )
    stage = design.stages[0]
    strata, n = len(stage.drawn), stage.drawn[stage.stratum]
    rscales = (1.0 - stage.fraction[stage.stratum]) * (n - 1.0) / n
    alone = (n == 1) & (stage.fraction[stage.stratum] < 1)
    scale, whole = 1.0, np.zeros(stage.units, dtype=bool)
    if alone.any() and design.lonely_psu == 'average':
        scale = float(len(alone) / (~alone).sum())
    if alone.any() and design.lonely_psu == 'adjust':
        if strata == 1:
            raise BadOption('One PSU in all: the jackknife has nothing to adjust it to.')
        whole = alone
        rscales[alone] = (strata - 1) / strata
    deleted = factors.DeleteOne(stage, design.unit_psu, whole)
    kind = 'JK1' if strata == 1 else 'JKn'
    return ReplicateDesign(design, kind, deleted, None, scale, rscales, mse)


def _later_stages_add(design: Design) -> bool:
    """Whether a stage after the first has a variance that counts, times the fractions above it."""
    share = np.ones(len(design.stages[0].drawn))
    for above, stage in pairwise(design.stages):
        share = stage.from_above((share * above.fraction)[above.stratum])
        if ((share > 0) & (stage.fraction < 1)).any():
            return True
    return False


@checked
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
    count, random = whole_number(replicates, 'replicates', 2), generator(seed)
    if len(design.stages) > 1:
        made, kind = factors.preston(design, count, random), 'bootstrap (Preston)'
    else:
        made, kind = factors.rao_wu(design.stages[0], count, random), 'bootstrap (Rao–Wu–Yue)'
    return ReplicateDesign(design, kind, made, None, 1.0 / (count - 1), np.ones(count), mse)


@checked
def balanced(
    design: Design, *, fay: float = 0.0, mse: bool = False, drop_fpc: bool = False
) -> ReplicateDesign:
    """Balanced repeated replication for two PSUs in every stratum; Fay's method with ``fay`` > 0.

    One PSU of each stratum counts 2 − fay, the other fay, by the columns of a Hadamard matrix.
    There is no population correction in it: a design with one is refused, unless
    ``drop_fpc=True`` accepts errors that are too large.  R: type = "BRR", "Fay" (fay.rho).
    """
    _refuse_steps(design)
    stage = design.stages[0]
    _check_fay(fay)
    wrong = chosen(stage.labels, stage.drawn != 2)
    if wrong:
        raise BadOption(
            f'Balanced replicates need two PSUs in every stratum; not so in {listed(wrong)}.',
            'Use the jackknife or the bootstrap.',
        )
    if (stage.fraction > 0).any() and not drop_fpc:
        raise BadOption(
            'Balanced replicates know no population correction; that of this design would be lost.',
            'Use the jackknife or the bootstrap, or accept larger errors with drop_fpc=True.',
        )
    made = factors.half_samples(stage, fay)
    kind, count = 'Fay' if fay else 'BRR', len(made)
    if design.unit_psu is not None:
        made = made[:, design.unit_psu]
    scale = 1.0 / (count * (1.0 - fay) ** 2)
    return ReplicateDesign(design, kind, factors.Table(made), None, scale, np.ones(count), mse)


@checked
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
    """Replicate weights that came with the data: a table (n, R), a mapping or frame of columns.

    ``kind`` sets the scale: JK1 (R − 1)/R, JK2 1, BRR 1/R, Fay 1/(R(1 − fay)²), bootstrap
    1/(R − 1), ACS and successive-difference 4/R; for others, also JKn, give ``scale`` and
    ``rscales``.  ``combined=False`` means factors that multiply ``weights``.  ``df`` is the rank of
    the replicate weights − 1 unless said: 300 bootstrap replicates of 6 villages know the variance
    to 5 degrees of freedom, not to 299.  A weight may be negative (calibration makes some), a
    replicate's total may not.  R: svrepdesign, degf.
    """
    design = Design(weights, any_scale=True)
    table = _table(replicate_weights, design.n)
    count = table.shape[1]
    whole_number(count, 'The number of replicates', 2)
    _check_fay(fay)
    known = {
        'JK1': (count - 1) / count,
        'JK2': 1.0,
        'BRR': 1.0 / count,
        'Fay': 1.0 / (count * (1.0 - fay) ** 2),
        'bootstrap': 1.0 / (count - 1),
        'ACS': 4.0 / count,
        'successive-difference': 4.0 / count,
    }
    if kind not in (*known, 'JKn', 'other'):
        raise BadOption(
            f'Unknown kind of replicates {kind!r}; use {listed(known, 20)}, JKn or other.'
        )
    absent = [one is None for one in (scale, rscales)]
    if kind not in known and (any(absent) if kind == 'JKn' else all(absent)):
        raise BadOption(
            f'Replicates of kind {kind!r} need scale and rscales.',
            'JKn: usually scale 1 and rscales (n_h − 1)/n_h of the stratum h of each replicate.'
            if kind == 'JKn'
            else '',
        )
    chosen = known.get(kind, 1.0) if scale is None else number(scale, 'scale')
    if not chosen > 0:
        raise BadOption(f'scale must be above 0, not {chosen:g}.')
    each = np.ones(count) if rscales is None else numbers(rscales, 'rscales')
    if len(each) != count:
        raise BadOption(f'rscales has {len(each)} entries for {count} replicates.')
    if not ((each >= 0) & (each < np.inf)).all() or not (each > 0).any():
        raise BadOption('rscales must be finite, not negative, and not all 0.')
    if not combined:
        table = table * design.weights[:, None]
    _check_totals(table)
    degrees = _rank(table) - 1 if df is None else whole_number(df, 'df', 1)
    return ReplicateDesign(design, kind, None, table, chosen, each, mse, degrees)


def _table(values: Any, rows: int) -> Floats:
    """Replicate weights as numbers, (rows, R)."""
    if is_table(values):
        columns = [numbers(one, str(name), rows) for name, one in as_mapping(values).items()]
        table = np.stack(columns, axis=1) if columns else np.empty((rows, 0))
    else:
        table = number_table(values, 'replicate_weights')
    if table.ndim != 2 or len(table) != rows:
        raise BadColumn(f'Replicate weights must be a table of {rows} rows; {table.shape}.')
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise BadColumn(f'Replicate weight {column + 1} is not a number in row {row + 1}.')
    return table


def _check_totals(table: Floats) -> None:
    totals = table.sum(axis=0)
    bad = np.flatnonzero(totals <= 0)
    if bad.size:
        raise BadWeights(
            f'The weights of replicate {listed(bad + 1, 4)} add up to 0 or less.',
            'combined=False is for factors that multiply the weights.',
        )


def _rank(table: Floats) -> int:
    """Rank of the replicate weights, from their small Gram matrix; tolerance as R's degf."""
    scale = np.sqrt(np.einsum('ij,ij->j', table, table))
    scaled = table / scale
    small = scaled.T @ scaled if table.shape[0] > table.shape[1] else scaled @ scaled.T
    values = np.linalg.eigvalsh(small)
    return int((values > ALIKE**2 * values[-1]).sum())


def _check_fay(fay: float) -> None:
    if not 0 <= number(fay, 'fay') < 1:
        raise BadOption(f'fay must lie from 0 to below 1, not {fay:g}.')


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
