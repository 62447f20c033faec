"""Simulated residents: who they are, what they know, how they feel, how they answer.

Nothing here describes real people.  Towns and villages differ a little, the old and the newcomers
know less, and the pleased are not the same people as the knowing: enough for weights, intervals
and verdicts to have something to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator

from cixi_survey.questionnaire.definition import Questionnaire

Raw = dict[str, list[str]]

AGES = {
    'a18_29': (0.158, 0.35),
    'a30_39': (0.199, 0.25),
    'a40_49': (0.190, 0.10),
    'a50_59': (0.205, -0.10),
    'a60_69': (0.140, -0.40),
    'a70_up': (0.108, -0.80),
}
EDUCATION = {'primary': -0.7, 'junior': -0.2, 'senior': 0.1, 'college': 0.5, 'degree': 0.8}
EDUCATION_SHARES = (0.28, 0.36, 0.17, 0.11, 0.08)
OCCUPATIONS = ('farming', 'factory', 'service', 'office', 'public', 'business', 'home', 'retired')
EASE = (2.6, 2.0, 2.2, 1.5, 1.1, 0.6, 0.9, 0.2, 0.8, 1.3, 0.7, -0.3, 0.0, 0.9)
TRAVEL = {
    'walk': 0.22,
    'bicycle': 0.10,
    'ebike': 0.30,
    'bus': 0.10,
    'car': 0.22,
    'taxi': 0.03,
    'motorcycle': 0.02,
    'other': 0.01,
}
ACTIONS = {
    'sorting': 0.74,
    'green_travel': 0.46,
    'saving': 0.55,
    'clean_plate': 0.50,
    'volunteering': 0.12,
    'events': 0.15,
    'reporting': 0.06,
    'consultation': 0.03,
}
DEVICES = {
    'dev_toilet': 0.62,
    'dev_tap': 0.55,
    'dev_lamp': 0.83,
    'dev_fridge': 0.66,
    'dev_aircon': 0.60,
}
SUGGESTIONS = (
    '希望河边多装几个垃圾桶。',
    '垃圾分类的桶离家有点远。',
    '晚上工地噪声大，希望管一管。',
    '公交车班次再多一点就好了。',
    '绿化做得不错，继续保持。',
)


@dataclass(frozen=True)
class Resident:
    """One simulated adult at home in a village."""

    town: str
    village: str
    adults: int
    age: str
    sex: str
    migrant: bool
    education: str
    knowing: float
    content: float


@cache
def _local(code: str, spread: float) -> float:
    """The lasting effect of a town or village, the same in every wave."""
    return float(np.random.default_rng(int(code)).normal(0, spread))


def resident(rng: Generator, town: str, village: str, adults: int) -> Resident:
    """Somebody of this village, drawn by ``rng``."""
    ages = list(AGES)
    age = ages[rng.choice(len(ages), p=[share for share, _ in AGES.values()])]
    education = list(EDUCATION)[rng.choice(len(EDUCATION), p=EDUCATION_SHARES)]
    migrant = bool(rng.random() < 0.4)
    knowing = AGES[age][1] + EDUCATION[education] - 0.25 * migrant + rng.normal(0, 0.6)
    place = _local(town, 0.22) + _local(village, 0.18)
    return Resident(
        town=town,
        village=village,
        adults=adults,
        age=age,
        sex='male' if rng.random() < 0.52 else 'female',
        migrant=migrant,
        education=education,
        knowing=float(knowing + _local(town, 0.22) / 2),
        content=float(place - AGES[age][1] / 3 + rng.normal(0, 0.9)),
    )


def responds(rng: Generator, person: Resident) -> bool:
    """Whether the person answers at all: the old, women and the registered do more often."""
    lean = 0.62 - 0.10 * person.migrant + 0.05 * (person.sex == 'female')
    return bool(rng.random() < lean - AGES[person.age][1] * 0.12)


def answers(rng: Generator, person: Resident, questionnaire: Questionnaire) -> Raw:
    """What this person ticks and types, as a form sends it."""
    raw: Raw = {
        'consent': ['yes'],
        'age': [person.age],
        'resident': ['yes'],
        'town': [person.town],
        'village': [person.village],
        'sex': [person.sex],
        'hukou': ['migrant' if person.migrant else 'registered'],
        'education': [person.education],
        'occupation': [_occupation(rng, person)],
        'residence_years': [_years(rng, person)],
        'adults': [str(person.adults)],
        'travel_mode': [_pick(rng, TRAVEL)],
        'attention': ['blue' if rng.random() < 0.96 else 'red'],
    }
    for variable in questionnaire.variables():
        if variable.right and variable.kind == 'single':
            raw[variable.name] = [_known(rng, person, variable.name, questionnaire)]
        elif variable.name.startswith('sat_'):
            raw[variable.name] = [_satisfaction(rng, person, variable.name)]
    raw['participation'] = [name for name, share in ACTIONS.items() if rng.random() < share] or [
        'none'
    ]
    for name, share in DEVICES.items():
        raw[name] = [
            'saving' if rng.random() < share else _pick(rng, {'ordinary': 0.7, 'unsure': 0.3})
        ]
    if rng.random() < 0.08:
        raw['suggestion'] = [SUGGESTIONS[rng.integers(len(SUGGESTIONS))]]
    return raw


def _pick(rng: Generator, shares: dict[str, float]) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[rng.choice(len(shares), p=weights / weights.sum())]


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def _known(rng: Generator, person: Resident, name: str, questionnaire: Questionnaire) -> str:
    items = [variable for variable in questionnaire.variables() if variable.right]
    place = next(index for index, variable in enumerate(items) if variable.name == name)
    item = items[place]
    if rng.random() < _logistic(EASE[place % len(EASE)] + 0.55 + person.knowing):
        return item.right[0]
    wrong = [value for value in item.values if value not in item.right and value not in item.apart]
    if item.apart and rng.random() < 0.55:
        return next(iter(item.apart))
    return wrong[rng.integers(len(wrong))]


def _satisfaction(rng: Generator, person: Resident, name: str) -> str:
    if rng.random() < 0.03:
        return 'unsure'
    shift = {'sat_overall': 0.55, 'sat_noise': -0.35, 'sat_air': -0.15, 'sat_green': 0.35}
    feeling = 1.55 + shift.get(name, 0.0) + person.content + rng.logistic()
    if feeling > 2.2:
        return 'satisfied'
    if feeling > 0.0:
        return 'rather_satisfied'
    return 'rather_dissatisfied' if feeling > -1.6 else 'dissatisfied'


def _occupation(rng: Generator, person: Resident) -> str:
    if person.age in {'a60_69', 'a70_up'} and rng.random() < 0.8:
        return 'retired' if rng.random() < 0.6 else 'farming'
    return OCCUPATIONS[rng.integers(len(OCCUPATIONS) - 1)]


def _years(rng: Generator, person: Resident) -> str:
    if person.migrant:
        return _pick(rng, {'under_1': 0.1, 'y1_4': 0.4, 'y5_9': 0.3, 'y10_up': 0.2})
    return _pick(rng, {'y1_4': 0.03, 'y5_9': 0.07, 'y10_up': 0.9})
