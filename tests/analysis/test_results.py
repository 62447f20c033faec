"""Results are read at a glance, go on as JSON or a data frame, and nothing changes them."""

import json

import numpy as np
import pytest

from analysis import Design, decide, mean, proportion
from analysis.errors import BadOption
from analysis.monitoring import confidence_sequence
from analysis.planning import expected_precision, size_for_margin
from analysis.quality import balance, item_analysis, outcome_rates
from analysis.regression import t_test
from analysis.smallarea import small_areas
from analysis.verdict import decide_together
from analysis.weights import rake

TOWNS = np.repeat(['a', 'b', 'c', 'd', 'e', 'f'], 20)
KNOWS = (np.arange(120) % 7 > np.repeat(np.arange(6) % 3, 20)).astype(float)


@pytest.fixture
def shares():
    return proportion(Design(np.ones(120), strata=TOWNS), {'knows': KNOWS}, by=TOWNS)


def every_kind_of_result(shares):
    people = dict.fromkeys('abcdef', 1000.0)
    return {
        'estimate': shares[0],
        'estimates': shares,
        'verdict': decide(shares[0], 0.8),
        'verdicts': decide_together(shares, 0.8),
        'size': size_for_margin(0.03),
        'plan': expected_precision(
            people, dict.fromkeys('abcdef', 50), p=0.8, target=0.8, truth=0.85
        ),
        'looks': confidence_sequence(KNOWS, [10, 100]),
        'rates': outcome_rates(['I', 'R', 'NC', 'I'], by=['x', 'x', 'y', 'y']),
        'items': item_analysis({'one': KNOWS, 'two': np.roll(KNOWS, 1)}),
        'balance': balance({'town': TOWNS}, {'town': people}),
        'test': t_test(Design(np.ones(120)), KNOWS, np.repeat(['x', 'y'], 60)),
        'areas': small_areas(
            list(shares), proportion(Design(np.ones(120)), {'k': KNOWS})[0], people
        ),
        'report': rake(np.ones(120), {'town': TOWNS}, {'town': people}).report,
    }


def test_every_result_has_a_readable_text_a_mapping_json_and_a_frame(shares):
    for name, result in every_kind_of_result(shares).items():
        text = repr(result)
        assert 'object at 0x' not in text, name
        assert 'array(' not in text, name
        assert max(map(len, text.splitlines())) < 250, name
        told = json.loads(result.to_json())
        frame = result.to_frame()
        assert frame.height == (len(told) if isinstance(told, list) else 1), name
        first = told[0] if isinstance(told, list) else told
        assert list(first) == frame.columns, name


def test_what_is_not_defined_is_null_in_json_and_a_dash_in_text():
    agreed = proportion(Design(np.ones(4)), {'y': np.ones(4)})
    assert json.loads(agreed.to_json())[0]['deff'] is None
    assert '–' in repr(agreed)


def test_a_slice_of_estimates_keeps_their_covariance(shares):
    assert shares[1:3].covariance == pytest.approx(shares.covariance[1:3, 1:3])


def test_writing_to_the_columns_given_changes_no_design():
    columns = {
        'weights': np.linspace(1.0, 2.0, 120),
        'strata': np.repeat([0, 1], 60),
        'psu': np.repeat(np.arange(24), 5),
    }
    design = Design(**columns)
    before = mean(design, {'y': KNOWS}, by=TOWNS).to_dicts()
    for column in columns.values():
        column[:] = column[::-1].copy()
    assert mean(design, {'y': KNOWS}, by=TOWNS).to_dicts() == before


@pytest.mark.parametrize(
    'array',
    [
        lambda design: design.weights,
        lambda design: design.psu.codes,
        lambda design: (
            rake(design.weights, {'t': TOWNS}, {'t': dict.fromkeys('abcdef', 90)}).values
        ),
    ],
)
def test_the_arrays_of_a_design_and_of_weights_refuse_to_be_written(array):
    with pytest.raises(ValueError, match='read-only'):
        array(Design(np.ones(120), psu=np.arange(120)))[0] = 7


@pytest.mark.parametrize(
    ('word', 'meant'),
    [
        ('fpc', 'population or rate'),
        ('id', 'ids'),
        ('wgt', 'weights'),
        ('probs', 'probabilities'),
        ('stratum', 'strata'),
        ('wieghts', 'weights'),
    ],
)
def test_words_of_other_packages_are_answered_with_the_word_here(word, meant):
    with pytest.raises(BadOption, match=rf'has no argument {word}\. It is called {meant}'):
        Design(**{word: np.ones(3)})


def test_an_argument_nobody_knows_is_answered_with_those_there_are():
    with pytest.raises(BadOption, match=r'no argument na_rm\. There are: design, y, by'):
        mean(Design(np.ones(3)), {'y': [1, 2, 3]}, na_rm=True)
