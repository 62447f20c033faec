"""Where a draft begins: the template, a file that comes along, a version, a file of one's own."""

from __future__ import annotations

from cixi_survey import versions
from cixi_survey.config import ROOT
from cixi_survey.errors import N_, Problem, ProblemsFound

BLANK = ROOT / 'surveys' / 'templates' / 'blank.yaml'


def blank() -> str:
    """The template: a small questionnaire without a fault."""
    return BLANK.read_text(encoding='utf-8')


def shipped(name: str) -> str:
    """A file that comes with the program.  Raises ProblemsFound for any other name."""
    return versions.shipped(name).decode('utf-8')


def uploaded(content: bytes, filename: str) -> str:
    """The text of an uploaded file, whatever its faults as a questionnaire.

    Raises ProblemsFound when there is none or it is no text.
    """
    if not filename:
        message, cure = N_('No file was chosen.'), N_('Choose the file on your computer first.')
        raise ProblemsFound([Problem('file', 'file_missing', message, cure)])
    return versions.text_of(content)
