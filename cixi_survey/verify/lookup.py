"""Which surveys can be checked: the running ones, and that of an address or a check code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, codes
from cixi_survey.models import Wave

Stage = Literal['running', 'soon', 'over']
Answer = Literal['ours', 'unknown', 'mistyped', 'personal']


@dataclass(frozen=True)
class Survey:
    """A survey as it may be checked by anybody."""

    wave: Wave
    stage: Stage
    check_code: str


@dataclass(frozen=True)
class Reply:
    """What is said to a check code that was typed in; ``survey`` when it is ``ours``."""

    answer: Answer
    survey: Survey | None = None


def running(session: Session, *, secret_key: str, now: datetime) -> list[Survey]:
    """The surveys that take answers now, the one that ends first in front."""
    return [one for one in _announced(session, secret_key, now) if one.stage == 'running']


def find(session: Session, slug: str, *, secret_key: str, now: datetime) -> Survey:
    """The survey of an address.  Raises NotFound, also for one that is not announced yet."""
    wave = access.wave_for(session, slug)
    if not _is_announced(wave):
        raise access.NotFound
    return _survey(wave, secret_key, now)


def look_up(session: Session, given: str, *, secret_key: str, now: datetime) -> Reply:
    """Whether a check code from a letter or poster belongs to a survey of this site."""
    code = codes.normalise_check_code(given)
    if code is None:
        # The code to answer with stands on the same letter.
        return Reply('personal' if codes.is_code(given) else 'mistyped')
    for survey in _announced(session, secret_key, now):
        if survey.check_code == code:
            return Reply('ours', survey)
    return Reply('unknown')


def _announced(session: Session, secret_key: str, now: datetime) -> Sequence[Survey]:
    waves = session.scalars(sa.select(Wave).order_by(Wave.closes_at, Wave.id))
    return [_survey(wave, secret_key, now) for wave in waves if _is_announced(wave)]


def _is_announced(wave: Wave) -> bool:
    """Whether letters and posters can be about: they are printed once the approval is there."""
    approved = wave.form_number and wave.form_authority and wave.approval_number
    return wave.state != 'planned' or bool(approved and wave.approval_valid_until)


def _survey(wave: Wave, secret_key: str, now: datetime) -> Survey:
    stage: Stage = 'soon'
    if wave.is_open(now):
        stage = 'running'
    elif wave.sealed or now > wave.closes_at:
        stage = 'over'
    return Survey(wave, stage, codes.check_code(wave.slug, secret_key))
