"""Data, clock and memory for the Python programs of analysis_speed.py."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def load(folder: Path) -> dict[str, Any]:
    """Columns by name, integers as int64."""
    columns: dict[str, Any] = {}
    for path in folder.iterdir():
        if path.suffix == '.int':
            columns[path.stem] = np.fromfile(path, np.int32).astype(np.int64)
        elif path.suffix == '.num':
            columns[path.stem] = np.fromfile(path, np.float64)
    columns['margins'] = json.loads((folder / 'margins.json').read_text())
    return columns


def unit(data: dict[str, Any], times: int = 15) -> float:
    """U: median seconds of one bincount over the rows."""
    product = data['w'] * data['y0']
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        np.bincount(data['psu'], product, minlength=2000)
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def measured(
    task: Callable[[], tuple[Any, Any]], data: dict[str, Any], rounds: int = 7
) -> dict[str, float | list[float]]:
    """Median seconds and U in turns, extra memory at the peak in MB, and what came out.

    U is taken before every round, so that a machine that is busy for a while is busy for both.
    """
    before = _memory('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')
    est, se = task()
    peak = _memory('VmHWM') - before
    times, units = [], []
    for _ in range(rounds):
        units.append(unit(data, 3))
        begin = time.perf_counter()
        task()
        times.append(time.perf_counter() - begin)
    return {
        'seconds': statistics.median(times),
        'units': statistics.median(t / u for t, u in zip(times, units, strict=True)),
        'peak': max(peak, 0.0),
        'est': np.atleast_1d(est).tolist(),
        'se': np.atleast_1d(se).tolist(),
    }


def _memory(field: str) -> float:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{field}:'):
            return float(line.split()[1]) / 1024
    raise LookupError(field)
