"""Signing up after the receipt, getting off the list, the record of a draw, the lists of staff."""

from __future__ import annotations

from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import access, clock, codes, database, i18n, limits
from cixi_survey.access import NotFound, public, requires, wave_for
from cixi_survey.contacts import lists, prizes, sign_up
from cixi_survey.contacts.address import Vault
from cixi_survey.contacts.forms import OfferForm, RemovalForm, SeedForm
from cixi_survey.errors import Problem, ProblemsFound

bp = Blueprint('contacts', __name__)
KEPT_DAYS = 120


def _vault() -> Vault:
    return Vault(str(current_app.config['SECRET_KEY']))


# --- residents ------------------------------------------------------------------------------------


@bp.route('/receipt/<reference>/contact', methods=['GET', 'POST'])
@public
@i18n.shows_again
def leave_contact(reference: str) -> ResponseReturnValue:
    """Leave a number or an address, apart from the answers."""
    limits.refuse_guessing('receipts')
    known = codes.normalise_reference(reference) or ''
    now = clock.now()
    try:
        with database.reading() as session:
            choice = sign_up.offered(session, known, now)
    except NotFound:
        limits.count_failure('receipts')
        raise
    except sign_up.AlreadyGiven as refusal:
        texts = i18n.refusal_texts(refusal)
        return render_template('contacts/given.html', reference=known, **texts), refusal.status
    wanted = request.form.getlist('purpose') or choice.only
    problems: tuple[Problem, ...] = ()
    if request.method == 'POST' and not i18n.switching():
        try:
            with database.transaction() as session:
                number = sign_up.sign_up(
                    session,
                    known,
                    request.form.get('contact', ''),
                    news='news' in wanted,
                    prize='prize' in wanted,
                    vault=_vault(),
                    now=now,
                )
        except ProblemsFound as found:
            problems = found.problems
        else:
            return _signed_up(choice, known, number, wanted)
    page = render_template(
        'contacts/sign_up.html',
        reference=known,
        choice=choice,
        given=request.form.get('contact', ''),
        wanted=wanted,
        problems=problems,
        errors={problem.where: i18n.problem_text(problem) for problem in problems},
    )
    return page, 422 if problems else 200


def _signed_up(
    choice: sign_up.Choice, reference: str, number: str, wanted: list[str]
) -> ResponseReturnValue:
    # The number is shown once and kept nowhere; a redirect would have to carry it in an address.
    return render_template(
        'contacts/signed_up.html', choice=choice, reference=reference, number=number, wanted=wanted
    )


@bp.route('/contact/remove', methods=['GET', 'POST'])
@public
@i18n.shows_again
def remove_contact() -> ResponseReturnValue:
    """Get off a list by the number that was shown when signing up."""
    form = RemovalForm()
    if form.validate_on_submit():
        limits.refuse_guessing('removals')
        receipt = form.receipt.data or ''
        try:
            with database.transaction() as session:
                sign_up.remove(session, form.number.data, receipt, vault=_vault())
        except (sign_up.NotOnTheList, sign_up.NotSignedUp) as refusal:
            limits.count_failure('removals')
            wrong = form.receipt if isinstance(refusal, sign_up.NotSignedUp) else form.number
            wrong.errors = [' '.join(i18n.refusal_texts(refusal).values())]
        else:
            again = codes.normalise_reference(receipt)
            return render_template('contacts/removed.html', again=again)
    elif request.method == 'GET':
        form.receipt.data = request.args.get('receipt', '')
    return render_template('contacts/remove.html', form=form), 422 if form.errors else 200


@bp.get('/draw/<slug>')
@public
def public_draw(slug: str) -> ResponseReturnValue:
    """How a prize draw was made: rules, entries, seed, the last characters of the winners."""
    with database.reading() as session:
        wave, offer, made = prizes.public_record(session, slug)
    return render_template('contacts/draw.html', wave=wave, offer=offer, draw=made)


# --- staff ----------------------------------------------------------------------------------------


@bp.get('/staff/waves/<slug>/contacts')
@requires('contacts.see')
def show_lists(slug: str) -> ResponseReturnValue:
    """What is offered and how many signed up; the contacts themselves are never shown."""
    with database.reading() as session:
        found = lists.of(session, slug)
    return _lists_page(found, SeedForm())


def _lists_page(found: lists.Lists, seed: SeedForm) -> str:
    person = access.signed_in()
    return render_template(
        'contacts/lists.html',
        lists=found,
        wave=found.wave,
        seed=seed,
        may=person.may,
        drew=found.draw is not None and found.draw.drawn_by == person.staff_id,
    )


@bp.route('/staff/waves/<slug>/contacts/offer', methods=['GET', 'POST'])
@requires('contacts.manage')
@i18n.shows_again
def set_offer(slug: str) -> ResponseReturnValue:
    with database.reading() as session:
        found = lists.of(session, slug)
    if found.wave.state != 'planned':
        raise lists.OfferFixed(title=found.wave.title)
    form = OfferForm(obj=found.offer)
    if not form.is_submitted() and found.offer is None:
        form.news.data, form.prizes.data = True, 0
        form.keep_until.data = clock.local(found.wave.closes_at).date() + timedelta(KEPT_DAYS)
    if form.validate_on_submit():
        try:
            _change_offer(slug, form.offer())
        except ProblemsFound as problems:
            for problem in problems.problems:
                form[problem.where].errors = [i18n.problem_text(problem)]
        else:
            flash(_('What is offered is saved.'), 'success')
            return redirect(url_for('.show_lists', slug=slug), 303)
    page = render_template('contacts/offer.html', form=form, wave=found.wave, offer=found.offer)
    return page, 422 if form.errors else 200


@bp.post('/staff/waves/<slug>/contacts/offer/nothing')
@requires('contacts.manage')
def offer_nothing(slug: str) -> ResponseReturnValue:
    _change_offer(slug, None)
    flash(_('Nothing is offered any more.'), 'success')
    return redirect(url_for('.show_lists', slug=slug), 303)


def _change_offer(slug: str, wanted: lists.Offer | None) -> None:
    actor = access.signed_in().username
    with database.transaction() as session:
        lists.offer(session, slug, wanted, actor=actor, now=clock.now())


@bp.post('/staff/waves/<slug>/contacts/draw')
@requires('contacts.manage')
def draw_prizes(slug: str) -> ResponseReturnValue:
    form = SeedForm()
    person = access.signed_in()
    if not form.validate_on_submit():
        with database.reading() as session:
            found = lists.of(session, slug)
        return _lists_page(found, form), 422
    with database.transaction() as session:
        prizes.draw(
            session,
            slug,
            form.seed.data,
            vault=_vault(),
            actor=person.username,
            staff_id=person.staff_id,
            now=clock.now(),
        )
    flash(_('The prizes are drawn. A second person must confirm the draw.'), 'success')
    return redirect(url_for('.show_lists', slug=slug), 303)


@bp.post('/staff/waves/<slug>/contacts/confirm')
@requires('contacts.confirm')
def confirm_draw(slug: str) -> ResponseReturnValue:
    person = access.signed_in()
    with database.transaction() as session:
        prizes.confirm(
            session, slug, actor=person.username, staff_id=person.staff_id, now=clock.now()
        )
    flash(_('The draw is confirmed and public.'), 'success')
    return redirect(url_for('.show_lists', slug=slug), 303)


@bp.post('/staff/waves/<slug>/contacts/winners.csv')
@requires('contacts.manage')
def winners_file(slug: str) -> ResponseReturnValue:
    return _taken_out(prizes.winners_file, slug)


@bp.post('/staff/waves/<slug>/contacts/news.csv')
@requires('contacts.manage')
def news_file(slug: str) -> ResponseReturnValue:
    return _taken_out(lists.news_file, slug)


def _taken_out(make: object, slug: str) -> Response:
    actor = access.signed_in().username
    with database.transaction() as session:
        name, content = make(session, slug, vault=_vault(), actor=actor, now=clock.now())  # type: ignore[operator]
    response = make_response(content)
    response.mimetype = 'text/csv'
    response.headers['Content-Disposition'] = f'attachment; filename="{name}"'
    return response


@bp.route('/staff/waves/<slug>/contacts/delete', methods=['GET', 'POST'])
@requires('contacts.manage')
def delete_contacts(slug: str) -> ResponseReturnValue:
    if request.method == 'POST':
        actor = access.signed_in().username
        with database.transaction() as session:
            count = lists.purge_now(session, slug, actor=actor, now=clock.now())
        database.get().scrub('contact')
        flash(_('%(count)s contacts are deleted.', count=count), 'success')
        return redirect(url_for('.show_lists', slug=slug), 303)
    with database.reading() as session:
        wave = wave_for(session, slug)
        found = lists.of(session, slug)
    return render_template('contacts/delete.html', wave=wave, lists=found)
