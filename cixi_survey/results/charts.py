"""What a chart needs: places on the page worked out here, drawn by a macro of the templates.

The drawing is 360 units wide, the width of a small phone, with a line of words above each mark, so
that it can be read there and in print without turning anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cixi_survey import i18n
from cixi_survey.results import figures
from cixi_survey.results.figures import Shown

WIDTH, LEFT, RIGHT = 360.0, 6.0, 354.0
HEAD, ROW, FOOT = 44.0, 40.0, 8.0


@dataclass(frozen=True)
class Mark:
    """One town: words, and where its interval and its mark stand."""

    name: Mapping[str, str]
    shown: Shown
    y: float
    x: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True)
class TownChart:
    """Towns by their estimate, with intervals, against a target."""

    height: float
    foot: float
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    hidden: tuple[Mapping[str, str], ...]
    target: float | None
    target_text: str


def town_chart(
    indicator: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], level: float
) -> TownChart:
    """The chart of one indicator; towns without a figure are named only."""
    scale = indicator['scale']
    factor = 100 if scale == 'share' else 1
    target = indicator['target']
    wanted = None if target is None else target['value'] * factor
    rows = ranked(indicator)
    ends = [row[end] * factor for row in rows for end in ('lci', 'uci')]
    low, high, step = _axis(ends + ([wanted] if wanted is not None else []))

    def place(value: float) -> float:
        return round(LEFT + (value - low) / (high - low) * (RIGHT - LEFT), 2)

    marks = tuple(
        Mark(
            name=names[row['town']],
            shown=figures.show(row, scale, level),
            y=HEAD + i * ROW,
            x=place(row['est'] * factor),
            low=place(row['lci'] * factor),
            high=place(row['uci'] * factor),
        )
        for i, row in enumerate(rows)
    )
    unit = i18n.reader().percent_sign if scale == 'share' else ''
    ticks = tuple((place(tick), f'{tick:g}{unit}') for tick in _steps(low, high, step))
    foot = HEAD + len(marks) * ROW
    return TownChart(
        height=foot + FOOT,
        foot=foot,
        ticks=ticks,
        marks=marks,
        hidden=tuple(
            names[row['town']] for row in indicator['towns'] if row['status'] == 'suppressed'
        ),
        target=None if wanted is None else place(wanted),
        target_text='' if target is None else figures.target_value(target['value'], scale),
    )


def ranked(indicator: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The towns that have a figure, the highest first; equal ones by their code."""
    shown = [row for row in indicator['towns'] if row['status'] != 'suppressed']
    return sorted(shown, key=lambda row: (-row['est'], row['town']))


def _axis(values: list[float]) -> tuple[float, float, float]:
    """Round ends and the distance of the ticks; inside 0 to 100."""
    least, most = (min(values), max(values)) if values else (0.0, 100.0)
    step = next(step for step in (5, 10, 20, 25) if (most - least) / step <= 5 or step == 25)
    low = max(0.0, step * (least // step))
    high = min(100.0, step * -(-most // step))
    return (low, high, step) if high > low else (0.0, 100.0, 20)


def _steps(low: float, high: float, step: float) -> list[float]:
    return [low + i * step for i in range(round((high - low) / step) + 1)]
