"""The planner: the numbers of the method paper, and what a sample would not show."""

import html
import math

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import planning
from cixi_survey import clock
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import AuditEntry, Wave, WavePlan, WaveStratum
from cixi_survey.waves import lifecycle, planner, planner_chart
from cixi_survey.waves.planner import Question
from tests import factories
from tests.respond.conftest import database_of

ADULTS = [122, 90, 145, 160, 82, 101, 66, 150, 44, 43, 38, 41, 70, 45, 99, 32, 52, 120]


def wave(adults=ADULTS):
    strata = [
        WaveStratum(
            town_code=f'3302820{i:02}', name_zh=f'镇{i}', name_en=f'T{i}', population=n * 1000
        )
        for i, n in enumerate(adults)
    ]
    return Wave(strata=strata)


def need(planned, name):
    return next(each for each in planned.needs if each.name == name)


@pytest.mark.parametrize(
    ('truth', 'effective'),
    [(0.82, 2408), (0.83, 1055), (0.84, 584), (0.85, 368), (0.87, 181), (0.90, 83), (0.95, 32)],
)
def test_effective_answers_that_prove_80_per_cent(truth, effective):
    """Normal approximation at 80 % power, one-sided 5 %; exact sizes may ask for a little more."""
    found = need(planner.plan(wave(), Question(truth=truth)), 'proof').effective
    assert effective <= found <= effective * 1.12 + 3


def test_the_three_reasons_and_what_each_asks_for():
    planned = planner.plan(wave(), Question(inhabitants=1_599_000))
    assert need(planned, 'official').answers == 1599
    assert need(planned, 'ess').answers == 1200
    assert need(planned, 'ess').effective == 800
    assert need(planned, 'proof').answers == pytest.approx(
        1.5 * need(planned, 'proof').effective, abs=3
    )
    assert planned.answers == max(each.answers for each in planned.needs)
    assert planned.addresses == math.ceil(planned.answers / 0.6)


def test_without_the_inhabitants_the_adults_are_taken_for_the_official_minimum():
    planned = planner.plan(wave(), Question())
    assert need(planned, 'official').answers == sum(ADULTS)


def test_costs_count_every_visit_to_every_address():
    planned = planner.plan(wave(), Question(answers=600, response=0.5, visits=2, cost=15))
    assert planned.cost == 600 / 0.5 * 2 * 15


def test_every_town_to_five_points_takes_several_times_the_city():
    planned = planner.plan(wave(), Question(margin=0.05))
    per_town = [town.for_margin for town in planned.towns]
    # 246 effective answers × 1.5, less the finite population
    assert all(355 <= answers <= 369 for answers in per_town)
    assert planned.towns_need.answers == sum(per_town)


@given(
    st.lists(st.integers(3, 200), min_size=2, max_size=18),
    st.integers(100, 3000),
    st.floats(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_every_way_of_spreading_adds_up_and_no_city_figure_beats_the_proportional(
    adults, answers, deff
):
    planned = planner.plan(wave(adults), Question(answers=answers, deff=deff))
    for method in planner.METHODS:
        assert sum(town.answers[method] for town in planned.towns) == answers
        assert all(2 <= town.answers[method] <= town.population for town in planned.towns)
    margins = {each.method: each.margin for each in planned.spreads}
    assert margins['proportional'] <= min(margins.values()) * 1.02
    widest = {each.method: each.widest_town for each in planned.spreads}
    assert widest['equal'] <= min(widest.values()) * 1.02


def test_what_the_sample_would_not_show():
    planned = planner.plan(wave(), Question(answers=1600))
    balanced = next(each for each in planned.spreads if each.method == 'power')
    assert 0.818 < balanced.smallest_met < 0.825
    assert balanced.towns_shown[0.85] == 0  # 90 answers a town prove nothing at 85 %
    chances = dict(planned.chances)
    assert list(chances) == [truth for truth in planner.TRUTHS if truth > 0.8]
    assert list(chances.values()) == sorted(chances.values())
    assert chances[0.83] == planning.power(0.83, 0.80, balanced.effective)
    assert planned.false_verdicts == pytest.approx(18 * 0.05)


def test_everybody_asked_leaves_nothing_open(organiser):
    asked = 'target=80&truth=85&power=80&margin=5&response=60&deff=1.5&visits=1&cost=10'
    page = organiser.get(f'/staff/waves/w2026/plan?{asked}&answers=80000')
    text = html.unescape(page.get_data(as_text=True))
    assert page.status_code == 200
    assert '所有人' in text
    planned = planner.plan(wave([3, 4]), Question(answers=7000))
    assert all(town.margins['power'] == 0 for town in planned.towns)
    assert planned.spreads[0].margin == 0


def test_a_target_that_no_answers_can_show_is_said_to_be_so(organiser):
    asked = 'target=99&truth=99.5&power=80&margin=5&response=60&deff=2&visits=1&cost=10&answers=30'
    page = organiser.get(f'/staff/waves/w2026/plan?{asked}')
    text = html.unescape(page.get_data(as_text=True))
    assert page.status_code == 200
    assert '即使所有答卷' in text
    planned = planner.plan(wave([3, 4]), Question(target=0.99, truth=0.995, answers=30))
    assert planned.spreads[0].smallest_met is None


def test_the_change_that_two_waves_show():
    """Two-sided 5 %, 80 % power, variance of 80 % in both: (1.960 + 0.842)² · 0.32 / 0.05²."""
    assert planner._detectable(0.8, 1005) == pytest.approx(0.05, abs=1e-4)


@pytest.mark.parametrize(
    ('changes', 'field'), [({'truth': 0.8}, 'truth'), ({'answers': 20}, 'answers')]
)
def test_a_question_without_an_answer_is_refused_at_its_field(changes, field):
    with pytest.raises(ProblemsFound) as found:
        planner.plan(wave(), Question(**changes))
    assert [problem.where for problem in found.value.problems] == [field]


def test_a_plan_is_saved_with_its_wave_and_recorded(database):
    now = clock.now()
    with database.transaction() as session:
        factories.wave(session, state='planned')
        factories.wave(session, slug='running')
        planner.keep(session, 'w2026', Question(truth=0.9), actor='wu', now=now)
        again = planner.keep(session, 'w2026', Question(truth=0.85), actor='xu', now=now)
        with pytest.raises(lifecycle.NotPlanned):
            planner.keep(session, 'running', Question(), actor='wu', now=now)
    with database.reading() as session:
        kept = session.scalars(sa.select(WavePlan)).one()
        wanted = session.scalars(sa.select(Wave.target_n).where(Wave.slug == 'w2026')).one()
        acts = session.scalars(sa.select(AuditEntry.action)).all()
    assert planner.asked_before(kept) == Question(truth=0.85)
    assert (kept.answers, wanted, kept.saved_by) == (again.answers, again.answers, 'xu')
    assert acts == ['wave.plan', 'wave.plan']


def test_the_chart_has_every_town_with_its_three_marks_inside_the_picture():
    chart = planner_chart.towns_chart(planner.plan(wave(), Question()))
    assert len(chart.rows) == 18
    for row in chart.rows:
        assert [method for method, _x in row.marks] == list(planner.METHODS)
        assert all(planner_chart.LEFT <= x <= planner_chart.RIGHT for _method, x in row.marks)


@pytest.fixture
def organiser(app):
    client = app.test_client()
    factories.sign_in(client, database_of(app), 'organiser')
    with database_of(app).transaction() as session:
        factories.wave(session, state='planned')
    return client


def test_the_page_answers_keeps_what_was_typed_and_saves(app, organiser):
    address = '/staff/waves/w2026/plan'
    first = organiser.get(address)
    assert first.status_code == 200
    asked = 'target=80&truth=85&power=80&margin=5&response=60&deff=1.5&visits=1&cost=10'
    text = html.unescape(organiser.get(f'{address}?{asked}').get_data(as_text=True))
    planned = planner.plan(
        Wave(
            strata=[
                WaveStratum(town_code=code, name_zh='', name_en='', population=people)
                for code, people in (('330282004', 60_000), ('330282108', 20_000))
            ]
        ),
        Question(truth=0.85, visits=1, cost=10),
    )
    assert f'{planned.answers:,}份答卷' in text
    assert '85.0%' in text
    wrong = organiser.get(f'{address}?{asked.replace("truth=85", "truth=80")}')
    assert wrong.status_code == 422
    assert 'f-truth-error' in wrong.get_data(as_text=True)
    assert 'value="80"' in wrong.get_data(as_text=True)
    words = organiser.get(f'{address}?{asked.replace("deff=1.5", "deff=viel")}')
    assert words.status_code == 422
    token = text.split('name="csrf_token" value="')[1].split('"')[0]
    fields = dict(pair.split('=') for pair in asked.split('&'))
    saved = organiser.post(address, data={**fields, 'csrf_token': token})
    assert saved.status_code == 303
    shown = organiser.get('/staff/waves/w2026').get_data(as_text=True)
    assert f'{planned.addresses:,}个地址，{planned.answers:,}份答卷' in shown


def test_without_populations_it_says_what_to_do(app):
    client = app.test_client()
    factories.sign_in(client, database_of(app), 'organiser')
    with database_of(app).transaction() as session:
        made = factories.wave(session, state='planned')
        made.strata.clear()
    page = client.get('/staff/waves/w2026/plan')
    assert page.status_code == 409
    assert '人口' in page.get_data(as_text=True)
