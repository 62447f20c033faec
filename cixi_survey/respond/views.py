"""Answering: the two doors, the questionnaire, its drafts, the receipt and the withdrawal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlencode

from flask import (
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf

from cixi_survey import clock, codes, database, error_pages, i18n, limits, pages
from cixi_survey.access import (
    NotFound,
    public,
    token_checked_in_view,
    token_is_stale,
    wave_for,
)
from cixi_survey.codes import CodeMistyped
from cixi_survey.errors import Problem, ProblemsFound, Refusal
from cixi_survey.models import Invitation, Wave
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.respond import (
    drafts,
    page,
    picture,
    posted,
    receipts,
    submit,
    tickets,
    trial_views,
    withdrawal,
)
from cixi_survey.respond import entrance as doors
from cixi_survey.respond.blueprint import bp
from cixi_survey.respond.drafts import AlreadySent, Saved, StaleDraft
from cixi_survey.respond.entrance import CodeUnknown, Entrance
from cixi_survey.respond.posted import Posted
from cixi_survey.respond.receipts import ReceiptView
from cixi_survey.respond.tickets import Ticket

__all__ = ['bp', 'trial_views']

KNOWN_SECONDS = 3600
FRESH_SECONDS = 600
TICKET_COOKIE = 'ticket'


@bp.route('/i', methods=['GET', 'POST'])
@public
@i18n.shows_again
@token_checked_in_view
def enter_code() -> ResponseReturnValue:
    """Type a code.  It only leads on to the questionnaire, so an old page does no harm here."""
    given = request.values.get('code', '')
    if i18n.switching():
        return _entry_page()
    if not given.strip():
        if request.method == 'POST':
            return _entry_page(missing=True, status=400 if token_is_stale() else 422)
        return _entry_page()
    return redirect(url_for('.by_code', code=codes.normalise(given)), 303)


@bp.get('/i/<code>')
@public
def by_code(code: str) -> ResponseReturnValue:
    """The questionnaire of an invitation.  Opening it spends and writes nothing."""
    return _open(_invited(code))


@bp.post('/i/<code>')
@public
@token_checked_in_view
def send_by_code(code: str) -> ResponseReturnValue:
    return _posted(_invited(code))


@bp.post('/i/<code>/draft')
@public
@token_checked_in_view
def save_by_code(code: str) -> ResponseReturnValue:
    return _save_in_background(_invited(code))


@bp.get('/s/<slug>')
@public
def open_link(slug: str) -> ResponseReturnValue:
    """The questionnaire of a wave by its open link or a poster."""
    return _open(Entrance(slug=slug))


@bp.post('/s/<slug>')
@public
@token_checked_in_view
def send_open(slug: str) -> ResponseReturnValue:
    return _posted(Entrance(slug=slug))


@bp.post('/s/<slug>/draft')
@public
@token_checked_in_view
def save_open(slug: str) -> ResponseReturnValue:
    return _save_in_background(Entrance(slug=slug))


@bp.get('/s/<slug>/goodbye/<int:rule>')
@public
def goodbye(slug: str, rule: int) -> ResponseReturnValue:
    """For whom nothing may be kept of: thanks, and why the survey ends here; for all the same."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        questionnaire = doors.questionnaire_of(session, wave)
    ends = questionnaire.screening[rule : rule + 1]
    if wave.state == 'planned' or not ends or ends[0].keep != 'outcome':
        raise NotFound
    return render_template('respond/goodbye.html', message=ends[0].message)


@bp.get('/s/<slug>/picture.png')
@public
def picture_to_share(slug: str) -> ResponseReturnValue:
    """A picture of the survey to pass on, with its open link as a code; for everybody the same."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        questionnaire = doors.questionnaire_of(session, wave)
    if not wave.open_link or not wave.is_open(clock.now()):
        raise NotFound
    content = picture.png(
        service=_('Cixi Eco-civilisation Survey'),
        title=i18n.localised(wave.title),
        lines=(
            _('I have answered. And you?'),
            _('About %(minutes)s minutes', minutes=questionnaire.minutes),
            _('Open until %(closes_at)s, Beijing time', closes_at=i18n.moment(wave.closes_at)),
        ),
        address=pages.site_url() + url_for('.open_link', slug=slug),
    )
    headers = {'Content-Type': 'image/png', 'Cache-Control': 'private, max-age=3600'}
    return content, 200, headers


@bp.get('/worker.js')
@public
def worker() -> Response:
    """The service worker of both doors, or the one that takes it and what it kept away.

    It stands at the root because a worker may only serve addresses below its own.
    """
    response = current_app.send_static_file(
        'worker.js' if current_app.config['OFFLINE'] else 'no-worker.js'
    )
    response.headers['Cache-Control'] = 'no-cache'
    return response


@bp.get('/receipt/<reference>')
@public
def receipt(reference: str) -> ResponseReturnValue:
    """What was received, without what was answered; the right answers, for everyone to learn."""
    found = _receipt(reference, mine=_is_fresh(reference))
    return render_template('respond/receipt.html', receipt=found)


@bp.get('/receipt/<reference>/withdraw')
@public
def ask_to_withdraw(reference: str) -> ResponseReturnValue:
    found = _receipt(reference)
    if found.withdrawn_at:
        return redirect(url_for('.receipt', reference=found.reference), 303)
    if found.sealed:
        raise withdrawal.TooLateToWithdraw(ended_at=found.ended_at)
    return render_template('respond/withdraw.html', receipt=found)


@bp.post('/receipt/<reference>/withdraw')
@public
def withdraw(reference: str) -> ResponseReturnValue:
    found = _receipt(reference)
    with database.transaction() as session:
        withdrawal.withdraw(session, found.reference, secret_key=_secret(), now=clock.now())
    _forget_survey(found.reference)
    return redirect(url_for('.receipt', reference=found.reference), 303)


@bp.route('/withdraw', methods=['GET', 'POST'])
@public
@token_checked_in_view
def enter_receipt() -> ResponseReturnValue:
    """Type the number of a receipt.  It only leads on, so an old page does no harm here."""
    given = request.values.get('receipt', '')
    if not given.strip():
        if request.method == 'POST':
            return _receipt_page('', missing=True, status=400 if token_is_stale() else 422)
        return _receipt_page('', status=200)
    if codes.is_code(given):
        return _receipt_page(given, personal=True, status=422)
    try:
        found = _receipt(given)
    except NotFound:
        return _receipt_page(given, unknown=True, status=422)
    return redirect(url_for('.ask_to_withdraw', reference=found.reference), 303)


# --- showing --------------------------------------------------------------------------------------


def _invited(given: str) -> Entrance:
    code = codes.normalise(given)
    return Entrance(code_hash=codes.hashed(code, _secret()), given=codes.grouped(code))


def _secret() -> str:
    return str(current_app.config['SECRET_KEY'])


def _open(entrance: Entrance) -> Response:
    """GET: the form, empty or with the draft; writes nothing."""
    now = clock.now()
    with database.reading() as session:
        wave, invitation = doors.find(session, entrance)
        doors.let_in(wave, invitation, now)
        questionnaire = doors.questionnaire_of(session, wave)
        held = tickets.read(request.cookies.get(TICKET_COOKIE, ''), entrance.door(wave), _secret())
        draft = None
        if invitation or held:
            submission_id = held.submission_id if held else ''
            draft = drafts.resume(session, submission_id, invitation)
    ticket = tickets.issue(
        entrance.door(wave), _secret(), now, draft.submission_id if draft else ''
    )
    state = page.State(ticket.text)
    if 'empty' in request.args:
        return page.empty(wave, questionnaire, state)
    if draft:
        switched = 'lang' in request.args or 'elder' in request.args
        notice = 'saved' if 'saved' in request.args else '' if switched else 'resumed'
        state = page.resumed(ticket, draft, notice)
    elif before := _sent_before(wave):
        state = page.State(ticket.text, notice='sent_before', receipt=before)
    return page.show(wave, questionnaire, state)


def _sent_before(wave: Wave) -> str:
    """The receipt of what this browser sent to the wave lately, so that nobody sends twice."""
    if 'receipts' not in cookie:
        return ''
    return next((ref for ref, of, _at in reversed(cookie['receipts']) if of == wave.slug), '')


def _forget_survey(reference: str) -> None:
    """What was withdrawn is no reason to ask whether this person has answered already."""
    if 'receipts' in cookie:
        cookie['receipts'] = [
            [ref, '' if ref == reference else of, at] for ref, of, at in cookie['receipts']
        ]


def _entry_page(
    error: Refusal | None = None, missing: bool = False, status: int = 200
) -> ResponseReturnValue:
    texts = i18n.refusal_texts(error) if error else {}
    given = request.values.get('code', '') or (request.view_args or {}).get('code', '')
    body = render_template(
        'respond/entry.html', error=error, texts=texts, missing=missing, given=given[:40]
    )
    return body, status


def _receipt_page(
    given: str,
    *,
    missing: bool = False,
    personal: bool = False,
    unknown: bool = False,
    status: int,
) -> ResponseReturnValue:
    body = render_template(
        'respond/enter_receipt.html',
        given=given[:40],
        missing=missing,
        personal=personal,
        unknown=unknown,
    )
    return body, status


# --- taking ---------------------------------------------------------------------------------------


def _posted(entrance: Entrance) -> ResponseReturnValue:
    """POST: send, or (without JavaScript) keep the answers and come back in another dress."""
    given = posted.read()
    stale = token_is_stale()
    wave, invitation, questionnaire = _look(entrance)
    ticket = tickets.read(given.ticket, entrance.door(wave), _secret())
    if stale or ticket is None:
        return _stale_page(entrance, wave, questionnaire, given, invitation)
    if given.do == 'anew':
        return _begin_anew(wave, ticket, invitation, given.revision)
    if given.do != 'send':
        return _keep_and_return(entrance, wave, ticket, given)
    try:
        with database.transaction() as session:
            submission = submit.Submission(
                ticket.submission_id,
                given.raw,
                ticket.issued_at,
                i18n.language(),
                posted.channel(),
            )
            taken = submit.submit(session, entrance, submission, clock.now())
    except ProblemsFound as found:
        return _problems_page(wave, questionnaire, ticket, given, found.problems)
    if isinstance(taken, submit.Thanked):
        return _say_goodbye(wave, questionnaire, taken.rule)
    return _thank(wave, taken.reference)


def _look(entrance: Entrance) -> tuple[Wave, Invitation | None, Questionnaire]:
    with database.reading() as session:
        wave, invitation = doors.find(session, entrance)
        return wave, invitation, doors.questionnaire_of(session, wave)


def _thank(wave: Wave, reference: str) -> ResponseReturnValue:
    known = [entry for entry in cookie.get('receipts', []) if entry[0] != reference]
    cookie['receipts'] = [*known[-4:], [reference, wave.slug, int(time.time())]]
    cookie['fresh'] = [reference, int(time.time())]
    address = url_for('.receipt', reference=reference)
    response: Response = (
        jsonify(receipt=address, reference=codes.grouped(reference))  # type: ignore[assignment]
        if error_pages.wants_json()
        else redirect(address, 303)
    )
    return _without_ticket(response, wave)


def _say_goodbye(wave: Wave, questionnaire: Questionnaire, rule: int) -> ResponseReturnValue:
    """Nothing was kept: no receipt, no cookie, only the page that says so."""
    address = url_for('.goodbye', slug=wave.slug, rule=rule)
    said = i18n.localised(questionnaire.screening[rule].message)
    response: Response = (
        jsonify(goodbye=address, title=_('Thank you!'), message=said)  # type: ignore[assignment]
        if error_pages.wants_json()
        else redirect(address, 303)
    )
    return _without_ticket(response, wave)


def _stale_page(
    entrance: Entrance,
    wave: Wave,
    questionnaire: Questionnaire,
    given: Posted,
    invitation: Invitation | None,
) -> ResponseReturnValue:
    """The same form with everything typed and what a good sending needs; nothing was stored."""
    now = clock.now()
    ticket = tickets.read(given.ticket, entrance.door(wave), _secret())
    ticket = ticket or tickets.issue(entrance.door(wave), _secret(), now)
    if error_pages.wants_json():
        # Also at a door that is shut by now: what came through it before still has its receipt.
        return _fresh_tokens(ticket)
    doors.let_in(wave, invitation, now)
    notice = 'stale' if request.cookies else 'no_cookies'
    state = page.State(ticket.text, given.revision, given.section, given.raw, notice=notice)
    return page.show(wave, questionnaire, state), 400


def _fresh_tokens(ticket: Ticket) -> ResponseReturnValue:
    refusal = error_pages.StalePage() if request.cookies else error_pages.NoCookies()
    texts = i18n.refusal_texts(refusal)
    return jsonify(error=refusal.code, csrf_token=generate_csrf(), ticket=ticket.text, **texts), 400


def _problems_page(
    wave: Wave,
    questionnaire: Questionnaire,
    ticket: Ticket,
    given: Posted,
    problems: Sequence[Problem],
) -> ResponseReturnValue:
    if error_pages.wants_json():
        shown = [{'name': name, 'message': text} for name, _question, text in page.told(problems)]
        return jsonify(error='problems', problems=shown), 422
    state = page.State(ticket.text, given.revision, given.section, given.raw, tuple(problems))
    return page.show(wave, questionnaire, state), 422


def _keep_and_return(
    entrance: Entrance, wave: Wave, ticket: Ticket, given: Posted
) -> ResponseReturnValue:
    """Keep a draft and lead back to the form: in another language or size, or to go on later."""
    what, _colon, value = given.do.partition(':')
    switches = what in {'lang', 'elder'}
    revision = given.revision
    if what == 'keep' and value.isdecimal():
        revision = int(value)
    untouched = not revision and not any(
        text.strip() for texts in given.raw.values() for text in texts
    )
    try:
        saved = None if switches and untouched else _save(entrance, ticket, given, revision)
    except StaleDraft as stale:
        i18n.switch(given.do)
        return page.choose(wave, stale, given, ticket), stale.status
    query = {'c': request.args['c']} if 'c' in request.args else {}
    query |= {what: value} if switches else {'saved': '1'}
    response = make_response(redirect(f'{request.path}?{urlencode(query)}', 303))
    return _hold(response, entrance, wave, ticket, saved)


def _begin_anew(
    wave: Wave, ticket: Ticket, invitation: Invitation | None, revision: int
) -> ResponseReturnValue:
    """For the next person at a phone or with a letter: what the one before left unsent goes."""
    with database.transaction() as session:
        drafts.discard(session, ticket.submission_id, invitation, revision)
    query = {'c': request.args['c']} if 'c' in request.args else {}
    address = f'{request.path}?{urlencode(query)}' if query else request.path
    response: Response = (
        jsonify(anew=address) if error_pages.wants_json() else redirect(address, 303)  # type: ignore[assignment]
    )
    return _without_ticket(response, wave)


def _without_ticket(response: Response, wave: Wave) -> Response:
    if TICKET_COOKIE in request.cookies:
        path = url_for('.open_link', slug=wave.slug)
        response.delete_cookie(TICKET_COOKIE, path=path, httponly=True, samesite='Lax')
    return response


def _save_in_background(entrance: Entrance) -> ResponseReturnValue:
    """The page's script saves a section; JSON whatever happens."""
    given = posted.read()
    stale = token_is_stale()
    wave, invitation, _questionnaire = _look(entrance)
    ticket = tickets.read(given.ticket, entrance.door(wave), _secret())
    if stale or ticket is None:
        now = clock.now()
        doors.let_in(wave, invitation, now)
        return _fresh_tokens(ticket or tickets.issue(entrance.door(wave), _secret(), now))
    try:
        saved = _save(entrance, ticket, given, given.revision)
    except StaleDraft as conflict:
        current = conflict.current
        return jsonify(
            error=conflict.code,
            revision=current.revision,
            answers=current.answers,
            saved_at=i18n.moment(current.saved_at),
            **i18n.refusal_texts(conflict),
        ), conflict.status
    if saved is None:
        return jsonify(revision=0, kept=False)
    response = jsonify(revision=saved.revision, saved_at=i18n.moment(saved.saved_at))
    return _hold(response, entrance, wave, ticket, saved)


def _hold(
    response: Response, entrance: Entrance, wave: Wave, ticket: Ticket, saved: Saved | None
) -> ResponseReturnValue:
    """Let this browser find its draft again; an invitation needs no cookie for that."""
    if saved is not None and not entrance.code_hash:
        response.set_cookie(
            TICKET_COOKIE,
            ticket.text,
            path=url_for('.open_link', slug=wave.slug),
            max_age=wave.closes_at - saved.saved_at,
            secure=request.is_secure,
            httponly=True,
            samesite='Lax',
        )
    return response


def _save(entrance: Entrance, ticket: Ticket, given: Posted, revision: int) -> Saved | None:
    with database.transaction() as session:
        return drafts.save(
            session,
            entrance,
            submission_id=ticket.submission_id,
            raw=given.raw,
            section=given.section,
            revision=revision,
            started_at=ticket.issued_at,
            channel=posted.channel(),
            now=clock.now(),
        )


# --- turning away ---------------------------------------------------------------------------------


def _receipt(given: str, *, mine: bool = False) -> ReceiptView:
    """The receipt meant.  Nobody may look for those of others by trying: unlike a code, a number
    that was guessed could do harm, so after too many failures only one's own is shown.
    """
    reference = codes.normalise_reference(given)
    if not _was_sent_here(given):
        limits.refuse_guessing('receipts')
    try:
        if reference is None:
            raise NotFound
        with database.reading() as session:
            return receipts.find(session, reference, mine=mine, now=clock.now())
    except NotFound:
        limits.count_failure('receipts')
        raise


def _is_fresh(given: str) -> bool:
    """Whether this browser has just sent it and shows its receipt for the first time.

    Answers are marked only then: the next person at a shared phone must not read them.
    """
    if 'fresh' not in cookie:
        return False
    reference, at = cookie.pop('fresh')
    recent: bool = time.time() - at < FRESH_SECONDS
    return recent and bool(reference == codes.normalise_reference(given))


def _was_sent_here(given: str) -> bool:
    """Whether this browser sent it within the hour: then its number was not guessed."""
    reference = codes.normalise_reference(given)
    now = time.time()
    return any(
        ref == reference and now - at < KNOWN_SECONDS
        for ref, _wave, at in cookie.get('receipts', [])
    )


@bp.errorhandler(CodeMistyped)
@bp.errorhandler(CodeUnknown)
def _wrong_code(error: Refusal) -> ResponseReturnValue:
    """Ask again.  Failures are counted by address; a good code is never held up by them."""
    try:
        limits.refuse_guessing('codes')
    except limits.TooMany as too_many:
        return error_pages.show_refusal(too_many)
    limits.count_failure('codes')
    if error_pages.wants_json():
        return error_pages.show_refusal(error)
    typed = request.endpoint == f'{bp.name}.enter_code'
    return _entry_page(error, status=422 if typed else error.status)


@bp.errorhandler(doors.TurnedAway)
@bp.errorhandler(submit.OtherAnswers)
@bp.errorhandler(withdrawal.TooLateToWithdraw)
@bp.errorhandler(AlreadySent)
def _turned_away(error: Refusal) -> ResponseReturnValue:
    texts = i18n.refusal_texts(error)
    if error_pages.wants_json():
        reference = getattr(error, 'reference', '')
        receipt = url_for('.receipt', reference=reference) if reference else ''
        return jsonify(error=error.code, receipt=receipt, **texts), error.status
    return render_template('respond/turned_away.html', error=error, **texts), error.status
