"""Outcome rates, items, balance, and model-based figures for small towns."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import Design, proportion, quality, smallarea
from analysis.errors import BadColumn, BadOption, BadWeights, EmptyDomain, UnknownLevel


def test_aapor_rates_by_hand() -> None:
    outcomes = ['I'] * 60 + ['P'] * 5 + ['R'] * 15 + ['NC'] * 10 + ['UH'] * 8 + ['NE'] * 10
    (rates,) = quality.outcome_rates(outcomes)
    assert rates.e == pytest.approx(90 / 100)
    assert rates.rr1 == pytest.approx(60 / 98)
    assert rates.rr2 == pytest.approx(65 / 98)
    assert rates.rr3 == pytest.approx(60 / (90 + 0.9 * 8))
    assert rates.rr4 == pytest.approx(65 / (90 + 0.9 * 8))
    assert rates.rr5 == pytest.approx(60 / 90)
    assert rates.rr6 == pytest.approx(65 / 90)
    assert rates.coop1 == rates.coop3 == pytest.approx(60 / 80)
    assert rates.ref1 == pytest.approx(15 / 98)
    assert rates.con1 == pytest.approx(80 / 98)


def test_all_variants_of_the_rates_by_hand() -> None:
    outcomes = ['I'] * 60 + ['P'] * 5 + ['R'] * 15 + ['NC'] * 7 + ['O'] * 3
    outcomes += ['UH'] * 6 + ['UO'] * 2 + ['NE'] * 10
    (rates,) = quality.outcome_rates(outcomes, e=0.5)
    assert (rates.coop1, rates.coop2) == (pytest.approx(60 / 83), pytest.approx(65 / 83))
    assert (rates.coop3, rates.coop4) == (pytest.approx(60 / 80), pytest.approx(65 / 80))
    assert (rates.ref1, rates.ref2, rates.ref3) == pytest.approx((15 / 98, 15 / 94, 15 / 90))
    assert (rates.con1, rates.con2, rates.con3) == pytest.approx((83 / 98, 83 / 94, 83 / 90))


def test_the_numbers_of_the_standard_definitions_are_understood() -> None:
    codes = ['1.1', '1.2', '2.11', '2.12', '2.20', '2.21', '2.36', '3.11', '3.21', '3.90', '4.10']
    letters = ['I', 'P', 'R', 'R', 'NC', 'NC', 'O', 'UH', 'UO', 'UO', 'NE']
    (numbered,), (lettered,) = quality.outcome_rates(codes), quality.outcome_rates(letters)
    assert numbered == lettered
    (as_floats,) = quality.outcome_rates([float(code) for code in codes])
    assert as_floats == lettered
    for unclear in ('1.0', '1', '2.0', '2.4', '5.1', '2.1x', 'i'):
        with pytest.raises(UnknownLevel, match=f'Unknown outcome {unclear}'):
            quality.outcome_rates(['1.1', unclear])


def test_no_case_is_left_out_of_the_rates_unnoticed() -> None:
    with pytest.raises(UnknownLevel, match=r'by is missing in 1 rows \(row 3\)'):
        quality.outcome_rates(['I', 'R', 'I'], by=['a', 'b', None])
    with pytest.raises(UnknownLevel, match='outcome is missing in row 2'):
        quality.outcome_rates(['I', '', 'I'])
    with pytest.raises(BadWeights, match='found -1 in row 1'):
        quality.outcome_rates(['I', 'R', 'I'], weights=[-1, 2, 3])
    with pytest.raises(BadOption, match='There are no outcomes'):
        quality.outcome_rates([])


def test_rates_by_town_and_weighted() -> None:
    rows = quality.outcome_rates(
        ['I', 'R', 'I', 'I'], by=['a', 'a', 'b', 'b'], weights=[3, 1, 1, 1], e=0.5
    )
    assert [(row.label, row.rr1) for row in rows] == [('a', 0.75), ('b', 1.0)]
    with pytest.raises(UnknownLevel, match='Unknown outcome X'):
        quality.outcome_rates(['I', 'X'])


def test_items_without_an_answer() -> None:
    assert quality.item_nonresponse({'a': ['x', '', None, 'y'], 'b': [1, 2, 3, np.nan]}) == {
        'a': 0.5,
        'b': 0.25,
    }


def test_cronbach_alpha_by_hand() -> None:
    # Variances 2/3, 2/3; of the sum 8/3 when both items are the same: α = 2·(1 − (4/3)/(8/3)) = 1
    assert quality.cronbach_alpha({'a': [1, 2, 3], 'b': [1, 2, 3]}) == pytest.approx(1)
    # Uncorrelated items have none.
    assert quality.cronbach_alpha({'a': [0, 0, 1, 1], 'b': [0, 1, 0, 1]}) == pytest.approx(0)
    weighted = quality.cronbach_alpha({'a': [1, 2, 3, 9], 'b': [1, 2, 4, 0]}, [1, 1, 1, 0])
    assert weighted == pytest.approx(quality.cronbach_alpha({'a': [1, 2, 3], 'b': [1, 2, 4]}))


def test_an_item_with_a_wrong_key_stands_out() -> None:
    random = np.random.default_rng(4)
    ability = random.normal(0, 1, 500)
    items = {
        f'k{j}': (ability + random.normal(0, 1, 500) > level).astype(float)
        for j, level in enumerate((-1, 0, 1))
    }
    items['wrong_key'] = 1 - items['k1']
    found = {item.name: item for item in quality.item_analysis(items)}
    assert found['k0'].difficulty > found['k1'].difficulty > found['k2'].difficulty
    assert found['wrong_key'].discrimination < 0


def test_the_tilt_of_an_open_link() -> None:
    rows = quality.balance({'sex': ['m'] * 65 + ['f'] * 35}, {'sex': {'f': 500, 'm': 500}})
    assert [row.asmd for row in rows] == pytest.approx([0.3, 0.3])
    assert 'No estimate of sampling error' in quality.NOT_TO_CLAIM


def test_faults_of_items_and_margins_are_named() -> None:
    with pytest.raises(BadColumn, match='weights has 1 rows where 2'):
        quality.item_nonresponse({'a': [1, 2]}, [1])
    with pytest.raises(BadColumn, match='b has 2 rows where 3'):
        quality.cronbach_alpha({'a': [1, 2, 3], 'b': [1, 2]})
    with pytest.raises(BadOption, match='There are no items'):
        quality.item_analysis({})
    with pytest.raises(UnknownLevel, match='say nothing about sex'):
        quality.balance({'sex': ['m', 'f']}, {})
    with pytest.raises(BadOption, match='not all 0'):
        quality.balance({'sex': ['m', 'f']}, {'sex': {'m': 0, 'f': 0}})
    with pytest.raises(EmptyDomain, match='sex: nobody has an answer'):
        quality.balance({'sex': [None, None]}, {'sex': {'m': 5, 'f': 5}})
    with pytest.raises(BadColumn, match='weights has 1 rows'):
        quality.balance({'sex': ['m', 'f']}, {'sex': {'m': 5, 'f': 5}}, [1])


# 12 areas: direct estimates, sampling variances, one covariate (made for this test).
DIRECT = [0.82, 0.79, 0.91, 0.70, 0.85, 0.77, 0.88, 0.81, 0.74, 0.90, 0.83, 0.69]
PSI = [0.002, 0.004, 0.003, 0.006, 0.002, 0.005, 0.001, 0.003, 0.004, 0.002, 0.003, 0.008]
X = [0.5, 0.3, 0.9, 0.1, 0.6, 0.2, 0.8, 0.4, 0.2, 0.9, 0.5, 0.1]


def test_the_restricted_likelihood_is_at_its_maximum() -> None:
    direct = np.array(DIRECT) + np.tile([0.1, -0.1], 6)
    model = smallarea.fay_herriot(direct, PSI, {'x': X})
    z = np.stack([np.ones(12), np.array(X)], axis=1)

    def likelihood(variance: float) -> float:
        total = variance + np.array(PSI)
        gram = (z / total[:, None]).T @ z
        beta = np.linalg.solve(gram, z.T @ (direct / total))
        rest = direct - z @ beta
        squares = float((rest**2 / total).sum())
        return -0.5 * (float(np.log(total).sum()) + float(np.linalg.slogdet(gram)[1]) + squares)

    grid = np.linspace(0.0, 0.05, 5001)
    best = grid[int(np.argmax([likelihood(v) for v in grid]))]
    assert model.variance == pytest.approx(best, abs=1e-5)
    assert model.variance > 0
    # Between the direct estimate and the regression, nearer to the better known.
    fitted = z @ model.beta
    inside = (model.eblup - direct) * (model.eblup - fitted) <= 1e-15
    assert inside.all()
    assert model.shrinkage[6] > model.shrinkage[11]


def test_no_variance_between_areas_means_the_regression() -> None:
    x = np.array(X)
    model = smallarea.fay_herriot(0.6 + 0.3 * x, PSI, {'x': X})
    assert model.variance == 0
    np.testing.assert_allclose(model.eblup, 0.6 + 0.3 * x, rtol=1e-12)


def test_small_towns_are_benchmarked_to_the_city_and_stay_in_0_to_1() -> None:
    random = np.random.default_rng(8)
    town = np.repeat(np.arange(18), 40)
    truth = np.clip(random.normal(0.88, 0.06, 18), 0.6, 0.99)
    yes = (random.random(720) < truth[town]).astype(float)
    people = {str(i): float(1000 * (i + 1)) for i in range(18)}
    weight = np.array([people[str(i)] for i in town]) / 40
    design = Design(weight, strata=town)
    rows, city = proportion(design, yes, by=town), proportion(design, yes)
    areas = smallarea.small_areas(rows, city, people)
    share = sum(people[a.label] * a.benchmarked for a in areas) / sum(people.values())
    assert share == pytest.approx(city.est, abs=1e-9)
    assert all(0 <= a.lci <= a.modelled <= a.uci <= 1 for a in areas)
    # Nearer to the truth than the direct estimates, on the whole.
    direct = np.mean([(a.direct - truth[i]) ** 2 for i, a in enumerate(areas)])
    modelled = np.mean([(a.modelled - truth[i]) ** 2 for i, a in enumerate(areas)])
    assert modelled < direct
    with pytest.raises(UnknownLevel, match='population says nothing about 17'):
        smallarea.small_areas(rows, city, {k: v for k, v in people.items() if k != '17'})
    with pytest.raises(BadOption, match='at least three towns'):
        smallarea.small_areas(list(rows)[:2], city, people)
