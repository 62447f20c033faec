"""Drafts: begin one, its file, its history, undo, delete."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import access, clock, database, i18n, versions
from cixi_survey.access import requires
from cixi_survey.authoring import beginnings, drafts, lines, outline, reading, saving
from cixi_survey.authoring.beginnings import Beginning
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.drafts import DraftMoved, Edit
from cixi_survey.authoring.reading import Reading
from cixi_survey.errors import Problem, ProblemsFound
from cixi_survey.models import QuestionnaireDraft
from cixi_survey.questionnaire import definition, editing, writer
from cixi_survey.questionnaire.compare import compare


@dataclass(frozen=True)
class Sheet:
    """What every page of the editor shows around its own matter."""

    draft: QuestionnaireDraft
    reading: Reading
    may_edit: bool
    may_publish: bool


def sheet(draft: QuestionnaireDraft) -> Sheet:
    """The frame of an editor page."""
    read = reading.of(draft.source)
    may = access.signed_in().may
    return Sheet(draft, read, may('questionnaire.edit'), may('questionnaire.publish'))


@bp.route('/drafts/new', methods=['GET', 'POST'])
@requires('questionnaire.edit')
def new_draft() -> ResponseReturnValue:
    problems: tuple[Problem, ...] = ()
    if request.method == 'POST':
        try:
            beginning = _beginning()
            if beginning.wants_a_look:
                return render_template('authoring/import.html', beginning=beginning)
            with database.transaction() as session:
                draft = drafts.create(
                    session,
                    beginning.text,
                    saving.writer(),
                    clock.now(),
                    based_on=beginning.based_on,
                )
        except ProblemsFound as found:
            problems = found.problems
        else:
            flash(
                _('The draft is made. Whatever you change is kept, and can be undone.'), 'success'
            )
            return redirect(url_for('.show_draft', draft_id=draft.id), 303)
    with database.reading() as session:
        published = [
            (each, definition.from_canonical(each.definition).title)
            for each in versions.every(session)
        ]
    page = render_template(
        'authoring/new.html',
        problems=problems,
        files=[path.name for path in versions.files()],
        versions=published,
        chosen=request.values.get('version', ''),
    )
    return page, 422 if problems else 200


def _beginning() -> Beginning:
    """What to begin with.  Raises ProblemsFound."""
    match request.form.get('start'):
        case 'shipped':
            return Beginning(beginnings.shipped(request.form.get('file_name', '')))
        case 'version':
            with database.reading() as session:
                version = versions.find(session, request.form.get('version', ''))
            text = version.source or writer.document(json.loads(version.definition))
            return Beginning(text, version.sha256)
        case 'file':
            upload = request.files.get('file')
            content = upload.read() if upload else b''
            return beginnings.uploaded(content, (upload and upload.filename) or '')
        case 'text':
            return Beginning(request.form.get('text', ''))
    return Beginning(beginnings.blank())


@bp.get('/drafts/<int:draft_id>/source')
@requires('questionnaire.see')
def draft_source(draft_id: int) -> ResponseReturnValue:
    """The file itself, to read and, for those who edit, to change by hand."""
    draft = saving.read(draft_id)
    return render_template('authoring/source.html', sheet=sheet(draft), text=draft.source)


@bp.post('/drafts/<int:draft_id>/source')
@requires('questionnaire.edit')
@i18n.shows_again
def write_source(draft_id: int) -> ResponseReturnValue:
    text = editing.tidied(request.form.get('source', ''))
    if i18n.switching():
        draft = saving.read(draft_id)
        return render_template('authoring/source.html', sheet=sheet(draft), text=text)
    seen = request.form.get('seen', '')
    try:
        with database.transaction() as session:
            drafts.save(
                session,
                draft_id,
                Edit(text, 'write'),
                saving.writer(),
                clock.now(),
                seen=int(seen) if seen.isdecimal() else 0,
            )
    except DraftMoved:
        return _conflict(draft_id, text)
    flash(_('The file is saved.'), 'success')
    return redirect(url_for('.draft_source', draft_id=draft_id), 303)


def _conflict(draft_id: int, text: str) -> ResponseReturnValue:
    """Both versions of the file: what was typed here, and what was saved meanwhile."""
    draft = saving.read(draft_id)
    page = render_template(
        'authoring/source.html',
        sheet=sheet(draft),
        text=text,
        differences=lines.between(draft.source, text),
    )
    return page, 409


@bp.get('/drafts/<int:draft_id>/file')
@requires('questionnaire.see')
def draft_file(draft_id: int) -> ResponseReturnValue:
    """The file of a draft, to download."""
    draft = saving.read(draft_id)
    name = reading.of(draft.source).value(('name',))
    stem = name if isinstance(name, str) and name.isascii() and name.isprintable() else 'draft'
    headers = {'Content-Disposition': f'attachment; filename="{stem.replace(chr(34), "")}.yaml"'}
    return draft.source, 200, {'Content-Type': 'application/yaml; charset=utf-8', **headers}


@bp.get('/drafts/<int:draft_id>/history')
@requires('questionnaire.see')
def draft_history(draft_id: int) -> ResponseReturnValue:
    draft = saving.read(draft_id)
    with database.reading() as session:
        saves = drafts.saves(session, draft_id)
    return render_template(
        'authoring/history.html',
        sheet=sheet(draft),
        saves=saves,
        acts=drafts.ACTS,
        subject=outline.subject,
    )


@bp.get('/drafts/<int:draft_id>/history/<int:revision>')
@requires('questionnaire.see')
def draft_change(draft_id: int, revision: int) -> ResponseReturnValue:
    """What one save changed."""
    draft = saving.read(draft_id)
    with database.reading() as session:
        saves = {each.revision: each for each in drafts.saves(session, draft_id)}
    if revision not in saves:
        raise access.NotFound
    this = saves[revision]
    before = saves.get(max((each for each in saves if each < revision), default=0))
    return render_template(
        'authoring/change.html',
        sheet=sheet(draft),
        this=this,
        before=before,
        acts=drafts.ACTS,
        subject=outline.subject,
        differences=lines.between(before.source, this.source) if before else [],
    )


@bp.post('/drafts/<int:draft_id>/undo')
@requires('questionnaire.edit')
def undo(draft_id: int) -> ResponseReturnValue:
    with database.transaction() as session:
        drafts.undo(session, draft_id, saving.writer(), clock.now())
    flash(_('The last step is undone.'), 'success')
    back = request.form.get('back', '')
    own = url_for('.show_draft', draft_id=draft_id)
    return redirect(back if back.startswith(f'{own}/') else own, 303)


@bp.post('/drafts/<int:draft_id>/restore')
@requires('questionnaire.edit')
def restore(draft_id: int) -> ResponseReturnValue:
    revision = request.form.get('revision', '')
    with database.transaction() as session:
        drafts.restore(
            session,
            draft_id,
            int(revision) if revision.isdecimal() else 0,
            saving.writer(),
            clock.now(),
        )
    flash(_('The earlier state is restored. The states after it are kept as well.'), 'success')
    return redirect(url_for('.show_draft', draft_id=draft_id), 303)


@bp.get('/drafts/<int:draft_id>/publish')
@requires('questionnaire.see')
def publish_draft(draft_id: int) -> ResponseReturnValue:
    """What keeps a draft from being published, or what publishing it would change."""
    return _publish_page(draft_id)


@bp.post('/drafts/<int:draft_id>/publish')
@requires('questionnaire.publish')
def publish_as_seen(draft_id: int) -> ResponseReturnValue:
    seen = request.form.get('seen', '')
    try:
        with database.transaction() as session:
            published = drafts.publish(
                session,
                draft_id,
                saving.writer(),
                clock.now(),
                seen=int(seen) if seen.isdecimal() else 0,
            )
    except DraftMoved:
        return _publish_page(draft_id, moved=True), 409
    except ProblemsFound:
        return _publish_page(draft_id), 422
    flash(_('The version is published.'), 'success')
    return redirect(url_for('.show_version', sha256=published.sha256), 303)


def _publish_page(draft_id: int, *, moved: bool = False) -> str:
    draft = saving.read(draft_id)
    frame = sheet(draft)
    comparison = None
    if draft.based_on and not frame.reading.problems:
        with database.reading() as session:
            based_on = versions.find(session, draft.based_on)
        comparison = compare(
            definition.from_canonical(based_on.definition),
            definition.load(draft.source, filename='draft'),
        )
    return render_template(
        'authoring/publish_draft.html', sheet=frame, comparison=comparison, moved=moved
    )


@bp.route('/drafts/<int:draft_id>/delete', methods=['GET', 'POST'])
@requires('questionnaire.edit')
def delete_draft(draft_id: int) -> ResponseReturnValue:
    if request.method == 'POST':
        with database.transaction() as session:
            drafts.delete(session, draft_id, saving.writer(), clock.now())
        flash(_('The draft is deleted.'), 'success')
        return redirect(url_for('.list_all'), 303)
    return render_template('authoring/delete.html', sheet=sheet(saving.read(draft_id)))
