"""Replicate designs against R survey 4.1-1 and against the linearised variance."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, difference, mean, proportion, ratio, replicates, total, weights
from analysis.errors import AnalysisError, BadColumn, BadOption, NotConverged, TooLarge
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
    dropped = replicates.jackknife(CLUS2, drop_fpc=True)
    agrees([mean(dropped, apiclus2['api00'])], se=[33.9924607620135])


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


# R's 12 half samples of 9 strata (`replicates.R`): 1 where the second village counts.
HALVES = [
    '000000000',
    '110111000',
    '101110001',
    '011100010',
    '111000101',
    '110001011',
    '100010110',
    '000101101',
    '001011011',
    '010110111',
    '101101110',
    '011011100',
]


def pairs_of_villages() -> dict[str, np.ndarray]:
    """The sample of replicates.R: 9 strata of two villages with 3 to 6 persons."""
    cells = [(h, i, k) for h in range(9) for i in range(2) for k in range(3 + (h + 2 * i) % 4)]
    h, i, k = np.array(cells).T
    w = 1 + (7 * h + 5 * i + 3 * k) % 11 / 4
    halves = np.array([[int(bit) for bit in half] for half in HALVES])[:, h].T
    return {
        'h': h,
        'village': 10 * h + i,
        'w': w,
        'y': (37 * h + 61 * i + 17 * k + 11 * i * k) % 50 + h / 10,
        's': 1.0 + (3 * h + i + 2 * k) % 5,
        'g': (i + k) % 2,
        'brr': w[:, None] * 2 * (halves == i[:, None]),
    }


@pytest.mark.parametrize(
    ('kind', 'se'),
    [
        # svrepdesign(repweights=W, type="ACS"), "successive-difference", "JK2", "bootstrap"
        ('ACS', 1.600617939037524),
        ('successive-difference', 1.600617939037524),
        ('JK2', 2.772351593919175),
        ('bootstrap', 0.8358954567248765),
    ],
)
def test_kinds_of_given_replicates_have_the_scale_and_df_of_r(kind: str, se: float) -> None:
    d = pairs_of_villages()
    design = replicates.given(d['w'], d['brr'], kind=kind)
    # 12 half samples of 9 strata: degf() is 9, their rank less 1
    agrees([mean(design, d['y'])], est=[25.504475524475527], se=[se], df=[9])


def test_bootstrap_replicates_of_six_villages_have_five_degrees_of_freedom() -> None:
    village = np.repeat(np.arange(6), 10)
    design = Design(np.ones(60), psu=village)
    own = replicates.bootstrap(design, 300, seed=1)
    columns = {f'r{r}': own.row_weights(r) for r in range(300)}
    handed = replicates.given(design.weights, columns, kind='bootstrap')
    y = np.random.default_rng(0).normal(size=6)[village]
    # degf(svrepdesign(…)) is 5 in R too
    assert mean(handed, y).df == mean(own, y).df == 5
    assert mean(handed, y).uci == pytest.approx(mean(own, y).uci)
    assert mean(replicates.given(design.weights, columns, kind='bootstrap', df=12), y).df == 12


@pytest.mark.parametrize(
    ('table', 'options', 'words'),
    [
        ([[1, 2]] * 3, {'kind': 'Fay', 'fay': 1}, 'fay must lie from 0 to below 1'),
        ([[1, 2]] * 3, {'scale': -1}, 'scale must be above 0'),
        ([[1, 2]] * 3, {'scale': np.nan}, 'scale must be a number; it is nan'),
        ([[1, 2]] * 3, {'scale': 1, 'rscales': [np.nan, 1]}, 'rscales must be finite'),
        ([[1, 2]] * 3, {'scale': 1, 'rscales': [-1, 1]}, 'rscales must be finite, not negative'),
        ([[1, -2]] * 3, {'kind': 'BRR'}, 'replicate 2 add up to 0 or less'),
        ([[1, 0]] * 3, {'kind': 'BRR'}, 'replicate 2 add up to 0 or less'),
        ([['a', 'b']] * 3, {'kind': 'BRR'}, 'a table of numbers'),
        ([[1]] * 3, {'kind': 'BRR'}, 'number of replicates must be a whole number from 2'),
        ({'a': [1, 2, 3], 'b': [1, 2, 'x']}, {'kind': 'BRR'}, "b must be numeric; found 'x'"),
        ({}, {'kind': 'BRR'}, 'number of replicates'),
        ([[1, 2]] * 3, {'kind': 'brr'}, "Unknown kind of replicates 'brr'"),
    ],
)
def test_replicates_that_would_give_a_wrong_error_are_refused(
    table: object, options: dict[str, object], words: str
) -> None:
    with pytest.raises(AnalysisError, match=words):
        replicates.given(np.ones(3), table, **options)  # type: ignore[arg-type]


def test_a_negative_replicate_weight_is_accepted_where_the_replicate_has_people() -> None:
    # Calibration makes some; the files of national offices have them.
    design = replicates.given(np.ones(3), [[1, 2], [2, 2], [-0.5, 1]], kind='BRR')
    assert mean(design, [1, 2, 3]).se > 0


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


def test_a_village_alone_by_design_still_varies_below() -> None:
    # Town c is one village, taken whole (N = n = 1); its 6 of 30 households carry its variance.
    town, village = np.repeat(['c', 'a', 'a', 'a'], 6), np.repeat([0, 1, 2, 3], 6)
    design = Design(
        strata=town,
        psu=village,
        ssu=np.arange(24),
        population=(np.where(town == 'c', 1.0, 9.0), np.full(24, 30.0)),
    )
    y = np.random.default_rng(5).normal(0, 5, 24)
    linear = total(design, y, where=town == 'c').se
    preston = total(replicates.bootstrap(design, 4000, seed=1), y, where=town == 'c').se
    assert linear == pytest.approx(48.09031829776655)
    assert preston == pytest.approx(linear, rel=0.04)
    whole = total(replicates.bootstrap(design, 4000, seed=2), y).se
    assert whole == pytest.approx(total(design, y).se, rel=0.05)
    with pytest.raises(BadOption, match='later stages of this design add to the variance'):
        replicates.jackknife(design)
    assert total(replicates.jackknife(design, drop_fpc=True), y, where=town == 'c').se < 1e-9


def test_balanced_replicates_do_not_drop_a_correction_unasked() -> None:
    town = np.repeat(np.arange(10), 2)
    design = Design(np.full(20, 1.2), strata=town, population=2.4)
    with pytest.raises(BadOption, match='know no population correction'):
        replicates.balanced(design)
    dropped = total(replicates.balanced(design, drop_fpc=True), np.arange(20.0)).se
    free = Design(np.full(20, 1.2), strata=town)
    assert dropped == pytest.approx(total(free, np.arange(20.0)).se)


def test_the_jackknife_of_many_persons_needs_no_table_of_persons_by_persons() -> None:
    random = np.random.default_rng(2)
    n = 60_000
    design = Design(random.uniform(1, 3, n), strata=np.arange(n) % 5)
    y, group = random.normal(50, 9, n), random.integers(0, 4, n)
    again = replicates.jackknife(design)
    assert total(again, y).se == pytest.approx(total(design, y).se, rel=1e-9)
    ours, linear = mean(again, y, by=group), mean(design, y, by=group)
    np.testing.assert_allclose(ours.covariance, linear.covariance, rtol=1e-3, atol=1e-6)
    step = weights.post_stratify(design.weights, group, dict.fromkeys(range(4), 30_000)).step
    with pytest.raises(TooLarge, match='60,000 replicates of 60,000 rows'):
        again.calibrated(step)


def test_every_jackknife_replicate_is_the_sample_without_one_village() -> None:
    for design in (STRAT, CLUS1, replicates.jackknife(CLUS2, drop_fpc=True).design):
        again = replicates.jackknife(design, drop_fpc=True)
        columns = np.stack([again.row_weights(r) for r in range(again.count)], axis=1)
        by_sums = again.factors.totals(  # type: ignore[union-attr]
            np.bincount(
                np.arange(design.n) if design.row_unit is None else design.row_unit,
                design.weights,
            )[:, None]
        )
        np.testing.assert_allclose(columns.sum(axis=0), by_sums[:, 0], rtol=1e-12)
        psu = design.psu.codes
        for r in (0, again.count - 1):
            assert (columns[psu == r, r] == 0).all()
            assert (columns[psu != r, r] > 0).all()


def test_a_census_has_no_error_by_the_jackknife_either() -> None:
    design = Design(strata=[1, 1, 1, 2, 2, 2], population={'1': 3, '2': 3})
    assert total(replicates.jackknife(design), range(6)).se == 0


def test_a_replicate_design_says_what_it_is() -> None:
    assert repr(replicates.jackknife(CLUS1)).startswith('ReplicateDesign(JK1, 15 replicates of De')
    with pytest.raises(BadOption, match=r'replicates must be a whole number; it is 10\.5'):
        replicates.bootstrap(CLUS1, 10.5, seed=1)  # type: ignore[arg-type]
    same = replicates.bootstrap(CLUS1, np.int64(10), seed=np.int64(3))  # type: ignore[arg-type]
    assert mean(same, apiclus1['api00']) == mean(
        replicates.bootstrap(CLUS1, 10, seed=3), apiclus1['api00']
    )


@pytest.mark.parametrize('kind', ['post_stratify', 'rake', 'nonresponse'])
def test_a_replicate_that_loses_a_level_is_named_and_not_counted_as_error(kind: str) -> None:
    """Only the third village has people of the group c: a replicate without it has none."""
    village = np.repeat(np.arange(5), 4)
    group = np.array(['a', 'b'] * 10)
    group[village == 2] = 'c'
    design = Design(np.full(20, 5.0), psu=village)
    people = {'a': 40, 'b': 40, 'c': 20}
    steps = {
        'post_stratify': lambda: weights.post_stratify(design.weights, group, people),
        'rake': lambda: weights.rake(design.weights, {'group': group}, {'group': people}),
        # of the two villages of the class c only one answered
        'nonresponse': lambda: weights.nonresponse(
            design.weights,
            village != 3,
            classes=np.where((village == 2) | (village == 3), 'c', 'a'),
        ),
    }
    step = steps[kind]().step
    with pytest.raises(NotConverged, match=r'replicate 3.*c'):
        mean(replicates.jackknife(design).calibrated(step), np.arange(20.0))
