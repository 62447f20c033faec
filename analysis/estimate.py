"""Means, totals, ratios and proportions with their standard errors, for all or by group.

Each estimator states its formula and its influence; the rest (sums over units, variance,
intervals, design effects) is shared.  Missing answers are a domain: the rows stay in the
design, the answers that are there are used, and the count of the missing is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from analysis import variance
from analysis.arguments import as_mapping, checked, is_table, shown
from analysis.columns import Floats, chosen, groups, numbers
from analysis.design import Design
from analysis.domains import Domains
from analysis.errors import BadColumn, BadOption, ConstantColumn, listed
from analysis.intervals import Bounds, check_level, check_method
from analysis.replicates import ReplicateDesign
from analysis.result import Estimate, Estimates, Part, assemble
from analysis.rowsums import RowSums, answered, indicator, row_sums, sums_within
from analysis.variance import combine

SHARE: Bounds = (0.0, 1.0)
# A spread below this share of the mean square is none.
ROUNDING = 1e-13


@checked
def mean(
    design: Design | ReplicateDesign,
    y: Any,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    method: str = 't',
    limits: Bounds | None = None,
) -> Any:
    """Weighted mean Σwy/Σw; a mapping of several columns gives one row for each.

    ``by`` labels groups that get a row each (with covariances), ``where`` marks the rows of a
    domain.  ``limits`` are the ends of the scale, as (0, 100): the interval stays inside, and
    the methods for shares can be used.  R: svymean, svyby.
    """
    return _each(design, y, _means, 'mean', by, where, level, method, limits)


@checked
def proportion(
    design: Design | ReplicateDesign,
    y: Any,
    *,
    value: Any = None,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
    method: str = 'wilson',
) -> Any:
    """Share of the population: ``y`` is 0/1 or true/false, or labels of which ``value`` counts.

    A value between 0 and 1 is taken as a person's own share (of items answered rightly).
    R: svymean of an indicator, svyciprop.
    """
    columns = as_mapping(y) if is_table(y) else {'': y}
    shares = {
        name: _as_share(column, value, str(name) or 'y', design.n)
        for name, column in columns.items()
    }
    given = shares if is_table(y) else shares['']
    return _each(design, given, _means, 'proportion', by, where, level, method, SHARE)


@checked
def total(
    design: Design | ReplicateDesign,
    y: Any = None,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
) -> Any:
    """Weighted total Σwy; without ``y`` the number of people.  R: svytotal."""
    column = np.ones(design.n) if y is None else y
    return _each(design, column, _totals, 'total', by, where, level, 't', None)


@checked
def ratio(
    design: Design | ReplicateDesign,
    y: Any,
    x: Any,
    *,
    by: Any = None,
    where: Any = None,
    level: float = 0.95,
) -> Any:
    """Ratio of totals Σwy/Σwx.  R: svyratio."""
    below = numbers(x, 'x', design.n)

    def ratios(design: Design, columns: Mapping[str, Floats], domains: Domains) -> list[Part]:
        return [_ratio_of(design, name, one, below, domains) for name, one in columns.items()]

    return _each(design, y, ratios, 'ratio', by, where, level, 't', None)


def _means(design: Design, columns: Mapping[str, Floats], domains: Domains) -> list[Part]:
    return [_mean_of(one, domains) for one in row_sums(design, columns, domains, centred=True)]


def _totals(design: Design, columns: Mapping[str, Floats], domains: Domains) -> list[Part]:
    return [_total_of(one, domains) for one in row_sums(design, columns, domains, centred=False)]


def _mean_of(sums: RowSums, domains: Domains) -> Part:
    """ȳ = Σwy/Σw; influence (y − ȳ)/Σw."""
    base = sums.base
    with np.errstate(invalid='ignore', divide='ignore'):
        shift = sums.raw.sum() / base.weight
        influence = combine([(sums.residual, 1 / base.weight), (base.ones, -shift / base.weight)])
        spread = _spread(sums.square / base.weight, shift)
    return Part(
        base,
        shift + sums.origin,
        influence,
        spread,
        lambda: (sums.moved(), indicator(base.used, len(sums.column))),
        (sums.raw, base.raw),
        lambda above, below: sums.origin + above / below,
        domains.summing(),
    )


def _total_of(sums: RowSums, domains: Domains) -> Part:
    """Ŷ = Σwy; influence y."""
    est, weight = sums.raw.sum(), sums.base.weight
    with np.errstate(invalid='ignore', divide='ignore'):
        spread = _spread(sums.square / weight, est / weight)
    return Part(
        sums.base,
        est,
        sums.residual,
        spread * weight**2,
        lambda: (sums.moved(),),
        (sums.raw,),
        lambda total: total,
        domains.summing(),
    )


def _spread(square: Floats, centre: Floats) -> Floats:
    """Mean of squares less square of the mean; 0 where that is what rounding leaves of none."""
    spread = square - centre**2
    return np.where(spread > ROUNDING * square, spread, 0.0)


def _ratio_of(design: Design, name: str, y: Floats, x: Floats, domains: Domains) -> Part:
    """R = Σwy/Σwx; influence (y − Rx)/Σwx."""
    used = answered(y, domains, name) & answered(x, domains, 'x')
    above, below = sums_within(design, {name: y, 'x': x}, domains, used, centred=False)
    base, total, size = above.base, above.raw.sum(), below.raw.sum()
    nothing = (base.n > 0) & (size == 0)
    if nothing.any():
        where = (
            ' in ' + listed(chosen(domains.labels, nothing)) if domains.codes is not None else ''
        )
        raise ConstantColumn(
            f'x adds up to 0{where}: there is no ratio to it.', 'Leave these rows out by where=.'
        )
    with np.errstate(invalid='ignore', divide='ignore'):
        est = total / size
        influence = combine([(above.residual, 1 / size), (below.residual, -est / size)])
        by_row = est[0] if domains.codes is None else est[domains.codes]
        left = np.where(used, y - by_row * x, 0.0)
        square = domains.sum(design.weights * np.where(used, y, 0.0) ** 2) / base.weight
        spread = domains.sum(design.weights * left * left) / base.weight
        spread = np.where(spread > ROUNDING**2 * square, spread, 0.0)
        spread = spread * (base.weight / size) ** 2
    # Where x is 0 a row adds nothing: what holds the ratio may all be in one PSU.
    alone = variance.reach(design, below.raw).alone
    return Part(
        replace(base, reach=replace(base.reach, alone=alone)),
        est,
        influence,
        spread,
        lambda: (above.moved(), below.moved()),
        (above.raw, below.raw),
        lambda above, below: above / below,
        domains.summing(),
    )


def _as_share(column: Any, value: Any, name: str, rows: int) -> Floats:
    """1 where an answer counts, 0 where it does not, NaN where it is missing."""
    if value is not None:
        return _equal_to(column, value, name, rows)
    share = numbers(column, name, rows)
    with np.errstate(invalid='ignore'):
        outside = (share < 0) | (share > 1)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise BadColumn(
            f'{name} must be 0 or 1 (or a share between); row {row + 1} has {share[row]:g}.',
            'Say value= to count one category, or use mean for scores.',
        )
    return share


def _equal_to(column: Any, value: Any, name: str, rows: int) -> Floats:
    coded = groups(column, name, rows)
    several = isinstance(value, list | tuple | set | frozenset)
    try:
        wanted = set(value) if several else {value}
    except TypeError as error:
        raise BadOption(
            f'value must be a label or a list of labels; it is {shown(value)}.'
        ) from error
    counted = np.array([label in wanted for label in coded.labels], dtype=np.float64)
    if not counted.any():
        raise BadColumn(
            f'No row of {name} has the value {shown(value)}.',
            f'It has: {listed(coded.names(), 10)}.',
        )
    share = counted[coded.codes]
    share[coded.gaps] = np.nan
    return share


def _each(
    design: Design | ReplicateDesign,
    y: Any,
    parts_of: Callable[[Design, Mapping[str, Floats], Domains], list[Part]],
    kind: str,
    by: Any,
    where: Any,
    level: float,
    method: str,
    limits: Bounds | None,
) -> Estimate | Estimates:
    """Run an estimator on one column or several, and put the rows together."""
    level, method = check_level(level), check_method(method)
    replicates = design if isinstance(design, ReplicateDesign) else None
    design = design.design if isinstance(design, ReplicateDesign) else design
    domains = Domains.of(design, by, where)
    given = as_mapping(y) if is_table(y) else {'': y}
    if not given:
        raise BadOption('No column to estimate.')
    columns = {str(name): numbers(one, str(name) or 'y', design.n) for name, one in given.items()}
    if limits is not None:
        for name, column in columns.items():
            _check_limits(column, limits, name or 'y')
    parts = parts_of(design, columns, domains)
    rows = assemble(
        design,
        dict(zip(columns, parts, strict=True)),
        labels=domains.labels,
        kind=kind,
        level=level,
        method=method,
        limits=limits,
        covariance=None if replicates is None else replicates.covariance(parts),
        df=None if replicates is None else replicates.df,
        unit_scale=_on_unit_scale(columns) if kind == 'mean' and limits is None else (),
    )
    return rows.rows[0] if by is None and not is_table(y) else rows


def _on_unit_scale(columns: Mapping[str, Floats]) -> list[str]:
    """The columns whose values all lie from 0 to 1: shares, whatever they are called."""
    return [
        name
        for name, column in columns.items()
        if np.fmin.reduce(column) >= 0 and np.fmax.reduce(column) <= 1
    ]


def _check_limits(column: Floats, limits: Bounds, name: str) -> None:
    low, high = limits
    if not low < high:
        raise BadOption(f'limits must be (lowest, highest), not {limits}.')
    with np.errstate(invalid='ignore'):
        outside = (column < low) | (column > high)
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise BadColumn(
            f'{name} leaves its scale {low:g} to {high:g}: {column[row]:g} in row {row + 1}.'
        )
