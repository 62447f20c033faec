"""Results for everybody; runs, preview and publishing for statisticians."""

from __future__ import annotations

import io
import json

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from cixi_survey import access, audit, clock, database, i18n, places
from cixi_survey.access import NotFound, public, requires, wave_for
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import Publication, Run, Wave
from cixi_survey.results import exports, figures, presentation, publish, run
from cixi_survey.results.disclosure import PublicResult

bp = Blueprint('results', __name__)
NAVIGATION = (('run.see', 'results.list_waves', _l('Estimates')),)
AUTHORISED_STATES = ('closed', 'estimated', 'published')
RUN = '/staff/waves/<slug>/estimates/<int(max=2147483647):run_id>'  # as large as a key can be


@bp.get('/results')
@public
def list_results() -> ResponseReturnValue:
    with database.reading() as session:
        newest: dict[str, Publication] = {}
        query = sa.select(Publication).order_by(Publication.published_at.desc())
        for publication in session.scalars(query):
            newest.setdefault(publication.wave.slug, publication)
        entries = [
            {
                'slug': slug,
                'title': publication.wave.title,
                'demonstration': publication.wave.demonstration,
                'published_at': publication.published_at,
                'opens_at': publication.wave.opens_at,
                'closes_at': publication.wave.ended_at,
            }
            for slug, publication in newest.items()
        ]
    return render_template('results/list.html', entries=entries)


@bp.get('/results/<slug>')
@public
def show_result(slug: str) -> ResponseReturnValue:
    with database.reading() as session:
        wave = wave_for(session, slug)
        history = publish.revisions(session, wave)
    if not history:
        raise NotFound
    page = presentation.page(PublicResult(history[0].result))
    return render_template('results/show.html', page=page, history=history, slug=slug)


@bp.get('/results/<slug>.json')
@public
def result_json(slug: str) -> ResponseReturnValue:
    result = _published(slug)
    return _download(result.text.encode(), 'application/json', f'{slug}.json', inline=True)


@bp.get('/results/<slug>.csv')
@public
def result_csv(slug: str) -> ResponseReturnValue:
    result = _published(slug)
    title = i18n.localised(result.content['wave']['title'])
    return _download(exports.aggregates_csv(result), 'text/csv', f'{title}.csv')


def _published(slug: str) -> PublicResult:
    with database.reading() as session:
        history = publish.revisions(session, wave_for(session, slug))
    if not history:
        raise NotFound
    return PublicResult(history[0].result)


def _download(content: bytes, mimetype: str, name: str, *, inline: bool = False) -> Response:
    return send_file(
        io.BytesIO(content), mimetype=mimetype, as_attachment=not inline, download_name=name
    )


@bp.get('/staff/estimates')
@requires('run.see')
def list_waves() -> ResponseReturnValue:
    with database.reading() as session:
        waves = session.scalars(
            sa.select(Wave).where(Wave.state.in_(AUTHORISED_STATES)).order_by(Wave.closes_at.desc())
        ).all()
        counts = dict(
            session.execute(sa.select(Run.wave_id, sa.func.count()).group_by(Run.wave_id)).all()
        )
    return render_template('results/waves.html', waves=waves, counts=counts)


@bp.get('/staff/waves/<slug>/estimates')
@requires('run.see')
def list_runs(slug: str) -> ResponseReturnValue:
    return _runs_page(slug, run.Options())


@bp.post('/staff/waves/<slug>/estimates')
@requires('run.make')
@i18n.shows_again
def make_run(slug: str) -> ResponseReturnValue:
    options = _options()
    if i18n.switching():
        return _runs_page(slug, options)
    person = access.signed_in()
    now = clock.now()
    try:
        with database.reading() as session:
            figures = run.compute(session, wave_for(session, slug), options)
        with database.transaction() as session:
            wave = wave_for(session, slug, lock=True)
            made = run.keep(session, wave, figures, by=person.staff_id, now=now)
            audit.record(
                session,
                actor=person.username,
                action='run.make',
                subject=f'wave:{slug}',
                now=now,
                details={'run': made.id, 'figures': made.figures_sha256, 'options': made.options},
            )
    except ProblemsFound as found:
        return _runs_page(slug, options, found), 422
    flash(_('The figures are made and frozen.'), 'success')
    return redirect(url_for('results.show_run', slug=slug, run_id=made.id), 303)


def _options() -> run.Options:
    return run.Options(
        level=_number(request.form.get('level', '0.95')),
        method=request.form.get('method', 'wilson'),
        raking=request.form.get('raking', 'yes') == 'yes',
        reason=request.form.get('reason', '').strip()[:500],
    )


def _number(text: str) -> float:
    """What was sent as a number; nan, which no option takes, for anything else."""
    try:
        return float(text)
    except ValueError:
        return float('nan')


def _runs_page(slug: str, options: run.Options, found: ProblemsFound | None = None) -> str:
    with database.reading() as session:
        wave = wave_for(session, slug)
        runs = session.scalars(
            sa.select(Run).where(Run.wave_id == wave.id).order_by(Run.id.desc())
        ).all()
        published = {p.run_id: p.revision for p in reversed(publish.revisions(session, wave))}
    return render_template(
        'results/runs.html',
        wave=wave,
        runs=[(each, json.loads(each.options)) for each in runs],
        published=published,
        options=options,
        problems=found.problems if found else (),
        levels=run.LEVELS,
        methods=[(name, figures.method(name)) for name in run.METHODS],
        may=access.signed_in().may,
    )


@bp.get(RUN)
@requires('run.see')
def show_run(slug: str, run_id: int) -> ResponseReturnValue:
    with database.reading() as session:
        wave, made = _run(session, slug, run_id)
        history = publish.revisions(session, wave)
    content = json.loads(made.figures)
    return render_template(
        'results/run.html',
        wave=wave,
        run=made,
        figures=content,
        names={t['town']: places.town(t['town'], t['name']) for t in content['wave']['towns']},
        show=figures.show,
        words=figures,
        steps=presentation.STEPS,
        history=history,
        may=access.signed_in().may,
    )


@bp.get(f'{RUN}/preview')
@requires('run.see')
def preview_run(slug: str, run_id: int) -> ResponseReturnValue:
    with database.reading() as session:
        wave, made = _run(session, slug, run_id)
        page = presentation.page(publish.preview(made))
        history = publish.revisions(session, wave)
    return render_template(
        'results/preview.html',
        page=page,
        wave=wave,
        run=made,
        slug=slug,
        history=history,
        may=access.signed_in().may,
    )


@bp.post(f'{RUN}/publish')
@requires('result.publish')
def publish_run(slug: str, run_id: int) -> ResponseReturnValue:
    person = access.signed_in()
    now = clock.now()
    with database.transaction() as session:
        access.wave_for(session, slug, lock=True)
        wave, made = _run(session, slug, run_id)
        publication = publish.publish(
            session,
            wave,
            made,
            by=person.staff_id,
            now=now,
            reason=request.form.get('reason', '')[:1000],
        )
        audit.record(
            session,
            actor=person.username,
            action='result.publish',
            subject=f'wave:{slug}',
            now=now,
            details={
                'run': made.id,
                'revision': publication.revision,
                'result': publication.result_sha256,
                'reason': publication.reason,
            },
        )
    flash(_('The result is public.'), 'success')
    return redirect(url_for('results.show_run', slug=slug, run_id=run_id), 303)


@bp.post(f'{RUN}/microdata')
@requires('microdata.export')
def microdata(slug: str, run_id: int) -> ResponseReturnValue:
    person = access.signed_in()
    now = clock.now()
    with database.reading() as session:  # it takes a while, and nobody else shall wait for it
        wave, made = _run(session, slug, run_id)
        content = exports.microdata_zip(session, wave, made)
    with database.transaction() as session:
        audit.record(
            session,
            actor=person.username,
            action='microdata.export',
            subject=f'wave:{slug}',
            now=now,
            details={'run': made.id, 'sha256': exports.sha256(content), 'bytes': len(content)},
        )
    return _download(content, 'application/zip', f'{slug}-microdata-run-{run_id}.zip')


def _run(session: Session, slug: str, run_id: int) -> tuple[Wave, Run]:
    wave = wave_for(session, slug)
    made = session.get(Run, run_id)
    if made is None or made.wave_id != wave.id:
        raise NotFound
    return wave, made
