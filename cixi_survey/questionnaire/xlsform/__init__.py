"""Questionnaires as XLSForm workbooks, as KoboToolbox, ODK and SurveyCTO use them.

workbook    an .xlsx file to its cells, without trusting it
layout      which sheet and which column says what, once for both directions
writing     a questionnaire to a workbook; what XLSForm cannot say goes to columns ``cixi_…``
reading     a workbook, ours or foreign, to a questionnaire or to its faults by sheet, row, column
survey      the rows of the sheet ``survey`` for ``reading``
other       ``or_other`` written out

What is written is read back to the same definition, by its SHA-256.
"""

from cixi_survey.questionnaire.xlsform.reading import Imported, read
from cixi_survey.questionnaire.xlsform.workbook import NotAWorkbook, looks_like_one
from cixi_survey.questionnaire.xlsform.writing import write

__all__ = ('Imported', 'NotAWorkbook', 'looks_like_one', 'read', 'write')
