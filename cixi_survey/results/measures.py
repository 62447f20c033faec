"""What is measured: every indicator of the questionnaire, its items, and what belongs beside it.

A measure is one number a respondent and the scale it lies on.  Which target it is judged against is
decided here and nowhere else, by the wave alone: the target basis, the scale to which the rule for
satisfaction is bound, and the year of the wave.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis import estimate as estimators
from analysis.design import Design
from analysis.intervals import bounds
from analysis.result import Estimate
from analysis.verdict import decide
from cixi_survey import clock
from cixi_survey.models import Wave
from cixi_survey.questionnaire import indicators
from cixi_survey.questionnaire.definition import Indicator, Questionnaire, Variable
from cixi_survey.questionnaire.indicators import Coded
from cixi_survey.results.dataset import Dataset, Floats

SHARE = (0.0, 1.0)
SCORE = (0.0, 100.0)
WORST_CASE_FROM = 0.05
OTHER_RULES = ('breadth', 'passed')


@dataclass(frozen=True, eq=False)
class Measure:
    """One number a respondent (nan: out of the base).

    ``per`` divides the weight of a respondent to that of the household, None for persons.
    """

    name: str
    label: Mapping[str, str]
    values: Floats
    scale: str
    per: Floats | None = None

    @property
    def limits(self) -> tuple[float, float]:
        return SHARE if self.scale == 'share' else SCORE

    @property
    def kind(self) -> str:
        """``household`` ratio, ``proportion`` of yes and no, or ``mean`` of anything between."""
        if self.per is not None:
            return 'household'
        known = self.values[~np.isnan(self.values)]
        whole = self.scale == 'share' and bool(((known == 0) | (known == 1)).all())
        return 'proportion' if whole else 'mean'


@dataclass(frozen=True)
class Judged:
    """The target that a verdict is about, in the unit of the measure."""

    basis: str
    value: float
    label: Mapping[str, str]
    source: str
    from_year: int | None


def estimates(
    found: Sequence[Measure], design: Design, *, by: Any = None, level: float, method: str
) -> dict[str, list[Estimate]]:
    """By name of the measure its estimate for all respondents, or one for each label of ``by``.

    Shares get ``method``, those of yes and no as well as means of shares: in a town whose people
    know much, t would call a knowledge of exactly 80 % "met" in 7 or 8 of 100 samples.  Scores and
    homes get Student's t, held inside the scale.  A measure without any answer has no estimates.
    Measures of one kind go through one call, which then works out only once what they have in
    common.
    """
    rows: dict[str, list[Estimate]] = {measure.name: [] for measure in found}
    kinds: dict[tuple[str, str], dict[str, Floats]] = {}
    for measure in found:
        if np.isnan(measure.values).all():
            continue
        if measure.per is not None:
            share = 1.0 / measure.per
            made = estimators.ratio(design, measure.values * share, share, by=by, level=level)
            ratios = [made] if by is None else list(made)
            rows[measure.name] = [_bounded(row, measure.limits) for row in ratios]
        else:
            kinds.setdefault((measure.kind, measure.scale), {})[measure.name] = measure.values
    for (kind, scale), columns in kinds.items():
        if kind == 'proportion':
            made = estimators.proportion(design, columns, by=by, level=level, method=method)
        else:
            ends, way = (SHARE, method) if scale == 'share' else (SCORE, 't')
            made = estimators.mean(design, columns, by=by, level=level, limits=ends, method=way)
        for row in made:
            rows[row.variable].append(row)
    return rows


def _bounded(row: Estimate, limits: tuple[float, float]) -> Estimate:
    """A ratio of household totals is a mean over households: its interval stays on the scale."""
    if row.census:
        return replace(row, limits=limits)
    low, high, method = bounds(
        row.est,
        0.0 if row.reason else row.se,
        n=row.n,
        df=row.df,
        tail=(1 - row.level) / 2,
        method='t',
        limits=limits,
    )
    return replace(row, kind='mean', lci=low, uci=high, method=method, limits=limits)


def number_or_none(value: float) -> float | None:
    """A figure as it is kept: what is not defined has none."""
    return value if math.isfinite(value) else None


def judge(row: Estimate, judged: Judged | None, level: float) -> dict[str, Any] | None:
    """The verdict on an estimate, None without a target or without an estimate."""
    if judged is None or np.isnan(row.est):
        return None
    verdict = decide(row, judged.value, level=level)
    return {
        'decision': verdict.decision,
        'lower': number_or_none(verdict.bound_lower),
        'upper': number_or_none(verdict.bound_upper),
        'level': verdict.level,
    }


def year_of(wave: Wave) -> int:
    """The year of a wave: that in which it begins, so that it is fixed before fieldwork."""
    return clock.local(wave.opens_at).year


def target_of(indicator: Indicator, wave: Wave) -> Judged | None:
    """The one target that this wave judges the indicator against.

    That of the wave's basis, in force in the wave's year; for satisfaction only on the scale to
    which the wave has bound the rule.
    """
    if indicator.family == 'satisfaction' and indicator.scale != wave.satisfaction_scale:
        return None
    year = year_of(wave)
    in_force = [
        target
        for target in indicator.targets
        if target.basis == wave.target_basis and (target.from_year or 0) <= year
    ]
    if not in_force:
        return None
    target = max(in_force, key=lambda each: each.from_year or 0)
    return Judged(
        target.basis,
        target.value / 100 if indicator.scale == 'share' else target.value,
        dict(target.label or {}),
        target.source or '',
        target.from_year,
    )


def headline(indicator: Indicator, dataset: Dataset) -> Measure:
    """The indicator itself."""
    values = indicators.score(indicator, dataset.columns, dataset.n)
    per = None
    if indicator.household_size is not None:
        per = indicators.household_divisor(indicator, dataset.columns, dataset.n)
        values = np.where(np.isnan(per), np.nan, values)
    return Measure(indicator.name, indicator.label, values, indicator.scale, per)


def dont_know(indicator: Indicator, dataset: Dataset) -> Measure:
    """The share of "don't know" among the answers to the items."""
    values = indicators.dont_know(indicator, dataset.columns, dataset.n)
    return Measure(f'{indicator.name}.dont_know', indicator.label, values, 'share')


def worst_case(indicator: Indicator, dataset: Dataset) -> Measure:
    """The indicator if everybody who did not know had answered in the worst way."""
    values = indicators.score(indicator, dataset.columns, dataset.n, dont_know='wrong')
    per = None
    if indicator.household_size is not None:
        per = indicators.household_divisor(indicator, dataset.columns, dataset.n)
        values = np.where(np.isnan(per), np.nan, values)
    return Measure(f'{indicator.name}.worst_case', indicator.label, values, indicator.scale, per)


def other_rules(indicator: Indicator, dataset: Dataset) -> list[Measure]:
    """Knowledge by the other rules in use: what was heard of, and who passes at 80 of 100."""
    if indicator.rule != 'share_right':
        return []
    breadth = indicators.breadth(indicator, dataset.columns, dataset.n)
    passed = indicators.passed(indicators.score(indicator, dataset.columns, dataset.n))
    return [
        Measure(f'{indicator.name}.{rule}', indicator.label, values, 'share')
        for rule, values in zip(OTHER_RULES, (breadth, passed), strict=True)
    ]


def items(indicator: Indicator, dataset: Dataset) -> Iterator[Measure]:
    """Each item alone by the rule of the indicator; of one question with several answers, each.

    An indicator of one single-choice item is its own item.
    """
    if indicator.scale == 'score':
        return
    alone = indicator.variables[0] if len(indicator.variables) == 1 else None
    if alone is not None and alone.kind == 'multiple':
        yield from _answers(alone, indicator.positive, dataset)
        return
    if alone is not None:
        return
    scored = indicators.items(indicator, dataset.columns, dataset.n)
    per = None
    if indicator.household_size is not None:
        per = indicators.household_divisor(indicator, dataset.columns, dataset.n)
    for variable in indicator.variables:
        values = scored[variable.name]
        if per is not None:
            values = np.where(np.isnan(per), np.nan, values)
        yield Measure(variable.name, dict(variable.label), values, 'share', per)


def _answers(variable: Variable, positive: tuple[str, ...], dataset: Dataset) -> Iterator[Measure]:
    column = dataset.columns[variable.name]
    for value in positive:
        table = [np.nan if not label else float(value in _chosen(label)) for label in column.labels]
        values = np.array(table, dtype=np.float64)[column.codes]
        label = dict(variable.option(value).label)
        yield Measure(f'{variable.name}.{value}', label, values, 'share')


def _chosen(label: object) -> tuple[str, ...]:
    return label if isinstance(label, tuple) else tuple(str(label).split())


def open_counts(questionnaire: Questionnaire, dataset: Dataset) -> list[dict[str, Any]]:
    """How many people of the open stream chose each answer: counts, and nothing else."""
    rows = []
    for variable in questionnaire.variables():
        if variable.kind not in ('single', 'multiple') or variable.question.secret:
            continue
        column: Coded = dataset.columns[variable.name]
        count = np.bincount(column.codes, minlength=len(column.labels))
        tally = dict.fromkeys(variable.values, 0)
        answered = 0
        for label, number in zip(column.labels, count.tolist(), strict=True):
            if label:
                answered += number
                for value in _chosen(label):
                    tally[value] += number
        rows.append(
            {
                'name': variable.name,
                'label': dict(variable.label),
                'several': variable.kind == 'multiple',
                'n': answered,
                'options': [
                    {'value': value, 'label': dict(variable.option(value).label), 'count': number}
                    for value, number in tally.items()
                ],
            }
        )
    return rows
