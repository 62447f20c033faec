"""The chart of a plan: what each way of spreading would give every town."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cixi_survey.errors import N_
from cixi_survey.waves.planner import Planned

METHOD_NAMES = {
    'proportional': N_('In proportion to the population'),
    'power': N_('By the square root of the population'),
    'equal': N_('The same everywhere'),
}
WIDTH, LEFT, RIGHT = 360.0, 6.0, 354.0
HEAD, ROW = 44.0, 36.0
MOST_POINTS = 30.0


@dataclass(frozen=True)
class Row:
    """One town: its name and where the mark of each method stands."""

    name: Mapping[str, str]
    y: float
    marks: tuple[tuple[str, float], ...]
    said: str


@dataclass(frozen=True)
class PlanChart:
    """Half widths of the towns' intervals, in points, by method; narrower is further left."""

    height: float
    ticks: tuple[tuple[float, int], ...]
    wanted: float | None
    rows: tuple[Row, ...]


def towns_chart(planned: Planned) -> PlanChart:
    """The chart of ``planned``; towns from the smallest to the largest."""
    widest = 100 * max(max(town.margins.values()) for town in planned.towns)
    most = min(MOST_POINTS, max(10.0, 5.0 * math.ceil(widest / 5)))

    def place(points: float) -> float:
        return round(LEFT + min(points, most) / most * (RIGHT - LEFT), 1)

    towns = sorted(planned.towns, key=lambda town: (town.population, town.code))
    rows = tuple(
        Row(
            name=town.name,
            y=HEAD + place_in_list * ROW,
            marks=tuple((method, place(100 * width)) for method, width in town.margins.items()),
            said=' · '.join(f'±{100 * width:.1f}' for width in town.margins.values()),
        )
        for place_in_list, town in enumerate(towns)
    )
    step = 5 if most <= 20 else 10
    wanted = 100 * planned.question.margin
    return PlanChart(
        height=HEAD + len(rows) * ROW + 8,
        ticks=tuple((place(tick), tick) for tick in range(0, int(most) + 1, step)),
        wanted=place(wanted) if wanted <= most else None,
        rows=rows,
    )
