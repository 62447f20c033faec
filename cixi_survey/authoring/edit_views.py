"""Editing part by part: one form for each, saved as one types or with a button."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from cixi_survey import access, i18n, pages
from cixi_survey.access import requires
from cixi_survey.authoring import (
    answers_form,
    arranging,
    fields,
    indicator_form,
    outline,
    question_form,
    reading,
    saving,
    small_forms,
    wording,
)
from cixi_survey.authoring.blueprint import bp
from cixi_survey.authoring.draft_views import sheet
from cixi_survey.authoring.drafts import Edit
from cixi_survey.authoring.fields import Collector, Fields, Typed
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import QuestionnaireDraft
from cixi_survey.questionnaire import editing
from cixi_survey.questionnaire.editing import Change
from cixi_survey.questionnaire.source import Path


def _nothing(_reading: Reading, _part: Part, _given: Typed) -> Mapping[Path, Change]:
    return {}


@dataclass(frozen=True)
class _Form:
    """What a kind of part needs: fields to changes, what follows, what its page shows."""

    collect: Callable[[Collector], None]
    context: Callable[[Fields], dict[str, object]]
    later: Callable[[Reading, Part, Typed], Mapping[Path, Change]] = _nothing


FORMS = {
    'general': _Form(
        small_forms.collect_general, small_forms.context_general, small_forms.later_general
    ),
    'section': _Form(small_forms.collect_section, small_forms.context_section),
    'question': _Form(question_form.collect, question_form.context, question_form.later),
    'list': _Form(small_forms.collect_list, small_forms.context_list),
    'screening': _Form(small_forms.collect_screening, small_forms.context_screening),
    'indicator': _Form(indicator_form.collect, indicator_form.context),
}


class PartGone(Refusal):
    """What was edited is not there any more."""

    status = 404
    code = 'part_gone'
    title = N_('This part is not there any more')
    message = N_('Somebody removed it or gave it another name while you had it open.')
    cure = N_('Look at the history of the draft, or go on with another part.')


@contextmanager
def _placed() -> Iterator[None]:
    """Say that the file must be mended where it has no list to put something into."""
    try:
        yield
    except KeyError as error:
        raise saving.FileUnreadable from error


class _PartChanged(Exception):
    """Somebody else saved the part since the form was opened."""


@dataclass
class _Done:
    """What saving a form came to: where the part is now, what could not be taken, what to say."""

    part: Part
    held: Mapping[str, str] = field(default_factory=dict)
    said: str = ''
    removed: bool = False


# --- showing --------------------------------------------------------------------------------------


@bp.get('/drafts/<int:draft_id>')
@requires('questionnaire.see')
def show_draft(draft_id: int) -> ResponseReturnValue:
    """The first page of the editor: the first thing to mend in the file, or its first part."""
    draft = saving.read(draft_id)
    if not reading.of(draft.source).editable:
        return redirect(url_for('.draft_source', draft_id=draft_id))
    return redirect(url_for('.edit_part', draft_id=draft_id, kind='general'))


@bp.get('/drafts/<int:draft_id>/<kind>')
@bp.get('/drafts/<int:draft_id>/<kind>/<key>')
@requires('questionnaire.see')
@pages.frames
def edit_part(draft_id: int, kind: str, key: str = '') -> ResponseReturnValue:
    draft = saving.read(draft_id)
    read = reading.of(draft.source)
    part = read.part(kind, key)
    if kind not in reading.KINDS:
        raise access.NotFound
    if part is None or not read.editable:
        flash(_('That part is not there any more.'), 'info')
        return redirect(url_for('.show_draft', draft_id=draft_id))
    return _page(draft, Fields(read, part))


def _page(
    draft: QuestionnaireDraft, shown: Fields, status: int = 200, **more: object
) -> ResponseReturnValue:
    read, part = shown.reading, shown.part
    parts = list(read.parts)
    at = parts.index(part)
    page = render_template(
        f'authoring/edit_{part.kind}.html',
        sheet=sheet(draft),
        outline=outline.of(read),
        form=shown,
        part=part,
        place=_place(read, part),
        before=parts[at - 1] if at else None,
        after=parts[at + 1] if at + 1 < len(parts) else None,
        **FORMS[part.kind].context(shown),
        **{'digest': read.digest(part), **more},
    )
    return page, status


def _place(read: Reading, part: Part) -> tuple[int, int]:
    """Which of how many a part is in its list; (0, 0) for what stands in none."""
    entries, index = read.value(part.path[:-1]), part.path[-1] if part.path else None
    if isinstance(entries, list) and isinstance(index, int):
        return index + 1, len(entries)
    return 0, 0


# --- saving ---------------------------------------------------------------------------------------


@bp.post('/drafts/<int:draft_id>/<kind>')
@bp.post('/drafts/<int:draft_id>/<kind>/<key>')
@requires('questionnaire.edit')
@pages.frames
@i18n.shows_again
def save_part(draft_id: int, kind: str, key: str = '') -> ResponseReturnValue:
    """Save the form of a part, and then do what its button says."""
    given = fields.typed()
    if i18n.switching():
        return _as_typed(draft_id, kind, key, given)
    live = '_live' in given
    if live:
        given = {each: texts for each, texts in given.items() if not _NAMES.fullmatch(each)}
    do = given.get('_do', ['save'])[0]
    done: list[_Done] = []

    def make(draft: QuestionnaireDraft) -> Edit:
        with _placed():
            text, result = _edited(saving.editable(draft), kind, key, given, do)
        done.append(result)
        act = _ACTS.get(do.partition(':')[0], 'edit')
        return Edit(text, act, f'{kind}/{key}'.strip('/'), typing=live or act == 'move')

    try:
        draft = saving.save(draft_id, make)
    except _PartChanged:
        return _conflict(draft_id, kind, key, given)
    result = done[-1]
    if result.held or live:
        draft = saving.read(draft_id)
        read = reading.of(draft.source)
        kept = given if result.held else None
        shown = Fields(read, result.part, kept, result.held)
        return _page(draft, shown, 422 if result.held and not live else 200)
    if result.said:
        flash(result.said, 'success')
    return redirect(_next(draft_id, reading.of(draft.source), result, do), 303)


def _as_typed(draft_id: int, kind: str, key: str, given: Typed) -> ResponseReturnValue:
    draft = saving.read(draft_id)
    read = saving.editable(draft)
    part = read.part(kind, key)
    if part is None:
        raise PartGone
    return _page(
        draft, Fields(read, part, given), unsent=True, digest=given.get('_digest', [''])[0]
    )


# Names of variables and answers: half a name is none, so they wait until the field is left.
_NAMES = re.compile(r'((options|rows)\.)?([0-9]+\.)?(value|name)')
_ACTS = {
    'copy': 'copy',
    'up': 'move',
    'down': 'move',
    'place': 'move',
    'remove': 'remove',
}


def _edited(read: Reading, kind: str, key: str, given: Typed, do: str) -> tuple[str, _Done]:
    """The text with what was typed, and with what the button does."""
    part = read.part(kind, key)
    if part is None:
        raise PartGone
    if '_digest' in given and given['_digest'][0] != read.digest(part):
        raise _PartChanged
    if '_fields' not in given:
        return _acted(read, part, do, given)
    form = Collector(read, part, given)
    FORMS[kind].collect(form)
    text = editing.put(read.text, form.changes)
    if '_live' not in given:
        text, part = _settled(text, part, form)
    now = reading.of(text)
    part = now.part_of(part.path)
    if form.held:
        return text, _Done(part, form.held)
    return _acted(now, part, do, given)


def _settled(text: str, part: Part, form: Collector) -> tuple[str, Part]:
    """What follows once a form is sent: other keys with another type, another name for a list."""
    text = editing.put(text, FORMS[part.kind].later(reading.of(text), part, form.given))
    if part.kind != 'list' or not form.has('name'):
        return text, part
    renamed = small_forms.rename_list(reading.of(text), part, form.typed('name'))
    return renamed, part if renamed == text else Part('list', ('options', form.typed('name')))


def _acted(now: Reading, part: Part, do: str, given: Typed) -> tuple[str, _Done]:
    """What the button does after the fields are stored."""
    several = given.get(f'several.{do.partition("-")[0]}', [''])[0]
    text = answers_form.act(now, part, do, several)
    if text is None and part.kind == 'screening':
        text = small_forms.act_screening(now, do)
    if text is None and part.kind == 'indicator':
        text = indicator_form.act(now, part, do)
    if text is None and part.kind == 'question' and do == 'own-answers':
        text = arranging.own_options(now, part)
    if text is None and part.kind == 'question' and do == 'share-answers':
        text = arranging.share_options(now, part)[0]
    if text is not None:
        return text, _Done(reading.of(text).part_of(part.path))
    verb, _colon, target = do.partition(':')
    if part.kind in ('question', 'section', 'indicator'):
        arranged = _arranged(now, part, verb, target)
        if arranged is not None:
            text, path, said = arranged
            return text, _Done(reading.of(text).part_of(path), said=said)
    if verb == 'remove' and part.kind not in ('general', 'screening'):
        if arranging.uses(now, part) and 'sure' not in given:
            return now.text, _Done(part)
        text = arranging.remove(now, part)
        said = _('Removed. “Undo” brings it back.')
        return text, _Done(_beside(reading.of(text), part), said=said, removed=True)
    return now.text, _Done(part)


def _arranged(now: Reading, part: Part, verb: str, target: str) -> tuple[str, Path, str] | None:
    if verb == 'copy':
        return *arranging.copy_part(now, part), _('This is the copy.')
    if verb in ('up', 'down'):
        found = arranging.step(now, part, -1 if verb == 'up' else 1)
        return (*found, '') if found else (now.text, part.path, '')
    if verb == 'place':
        aim = _target(now, part, target)
        return (*arranging.move(now, part, aim), '') if aim else (now.text, part.path, '')
    return None


def _target(now: Reading, part: Part, target: str) -> Path | None:
    """``3`` or, for questions, ``section.question``: before what is there now."""
    steps = [int(each) for each in target.split('.') if each.isdecimal()]
    path: Path = ()
    if part.kind == 'question' and len(steps) == 2:
        path = ('sections', steps[0], 'questions', steps[1])
    elif part.kind != 'question' and len(steps) == 1:
        path = (*part.path[:-1], steps[0])
    entries = now.value(path[:-1]) if path else None
    fits = path and (entries is None or isinstance(entries, list))
    most = len(entries) if isinstance(entries, list) else 0
    inside = bool(fits) and isinstance(path[-1], int) and path[-1] <= most
    return path if inside else None


def _beside(now: Reading, removed: Part) -> Part:
    """Where to go on when a part was removed: what stands in its place, before it, around it."""
    index = removed.path[-1]
    if isinstance(index, int):
        for place in (index, index - 1):
            path = (*removed.path[:-1], place)
            if place >= 0 and now.value(path) is not None:
                return now.part_of(path)
    return now.part_of(removed.path[:2] if removed.kind == 'question' else ())


def _next(draft_id: int, now: Reading, done: _Done, do: str) -> str:
    """Where to go after saving."""
    parts = list(now.parts)
    part = done.part
    if do == 'next':
        at = parts.index(part)
        part = parts[min(at + 1, len(parts) - 1)]
    elif do == 'remove' and not done.removed:
        return url_for('.remove_part', draft_id=draft_id, kind=part.kind, key=part.key)
    address = address_of(draft_id, part)
    place = do.partition('-')[0]
    if do in ('up', 'down'):
        return f'{address}#arrange'
    return f'{address}#{place}' if place in ('options', 'rows', 'target', 'rule') else address


def address_of(draft_id: int, part: Part) -> str:
    """The address of the form of a part."""
    key = part.key or None
    return url_for('authoring.edit_part', draft_id=draft_id, kind=part.kind, key=key)


@bp.app_template_global('part_address')
def _part_address(draft: QuestionnaireDraft, part: Part) -> str:
    return address_of(draft.id, part)


bp.add_app_template_filter(outline.shortened)
bp.add_app_template_global(outline.title_of)
bp.add_app_template_global(outline.name_of, 'part_name')
bp.add_app_template_global(wording.language_name, 'language_name')
bp.add_app_template_global(i18n.tag, 'language_tag')
bp.add_app_template_global(wording.type_name, 'type_name')


def _conflict(draft_id: int, kind: str, key: str, given: Typed) -> ResponseReturnValue:
    """Both versions of a part: the form as it was typed, and beside it what was saved meanwhile."""
    draft = saving.read(draft_id)
    read = reading.of(draft.source)
    part = read.part(kind, key)
    assert part is not None  # else it would have been gone, not changed
    saved = Fields(read, part)
    theirs = {
        each: _('Saved meanwhile: “%(text)s”', text=saved.value(*_steps(each)) or _('(empty)'))
        for each, texts in given.items()
        if _is_text(saved, each)
        and texts[0].strip().replace('\r\n', '\n') != saved.value(*_steps(each))
    }
    shown = Fields(read, part, given, theirs=theirs)
    return _page(draft, shown, 409, conflict=True)


def _steps(each: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdecimal() else step for step in each.split('.'))


def _is_text(saved: Fields, each: str) -> bool:
    found: Any = saved.data(*_steps(each))
    return isinstance(found, str) or (found is None and each.endswith(saved.languages))


# --- adding and removing --------------------------------------------------------------------------


@bp.get('/drafts/<int:draft_id>/add')
@requires('questionnaire.edit')
def choose_kind(draft_id: int) -> ResponseReturnValue:
    """What kind of question to add, after ``?after=`` or at the end of ``?section=``."""
    draft = saving.read(draft_id)
    read = reading.of(draft.source)
    after = read.part('question', request.args.get('after', ''))
    near = after or read.part('section', request.args.get('section', ''))
    return render_template(
        'authoring/add.html',
        sheet=sheet(draft),
        outline=outline.of(read),
        place=near.path[1] if near else '',
        kinds=arranging.KINDS,
        families=indicator_form.FAMILIES,
        what=request.args.get('what', 'question'),
        section=request.args.get('section', ''),
        after=request.args.get('after', ''),
    )


@bp.post('/drafts/<int:draft_id>/add')
@requires('questionnaire.edit')
def add(draft_id: int) -> ResponseReturnValue:
    """Add a part and open its form."""
    given = fields.typed()
    found: list[Path] = []

    def make(draft: QuestionnaireDraft) -> Edit:
        read = saving.editable(draft)
        with _placed():
            text, path = _added(read, given)
        found.append(path)
        return Edit(text, 'add', given.get('what', [''])[0])

    draft = saving.save(draft_id, make)
    part = reading.of(draft.source).part_of(found[-1])
    return redirect(address_of(draft_id, part), 303)


def _added(read: Reading, given: Typed) -> arranging.Arranged:
    kind = given.get('kind', [''])[0]
    match given.get('what', [''])[0]:
        case 'section':
            return arranging.add_section(read, len(read.sections))
        case 'list':
            return arranging.add_list(read)
        case 'rule':
            return arranging.add_rule(read)
        case 'indicator':
            family = kind if kind in indicator_form.FAMILIES else 'satisfaction'
            return arranging.add_indicator(read, family)
    kind = kind if kind in arranging.KINDS else 'single'
    after = read.part('question', given.get('after', [''])[0])
    if after is not None:
        index = after.path[-1]
        assert isinstance(index, int)
        return arranging.add_question(read, read.part_of(after.path[:2]), index + 1, kind)
    section = read.part('section', given.get('section', [''])[0])
    if section is None and not read.sections:
        text, path = arranging.add_section(read, 0)
        return text, (*path, 'questions', 0)
    section = section or read.sections[-1][0]
    entries = read.value((*section.path, 'questions'))
    length = len(entries) if isinstance(entries, list) else 0
    return arranging.add_question(read, section, length, kind)


@bp.get('/drafts/<int:draft_id>/<kind>/<key>/remove')
@requires('questionnaire.edit')
def remove_part(draft_id: int, kind: str, key: str) -> ResponseReturnValue:
    """Ask before removing what other parts name."""
    draft = saving.read(draft_id)
    read = reading.of(draft.source)
    part = read.part(kind, key)
    if part is None:
        raise access.NotFound
    return render_template(
        'authoring/remove.html',
        sheet=sheet(draft),
        outline=outline.of(read),
        part=part,
        digest=read.digest(part),
        text=outline.name_of(read, part),
        uses=[
            (each, name, outline.name_of(read, each)) for each, name in arranging.uses(read, part)
        ],
    )
