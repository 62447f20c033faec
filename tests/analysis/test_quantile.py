"""Quantiles by every named rule against R survey 4.1-1."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, calibration, difference, replicates
from analysis.errors import BadColumn, BadOption, BadWeights
from analysis.quantile import quantile
from tests.analysis.apidata import agrees, apiclus1, apiclus2, apistrat
from tests.analysis.test_replicates import pairs_of_villages

STRAT = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
CLUS1 = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
CLUS2 = Design(
    apiclus2['pw'],
    psu=apiclus2['dnum'],
    ssu=apiclus2['snum'],
    population=(apiclus2['fpc1'], apiclus2['fpc2']),
)


# svyquantile(~api00, CLUS1, c(.25, .5, .9), qrule=…): values with limits, then standard errors;
# svyquantile(~meals, STRAT, c(.25, .5, .9), qrule=…): values with limits
@pytest.mark.parametrize(
    ('rule', 'api00', 'se', 'meals'),
    [
        (
            'math',
            [552, 492, 627, 652, 561, 714, 781, 745, 836],
            [31.4716612053995, 35.6678826994527, 21.2142308866026],
            [24, 20, 33, 45, 39, 54, 95, 85, 98],
        ),
        (
            'school',
            [552, 492, 627, 652, 561, 714, 781, 745, 836],
            [31.4716612053995, 35.6678826994527, 21.2142308866026],
            [24, 20, 33, 45, 39, 54, 95, 85, 98],
        ),
        (
            'hf1',
            [552, 492, 627, 652, 561, 714, 781, 745, 836],
            [31.4716612053995, 35.6678826994527, 21.2142308866026],
            [24, 20, 33, 45, 39, 54, 95, 85, 98],
        ),
        (
            'hf2',
            [552, 492, 627, 652, 561, 714, 781, 745, 836],
            [31.4716612053995, 35.6678826994527, 21.2142308866026],
            [24, 20, 33, 45, 39, 54, 95, 85, 98],
        ),
        (
            'hf3',
            [552, 492, 627, 652, 561, 714, 781, 745, 836],
            [31.4716612053995, 35.6678826994527, 21.2142308866026],
            [24, 20, 33, 45, 39, 54, 95, 85, 98],
        ),
        (
            'hf4',
            [
                551.750000000000,
                489.264550262373,
                625.490299825085,
                652.000000000000,
                559.094594168277,
                714.000000000000,
                780.700000000000,
                739.168521332301,
                834.265182934159,
            ],
            [31.7574121310315, 36.1120774164511, 22.1692586348017],
            [
                24.0000000000000,
                20.0000000000000,
                32.1585242659644,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                93.2664552720912,
                82.8930284803027,
                98.0000000000000,
            ],
        ),
        (
            'hf5',
            [
                552.250000000000,
                491.788275682004,
                627.211724317996,
                652.000000000000,
                560.094594168277,
                714.452702915862,
                781.800000000000,
                745.120517695261,
                835.517929218955,
            ],
            [31.5703769980647, 35.9844896504459, 21.0737534023612],
            [
                24.0000000000000,
                20.0000000000000,
                32.5323945497774,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                94.2664552720912,
                83.0000000000000,
                98.0000000000000,
            ],
        ),
        (
            'hf6',
            [
                552.000000000000,
                491.366353691196,
                627.136378549241,
                652.000000000000,
                559.641559163732,
                714.684684899008,
                783.400000000000,
                745.443580633487,
                838.158188330227,
            ],
            [31.6511720309710, 36.1441831508650, 21.6139460905432],
            [
                24.0000000000000,
                20.0000000000000,
                32.2720683352837,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                93.8812483336046,
                83.0000000000000,
                98.0000000000000,
            ],
        ),
        (
            'hf7',
            [
                552.500000000000,
                492.210197672813,
                627.287070086750,
                652.000000000000,
                560.547629172822,
                714.220720932715,
                780.800000000000,
                740.112955641960,
                834.340236579328,
            ],
            [31.4895819651584, 35.8247961500268, 21.9665856441988],
            [
                24.0000000000000,
                20.0000000000000,
                33.0000000000000,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                94.6516622105779,
                83.0000000000000,
                98.0000000000000,
            ],
        ),
        (
            'hf8',
            [
                552.166666666667,
                491.647635018402,
                627.186609061744,
                652.000000000000,
                559.943582500095,
                714.530030243577,
                782.333333333333,
                745.228205341336,
                836.237325329031,
            ],
            [31.5973086757001, 36.0377208172523, 21.2163569692908],
            [
                24.0000000000000,
                20.0000000000000,
                32.4265936504064,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                94.1380529592623,
                83.0000000000000,
                98.0000000000000,
            ],
        ),
        (
            'hf9',
            [
                552.187500000000,
                491.682795184302,
                627.192887875807,
                652.000000000000,
                559.981335417141,
                714.510698411648,
                782.200000000000,
                745.201283429818,
                835.998144969254,
            ],
            [31.5905757562913, 36.0244130255507, 21.1668745546867],
            [
                24.0000000000000,
                20.0000000000000,
                32.4508078924459,
                45.0000000000000,
                39.0000000000000,
                54.0000000000000,
                94.1701535374695,
                83.0000000000000,
                98.0000000000000,
            ],
        ),
    ],
)
def test_rules_as_in_r(rule: str, api00: list[float], se: list[float], meals: list[float]) -> None:
    rows = quantile(CLUS1, apiclus1['api00'], [0.25, 0.5, 0.9], rule=rule)
    figures = [value for row in rows for value in (row.est, row.lci, row.uci)]
    np.testing.assert_allclose(figures, api00, rtol=1e-8)
    agrees(rows, se=se)
    rows = quantile(STRAT, apistrat['meals'], [0.25, 0.5, 0.9], rule=rule)
    figures = [value for row in rows for value in (row.est, row.lci, row.uci)]
    np.testing.assert_allclose(figures, meals, rtol=1e-8)


@pytest.mark.parametrize(
    ('method', 'interval', 'se'),
    [
        # svyquantile(~api00, CLUS2, .5, interval.type="mean" | "beta" | "xlogit" | "asin")
        ('wald', [580, 766], 45.978354418237),
        ('korn-graubard', [580, 769], 46.7199407798214),
        ('logit', [580, 756], 43.5063998796221),
        ('arcsine', [580, 759], 44.2479862412066),
    ],
)
def test_intervals_as_in_r(method: str, interval: list[float], se: float) -> None:
    rows = quantile(CLUS2, apiclus2['api00'], method=method)
    agrees(rows, est=[653], interval=interval, se=[se])


def test_medians_by_group_and_where_r_skips_the_smallest_value() -> None:
    rows = quantile(CLUS1, apiclus1['api00'], by=apiclus1['stype'])
    # svyby(~api00, ~stype, CLUS1, svyquantile, quantiles=.5, ci=TRUE)
    assert rows['E'].se == pytest.approx(36.3672529484616, rel=1e-8)
    assert rows['M'].se == pytest.approx(43.6168320171695, rel=1e-8)
    # The lower limit of H is the value at 2.6 %: 443, the smallest of 14.  R 4.1 gives the second.
    assert rows['H'].lci == 443


def test_a_tie_at_the_median_is_where_the_rules_differ() -> None:
    design = Design(np.ones(4))
    for rule, value in (('math', 2), ('school', 2.5), ('hf3', 2), ('hf7', 2.5), ('hf4', 2)):
        assert quantile(design, [1, 2, 3, 4], rule=rule)[0].est == value


def test_groups_without_answers_and_wrong_options() -> None:
    rows = quantile(Design(np.ones(4)), [1, 2, np.nan, np.nan], by=['A', 'A', 'B', 'B'])
    assert rows['B'].n == 0
    assert np.isnan(rows['B'].est)
    with pytest.raises(BadOption, match='Unknown quantile rule'):
        quantile(CLUS1, apiclus1['api00'], rule='type7')
    with pytest.raises(BadOption, match='between 0 and 1, not 50'):
        quantile(CLUS1, apiclus1['api00'], 50)


# svyquantile(~y, R, c(.25, .5, .9), ci=TRUE); …, c(.25, .9), qrule="hf7"; ~s, c(.3, .5), "school";
# subset(R, g == 1), .5: value, limits, standard error in turn (`replicates.R`)
@pytest.mark.parametrize(
    ('kind', 'math', 'hf7'),
    [
        (
            'BRR',
            [
                *(12.3, 11.3, 15.4, 0.9062146670058173),
                *(26.1, 22.6, 30.5, 1.7461209437429162),
                *(44.7, 41.2, 48.4, 1.5914013664492395),
            ],
            [
                *(12.46875, 11.369344714248435, 15.4, 0.890887545754291),
                *(43.725, 40.866141447713446, 46.803954005083853, 1.312422641322045),
            ],
        ),
        (
            'Fay',
            [
                *(12.3, 11.3, 15.4, 0.9062146670058173),
                *(26.1, 22.6, 30.5, 1.7461209437429162),
                *(44.7, 41.2, 48.4, 1.5914013664492395),
            ],
            [
                *(12.46875, 11.3828376077017737, 15.4, 0.8879052389377635),
                *(43.725, 40.8711888808047519, 46.7972027529017396, 1.3098148018961528),
            ],
        ),
        (
            'JKn',
            [
                *(12.3, 11.3, 15.4, 0.9062146670058173),
                *(26.1, 22.6, 30.5, 1.7461209437429162),
                *(44.7, 41.2, 48.7, 1.6577097567179588),
            ],
            [
                *(12.46875, 11.4074858510508328, 15.4, 0.8824572878063377),
                *(43.725, 40.8736556328700757, 46.7956330015874400, 1.3089226217580958),
            ],
        ),
    ],
)
def test_quantiles_of_replicate_designs(kind: str, math: list[float], hf7: list[float]) -> None:
    d = pairs_of_villages()
    if kind == 'JKn':
        design = replicates.jackknife(Design(d['w'], strata=d['h'], psu=d['village']))
    elif kind == 'Fay':
        softened = 0.3 * d['w'][:, None] + 0.7 * d['brr']
        design = replicates.given(d['w'], softened, kind='Fay', fay=0.3)
    else:
        design = replicates.given(d['w'], d['brr'], kind='BRR')

    def check(rows: object, expected: list[float]) -> None:
        for row, (est, low, high, se) in zip(rows, np.reshape(expected, (-1, 4)), strict=True):  # type: ignore[call-overload]
            agrees([row], est=[est], interval=[low, high], se=[se], df=[9])

    check(quantile(design, d['y'], [0.25, 0.5, 0.9]), math)
    check(quantile(design, d['y'], (0.25, 0.9), rule='hf7'), hf7)
    scores = [2, 2, 3, 0.2210279675623945, 3, 3, 4, 0.2210279675623945]
    check(quantile(design, d['s'], [0.3, 0.5], rule='school'), scores)
    domain = quantile(design, d['y'], where=d['g'] == 1)
    check(domain, [22.3, 19.8, 26.7, 1.525092976180522])


def test_a_median_in_the_top_category_is_known_exactly() -> None:
    # As R: the share at or below 5 is 1, and its interval lies wholly among the fives.
    row = quantile(Design(np.ones(100)), np.r_[np.ones(30), np.full(70, 5.0)])[0]
    assert (row.est, row.lci, row.uci, row.se) == (5, 5, 5, 0)
    assert row.method == 'math/korn-graubard'
    constant = quantile(Design(np.ones(12)), [3] * 12)[0]
    assert (constant.lci, constant.uci, constant.se) == (3, 3, 0)


def test_one_cut_side_of_an_interval_does_not_make_the_error_small() -> None:
    design = Design(np.ones(12))
    row = quantile(design, np.arange(12.0), 0.1)[0]
    # The Wald interval of the share 2/12 passes 0: R has no limit there and no error.
    assert row.lci == 0
    t = 2.2009851600916384
    assert row.se == pytest.approx((row.uci - row.est) / t)
    # Both sides cut: two answers say nothing.
    assert np.isnan(quantile(Design(np.ones(2)), [1.0, 2.0])[0].se)


def test_missing_answers_of_a_quantile_are_counted_by_group() -> None:
    rows = quantile(Design(np.ones(12)), [np.nan] * 4 + list(range(8)), by=['A'] * 6 + ['B'] * 6)
    assert [(row.n, row.missing) for row in rows] == [(2, 4), (6, 0)]


def test_medians_of_groups_and_waves_can_be_compared() -> None:
    d = pairs_of_villages()
    design = Design(d['w'], strata=d['h'], psu=d['village'])
    rows = quantile(design, d['y'], by=d['g'])
    apart = difference(rows, '1', '0')
    assert apart.est == rows['1'].est - rows['0'].est
    assert apart.se**2 == pytest.approx(
        rows['1'].se ** 2 + rows['0'].se ** 2 - 2 * rows.covariance[0, 1]
    )
    # Two waves with the same villages and the same answers leave a change without error.
    twice = Design(np.tile(d['w'], 2), strata=np.tile(d['h'], 2), psu=np.tile(d['village'], 2))
    change = quantile(twice, np.tile(d['y'], 2), by=np.repeat([1, 2], len(d['w'])))
    assert difference(change, '1', '2').se == pytest.approx(0, abs=1e-6)
    two = quantile(Design(np.ones(4)), [1.0, 2, 3, 4], by=['a', 'a', 'b', 'b'])
    with pytest.raises(BadOption, match='no standard error of a, b'):
        difference(two, 'a', 'b')


def test_the_error_of_a_difference_of_medians_is_about_its_spread() -> None:
    random = np.random.default_rng(12)
    found, claimed = [], []
    village = np.repeat(np.arange(40), 10)
    group = np.tile([0, 1], 200)
    for _ in range(200):
        y = random.normal(0, 1, 40)[village] + random.normal(0, 1, 400) + group
        rows = quantile(Design(np.ones(400), psu=village), y, by=group)
        row = difference(rows, '1', '0')
        found.append(row.est)
        claimed.append(row.se)
    assert np.mean(claimed) == pytest.approx(np.std(found), rel=0.15)


def test_values_and_weights_that_have_no_quantile_are_refused() -> None:
    with pytest.raises(BadColumn, match='infinite in row 1'):
        quantile(Design(np.ones(3)), [np.inf, 1, 2])
    with pytest.raises(BadOption, match=r"p must be a number or a list of numbers; it is '0\.5'"):
        quantile(Design(np.ones(3)), [1, 2, 3], '0.5')  # type: ignore[arg-type]
    x = np.random.default_rng(0).gamma(1, 10, 40)
    far = calibration.calibrate(
        np.full(40, 10.0), x={'one': np.ones(40), 'x': x}, totals={'one': 400, 'x': 400 * 27}
    )
    with pytest.raises(BadWeights, match='negative'):
        quantile(Design(np.full(40, 10.0)).calibrated(far.step), x)
