"""Domains of a calibrated sample: the short way by cells equals the long way by rows."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, mean, variance, weights


@pytest.mark.parametrize('seed', range(5))
def test_sums_over_cells_give_the_variance_of_the_table(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(seed)
    n = 400
    town = random.integers(0, 6, n)
    sex, y = random.integers(0, 2, n), random.random(n) < 0.8
    y = np.where(random.random(n) < 0.1, np.nan, y)
    base = random.uniform(1, 5, n) + town
    population = 500.0 + 20 * town
    raked = weights.rake(
        base,
        {'town': town, 'sex': sex},
        {
            'town': dict.fromkeys(range(6), 1000.0),
            'sex': {0: 2700.0, 1: 3300.0},
        },
    )
    design = Design(base, strata=town, population=population, any_scale=True).calibrated(raked.step)
    by = random.integers(0, 4, n)
    short = mean(design, y, by=by)

    def long(design: Design, influence: variance.Totals) -> np.ndarray:
        return variance._stage(influence, design.stages[0], np.ones(1), design.lonely_psu)

    monkeypatch.setattr(variance, '_of_cells', long)
    expected = mean(design, y, by=by)
    assert np.allclose(short.covariance, expected.covariance, rtol=1e-10, atol=1e-16)
    assert (np.diag(short.covariance) > 0).all()
