"""The life of a wave: planned, opened behind its guards, closed and sealed."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, clock, database, notices
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal, Term
from cixi_survey.models import (
    ClosedCode,
    Contact,
    ContactGiven,
    Draft,
    Frame,
    FrameUnit,
    Invitation,
    QuestionnaireVersion,
    Response,
    SampleDraw,
    Wave,
    WaveApproval,
)
from cixi_survey.waves import approval, guards

STATE_NAMES = {
    'planned': N_('planned'),
    'open': N_('open'),
    'closed': N_('closed'),
    'estimated': N_('estimated'),
    'published': N_('published'),
}
SCRUBBED = ('draft', 'response', 'invitation', 'frame_unit', 'contact', 'contact_given')


class NotPlanned(Refusal):
    """Something was to be changed that is fixed once the wave is open."""

    code = 'not_planned'
    title = N_('The wave can no longer be changed')
    message = N_('“%(title)s” is %(state)s; what was fixed before fieldwork stays as it is.')
    cure = N_('A change needs a new wave.')


class NotReady(Refusal):
    """The wave cannot open yet; every reason is among the problems."""

    code = 'not_ready'
    title = N_('The wave cannot be opened yet')
    message = N_('Each of these points has to be settled first:')


class NotOpen(Refusal):
    """Only an open wave can be closed."""

    code = 'not_open'
    title = N_('Only an open wave can be closed')
    message = N_('“%(title)s” is %(state)s.')


class AlreadyOpened(Refusal):
    """A wave opens once."""

    code = 'already_opened'
    title = N_('The wave has been opened already')
    message = N_('“%(title)s” is %(state)s: nothing is left to put forward, approve or open.')
    cure = N_('Its page shows how it stands. To ask again later, create a new wave.')


class ChangedMeanwhile(Refusal):
    """Somebody else changed the wave while the form was open."""

    code = 'changed_meanwhile'
    title = N_('Somebody else has changed this wave meanwhile')
    message = N_('“%(title)s” is no longer as it was when you opened the form. Nothing was saved.')
    cure = N_('Open the form again, look at what has changed, and then make your change.')


@dataclass(frozen=True)
class Plan:
    """What a staff member decides about a wave before it opens."""

    slug: str
    title_zh: str
    title_en: str
    version_sha256: str
    opens_at: datetime
    closes_at: datetime
    target_n: int
    operator: str
    contact: str
    form_number: str = ''
    form_authority: str = ''
    approval_number: str = ''
    approval_valid_until: date | None = None
    satisfaction_scale: str = 'share'
    target_basis: str = 'national'
    open_link: bool = True
    legal_basis: str = ''
    retention_years: int = 2


def create(
    session: Session, plan: Plan, *, actor: str, now: datetime, staff_id: int | None = None
) -> Wave:
    """Make a planned wave.  Raises ProblemsFound when the address is taken or the times clash."""
    problems = _plan_problems(session, plan)
    if session.scalar(sa.select(Wave.id).where(Wave.slug == plan.slug)):
        problems.append(_slug_taken(plan.slug))
    if problems:
        raise ProblemsFound(problems)
    wave = Wave(**_values(plan), created_at=now, created_by=staff_id)
    if not database.added(session, wave):
        raise ProblemsFound([_slug_taken(plan.slug)])
    audit.on_wave(session, wave, 'wave.create', actor, now, _shown(_values(plan)))
    return wave


def edit(
    session: Session, slug: str, plan: Plan, *, actor: str, now: datetime, seen: str = ''
) -> Wave:
    """Change a planned wave; its address stays.

    ``seen`` is the ``fingerprint`` of the wave that the person saw, so that the later of two
    people who edit at once does not undo the change of the other.
    Raises NotPlanned, ChangedMeanwhile, ProblemsFound, NotFound.
    """
    wave = planned(session, slug)
    if seen and seen != fingerprint(wave):
        raise ChangedMeanwhile(title=wave.title)
    problems = _plan_problems(session, plan)
    if problems:
        raise ProblemsFound(problems)
    changes = {
        name: value
        for name, value in _values(plan).items()
        if name != 'slug' and getattr(wave, name) != value
    }
    if changes:
        before = {name: getattr(wave, name) for name in changes}
        for name, value in changes.items():
            setattr(wave, name, value)
        if 'version_sha256' in changes:
            wave.margins.clear()  # they speak of the options of the version that was left
        details = {'before': _shown(before), 'after': _shown(changes)}
        audit.on_wave(session, wave, 'wave.edit', actor, now, details)
    return wave


def planned(session: Session, slug: str) -> Wave:
    """The wave, locked, when it may still be changed.  Raises NotPlanned, NotFound."""
    wave = access.wave_for(session, slug, lock=True)
    if wave.state != 'planned':
        raise NotPlanned(title=wave.title, state=Term(STATE_NAMES[wave.state]), slug=slug)
    return wave


def fingerprint(wave: Wave) -> str:
    """A short sign of everything about the wave that its form shows."""
    values = _shown({field.name: getattr(wave, field.name) for field in fields(Plan)})
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _values(plan: Plan) -> dict[str, object]:
    return {field.name: getattr(plan, field.name) for field in fields(plan)}


def _shown(values: Mapping[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, datetime):
            shown[name] = clock.show(value)
        else:
            shown[name] = value.isoformat() if isinstance(value, date) else value
    return shown


def _slug_taken(slug: str) -> Problem:
    return Problem(
        'slug',
        'slug_taken',
        N_('Another wave has the address “%(slug)s”.'),
        N_('Choose another one, for instance with the year.'),
        {'slug': slug},
    )


def _plan_problems(session: Session, plan: Plan) -> list[Problem]:
    problems = []
    if plan.closes_at <= plan.opens_at:
        problems.append(
            Problem(
                'closes_at',
                'times_reversed',
                N_('The wave would close before it opens.'),
                N_('Choose a closing time after %(opens)s.'),
                {'opens': plan.opens_at},
            )
        )
    if session.get(QuestionnaireVersion, plan.version_sha256) is None:
        problems.append(
            Problem(
                'version_sha256',
                'version_unknown',
                N_('There is no such questionnaire version.'),
                N_('Choose one of the list.'),
            )
        )
    return problems


def put_forward(
    session: Session, slug: str, *, without_sample: bool = False, actor: str, now: datetime
) -> WaveApproval:
    """Ask a second person to approve that the wave opens, once nothing else stands in the way.

    ``without_sample`` states that there will be no probability sample, only the open link.
    Raises NotReady with every reason at once, AlreadyOpened, NotFound.
    """
    wave = _not_opened(session, slug)
    problems = guards.opening_problems(session, wave, now, without_sample=without_sample)
    if problems:
        raise NotReady(problems=problems)
    return approval.put_forward(session, wave, actor=actor, now=now)


def _not_opened(session: Session, slug: str) -> Wave:
    wave = access.wave_for(session, slug, lock=True)
    if wave.state != 'planned':
        raise AlreadyOpened(title=wave.title, state=Term(STATE_NAMES[wave.state]), slug=slug)
    return wave


def open_wave(
    session: Session,
    slug: str,
    *,
    actor: str,
    now: datetime,
    translations: Path = notices.SHIPPED,
) -> Wave:
    """Open a planned and approved wave, and fix what its residents are promised.

    ``translations`` has the languages in which the notice is kept.
    Raises NotReady with every reason at once, AlreadyOpened, NotFound.
    """
    wave = _not_opened(session, slug)
    problems = problems_left(session, wave, now)
    if problems:
        raise NotReady(problems=problems)
    notice = notices.freeze(session, wave, now, translations=translations)
    wave.state = 'open'
    session.flush()
    asked = approval.latest(session, wave)
    details = {
        'opens_at': clock.show(wave.opens_at),
        'closes_at': clock.show(wave.closes_at),
        'questionnaire': wave.version_sha256,
        'approval_number': wave.approval_number,
        'approved_by': asked.decided_by if asked else '',
        'legal_basis': wave.legal_basis,
        'answers_until': wave.answers_until.isoformat(),
        'notice': notice.sha256,
        'sample': 'drawn' if guards.sampled_by_town(session, wave) else 'open link only',
    }
    audit.on_wave(session, wave, 'wave.open', actor, now, details)
    return wave


def problems_left(session: Session, wave: Wave, now: datetime) -> list[Problem]:
    """All that keeps a wave from opening, the second person's approval first.

    What was approved says whether there is a sample: a wave without one has its open link only.
    """
    undecided = approval.problems(session, wave)
    without_sample = not undecided and not guards.sampled_by_town(session, wave)
    return [*undecided, *guards.opening_problems(session, wave, now, without_sample=without_sample)]


def close_wave(session: Session, slug: str, *, actor: str, now: datetime) -> Wave:
    """Close an open wave and seal it: from here on nothing leads from a unit to its answers.

    Drafts are deleted, every response loses its invitation, and the database itself refuses to
    tie them again.  Once that is committed, ``Database.scrub(*SCRUBBED)`` clears the files.
    Raises NotOpen, NotFound.
    """
    wave = access.wave_for(session, slug, lock=True)
    if wave.state != 'open':
        raise NotOpen(title=wave.title, state=Term(STATE_NAMES[wave.state]), slug=slug)
    drafts = session.execute(sa.delete(Draft).where(Draft.wave_id == wave.id))
    sealed = session.execute(
        sa.update(Response)
        .where(Response.wave_id == wave.id)
        .values(sealed=True, invitation_id=None)
        .execution_options(synchronize_session=False)
    )
    _forget_households(session, wave)
    _forget_who_signed_up(session, wave)
    wave.closed_at = now
    wave.state = 'closed'
    wave.sealed = True
    session.flush()
    details = {
        'responses': sealed.rowcount,  # type: ignore[attr-defined]
        'drafts_deleted': drafts.rowcount,  # type: ignore[attr-defined]
        'planned_end': clock.show(wave.closes_at),
    }
    audit.on_wave(session, wave, 'wave.close', actor, now, details)
    return wave


def _forget_households(session: Session, wave: Wave) -> None:
    """Leave of the sample how many units of which design value ended how, and of codes their wave.

    Who was asked, in which order they answered (PostgreSQL remembers with every row which
    transaction wrote it) and how many adults live at an address of the frame would each lead from
    an answer back to a household.  The frame's file and the seed give the sample again.
    """
    of_wave = Invitation.wave_id == wave.id
    made = session.scalars(sa.select(SampleDraw).where(SampleDraw.wave_id == wave.id)).first()
    rows = [
        dict(row)
        for row in session.execute(
            sa.select(*Invitation.__table__.columns).where(of_wave)
        ).mappings()
    ]
    secrets.SystemRandom().shuffle(rows)
    closed = sorted(row['code_hash'] for row in rows if row['code_hash'])
    nameless = {'psu': '', 'code_hash': None}
    for number, row in enumerate(rows, start=1):
        del row['id']
        if made is not None:  # the chance of the whole sample, while it is known where it was drawn
            whole = row['probability'] * made.growth(row['stratum'], row['psu'])
            row['probability'] = min(1.0, whole)
        row |= nameless | {'unit': str(number)}
    unnoticed = {'synchronize_session': False}
    session.execute(sa.delete(Invitation).where(of_wave), execution_options=unnoticed)
    frames = sa.select(Frame.id).where(Frame.wave_id == wave.id)
    units = sa.delete(FrameUnit).where(FrameUnit.frame_id.in_(frames))
    session.execute(units, execution_options=unnoticed)
    if rows:
        session.execute(sa.insert(Invitation), rows)
    if closed:
        session.execute(
            sa.insert(ClosedCode), [{'code_hash': one, 'wave_id': wave.id} for one in closed]
        )


def _forget_who_signed_up(session: Session, wave: Wave) -> None:
    """Leave of the contacts neither which responses they came from nor in which order they came."""
    unnoticed = {'synchronize_session': False}
    responses = sa.select(Response.id).where(Response.wave_id == wave.id)
    given = sa.delete(ContactGiven).where(ContactGiven.response_id.in_(responses))
    session.execute(given, execution_options=unnoticed)
    of_wave = Contact.wave_id == wave.id
    query = sa.select(*Contact.__table__.columns).where(of_wave)
    rows = [dict(row) for row in session.execute(query).mappings()]
    secrets.SystemRandom().shuffle(rows)
    session.execute(sa.delete(Contact).where(of_wave), execution_options=unnoticed)
    if rows:
        session.execute(sa.insert(Contact), rows)
