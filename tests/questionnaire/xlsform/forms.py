"""Workbooks as people make them, for tests: sheets as lists of rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

Rows = Sequence[Sequence[object]]


def workbook(**sheets: Rows) -> bytes:
    """A workbook with these sheets; numbers, dates and truth values stay what they are."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {'strings_to_formulas': False})
    date = book.add_format({'num_format': 'd-mmm'})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for line, row in enumerate(rows):
            for place, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(line, place, value.replace(tzinfo=None), date)
                else:
                    sheet.write(line, place, value)
    book.close()
    return out.getvalue()


SETTINGS: Rows = (
    ('form_title', 'form_id', 'cixi_minutes', 'cixi_notice_version'),
    ('Parks', 'parks', 3, '2026-11'),
)
YESNO: Rows = (
    ('list_name', 'name', 'label::English (en)'),
    ('yesno', 'yes', 'Yes'),
    ('yesno', 'no', 'No'),
)
OPENING: Rows = (
    ('note', 'hello', 'Hello.'),
    ('note', 'cixi_notice', 'Voluntary.'),
)


def form(*rows: Sequence[object], heading: Sequence[object] = (), **sheets: Rows) -> bytes:
    """A form in English with an introduction and a notice; ``heading`` adds columns."""
    first = ('type', 'name', 'label::English (en)', *heading)
    sheets = {'choices': YESNO, 'settings': SETTINGS, **sheets}
    return workbook(survey=(first, *OPENING, *rows), **sheets)
