"""From base weights to final weights, every step kept and reported.

Base weight (adults at the unit / inclusion probability) → units of unknown eligibility → eligible
units without answers, both by town → raking to the populations of the towns and to the margins of
the wave.  The first two adjustments multiply all weights of a town by one factor.  Because towns
are among the margins of the raking, its regression residuals sum to zero in every town, and the
factors add nothing to the variance: the design that the estimators see has the raking step alone.
Without raking the factors count as fixed.

Addresses are drawn, but one adult of each answers, so the finite population correction counts
adults: see ``sampled_share``.

Where villages were drawn first, the design has two stages.  Towns are the strata and villages the
units of the first stage, whose correction is that of Hartley and Rao (1962) for unequal chances
(``FirstStage.rate``); inside a village its adults are drawn.  A village that is in every sample
is a stratum of its own, in which the persons carry the variance.

Who gave no usable answer to a raking variable forms a category of its own.  It keeps the share that
it has with the weights before raking; the published shares are applied to the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis import weights as steps
from analysis.columns import Groups
from analysis.design import Design
from analysis.errors import PopulationTooSmall, listed
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Wave
from cixi_survey.questionnaire.indicators import Coded
from cixi_survey.results.dataset import Dataset, Floats, Sampling
from cixi_survey.results.rates import Returns

NOT_KNOWN = 'not_known'
TOWN = 'stratum'
LARGE_FACTOR = 3.0


class TownWithoutSample(Refusal):
    """A stratum has too few answers to be estimated and weighted."""

    code = 'town_without_sample'
    title = N_('These figures cannot be made yet')
    message = N_(
        'At least two complete answers are needed in every town of the wave. Too few came from: '
        '%(towns)s.'
    )
    cure = N_(
        'Make a wave in which these towns are merged with a neighbour or left out of the '
        'population, and say so in its method.'
    )


class VillageAlone(Refusal):
    """A town whose villages were drawn has answers from too few of them."""

    code = 'village_alone'
    title = N_('These figures cannot be made yet')
    message = N_(
        'Villages were drawn first, so their differences make the error. Answers from at least two '
        'drawn villages are needed in every town (where all villages were taken, two from one of '
        'them). Too few came from: %(towns)s.'
    )
    cure = N_(
        'Make a wave in which these towns are merged with a neighbour or left out of the '
        'population, and say so in its method.'
    )


class MarginWithoutAnswers(Refusal):
    """A category of a margin has people but no respondents."""

    code = 'margin_without_answers'
    title = N_('The weights cannot meet the population figures')
    message = N_('Nobody among the respondents belongs to: %(categories)s.')
    cure = N_(
        'The population figures of a closed wave cannot change: make these figures without raking '
        'and give the reason. For the next wave, merge the category with a similar one.'
    )


@dataclass(frozen=True, eq=False)
class Weighting:
    """The weights of each step by row, the design for the estimators, and what was done."""

    base: Floats
    adjusted: Floats
    final: Floats
    design: Design
    margins: Mapping[str, Coded]
    report: dict[str, Any]


def weigh(
    dataset: Dataset, wave: Wave, returns: Mapping[str, Returns], *, raking: bool
) -> Weighting:
    """The weights of the probability stream.

    Raises TownWithoutSample, VillageAlone, MarginWithoutAnswers and PopulationTooSmall.
    """
    sampling = dataset.sampling
    assert sampling is not None, 'the open stream has no weights'
    _refuse_empty_towns(wave, sampling)
    _refuse_lonely_villages(wave, sampling)
    _refuse_small_frames(sampling)
    base = sampling.base_weight
    towns = sampling.stratum.labels
    unknown = np.array([returns[str(town)].unknown_factor for town in towns])
    silent = np.array([returns[str(town)].nonresponse_factor for town in towns])
    spread = base * unknown[sampling.stratum.codes]
    adjusted = spread * silent[sampling.stratum.codes]
    design = design_of(sampling, adjusted)
    report: dict[str, Any] = {
        'steps': [
            _step('base', base),
            _step('unknown_eligibility', spread),
            _step('nonresponse', adjusted),
        ],
        'classes': [
            {'town': str(town), 'unknown_eligibility': float(a), 'nonresponse': float(b)}
            for town, a, b in zip(towns, unknown, silent, strict=True)
        ],
        'raking': None,
    }
    if not raking:
        return Weighting(base, adjusted, adjusted, design, {}, report)
    margins, population, notes = _margins(dataset, wave, sampling, adjusted)
    raked = steps.rake(adjusted, {k: groups_of(v) for k, v in margins.items()}, population)
    report['steps'].append(_step('raking', raked.values))
    report['raking'] = {
        'iterations': raked.report.iterations,
        'misfit': max(raked.report.misfit.values()),
        'factor_min': raked.report.g_min,
        'factor_max': raked.report.g_max,
        'tiny': list(raked.report.tiny),
        'margins': _margin_table(margins, population, adjusted, raked.values),
        'not_known': notes,
    }
    return Weighting(base, adjusted, raked.values, design.calibrated(raked.step), margins, report)


def design_of(sampling: Sampling, weights: Floats) -> Design:
    """The design by which these rows were drawn, in one stage or in two.

    A village or town with one answer where there should be several takes the mean variance of the
    others: leaving it out would claim that it has none.
    """
    towns, first = sampling.stratum, sampling.first
    if first is None:
        return Design(weights, strata=groups_of(towns), rate=sampled_share(towns, weights))
    return Design(
        weights,
        strata=groups_of(towns),
        psu=groups_of(sampling.psu),
        ssu=np.arange(len(weights)),
        rate=rates_of_stages(sampling, weights),
        certainty=first.certain,
        lonely_psu='average',
    )


def rates_of_stages(sampling: Sampling, weights: Floats) -> tuple[Floats, Floats]:
    """By row the share of each stage that was drawn: villages of the town, adults of the village.

    With w·π an adult stands for the adults of his village alone.
    """
    towns, first = sampling.stratum, sampling.first
    assert first is not None, 'one stage has one rate'
    by_town = np.array([first.rate[str(town)] for town in towns.labels])
    return by_town[towns.codes], sampled_share(sampling.psu, weights * first.chance)


def _refuse_small_frames(sampling: Sampling) -> None:
    """A list cannot be shorter than the number of its answers."""
    place = sampling.stratum if sampling.first is None else sampling.psu
    answers = np.bincount(place.codes, minlength=len(place.labels))
    frame = np.full(len(place.labels), np.inf)
    np.minimum.at(frame, place.codes, sampling.frame_count)
    wrong = np.flatnonzero(frame < answers)
    if wrong.size:
        cases = [f'{place.labels[i]} ({frame[i]:g} < {answers[i]})' for i in wrong]
        raise PopulationTooSmall(
            f'The frame of a place is smaller than the number of its answers: {listed(cases)}.',
            'Load the frame from which the sample was drawn.',
        )


def _refuse_lonely_villages(wave: Wave, sampling: Sampling) -> None:
    """Where villages were left to chance, two must have answered; elsewhere one, by two people."""
    first = sampling.first
    if first is None:
        return
    villages = len(sampling.psu.labels)
    answers = np.bincount(sampling.psu.codes, minlength=villages)
    town, certain = np.zeros(villages, dtype=np.intp), np.zeros(villages, dtype=bool)
    town[sampling.psu.codes] = sampling.stratum.codes
    certain[sampling.psu.codes] = first.certain
    alone = []
    for stratum in wave.strata:
        here = town == sampling.stratum.labels.index(stratum.town_code)
        chance = int((here & ~certain).sum())
        left_to_chance = first.drawn.get(stratum.town_code, 0)
        if chance < 2 if left_to_chance else not (here & certain & (answers > 1)).any():
            alone.append(stratum.name)
    if alone:
        raise VillageAlone(towns=alone)


def sampled_share(place: Coded, weights: Floats) -> Floats:
    """By row the share of its place that counts as observed: Σw / Σw² over the answers there.

    An adult with the weight w stands for w adults, so the share 1/w of the variation that he
    brings is known.  Counting addresses instead would claim that the other adults at an address
    were asked too: with three in ten addresses answering, errors would come out a tenth too small.
    Exact where adults of one address answer independently, and cautious where they agree.
    """
    size = len(place.labels)
    linear = np.bincount(place.codes, weights, size)
    square = np.bincount(place.codes, weights**2, size)
    # No adult stands for less than himself, so only the last bit can lie above 1.
    return np.minimum(1.0, linear / square)[place.codes]


def _refuse_empty_towns(wave: Wave, sampling: Sampling) -> None:
    counts = np.bincount(sampling.stratum.codes, minlength=len(sampling.stratum.labels))
    found = dict(zip(sampling.stratum.labels, counts.tolist(), strict=True))
    few = [s.name for s in wave.strata if found.get(s.town_code, 0) < 2]
    if few:
        raise TownWithoutSample(towns=few)


def _margins(
    dataset: Dataset, wave: Wave, sampling: Sampling, adjusted: Floats
) -> tuple[dict[str, Coded], dict[str, dict[str, float]], list[dict[str, Any]]]:
    """Columns and population counts to rake on, and who could not be placed."""
    columns = {TOWN: sampling.stratum}
    population = {TOWN: {s.town_code: float(s.population) for s in wave.strata}}
    total = sum(population[TOWN].values())
    shares: dict[str, dict[str, float]] = {}
    for margin in sorted(wave.margins, key=lambda m: (m.variable, m.category)):
        shares.setdefault(margin.variable, {})[margin.category] = margin.share
    notes = []
    for variable, wanted in shares.items():
        column = _placed(dataset.columns[variable], wanted)
        weight = np.bincount(column.codes, adjusted, len(column.labels))
        lost = float(weight[-1] / weight.sum()) if column.labels[-1] == NOT_KNOWN else 0.0
        whole = sum(wanted.values())
        counts = {name: total * (1 - lost) * share / whole for name, share in wanted.items()}
        if lost:
            counts[NOT_KNOWN] = total * lost
            number = int((column.codes == len(column.labels) - 1).sum())
            notes.append({'variable': variable, 'n': number, 'share': lost})
        columns[variable], population[variable] = column, counts
    _refuse_empty_categories(columns, population)
    return columns, population, notes


def _placed(column: Coded, wanted: Mapping[str, float]) -> Coded:
    """The column with every value that has no population figure in one category at the end."""
    names = sorted(wanted)
    position = {name: i for i, name in enumerate(names)}
    lookup = np.array([position.get(str(label), len(names)) for label in column.labels])
    codes = lookup[column.codes] if len(lookup) else column.codes
    labels = (*names, NOT_KNOWN) if (codes == len(names)).any() else tuple(names)
    return Coded(codes, labels)


def _refuse_empty_categories(
    columns: Mapping[str, Coded], population: Mapping[str, Mapping[str, float]]
) -> None:
    empty = []
    for variable, column in columns.items():
        seen = {str(column.labels[code]) for code in np.unique(column.codes)}
        empty += [f'{variable} = {name}' for name in population[variable] if name not in seen]
    if empty:
        raise MarginWithoutAnswers(categories='; '.join(empty))


def _margin_table(
    columns: Mapping[str, Coded],
    population: Mapping[str, Mapping[str, float]],
    before: Floats,
    after: Floats,
) -> list[dict[str, Any]]:
    rows = []
    for variable, column in columns.items():
        size = len(column.labels)
        counts = np.bincount(column.codes, minlength=size)
        was, now = (np.bincount(column.codes, w, size) for w in (before, after))
        rows += [
            {
                'variable': variable,
                'category': str(label),
                'population': population[variable][str(label)],
                'n': int(counts[i]),
                'before': float(was[i]),
                'after': float(now[i]),
            }
            for i, label in enumerate(column.labels)
        ]
    return rows


def _step(name: str, values: Floats) -> dict[str, Any]:
    effect = steps.kish(values)
    return {
        'name': name,
        'total': float(values.sum()),
        'min': float(values.min()),
        'max': float(values.max()),
        'kish': effect,
        'n_eff': len(values) / effect,
    }


def groups_of(column: Coded) -> Groups:
    """A coded column as the analysis package takes it."""
    return Groups(column.codes, tuple(str(label) for label in column.labels))
