"""Sealed waves: a tiny one that is worked out by hand, and a whole one made by chance."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from cixi_survey import places
from cixi_survey.database import Database
from cixi_survey.models import Invitation, Response, Run, Wave, WaveMargin, WaveStratum
from cixi_survey.results import publish, run
from tests import factories

NOW = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)
HUSHAN, FUHAI = '330282004', '330282108'
SATISFIED = ('satisfied', 'rather')


def database_of(app: Flask) -> Database:
    database: Database = app.extensions['cixi_database']
    return database


def sampled(
    session: Session,
    wave: Wave,
    town: str,
    rows: Sequence[Mapping[str, object]],
    *,
    probability: float,
    frame_count: int,
    sizes: Sequence[int] = (),
    others: Sequence[str] = (),
    withdrawn: int = 0,
) -> None:
    """Invitations of a town: a complete response for each row, and units with other outcomes."""
    outcomes = ['complete'] * len(rows) + list(others)
    sizes = [*sizes, *[2] * (len(outcomes) - len(sizes))]
    session.execute(
        sa.insert(Invitation),
        [
            {
                'wave_id': wave.id,
                'stratum': town,
                'psu': f'{town}001',
                'unit': secrets.token_hex(8),
                'size': size,
                'probability': probability,
                'frame_count': frame_count,
                'outcome': outcome,
            }
            for outcome, size in zip(outcomes, sizes, strict=True)
        ],
    )
    session.execute(
        sa.insert(Response),
        [
            stored(wave, {**factories.ANSWERS, 'town': town, **answers})
            | {
                'stream': 'probability',
                'stratum': town,
                'psu': f'{town}001',
                'base_weight': sizes[i] / probability,
                'frame_count': frame_count,
                'withdrawn_at': NOW if i >= len(rows) - withdrawn else None,
            }
            for i, answers in enumerate(rows)
        ],
    )


def opened(session: Session, wave: Wave, rows: Sequence[Mapping[str, object]]) -> None:
    """Responses by the open link."""
    session.execute(
        sa.insert(Response),
        [
            stored(wave, {**factories.ANSWERS, **answers})
            | {
                'stream': 'open',
                'stratum': None,
                'psu': None,
                'base_weight': None,
                'frame_count': None,
                'withdrawn_at': None,
            }
            for answers in rows
        ],
    )


def stored(wave: Wave, answers: Mapping[str, object]) -> dict[str, Any]:
    text = json.dumps(answers, ensure_ascii=False, sort_keys=True, separators=(',', ':'))
    return {
        'reference': secrets.token_hex(6),
        'submission_id': secrets.token_hex(16),
        'wave_id': wave.id,
        'version_sha256': wave.version_sha256,
        'sealed': True,
        'outcome': 'complete',
        'answers': text,
        'answers_sha256': '0' * 64,
        'language': 'zh',
        'channel': '',
        'notice_version': '1',
        'notice_sha256': wave.notice_sha256,
        'consented_at': NOW,
        'started_at': NOW,
        'submitted_at': NOW,
    }


def tiny(session: Session, *, slug: str = 'tiny', **changes: object) -> Wave:
    """Two towns of 600 and 300 adults; 4 answers of 8 sampled of 100, 3 of 5 sampled of 50.

    Every household has 2 adults.  Hushan: 3 of 4 satisfied; Fuhai: 1 of 3.  The last column of
    each row is the age band.
    """
    population = {HUSHAN: 600, FUHAI: 300}
    wave = factories.wave(
        session, slug=slug, state='closed', now=NOW, population=population, **changes
    )  # type: ignore[arg-type]
    sampled(
        session,
        wave,
        HUSHAN,
        [
            {'overall': 'satisfied'},
            {'overall': 'rather'},
            {'overall': 'satisfied', 'age': 'a40_up'},
            {'overall': 'not_very', 'age': 'a40_up'},
        ],
        probability=0.08,
        frame_count=100,
        others=('pending', 'pending', 'refusal', 'ineligible'),
    )
    sampled(
        session,
        wave,
        FUHAI,
        [
            {'overall': 'satisfied', 'k_one': 'march12'},
            {'overall': 'not_at_all', 'k_one': 'unknown', 'k_two': 'car'},
            {'overall': 'not_very', 'age': 'a40_up'},
        ],
        probability=0.1,
        frame_count=50,
        others=('pending', 'refusal'),
    )
    session.flush()
    return wave


def whole(
    session: Session,
    *,
    slug: str = 'w2026-11',
    seed: int = 1,
    sizes: Mapping[str, int] | None = None,
    answers_open: int = 83,
    **changes: object,
) -> Wave:
    """18 towns with about 100 answers each (or ``sizes``), margins, and an open stream."""
    random = np.random.default_rng(seed)
    towns = places.towns()
    changes = {
        'demonstration': True,
        'title_zh': '2026年11月',
        'title_en': 'November 2026',
    } | changes
    wave = factories.wave(session, slug=slug, state='closed', now=NOW, **changes)  # type: ignore[arg-type]
    wave.strata = [
        WaveStratum(
            town_code=code,
            name_zh=name['zh'],
            name_en=name['en'],
            population=40_000 + 5_000 * i,
        )
        for i, (code, name) in enumerate(towns.items())
    ]
    wave.margins = [
        WaveMargin(variable='age', category=age, share=share, source='demonstration figure')
        for age, share in (('a18_39', 0.45), ('a40_up', 0.55))
    ]
    session.flush()
    for i, code in enumerate(towns):
        n = (sizes or {}).get(code, 80 + 3 * i)
        share = 0.80 + 0.01 * i
        rows = [person(random, share) for _ in range(n)]
        others = ['pending'] * (n // 2) + ['refusal'] * (n // 8) + ['ineligible'] * (n // 20)
        sampled(
            session,
            wave,
            code,
            rows,
            probability=0.02,
            frame_count=round((n + len(others)) / 0.02),
            sizes=random.integers(1, 5, n).tolist(),
            others=others,
        )
    opened(session, wave, [person(random, 0.97) for _ in range(answers_open)])
    session.flush()
    return wave


def person(random: np.random.Generator, share: float) -> dict[str, object]:
    """Somebody's answers; ``share`` of such people are satisfied."""
    content = random.random() < share
    overall = random.choice(SATISFIED if content else ('not_very', 'not_at_all'))
    return {
        'overall': 'unsure' if random.random() < 0.07 else str(overall),
        'age': 'a18_39' if random.random() < 0.4 else 'a40_up',
        'sat_water': str(random.choice(SATISFIED)) if random.random() < 0.7 else 'not_very',
        'k_one': 'june5' if random.random() < 0.83 else 'unknown',
        'k_two': 'walk' if random.random() < 0.9 else 'car',
        'did': ['sorted', 'walked'] if random.random() < 0.92 else ['none'],
        'adults': int(random.integers(1, 5)),
    }


def made(session: Session, wave: Wave, **options: Any) -> Run:
    return run.estimate(session, wave, run.Options(**options), by=None, now=NOW)


def published(session: Session, wave: Wave) -> None:
    publish.publish(session, wave, made(session, wave), by=None, now=NOW)


@pytest.fixture
def published_app(app: Flask) -> Flask:
    """The site with one published wave of 18 towns, ``w2026-11``."""
    with database_of(app).transaction() as session:
        published(session, whole(session))
    return app
