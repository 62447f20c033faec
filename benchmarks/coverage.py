"""How often do 95 % intervals hold the truth, and how often is "above 80 %" said wrongly?

    python -m benchmarks.coverage [--samples 2000]

18 towns, 30 to 100 persons a town, shares from 0.75 to 0.97, with and without villages as
clusters, simulated by `analysis.coverage`; tables in Markdown.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np

from analysis.coverage import METHODS, POOLED, Coverage, Plan, simulate

SHARES = (0.75, 0.80, 0.85, 0.90, 0.95, 0.97)
SIZES = (30, 50, 75, 100)
Results = dict[Plan, dict[str, Coverage]]


def measure(task: tuple[Plan, int, int]) -> tuple[Plan, dict[str, Coverage]]:
    plan, samples, seed = task
    return plan, {found.method: found for found in simulate(plan, samples, seed)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--samples', type=int, default=2000, help='samples of 18 towns a cell')
    parser.add_argument('--seed', type=int, default=20261123)
    options = parser.parse_args()
    plans = [Plan(p, n, villages) for villages, p, n in product((0, 6), SHARES, SIZES)]
    tasks = [(plan, options.samples, options.seed + i) for i, plan in enumerate(plans)]
    started = time.monotonic()
    with ProcessPoolExecutor() as pool:
        results = dict(pool.map(measure, tasks))
    summary(results)
    details(results)
    print(f'\n{options.samples} samples × 18 towns a cell; {time.monotonic() - started:.0f} s')


def kind(plan: Plan) -> str:
    return 'two-stage' if plan.villages else 'simple'


def summary(results: Results) -> None:
    print('| design | method | lowest | mean | cells < 0.945 | width/Wilson | false "above 80 %" |')
    print('|---|---|---|---|---|---|---|')
    for villages in (0, 6):
        plans = [plan for plan in results if plan.villages == villages]
        reference = np.mean([results[plan]['wilson'].width for plan in plans])
        for method in results[plans[0]]:
            found = [results[plan][method] for plan in plans]
            covered = [one.covered for one in found]
            false = [results[plan][method].above for plan in plans if plan.p == 0.80]
            low = sum(value < 0.945 for value in covered)
            width = np.mean([one.width for one in found]) / reference
            print(
                f'| {kind(plans[0])} | {method} | {min(covered):.3f} | {np.mean(covered):.3f} '
                f'| {low} of {len(plans)} | {width:.2f} | {max(false):.3f} |'
            )


def details(results: Results) -> None:
    names = [*METHODS, POOLED]
    print('\n| design | p, n | ' + ' | '.join(names) + ' |')
    print('|---' * (len(names) + 2) + '|')
    for plan, found in results.items():
        values = [f'{found[name].covered:.3f}' if name in found else '' for name in names]
        print(f'| {kind(plan)} | {plan.p:.2f}, {plan.n} | ' + ' | '.join(values) + ' |')


if __name__ == '__main__':
    main()
