"""Are the errors of a published wave right?  Finite towns, drawn and answered again and again.

    python -m benchmarks.wave_errors [--repeats 1000]

Each round draws addresses in six unequal towns, picks one adult at each, lets some be ineligible,
refuse, withdraw or stay silent (the young more often), and sends the answers through the weights,
estimates and verdicts of the site.  The table compares the mean standard error with the standard
deviation of the estimates, counts how often the 95 % interval holds the truth, and how often
exactly 80 % is called "met".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from analysis.result import Estimate
from cixi_survey.questionnaire.indicators import Coded
from cixi_survey.results import measures, weighting
from cixi_survey.results.dataset import Dataset, Sampling
from cixi_survey.results.measures import Judged, Measure
from cixi_survey.results.rates import Returns

Array = NDArray[Any]
ADDRESSES = (150, 200, 250, 350, 500, 800)
ANSWERING = 0.57  # the share of drawn addresses that end with an answer
TARGET = Judged('national', 0.8, {}, '', None)


@dataclass(frozen=True)
class Town:
    """Every adult of a town, by address; exactly 80 % of the eligible are satisfied."""

    adults: Array
    first: Array
    eligible: Array
    young: Array
    satisfied: Array
    known: Array

    def everyone(self, values: Array) -> Array:
        asked: Array = values[np.repeat(self.eligible, self.adults)]
        return asked


@dataclass(frozen=True)
class Scenario:
    """Share of addresses that answer, likeness inside an address, response of young and old."""

    fraction: float
    likeness: float
    young: float = 0.45
    old: float = 0.70
    raking: bool = True


SCENARIOS = (
    Scenario(0.30, 0.0),
    Scenario(0.30, 0.3),
    Scenario(0.02, 0.0),
    Scenario(0.02, 0.3),
    Scenario(0.02, 0.3, young=0.57, old=0.57, raking=False),
    Scenario(0.30, 0.3, young=0.57, old=0.57, raking=False),
)


def town(random: np.random.Generator, addresses: int, likeness: float) -> Town:
    adults = random.choice([1, 2, 3, 4], addresses, p=[0.2, 0.5, 0.2, 0.1])
    home = np.repeat(np.arange(addresses), adults)
    eligible = random.random(addresses) > 0.04
    young = random.random(len(home)) < 0.45
    shared = np.sqrt(likeness) * random.standard_normal(addresses)[home]
    own = np.sqrt(1 - likeness) * random.standard_normal(len(home))
    satisfied = np.zeros(len(home))
    asked = np.flatnonzero(eligible[home])
    best = asked[np.argsort((shared + own - 0.5 * young)[asked])]
    satisfied[best[-round(0.8 * len(best)) :]] = 1.0
    known = random.binomial(14, np.clip(0.7 + 0.1 * shared + 0.05 * young, 0, 1)) / 14
    first = np.concatenate([[0], np.cumsum(adults)[:-1]])
    return Town(adults, first, eligible, young, satisfied, known)


def answered(
    random: np.random.Generator, scenario: Scenario, towns: Mapping[str, Town]
) -> tuple[Dataset, dict[str, Returns], list[Measure]]:
    """One round of fieldwork."""
    parts, returns = [], {}
    for number, (name, place) in enumerate(towns.items()):
        size = len(place.adults)
        count = round(size * scenario.fraction / ANSWERING)
        drawn = random.choice(size, count, replace=False)
        person = place.first[drawn] + (random.random(count) * place.adults[drawn]).astype(int)
        willing = np.where(place.young[person], scenario.young, scenario.old)
        sent = place.eligible[drawn] & (random.random(count) < willing)
        withdrawn = sent & (random.random(count) < 0.01)
        complete = sent & ~withdrawn
        ineligible = ~place.eligible[drawn] & (random.random(count) < 0.5)
        refused = place.eligible[drawn] & ~sent & (random.random(count) < 0.3)
        base = place.adults[drawn] * size / count
        silent = ~(sent | ineligible | refused)
        outcomes = (complete, withdrawn, refused, ineligible, silent)
        returns[name] = Returns(*(float(base[each].sum()) for each in outcomes))
        who = person[complete]
        columns = (place.young[who], place.satisfied[who], place.known[who])
        codes = np.full(len(who), number)
        frame = np.full(len(who), float(size))
        parts.append((codes, base[complete], frame, *columns))
    codes, base, frame, young, satisfied, known = map(np.concatenate, zip(*parts, strict=True))
    strata = Coded(codes, tuple(towns))
    age = Coded(young.astype(np.intp), ('old', 'young'))
    sampling = Sampling(strata, strata, base, frame)
    sample = Dataset('probability', len(codes), {'age': age}, sampling, {}, '')
    found = [Measure('satisfied', {}, satisfied, 'share'), Measure('known', {}, known, 'share')]
    return sample, returns, found


def wave_of(towns: Mapping[str, Town]) -> Any:
    """What the weights need to know of a wave."""
    people = {name: len(place.everyone(place.young)) for name, place in towns.items()}
    young = sum(place.everyone(place.young).sum() for place in towns.values())
    share = young / sum(people.values())
    shares = {'young': share, 'old': 1 - share}
    return SimpleNamespace(
        strata=[
            SimpleNamespace(town_code=name, name_zh=name, population=count)
            for name, count in people.items()
        ],
        margins=[
            SimpleNamespace(variable='age', category=name, share=value)
            for name, value in shares.items()
        ],
    )


def simulate(scenario: Scenario, repeats: int) -> None:
    random = np.random.default_rng(1)
    # A smaller share of answers comes from more addresses: n stays the same.
    scale = 0.30 / scenario.fraction
    towns = {
        f't{i}': town(random, round(size * scale), scenario.likeness)
        for i, size in enumerate(ADDRESSES)
    }
    wave = wave_of(towns)
    everyone = np.concatenate([place.everyone(place.known) for place in towns.values()])
    truth = {'satisfied': 0.8, 'known': float(everyone.mean())}
    city: dict[str, list[Estimate]] = {'satisfied': [], 'known': []}
    by_town: list[list[Estimate]] = []
    for _ in range(repeats):
        sample, returns, found = answered(random, scenario, towns)
        assert sample.sampling is not None
        design = weighting.weigh(sample, wave, returns, raking=scenario.raking).design
        for name, rows in measures.estimates(found, design, level=0.95, method='wilson').items():
            city[name] += rows
        groups = weighting.groups_of(sample.sampling.stratum)
        local = measures.estimates(found[:1], design, by=groups, level=0.95, method='wilson')
        by_town.append(local['satisfied'])
    for name, rows in city.items():
        print(_line(scenario, name, [rows], truth[name]))
    print(_line(scenario, 'satisfied, a town', list(map(list, zip(*by_town, strict=True))), 0.8))


def _line(scenario: Scenario, name: str, series: list[list[Estimate]], truth: float) -> str:
    """One line of the table, over one series of estimates or several alike."""
    spread = [np.std([row.est for row in rows], ddof=1) for rows in series]
    errors = [np.mean([row.se for row in rows]) for rows in series]
    flat = [row for rows in series for row in rows]
    bias = np.mean([row.est for row in flat]) - truth
    inside = np.mean([row.lci <= truth <= row.uci for row in flat])
    met = ''
    if name != 'known':
        verdicts = [measures.judge(row, TARGET, 0.95) for row in flat]
        met = f'{np.mean([v is not None and v["decision"] == "met" for v in verdicts]):.3f}'
    ratio = np.mean(np.array(errors) / np.array(spread))
    raked = 'yes' if scenario.raking else 'no'
    return (
        f'| {scenario.fraction:.0%} | {scenario.likeness:g} | {raked} | {name} '
        f'| {bias:+.4f} | {ratio:.2f} | {inside:.3f} | {met} |'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--repeats', type=int, default=1000)
    repeats = parser.parse_args().repeats
    print('| answering | likeness | raked | figure | bias | se / sd | coverage | false "met" |')
    print('|---|---|---|---|---|---|---|---|')
    for scenario in SCENARIOS:
        simulate(scenario, repeats)


if __name__ == '__main__':
    main()
