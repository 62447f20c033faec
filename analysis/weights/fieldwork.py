"""From the draw to those who answered: base weights, unknown eligibility, non-response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.collapse import check_names, merged_classes
from analysis.columns import Floats, Groups, counts, flags, numbers, positive_or_zero, ratio, sums
from analysis.errors import BadOption, BadWeights, listed
from analysis.layout import everybody
from analysis.steps import Step
from analysis.weights.population import check_kept, labelled
from analysis.weights.report import TINY, Weights, report_on

UNKNOWN = 'unknown eligibility'


@checked
def base(probabilities: Any) -> Floats:
    """1/π for inclusion probabilities π in (0, 1]; several stages: pass their product."""
    values = numbers(probabilities, 'probabilities')
    if not values.size:
        raise BadWeights('probabilities has no rows.')
    bad = np.flatnonzero(~((values > 0) & (values <= 1)))
    if bad.size:
        cases = [f'{values[i]:g} in row {i + 1}' for i in bad]
        raise BadWeights(
            f'Inclusion probabilities must lie above 0 and up to 1; found {listed(cases, 4)}.'
        )
    return 1.0 / values


@checked
def unknown_eligibility(weights: Any, known: Any, classes: Any = None) -> Weights:
    """Spread the weight of units of unknown eligibility over the known ones of their class.

    ``known`` marks units that were found eligible or not; the others end with weight 0.
    """
    return _within_classes(weights, known, classes, None, 0, np.inf, None, UNKNOWN)


@checked
def nonresponse(
    weights: Any,
    responded: Any,
    classes: Any = None,
    *,
    eligible: Any = None,
    minimum: int = TINY,
    largest: float = 3.0,
    collapse: Mapping[Any, Any] | str | None = None,
) -> Weights:
    """Weighting classes: respondents also stand for the eligible non-respondents of their class.

    New weight = weight · Σ(eligible)/Σ(responded) in the class; non-respondents end with 0,
    the ineligible keep theirs.  Classes with fewer than ``minimum`` respondents, or a factor
    above ``largest``, are named in the report.  They are merged only on demand: ``collapse``
    maps class → merged class, or is ``'neighbour'``, which joins each small class to the
    next in the order of labels until every class has the minimum.
    Source: Särndal and Lundström 2005, chapter 6; Little 1986 (Int. Stat. Rev. 54).
    """
    return _within_classes(
        weights, responded, classes, eligible, minimum, largest, collapse, 'non-response'
    )


def _within_classes(
    weights: Any,
    keep: Any,
    classes: Any,
    eligible: Any,
    minimum: int,
    largest: float,
    collapse: Mapping[Any, Any] | str | None,
    kind: str,
) -> Weights:
    before = positive_or_zero(weights)
    if minimum < 0 or not largest >= 1:
        raise BadOption('minimum must be 0 or more, largest 1 or more.')
    rows = len(before)
    kept = flags(keep, kind, rows)
    asked = np.ones(rows, dtype=bool) if eligible is None else flags(eligible, 'eligible', rows)
    kept = kept & asked
    coded = everybody(rows) if classes is None else labelled(classes, 'classes', rows)
    if isinstance(collapse, Mapping):
        check_names(collapse, coded.names())
    coded, collapsed = merged_classes(coded, kept & (before > 0), minimum, collapse)
    size = len(coded)
    to_stand_for = sums(coded.codes, before * asked, size)
    answered = sums(coded.codes, before * kept, size)
    count = counts(coded.codes[kept & (before > 0)], size)
    names = coded.names()
    empty = [names[i] for i in np.flatnonzero((answered == 0) & (to_stand_for > 0))]
    if empty:
        if kind == UNKNOWN:
            raise BadOption(
                f'No unit of known eligibility in class {listed(empty)}.',
                'Give its rows the label of a class that is like it.',
            )
        raise BadOption(
            f'Nobody answered in class {listed(empty)}.',
            "Merge it with another: collapse={'class': 'other class'} or collapse='neighbour'.",
        )
    factor = ratio(to_stand_for, answered)
    after = np.where(kept, before * factor[coded.codes], np.where(asked, 0.0, before))
    small = (count < minimum) & (to_stand_for > 0)
    report = report_on(
        kind,
        before,
        after,
        tiny=tuple(f'{names[i]} ({count[i]:.0f})' for i in np.flatnonzero(small)),
        large=tuple(f'{names[i]} ({factor[i]:.2f})' for i in np.flatnonzero(factor > largest)),
        collapsed=collapsed,
    )
    # Ineligible units are a group of their own that nothing is asked of.
    margin = Groups(np.where(asked, coded.codes, size), (*names, 'not eligible'))

    def redo(start: Floats, _times: Floats) -> Floats:
        all_in = sums(coded.codes, start * asked, size)
        again = sums(coded.codes, start * kept, size)
        check_kept(coded, answered * (all_in > 0), again, 'classes')
        factor = ratio(all_in, again)
        return np.where(kept, start * factor[coded.codes], np.where(asked, 0.0, start))

    step = Step.on_groups(
        [margin],
        before=np.where(kept | ~asked, before, 0.0),
        after=after,
        from_sample=before,
        redo=redo,
    )
    return Weights(after, report, step)
