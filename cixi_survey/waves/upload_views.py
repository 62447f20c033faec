"""Tables of a wave that are uploaded, previewed and confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from cixi_survey import access, clock, database, i18n
from cixi_survey.access import requires, wave_for
from cixi_survey.config import ROOT
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import Wave
from cixi_survey.questionnaire import definition
from cixi_survey.waves import frame, populations, two_stage, uploads, villages
from cixi_survey.waves.blueprint import bp
from cixi_survey.waves.forms import FrameForm, TableForm, VillagesForm
from cixi_survey.waves.viewing import changeable, csv_file


@dataclass(frozen=True)
class Subject:
    """One kind of table that is uploaded, previewed and confirmed."""

    template: str
    form: type[TableForm]
    parse: Callable[[Wave, bytes], Any]
    stored: str
    after: str = 'waves.show_wave'
    shown: Callable[[Session, Wave], dict[str, Any]] = lambda _session, _wave: {}
    looked_at: Callable[[Session, Wave, Any], dict[str, Any]] = lambda _session, _wave, _parsed: {}


def _parse_frame(wave: Wave, content: bytes) -> frame.ParsedFrame:
    with database.reading() as session:
        limits = frame.limits(session, wave)
    return frame.parse(content, limits)


def _parse_villages(wave: Wave, content: bytes) -> villages.ParsedVillages:
    return villages.parse(content, {stratum.town_code for stratum in wave.strata})


def _parse_populations(_wave: Wave, content: bytes) -> populations.ParsedPopulations:
    return populations.parse(content)


def _parse_margins(wave: Wave, content: bytes) -> populations.ParsedMargins:
    questionnaire = definition.from_canonical(wave.version.definition)
    return populations.parse_margins(content, questionnaire)


POPULATIONS = Subject(
    'waves/populations.html',
    TableForm,
    _parse_populations,
    _l('The populations are stored.'),
)
MARGINS = Subject(
    'waves/margins.html',
    TableForm,
    _parse_margins,
    _l('The margins are stored.'),
)


def _shown_lists(session: Session, wave: Wave) -> dict[str, Any]:
    return {
        'drawn': villages.drawn(session, wave),
        'lists': two_stage.lists(session, wave),
        'missing': two_stage.without_list(session, wave),
        'short': two_stage.short_lists(session, wave),
    }


def _short_lists(session: Session, wave: Wave, parsed: frame.ParsedFrame) -> dict[str, Any]:
    adults: Counter[str] = Counter()
    for unit in parsed.units:
        adults[unit.psu] += unit.size
    return {'short': two_stage.short_lists(session, wave, adults)}


def _shown_villages(session: Session, wave: Wave) -> dict[str, Any]:
    stored = villages.stored_frame(session, wave)
    return {
        'stored': stored,
        'rows': villages.by_town(villages.of_frame(session, stored)) if stored else [],
        'drawn': villages.drawn(session, wave),
    }


FRAME = Subject(
    'waves/frame.html',
    FrameForm,
    _parse_frame,
    _l('The frame is stored. Now the sample can be drawn.'),
)
LISTS = replace(
    FRAME,
    stored=_l('The lists are stored.'),
    after='waves.load_frame',
    shown=_shown_lists,
    looked_at=_short_lists,
)
VILLAGES = Subject(
    'waves/villages.html',
    VillagesForm,
    _parse_villages,
    _l('The villages are stored.'),
    after='waves.load_villages',
    shown=_shown_villages,
)


def _upload(slug: str, subject: Subject, store: Callable[..., Any]) -> ResponseReturnValue:
    """Show the form; preview an uploaded file; store a file that was confirmed."""
    form = subject.form()
    with database.reading() as session:
        wave = changeable(session, slug)
        stored_frame = frame.stored_frame(session, wave)
        counts = frame.counts(session, stored_frame) if stored_frame else []
        shown = subject.shown(session, wave)
    page = {'wave': wave, 'form': form, 'stored_frame': stored_frame, 'counts': counts}
    page |= {'parsed': None, 'problems': (), 'total_problems': 0, **shown}
    status = 200
    try:
        if request.method == 'POST' and 'confirmed' in request.form:
            if not i18n.switching():
                return _store(slug, subject, store)
            page |= _preview_again(wave, subject)
        elif form.validate_on_submit():
            content = uploads.receive(form.file.data.read())
            page['parsed'] = subject.parse(wave, content)
            page |= {'parcel': uploads.pack(content), 'filename': form.file.data.filename}
            page |= _looked_at(wave, subject, page['parsed'])
    except ProblemsFound as found:
        page['problems'] = found.problems
        page['total_problems'] = getattr(found, 'total', len(found.problems))
    if page['problems'] or form.errors:
        status = 422
    return render_template(subject.template, **page), status


def _preview_again(wave: Wave, subject: Subject) -> dict[str, Any]:
    """The preview of a file that waits for its confirmation, from what the page carries."""
    parcel, filename = request.form['parcel'], request.form.get('filename', '')
    parsed = subject.parse(wave, uploads.unpack(parcel))
    page = {'parsed': parsed, 'parcel': parcel, 'filename': filename}
    return page | _looked_at(wave, subject, parsed)


def _looked_at(wave: Wave, subject: Subject, parsed: Any) -> dict[str, Any]:
    with database.reading() as session:
        return subject.looked_at(session, wave, parsed)


def _store(slug: str, subject: Subject, store: Callable[..., Any]) -> ResponseReturnValue:
    content = uploads.unpack(request.form['parcel'])
    sha256 = request.form.get('confirmed', '')
    with database.transaction() as session:
        store(session, slug, content, sha256=sha256)
    flash(str(subject.stored), 'success')
    return redirect(url_for(subject.after, slug=slug), 303)


@bp.route('/waves/<slug>/populations', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def load_populations(slug: str) -> ResponseReturnValue:
    def store(session: Session, slug: str, content: bytes, *, sha256: str) -> None:
        person = access.signed_in()
        populations.store(
            session, slug, content, sha256=sha256, actor=person.username, now=clock.now()
        )

    return _upload(slug, POPULATIONS, store)


@bp.route('/waves/<slug>/margins', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def load_margins(slug: str) -> ResponseReturnValue:
    def store(session: Session, slug: str, content: bytes, *, sha256: str) -> None:
        person = access.signed_in()
        populations.store_margins(
            session, slug, content, sha256=sha256, actor=person.username, now=clock.now()
        )

    return _upload(slug, MARGINS, store)


@bp.post('/waves/<slug>/margins/remove')
@requires('wave.manage')
def remove_margins(slug: str) -> ResponseReturnValue:
    with database.transaction() as session:
        populations.remove_margins(
            session, slug, actor=access.signed_in().username, now=clock.now()
        )
    flash(_('The margins are removed.'), 'success')
    return redirect(url_for('waves.show_wave', slug=slug), 303)


@bp.route('/waves/<slug>/frame', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def load_frame(slug: str) -> ResponseReturnValue:
    def store(session: Session, slug: str, content: bytes, *, sha256: str) -> None:
        person = access.signed_in()
        frame.store(
            session,
            slug,
            content,
            filename=request.form.get('filename', ''),
            source=request.form.get('source', ''),
            sha256=sha256,
            actor=person.username,
            now=clock.now(),
            staff_id=person.staff_id,
        )

    with database.reading() as session:
        staged = villages.drawn(session, wave_for(session, slug)) is not None
    return _upload(slug, LISTS if staged else FRAME, store)


@bp.route('/waves/<slug>/villages', methods=['GET', 'POST'])
@requires('wave.manage')
@i18n.shows_again
def load_villages(slug: str) -> ResponseReturnValue:
    def store(session: Session, slug: str, content: bytes, *, sha256: str) -> None:
        person = access.signed_in()
        villages.store(
            session,
            slug,
            content,
            filename=request.form.get('filename', ''),
            source=request.form.get('source', ''),
            sha256=sha256,
            actor=person.username,
            now=clock.now(),
            staff_id=person.staff_id,
        )

    return _upload(slug, VILLAGES, store)


@bp.post('/waves/<slug>/villages/shipped')
@requires('wave.manage')
def load_shipped_villages(slug: str) -> ResponseReturnValue:
    """The villages that come with the program, with one press."""
    person = access.signed_in()
    with database.transaction() as session:
        stored = villages.load_shipped(
            session, slug, actor=person.username, now=clock.now(), staff_id=person.staff_id
        )
    flash(_('%(count)s villages and communities are stored.', count=stored.villages), 'success')
    return redirect(url_for('waves.load_villages', slug=slug), 303)


@bp.get('/waves/<slug>/villages/template.csv')
@requires('wave.manage')
def villages_template(slug: str) -> ResponseReturnValue:
    """The real villages of the wave's towns with invented sizes, as a pattern to fill in."""
    with database.reading() as session:
        towns = {stratum.town_code for stratum in wave_for(session, slug).strata}
    return csv_file(villages.shipped(towns or None), villages.SHIPPED.name)


@bp.get('/waves/<slug>/frame/template.csv')
@requires('wave.manage')
def frame_template(slug: str) -> ResponseReturnValue:
    """A made-up frame of the wave's towns or drawn villages, as a pattern and to try things out."""
    with database.reading() as session:
        wave = wave_for(session, slug)
        limits = frame.limits(session, wave)
    made_up = frame.template(towns=limits.towns or None, villages=limits.villages)
    return csv_file(made_up, 'frame-template.csv')


@bp.get('/waves/<slug>/populations/template.csv')
@requires('wave.manage')
def populations_template(slug: str) -> ResponseReturnValue:
    """The demonstration figures, whose rows say that they are not real, as a pattern."""
    return _pattern(slug, 'demonstration-population.csv')


@bp.get('/waves/<slug>/margins/template.csv')
@requires('wave.manage')
def margins_template(slug: str) -> ResponseReturnValue:
    """The demonstration margins as a pattern."""
    return _pattern(slug, 'demonstration-margins.csv')


def _pattern(slug: str, name: str) -> ResponseReturnValue:
    with database.reading() as session:
        wave_for(session, slug)
    text = (ROOT / 'surveys' / 'frame' / name).read_text(encoding='utf-8')
    return csv_file(text.encode('utf-8-sig'), name)
