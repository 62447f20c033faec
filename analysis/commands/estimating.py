"""``estimate`` and ``compare``: read a file, estimate, return text."""

from __future__ import annotations

import argparse
import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from analysis import estimate
from analysis.columns import Floats
from analysis.commands.sample import (
    add_design,
    add_replicate_weights,
    figures,
    labels,
    read_sample,
    same,
)
from analysis.commands.units import figure, pair, share
from analysis.design import Design
from analysis.difference import difference
from analysis.errors import BadColumn, BadOption, listed
from analysis.intervals import METHODS, R_NAMES, Bounds
from analysis.pooled import pool_design_effect
from analysis.presentation import Flag, flag
from analysis.replicates import ReplicateDesign
from analysis.result import Estimate, Estimates, text_table
from analysis.table import Table, aligned, number, opened
from analysis.verdict import Verdict, decide

Sample: TypeAlias = Design | ReplicateDesign

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
    add_replicate_weights(parser)
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
    add_replicate_weights(parser)
    add_estimate(parser)
    parser.add_argument('--reference', metavar='GROUP', help='compare all others with this one')
    parser.set_defaults(run=run_compare)


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
    group.add_argument(
        '--by',
        metavar='G[,G2]',
        action='append',
        help='one row for each value of this column; several are crossed',
    )
    group.add_argument(
        '--where',
        metavar='CONDITION',
        action='append',
        default=[],
        help='only these rows, in the whole design: COL=VALUE, COL!=VALUE, COL>=NUMBER, <=, >, <; '
        'repeatable, all must hold',
    )
    group.add_argument(
        '--ci', metavar='METHOD', choices=(*METHODS, *R_NAMES), help=', '.join(METHODS)
    )
    group.add_argument('--level', default='0.95', help='confidence level, as 0.95, 95 or 95%%')
    group.add_argument('--limits', metavar='LOW,HIGH', help='ends of the scale of a mean, as 0,100')
    group.add_argument(
        '--target',
        help='decide against this value, one-sided; for shares 80, 80%% or 0.8',
    )
    group.add_argument('--json', action='store_true', help='machine-readable output')


def run_estimate(options: argparse.Namespace) -> str:
    """Read, estimate, decide; a table or JSON."""
    options.level = share(options.level, '--level')
    with opened(options.file) as table:
        design = read_sample(table, options)
        found = _estimates(table, design, options)
    rows = [row for part in found for row in _pooled(part, options)]
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
    options.level = share(options.level, '--level')
    if not options.by:
        raise BadOption('compare needs --by: the groups to compare.')
    if options.target is not None:
        raise BadOption('compare has no --target: a verdict is about one group; use estimate.')
    with opened(options.file) as table:
        design = read_sample(table, options)
        estimates = _estimates(table, design, options)
    found = []
    for rows in estimates:
        known = [row.label for row in rows if row.n]
        reference = options.reference or known[0]
        if reference not in known:
            raise BadOption(f'There is no group {reference!r}; there are {listed(known)}.')
        others = [label for label in known if label != reference]
        found += [difference(rows, label, reference, level=options.level) for label in others]
    if options.json:
        return _as_json(design, found, None)
    return f'{design!r}\n\n{text_table(found)}'


def _estimates(table: Table, design: Sample, options: argparse.Namespace) -> list[Estimates]:
    shared: dict[str, Any] = {'level': options.level}
    if options.by:
        shared['by'] = _crossed(table, options.by)
    if options.where:
        shared['where'] = np.logical_and.reduce([_matches(table, one) for one in options.where])
        if not shared['where'].any():
            raise BadColumn(f'No row has {" and ".join(options.where)}.')
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
    design: Sample,
    name: str,
    shared: Mapping[str, Any],
    method: str | None,
    limits: Bounds | None,
) -> Estimates:
    values = figures(table, name)
    answered = values[~np.isnan(values)]
    if limits is None and answered.size and answered.min() >= 0 and answered.max() <= 1:
        return _rows(
            estimate.proportion(design, {name: values}, method=method or 'wilson', **shared)
        )
    return _rows(
        estimate.mean(design, {name: values}, method=method or 't', limits=limits, **shared)
    )


def _share(
    table: Table, design: Sample, name: str, shared: Mapping[str, Any], method: str
) -> Estimates:
    value: str | None = None
    if name not in table and '=' in name:
        name, value = name.split('=', 1)
    title = name if value is None else f'{name}={value}'
    if value is None:
        values: Any = _yes_or_no(table, name)
    else:
        values = [value if same(cell, value) else cell for cell in labels(table, name)]
    return _rows(estimate.proportion(design, {title: values}, value=value, method=method, **shared))


def _yes_or_no(table: Table, name: str) -> Floats:
    try:
        return figures(table, name)
    except BadColumn as error:
        if name not in table:
            raise
        raise BadColumn(
            error.what, f'--proportion {name}=VALUE counts one of its values.'
        ) from error


def _total(table: Table, design: Sample, name: str, shared: Mapping[str, Any]) -> Estimates:
    return _rows(estimate.total(design, {name: figures(table, name)}, **shared))


def _ratio(table: Table, design: Sample, name: str, shared: Mapping[str, Any]) -> Estimates:
    above, slash, below = name.partition('/')
    if not slash:
        raise BadOption(f'--ratio needs two columns as Y/X, not {name!r}.')
    values = figures(table, above)
    return _rows(estimate.ratio(design, {name: values}, figures(table, below), **shared))


def _rows(result: Any) -> Estimates:
    rows: Estimates = result
    return rows


def _crossed(table: Table, given: Sequence[str]) -> list[str]:
    """The labels of one column, or of several joined; empty where one of them is."""
    names = [name for text in given for name in ([text] if text in table else text.split(','))]
    columns = [labels(table, name) for name in names]
    return [' / '.join(row) if all(row) else '' for row in zip(*columns, strict=True)]


# A condition on a column: the longest sign first, so that >= is not read as >.
CONDITION = re.compile(r'\s*(.+?)\s*(!=|>=|<=|==?|>|<)\s*(.*?)\s*', re.DOTALL)
SIGNS: dict[str, Callable[[Any, float], Any]] = {
    '>=': operator.ge,
    '<=': operator.le,
    '>': operator.gt,
    '<': operator.lt,
}


def _matches(table: Table, condition: str) -> Any:
    """The rows for which a condition holds; a missing value satisfies none."""
    found = CONDITION.fullmatch(condition)
    if not found:
        raise BadOption(f'--where must read COLUMN=VALUE or COLUMN>=NUMBER, not {condition!r}.')
    name, sign, value = found.groups()
    if sign in SIGNS:
        try:
            limit = float(value)
        except ValueError as error:
            raise BadOption(f'--where {condition!r}: {value!r} is not a number.') from error
        return SIGNS[sign](figures(table, name), limit)
    cells = labels(table, name)
    alike = {cell: same(cell.strip(), value) for cell in set(cells)}
    if not any(alike.values()):
        there = listed(sorted(filter(None, alike)))
        raise BadColumn(f'No row has {name} = {value}.', f'It has: {there}.')
    equal = np.array([alike[cell] for cell in cells])
    return ~equal & np.array([bool(cell) for cell in cells]) if sign == '!=' else equal


def _decide(row: Estimate, target: str, level: float) -> Verdict | None:
    """A verdict, or None for a group without answers."""
    value, per_cent = figure(target, '--target')
    of_share = row.limits == (0.0, 1.0)
    if per_cent and not of_share:
        raise BadOption(f'--target {target}: only shares are compared with per cent.')
    if not row.n:
        return None
    return decide(row, share(target, '--target') if of_share else value, level=level)


def _as_json(
    sample: Sample,
    rows: Sequence[Estimate],
    verdicts: Sequence[Verdict | None] | None,
    flags: Sequence[Flag] | None = None,
) -> str:
    found = [row.to_dict() for row in rows]
    for i, entry in enumerate(found):
        if verdicts is not None:
            verdict = verdicts[i]
            entry['verdict'] = None if verdict is None else verdict.to_dict()
        if flags is not None:
            entry['flag'] = flags[i].to_dict()
    design = sample.design if isinstance(sample, ReplicateDesign) else sample
    described: dict[str, Any] = {
        'rows': design.n,
        'strata': len(design.strata),
        'psus': len(design.psu),
        'stages': len(design.stages),
        'df': design.df,
        'sum_of_weights': design.total_weight,
        'lonely_psu': design.lonely_psu,
        'calibration_steps': len(design.steps),
    }
    if isinstance(sample, ReplicateDesign):
        described |= {'df': sample.df, 'replicates': sample.count, 'kind': sample.kind}
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
