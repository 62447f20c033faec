"""SQL to arrays: the only door from stored responses to figures, one stream a call.

The probability stream comes with the values of its design, the open stream without any, and there
is no call that gives both: they cannot be pooled by accident.  Rows are read in portions and coded
at once, so that a hundred thousand responses never exist as Python objects together.  They are put
into the order of their own hashes: sums come out to the same digit on every database, whatever
the keys are, and the order says nothing about who answered when.
"""

from __future__ import annotations

import gc
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from pydantic_core import from_json
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Invitation, Response, Wave
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.definition import Questionnaire
from cixi_survey.questionnaire.indicators import Coded

Stream = Literal['probability', 'open']
Floats = NDArray[np.float64]
# Few enough that the parsed rows of a portion stay in the processor's cache.
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


@dataclass(frozen=True, eq=False)
class Sampling:
    """What the sample design knows of each row of the probability stream."""

    stratum: Coded
    psu: Coded
    base_weight: Floats
    frame_count: Floats


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
    """The complete responses of one stream.  Raises WaveNotSealed."""
    if not wave.sealed:
        raise WaveNotSealed(wave=wave.title)
    names = [v.name for v in questionnaire_of(wave).variables() if v.kind != 'text']
    several = {v.name for v in questionnaire_of(wave).variables() if v.kind == 'multiple'}
    coders = {name: (_ListCoder if name in several else _Coder)() for name in names}
    design = {name: _Coder() for name in ('stratum', 'psu')}
    weights: list[float] = []
    counts: list[int] = []
    digests: list[bytes] = []
    for rows in _uncollected(_portions(session, wave, stream)):
        strata, psus, base_weights, frame_counts, answers = zip(*rows, strict=True)
        design['stratum'].add(strata)
        design['psu'].add(psus)
        weights += base_weights
        counts += frame_counts
        texts = [text if isinstance(text, bytes) else text.encode() for text in answers]
        digests += map(_digest, strata, psus, base_weights, frame_counts, texts)
        _read_answers(texts, coders)
    order = np.argsort(np.array(digests, dtype='S32'), kind='stable')
    sampling = None
    if stream == 'probability':
        sampling = Sampling(
            design['stratum'].column(order),
            design['psu'].column(order),
            np.array(weights, dtype=np.float64)[order],
            np.array(counts, dtype=np.float64)[order],
        )
    return Dataset(
        stream,
        len(digests),
        {name: coder.column(order) for name, coder in coders.items()},
        sampling,
        _withdrawn(session, wave, stream),
        hashlib.sha256(b''.join(sorted(digests))).hexdigest(),
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


def _uncollected(portions: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The portions, with the search for reference cycles paused: parsed answers have none,
    and looking for some in every new dictionary would take a fifth of the time.
    """
    active = gc.isenabled()
    gc.disable()
    try:
        yield from portions
    finally:
        if active:
            gc.enable()


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


def _read_answers(texts: Sequence[bytes], coders: Mapping[str, _Coder]) -> None:
    # One call for the whole portion, with shared strings, is what makes this fast.
    rows = from_json(b'[' + b','.join(texts) + b']', cache_strings='all')
    for name, coder in coders.items():
        coder.add(map(dict.get, rows, repeat(name)))


class _Codes(dict[Any, int]):
    """Value to code; a new value gets the next one."""

    def __missing__(self, value: Any) -> int:
        code = self[value] = len(self)
        return code


class _Coder:
    """Codes a column portion by portion."""

    def __init__(self) -> None:
        self.codes = _Codes()
        self.parts: list[NDArray[np.int32]] = []

    def add(self, values: Iterable[Any]) -> None:
        self.parts.append(np.fromiter(map(self.codes.__getitem__, values), dtype=np.int32))

    def column(self, order: NDArray[np.intp]) -> Coded:
        """The whole column in this order, its labels sorted: nothing of the reading is left."""
        joined = np.concatenate(self.parts) if self.parts else np.zeros(0, np.int32)
        labels = sorted(self.codes, key=_sort_key)
        lookup = np.empty(len(labels), dtype=np.intp)
        for position, label in enumerate(labels):
            lookup[self.codes[label]] = position
        return Coded(lookup[joined][order], tuple(labels))


class _ListCoder(_Coder):
    """The same for several answers: they come as a list, which cannot be looked up."""

    def add(self, values: Iterable[Any]) -> None:
        super().add(tuple(value) if isinstance(value, list) else value for value in values)


def _sort_key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 1, float(value), ''
    return (0, 0.0, '') if value is None else (2, 0.0, str(value))
