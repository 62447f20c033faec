"""A version as a form to fill in by hand: what stands where, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cixi_survey import i18n
from cixi_survey.authoring.skips import Speaker
from cixi_survey.questionnaire.expressions import parse
from cixi_survey.questionnaire.model import Option, Question, Questionnaire, Screening, Section

SHORT_TEXT = 100
SCALE = 5
"""Most answers of a scale that fit beside each other."""
WIDE = 22
"""From this width, in Latin letters, an option has a line of its own."""


@dataclass(frozen=True)
class Stop:
    """A rule that ends the interview, said after the last question that it looks at."""

    words: str
    rule: Screening


@dataclass(frozen=True)
class Asked:
    """One question on the paper.

    ``only`` says whom it is for, empty for everybody; ``lines`` are those to write on.
    """

    number: int
    question: Question
    options: tuple[Option, ...]
    only: str
    stops: tuple[Stop, ...]

    @property
    def lines(self) -> int:
        return 1 if (self.question.max_length or 500) <= SHORT_TEXT else 4

    @property
    def layout(self) -> str:
        """How the options stand: ``row`` (a scale), ``columns``, or ``lines`` of their own."""
        widest = max((_width(option) for option in self.options), default=0)
        if widest > WIDE:
            return 'lines'
        return 'row' if self.question.type == 'scale' and len(self.options) <= SCALE else 'columns'


def _width(option: Option) -> int:
    """About how wide an option is: a Chinese sign takes the place of two letters."""
    return sum(1 + (sign > '\u2e7f') for sign in i18n.localised(option.label))


@dataclass(frozen=True)
class Part:
    """A section on the paper."""

    section: Section
    questions: tuple[Asked, ...]


def parts(questionnaire: Questionnaire, towns: Mapping[str, Mapping[str, str]]) -> tuple[Part, ...]:
    """The sections with their questions numbered through, and who skips what in words."""
    numbers = {
        question.name: number for number, question in enumerate(questionnaire.questions(), 1)
    }
    speaker = Speaker(questionnaire, numbers, towns)
    after: dict[int, list[Stop]] = {}
    for rule in questionnaire.screening:
        asked = [numbers[questionnaire.variable(name).question.name]
                 for name in parse(rule.when).names()]  # fmt: skip
        after.setdefault(max(asked), []).append(Stop(speaker.stops(rule.when), rule))
    return tuple(
        Part(
            section,
            tuple(
                Asked(
                    numbers[question.name],
                    question,
                    questionnaire.options_of(question),
                    speaker.only(question.relevant) if question.relevant else '',
                    tuple(after.get(numbers[question.name], ())),
                )
                for question in section.questions
            ),
        )
        for section in questionnaire.sections
    )
