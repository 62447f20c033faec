"""Raking: weights that meet the population counts of several margins at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Codes, Floats, Groups, counts, positive_or_zero, ratio, sums
from analysis.errors import BadOption, NotConverged, listed
from analysis.steps import Step, cross_cells
from analysis.weights.population import (
    check_iteration,
    check_kept,
    check_totals,
    labelled,
    population_targets,
)
from analysis.weights.report import (
    TINY,
    Weights,
    largest_misfit,
    report_on,
    tiny_counts,
)
from analysis.weights.trimming import trim


@checked
def rake(
    weights: Any,
    margins: Mapping[str, Any],
    population: Mapping[str, Mapping[Any, float]],
    *,
    tolerance: float = 1e-9,
    iterations: int = 1000,
    tiny: int = TINY,
) -> Weights:
    """Weights that meet the population counts of several margins at once.

    Iterative proportional fitting on the table of observed cells until the largest relative
    misfit is below ``tolerance``.  Raises NotConverged naming the worst margin, UnknownLevel
    for a level without answers or without a population, MarginsDisagree for margins with
    different totals.  Sources: Deming and Stephan 1940 (Ann. Math. Stat. 11); Deville,
    Särndal and Sautory 1993 (JASA 88).  R: calibrate(calfun = "raking").
    """
    before = positive_or_zero(weights)
    check_iteration(iterations, tolerance)
    if not margins or set(margins) != set(population):
        raise BadOption(
            f'Margins in the sample ({listed(margins)}) and in the population '
            f'({listed(population)}) must be the same, and at least one.'
        )
    coded = {name: labelled(column, name, len(before)) for name, column in margins.items()}
    cell, cells = cross_cells(list(coded.values()))
    table = sums(cell, before, len(cells))
    level = {name: cells[:, j] for j, name in enumerate(coded)}
    targets = {
        name: population_targets(
            groups, population[name], sums(level[name], table, len(groups)), name
        )
        for name, groups in coded.items()
    }
    check_totals(targets, int(np.count_nonzero(before)))
    fitted, rounds = _fit(table, cells, targets, tolerance, iterations, coded)
    factor = ratio(fitted, table)
    after = before * factor[cell]
    positive = cell if np.count_nonzero(before) == len(before) else cell[before > 0]
    count = counts(positive, len(cells))
    report = report_on(
        'raking',
        before,
        after,
        change=factor[table > 0],
        iterations=rounds,
        misfit={
            name: largest_misfit(sums(level[name], fitted, len(target)), target)
            for name, target in targets.items()
        },
        tiny=tiny_counts(coded, {n: sums(level[n], count, len(g)) for n, g in coded.items()}, tiny),
    )

    def redo(start: Floats, _times: Floats) -> Floats:
        begin = sums(cell, start, len(cells))
        for name, groups in coded.items():
            first, now = (sums(level[name], one, len(groups)) for one in (table, begin))
            check_kept(groups, first, now, name)
        again, _ = _fit(begin, cells, targets, tolerance, iterations, coded)
        return start * ratio(again, begin)[cell]

    step = Step.on_groups(list(coded.values()), before=before, after=after, redo=redo)
    return Weights(after, report, step)


def _fit(
    table: Floats,
    cells: Codes,
    targets: Mapping[str, Floats],
    tolerance: float,
    iterations: int,
    coded: Mapping[str, Groups],
) -> tuple[Floats, int]:
    fitted = table.copy()
    names = list(targets)
    worst = (np.inf, '', 0)
    for rounds in range(1, iterations + 1):
        worst = (-1.0, '', 0)
        for j, name in enumerate(names):
            target = targets[name]
            current = sums(cells[:, j], fitted, len(target))
            gaps = np.where(current > 0, np.abs(current - target) / target, 0.0)
            level = int(gaps.argmax())
            worst = max(worst, (float(gaps[level]), name, level))
            fitted *= ratio(target, current)[cells[:, j]]
        if worst[0] <= tolerance:
            return fitted, rounds
    gap, name, level = worst
    raise NotConverged(
        f'Raking did not converge in {iterations} rounds: margin {name!r}, level '
        f'{coded[name].labels[level]!s}, is still off by {gap:.2g} of its population.',
        'Merge small levels; combinations of levels that nobody has make the margins impossible.',
    )


@checked
def rake_and_trim(
    weights: Any,
    margins: Mapping[str, Any],
    population: Mapping[str, Mapping[Any, float]],
    *,
    upper: float | None = None,
    rounds: int = 50,
    tolerance: float = 1e-6,
) -> Weights:
    """Rake, cut at ``upper``, rake again … until both hold: margins met and no weight above.

    Without ``upper`` the limit is median + 6·(interquartile range) of the raked weights
    (the rule of Chowdhury, Khare and Wolter 2007).  The last act is a raking, so the margins
    are exact; NotConverged says how far the limit is passed when the two cannot both be had.
    The variance follows every round, and replicates repeat as many.
    The report compares with raking alone: Kish before (``kish_untrimmed``) and the share of
    weight that was cut.
    """
    before = positive_or_zero(weights)
    check_iteration(rounds, tolerance)
    coded = {name: labelled(column, name, len(before)) for name, column in margins.items()}
    raked = rake(before, coded, population)
    if upper is None:
        quarter, half, three = np.quantile(raked.values[raked.values > 0], [0.25, 0.5, 0.75])
        upper = float(half + 6.0 * (three - quarter))
    current, done, cut, parts = raked.values, raked, 0, [raked.step]
    given_up = float(np.clip(raked.values - upper, 0.0, None).sum() / raked.values.sum())
    for turn in range(rounds + 1):
        over = current > upper * (1 + tolerance)
        if not over.any():
            report = report_on(
                'raking with trimming',
                before,
                current,
                iterations=turn,
                misfit=done.report.misfit,
                tiny=raked.report.tiny,
                cut=cut,
                given_up=given_up,
                kish_untrimmed=raked.report.kish,
            )

            return Weights(current, report, Step.in_turn(parts))
        cut = max(cut, int(over.sum()))
        trimmed = trim(current, upper=upper)
        done = rake(trimmed.values, coded, population)
        parts += [trimmed.step, done.step]
        current = done.values
    raise NotConverged(
        f'After {rounds} rounds the largest weight is {current.max():.6g}, the limit {upper:.6g}.',
        'Raise the limit, or merge small levels: the margins need weights that large.',
    )
