"""What values single options may have; what kind they are the signatures say (``arguments``)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from analysis.arguments import real, whole
from analysis.errors import BadOption


def number(value: Any, name: str) -> float:
    """A finite number; text, None, NaN and true/false are refused."""
    result = real(value, name)
    if not math.isfinite(result):
        raise BadOption(f'{name} must be a finite number; it is {result:g}.')
    return result


def whole_number(value: Any, name: str, least: int = 0) -> int:
    """A whole number from ``least`` on; 20.0 is one, 20.5 is not."""
    result = whole(value, name)
    if result < least:
        raise BadOption(f'{name} must be a whole number from {least}; it is {result}.')
    return result


def share(value: Any, name: str, example: str = '0.8') -> float:
    """A share strictly between 0 and 1; refuses 80 where 0.8 is meant."""
    result = number(value, name)
    if not 0 < result < 1:
        raise BadOption(f'{name} must be a share between 0 and 1, as {example}; not {result:g}.')
    return result


def generator(seed: Any) -> np.random.Generator:
    """Random numbers that the same seed gives on every machine (PCG64)."""
    return np.random.Generator(np.random.PCG64(whole_number(seed, 'The seed')))
