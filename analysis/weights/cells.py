"""Post-stratification: weights that meet the population of every cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.collapse import check_names, merged_classes, merged_counts
from analysis.columns import Floats, positive_or_zero, ratio, sums
from analysis.steps import Step
from analysis.weights.population import check_kept, check_totals, labelled, population_targets
from analysis.weights.report import (
    TINY,
    Weights,
    largest_misfit,
    report_on,
    tiny_groups,
)


@checked
def post_stratify(
    weights: Any,
    cells: Any,
    population: Mapping[Any, float],
    *,
    collapse: Mapping[Any, Any] | None = None,
    tiny: int = TINY,
) -> Weights:
    """Weights whose sum in every cell is the cell's population.  R: postStratify.

    A cell with people but no answers is an error that names it; ``collapse`` maps it, in the
    sample and in the population, to the cell it shall be merged with.
    """
    before = positive_or_zero(weights)
    coded = labelled(cells, 'cells', len(before))
    if collapse is not None:
        check_names(collapse, (*coded.names(), *map(str, population)))
    coded, collapsed = merged_classes(coded, before > 0, 0, collapse)
    wanted = merged_counts(population, collapse)
    held = sums(coded.codes, before, len(coded))
    target = population_targets(coded, wanted, held, 'cells')
    check_totals({'cells': target[held > 0]}, int(np.count_nonzero(before)))
    factor = ratio(target, held)
    after = before * factor[coded.codes]
    report = report_on(
        'post-stratification',
        before,
        after,
        misfit={'cells': largest_misfit(sums(coded.codes, after, len(coded)), target)},
        tiny=tiny_groups({'cells': coded}, before, tiny),
        collapsed=collapsed,
    )

    def redo(start: Floats, _times: Floats) -> Floats:
        again = sums(coded.codes, start, len(coded))
        check_kept(coded, held, again, 'cells')
        return start * ratio(target, again)[coded.codes]

    step = Step.on_groups([coded], before=before, after=after, redo=redo)
    return Weights(after, report, step)
