"""Four eyes before a wave opens: one person asks, another looks at it and approves.

An approval is of what was there when it was asked for.  Whatever is changed afterwards ends it by
itself, because the digest of what would be opened is another one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit
from cixi_survey.errors import N_, Problem, Refusal, Term
from cixi_survey.models import (
    ContactOffer,
    Frame,
    Invitation,
    SampleDraw,
    VillageDraw,
    Wave,
    WaveApproval,
)

Standing = Literal['none', 'asked', 'approved', 'returned', 'changed']

# What is decided about a wave and fixed when it opens, as columns of it.
DECIDED = (
    'title_zh',
    'title_en',
    'version_sha256',
    'opens_at',
    'closes_at',
    'target_n',
    'operator',
    'contact',
    'form_number',
    'form_authority',
    'approval_number',
    'approval_valid_until',
    'legal_basis',
    'retention_years',
    'satisfaction_scale',
    'target_basis',
    'open_link',
    'population_source',
)


class NotAsked(Refusal):
    """There is nothing to decide."""

    code = 'not_asked'
    title = N_('Nobody is waiting for an approval')
    message = N_('“%(title)s” has not been put forward, or it was taken back or decided meanwhile.')
    cure = N_('Look at the wave: its page says what comes next.')


class SamePerson(Refusal):
    """Who asked may not approve."""

    code = 'same_person'
    title = N_('A second person must approve')
    message = N_('Whoever put the wave forward cannot approve it.')
    cure = N_('Ask a colleague with an account to look at it.')


class ChangedSince(Refusal):
    """What would be approved is not what was looked at, or not what was put forward."""

    code = 'changed_since'
    title = N_('The wave was changed after it was put forward')
    message = N_('“%(title)s” is not as it was when the approval was asked for: %(names)s.')
    cure = N_('Whoever prepares it puts it forward once more.')


NAMES: Mapping[str, str] = {
    'title_zh': N_('Title in Chinese'),
    'title_en': N_('Title in English'),
    'version_sha256': N_('Questionnaire'),
    'opens_at': N_('Opens'),
    'closes_at': N_('Closes'),
    'target_n': N_('Completed questionnaires wanted'),
    'operator': N_('Carried out by'),
    'contact': N_('Contact for residents'),
    'form_number': N_('Form number'),
    'form_authority': N_('Issuing body'),
    'approval_number': N_('Approval or filing number'),
    'approval_valid_until': N_('Valid until'),
    'legal_basis': N_('Answers are handled on the ground of'),
    'retention_years': N_('Single answers are kept until'),
    'satisfaction_scale': N_('Satisfaction is measured by'),
    'target_basis': N_('The verdict is against'),
    'open_link': N_('Open link'),
    'population_source': N_('Population source'),
    'populations': N_('Populations'),
    'margins': N_('Margins'),
    'villages': N_('Drawn villages'),
    'frame': N_('Sampling frame'),
    'sample': N_('Sample'),
    'reserve': N_('Reserve'),
    'offers': N_('After the receipt'),
}


def content(session: Session, wave: Wave) -> dict[str, object]:
    """All that opening the wave would fix, by the names in ``NAMES``."""
    found: dict[str, object] = {name: _plain(getattr(wave, name)) for name in DECIDED}
    found['populations'] = {each.town_code: each.population for each in wave.strata}
    found['margins'] = sorted([each.variable, each.category, each.share] for each in wave.margins)
    found |= dict.fromkeys(('villages', 'frame', 'sample', 'reserve', 'offers'))
    first = session.scalar(sa.select(VillageDraw).where(VillageDraw.wave_id == wave.id))
    if first is not None:
        found['villages'] = [first.frame_sha256, first.seed, first.towns]
    frame = session.scalar(sa.select(Frame).where(Frame.wave_id == wave.id))
    if frame is not None:
        found['frame'] = [frame.sha256, frame.filename, frame.source]
    draw = session.scalar(sa.select(SampleDraw).where(SampleDraw.wave_id == wave.id))
    if draw is not None:
        drawn = sa.select(sa.func.count(Invitation.id)).where(Invitation.wave_id == wave.id)
        units = session.scalar(drawn)
        found['sample'] = [
            draw.frame_sha256,
            draw.sample_sha256,
            draw.seed,
            draw.allocation,
            draw.allocated,
            units,
        ]
        found['reserve'] = draw.reserve
    offer = session.get(ContactOffer, wave.id)
    if offer is not None:
        names = ('news', 'prizes', 'rules_zh', 'rules_en', 'keep_until')
        found['offers'] = [_plain(getattr(offer, name)) for name in names]
    return found


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def content_sha256(session: Session, wave: Wave) -> str:
    """The digest of what opening the wave would fix."""
    return _digest(content(session, wave))


def _digest(found: Mapping[str, object]) -> str:
    text = json.dumps(found, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def latest(session: Session, wave: Wave) -> WaveApproval | None:
    """The last time that somebody put the wave forward, unless it was taken back."""
    query = (
        sa.select(WaveApproval)
        .where(WaveApproval.wave_id == wave.id)
        .order_by(WaveApproval.id.desc())
        .limit(1)
    )
    found = session.scalars(query).first()
    return None if found is None or found.decision == 'taken_back' else found


def standing(session: Session, wave: Wave) -> Standing:
    """Where the approval of a planned wave stands; ``changed``: the wave is no longer the same."""
    asked = latest(session, wave)
    if asked is None:
        return 'none'
    if asked.decision == 'returned':
        return 'returned'
    if changed(session, wave, asked):
        return 'changed'
    return 'approved' if asked.decision == 'approved' else 'asked'


def changed(session: Session, wave: Wave, asked: WaveApproval) -> list[str]:
    """The names of what is no longer as it was when the approval was asked for."""
    now = content(session, wave)
    if _digest(now) == asked.sha256:
        return []
    before = asked.content
    return [name for name in NAMES if json.dumps(now.get(name)) != json.dumps(before.get(name))]


def problems(session: Session, wave: Wave) -> list[Problem]:
    """What the second person still has to do before the wave may open."""
    said = {
        'none': N_('Nobody has put the wave forward for approval.'),
        'asked': N_('A second person has not approved the wave yet.'),
        'returned': N_('The wave was sent back.'),
        'changed': N_('The wave was changed after it was put forward.'),
    }
    cure = {
        'none': N_('Put it forward.'),
        'asked': N_('Ask a colleague to look at it.'),
        'returned': N_('Mend what was remarked and put it forward again.'),
        'changed': N_('Put it forward again.'),
    }
    state = standing(session, wave)
    if state == 'approved':
        return []
    return [Problem('approval', f'not_approved_{state}', said[state], cure[state])]


def put_forward(session: Session, wave: Wave, *, actor: str, now: datetime) -> WaveApproval:
    """Ask for the approval of a wave whose guards all hold."""
    found = content(session, wave)
    asked = WaveApproval(
        wave_id=wave.id, content=found, sha256=_digest(found), asked_at=now, asked_by=actor
    )
    session.add(asked)
    session.flush()
    audit.on_wave(session, wave, 'wave.put_forward', actor, now, {'content': asked.sha256})
    return asked


def take_back(session: Session, slug: str, *, actor: str, now: datetime) -> None:
    """Take back what waits or was approved, while the wave is planned.  Raises NotAsked."""
    wave, asked = _waiting(session, slug, decisions=('', 'approved'))
    asked.decision, asked.decided_at, asked.decided_by = 'taken_back', now, actor
    session.flush()
    audit.on_wave(session, wave, 'wave.take_back', actor, now, {'content': asked.sha256})


def approve(session: Session, slug: str, *, seen: str, actor: str, now: datetime) -> None:
    """Approve as the second person what was ``seen``.

    Raises NotAsked, SamePerson, ChangedSince, NotFound.
    """
    wave, asked = _to_decide(session, slug, seen, actor)
    names = changed(session, wave, asked)
    if names:
        raise ChangedSince(title=wave.title, names=[Term(NAMES[name]) for name in names])
    asked.decision, asked.decided_at, asked.decided_by = 'approved', now, actor
    session.flush()
    audit.on_wave(session, wave, 'wave.approve', actor, now, {'content': asked.sha256})


def send_back(
    session: Session, slug: str, *, seen: str, remark: str, actor: str, now: datetime
) -> None:
    """Send back with a remark what was ``seen``.  Raises NotAsked, SamePerson, NotFound."""
    wave, asked = _to_decide(session, slug, seen, actor)
    asked.decision, asked.decided_at, asked.decided_by = 'returned', now, actor
    asked.remark = remark
    session.flush()
    details = {'content': asked.sha256, 'remark': remark}
    audit.on_wave(session, wave, 'wave.send_back', actor, now, details)


def _to_decide(session: Session, slug: str, seen: str, actor: str) -> tuple[Wave, WaveApproval]:
    wave, asked = _waiting(session, slug, decisions=('',))
    if asked.sha256 != seen:
        raise NotAsked(title=wave.title)
    if asked.asked_by == actor:
        raise SamePerson
    return wave, asked


def _waiting(
    session: Session, slug: str, *, decisions: tuple[str, ...]
) -> tuple[Wave, WaveApproval]:
    wave = access.wave_for(session, slug, lock=True)
    asked = latest(session, wave)
    if wave.state != 'planned' or asked is None or asked.decision not in decisions:
        raise NotAsked(title=wave.title)
    return wave, asked


def opened_before(session: Session, wave: Wave) -> Wave | None:
    """The wave that opened last before this one: what it is set against."""
    query = (
        sa.select(Wave)
        .where(Wave.state != 'planned', Wave.id != wave.id, Wave.opens_at < wave.opens_at)
        .order_by(Wave.opens_at.desc())
        .limit(1)
    )
    return session.scalars(query).first()
