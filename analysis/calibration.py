"""Calibration to known totals by the distance of one's choice, with bounds that hold.

New weights w = d·F(x'λ) with the λ for which Σ w x equals the known totals t: F(u) = 1 + u
(``linear``, the generalised regression estimator), exp(u) (``raking``), or the logistic curve
between the bounds (``logit``).  With bounds the first two are cut at them.
Source: Deville and Särndal 1992 (JASA 87), section 2.  R: calibrate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, chosen, numbers, positive_or_zero, sums
from analysis.errors import (
    BadColumn,
    BadOption,
    ConstantColumn,
    InfeasibleBounds,
    MarginsDisagree,
    NotConverged,
    UnknownLevel,
    listed,
)
from analysis.steps import Block, Step
from analysis.weights.population import (
    check_iteration,
    check_totals,
    labelled,
    population_targets,
)
from analysis.weights.report import TINY, Weights, report_on, tiny_groups

Bounds = tuple[float, float]
Curve = Callable[[Floats, Bounds], tuple[Floats, Floats]]
UNBOUNDED: Bounds = (-np.inf, np.inf)


@checked
def calibrate(
    weights: Any,
    margins: Mapping[str, Any] | None = None,
    population: Mapping[str, Mapping[Any, float]] | None = None,
    *,
    x: Mapping[str, Any] | None = None,
    totals: Mapping[str, float] | None = None,
    method: str = 'linear',
    bounds: Bounds | None = None,
    tolerance: float = 1e-10,
    iterations: int = 200,
    tiny: int = TINY,
) -> Weights:
    """Weights that meet counts of groups (``margins``) and totals of numbers (``x``).

    ``bounds`` limit g = new/old weight, as (0.5, 3); ``logit`` needs them.  Raises
    InfeasibleBounds naming the total that stays furthest off when no weights inside the
    bounds were found, NotConverged when there are no bounds to blame.
    """
    before = positive_or_zero(weights)
    check_iteration(iterations, tolerance)
    curve, limits = _curve(method, bounds)
    coded = {name: labelled(column, name, len(before)) for name, column in (margins or {}).items()}
    counts = _counts(coded, population or {}, before)
    columns = {name: _numeric(column, name, len(before)) for name, column in (x or {}).items()}
    if set(columns) != set(totals or {}):
        raise BadOption(f'x ({listed(columns)}) and totals ({listed(totals or {})}) must agree.')
    endless = [name for name, total in (totals or {}).items() if not np.isfinite(total)]
    if endless:
        raise BadOption(f'The total of {listed(endless)} must be finite.')
    blocks = [Block(groups.codes, len(groups)) for groups in coded.values()]
    everyone = np.zeros(len(before), dtype=np.intp)
    blocks += [Block(everyone, 1, column) for column in columns.values()]
    if not blocks:
        raise BadOption('Nothing to calibrate to: give margins or x.')
    step = Step(tuple(blocks), before, before)
    target = np.concatenate(
        [*counts.values(), np.array([float((totals or {})[name]) for name in columns])]
    )
    names = [f'{name}={level}' for name, g in coded.items() for level in g.names()] + [*columns]
    g, rounds = _solve(step, target, curve, limits, tolerance, iterations, names, bounds)
    after = before * g
    worst = np.abs(target - step.cross(after)[:, 0]) / _magnitude(step, target, after)
    report = report_on(
        f'calibration ({method})',
        before,
        after,
        iterations=rounds,
        misfit={name: float(gap) for name, gap in zip(names, worst, strict=True)},
        tiny=tiny_groups(coded, before, tiny) if coded else (),
    )

    def redo(start: Floats, _times: Floats) -> Floats:
        again = Step(step.blocks, start, start)
        g, _ = _solve(again, target, curve, limits, tolerance, iterations, names, bounds)
        return start * g

    return Weights(after, report, Step(step.blocks, before, after, redo=redo))


def _numeric(values: Any, name: str, rows: int) -> Floats:
    column = numbers(values, name, rows)
    bad = np.flatnonzero(~np.isfinite(column))
    if bad.size:
        raise BadColumn(
            f'{name} is missing in {bad.size} rows (row {listed(bad + 1, 3)}).',
            'A calibration variable must be known for every row.',
        )
    return column


def _counts(
    coded: Mapping[str, Any], population: Mapping[str, Mapping[Any, float]], before: Floats
) -> dict[str, Floats]:
    if set(coded) != set(population):
        raise UnknownLevel(
            f'Margins in the sample ({listed(coded)}) and in the population '
            f'({listed(population)}) must be the same.'
        )
    counts = {
        name: population_targets(
            groups, population[name], sums(groups.codes, before, len(groups)), name
        )
        for name, groups in coded.items()
    }
    if counts:
        check_totals(counts, int(np.count_nonzero(before)))
    return counts


def _curve(method: str, bounds: Bounds | None) -> tuple[Curve, Bounds]:
    if bounds is not None and not bounds[0] < 1 < bounds[1]:
        raise BadOption(f'bounds on g must lie around 1, as (0.5, 3); not {bounds}.')
    if method == 'linear':
        return _linear, bounds or UNBOUNDED
    if method == 'raking':
        return _exponential, bounds or UNBOUNDED
    if method == 'logit':
        if bounds is None or not np.isfinite(bounds).all():
            raise BadOption('The logit method needs finite bounds, as (0.5, 3).')
        return _logistic, bounds
    raise BadOption(f'Unknown calibration {method!r}; use linear, raking or logit.')


def _linear(u: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    g = 1.0 + u
    inside = (g > bounds[0]) & (g < bounds[1])
    return np.clip(g, *bounds), inside.astype(np.float64)


def _exponential(u: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    g = np.exp(np.minimum(u, 500.0))
    inside = (g > bounds[0]) & (g < bounds[1])
    return np.clip(g, *bounds), np.where(inside, g, 0.0)


def _logistic(u: Floats, bounds: Bounds) -> tuple[Floats, Floats]:
    low, high = bounds
    a = (high - low) / ((1.0 - low) * (high - 1.0))
    e = np.exp(np.clip(a * u, -250.0, 250.0))
    below = (high - 1.0) + (1.0 - low) * e
    g = (low * (high - 1.0) + high * (1.0 - low) * e) / below
    return g, (high - low) ** 2 * e / below**2


def _solve(
    step: Step,
    target: Floats,
    curve: Curve,
    limits: Bounds,
    tolerance: float,
    iterations: int,
    names: list[str],
    bounds: Bounds | None,
) -> tuple[Floats, int]:
    """Newton's method on Σ d·F(x'λ)·x = t, with halved steps where it would get worse."""
    solution = np.zeros(step.size)
    g, slope = curve(step.fitted(solution[:, None])[:, 0], limits)
    gap = target - step.cross(step.before * g)[:, 0]
    for rounds in range(iterations + 1):
        scale = _magnitude(step, target, step.before * g)
        if (np.abs(gap) / scale).max() <= tolerance:
            return g, rounds
        hessian = step.cross_with(step, step.before * slope)
        direction = _pseudo_solve(hessian, gap)
        size = 1.0
        while True:
            trial = solution + size * direction
            new_g, new_slope = curve(step.fitted(trial[:, None])[:, 0], limits)
            new_gap = target - step.cross(step.before * new_g)[:, 0]
            if (np.abs(new_gap) / scale).max() < (np.abs(gap) / scale).max() or size < 1e-6:
                break
            size /= 2.0
        if size < 1e-6:
            break
        solution, g, slope, gap = trial, new_g, new_slope, new_gap
    _refuse_contradiction(step, target, names)
    worst = int((np.abs(gap) / scale).argmax())
    off = abs(gap[worst]) / scale[worst]
    if bounds is not None:
        raise InfeasibleBounds(
            f'No weights with g between {bounds[0]:g} and {bounds[1]:g} meet the totals; '
            f'{names[worst]} stays off by {off:.2g} of its total.',
            'Widen the bounds, or merge small levels.',
        )
    raise NotConverged(
        f'Calibration did not converge; {names[worst]} is off by {off:.2g} of its total.',
        'No weights from these can reach it; look for a wrong total.',
    )


def _refuse_contradiction(step: Step, target: Floats, names: list[str]) -> None:
    """Totals that no weights at all can meet: of nothing, or of columns that depend on each other.

    Where a combination of the columns is 0 in every row, the same one of their totals must be 0.
    """
    gram = step.cross_with(step, step.before)
    empty = (np.diag(gram) == 0) & (target != 0)
    if empty.any():
        raise ConstantColumn(
            f'{listed(chosen(names, empty))} is 0 in every row: no weights give it a total.',
            'Correct the column, or leave it out.',
        )
    scale = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    values, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    dependent = vectors[:, values < 1e-10]
    wanted = target / scale
    left = dependent @ (dependent.T @ wanted)
    if np.abs(left).max() > 1e-7 * np.abs(wanted).max():
        raise MarginsDisagree(
            f'The totals of {listed(chosen(names, np.abs(left) > 0.1 * np.abs(left).max()))} '
            'contradict each other: the columns depend on each other, the totals do not follow.',
            'Correct a total, or leave one of the columns out.',
        )


def _magnitude(step: Step, target: Floats, weights: Floats) -> Floats:
    """What an error of each total is measured by: the total, or Σ w|x| where that is larger.

    A total of centred numbers may be 0, and its rounding is that of its terms.
    """
    size = np.abs(weights)
    terms = [
        block.cross(size if block.x is None else size * np.sign(block.x), None, 1)[:, 0]
        for block in step.blocks
    ]
    return np.maximum(np.maximum(np.abs(target), np.concatenate(terms)), 1e-300)


def _pseudo_solve(hessian: Floats, gap: Floats) -> Floats:
    diagonal = np.diag(hessian)
    # A level whose rows all sit at a bound has no slope; a trace of one lets it move again.
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = np.linalg.pinv(hessian / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    return np.asarray(scaled @ (gap / scale) / scale)
