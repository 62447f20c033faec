"""The one way to a variance: influence values → totals of the sampled units → variance.

Every estimator is linearised to a sum of weighted values.  ``totals`` brings a column from
rows to the units of the design, ``residual`` takes off what a calibration fixes, ``combine``
adds such columns up to the influence of a statistic, ``covariance`` applies the sampling
formula, stage by stage.  Because all three are linear, a million rows are touched once.

Sources: Binder 1983 (Int. Stat. Rev. 51) for the linearisation; Särndal, Swensson and Wretman
1992, section 4.3, and Lumley 2010, appendix A, for the stages; R ``survey::svyrecvar``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.columns import Codes, Floats, Mask, counts, ratio, sums
from analysis.design import Design
from analysis.stages import Stage
from analysis.steps import Step

# Rows of a table handled at once, so that 18 domains of a large element sample stay in cache.
CHUNK = 8_192
# Products of matrices up to this many multiplications stay on one processor.
PRODUCT = 200_000


@dataclass(frozen=True, eq=False)
class Totals:
    """Weighted totals of one or more statistics over the units of a design.

    Two layouts: ``values`` (units, k); or, where every unit lies in at most one domain,
    ``values`` (units,) with the unit's ``domain`` out of k.  In the second one a calibration
    takes off ``spread`` times a row of a table, by the unit's cell: ``fixed`` holds
    (cell, spread, table) of each step, so that a table of all units is never built.
    """

    values: Floats
    k: int
    domain: Codes | None = None
    fixed: tuple[tuple[Codes, Floats, Floats], ...] = ()

    def sum(self) -> Floats:
        """The k totals over all units."""
        if self.domain is None:
            return np.asarray(self.values.sum(axis=0))
        return sums(self.domain, self.values, self.k)


def totals(
    design: Design,
    weighted: Floats,
    domain: Codes | None,
    domains: int,
    key: Codes | None = None,
) -> Totals:
    """Σ of a weighted column over each unit and domain; zeros where a row is left out.

    ``key`` is unit·domains + domain by row, where somebody has it already.
    """
    if design.row_unit is None and domain is not None:
        return Totals(weighted, domains, domain)
    if key is not None:
        table = sums(key, weighted, design.units * domains).reshape(design.units, domains)
        return Totals(table, domains)
    return Totals(to_units(design, weighted, domain, domains), domains)


def residual(
    design: Design, raw: Totals, column: Floats, domain: Codes | None, domains: int
) -> Totals:
    """The totals of ``column`` less what the calibration steps of the design explain."""
    if not design.steps:
        return raw
    coefficients = _coefficients(design, column, domain, domains)
    if raw.domain is not None and all(step.cells is not None for step in design.steps):
        fixed = tuple(
            (step.cells[0], _spread(design, k), step.fitted_cells(fitted))
            for k, (step, fitted) in enumerate(zip(design.steps, coefficients, strict=True))
            if step.cells is not None
        )
        return Totals(raw.values, domains, raw.domain, fixed)
    return Totals(dense(raw) - _explained(design, coefficients), domains)


def to_units(design: Design, weighted: Floats, domain: Codes | None, domains: int) -> Floats:
    """Sum of weighted values over units (rows of the table) and domains (its columns)."""
    unit = design.row_unit
    if unit is None:
        if domain is None:
            return weighted[:, None]
        table = np.zeros((design.units, domains))
        table[np.arange(design.units), domain] = weighted
        return table
    key = unit if domain is None else unit * domains + domain
    return sums(key, weighted, design.units * domains).reshape(design.units, domains)


def _coefficients(
    design: Design, column: Floats, domain: Codes | None, domains: int
) -> list[Floats]:
    """Regression of a column on the auxiliaries of each step, (size, domains) for each.

    The steps are undone from the last to the first: what a step leaves is what the one before
    it sees, a multiple ``own`` of the column plus multiples ``shares`` (by row) of what the later
    steps explained.
    """
    coefficients: list[Floats] = []
    own, shares = np.ones(1), list[Floats]()
    for k in range(len(design.steps) - 1, -1, -1):
        step, later = design.steps[k], design.steps[k + 1 :]
        if step.slope is not None:
            grown = ratio(_end(design, k), step.after, 0.0)
            own, shares = own * grown, [share * grown for share in shares]
        weight = step.regression_weights
        cross = step.cross(weight * own * column, domain, domains)
        for other, share, fitted in zip(later, shares, coefficients, strict=True):
            cross = cross + step.cross_with(other, weight * share) @ fitted
        coefficients.insert(0, step.inverse @ cross)
        if step.slope is not None:
            own, shares = own * step.slope, [share * step.slope for share in shares]
        shares.insert(0, -np.ones(1) if step.slope is None else 1.0 - step.slope)
    return coefficients


def _end(design: Design, k: int) -> Floats:
    """The weights after step k that carry its residual: the last ones before the next trimming."""
    trimmed = (step.before for step in design.steps[k + 1 :] if step.slope is not None)
    return next(trimmed, design.weights)


def _spread(design: Design, k: int) -> Floats:
    """The weights that carry what step k explains.

    Totals that were estimated from the sample vary too: their part stays, with the weights
    from which they were made.
    """
    step = design.steps[k]
    if step.slope is not None:
        return step.after - step.before
    end = _end(design, k)
    return end if step.from_sample is None else end - step.from_sample


def _explained(design: Design, coefficients: Sequence[Floats]) -> Floats:
    """Unit totals of the part of a column that the calibration totals fix, (units, domains)."""
    table = np.zeros((design.units, coefficients[0].shape[1]))
    for k, (step, fitted) in enumerate(zip(design.steps, coefficients, strict=True)):
        spread = _spread(design, k)
        if design.row_unit is None:
            table += spread[:, None] * step.fitted(fitted)
        else:
            table += _auxiliary_totals(design, step, spread) @ fitted
    return table


def _auxiliary_totals(design: Design, step: Step, spread: Floats) -> Floats:
    """Σ w·x over each unit for every auxiliary of a step, (units, size)."""
    blocks = [
        to_units(design, spread if b.x is None else spread * b.x, b.codes, b.size)
        for b in step.blocks
    ]
    return np.hstack(blocks)


def combine(parts: Sequence[tuple[Totals, Floats]]) -> Totals:
    """Σ coefficient·totals, the coefficients given for each of the k statistics."""
    first = parts[0][0]
    values = np.zeros_like(first.values)
    for part, coefficient in parts:
        values += part.values * (coefficient if first.domain is None else coefficient[first.domain])
    fixed = tuple(
        (cell, spread, np.add.reduce([part.fixed[i][2] * c for part, c in parts]))
        for i, (cell, spread, _) in enumerate(first.fixed)
    )
    return Totals(values, first.k, first.domain, fixed)


def side_by_side(parts: Sequence[Totals]) -> Totals:
    """Several statistics as the columns of one table, for their joint covariance."""
    return Totals(np.hstack([dense(part) for part in parts]), sum(part.k for part in parts))


def dense(influence: Totals) -> Floats:
    """The table (units, k), whichever layout it came in."""
    if influence.domain is None:
        return influence.values
    return _rows(influence, slice(None))


def _rows(influence: Totals, rows: slice) -> Floats:
    """Some rows of the table (units, k)."""
    if influence.domain is None:
        return influence.values[rows]
    values = influence.values[rows]
    table = np.zeros((len(values), influence.k))
    for cell, spread, explained in influence.fixed:
        table -= spread[rows, None] * explained[cell[rows]]
    table[np.arange(len(values)), influence.domain[rows]] += values
    return table


def _sum_to_strata(influence: Totals, stratum: Codes, size: int) -> Floats:
    """Column sums by stratum, (strata, k), without building the table."""
    if influence.domain is None:
        return _sum_by(stratum, influence.values, size)
    k = influence.k
    result = sums(stratum * k + influence.domain, influence.values, size * k).reshape(size, k)
    for cell, spread, explained in influence.fixed:
        cells = len(explained)
        weight = sums(stratum * cells + cell, spread, size * cells).reshape(size, cells)
        result -= weight @ explained
    return result


def covariance(design: Design, influence: Totals) -> Floats:
    """Covariance (k, k) of statistics whose influence has these unit totals.

    V = Σ_h (1 − f_h) n_h/(n_h − 1) Σ_i (z_hi − z̄_h)(z_hi − z̄_h)', and for each further stage the
    same inside every unit, times the share f of the stages above (the part of the variance
    that the first term does not hold).
    """
    if len(design.stages) == 1:
        if influence.domain is not None and not influence.fixed:
            return _of_one_domain_each(design, influence)
        if len(influence.fixed) == 1 and not _lonely(design.stages[0]).any():
            return _of_cells(design, influence)
        return _stage(influence, design.stages[0], np.ones(1), design.lonely_psu)
    table = dense(influence)
    result = np.zeros((influence.k, influence.k))
    for level in range(len(design.stages) - 1, -1, -1):
        stage, share = design.stages[level], _share_above(design.stages, level)
        result += _stage(Totals(table, influence.k), stage, share, design.lonely_psu)
        if stage.parent is not None:
            table = _sum_by(stage.parent, table, design.stages[level - 1].units)
    return result


def _share_above(stages: Sequence[Stage], level: int) -> Floats:
    """For each stratum of a stage: product of the sampling fractions above it."""
    share = np.ones(len(stages[0].drawn))
    for stage, below in pairwise(stages[: level + 1]):
        share = below.from_above((share * stage.fraction)[stage.stratum])
    return share


def _sum_by(codes: Codes, table: Floats, size: int) -> Floats:
    """Column sums of the rows with each code, (size, columns)."""
    k = table.shape[1]
    cell = codes[:, None] * k + np.arange(k)
    return sums(cell.ravel(), table.ravel(), size * k).reshape(size, k)


def _lonely(stage: Stage) -> Mask:
    return np.asarray((stage.drawn == 1) & (stage.fraction < 1))


def _stratum_factors(stage: Stage, share: Floats, rule: str) -> Floats:
    """(1 − f) n/(n − 1) · share for each stratum."""
    drawn = stage.drawn
    factors = share * (1.0 - stage.fraction) * drawn / np.where(drawn > 1, drawn - 1.0, 1.0)
    return factors if rule == 'adjust' else np.where(_lonely(stage), 0.0, factors)


def _inflation(influence: Totals, stage: Stage, rule: str) -> Floats:
    """Rule "average": strata with one PSU get the mean variance of the others, by statistic.

    Only strata that the domain reaches are counted, as R does after ``subset``.
    """
    lonely = _lonely(stage)
    if rule != 'average' or not lonely.any():
        return np.ones(influence.k)
    there = Totals((dense(influence) != 0).astype(np.float64), influence.k)
    reached = _sum_to_strata(there, stage.stratum, len(stage.drawn)) > 0
    usable = (reached & ~lonely[:, None]).sum(axis=0)
    return np.asarray(np.where(usable > 0, reached.sum(axis=0) / np.maximum(usable, 1), np.nan))


def _stage(influence: Totals, stage: Stage, share: Floats, rule: str) -> Floats:
    factors = _stratum_factors(stage, share, rule)
    added = _sum_to_strata(influence, stage.stratum, len(stage.drawn))
    means = added / np.maximum(stage.drawn, 1.0)[:, None]
    if rule == 'adjust':
        means[_lonely(stage)] = added.sum(axis=0) / stage.units
    result = np.zeros((influence.k, influence.k))
    size = int(np.clip(PRODUCT / influence.k**2, 256, CHUNK))
    for start in range(0, stage.units, size):
        rows = slice(start, start + size)
        stratum = stage.stratum[rows]
        centred = _rows(influence, rows) - means[stratum]
        result += centred.T @ (centred * factors[stratum][:, None])
    inflation = np.sqrt(_inflation(influence, stage, rule))
    return np.asarray(result * np.outer(inflation, inflation))


def _of_one_domain_each(design: Design, influence: Totals) -> Floats:
    """The one-stage formula where each unit has a value in one domain only and 0 in the others.

    Multiplied out so that the (units, k) table is never built: the squares of a unit fall on
    the diagonal, its zeros give −n z̄ z̄'.
    """
    stage, k = design.stages[0], influence.k
    values, domain = influence.values, influence.domain
    assert domain is not None
    strata = len(stage.drawn)
    factors = _stratum_factors(stage, np.ones(strata), design.lonely_psu)
    cell = stage.stratum * k + domain
    count = counts(cell, strata * k).reshape(strata, k)
    added = sums(cell, values, strata * k).reshape(strata, k)
    means = added / np.maximum(stage.drawn, 1.0)[:, None]
    if design.lonely_psu == 'adjust':
        means[_lonely(stage)] = added.sum(axis=0) / design.units
    centred = values - means.ravel()[cell]
    squares = sums(cell, centred * centred, strata * k).reshape(strata, k)
    # Off the diagonal: Σ(z_a − m_a)(z_b − m_b) with z_a z_b = 0 in every unit.
    n, weight = stage.drawn[:, None], factors[:, None]
    result = -(added * weight).T @ means - (means * weight).T @ added
    result += (means * weight * n).T @ means
    diagonal = (weight * (squares + (n - count) * means**2)).sum(axis=0)
    np.fill_diagonal(result, diagonal)
    inflation = np.sqrt(_inflation(influence, stage, design.lonely_psu))
    return np.asarray(result * np.outer(inflation, inflation))


def _of_cells(design: Design, influence: Totals) -> Floats:
    """The one-stage formula after one calibration, from sums over cells.

    z = u e_d − s F_c for a unit of domain d and cell c, so Σ zz' needs only Σu² by domain, Σus by
    domain and cell, and Σs² by cell: the (units, k) table is never built.  Without lonely PSUs.
    """
    stage, k = design.stages[0], influence.k
    values, domain = influence.values, influence.domain
    assert domain is not None
    ((cell, spread, explained),) = influence.fixed
    cells, strata = len(explained), len(stage.drawn)
    factors = _stratum_factors(stage, np.ones(strata), design.lonely_psu)
    added = _sum_to_strata(influence, stage.stratum, strata)
    scaled = added * (factors / np.maximum(stage.drawn, 1.0))[:, None]
    weight = factors[stage.stratum]
    carried = weight * spread
    crossed = sums(domain * cells + cell, carried * values, k * cells).reshape(k, cells) @ explained
    result = explained.T @ (explained * sums(cell, carried * spread, cells)[:, None])
    result += np.diag(sums(domain, weight * values * values, k)) - crossed - crossed.T
    return np.asarray(result - added.T @ scaled)


@dataclass(frozen=True, eq=False)
class Reach:
    """What a domain reaches of the design, k entries each.

    ``df`` is PSUs − strata, ``exact`` whether every unit was observed.  ``alone``: all of it lies
    in one PSU, that was left to chance.  ``lonely``: it lies in strata left to chance, from each
    of which one PSU was drawn.
    """

    df: Floats
    exact: Mask
    alone: Mask
    lonely: Mask


def reach(design: Design, weight: Totals) -> Reach:
    """PSUs and strata in each domain, from the totals of the weights of the rows used."""
    psus, strata = _seen(design, weight)
    partly = design.stages[0].fraction < 1
    chance = np.asarray((strata & partly[:, None]).any(axis=0))
    exact = ~chance
    if any((stage.fraction < 1).any() for stage in design.stages[1:]):
        exact = np.zeros(weight.k, dtype=bool)
    several = np.asarray((strata & (partly & (design.stages[0].drawn > 1))[:, None]).any(axis=0))
    return Reach(psus - strata.sum(axis=0), exact, chance & (psus == 1), chance & ~several)


def df_of_union(design: Design, domains: Sequence[tuple[Totals, int]]) -> int:
    """PSUs − strata seen in any of several domains, each a column of a table of weights."""
    together = np.zeros(design.units)
    for weight, column in domains:
        if weight.domain is None:
            together += weight.values[:, column]
        else:
            together += np.where(weight.domain == column, weight.values, 0.0)
    psus, strata = _seen(design, Totals(together[:, None], 1))
    return int(psus[0] - strata.sum())


def _seen(design: Design, weight: Totals) -> tuple[Floats, Mask]:
    """PSUs with weight in each domain (counted), and which strata have one (strata, k)."""
    stage, k = design.stages[0], weight.k
    strata = len(stage.drawn)
    if weight.domain is not None and design.unit_psu is None:
        inside = weight.values != 0
        cell = (stage.stratum * k + weight.domain)[inside]
        count = counts(cell, strata * k).reshape(strata, k)
    else:
        table = (dense(weight) != 0).astype(np.float64)
        if design.unit_psu is not None:
            table = (_sum_by(design.unit_psu, table, stage.units) > 0).astype(np.float64)
        count = _sum_by(stage.stratum, table, strata)
    return count.sum(axis=0), count > 0
