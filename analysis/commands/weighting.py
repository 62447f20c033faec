"""``design``, ``weight`` and ``replicates``: look at a sample, adjust it, replicate it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis import replicates, weights
from analysis.calibration import calibrate
from analysis.columns import Floats, numbers
from analysis.commands.estimating import (
    add_design,
    column,
    labels,
    pair,
    positive_column,
    read_design,
)
from analysis.design import Design
from analysis.errors import BadColumn, BadOption, listed
from analysis.progress import Progress
from analysis.table import Table, aligned, csv_text, number, read_table


def add(commands: Any) -> None:
    """Register the commands."""
    parser = commands.add_parser(
        'design',
        help='what a file says about its design, stratum by stratum',
        description='Rows, PSUs, weights and rates of every stratum; faults of the design.',
    )
    add_design(parser)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_design)
    _add_weight(commands)
    _add_replicates(commands)


def run_design(options: argparse.Namespace) -> str:
    """A line for every stratum."""
    design = read_design(read_table(options.file), options)
    rows = strata_of(design)
    effect = weights.kish(design.weights)
    if options.json:
        return json.dumps({'kish': effect, 'df': design.df, 'strata': rows}, ensure_ascii=False)
    header = ['stratum', 'rows', 'PSUs', 'rate', 'sum of weights', 'kish']
    body = [
        [
            str(row['stratum']),
            str(row['rows']),
            str(row['psus']),
            number(float(row['rate'])),
            f'{row["weight"]:,.1f}',
            number(float(row['kish']), 3),
        ]
        for row in rows
    ]
    return f'{design!r}, Kish {effect:.3f}\n\n{aligned(header, body)}'


def strata_of(design: Design) -> list[dict[str, Any]]:
    """Rows, PSUs, rate, weights of each stratum."""
    stage, found = design.stages[0], []
    stratum_of_row = stage.stratum[design.psu.codes]
    for h, label in enumerate(stage.labels):
        inside = design.weights[stratum_of_row == h]
        found.append(
            {
                'stratum': label,
                'rows': len(inside),
                'psus': int(stage.drawn[h]),
                'rate': float(stage.fraction[h]),
                'weight': float(inside.sum()),
                'kish': weights.kish(inside) if (inside > 0).any() else float('nan'),
            }
        )
    return found


WEIGHT_HELP = """\
MARGINS has the columns margin, level, count: margin is a column of the file. A row with an empty
level gives the total of a column of numbers (linear, logit and raking calibration take those; a
total needs --method or --bounds). Examples:
  python -m analysis weight wave.csv --weights base --margins population.csv --trim 6
  python -m analysis weight wave.csv --weights base --margins population.csv \\
      --method logit --bounds 0.4,3 --report
"""


def _add_weight(commands: Any) -> None:
    parser = commands.add_parser(
        'weight',
        help='post-stratify, rake or calibrate the weights of a file to population figures',
        description='Writes the file with a new column of weights, or the report (--report).',
        epilog=WEIGHT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('file', metavar='FILE')
    parser.add_argument('--weights', metavar='W', required=True, help='column to start from')
    parser.add_argument('--margins', metavar='MARGINS', required=True)
    parser.add_argument('--method', choices=('raking', 'linear', 'logit'), default='raking')
    parser.add_argument('--bounds', metavar='LOW,HIGH', help='of new/old weight, as 0.4,3')
    parser.add_argument('--trim', type=float, metavar='LIMIT', help='no weight above this')
    parser.add_argument('--name', default='calibrated', help='name of the new column')
    parser.add_argument('--report', action='store_true', help='only the report, as JSON')
    parser.set_defaults(run=run_weight)


def run_weight(options: argparse.Namespace) -> str:
    """The file with calibrated weights, or the report on them."""
    table = read_table(options.file)
    done = _adjusted(table, positive_column(table, options.weights), options)
    if options.report:
        return json.dumps(asdict(done.report), ensure_ascii=False, indent=2)
    if options.name in table:
        raise BadColumn(
            f'The file has a column {options.name!r} already.', 'Choose another --name.'
        )
    return csv_text({**table, options.name: [repr(float(w)) for w in done.values]})


def _adjusted(table: Table, start: Floats, options: argparse.Namespace) -> weights.Weights:
    """Iterative raking where that is all that is asked for, else calibration by Newton's method."""
    population, totals = read_margins(options.margins)
    margins = {name: labels(table, name) for name in population}
    plain = options.method == 'raking' and options.bounds is None and not totals
    if options.trim is not None:
        if not plain:
            raise BadOption('--trim goes with plain raking; --bounds limits other calibrations.')
        return weights.rake_and_trim(start, margins, population, upper=options.trim)
    if plain:
        return weights.rake(start, margins, population)
    return calibrate(
        start,
        margins,
        population,
        x={name: numbers(column(table, name), name) for name in totals},
        totals=totals,
        method=options.method,
        bounds=pair(options.bounds, '--bounds'),
    )


def read_margins(path: str) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Counts by margin and level, and totals of numbers, from a file of three columns."""
    table = read_table(path)
    counts = numbers(column(table, 'count'), 'count')
    population: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    rows = zip(labels(table, 'margin'), labels(table, 'level'), counts, strict=True)
    for row, (margin, level, count) in enumerate(rows, start=1):
        known = population.get(margin, {}) if level else totals
        if (level or margin) in known:
            raise BadColumn(f'Row {row} of {path} repeats {f"{margin} {level}".strip()}.')
        if level:
            population.setdefault(margin, {})[level] = float(count)
        else:
            totals[margin] = float(count)
    return population, totals


def _add_replicates(commands: Any) -> None:
    parser = commands.add_parser(
        'replicates',
        help='write replicate weights for other programs',
        description='The file with columns replicate_1, replicate_2 … of full weights. The scale '
        'that other programs need is told by --report.',
    )
    add_design(parser)
    parser.add_argument(
        '--kind', choices=('jackknife', 'bootstrap', 'brr', 'fay'), default='jackknife'
    )
    parser.add_argument('--count', type=int, default=500, help='of bootstrap replicates')
    parser.add_argument('--seed', type=int, help='of the bootstrap')
    parser.add_argument('--rho', type=float, default=0.3, help="Fay's factor")
    parser.add_argument(
        '--drop-fpc',
        action='store_true',
        help='accept that jackknife (later stages) and BRR lose the population correction',
    )
    parser.add_argument('--margins', metavar='MARGINS', help='rake every replicate to these')
    parser.add_argument('--report', action='store_true', help='only kind, scale and rscales')
    parser.set_defaults(run=run_replicates)


def run_replicates(options: argparse.Namespace) -> str:
    """Replicate weights as columns, or how to use them."""
    table = read_table(options.file)
    made = _replicates(read_design(table, options), options)
    if options.margins:
        population, totals = read_margins(options.margins)
        if totals:
            raise BadOption(f'replicates takes margins with levels only, not {listed(totals)}.')
        margins = {name: labels(table, name) for name in population}
        step = weights.rake(made.weights, margins, population).step
        made = made.calibrated(step, progress=options.progress)
    if options.report:
        told = {
            'kind': made.kind,
            'replicates': made.count,
            'scale': made.scale,
            'rscales': made.rscales.tolist(),
            'df': made.design.df,
        }
        return json.dumps(told)
    return csv_text({**table, **_columns(made, options.progress)})


def _columns(made: replicates.ReplicateDesign, progress: Progress) -> Table:
    found = {}
    for r in range(made.count):
        found[f'replicate_{r + 1}'] = [np.format_float_positional(w) for w in made.row_weights(r)]
        progress(r + 1, made.count)
    return found


def _replicates(design: Design, options: argparse.Namespace) -> replicates.ReplicateDesign:
    if options.kind == 'jackknife':
        return replicates.jackknife(design, drop_fpc=options.drop_fpc)
    if options.kind == 'bootstrap':
        if options.seed is None:
            raise BadOption('The bootstrap needs --seed, so that it can be made again.')
        return replicates.bootstrap(design, options.count, seed=options.seed)
    fay = options.rho if options.kind == 'fay' else 0.0
    return replicates.balanced(design, fay=fay, drop_fpc=options.drop_fpc)
