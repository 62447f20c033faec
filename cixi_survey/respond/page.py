"""The page of a questionnaire: what its template needs, and the finished page kept for the next.

A page without draft and problems differs from visitor to visitor only in a few hidden values.
It is rendered once per version, language and size with marks in their places, and compressed once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, current_app, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup, escape

from cixi_survey import database, i18n, notices, pages, places
from cixi_survey.errors import Problem
from cixi_survey.models import Wave
from cixi_survey.notices import PrivacyNotice
from cixi_survey.questionnaire.constraints import alone, example
from cixi_survey.questionnaire.definition import Option, Questionnaire, page_rules
from cixi_survey.respond.assembly import Parts
from cixi_survey.respond.drafts import Saved, StaleDraft
from cixi_survey.respond.posted import Posted
from cixi_survey.respond.tickets import Ticket

Raw = Mapping[str, Sequence[str]]
MOST_KEPT = 64
CLOSES = 'Survey-Closes'  # of a form to keep: milliseconds since 1970; static/sending.js reads it
_NUMBERED = re.compile(r'([0-9]{1,2})[\s.:：、]*(.*)')


@dataclass(frozen=True)
class State:
    """What is particular to one showing of the form."""

    ticket: str
    revision: int = 0
    section: str = ''
    values: Raw = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    notice: str = ''
    saved_at: datetime | None = None
    receipt: str = ''

    @property
    def is_plain(self) -> bool:
        return not (self.values or self.problems or self.notice or self.revision)


@dataclass(frozen=True)
class Trial:
    """That the questionnaire is only tried out: nothing that is entered is kept anywhere.

    ``address`` is where its form goes, in the language and size of this page; ``until`` is the end
    of a test link, ``back`` leads a member of staff to the editor.  ``problems`` of a draft keep
    its newest state from being shown; this one was saved at ``saved_at``.
    """

    address: str
    until: datetime | None = None
    back: str = ''
    problems: tuple[Problem, ...] = ()
    saved_at: datetime | None = None


def resumed(ticket: Ticket, draft: Saved, notice: str) -> State:
    """The form as it was left, on this phone or another."""
    return State(
        ticket.text,
        draft.revision,
        draft.section,
        draft.answers,
        notice=notice,
        saved_at=draft.saved_at,
    )


def choose(wave: Wave, stale: StaleDraft, given: Posted, ticket: Ticket) -> str:
    """Two versions of the answers, side by side: which one to go on with."""
    return render_template(
        'respond/choose.html',
        wave=wave,
        current=stale.current,
        given=given,
        here=sum(any(text.strip() for text in texts) for texts in given.raw.values()),
        ticket=ticket,
        **i18n.refusal_texts(stale),
    )


def told(problems: Sequence[Problem]) -> list[tuple[str, str | Markup, str]]:
    """Each problem as (variable, the question's wording, what is wrong)."""
    return [_entry(problem) for problem in problems]


def show(wave: Wave, questionnaire: Questionnaire, state: State) -> Response:
    """The questionnaire as a response: kept and filled in, or rendered for this person."""
    if not state.is_plain:
        return Response(_render(wave, questionnaire, state, generate_csrf()), mimetype='text/html')
    return _parts(wave, questionnaire).response(_between(state), request.accept_encodings)


def empty(wave: Wave, questionnaire: Questionnaire, state: State) -> Response:
    """The form for a phone to keep: without answers or code, marked as kept, with the wave's end.

    304 when the phone has this very form already.
    """
    parts = _parts(wave, questionnaire)
    response = parts.response(_between(state, ' data-kept'), request.accept_encodings)
    response.headers[CLOSES] = str(round(wave.closes_at.timestamp() * 1000))
    response.set_etag(parts.fingerprint, weak=True)
    response.make_conditional(request)
    return response


def tried(wave: Wave, questionnaire: Questionnaire, state: State, trial: Trial) -> str:
    """The same page for somebody who tries the questionnaire out; ``wave`` is of no session."""
    privacy = notices.compose(wave, questionnaire)
    return _rendered(wave, privacy, questionnaire, state, generate_csrf(), trial=trial)


def _between(state: State, kept: str = '') -> dict[str, str]:
    return {'ticket': state.ticket, 'csrf': generate_csrf(), 'kept': kept}


def _parts(wave: Wave, questionnaire: Questionnaire) -> Parts:
    reader = (i18n.language(), i18n.elder())
    key = (wave.id, *reader, pages.demonstration(), pages.site_url(), *_shown_of(wave))
    kept: dict[Any, Parts] = current_app.extensions.setdefault('questionnaire_pages', {})
    parts = kept.get(key)
    if parts is None:
        marked = State(ticket='\x00ticket\x00')
        if len(kept) >= MOST_KEPT:
            kept.clear()
        parts = kept[key] = Parts(
            _render(wave, questionnaire, marked, '\x00csrf\x00', '\x00kept\x00')
        )
    return parts


def _shown_of(wave: Wave) -> tuple[object, ...]:
    """What the page shows of the wave itself: a change of it makes another page."""
    head = (wave.form_number, wave.form_authority, wave.approval_number, wave.approval_valid_until)
    return (
        wave.version_sha256,
        wave.closes_at,
        wave.open_link,
        wave.title_zh,
        wave.title_en,
        wave.notice_sha256,
        *head,
    )


def _render(
    wave: Wave, questionnaire: Questionnaire, state: State, csrf: str, kept: str = ''
) -> str:
    with database.reading() as session:
        privacy = notices.of(session, wave)
    return _rendered(wave, privacy, questionnaire, state, csrf, kept)


def _rendered(
    wave: Wave,
    privacy: PrivacyNotice,
    questionnaire: Questionnaire,
    state: State,
    csrf: str,
    kept: str = '',
    trial: Trial | None = None,
) -> str:
    return render_template(
        'respond/questionnaire.html',
        wave=wave,
        privacy=privacy,
        trial=trial,
        questionnaire=questionnaire,
        state=state,
        csrf=csrf,
        kept=kept,
        summary=told(state.problems),
        errors={_name(problem): i18n.problem_text(problem) for problem in state.problems},
        rules=_rules(questionnaire),
        chips=chips,
        towns=places.towns(),
        villages=_villages(),
    )


def chips(options: Sequence[Option]) -> tuple[tuple[str, str] | tuple[()], list[dict[str, Any]]]:
    """The answers of a scale as chips: (words at both ends, [{value, label, apart}]).

    Where every label is a number and only the first and the last add words, as in “1 Very bad”,
    “2”, … “5 Very good”, the chips show the numbers and the words stand at the ends.
    """
    made: list[dict[str, Any]] = [
        {'value': option.value, 'label': escape(i18n.marked(option.label)), 'apart': option.apart}
        for option in options
    ]
    scale = [chip for chip in made if not chip['apart']]
    split = [_NUMBERED.fullmatch(chip['label'].striptags()) for chip in scale]
    worded = [found[2] for found in split if found]
    if len(worded) < max(3, len(scale)) or any(worded[1:-1]) or not (worded[0] and worded[-1]):
        return (), made
    for chip, found in zip(scale, split, strict=True):
        assert found is not None
        said = Markup('<span class="visually-hidden"> {}</span>').format(found[2])
        chip['label'] = Markup('{}{}').format(found[1], said if found[2] else '')
    return (worded[0], worded[-1]), made


def _name(problem: Problem) -> str:
    return problem.where.removeprefix('f-')


def _entry(problem: Problem) -> tuple[str, str | Markup, str]:
    question = problem.values.get('question', {})
    assert isinstance(question, Mapping)
    return _name(problem), i18n.marked(question) if question else '', i18n.problem_text(problem)


def _villages() -> list[tuple[str, Mapping[str, str], list[tuple[str, str]]]]:
    """(town code, town name, its villages as (code, name)) in the order of the towns."""
    grouped: dict[str, list[tuple[str, str]]] = {code: [] for code in places.towns()}
    for code, (name, town) in places.villages().items():
        grouped[town].append((code, name))
    return [(code, places.town(code), grouped[code]) for code in grouped]


def _rules(questionnaire: Questionnaire) -> str:
    """Conditions and sentences for the page's script: it says what the server would say."""
    rules: dict[str, Any] = page_rules(questionnaire)
    variables = rules['variables']
    for variable in questionnaire.variables():
        entry = variables.setdefault(variable.name, {})
        entry['kind'] = variable.kind
        said = variable.question.constraint_message
        if said:
            entry['unfit'] = i18n.localised(said)
        if alone(variable):
            entry['alone'] = alone(variable)
        if variable.kind == 'integer':
            asked = _sentence(
                'This is not a whole number.', 'Write it in digits, such as %(example)s.'
            )
            entry['number'] = asked % {'example': example(variable)}
        if variable.kind == 'text':
            entry['most'] = variable.question.max_length or 500
    for rule, screening in zip(rules['screening'], questionnaire.screening, strict=True):
        rule['message'] = i18n.localised(screening.message)
    return _script_json({**rules, 'minutes': questionnaire.minutes, 'texts': _sentences()})


def _script_json(data: object) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(',', ':'))
    return re.sub('[<>&]', lambda found: f'\\u{ord(found[0]):04x}', text)


def _sentences() -> dict[str, Any]:
    return {
        'missing': {
            'integer': _('Please enter a number.'),
            'text': _('Please write an answer.'),
            'multiple': _('Please choose at least one answer.'),
            'town': _('Please choose your town or subdistrict.'),
            'village': _('Please choose your village or community.'),
            'single': _('Please choose an answer.'),
        },
        'unfit': _sentence('This answer is outside of what is possible.', 'Please check it.'),
        'large': _sentence('This number is too large.', 'Please check it.'),
        'long': _sentence(
            'The text has %(length)s characters; %(most)s is the most.',
            'Please shorten it by %(over)s.',
        ),
        'cleared': _('The other choices are cleared. Press “%(answer)s” again to have them back.'),
        'restored': _('The other choices are back.'),
        'gaveway': _('“%(answer)s” is no longer chosen.'),
        'error': _('Error') + i18n.reader().colon,
        'one': _('One thing needs your attention'),
        'several': _('%(count)s things need your attention'),
        'start': _('Start'),
        'next': _('Next'),
        'check': _('Check my answers'),
        'checked': _('Back to the check'),
        'progress': _('Part %(n)s of %(m)s'),
        'question': _('Question %(n)s of %(m)s'),
        'last': _('Last step'),
        'minutes': _('about %(minutes)s minutes left'),
        'minute': _('about a minute left'),
        'kept': _('Saved'),
        'unkept': _('Not saved on the server yet; kept on this phone'),
        'unsafe': _('This phone cannot keep the answers: please do not close this page.'),
        'change': _('Change'),
        'answer': _('Answer now'),
        'unanswered': _('Not answered (optional)'),
        'missed': _('Not answered yet'),
        'given': _('Questions answered: %(count)s'),
        'onphone': _('Answers that had not reached us yet are still on this phone.'),
        'window': _('Another window on this phone has other answers to this questionnaire.'),
        'waiting': _('Saved on this phone, not yet sent'),
        'onlyhere': _(
            'There is no connection at the moment. Your answers are kept on this phone and will be '
            'sent as soon as there is one. Please leave this page open, or open it again later; do '
            'not clear the browser’s data.'
        ),
        'trying': _('Sending …'),
        'again': _('The next attempt is in %(seconds)s seconds.'),
        'aftersome': _('The next attempt is in about %(minutes)s minutes.'),
        'unsent': _('Not sent yet'),
        'offline': _(
            'There is no connection at the moment. Your answers are kept on this phone: come back '
            'with it before the survey ends.'
        ),
        'comeback': _(
            'Your answers are kept. Come back with the same code or, after the open link, with '
            'this phone, before the survey ends.'
        ),
        'saved': _('Already saved (not sent yet)'),
        'nothing': _(
            'With these answers the survey ends here for you, so none of them is kept. To go on, '
            'change the answer or send them.'
        ),
        'noline': _('No connection at the moment'),
        'goon': _(
            'You can go on all the same: your answers are kept on this phone and sent as soon as '
            'there is a connection.'
        ),
        'copied': _(
            'Until your answers have arrived, a copy of them stays on this phone; then it is '
            'removed.'
        ),
        'ready': _(
            'You can answer without a connection, too. Until your answers have arrived, they and '
            'the empty form stay on this phone; then both are removed.'
        ),
        'sure': _('Delete the answers on this page and begin with an empty form?'),
        'received': _('Your answers have arrived'),
        'receipt': _('Receipt number: %(reference)s'),
        'see': _('See the receipt'),
        'removed': _('The answers that were kept on this phone have been removed from it.'),
    }


def _sentence(message: str, cure: str) -> str:
    """As ``i18n.problem_text`` puts message and cure together, places left open."""
    return i18n.sentences((_(message), _(cure)))
