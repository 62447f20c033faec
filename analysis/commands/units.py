"""Shares and margins as people write them: 80, 80% and 0.8 are one share."""

from __future__ import annotations

import math

from analysis.errors import BadOption

# From here on 0.5 could be half a per cent or 50 per cent.
CLEARLY_A_SHARE = 0.3


def share(text: str, option: str) -> float:
    """80, 80% and 0.8 all mean 80 per cent; 1 is everybody."""
    value, per_cent = figure(text, option)
    return value / 100 if per_cent or value > 1 else value


def margin(text: str, option: str) -> float:
    """3, 3% and 0.03 all mean three points; a bare number between 0.3 and 1 is refused."""
    value, per_cent = figure(text, option)
    if not per_cent and CLEARLY_A_SHARE <= value < 1:
        raise BadOption(
            f'{option} {text} can mean {value:g} per cent or {100 * value:g} per cent.',
            f'Write {value:g}% or {100 * value:g}%.',
        )
    return value / 100 if per_cent or value >= 1 else value


def figure(text: str, option: str) -> tuple[float, bool]:
    """The number, and whether a per cent sign follows it."""
    written = text.strip()
    per_cent = written.endswith(('%', '％'))
    try:
        value = float(written.rstrip('%％'))
    except ValueError as error:
        raise BadOption(f'{option} must be a number as 80, 80% or 0.8; not {text!r}.') from error
    if not math.isfinite(value):
        raise BadOption(f'{option} must be a finite number, not {text!r}.')
    return value, per_cent


def pair(text: str | None, option: str) -> tuple[float, float] | None:
    """Two numbers of an option, as 0,100."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(','))
    except ValueError as error:
        raise BadOption(f'{option} must be two numbers as 0,100, not {text!r}.') from error
    return low, high
