"""What the checks of a questionnaire share: the list they add to, and the walk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cixi_survey.errors import Problem
from cixi_survey.questionnaire.model import Question, Questionnaire
from cixi_survey.questionnaire.source import Path


@dataclass
class Faults:
    """The faults found so far; ``offset`` points into an expression."""

    found: list[tuple[Path, int, Problem]] = field(default_factory=list)

    def add(
        self,
        path: Path,
        code: str,
        message: str,
        cure: str = '',
        *,
        offset: int = 0,
        **values: object,
    ) -> None:
        where = '.'.join(map(str, path))
        self.found.append((path, offset, Problem(where, code, message, cure, values)))


def asked_questions(questionnaire: Questionnaire) -> Iterator[tuple[Path, Question]]:
    """Every question in the order of asking, with its path."""
    for s, section in enumerate(questionnaire.sections):
        for q, question in enumerate(section.questions):
            yield ('sections', s, 'questions', q), question
