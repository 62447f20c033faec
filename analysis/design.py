"""The sampling design: how the rows were drawn.  Built once, immutable, used by every estimator.

A design is strata, one or more stages of clusters, weights, and the share of each stage that
was drawn.  Estimators see the rows only through it, and it never drops a row: a domain is a
choice of rows whose neighbours still count for the variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.arguments import checked
from analysis.columns import (
    Codes,
    Floats,
    Groups,
    counts,
    frozen,
    numbers,
    positive_or_zero,
    row_count,
    smallest_weight,
    sums,
)
from analysis.errors import BadColumn, BadOption, WeightSumFar, listed
from analysis.layout import Level, complete, lay_out
from analysis.stages import (
    Stage,
    refuse_lonely,
    refuse_nothing_to_average,
    stages_of,
    to_first_stage,
)
from analysis.steps import Step, refuse_untrue
from analysis.weights.fieldwork import base

LonelyRule = Literal['fail', 'adjust', 'average', 'certainty', 'remove']
LONELY_RULES: tuple[LonelyRule, ...] = ('fail', 'adjust', 'average', 'certainty', 'remove')


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
        own (with ``ssu_strata``, one for each of those inside it) in which the next stage carries
        the variance, with the population or rate of that next stage.  The first stage's
        ``population`` then counts the PSUs that were left to chance.
    lonely_psu
        What to do with a stratum that has one PSU: ``fail`` (default) names it; ``adjust``
        measures it from the mean of all PSUs; ``average`` gives it the mean of the other
        strata; ``certainty`` and ``remove`` let it add nothing.
    any_scale
        Accept weights whose sum is far from the population counts, of one stage or of several
        (nothing is compared where rows lie inside the units of the last stage), and weights
        that differ with none above 1, which are taken for probabilities otherwise.

    Of its attributes ``n`` is the number of rows, ``weights`` and ``psu`` are by row, and
    ``strata`` says in which stratum each PSU lies.

    Raises an ``AnalysisError`` that names the rows or strata and the cure.
    Source: Lumley, Complex Surveys (2010), chapter 2; R ``survey::svydesign``.
    """

    n: int
    weights: Floats
    positive: bool
    strata: Groups
    psu: Groups
    stages: tuple[Stage, ...]
    row_unit: Codes | None
    unit_psu: Codes | None
    lonely_psu: LonelyRule
    steps: tuple[Step, ...]

    @checked
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
        if population is not None and rate is not None:
            raise BadOption('Give population (counts) or rate (shares), not both.')
        if psu is not None and ids is not None:
            raise BadOption('psu and ids are two names for one thing; give one.')
        named = psu if ids is None else ids
        columns = {
            'weights': weights,
            'probabilities': probabilities,
            'strata': strata,
            'psu': named,
        }
        given = [(name, column) for name, column in columns.items() if column is not None]
        if not given:
            raise BadOption('A design needs weights, probabilities, or strata with a population.')
        if certainty is not None and named is None:
            raise BadOption(
                'certainty needs psu: it says which PSUs were not left to chance.',
                'Rows that were taken for certain are a stratum with rate 1.',
            )
        rows = row_count(given[0][1], given[0][0])
        if not rows:
            raise BadColumn('The sample has no rows.')
        levels = lay_out(rows, strata, named, ssu, ssu_strata, nest)
        levels, stages = stages_of(levels, population, rate, certainty)
        nothing = population is None and rate is None
        chosen = frozen(_weights(weights, probabilities, rows, levels, stages, nothing), weights)
        if population is not None and not any_scale:
            _check_sum(chosen, levels, stages)
        if weights is not None and not any_scale and like_probabilities(chosen):
            raise WeightSumFar(
                'No weight is above 1, and they differ: these are probabilities.',
                'Give them as probabilities=; any_scale=True accepts weights of any scale.',
            )
        if lonely_psu == 'fail':
            refuse_lonely(stages)
        elif lonely_psu == 'average':
            refuse_nothing_to_average(stages[0])
        deepest = levels[len(stages) - 1].units
        field = object.__setattr__
        field(self, 'n', rows)
        field(self, 'weights', chosen)
        field(self, 'positive', smallest_weight(chosen) > 0)
        field(self, 'strata', levels[0].strata)
        field(self, 'psu', levels[0].units)
        field(self, 'stages', stages)
        field(self, 'row_unit', None if deepest.each_row else deepest.codes)
        field(self, 'unit_psu', to_first_stage(stages))
        field(self, 'lonely_psu', lonely_psu)
        field(self, 'steps', ())

    @classmethod
    @checked
    def from_table(
        cls,
        table: Mapping[str, Any],
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

        columns = {str(name): values for name, values in table.items()}

        def column(name: str | Sequence[str | None] | None) -> Any:
            if name is None:
                return None
            if not isinstance(name, str):
                return tuple(column(one) for one in name)
            if name not in columns:
                raise BadColumn(
                    f'There is no column {name!r} in the table.', f'It has: {listed(columns, 30)}.'
                )
            return columns[name]

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

    @property
    def total_weight(self) -> float:
        return float(self.weights.sum())

    @property
    def df(self) -> int:
        """PSUs − strata, counting those that have a row whose weight is not 0."""
        inside = sums(self.psu.codes, np.abs(self.weights), self.stages[0].units) > 0
        strata = counts(self.stages[0].stratum[inside], 1) > 0
        return int(inside.sum() - strata.sum())

    @checked
    def calibrated(self, *steps: Step) -> Design:
        """The same design with adjusted weights whose adjustment the variance must follow.

        ``steps`` come from ``weights.post_stratify``, ``weights.rake`` and their like (pass
        the result's ``step``), in the order in which they were applied.
        """
        result = self
        for step in [part for whole in steps for part in whole.parts or (whole,)]:
            if len(step.after) != self.n:
                raise BadColumn(f'The step has {len(step.after)} rows, the design {self.n}.')
            start = step.before if step.from_sample is None else step.from_sample
            if not np.allclose(start, result.weights, rtol=1e-9, atol=0.0):
                raise BadOption(
                    'The step did not start from the weights of this design.',
                    'Apply the steps in the order in which they were made.',
                )
            result = _with(
                result,
                weights=step.after,
                positive=bool(step.after.min() > 0),
                steps=(*result.steps, step),
            )
        return result

    def calibrated_on(self, *margins: Any, base_weights: Any = None) -> Design:
        """The same design whose weights are *already* calibrated to these margins.

        For files that come with final weights: each margin is a column of labels whose
        population counts the weights reproduce.  ``base_weights`` are the weights before the
        calibration; without them the final weights serve as their own base, which is exact
        for one margin (post-strata) and approximate for several.

        With base weights the claim is checked: g = final/base weight must be the same in each
        cell of one margin, and over several a product of their levels (raking) or a sum
        (linear calibration), up to the rounding of a file; else BadOption names the row.
        Calibrations within bounds go by ``calibrated(step)``.
        """
        coded = [complete(margin, f'margin {i + 1}', self.n) for i, margin in enumerate(margins)]
        if not coded:
            raise BadOption('calibrated_on needs the columns that the weights are calibrated to.')
        before = self.weights
        if base_weights is not None:
            before = positive_or_zero(base_weights, 'base_weights', self.n)
        step = Step.on_groups(coded, before=before, after=self.weights)
        if base_weights is not None:
            refuse_untrue(step)
        return _with(self, steps=(*self.steps, step))

    def __repr__(self) -> str:
        strata = '1 stratum' if len(self.strata) == 1 else f'{len(self.strata)} strata'
        parts = [f'{self.n} rows', strata, f'{len(self.psu)} PSUs']
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


def _weights(
    weights: Any,
    probabilities: Any,
    rows: int,
    levels: tuple[Level, ...],
    stages: tuple[Stage, ...],
    nothing_known: bool,
) -> Floats:
    if weights is not None and probabilities is not None:
        raise BadOption('Give weights or probabilities, not both.')
    if weights is not None:
        return numbers(weights, 'weights', rows)
    if probabilities is not None:
        return base(numbers(probabilities, 'probabilities', rows))
    if nothing_known or len(stages) < len(levels):
        raise BadOption('Without weights or probabilities, every stage needs population or rate.')
    share = _drawn_share(levels, stages, rows)
    if not (share > 0).all():
        raise BadOption('Weights cannot follow from a stage without population or rate.')
    return 1.0 / share


def like_probabilities(weights: Floats) -> bool:
    """Whether weights differ and none is above 1: nobody stands for less than one person."""
    used = weights[weights > 0]
    return bool(used.size and used.max() <= 1 and used.min() < used.max() * (1 - 1e-9))


def _drawn_share(levels: tuple[Level, ...], stages: tuple[Stage, ...], rows: int) -> Floats:
    """The product of the shares drawn at all stages by row; 0 below one that is not known."""
    share = np.ones(rows)
    for level, stage in zip(levels, stages, strict=False):
        share *= stage.fraction[stage.stratum[level.units.codes]]
    return share


def _check_sum(weights: Floats, levels: tuple[Level, ...], stages: tuple[Stage, ...]) -> None:
    """Refuses weights that do not count what the populations of all stages count.

    Their number is about Σ 1/share where rows are the units of the last stage.  How many persons
    stand behind the rows inside a village, say, a population of villages does not tell.
    """
    share = _drawn_share(levels, stages, len(weights))
    if len(stages) < len(levels) or not levels[-1].units.each_row or not (share > 0).all():
        return
    expected, total = float((1.0 / share).sum()), float(weights.sum())
    if not 0.5 <= total / expected <= 2.0:
        how = f' (estimated over {len(stages)} stages)' if len(stages) > 1 else ''
        raise WeightSumFar(
            f'The weights add up to {total:,.6g}, the population to {expected:,.6g}{how}.',
            'Use weights that count people; any_scale=True accepts them as they are.',
        )


__all__ = ['LONELY_RULES', 'Design', 'LonelyRule', 'Stage']
