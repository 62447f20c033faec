"""Drawing a sample, and the codes of its units."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from cixi_survey import access, clock, codes, database, i18n, pages, places, qr
from cixi_survey.access import requires, wave_for
from cixi_survey.errors import Problem, ProblemsFound, Term
from cixi_survey.models import Wave, WaveStratum
from cixi_survey.questionnaire import definition
from cixi_survey.waves import (
    decided,
    draw,
    frame,
    lifecycle,
    planner,
    printing,
    reserve,
    villages,
)
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import CodesForm, DrawForm
from cixi_survey.waves.viewing import changeable, csv_file, load


@bp.route('/waves/<slug>/draw', methods=['GET', 'POST'])
@requires('wave.manage')
def draw_sample(slug: str) -> ResponseReturnValue:
    """A GET with the numbers shows the allocation; a POST draws.

    A wave whose villages were drawn has another page.
    """
    with database.reading() as session:
        if villages.drawn(session, wave_for(session, slug)) is not None:
            return redirect(url_for('waves.draw_persons', slug=slug), 303)
    form = _draw_form(slug)
    allocation = None
    problems: tuple[Problem, ...] = ()
    asked = request.method == 'POST' or 'preview' in request.args
    if asked and form.validate():
        try:
            if request.method == 'POST':
                return _draw(slug, form)
            with database.reading() as session:
                allocation = draw.allocate(
                    session,
                    wave_for(session, slug),
                    method=form.method.data,
                    total=form.total.data,
                    minimum=max(form.minimum.data, 2),
                    response=form.response.data,
                )
        except ProblemsFound as found:
            form.show(found.problems)
    with database.reading() as session:
        wave = changeable(session, slug)
        drawn = draw.drawn(session, wave)
        stored = frame.stored_frame(session, wave)
        replicate = reserve.replicate(session, wave, drawn) if drawn else (0, 0)
    if stored is None or not wave.strata:
        raise draw.NothingToDrawFrom
    page = render_template(
        'waves/draw.html',
        wave=wave,
        form=form,
        allocation=allocation,
        drawn=drawn,
        rule=decided.rule(drawn.reserve) if drawn else '',
        replicate=replicate,
        planned_replicate=_planned_replicate(form, allocation),
        stored=stored,
        problems=problems,
        deff=draw.ASSUMED_DEFF,
        method_names=draw.METHOD_NAMES,
        towns=places.towns(),
    )
    return page, 422 if asked and form.errors else 200


def _planned_replicate(form: DrawForm, allocation: draw.Allocation | None) -> int:
    """Units of a replicate as the form has it, before anything is drawn."""
    kept = form.rule() if allocation else None
    if allocation is None or kept is None:
        return 0
    rule = reserve.Rule.of_kept(kept)
    return sum(rule.size(row.n, row.units) for row in allocation.shares)


def _draw_form(slug: str) -> DrawForm:
    """The form from the POST or from the address; for the first look with our suggestion."""
    if request.method == 'POST':
        return DrawForm()
    if 'preview' in request.args:
        return DrawForm(request.args, meta={'csrf': False})
    with database.reading() as session:
        wave = wave_for(session, slug)
        plan, towns = planner.kept(session, slug), len(wave.strata)
    response = round(100 * planner.asked_before(plan).response) if plan else draw.DEFAULT_RESPONSE
    total = plan.addresses if plan else -(-wave.target_n * 100 // response)
    return DrawForm(
        formdata=None,
        method='power',
        total=total,
        minimum=min(draw.DEFAULT_MINIMUM, total // max(towns, 1)),
        response=response,
    )


def _draw(slug: str, form: DrawForm) -> ResponseReturnValue:
    person = access.signed_in()
    with database.transaction() as session:
        made = draw.draw(
            session,
            slug,
            method=form.method.data,
            total=form.total.data,
            minimum=form.minimum.data,
            seed=form.seed.data,
            reserve=form.rule(),
            actor=person.username,
            now=clock.now(),
            staff_id=person.staff_id,
        )
    text = _('The sample is drawn with the seed %(seed)s. Now make the codes.', seed=made.seed)
    flash(text, 'success')
    return redirect(url_for('waves.show_wave', slug=slug), 303)


@bp.route('/waves/<slug>/draw/discard', methods=['GET', 'POST'])
@requires('wave.manage')
def discard_sample(slug: str) -> ResponseReturnValue:
    if request.method == 'POST':
        with database.transaction() as session:
            draw.discard(session, slug, actor=access.signed_in().username, now=clock.now())
        flash(_('The sample is discarded.'), 'success')
        return redirect(url_for('waves.draw_sample', slug=slug), 303)
    with database.reading() as session:
        wave = changeable(session, slug)
        sampled, with_code = printing.counts(session, wave)
    return render_template(
        'waves/discard_sample.html', wave=wave, sampled=sampled, with_code=with_code
    )


@bp.route('/waves/<slug>/codes', methods=['GET', 'POST'])
@requires('wave.codes')
@i18n.shows_again
def make_codes(slug: str) -> ResponseReturnValue:
    """Make codes; the page that answers the POST is the only one that can hand them out."""
    form = CodesForm()
    with database.reading() as session:
        wave = wave_for(session, slug)
        load(wave)
        sampled, with_code = printing.counts(session, wave)
        making = printing.makings(session, wave)
        cautions = printing.cautions(session, wave, pages.site_url(), clock.now())
    if wave.state not in printing.INVITING:
        state = Term(lifecycle.STATE_NAMES[wave.state])
        raise printing.WaveOver(title=wave.title, state=state)
    form.town.choices = [
        SelectChoice('', _('all towns')),
        *(_town_choice(each) for each in wave.strata),
    ]
    if not form.validate_on_submit():
        return render_template(
            'waves/codes.html',
            wave=wave,
            form=form,
            sampled=sampled,
            with_code=with_code,
            making=making,
            cautions=cautions,
        )
    town = form.town.data or ''
    with database.transaction() as session:
        batch = printing.make_codes(
            session,
            slug,
            secret_key=_secret(),
            actor=access.signed_in().username,
            now=clock.now(),
            town=town,
            revoke=form.sure.data == 'yes',
            making=form.making.data,
        )
    with database.reading() as session:
        found = printing.slips(session, wave, key=batch.key, secret_key=_secret())
    towns: dict[str, list[printing.Slip]] = {}
    for slip in found:
        towns.setdefault(slip.town_code, []).append(slip)
    return render_template(
        'waves/codes_made.html',
        wave=wave,
        batch=batch,
        towns=towns,
        per_sheet=printing.SLIPS_PER_SHEET,
    )


def _town_choice(stratum: WaveStratum) -> SelectChoice:
    tag = i18n.foreign(stratum.name)
    name = i18n.localised(stratum.name)
    return SelectChoice(stratum.town_code, name, render_kw={'lang': tag} if tag else {})


def _secret() -> str:
    return str(current_app.config['SECRET_KEY'])


def _slips_asked(session: Session, wave: Wave) -> list[printing.Slip]:
    return printing.slips(
        session,
        wave,
        key=request.form.get('key', ''),
        secret_key=_secret(),
        town=request.form.get('town', ''),
    )


@bp.post('/waves/<slug>/codes.csv')
@requires('wave.codes')
def codes_file(slug: str) -> ResponseReturnValue:
    with database.reading() as session:
        found = _slips_asked(session, wave_for(session, slug))
    check_code = codes.check_code(slug, _secret())
    town = request.form.get('town') or 'all'
    content = printing.slips_file(found, pages.site_url(), check_code)
    return csv_file(content, f'{slug}-codes-{town}.csv')


@bp.post('/waves/<slug>/slips')
@requires('wave.codes')
def print_slips(slug: str) -> ResponseReturnValue:
    """The slips, ready to print and cut."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        load(wave)
        found = _slips_asked(session, wave)
        persons = printing.of_persons(session, wave)
    site, per_sheet = pages.site_url(), printing.SLIPS_PER_SHEET
    return render_template(
        'waves/slips.html',
        wave=wave,
        questionnaire=definition.from_canonical(wave.version.definition),
        sheets=[found[start : start + per_sheet] for start in range(0, len(found), per_sheet)],
        count=len(found),
        persons=persons,
        site=site,
        check_code=codes.check_code(wave.slug, _secret()),
        qr=lambda slip: qr.inline(printing.invitation_address(site, slip.code)),
    )
