"""Regression, t-test and Rao–Scott test against R survey 4.1-1."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, difference, mean, replicates, weights
from analysis.association import rao_scott
from analysis.errors import BadColumn, BadOption, ConstantColumn, NotConverged
from analysis.regression import linear, logistic, t_test
from tests.analysis.apidata import agrees, apiclus1, apiclus2, apistrat

STRAT = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
CLUS1 = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
CLUS2 = Design(
    apiclus2['pw'],
    psu=apiclus2['dnum'],
    ssu=apiclus2['snum'],
    population=(apiclus2['fpc1'], apiclus2['fpc2']),
)
STEP = weights.post_stratify(
    CLUS1.weights, apiclus1['stype'], {'E': 4421, 'H': 755, 'M': 1018}
).step


def test_linear_regression() -> None:
    # svyglm(api00 ~ ell + meals + mobility, STRAT)
    rows = linear(
        STRAT, apistrat['api00'], {name: apistrat[name] for name in ('ell', 'meals', 'mobility')}
    )
    agrees(
        rows,
        est=[820.887315905623154, -0.480586612171951, -3.141535309984561, 0.225713210229637],
        se=[10.077735949885394, 0.391973403222528, 0.283946506416502, 0.393218362022529],
        df=[194] * 4,
    )
    assert rows.covariance[0, 1] == pytest.approx(0.5237019957835444, rel=1e-8)


def test_text_becomes_indicators_and_two_stages_count() -> None:
    # svyglm(api00 ~ ell + stype, CLUS2)
    rows = linear(CLUS2, apiclus2['api00'], {'ell': apiclus2['ell'], 'stype': apiclus2['stype']})
    agrees(
        rows,
        est=[822.79894541406077, -4.80148177593958, -124.18118590666323, -61.02449068289165],
        se=[23.072749354799910, 0.418781877330051, 22.053629154177290, 17.801358483181019],
    )
    assert [row.label for row in rows] == ['constant', 'ell', 'stype=H', 'stype=M']


def test_logistic_regression() -> None:
    # svyglm(I(sch.wide == "Yes") ~ ell + meals + mobility, STRAT, family = quasibinomial())
    rows = logistic(
        STRAT,
        apistrat['sch.wide'] == 'Yes',
        {name: apistrat[name] for name in ('ell', 'meals', 'mobility')},
    )
    agrees(
        rows,
        est=[0.83583652484548732, -0.00248963574926207, -0.00315236511228994, 0.06089677872752777],
        se=[0.45562087836015641, 0.01325251021939058, 0.00919945360883833, 0.03193457693653938],
    )


def test_regression_after_calibration_and_on_replicates() -> None:
    x = {name: apiclus1[name] for name in ('ell', 'meals')}
    # svyglm(api00 ~ ell + meals, postStratify(CLUS1, ~stype, …))
    agrees(
        linear(CLUS1.calibrated(STEP), apiclus1['api00'], x),
        est=[808.90531325860866, -0.42345143675933, -3.13332460445148],
        se=[19.638215620182169, 0.301676353781228, 0.332436938999854],
    )
    # svyglm(api00 ~ ell + meals, as.svrepdesign(CLUS1, type="JK1"))
    agrees(
        linear(replicates.jackknife(CLUS1), apiclus1['api00'], x),
        est=[817.18228850907838, -0.50879668341646, -3.14558922533067],
        se=[19.887003453056515, 0.345391580740438, 0.323216067408624],
    )


def test_two_groups_compared() -> None:
    # svyttest(api00 ~ comp.imp, CLUS2)
    found = t_test(CLUS2, apiclus2['api00'], apiclus2['comp.imp'])
    assert found.statistic == pytest.approx(3.99784968036944, rel=1e-8)
    assert found.p_value == pytest.approx(2.84197911818431e-04, rel=1e-8)
    assert (found.df2, found.estimate) == (38, pytest.approx(148.845999502192))
    rows = mean(CLUS2, apiclus2['api00'], by=apiclus2['comp.imp'])
    assert difference(rows, 'Yes', 'No').est == pytest.approx(found.estimate)
    with pytest.raises(BadOption, match='there are 3'):
        t_test(CLUS2, apiclus2['api00'], apiclus2['stype'])


def test_one_mean_against_a_value_and_two_answers_of_the_same_persons() -> None:
    # svyttest(I(api00 - api99) ~ 0, CLUS2), I(api00 - 650) ~ 0, subset(stype == "E") (`ttests.R`);
    # R has 38 degrees of freedom: one off for a single mean.
    pair = t_test(CLUS2, apiclus2['api00'], pair=apiclus2['api99'])
    assert (pair.statistic, pair.estimate) == pytest.approx((9.07035886586206, 25.7778597785978))
    assert (pair.df2, pair.method) == (39, 'paired t-test')
    one = t_test(CLUS2, apiclus2['api00'], value=650)
    assert (one.statistic, one.estimate) == pytest.approx((0.691444539304197, 20.8118081180812))
    assert (one.df2, one.method) == (39, 'one-sample t-test')
    domain = t_test(
        CLUS2, apiclus2['api00'], pair=apiclus2['api99'], where=apiclus2['stype'] == 'E'
    )
    assert domain.statistic == pytest.approx(10.9490703468378)
    again = t_test(replicates.jackknife(CLUS1), apiclus1['api00'], value=650)
    assert again.statistic == pytest.approx(
        (mean(CLUS1, apiclus1['api00']).est - 650) / 26.3293605895276, rel=1e-7
    )
    with pytest.raises(ConstantColumn, match='do not vary'):
        t_test(Design(np.ones(12)), np.ones(12), np.arange(12) % 2)
    with pytest.raises(BadOption, match='not both'):
        t_test(CLUS2, apiclus2['api00'], apiclus2['comp.imp'], pair=apiclus2['api99'])


@pytest.mark.parametrize(
    ('design', 'table', 'pair', 'expected'),
    [
        # svychisq(~sch.wide + stype, CLUS1): F, ndf, ddf, p
        (
            CLUS1,
            apiclus1,
            ('sch.wide', 'stype'),
            (5.1933695414748771, 1.4946397777074554, 20.9249568879043757, 0.0217474623707969),
        ),
        # svychisq(~sch.wide + stype, STRAT)
        (
            STRAT,
            apistrat,
            ('sch.wide', 'stype'),
            (17.2474439638888, 1.82867150416358, 360.248286320226, 2.03504635946512e-07),
        ),
        # svychisq(~comp.imp + stype, CLUS2)
        (
            CLUS2,
            apiclus2,
            ('comp.imp', 'stype'),
            (6.62306523059189, 1.33471929760717, 52.0540526066795, 0.00751373437143275),
        ),
        # svychisq(~sch.wide + comp.imp, postStratify(CLUS1, ~stype, …))
        (
            CLUS1.calibrated(STEP),
            apiclus1,
            ('sch.wide', 'comp.imp'),
            (269.37776252162, 1.0, 14.0, 1.53838257981064e-10),
        ),
    ],
)
def test_rao_scott(
    design: Design, table: dict[str, np.ndarray], pair: tuple[str, str], expected: tuple[float, ...]
) -> None:
    found = rao_scott(design, table[pair[0]], table[pair[1]])
    assert (found.statistic, found.df1, found.df2, found.p_value) == pytest.approx(
        expected, rel=1e-8
    )


def test_faults_of_regressions_name_the_term() -> None:
    design = Design(np.ones(6))
    x = np.arange(6.0)
    with pytest.raises(ConstantColumn, match='a, b say the same thing'):
        linear(design, x, {'a': x, 'b': 2 * x})
    with pytest.raises(ConstantColumn, match='constant, a say the same'):
        linear(design, x, {'a': np.full(6, 3.0)})
    with pytest.raises(ConstantColumn, match='a is zero in every row'):
        linear(design, x, {'a': np.zeros(6)})
    with pytest.raises(BadColumn, match='answers of 0 and 1'):
        logistic(design, x, {'a': x})
    with pytest.raises(NotConverged, match='predicts the answer perfectly'):
        logistic(design, x > 2, {'a': x - 2.5})
    with pytest.raises(ConstantColumn, match='same answer in rows'):
        rao_scott(design, ['a'] * 6, ['x', 'y'] * 3)


def test_missing_terms_are_a_domain() -> None:
    x = apistrat['acs.core']
    rows = linear(STRAT, apistrat['api00'], {'acs': x})
    assert rows[0].n == int(np.isfinite(x).sum())
    assert rows[0].missing == int(np.isnan(x).sum())
    # Only the domain's own missing answers are told.
    y = np.r_[[np.nan] * 4, np.arange(8.0)]
    domain = linear(Design(np.ones(12)), y, {'x': np.arange(12.0) ** 2}, where=np.arange(12) >= 4)
    assert (domain[0].n, domain[0].missing) == (8, 0)


class Categorical:
    """Enough of a categorical column of a data frame: integer codes that are names."""

    def __init__(self, values: list[int]) -> None:
        self.categories = sorted(set(values))
        self.codes = [self.categories.index(value) for value in values]

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return np.array([self.categories[code] for code in self.codes])


def test_categories_with_numbers_for_names_are_categories() -> None:
    y, kinds = np.array([1.0, 2, 4, 5, 9, 8]), [1, 1, 2, 2, 7, 7]
    by_type = linear(Design(np.ones(6)), y, {'kind': Categorical(kinds)})
    by_name = linear(Design(np.ones(6)), y, {'kind': [f'k{kind}' for kind in kinds]})
    assert [row.label for row in by_type] == ['constant', 'kind=2', 'kind=7']
    agrees(by_type, est=[row.est for row in by_name], se=[row.se for row in by_name])


def test_infinite_values_are_named_and_not_taken_as_missing() -> None:
    design = Design(np.ones(6))
    x = np.array([np.inf, 1, 2, 3, 4, 5])
    with pytest.raises(BadColumn, match='x is infinite in row 1'):
        linear(design, np.arange(6.0), {'x': x})
    with pytest.raises(BadColumn, match='y is infinite in row 1'):
        linear(design, x, {'x': np.arange(6.0)})
    with pytest.raises(BadOption, match='x must be a mapping from names to columns'):
        linear(design, x, np.arange(6.0))  # type: ignore[arg-type]


def test_tables_without_sampling_variance_cannot_be_tested() -> None:
    town = np.repeat([1, 2, 3], 4)
    census = Design(np.ones(12), strata=town, population=4)
    with pytest.raises(ConstantColumn, match='Every unit was observed'):
        rao_scott(census, np.arange(12) % 2, np.repeat([1, 2, 1], 4))
    with pytest.raises(ConstantColumn, match='decides the other'):
        rao_scott(Design(np.ones(12), strata=town), town, town)


def test_a_group_that_all_answer_alike_has_no_finite_coefficient_and_is_no_constant_column() -> (
    None
):
    """The information runs out on the way to infinity; at the start the terms are not dependent."""
    x = np.array([3.1, 2.2, 9.1, 4.4, 5.0, 7.3, 1.2, 8.8, 2.9, 6.1, 5.5, 3.7])
    yes = np.array([1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0.0])
    group = np.repeat(['a', 'b', 'c'], 4)
    with pytest.raises(NotConverged, match='predicts the answer perfectly'):
        logistic(Design(np.ones(12)), yes, {'x': x, 'group': group})
    with pytest.raises(ConstantColumn, match='say the same thing'):
        logistic(Design(np.ones(12)), yes, {'x': x, 'twice': 2 * x})
