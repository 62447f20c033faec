"""The paper form of a version, to print, fill in by hand and key in."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from cixi_survey import database, places, versions
from cixi_survey.access import NotFound, requires
from cixi_survey.authoring import paper
from cixi_survey.authoring.blueprint import bp
from cixi_survey.questionnaire import definition


@bp.get('/<sha256>/paper')
@requires('questionnaire.see')
def paper_form(sha256: str) -> ResponseReturnValue:
    """A version for paper, under the head of a wave (``?wave=``), in large print (``?large=1``)."""
    with database.reading() as session:
        version = versions.find(session, sha256)
        waves = versions.waves_of(session, sha256)
        asked = request.args.get('wave', waves[-1].slug if waves else '')
        wave = next((each for each in waves if each.slug == asked), None)
        if asked and wave is None:
            raise NotFound
        towns = {each.town_code: each.name for each in wave.strata} if wave else {}
    questionnaire = definition.from_canonical(version.definition)
    return render_template(
        'authoring/paper.html',
        version=version,
        questionnaire=questionnaire,
        parts=paper.parts(questionnaire, places.towns()),
        waves=waves,
        wave=wave,
        towns=towns or places.towns(),
        large=request.args.get('large') == '1',
    )
