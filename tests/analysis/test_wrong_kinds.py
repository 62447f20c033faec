"""Every public function, each argument in turn given something of the wrong kind.

Whatever is given, the answer is a result or an ``AnalysisError`` that says what and why: never an
error of Python's own, and never a warning.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from analysis import (
    AnalysisError,
    Design,
    allocation,
    contrast,
    coverage,
    decide,
    difference,
    joint,
    mean,
    monitoring,
    planning,
    pooled,
    precision,
    presentation,
    propensity,
    proportion,
    quality,
    ratio,
    regression,
    replicates,
    sampling,
    smallarea,
    smooth,
    total,
    verdict,
    weights,
)
from analysis.association import rao_scott
from analysis.calibration import calibrate
from analysis.collapse import collapse_strata
from analysis.quantile import quantile

Case = tuple[Callable[..., Any], dict[str, Any]]

R = np.random.default_rng(1)
N = 60
TOWN, VILLAGE = np.repeat(['A', 'B', 'C'], 20), np.repeat(np.arange(15), 4)
W, Y, X = R.uniform(1, 3, N), R.normal(50, 9, N), R.uniform(1, 2, N)
YES = (R.random(N) < 0.7) * 1.0
SEX, AGE = np.array(['f', 'm'])[R.integers(0, 2, N)], np.array(['y', 'o', 'z'])[R.integers(0, 3, N)]
D = Design(W, strata=TOWN, psu=VILLAGE)
SHARES, CITY, ROWS = proportion(D, YES, by=TOWN), proportion(D, YES), mean(D, Y, by=TOWN)
PEOPLE = {'sex': {'f': 60.0, 'm': 60.0}, 'age': {'y': 40.0, 'o': 40.0, 'z': 40.0}}
MARGINS = {'sex': SEX, 'age': AGE}
STEP = weights.rake(W, MARGINS, PEOPLE).step
COUNTS = {'A': 100, 'B': 200, 'C': 300}
PLAN = coverage.Plan(p=0.8, n=5, towns=2)
AIM = precision.Aim(spread={'A': 1.0, 'B': 2.0, 'C': 1.0}, se=0.2)
BASIC: dict[str, Any] = {'design': D, 'where': YES}
LEVEL: dict[str, Any] = {**BASIC, 'level': 0.95}

CASES: dict[str, Case] = {
    'Design': (
        Design,
        {
            'weights': W,
            'strata': TOWN,
            'psu': VILLAGE,
            'ssu': np.arange(N),
            'ssu_strata': None,
            'population': (50, 40),
            'certainty': None,
            'lonely_psu': 'fail',
            'nest': False,
            'any_scale': True,
        },
    ),
    'Design from rates': (
        Design,
        {'strata': TOWN, 'rate': {'A': 0.1, 'B': 0.1, 'C': 0.2}, 'ids': None},
    ),
    'Design from probabilities': (Design, {'probabilities': 1 / W, 'ids': VILLAGE}),
    'from_table': (
        Design.from_table,
        {'table': {'w': W, 's': TOWN}, 'weights': 'w', 'strata': 's'},
    ),
    'calibrated': (lambda step: D.calibrated(step), {'step': STEP}),
    'calibrated_on': (
        lambda margin, base: D.calibrated_on(margin, base_weights=base),
        {'margin': SEX, 'base': W},
    ),
    'mean': (mean, {**LEVEL, 'y': Y, 'by': SEX, 'method': 't', 'limits': (-100, 200)}),
    'proportion': (proportion, {**LEVEL, 'y': SEX, 'value': 'f', 'by': TOWN, 'method': 'wilson'}),
    'total': (total, {**LEVEL, 'y': Y, 'by': SEX}),
    'ratio': (ratio, {**LEVEL, 'y': Y, 'x': X, 'by': SEX}),
    'quantile': (
        quantile,
        {**LEVEL, 'y': Y, 'p': [0.2, 0.5], 'by': SEX, 'rule': 'math', 'method': 'wald'},
    ),
    'contrast': (
        contrast,
        {'rows': ROWS, 'coefficients': {'A': 1.0, 'B': -1.0}, 'level': 0.95, 'label': ''},
    ),
    'difference': (difference, {'rows': ROWS, 'first': 'A', 'second': 'B', 'level': 0.95}),
    'smooth': (
        smooth,
        {'rows': ROWS, 'function': lambda t: t[0], 'keys': ['A'], 'level': 0.95, 'label': ''},
    ),
    'rows[key]': (lambda key: ROWS[key], {'key': 'A'}),
    'interval': (CITY.interval, {'level': 0.9, 'method': 'wilson'}),
    'bounds': (CITY.bounds, {'tail': 0.05, 'method': 'wilson'}),
    'decide': (decide, {'estimate': CITY, 'target': 0.8, 'level': 0.95}),
    'decide_together': (
        verdict.decide_together,
        {'rows': SHARES, 'target': 0.8, 'level': 0.95},
    ),
    'holm': (verdict.holm, {'p_values': [0.1, 0.2]}),
    'compare_with': (
        verdict.compare_with,
        {'estimate': CITY, 'value': 0.7, 'se': 0.01, 'df': 10, 'level': 0.95},
    ),
    'linear': (regression.linear, {**LEVEL, 'y': Y, 'x': {'x': X, 'sex': SEX}}),
    'logistic': (regression.logistic, {**LEVEL, 'y': YES, 'x': {'x': X}, 'where': SEX == 'f'}),
    't_test': (regression.t_test, {**BASIC, 'y': Y, 'group': SEX}),
    'paired t_test': (regression.t_test, {**BASIC, 'y': Y, 'pair': X, 'value': 0.0}),
    'rao_scott': (rao_scott, {**BASIC, 'rows': SEX, 'columns': AGE}),
    'base': (weights.base, {'probabilities': 1 / W}),
    'kish': (weights.kish, {'weights': W}),
    'unknown_eligibility': (
        weights.unknown_eligibility,
        {'weights': W, 'known': YES, 'classes': TOWN},
    ),
    'nonresponse': (
        weights.nonresponse,
        {
            'weights': W,
            'responded': YES,
            'classes': TOWN,
            'eligible': np.ones(N, bool),
            'minimum': 2,
            'largest': 3.0,
            'collapse': {'A': 'B'},
        },
    ),
    'post_stratify': (
        weights.post_stratify,
        {'weights': W, 'cells': SEX, 'population': PEOPLE['sex'], 'collapse': None, 'tiny': 3},
    ),
    'rake': (
        weights.rake,
        {
            'weights': W,
            'margins': MARGINS,
            'population': PEOPLE,
            'tolerance': 1e-8,
            'iterations': 100,
            'tiny': 3,
        },
    ),
    'trim': (weights.trim, {'weights': W, 'upper': 2.9, 'lower': 0.5, 'method': 'additive'}),
    'rake_and_trim': (
        weights.rake_and_trim,
        {
            'weights': W,
            'margins': MARGINS,
            'population': PEOPLE,
            'upper': 4.0,
            'rounds': 10,
            'tolerance': 1e-6,
        },
    ),
    'calibrate': (
        calibrate,
        {
            'weights': W,
            'margins': MARGINS,
            'population': PEOPLE,
            'x': {'x': X},
            'totals': {'x': 180.0},
            'method': 'linear',
            'bounds': (0.1, 5),
            'tolerance': 1e-8,
            'iterations': 50,
            'tiny': 3,
        },
    ),
    'collapse_strata': (
        collapse_strata,
        {
            'strata': TOWN,
            'psu': VILLAGE,
            'rule': 'neighbour',
            'minimum': 6,
            'within': None,
            'weights': W,
            'nest': False,
        },
    ),
    'propensity_classes': (
        propensity.propensity_classes,
        {'responded': YES, 'x': {'x': X, 'sex': SEX}, 'weights': W, 'classes': 3},
    ),
    'r_indicator': (propensity.r_indicator, {'responded': YES, 'x': {'x': X}, 'weights': W}),
    'jackknife': (replicates.jackknife, {'design': D, 'mse': False, 'drop_fpc': False}),
    'bootstrap': (
        replicates.bootstrap,
        {'design': D, 'replicates': 10, 'seed': 1, 'mse': False},
    ),
    'balanced': (
        replicates.balanced,
        {'design': Design(np.ones(4), strata=[1, 1, 2, 2]), 'fay': 0.3, 'mse': False},
    ),
    'given': (
        replicates.given,
        {
            'weights': W,
            'replicate_weights': R.uniform(1, 2, (N, 5)),
            'kind': 'JK1',
            'scale': 0.8,
            'rscales': np.ones(5),
            'fay': 0.0,
            'combined': True,
            'mse': False,
            'df': 4,
        },
    ),
    'replicates calibrated': (
        lambda step: replicates.jackknife(D).calibrated(step),
        {'step': STEP},
    ),
    'outcome_rates': (
        quality.outcome_rates,
        {'outcomes': ['I', 'R'] * 30, 'weights': W, 'by': TOWN, 'e': 0.5},
    ),
    'item_nonresponse': (
        quality.item_nonresponse,
        {'columns': {'a': Y, 's': SEX}, 'weights': W},
    ),
    'cronbach_alpha': (quality.cronbach_alpha, {'items': {'a': Y, 'b': X}, 'weights': W}),
    'item_analysis': (quality.item_analysis, {'items': {'a': Y, 'b': X}, 'weights': W}),
    'balance': (quality.balance, {'margins': MARGINS, 'population': PEOPLE, 'weights': W}),
    'fay_herriot': (
        smallarea.fay_herriot,
        {'direct': R.normal(size=12), 'variances': np.full(12, 0.1), 'x': {'x': np.arange(12)}},
    ),
    'small_areas': (
        smallarea.small_areas,
        {'rows': list(SHARES), 'city': CITY, 'population': COUNTS, 'x': None, 'deff': 1.2},
    ),
    'pool_design_effect': (pooled.pool_design_effect, {'rows': SHARES}),
    'flag': (presentation.flag, {'estimate': CITY}),
    'confidence_sequence': (
        monitoring.confidence_sequence,
        {'answers': YES[:20], 'looks': [5, 20], 'level': 0.95, 'deff': 1.0, 'prior': (0.5, 0.5)},
    ),
    'design_effect': (planning.design_effect, {'per_village': 5, 'rho': 0.1, 'weight_cv': 0.2}),
    'size_for_margin': (
        planning.size_for_margin,
        {
            'margin': 0.03,
            'p': 0.5,
            'level': 0.95,
            'population': 1000,
            'deff': 1.2,
            'response': 0.8,
        },
    ),
    'size_for_target': (
        planning.size_for_target,
        {'truth': 0.9, 'target': 0.8, 'power': 0.8, 'population': 10000, 'response': 0.9},
    ),
    'power': (planning.power, {'truth': 0.85, 'target': 0.8, 'effective': 200, 'level': 0.95}),
    'smallest_met': (planning.smallest_met, {'target': 0.8, 'effective': 100, 'level': 0.95}),
    'more_answers': (planning.more_answers, {'estimate': CITY, 'target': 0.6, 'level': 0.95}),
    'expected_precision': (
        planning.expected_precision,
        {
            'population': COUNTS,
            'answers': {'A': 30, 'B': 30, 'C': 30},
            'p': 0.8,
            'target': 0.8,
            'truth': 0.9,
            'deff': {'A': 1.0, 'B': 1.0, 'C': 2.0},
        },
    ),
    'allocate': (
        allocation.allocate,
        {
            'population': COUNTS,
            'n': 60,
            'method': 'power',
            'exponent': 0.5,
            'spread': {'A': 1.0, 'B': 1.0, 'C': 2.0},
            'minimum': 3,
            'cap': 50,
        },
    ),
    'allocate_for_precision': (
        precision.allocate_for_precision,
        {
            'population': COUNTS,
            'aims': {'a': AIM},
            'domains': None,
            'cost': 1.0,
            'minimum': 2,
            'cap': None,
            'deff': 1.0,
        },
    ),
    'draw_stratified': (
        sampling.draw_stratified,
        {'strata': TOWN, 'n_by_stratum': {'A': 3, 'B': 2}, 'seed': 1},
    ),
    'draw_pps': (sampling.draw_pps, {'sizes': X, 'n': 2, 'seed': 1, 'strata': TOWN}),
    'draw_systematic': (sampling.draw_systematic, {'size': 60, 'n': 5, 'start': 0.3}),
    'draw_sampford': (sampling.draw_sampford, {'sizes': X, 'n': 4, 'seed': 1}),
    'draw_two_stage': (
        sampling.draw_two_stage,
        {'psu': VILLAGE, 'n_psus': {'A': 2}, 'per_psu': 2, 'seed': 1, 'strata': TOWN},
    ),
    'joint.estimate': (
        joint.estimate,
        {'y': [1.0, 2.0, 4.0], 'joint': joint.sampford([0.5] * 6, 3)[:3, :3], 'kind': 'total'},
    ),
    'simulate': (coverage.simulate, {'plan': PLAN, 'samples': 1, 'seed': 1}),
}


def wrong() -> Iterator[Any]:
    """Things that are hardly ever what an argument should be."""
    yield from (None, 3.7, -1, 0, 'text', '', b'ab', True, float('nan'), float('inf'), 10**400)
    yield from ([], [1], list(range(7)), (1, 2), (None, None), {1, 2}, {}, {'zz': 1}, object(), int)
    yield {'A': None, 'sex': None, 'a': None, 'x': None}
    yield {'sex': 5, 'age': 6}
    yield (i for i in range(N))
    yield from (np.ones((N, 2)), np.array(3.0), np.full(N, np.nan), np.full(N, np.inf), -np.ones(N))
    yield from (np.zeros(N), np.ones(N) * 1j, np.array(['q'] * N), [[1]] * N, [[1], [1, 2]] * 30)
    yield from (np.array([None, 'a', 1] * 20, dtype=object), [{}] * N, [10**400] * N, ['1,5'] * N)
    yield [dt.date(2026, 1, 1)] * N
    yield np.array(['2026-01-01'] * N, dtype='datetime64[ns]')
    yield np.ma.masked_array(np.arange(N) + 1.0, mask=[True] + [False] * (N - 1))


@pytest.mark.parametrize('name', list(CASES))
def test_wrong_kinds_are_refused_by_name_or_taken(name: str) -> None:
    function, good = CASES[name]
    function(**good)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for argument in good:
            for value in wrong():
                if argument == 'function' and callable(value):
                    continue
                with suppress(AnalysisError):
                    function(**{**good, argument: value})


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (
            lambda: calibrate(W, 3, PEOPLE),
            'margins must be a mapping from names to columns; it is 3',
        ),
        (lambda: weights.rake(W, MARGINS, {'sex': 5}), r"population\['sex'\] must be a mapping"),
        (
            lambda: weights.rake(W, MARGINS, {'sex': {'f': 'many', 'm': 3}}),
            r"population\['sex'\]\['f'\] must be a number; it is 'many'",
        ),
        (lambda: mean(D, Y, level='95'), "level must be a number; it is '95'"),
        (lambda: mean(Y, Y), 'design must be a Design or a ReplicateDesign; it is a ndarray'),
        (lambda: mean(D, 5), 'y must be a column, with a value for each row; it is 5'),
        (lambda: mean(D, np.ones((N, 2))), 'y must be one column; it has 2 dimensions. Name one'),
        (lambda: mean(D, Y[:5]), 'y has 5 rows where 60 are expected'),
        (lambda: mean(D, SEX), "y must be numeric; found '.' in row 1"),
        (lambda: mean(D, Y, by=[[1], [2]] * 30), 'by must be one column; it has 2 dimensions'),
        (lambda: Design(W, population='many'), 'population.* must be a number; it is .many.'),
        (lambda: D.calibrated(weights.rake(W, MARGINS, PEOPLE)), r'a Weights\. Pass its \.step'),
        (lambda: presentation.flag(SHARES), r'it is an Estimates\. Take one row'),
        (lambda: replicates.bootstrap(D, 10.5, seed=1), 'replicates must be a whole number'),
        (lambda: planning.power(0.85, 0.8, 'x'), "effective must be a number; it is 'x'"),
        (lambda: regression.linear(D, Y, X), 'x must be a mapping from names to columns'),
    ],
)
def test_the_argument_and_what_it_must_be_are_named(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(AnalysisError, match=words):
        call()


def test_missing_values_of_every_kind_are_missing() -> None:
    hidden = np.ma.masked_array(Y, mask=np.arange(N) < 3)
    listed = [None, float('nan'), 'NA', *Y[3:]]
    for column in (hidden, listed, np.array(listed, dtype=object), ['', '', '', *map(str, Y[3:])]):
        row = mean(D, column)
        assert (row.n, row.missing) == (N - 3, 3)
        assert row.est == pytest.approx(np.average(Y[3:], weights=W[3:]))
    labels = np.ma.masked_array(SEX, mask=np.arange(N) < 3)
    assert sum(row.n for row in mean(D, Y, by=labels)) == N - 3
    # Numbers with gaps are still numbers in a regression, and not labels.
    gaps = [None, *X[1:]]
    assert [row.label for row in regression.linear(D, Y, {'x': gaps})] == ['constant', 'x']


def test_dates_are_labels() -> None:
    days = np.where(SEX == 'f', np.datetime64('2026-11-01'), np.datetime64('2026-11-02'))
    assert [row.label for row in mean(D, Y, by=days)] == ['2026-11-01', '2026-11-02']
    with pytest.raises(AnalysisError, match='y must be numeric'):
        mean(D, days)
