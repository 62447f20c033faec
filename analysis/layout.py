"""From labels to units: which unit of each stage a row belongs to, and in which stratum it lies.

Labels are coded once and made to nest: every PSU lies in one stratum, every second-stage unit
in one PSU.  PSUs taken with certainty are moved here from the first stage to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.columns import (
    Codes,
    Floats,
    Groups,
    Mask,
    flags,
    frozen,
    groups,
    label_column,
    paired,
    rows_that_differ,
)
from analysis.errors import BadColumn, BadOption, ClusterInTwoStrata, listed


@dataclass(frozen=True, eq=False)
class Level:
    """The units of one stage by row, and for every unit the stratum in which it was drawn.

    That is a stratum of the design at the first stage, later the unit ``above``, or one of the
    strata ``inner`` (by row) inside it; ``within`` is then the unit above of each stratum.
    """

    units: Groups
    strata: Groups
    above: Codes | None = None
    inner: Groups | None = None
    within: Codes | None = None

    @classmethod
    def below(cls, above: Groups, units: Groups, inner: Groups | None) -> Level:
        """Units of a later stage, each inside one of the units above."""
        home = above.codes[units.first]
        strata = Groups(home, above.labels, complete=True)
        if inner is None:
            return cls(units, strata, home)
        strata = paired(strata, inner.of_rows(units.first))
        return cls(units, strata, home, inner, home[strata.first])

    def strata_by_row(self) -> Groups:
        return self.strata.of_rows(self.units.codes)


def lay_out(
    rows: int, strata: Any, psu: Any, ssu: Any, ssu_strata: Any, nest: bool
) -> tuple[Level, ...]:
    """A level for every stage that has labels; without ``psu`` every row is a PSU."""
    later = [] if ssu is None else list(ssu) if _is_several(ssu) else [ssu]
    if later and psu is None:
        raise BadOption('ssu needs psu: second-stage units lie inside first-stage ones.')
    inner = _inner_strata(ssu_strata, len(later), rows)
    if psu is None:
        return (
            Level(
                each_row(rows),
                everybody(rows) if strata is None else complete(strata, 'strata', rows),
            ),
        )
    psus = complete(psu, 'psu', rows)
    if strata is None:
        towns = everybody(len(psus))
    else:
        psus, towns = _nested(psus, strata, nest)
    levels = [Level(psus, towns)]
    for stage, (labels, parts) in enumerate(zip(later, inner, strict=True), start=2):
        above = levels[-1].units
        named = complete(labels, f'ssu (stage {stage})', rows)
        units = paired(above, _nested_inside(above, named, parts, nest))
        levels.append(Level.below(above, units, parts))
    return tuple(levels)


def move_certainty(
    levels: Sequence[Level], certainty: Any, sizes: Sequence[Floats], unknown: float
) -> tuple[tuple[Level, ...], list[Floats]]:
    """Certainty PSUs become strata; all that was said of their next stage moves up by one.

    ``sizes`` are population or rate of every stage by row; ``unknown`` stands for what is not
    known.  At the last stage a unit of a certainty PSU is left alone with itself, drawn as one
    of one.
    """
    stages, first = len(levels), levels[0]
    sure = _constant_in_psus(certainty, first.units)
    rows = len(sure)
    below = levels[1].strata_by_row() if stages > 1 else first.units
    homes = first.strata.of_rows(first.units.codes[below.first]).each()
    names = [f'{home}/{label}' for home, label in zip(homes, below.labels, strict=True)]
    named = Groups(below.codes, names, complete=True)
    next_units = [level.units for level in levels[1:]]
    next_units.append(each_row(rows) if stages == 1 else levels[-1].units)
    units = [_either(sure, one, level.units) for one, level in zip(next_units, levels, strict=True)]
    strata = _either(sure, named, first.strata_by_row()).of_rows(units[0].first)
    moved = [Level(units[0], strata)]
    inner = [level.inner for level in levels] + [None]
    for stage in range(1, stages):
        parts = None
        if inner[stage] is not None or inner[stage + 1] is not None:
            here, after = (one or everybody(rows) for one in inner[stage : stage + 2])
            parts = _either(sure, after, here)
        moved.append(Level.below(units[stage - 1], units[stage], parts))
    last = np.full(rows, unknown if stages == 1 else 1.0)
    next_sizes = [*sizes[1:], last]
    shifted = [np.where(sure, a, b) for a, b in zip(next_sizes, sizes, strict=True)]
    return tuple(moved), shifted


def _constant_in_psus(certainty: Any, psus: Groups) -> Mask:
    sure = flags(certainty, 'certainty', len(psus.codes))
    differs = rows_that_differ(sure, sure[psus.first], psus.codes)
    if differs.size:
        mixed = sorted(set(psus.of_rows(differs).each()))
        raise BadColumn(
            f'certainty differs inside PSU {listed(mixed)}.',
            'It belongs to the whole PSU: give the same in each of its rows.',
        )
    return sure


def everybody(rows: int) -> Groups:
    """One group that all rows belong to."""
    return Groups(np.zeros(rows, dtype=np.intp), ('all',), complete=True)


def each_row(rows: int) -> Groups:
    """Every row a group of its own."""
    return Groups(np.arange(rows, dtype=np.intp), range(rows), complete=True)


def complete(values: Any, name: str, rows: int | None) -> Groups:
    """Labels without gaps: a row whose stratum or PSU is unknown has no place in a design."""
    coded = groups(values, name, rows)
    if coded.gaps.size:
        raise BadColumn(
            f'{name} is missing in {coded.gaps.size} rows (row {listed(coded.gaps + 1, 3)}).',
            'Every row needs one.',
        )
    # A category that no row has is no stratum (and no PSU) of this sample.
    seen = coded.seen()
    codes = frozen(seen.codes, values)
    return seen if codes is seen.codes else replace(seen, codes=codes)


def _is_several(ssu: Any) -> bool:
    return (
        isinstance(ssu, list | tuple)
        and len(ssu) > 0
        and not isinstance(ssu[0], str)
        and hasattr(ssu[0], '__len__')
    )


def _has_none(given: Any) -> bool:
    return isinstance(given, list | tuple) and any(column is None for column in given)


def _inner_strata(given: Any, stages: int, rows: int) -> tuple[Groups | None, ...]:
    """Strata of the second and later stages by row, one entry a stage."""
    if given is None:
        return (None,) * stages
    each = list(given) if _is_several(given) or _has_none(given) else [given]
    if len(each) > stages:
        raise BadOption(
            f'ssu_strata has {len(each)} columns for {stages} later stages.',
            'Every stratified stage needs its units in ssu.',
        )
    coded = [
        None if column is None else complete(column, f'ssu_strata (stage {level + 2})', rows)
        for level, column in enumerate(each)
    ]
    return (*coded, *[None] * (stages - len(each)))


def _nested(psus: Groups, strata: Any, nest: bool) -> tuple[Groups, Groups]:
    """PSUs of which each lies in one stratum, and the stratum of each.

    The rows of a PSU share its stratum, so that one row of each is coded and the others are only
    compared.  With ``nest`` PSU labels that start again in every stratum are made distinct.
    """
    column = label_column(strata, 'strata', len(psus.codes))
    raw = column.codes if isinstance(column, Groups) else column
    if raw.dtype.kind != 'O' and not rows_that_differ(raw, raw[psus.first], psus.codes).size:
        towns = groups(
            column.of_rows(psus.first) if isinstance(column, Groups) else raw[psus.first], 'strata'
        )
        if not towns.gaps.size:
            return psus, towns.seen()
    coded = complete(strata, 'strata', len(psus.codes))
    elsewhere = rows_that_differ(coded.codes, coded.codes[psus.first], psus.codes)
    if elsewhere.size and not nest:
        shared = sorted(set(psus.of_rows(elsewhere).each()))
        raise ClusterInTwoStrata(
            f'{len(shared)} PSU labels appear in more than one stratum: {listed(shared)}.',
            'If the labels start again in each stratum, say nest=True; if not, correct them.',
        )
    if elsewhere.size:
        psus = paired(coded, psus)
    return psus, coded.of_rows(psus.first)


def _nested_inside(above: Groups, units: Groups, strata: Groups | None, nest: bool) -> Groups:
    """Unit labels of which each, inside its PSU, lies in one of the inner strata."""
    if strata is None:
        return units
    inside = paired(above, units)
    elsewhere = rows_that_differ(strata.codes, strata.codes[inside.first], inside.codes)
    if not elsewhere.size:
        return units
    if not nest:
        shared = sorted(set(units.of_rows(elsewhere).each()))
        raise ClusterInTwoStrata(
            f'{len(shared)} ssu labels appear in more than one of ssu_strata: {listed(shared)}.',
            'If the labels start again in each stratum, say nest=True; if not, correct them.',
        )
    return paired(strata, units)


def _either(sure: Mask, here: Groups, elsewhere: Groups) -> Groups:
    """The groups ``here`` for the sure rows, those ``elsewhere`` for the others."""
    codes = np.where(sure, here.codes, len(here) + elsewhere.codes)
    return Groups(codes, [*here.labels, *elsewhere.labels], complete=True).seen()
