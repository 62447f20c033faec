"""From a published result to what the templates show.  Takes a PublicResult and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext
from markupsafe import Markup, escape

from cixi_survey import i18n, places
from cixi_survey.errors import N_
from cixi_survey.results import charts, figures
from cixi_survey.results.charts import TownChart
from cixi_survey.results.disclosure import PublicResult
from cixi_survey.results.figures import Shown

WITHHELD = {
    'other_scale': N_(
        'No verdict: for this wave the rule is bound to the other scale of satisfaction, and the '
        'two are never mixed.'
    ),
    'other_basis': N_('No verdict: this wave is judged against another kind of target.'),
    'no_target': N_('No target is set for this figure.'),
}
STEPS = {
    'base': N_('base weights (adults at the address / probability of being drawn)'),
    'unknown_eligibility': N_('spread over addresses of which nothing is known, by town'),
    'nonresponse': N_('adjusted for people who did not answer, by town'),
    'raking': N_('raked to the population figures'),
}
OTHER_RULES = {
    'breadth': N_('Share of the questions to which people gave any answer, right or wrong'),
    'passed': N_('Share of people with at least 80 of 100 right'),
}
VARIANCE = N_(
    'Confidence level %(level)s; shares: %(method)s; scores and homes: %(other)s. Variance by '
    'linearisation with strata, finite population correction by town (the share of its adults '
    'who answered) and the residuals of the raking.'
)
VARIANCE_OF_TWO_STAGES = N_(
    'Confidence level %(level)s; shares: %(method)s; scores and homes: %(other)s. Variance by '
    'linearisation in two stages, villages and adults in them, with the finite population '
    'correction of both (a village taken for certain is a stratum of its own) and the residuals '
    'of the raking.'
)
ALLOCATIONS = {
    'proportional': N_('proportional to the population'),
    'equal': N_('the same number in every town'),
    'power': N_('by population, with more than their share for small towns'),
    'two_stage': N_('the numbers of persons that were fixed for the villages'),
}


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


Group = tuple[str | Markup, tuple[tuple[str | Markup, Shown], ...]]


@dataclass(frozen=True)
class Card:
    """One indicator for the city."""

    name: str
    label: str | Markup
    definition: str | Markup
    shown: Shown
    judged: str | Markup
    withheld: str
    others: tuple[str, ...]
    baseline: str
    baseline_note: str | Markup
    worst: str
    beside: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Towns:
    """One indicator by town: the chart and the table behind it."""

    name: str
    label: str | Markup
    judged: bool
    chart: TownChart
    false_verdicts: str


@dataclass(frozen=True)
class Page:
    """Everything on the page of a result."""

    content: Mapping[str, Any]
    title: Mapping[str, str]
    goals: tuple[Card, ...]
    others: tuple[Card, ...]
    towns: tuple[Towns, ...]
    items: tuple[Group, ...]
    answered: str
    response: str
    returns: tuple[tuple[str | Markup, tuple[str, ...]], ...]
    open_items: tuple[Mapping[str, Any], ...]
    method: tuple[tuple[str, str], ...]


def page(result: PublicResult) -> Page:
    """The page of a result in the reader's language."""
    content = result.content
    level = float(content['options']['level'])
    names = {
        town['town']: places.town(town['town'], town['name']) for town in content['wave']['towns']
    }
    cards = {each['name']: _card(each, level) for each in content['indicators']}
    goals = [each for each in content['indicators'] if each['target']]
    others = [each for each in content['indicators'] if not each['target']]
    total = content['returns']['total']
    return Page(
        content=content,
        title=content['wave']['title'],
        goals=tuple(cards[each['name']] for each in goals),
        others=tuple(cards[each['name']] for each in others),
        towns=tuple(_towns(each, names, level) for each in [*goals, *others]),
        items=_items(content, level),
        answered=figures.count(total['complete']),
        response=figures.rate(total['rr3']),
        returns=_returns(content['returns'], names),
        open_items=_open_items(content),
        method=_method(content),
    )


def _card(indicator: Mapping[str, Any], level: float) -> Card:
    scale, target = indicator['scale'], indicator['target']
    withheld = WITHHELD.get(indicator['verdict_withheld'], '')
    shown = figures.show(
        indicator['total'], scale, level, None if target is None else target['value']
    )
    baseline = indicator['baseline']
    return Card(
        name=indicator['name'],
        label=i18n.marked(indicator['label']),
        definition=i18n.marked(indicator['definition']),
        shown=shown,
        judged='' if target is None else _target(target, scale),
        withheld=_(withheld) if withheld and not target else '',
        others=tuple(_target(other, scale) for other in indicator['other_targets']),
        baseline=_baseline(baseline),
        baseline_note=i18n.marked(baseline['note']) if baseline and baseline['note'] else '',
        worst=_worst(indicator, level),
        beside=_beside(indicator, level),
    )


def _target(target: Mapping[str, Any], scale: str) -> Markup:
    """``80%: Plan target for 2021 (plan, table 2—3 …)``: which target, and where it stands."""
    named = i18n.marked(target['label']) if target['label'] else figures.basis(target['basis'])
    said = escape(_('target %(value)s: %(name)s; source: %(source)s'))
    return said % {
        'value': figures.target_value(target['value'], scale),
        'name': named,
        'source': _source(target['source']),
    }


def _source(given: str | None) -> str | Markup:
    """Where a figure comes from, in the one language in which its author wrote that."""
    if not given:
        return _('not given')
    chinese = any('\u4e00' <= character <= '\u9fff' for character in given)
    return i18n.marked({'zh': given}) if chinese else given


def _baseline(baseline: Mapping[str, Any] | None) -> str:
    if baseline is None:
        return ''
    return _(
        '%(year)s: %(value)s points, without any interval or number of people',
        year=baseline['year'],
        value=i18n.reader().short(baseline['value']),
    )


def _worst(indicator: Mapping[str, Any], level: float) -> str:
    """What many unsure people could change: beside the figure itself, not folded away."""
    if indicator['worst_case'] is None:
        return ''
    return _(
        'Many did not know. If all of them had answered in the worst way: %(figure)s',
        figure=figures.show(indicator['worst_case'], indicator['scale'], level).text,
    )


def _beside(indicator: Mapping[str, Any], level: float) -> tuple[tuple[str, str], ...]:
    rows = []
    unsure = indicator['dont_know']
    if unsure is not None:
        counted = {
            'wrong': N_('“Don’t know” among the answers, counted as not right'),
            'out_of_base': N_('Answers left out of the base, such as “hard to say”'),
        }[indicator['dont_know_rule']]
        rows.append((_(counted), figures.show(unsure, 'share', level).text))
    for name, figure in sorted(indicator['other_rules'].items()):
        rows.append((_(OTHER_RULES[name]), figures.show(figure, 'share', level).text))
    return tuple(rows)


def _towns(
    indicator: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], level: float
) -> Towns:
    chart = charts.town_chart(indicator, names, level)
    judged = indicator['target'] is not None
    wrong = len(chart.marks) * (1 - level)
    return Towns(
        name=indicator['name'],
        label=i18n.marked(indicator['label']),
        judged=judged,
        chart=chart,
        false_verdicts=i18n.number(wrong, 1) if judged else '',
    )


def _items(content: Mapping[str, Any], level: float) -> tuple[Group, ...]:
    groups = []
    for indicator in content['indicators']:
        rows = [item for item in content['items'] if item['indicator'] == indicator['name']]
        if not rows:
            continue
        rows.sort(key=lambda item: -item['total'].get('est', -1.0))
        shown = tuple(
            (i18n.marked(item['label']), figures.show(item['total'], item['scale'], level))
            for item in rows
        )
        groups.append((i18n.marked(indicator['label']), shown))
    return tuple(groups)


def _returns(
    returns: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[str | Markup, tuple[str, ...]], ...]:
    rows: list[tuple[str | Markup, tuple[str, ...]]] = []
    for row in returns['towns']:
        name = i18n.marked(names[row['town']])
        rows.append((name, () if row['status'] == 'suppressed' else _outcomes(row)))
    rows.append((_('All towns'), _outcomes(returns['total'])))
    return tuple(rows)


def _outcomes(row: Mapping[str, Any]) -> tuple[str, ...]:
    counted = ('invited', 'complete', 'withdrawn', 'refusal', 'ineligible', 'unknown')
    return (
        *(figures.count(row[name]) for name in counted),
        figures.rate(row['rr1']),
        figures.rate(row['rr3']),
    )


def _open_items(content: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """What the open stream said on the questions of the indicators (not on who they are)."""
    wanted = {item['name'].partition('.')[0] for item in content['items']}
    single = ('sat_', 'overall')
    return tuple(
        item
        for item in content['open']['items']
        if item['name'] in wanted or item['name'].startswith(single)
    )


def _moment(text: str) -> str:
    return i18n.moment(datetime.fromisoformat(text))


def _method(content: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """How it was measured: what the law asks for, and what one needs to repeat it."""
    return (
        *_who(content['wave']),
        *_sample(content),
        *_computation(content),
        *_identity(content),
    )


def _who(wave: Mapping[str, Any]) -> list[tuple[str, str]]:
    approval = _(
        'form %(form)s, issued by %(authority)s, approval or filing %(number)s, valid until '
        '%(until)s',
        form=wave['form_number'],
        authority=wave['form_authority'],
        number=wave['approval_number'],
        until=i18n.day(date.fromisoformat(wave['approval_valid_until'])),
    )
    population = _(
        'Adults (18 and over) who have lived for at least 6 of the last 12 months in one of the '
        '%(towns)s towns and subdistricts; %(people)s people. Source of the figures: %(source)s',
        towns=len(wave['towns']),
        people=figures.count(sum(town['population'] for town in wave['towns'])),
        source=wave['population_source'] or _('not given'),
    )
    return [
        (_('Approval'), approval),
        (_('Carried out by'), wave['operator']),
        (_('Population'), population),
        (
            _('Fieldwork'),
            _(
                '%(start)s to %(end)s, Beijing time',
                start=_moment(wave['opens_at']),
                end=_moment(wave['closes_at']),
            ),
        ),
    ]


def _sample(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    wave, returns = content['wave'], content['returns']
    rows = []
    if wave['frame'] is not None:
        text = _(
            '%(units)s addresses; source: %(source)s; loaded %(date)s; SHA-256 %(hash)s',
            units=figures.count(wave['frame']['units']),
            source=wave['frame']['source'],
            date=_moment(wave['frame']['loaded_at']),
            hash=wave['frame']['sha256'][:16],
        )
        rows.append((_('Sampling frame'), text))
    design = _design(wave)
    if wave['draw'] is not None:
        allocation = ALLOCATIONS.get(wave['draw']['allocation'], wave['draw']['allocation'])
        design += i18n.reader().sentence_joiner + _(
            'Drawn %(date)s with the seed %(seed)s; allocation: %(allocation)s.',
            date=_moment(wave['draw']['drawn_at']),
            seed=wave['draw']['seed'],
            allocation=_(allocation),
        )
        if wave['draw'].get('released'):
            design += i18n.reader().sentence_joiner + _(
                'Replicates of the reserve that were added whole by a rule set before: %(count)s.',
                count=figures.count(wave['draw']['released']),
            )
    rows.append((_('Sample'), design))
    rows.append((_('Way of asking'), _('Questionnaire on the web, opened by a code in a letter.')))
    total, weighted = returns['total'], returns['weighted']
    rows.append(
        (
            _('Response'),
            _(
                '%(n)s of %(invited)s. Response rates (AAPOR): RR1 %(rr1)s, RR3 %(rr3)s with '
                'e = %(e)s; weighted by base weight RR1 %(wrr1)s, RR3 %(wrr3)s. e is the eligible '
                'share of the addresses of which it is known; withdrawn answers count as refusals.',
                n=figures.count(total['complete']),
                invited=figures.count(total['invited']),
                rr1=figures.rate(total['rr1']),
                rr3=figures.rate(total['rr3']),
                e=i18n.number(total['e'], 3),
                wrr1=figures.rate(weighted['rr1']),
                wrr3=figures.rate(weighted['rr3']),
            ),
        )
    )
    return rows


def _design(wave: Mapping[str, Any]) -> str:
    """How the sample was drawn, in one stage or in two."""
    first = wave.get('villages')
    if first is None:
        return _('Towns are the strata; in each, addresses are drawn by chance; one adult answers.')
    return _(
        'Towns are the strata. In each, villages and communities are drawn with chances '
        'proportional to their adults (%(villages)s of %(of)s; %(certain)s of them for certain), '
        'on %(date)s with the seed %(seed)s; then persons or addresses in the drawn villages; one '
        'adult of each answers.',
        villages=figures.count(sum(town['villages'] for town in first['towns'])),
        of=figures.count(sum(town['of'] for town in first['towns'])),
        certain=figures.count(sum(town['certain'] for town in first['towns'])),
        date=_moment(first['drawn_at']),
        seed=first['seed'],
    )


def _computation(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    options, rule = content['options'], content['rule']
    staged = content['wave'].get('villages') is not None
    variance = VARIANCE_OF_TWO_STAGES if staged else VARIANCE
    interval = _(
        variance,
        level=i18n.exact_percent(options['level']),
        method=figures.method(options['method']),
        other=figures.method('t'),
    )
    effective = _(
        'How many people a simple random sample would need to be as precise. Unequal weights make '
        'it smaller than n. It is larger than n where the population figures used in weighting '
        'tell much about the answers, where a large part of a town answered, or where a figure is '
        'about homes, which were drawn as such.'
    )
    verdict = _(
        'Met when the lower one-sided bound lies above the target, not met when the upper one lies '
        'below it, else undecided; each at %(level)s. Which target and which scale apply was fixed '
        'before fieldwork.',
        level=i18n.exact_percent(options['level']),
    )
    disclosure = _(
        'A town is shown with at least %(shown)s answers, an effective number of %(effective)s and '
        'an interval no wider than %(width)s of the scale; with %(few)s to %(most)s answers it is '
        'marked as indicative; otherwise it is withheld, with others where it could be worked out. '
        'Numbers of the open link are rounded to %(step)s.',
        shown=rule['shown_from'],
        effective=rule['effective_from'],
        width=i18n.reader().short(rule['widest']),
        few=rule['indicative_from'],
        most=rule['shown_from'] - 1,
        step=rule['rounded_to'],
    )
    return [
        (_('Weights'), _weights(content)),
        (_('Intervals'), interval),
        (_('Effective n'), effective),
        (_('Verdicts'), verdict),
        (_('What is withheld'), disclosure),
    ]


def _weights(content: Mapping[str, Any]) -> str:
    weights = content['weights']
    last = weights['steps'][-1]
    names = [STEPS[step['name']] for step in weights['steps']]
    steps = i18n.reader().semicolon.join(_(name) for name in names)
    text = _(
        '%(steps)s. Smallest %(low)s, largest %(high)s, design effect of the weights (Kish) '
        '%(kish)s.',
        steps=steps,
        low=i18n.number(last['min'], 1),
        high=i18n.number(last['max'], 1),
        kish=i18n.number(last['kish'], 2),
    )
    if weights['raking'] is None:
        return (
            text
            + i18n.reader().sentence_joiner
            + _('Not raked, because: %(reason)s', reason=content['options']['reason'])
        )
    return text + i18n.reader().sentence_joiner + _raking(content)


def _raking(content: Mapping[str, Any]) -> str:
    raking = content['weights']['raking']
    joiner = i18n.reader().sentence_joiner
    sources = sorted({margin['source'] for margin in content['wave']['margins']})
    labels = content['questionnaire']['margins']
    variables = [_('town')] + [i18n.localised(labels[name]['label']) for name in sorted(labels)]
    text = _(
        'Raked on: %(variables)s; largest misfit %(misfit)s after %(rounds)s rounds.',
        variables=' / '.join(variables),
        misfit=f'{raking["misfit"]:.0e}',
        rounds=raking['iterations'],
    )
    if sources:
        text += joiner + _('Sources: %(sources)s.', sources=i18n.reader().semicolon.join(sources))
    if raking['not_known']:
        text += joiner + _(
            'Who gave no answer to one of these keeps the share that the group had before raking.'
        )
    return text


def _identity(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    questionnaire = _(
        '%(title)s, version %(hash)s',
        title=i18n.localised(content['questionnaire']['title']),
        hash=content['questionnaire']['sha256'][:16],
    )
    computed = _(
        'run %(run)s from data %(data)s with %(software)s',
        run=content['run_sha256'][:16],
        data=content['dataset']['sha256'][:16],
        software=', '.join(f'{name} {number}' for name, number in content['software'].items()),
    )
    return [(_('Questionnaire'), questionnaire), (_('Computation'), computed)]
