"""Speed of `analysis` beside R's survey and svy, on one machine in one run.

    python -m benchmarks.analysis_speed [--without r svy] [--rows 1000000] [--write]

Installs what it compares with for itself: svy into a virtual environment in a temporary
folder, R's survey with apt-get where R or the package is missing (needs root).  Everything is
measured in U, the median time of one np.bincount(psu, w*y, minlength=2000) over a million rows in
the same process (for R: of the run before it).  Loading is not counted, building the design is.
--write puts the table into docs/statistics.md.

(a) means and standard errors of 20 variables, 18 strata × 2,000 PSUs
(b) one mean in 18 domains that cut across strata
(c) raking to four margins (18, 2, 5 and 4 levels) to 1e-6
(d) 500 Rao–Wu replicates of a mean, 100,000 rows, 400 PSUs
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from benchmarks.written import machine, put, today

HERE = Path(__file__).parent
ROOT = HERE.parent
GOALS = {'a': (75, 35), 'b': (25, 8), 'c': (40, 12), 'd': (40, 10)}
SVY = 'svy==0.35.0'


def make_data(folder: Path, rows: int) -> None:
    """One file of raw numbers for each column; the same for all programs."""
    random = np.random.default_rng(20261123)
    psu = random.integers(0, 2000, rows)
    small = rows // 10
    psu_small = random.integers(0, 400, small)
    columns = {
        'psu': psu,
        'stratum': psu * 18 // 2000,
        'w': random.uniform(1, 3, rows),
        'm18': random.integers(0, 18, rows),
        'm2': random.integers(0, 2, rows),
        'm5': random.integers(0, 5, rows),
        'm4': random.integers(0, 4, rows),
        'psu_small': psu_small,
        'stratum_small': psu_small * 18 // 400,
        'w_small': random.uniform(1, 3, small),
        'y_small': random.normal(50, 10, small),
        **{f'y{i}': random.normal(50, 10, rows) for i in range(20)},
    }
    for name, column in columns.items():
        kind = np.int32 if column.dtype.kind == 'i' else np.float64
        column.astype(kind).tofile(folder / f'{name}.{"int" if kind is np.int32 else "num"}')
    total = 2.0 * rows
    margins = {}
    for name in ('m18', 'm2', 'm5', 'm4'):
        shares = np.bincount(columns[name]) * random.uniform(0.8, 1.2, columns[name].max() + 1)
        margins[name] = (shares / shares.sum() * total).tolist()
    (folder / 'margins.json').write_text(json.dumps(margins))
    for name, counts in margins.items():
        np.array(counts).tofile(folder / f'{name}_people.num')


def python_with_svy(folder: Path) -> str:
    """A virtual environment with svy, made for this run."""
    home = folder / 'svy'
    venv.create(home, with_pip=True)
    python = str(home / 'bin' / 'python')
    subprocess.run([python, '-m', 'pip', 'install', '-q', SVY], check=True)
    return python


def rscript() -> str:
    """Rscript with survey, installed by apt-get when one of them is not there."""
    if not _has_survey():
        packages = ['r-base-core', 'r-cran-survey', 'r-cran-mass']
        command = ['apt-get', 'install', '-y', '-q', '--no-install-recommends', *packages]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if not _has_survey():
            sys.exit('R has no package survey after installing it: leave R out by --without r.')
    return shutil.which('Rscript') or 'Rscript'


def _has_survey() -> bool:
    found = shutil.which('Rscript')
    if found is None:
        return False
    asked = subprocess.run([found, '-e', 'library(survey)'], capture_output=True, check=False)
    return asked.returncode == 0


def run(command: list[str], folder: Path) -> dict[str, dict[str, object]]:
    """One program's results: a JSON object on its last line."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run(
        [*command, str(folder)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        sys.exit(f'{" ".join(command)} failed:\n{done.stderr[-3000:]}')
    found: dict[str, dict[str, object]] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def compare(results: dict[str, dict[str, dict[str, object]]]) -> list[str]:
    """Do all programs say the same?  Estimates and errors, except errors of the bootstrap."""
    reference, lines = results['analysis'], []
    for name, found in results.items():
        for task in GOALS:
            if name == 'analysis' or task not in found:
                continue
            close = {'c': 1e-5}.get(task, 1e-8)
            same = np.allclose(found[task]['est'], reference[task]['est'], rtol=close)
            if task != 'c':
                errors = 0.15 if task == 'd' else 1e-8
                same &= np.allclose(found[task]['se'], reference[task]['se'], rtol=errors)
            if not same:
                lines.append(f'{name} differs from analysis in ({task})')
    return lines


def table(results: dict[str, dict[str, dict[str, object]]]) -> str:
    """Markdown: time in U and extra memory of every program and task."""
    names = list(results)
    head = '| | must, aim (U) | ' + ' | '.join(f'{n}: U, s, MB' for n in names) + ' |'
    lines = [head, '|---' * (len(names) + 2) + '|']
    for task, (must, aim) in GOALS.items():
        cells = []
        for name in names:
            one = results[name].get(task)
            if one is None:
                cells.append('–')
                continue
            seconds, unit = float(str(one['seconds'])), float(str(results[name]['unit']['seconds']))
            units = float(str(one.get('units', seconds / unit)))
            cells.append(f'{units:,.1f}, {seconds:.3g}, {float(str(one["peak"])):,.0f}')
        lines.append(f'| ({task}) | {must}, {aim} | ' + ' | '.join(cells) + ' |')
    unit = float(str(results['analysis']['unit']['seconds']))
    lines.append(f'\nU was {unit * 1e3:.2f} ms; {today()}; {machine()}.')
    return '\n'.join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--without', nargs='*', choices=('r', 'svy'), default=[])
    parser.add_argument('--rows', type=int, default=1_000_000)
    parser.add_argument('--write', action='store_true', help='put the table into the docs')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_data(folder, options.rows)
        results = {'analysis': run([sys.executable, str(HERE / 'speed' / 'ours.py')], folder)}
        if 'svy' not in options.without:
            python = python_with_svy(folder)
            results[SVY] = run([python, str(HERE / 'speed' / 'with_svy.py')], folder)
        if 'r' not in options.without:
            found = run([rscript(), str(HERE / 'speed' / 'with_survey.R')], folder)
            found['unit'] = results['analysis']['unit']
            results[f'R survey {found.pop("version")["name"]}'] = found
    text = table(results)
    print(text)
    differences = compare(results)
    print('\n'.join(differences) or 'All programs give the same numbers.')
    if options.write:
        put('statistics.md', 'speed', text)
    if differences:
        sys.exit(1)


if __name__ == '__main__':
    main()
