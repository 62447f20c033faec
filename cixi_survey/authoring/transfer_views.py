"""Questionnaires out to other tools and in from them, as XLSForm workbooks."""

from __future__ import annotations

from flask import Response

from cixi_survey import database, places, versions
from cixi_survey.access import requires
from cixi_survey.authoring.blueprint import bp
from cixi_survey.questionnaire import definition, xlsform

XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'


@bp.get('/<sha256>/xlsform')
@requires('questionnaire.see')
def version_xlsform(sha256: str) -> Response:
    """A version as an XLSForm workbook, with the keys of the knowledge items."""
    with database.reading() as session:
        version = versions.find(session, sha256)
    content = xlsform.write(
        definition.from_canonical(version.definition),
        made=version.published_at,
        towns=places.towns(),
        villages=places.villages(),
    )
    name = f'{version.name}-{sha256[:12]}.xlsx'
    headers = {'Content-Disposition': f'attachment; filename="{name}"'}
    return Response(content, mimetype=XLSX, headers=headers)
