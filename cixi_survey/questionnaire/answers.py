"""What a resident sent becomes answers: the server decides, whatever the page did.

One walk in the order of asking: a condition may only look at earlier questions, so each is settled
when its turn comes.  What a condition leaves out is dropped as if it had never been sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cixi_survey.errors import N_, Problem
from cixi_survey.questionnaire.constraints import example
from cixi_survey.questionnaire.expressions import Expression, parse
from cixi_survey.questionnaire.model import Questionnaire, Screening, Variable

Answer = str | int | list[str]
Towns = Mapping[str, object]
Villages = Mapping[str, tuple[object, str]]

TEXT_MOST = 500

_DIGITS = str.maketrans('０１２３４５６７８９－＋−', '0123456789-+-')
_INTEGER = re.compile(r'[+-]?0*[0-9]{1,9}')
_COUNTED = re.compile(r'\s*(?:个人|[人个位])$')
_SPELLED = {'两': '2'} | {sign: str(n) for n, sign in enumerate('一二三四五六七八九十', 1)}
_LARGE_INTEGER = re.compile(r'[+-]?[0-9]+')


@dataclass(frozen=True)
class Checked:
    """The answers that are good, what is wrong with the others, and how the interview ended.

    ``answers`` holds relevant answers only; an unanswered question has no entry.  ``dropped`` names
    what was sent and not kept: unknown or irrelevant questions, all after a screening rule.
    ``rule`` is the place of the screening rule that ended it, ``message`` what it says, by
    language.  When ``kept`` is false nothing but the outcome may be stored; ``answers`` is empty.
    """

    answers: dict[str, Answer]
    problems: tuple[Problem, ...]
    dropped: tuple[str, ...]
    outcome: Literal['complete', 'refusal', 'ineligible']
    message: Mapping[str, str] = field(default_factory=dict)
    rule: int | None = None
    kept: bool = True


@dataclass(frozen=True)
class _Step:
    variable: Variable
    relevant: Expression | None
    constraint: Expression | None


class _Plan:
    """A questionnaire with its conditions read, for one walk after another."""

    def __init__(self, questionnaire: Questionnaire) -> None:
        self.steps = tuple(
            _Step(each, _parsed(each.question.relevant), _parsed(each.question.constraint))
            for each in questionnaire.variables()
        )
        self.screening = tuple((rule, parse(rule.when)) for rule in questionnaire.screening)
        self.relevant = {step.variable.name: step.relevant for step in self.steps}
        self.town_of = dict(_towns(self.steps))

    def needed(self, upto: int) -> frozenset[str]:
        """The questions that the screening rules up to one of them look at, directly or not."""
        names: set[str] = set()
        waiting = {name for _, when in self.screening[: upto + 1] for name in when.names()}
        while waiting:
            name = waiting.pop()
            names.add(name)
            condition = self.relevant[name]
            more = set(condition.names()) if condition else set()
            more |= {self.town_of[name]} if name in self.town_of else set()
            waiting |= more - names
        return frozenset(names)


def _parsed(text: str | None) -> Expression | None:
    return None if text is None else parse(text)


def _towns(steps: Sequence[_Step]) -> Mapping[str, str]:
    """For each question for a village, the question for the town before it."""
    found: dict[str, str] = {}
    town = ''
    for step in steps:
        if step.variable.kind == 'town':
            town = step.variable.name
        elif step.variable.kind == 'village' and town:
            found[step.variable.name] = town
    return found


_PLANS: dict[str, _Plan] = {}
_PLANS_MOST = 64


def _plan(questionnaire: Questionnaire) -> _Plan:
    plan = _PLANS.get(questionnaire.sha256)
    if plan is None:
        if len(_PLANS) >= _PLANS_MOST:
            _PLANS.clear()
        plan = _PLANS[questionnaire.sha256] = _Plan(questionnaire)
    return plan


def check(
    questionnaire: Questionnaire,
    raw: Mapping[str, Sequence[str]],
    *,
    towns: Towns,
    villages: Villages,
) -> Checked:
    """Check what was sent: ``raw`` has the texts of each field, as a form sends them.

    Give only fields that are meant as answers: every other name is listed in ``dropped``.
    ``towns`` are the towns by code, ``villages`` the (name, town code) of each village by code.
    """
    plan = _plan(questionnaire)
    good: dict[str, Answer] = {}
    asked: set[str] = set()
    problems: list[Problem] = []
    for step in plan.steps:
        name = step.variable.name
        if step.relevant is not None and not step.relevant.holds(good):
            continue
        asked.add(name)
        town = str(good.get(plan.town_of.get(name, ''), ''))
        answer, problem = _read(step, raw.get(name, ()), good, towns, villages, town)
        if problem is not None:
            problems.append(problem)
        elif answer is not None:
            good[name] = answer
    index = _ended(plan, good, asked)
    if index is not None:
        rule, _when = plan.screening[index]
        kept = rule.keep == 'answers'
        needed = plan.needed(index) if kept else frozenset()
        good = {name: answer for name, answer in good.items() if name in needed}
        dropped = _dropped(raw, good, set())
        return Checked(good, (), dropped, rule.outcome, rule.message, index, kept)
    return Checked(good, tuple(problems), _dropped(raw, good, asked), 'complete')


def relevant(questionnaire: Questionnaire, answers: Mapping[str, Answer]) -> set[str]:
    """The names of the variables that are to be asked, given answers to those before them."""
    asked: set[str] = set()
    known: dict[str, Answer] = {}
    for step in _plan(questionnaire).steps:
        name = step.variable.name
        if step.relevant is None or step.relevant.holds(known):
            asked.add(name)
            if name in answers:
                known[name] = answers[name]
    return asked


def screened(questionnaire: Questionnaire, answers: Mapping[str, Answer]) -> Screening | None:
    """The screening rule that ended the interview with these answers, None for a whole one."""
    asked = relevant(questionnaire, answers)
    index = _ended(_plan(questionnaire), answers, asked)
    return None if index is None else questionnaire.screening[index]


def consented(questionnaire: Questionnaire, answers: Mapping[str, Answer]) -> bool:
    """Whether a person has said yes: what could end as a refusal was answered, and did not end so.

    Without such a rule nobody is asked, and only sending says yes.
    """
    asking = [when for rule, when in _plan(questionnaire).screening if rule.outcome == 'refusal']
    return bool(asking) and all(
        when.names() <= answers.keys() and not when.holds(answers) for when in asking
    )


def _ended(plan: _Plan, good: Mapping[str, Answer], asked: set[str]) -> int | None:
    """The place of the first screening rule that holds."""
    for index, (_rule, when) in enumerate(plan.screening):
        # A question not answered yet ends nothing: `${consent} != 'yes'` must not turn a person
        # who overlooked it into a refusal.
        open_questions = {name for name in when.names() if name in asked and name not in good}
        if not open_questions and when.holds(good):
            return index
    return None


def _dropped(
    raw: Mapping[str, Sequence[str]], good: Mapping[str, Answer], asked: set[str]
) -> tuple[str, ...]:
    # A wrong answer to a question that was asked is a problem, shown to the person, not dropped.
    return tuple(
        sorted(
            name
            for name, texts in raw.items()
            if name not in good and name not in asked and any(text.strip() for text in texts)
        )
    )


# --- one answer -----------------------------------------------------------------------------------

_Read = tuple[Answer | None, Problem | None]


def _read(
    step: _Step,
    texts: Sequence[str],
    good: Mapping[str, Answer],
    towns: Towns,
    villages: Villages,
    town: str,
) -> _Read:
    variable = step.variable
    given = [text for text in texts if text.strip()]
    if not given:
        return None, _missing(variable) if variable.question.required else None
    match variable.kind:
        case 'integer':
            answer, problem = _integer(variable, given)
        case 'text':
            answer, problem = _text(variable, given)
        case 'multiple':
            answer, problem = _multiple(variable, given)
        case 'town':
            answer, problem = _one_of(variable, given, towns)
        case 'village':
            answer, problem = _village(variable, given, villages, town)
        case _:
            answer, problem = _one_of(variable, given, variable.values)
    if answer is None:
        if problem is None and variable.question.required:
            problem = _missing(variable)
        return None, problem
    if step.constraint is not None and not step.constraint.holds(good, answer):
        return None, _unfit(variable)
    return answer, None


def _problem(
    variable: Variable, code: str, message: str, cure: str = '', **values: object
) -> Problem:
    # The wording goes along, so that a list of problems can say which question each is about.
    return Problem(variable.field_id, code, message, cure, {'question': variable.label, **values})


def _missing(variable: Variable) -> Problem:
    match variable.kind:
        case 'integer':
            message = N_('Please enter a number.')
        case 'text':
            message = N_('Please write an answer.')
        case 'multiple':
            message = N_('Please choose at least one answer.')
        case 'town':
            message = N_('Please choose your town or subdistrict.')
        case 'village':
            message = N_('Please choose your village or community.')
        case _:
            message = N_('Please choose an answer.')
    return _problem(variable, 'required', message)


def _unfit(variable: Variable) -> Problem:
    said = variable.question.constraint_message
    if said:
        return _problem(variable, 'constraint', '%(said)s', said=said)
    message = N_('This answer is outside of what is possible.')
    return _problem(variable, 'constraint', message, N_('Please check it.'))


def _integer(variable: Variable, given: Sequence[str]) -> _Read:
    text = _COUNTED.sub('', given[0].strip().translate(_DIGITS))
    text = _SPELLED.get(text, text)
    if len(set(given)) == 1 and _INTEGER.fullmatch(text):
        return int(text), None
    if _LARGE_INTEGER.fullmatch(text):
        message = N_('This number is too large.')
        return None, _problem(variable, 'too_large', message, N_('Please check it.'))
    message = N_('This is not a whole number.')
    cure = N_('Write it in digits, such as %(example)s.')
    return None, _problem(variable, 'not_a_number', message, cure, example=example(variable))


def _text(variable: Variable, given: Sequence[str]) -> _Read:
    written = {text for text in map(clean, given) if text}
    if len(written) > 1:
        return None, _several(variable)
    text = written.pop() if written else ''
    most = variable.question.max_length or TEXT_MOST
    if len(text) > most:
        return None, _problem(
            variable,
            'too_long',
            N_('The text has %(length)s characters; %(most)s is the most.'),
            N_('Please shorten it by %(over)s.'),
            length=len(text),
            most=most,
            over=len(text) - most,
        )
    return text or None, None


def clean(text: str) -> str:
    """The text as it is stored: one kind of line end, nothing that no database or eye can take."""
    lines = text.replace('\r\n', '\n').replace('\r', '\n')
    kept = ''.join(each for each in lines if each in '\n\t' or not _unfit_for_text(each)).strip()
    seen = any(unicodedata.category(each)[0] not in 'CZ' for each in kept)
    return kept if seen else ''


def _unfit_for_text(character: str) -> bool:
    # Control characters, halves of characters, and signs that turn the direction of what follows:
    # those would garble the page of whoever reads the answer.
    return unicodedata.category(character) in ('Cc', 'Cs') or character in _DIRECTIONS


_DIRECTIONS = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def _one_of(
    variable: Variable, given: Sequence[str], known: Mapping[str, object] | tuple[str, ...]
) -> _Read:
    values = {text.strip() for text in given}
    if len(values) > 1:
        return None, _several(variable)
    value = values.pop()
    return (value, None) if value in known else (None, _not_offered(variable))


def _several(variable: Variable) -> Problem:
    message = N_('Several answers came in, but only one is possible.')
    return _problem(variable, 'several', message, N_('Please choose one.'))


def _multiple(variable: Variable, given: Sequence[str]) -> _Read:
    # Fields of the same name, or one field with the values between blanks, as XLSForm stores them.
    values = {value for text in given for value in text.split()}
    if not values <= set(variable.values):
        return None, _not_offered(variable)
    return [value for value in variable.values if value in values], None


def _village(variable: Variable, given: Sequence[str], villages: Villages, town: str) -> _Read:
    value, problem = _one_of(variable, given, villages)
    if problem is not None:
        return None, problem
    if not town:
        message = N_('Please choose your town or subdistrict first.')
        cure = N_('Then choose the village or community in it.')
        return None, _problem(variable, 'town_first', message, cure)
    if villages[str(value)][1] != town:
        message = N_('This village or community does not belong to the town chosen.')
        cure = N_('Please choose it again, or correct the town.')
        return None, _problem(variable, 'other_town', message, cure)
    return value, None


def _not_offered(variable: Variable) -> Problem:
    message = N_('This answer is not one of those offered.')
    return _problem(variable, 'not_offered', message, N_('Please choose again.'))
