"""Model-based figures for small towns, beside the direct estimates and never instead of them.

Fay and Herriot 1979 (JASA 74): θ̂_i = z_i'β + v_i + e_i with known sampling variances ψ_i, the
model variance by REML, the mean squared error with the terms for estimating β and the model
variance (Datta and Lahiri 2000, Stat. Sinica 10; Rao and Molina 2015, chapter 6).  Shares are
modelled on the arcsine scale, where the sampling variance 1/(4 n_eff) does not depend on the
unknown share and results stay in 0–1.  R: sae::mseFH on the transformed values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.arguments import checked
from analysis.columns import Floats, numbers
from analysis.errors import BadColumn, BadOption, ConstantColumn, UnknownLevel, listed
from analysis.options import number
from analysis.record import Record, Records
from analysis.regression import solve, term_matrix
from analysis.result import Estimate


@dataclass(frozen=True, repr=False)
class AreaModel(Record):
    """EBLUPs and their MSE on the scale of the model, β, and the model variance."""

    eblup: Floats
    mse: Floats
    beta: Floats
    variance: float
    shrinkage: Floats


@dataclass(frozen=True, repr=False)
class SmallArea(Record):
    """A town's direct and modelled share.  ``weight`` is the part the direct estimate keeps.

    ``benchmarked`` is the modelled share moved so that the towns add up to the city's direct
    estimate.  Experimental: not for verdicts.
    """

    label: str
    direct: float
    modelled: float
    benchmarked: float
    rmse: float
    lci: float
    uci: float
    weight: float


@checked
def fay_herriot(direct: Any, variances: Any, x: Mapping[str, Any] | None = None) -> AreaModel:
    """EBLUP under the area model, on the scale of ``direct``; REML at the highest maximum.

    Raises BadColumn for an area without a figure, ConstantColumn for terms that say the same.
    """
    y = numbers(direct, 'direct')
    psi = numbers(variances, 'variances', len(y))
    if not ((psi > 0) & (psi < np.inf)).all():
        raise BadOption('Every area needs a sampling variance above 0.')
    names, z = term_matrix(x or {}, len(y))
    for name, column in zip(['direct', *names], [y, *z.T], strict=True):
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise BadColumn(f'{name} is missing or infinite in area {bad[0] + 1}.')
    if len(y) <= z.shape[1] + 1:
        raise BadOption(f'{len(y)} areas are too few for {z.shape[1]} coefficients.')
    solve(z.T @ z, names)
    variance = _reml(y, z, psi)
    total = variance + psi
    bread = np.linalg.inv((z / total[:, None]).T @ z)
    beta = bread @ (z.T @ (y / total))
    keep = variance / total
    fitted = z @ beta
    eblup = fitted + keep * (y - fitted)
    g1 = keep * psi
    g2 = (1.0 - keep) ** 2 * np.einsum('ij,jk,ik->i', z, bread, z)
    g3 = psi**2 / total**3 * 2.0 / float((1.0 / total**2).sum())
    return AreaModel(eblup, g1 + g2 + 2.0 * g3, beta, variance, keep)


def _reml(y: Floats, z: Floats, psi: Floats) -> float:
    """The model variance at the highest maximum of the restricted likelihood, 0 included.

    The likelihood can have several maxima, where scoring goes astray: the sign of its slope is
    looked at on a fine geometric grid, every change from + to − is solved for, and the best is
    taken.
    """
    from scipy.optimize import brentq

    def slope(variance: float) -> float:
        return _restricted(variance, y, z, psi)[1]

    rest = y - z @ np.linalg.lstsq(z, y, rcond=None)[0]
    highest = 10.0 * float(rest @ rest) / (len(y) - z.shape[1]) + float(psi.max())
    while slope(highest) > 0:
        highest *= 10.0
    grid = np.concatenate([[0.0], np.geomspace(1e-4 * psi.min(), highest, 400)])
    rising = np.array([slope(variance) > 0 for variance in grid])
    tops = np.flatnonzero(rising[:-1] & ~rising[1:])
    found = [float(brentq(slope, grid[i], grid[i + 1], xtol=1e-300, rtol=1e-14)) for i in tops]
    if not rising[0]:
        found.append(0.0)
    return max(found, key=lambda variance: _restricted(variance, y, z, psi)[0])


def _restricted(variance: float, y: Floats, z: Floats, psi: Floats) -> tuple[float, float]:
    """Restricted log likelihood and its slope in the model variance."""
    total = variance + psi
    weighted = z / total[:, None]
    gram = weighted.T @ z
    inverse = np.linalg.inv(gram)
    rest = (y - z @ (inverse @ (weighted.T @ y))) / total
    trace = float((1.0 / total).sum() - np.trace(inverse @ (weighted.T @ weighted)))
    value = float(np.log(total).sum()) + float(np.linalg.slogdet(gram)[1])
    return -0.5 * (value + float(rest @ (total * rest))), 0.5 * (float(rest @ rest) - trace)


@checked
def small_areas(
    rows: Sequence[Estimate],
    city: Estimate,
    population: Mapping[str, float],
    x: Mapping[str, Any] | None = None,
    *,
    deff: float | None = None,
) -> Records[SmallArea]:
    """Fay–Herriot shares of towns on the arcsine scale, benchmarked to the city.

    The design effect is pooled over the towns unless given, because a town's own is hardly
    known.  ``x`` holds what is known of the towns by name, as {'income': {'Hushan': 3.1, …}}: a
    mapping from towns to values as ``population`` is one, or a column in the order of ``rows``
    (by position only: nothing can tell if it is in another).

    Back on the scale of shares by sin², with the interval taken back the same way; the
    benchmark adds one constant on the model's scale, found so that Σ N·share/ΣN is the city's.
    """
    if any(row.limits != (0.0, 1.0) for row in [*rows, city]) or len(rows) < 3:
        raise BadOption('Small areas need the shares of at least three towns, and the city’s.')
    if any(not row.n for row in rows):
        raise BadOption('Every town needs answers of its own.')
    absent = [row.label for row in rows if row.label not in population]
    if absent:
        raise UnknownLevel(f'population says nothing about {listed(absent)}.')
    people = np.array([population[row.label] for row in rows])
    effect = _pooled_effect(rows) if deff is None else number(deff, 'deff')
    if not effect > 0 or not (people >= 0).all() or not 0 < people.sum() < math.inf:
        raise BadOption('deff must be above 0, the populations counts from 0 and not all 0.')
    size = np.array([row.n / effect for row in rows])
    angle = np.array([math.asin(math.sqrt(row.est)) for row in rows])
    known = {name: _of_towns(values, rows, name) for name, values in (x or {}).items()}
    model = fay_herriot(angle, 1.0 / (4.0 * size), known)
    error = np.sqrt(model.mse)
    shares = _back(model.eblup)
    moved = _back(model.eblup + _shift(model.eblup, people, city.est))
    slope = np.sin(2.0 * model.eblup)
    return Records(
        SmallArea(
            row.label,
            row.est,
            float(shares[i]),
            float(moved[i]),
            float(abs(slope[i]) * error[i]),
            float(_back(model.eblup[i] - 1.959963984540054 * error[i])),
            float(_back(model.eblup[i] + 1.959963984540054 * error[i])),
            float(model.shrinkage[i]),
        )
        for i, row in enumerate(rows)
    )


def _of_towns(values: Any, rows: Sequence[Estimate], name: str) -> Any:
    """A column in the order of the rows; a mapping (or a Series by town) is put into it."""
    if not isinstance(values, Mapping):
        named = hasattr(values, 'keys') and all(row.label in values.keys() for row in rows)  # noqa: SIM118
        return [values[row.label] for row in rows] if named else values
    absent = [row.label for row in rows if row.label not in values]
    if absent:
        raise UnknownLevel(f'{name} says nothing about {listed(absent)}.')
    return [values[row.label] for row in rows]


def _back(angle: Any) -> Any:
    return np.sin(np.clip(angle, 0.0, math.pi / 2)) ** 2


def _pooled_effect(rows: Sequence[Estimate]) -> float:
    simple = [row.est * (1 - row.est) / row.n for row in rows]
    seen = [row.se**2 for row in rows]
    if not sum(simple) > 0:
        raise ConstantColumn('All towns have a share of 0 or 1: there is no variance to pool.')
    return sum(seen) / sum(simple)


def _shift(eblup: Floats, people: Floats, city: float) -> float:
    low, high = -math.pi / 2, math.pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        reached = float(people @ _back(eblup + middle) / people.sum())
        low, high = (middle, high) if reached < city else (low, middle)
    return (low + high) / 2
