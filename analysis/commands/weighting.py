"""``design``, ``weight`` and ``replicates``: look at a sample, adjust it, replicate it."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from analysis import replicates, weights
from analysis.calibration import calibrate
from analysis.columns import Floats, numbers
from analysis.commands.sample import (
    add_design,
    column,
    figures,
    labels,
    read_design,
    weights_in,
)
from analysis.commands.units import pair
from analysis.design import Design
from analysis.errors import BadColumn, BadOption, UnknownLevel, listed
from analysis.progress import Progress
from analysis.table import Table, aligned, csv_text, number, opened


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
    with opened(options.file) as table:
        design = read_design(table, options)
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
            number(float(row['rate'])) if row['rate'] else '–',
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
First the answering stand for those of their class who did not (--responded), then the weights are
brought to the population (--margins); either can be left out. Who did not answer ends with weight
0 and needs no margins. MARGINS has the columns margin, level, count: margin is a column of the
file. A row with an empty level gives the total of a column of numbers (linear, logit and raking
calibration take those; a total needs --method or --bounds). Examples:
  python -m analysis weight wave.csv --weights base --margins population.csv --trim 6
  python -m analysis weight asked.csv --weights base --responded answered --classes village \\
      --collapse --margins population.csv
  python -m analysis weight wave.csv --weights base --margins population.csv \\
      --method logit --bounds 0.4,3 --report
"""


def _add_weight(commands: Any) -> None:
    parser = commands.add_parser(
        'weight',
        help='adjust for non-response, post-stratify, rake or calibrate the weights of a file',
        description='Writes the file with a new column of weights, or the report (--report).',
        epilog=WEIGHT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('file', metavar='FILE')
    parser.add_argument(
        '--weights', '--wgt', metavar='W', required=True, help='column to start from'
    )
    silent = parser.add_argument_group('non-response')
    silent.add_argument('--responded', metavar='R', help='column with 1 for those who answered')
    silent.add_argument('--classes', metavar='C', help='column of weighting classes')
    silent.add_argument('--eligible', metavar='E', help='column with 1 for those to be asked')
    silent.add_argument(
        '--collapse', action='store_true', help='join classes of fewer than --minimum answers'
    )
    silent.add_argument('--minimum', type=int, help='answers in a class (20)')
    people = parser.add_argument_group('the population')
    people.add_argument('--margins', metavar='MARGINS')
    people.add_argument('--method', choices=('raking', 'linear', 'logit'), default='raking')
    people.add_argument('--bounds', metavar='LOW,HIGH', help='of new/old weight, as 0.4,3')
    people.add_argument('--trim', type=float, metavar='LIMIT', help='no weight above this')
    parser.add_argument('--name', default='calibrated', help='name of the new column')
    parser.add_argument('--report', action='store_true', help='only the report, as JSON')
    parser.set_defaults(run=run_weight)


def run_weight(options: argparse.Namespace) -> str:
    """The file with adjusted weights, or the report on the last step with those before it."""
    _refuse_unused(options)
    with opened(options.file) as table:
        start, reports = weights_in(table, options.weights), []
        if options.responded:
            answered = _responding(table, start, options)
            start = answered.values
            reports.append(answered.report.to_dict())
        if options.margins:
            start, report = _calibrated(table, start, options)
            reports.append(report.to_dict())
        if options.report:
            told = reports[-1] | ({'earlier': reports[:-1]} if reports[:-1] else {})
            return json.dumps(told, ensure_ascii=False, indent=2)
        if options.name in table:
            raise BadColumn(
                f'The file has a column {options.name!r} already.', 'Choose another --name.'
            )
        return csv_text({**table, options.name: [repr(float(w)) for w in start]})


def _refuse_unused(options: argparse.Namespace) -> None:
    if not options.responded and not options.margins:
        raise BadOption('Give --responded, --margins, or both.')
    of_classes = (options.classes, options.eligible, options.collapse, options.minimum)
    if not options.responded and any(of_classes):
        raise BadOption('--classes, --eligible, --collapse and --minimum need --responded.')
    if not options.margins and (options.bounds or options.trim or options.method != 'raking'):
        raise BadOption('--method, --bounds and --trim need --margins.')


def _responding(table: Table, start: Floats, options: argparse.Namespace) -> weights.Weights:
    def flag(name: str | None) -> Floats | None:
        return None if name is None else figures(table, name)

    return weights.nonresponse(
        start,
        flag(options.responded),
        labels(table, options.classes) if options.classes else None,
        eligible=flag(options.eligible),
        minimum=weights.TINY if options.minimum is None else options.minimum,
        collapse='neighbour' if options.collapse else None,
    )


def _calibrated(
    table: Table, start: Floats, options: argparse.Namespace
) -> tuple[Floats, weights.Report]:
    """The weights of those who still have one, and the report on them; the others keep 0."""
    rows = np.flatnonzero(start > 0)
    done = _adjusted(table, rows, start[rows], options)
    final = np.zeros(len(start))
    final[rows] = done.values
    return final, done.report


def _adjusted(
    table: Table, rows: Any, start: Floats, options: argparse.Namespace
) -> weights.Weights:
    """Iterative raking where that is all that is asked for, else calibration by Newton's method."""
    population, totals = read_margins(options.margins)
    margins = {name: _placed(table, name, rows) for name in population}
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
        x={name: figures(table, name)[rows] for name in totals},
        totals=totals,
        method=options.method,
        bounds=pair(options.bounds, '--bounds'),
    )


def _placed(table: Table, name: str, rows: Any) -> list[str]:
    """The labels of some rows; a missing one is told by its row in the file."""
    every = labels(table, name)
    missing = [i + 1 for i in rows.tolist() if not every[i]]
    if missing:
        raise UnknownLevel(
            f'{name} is missing in {len(missing)} rows (row {listed(missing, 3)}).',
            'Give each row a level; "not known" can be one if the population has it too.',
        )
    return [every[i] for i in rows.tolist()]


def read_margins(path: str) -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Counts by margin and level, and totals of numbers, from a file of three columns."""
    population: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    with opened(path, named=True) as table:
        counts = numbers(column(table, 'count'), 'count')
        rows = zip(labels(table, 'margin'), labels(table, 'level'), counts, strict=True)
        for row, (margin, level, count) in enumerate(rows, start=1):
            known = population.get(margin, {}) if level else totals
            if (level or margin) in known:
                raise BadColumn(f'{f"{margin} {level}".strip()} is given again in row {row}.')
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
    with opened(options.file) as table:
        made = _replicates(read_design(table, options), options)
        if options.margins:
            made = _raked(table, made, options)
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


def _raked(
    table: Table, made: replicates.ReplicateDesign, options: argparse.Namespace
) -> replicates.ReplicateDesign:
    """The same with every replicate raked to the margins."""
    population, totals = read_margins(options.margins)
    if totals:
        raise BadOption(f'replicates takes margins with levels only, not {listed(totals)}.')
    margins = {name: labels(table, name) for name in population}
    step = weights.rake(made.weights, margins, population).step
    return made.calibrated(step, progress=options.progress)


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
