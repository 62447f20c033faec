"""The four tasks with `analysis`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from measure import load, measured, unit

from analysis import Design, mean, replicates, weights

data = load(Path(sys.argv[1]))
ys = {f'y{i}': data[f'y{i}'] for i in range(20)}
margins = {name: data[name] for name in ('m18', 'm2', 'm5', 'm4')}
people = {name: dict(enumerate(counts)) for name, counts in data['margins'].items()}


def design() -> Design:
    return Design(data['w'], strata=data['stratum'], psu=data['psu'])


def means():
    rows = mean(design(), ys)
    return [row.est for row in rows], [row.se for row in rows]


def domains():
    rows = mean(design(), data['y0'], by=data['m18'])
    return [row.est for row in rows], [row.se for row in rows]


def raking():
    raked = weights.rake(data['w'], margins, people, tolerance=1e-6).values
    return raked[:20], [0.0]


def bootstrap():
    small = Design(data['w_small'], strata=data['stratum_small'], psu=data['psu_small'])
    row = mean(replicates.bootstrap(small, 500, seed=1), data['y_small'])
    return row.est, row.se


tasks = {'a': means, 'b': domains, 'c': raking, 'd': bootstrap}
results = {name: measured(task, data) for name, task in tasks.items()}
print(json.dumps({**results, 'unit': {'seconds': unit(data)}}))
