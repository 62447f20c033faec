"""Weights, step by step: base, unknown eligibility, non-response, post-stratification, raking.

Each step takes the weights of the one before and returns ``Weights``: the new values, a
report on what happened, and the ``step`` that ``Design.calibrated`` needs so that the
variance follows it.  Nothing is collapsed or cut unless it was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analysis.columns import (
    Codes,
    Floats,
    Groups,
    Mask,
    counts,
    dot,
    flags,
    groups,
    numbers,
    positive_or_zero,
    sums,
)
from analysis.errors import (
    BadOption,
    BadWeights,
    MarginsDisagree,
    NotConverged,
    UnknownLevel,
    listed,
)
from analysis.steps import Step, cross_cells

# Below this many answers a class or cell is reported as tiny.
TINY = 20


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a step did.  ``misfit`` is the largest relative error of each margin afterwards.

    ``kish`` is 1 + cv² of the weights, ``n_eff`` the number of positive weights over it;
    ``g_min`` and ``g_max`` bound new/old weight; ``empty`` and ``tiny`` name groups without
    answers and groups with few; ``large`` those whose factor passed the limit.  ``cut`` weights
    were trimmed, ``given_up`` is the share of all weight above the limit.
    """

    kind: str
    n: int
    total: float
    kish: float
    n_eff: float
    g_min: float
    g_max: float
    iterations: int = 0
    misfit: Mapping[str, float] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    tiny: tuple[str, ...] = ()
    large: tuple[str, ...] = ()
    collapsed: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    given_up: float = 0.0
    kish_untrimmed: float | None = None


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights after a step, by row, with its report."""

    values: Floats
    report: Report
    step: Step

    def __len__(self) -> int:
        return len(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.array(self.values, dtype=dtype, copy=copy)


def base(probabilities: Any) -> Floats:
    """1/π for inclusion probabilities π in (0, 1]; several stages: pass their product."""
    values = numbers(probabilities, 'probabilities')
    bad = np.flatnonzero(~((values > 0) & (values <= 1)))
    if bad.size:
        cases = [f'{values[i]:g} in row {i + 1}' for i in bad]
        raise BadWeights(
            f'Inclusion probabilities must lie above 0 and up to 1; found {listed(cases, 4)}.'
        )
    return 1.0 / values


def kish(weights: Any) -> float:
    """Kish's design effect of unequal weights, n Σw²/(Σw)², over the positive weights."""
    values = numbers(weights, 'weights')
    used = values[values > 0]
    return used.size * dot(used, used) / float(used.sum()) ** 2


def unknown_eligibility(weights: Any, known: Any, classes: Any = None) -> Weights:
    """Spread the weight of units of unknown eligibility over the known ones of their class.

    ``known`` marks units that were found eligible or not; the others end with weight 0.
    """
    return _within_classes(weights, known, classes, None, 0, np.inf, None, 'unknown eligibility')


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
    rows = len(before)
    kept = flags(keep, kind, rows)
    asked = np.ones(rows, dtype=bool) if eligible is None else flags(eligible, 'eligible', rows)
    kept = kept & asked
    coded = (
        Groups(np.zeros(rows, dtype=np.intp), ('all',))
        if classes is None
        else labelled(classes, 'classes', rows)
    )
    coded, collapsed = _collapse(coded, kept & (before > 0), minimum, collapse)
    size = len(coded)
    everybody = sums(coded.codes, before * asked, size)
    answered = sums(coded.codes, before * kept, size)
    count = counts(coded.codes[kept & (before > 0)], size)
    names = coded.names()
    empty = [names[i] for i in np.flatnonzero((answered == 0) & (everybody > 0))]
    if empty:
        raise BadOption(
            f'Nobody answered in class {listed(empty)}.',
            "Merge it with another: collapse={'class': 'other class'} or collapse='neighbour'.",
        )
    factor = _ratio(everybody, answered)
    after = np.where(kept, before * factor[coded.codes], np.where(asked, 0.0, before))
    small = (count < minimum) & (everybody > 0)
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

    def redo(start: Floats) -> Floats:
        all_in = sums(coded.codes, start * asked, size)
        ratio = _ratio(all_in, sums(coded.codes, start * kept, size))
        return np.where(kept, start * ratio[coded.codes], np.where(asked, 0.0, start))

    step = Step.on_groups(
        [margin],
        before=np.where(kept | ~asked, before, 0.0),
        after=after,
        from_sample=before,
        redo=redo,
    )
    return Weights(after, report, step)


def _collapse(
    coded: Groups, counted: Mask, minimum: int, rule: Mapping[Any, Any] | str | None
) -> tuple[Groups, dict[str, str]]:
    """Merged classes, and which class went where."""
    if rule is None:
        return coded, {}
    if isinstance(rule, Mapping):
        new = [rule.get(label, label) for label in coded.labels]
    elif rule == 'neighbour':
        count = counts(coded.codes[counted], len(coded))
        new = _join_neighbours(coded.labels, count, minimum)
    else:
        raise BadOption(f"collapse is {rule!r}; it must be a mapping or 'neighbour'.")
    labels = sorted(set(new), key=str)
    position = {label: i for i, label in enumerate(labels)}
    lookup = np.array([position[label] for label in new], dtype=np.intp)
    moved = {
        str(old): str(to) for old, to in zip(coded.labels, new, strict=True) if str(old) != str(to)
    }
    return Groups(lookup[coded.codes], tuple(labels)), moved


def _join_neighbours(labels: Sequence[object], count: Any, minimum: int) -> list[str]:
    """Runs of labels with at least ``minimum`` answers; a short last run joins the one before."""
    runs: list[list[int]] = [[]]
    for i in range(len(labels)):
        runs[-1].append(i)
        if sum(count[j] for j in runs[-1]) >= minimum:
            runs.append([])
    if not runs[-1]:
        runs.pop()
    elif len(runs) > 1 and sum(count[j] for j in runs[-1]) < minimum:
        runs[-2].extend(runs.pop())
    names = [''] * len(labels)
    for run in runs:
        for i in run:
            names[i] = '+'.join(str(labels[j]) for j in run)
    return names


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
    coded, collapsed = _collapse(coded, before > 0, 0, collapse)
    wanted = _merged(population, collapse)
    held = sums(coded.codes, before, len(coded))
    target = population_targets(coded, wanted, held, 'cells')
    factor = _ratio(target, held)
    after = before * factor[coded.codes]
    report = report_on(
        'post-stratification',
        before,
        after,
        misfit={'cells': _misfit(sums(coded.codes, after, len(coded)), target)},
        tiny=tiny_groups({'cells': coded}, before, tiny),
        collapsed=collapsed,
    )

    def redo(start: Floats) -> Floats:
        return start * _ratio(target, sums(coded.codes, start, len(coded)))[coded.codes]

    step = Step.on_groups([coded], before=before, after=after, redo=redo)
    return Weights(after, report, step)


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
    check_totals(targets)
    fitted, rounds = _fit(table, cells, targets, tolerance, iterations, coded)
    factor = _ratio(fitted, table)
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
            name: _misfit(sums(level[name], fitted, len(target)), target)
            for name, target in targets.items()
        },
        tiny=_tiny(coded, {n: sums(level[n], count, len(g)) for n, g in coded.items()}, tiny),
    )

    def redo(start: Floats) -> Floats:
        begin = sums(cell, start, len(cells))
        again, _ = _fit(begin, cells, targets, tolerance, iterations, coded)
        return start * _ratio(again, begin)[cell]

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
            fitted *= _ratio(target, current)[cells[:, j]]
        if worst[0] <= tolerance:
            return fitted, rounds
    gap, name, level = worst
    raise NotConverged(
        f'Raking did not converge in {iterations} rounds: margin {name!r}, level '
        f'{coded[name].labels[level]!s}, is still off by {gap:.2g} of its population.',
        'Merge small levels; combinations of levels that nobody has make the margins impossible.',
    )


def population_targets(
    coded: Groups, population: Mapping[Any, float], weight: Floats, name: str
) -> Floats:
    """Population of each level; every level with people needs answers and the reverse.

    ``weight`` is the sum of the weights in each level.
    """
    by_name = {str(label): float(count) for label, count in population.items()}
    bad = [label for label, count in by_name.items() if not 0 <= count < np.inf]
    if bad:
        raise BadOption(f'The population of {name} must be a count; not so for {listed(bad)}.')
    sampled = {label for label, sum_ in zip(coded.names(), weight, strict=True) if sum_ > 0}
    unknown = sorted(label for label in sampled if not by_name.get(label))
    if unknown:
        raise UnknownLevel(
            f'{name}: the sample has {listed(unknown)}, the population figures have not.',
            'Correct the label, or add its population.',
        )
    unseen = sorted(label for label, count in by_name.items() if count and label not in sampled)
    if unseen:
        raise UnknownLevel(
            f'{name}: nobody in the sample stands for {listed(unseen)}.',
            'Merge the level with another one, in the sample and in the population.',
        )
    # Levels with neither people nor answers keep a harmless 1: nothing is multiplied by it.
    return np.array([by_name.get(label) or 1.0 for label in coded.names()])


def check_totals(targets: Mapping[str, Floats]) -> None:
    sums = {name: float(target.sum()) for name, target in targets.items()}
    low, high = min(sums.values()), max(sums.values())
    if high - low > 1e-6 * high:
        stated = ', '.join(f'{name} {value:,.10g}' for name, value in sums.items())
        raise MarginsDisagree(
            f'The margins add up to different populations: {stated}.',
            'Scale them to one total first.',
        )


def _merged(population: Mapping[Any, float], rule: Mapping[Any, Any] | None) -> dict[Any, float]:
    merged: dict[Any, float] = {}
    for label, count in population.items():
        home = label if rule is None else rule.get(label, label)
        merged[home] = merged.get(home, 0.0) + count
    return merged


def _ratio(above: Floats, below: Floats) -> Floats:
    """above/below, and 1 where nothing is below: a level without rows changes no weight."""
    return np.divide(above, below, out=np.ones_like(below), where=below > 0)


def _misfit(reached: Floats, target: Floats) -> float:
    return float((np.abs(reached - target) / target)[reached > 0].max())


def tiny_groups(margins: Mapping[str, Groups], before: Floats, limit: int) -> tuple[str, ...]:
    """Levels with fewer than ``limit`` rows of positive weight, with their number."""
    used = before > 0
    found = {name: counts(coded.codes[used], len(coded)) for name, coded in margins.items()}
    return _tiny(margins, found, limit)


def _tiny(
    margins: Mapping[str, Groups], count: Mapping[str, Floats], limit: int
) -> tuple[str, ...]:
    found = []
    for name, coded in margins.items():
        prefix = '' if len(margins) == 1 else f'{name}='
        found += [
            f'{prefix}{coded.labels[int(i)]} ({count[name][i]:.0f})'
            for i in np.flatnonzero((count[name] > 0) & (count[name] < limit))
        ]
    return tuple(found)


def report_on(
    kind: str, before: Floats, after: Floats, change: Floats | None = None, **more: Any
) -> Report:
    """The report of a step; ``change`` are the factors new/old where they are known already."""
    if change is None:
        used = (before > 0) & (after > 0)
        change = after[used] / before[used]
    count = int(np.count_nonzero(after))
    total = float(after.sum())
    effect = count * dot(after, after) / total**2
    return Report(
        kind=kind,
        n=count,
        total=total,
        kish=effect,
        n_eff=count / effect,
        g_min=float(change.min()),
        g_max=float(change.max()),
        **more,
    )


def labelled(values: Any, name: str, rows: int) -> Groups:
    coded = groups(values, name, rows)
    if coded.gaps.size:
        raise UnknownLevel(
            f'{name} is missing in {coded.gaps.size} rows (row {listed(coded.gaps + 1, 3)}).',
            'Give each row a level; "not known" can be one if the population has it too.',
        )
    return coded


def trim(
    weights: Any, *, upper: float = np.inf, lower: float = 0.0, method: str = 'additive'
) -> Weights:
    """Weights cut at ``upper`` and raised to ``lower``, their sum kept by the others.

    What is cut is shared among the weights inside the limits: equally (``additive``, as R's
    trimWeights with strict=TRUE) or in proportion to them (``proportional``), again and again
    until none is outside; weights that were cut stay at their limit.  The variance takes the
    result as given: trimming has no residual of its own.
    """
    before = positive_or_zero(weights)
    used = before > 0
    if not 0 <= lower < upper:
        raise BadOption(f'The limits must satisfy 0 ≤ lower < upper, not {lower:g}, {upper:g}.')
    if method not in ('additive', 'proportional'):
        raise BadOption(f'Unknown trimming {method!r}; use additive or proportional.')
    total, count = float(before.sum()), int(used.sum())
    if not count * lower <= total <= count * upper:
        raise BadOption(
            f'{count} weights between {lower:g} and {upper:g} cannot add up to {total:,.6g}.'
        )
    after, fixed = before.copy(), ~used
    while True:
        outside = ~fixed & ((after > upper * (1 + 1e-12)) | (after < lower * (1 - 1e-12)))
        if not outside.any():
            break
        fixed |= outside
        after[outside] = np.clip(after[outside], lower, upper)
        surplus, free = total - after.sum(), ~fixed
        if not free.any():
            break
        if method == 'additive':
            after[free] += surplus / free.sum()
        else:
            after[free] *= 1.0 + surplus / after[free].sum()
    moved = used & fixed
    report = report_on(
        f'trimming ({method})',
        before,
        after,
        cut=int(moved.sum()),
        given_up=float(np.clip(before - upper, 0.0, None).sum() / total),
    )

    def redo(start: Floats) -> Floats:
        return trim(start, upper=upper, lower=lower, method=method).values

    return Weights(after, report, Step((), before, after, redo=redo))


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
    The report compares with raking alone: Kish before (``kish_untrimmed``) and the share of
    weight that was cut.
    """
    before = positive_or_zero(weights)
    raked = rake(before, margins, population)
    if upper is None:
        quarter, half, three = np.quantile(raked.values[raked.values > 0], [0.25, 0.5, 0.75])
        upper = float(half + 6.0 * (three - quarter))
    current, done, cut = raked.values, raked, 0
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

            def redo(start: Floats, limit: float = upper) -> Floats:
                return rake_and_trim(
                    start, margins, population, upper=limit, rounds=rounds, tolerance=tolerance
                ).values

            step = Step(done.step.blocks, before, current, redo=redo)
            return Weights(current, report, step)
        cut = max(cut, int(over.sum()))
        done = rake(trim(current, upper=upper), margins, population)
        current = done.values
    raise NotConverged(
        f'After {rounds} rounds the largest weight is {current.max():.6g}, the limit {upper:.6g}.',
        'Raise the limit, or merge small levels: the margins need weights that large.',
    )
