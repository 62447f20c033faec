"""A run: one frozen computation from the stored answers of a sealed wave to every figure.

``estimate`` reads one stream at a time, weighs, estimates, judges, and freezes the whole as one
canonical JSON text with the hashes of what went in.  The same inputs and options give the same
digits again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import scipy
import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis import errors
from analysis.errors import AnalysisError
from analysis.result import Estimate
from cixi_survey import config
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal, Term
from cixi_survey.models import Frame, Run, SampleDraw, VillageDraw, Wave
from cixi_survey.questionnaire.definition import Indicator, Questionnaire
from cixi_survey.results import dataset, measures, rates, weighting
from cixi_survey.results.dataset import Dataset
from cixi_survey.results.measures import Judged, Measure, number_or_none
from cixi_survey.results.weighting import Weighting

FORMAT = 1
METHODS = ('wilson', 'korn-graubard', 'logit')
LEVELS = (0.9, 0.95, 0.99)


class CannotEstimate(Refusal):
    """The statistics say no: the sample and the population figures do not fit together."""

    code = 'cannot_estimate'
    title = N_('These figures cannot be made')
    message = N_('%(kind)s The calculation says in English: “%(said)s”')
    cure = N_('Correct the input that is named, or choose other options.')


KINDS: Mapping[type[AnalysisError], str] = {
    errors.PopulationTooSmall: N_('A population figure is smaller than the number of answers.'),
    errors.UnknownLevel: N_('A category of the answers has no population figure, or the reverse.'),
    errors.MarginsDisagree: N_('The population figures add up to different totals.'),
    errors.NotConverged: N_('No weights were found that meet all population figures.'),
    errors.InfeasibleBounds: N_('No weights were found that meet all population figures.'),
    errors.EmptyDomain: N_('There is no usable answer for one of the figures.'),
    errors.ConstantColumn: N_('All usable answers to one of the questions are the same.'),
    errors.LonelyPsu: N_('A town has too few answers to calculate an error.'),
    errors.BadWeights: N_('A weight is missing, negative or infinite.'),
    errors.WeightSumFar: N_('The weights add up to something far from the population.'),
}
OTHER_KIND = N_('The sample and the population figures do not fit together.')


@dataclass(frozen=True)
class Options:
    """What a statistician chooses.  Raking is left out only with a reason."""

    level: float = 0.95
    method: str = 'wilson'
    raking: bool = True
    reason: str = ''

    def problems(self) -> list[Problem]:
        """What is wrong with the choice."""
        found = []
        if self.level not in LEVELS:
            text = N_('Choose a confidence level from the list.')
            found.append(Problem('level', 'bad_level', text))
        if self.method not in METHODS:
            text = N_('Choose an interval method from the list.')
            found.append(Problem('method', 'bad_method', text))
        if not self.raking and not self.reason.strip():
            text = N_('Say why the figures are made without raking.')
            cure = N_('The reason is published with the figures.')
            found.append(Problem('reason', 'no_reason', text, cure))
        return found


def estimate(
    session: Session, wave: Wave, options: Options, *, by: int | None, now: datetime
) -> Run:
    """Make a run of a sealed wave and keep it; the first one moves the wave to ``estimated``.

    Raises ProblemsFound for bad options, WaveNotSealed, NothingToEstimate, OutcomesDiffer,
    TownWithoutSample, VillageAlone, MarginWithoutAnswers and CannotEstimate.
    """
    return keep(session, wave, compute(session, wave, options), by=by, now=now)


def keep(
    session: Session, wave: Wave, figures: dict[str, Any], *, by: int | None, now: datetime
) -> Run:
    """Freeze computed figures.  Apart from computing them, so that no writer waits for it."""
    text = canonical(figures)
    run = Run(
        wave_id=wave.id,
        dataset_sha256=figures['dataset']['sha256'],
        version_sha256=wave.version_sha256,
        options=canonical(figures['options']),
        software=', '.join(f'{name} {number}' for name, number in figures['software'].items()),
        figures=text,
        figures_sha256=hashlib.sha256(text.encode()).hexdigest(),
        made_at=now,
        made_by=by,
    )
    session.add(run)
    if wave.state == 'closed':
        wave.state = 'estimated'
    session.flush()
    return run


def compute(session: Session, wave: Wave, options: Options) -> dict[str, Any]:
    """Every figure of a wave, without keeping it; raises what ``estimate`` raises."""
    problems = options.problems()
    if problems:
        raise ProblemsFound(problems)
    sample = dataset.load(session, wave, 'probability')
    try:
        return _figures(session, wave, options, sample)
    except AnalysisError as error:
        kind = Term(KINDS.get(type(error), OTHER_KIND))
        raise CannotEstimate(kind=kind, said=str(error)) from error


def canonical(value: Any) -> str:
    """The one spelling of a value as JSON."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(',', ':'), allow_nan=False
    )


def _figures(session: Session, wave: Wave, options: Options, sample: Dataset) -> dict[str, Any]:
    questionnaire = dataset.questionnaire_of(wave)
    counts, weighted = rates.reconciled(sample, dataset.outcomes(session, wave), wave)
    weighed = weighting.weigh(sample, wave, weighted, raking=options.raking)
    engine = _Engine(wave, sample, weighed, options)
    opened = dataset.load(session, wave, 'open')
    return {
        'format': FORMAT,
        'wave': _wave(session, wave),
        'questionnaire': _questionnaire(wave, questionnaire),
        'options': asdict(options),
        'software': software(),
        'dataset': {
            'sha256': sample.sha256,
            'n': sample.n,
            'open_sha256': opened.sha256,
        },
        'returns': {
            'towns': [{'town': town, **row.as_dict()} for town, row in counts.items()],
            'total': rates.together(counts.values()).as_dict(),
            'weighted': rates.together(weighted.values()).as_dict(),
        },
        'weights': weighed.report,
        'indicators': engine.indicators(questionnaire.indicators),
        'items': engine.items(questionnaire.indicators),
        'open': {'n': opened.n, 'items': measures.open_counts(questionnaire, opened)},
    }


def software() -> dict[str, str]:
    """What computed the figures."""
    return {
        'cixi_survey': config.VERSION,
        'numpy': np.__version__,
        'scipy': scipy.__version__,
    }


class _Engine:
    """Estimates of one weighted sample: what all measures have in common."""

    def __init__(self, wave: Wave, sample: Dataset, weighed: Weighting, options: Options) -> None:
        assert sample.sampling is not None
        self.wave, self.sample, self.options = wave, sample, options
        self.design = weighed.design
        self.towns = weighting.groups_of(sample.sampling.stratum)

    def indicators(self, found: Sequence[Indicator]) -> list[dict[str, Any]]:
        """Each indicator: overall, by town, its target, and what belongs beside it."""
        headlines = [measures.headline(each, self.sample) for each in found]
        beside = [measures.dont_know(each, self.sample) for each in found]
        for each in found:
            beside += measures.other_rules(each, self.sample)
        overall = self._estimates([*headlines, *beside])
        worst = self._estimates(
            [
                measures.worst_case(each, self.sample)
                for each in found
                if each.dont_know_rule == 'out_of_base' and _matters(overall, each)
            ]
        )
        by_town = self._estimates(headlines, by=self.towns)
        return [
            self._indicator(each, headline, overall | worst, by_town[each.name])
            for each, headline in zip(found, headlines, strict=True)
        ]

    def _indicator(
        self,
        indicator: Indicator,
        headline: Measure,
        overall: Mapping[str, list[Estimate]],
        towns: Sequence[Estimate],
    ) -> dict[str, Any]:
        judged = measures.target_of(indicator, self.wave)
        name = indicator.name
        return {
            'name': name,
            'family': indicator.family,
            'scale': indicator.scale,
            'rule': indicator.rule,
            'kind': headline.kind,
            'label': dict(indicator.label),
            'definition': dict(indicator.definition),
            'dont_know_rule': indicator.dont_know_rule,
            'target': asdict(judged) if judged else None,
            'other_targets': _other_targets(indicator, judged),
            'verdict_withheld': _withheld(indicator, judged, self.wave),
            'baseline': _baseline(indicator),
            'total': self._first(overall[name], judged),
            'towns': self._towns(towns, judged),
            'dont_know': self._first(overall[f'{name}.dont_know']),
            'worst_case': self._first(overall.get(f'{name}.worst_case', [])),
            'other_rules': {
                rule: self._first(overall[f'{name}.{rule}'])
                for rule in measures.OTHER_RULES
                if f'{name}.{rule}' in overall
            },
        }

    def items(self, found: Sequence[Indicator]) -> list[dict[str, Any]]:
        """Each item once, under the first indicator that has it."""
        first: dict[str, tuple[Indicator, Measure]] = {}
        for indicator in found:
            for measure in measures.items(indicator, self.sample):
                first.setdefault(measure.name, (indicator, measure))
        listed = [measure for _, measure in first.values()]
        secret = {
            variable.name
            for indicator in found
            for variable in indicator.variables
            if variable.question.secret
        }
        overall, by_town = self._estimates(listed), self._estimates(listed, by=self.towns)
        return [
            {
                'name': name,
                'indicator': indicator.name,
                'family': indicator.family,
                'scale': 'share',
                'kind': measure.kind,
                'label': dict(measure.label),
                **({'secret': True} if name.partition('.')[0] in secret else {}),
                'total': self._first(overall[name]),
                'towns': self._towns(by_town[name]),
            }
            for name, (indicator, measure) in first.items()
        ]

    def _estimates(self, found: Sequence[Measure], by: Any = None) -> dict[str, list[Estimate]]:
        return measures.estimates(
            found, self.design, by=by, level=self.options.level, method=self.options.method
        )

    def _first(
        self, rows: Sequence[Estimate], judged: Judged | None = None
    ) -> dict[str, Any] | None:
        return self._cell(rows[0], judged) if rows else None

    def _towns(
        self, rows: Sequence[Estimate], judged: Judged | None = None
    ) -> list[dict[str, Any]]:
        return [{'town': row.label, **self._cell(row, judged)} for row in rows if row.n]

    def _cell(self, row: Estimate, judged: Judged | None) -> dict[str, Any]:
        return {
            'est': row.est,
            'se': number_or_none(row.se),
            'lci': number_or_none(row.lci),
            'uci': number_or_none(row.uci),
            'df': row.df,
            'n': row.n,
            'missing': row.missing,
            'n_eff': number_or_none(row.n_eff),
            'deff': number_or_none(row.deff_wr),
            'method': row.method,
            'verdict': measures.judge(row, judged, self.options.level),
        }


def _matters(overall: Mapping[str, list[Estimate]], indicator: Indicator) -> bool:
    unsure = overall[f'{indicator.name}.dont_know']
    return bool(unsure) and unsure[0].est > measures.WORST_CASE_FROM


def _other_targets(indicator: Indicator, judged: Judged | None) -> list[dict[str, Any]]:
    """Targets that stand in the plan and are not what this wave is judged against."""
    taken = (judged.basis, judged.from_year) if judged else None
    return [
        {
            'basis': target.basis,
            'value': target.value / 100 if indicator.scale == 'share' else target.value,
            'label': dict(target.label or {}),
            'source': target.source or '',
            'from_year': target.from_year,
        }
        for target in indicator.targets
        if (target.basis, target.from_year) != taken
    ]


def _withheld(indicator: Indicator, judged: Judged | None, wave: Wave) -> str | None:
    """Why there is no verdict: no target at all, none on the basis, or the other scale is bound."""
    if judged is not None:
        return None
    if indicator.family == 'satisfaction' and indicator.scale != wave.satisfaction_scale:
        return 'other_scale'
    return 'other_basis' if indicator.targets else 'no_target'


def _baseline(indicator: Indicator) -> dict[str, Any] | None:
    # The plan's 2017 value is in all likelihood a score; beside a share it would mislead.
    found = indicator.baseline
    if found is None or indicator.scale != 'score':
        return None
    return {'year': found.year, 'value': found.value, 'note': dict(found.note or {})}


def _wave(session: Session, wave: Wave) -> dict[str, Any]:
    frame = session.scalars(sa.select(Frame).where(Frame.wave_id == wave.id)).first()
    draw = session.scalars(sa.select(SampleDraw).where(SampleDraw.wave_id == wave.id)).first()
    first = session.scalars(sa.select(VillageDraw).where(VillageDraw.wave_id == wave.id)).first()
    return {
        'slug': wave.slug,
        'title': wave.title,
        'demonstration': wave.demonstration,
        'year': measures.year_of(wave),
        'opens_at': wave.opens_at.isoformat(),
        'closes_at': wave.ended_at.isoformat(),
        'operator': wave.operator,
        'form_number': wave.form_number,
        'form_authority': wave.form_authority,
        'approval_number': wave.approval_number,
        'approval_valid_until': _date(wave.approval_valid_until),
        'satisfaction_scale': wave.satisfaction_scale,
        'target_basis': wave.target_basis,
        'target_n': wave.target_n,
        'population_source': wave.population_source,
        'towns': [
            {'town': s.town_code, 'name': s.kept_name, 'population': s.population}
            for s in sorted(wave.strata, key=lambda stratum: stratum.town_code)
        ],
        'margins': sorted(
            (
                {
                    'variable': m.variable,
                    'category': m.category,
                    'share': m.share,
                    'source': m.source,
                }
                for m in wave.margins
            ),
            key=lambda m: (m['variable'], m['category']),
        ),
        'frame': None if frame is None else _frame(frame),
        'draw': None if draw is None else _draw(draw),
        **({} if first is None else {'villages': _villages(first)}),
    }


def _date(value: Any) -> str | None:
    return value.isoformat() if value else None


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        'source': frame.source,
        'sha256': frame.sha256,
        'units': frame.units,
        'loaded_at': frame.loaded_at.isoformat(),
    }


def _draw(draw: SampleDraw) -> dict[str, Any]:
    return {
        'seed': draw.seed,
        'allocation': draw.allocation,
        'allocated': dict(draw.allocated),
        'drawn_at': draw.drawn_at.isoformat(),
        'frame_sha256': draw.frame_sha256,
        **({'released': draw.released_replicates} if draw.released else {}),
    }


def _villages(first: VillageDraw) -> dict[str, Any]:
    return {
        'seed': first.seed,
        'drawn_at': first.drawn_at.isoformat(),
        'frame_sha256': first.frame_sha256,
        'towns': [{'town': town, **each} for town, each in sorted(first.towns.items())],  # type: ignore[dict-item]
    }


def _questionnaire(wave: Wave, questionnaire: Questionnaire) -> dict[str, Any]:
    labels = {
        variable.name: {
            'label': dict(variable.label),
            'options': {option.value: dict(option.label) for option in variable.options},
        }
        for variable in questionnaire.variables()
        if any(margin.variable == variable.name for margin in wave.margins)
    }
    return {
        'name': questionnaire.name,
        'title': dict(questionnaire.title),
        'sha256': wave.version_sha256,
        'margins': labels,
    }
