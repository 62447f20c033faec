"""The four tasks with svy, each with a new Sample and Design as a user would."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import polars as pl
import svy
from measure import load, measured, unit

warnings.simplefilter('ignore')
data = load(Path(sys.argv[1]))
names = ['w', 'stratum', 'psu', 'm18', 'm2', 'm5', 'm4', *(f'y{i}' for i in range(20))]
frame = pl.DataFrame({name: data[name] for name in names})
small = pl.DataFrame({name: data[f'{name}_small'] for name in ('w', 'stratum', 'psu', 'y')})
people = {name: dict(enumerate(counts)) for name, counts in data['margins'].items()}


def sample(table):
    return svy.Sample(table.clone(), svy.Design(stratum='stratum', psu='psu', wgt='w'))


def columns(result):
    table = result.to_polars()
    return table['est'].to_list(), table['se'].to_list()


def means():
    return columns(sample(frame).estimation.mean([f'y{i}' for i in range(20)]))


def domains():
    return columns(sample(frame).estimation.mean('y0', by='m18'))


def raking():
    raked = sample(frame).weighting.rake(controls=people, tol=1e-6, wgt_name='raked')
    return raked.data['raked'].to_numpy()[:20], [0.0]


def bootstrap():
    made = sample(small).weighting.create_bs_wgts(500, rstate=1)
    return columns(made.estimation.mean('y', method='replication'))


tasks = {'a': means, 'b': domains, 'c': raking, 'd': bootstrap}
results = {name: measured(task, data, 3) for name, task in tasks.items()}
print(json.dumps({**results, 'unit': {'seconds': unit(data)}}))
