"""What has to be settled before a wave may open, each with its cure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import clock
from cixi_survey.errors import N_, Problem, Term
from cixi_survey.models import Invitation, Wave
from cixi_survey.questionnaire import definition

APPROVAL_FIELDS = {
    'form_number': N_('form number'),
    'form_authority': N_('issuing body'),
    'approval_number': N_('approval or filing number'),
}
REQUIRED_LANGUAGES = ('zh', 'en')


def opening_problems(
    session: Session, wave: Wave, now: datetime, *, without_sample: bool = False
) -> list[Problem]:
    """All but the second person that keeps a planned wave from opening, each with its cure."""
    return [
        *_approval_problems(wave, now),
        *_legal_basis_problems(wave),
        *_time_problems(wave, now),
        *_questionnaire_problems(wave),
        *_sample_problems(session, wave, without_sample=without_sample),
    ]


def _approval_problems(wave: Wave, now: datetime) -> Iterable[Problem]:
    law = N_('Residents may refuse a form without it (Statistics Law, article 17).')
    for name, called in APPROVAL_FIELDS.items():
        if not getattr(wave, name).strip():
            message = N_('The form has no %(field)s.')
            yield Problem(name, 'approval_missing', message, law, {'field': Term(called)})
    until = wave.approval_valid_until
    if until is None:
        message = N_('It is not said until when the approval is valid.')
        yield Problem('approval_valid_until', 'approval_missing', message, law)
        return
    values = {'until': until, 'closes': clock.local(wave.closes_at).date()}
    if until < clock.local(now).date():
        message = N_('The approval expired on %(until)s.')
        cure = N_('Apply for a new approval; a survey may not run without one.')
        yield Problem('approval_valid_until', 'approval_expired', message, cure, values)
    elif until < clock.local(wave.closes_at).date():
        message = N_('The approval ends on %(until)s, before the wave closes on %(closes)s.')
        cure = N_('Close the wave earlier or have the approval prolonged.')
        yield Problem('approval_valid_until', 'approval_too_short', message, cure, values)


def _legal_basis_problems(wave: Wave) -> Iterable[Problem]:
    if not wave.legal_basis:
        message = N_('It is not said on what ground answers are handled.')
        cure = N_('Choose one: it decides what happens to answers that are withdrawn.')
        yield Problem('legal_basis', 'legal_basis_missing', message, cure)


def _time_problems(wave: Wave, now: datetime) -> Iterable[Problem]:
    if wave.closes_at <= now:
        message = N_('The closing time %(closes)s is past.')
        cure = N_('Choose a later closing time.')
        yield Problem('closes_at', 'closing_past', message, cure, {'closes': wave.closes_at})


def _questionnaire_problems(wave: Wave) -> Iterable[Problem]:
    questionnaire = definition.from_canonical(wave.version.definition)
    missing = [code for code in REQUIRED_LANGUAGES if code not in questionnaire.languages]
    if missing:
        yield Problem(
            'version_sha256',
            'language_missing',
            N_('The questionnaire lacks a language: %(languages)s.'),
            N_('Publish a version in Chinese and English and choose it.'),
            {'languages': missing},
        )
    satisfaction = [
        indicator
        for indicator in questionnaire.indicators
        if indicator.family == 'satisfaction' and indicator.scale == wave.satisfaction_scale
    ]
    if not satisfaction:
        yield Problem(
            'satisfaction_scale',
            'scale_unknown',
            N_('The questionnaire has no satisfaction indicator on the chosen scale.'),
            N_('Choose the other scale, or another questionnaire version.'),
        )
    bases = {target.basis for each in questionnaire.indicators for target in each.targets}
    if wave.target_basis not in bases:
        yield Problem(
            'target_basis',
            'target_unknown',
            N_('The questionnaire has no target of the chosen kind, so there can be no verdict.'),
            N_('Choose another target, or another questionnaire version.'),
        )


def _sample_problems(session: Session, wave: Wave, *, without_sample: bool) -> Iterable[Problem]:
    if without_sample and not wave.open_link:
        yield Problem(
            'open_link',
            'nobody_can_answer',
            N_('There is neither a sample nor an open link: nobody could answer.'),
            N_('Draw a sample, or allow the open link.'),
        )
    if not wave.strata:
        yield Problem(
            'populations',
            'population_missing',
            N_('The population of the towns is missing; without it nothing can be weighted.'),
            N_('Load the population file.'),
        )
    if without_sample:
        return
    counts = sampled_by_town(session, wave)
    if not counts:
        yield Problem(
            'draw',
            'sample_missing',
            N_('No sample has been drawn.'),
            N_('Draw one, or say below that the wave has an open link only.'),
        )
        return
    empty = [stratum.name for stratum in wave.strata if not counts.get(stratum.town_code)]
    if empty:
        yield Problem(
            'draw',
            'town_without_sample',
            N_('These towns have a population but no sampled unit: %(towns)s.'),
            N_('Draw again with units in every town, or load populations without them.'),
            {'towns': empty},
        )
    without_code = session.scalar(
        sa.select(sa.func.count(Invitation.id)).where(
            Invitation.wave_id == wave.id, Invitation.code_hash.is_(None)
        )
    )
    if without_code:
        yield Problem(
            'codes',
            'codes_missing',
            N_('%(count)s sampled units have no code yet.'),
            N_('Make the codes and print the letters.'),
            {'count': without_code},
        )


def sampled_by_town(session: Session, wave: Wave) -> dict[str, int]:
    """How many units of each town are in the sample."""
    query = (
        sa.select(Invitation.stratum, sa.func.count(Invitation.id))
        .where(Invitation.wave_id == wave.id)
        .group_by(Invitation.stratum)
    )
    return {row[0]: row[1] for row in session.execute(query)}
