"""What a draft may begin with: the template, a file that comes along, a file of one's own."""

from __future__ import annotations

from dataclasses import dataclass

from cixi_survey import versions
from cixi_survey.config import ROOT
from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire import definition, writer, xlsform
from cixi_survey.questionnaire.xlsform import Imported

BLANK = ROOT / 'surveys' / 'templates' / 'blank.yaml'


@dataclass(frozen=True)
class Beginning:
    """The file of a new draft, the version it is based on, the workbook that it was made of."""

    text: str
    based_on: str | None = None
    made_of: Imported | None = None

    @property
    def wants_a_look(self) -> bool:
        """Whether its author should see first what the workbook has lost on the way."""
        return self.made_of is not None and bool(self.made_of.problems or self.made_of.remarks)

    @property
    def to_mend(self) -> int:
        """How much the checks find wrong with the file."""
        return len(definition.check_text(self.text))


def blank() -> str:
    """The template: a small questionnaire without a fault."""
    return BLANK.read_text(encoding='utf-8')


def shipped(name: str) -> str:
    """A file that comes with the program.  Raises ProblemsFound for any other name."""
    return versions.shipped(name).decode('utf-8')


def uploaded(content: bytes, filename: str) -> Beginning:
    """An uploaded file, a workbook or text, whatever its faults as a questionnaire.

    Raises ProblemsFound when there is none, or it is neither.
    """
    if not filename:
        message, cure = N_('No file was chosen.'), N_('Choose the file on your computer first.')
        raise ProblemsFound([Problem('file', 'file_missing', message, cure)])
    if not xlsform.looks_like_one(content):
        return Beginning(versions.text_of(content))
    read = xlsform.read(content)
    return Beginning(writer.document(read.data), made_of=read)
