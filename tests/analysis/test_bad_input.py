"""Bad input, entry by entry, through the public functions: each fault by its own name.

And the columns that never vary: where a figure is right all the same it is given, where it is not
defined the column is named.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from analysis import Design, mean, proportion, ratio, total, weights
from analysis.association import rao_scott
from analysis.calibration import calibrate
from analysis.errors import (
    AnalysisError,
    BadColumn,
    BadOption,
    BadWeights,
    ClusterInTwoStrata,
    ConstantColumn,
    EmptyDomain,
    InfeasibleBounds,
    LonelyPsu,
    MarginsDisagree,
    PopulationTooSmall,
    UnknownLevel,
    WeightSumFar,
)
from analysis.propensity import propensities, propensity_classes, r_indicator
from analysis.quality import balance, cronbach_alpha, item_analysis
from analysis.quantile import quantile
from analysis.regression import linear, logistic, t_test
from analysis.smallarea import fay_herriot, small_areas

TOWN, VILLAGE = np.repeat(['A', 'B'], 6), np.repeat(np.arange(6), 2)
SEX = np.array(['f', 'm'] * 6)
Y = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
YES = np.array([1.0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0])
ONE = np.ones(12)
D = Design(ONE, strata=TOWN, psu=VILLAGE)
NOBODY = np.zeros(12, dtype=bool)
PEOPLE = {'f': 60.0, 'm': 60.0}
BAD = np.where(np.arange(12) == 4, -1.0, 1.0)


def faults(
    *cases: tuple[Callable[[], Any], type[AnalysisError], str],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return pytest.mark.parametrize(('call', 'error', 'words'), cases)


@faults(
    (lambda: Design(BAD), BadWeights, 'found -1 in row 5'),
    (lambda: weights.kish(-ONE), BadWeights, 'add up to -12'),
    (lambda: weights.rake(BAD, {'s': SEX}, {'s': PEOPLE}), BadWeights, 'found -1 in row 5'),
    (
        lambda: weights.trim(np.where(BAD < 0, np.inf, 1), upper=2),
        BadWeights,
        'finite; row 5 is not',
    ),
    (lambda: calibrate(BAD, {'s': SEX}, {'s': PEOPLE}), BadWeights, 'found -1 in row 5'),
    (lambda: cronbach_alpha({'a': Y, 'b': YES}, BAD), BadWeights, 'found -1 in row 5'),
    (lambda: propensities(YES, {'y': Y}, BAD), BadWeights, 'found -1 in row 5'),
    (lambda: balance({'s': SEX}, {'s': PEOPLE}, BAD), BadWeights, 'found -1 in row 5'),
    (
        lambda: Design(ONE, strata=TOWN, psu=VILLAGE % 3),
        ClusterInTwoStrata,
        '3 PSU labels appear in more than one stratum: 0, 1, 2.*nest=True',
    ),
    (
        lambda: Design(ONE, strata=TOWN, population={'A': 5, 'B': 50}),
        PopulationTooSmall,
        r'A \(population 5, drawn 6\)',
    ),
    (
        lambda: Design(ONE, strata=TOWN, population=100),
        WeightSumFar,
        'add up to 12, the population to 200',
    ),
    (
        lambda: Design(ONE, strata=TOWN, psu=np.where(TOWN == 'A', 0, VILLAGE)),
        LonelyPsu,
        'in stratum A',
    ),
    (
        lambda: weights.rake(ONE, {'s': SEX}, {'s': {'f': 60.0}}),
        UnknownLevel,
        's: the sample has m, the population figures have not',
    ),
    (
        lambda: weights.post_stratify(ONE, SEX, {**PEOPLE, 'x': 3.0}),
        UnknownLevel,
        'nobody in the sample stands for x',
    ),
    (
        lambda: weights.post_stratify(ONE, SEX, PEOPLE, collapse={'k': 'm'}),
        UnknownLevel,
        'There is no k to merge; there is f, m',
    ),
    (
        lambda: weights.nonresponse(ONE, YES, TOWN, collapse={'Z': 'A'}),
        UnknownLevel,
        'There is no Z to merge; there is A, B',
    ),
    (
        lambda: weights.rake(
            ONE, {'s': SEX, 't': TOWN}, {'s': PEOPLE, 't': {'A': 60.0, 'B': 70.0}}
        ),
        MarginsDisagree,
        's 120, t 130',
    ),
    (
        lambda: calibrate(ONE, {'s': SEX}, {'s': {'f': 10, 'm': 110}}, bounds=(0.5, 12)),
        InfeasibleBounds,
        's=m stays off',
    ),
    (lambda: weights.trim(ONE, upper=0.5), InfeasibleBounds, 'cannot add up to 12'),
    (lambda: weights.trim([0.1, 10, 1], lower=2, upper=4), InfeasibleBounds, 'cannot add up to'),
    (
        lambda: calibrate(ONE, {'s': SEX}, 5),  # type: ignore[arg-type]
        BadOption,
        'population must be a mapping from names to mappings to numbers; it is 5',
    ),
    (
        lambda: calibrate(ONE, x={'y': Y}, totals={'y': np.inf}),
        BadOption,
        'The total of y must be finite',
    ),
    (
        lambda: ratio(Design(ONE), Y, np.where(TOWN == 'A', 0, 1), by=TOWN),
        ConstantColumn,
        'x adds up to 0 in A',
    ),
    (
        lambda: mean(Design(ONE), Y, where=np.where(np.arange(12) == 4, np.nan, 1)),
        BadColumn,
        r'where must be true or false \(or 1 and 0\) in every row; row 5 is not',
    ),
    (lambda: linear(Design(ONE), Y * 1e200, {'x': Y}), BadColumn, 'answer has values too large'),
    (lambda: linear(Design(ONE), Y, {'x': Y * 1e200}), BadColumn, 'x has values too large'),
)
def test_every_fault_has_its_name(
    call: Callable[[], Any], error: type[AnalysisError], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()


@faults(
    (lambda: mean(D, Y, where=NOBODY), EmptyDomain, 'No row with an answer and a positive'),
    (lambda: total(D, Y, where=NOBODY), EmptyDomain, 'No row with an answer'),
    (lambda: ratio(D, Y, YES, where=NOBODY), EmptyDomain, 'No row with an answer'),
    (lambda: mean(D, Y, by=[None] * 12), EmptyDomain, 'by is missing in every row'),
    (lambda: mean(D, np.full(12, np.nan)), EmptyDomain, 'No row with an answer'),
    (lambda: quantile(D, Y, where=NOBODY), EmptyDomain, 'No row has an answer'),
    (lambda: linear(D, Y, {'x': YES}, where=NOBODY), EmptyDomain, 'and all terms'),
    (lambda: t_test(D, Y, SEX, where=NOBODY), EmptyDomain, 'and all terms'),
    (lambda: rao_scott(D, SEX, YES, where=NOBODY), EmptyDomain, 'has both answers'),
    (
        lambda: cronbach_alpha({'a': [np.nan, 1.0], 'b': [1.0, np.nan]}),
        EmptyDomain,
        'Fewer than two rows have answered every item',
    ),
)
def test_an_empty_domain_is_said(
    call: Callable[[], Any], error: type[AnalysisError], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()


@faults(
    (lambda: linear(D, Y, {'x': ONE * 7}), ConstantColumn, 'constant, x say the same'),
    (lambda: linear(D, Y, {'x': ONE * 0}), ConstantColumn, 'x is zero in every row'),
    (lambda: linear(D, Y, {'x': ['k'] * 12}), ConstantColumn, 'x has the same label in every'),
    (lambda: logistic(D, ONE, {'x': Y}), ConstantColumn, 'The answer is 1 in every row used'),
    (lambda: t_test(D, ONE * 5, SEX), ConstantColumn, 'do not vary'),
    (lambda: t_test(D, (SEX == 'f') * 1.0, SEX), ConstantColumn, 'inside the groups'),
    (lambda: t_test(D, Y, ['f'] * 12), ConstantColumn, 'group is the same in every row'),
    (lambda: t_test(D, ONE * 5), ConstantColumn, 'do not vary'),
    (lambda: t_test(D, Y, pair=Y - 2), ConstantColumn, 'do not vary'),
    (lambda: rao_scott(D, SEX, ['k'] * 12), ConstantColumn, 'same answer in columns'),
    (
        lambda: rao_scott(Design(strata=TOWN, rate=1.0), SEX, YES),
        ConstantColumn,
        'no sampling variance',
    ),
    (
        lambda: cronbach_alpha({'a': Y, 'b': YES, 'c': ONE}),
        ConstantColumn,
        'same answer to c: α is not defined with that. Leave it out',
    ),
    (lambda: cronbach_alpha({'a': Y, 'b': -Y}), ConstantColumn, 'sum of the items does not vary'),
    (lambda: propensities(ONE, {'y': Y}), ConstantColumn, 'Everybody answered'),
    (lambda: propensity_classes(ONE * 0, {'y': Y}), ConstantColumn, 'Nobody answered'),
    (lambda: r_indicator(YES, {'y': ONE}), ConstantColumn, 'constant, y say the same'),
    (
        lambda: fay_herriot(Y, ONE, {'x': ONE * 3}),
        ConstantColumn,
        'constant, x say the same',
    ),
    (
        lambda: small_areas(
            list(proportion(Design(np.ones(6)), np.ones(6), by=list('aabbcc'))),
            proportion(Design(np.ones(6)), np.ones(6)),
            {'a': 1, 'b': 1, 'c': 1},
        ),
        ConstantColumn,
        'All towns have a share of 0 or 1',
    ),
    (
        lambda: calibrate(ONE, x={'z': ONE * 0}, totals={'z': 5}),
        ConstantColumn,
        'z is 0 in every row: no weights give it a total',
    ),
    (
        lambda: calibrate(ONE, x={'a': Y, 'b': 2 * Y}, totals={'a': 60, 'b': 130}),
        MarginsDisagree,
        'The totals of a, b contradict each other',
    ),
    (
        lambda: calibrate(ONE, {'s': SEX}, {'s': PEOPLE}, x={'one': ONE}, totals={'one': 100}),
        MarginsDisagree,
        'one contradict each other',
    ),
)
def test_a_column_that_does_not_vary_is_named_where_variation_is_needed(
    call: Callable[[], Any], error: type[AnalysisError], words: str
) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_mean_of_a_constant_is_known_without_error() -> None:
    for design in (D, Design(ONE), Design(ONE, strata=TOWN, psu=VILLAGE, rate=0.2)):
        row = mean(design, ONE * 73.3)
        assert (row.est, row.se, row.lci, row.uci) == (73.3, 0.0, 73.3, 73.3)
        # There is no variance to compare with: neither a design effect nor an effective size.
        assert math.isnan(row.deff)
        assert math.isnan(row.n_eff)
    assert ratio(D, 3 * Y, Y).se == pytest.approx(0, abs=1e-15)


def test_the_share_of_a_constant_answer_still_has_an_interval() -> None:
    row = proportion(D, ONE)
    assert (row.est, row.se, row.uci, row.n_eff) == (1.0, 0.0, 1.0, 12.0)
    assert 0.6 < row.lci < 1


def test_quantiles_and_regressions_of_a_constant_answer() -> None:
    (row,) = quantile(D, ONE * 5)
    assert (row.est, row.lci, row.uci) == (5.0, 5.0, 5.0)
    rows = linear(D, ONE * 5, {'x': YES})
    assert [r.est for r in rows] == pytest.approx([5.0, 0.0], abs=1e-12)
    assert max(r.se for r in rows) < 1e-12
    found = item_analysis({'a': Y, 'same': ONE})
    assert math.isnan(found[1].discrimination)


def test_margins_of_one_level_and_totals_that_follow_from_each_other_are_met() -> None:
    raked = weights.rake(ONE, {'all': ['x'] * 12, 's': SEX}, {'all': {'x': 120}, 's': PEOPLE})
    np.testing.assert_allclose(raked.values, 10.0)
    scaled = weights.post_stratify(ONE, ['x'] * 12, {'x': 120})
    np.testing.assert_allclose(scaled.values, 10.0)
    # Twice the same total, and a total that the margins imply.
    twice = calibrate(ONE, x={'a': Y, 'b': 2 * Y}, totals={'a': 60, 'b': 120})
    once = calibrate(ONE, x={'a': Y}, totals={'a': 60})
    np.testing.assert_allclose(twice.values, once.values)
    known = calibrate(ONE, {'s': SEX}, {'s': PEOPLE}, x={'one': ONE}, totals={'one': 120})
    np.testing.assert_allclose(known.values, 10.0)
    for step in (twice.step, known.step):
        assert total(D.calibrated(step), Y).se >= 0


def test_whole_numbers_never_overflow() -> None:
    large = np.full(12, 2**31 - 1, dtype=np.int32)
    design = Design(np.full(12, 2**31 - 1, dtype=np.int32), strata=TOWN, psu=VILLAGE)
    exact = 12.0 * float(2**31 - 1) ** 2
    assert total(design, large).est == exact
    assert ratio(design, large, large).est == 1.0
    people = weights.post_stratify(large, SEX, {'f': 2**40, 'm': 2**40})
    assert people.report.total == 2.0**41
    small = np.array([100] * 12, dtype=np.int8)
    assert total(Design(ONE), small).est == 1200
    with pytest.raises(BadColumn, match='a huge number in row 1'):
        mean(D, [10**400] * 12)
