"""SQL to arrays: the only door from stored responses to figures, one stream a call.

The probability stream comes with the values of its design, the open stream without any, and there
is no call that gives both: they cannot be pooled by accident.  Rows are read in portions and coded
at once, so that a hundred thousand responses never exist as Python objects together.  They are put
into the order of their own hashes: sums come out to the same digit on every database, whatever
the keys are, and the order says nothing about who answered when.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Refusal
from cixi_survey.models import (
    DrawnVillage,
    Invitation,
    Response,
    SampleDraw,
    VillageDraw,
    Wave,
)
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.questionnaire.indicators import Coded, coded
from cixi_survey.results.coding import AnswerReader

Stream = Literal['probability', 'open']
Floats = NDArray[np.float64]
# Few enough that the pieces of a portion stay in the processor's cache.
PORTION = 250


class WaveNotSealed(Refusal):
    """Figures are made from finished collections only."""

    code = 'wave_not_sealed'
    title = N_('This wave is not closed yet')
    message = N_(
        'Figures are made after a wave has closed, when nothing can be added and nobody can '
        'steer the result. The wave “%(wave)s” still takes answers or has not begun.'
    )
    cure = N_('Close the wave first.')


class AnswersErased(Refusal):
    """Answers are kept as long as residents were told, and not longer."""

    status = 410
    code = 'answers_erased'
    title = N_('The answers of this wave have been deleted')
    message = N_(
        'Their time was over on %(until)s, as residents had been told. Nothing new can be '
        'calculated from them.'
    )
    cure = N_('Figures and results that were made before stay.')


@dataclass(frozen=True, eq=False)
class Sampling:
    """What the sample design knows of each row of the probability stream.

    ``frame_count`` is the length of the list that the unit was drawn from, of its town or of its
    village.  ``first`` tells of the villages where they were drawn first, None where they were not.
    """

    stratum: Coded
    psu: Coded
    base_weight: Floats
    frame_count: Floats
    first: FirstStage | None = None


@dataclass(frozen=True, eq=False)
class FirstStage:
    """The draw of the villages: chance of each row's village, and rate of the draw by town.

    ``drawn`` counts by town code the villages that were left to chance and drawn.
    """

    chance: Floats
    rate: Mapping[str, float]
    drawn: Mapping[str, int]

    @property
    def certain(self) -> NDArray[np.bool_]:
        """Rows of villages that are in every sample."""
        certain: NDArray[np.bool_] = self.chance == 1
        return certain

    def spelling(self, villages: NDArray[np.str_]) -> bytes:
        """All of it as bytes, for the hash of the dataset."""
        chances = sorted(set(zip(villages.tolist(), self.chance.tolist(), strict=True)))
        return json.dumps([chances, dict(self.rate), dict(self.drawn)], sort_keys=True).encode()


@dataclass(frozen=True, eq=False)
class Dataset:
    """The complete responses of one stream of a wave, one entry a response in every column.

    Free text is not in it.  ``withdrawn`` counts by stratum what was taken back.
    """

    stream: Stream
    n: int
    columns: Mapping[str, Coded]
    sampling: Sampling | None
    withdrawn: Mapping[str, int]
    sha256: str


@dataclass(frozen=True)
class Outcomes:
    """How the sampled units of a stratum ended: counts, and the same weighted by base weight."""

    counts: Mapping[str, int]
    weighted: Mapping[str, float]


def questionnaire_of(wave: Wave) -> Questionnaire:
    """The version of the wave."""
    return definition.from_canonical(wave.version.definition)


def load(session: Session, wave: Wave, stream: Stream) -> Dataset:
    """The complete responses of one stream.  Raises WaveNotSealed, AnswersErased."""
    if not wave.sealed:
        raise WaveNotSealed(wave=wave.title)
    if wave.erased_at is not None:
        raise AnswersErased(until=wave.answers_until.isoformat())
    asked = [v for v in questionnaire_of(wave).variables() if v.kind != 'text']
    reader = AnswerReader([v.name for v in asked], {v.name for v in asked if v.kind == 'multiple'})
    grown = _growth(session, wave)
    strata: list[str] = []
    psus: list[str] = []
    weights: list[float] = []
    counts: list[int] = []
    digests: list[bytes] = []
    for rows in _portions(session, wave, stream):
        town, village, base_weights, frame_counts, answers = zip(*rows, strict=True)
        base_weights = tuple(map(grown, base_weights, town, village))
        strata += town
        psus += village
        weights += base_weights
        counts += frame_counts
        texts = [text if isinstance(text, bytes) else text.encode() for text in answers]
        digests += map(_digest, town, village, base_weights, frame_counts, texts)
        reader.add(texts)
    order = np.argsort(np.array(digests, dtype='S32'), kind='stable')
    sampling, design = None, b''
    if stream == 'probability':
        villages = np.array(psus)[order]
        sampling = Sampling(
            coded(np.array(strata)[order]),
            coded(villages),
            np.array(weights, dtype=np.float64)[order],
            np.array(counts, dtype=np.float64)[order],
            _first_stage(session, wave, villages),
        )
        design = b'' if sampling.first is None else sampling.first.spelling(villages)
    return Dataset(
        stream,
        len(digests),
        reader.columns(order),
        sampling,
        _withdrawn(session, wave, stream),
        hashlib.sha256(b''.join(sorted(digests)) + design).hexdigest(),
    )


def _growth(session: Session, wave: Wave) -> Callable[[Any, str, str], Any]:
    """From the weight that a response was stored with to that of the whole sample.

    A response has the weight of the sample as it was drawn.  Where a reserve was released the
    chance is larger, and the weight smaller, for those who had answered before as well.
    """
    made = session.scalars(sa.select(SampleDraw).where(SampleDraw.wave_id == wave.id)).first()
    if made is None or made.released is None:
        return lambda weight, _town, _village: weight
    return lambda weight, town, village: (
        None if weight is None else weight / made.growth(town, village)
    )


def _first_stage(session: Session, wave: Wave, villages: NDArray[np.str_]) -> FirstStage | None:
    made = session.scalars(sa.select(VillageDraw).where(VillageDraw.wave_id == wave.id)).first()
    if made is None:
        return None
    query = sa.select(DrawnVillage).where(DrawnVillage.wave_id == wave.id)
    drawn = {village.psu: village for village in session.scalars(query)}
    left = Counter(village.stratum for village in drawn.values() if not village.certain)
    towns: Mapping[str, Mapping[str, float]] = made.towns  # type: ignore[assignment]
    return FirstStage(
        np.array([drawn[code].probability for code in villages.tolist()], dtype=np.float64),
        {town: each['rate'] for town, each in towns.items()},
        left,
    )


def outcomes(session: Session, wave: Wave) -> dict[str, Outcomes]:
    """The outcomes of the sampled units by stratum, read without looking at any answer."""
    query = (
        sa.select(
            Invitation.stratum,
            Invitation.outcome,
            Invitation.size,
            Invitation.probability,
            sa.func.count(),
        )
        .where(Invitation.wave_id == wave.id)
        .group_by(Invitation.stratum, Invitation.outcome, Invitation.size, Invitation.probability)
    )
    counts: dict[str, dict[str, int]] = {}
    parts: dict[str, dict[str, list[float]]] = {}
    for stratum, outcome, size, probability, count in session.execute(query):
        by_outcome = counts.setdefault(stratum, {})
        by_outcome[outcome] = by_outcome.get(outcome, 0) + count
        weighted = parts.setdefault(stratum, {}).setdefault(outcome, [])
        weighted.append(count * (size / probability))
    return {
        stratum: Outcomes(
            counts[stratum],
            # An exact sum has no order, so it is the same on every database.
            {outcome: math.fsum(values) for outcome, values in parts[stratum].items()},
        )
        for stratum in sorted(counts)
    }


def _complete(wave: Wave, stream: Stream) -> list[sa.ColumnElement[bool]]:
    return [
        Response.wave_id == wave.id,
        Response.stream == stream,
        Response.outcome == 'complete',
    ]


def _portions(session: Session, wave: Wave, stream: Stream) -> Iterator[Sequence[Any]]:
    # Plain columns on the plain connection: through the ORM the rows would take twice as long.
    columns = Response.__table__.c
    answers: sa.ColumnElement[Any] = columns.answers
    if session.get_bind().dialect.name == 'sqlite':
        # The bytes as they are stored: they are hashed and parsed without becoming text first.
        answers = sa.cast(answers, sa.LargeBinary)
    query = (
        sa.select(
            columns.stratum,
            columns.psu,
            columns.base_weight,
            columns.frame_count,
            answers,
        )
        .where(*_complete(wave, stream), Response.withdrawn_at.is_(None))
        .execution_options(yield_per=PORTION)
    )
    return session.connection().execute(query).partitions()


def _withdrawn(session: Session, wave: Wave, stream: Stream) -> dict[str, int]:
    query = (
        sa.select(Response.stratum, sa.func.count())
        .where(*_complete(wave, stream), Response.withdrawn_at.is_not(None))
        .group_by(Response.stratum)
    )
    return {stratum or '': count for stratum, count in session.execute(query)}


def _digest(stratum: Any, psu: Any, base_weight: Any, frame_count: Any, answers: bytes) -> bytes:
    """SHA-256 of what a row contributes: design values and answers, no key, no time."""
    design = f'{stratum}|{psu}|{base_weight!r}|{frame_count}|'
    return hashlib.sha256(design.encode() + answers).digest()
