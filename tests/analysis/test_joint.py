"""Joint inclusion probabilities and their variance, against R survey 4.1-1 (`joint.R`)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import joint, sampling
from analysis.errors import BadColumn, BadOption, EmptyDomain
from tests.analysis.apidata import agrees

SIZES = [5, 9, 14, 20, 23, 29, 30]
# All samples of 4 out of 7 listed with their probabilities; the pairs 12, 13, 23, 14, …
PAIRS = [
    *(0.02154238420468446, 0.03717188507766285, 0.07045639739531367, 0.06313927817646484),
    *(0.11819304185795060, 0.19595073247372663, 0.08138989667584731, 0.15118093135067873),
    *(0.24754843337177873, 0.38621951713442287, 0.12514547190309988, 0.22781534814292115),
    *(0.36070193276665397, 0.52908547910701542, 0.61522850113100946, 0.13314954550070213),
    *(0.24158112781768215, 0.38047831122255626, 0.55356579740426570, 0.64150964341318595),
    0.81894634387237719,
]
ROWS, Y, DOMAIN = [1, 3, 5, 6], [12, 31, 40, 52], [1, 0, 1, 1]


def drawn() -> np.ndarray:
    return joint.sampford(sampling.inclusion_probabilities(SIZES, 4), 4)[np.ix_(ROWS, ROWS)]


def test_joint_probabilities_equal_those_of_all_samples_listed() -> None:
    table = joint.sampford(sampling.inclusion_probabilities(SIZES, 4), 4)
    np.testing.assert_allclose(table.T[np.tril_indices(7, -1)], PAIRS, rtol=1e-13)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 200), st.floats(0.05, 3), st.integers(0, 1000))
def test_they_add_up_for_any_sample_size(n: int, spread: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.lognormal(0, spread, n + int(random.integers(2, 200)))
    everybody = sampling.inclusion_probabilities(sizes, n)
    p = everybody[everybody < 1]
    left = n - int((everybody == 1).sum())
    if left < 2:
        return
    table = joint.sampford(p, left)
    others = table.sum(axis=1) - p
    np.testing.assert_allclose(others, (left - 1) * p, rtol=1e-10)
    apart = ~np.eye(len(p), dtype=bool)
    assert (table[apart] > 0).all()
    # Sen, Yates and Grundy's variance is never negative: π_ij ≤ π_i π_j.
    assert (table <= np.outer(p, p) * (1 + 1e-9))[apart].all()
    some = np.arange(0, len(p), 3)
    np.testing.assert_allclose(joint.sampford(p, left, some), table[np.ix_(some, some)], rtol=1e-12)


def test_equal_probabilities_are_simple_random_sampling() -> None:
    table = joint.sampford(np.full(10, 0.3), 3)
    assert table[0, 1] == pytest.approx(3 * 2 / (10 * 9), rel=1e-14)


def test_totals_and_means_as_in_r() -> None:
    # svydesign(id=~1, fpc=~p, pps=ppsmat(joint), variance="YG"): svytotal, svymean
    agrees([joint.estimate(Y, drawn())], est=[194.869252873563198], se=[5.897119392511846], df=[3])
    agrees(
        [joint.estimate(Y, drawn(), kind='mean')],
        est=[26.191631799163183],
        se=[6.440867368708806],
    )
    # subset(D, g == 1)
    agrees(
        [
            joint.estimate(Y, drawn(), where=DOMAIN),
            joint.estimate(Y, drawn(), kind='mean', where=DOMAIN),
        ],
        est=[144.494252873563198, 24.847965738758031],
        se=[31.615100170350548, 7.005376210159404],
    )
    # variance="HT": the total's is negative in R too, which then gives NaN
    form = {'form': 'horvitz-thompson'}
    agrees(
        [
            joint.estimate(Y, drawn(), kind='mean', **form),
            joint.estimate(Y, drawn(), where=DOMAIN, **form),
            joint.estimate(Y, drawn(), kind='mean', where=DOMAIN, **form),
        ],
        se=[6.902658256108873, 34.300859013912977, 7.574879014833424],
    )
    with pytest.raises(BadOption, match='variance estimate is negative'):
        joint.estimate(Y, drawn(), **form)


def test_a_simple_sample_gives_the_textbook_variance() -> None:
    table = np.full((5, 5), 5 * 4 / (20 * 19))
    np.fill_diagonal(table, 5 / 20)
    y = np.array([3.0, 8, 1, 9, 4])
    row = joint.estimate(y, table)
    assert row.se == pytest.approx(20 * np.sqrt((1 - 5 / 20) * y.var(ddof=1) / 5))
    missing = joint.estimate([3, 8, 1, 9, np.nan], table, kind='mean')
    assert (missing.n, missing.missing, missing.est) == (4, 1, pytest.approx(5.25))


def test_a_drawn_sample_brings_the_table_that_the_estimator_takes() -> None:
    random = np.random.default_rng(4)
    strata, sizes = np.repeat(['a', 'b'], 30), random.gamma(2, 1, 60) + 0.2
    y = 3 * sizes + random.normal(0, 0.3, 60)
    found, claimed = [], []
    for seed in range(400):
        rows, share, table = sampling.draw_sampford(sizes, {'a': 6, 'b': 4}, seed, strata=strata)
        row = joint.estimate(y[rows], table)
        found.append(row.est)
        claimed.append(row.se**2)
        assert (strata[rows] == 'a').sum() == 6
        np.testing.assert_allclose(np.diag(table), share)
    assert np.mean(found) == pytest.approx(y.sum(), rel=0.01)
    assert np.mean(claimed) == pytest.approx(np.var(found), rel=0.25)


def test_tables_that_cannot_be_joint_probabilities_are_refused() -> None:
    with pytest.raises(BadColumn, match='square table'):
        joint.estimate([1, 2], [[0.5, 0.2]])
    with pytest.raises(BadColumn, match='rows 1 and 2 is 0;'):
        joint.estimate([1, 2], [[0.5, 0], [0, 0.5]])
    with pytest.raises(BadColumn, match=r'rows 1 and 2 is 0\.6'):
        joint.estimate([1, 2], [[0.5, 0.6], [0.6, 0.5]])
    with pytest.raises(EmptyDomain):
        joint.estimate([np.nan, np.nan], [[0.5, 0.2], [0.2, 0.5]])
    with pytest.raises(BadOption, match='add up to n'):
        joint.sampford([0.5, 0.9], 2)
