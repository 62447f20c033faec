"""What must hold for every sample, whatever its numbers, and the same figure by two routes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import (
    Design,
    Estimate,
    contrast,
    decide,
    difference,
    mean,
    proportion,
    ratio,
    smooth,
    total,
    weights,
)
from analysis.columns import LONG, PIECE
from analysis.errors import BadColumn
from tests.analysis.apidata import apiclus1, apiclus2, apistrat

Sample = dict[str, Any]
FIGURES = ('est', 'se', 'df', 'n', 'deff', 'n_eff', 'lci', 'uci')


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Two to four towns of two to four villages with two to five persons."""
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    towns: list[int] = []
    villages: list[int] = []
    for town in range(draw(st.integers(2, 4))):
        for village in range(draw(st.integers(2, 4))):
            persons = draw(st.integers(2, 5))
            towns += [town] * persons
            villages += [10 * town + village] * persons
    n = len(towns)
    return {
        'town': np.array(towns),
        'village': np.array(villages),
        'weight': random.uniform(5, 50, n),
        'y': random.normal(50, 10, n).round(2),
        'x': random.uniform(1, 9, n),
        'yes': np.where(random.random(n) < 0.15, np.nan, random.random(n) < 0.8),
        'group': random.integers(0, 3, n),
    }


def design_of(sample: Sample, **more: Any) -> Design:
    columns = {'strata': sample['town'], 'psu': sample['village']}
    return Design(sample['weight'], any_scale=True, **columns, **more)


def every_estimate(design: Design, sample: Sample) -> list[Estimate]:
    return [
        mean(design, sample['y']),
        total(design, sample['y']),
        ratio(design, sample['y'], sample['x']),
        proportion(design, sample['yes']),
        *mean(design, sample['y'], by=sample['group']),
    ]


def same(first: list[Estimate], second: list[Estimate], figures: tuple[str, ...] = FIGURES) -> None:
    assert len(first) == len(second)
    for figure in figures:
        np.testing.assert_allclose(
            [getattr(row, figure) for row in first],
            [getattr(row, figure) for row in second],
            rtol=1e-9,
            atol=1e-12,
        )


@settings(max_examples=25, deadline=None)
@given(samples(), st.integers(0, 1000))
def test_the_order_of_rows_changes_nothing(sample: Sample, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(sample['y']))
    moved = {name: values[order] for name, values in sample.items()}
    same(every_estimate(design_of(sample), sample), every_estimate(design_of(moved), moved))


@settings(max_examples=25, deadline=None)
@given(samples())
def test_other_names_for_towns_and_villages_change_nothing(sample: Sample) -> None:
    renamed = dict(sample)
    renamed['town'] = np.array([f'T{9 - town}' for town in sample['town']])
    renamed['village'] = np.array([f'v{999 - village}' for village in sample['village']])
    same(every_estimate(design_of(sample), sample), every_estimate(design_of(renamed), renamed))


@settings(max_examples=25, deadline=None)
@given(samples())
def test_a_row_split_into_two_halves_of_its_weight_changes_nothing(sample: Sample) -> None:
    split = {name: np.concatenate([values, values[:1]]) for name, values in sample.items()}
    split['weight'][0] /= 2
    split['weight'][-1] /= 2
    same(
        every_estimate(design_of(sample), sample)[:3],
        every_estimate(design_of(split), split)[:3],
        ('est', 'se', 'df'),
    )


@settings(max_examples=25, deadline=None)
@given(samples(), st.floats(0.01, 100))
def test_the_scale_of_weights_moves_totals_only(sample: Sample, factor: float) -> None:
    scaled = dict(sample, weight=sample['weight'] * factor)
    before = every_estimate(design_of(sample), sample)
    after = every_estimate(design_of(scaled), scaled)
    figures = ('est', 'se', 'df', 'n', 'n_eff', 'deff_wr')
    same(before[:1] + before[2:], after[:1] + after[2:], figures)
    assert after[1].est == pytest.approx(factor * before[1].est)
    assert after[1].se == pytest.approx(factor * before[1].se)


@settings(max_examples=25, deadline=None)
@given(samples())
def test_a_domain_is_the_whole_with_zeros_outside(sample: Sample) -> None:
    design = design_of(sample)
    inside = sample['group'] == 0
    if not inside.any():
        return
    domain = total(design, sample['y'], where=inside)
    zeroed = total(design, np.where(inside, sample['y'], 0.0))
    same([domain], [zeroed], ('est', 'se'))
    # A domain mean is a ratio of two totals over everybody.
    as_ratio = ratio(design, np.where(inside, sample['y'], 0.0), inside.astype(float))
    same([mean(design, sample['y'], where=inside)], [as_ratio], ('est', 'se'))


@settings(max_examples=25, deadline=None)
@given(samples())
def test_groups_at_once_equal_groups_one_by_one(sample: Sample) -> None:
    for design in (design_of(sample), Design(sample['weight'], strata=sample['town'])):
        together = mean(design, sample['y'], by=sample['group'])
        for row in together:
            alone = mean(design, sample['y'], where=sample['group'] == int(row.label))
            same([row], [alone])


@settings(max_examples=25, deadline=None)
@given(samples())
def test_groups_add_up_to_the_whole_with_their_covariances(sample: Sample) -> None:
    for design in (design_of(sample), Design(sample['weight'], strata=sample['town'])):
        parts = total(design, sample['y'], by=sample['group'])
        whole = total(design, sample['y'])
        added = contrast(parts, dict.fromkeys(range(len(parts)), 1.0))
        same([added], [whole], ('est', 'se', 'df'))


@settings(max_examples=25, deadline=None)
@given(samples())
def test_rows_as_units_give_the_same_by_both_layouts(sample: Sample) -> None:
    rows = np.arange(len(sample['y']))
    compact = Design(sample['weight'], strata=sample['town'])
    # Reversed labels force the sums over units instead of the short cut.
    summed = Design(sample['weight'], strata=sample['town'], psu=rows[::-1])
    first = mean(compact, sample['y'], by=sample['group'])
    second = mean(summed, sample['y'], by=sample['group'])
    same(list(first), list(second))
    np.testing.assert_allclose(first.covariance, second.covariance, rtol=1e-9, atol=1e-12)


def cell_totals(sample: Sample, column: str) -> dict[Any, float]:
    levels = np.unique(sample[column])
    return {level: 1000.0 * (i + 1) for i, level in enumerate(levels.tolist())}


@settings(max_examples=25, deadline=None)
@given(samples())
def test_post_stratified_counts_are_exact_and_without_error(sample: Sample) -> None:
    for design in (design_of(sample), Design(sample['weight'], strata=sample['town'])):
        wanted = cell_totals(sample, 'group')
        done = weights.post_stratify(design.weights, sample['group'], wanted)
        rows = total(design.calibrated(done.step), by=sample['group'])
        np.testing.assert_allclose([row.est for row in rows], list(wanted.values()), rtol=1e-12)
        assert max(row.se for row in rows) < 1e-6
        # A final weight without its base says the same: inside a cell all are moved alike.
        final = Design(
            done.values,
            strata=sample['town'],
            psu=None if design.row_unit is None else sample['village'],
        ).calibrated_on(sample['group'])
        same(
            [mean(design.calibrated(done.step), sample['y'])],
            [mean(final, sample['y'])],
            ('est', 'se', 'df', 'n_eff'),
        )


@settings(max_examples=25, deadline=None)
@given(samples())
def test_calibrated_groups_at_once_equal_one_by_one(sample: Sample) -> None:
    for design in (design_of(sample), Design(sample['weight'], strata=sample['town'])):
        done = weights.post_stratify(design.weights, sample['town'], cell_totals(sample, 'town'))
        calibrated = design.calibrated(done.step)
        for row in mean(calibrated, sample['y'], by=sample['group']):
            alone = mean(calibrated, sample['y'], where=sample['group'] == int(row.label))
            same([row], [alone])


def test_raking_one_margin_is_post_stratification() -> None:
    design = Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc'])
    wanted = {'E': 4421, 'H': 755, 'M': 1018}
    raked = weights.rake(design.weights, {'stype': apiclus1['stype']}, {'stype': wanted})
    cells = weights.post_stratify(design.weights, apiclus1['stype'], wanted)
    same(
        [mean(design.calibrated(raked.step), apiclus1['api00'])],
        [mean(design.calibrated(cells.step), apiclus1['api00'])],
    )


def test_a_mean_of_a_proportion_is_the_proportion() -> None:
    design = Design(apistrat['pw'], strata=apistrat['stype'], population=apistrat['fpc'])
    yes = (apistrat['sch.wide'] == 'Yes').astype(float)
    same(
        [mean(design, yes, method='wilson', limits=(0, 1))],
        [proportion(design, apistrat['sch.wide'], value='Yes')],
        ('est', 'se', 'lci', 'uci', 'df', 'n'),
    )


def test_a_difference_of_one_group_with_itself_is_nothing() -> None:
    design = Design(apiclus2['pw'], psu=apiclus2['dnum'])
    rows = mean(design, apiclus2['api00'], by=apiclus2['stype'])
    itself = difference(rows, 'E', 'E')
    assert itself.est == 0


def test_a_change_between_waves_that_share_villages_uses_their_covariance() -> None:
    # Two waves stacked: the same villages with the same answers leave a change without error.
    twice = {name: np.concatenate([v, v]) for name, v in apiclus1.items()}
    wave = np.repeat([1, 2], len(apiclus1['pw']))
    design = Design(twice['pw'], psu=twice['dnum'])
    change = difference(mean(design, twice['api00'], by=wave), '2', '1')
    assert change.est == pytest.approx(0, abs=1e-9)
    assert change.se == pytest.approx(0, abs=1e-9)


def test_a_constant_has_no_error_at_all() -> None:
    design = Design(apiclus1['pw'], psu=apiclus1['dnum'])
    result = mean(design, np.full(183, 73.3))
    assert (result.est, result.se) == (73.3, 0)


def test_smooth_functions_by_the_delta_method() -> None:
    design = Design(apiclus2['pw'], psu=apiclus2['dnum'])
    rows = total(design, {'stu': apiclus2['api.stu'], 'api': apiclus2['api00']})
    as_function = smooth(rows, lambda t: float(t[0] / t[1]))
    as_ratio = ratio(design, apiclus2['api.stu'], apiclus2['api00'])
    assert isinstance(as_ratio, Estimate)
    assert (as_function.est, as_function.se) == pytest.approx((as_ratio.est, as_ratio.se), rel=1e-9)
    groups = mean(
        Design(apiclus1['pw'], psu=apiclus1['dnum'], population=apiclus1['fpc']),
        apiclus1['api00'],
        by=apiclus1['stype'],
    )
    log = smooth(groups, lambda t: float(np.log(t[0] / t[1])), ['E', 'M'])
    exact = np.array([1 / groups['E'].est, -1 / groups['M'].est])
    block = groups.covariance[np.ix_([0, 2], [0, 2])]
    assert log.se == pytest.approx(float(np.sqrt(exact @ block @ exact)), rel=1e-9)


def test_a_long_file_read_in_pieces_gives_what_one_pass_gives() -> None:
    random = np.random.default_rng(4)
    n = LONG + PIECE // 2 + 7
    psu, group = random.integers(0, 300, n), random.integers(0, 3, n)
    w = random.uniform(1, 3, n)
    design = Design(w, strata=psu // 50, psu=psu)
    ys = {name: random.normal(1e6, 2.0, n) for name in 'abcde'}

    def by_hand(y: Any, inside: Any) -> tuple[float, float]:
        est = np.average(y[inside], weights=w[inside])
        z = np.bincount(psu, w * inside * (y - est), 300).reshape(6, 50) / w[inside].sum()
        return est, float(np.sqrt((50 / 49 * (z - z.mean(axis=1, keepdims=True)) ** 2).sum()))

    everybody = np.ones(n, dtype=bool)
    together, grouped = mean(design, ys), mean(design, ys, by=group)
    for name, y in ys.items():
        alone = mean(design, y)
        for row in (alone, together[name]):
            assert (row.est, row.se) == pytest.approx(by_hand(y, everybody), rel=1e-9)
        assert together[name].deff == pytest.approx(alone.deff, rel=1e-9)
        for label in '012':
            row = grouped[name, label]
            assert (row.est, row.se) == pytest.approx(by_hand(y, group == int(label)), rel=1e-9)
    y = ys['a']
    y[LONG + 3] = np.nan
    gap = everybody.copy()
    gap[LONG + 3] = False
    for found in (mean(design, y), mean(design, ys)['a']):
        assert (found.n, found.missing) == (n - 1, 1)
        assert (found.est, found.se) == pytest.approx(by_hand(np.where(gap, y, 0), gap), rel=1e-9)
    y[LONG + 3] = np.inf
    for columns in (y, ys):
        with pytest.raises(BadColumn, match=f'infinite in row {LONG + 4}'):
            mean(design, columns)
    assert mean(design, y, where=gap).n == n - 1


def test_a_town_asked_in_full_of_which_few_answered_is_no_census() -> None:
    """Everybody was reached and three of twelve answered: the others may say anything."""
    answers = np.r_[[np.nan] * 9, 1.0, 0.0, 1.0]
    row = proportion(Design(np.ones(12), population=12), answers)
    assert (row.census, row.missing, row.n) == (False, 9, 3)
    assert row.lci < 0.3 < 0.9 < row.uci
    assert decide(row, 0.5).decision == 'undecided'
    everybody = proportion(Design(np.ones(12), population=12), np.r_[[1.0] * 9, 0.0, 0.0, 0.0])
    assert everybody.census
    assert (everybody.lci, everybody.uci) == (0.75, 0.75)


def test_na_is_missing_among_labels_as_among_numbers() -> None:
    """R writes NA for both; a town called NA would be nobody's."""
    answers = ['yes', 'NA', 'no', 'yes']
    row = proportion(Design(np.ones(4)), answers, value='yes')
    assert (row.n, row.missing) == (3, 1)
    assert row.est == pytest.approx(2 / 3)
    assert mean(Design(np.ones(4)), ['1', 'NA', '0', '1']).missing == 1
    by = mean(Design(np.ones(4)), [1.0, 2.0, 3.0, 4.0], by=['a', 'NA', 'b', 'a'])
    assert [one.label for one in by] == ['a', 'b']
    with pytest.raises(BadColumn):
        Design(np.ones(4), strata=['a', 'NA', 'b', 'a'])


def test_alike_answers_have_no_spread_to_compare_with_at_any_scale_of_weights() -> None:
    """Two answers of 41.71 far from the first one: their squares cancel up to rounding only."""
    y, group = np.array([55.46, 44.84, 41.71, 41.71, 48.99]), ['b', 'b', 'a', 'a', 'b']
    weight = np.array([45.82603398, 5.3987729, 10.81072525, 49.92767453, 38.43438292])
    for factor in (1.0, 3.0, 1e5, 1 / 7):
        row = mean(Design(weight * factor), y, by=group)['a']
        assert np.isnan(row.n_eff)
        assert np.isnan(row.deff)
