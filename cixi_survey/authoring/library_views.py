"""The question library: browse, search, and put a question into a draft."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from cixi_survey import access, audit, clock, database
from cixi_survey.access import NotFound, requires
from cixi_survey.authoring import drafts, office, outline, reading, saving, shelf
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.draft_views import sheet
from cixi_survey.authoring.drafts import Edit
from cixi_survey.authoring.outline import Words
from cixi_survey.authoring.shelf import Shelf
from cixi_survey.models import QuestionnaireDraft
from cixi_survey.questionnaire import definition, library, source
from cixi_survey.questionnaire.library import Item
from cixi_survey.questionnaire.model import Questionnaire

ON_A_PAGE = 20


def _shelf(session: Session) -> Shelf:
    """The banks that come with the program, and the office's own in the data folder."""
    return shelf.load(session, [shelf.SHIPPED, _own_folder()])


def _own_folder() -> Path:
    return Path(current_app.config['SETTINGS'].data) / 'library'


@bp.get('/library')
@requires('questionnaire.see')
def question_library() -> ResponseReturnValue:
    """Questions by word, type and bank; ``?draft=`` and ``?section=`` say where to put one."""
    given = {name: request.args.get(name, '').strip() for name in ('words', 'kind', 'home')}
    may_edit = access.signed_in().may('questionnaire.edit')
    draft = _draft(request.args.get('draft', '')) if may_edit else None
    with database.reading() as session:
        whole = _shelf(session)
        every_draft = drafts.every(session) if may_edit else ()
    found = shelf.chosen(whole.books, words=given['words'], kind=given['kind'], home=given['home'])
    pages = max(1, -(-len(found) // ON_A_PAGE))
    page = min(request.args.get('page', 1, type=int), pages)
    return render_template(
        'authoring/library.html',
        found=found[(max(page, 1) - 1) * ON_A_PAGE :][:ON_A_PAGE],
        count=len(found),
        page=max(page, 1),
        pages=pages,
        given=given,
        homes=whole.homes,
        faulty=whole.faulty,
        drafts=every_draft,
        draft=draft,
        sections=_sections(draft) if draft else (),
        section=request.args.get('section', ''),
    )


def _draft(number: str) -> QuestionnaireDraft | None:
    return saving.read(int(number)) if number.isdecimal() and len(number) < 10 else None


def _sections(draft: QuestionnaireDraft) -> list[tuple[str, Words]]:
    """The sections of a draft: index and title."""
    now = reading.of(draft.source)
    return [(str(part.path[1]), outline.name_of(now, part)) for part, _section in now.sections]


@bp.get('/drafts/<int:draft_id>/question/<key>/asked')
@requires('questionnaire.see')
def asked_before(draft_id: int, key: str) -> ResponseReturnValue:
    """The versions and waves that asked a question of a draft, in these words or in others."""
    draft = saving.read(draft_id)
    now = reading.of(draft.source)
    part = now.part('question', key)
    if part is None:
        raise NotFound
    written, _problems = definition.check_source(source.read(draft.source))
    item = _item(written, key)
    with database.reading() as session:
        found = shelf.asked(session, written, item) if written and item else ()
        book = _shelf(session).find(item.key) if item else None
    return render_template(
        'authoring/asked.html',
        sheet=sheet(draft),
        outline=outline.of(now),
        part=part,
        item=item,
        found=found,
        kept=bool(book and book.bank),
    )


def _item(written: Questionnaire | None, name: str) -> Item | None:
    """A question of a draft as an item of the library, unless it cannot be read as one."""
    items = library.items_of(written, '') if written else ()
    return next((each for each in items if each.question.name == name), None)


@bp.post('/drafts/<int:draft_id>/question/<key>/library')
@requires('questionnaire.edit')
def keep_in_library(draft_id: int, key: str) -> ResponseReturnValue:
    """Put a question of a draft into the office's own bank."""
    draft = saving.editable(saving.read(draft_id))
    item = _item(definition.check_source(source.read(draft.text))[0], key)
    if item is None:
        raise NotFound
    back = redirect(url_for('.asked_before', draft_id=draft_id, key=key), 303)
    with database.reading() as session:
        book = _shelf(session).find(item.key)
    if book and book.bank:
        return back
    with database.transaction() as session:
        # First, so that acts queue here and one writes the file at a time.
        audit.record(
            session,
            actor=saving.writer().actor,
            action='library.keep',
            subject=f'question:{key}',
            now=clock.now(),
            details={'file': office.FILE},
        )
        office.keep(_own_folder(), item)
    flash(_('The question is in the library, in the office’s own bank.'), 'success')
    return back


@bp.post('/drafts/<int:draft_id>/library')
@requires('questionnaire.edit')
def insert_from_library(draft_id: int) -> ResponseReturnValue:
    """Put a question of the library at the end of a section."""
    with database.reading() as session:
        book = _shelf(session).find(request.form.get('key', ''))
    index = request.form.get('section', '')
    if book is None or not (index.isdecimal() and len(index) < 5):
        raise NotFound
    names: list[str] = []

    def made(draft: QuestionnaireDraft) -> Edit:
        now = saving.editable(draft)
        try:
            text, name = shelf.put(now, book.item, int(index))
        except KeyError:
            raise NotFound from None
        names.append(name)
        return Edit(text, 'add', name)

    saving.save(draft_id, made)
    flash(_('“%(name)s” is in the draft, at the end of the section.', name=names[-1]), 'success')
    here = {name: request.form.get(name, '') for name in ('words', 'kind', 'home', 'page')}
    back: dict[str, Any] = {name: value for name, value in here.items() if value}
    address = url_for('.question_library', draft=draft_id, section=index, **back)
    return redirect(address, 303)
