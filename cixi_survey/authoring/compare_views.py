"""Two versions side by side: what is different, and which figures can be compared."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from cixi_survey import database, versions
from cixi_survey.access import requires
from cixi_survey.authoring.blueprint import bp
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.compare import compare


@bp.get('/compare')
@requires('questionnaire.see')
def compare_versions() -> ResponseReturnValue:
    """Compare ``?old=`` with ``?new=``; without them the latest with the one used before it."""
    with database.reading() as session:
        every = versions.every(session)
        rows = [
            {'version': version, 'waves': versions.waves_of(session, version.sha256)}
            for version in every
        ]
        old, new = (
            versions.find(session, request.args[name]) if request.args.get(name) else None
            for name in ('old', 'new')
        )
        new = new or next(iter(every), None)
        old = old or (versions.used_before(session, new.sha256) if new else None)
    comparison = None
    if old is not None and new is not None:
        comparison = compare(
            definition.from_canonical(old.definition), definition.from_canonical(new.definition)
        )
    return render_template(
        'authoring/compare.html', rows=rows, old=old, new=new, comparison=comparison
    )
