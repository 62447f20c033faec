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
