"""Two versions of a questionnaire side by side, and what can be compared between them.

wording    two texts: the pieces that differ, and how far apart they are
changes    question by question: added, removed, moved, and what is different in it
ledger     indicator by indicator: may the figures of two waves be set against each other, and why
"""

from __future__ import annotations

from dataclasses import dataclass

from cixi_survey.questionnaire.compare import changes, ledger
from cixi_survey.questionnaire.compare.changes import Change, QuestionChange, SectionChange
from cixi_survey.questionnaire.compare.ledger import IndicatorComparison, Reason
from cixi_survey.questionnaire.compare.wording import Piece, TextChange
from cixi_survey.questionnaire.model import Questionnaire

__all__ = (
    'Change',
    'Comparison',
    'IndicatorComparison',
    'Piece',
    'QuestionChange',
    'Reason',
    'SectionChange',
    'TextChange',
    'compare',
)


@dataclass(frozen=True)
class Comparison:
    """What is different in ``new``, against ``old``.

    ``head`` is what stands around the questions (title, notice, languages, screening);
    ``questions`` has every question of both in the order of ``new``, those that are gone where
    they were.
    """

    old: Questionnaire
    new: Questionnaire
    head: tuple[Change, ...]
    sections: tuple[SectionChange, ...]
    questions: tuple[QuestionChange, ...]
    indicators: tuple[IndicatorComparison, ...]

    @property
    def same(self) -> bool:
        """Whether nothing at all is different."""
        return self.old.sha256 == self.new.sha256

    @property
    def different(self) -> tuple[QuestionChange, ...]:
        """The questions that are not the same in both."""
        return tuple(each for each in self.questions if each.status != 'same')


def compare(old: Questionnaire, new: Questionnaire) -> Comparison:
    """Compare two questionnaires without faults, ``old`` being the one that was used before."""
    return Comparison(
        old,
        new,
        changes.head(old, new),
        changes.sections(old, new),
        changes.questions(old, new),
        ledger.ledger(old, new),
    )
