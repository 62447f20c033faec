"""Signing in, one's own password, the accounts, and what is waiting."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import (
    Blueprint,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from cixi_survey import access, audit, clock, database, i18n
from cixi_survey.access import SignedIn, public, requires
from cixi_survey.errors import ProblemsFound
from cixi_survey.limits import limiter
from cixi_survey.models import Staff
from cixi_survey.staff import accounts, trail, waiting
from cixi_survey.staff.forms import (
    ROLE_DUTIES,
    AccountForm,
    PasswordForm,
    RolesForm,
    SignInForm,
)

bp = Blueprint('staff', __name__, url_prefix='/staff')
NAVIGATION = (
    ('staff.home', 'staff.home', _l('What is waiting')),
    ('staff.manage', 'staff.list_accounts', _l('Accounts')),
    ('staff.manage', 'staff.audit_trail', _l('Record')),
)
FAILED = 401


def _account_key() -> str:
    typed = request.form.get('username', '').strip().lower()
    return 'account ' + hashlib.sha256(typed.encode()).hexdigest()[:32]


def _failed(response: Response) -> bool:
    return response.status_code == FAILED


def local_path(address: str | None) -> str:
    """``address`` when it is a path of this site, else the staff home."""
    home = url_for('staff.home')
    if not address or not address.startswith('/') or address.startswith('//'):
        return home
    parts = urlsplit(address.replace('\\', '/'))
    unsafe = parts.scheme or parts.netloc or any(ord(character) < 33 for character in address)
    return home if unsafe else address


@bp.route('/sign-in', methods=['GET', 'POST'])
@public
@i18n.shows_again
@limiter.limit('10/minute;60/hour', methods=['POST'], key_func=_account_key, deduct_when=_failed)
@limiter.limit(
    '20/minute;200/hour', methods=['POST'], key_func=get_remote_address, deduct_when=_failed
)
def sign_in() -> ResponseReturnValue:
    target = local_path(request.args.get('next'))
    if current_user.is_authenticated:
        return redirect(target, 303)
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template('staff/sign_in.html', form=form), 422 if form.errors else 200
    now = clock.now()
    try:
        with database.reading() as session:
            verified = accounts.verify(
                session, username=form.username.data, password=form.password.data
            )
        with database.transaction() as session:
            person = SignedIn(accounts.sign_in(session, verified, now=now))
    except accounts.WrongPassword:
        message = _('User name and password do not belong together. Check both and try again.')
        form.password.errors = [message]
        return render_template('staff/sign_in.html', form=form), FAILED
    cookie.clear()
    login_user(person)
    return redirect(target, 303)


@bp.post('/sign-out')
@requires('staff.home')
def sign_out() -> ResponseReturnValue:
    with database.transaction() as session:
        accounts.sign_out(session, session_id=access.signed_in().session_id)
    logout_user()
    cookie.clear()
    return redirect(url_for('staff.sign_in'), 303)


@bp.post('/sign-out-everywhere')
@requires('staff.home')
def sign_out_everywhere() -> ResponseReturnValue:
    with database.transaction() as session:
        accounts.sign_out_everywhere(session, username=access.signed_in().username, now=clock.now())
    logout_user()
    cookie.clear()
    return redirect(url_for('staff.sign_in'), 303)


@bp.route('/password', methods=['GET', 'POST'])
@requires('staff.home')
@i18n.shows_again
@limiter.limit('20/hour', methods=['POST'], key_func=lambda: access.signed_in().username)
def change_password() -> ResponseReturnValue:
    form = PasswordForm()
    person = access.signed_in()
    if form.validate_on_submit():
        try:
            with database.transaction() as session:
                accounts.change_password(
                    session,
                    username=person.username,
                    old=form.old.data,
                    new=form.password.data,
                    session_id=person.session_id,
                    now=clock.now(),
                )
        except ProblemsFound as found:
            form.show(found.problems)
        else:
            flash(_('Your password is changed. Other browsers were signed out.'), 'success')
            return redirect(url_for('staff.home'), 303)
    page = render_template('staff/change_password.html', form=form, person=person)
    return page, 422 if form.errors else 200


@bp.get('')
@requires('staff.home')
def home() -> ResponseReturnValue:
    with database.reading() as session:
        waves = waiting.waves(session, clock.now())
    return render_template(
        'staff/home.html',
        waves=waves,
        state_names=waiting.STATE_NAMES,
        role_names=access.ROLE_NAMES,
        person=access.signed_in(),
    )


@bp.get('/accounts')
@requires('staff.manage')
def list_accounts() -> ResponseReturnValue:
    with database.reading() as session:
        query = sa.select(Staff).order_by(Staff.deactivated_at.is_not(None), Staff.username)
        people = session.scalars(query).all()
    return render_template('staff/accounts.html', people=people, role_names=access.ROLE_NAMES)


@bp.route('/accounts/new', methods=['GET', 'POST'])
@requires('staff.manage')
@i18n.shows_again
def create_account() -> ResponseReturnValue:
    form = AccountForm()
    if form.validate_on_submit():
        password = accounts.generate_password()
        try:
            with database.transaction() as session:
                person = accounts.create(
                    session,
                    username=form.username.data,
                    name=form.name.data,
                    password=password,
                    roles=form.roles.data,
                    actor=access.signed_in().username,
                    now=clock.now(),
                    must_change_password=True,
                )
        except ProblemsFound as found:
            form.show(found.problems)
        else:
            return render_template('staff/one_time_password.html', person=person, password=password)
    page = render_template('staff/create_account.html', form=form, duties=ROLE_DUTIES)
    return page, 422 if form.errors else 200


@bp.route('/accounts/<username>', methods=['GET', 'POST'])
@requires('staff.manage')
@i18n.shows_again
def edit_account(username: str) -> ResponseReturnValue:
    with database.reading() as session:
        person = accounts.account(session, username)
    form = RolesForm(roles=[role.role for role in person.roles])
    if form.validate_on_submit():
        try:
            with database.transaction() as session:
                accounts.set_roles(
                    session,
                    username=username,
                    roles=form.roles.data,
                    actor=access.signed_in().username,
                    now=clock.now(),
                )
        except ProblemsFound as found:
            form.show(found.problems)
        else:
            flash(_('The roles of %(username)s are changed.', username=username), 'success')
            return redirect(url_for('staff.list_accounts'), 303)
    page = render_template('staff/edit_account.html', form=form, person=person, duties=ROLE_DUTIES)
    return page, 422 if form.errors else 200


@bp.post('/accounts/<username>/deactivate')
@requires('staff.manage')
def deactivate_account(username: str) -> ResponseReturnValue:
    actor = access.signed_in().username
    with database.transaction() as session:
        accounts.deactivate(session, username=username, actor=actor, now=clock.now())
    flash(_('The account %(username)s is deactivated.', username=username), 'success')
    return redirect(url_for('staff.list_accounts'), 303)


@bp.post('/accounts/<username>/reactivate')
@requires('staff.manage')
def reactivate_account(username: str) -> ResponseReturnValue:
    actor = access.signed_in().username
    with database.transaction() as session:
        accounts.reactivate(session, username=username, actor=actor, now=clock.now())
    flash(_('The account %(username)s is active again.', username=username), 'success')
    return redirect(url_for('staff.list_accounts'), 303)


@bp.post('/accounts/<username>/password')
@requires('staff.manage')
def reset_password(username: str) -> ResponseReturnValue:
    password = accounts.generate_password()
    with database.transaction() as session:
        accounts.reset_password(
            session,
            username=username,
            password=password,
            actor=access.signed_in().username,
            now=clock.now(),
        )
        person = accounts.account(session, username)
    return render_template('staff/one_time_password.html', person=person, password=password)


@bp.get('/audit')
@requires('staff.manage')
def audit_trail() -> ResponseReturnValue:
    verify = 'verify' in request.args
    with database.reading() as session:
        page = trail.page(session, request.args.get('page', 1, type=int))
        broken = audit.broken_at(session) if verify else None
    return render_template(
        'staff/audit_trail.html',
        page=page,
        verified=verify,
        broken=broken,
        action_names=trail.ACTION_NAMES,
    )
