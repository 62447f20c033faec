"""The page of the translations: all texts of a draft in two columns, saved as one step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import database, i18n, versions
from cixi_survey.access import requires
from cixi_survey.authoring import fields, reading, saving, translation_sheet, translations
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.draft_views import sheet
from cixi_survey.authoring.drafts import Edit
from cixi_survey.authoring.fields import Typed
from cixi_survey.authoring.reading import Reading
from cixi_survey.authoring.transfer_views import XLSX
from cixi_survey.authoring.translations import FILTERS, SEEN, TYPED, Sent
from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.models import QuestionnaireDraft, QuestionnaireVersion
from cixi_survey.questionnaire import writer


@bp.get('/drafts/<int:draft_id>/translations')
@requires('questionnaire.see')
def show_translations(draft_id: int) -> ResponseReturnValue:
    """The texts of a draft from ``?source=`` into ``?target=``; ``?only=`` one of ``FILTERS``."""
    draft = saving.read(draft_id)
    if not reading.of(draft.source).editable:
        return redirect(url_for('.draft_source', draft_id=draft_id))
    return _page(draft, request.args)


@bp.post('/drafts/<int:draft_id>/translations')
@requires('questionnaire.edit')
@i18n.shows_again
def save_translations(draft_id: int) -> ResponseReturnValue:
    """Save what was typed as one step; nothing of it when somebody else was at the same texts."""
    given = fields.typed()
    live = '_live' in given
    if i18n.switching():
        return _page(saving.read(draft_id), request.form, given)

    def make(draft: QuestionnaireDraft) -> Edit:
        now = saving.editable(draft)
        source, target = _languages(now, request.form)
        found = translations.pairs(now, source, target)
        sent = translations.received(found, given)
        if not sent.sound or target not in now.languages:
            raise _Met
        text = translations.stored(now, found, sent.typed, target)
        return Edit(text, 'translate', f'translations/{target}', typing=live)

    try:
        saving.save(draft_id, make)
    except _Met:
        return _page(saving.read(draft_id), request.form, given, met=True), 409
    if live:
        return _page(saving.read(draft_id), request.form, given)
    flash(_('The translations are saved.'), 'success')
    kept: dict[str, Any] = {key: request.form.get(key, '') for key in ('source', 'target', 'only')}
    return redirect(url_for('.show_translations', draft_id=draft_id, **kept), 303)


@bp.get('/drafts/<int:draft_id>/translations/workbook')
@requires('questionnaire.see')
def translations_workbook(draft_id: int) -> Response:
    """The texts that the page shows, as a workbook for a translator."""
    draft = saving.read(draft_id)
    now = saving.editable(draft)
    source, target = _languages(now, request.args)
    found = translations.pairs(now, source, target, _as_published(_published(draft, now)))
    only = request.args.get('only', '')
    content = translation_sheet.write([each for each in found if each.fits(only)], source, target)
    headers = {'Content-Disposition': f'attachment; filename="{source}-{target}.xlsx"'}
    return Response(content, mimetype=XLSX, headers=headers)


@bp.post('/drafts/<int:draft_id>/translations/workbook')
@requires('questionnaire.edit')
def read_translations(draft_id: int) -> ResponseReturnValue:
    """Show what is different in a workbook that came back, to be saved."""
    draft = saving.read(draft_id)
    now = saving.editable(draft)
    source, target = _languages(now, request.form)
    upload = request.files.get('file')
    try:
        if not upload or not upload.filename:
            raise ProblemsFound([NO_FILE])
        given = translation_sheet.read(upload.read(), target)
    except ProblemsFound as found:
        return _page(draft, request.form, problems=found.problems), 422
    sent = translations.received(translations.pairs(now, source, target), given)
    if not sent.typed and not sent.homeless:
        flash(_('The workbook says what is here already.'), 'info')
        return redirect(url_for('.show_translations', draft_id=draft_id, target=target), 303)
    altered = {
        key: texts
        for key, texts in given.items()
        if key.removeprefix(TYPED).removeprefix(SEEN) in sent.typed
    }
    return _page(draft, request.form, altered, came=sent)


NO_FILE = Problem(
    'file',
    'file_missing',
    N_('No file was chosen.'),
    N_('Choose the file on your computer first.'),
)


class _Met(Exception):
    """Somebody else changed the same texts, or took the language away."""


def _languages(now: Reading, asked: Mapping[str, str]) -> tuple[str, str]:
    """Out of which language and into which; the default is out of the first into the next."""
    target = asked.get('target', '')
    if not reading.LANGUAGE.fullmatch(target):
        target = (*now.languages, now.languages[0])[1]
    others = [each for each in now.languages if each != target]
    source = asked.get('source', '')
    return source if source in others else (*others, target)[0], target


def _page(
    draft: QuestionnaireDraft, asked: Mapping[str, str], given: Typed | None = None, *,
    met: bool = False, problems: Sequence[Problem] = (), came: Sent | None = None,
) -> str:  # fmt: skip
    """The page as the draft is now, with what was typed and, if two have met, both versions."""
    now = reading.of(draft.source)
    source, target = _languages(now, asked)
    version = _published(draft, now)
    found = translations.pairs(now, source, target, _as_published(version))
    sent = translations.received(found, given or {})
    only = asked.get('only', '')
    only = only if only in FILTERS else 'all'
    named = {key.removeprefix(TYPED) for key in given or () if key.startswith(TYPED)}
    shown = [pair for pair in found if pair.name in named or (pair.fits(only) and not named)]
    return render_template(
        'authoring/translations.html',
        sheet=sheet(draft),
        source=source,
        target=target,
        only=only,
        published=version,
        counts=Counter(each for pair in found for each in FILTERS if pair.fits(each)),
        groups=[(part, list(inner)) for part, inner in groupby(shown, lambda each: each.part)],
        numbers=_numbers(now),
        sent=sent,
        met=met,
        unsent=i18n.switching() or came is not None,
        problems=problems,
        came=came,
        typed_name=TYPED,
        seen_name=SEEN,
    )


def _published(draft: QuestionnaireDraft, now: Reading) -> QuestionnaireVersion | None:
    """The version to compare with: published from the draft, its origin, or of its name."""
    with database.reading() as session:
        sha256 = draft.published_sha256 or draft.based_on
        if sha256:
            return versions.find(session, sha256)
        name = now.value(('name',))
        return next((each for each in versions.every(session) if each.name == name), None)


def _as_published(version: QuestionnaireVersion | None) -> Reading | None:
    if version is None:
        return None
    return reading.of(version.source or writer.document(json.loads(version.definition)))


def _numbers(now: Reading) -> dict[object, int]:
    """The number of each section, question, indicator among its kind."""
    kinds = (now.sections, now.questions, now.indicators)
    return {part: number for each in kinds for number, (part, _data) in enumerate(each, 1)}
