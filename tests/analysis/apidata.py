"""The api samples of R's survey package as columns, and comparing rows with R's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis import Estimates
from analysis.table import read_csv

DATA = Path(__file__).parent / 'data'
LABELS = ('cds', 'stype', 'sch.wide', 'comp.imp', 'both', 'awards')


def load(name: str) -> dict[str, Any]:
    """Columns of one sample, numbers as floats with NaN where the file is empty."""
    columns: Mapping[str, Sequence[str]] = read_csv(DATA / f'{name}.csv')
    return {
        key: np.array(values)
        if key in LABELS
        else np.array([float(value) if value else np.nan for value in values])
        for key, values in columns.items()
    }


apisrs, apistrat = load('apisrs'), load('apistrat')
apiclus1, apiclus2 = load('apiclus1'), load('apiclus2')


def matches(values: Any, value: str) -> Any:
    return np.asarray(values) == value


def agrees(rows: Any, *, rtol: float = 1e-8, **expected: list[float]) -> None:
    """Every named figure of the rows equals the numbers that R printed."""
    for figure, numbers in expected.items():
        if figure == 'covariance':
            assert isinstance(rows, Estimates)
            found = rows.covariance.ravel().tolist()
        elif figure == 'interval':
            found = [bound for row in rows for bound in (row.lci, row.uci)]
        else:
            found = [getattr(row, figure) for row in rows]
        np.testing.assert_allclose(found, numbers, rtol=rtol, atol=1e-9 * max(map(abs, numbers)))
