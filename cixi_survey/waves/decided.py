"""What was decided about a wave, in words: beside what was decided about the wave before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from cixi_survey import i18n, versions
from cixi_survey.errors import N_
from cixi_survey.models import Wave
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.model import Questionnaire
from cixi_survey.waves import approval

LEGAL_BASIS_WORDS = {
    '': '–',
    'consent': N_('consent: withdrawn answers are deleted'),
    'statutory': N_('the statistics law: withdrawn answers are locked away'),
}
SCALE_WORDS = {
    'share': N_('the share of satisfied residents (in per cent)'),
    'score': N_('the score from 0 to 100'),
}
TARGET_WORDS = {
    'national': N_('the national threshold'),
    'plan': N_('the target of the plan for the year'),
    'chapter8': N_('chapter 8 of the plan'),
}
NOTHING = '–'


@dataclass(frozen=True)
class Row:
    """One thing that was decided, now and in the wave before; ``different`` from it or not."""

    name: str
    now: str | Markup
    before: str | Markup
    different: bool


def beside(session: Session, wave: Wave, before: Wave | None) -> list[Row]:
    """All that opening ``wave`` would fix, each beside what it was in the wave ``before``."""
    now = approval.content(session, wave)
    then = approval.content(session, before) if before else {}
    rows = []
    for name, label in approval.NAMES.items():
        here, there = (_shown(session, name, one) for one in (now, then))
        rows.append(Row(label, here, there, different=before is not None and here != there))
    return rows


def _shown(session: Session, name: str, content: Mapping[str, Any]) -> str | Markup:
    value = content.get(name)
    if value in (None, '', [], {}):
        return NOTHING
    if name == 'margins':
        version = versions.find(session, content['version_sha256'])
        names = dict.fromkeys(variable for variable, _category, _share in value)
        return margins(definition.from_canonical(version.definition), names)
    form = _FORMATS.get(name)
    return str(value) if form is None else form(session, value)


def _questionnaire(session: Session, sha256: str) -> str | Markup:
    found = definition.from_canonical(versions.find(session, sha256).definition)
    return Markup('{} <code>{}</code>').format(i18n.marked(found.title), sha256[:12])


def _populations(_session: Session, towns: Mapping[str, int]) -> str:
    adults = i18n.number(sum(towns.values()))
    return str(_('%(adults)s adults in %(towns)s towns', adults=adults, towns=len(towns)))


def margins(questionnaire: Questionnaire, names: Iterable[str]) -> str | Markup:
    """The questions to whose answers a wave is weighted, by their wording; others by their code."""
    known = {each.name: each.label for each in questionnaire.variables()}
    return i18n.listed(
        i18n.marked(known[name]) if name in known else Markup('<code>{}</code>').format(name)
        for name in names
    )


def _frame(_session: Session, frame: tuple[str, str, str]) -> str:
    sha256, filename, source = frame
    return f'{filename} ({sha256[:12]}): {source}'


def _villages(_session: Session, first: list[Any]) -> str:
    _frame_sha256, seed, towns = first
    count = i18n.number(sum(town['villages'] for town in towns.values()))
    return str(_('%(count)s villages and communities, seed %(seed)s', count=count, seed=seed))


def _sample(_session: Session, sample: list[Any]) -> str:
    _frame_sha256, _sample_sha256, seed, *_rest, units = sample
    return str(_('%(units)s units, seed %(seed)s', units=i18n.number(units), seed=seed))


def rule(kept: Mapping[str, Any] | None) -> str:
    """The rule of a reserve, as it is stored with the draw, as a sentence; empty without one."""
    if not kept:
        return ''
    return str(
        _(
            '%(count)s replicates of %(share)s per cent each; from %(day)s on, with fewer than '
            '%(below)s complete answers',
            count=kept['replicates'],
            share=kept['share'],
            day=i18n.day(date.fromisoformat(kept['from_day'])),
            below=i18n.number(kept['below']),
        )
    )


def _offers(_session: Session, offers: list[Any]) -> str:
    _news, prizes, *_rest = offers
    draw = _('A prize draw with %(count)s prizes', count=prizes)
    return str(draw if prizes else _('Word of the results'))


def _words(words: Mapping[str, str]) -> Callable[[Session, str], str]:
    return lambda _session, value: str(_(words[value]))


_FORMATS: Mapping[str, Callable[[Session, Any], str | Markup]] = {
    'title_zh': lambda _session, title: i18n.marked({'zh': title}),
    'title_en': lambda _session, title: i18n.marked({'en': title}),
    'version_sha256': _questionnaire,
    'opens_at': lambda _session, moment: i18n.moment(datetime.fromisoformat(moment)),
    'closes_at': lambda _session, moment: i18n.moment(datetime.fromisoformat(moment)),
    'target_n': lambda _session, count: i18n.number(count),
    'approval_valid_until': lambda _session, day: i18n.day(date.fromisoformat(day)),
    'legal_basis': _words(LEGAL_BASIS_WORDS),
    'retention_years': lambda _session, years: str(_('%(years)s years after the end', years=years)),
    'satisfaction_scale': _words(SCALE_WORDS),
    'target_basis': _words(TARGET_WORDS),
    'open_link': lambda _session, allowed: str(_('yes') if allowed else _('no')),
    'populations': _populations,
    'villages': _villages,
    'frame': _frame,
    'sample': _sample,
    'reserve': lambda _session, kept: rule(kept),
    'offers': _offers,
}
