"""From a question to a sample size: how many answers prove it, how they spread, what they miss.

All of it is computed before fieldwork by ``analysis.planning``; shares are numbers from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from analysis import allocation, planning
from analysis.errors import AnalysisError
from analysis.record import Records
from cixi_survey import access, audit
from cixi_survey.errors import N_, Problem, ProblemsFound, Refusal
from cixi_survey.models import Wave, WavePlan
from cixi_survey.waves import lifecycle

ESS_EFFECTIVE = 800
"""What the European Social Survey asks of countries below two million people (effective n)."""
OFFICIAL_RATE = 0.001
"""At least one answer for each thousand inhabitants: the rule of the city's indicator scheme."""
LEVEL = 0.95
TRUTHS = (0.81, 0.82, 0.83, 0.85, 0.87, 0.90, 0.95)
TOWN_TRUTHS = (0.85, 0.90, 0.95)
USUAL_POWER = 0.8
METHODS: Mapping[str, allocation.Allocation] = {
    'proportional': 'proportional',
    'power': 'power',
    'equal': 'equal',
}


class NoPopulations(Refusal):
    """Without the size of the towns nothing can be spread over them."""

    code = 'no_populations'
    title = N_('First load the populations')
    message = N_('A plan spreads answers over the towns, and needs to know how large they are.')
    cure = N_('Load the adults by town, then come back.')


@dataclass(frozen=True)
class Question:
    """What is to be shown, under which conditions.

    ``truth`` is the share that is thought to be true, ``margin`` the half width of the interval
    wanted in every town, ``deff`` the design effect, ``inhabitants`` everybody in the area (adults
    are taken where it is 0), ``visits`` and ``cost`` for each address.
    """

    target: float = 0.80
    truth: float = 0.83
    power: float = 0.80
    margin: float = 0.05
    response: float = 0.60
    deff: float = 1.5
    inhabitants: int = 0
    visits: float = 1.5
    cost: float = 0.0
    answers: int = 0

    def problems(self) -> list[Problem]:
        """What cannot be planned for, by field."""
        if self.truth == self.target:
            return [
                Problem(
                    'truth',
                    'truth_is_target',
                    N_('A truth that equals the target can never be told from it.'),
                    N_('Choose a share above the target, or below it.'),
                )
            ]
        return []


@dataclass(frozen=True)
class Need:
    """One reason for a number of answers."""

    name: str
    effective: int
    answers: int
    addresses: int


@dataclass(frozen=True)
class TownPlan:
    """What one town gets by each way of spreading: answers and half width of the interval."""

    code: str
    name: Mapping[str, str]
    population: int
    for_margin: int
    answers: Mapping[str, int]
    margins: Mapping[str, float]


@dataclass(frozen=True)
class Spread:
    """One way of spreading the answers: what it gives the city and its smallest towns.

    ``effective`` is infinite where everybody is asked; ``smallest_met`` is None where not even
    100 % would be shown to lie above the target.
    """

    method: str
    effective: float
    margin: float
    smallest_met: float | None
    power: float
    widest_town: float
    narrowest_town: float
    towns_shown: Mapping[float, int]


@dataclass(frozen=True)
class Planned:
    """The answer to a question."""

    question: Question
    needs: tuple[Need, ...]
    towns_need: Need
    answers: int
    addresses: int
    cost: float
    spreads: tuple[Spread, ...]
    towns: tuple[TownPlan, ...]
    chances: tuple[tuple[float, float], ...]
    change: float
    town_difference: float
    false_verdicts: float


def plan(wave: Wave, question: Question) -> Planned:
    """Answer a question for the towns of a wave.

    Raises NoPopulations, ProblemsFound (fields of ``Question``).
    """
    if not wave.strata:
        raise NoPopulations
    problems = question.problems()
    if problems:
        raise ProblemsFound(problems)
    population = {stratum.town_code: stratum.population for stratum in wave.strata}
    adults = sum(population.values())
    needs = _needs(question, adults)
    by_margin = {town: _for_margin(question, people) for town, people in population.items()}
    answers = question.answers or max(need.answers for need in needs)
    sizes = {method: _spread(question, population, answers, method) for method in METHODS}
    expected = {method: _expected(question, population, sizes[method]) for method in METHODS}
    spreads = tuple(_worth(question, method, expected[method]) for method in METHODS)
    balanced = next(each for each in spreads if each.method == 'power')
    addresses = math.ceil(answers / question.response)
    return Planned(
        question=question,
        needs=needs,
        towns_need=_together('towns', list(by_margin.values())),
        answers=answers,
        addresses=addresses,
        cost=addresses * question.visits * question.cost,
        spreads=spreads,
        towns=_towns(wave, by_margin, expected),
        chances=_chances(question.target, balanced.effective),
        change=_detectable(question.target, balanced.effective),
        town_difference=_detectable(question.target, answers / len(population) / question.deff),
        false_verdicts=len(population) * (1 - LEVEL),
    )


def _needs(question: Question, adults: int) -> tuple[Need, ...]:
    common = {'deff': question.deff, 'response': question.response}
    proof = planning.size_for_target(
        question.truth,
        question.target,
        power=question.power,
        level=LEVEL,
        population=adults,
        **common,
    )
    official = math.ceil((question.inhabitants or adults) * OFFICIAL_RATE)
    small_country = math.ceil(ESS_EFFECTIVE * question.deff)
    return (
        Need('proof', proof.effective, proof.answers, proof.addresses),
        _need('official', question, official),
        _need('ess', question, small_country),
    )


def _need(name: str, question: Question, answers: int) -> Need:
    effective = math.floor(answers / question.deff)
    return Need(name, effective, answers, math.ceil(answers / question.response))


def _together(name: str, needs: list[Need]) -> Need:
    return Need(
        name,
        sum(need.effective for need in needs),
        sum(need.answers for need in needs),
        sum(need.addresses for need in needs),
    )


def _for_margin(question: Question, people: int) -> Need:
    size = planning.size_for_margin(
        question.margin,
        p=question.target,
        level=LEVEL,
        population=people,
        deff=question.deff,
        response=question.response,
    )
    return Need('town', size.effective, size.answers, size.addresses)


def _spread(
    question: Question, population: Mapping[str, int], answers: int, method: str
) -> Mapping[str, int]:
    least = max(2, math.ceil(question.deff))  # one effective answer, and two for an error
    minimum = {town: min(least, people) for town, people in population.items()}
    try:
        return allocation.allocate(
            population, answers, METHODS[method], minimum=minimum, cap=population
        )
    except AnalysisError as error:
        message = N_('%(answers)s answers cannot be spread over %(towns)s towns.')
        cure = N_('Every town needs two answers at least, and has no more than its adults.')
        values = {'answers': answers, 'towns': len(population)}
        problem = Problem('answers', 'cannot_spread', message, cure, values)
        raise ProblemsFound([problem]) from error


def _expected(
    question: Question, population: Mapping[str, int], sizes: Mapping[str, int]
) -> Records[planning.Expected]:
    """What every town gets, and the city last."""
    return planning.expected_precision(
        population,
        sizes,
        p=question.target,
        target=question.target,
        truth=question.truth,
        deff=question.deff,
        level=LEVEL,
    )


def _worth(question: Question, method: str, expected: Records[planning.Expected]) -> Spread:
    *towns, city = expected
    margins = [town.margin for town in towns]
    shown = {
        truth: sum(
            planning.power(truth, question.target, max(town.effective, 1), level=LEVEL)
            >= USUAL_POWER
            for town in towns
        )
        for truth in TOWN_TRUTHS
        if truth != question.target
    }
    return Spread(
        method=method,
        effective=city.effective,
        margin=city.margin,
        smallest_met=None if math.isnan(city.smallest_met) else city.smallest_met,
        power=city.power,
        widest_town=max(margins),
        narrowest_town=min(margins),
        towns_shown=shown,
    )


def _towns(
    wave: Wave, by_margin: Mapping[str, Need], expected: Mapping[str, Records[planning.Expected]]
) -> tuple[TownPlan, ...]:
    return tuple(
        TownPlan(
            code=stratum.town_code,
            name=stratum.name,
            population=stratum.population,
            for_margin=by_margin[stratum.town_code].answers,
            answers={method: rows[i].answers for method, rows in expected.items()},
            margins={method: rows[i].margin for method, rows in expected.items()},
        )
        for i, stratum in enumerate(wave.strata)
    )


def _chances(target: float, effective: float) -> tuple[tuple[float, float], ...]:
    """How likely the verdict “met” is for the city, by what may be true."""
    return tuple(
        (truth, planning.power(truth, target, effective, level=LEVEL))
        for truth in TRUTHS
        if truth > target
    )


def _detectable(share: float, effective: float) -> float:
    """The difference of two such groups that is shown with 80 % power, two-sided 5 %.

    (z_{0.975} + z_{0.8})·√(2pq/n) (Fleiss, Levin and Paik 2003, section 4.2).
    """
    z = planning.normal_quantile(0.975) + planning.normal_quantile(USUAL_POWER)
    return z * math.sqrt(2 * share * (1 - share) / effective)


def keep(session: Session, slug: str, question: Question, *, actor: str, now: datetime) -> Planned:
    """Save a plan with its wave, in place of an earlier one; the wanted answers follow it.

    Raises NotPlanned, NoPopulations, ProblemsFound, NotFound.
    """
    wave = lifecycle.planned(session, slug)
    found = plan(wave, question)
    kept = session.get(WavePlan, wave.id) or WavePlan(wave_id=wave.id)
    kept.question = asdict(question)
    kept.answers, kept.addresses = found.answers, found.addresses
    kept.saved_at, kept.saved_by = now, actor
    session.add(kept)
    wave.target_n = found.answers
    session.flush()
    details = {**kept.question, 'answers': found.answers, 'addresses': found.addresses}
    audit.on_wave(session, wave, 'wave.plan', actor, now, details)
    return found


def kept(session: Session, slug: str) -> WavePlan | None:
    """The plan saved with a wave.  Raises NotFound."""
    return session.get(WavePlan, access.wave_for(session, slug).id)


def asked_before(found: WavePlan | None) -> Question:
    """The question of a saved plan, or the usual one."""
    return Question(**found.question) if found else Question()  # type: ignore[arg-type]
