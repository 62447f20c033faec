"""How often do 95 % intervals hold the truth, and how often is "above 80 %" said wrongly?

    python benchmarks/coverage.py [--samples 2000] [--markdown]

18 unequal towns, 30 to 100 persons a town, shares from 0.75 to 0.97, with and without villages
as clusters.  Every sample goes through the library: design, proportion by town, bounds.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np

from analysis import Design, Estimate, proportion
from analysis.intervals import t_quantile
from analysis.pooled import pool_design_effect

TOWNS = 18
VILLAGES = 6
VILLAGE_SD = 0.35
METHODS = ('wilson', 'korn-graubard', 'nchs', 'logit', 'likelihood', 'arcsine', 'wald')
SHARES = (0.75, 0.80, 0.85, 0.90, 0.95, 0.97)
SIZES = (30, 50, 75, 100)
BLOCK = 20
Cell = tuple[str, float, int]


def intercept(p: float) -> float:
    """The logit at which villages that vary with VILLAGE_SD have the mean p."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(40)
    weight = weight / weight.sum()
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = float((weight / (1 + np.exp(-(middle + VILLAGE_SD * nodes)))).sum())
        low, high = (middle, high) if mean < p else (low, middle)
    return (low + high) / 2


def block(cell: Cell, random: np.random.Generator) -> tuple[list[Estimate], list[Estimate]]:
    """Estimates by town of BLOCK samples (and with the design effect pooled over the 18)."""
    kind, p, n = cell
    town = np.repeat(np.arange(BLOCK * TOWNS), n)
    weight = np.exp(random.normal(0.0, 0.3, town.size))
    if kind == 'simple':
        answers = (random.random(town.size) < p).astype(float)
        design = Design(np.ones(town.size), strata=town)
    else:
        inside = np.tile(np.arange(n) % VILLAGES, BLOCK * TOWNS)
        village = town * VILLAGES + inside
        effect = random.normal(intercept(p), VILLAGE_SD, BLOCK * TOWNS * VILLAGES)
        answers = (random.random(town.size) < 1 / (1 + np.exp(-effect[village]))).astype(float)
        design = Design(weight, strata=town, psu=village)
    rows = list(proportion(design, answers, by=town))
    pooled: list[Estimate] = []
    if kind != 'simple':
        for start in range(0, len(rows), TOWNS):
            pooled += pool_design_effect(rows[start : start + TOWNS])
    return rows, pooled


def measure(task: tuple[Cell, int, int]) -> tuple[Cell, dict[str, list[float]]]:
    """Coverage, width and false verdicts of a cell: sums over intervals by method."""
    cell, samples, seed = task
    _, p, _ = cell
    random = np.random.default_rng(seed)
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for _ in range(math.ceil(samples / BLOCK)):
        rows, pooled = block(cell, random)
        for method in METHODS:
            for row in rows:
                note(found[method], row, method, p)
        for row in pooled:
            note(found['wilson, pooled deff'], row, 'wilson', p)
    return cell, dict(found)


def note(sums: list[float], row: Estimate, method: str, p: float) -> None:
    low, high = plain_wald(row, 0.025) if method == 'wald' else row.interval(0.95, method)
    lower = plain_wald(row, 0.05)[0] if method == 'wald' else row.bounds(0.05, method)[0]
    sums[0] += 1
    sums[1] += low <= p <= high
    sums[2] += high - low
    sums[3] += lower > 0.80


def plain_wald(row: Estimate, tail: float) -> tuple[float, float]:
    """As textbooks have it; the library steps aside from it at 0 and 1."""
    half = t_quantile(1 - tail, row.df) * row.se
    return max(row.est - half, 0.0), min(row.est + half, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--samples', type=int, default=2000, help='samples of 18 towns a cell')
    parser.add_argument('--seed', type=int, default=20261123)
    options = parser.parse_args()
    cells = list(product(('simple', 'two-stage'), SHARES, SIZES))
    tasks = [(cell, options.samples, options.seed + i) for i, cell in enumerate(cells)]
    started = time.monotonic()
    with ProcessPoolExecutor() as pool:
        results = dict(pool.map(measure, tasks))
    summary(results)
    details(results)
    print(f'\n{options.samples} samples × {TOWNS} towns a cell; {time.monotonic() - started:.0f} s')


def summary(results: dict[Cell, dict[str, list[float]]]) -> None:
    print('| design | method | lowest | mean | cells < 0.945 | width/Wilson | false "above 80 %" |')
    print('|---|---|---|---|---|---|---|')
    for kind in ('simple', 'two-stage'):
        cells = [cell for cell in results if cell[0] == kind]
        reference = np.mean([results[c]['wilson'][2] / results[c]['wilson'][0] for c in cells])
        for method in results[cells[0]]:
            covered = [results[c][method][1] / results[c][method][0] for c in cells]
            width = np.mean([results[c][method][2] / results[c][method][0] for c in cells])
            false = [results[c][method][3] / results[c][method][0] for c in cells if c[1] == 0.80]
            low = sum(value < 0.945 for value in covered)
            print(
                f'| {kind} | {method} | {min(covered):.3f} | {np.mean(covered):.3f} '
                f'| {low} of {len(cells)} | {width / reference:.2f} | {max(false):.3f} |'
            )


def details(results: dict[Cell, dict[str, list[float]]]) -> None:
    print('\n| design | p, n | ' + ' | '.join([*METHODS, 'wilson, pooled deff']) + ' |')
    print('|---' * (len(METHODS) + 3) + '|')
    for (kind, p, n), found in results.items():
        values = []
        for method in [*METHODS, 'wilson, pooled deff']:
            sums = found.get(method)
            values.append('' if sums is None else f'{sums[1] / sums[0]:.3f}')
        print(f'| {kind} | {p:.2f}, {n} | ' + ' | '.join(values) + ' |')


if __name__ == '__main__':
    main()
