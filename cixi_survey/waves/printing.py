"""Invitation codes of a sample: made, handed out once as file and slips, made anew.

The codes of one making are derived from one random key.  The key is given to the page that shows
the downloads and is kept nowhere, so when that page is closed the codes exist on paper only; the
database has their keyed hashes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, codes, places
from cixi_survey.errors import N_, Problem, Refusal, Term
from cixi_survey.models import AuditEntry, Invitation, Wave
from cixi_survey.waves import guards, lifecycle, table

KEY_BYTES = 32
SLIPS_PER_SHEET = 6  # A4, two by three, in a print that old eyes can read
INVITING = frozenset({'planned', 'open'})
PRINTED = {*guards.APPROVAL_FIELDS, 'approval_valid_until', 'closes_at'}
CSV_HEADING = (
    *('stratum', 'town', 'psu', 'village', 'unit', 'code', 'address'),
    *('check_code', 'check_address'),
)


class NoSample(Refusal):
    """There are no units to make codes for."""

    code = 'no_sample'
    title = N_('There is no sample yet')
    message = N_('Codes are made for drawn units.')
    cure = N_('Draw the sample first.')


class WaveOver(Refusal):
    """After closing there is nothing to invite to."""

    code = 'wave_over'
    title = N_('The wave is over')
    message = N_('“%(title)s” is %(state)s; codes would lead nowhere.')


class CodesExist(Refusal):
    """New codes revoke printed ones, so it has to be said twice."""

    code = 'codes_exist'
    title = N_('There are codes already')
    message = N_('%(count)s units have a code that may be printed already.')
    cure = N_('Confirm that the old codes shall be revoked.')


class MadeMeanwhile(Refusal):
    """Codes were made since the page was opened, perhaps by sending it twice."""

    code = 'codes_made_meanwhile'
    title = N_('New codes were made already')
    message = N_('The page you sent is from before the last making of codes.')
    cure = N_('Nothing was revoked now. Open the page of codes again to see how it stands.')


class KeyGone(Refusal):
    """The key of the page fits no code (any more)."""

    status = 410
    code = 'key_gone'
    title = N_('These codes cannot be shown again')
    message = N_('Codes are shown only by the page that made them, until new ones are made.')
    cure = N_('If the file is lost, make new codes; that revokes the old ones.')


@dataclass(frozen=True)
class Batch:
    """The codes of one making: ``key`` gives them again as long as somebody keeps it."""

    key: str
    count: int
    revoked: int


@dataclass(frozen=True)
class Slip:
    """What goes to one unit."""

    town_code: str
    town: Mapping[str, str]
    psu: str
    village: str
    unit: str
    code: str
    adults: int


def make_codes(
    session: Session,
    slug: str,
    *,
    secret_key: str,
    actor: str,
    now: datetime,
    town: str = '',
    revoke: bool = False,
    making: int | None = None,
) -> Batch:
    """Give every unit that has not answered (of ``town``, if given) a new code.

    Units that have come from a reserve get the first codes of their own.  Codes that exist are
    revoked only with ``revoke``, which makes new ones for all.  ``making`` is the number of
    makings that the person saw, so that a form sent twice does not revoke its own codes.
    Raises NoSample, CodesExist, MadeMeanwhile, WaveOver, NotFound.
    """
    wave = access.wave_for(session, slug, lock=True)
    if wave.state not in INVITING:
        state = Term(lifecycle.STATE_NAMES[wave.state])
        raise WaveOver(title=wave.title, state=state)
    units = session.execute(_units(wave, town).where(Invitation.outcome == 'pending')).all()
    if not units:
        raise NoSample
    existing = sum(unit.code_hash is not None for unit in units)
    if existing and not revoke:
        units = [unit for unit in units if unit.code_hash is None]
        if not units:
            raise CodesExist(count=existing)
        existing = 0
    if making is not None and making != makings(session, wave):
        raise MadeMeanwhile
    key = secrets.token_bytes(KEY_BYTES)
    session.connection().execute(
        sa.update(Invitation)
        .where(Invitation.id == sa.bindparam('unit_id'))
        .values(code_hash=sa.bindparam('hash')),
        [
            {'unit_id': unit.id, 'hash': codes.hashed(_code(key, wave, unit.id), secret_key)}
            for unit in units
        ],
    )
    action = 'wave.codes_again' if existing else 'wave.codes'
    details = {'made': len(units), 'revoked': existing, 'town': town or 'all'}
    audit.on_wave(session, wave, action, actor, now, details)
    return Batch(key.hex(), len(units), existing)


def cautions(session: Session, wave: Wave, site: str, now: datetime) -> list[Problem]:
    """What would be printed wrong if codes were made and letters printed now."""
    found = []
    host = urlsplit(site).hostname or ''
    if host == 'localhost' or host.startswith('127.') or host == '::1':
        message = N_('The letters would lead to %(site)s, which opens on this computer only.')
        cure = N_('Set CIXI_SITE_URL to the public address first.')
        found.append(Problem('site', 'site_local', message, cure, {'site': site}))
    if wave.state == 'planned':
        problems = guards.opening_problems(session, wave, now, without_sample=True)
        found += [one for one in problems if one.where in PRINTED]
    return found


def makings(session: Session, wave: Wave) -> int:
    """How often codes were made for a wave, by the record."""
    query = sa.select(sa.func.count(AuditEntry.id)).where(
        AuditEntry.subject == f'wave:{wave.slug}',
        AuditEntry.action.in_(['wave.codes', 'wave.codes_again']),
    )
    return session.scalar(query) or 0


def _units(wave: Wave, town: str) -> sa.Select[int, str, str, str, str | None, int]:
    query = (
        sa.select(
            Invitation.id,
            Invitation.stratum,
            Invitation.psu,
            Invitation.unit,
            Invitation.code_hash,
            Invitation.size,
        )
        .where(Invitation.wave_id == wave.id)
        .order_by(Invitation.stratum, Invitation.psu, Invitation.id)
    )
    return query.where(Invitation.stratum == town) if town else query


def _code(key: bytes, wave: Wave, unit_id: int) -> str:
    return codes.derived_code(key, f'{wave.id}:{unit_id}')


def slips(session: Session, wave: Wave, *, key: str, secret_key: str, town: str = '') -> list[Slip]:
    """The slips whose codes ``key`` gives, by village; those of other makings are left out.

    Raises KeyGone when not one code fits.
    """
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raise KeyGone from None
    found = []
    for unit in session.execute(_units(wave, town)):
        code = _code(raw, wave, unit.id)
        if unit.code_hash == codes.hashed(code, secret_key):
            found.append(_slip(unit.stratum, unit.psu, unit.unit, code, unit.size))
    if not found:
        raise KeyGone
    order = {code: place for place, code in enumerate(places.towns())}
    return sorted(found, key=lambda slip: (order.get(slip.town_code, 999), slip.psu))


def of_persons(session: Session, wave: Wave) -> bool:
    """Whether the units are persons: every one of the sample stands for a single adult."""
    query = sa.select(sa.func.max(Invitation.size)).where(Invitation.wave_id == wave.id)
    return session.scalar(query) == 1


def _slip(town: str, psu: str, unit: str, code: str, adults: int) -> Slip:
    village = places.villages().get(psu, (psu, town))[0]
    return Slip(town, places.town(town), psu, village, unit, codes.grouped(code), adults)


def slips_file(found: Sequence[Slip], site: str, check_code: str) -> bytes:
    """The slips as CSV, for a print shop or a message gateway.

    ``check_code`` is that of the wave: with the address beside it, it belongs on every letter.
    """
    rows = [
        [
            slip.town_code,
            slip.town.get('zh', slip.town_code),
            slip.psu,
            slip.village,
            slip.unit,
            slip.code,
            invitation_address(site, slip.code),
            codes.grouped(check_code),
            f'{site}/verify',
        ]
        for slip in found
    ]
    return table.write(CSV_HEADING, rows)


def invitation_address(site: str, code: str) -> str:
    """Where the QR code of a slip leads."""
    return f'{site}/i/{code}'


def counts(session: Session, wave: Wave) -> tuple[int, int]:
    """How many units the sample has, and how many of them have a code."""
    query = sa.select(sa.func.count(Invitation.id), sa.func.count(Invitation.code_hash)).where(
        Invitation.wave_id == wave.id
    )
    row = session.execute(query).one()
    return int(row[0]), int(row[1])
