"""The sampling design: how the rows were drawn.  Built once, immutable, used by every estimator.

A design is strata, one or more stages of clusters, weights, and the share of each stage that
was drawn.  Estimators see the rows only through it, and it never drops a row: a domain is a
choice of rows whose neighbours still count for the variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from analysis.columns import Codes, Floats, Groups, counts, flags, groups, numbers, sums
from analysis.errors import (
    BadColumn,
    BadOption,
    BadWeights,
    ClusterInTwoStrata,
    LonelyPsu,
    PopulationTooSmall,
    WeightSumFar,
    listed,
)

if TYPE_CHECKING:
    from analysis.steps import Step

LonelyRule = Literal['fail', 'adjust', 'average', 'certainty', 'remove']
LONELY_RULES: tuple[LonelyRule, ...] = ('fail', 'adjust', 'average', 'certainty', 'remove')


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage of selection, as a table of the units drawn at it (not of rows).

    ``stratum`` gives each unit's stratum, ``parent`` the unit of the stage above it,
    ``drawn`` and ``fraction`` belong to the strata: units drawn, and their share of all units.
    ``within`` is the unit above of each stratum; None where every unit above is one stratum (or
    at the first stage).
    """

    stratum: Codes
    labels: tuple[str, ...]
    parent: Codes | None
    drawn: Floats
    fraction: Floats
    within: Codes | None = None

    @property
    def units(self) -> int:
        return len(self.stratum)

    def from_above(self, values: Any) -> Any:
        """Values by unit of the stage above, handed to the strata of this one (last axis)."""
        return values if self.within is None else values[..., self.within]


@dataclass(frozen=True, eq=False, init=False)
class Design:
    """Rows of a sample together with the way they were drawn.

    Parameters, all by row (length n) unless said otherwise:

    weights, probabilities
        One of them; weights are 1 / inclusion probability.  Both may be left out when
        ``population`` or ``rate`` is given for every stage: the weights follow from it.
    strata
        Labels of the first-stage strata; left out means one stratum.
    psu (R: ids)
        Labels of the first-stage clusters; left out means that every row is its own PSU.
        A label must not appear in two strata, unless ``nest=True`` says that labels were
        only meant to differ inside a stratum.
    ssu
        Labels of the second-stage units inside each PSU, or a list of such columns for
        further stages.  They matter for the variance only with ``population`` or ``rate``.
    ssu_strata
        Labels of strata inside each PSU from which the second-stage units were drawn, or a list
        of such columns for further stages (None: not stratified).  R: strata = ~s1 + s2.
        ``population`` or ``rate`` of that stage then belong to these strata.
    population, rate
        What each stage was drawn from, in one of two clearly different forms: the number of
        units in the population (counts), or the share drawn (0 to 1).  A number for all, a
        mapping stratum → number, or a column; for several stages a tuple with one entry a
        stage (None: drawn with replacement).
    certainty
        True for rows of PSUs that were taken with certainty; each becomes a stratum of its
        own in which the next stage carries the variance.
    lonely_psu
        What to do with a stratum that has one PSU: ``fail`` (default) names it; ``adjust``
        measures it from the mean of all PSUs; ``average`` gives it the mean of the other
        strata; ``certainty`` and ``remove`` let it add nothing.
    any_scale
        Accept weights whose sum is far from the population counts.

    Raises an ``AnalysisError`` that names the rows or strata and the cure.
    Source: Lumley, Complex Surveys (2010), chapter 2; R ``survey::svydesign``.
    """

    n: int
    weights: Floats
    strata: Groups
    psu: Groups
    stages: tuple[Stage, ...]
    row_unit: Codes | None
    unit_psu: Codes | None
    lonely_psu: LonelyRule
    steps: tuple[Step, ...]

    def __init__(
        self,
        weights: Any = None,
        *,
        probabilities: Any = None,
        strata: Any = None,
        psu: Any = None,
        ids: Any = None,
        ssu: Any = None,
        ssu_strata: Any = None,
        population: Any = None,
        rate: Any = None,
        certainty: Any = None,
        lonely_psu: LonelyRule = 'fail',
        nest: bool = False,
        any_scale: bool = False,
    ) -> None:
        if lonely_psu not in LONELY_RULES:
            raise BadOption(f'lonely_psu is {lonely_psu!r}; it must be {listed(LONELY_RULES)}.')
        if population is not None and rate is not None:
            raise BadOption('Give population (counts) or rate (shares), not both.')
        if psu is not None and ids is not None:
            raise BadOption('psu and ids are two names for one thing; give one.')
        given = [c for c in (weights, probabilities, strata, psu, ids) if c is not None]
        if not given:
            raise BadOption('A design needs weights, probabilities, or strata with a population.')
        rows = len(given[0])
        layout = _Layout.of(
            rows, strata, ids if psu is None else psu, ssu, certainty, nest, ssu_strata
        )
        stages = _stages(layout, population, rate)
        chosen = _weights(weights, probabilities, rows, layout, stages, population, rate)
        if population is not None and not any_scale:
            _check_sum(chosen, layout, stages)
        if lonely_psu == 'fail':
            _refuse_lonely(stages)
        deepest = len(stages) - 1
        field = object.__setattr__
        field(self, 'n', rows)
        field(self, 'weights', chosen)
        field(self, 'strata', layout.strata)
        field(self, 'psu', layout.psu)
        field(self, 'stages', stages)
        field(self, 'row_unit', None if layout.rows_are_units(deepest) else layout.units[deepest])
        field(self, 'unit_psu', _to_first_stage(stages))
        field(self, 'lonely_psu', lonely_psu)
        field(self, 'steps', ())

    @classmethod
    def from_table(
        cls,
        table: Mapping[str, Any] | Any,
        *,
        weights: str | None = None,
        probabilities: str | None = None,
        strata: str | None = None,
        psu: str | None = None,
        ids: str | None = None,
        ssu: str | Sequence[str] | None = None,
        ssu_strata: str | Sequence[str | None] | None = None,
        population: str | Sequence[str | None] | None = None,
        rate: str | Sequence[str | None] | None = None,
        **options: Any,
    ) -> Design:
        """A design from the columns of a mapping or data frame, given by their names."""

        def column(name: str | Sequence[str | None] | None) -> Any:
            if name is None:
                return None
            if not isinstance(name, str):
                return tuple(column(one) for one in name)
            try:
                return table[name]
            except (KeyError, IndexError) as error:
                raise BadColumn(f'There is no column {name!r} in the table.') from error

        return cls(
            column(weights),
            probabilities=column(probabilities),
            strata=column(strata),
            psu=column(psu),
            ids=column(ids),
            ssu=column(ssu),
            ssu_strata=column(ssu_strata),
            population=column(population),
            rate=column(rate),
            **options,
        )

    @property
    def units(self) -> int:
        """How many units the rows are summed to before the variance is taken."""
        return self.stages[-1].units

    @cached_property
    def positive(self) -> bool:
        """Whether every row has a weight above 0."""
        return bool(self.weights.min() > 0)

    @property
    def total_weight(self) -> float:
        return float(self.weights.sum())

    @property
    def df(self) -> int:
        """PSUs − strata, counting those that have a row of positive weight."""
        inside = sums(self.psu.codes, self.weights, self.stages[0].units) > 0
        strata = counts(self.stages[0].stratum[inside], 1) > 0
        return int(inside.sum() - strata.sum())

    def calibrated(self, *steps: Step) -> Design:
        """The same design with adjusted weights whose adjustment the variance must follow.

        ``steps`` come from ``weights.post_stratify``, ``weights.rake`` and their like (pass
        the result's ``step``), in the order in which they were applied.
        """
        result = self
        for step in steps:
            if len(step.after) != self.n:
                raise BadColumn(f'The step has {len(step.after)} rows, the design {self.n}.')
            start = step.before if step.from_sample is None else step.from_sample
            if not np.allclose(start, result.weights, rtol=1e-9, atol=0.0):
                raise BadOption(
                    'The step did not start from the weights of this design.',
                    'Apply the steps in the order in which they were made.',
                )
            # A step without auxiliaries (trimming) only sets the weights.
            steps = (*result.steps, step) if step.blocks else result.steps
            result = _with(result, weights=step.after, steps=steps)
        return result

    def calibrated_on(self, *margins: Any, base_weights: Any = None) -> Design:
        """The same design whose weights are *already* calibrated to these margins.

        For files that come with final weights: each margin is a column of labels whose
        population counts the weights reproduce.  ``base_weights`` are the weights before the
        calibration; without them the final weights serve as their own base.
        """
        from analysis.steps import Step

        before = self.weights if base_weights is None else _checked(base_weights, self.n, 'base')
        coded = [_complete(margin, f'margin {i + 1}', self.n) for i, margin in enumerate(margins)]
        step = Step.on_groups(coded, before=before, after=self.weights)
        return _with(self, steps=(*self.steps, step))

    def __repr__(self) -> str:
        parts = [f'{self.n} rows', f'{len(self.strata)} strata', f'{len(self.psu)} PSUs']
        if len(self.stages) > 1:
            parts.append(f'{len(self.stages)} stages')
        if self.steps:
            parts.append(f'{len(self.steps)} calibration steps')
        return f'Design({", ".join(parts)}, df {self.df})'


def _with(design: Design, **changes: Any) -> Design:
    """``dataclasses.replace`` for a class whose constructor takes other arguments."""
    copy = object.__new__(Design)
    for name in Design.__dataclass_fields__:
        object.__setattr__(copy, name, changes.get(name, getattr(design, name)))
    return copy


@dataclass(frozen=True, eq=False)
class _Layout:
    """Labels coded and nested: for every stage the unit of each row, and the units' parents.

    ``inner`` are the strata of the later stages by row, None where they are the units above.
    """

    strata: Groups
    psu: Groups
    units: tuple[Codes, ...]
    counts: tuple[int, ...]
    parents: tuple[Codes | None, ...]
    inner: tuple[Groups | None, ...]

    @classmethod
    def of(
        cls,
        rows: int,
        strata: Any,
        psu: Any,
        ssu: Any,
        certainty: Any,
        nest: bool,
        ssu_strata: Any = None,
    ) -> _Layout:
        coded = (
            Groups(np.zeros(rows, dtype=np.intp), ('all',))
            if strata is None
            else _complete(strata, 'strata', rows)
        )
        later = [] if ssu is None else list(ssu) if _is_several(ssu) else [ssu]
        if later and psu is None:
            raise BadOption('ssu needs psu: second-stage units lie inside first-stage ones.')
        inside = _inner_strata(ssu_strata, len(later), rows)
        if certainty is not None and ssu_strata is not None:
            raise BadOption(
                'ssu_strata and certainty cannot be combined.',
                'Make a stratum of each pair of certainty PSU and inner stratum yourself.',
            )
        own = psu is None
        psus = _rows_as_units(rows) if own else _complete(psu, 'psu', rows)
        if certainty is not None:
            coded, psus, later, own = _split_certainty(coded, psus, later, own, certainty, rows)
        if not own:
            psus = _nested(psus, coded, nest)
        units, counts = [psus.codes], [len(psus)]
        parents: list[Codes | None] = [None]
        for level, labels in enumerate(later):
            inner = _complete(labels, f'ssu (stage {level + 2})', rows)
            inner = _nested_ssu(units[-1], inner, inside[level], nest)
            pairs = units[-1] * len(inner) + inner.codes
            _, first, codes = np.unique(pairs, return_index=True, return_inverse=True)
            parents.append(units[-1][first])
            units.append(codes.astype(np.intp, copy=False))
            counts.append(len(first))
        return cls(coded, psus, tuple(units), tuple(counts), tuple(parents), (None, *inside))

    def rows_are_units(self, stage: int) -> bool:
        """True when summing rows to units would only copy them."""
        codes = self.units[stage]
        return self.counts[stage] == len(codes) and bool((codes == np.arange(len(codes))).all())


def _inner_strata(given: Any, stages: int, rows: int) -> tuple[Groups | None, ...]:
    """Strata of the second and later stages by row, one entry a stage."""
    if given is None:
        return (None,) * stages
    each = list(given) if _is_several(given) or _has_none(given) else [given]
    if len(each) > stages:
        raise BadOption(
            f'ssu_strata has {len(each)} columns for {stages} later stages.',
            'Every stratified stage needs its units in ssu.',
        )
    coded = [
        None if column is None else _complete(column, f'ssu_strata (stage {level + 2})', rows)
        for level, column in enumerate(each)
    ]
    return (*coded, *[None] * (stages - len(each)))


def _has_none(given: Any) -> bool:
    return isinstance(given, list | tuple) and any(column is None for column in given)


def _nested_ssu(above: Codes, units: Groups, strata: Groups | None, nest: bool) -> Groups:
    """Unit labels of which each, inside its PSU, lies in one of the inner strata."""
    if strata is None:
        return units
    pairs = above * len(units) + units.codes
    _, place = np.unique(pairs, return_inverse=True)
    home = np.empty(len(pairs), dtype=np.intp)
    home[place] = strata.codes
    elsewhere = home[place] != strata.codes
    if not elsewhere.any():
        return units
    if not nest:
        shared = sorted({str(units.labels[code]) for code in units.codes[elsewhere]})
        raise ClusterInTwoStrata(
            f'{len(shared)} ssu labels appear in more than one of ssu_strata: {listed(shared)}.',
            'If the labels start again in each stratum, say nest=True; if not, correct them.',
        )
    codes = strata.codes * len(units) + units.codes
    return Groups(codes, range(len(strata) * len(units)))


def _is_several(ssu: Any) -> bool:
    return (
        isinstance(ssu, list | tuple)
        and len(ssu) > 0
        and not isinstance(ssu[0], str)
        and hasattr(ssu[0], '__len__')
    )


def _rows_as_units(rows: int) -> Groups:
    return Groups(np.arange(rows, dtype=np.intp), range(rows))


def _complete(values: Any, name: str, rows: int) -> Groups:
    """Labels without gaps: a row whose stratum or PSU is unknown has no place in a design."""
    coded = groups(values, name, rows)
    if coded.codes.size and coded.codes.min() < 0:
        missing = np.flatnonzero(coded.codes < 0) + 1
        raise BadColumn(
            f'{name} is missing in {missing.size} rows (row {listed(missing, 3)}).',
            'Every row needs one.',
        )
    return coded


def _nested(psus: Groups, strata: Groups, nest: bool) -> Groups:
    """PSU codes of which each lies in one stratum; with ``nest`` labels are made distinct."""
    home = np.empty(len(psus), dtype=np.intp)
    home[psus.codes] = strata.codes
    elsewhere = home[psus.codes] != strata.codes
    if not elsewhere.any():
        return psus
    if not nest:
        shared = sorted({str(psus.labels[code]) for code in psus.codes[elsewhere]})
        raise ClusterInTwoStrata(
            f'{len(shared)} PSU labels appear in more than one stratum: {listed(shared)}.',
            'If the labels start again in each stratum, say nest=True; if not, correct them.',
        )
    pairs = strata.codes * len(psus) + psus.codes
    distinct, codes = np.unique(pairs, return_inverse=True)
    labels = tuple(
        f'{strata.labels[pair // len(psus)]}/{psus.labels[pair % len(psus)]}' for pair in distinct
    )
    return Groups(codes.astype(np.intp, copy=False), labels)


def _split_certainty(
    strata: Groups, psus: Groups, later: list[Any], own: bool, certainty: Any, rows: int
) -> tuple[Groups, Groups, list[Any], bool]:
    """Certainty PSUs become strata; their next-stage units (or rows) become the PSUs."""
    sure = flags(certainty, 'certainty', rows)
    mixed = np.unique(psus.codes[sure])
    if np.isin(psus.codes[~sure], mixed).any():
        raise BadColumn('certainty differs inside a PSU; it belongs to the whole PSU.')
    inner = _complete(later[0], 'ssu', rows) if later else _rows_as_units(rows)
    stratum_names = np.array(strata.names(), dtype=object)[strata.codes]
    psu_names = np.array([str(label) for label in psus.labels], dtype=object)[psus.codes]
    inner_names = np.array([str(label) for label in inner.labels], dtype=object)[inner.codes]
    new_strata = np.where(sure, stratum_names + '/' + psu_names, stratum_names)
    new_psus = np.where(sure, psu_names + '/' + inner_names, psu_names)
    return groups(new_strata, 'strata'), groups(new_psus, 'psu'), later, own and not sure.any()


def _stages(layout: _Layout, population: Any, rate: Any) -> tuple[Stage, ...]:
    """The stages that the variance needs: later ones only below a stage with a known fraction."""
    given = population if rate is None else rate
    several = given if isinstance(given, tuple) else (given,)
    if len(several) > len(layout.units):
        raise BadOption(
            f'{len(several)} stages of population or rate for {len(layout.units)} stages of units.'
        )
    stages: list[Stage] = []
    for level, units in enumerate(layout.units):
        entry = several[level] if level < len(several) else None
        if level and not (stages[-1].fraction > 0).any():
            break
        within: Codes | None = None
        if level == 0:
            row_stratum, labels = layout.strata.codes, layout.strata.names()
        else:
            row_stratum, labels, within = _later_strata(layout, level)
        count = layout.counts[level]
        stratum = np.empty(count, dtype=np.intp)
        stratum[units] = row_stratum
        drawn = counts(stratum, len(labels))
        wanted = _per_stratum(entry, row_stratum, labels, rate is None)
        fraction = _fractions(wanted, drawn, labels, rate is None, level)
        stages.append(Stage(stratum, labels, layout.parents[level], drawn, fraction, within))
    return tuple(stages)


def _later_strata(layout: _Layout, level: int) -> tuple[Codes, tuple[str, ...], Codes | None]:
    """Stratum of each row at a later stage, the strata's names, and the unit above of each."""
    above, names = layout.units[level - 1], _unit_labels(layout, level - 1)
    strata = layout.inner[level]
    if strata is None:
        return above, names, None
    pairs, codes = np.unique(above * len(strata) + strata.codes, return_inverse=True)
    within = pairs // len(strata)
    labels = tuple(
        f'{names[unit]}/{strata.labels[code]}'
        for unit, code in zip(within, pairs % len(strata), strict=True)
    )
    return codes.astype(np.intp, copy=False), labels, within


def _unit_labels(layout: _Layout, level: int) -> tuple[str, ...]:
    if level == 0:
        return layout.psu.names()
    return tuple(str(code) for code in range(layout.counts[level]))


def _per_stratum(entry: Any, row_stratum: Codes, labels: tuple[str, ...], counts: bool) -> Floats:
    """Population or rate of each stratum from a number, a mapping, or a column by row."""
    name = 'population' if counts else 'rate'
    if entry is None:
        return np.full(len(labels), np.inf if counts else 0.0)
    if isinstance(entry, Mapping):
        named = {str(key): value for key, value in entry.items()}
        absent = [label for label in labels if label not in named]
        if absent:
            raise PopulationTooSmall(f'{name} says nothing about stratum {listed(absent)}.')
        return numbers([named[label] for label in labels], name)
    if np.ndim(entry) == 0:
        return np.full(len(labels), float(entry))
    column = numbers(entry, name, len(row_stratum))
    result = np.full(len(labels), np.nan)
    result[row_stratum] = column
    differs = ~(result[row_stratum] == column)
    if differs.any():
        strata = sorted({labels[code] for code in row_stratum[differs]})
        raise PopulationTooSmall(
            f'{name} is missing or varies inside stratum {listed(strata)}.',
            'It belongs to the whole stratum: give the same number in each of its rows.',
        )
    return result


def _fractions(
    wanted: Floats, drawn: Floats, labels: tuple[str, ...], counts: bool, level: int
) -> Floats:
    """Share of units drawn in each stratum; refuses samples larger than their population."""
    where = 'PSUs' if level == 0 else f'units of stage {level + 1}'
    if counts:
        short = ~(wanted >= drawn)
        if short.any():
            cases = [
                f'{labels[i]} (population {wanted[i]:g}, drawn {drawn[i]:g})'
                for i in np.flatnonzero(short)
            ]
            raise PopulationTooSmall(
                f'The population is smaller than the number of {where} drawn: {listed(cases, 4)}.',
                'population= counts the units of that stage; shares go to rate=.',
            )
        return np.where(np.isinf(wanted), 0.0, drawn / wanted)
    bad = ~((wanted >= 0) & (wanted <= 1))
    if bad.any():
        cases = [f'{labels[i]} ({wanted[i]:g})' for i in np.flatnonzero(bad)]
        raise PopulationTooSmall(
            f'A rate must lie between 0 and 1; not so in stratum {listed(cases, 4)}.',
            'Numbers of units go to population=.',
        )
    return wanted


def _weights(
    weights: Any,
    probabilities: Any,
    rows: int,
    layout: _Layout,
    stages: tuple[Stage, ...],
    population: Any,
    rate: Any,
) -> Floats:
    if weights is not None and probabilities is not None:
        raise BadOption('Give weights or probabilities, not both.')
    if weights is not None:
        return _checked(weights, rows, 'weights')
    if probabilities is not None:
        from analysis.weights import base

        return base(numbers(probabilities, 'probabilities', rows))
    if (population is None and rate is None) or len(stages) < len(layout.units):
        raise BadOption('Without weights or probabilities, every stage needs population or rate.')
    share = np.ones(rows)
    for level, stage in enumerate(stages):
        share *= stage.fraction[stage.stratum[layout.units[level]]]
    if not (share > 0).all():
        raise BadOption('Weights cannot follow from a stage without population or rate.')
    return 1.0 / share


def _checked(weights: Any, rows: int, name: str) -> Floats:
    values = numbers(weights, name, rows)
    if not rows:
        raise BadWeights('The sample has no rows.')
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high < np.inf):
        bad = np.flatnonzero(~((values >= 0) & (values < np.inf)))
        cases = [f'{values[i]:g} in row {i + 1}' for i in bad]
        raise BadWeights(
            f'{name} must be finite and not negative; found {listed(cases, 4)}.',
            'A unit outside the sample has no row; one that did not answer may have weight 0.',
        )
    if high == 0:
        raise BadWeights(f'{name} are all zero.')
    return values


def _check_sum(weights: Floats, layout: _Layout, stages: tuple[Stage, ...]) -> None:
    """Counts of persons are known only when persons are the units of the only stage."""
    if len(layout.units) > 1 or len(layout.psu) < len(weights):
        return
    stage = stages[0]
    if not (stage.fraction > 0).all():
        return
    expected = float((stage.drawn / stage.fraction).sum())
    total = float(weights.sum())
    if not 0.5 <= total / expected <= 2.0:
        raise WeightSumFar(
            f'The weights add up to {total:,.6g}, the population to {expected:,.6g}.',
            'Use weights that count people; any_scale=True accepts them as they are.',
        )


def _refuse_lonely(stages: tuple[Stage, ...]) -> None:
    for level, stage in enumerate(stages):
        alone = (stage.drawn == 1) & (stage.fraction < 1)
        if level:
            # Below a stage drawn with replacement nothing is added, so nothing is missing.
            above = stages[level - 1]
            alone &= stage.from_above(above.fraction[above.stratum]) > 0
        if alone.any():
            names = [stage.labels[i] for i in np.flatnonzero(alone)]
            kind = 'stratum' if level == 0 else f'unit of stage {level}'
            raise LonelyPsu(
                f'Only one unit was sampled at stage {level + 1} in {kind} {listed(names)}.',
                'Merge with a similar stratum, or choose lonely_psu= adjust, average, '
                'certainty or remove.',
            )


def _to_first_stage(stages: tuple[Stage, ...]) -> Codes | None:
    """PSU of every deepest unit; None when the deepest units are the PSUs."""
    if len(stages) == 1:
        return None
    mapping = stages[-1].parent
    for stage in reversed(stages[1:-1]):
        assert stage.parent is not None
        assert mapping is not None
        mapping = stage.parent[mapping]
    return mapping


__all__ = ['LONELY_RULES', 'Design', 'LonelyRule', 'Stage']
