"""A sample in two stages: how long it takes, and whether everybody has the stated chance.

    python -m benchmarks.two_stages [--redraws 10000] [--listed 500] [--persons 10]

First a wave of 18 towns and 360 villages is drawn in an empty SQLite database, villages and then
persons from lists of the drawn ones.  Then a small frame is drawn again and again: the share of
samples that hold each unit is set beside its chance, in units of Monte-Carlo error, and the error
that the site calculates beside the standard deviation of the estimates.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analysis import estimate
from cixi_survey import clock, migrate, places
from cixi_survey.database import Database
from cixi_survey.models import Invitation, Wave
from cixi_survey.questionnaire.indicators import Coded
from cixi_survey.results import weighting
from cixi_survey.results.dataset import FirstStage, Sampling
from cixi_survey.waves import frame, populations, stages, table, two_stage, villages
from cixi_survey.waves.stages import Asked, Stages
from tests import factories

ACT: Any = {'actor': 'benchmark', 'now': clock.now()}
SLUG = 'two-stages'
# Sizes of the villages of a small frame: chances of all kinds, one village for certain, and a town
# of which every village is taken.
SMALL = {'330282004': (40, 60, 90, 30, 50, 70, 45, 300), '330282108': (30, 50, 40)}
TAKEN = {'330282004': Asked(4, 5), '330282108': Asked(3, 6)}

Array = NDArray[Any]


def speed(listed: int, persons: int) -> None:
    """The time of each step of a whole wave."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f'sqlite:///{folder}/wave.db')
        migrate.upgrade(database)
        with database.transaction() as session:
            factories.wave(session, slug=SLUG, state='planned')
            adults = (places.FOLDER / 'demonstration-population.csv').read_bytes()
            sha256 = populations.parse(adults).sha256
            populations.store(session, SLUG, adults, sha256=sha256, **ACT)
        steps = {
            'load 360 villages': lambda session: villages.load_shipped(session, SLUG, **ACT),
            'draw villages': lambda session: _draw_villages(session, persons),
            'load their lists': lambda session: _load_lists(session, listed),
            'draw persons': lambda session: two_stage.draw_persons(session, SLUG, seed=2, **ACT),
        }
        took = {}
        for name, step in steps.items():
            began = time.perf_counter()
            with database.transaction() as session:
                step(session)
            took[name] = time.perf_counter() - began
        with database.reading() as session:
            drawn = len(two_stage.of_wave(session, session.scalars(sa.select(Wave)).one()))
            sampled = session.scalar(sa.select(sa.func.count(Invitation.id)))
    print(f'{drawn} villages drawn, {drawn * listed} persons listed, {sampled} drawn')
    for name, seconds in took.items():
        print(f'{name:20} {seconds:6.2f} s')
    print(f'{"both draws":20} {took["draw villages"] + took["draw persons"]:6.2f} s')


def _draw_villages(session: Any, persons: int) -> None:
    wave = session.scalars(sa.select(Wave)).one()
    asked = {
        town: Asked(stages.usual(len(found), number=10, all_up_to=12), persons)
        for town, found in stages.by_town(session, wave).items()
    }
    two_stage.draw_villages(session, SLUG, asked, seed=1, **ACT)


def _load_lists(session: Any, listed: int) -> None:
    wave = session.scalars(sa.select(Wave)).one()
    rows = [
        [village.stratum, village.psu, f'{village.psu}-{number}', 1]
        for village in two_stage.of_wave(session, wave)
        for number in range(listed)
    ]
    content = table.write(['stratum', 'psu', 'unit', 'size'], rows)
    sha256 = frame.parse(content, frame.limits(session, wave)).sha256
    frame.store(session, SLUG, content, filename='', source='', sha256=sha256, **ACT)


def small() -> tuple[Stages, list[frame.FrameRow]]:
    """A small frame in which a village has as many persons as its size says."""
    towns, rows = [], []
    for town, sizes in SMALL.items():
        found = [
            villages.Village(town, f'{town}{place:03}', size) for place, size in enumerate(sizes, 1)
        ]
        planned = stages.of_town(town, {}, sum(sizes), found, TAKEN[town], 1.0, 0.05)
        towns.append(planned)
        rows += [
            frame.FrameRow(town, village.psu, f'{village.psu}-{number}', 1)
            for village in found
            for number in range(village.size)
        ]
    return Stages(tuple(towns)), rows


def redraw(times: int) -> None:
    """Hits of every village and person beside their chances, and errors beside their spread."""
    planned, rows = small()
    place = {row.unit: i for i, row in enumerate(rows)}
    random = np.random.default_rng(1)
    psus = sorted({row.psu for row in rows})
    level = dict(zip(psus, random.uniform(0.5, 0.95, len(psus)), strict=True))
    values = np.array([float(random.random() < level[row.psu]) for row in rows])
    hits, seen = np.zeros(len(rows)), dict.fromkeys(psus, 0)
    found = []
    for seed in range(times):
        drawn = [SimpleNamespace(**row) for row in two_stage.drawn_rows(planned, seed)]
        kept = {village.psu for village in drawn}
        listed = [row for row in rows if row.psu in kept]
        units = two_stage.drawn_units(drawn, listed, seed + times)
        for village in drawn:
            seen[village.psu] += 1
        sample = np.array([place[unit.row.unit] for unit in units])
        hits[sample] += 1
        found.append(_estimated(planned, drawn, units, values[sample]))
    _report(planned, rows, hits, seen, times)
    share, se = np.array(found).T
    print(f'truth {values.mean():.4f}, mean of the estimates {share.mean():.4f}')
    ratio = np.sqrt((se**2).mean()) / share.std()
    print(f'root of the mean variance / standard deviation of the estimates: {ratio:.3f}')


def _estimated(
    planned: Stages, drawn: list[Any], units: list[Any], y: Array
) -> tuple[float, float]:
    chance = {village.psu: village.probability for village in drawn}
    psu, towns = (
        _coded([getattr(unit.row, name) for unit in units]) for name in ('psu', 'stratum')
    )
    first = FirstStage(
        np.array([chance[unit.row.psu] for unit in units]),
        {town.town_code: town.rate for town in planned.towns},
        {},
    )
    weights = np.array([1 / unit.probability for unit in units])
    sampling = Sampling(towns, psu, weights, weights, first)
    row = estimate.mean(weighting.design_of(sampling, weights), y)
    return row.est, row.se


def _coded(labels: list[str]) -> Coded:
    distinct, codes = np.unique(np.array(labels), return_inverse=True)
    return Coded(codes, tuple(distinct.tolist()))


def _report(
    planned: Stages, rows: list[frame.FrameRow], hits: Array, seen: dict[str, int], times: int
) -> None:
    chance, first = {}, {}
    for town in planned.towns:
        for village, share, persons in zip(town.villages, town.chance, town.persons, strict=True):
            first[village.psu] = share
            chance[village.psu] = share * persons / village.size
    of_village = np.array([first[psu] for psu in seen])
    of_person = np.array([chance[row.psu] for row in rows])
    print(f'{times} redraws')
    for name, count, pi in (
        ('villages', np.array(list(seen.values())), of_village),
        ('persons', hits, of_person),
    ):
        error = np.sqrt(times * pi * (1 - pi))
        certain = error == 0
        z = (count - times * pi)[~certain] / error[~certain]
        exact = bool((count[certain] == times).all())
        print(
            f'{name}: {len(pi)}, chances {pi.min():.3f} to {pi.max():.3f} (sum {pi.sum():.3f}); '
            f'largest distance {abs(z).max():.2f}, root mean square {np.sqrt((z**2).mean()):.2f} '
            f'Monte-Carlo errors; certain ones always in: {exact}'
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--redraws', type=int, default=10_000)
    parser.add_argument('--listed', type=int, default=500, help='persons on the list of a village')
    parser.add_argument('--persons', type=int, default=10, help='persons drawn in a village')
    options = parser.parse_args()
    speed(options.listed, options.persons)
    redraw(options.redraws)


if __name__ == '__main__':
    main()
