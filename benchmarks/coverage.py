"""How often do 95 % intervals hold the truth, and how often is "above 80 %" said wrongly?

    python -m benchmarks.coverage [--samples 20000] [--write]

18 unequal towns, of 30 to 100 answers and 9,000 to 210,000 people, all with one share from 0.75 to
0.97; as simple samples, and in 5 to 10 villages a town that differ, with unequal weights.  Every
interval comes from the estimators of the package (`analysis.coverage`).  In towns with simple
samples every possible count is tried, so that their coverage is exact; all else is simulated, the
default with --samples, other methods and cities of simple samples with a tenth of them.  --write
puts the tables into docs/statistics.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from analysis.coverage import METHODS, POOLED, Coverage, Plan, exact, simulate
from analysis.progress import Progress
from benchmarks.written import machine, put, today

DEFAULT = 'wilson'
SHARES = (0.75, 0.80, 0.85, 0.90, 0.95, 0.97)
SIZES = (30, 100, 45, 64, 32, 52, 88, 35, 73, 41, 60, 94, 38, 56, 83, 48, 78, 68)
VILLAGES = (5, 10, 6, 6, 5, 6, 8, 6, 7, 6, 6, 9, 6, 6, 8, 6, 7, 7)
PEOPLE = (31, 210, 44, 62, 9, 58, 120, 17, 95, 26, 71, 160, 12, 49, 88, 38, 105, 54)
TOWNS = Plan(0.8, SIZES, people=tuple(1000.0 * thousand for thousand in PEOPLE))
DESIGNS = {'simple': TOWNS, 'two-stage': replace(TOWNS, villages=VILLAGES)}
# What the default must reach: in every cell of a design, on average, and wrong verdicts at 80 %.
LOWEST, MEAN, FALSE = {'simple': 0.93, 'two-stage': 0.945}, 0.95, 0.06
# Rows of every design and share.
Results = dict[tuple[str, float], Sequence[Coverage]]


def measure(samples: int, seed: int, progress: Callable[[int, int], None]) -> Results:
    others = [method for method in (*METHODS, POOLED) if method != DEFAULT]
    results: Results = {}
    for name, plan in DESIGNS.items():
        for p in SHARES:
            cell, few, start = replace(plan, p=p), max(samples // 10, 1), seed + 2 * len(results)
            if cell.simple:
                found = simulate(cell, few, start, by_town=True, methods=METHODS)
                results[name, p] = [*exact(cell), *(row for row in found if row.town == 'city')]
            else:
                first = simulate(cell, samples, start, by_town=True, methods=[DEFAULT])
                second = simulate(cell, few, start + 1, by_town=True, methods=others)
                results[name, p] = [*first, *second]
            progress(len(results), len(DESIGNS) * len(SHARES))
    return results


def of_towns(results: Results, design: str, method: str) -> dict[float, list[Coverage]]:
    """The rows of the towns by share."""
    return {
        p: [row for row in rows if row.method == method and row.town != 'city']
        for (name, p), rows in results.items()
        if name == design
    }


def of_city(results: Results, design: str, method: str) -> dict[float, Coverage]:
    return {
        p: row
        for (name, p), rows in results.items()
        for row in rows
        if name == design and row.method == method and row.town == 'city'
    }


def summary(results: Results) -> list[str]:
    """A line for every design and method: all towns, and the city."""
    heads = ['design', 'method', 'lowest town', 'mean', 'towns < 0.945', 'width/Wilson']
    heads += ['false "above 80 %": worst town, mean', 'city: lowest, mean, false']
    lines = [f'| {" | ".join(heads)} |', '|---' * len(heads) + '|']
    for design in DESIGNS:
        usual = np.mean(
            [r.width for rows in of_towns(results, design, DEFAULT).values() for r in rows]
        )
        for method in (*METHODS, POOLED):
            towns, city = of_towns(results, design, method), of_city(results, design, method)
            rows = [row for found in towns.values() for row in found]
            if not rows:
                continue
            covered = np.array([row.covered for row in rows])
            false = [row.above for row in towns[0.80]]
            whole = [row.covered for row in city.values()]
            last = (
                f'{min(whole):.3f}, {np.mean(whole):.3f}, {city[0.80].above:.3f}' if whole else ''
            )
            lines.append(
                f'| {design} | {method} | {covered.min():.4f} | {covered.mean():.3f} '
                f'| {(covered < 0.945).sum()} of {len(covered)} '
                f'| {np.mean([row.width for row in rows]) / usual:.2f} '
                f'| {max(false):.3f}, {np.mean(false):.3f} | {last} |'
            )
    return lines


def details(results: Results) -> list[str]:
    """The default in every town, and in the city."""
    head = [f'{p:.2f}' for p in SHARES]
    lines = ['| design | n, villages | ' + ' | '.join(head) + ' |', '|---' * (len(head) + 2) + '|']
    for design, plan in DESIGNS.items():
        towns, city = of_towns(results, design, DEFAULT), of_city(results, design, DEFAULT)
        for t in np.argsort(plan.sizes):
            size = f'{plan.sizes[t]}' + ('' if plan.simple else f', {plan.clusters[t]}')
            figures = [f'{towns[p][t].covered:.3f}' for p in SHARES]
            lines.append(f'| {design} | {size} | ' + ' | '.join(figures) + ' |')
        figures = [f'{city[p].covered:.3f}' for p in SHARES]
        lines.append(f'| {design} | city | ' + ' | '.join(figures) + ' |')
    return lines


def judged(results: Results) -> list[str]:
    """What was required of the default, and what it reaches."""
    lines = []
    for design in DESIGNS:
        towns = of_towns(results, design, DEFAULT)
        covered = [row.covered for rows in towns.values() for row in rows]
        false = max(row.above for row in towns[0.80])
        asked = [
            ('lowest town', min(covered), '≥', LOWEST[design]),
            ('mean', float(np.mean(covered)), '≥', MEAN),
            ('false "above 80 %", worst town', false, '≤', FALSE),
        ]
        for what, reached, sign, limit in asked:
            met = reached >= limit if sign == '≥' else reached <= limit
            words = 'met' if met else f'**missed by {abs(reached - limit):.4f}**'
            lines.append(f'* {design}, {what}: {reached:.4f} (asked {sign} {limit:g}): {words}')
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--samples', type=int, default=20_000, help='of all towns, a share')
    parser.add_argument('--seed', type=int, default=20261123)
    parser.add_argument('--write', action='store_true', help='put the tables into the docs')
    options = parser.parse_args()
    started = time.monotonic()
    with Progress(sys.stderr, 'designs and shares') as progress:
        results = measure(options.samples, options.seed, progress)
    took = time.monotonic() - started
    made = (
        f'{options.samples:,} samples of all towns for each share (a tenth for other methods and '
        f'for the city of simple ones), seed {options.seed}; {today()}, {took:.0f} s; {machine()}.'
    )
    text = '\n\n'.join(
        '\n'.join(part) for part in (judged(results), summary(results), details(results), [made])
    )
    print(text)
    if options.write:
        put('statistics.md', 'coverage', text)


if __name__ == '__main__':
    main()
