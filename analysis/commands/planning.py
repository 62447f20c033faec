"""``size``, ``allocate``, ``draw`` and ``coverage``: before fieldwork."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from analysis import allocation, coverage, planning, sampling
from analysis.columns import numbers
from analysis.commands.sample import column, labels
from analysis.commands.units import margin, share
from analysis.errors import BadColumn, BadOption, SampleTooLarge, listed
from analysis.precision import Aim, PrecisionPlan, allocate_for_precision
from analysis.table import Table, aligned, csv_text, opened, texts

METHODS = ('proportional', 'equal', 'power', 'neyman')
DRAWS = ('simple', 'systematic', 'pps', 'sampford')


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
    goal.add_argument('--margin', help='half the width of the interval, as 3, 3%% or 0.03')
    goal.add_argument('--target', help='the target to be shown, as 80')
    parser.add_argument('--share', default='50', help='expected share (with --margin)')
    parser.add_argument('--truth', help='true share supposed (with --target)')
    parser.add_argument('--power', help='chance to show it (80; with --target)')
    parser.add_argument('--level', default='0.95', help='confidence level, as 0.95 or 95')
    parser.add_argument('--population', type=float, help='people in all')
    parser.add_argument('--deff', type=float, default=1.0, help='expected design effect')
    parser.add_argument('--response', default='100', help='expected response rate')
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_size)


def run_size(options: argparse.Namespace) -> str:
    """Effective size, answers and addresses, and the question as it was understood."""
    shared = {
        'level': share(options.level, '--level'),
        'population': options.population,
        'deff': options.deff,
        'response': share(options.response, '--response'),
    }
    if options.margin is not None:
        if options.truth is not None or options.power is not None:
            raise BadOption('--truth and --power go with --target; --margin has --share.')
        half, p = margin(options.margin, '--margin'), share(options.share, '--share')
        size = planning.size_for_margin(half, p=p, **shared)
        asked = f'{100 * p:g} % ± {100 * half:g} %'
    elif options.truth is None:
        raise BadOption('--target needs --truth: the true share that shall be shown to pass it.')
    else:
        truth, target = share(options.truth, '--truth'), share(options.target, '--target')
        chance = share(options.power or '80', '--power')
        size = planning.size_for_target(truth, target, power=chance, **shared)
        asked = (
            f'{100 * truth:g} % told from {100 * target:g} % with a chance of {100 * chance:g} %'
        )
    if size.lacking:
        raise SampleTooLarge(
            f'{size.answers:,} answers at {100 * shared["response"]:g} % response need '
            f'{size.addresses:,} addresses, and there are {options.population:,.0f} people.',
            'Ask for less precision, or raise the response.',
        )
    if options.json:
        return size.to_json()
    before = ' (before the finite population correction)' if options.population else ''
    rows = [
        [f'effective answers{before}', f'{size.effective:,}'],
        ['answers', f'{size.answers:,}'],
        ['addresses', f'{size.addresses:,}'],
    ]
    return asked + aligned(['', ''], rows)


ALLOCATE_HELP = """\
Either spread --n answers, or find the cheapest sizes for bounds on standard errors (--se, --cv,
--domain-se, --domain-cv; all repeatable and all met at once). SD and MEAN are columns; for a share
SD holds the root of p(1 - p). Examples:
  python -m analysis allocate towns.csv --strata town --population adults --n 1500 --minimum 80
  python -m analysis allocate towns.csv --strata town --population adults --se sd_water=0.02 \\
      --cv mean_income,sd_income=0.05 --domain district --domain-se sd_water=0.05 --deff 1.5
"""


def _add_allocate(commands: Any) -> None:
    parser = commands.add_parser(
        'allocate',
        help='sample sizes by stratum, for a given n or for given standard errors',
        description='Sample sizes by stratum, between a minimum and a cap.',
        epilog=ALLOCATE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('file', metavar='STRATA', help='one row for each stratum')
    parser.add_argument('--strata', metavar='S', required=True, help='column of names')
    parser.add_argument('--population', metavar='N', required=True, help='column of people')
    parser.add_argument('--minimum', type=int, help='in each stratum (0; 2 for bounds)')
    parser.add_argument('--cap', type=int, help='in each stratum')
    parser.add_argument('--json', action='store_true')
    fixed = parser.add_argument_group('a given number of answers')
    fixed.add_argument('--n', type=int, help='answers in all')
    fixed.add_argument('--method', choices=METHODS, default='power')
    fixed.add_argument('--exponent', type=float, default=0.5, help='of power allocation (0.5)')
    fixed.add_argument('--spread', metavar='SD', help='column of standard deviations or CVs')
    wanted = parser.add_argument_group('given standard errors')
    wanted.add_argument('--se', metavar='SD=BOUND', action='append', default=[])
    wanted.add_argument('--cv', metavar='MEAN,SD=BOUND', action='append', default=[])
    wanted.add_argument('--domain', metavar='D', help='column of domains (groups of strata)')
    wanted.add_argument('--domain-se', metavar='SD=BOUND', action='append', default=[])
    wanted.add_argument('--domain-cv', metavar='MEAN,SD=BOUND', action='append', default=[])
    wanted.add_argument('--cost', metavar='C', help='column with the cost of an answer')
    wanted.add_argument('--deff', type=float, default=1.0, help='design effect (1)')
    parser.set_defaults(run=run_allocate)


def run_allocate(options: argparse.Namespace) -> str:
    """Sizes by stratum."""
    bounds = [*options.se, *options.cv, *options.domain_se, *options.domain_cv]
    if bool(bounds) == (options.n is not None):
        raise BadOption('Give --n, or bounds (--se, --cv, --domain-se, --domain-cv), not both.')
    _refuse_unused(options, bool(bounds))
    with opened(options.file) as table:
        people = _by_stratum(table, options, options.population)
        if bounds:
            return _for_precision(table, people, options)
        return _for_total(table, people, options)


def _refuse_unused(options: argparse.Namespace, bounds: bool) -> None:
    """Options of the other way to allocate, which would be overlooked."""
    if bounds and (options.spread or options.method != 'power' or options.exponent != 0.5):
        raise BadOption('--method, --exponent and --spread go with --n, not with bounds.')
    if not bounds and (options.cost or options.domain or options.deff != 1.0):
        raise BadOption('--cost, --domain and --deff go with bounds, not with --n.')


def _for_total(table: Table, people: Mapping[str, float], options: argparse.Namespace) -> str:
    sizes = allocation.allocate(
        people,
        options.n,
        options.method,
        exponent=options.exponent,
        spread=_by_stratum(table, options, options.spread) if options.spread else None,
        minimum=options.minimum or 0,
        cap=options.cap,
    )
    if options.json:
        return json.dumps(sizes, ensure_ascii=False)
    return _size_table(people, sizes)


def _by_stratum(table: Table, options: argparse.Namespace, name: str) -> dict[str, float]:
    """A column of numbers by the names of the strata."""
    names = labels(table, options.strata)
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise BadColumn(f'Stratum {listed(twice)} has more than one row.')
    return dict(zip(names, numbers(column(table, name), name).tolist(), strict=True))


def _size_table(people: Mapping[str, float], sizes: Mapping[str, int]) -> str:
    body = [
        [name, f'{count:,.0f}', str(sizes[name]), f'{sizes[name] / count:.4f}']
        for name, count in people.items()
    ]
    everybody, n = sum(people.values()), sum(sizes.values())
    body.append(['all', f'{everybody:,.0f}', str(n), f'{n / everybody:.4f}'])
    return aligned(['stratum', 'population', 'n', 'rate'], body)


def _for_precision(table: Table, people: Mapping[str, float], options: argparse.Namespace) -> str:
    homes = None
    if options.domain:
        homes = dict(zip(labels(table, options.strata), labels(table, options.domain), strict=True))
    plan = allocate_for_precision(
        people,
        _aims(table, options),
        domains=homes,
        cost=_by_stratum(table, options, options.cost) if options.cost else 1.0,
        minimum=2 if options.minimum is None else options.minimum,
        cap=options.cap,
        deff=options.deff,
    )
    if options.json:
        return plan.to_json()
    return f'{_size_table(people, plan.sizes)}\n\n{_reached_table(plan)}\n\ncost {plan.cost:,.2f}'


def _reached_table(plan: PrecisionPlan) -> str:
    body = [
        [
            one.variable,
            one.domain or 'all',
            f'{one.bound:.5g}',
            f'{one.se:.5g}',
            'yes' if one.binding else '',
        ]
        for one in plan.reached
    ]
    return aligned(['variable', 'domain', 'bound', 'se', 'binding'], body, left=2)


def _aims(table: Table, options: argparse.Namespace) -> dict[str, Aim]:
    """The bounds of the command line; a variable is called by its column of deviations."""
    stated: dict[str, dict[str, Any]] = {}
    for option in ('se', 'cv', 'domain_se', 'domain_cv'):
        for text in getattr(options, option):
            flag = f'--{option.replace("_", "-")}'
            names, equals, bound = text.rpartition('=')
            mean, comma, spread = names.rpartition(',')
            if not equals or bool(comma) != option.endswith('cv'):
                form = 'MEAN,SD=BOUND' if option.endswith('cv') else 'SD=BOUND'
                raise BadOption(f'{flag} must read {form}, not {text!r}.')
            aim = stated.setdefault(spread, {'spread': _by_stratum(table, options, spread)})
            if option in aim:
                raise BadOption(f'{flag} is given twice for {spread}.')
            try:
                aim[option] = float(bound)
            except ValueError as error:
                raise BadOption(f'{flag} needs a number after =, not {bound!r}.') from error
            if mean:
                aim['mean'] = _by_stratum(table, options, mean)
    return {name: Aim(**aim) for name, aim in stated.items()}


DRAW_HELP = """\
Methods: simple; systematic (in the order of the file); pps (systematic, by the column --size);
sampford (by --size, joint probabilities known); with --psu two stages: clusters by their number of
rows, or by --size, then --per-psu rows in each. With --strata each is drawn by itself, --n from
every one, or as a file of --sizes says. --start in place of --seed is a number drawn in public.
Examples:
  python -m analysis draw frame.csv --seed 20261123 --strata town --sizes sizes.csv
  python -m analysis draw frame.csv --seed 7 --strata town --psu village --n 6 --per-psu 15
  python -m analysis draw villages.csv --n 40 --method pps --size adults --start 0.4711
"""


def _add_draw(commands: Any) -> None:
    parser = commands.add_parser(
        'draw',
        help='draw a sample from a frame, with a recorded seed',
        description='Writes the drawn rows of the frame as CSV with probability and weight.',
        epilog=DRAW_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('file', metavar='FRAME', help='one row for each unit')
    parser.add_argument('--seed', type=int, help='write it down: it redraws this')
    parser.add_argument('--start', type=float, help='of a systematic draw, from 0 to below 1')
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument('--n', type=int, help='units (of each stratum with --strata)')
    size.add_argument('--sizes', metavar='SIZES', help='columns: stratum, n')
    parser.add_argument('--strata', metavar='S', help='column of strata')
    parser.add_argument('--method', choices=DRAWS, help='simple, or pps where --size is given')
    parser.add_argument('--size', metavar='M', help='column of sizes (the same within a --psu)')
    parser.add_argument('--psu', metavar='P', help='column of villages: draw two stages')
    parser.add_argument('--per-psu', type=int, help='persons in each drawn village')
    parser.set_defaults(run=run_draw)


def run_draw(options: argparse.Namespace) -> str:
    """The drawn rows as CSV."""
    method = _draw_method(options)
    with opened(options.file) as frame:
        rows, chance = _drawn(frame, method, options)
        drawn = {
            name: [cells[int(i)] for i in rows]
            for name, cells in ((name, texts(values)) for name, values in frame.items())
        }
    for name in ('probability', 'weight'):
        if name in drawn:
            raise BadColumn(f'The frame has a column {name!r} already.', 'Rename it.')
    drawn['probability'] = [repr(float(p)) for p in chance]
    drawn['weight'] = [repr(float(1 / p)) for p in chance]
    return csv_text(drawn)


def _draw_method(options: argparse.Namespace) -> str:
    """How to draw; options that the method would overlook are refused."""
    if (options.psu is None) != (options.per_psu is None):
        raise BadOption('--psu and --per-psu go together: villages, and how many persons in each.')
    if options.psu is not None:
        if options.method or options.start is not None:
            raise BadOption('--psu draws two stages by a --seed: leave out --method and --start.')
        method = 'two-stage'
    else:
        method = options.method or ('pps' if options.size else 'simple')
        if (method in ('pps', 'sampford')) != (options.size is not None):
            raise BadOption(
                f'--method pps and sampford need --size, others have none; not {method}.'
            )
    if options.start is not None and method not in ('systematic', 'pps'):
        raise BadOption(f'--start is for systematic draws, not for {method}: give --seed.')
    if (options.seed is None) == (options.start is None):
        raise BadOption('Give --seed, or --start for a systematic draw.')
    if options.sizes and not options.strata:
        raise BadOption('--sizes needs --strata: the column whose names it has.')
    return method


def _drawn(frame: Table, method: str, options: argparse.Namespace) -> tuple[Any, Any]:
    """Drawn rows and their inclusion probabilities."""
    wanted: Any = options.n if options.sizes is None else _sizes(options.sizes)
    strata = labels(frame, options.strata) if options.strata else None
    rows_in_frame = len(next(iter(frame.values())))
    sizes = None if options.size is None else numbers(column(frame, options.size), options.size)
    if method == 'two-stage':
        villages = labels(frame, options.psu)
        measure = None if sizes is None else _size_of_villages(villages, sizes, options.size)
        return sampling.draw_two_stage(
            villages, wanted, options.per_psu, options.seed, strata=strata, sizes=measure
        )[:2]
    if method == 'simple':
        every = ['all'] * rows_in_frame if strata is None else strata
        wanted = dict.fromkeys(every, wanted) if options.sizes is None else wanted
        return sampling.draw_stratified(every, wanted, options.seed)
    if method == 'systematic':
        start = options.start
        return sampling.draw_systematic(
            rows_in_frame, wanted, options.seed, start=start, strata=strata
        )
    if method == 'pps':
        return sampling.draw_pps(sizes, wanted, options.seed, start=options.start, strata=strata)
    return sampling.draw_sampford(sizes, wanted, options.seed, strata=strata)[:2]


def _sizes(path: str) -> dict[str, float]:
    """The file of sizes by stratum; each stratum once."""
    with opened(path, named=True) as table:
        names, sizes = labels(table, 'stratum'), numbers(column(table, 'n'), 'n')
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadColumn(f'Stratum {listed(twice)} has more than one row in {path}.')
        return dict(zip(names, sizes.tolist(), strict=True))


def _size_of_villages(villages: Sequence[str], sizes: Any, name: str) -> dict[str, float]:
    """The size of each village, which its rows must agree on."""
    found: dict[str, float] = {}
    for row, (village, size) in enumerate(zip(villages, sizes.tolist(), strict=True), start=1):
        if found.setdefault(village, size) != size:
            raise BadColumn(
                f'{name} differs inside {village} (row {row}).',
                'The size belongs to the whole village: the same number in each of its rows.',
            )
    return found


def _add_coverage(commands: Any) -> None:
    parser = commands.add_parser(
        'coverage',
        help='simulate how often the intervals of a plan hold the truth',
        description='Samples of towns with a known share; tells for every interval method how '
        'often it holds it, how wide it is, and how often it lies above the target.',
    )
    parser.add_argument('--share', required=True, help='the true share, as 85')
    parser.add_argument('--n', type=int, required=True, help='answers in each town')
    parser.add_argument('--villages', type=int, default=0, help='in each town (0: simple sample)')
    parser.add_argument('--village-sd', type=float, default=0.35, help='on the log odds (0.35)')
    parser.add_argument('--towns', type=int, default=18)
    parser.add_argument('--target', default='80')
    parser.add_argument('--samples', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--json', action='store_true')
    parser.set_defaults(run=run_coverage)


def run_coverage(options: argparse.Namespace) -> str:
    """A line for every interval method."""
    plan = coverage.Plan(
        p=share(options.share, '--share'),
        n=options.n,
        villages=options.villages,
        towns=options.towns,
        village_sd=options.village_sd,
        target=share(options.target, '--target'),
    )
    found = coverage.simulate(plan, options.samples, options.seed, options.progress)
    if options.json:
        return found.to_json()
    body = [
        [one.method, f'{one.covered:.3f}', f'{one.width:.3f}', f'{one.above:.3f}'] for one in found
    ]
    return aligned(['method', 'holds', 'width', 'above target'], body)
