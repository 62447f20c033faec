"""Trimming: the variance that follows it through every step, and weights below 0."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, mean, ratio, replicates, total, weights
from analysis.calibration import calibrate
from analysis.errors import BadWeights
from analysis.quantile import quantile
from analysis.regression import logistic
from analysis.steps import Step
from tests.analysis.apidata import apiclus1

RANDOM = np.random.default_rng(12)
ROWS = 240
VILLAGE = np.repeat(np.arange(60), 4)
SEX = RANDOM.choice(['f', 'm'], ROWS)
AGE = RANDOM.choice(['18-34', '35-59', '60+'], ROWS)
BASE = np.exp(RANDOM.normal(3, 0.7, ROWS))
Y = 5 + np.log(BASE) + (AGE == '60+') + RANDOM.normal(0, 1, ROWS)
X = RANDOM.gamma(2, 10, ROWS)
SEXES = {'f': 3000, 'm': 2800}
AGES = {'18-34': 1500, '35-59': 2400, '60+': 1900}
DESIGN = Design(BASE, psu=VILLAGE)


def steps(*kinds: str) -> tuple[Step, ...]:
    """The steps of these kinds, each from the weights of the one before."""
    found: list[Step] = []
    for kind in kinds:
        start = found[-1].after if found else BASE
        done = {
            'sexes': lambda w: weights.post_stratify(w, SEX, SEXES),
            'ages': lambda w: weights.post_stratify(w, AGE, AGES),
            'answers': lambda w: weights.nonresponse(w, np.arange(ROWS) % 7 != 2, AGE),
            'line': lambda w: calibrate(
                w, x={'one': np.ones(ROWS), 'x': X}, totals={'one': 5800, 'x': 115_000}
            ),
            'cut': lambda w: weights.trim(w, upper=float(np.quantile(w, 0.9))),
            'both ends': lambda w: weights.trim(w, upper=60.0, lower=10.0),
            'in proportion': lambda w: weights.trim(w, upper=55.0, method='proportional'),
            'rake': lambda w: weights.rake(
                w, {'sex': SEX, 'age': AGE}, {'sex': {'f': 3000, 'm': 2800}, 'age': AGES}
            ),
            'cycle': lambda w: weights.rake_and_trim(
                w, {'sex': SEX, 'age': AGE}, {'sex': SEXES, 'age': AGES}, upper=75.0
            ),
        }[kind](start)
        found.append(done.step)
    return tuple(found)


def slope_by_row(chain: tuple[Step, ...], y: np.ndarray) -> np.ndarray:
    """How fast the total moves with how often each row is in the sample, by making all again."""
    slope = np.zeros(ROWS)
    for row in range(ROWS):
        sides = []
        for much in (1e-5, -1e-5):
            times = np.ones(ROWS)
            times[row] += much
            weight = BASE * times
            for step in chain:
                assert step.redo is not None
                weight = step.redo(weight, times)
            sides.append(float(weight @ y))
        slope[row] = (sides[0] - sides[1]) / 2e-5
    return slope


@pytest.mark.parametrize(
    'kinds',
    [
        ('cut',),
        ('both ends',),
        ('in proportion',),
        ('sexes', 'cut'),
        ('sexes', 'in proportion'),
        ('cut', 'ages'),
        ('line', 'both ends'),
        ('answers', 'cut', 'both ends'),
    ],
)
def test_the_variance_is_that_of_how_the_total_moves_with_every_row(kinds: tuple[str, ...]) -> None:
    chain = steps(*kinds)
    moved = slope_by_row(chain, Y)
    by_village = np.bincount(VILLAGE, moved)
    expected = 60 / 59 * ((by_village - by_village.mean()) ** 2).sum()
    assert total(DESIGN.calibrated(*chain), Y).se ** 2 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    'kinds',
    [
        ('cut',),
        ('in proportion',),
        ('rake', 'cut'),
        ('cut', 'rake'),
        ('sexes', 'cut', 'rake', 'both ends'),
        ('cycle',),
    ],
)
def test_the_variance_through_a_trimming_is_that_of_the_jackknife(kinds: tuple[str, ...]) -> None:
    chain = steps(*kinds)
    linear = DESIGN.calibrated(*chain)
    again = replicates.jackknife(DESIGN).calibrated(*chain)
    for estimator in (total, mean):
        assert estimator(linear, Y).se == pytest.approx(estimator(again, Y).se, rel=0.06)
    for one, other in zip(mean(linear, Y, by=AGE), mean(again, Y, by=AGE), strict=True):
        assert one.se == pytest.approx(other.se, rel=0.1)


def test_groups_in_one_call_and_one_by_one_have_the_same_errors() -> None:
    chain = steps('sexes', 'cut', 'rake')
    for design in (DESIGN, Design(BASE), Design(BASE, strata=SEX)):
        calibrated = design.calibrated(*chain)
        together = mean(calibrated, Y, by=AGE)
        for age in AGES:
            alone = mean(calibrated, Y, where=age == AGE)
            assert together[age].se == pytest.approx(alone.se, rel=1e-10)


def test_a_census_has_no_error_though_its_weights_were_cut() -> None:
    design = Design(BASE, psu=VILLAGE, population=60)
    assert total(design.calibrated(*steps('cut', 'sexes')), Y).se == 0


def test_trimming_after_a_calibration_gives_up_its_precision_and_raking_again_restores_it() -> None:
    """The sexes are met after a calibration to them, no longer after a cut, and then again."""
    women = SEX == 'f'
    assert total(DESIGN.calibrated(*steps('sexes')), where=women).se < 1e-6
    assert total(DESIGN.calibrated(*steps('sexes', 'cut')), where=women).se > 50
    assert total(DESIGN.calibrated(*steps('sexes', 'cut', 'sexes')), where=women).se < 1e-6
    assert total(DESIGN.calibrated(*steps('cycle')), where=women).se < 1e-6


def test_a_trimming_that_cuts_nothing_changes_no_error() -> None:
    untouched = weights.trim(steps('sexes')[0].after, upper=1e9).step
    design = DESIGN.calibrated(*steps('sexes'))
    assert total(design.calibrated(untouched), Y).se == pytest.approx(total(design, Y).se)


def test_a_village_that_counts_twice_has_its_rows_twice_not_rows_of_twice_the_weight() -> None:
    (cut,) = steps('cut')
    assert cut.redo is not None
    twice = np.where(VILLAGE == 3, 2.0, 1.0)
    again = cut.redo(BASE * twice, twice)
    rows = np.concatenate([np.arange(ROWS), np.flatnonzero(VILLAGE == 3)])
    copied = weights.trim(BASE[rows], upper=float(cut.after.max())).values
    np.testing.assert_allclose(again[VILLAGE != 3], copied[:ROWS][VILLAGE != 3])
    np.testing.assert_allclose(again[VILLAGE == 3], 2 * copied[ROWS:])


def below_zero() -> tuple[Design, dict[str, np.ndarray], weights.Weights]:
    """apiclus1 calibrated to a mean enrolment of 900, which needs negative weights.

    R: d <- svydesign(id = ~dnum, weights = ~pw, data = apiclus1)
       g <- calibrate(d, ~enroll, c(`(Intercept)` = 6194, enroll = 6194 * 900))
    """
    data = apiclus1
    done = calibrate(
        data['pw'],
        x={'one': np.ones(183), 'enroll': data['enroll']},
        totals={'one': 6194, 'enroll': 6194 * 900},
    )
    design = Design(data['pw'], psu=data['dnum']).calibrated(done.step)
    return design, data, done


def test_a_calibration_says_which_rows_it_gave_weights_below_zero() -> None:
    design, _, done = below_zero()
    assert done.report.negative == (4, 15, 61, 153, 155, 156)  # R: which(weights(g) < 0)
    assert float(done.values.min()) == pytest.approx(-3.96515123363518, rel=1e-9)
    assert (done.report.n, design.df) == (183, 14)
    assert done.report.kish == pytest.approx(weights.kish(done.values))


def test_estimates_with_weights_below_zero_are_those_of_r() -> None:
    design, data, _ = below_zero()
    found = mean(design, data['api00'])
    assert found.n == 183  # R: nrow(g)
    assert found.est == pytest.approx(630.067091749258, rel=1e-10)  # svymean(~api00, g)
    assert found.se == pytest.approx(26.9809201173244, rel=1e-8)
    as_total = total(design, data['api99'])  # svytotal(~api99, g)
    assert as_total.est == pytest.approx(3697243.058455730, rel=1e-10)
    assert as_total.se == pytest.approx(172881.797976316, rel=1e-8)
    by_type = mean(design, data['api00'], by=data['stype'])  # svyby(~api00, ~stype, g, svymean)
    assert [row.est for row in by_type] == pytest.approx(
        [642.527067000384, 593.415269482980, 630.684928637009], rel=1e-10
    )
    assert [row.se for row in by_type] == pytest.approx(
        [21.4380704341385, 34.3581697073493, 37.7000155422836], rel=1e-8
    )
    share = ratio(design, data['api00'], data['api99'])  # svyratio(~api00, ~api99, g)
    assert share.se == pytest.approx(0.00609558879954618, rel=1e-8)


@pytest.mark.parametrize(
    ('limits', 'low', 'high', 'squares'),
    [  # w <- weights(trimWeights(g, lower =, upper =, strict = TRUE)); range(w); sum(w^2)
        ({'lower': 1.0}, 1.0, 176.266902120869, 397621.931522273750),
        ({'lower': 1.0, 'upper': 80.0}, 1.0, 80.0, 286402.166093263),
        ({'lower': -np.inf, 'upper': 80.0}, -6.39899948809970e-02, 80.0, 285886.725499947),
    ],
)
def test_trimming_raises_weights_below_zero_as_r_does(
    limits: dict[str, float], low: float, high: float, squares: float
) -> None:
    _, _, done = below_zero()
    cut = weights.trim(done.values, **limits)
    assert cut.report.total == pytest.approx(6194)
    assert [cut.values.min(), cut.values.max()] == pytest.approx([low, high], rel=1e-9)
    assert float(cut.values @ cut.values) == pytest.approx(squares, rel=1e-9)
    assert bool(cut.report.negative) is (low < 0)


def test_what_has_no_meaning_below_zero_is_refused_with_the_rows_and_the_cure() -> None:
    design, data, done = below_zero()
    words = r'row 4, 15, 61, 153 and 2 more.*weights\.trim'
    with pytest.raises(BadWeights, match=words):
        quantile(design, data['api00'])
    with pytest.raises(BadWeights, match=words):
        logistic(design, data['stype'] == 'E', {'enroll': data['enroll']})
    with pytest.raises(BadWeights, match=r'found -\S+ in row 4.*weights\.trim'):
        weights.rake(done.values, {'stype': data['stype']}, {'stype': {'E': 1, 'H': 1, 'M': 1}})
    with pytest.raises(BadWeights, match=r'add up to 0 or less; row 4, 15'):
        mean(design, data['api00'], where=done.values < 0)
