"""What the public may see: one function that every public output passes.

A town's figure is shown with n ≥ 50, n_eff ≥ 30 and an interval no wider than 0.30 of its scale;
marked 参考 (indicative) with n from 30 to 49 and the rest alike; otherwise it is suppressed, with
everything from which it could be worked out.

The city's figure is the sum of the towns', each times its known population, so a single
suppressed town could be had by subtraction, and two nearly so where both lie at an end of the
scale.  Therefore further towns are suppressed, those with the fewest answers first, until what is
left open about every town that is suppressed for itself spans at least ``ROOM`` of the scale.

Knowledge is the mean of its items, so an item that hides other towns than its indicator does
could be worked out from the rest.  All figures of a family therefore hide the same towns, and the
order in which towns are added is one for the whole result and for its revisions.  No count of a
suppressed cell leaves here: neither n nor its returns, and the returns of towns follow the same
rule as their figures.  Numbers of answers by the open link are rounded to 5, with the total.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

FORMAT = 1
SHOWN_FROM = 50
INDICATIVE_FROM = 30
EFFECTIVE_FROM = 30
WIDEST = 0.30
ROOM = 0.10
ROUNDED_TO = 5
OPEN_FROM = 30

SHOWN, INDICATIVE, SUPPRESSED = 'shown', 'indicative', 'suppressed'
# Stands in place of the wording of a knowledge item that is asked again in later waves.
SECRET = {'zh': '以后还要问的题（题目保密）', 'en': 'a question kept secret for later surveys'}
PUBLIC_FIGURES = ('est', 'se', 'lci', 'uci', 'df', 'n', 'n_eff', 'deff', 'method', 'verdict')
RETURNS = (
    'invited',
    'complete',
    'withdrawn',
    'refusal',
    'ineligible',
    'unknown',
    'e',
    'rr1',
    'rr3',
    'refusal_rate',
)


@dataclass(frozen=True)
class PublicResult:
    """What may be published of a run, as one canonical JSON text.  Made by ``release`` alone."""

    text: str

    @cached_property
    def content(self) -> dict[str, Any]:
        """The text, read."""
        content: dict[str, Any] = json.loads(self.text)
        return content

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def release(figures: Mapping[str, Any], *, run_sha256: str) -> PublicResult:
    """The public part of the figures of a run."""
    populations = {town['town']: float(town['population']) for town in figures['wave']['towns']}
    hidden = _hidden_by_family(figures, populations)
    content = {
        'format': FORMAT,
        'demonstration': figures['wave']['demonstration'],
        'wave': figures['wave'],
        'questionnaire': figures['questionnaire'],
        'options': figures['options'],
        'software': figures['software'],
        'dataset': figures['dataset'],
        'run_sha256': run_sha256,
        'rule': {
            'shown_from': SHOWN_FROM,
            'indicative_from': INDICATIVE_FROM,
            'effective_from': EFFECTIVE_FROM,
            'widest': WIDEST,
            'room': ROOM,
            'rounded_to': ROUNDED_TO,
        },
        'returns': _returns(figures['returns'], populations),
        'weights': _weights(figures['weights'], figures['returns'], populations),
        'indicators': [_indicator(each, populations, hidden) for each in figures['indicators']],
        'items': [_item(each, populations, hidden) for each in figures['items']],
        'open': _open(figures['open']),
    }
    text = json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(',', ':'), allow_nan=False
    )
    return PublicResult(text)


def status(figure: Mapping[str, Any] | None, scale: str) -> str:
    """How a figure may be shown by itself."""
    if figure is None or figure['lci'] is None or figure['n_eff'] is None:
        return SUPPRESSED
    width = (figure['uci'] - figure['lci']) / (1 if scale == 'share' else 100)
    if figure['n'] < INDICATIVE_FROM or figure['n_eff'] < EFFECTIVE_FROM or width > WIDEST + 1e-12:
        return SUPPRESSED
    return SHOWN if figure['n'] >= SHOWN_FROM else INDICATIVE


def _figure(figure: Mapping[str, Any] | None, scale: str) -> dict[str, Any]:
    """A figure of the whole city under the rule."""
    found = status(figure, scale)
    if figure is None or found == SUPPRESSED:
        return {'status': SUPPRESSED}
    return {'status': found, **{name: figure[name] for name in PUBLIC_FIGURES}}


def towns(
    rows: Sequence[Mapping[str, Any]],
    populations: Mapping[str, float],
    *,
    scale: str,
    hidden: Set[str],
) -> list[dict[str, Any]]:
    """Every town with its figure, or suppressed; in the order of ``populations``.

    ``hidden`` towns are suppressed beside those that are too small themselves.
    """
    by_town = {row['town']: row for row in rows}
    public = []
    for town in populations:
        state = SUPPRESSED if town in hidden else status(by_town.get(town), scale)
        row: dict[str, Any] = {'town': town, 'status': state}
        if state != SUPPRESSED:
            row |= {name: by_town[town][name] for name in PUBLIC_FIGURES}
        public.append(row)
    return public


def to_hide(
    rows: Sequence[Mapping[str, Any]],
    populations: Mapping[str, float],
    *,
    scale: str,
    order: Sequence[str],
) -> set[str]:
    """The towns to suppress beside a shown figure of the city.

    Those too small themselves, and of the others as many as protect them, the first of ``order``
    first.
    """
    by_town = {row['town']: row for row in rows}
    small = [town for town in populations if status(by_town.get(town), scale) == SUPPRESSED]
    hidden = list(small)
    spare = [town for town in order if town not in small]
    top = 1.0 if scale == 'share' else 100.0
    while spare and not _protected(small, hidden, by_town, populations, top):
        hidden.append(spare.pop(0))
    return set(hidden)


def _hidden_by_family(
    figures: Mapping[str, Any], populations: Mapping[str, float]
) -> dict[str, set[str]]:
    """For each family of indicators the towns that all its figures and items hide."""
    complete = {row['town']: row['complete'] for row in figures['returns']['towns']}
    order = sorted(populations, key=lambda town: (complete.get(town, 0), town))
    found: dict[str, set[str]] = {}
    for each in (*figures['indicators'], *figures['items']):
        hidden = found.setdefault(each['family'], set())
        if status(each['total'], each['scale']) != SUPPRESSED:
            hidden |= to_hide(each['towns'], populations, scale=each['scale'], order=order)
    return found


def _protected(
    small: Sequence[str],
    hidden: Sequence[str],
    by_town: Mapping[str, Mapping[str, Any]],
    populations: Mapping[str, float],
    top: float,
) -> bool:
    """Whether every small town keeps ``ROOM`` of the scale, given the sum over the hidden ones."""
    sizes = {town: populations[town] for town in hidden}
    value = {town: float(by_town[town]['est']) if town in by_town else 0.0 for town in hidden}
    known = sum(sizes[town] * value[town] for town in hidden)
    everything = sum(sizes.values()) * top
    for town in small:
        others = everything - sizes[town] * top
        low = max(0.0, (known - others) / sizes[town])
        high = min(top, known / sizes[town])
        if high - low < ROOM * top:
            return False
    return True


def _indicator(
    figures: Mapping[str, Any], populations: Mapping[str, float], hidden: Mapping[str, Set[str]]
) -> dict[str, Any]:
    scale = figures['scale']
    total = _figure(figures['total'], scale)
    kept = (
        'name',
        'family',
        'scale',
        'rule',
        'kind',
        'label',
        'definition',
        'dont_know_rule',
        'target',
        'other_targets',
        'verdict_withheld',
        'baseline',
    )
    return {
        **{name: figures[name] for name in kept},
        'total': total,
        'towns': towns(
            figures['towns'], populations, scale=scale, hidden=hidden[figures['family']]
        ),
        'dont_know': _beside(figures['dont_know'], 'share'),
        'worst_case': _beside(figures['worst_case'], scale),
        'other_rules': {
            name: _figure(figure, 'share') for name, figure in figures['other_rules'].items()
        },
    }


def _beside(figure: Mapping[str, Any] | None, scale: str) -> dict[str, Any] | None:
    return None if figure is None else _figure(figure, scale)


def _item(
    figures: Mapping[str, Any], populations: Mapping[str, float], hidden: Mapping[str, Set[str]]
) -> dict[str, Any]:
    total = _figure(figures['total'], figures['scale'])
    return {
        **{name: figures[name] for name in ('name', 'indicator', 'family', 'scale')},
        'label': SECRET if figures.get('secret') else figures['label'],
        'total': total,
        'towns': towns(
            figures['towns'],
            populations,
            scale=figures['scale'],
            hidden=hidden[figures['family']],
        ),
    }


def _hidden_returns(returns: Mapping[str, Any], populations: Mapping[str, float]) -> set[str]:
    """Towns whose returns stay unsaid: few answers, and one more where it would be alone."""
    complete = {row['town']: row['complete'] for row in returns['towns']}
    hidden = {town for town in populations if complete.get(town, 0) < INDICATIVE_FROM}
    if len(hidden) == 1 and len(populations) > 1:
        others = [town for town in populations if town not in hidden]
        hidden.add(min(others, key=lambda town: (complete[town], town)))
    return hidden


def _returns(returns: Mapping[str, Any], populations: Mapping[str, float]) -> dict[str, Any]:
    hidden = _hidden_returns(returns, populations)
    rows = []
    for row in returns['towns']:
        if row['town'] in hidden:
            rows.append({'town': row['town'], 'status': SUPPRESSED})
        else:
            rows.append(
                {'town': row['town'], 'status': SHOWN, **{name: row[name] for name in RETURNS}}
            )
    rates = ('e', 'rr1', 'rr3', 'refusal_rate')
    return {
        'towns': rows,
        'total': {name: returns['total'][name] for name in RETURNS},
        'weighted': {name: returns['weighted'][name] for name in rates},
    }


def _weights(
    weights: Mapping[str, Any], returns: Mapping[str, Any], populations: Mapping[str, float]
) -> dict[str, Any]:
    """The steps in all; factors and counts by town only where the returns are shown."""
    hidden = _hidden_returns(returns, populations)
    raking = weights['raking']
    public: dict[str, Any] = {
        'steps': weights['steps'],
        'classes': [row for row in weights['classes'] if row['town'] not in hidden],
        'raking': None,
    }
    if raking is not None:
        kept = ('iterations', 'misfit', 'factor_min', 'factor_max')
        public['raking'] = {
            **{name: raking[name] for name in kept},
            'margins': [
                {name: row[name] for name in ('variable', 'category', 'population')}
                for row in raking['margins']
            ],
            'not_known': [
                {'variable': row['variable'], 'share': round(row['share'], 3)}
                for row in raking['not_known']
            ],
        }
    return public


def rounded(count: int) -> int:
    """A free count, to the nearest 5."""
    return ROUNDED_TO * ((count + ROUNDED_TO // 2) // ROUNDED_TO)


def _open(opened: Mapping[str, Any]) -> dict[str, Any]:
    """Counts of the open stream to the nearest 5, and shares of exactly these; no estimate."""
    if opened['n'] < OPEN_FROM:
        return {'status': SUPPRESSED, 'n': None, 'items': []}
    items = []
    for item in opened['items']:
        base = rounded(item['n'])
        if item['n'] < OPEN_FROM:
            continue
        items.append(
            {
                'name': item['name'],
                'label': item['label'],
                'several': item['several'],
                'n': base,
                'options': [
                    {
                        'value': option['value'],
                        'label': option['label'],
                        'count': rounded(option['count']),
                        'share': round(100 * rounded(option['count']) / base),
                    }
                    for option in item['options']
                ],
            }
        )
    return {'status': SHOWN, 'n': rounded(opened['n']), 'items': items}
