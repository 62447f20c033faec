"""Replicate designs against R survey 4.1-1 and against the linearised variance."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, difference, mean, proportion, ratio, replicates, total, weights
from analysis.errors import BadColumn, BadOption, NotConverged
from tests.analysis.apidata import agrees, apiclus1, apiclus2, apistrat

STRAT = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
CLUS1 = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
CLUS2 = Design(
    apiclus2['pw'],
    psu=apiclus2['dnum'],
    ssu=apiclus2['snum'],
    population=(apiclus2['fpc1'], apiclus2['fpc2']),
)
STYPE = {'E': 4421, 'H': 755, 'M': 1018}
WIDE = {'No': 1072, 'Yes': 5122}
# The example of svrepdesign in R: survival of cardiac arrests, two ambulances in each area.
AREA, ALIVE = [1, 1, 2, 2, 3, 3], [25, 24, 30, 49, 80, 70]
ARRESTS = [120, 78, 185, 228, 670, 530]


def test_jackknife_of_strata_with_population_correction() -> None:
    # J <- as.svrepdesign(STRAT, type="JKn")
    design = replicates.jackknife(STRAT)
    # svymean(~api00, J)
    agrees([mean(design, apistrat['api00'])], est=[662.287363159321], se=[9.40894080278461])
    # svyratio(~api.stu, ~enroll, J)
    share = ratio(design, apistrat['api.stu'], apistrat['enroll'])
    agrees([share], est=[0.836956886940522], se=[0.00777250903998768])
    # svyby(~api00, ~sch.wide, J, svymean)
    rows = mean(design, apistrat['api00'], by=apistrat['sch.wide'])
    agrees(rows, se=[19.1798119085244, 10.5290026063899])
    # J <- as.svrepdesign(STRAT, type="JKn", mse=TRUE)
    rows = mean(replicates.jackknife(STRAT, mse=True), apistrat['api00'], by=apistrat['sch.wide'])
    agrees(rows, se=[19.1798252159803, 10.5290026067140])


def test_jackknife_of_villages_and_of_a_second_stage() -> None:
    # J <- as.svrepdesign(CLUS1, type="JK1"); svymean(~api00, J)
    agrees([mean(replicates.jackknife(CLUS1), apiclus1['api00'])], se=[26.3293605895276])
    # as.svrepdesign(CLUS1, type="JK1", mse=TRUE)
    design = replicates.jackknife(CLUS1, mse=True)
    agrees([mean(design, apiclus1['api00'])], se=[26.3348576684592])
    # svymean(~api00, as.svrepdesign(CLUS2, type="JK1"))
    agrees([mean(replicates.jackknife(CLUS2), apiclus2['api00'])], se=[33.9924607620135])


def test_replicates_are_adjusted_one_by_one() -> None:
    design = replicates.jackknife(CLUS1)
    # P <- postStratify(J, ~stype, …)
    post = design.calibrated(weights.post_stratify(CLUS1.weights, apiclus1['stype'], STYPE).step)
    agrees([mean(post, apiclus1['api00'])], est=[642.310788211582], se=[26.934535367426])
    agrees([total(post, apiclus1['enroll'])], est=[3680892.94511905], se=[473431.356779779])
    # R <- rake(J, list(~stype, ~sch.wide), …, control=list(maxit=100, epsilon=1e-9))
    margins = {'stype': apiclus1['stype'], 'sch.wide': apiclus1['sch.wide']}
    raking = weights.rake(CLUS1.weights, margins, {'stype': STYPE, 'sch.wide': WIDE})
    raked = design.calibrated(raking.step)
    agrees([mean(raked, apiclus1['api00'])], est=[641.230320926572], se=[26.8739803822815])
    known = total(raked, by=apiclus1['stype'])
    assert max(row.se for row in known) < 1e-3


def test_jackknife_equals_linearisation_for_totals() -> None:
    for design, column in ((STRAT, apistrat['enroll']), (CLUS1, apiclus1['enroll'])):
        again = replicates.jackknife(design)
        agrees([total(again, column)], se=[total(design, column).se])


def test_balanced_replicates() -> None:
    design = Design(np.ones(6), strata=AREA, psu=range(6))
    # B <- as.svrepdesign(svydesign(…), type="BRR"); svytotal(~alive, B)
    brr = replicates.balanced(design)
    agrees([total(brr, ALIVE)], est=[278], se=[21.4941852602047])
    # svyratio(~alive, ~arrests, B)
    agrees([ratio(brr, ALIVE, ARRESTS)], est=[0.153506350082827], se=[0.00941840066991849])
    # as.svrepdesign(…, type="Fay", fay.rho=0.3)
    fay = replicates.balanced(design, fay=0.3)
    agrees([ratio(fay, ALIVE, ARRESTS)], se=[0.00952518747770524])
    # …, mse=TRUE
    fay = replicates.balanced(design, fay=0.3, mse=True)
    agrees([ratio(fay, ALIVE, ARRESTS)], se=[0.0095291891428917])
    with pytest.raises(BadOption, match='two PSUs in every stratum; not so in E, H, M'):
        replicates.balanced(STRAT)


def test_replicate_weights_that_came_with_the_data() -> None:
    table = 2 * np.array(
        [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]]
    )
    # svrepdesign(data=scd, type="BRR", repweights=…, combined.weights=FALSE)
    design = replicates.given(np.ones(6), table, kind='BRR', combined=False)
    agrees([ratio(design, ALIVE, ARRESTS)], se=[0.00941840066991849], df=[3])
    rows = mean(design, ALIVE, by=AREA)
    assert rows.covariance.shape == (3, 3)
    # The jackknife's own weights handed over as a file give the jackknife again.
    own = replicates.jackknife(CLUS1)
    columns = np.stack([own.row_weights(r) for r in range(own.count)], axis=1)
    handed = replicates.given(
        apiclus1['pw'], columns, kind='JK1', scale=14 / 15 * (1 - 15 / 757), df=14
    )
    for by in (None, apiclus1['stype']):
        first = mean(own, {'y': apiclus1['api00']}, by=by)
        second = mean(handed, {'y': apiclus1['api00']}, by=by)
        np.testing.assert_allclose(first.covariance, second.covariance, rtol=1e-10)


def test_given_replicates_are_checked() -> None:
    with pytest.raises(BadOption, match='need scale and rscales'):
        replicates.given(np.ones(3), np.ones((3, 4)), kind='JKn')
    with pytest.raises(BadColumn, match='table of 3 rows'):
        replicates.given(np.ones(3), np.ones((4, 3)))
    with pytest.raises(BadColumn, match='Replicate weight 2 is not a number in row 1'):
        replicates.given(np.ones(2), [[1, np.nan], [1, 1]], kind='JK1')
    with pytest.raises(BadOption, match='rscales has 3 entries for 2'):
        replicates.given(np.ones(2), np.ones((2, 2)), rscales=[1, 1, 1])


@pytest.mark.parametrize(
    ('design', 'column'),
    [(STRAT, apistrat['enroll']), (CLUS1, apiclus1['enroll']), (CLUS2, apiclus2['api00'])],
)
def test_the_bootstrap_of_a_total_comes_near_its_variance(design: Design, column: object) -> None:
    many = replicates.bootstrap(design, 4000, seed=11)
    assert total(many, column).se == pytest.approx(total(design, column).se, rel=0.05)


def test_the_seed_makes_the_bootstrap_repeatable() -> None:
    first = mean(replicates.bootstrap(CLUS1, 100, seed=5), apiclus1['api00'])
    again = mean(replicates.bootstrap(CLUS1, 100, seed=5), apiclus1['api00'])
    other = mean(replicates.bootstrap(CLUS1, 100, seed=6), apiclus1['api00'])
    assert first == again != other


def test_a_census_bootstrap_does_not_vary() -> None:
    design = Design(strata=[1, 1, 1, 2, 2, 2], population={'1': 3, '2': 3})
    assert total(replicates.bootstrap(design, 50, seed=1), range(6)).se < 1e-12


def test_intervals_and_contrasts_work_on_replicates() -> None:
    design = replicates.jackknife(STRAT)
    row = proportion(design, apistrat['sch.wide'], value='Yes')
    assert row.df == 197
    assert 0.77 < row.lci < row.uci < 0.88
    rows = mean(design, apistrat['api00'], by=apistrat['stype'])
    linear = mean(STRAT, apistrat['api00'], by=apistrat['stype'])
    assert difference(rows, 'E', 'H').se == pytest.approx(difference(linear, 'E', 'H').se)


def test_adjusting_before_replicating_is_refused() -> None:
    step = weights.post_stratify(CLUS1.weights, apiclus1['stype'], STYPE).step
    with pytest.raises(BadOption, match='before its weights were adjusted'):
        replicates.jackknife(CLUS1.calibrated(step))


def test_an_adjustment_that_fails_in_a_replicate_names_it() -> None:
    design = Design(np.ones(6), psu=[1, 1, 2, 2, 3, 3])
    margins = {'a': ['x', 'y', 'x', 'x', 'x', 'x'], 'b': ['p', 'p', 'q', 'q', 'q', 'p']}
    raking = weights.rake(np.ones(6), margins, {'a': {'x': 5, 'y': 1}, 'b': {'p': 3, 'q': 3}})
    with pytest.raises(NotConverged, match='fails in replicate 1'):
        replicates.jackknife(design).calibrated(raking.step)
