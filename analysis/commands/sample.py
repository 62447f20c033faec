"""The options that describe a sample, and what they make of a file: a design, or replicates."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis import replicates
from analysis.columns import Floats, Groups, numbers, positive_or_zero
from analysis.design import LONELY_RULES, Design, like_probabilities
from analysis.errors import BadColumn, BadOption, WeightSumFar, listed
from analysis.layout import complete
from analysis.replicates import ReplicateDesign
from analysis.table import Table, texts

# How other programs write yes and no, and what they leave where nothing is known.
TRUTH = {'true': 1.0, 'True': 1.0, 'TRUE': 1.0, 'false': 0.0, 'False': 0.0, 'FALSE': 0.0} | {
    '': np.nan,
    'NA': np.nan,
}
# A number with no zeros before it, which would make it a code.
PLAIN = re.compile(r'-?(?:0|[1-9]\d*)(?:\.\d*)?')
# What says how units were drawn; replicate weights say it already.
OF_A_DESIGN = (
    'strata',
    'psu',
    'ssu',
    'ssu_strata',
    'population',
    'rate',
    'certainty',
    'nest',
    'any_scale',
    'post_strata',
    'raked_on',
    'base_weights',
)


def add_design(parser: argparse.ArgumentParser) -> None:
    """Options that say which columns describe the sample."""
    group = parser.add_argument_group('the sample')
    group.add_argument(
        'file', metavar='FILE', help='CSV (UTF-8, names in the first line) or Parquet'
    )
    weight = group.add_mutually_exclusive_group(required=True)
    weight.add_argument('--weights', '--wgt', metavar='W', help='column of weights')
    weight.add_argument(
        '--probabilities', '--probs', metavar='P', help='column of inclusion probabilities'
    )
    group.add_argument('--strata', '--stratum', metavar='S', help='column of strata')
    group.add_argument(
        '--psu', '--ids', '--id', metavar='P', help='column of first-stage clusters; without, rows'
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
    group.add_argument(
        '--certainty', metavar='C', help='column with 1 for clusters taken with certainty'
    )
    group.add_argument('--nest', action='store_true', help='PSU labels start again by stratum')
    group.add_argument(
        '--lonely', choices=LONELY_RULES, default='fail', help='strata with one PSU (fail)'
    )
    group.add_argument(
        '--any-scale',
        action='store_true',
        help='the weights need not add up to the population that --fpc counts',
    )
    margins = group.add_mutually_exclusive_group()
    margins.add_argument(
        '--post-strata', metavar='G', help='the weights are post-stratified to this column'
    )
    margins.add_argument(
        '--raked-on', metavar='A,B,C', help='the weights are raked to these columns'
    )
    group.add_argument(
        '--base-weights',
        metavar='W0',
        help='column of the weights before that adjustment (both of them need it)',
    )


def add_replicate_weights(parser: argparse.ArgumentParser) -> None:
    """Options for files that come with replicate weights in place of strata and villages."""
    group = parser.add_argument_group('replicate weights (in place of the design)')
    group.add_argument(
        '--replicates',
        metavar='R',
        help='columns R1, R2 … (or a list R1,R7,…) of replicate weights',
    )
    group.add_argument(
        '--replicate-kind',
        metavar='KIND',
        help='JK1, JK2, BRR, Fay, bootstrap, ACS, successive-difference, JKn, other',
    )
    group.add_argument('--scale', type=float, help='of the sum of squares; known for most kinds')
    group.add_argument('--rscales', metavar='LIST', help='of each replicate, as 0.9,0.9,0.8')
    group.add_argument(
        '--scales', metavar='REPORT', help='kind, scales and df: what `replicates --report` wrote'
    )
    group.add_argument('--fay', type=float, default=0.0, help="Fay's factor (0)")
    group.add_argument(
        '--factors', action='store_true', help='the columns are factors of the weights'
    )
    group.add_argument(
        '--mse', action='store_true', help='spread about the full sample, not about the mean'
    )
    group.add_argument('--df', type=int, help='degrees of freedom (rank of the replicates − 1)')


def read_design(table: Table, options: argparse.Namespace) -> Design:
    """The design that the options describe, with the calibration of the file's weights."""
    if not options.post_strata and not options.raked_on and options.base_weights:
        raise BadOption('--base-weights needs --post-strata or --raked-on.')
    given = None if options.weights is None else weights_in(table, options.weights)
    small = given is not None and like_probabilities(given)
    if options.any_scale and not options.population and not small:
        raise BadOption('--any-scale needs --fpc: without it nothing says what the sum should be.')
    if small and not options.any_scale:
        raise WeightSumFar(
            f'No weight in {options.weights} is above 1, and they differ: these are probabilities.',
            f'Use --probabilities {options.weights}; --any-scale accepts them as weights.',
        )
    design = Design(
        given,
        probabilities=_numbers(table, options.probabilities),
        strata=_labels(table, options.strata),
        psu=_labels(table, options.psu),
        ssu=_labels(table, options.ssu),
        ssu_strata=_labels(table, options.ssu_strata),
        population=_stage_columns(table, options.population),
        rate=_stage_columns(table, options.rate),
        certainty=_numbers(table, options.certainty),
        nest=options.nest,
        lonely_psu=options.lonely,
        any_scale=options.any_scale,
    )
    margins = _margins(table, options)
    if not margins:
        return design
    if not options.base_weights:
        raise BadOption(
            f'{"--post-strata" if options.post_strata else "--raked-on"} needs --base-weights: '
            'the column of the weights before that adjustment.',
            'Where the file has none, leave both out: the errors are then mostly too large.',
        )
    if options.base_weights == options.weights:
        raise BadOption(
            f'--weights and --base-weights are both {options.weights}: no adjustment lies between.',
            'Name the column of the weights before the adjustment.',
        )
    before = weights_in(table, options.base_weights)
    return design.calibrated_on(*margins, base_weights=before)


def _margins(table: Table, options: argparse.Namespace) -> list[Groups]:
    """The columns that the weights are said to be adjusted to; one without a gap each."""
    if options.post_strata:
        return [complete(labels(table, options.post_strata), options.post_strata, None)]
    names = options.raked_on.split(',') if options.raked_on else []
    return [complete(labels(table, name), name, None) for name in names]


def read_sample(table: Table, options: argparse.Namespace) -> Design | ReplicateDesign:
    """The design, or the replicate weights that the file brings."""
    if options.replicates is None:
        of_replicates = ('replicate_kind', 'scale', 'rscales', 'scales', 'factors', 'mse', 'df')
        _refuse_unused(options, of_replicates, '--replicates')
        return read_design(table, options)
    unused = [name for name in OF_A_DESIGN if getattr(options, name)]
    if unused or options.probabilities or options.lonely != 'fail':
        raise BadOption(
            '--replicates takes the place of the design: leave out '
            f'{listed(_flags(unused) or ["--probabilities, --lonely"], 20)}.'
        )
    told = _report(options.scales) if options.scales else {}
    rscales = _list(options.rscales) if options.rscales else told.get('rscales')
    scale = told.get('scale') if options.scale is None else options.scale
    kind = options.replicate_kind or _known_kind(told.get('kind'))
    columns = _replicate_columns(table, options.replicates)
    return replicates.given(
        weights_in(table, options.weights),
        np.stack([figures(table, name) for name in columns], axis=1),
        kind=kind,
        scale=scale,
        rscales=rscales,
        fay=options.fay,
        combined=not options.factors,
        mse=options.mse,
        df=told.get('df') if options.df is None else options.df,
    )


def _known_kind(kind: str | None) -> str:
    """The word of a report as ``given`` knows it; scales say the rest."""
    if kind is None:
        return 'other'
    return kind if kind in ('JK1', 'JKn', 'BRR', 'Fay') else kind.split(' ')[0]


def _report(path: str) -> dict[str, Any]:
    try:
        told = json.loads(Path(path).read_text(encoding='utf-8'))
    except (OSError, ValueError) as error:
        raise BadOption(f'{path} is not a report of `replicates --report`: {error}.') from error
    if not isinstance(told, dict):
        raise BadOption(f'{path} is not a report of `replicates --report`.')
    return told


def _list(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(',')]
    except ValueError as error:
        raise BadOption(f'--rscales must be numbers as 0.9,0.9,0.8; not {text!r}.') from error


def _replicate_columns(table: Table, names: str) -> list[str]:
    """The names of a list, or all columns that are the prefix and a number, in that order."""
    if ',' in names:
        return names.split(',')
    found = {
        int(match.group(1)): name
        for name in table
        if (match := re.fullmatch(re.escape(names) + r'(\d+)', name))
    }
    if not found:
        raise BadColumn(
            f'There are no columns {names}1, {names}2 …', f'The file has: {listed(table, 30)}.'
        )
    return [found[r] for r in sorted(found)]


def _refuse_unused(options: argparse.Namespace, names: Sequence[str], wanted: str) -> None:
    given = [name for name in names if getattr(options, name) not in (None, False)]
    if given:
        raise BadOption(f'{listed(_flags(given))} means nothing without {wanted}.')


def _flags(names: Sequence[str]) -> list[str]:
    return [f'--{"fpc" if name == "population" else name.replace("_", "-")}' for name in names]


def labels(table: Table, name: str) -> list[str]:
    """A column of labels, as text."""
    return texts(column(table, name))


def column(table: Table, name: str) -> Sequence[Any]:
    """A column by name; a missing one is an error that lists what there is."""
    if name not in table:
        raise BadColumn(f'There is no column {name!r}.', f'The file has: {listed(table, 30)}.')
    return table[name]


def figures(table: Table, name: str) -> Floats:
    """A column of numbers; where all that it has is true and false, of 1 and 0."""
    cells = column(table, name)
    if isinstance(cells, list) and set(cells) <= TRUTH.keys():
        cells = [TRUTH[cell] for cell in cells]
    return numbers(cells, name)


def same(cell: str, value: str) -> bool:
    """Whether two texts are one label: 1 and 1.0 are, 007 and 7 are not."""
    if cell == value:
        return True
    return bool(PLAIN.fullmatch(cell) and PLAIN.fullmatch(value)) and float(cell) == float(value)


def weights_in(table: Table, name: str) -> Floats:
    """A column of weights: a number in every row, 0 for those who did not answer."""
    return positive_or_zero(column(table, name), name)


def _numbers(table: Table, name: str | None) -> Floats | None:
    return None if name is None else figures(table, name)


def _labels(table: Table, name: str | None) -> Sequence[str] | None:
    return None if name is None else labels(table, name)


def _stage_columns(table: Table, names: str | None) -> tuple[Floats, ...] | None:
    if names is None:
        return None
    return tuple(figures(table, name) for name in names.split(','))
