"""Who may do what: one table from permission to roles, and the decorators that every view bears."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa
from flask import Flask, redirect, request, url_for
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.orm import Session

from cixi_survey import clock, database
from cixi_survey.errors import N_, Refusal, Term
from cixi_survey.models import StaffSession, Wave

P = ParamSpec('P')
T = TypeVar('T')

IDLE_HOURS = 8
BEFORE_OWN_PASSWORD = frozenset({'staff.change_password', 'staff.sign_out'})
csrf = CSRFProtect()
PERMISSIONS: dict[str, frozenset[str]] = {
    'staff.home': frozenset({'administrator', 'organiser', 'statistician'}),
    'staff.manage': frozenset({'administrator'}),
    'wave.see': frozenset({'administrator', 'organiser', 'statistician'}),
    'wave.manage': frozenset({'organiser'}),
    'wave.approve': frozenset({'administrator', 'organiser', 'statistician'}),
    'wave.codes': frozenset({'organiser'}),
    'questionnaire.see': frozenset({'administrator', 'organiser', 'statistician'}),
    'questionnaire.edit': frozenset({'organiser'}),
    'questionnaire.publish': frozenset({'organiser'}),
    'run.see': frozenset({'organiser', 'statistician'}),
    'run.make': frozenset({'statistician'}),
    'result.publish': frozenset({'statistician'}),
    'microdata.export': frozenset({'statistician'}),
    'contacts.see': frozenset({'administrator', 'organiser', 'statistician'}),
    'contacts.manage': frozenset({'organiser'}),
    'contacts.confirm': frozenset({'administrator', 'organiser'}),
}


ROLE_NAMES = {
    'administrator': N_('Administrator'),
    'organiser': N_('Organiser'),
    'statistician': N_('Statistician'),
}


class NotAllowed(Refusal):
    """The signed-in person lacks the permission."""

    status = 403
    code = 'not_allowed'
    title = N_('Your account may not do this')
    message = N_('This page needs one of the roles: %(roles)s.')
    cure = N_('Ask an administrator to give you the role, or sign in with another account.')


class NotFound(Refusal):
    """There is no such thing here."""

    status = 404
    code = 'not_found'
    title = N_('There is no such page')
    message = N_('The address may be mistyped, or the page may have been removed.')
    cure = N_('Go to the first page and look from there.')


class SignedIn(UserMixin):  # type: ignore[misc]
    """The person behind a request, as read once from the session table."""

    def __init__(self, session: StaffSession) -> None:
        self.session_id = session.id
        self.staff_id = session.staff.id
        self.username = session.staff.username
        self.name = session.staff.name
        self.must_change_password = session.staff.must_change_password
        self.roles = frozenset(role.role for role in session.staff.roles)

    def get_id(self) -> str:
        return self.session_id

    def may(self, permission: str) -> bool:
        return bool(self.roles & PERMISSIONS[permission])


def signed_in() -> SignedIn:
    """The person behind this request; only for views under ``requires``."""
    person: SignedIn = current_user._get_current_object()
    return person


def public(view: Callable[P, T]) -> Callable[P, T]:
    """State that everybody may open this view."""
    view.policy = 'public'  # type: ignore[attr-defined]
    return view


def requires(permission: str) -> Callable[[Callable[P, T]], Callable[P, Any]]:
    """State the permission that this view needs; ask strangers to sign in first."""
    roles = PERMISSIONS[permission]

    def decorate(view: Callable[P, T]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            if not current_user.is_authenticated:
                return redirect(url_for('staff.sign_in', next=_return_address()))
            if current_user.must_change_password and request.endpoint not in BEFORE_OWN_PASSWORD:
                return redirect(url_for('staff.change_password'))
            if not current_user.may(permission):
                raise NotAllowed(roles=[Term(ROLE_NAMES[role]) for role in sorted(roles)])
            return view(*args, **kwargs)

        guarded.policy = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def _return_address() -> str | None:
    return request.full_path.rstrip('?') if request.method == 'GET' else None


def wave_for(session: Session, slug: str, *, lock: bool = False) -> Wave:
    """The wave of an address.  Raises NotFound.  ``lock`` keeps others from changing its state."""
    query = sa.select(Wave).where(Wave.slug == slug)
    wave = session.scalars(query.with_for_update() if lock else query).first()
    if wave is None:
        raise NotFound
    return wave


def token_checked_in_view(view: Callable[P, T]) -> Callable[P, T]:
    """State that a POST view checks the CSRF token itself, by ``token_is_stale``.

    For pages whose typed contents must survive a stale token: the view shows them again.
    """
    view.checks_token = True  # type: ignore[attr-defined]
    csrf.exempt(view)
    return view


def token_is_stale() -> bool:
    """Whether the CSRF token of this request is missing, wrong, or from another session."""
    try:
        csrf.protect()
    except CSRFError:
        return True
    return False


def init_app(app: Flask) -> None:
    csrf.init_app(app)
    manager = LoginManager(app)
    manager.session_protection = None  # phones change their address within a session

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(session_id: str) -> SignedIn | None:
        now = clock.now()
        with database.reading() as session:
            found = session.get(StaffSession, session_id)
            if found is None or found.staff.deactivated_at is not None:
                return None
            idle = (now - found.seen_at).total_seconds()
            if idle > IDLE_HOURS * 3600:
                return None
            person = SignedIn(found)
        if idle > 300:
            with database.transaction() as session:
                session.execute(
                    sa.update(StaffSession).where(StaffSession.id == session_id).values(seen_at=now)
                )
        return person
