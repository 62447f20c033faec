"""Two stages: the villages of a wave are drawn, then persons in them; any draw is done again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from cixi_survey import access, clock, database, places
from cixi_survey.access import requires, wave_for
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import Wave
from cixi_survey.waves import (
    decided,
    draw,
    frame,
    planner,
    printing,
    repeat,
    reserve,
    stages,
    two_stage,
    villages,
)
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import SeedForm, StagesForm
from cixi_survey.waves.stages import Asked
from cixi_survey.waves.viewing import changeable, csv_file, load

SHARES_SHOWN = (5, 10, 20, 25, 33, 50)


@bp.route('/waves/<slug>/villages/draw', methods=['GET', 'POST'])
@requires('wave.manage')
def draw_villages(slug: str) -> ResponseReturnValue:
    """A GET with the numbers shows what follows; a POST draws the villages."""
    with database.reading() as session:
        wave = changeable(session, slug)
        found = stages.by_town(session, wave)
        if villages.drawn(session, wave) is not None:
            return _drawn_villages(session, wave)
        form = _stages_form(session, wave, found)
    planned = None
    if form.validate():
        try:
            asked = form.asked({town: len(mine) for town, mine in found.items()})
            if request.method == 'POST':
                return _draw_villages(slug, form, asked)
            with database.reading() as session:
                planned = stages.work_out(
                    session,
                    wave_for(session, slug),
                    asked,
                    response=form.response.data / 100,
                    rho=form.rho.data,
                )
        except ProblemsFound as problems:
            form.show(problems.problems)
    page = render_template(
        'waves/draw_villages.html',
        wave=wave,
        form=form,
        planned=planned,
        counts={town: len(mine) for town, mine in found.items()},
        ess=planner.ESS_EFFECTIVE,
    )
    return page, 422 if form.errors else 200


def _stages_form(
    session: Session, wave: Wave, found: Mapping[str, Sequence[villages.Village]]
) -> StagesForm:
    """The form from the POST or from the address; for the first look with our suggestion.

    ``general`` in the address asks to forget the numbers of single towns.
    """
    form = StagesForm.for_towns(found)
    if request.method == 'POST':
        return form()
    given = MultiDict(request.args)
    if 'general' in given:
        given = MultiDict({name: given.get(name, '') for name in StagesForm.GENERAL})
    elif 'villages' not in given:
        given = MultiDict(_suggested(session, wave, found))
    return form(given, meta={'csrf': False})


def _suggested(
    session: Session, wave: Wave, found: Mapping[str, Sequence[villages.Village]]
) -> dict[str, str]:
    """As many persons as the plan of the wave asks for, over the usual number of villages."""
    plan = planner.kept(session, wave.slug)
    response = round(100 * planner.asked_before(plan).response) if plan else draw.DEFAULT_RESPONSE
    addresses = plan.addresses if plan else wave.target_n * 100 / response
    number, up_to = stages.DEFAULT_VILLAGES, stages.DEFAULT_ALL_UP_TO
    drawn = sum(stages.usual(len(mine), number=number, all_up_to=up_to) for mine in found.values())
    persons = max(stages.LEAST_VILLAGES, math.ceil(addresses / drawn))
    values = {'villages': number, 'all_up_to': up_to, 'persons': persons, 'response': response}
    return {**{name: str(value) for name, value in values.items()}, 'rho': str(stages.DEFAULT_RHO)}


def _draw_villages(slug: str, form: StagesForm, asked: Mapping[str, Asked]) -> ResponseReturnValue:
    person = access.signed_in()
    with database.transaction() as session:
        made = two_stage.draw_villages(
            session,
            slug,
            asked,
            seed=form.seed.data,
            actor=person.username,
            now=clock.now(),
            staff_id=person.staff_id,
        )
    flash(_('The villages are drawn with the seed %(seed)s.', seed=made.seed), 'success')
    return redirect(url_for('waves.draw_villages', slug=slug), 303)


def _drawn_villages(session: Session, wave: Wave) -> ResponseReturnValue:
    """The page of a wave whose villages are drawn."""
    if request.method == 'POST':
        villages.refuse_if_drawn(session, wave)
    return render_template(
        'waves/drawn_villages.html',
        wave=wave,
        made=villages.drawn(session, wave),
        drawn=two_stage.of_wave(session, wave),
        sums=two_stage.sums(session, wave),
        sampled=draw.drawn(session, wave) is not None,
        names={code: name for code, (name, _town) in places.villages().items()},
    )


@bp.get('/waves/<slug>/villages/drawn.csv')
@requires('wave.see')
def drawn_villages_file(slug: str) -> ResponseReturnValue:
    """The drawn villages, for those who make their lists."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        if villages.drawn(session, wave) is None:
            raise two_stage.NoVillagesDrawn
        content = two_stage.drawn_file(session, wave)
    return csv_file(content, f'{slug}-villages.csv')


@bp.route('/waves/<slug>/villages/discard', methods=['GET', 'POST'])
@requires('wave.manage')
def discard_villages(slug: str) -> ResponseReturnValue:
    if request.method == 'POST':
        person = access.signed_in()
        with database.transaction() as session:
            two_stage.discard_villages(session, slug, actor=person.username, now=clock.now())
        flash(_('The drawn villages are discarded.'), 'success')
        return redirect(url_for('waves.draw_villages', slug=slug), 303)
    with database.reading() as session:
        wave = changeable(session, slug)
        frame.refuse_if_drawn(session, wave)
        drawn, stored = two_stage.of_wave(session, wave), frame.stored_frame(session, wave)
    return render_template(
        'waves/discard_villages.html',
        wave=wave,
        villages=len(drawn),
        units=stored.units if stored else 0,
    )


@bp.route('/waves/<slug>/persons/draw', methods=['GET', 'POST'])
@requires('wave.manage')
def draw_persons(slug: str) -> ResponseReturnValue:
    """The second stage: what the lists give, then the draw, then what was drawn."""
    form = SeedForm()
    if form.validate_on_submit():
        try:
            return _draw_persons(slug, form)
        except ProblemsFound as found:
            form.show(found.problems)
    with database.reading() as session:
        wave = changeable(session, slug)
        if villages.drawn(session, wave) is None:
            raise two_stage.NoVillagesDrawn
        made = draw.drawn(session, wave)
        page = render_template(
            'waves/draw_persons.html',
            wave=wave,
            form=form,
            drawn=made,
            rule=decided.rule(made.reserve) if made else '',
            replicate=reserve.replicate(session, wave, made) if made else (0, 0),
            shares=() if made else _replicates(session, wave),
            lists=two_stage.lists(session, wave),
            short=two_stage.short_lists(session, wave),
            missing=two_stage.without_list(session, wave),
            sums=two_stage.sums(session, wave),
        )
    return page, 422 if form.errors else 200


def _draw_persons(slug: str, form: SeedForm) -> ResponseReturnValue:
    person = access.signed_in()
    with database.transaction() as session:
        made = two_stage.draw_persons(
            session,
            slug,
            seed=form.seed.data,
            reserve=form.rule(),
            actor=person.username,
            now=clock.now(),
            staff_id=person.staff_id,
        )
    text = _('The sample is drawn with the seed %(seed)s. Now make the codes.', seed=made.seed)
    flash(text, 'success')
    return redirect(url_for('waves.draw_persons', slug=slug), 303)


def _replicates(session: Session, wave: Wave) -> list[tuple[int, int]]:
    """For some sizes in per cent, how many units one replicate would really have."""
    drawn = two_stage.to_draw(session, wave).values()
    return [
        (share, sum(reserve.units_of(n, listed, share, 1) for n, listed in drawn))
        for share in SHARES_SHOWN
    ]


@bp.route('/waves/<slug>/reserve', methods=['GET', 'POST'])
@requires('wave.manage')
def release_reserve(slug: str) -> ResponseReturnValue:
    """How the reserve stands by its rule; a POST adds the next replicate."""
    now = clock.now()
    if request.method == 'POST':
        actor = access.signed_in().username
        with database.transaction() as session:
            count = reserve.release(session, slug, actor=actor, now=now)
        text = _('%(count)s units of the reserve are added. Make their codes now.', count=count)
        flash(text, 'success')
        return redirect(url_for('waves.make_codes', slug=slug), 303)
    with database.reading() as session:
        wave = wave_for(session, slug)
        state = reserve.state(session, wave, now)
        sampled, with_code = printing.counts(session, wave)
    next_day = state.rule.day_of(state.released + 1)
    return render_template(
        'waves/reserve.html',
        wave=wave,
        state=state,
        next_day=next_day,
        without_code=sampled - with_code,
        may=access.signed_in().may,
    )


@bp.get('/waves/<slug>/draw/repeat')
@requires('wave.see')
def repeat_draw(slug: str) -> ResponseReturnValue:
    """Draw again from what is recorded, and say what came out."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        load(wave)
        made = draw.drawn(session, wave)
        first = villages.drawn(session, wave)
        if made is None and first is None:
            raise printing.NoSample
        repeated = repeat.repeat(session, wave)
    return render_template(
        'waves/repeat.html',
        wave=wave,
        made=made,
        first=first,
        repeated=repeated,
        part_names=repeat.PARTS,
    )
