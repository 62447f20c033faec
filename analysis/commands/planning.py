"""``size``, ``allocate``, ``draw`` and ``coverage``: before fieldwork."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis import coverage, planning, sampling
from analysis.columns import numbers
from analysis.commands.estimating import column
from analysis.errors import BadColumn, BadOption
from analysis.table import aligned, csv_text, read_csv

METHODS = ('proportional', 'equal', 'power', 'neyman')


def add(commands: Any) -> None:
    """Register the commands."""
    _add_size(commands)
    _add_allocate(commands)
    _add_draw(commands)
    _add_coverage(commands)


def _add_size(commands: Any) -> None:
    parser = commands.add_parser(
        'size',
        help='how many answers for a margin of error, or to prove a target',
        description='Sample size. Shares are per cent (80) or shares (0.8).',
    )
    goal = parser.add_mutually_exclusive_group(required=True)
    goal.add_argument('--margin', type=float, help='half the width of the interval, as 3')
    goal.add_argument('--target', type=float, help='the target to be shown, as 80')
    parser.add_argument('--share', type=float, default=0.5, help='expected share (with --margin)')
    parser.add_argument('--truth', type=float, help='true share supposed (with --target)')
    parser.add_argument('--power', type=float, default=0.8, help='chance to show it (0.8)')
    parser.add_argument('--level', type=float, default=0.95)
    parser.add_argument('--population', type=float, help='people in all')
    parser.add_argument('--deff', type=float, default=1.0, help='expected design effect')
    parser.add_argument('--response', type=float, default=1.0, help='expected response rate')
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_size)


def run_size(options: argparse.Namespace) -> str:
    """Effective size, answers and addresses."""
    shared = {
        'level': options.level,
        'population': options.population,
        'deff': options.deff,
        'response': share(options.response),
    }
    if options.margin is not None:
        size = planning.size_for_margin(share(options.margin), p=share(options.share), **shared)
    elif options.truth is None:
        raise BadOption('--target needs --truth: the true share that shall be shown to pass it.')
    else:
        truth, target = share(options.truth), share(options.target)
        size = planning.size_for_target(truth, target, power=share(options.power), **shared)
    if options.json:
        return json.dumps(asdict(size))
    rows = [
        ['effective answers', f'{size.effective:,}'],
        ['answers', f'{size.answers:,}'],
        ['addresses', f'{size.addresses:,}'],
    ]
    return aligned(['', ''], rows).lstrip('\n')


def share(value: float) -> float:
    """80 and 0.8 both mean 80 %."""
    return value / 100 if value > 1 else value


def _add_allocate(commands: Any) -> None:
    parser = commands.add_parser(
        'allocate',
        help='sample sizes by stratum',
        description='Spread n over strata, between a minimum and a cap.',
    )
    parser.add_argument('file', metavar='STRATA.csv', help='one row for each stratum')
    parser.add_argument('--strata', metavar='S', required=True, help='column of names')
    parser.add_argument('--population', metavar='N', required=True, help='column of people')
    parser.add_argument('--n', type=int, required=True, help='answers in all')
    parser.add_argument('--method', choices=METHODS, default='power')
    parser.add_argument('--exponent', type=float, default=0.5, help='of power allocation (0.5)')
    parser.add_argument('--spread', metavar='SD', help='column of standard deviations or CVs')
    parser.add_argument('--minimum', type=int, default=0)
    parser.add_argument('--cap', type=int)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_allocate)


def run_allocate(options: argparse.Namespace) -> str:
    """Sizes by stratum."""
    table = read_csv(options.file)
    names = list(column(table, options.strata))
    people = numbers(column(table, options.population), options.population)
    spread = None
    if options.spread:
        spread = dict(
            zip(names, numbers(column(table, options.spread), options.spread), strict=True)
        )
    sizes = sampling.allocate(
        dict(zip(names, people.tolist(), strict=True)),
        options.n,
        options.method,
        exponent=options.exponent,
        spread=spread,
        minimum=options.minimum,
        cap=options.cap,
    )
    if options.json:
        return json.dumps(sizes, ensure_ascii=False)
    body = [
        [name, f'{count:,.0f}', str(sizes[name]), f'{sizes[name] / count:.4f}']
        for name, count in zip(names, people, strict=True)
    ]
    body.append(['all', f'{people.sum():,.0f}', str(options.n), f'{options.n / people.sum():.4f}'])
    return aligned(['stratum', 'population', 'n', 'rate'], body)


def _add_draw(commands: Any) -> None:
    parser = commands.add_parser(
        'draw',
        help='draw a sample from a frame, with a recorded seed',
        description='Writes the drawn rows of the frame as CSV with probability and weight.',
    )
    parser.add_argument('file', metavar='FRAME.csv', help='one row for each unit')
    parser.add_argument('--seed', type=int, required=True, help='write it down: it redraws this')
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument('--n', type=int, help='units (of each stratum with --strata)')
    size.add_argument('--sizes', metavar='SIZES.csv', help='columns: stratum, n')
    parser.add_argument('--strata', metavar='S', help='column of strata')
    parser.add_argument('--size', metavar='M', help='column of sizes: draw systematic PPS')
    parser.add_argument('--psu', metavar='P', help='column of villages: draw two stages')
    parser.add_argument('--per-psu', type=int, help='persons in each drawn village')
    parser.set_defaults(run=run_draw)


def run_draw(options: argparse.Namespace) -> str:
    """The drawn rows as CSV."""
    frame = read_csv(options.file)
    rows_in_frame = len(next(iter(frame.values())))
    strata = column(frame, options.strata) if options.strata else ['all'] * rows_in_frame
    wanted = _wanted(options, strata)
    if options.psu:
        if options.per_psu is None:
            raise BadOption('--psu needs --per-psu: how many persons in each village.')
        rows, chance, _ = sampling.draw_two_stage(
            column(frame, options.psu), wanted, options.per_psu, options.seed, strata=strata
        )
    elif options.size:
        if options.strata:
            raise BadOption('--size draws from one list; draw stratum by stratum.')
        sizes = numbers(column(frame, options.size), options.size)
        rows, chance = sampling.draw_pps(sizes, wanted['all'], options.seed)
    else:
        rows, chance = sampling.draw_stratified(strata, wanted, options.seed)
    drawn = {name: [values[int(i)] for i in rows] for name, values in frame.items()}
    for name in ('probability', 'weight'):
        if name in drawn:
            raise BadColumn(f'The frame has a column {name!r} already.', 'Rename it.')
    drawn['probability'] = [repr(float(p)) for p in chance]
    drawn['weight'] = [repr(float(1 / p)) for p in chance]
    return csv_text(drawn)


def _add_coverage(commands: Any) -> None:
    parser = commands.add_parser(
        'coverage',
        help='simulate how often the intervals of a plan hold the truth',
        description='Samples of towns with a known share; tells for every interval method how '
        'often it holds it, how wide it is, and how often it lies above the target. Progress '
        'goes to stderr.',
    )
    parser.add_argument('--share', type=float, required=True, help='the true share, as 85')
    parser.add_argument('--n', type=int, required=True, help='answers in each town')
    parser.add_argument('--villages', type=int, default=0, help='in each town (0: simple sample)')
    parser.add_argument('--village-sd', type=float, default=0.35, help='on the log odds (0.35)')
    parser.add_argument('--towns', type=int, default=18)
    parser.add_argument('--target', type=float, default=80)
    parser.add_argument('--samples', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_coverage)


def run_coverage(options: argparse.Namespace) -> str:
    """A line for every interval method."""
    plan = coverage.Plan(
        p=share(options.share),
        n=options.n,
        villages=options.villages,
        towns=options.towns,
        village_sd=options.village_sd,
        target=share(options.target),
    )
    found = coverage.simulate(plan, options.samples, options.seed, _told)
    if options.json:
        return json.dumps([asdict(one) for one in found])
    body = [
        [one.method, f'{one.covered:.3f}', f'{one.width:.3f}', f'{one.above:.3f}'] for one in found
    ]
    return aligned(['method', 'holds', 'width', 'above target'], body)


def _told(done: int, samples: int) -> None:
    end = '\n' if done == samples else ''
    sys.stderr.write(f'\r{done} of {samples} samples{end}')
    sys.stderr.flush()


def _wanted(options: argparse.Namespace, strata: Sequence[str]) -> dict[str, int]:
    if options.sizes is None:
        return dict.fromkeys(sorted(set(strata)), options.n)
    table = read_csv(options.sizes)
    sizes = numbers(column(table, 'n'), 'n')
    if not (np.isfinite(sizes) & (sizes == np.round(sizes))).all():
        raise BadColumn('n must be a whole number in every row.')
    return dict(zip(column(table, 'stratum'), sizes.astype(int).tolist(), strict=True))
