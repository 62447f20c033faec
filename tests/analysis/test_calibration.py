"""Calibration with and without bounds, and trimming, against R and against their own promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, total, weights
from analysis.calibration import calibrate
from analysis.errors import BadColumn, BadOption, InfeasibleBounds, NotConverged
from tests.analysis.apidata import agrees, apiclus1, apistrat

CLUS1 = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
LEVELS = {'stype': {'E': 4421, 'H': 755, 'M': 1018}}


def calibrated(**options: Any) -> weights.Weights:
    return calibrate(
        CLUS1.weights,
        {'stype': apiclus1['stype']},
        LEVELS,
        x={'api99': apiclus1['api99']},
        totals={'api99': 3914069},
        **options,
    )


# PT <- c(`(Intercept)`=6194, stypeH=755, stypeM=1018, api99=3914069)
# C <- calibrate(CLUS1, ~stype+api99, PT, calfun=…, bounds=…, epsilon=1e-10, maxit=500)
# svymean(~api00, C); svytotal(~enroll, C)
@pytest.mark.parametrize(
    ('options', 'means', 'totals'),
    [
        (
            {'method': 'linear'},
            (665.3090711658, 3.44175311640),
            (3638487.204132, 385524.42735),
        ),
        (
            {'method': 'raking'},
            (665.3937960002, 3.43775353984),
            (3616588.563269, 387618.63038),
        ),
        (
            {'method': 'linear', 'bounds': (0.7, 1.7)},
            (665.4877962065, 3.41753887),
            (3655490.640167, 376312.09267),
        ),
        (
            {'method': 'raking', 'bounds': (0.7, 1.7)},
            (665.5188539061, 3.41939926),
            (3659025.533582, 376648.3882),
        ),
        (
            {'method': 'logit', 'bounds': (0.7, 1.7)},
            (665.4609694275, 3.41998372),
            (3657885.065033, 378603.94948),
        ),
    ],
)
def test_calibration_as_in_r(
    options: dict[str, Any], means: tuple[float, float], totals: tuple[float, float]
) -> None:
    done = calibrated(**options)
    design = CLUS1.calibrated(done.step)
    agrees([mean(design, apiclus1['api00'])], est=[means[0]], se=[means[1]])
    agrees([total(design, apiclus1['enroll'])], est=[totals[0]], se=[totals[1]])
    assert total(design, apiclus1['api99']).est == pytest.approx(3914069, rel=1e-9)
    assert total(design, apiclus1['api99']).se < 1e-3


# C <- calibrate(STRAT, ~I(api99 - 631.913), c(`(Intercept)`=6194, 0), calfun=…) (`calibration.R`)
@pytest.mark.parametrize(
    ('options', 'figures'),
    [
        ({'method': 'linear'}, (6.64644014367877e02, 1.90304079197585)),
        ({'method': 'raking'}, (6.64643148629862e02, 1.90297858176582)),
        ({'method': 'logit', 'bounds': (0.7, 1.4)}, (664.64323756801321, 1.90298499187977)),
    ],
)
def test_a_total_of_zero_is_a_total(options: dict[str, Any], figures: tuple[float, float]) -> None:
    strat = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
    done = calibrate(
        strat.weights,
        x={'people': np.ones(200), 'centred': apistrat['api99'] - 631.913},
        totals={'people': 6194, 'centred': 0},
        **options,
    )
    row = mean(strat.calibrated(done.step), apistrat['api00'])
    agrees([row], est=[figures[0]], se=[figures[1]])
    assert max(done.report.misfit.values()) < 1e-12


def test_weights_that_start_far_off_still_meet_their_totals() -> None:
    done = calibrate(np.full(183, 1e9), {'stype': apiclus1['stype']}, LEVELS, method='raking')
    reached = [done.values[apiclus1['stype'] == level].sum() for level in LEVELS['stype']]
    np.testing.assert_allclose(reached, list(LEVELS['stype'].values()), rtol=1e-9)


def test_domains_of_a_design_calibrated_to_numbers() -> None:
    design = CLUS1.calibrated(calibrated(method='raking').step)
    for row in mean(design, apiclus1['api00'], by=apiclus1['sch.wide']):
        alone = mean(design, apiclus1['api00'], where=apiclus1['sch.wide'] == row.label)
        assert (row.est, row.se) == pytest.approx((alone.est, alone.se), rel=1e-10)


def test_persons_as_units_and_persons_as_psus_agree_after_calibration() -> None:
    whole = Design(apiclus1['pw']).calibrated(calibrated(method='linear').step)
    labels = np.arange(183)[::-1]
    summed = Design(apiclus1['pw'], psu=labels).calibrated(calibrated(method='linear').step)
    first = mean(whole, apiclus1['api00'], by=apiclus1['sch.wide'])
    second = mean(summed, apiclus1['api00'], by=apiclus1['sch.wide'])
    np.testing.assert_allclose(first.covariance, second.covariance, rtol=1e-9)


def test_bounds_hold_or_the_total_that_cannot_be_met_is_named() -> None:
    done = calibrated(method='logit', bounds=(0.7, 1.7))
    assert done.report.g_min >= 0.7
    assert done.report.g_max <= 1.7
    with pytest.raises(InfeasibleBounds, match=r'g between 0.95 and 1.05.*stype=H stays off'):
        calibrated(method='logit', bounds=(0.95, 1.05))


def test_raking_by_newton_is_raking_by_proportional_fitting() -> None:
    margins = {name: apiclus1[name] for name in ('stype', 'sch.wide')}
    people = {**LEVELS, 'sch.wide': {'No': 1072, 'Yes': 5122}}
    newton = calibrate(CLUS1.weights, margins, people, method='raking')
    fitting = weights.rake(CLUS1.weights, margins, people, tolerance=1e-13)
    np.testing.assert_allclose(newton.values, fitting.values, rtol=1e-9)


def test_totals_out_of_reach_are_named() -> None:
    with pytest.raises(NotConverged, match='x is off by'):
        calibrate([1.0, 1.0], x={'x': [1.0, 2.0]}, totals={'x': -5.0}, method='raking')


def test_options_of_calibration_are_checked() -> None:
    with pytest.raises(BadOption, match='around 1'):
        calibrated(bounds=(1.1, 2))
    with pytest.raises(BadOption, match='needs finite bounds'):
        calibrated(method='logit')
    with pytest.raises(BadOption, match='Unknown calibration'):
        calibrated(method='sinh')
    with pytest.raises(BadColumn, match=r'x is missing in 1 rows \(row 2\)'):
        calibrate([1, 1], x={'x': [1, np.nan]}, totals={'x': 3})


def test_trimming_by_hand() -> None:
    # 10 is cut to 4; the surplus 6 goes in equal parts to the three others: 1 + 2, 2 + 2, 3 + 2;
    # 5 is then above the limit, its surplus 1 goes to the two others.
    done = weights.trim([10, 1, 2, 3], upper=4)
    # 4.5 is above it once more, its surplus 0.5 goes to the last.  What was cut stays there.
    assert done.values.tolist() == [4, 4, 4, 4]
    assert weights.trim([10, 1, 2, 3], upper=5).values.tolist() == pytest.approx(
        [5, 1 + 5 / 3, 2 + 5 / 3, 3 + 5 / 3]
    )
    assert done.report.cut == 3
    assert done.report.given_up == pytest.approx(6 / 16)
    proportional = weights.trim([10, 1, 2, 3], upper=8, method='proportional')
    np.testing.assert_allclose(proportional.values, [8, 1 + 1 / 3, 2 + 2 / 3, 4])
    with pytest.raises(InfeasibleBounds, match=r'cannot add up to 16\. Widen'):
        weights.trim([10, 1, 2, 3], upper=3)


def test_weights_inside_the_limits_are_left_alone() -> None:
    assert weights.trim([1, 2, 3], upper=5).values.tolist() == [1, 2, 3]


def test_raking_with_trimming_meets_margins_and_limit() -> None:
    margins = {name: apiclus1[name] for name in ('stype', 'sch.wide')}
    people = {**LEVELS, 'sch.wide': {'No': 1072, 'Yes': 5122}}
    spread = CLUS1.weights * np.random.default_rng(1).lognormal(0, 0.5, 183)
    raked = weights.rake(spread, margins, people)
    limit = float(np.quantile(raked.values, 0.97))
    done = weights.rake_and_trim(spread, margins, people, upper=limit)
    assert done.values.max() <= limit * (1 + 1e-6)
    assert max(done.report.misfit.values()) <= 1e-6
    assert done.report.cut >= 5
    assert done.report.kish < raked.report.kish == done.report.kish_untrimmed
    with pytest.raises(NotConverged, match='limit'):
        weights.rake_and_trim(spread, margins, people, upper=34.5, rounds=3)
