"""``estimate`` and ``compare``: read a file, estimate, return text."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis import estimate
from analysis.columns import Floats, numbers
from analysis.design import LONELY_RULES, Design
from analysis.difference import difference
from analysis.errors import BadColumn, BadOption, BadWeights, listed
from analysis.intervals import METHODS, Bounds
from analysis.pooled import pool_design_effect
from analysis.presentation import Flag, flag
from analysis.result import Estimate, Estimates, text_table
from analysis.table import Table, aligned, number, read_table, texts
from analysis.verdict import Verdict, decide

ESTIMATE_HELP = """\
Shares (--proportion, or a --mean of values from 0 to 1) are computed from 0 to 1 and get the
Wilson interval on the effective sample size; other means, totals and ratios get a t interval.
Example:
  python -m analysis estimate wave.csv --weights weight --strata town --fpc town_population \\
      --mean satisfied --by town --target 80
"""


def add(commands: Any) -> None:
    """Register ``estimate`` and ``compare``."""
    parser = commands.add_parser(
        'estimate',
        help='means, shares, totals and ratios with errors, intervals and verdicts',
        description='Weighted estimates with design-based errors.',
        epilog=ESTIMATE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_design(parser)
    add_estimate(parser)
    parser.add_argument(
        '--pooled-deff',
        action='store_true',
        help='intervals from one design effect of all groups: for towns with few villages',
    )
    parser.add_argument(
        '--flags', action='store_true', help='show, review or suppress (NCHS) for every share'
    )
    parser.set_defaults(run=run_estimate)
    parser = commands.add_parser(
        'compare',
        help='differences of groups, or of waves that share villages, with their covariance',
        description='Difference of one group from each of the others (the first is the reference '
        'unless --reference says otherwise). For a change between waves stack the files, with '
        'the wave as the group and the same village labels in both.',
    )
    add_design(parser)
    add_estimate(parser)
    parser.add_argument('--reference', metavar='GROUP', help='compare all others with this one')
    parser.set_defaults(run=run_compare)


def add_design(parser: argparse.ArgumentParser) -> None:
    """Options that say which columns describe the sample."""
    group = parser.add_argument_group('the sample')
    group.add_argument(
        'file', metavar='FILE', help='CSV (UTF-8, names in the first line) or Parquet'
    )
    group.add_argument('--weights', metavar='W', required=True, help='column of weights')
    group.add_argument('--strata', metavar='S', help='column of strata')
    group.add_argument(
        '--psu', '--ids', metavar='P', help='column of first-stage clusters; without it, rows'
    )
    group.add_argument('--ssu', metavar='P2', help='column of second-stage units')
    group.add_argument(
        '--ssu-strata', metavar='S2', help='column of strata inside the first-stage clusters'
    )
    group.add_argument(
        '--fpc',
        '--population',
        dest='population',
        metavar='F[,F2]',
        help='column (per stage) with the number of units in the population of the stratum',
    )
    group.add_argument(
        '--rate', metavar='R[,R2]', help='column (per stage) with the share drawn, 0 to 1'
    )
    group.add_argument('--nest', action='store_true', help='PSU labels start again by stratum')
    group.add_argument(
        '--lonely', choices=LONELY_RULES, default='fail', help='strata with one PSU (fail)'
    )
    margins = group.add_mutually_exclusive_group()
    margins.add_argument(
        '--post-strata', metavar='G', help='the weights are post-stratified to this column'
    )
    margins.add_argument(
        '--raked-on', metavar='A,B,C', help='the weights are raked to these columns'
    )
    group.add_argument(
        '--base-weights', metavar='W0', help='column of the weights before that adjustment'
    )


def add_estimate(parser: argparse.ArgumentParser) -> None:
    """Options that say what to estimate and how to show it."""
    group = parser.add_argument_group('the estimate')
    what = group.add_mutually_exclusive_group(required=True)
    what.add_argument('--mean', metavar='Y', action='append', help='mean of a column')
    what.add_argument(
        '--proportion', metavar='Y[=VALUE]', action='append', help='share with 1, or with VALUE'
    )
    what.add_argument('--total', metavar='Y', action='append', help='total of a column')
    what.add_argument('--ratio', metavar='Y/X', action='append', help='ratio of two totals')
    group.add_argument('--by', metavar='G', help='one row for each value of this column')
    group.add_argument('--where', metavar='COL=VALUE', help='only these rows, in the whole design')
    group.add_argument('--ci', metavar='METHOD', choices=METHODS, help=', '.join(METHODS))
    group.add_argument('--level', type=float, default=0.95, help='confidence level (0.95)')
    group.add_argument('--limits', metavar='LOW,HIGH', help='ends of the scale of a mean, as 0,100')
    group.add_argument(
        '--target',
        type=float,
        help='decide against this value, one-sided; for shares per cent (80) or a share (0.8)',
    )
    group.add_argument('--json', action='store_true', help='machine-readable output')


def run_estimate(options: argparse.Namespace) -> str:
    """Read, estimate, decide; a table or JSON."""
    table = read_table(options.file)
    design = read_design(table, options)
    rows = [row for part in _estimates(table, design, options) for row in _pooled(part, options)]
    flags = [flag(row) for row in rows] if options.flags else None
    verdicts = None
    if options.target is not None:
        verdicts = [_decide(row, options.target, options.level) for row in rows]
    if options.json:
        return _as_json(design, rows, verdicts, flags)
    text = [repr(design), text_table(rows)]
    if options.pooled_deff:
        effects = dict.fromkeys(number(r.pooled_deff, 3) for r in rows if r.pooled_deff)
        text.append(f'Design effect pooled over the groups: {", ".join(effects)}')
    if verdicts is not None:
        text.append(_verdict_table(rows, verdicts))
    if flags is not None:
        text.append(_flag_table(rows, flags))
    return '\n\n'.join(text)


def _pooled(rows: Estimates, options: argparse.Namespace) -> Sequence[Estimate]:
    if not options.pooled_deff:
        return list(rows)
    if not options.by:
        raise BadOption('--pooled-deff needs --by: the towns whose design effect is pooled.')
    return pool_design_effect(rows)


def run_compare(options: argparse.Namespace) -> str:
    """Differences between groups of --by."""
    if not options.by:
        raise BadOption('compare needs --by: the groups to compare.')
    if options.target is not None:
        raise BadOption('compare has no --target: a verdict is about one group; use estimate.')
    table = read_table(options.file)
    design = read_design(table, options)
    found = []
    for rows in _estimates(table, design, options):
        known = [row.label for row in rows if row.n]
        reference = options.reference or known[0]
        if reference not in known:
            raise BadOption(f'There is no group {reference!r}; there are {listed(known)}.')
        others = [label for label in known if label != reference]
        found += [difference(rows, label, reference, level=options.level) for label in others]
    if options.json:
        return _as_json(design, found, None)
    return f'{design!r}\n\n{text_table(found)}'


def read_design(table: Table, options: argparse.Namespace) -> Design:
    """The design that the options describe, with the calibration of the file's weights."""
    weights = positive_column(table, options.weights)
    if not options.post_strata and not options.raked_on and options.base_weights:
        raise BadOption('--base-weights needs --post-strata or --raked-on.')
    design = Design(
        weights,
        strata=_labels(table, options.strata),
        psu=_labels(table, options.psu),
        ssu=_labels(table, options.ssu),
        ssu_strata=_labels(table, options.ssu_strata),
        population=_stage_columns(table, options.population),
        rate=_stage_columns(table, options.rate),
        nest=options.nest,
        lonely_psu=options.lonely,
    )
    margins = (options.post_strata or options.raked_on or '').split(',')
    if margins == ['']:
        return design
    before = positive_column(table, options.base_weights) if options.base_weights else None
    return design.calibrated_on(*(labels(table, name) for name in margins), base_weights=before)


def labels(table: Table, name: str) -> list[str]:
    """A column of labels, as text."""
    return texts(column(table, name))


def column(table: Table, name: str) -> Sequence[Any]:
    """A column by name; a missing one is an error that lists what there is."""
    if name not in table:
        raise BadColumn(f'There is no column {name!r}.', f'The file has: {listed(table, 30)}.')
    return table[name]


def positive_column(table: Table, name: str) -> Floats:
    """A column of weights: numbers above 0 in every row."""
    values = numbers(column(table, name), name)
    bad = np.flatnonzero(~((values > 0) & (values < np.inf)))
    if bad.size:
        shown = [f'{table[name][int(i)] or "nothing"} in row {i + 1}' for i in bad]
        raise BadWeights(f'{name} must be above 0 in every row; found {listed(shown, 3)}.')
    return values


def _labels(table: Table, name: str | None) -> Sequence[str] | None:
    return None if name is None else labels(table, name)


def _stage_columns(table: Table, names: str | None) -> tuple[Floats, ...] | None:
    if names is None:
        return None
    return tuple(numbers(column(table, name), name) for name in names.split(','))


def _estimates(table: Table, design: Design, options: argparse.Namespace) -> list[Estimates]:
    shared: dict[str, Any] = {'level': options.level}
    if options.by:
        shared['by'] = labels(table, options.by)
    if options.where:
        shared['where'] = _matches(table, options.where)
    if options.ci and (options.total or options.ratio) and options.ci not in ('t', 'wald'):
        raise BadOption(f'{options.ci} is for shares; totals and ratios have t intervals.')
    if options.total:
        return [_total(table, design, name, shared) for name in options.total]
    if options.ratio:
        return [_ratio(table, design, name, shared) for name in options.ratio]
    if options.proportion:
        method = options.ci or 'wilson'
        return [_share(table, design, name, shared, method) for name in options.proportion]
    limits = pair(options.limits, '--limits')
    return [_mean(table, design, name, shared, options.ci, limits) for name in options.mean]


def _mean(
    table: Table,
    design: Design,
    name: str,
    shared: Mapping[str, Any],
    method: str | None,
    limits: Bounds | None,
) -> Estimates:
    values = numbers(column(table, name), name)
    answered = values[~np.isnan(values)]
    if limits is None and answered.size and answered.min() >= 0 and answered.max() <= 1:
        return _rows(
            estimate.proportion(design, {name: values}, method=method or 'wilson', **shared)
        )
    return _rows(
        estimate.mean(design, {name: values}, method=method or 't', limits=limits, **shared)
    )


def _share(
    table: Table, design: Design, name: str, shared: Mapping[str, Any], method: str
) -> Estimates:
    value: str | None = None
    if name not in table and '=' in name:
        name, value = name.split('=', 1)
    values: Any = labels(table, name) if value is not None else numbers(column(table, name), name)
    title = name if value is None else f'{name}={value}'
    return _rows(estimate.proportion(design, {title: values}, value=value, method=method, **shared))


def _total(table: Table, design: Design, name: str, shared: Mapping[str, Any]) -> Estimates:
    return _rows(estimate.total(design, {name: numbers(column(table, name), name)}, **shared))


def _ratio(table: Table, design: Design, name: str, shared: Mapping[str, Any]) -> Estimates:
    above, slash, below = name.partition('/')
    if not slash:
        raise BadOption(f'--ratio needs two columns as Y/X, not {name!r}.')
    values = numbers(column(table, above), above)
    return _rows(
        estimate.ratio(design, {name: values}, numbers(column(table, below), below), **shared)
    )


def _rows(result: Any) -> Estimates:
    rows: Estimates = result
    return rows


def _matches(table: Table, condition: str) -> Any:
    name, equals, value = condition.partition('=')
    if not equals:
        raise BadOption(f'--where must read COLUMN=VALUE, not {condition!r}.')
    found = np.array([cell == value for cell in labels(table, name)])
    if not found.any():
        raise BadColumn(f'No row has {name} = {value}.')
    return found


def pair(text: str | None, option: str) -> Bounds | None:
    """Two numbers of an option, as 0,100."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(','))
    except ValueError as error:
        raise BadOption(f'{option} must be two numbers as 0,100, not {text!r}.') from error
    return low, high


def _decide(row: Estimate, target: float, level: float) -> Verdict | None:
    """A verdict, or None for a group without answers."""
    if not row.n:
        return None
    share = row.limits == (0.0, 1.0)
    return decide(row, target / 100 if share and target > 1 else target, level=level)


def _as_json(
    design: Design,
    rows: Sequence[Estimate],
    verdicts: Sequence[Verdict | None] | None,
    flags: Sequence[Flag] | None = None,
) -> str:
    found = [row.to_dict() for row in rows]
    for i, entry in enumerate(found):
        if verdicts is not None:
            verdict = verdicts[i]
            entry['verdict'] = None if verdict is None else asdict(verdict)
        if flags is not None:
            entry['flag'] = asdict(flags[i])
    described = {
        'rows': design.n,
        'strata': len(design.strata),
        'psus': len(design.psu),
        'stages': len(design.stages),
        'df': design.df,
        'sum_of_weights': design.total_weight,
        'lonely_psu': design.lonely_psu,
        'calibration_steps': len(design.steps),
    }
    return json.dumps({'design': described, 'estimates': found}, ensure_ascii=False, indent=2)


def _flag_table(rows: Sequence[Estimate], flags: Sequence[Flag]) -> str:
    body = [
        [' '.join(p for p in (row.variable, row.label) if p), one.flag, '; '.join(one.reasons)]
        for row, one in zip(rows, flags, strict=True)
    ]
    return aligned(['', 'flag', 'because'], body, left=3)


def _verdict_table(rows: Sequence[Estimate], verdicts: Sequence[Verdict | None]) -> str:
    header = ['', 'verdict', 'target', 'lower bound', 'upper bound', 'p(met)', 'one-sided level']
    body = []
    for row, verdict in zip(rows, verdicts, strict=True):
        name = ' '.join(part for part in (row.variable, row.label) if part)
        if verdict is None:
            body.append([name, 'no answers', '', '', '', '', ''])
            continue
        figures = (verdict.target, verdict.bound_lower, verdict.bound_upper, verdict.p_met)
        words = verdict.decision.replace('_', ' ')
        body.append([name, words, *map(number, figures), f'{verdict.level:g}'])
    return aligned(header, body, left=2)
