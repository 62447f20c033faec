"""Rows without a group or an answer are counted beside the figures, never dropped in silence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis import Design, difference, mean, proportion, total
from analysis.__main__ import main
from analysis.association import rao_scott
from analysis.quality import balance, item_analysis
from analysis.quantile import quantile
from analysis.regression import t_test

TOWN = np.array(['A', 'B', '', 'A', 'B', None, 'A', 'B', 'NA', 'A', 'B', 'A'], dtype=object)
Y = np.array([1, 0, 1, 1, np.nan, 1, 0, 1, 1, 0, 1, 1.0])
DESIGN = Design(np.full(12, 5.0))


def test_every_group_says_how_many_rows_are_in_none() -> None:
    for rows in (
        mean(DESIGN, Y, by=TOWN),
        proportion(DESIGN, Y, by=TOWN),
        total(DESIGN, by=TOWN),
        quantile(DESIGN, Y, by=TOWN),
    ):
        assert [row.unlabelled for row in rows] == [3, 3]
        assert rows.to_dicts()[0]['unlabelled'] == 3
        assert repr(rows).splitlines()[-1] == 'Rows without a group, in none of these: 3'
        assert difference(rows, 'A', 'B').unlabelled == 3
    assert sum(row.n + row.missing for row in mean(DESIGN, Y, by=TOWN)) + 3 == 12


def test_only_rows_of_the_domain_are_counted_and_nothing_is_said_where_all_have_a_group() -> None:
    rows = mean(DESIGN, Y, by=TOWN, where=np.arange(12) < 5)
    assert [row.unlabelled for row in rows] == [1, 1]
    whole = mean(DESIGN, Y, by=np.where(np.arange(12) < 6, 'A', 'B'))
    assert whole[0].unlabelled == 0
    assert 'without a group' not in repr(whole)


def test_no_group_is_a_census_while_some_rows_might_belong_to_it() -> None:
    everybody = Design(np.ones(12), population=12)
    assert mean(everybody, np.ones(12), by=['A'] * 12)[0].census
    assert not mean(everybody, np.ones(12), by=['A'] * 11 + [''])[0].census


def test_tests_count_the_rows_they_leave_out() -> None:
    found = t_test(DESIGN, Y, TOWN)
    assert (found.n, found.missing) == (8, 4)
    found = rao_scott(DESIGN, Y, TOWN)
    assert (found.n, found.missing) == (8, 4)
    assert (t_test(DESIGN, Y).n, t_test(DESIGN, Y).missing) == (11, 1)


def test_items_and_balance_count_the_rows_without_an_answer() -> None:
    items = item_analysis({'a': Y, 'b': 1 - Y, 'c': np.arange(12.0)})
    assert [(item.n, item.missing) for item in items] == [(11, 1)] * 3
    assert [one.missing for one in balance({'town': TOWN}, {'town': {'A': 1, 'B': 1}})] == [3, 3]


def test_the_command_shows_them_in_the_table_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / 'wave.csv'
    labels = ['A', 'B', '', 'A', 'B', 'A']
    file.write_text('w,g,y\n' + '\n'.join(f'2,{g},{i % 2}' for i, g in enumerate(labels)) + '\n')
    options = ['estimate', str(file), '--weights', 'w', '--mean', 'y', '--by', 'g']
    assert main(options) == 0
    assert 'Rows without a group, in none of these: 1' in capsys.readouterr().out
    main([*options, '--json'])
    assert json.loads(capsys.readouterr().out)['estimates'][0]['unlabelled'] == 1
