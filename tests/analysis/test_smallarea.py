"""The area model against a published example: milk expenditure in 43 areas of the United States.

Arora and Lahiri 1997 (Statistica Sinica 7), also the data set `milk` of R's `sae`: direct
estimates, their standard errors, and four major areas as groups.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from analysis import smallarea
from analysis.errors import BadColumn, BadOption, ConstantColumn

# yi, SD, MajorArea; and what sae::mseFH(yi ~ as.factor(MajorArea), SD^2, data=milk) prints, which
# stops iterating at a relative change of 1e-4: EBLUP, MSE.
MILK = """
1.099 0.163 1 1.0219703 0.013460220
1.075 0.08 1 1.0476018 0.005372876
1.105 0.083 1 1.0679513 0.005701990
0.628 0.109 1 0.7608170 0.008541740
0.753 0.119 1 0.8461574 0.009579594
0.981 0.141 1 0.9743727 0.011670632
1.257 0.202 1 1.0584523 0.015926137
1.095 0.127 2 1.0977762 0.010586518
1.405 0.168 2 1.2215449 0.014184043
1.356 0.178 2 1.1951455 0.014901472
0.615 0.1 2 0.7852155 0.007694262
1.46 0.201 2 1.2139456 0.016336469
1.338 0.148 2 1.2096593 0.012562726
0.854 0.143 2 0.9834967 0.012117378
1.176 0.149 3 1.1864247 0.012031229
1.111 0.145 3 1.1556982 0.011709147
1.257 0.135 3 1.2263411 0.010859780
1.43 0.172 3 1.2856486 0.013690860
1.278 0.137 3 1.2363247 0.011034674
1.292 0.163 3 1.2349600 0.013079686
1.002 0.125 3 1.0903019 0.009948636
1.183 0.247 3 1.1923057 0.017243977
1.044 0.14 3 1.1216470 0.011292325
1.267 0.171 3 1.2230296 0.013625297
1.193 0.106 3 1.1938054 0.008065787
0.791 0.121 4 0.7627195 0.009205133
0.795 0.121 4 0.7649550 0.009205133
0.759 0.259 4 0.7338443 0.016476912
0.796 0.106 4 0.7699294 0.007800626
0.565 0.089 4 0.6134418 0.006098668
0.886 0.225 4 0.7695558 0.015441564
0.952 0.205 4 0.7958250 0.014657866
0.807 0.119 4 0.7723187 0.009024699
0.582 0.067 4 0.6102302 0.003870786
0.684 0.106 4 0.7001782 0.007800626
0.787 0.126 4 0.7592787 0.009646139
0.44 0.092 4 0.5298867 0.006404335
0.759 0.132 4 0.7434466 0.010155645
0.77 0.1 4 0.7548996 0.007209937
0.8 0.113 4 0.7701918 0.008470277
0.756 0.083 4 0.7481164 0.005484860
0.865 0.121 4 0.8040773 0.009205133
0.64 0.129 4 0.6810870 0.009903626
"""
DIRECT, SE, MAJOR, EBLUP, MSE = np.array([line.split() for line in MILK.split('\n')[1:-1]], float).T
COEFFICIENTS = [0.9681890, 0.1327801, 0.2269462, -0.2413011]
COEFFICIENT_SE = [0.06936208, 0.10300072, 0.09232981, 0.08161707]
DUMMIES = {f'area {k}': [float(m == k) for m in MAJOR] for k in (2, 3, 4)}
Z = np.column_stack([np.ones(43), *DUMMIES.values()])


def model() -> smallarea.AreaModel:
    return smallarea.fay_herriot(DIRECT, np.square(SE), DUMMIES)


def test_the_published_coefficients_eblups_and_their_errors() -> None:
    found = model()
    np.testing.assert_allclose(found.beta, COEFFICIENTS, rtol=2e-6)
    np.testing.assert_allclose(found.eblup, EBLUP, rtol=1e-6)
    np.testing.assert_allclose(found.mse, MSE, rtol=1e-5)
    total = found.variance + np.square(SE)
    spread = np.sqrt(np.diag(np.linalg.inv((Z / total[:, None]).T @ Z)))
    np.testing.assert_allclose(spread, COEFFICIENT_SE, rtol=1e-5)


def test_a_direct_maximisation_of_the_restricted_likelihood_finds_the_same() -> None:
    # A second route that shares no formula with the scoring: the likelihood of 39 contrasts
    # (an orthonormal basis of what the groups leave) as a multivariate normal density.
    basis = np.linalg.svd(Z)[0][:, Z.shape[1] :]
    contrasts = basis.T @ DIRECT

    def loss(variance: float) -> float:
        spread = basis.T @ np.diag(variance + np.square(SE)) @ basis
        root = np.linalg.cholesky(spread)
        rest = np.linalg.solve(root, contrasts)
        return float(np.log(np.diag(root)).sum() + rest @ rest / 2)

    best = minimize_scalar(loss, bounds=(1e-6, 0.2), method='bounded', options={'xatol': 1e-12})
    found = model()
    assert found.variance == pytest.approx(best.x, rel=1e-5)
    # With that variance, generalised least squares and the predictor written out.
    inverse = np.diag(1 / (best.x + np.square(SE)))
    beta = np.linalg.solve(Z.T @ inverse @ Z, Z.T @ inverse @ DIRECT)
    np.testing.assert_allclose(found.beta, beta, rtol=1e-5)
    by_hand = Z @ beta + best.x * inverse @ (DIRECT - Z @ beta)
    np.testing.assert_allclose(found.eblup, by_hand, rtol=1e-6)


def restricted_loss(variance: float, y: np.ndarray, z: np.ndarray, psi: np.ndarray) -> float:
    total = variance + psi
    gram = (z / total[:, None]).T @ z
    rest = y - z @ np.linalg.solve(gram, z.T @ (y / total))
    half = np.log(total).sum() + np.linalg.slogdet(gram)[1] + (rest**2 / total).sum()
    return float(half / 2)


# With seeds 17, 162, 280 Fisher scoring jumps to and fro between two values.
@pytest.mark.parametrize('seed', [17, 162, 280, *range(24)])
def test_the_highest_maximum_is_found_zero_included(seed: int) -> None:
    random = np.random.default_rng(seed)
    areas = int(random.integers(5, 20))
    psi = random.gamma(0.7, 1, areas) + 0.01
    x = random.normal(size=areas)
    y = 1 + x + random.normal(0, np.sqrt([0, 0.05, 1, 5][seed % 4] + psi))
    z = np.column_stack([np.ones(areas), x])
    found = smallarea.fay_herriot(y, psi, {'x': x}).variance
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1e3, 600)])
    losses = [restricted_loss(variance, y, z, psi) for variance in grid]
    assert restricted_loss(found, y, z, psi) <= min(losses) + 1e-9


def test_areas_without_a_figure_and_terms_that_say_the_same_are_named() -> None:
    direct, psi = [0.5, 0.6, np.nan, 0.7, 0.8], [0.01] * 5
    with pytest.raises(BadColumn, match='direct is missing or infinite in area 3'):
        smallarea.fay_herriot(direct, psi)
    x = np.arange(5.0)
    with pytest.raises(ConstantColumn, match='say the same thing'):
        smallarea.fay_herriot(x, psi, {'a': x**2, 'b': 2 * x**2})
    with pytest.raises(BadColumn, match='a is infinite in row 1'):
        smallarea.fay_herriot(x, psi, {'a': [np.inf, 1, 2, 3, 4]})
    with pytest.raises(BadOption, match='sampling variance above 0'):
        smallarea.fay_herriot(x, [0.01, 0.01, 0, 0.01, 0.01])
