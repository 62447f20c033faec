"""A questionnaire that is tried out: which state of it, and what would have been sent.

There is no wave, no ticket and no draft of answers behind a trial, and this module and its views
only read: what is entered lives in the page and in the request that shows it again.  A response
without a wave is nothing that the database takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import places
from cixi_survey.access import NotFound
from cixi_survey.errors import Problem, ProblemsFound
from cixi_survey.models import (
    QuestionnaireDraft,
    QuestionnaireDraftSave,
    QuestionnaireVersion,
    Wave,
)
from cixi_survey.questionnaire import answers, definition
from cixi_survey.questionnaire.answers import Answer, Checked
from cixi_survey.questionnaire.definition import Questionnaire, Variable

Texts = Mapping[str, str]
Raw = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Subject:
    """What can be tried out.

    ``problems`` keep the newest state of a draft from being shown; then ``questionnaire`` is its
    last state without any, saved at ``saved_at``, or None when there is none.
    """

    questionnaire: Questionnaire | None
    problems: tuple[Problem, ...] = ()
    saved_at: datetime | None = None


def of_draft(session: Session, draft_id: int) -> Subject:
    """A draft as it is now, or as it last was without a fault.  Raises access.NotFound."""
    draft = session.get(QuestionnaireDraft, draft_id)
    if draft is None:
        raise NotFound
    questionnaire, problems = _read(draft.source)
    if questionnaire is not None:
        return Subject(questionnaire)
    good = session.scalars(
        sa.select(QuestionnaireDraftSave)
        .where(QuestionnaireDraftSave.draft_id == draft_id, QuestionnaireDraftSave.faults == 0)
        .order_by(QuestionnaireDraftSave.revision.desc())
        .limit(1)
    ).first()
    if good is None:
        return Subject(None, problems)
    return Subject(_read(good.source)[0], problems, good.saved_at)


def of_version(session: Session, sha256: str) -> Subject:
    """A published version.  Raises access.NotFound."""
    version = session.get(QuestionnaireVersion, sha256)
    if version is None:
        raise NotFound
    return Subject(definition.from_canonical(version.definition))


@lru_cache(maxsize=16)
def _read(text: str) -> tuple[Questionnaire | None, tuple[Problem, ...]]:
    try:
        return definition.load(text, filename='draft'), ()
    except ProblemsFound as found:
        return None, found.problems


def setting(questionnaire: Questionnaire, now: datetime, unknown: str) -> Wave:
    """What a wave will add to the page, as examples; ``unknown`` stands for its words.

    It is of no session and has no key: nothing can be stored under it.
    """
    title = questionnaire.title
    return Wave(
        title_zh=title.get('zh') or '',
        title_en=title.get('en') or next(iter(title.values())),
        opens_at=now,
        closes_at=now + timedelta(days=14),
        operator=unknown,
        contact=unknown,
        form_number=unknown,
        form_authority=unknown,
        approval_number=unknown,
        approval_valid_until=(now + timedelta(days=365)).date(),
        legal_basis='consent',
        retention_years=2,
    )


# --- what would have been sent --------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """What became of one variable.

    ``state`` is ``answered``, ``unanswered`` (asked and left out), ``skipped`` (its condition did
    not hold) or ``ended`` (the interview ended without it).  ``said`` are the answers in words,
    ``given`` whether something was entered that would not have been kept.
    """

    variable: Variable
    state: str
    value: Answer | None = None
    said: tuple[Texts | str, ...] = ()
    given: bool = False


@dataclass(frozen=True)
class Report:
    """Everything that pressing the button would have sent."""

    checked: Checked
    lines: tuple[Line, ...]

    @property
    def coded(self) -> str:
        """The answers as they would be stored."""
        return json.dumps(self.checked.answers, ensure_ascii=False, indent=2)


def report(questionnaire: Questionnaire, raw: Raw) -> Report:
    """Judge the answers as a real sending does.  Raises ProblemsFound."""
    checked = answers.check(questionnaire, raw, towns=places.towns(), villages=places.villages())
    if checked.problems:
        raise ProblemsFound(checked.problems)
    asked = answers.relevant(questionnaire, checked.answers)
    ended = checked.rule is not None
    return Report(
        checked,
        tuple(
            _line(variable, checked, variable.name in asked, ended)
            for variable in questionnaire.variables()
        ),
    )


def _line(variable: Variable, checked: Checked, asked: bool, ended: bool) -> Line:
    name = variable.name
    if name in checked.answers:
        value = checked.answers[name]
        return Line(variable, 'answered', value, _said(variable, value))
    state = 'ended' if ended else 'unanswered' if asked else 'skipped'
    return Line(variable, state, given=name in checked.dropped)


def _said(variable: Variable, value: Answer) -> tuple[Texts | str, ...]:
    if variable.kind == 'town':
        return (places.town(str(value)),)
    if variable.kind == 'village':
        return (places.villages()[str(value)][0],)
    if not variable.options:
        return (str(value),)
    chosen = value if isinstance(value, list) else [str(value)]
    return tuple(variable.option(each).label for each in chosen)
