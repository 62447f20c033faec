"""The planner: how many answers, where, at what cost, and what they will not show."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import access, clock, database
from cixi_survey.access import requires, wave_for
from cixi_survey.errors import N_, ProblemsFound
from cixi_survey.waves import planner, planner_chart
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import PlannerForm

NEED_NAMES = {
    'proof': N_('To prove it'),
    'official': N_('Official minimum'),
    'ess': N_('European Social Survey'),
}


@bp.route('/waves/<slug>/plan', methods=['GET', 'POST'])
@requires('wave.manage')
def plan_wave(slug: str) -> ResponseReturnValue:
    """A GET with a question answers it; a POST saves the plan with the wave."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        kept = planner.kept(session, slug)
        if not wave.strata:
            raise planner.NoPopulations
        form = _form(planner.asked_before(kept))
        asked = form.is_submitted() or 'target' in request.args
        planned = None
        if not asked or form.validate():
            try:
                planned = planner.plan(wave, form.question())
            except ProblemsFound as found:
                form.show(found.problems)
    if request.method == 'POST' and planned:
        return _keep(slug, planned.question)
    page = render_template(
        'waves/plan.html',
        wave=wave,
        form=form,
        planned=planned,
        kept=kept,
        chart=planner_chart.towns_chart(planned) if planned else None,
        need_names=NEED_NAMES,
        method_names=planner_chart.METHOD_NAMES,
    )
    return page, 422 if form.errors else 200


def _form(question: planner.Question) -> PlannerForm:
    if request.method == 'POST':
        return PlannerForm()
    if 'target' in request.args:
        return PlannerForm(request.args, meta={'csrf': False})
    return PlannerForm.of(question)


def _keep(slug: str, question: planner.Question) -> ResponseReturnValue:
    actor = access.signed_in().username
    with database.transaction() as session:
        planner.keep(session, slug, question, actor=actor, now=clock.now())
    flash(_('The plan is saved with the wave.'), 'success')
    return redirect(url_for('waves.show_wave', slug=slug), 303)
