"""How a figure is written: the one function that turns an estimate into words.

Nothing else writes an estimate, and what it writes always has the interval and the n with it:
there is no way to get a bare percentage out of here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from cixi_survey import i18n
from cixi_survey.errors import N_


def _(text: str, **values: object) -> str:
    return str(gettext(text, **values))


VERDICTS = {
    'met': (N_('Met'), 'good'),
    'not_met': (N_('Not met'), 'bad'),
    'undecided': (N_('Undecided'), 'warn'),
}
METHODS = {
    'wilson': N_('Wilson interval with the effective sample size'),
    'korn-graubard': N_('Korn–Graubard interval'),
    'logit': N_('logit interval'),
    't': N_('Student’s t interval, held inside the scale'),
}
BASES = {
    'national': N_('national threshold'),
    'plan': N_('target of the plan’s table 2—3'),
    'chapter8': N_('requirement of the plan’s chapter 8'),
    'province': N_('provincial target'),
    'other': N_('other target'),
}


@dataclass(frozen=True)
class Shown:
    """A figure in words.  ``estimate`` never stands without ``interval`` and ``n``.

    ``range`` is the interval for a table whose head says at which level.

    ``kind`` is the colour of the verdict, ``mark`` its shape in charts, ``bar`` what a drawn
    interval needs, in hundredths of the scale.
    """

    status: str
    estimate: str
    interval: str
    range: str = ''
    n: str = ''
    n_eff: str = ''
    verdict: str = ''
    kind: str = ''
    mark: str = 'none'
    bar: Mapping[str, float | None] | None = None

    @property
    def text(self) -> str:
        """The whole on one line."""
        parts = [self.interval]
        if self.n:
            parts.append(_('n = %(n)s', n=self.n))
        return _(
            '%(estimate)s (%(rest)s)', estimate=self.estimate, rest=i18n.reader().comma.join(parts)
        )


def show(
    figure: Mapping[str, Any] | None, scale: str, level: float, target: float | None = None
) -> Shown:
    """A figure of a result, or of a run, in the reader's words."""
    if figure is None or figure.get('status') == 'suppressed' or figure.get('lci') is None:
        return Shown('suppressed', _('Not shown'), _('too few answers to publish a figure'))
    low, high = figure['lci'], figure['uci']
    verdict = figure.get('verdict')
    word, kind, mark = '', '', 'none'
    if verdict is not None:
        text, kind = VERDICTS[verdict['decision']]
        word, mark = _(text), verdict['decision']
    factor = 100 if scale == 'share' else 1
    return Shown(
        status=figure.get('status', 'shown'),
        estimate=value(figure['est'], scale),
        interval=_(
            '%(level)s interval %(range)s',
            level=i18n.exact_percent(level),
            range=ends(low, high, scale),
        ),
        range=ends(low, high, scale),
        n=count(figure['n']),
        n_eff=count(figure['n_eff']) if figure.get('n_eff') is not None else '',
        verdict=word,
        kind=kind,
        mark=mark,
        bar={
            'est': figure['est'] * factor,
            'lci': low * factor,
            'uci': high * factor,
            'target': None if target is None else target * factor,
        },
    )


def value(number: float, scale: str) -> str:
    """One end of an interval, a target, or (only here) an estimate: ``84.3%``, ``82.4 points``."""
    if scale == 'share':
        return i18n.percent(number)
    return _('%(number)s points', number=i18n.number(number, 1))


def ends(low: float, high: float, scale: str) -> str:
    """Both ends of an interval: ``82.1% to 86.4%``, ``81.0 to 83.7 points``."""
    if scale == 'share':
        return _('%(low)s to %(high)s', low=value(low, scale), high=value(high, scale))
    return _('%(low)s to %(high)s points', low=i18n.number(low, 1), high=i18n.number(high, 1))


def target_value(number: float, scale: str) -> str:
    """A target, which is exact: ``80%``, ``80 points``."""
    if scale == 'share':
        return i18n.exact_percent(number)
    return _('%(number)s points', number=i18n.reader().short(number))


def rate(number: float) -> str:
    """A share of the sampled units, counted and not estimated: response rates, weighted or not."""
    return i18n.percent(number)


def count(number: float) -> str:
    """A number of people: ``1,804``."""
    return i18n.number(number)


def basis(name: str) -> str:
    """A target's ground in words."""
    return _(BASES[name])


def method(name: str) -> str:
    """An interval method in words."""
    return _(METHODS.get(name, name))
