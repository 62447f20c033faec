"""What a receipt shows: that something was received, and what there was to know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import notices
from cixi_survey.access import NotFound
from cixi_survey.models import ContactGiven, ContactOffer, Response, Wave
from cixi_survey.notices import PrivacyNotice
from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.definition import Questionnaire, Variable
from cixi_survey.respond import comparison
from cixi_survey.respond.comparison import CityFigure
from cixi_survey.respond.entrance import questionnaire_of

Texts = Mapping[str, str]


@dataclass(frozen=True)
class Lesson:
    """A knowledge item: what was asked, what is right and why.

    ``given`` is for the person who has just answered and nobody else; ``got_it`` is None for all
    others.
    """

    question: Texts
    right: tuple[Texts, ...]
    explanation: Texts | None
    given: tuple[Texts, ...] = ()
    got_it: bool | None = None


@dataclass(frozen=True)
class ReceiptView:
    """A receipt as shown: nothing here tells what was answered, unless ``mine``."""

    reference: str
    title: Texts
    slug: str
    submitted_at: datetime
    consented_at: datetime | None
    closes_at: datetime
    ended_at: datetime
    answers_until: date
    statutory: bool
    notice: PrivacyNotice
    outcome: str
    withdrawn_at: datetime | None
    sealed: bool
    mine: bool
    message: Texts
    lessons: tuple[Lesson, ...]
    city: CityFigure | None
    invited: bool
    may_sign_up: bool
    prizes: int
    contacts_until: date | None
    may_share: bool

    @property
    def right_count(self) -> int:
        return sum(lesson.got_it is True for lesson in self.lessons)


def find(session: Session, reference: str, *, mine: bool, now: datetime) -> ReceiptView:
    """The receipt with this reference.  Raises NotFound.

    ``mine`` says that the reader is the one who has just sent it and sees it for the first time.
    """
    row = session.execute(
        sa.select(Response, Wave)
        .join(Wave, Response.wave_id == Wave.id)
        .where(Response.reference == reference)
    ).first()
    if row is None:
        raise NotFound
    response, wave = row
    questionnaire = questionnaire_of(session, wave)
    shown = mine and response.withdrawn_at is None
    given = json.loads(response.answers) if shown else {}
    lessons = _lessons(questionnaire, given, shown) if response.outcome == 'complete' else ()
    asked = [variable.name for variable in _explained(questionnaire)]
    return ReceiptView(
        reference=response.reference,
        title=wave.title,
        slug=wave.slug,
        submitted_at=response.submitted_at,
        consented_at=response.consented_at,
        closes_at=wave.closes_at,
        ended_at=wave.ended_at,
        answers_until=wave.answers_until,
        statutory=wave.legal_basis == 'statutory',
        notice=notices.read(session, response.notice_sha256 or wave.notice_sha256 or ''),
        outcome=response.outcome,
        withdrawn_at=response.withdrawn_at,
        sealed=wave.sealed,
        mine=mine,
        message=_message(questionnaire, given) if shown else {},
        lessons=lessons,
        city=comparison.of_city(session, wave, asked) if lessons else None,
        invited=response.stream == 'probability',
        **_contacts(session, response, now),
        may_share=wave.open_link and wave.is_open(now),
    )


class _Contacts(TypedDict):
    """What a receipt says of the list of contacts: whether one may sign up, until when it lasts."""

    may_sign_up: bool
    prizes: int
    contacts_until: date | None


def _contacts(session: Session, response: Response, now: datetime) -> _Contacts:
    offer = session.get(ContactOffer, response.wave_id)
    if offer is None:
        return {'may_sign_up': False, 'prizes': 0, 'contacts_until': None}
    news, prizes = offer.open_to(response, now)
    given = session.get(ContactGiven, response.id) is not None
    until = None if offer.purged_at else offer.keep_until
    return {
        'may_sign_up': bool(news or prizes) and not given,
        'prizes': prizes,
        'contacts_until': until,
    }


def _message(questionnaire: Questionnaire, given: Mapping[str, object]) -> Texts:
    """What the screening rule that ended the interview says."""
    for rule in questionnaire.screening:
        if expressions.parse(rule.when).holds(given):  # type: ignore[arg-type]
            return rule.message
    return {}


def _lessons(
    questionnaire: Questionnaire, given: Mapping[str, object], marked: bool
) -> tuple[Lesson, ...]:
    return tuple(
        _lesson(variable, given.get(variable.name), marked)
        for variable in _explained(questionnaire)
    )


def _explained(questionnaire: Questionnaire) -> tuple[Variable, ...]:
    """The knowledge items that residents may see the answers of."""
    return tuple(
        variable
        for variable in questionnaire.variables()
        if variable.right and not variable.question.secret
    )


def _lesson(variable: Variable, given: object, marked: bool) -> Lesson:
    chosen: list[str] = given if isinstance(given, list) else [str(given)] if given else []
    return Lesson(
        question=variable.label,
        right=tuple(variable.option(value).label for value in variable.right),
        explanation=variable.question.explanation,
        given=tuple(variable.option(value).label for value in chosen),
        got_it=set(chosen) == set(variable.right) if marked and chosen else None,
    )
