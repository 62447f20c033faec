"""One's own knowledge beside the city's, as last published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.models import Publication, Wave

SUPPRESSED = 'suppressed'
Texts = Mapping[str, str]


@dataclass(frozen=True)
class CityFigure:
    """How many knowledge questions residents had right on average in an earlier wave.

    ``right``, ``low`` and ``high`` count questions out of ``items``; the interval has the
    confidence ``level`` (0 to 1).
    """

    title: Texts
    slug: str
    items: int
    right: float
    low: float
    high: float
    level: float
    same_questions: bool


def of_city(session: Session, wave: Wave, asked: Sequence[str]) -> CityFigure | None:
    """The city's knowledge in the latest published wave before ``wave``; None without one.

    ``asked`` names the knowledge questions of the person's own questionnaire.  Simulated figures
    stand only beside simulated answers.
    """
    latest = session.scalars(
        sa.select(Publication)
        .join(Wave, Publication.wave_id == Wave.id)
        .where(Wave.id != wave.id, Wave.demonstration == wave.demonstration)
        .order_by(Wave.closes_at.desc(), Publication.revision.desc())
        .limit(1)
    ).first()
    if latest is None:
        return None
    content = json.loads(latest.result)
    for indicator in content['indicators']:
        city = indicator['total']
        if indicator['family'] != 'knowledge' or city['status'] == SUPPRESSED:
            continue
        items = [
            each['name'] for each in content['items'] if each['indicator'] == indicator['name']
        ]
        return CityFigure(
            title=content['wave']['title'],
            slug=content['wave']['slug'],
            items=len(items),
            right=city['est'] * len(items),
            low=city['lci'] * len(items),
            high=city['uci'] * len(items),
            level=content['options']['level'],
            same_questions=set(items) == set(asked),
        )
    return None
