"""Parquet files at the shell: the same numbers as CSV, or one line that says what to install."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.__main__ import main
from analysis.errors import BadColumn
from analysis.table import csv_text, read_csv, read_table, texts
from tests.analysis.apidata import DATA

DESIGN = ('--weights', 'pw', '--strata', 'stype', '--fpc', 'fpc', '--by', 'sch.wide', '--json')


def test_a_parquet_file_gives_the_numbers_of_the_csv_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, table = tmp_path / 'strat.parquet', read_csv(DATA / 'apistrat.csv')
    numeric = ('pw', 'fpc', 'api00')
    columns: dict[str, list[Any]] = {name: list(map(float, table[name])) for name in numeric}
    columns |= {name: list(table[name]) for name in ('stype', 'sch.wide')}
    columns['api00'][3] = None
    pl.DataFrame(columns).write_parquet(path)
    assert main(['estimate', str(path), *DESIGN, '--mean', 'api00']) == 0
    said = capsys.readouterr()
    again = tmp_path / 'strat.csv'
    again.write_text(csv_text({**columns, 'api00': texts(columns['api00'])}))
    assert main(['estimate', str(again), *DESIGN, '--mean', 'api00']) == 0
    assert json.loads(said.out) == json.loads(capsys.readouterr().out)
    assert list(read_table(path)) == list(columns)
    path.write_bytes(b'PAR1 and nothing more')
    with pytest.raises(BadColumn, match='cannot be read as Parquet'):
        read_table(path)


def test_without_a_reader_the_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'wave.parquet').write_bytes(b'PAR1')
    # An entry None in sys.modules is how Python itself marks a module as not to be had.
    for name in ('pyarrow', 'polars'):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadColumn, match='needs the package pyarrow or polars'):
        read_table(tmp_path / 'wave.parquet')
    with pytest.raises(BadColumn, match='There is no file'):
        read_table(tmp_path / 'none.parquet')


def test_labels_read_the_same_from_numbers_and_from_text() -> None:
    assert texts(np.array([330282107001, 2])) == ['330282107001', '2']
    assert texts(np.array([1.0, np.nan, 2.5])) == ['1', '', '2.5']
    assert texts([None, 'a', True]) == ['', 'a', '1']
    assert texts(['a', '', 'b']) == ['a', '', 'b']
