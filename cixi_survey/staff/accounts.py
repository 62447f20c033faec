"""Staff accounts: passwords, roles, sessions, and who may not be locked out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.orm import Session

from cixi_survey import access, audit, codes, database
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import ROLES, Staff, StaffRole, StaffSession

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 200
USERNAME = re.compile(r'[a-z][a-z0-9._-]{2,31}')
# Stems that head every published list, and the words an attacker of this site would try first.
COMMON = frozenset(
    {
        'abcdefghijkl',
        'admin',
        'administrator',
        'asdfghjkl',
        'changeme',
        'cixi',
        'cixishi',
        'huanbao',
        'iloveyou',
        'letmein',
        'ningbo',
        'password',
        'passwort',
        'qwertyuiop',
        'shengtaicixi',
        'shengtaiwenming',
        'statistics',
        'survey',
        'welcome',
        'woaini',
        'woaiwojia',
        'xuanchuanbu',
        'zhejiang',
        'zxcvbnm',
    }
)
RUNS = ('01234567890123456789', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiopasdfghjklzxcvbnm')


class LastAdministrator(Refusal):
    """The act would leave nobody who can manage accounts."""

    code = 'last_administrator'
    title = N_('There must be one administrator')
    message = N_('%(username)s is the only active administrator.')
    cure = N_('Make somebody else an administrator first.')


class OwnAccount(Refusal):
    """Administrators do not deactivate themselves."""

    code = 'own_account'
    title = N_('You cannot deactivate your own account')
    message = N_('Otherwise a slip of the finger would lock you out.')
    cure = N_('Another administrator can do it.')


class AccountUnknown(Refusal):
    """There is no account of this name."""

    status = 404
    code = 'account_unknown'
    title = N_('There is no such account')
    message = N_('No account has the user name “%(username)s”.')


class WrongPassword(Exception):
    """User name and password do not belong together; it is not said which of them is wrong."""


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def password_problems(password: str, username: str, *, where: str = 'password') -> list[Problem]:
    """What is wrong with a new password; empty when it will do."""
    if len(password) < MINIMUM_LENGTH:
        return [
            Problem(
                where,
                'password_short',
                N_('The password has %(length)s characters; it needs at least %(minimum)s.'),
                N_('Four unrelated words are easy to remember and hard to guess.'),
                {'length': len(password), 'minimum': MINIMUM_LENGTH},
            )
        ]
    if len(password) > MAXIMUM_LENGTH:
        return [
            Problem(
                where,
                'password_long',
                N_('The password is longer than %(maximum)s characters.'),
                N_('Choose a shorter one.'),
                {'maximum': MAXIMUM_LENGTH},
            )
        ]
    lowered = password.casefold()
    if username and username.casefold() in lowered:
        return [
            Problem(
                where,
                'password_username',
                N_('The password contains the user name.'),
                N_('Choose one that has nothing to do with it.'),
            )
        ]
    if _is_common(lowered):
        return [
            Problem(
                where,
                'password_common',
                N_('This password is among the first that anybody would try.'),
                N_('Four unrelated words are easy to remember and hard to guess.'),
            )
        ]
    return []


def _is_common(lowered: str) -> bool:
    letters = re.sub(r'[^a-z]', '', lowered)
    core = re.sub(r'^[^a-z]+|[^a-z]+$', '', lowered)
    stem = re.sub(r'[^a-z]', '', core.translate(str.maketrans('@013$5', 'aoiess')))
    if len(set(lowered)) < 5 or letters in COMMON or stem in COMMON:
        return True
    if re.fullmatch(r'(.{1,8}?)\1+.{0,2}', lowered):
        return True
    return any(lowered in run or lowered in run[::-1] for run in RUNS)


def generate_password() -> str:
    """A password to hand over once: 16 characters without look-alikes (more than 76 bits)."""
    text = ''.join(secrets.choice(codes.ALPHABET) for _ in range(16))
    return '-'.join(text[start : start + 4] for start in range(0, 16, 4))


def create(
    session: Session,
    *,
    username: str,
    name: str,
    password: str,
    roles: Collection[str],
    actor: str,
    now: datetime,
    must_change_password: bool = False,
) -> Staff:
    """Make an account.

    Raises ProblemsFound when the user name is taken or a value cannot be used.
    """
    username = username.strip().lower()
    problems = _username_problems(session, username) + password_problems(password, username)
    problems += _role_problems(roles)
    if problems:
        raise ProblemsFound(problems)
    person = Staff(
        username=username,
        name=name.strip() or username,
        password_hash=_hasher().hash(password),
        must_change_password=must_change_password,
        created_at=now,
        roles=[StaffRole(role=role) for role in ROLES if role in roles],
    )
    if not database.added(session, person):
        raise ProblemsFound([_username_taken(username)])
    details = {'roles': [role.role for role in person.roles]}
    _record(session, actor, 'staff.create', person, now, details)
    return person


def _username_problems(session: Session, username: str) -> list[Problem]:
    if not USERNAME.fullmatch(username):
        return [
            Problem(
                'username',
                'username_form',
                N_('“%(username)s” cannot be a user name.'),
                N_('Use 3 to 32 small letters, digits, dots and hyphens, beginning with a letter.'),
                {'username': username},
            )
        ]
    if session.scalar(sa.select(Staff.id).where(Staff.username == username)):
        return [_username_taken(username)]
    return []


def _username_taken(username: str) -> Problem:
    return Problem(
        'username',
        'username_taken',
        N_('There is already an account “%(username)s”.'),
        N_('Choose another user name.'),
        {'username': username},
    )


def _role_problems(roles: Collection[str]) -> list[Problem]:
    if roles and set(roles) <= set(ROLES):
        return []
    return [
        Problem(
            'roles',
            'role_missing',
            N_('The account has no role.'),
            N_('Choose at least one; without it the person can do nothing.'),
        )
    ]


def account(session: Session, username: str, *, lock: bool = False) -> Staff:
    """The account of this user name.  Raises AccountUnknown."""
    query = sa.select(Staff).where(Staff.username == username.strip().lower())
    found = session.scalars(query.with_for_update() if lock else query).first()
    if found is None:
        raise AccountUnknown(username=username)
    return found


@dataclass(frozen=True)
class Verified:
    """A user name whose password was right, with the hash that it was compared with."""

    username: str
    compared: str
    renewed: str | None


def verify(session: Session, *, username: str, password: str) -> Verified:
    """Compare a password with the stored hash; writes nothing, so a slow hash blocks no writer.

    Raises WrongPassword, in the same time for an unknown name as for a wrong password.
    """
    username = username.strip().lower()
    query = sa.select(Staff).where(Staff.username == username, Staff.deactivated_at.is_(None))
    person = session.scalars(query).first() if USERNAME.fullmatch(username) else None
    if not _matches(person.password_hash if person else _hash_of_nobody(), password):
        raise WrongPassword
    if person is None:
        raise WrongPassword
    outdated = _hasher().check_needs_rehash(person.password_hash)
    renewed = _hasher().hash(password) if outdated else None
    return Verified(person.username, person.password_hash, renewed)


def sign_in(session: Session, verified: Verified, *, now: datetime) -> StaffSession:
    """Begin a session with a new random id.

    Raises WrongPassword when account or password changed since they were compared.
    """
    person = account(session, verified.username, lock=True)
    if person.deactivated_at is not None or person.password_hash != verified.compared:
        raise WrongPassword
    if verified.renewed:
        person.password_hash = verified.renewed
    ended = now - timedelta(hours=access.IDLE_HOURS)
    session.execute(sa.delete(StaffSession).where(StaffSession.seen_at < ended))
    opened = StaffSession(
        id=secrets.token_urlsafe(32), staff_id=person.id, created_at=now, seen_at=now
    )
    session.add(opened)
    session.flush()
    session.refresh(opened)
    _record(session, person.username, 'staff.sign_in', person, now)
    return opened


def _matches(stored: str, password: str) -> bool:
    if len(password) > MAXIMUM_LENGTH:
        return False
    try:
        return _hasher().verify(stored, password)
    except VerificationError:
        return False


def sign_out(session: Session, *, session_id: str) -> None:
    """End one session."""
    session.execute(sa.delete(StaffSession).where(StaffSession.id == session_id))


def sign_out_everywhere(session: Session, *, username: str, now: datetime) -> int:
    """End every session of a person; how many there were."""
    person = account(session, username)
    ended = _end_sessions(session, person)
    _record(session, username, 'staff.sign_out_everywhere', person, now, {'sessions': ended})
    return ended


def _end_sessions(session: Session, person: Staff, *, but: str = '') -> int:
    statement = sa.delete(StaffSession).where(
        StaffSession.staff_id == person.id, StaffSession.id != but
    )
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def change_password(
    session: Session, *, username: str, old: str, new: str, session_id: str, now: datetime
) -> None:
    """Give oneself a new password; every other session ends.

    Raises ProblemsFound.
    """
    person = account(session, username, lock=True)
    problems = password_problems(new, person.username)
    if not _matches(person.password_hash, old):
        problems.insert(
            0,
            Problem('old', 'password_wrong', N_('This is not your present password.')),
        )
    elif new == old:
        problems.append(
            Problem(
                'password',
                'password_same',
                N_('The new password is the old one.'),
                N_('Choose another.'),
            )
        )
    if problems:
        raise ProblemsFound(problems)
    person.password_hash = _hasher().hash(new)
    person.must_change_password = False
    _end_sessions(session, person, but=session_id)
    _record(session, person.username, 'staff.change_password', person, now)


def reset_password(
    session: Session, *, username: str, password: str, actor: str, now: datetime
) -> None:
    """Give somebody a password to be changed at the next sign-in; their sessions end.

    Raises AccountUnknown, ProblemsFound.
    """
    person = account(session, username, lock=True)
    problems = password_problems(password, person.username)
    if problems:
        raise ProblemsFound(problems)
    person.password_hash = _hasher().hash(password)
    person.must_change_password = True
    _end_sessions(session, person)
    _record(session, actor, 'staff.reset_password', person, now)


def set_roles(
    session: Session, *, username: str, roles: Collection[str], actor: str, now: datetime
) -> None:
    """Replace the roles of an account.

    Raises LastAdministrator, AccountUnknown, ProblemsFound.
    """
    administrators = _lock_administrators(session)
    person = account(session, username, lock=True)
    problems = _role_problems(roles)
    if problems:
        raise ProblemsFound(problems)
    if 'administrator' not in roles and administrators == {person.username}:
        raise LastAdministrator(username=person.username)
    before = sorted(role.role for role in person.roles)
    person.roles[:] = [role for role in person.roles if role.role in roles]
    held = {role.role for role in person.roles}
    person.roles += [StaffRole(role=role) for role in ROLES if role in roles and role not in held]
    details = {'before': before, 'after': sorted(roles)}
    _record(session, actor, 'staff.roles', person, now, details)


def deactivate(session: Session, *, username: str, actor: str, now: datetime) -> None:
    """Close an account and end its sessions; what the person did stays recorded.

    Raises OwnAccount, LastAdministrator, AccountUnknown.
    """
    administrators = _lock_administrators(session)
    person = account(session, username, lock=True)
    if person.username == actor:
        raise OwnAccount
    if administrators == {person.username}:
        raise LastAdministrator(username=person.username)
    if person.deactivated_at is None:
        person.deactivated_at = now
        _end_sessions(session, person)
        _record(session, actor, 'staff.deactivate', person, now)


def reactivate(session: Session, *, username: str, actor: str, now: datetime) -> None:
    """Open a closed account again.  Raises AccountUnknown."""
    person = account(session, username, lock=True)
    if person.deactivated_at is not None:
        person.deactivated_at = None
        _record(session, actor, 'staff.reactivate', person, now)


def has_administrator(session: Session) -> bool:
    """Whether anybody can manage accounts."""
    return bool(_lock_administrators(session))


def _lock_administrators(session: Session) -> set[str]:
    """User names of the active administrators, held until the end of the transaction."""
    query = (
        sa.select(Staff)
        .join(StaffRole)
        .where(StaffRole.role == 'administrator', Staff.deactivated_at.is_(None))
        .order_by(Staff.id)
        .with_for_update(of=Staff)
    )
    return {person.username for person in session.scalars(query)}


def _record(
    session: Session,
    actor: str,
    action: str,
    person: Staff,
    now: datetime,
    details: Mapping[str, object] | None = None,
) -> None:
    subject = f'staff:{person.username}'
    audit.record(session, actor=actor, action=action, subject=subject, now=now, details=details)
