"""Translations as a workbook, for a translator who works elsewhere, and back.

One row a text: its name, what it was when the workbook was made (hidden), the text, its
translation.  What comes back is what a form would send, with the same guard against overwriting.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlsxwriter

from cixi_survey.authoring.fields import Typed
from cixi_survey.authoring.translations import SEEN, TYPED, Pair
from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.questionnaire.xlsform import workbook

NAME, STATE = 'text', 'seen'
LONGEST = 32_767  # characters of a cell


def write(pairs: Sequence[Pair], source: str, target: str) -> bytes:
    """The workbook (.xlsx) of these texts; a text that is too long for a cell is left out."""
    out = io.BytesIO()
    options = {'strings_to_formulas': False, 'strings_to_urls': False}
    book = xlsxwriter.Workbook(out, options)
    bold = book.add_format({'bold': True, 'bottom': 1, 'valign': 'top'})
    plain = book.add_format({'text_wrap': True, 'valign': 'top'})
    sheet = book.add_worksheet(target)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 12, None, {'hidden': True})
    sheet.set_column(2, 3, 60)
    for column, heading in enumerate((NAME, STATE, source, target)):
        sheet.write_string(0, column, heading, bold)
    fitting = [each for each in pairs if max(len(each.source), len(each.target)) <= LONGEST]
    for row, pair in enumerate(fitting, 1):
        for column, text in enumerate((pair.name, pair.seen, pair.source, pair.target)):
            sheet.write_string(row, column, text, plain)
    book.close()
    return out.getvalue()


def read(content: bytes, target: str) -> Typed:
    """What a form with the translations of the workbook would send.

    Raises ProblemsFound when it is no workbook, or not one of translations into ``target``.
    """
    for sheet in workbook.read(content).values():
        headings = {cell.text.strip(): place for place, cell in enumerate(sheet.rows[0] or ())} \
            if sheet.rows else {}  # fmt: skip
        if not {NAME, STATE, target} <= headings.keys():
            continue
        found: dict[str, list[str]] = {}
        for row in sheet.rows[1:]:
            name, state, text = (
                row[place].text if place < len(row) else ''
                for place in (headings[NAME], headings[STATE], headings[target])
            )
            if name.strip():
                found[TYPED + name.strip()] = [text]
                found[SEEN + name.strip()] = [state.strip()]
        return found
    raise ProblemsFound(
        [
            Problem(
                'file',
                'no_translations',
                N_('There is no sheet with the columns “text”, “seen” and “%(target)s” in it.'),
                N_('Take the workbook from this page, and leave its first row as it is.'),
                {'target': target},
            )
        ]
    )
