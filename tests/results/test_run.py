"""From stored answers to figures: known answers, and what must never happen."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from scipy.stats import t
from sqlalchemy.orm import Session

from cixi_survey.database import Database
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import Invitation, Response, Run, Wave, WaveMargin, WaveStratum
from cixi_survey.results import dataset, run
from cixi_survey.results.dataset import WaveNotSealed
from cixi_survey.results.rates import NothingToEstimate, OutcomesDiffer
from cixi_survey.results.run import CannotEstimate, Options
from cixi_survey.results.weighting import MarginWithoutAnswers, TownWithoutSample
from tests import factories
from tests.results.conftest import (
    FUHAI,
    HUSHAN,
    NOW,
    database_of,
    made,
    opened,
    sampled,
    tiny,
    whole,
)


def figures_of(session: Session, wave: Wave, **options: Any) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(made(session, wave, **options).figures)
    return figures


def named(figures: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in figures['indicators'] if each['name'] == name)


def in_town(indicator: dict[str, Any], town: str) -> dict[str, Any]:
    return next(row for row in indicator['towns'] if row['town'] == town)


def test_the_satisfaction_of_two_towns_is_what_it_is_by_hand(database: Database) -> None:
    with database.transaction() as session:
        satisfaction = named(figures_of(session, tiny(session)), 'satisfaction_share')
    # Hushan: 600 adults, 3 of 4 satisfied; Fuhai: 300 adults, 1 of 3.
    share = (600 * 3 / 4 + 300 * 1 / 3) / 900
    # Variance within towns.  The finite population correction counts adults: of 100 addresses
    # with 2 adults each 5 in 6 are eligible, of 50 all are, and 4 and 3 adults answered.
    # Residuals ¼, ¼, ¼, −¾ have the sum of squares 0.75; ⅔, −⅓, −⅓ have ⅔.
    hushan = (1 - 4 / (100 * 2 * 5 / 6)) * (0.75 / 3) / 4
    fuhai = (1 - 3 / (50 * 2)) * (2 / 3 / 2) / 3
    variance = (600 / 900) ** 2 * hushan + (300 / 900) ** 2 * fuhai
    total = satisfaction['total']
    assert share == pytest.approx(0.611111, abs=1e-6)
    assert total['est'] == pytest.approx(share, rel=1e-12)
    assert total['se'] == pytest.approx(0.197703, abs=1e-6)
    assert total['se'] == pytest.approx(math.sqrt(variance), rel=1e-12)
    assert (total['n'], total['df']) == (7, 5)
    size = share * (1 - share) / variance
    assert total['n_eff'] == pytest.approx(size, rel=1e-12)
    # Wilson's interval with that size and Student's t for 5 degrees of freedom.
    q = float(t.ppf(0.975, 5))
    centre = (share + q**2 / (2 * size)) / (1 + q**2 / size)
    half = q / (1 + q**2 / size) * math.sqrt(share * (1 - share) / size + q**2 / (4 * size**2))
    assert total['lci'] == pytest.approx(centre - half, rel=1e-9)
    assert total['uci'] == pytest.approx(centre + half, rel=1e-9)
    assert in_town(satisfaction, HUSHAN)['est'] == pytest.approx(0.75, rel=1e-12)
    assert in_town(satisfaction, HUSHAN)['se'] == pytest.approx(math.sqrt(hushan), rel=1e-12)
    assert in_town(satisfaction, FUHAI)['se'] == pytest.approx(math.sqrt(fuhai), rel=1e-12)


def test_scores_and_mean_shares_are_what_they_are_by_hand(app: Flask) -> None:
    with database_of(app).transaction() as session:
        figures = figures_of(session, tiny(session))
    # Hushan 100, 80, 100, 60 → 85; Fuhai 100, 30, 60 → 63⅓; weights 2 to 1.
    score = named(figures, 'satisfaction_score')
    assert score['total']['est'] == pytest.approx((2 * 85 + 190 / 3) / 3, rel=1e-12)
    assert score['total']['method'] == 't'
    assert score['total']['uci'] <= 100
    # Right answers: everybody in Hushan 2 of 2; in Fuhai 1, 0 and 2 of 2.
    knowledge = named(figures, 'knowledge')
    assert (knowledge['kind'], knowledge['total']['method']) == ('mean', 'wilson')
    assert knowledge['total']['est'] == pytest.approx((2 * 1 + 0.5) / 3, rel=1e-12)
    assert in_town(knowledge, FUHAI)['est'] == pytest.approx(0.5, rel=1e-12)


def test_each_step_of_the_weights_is_kept(app: Flask) -> None:
    with database_of(app).transaction() as session:
        weights = figures_of(session, tiny(session))['weights']
    base, spread, adjusted, raked = weights['steps']
    # Base weight 2 adults / 0.08 = 25 in Hushan, 2 / 0.1 = 20 in Fuhai.
    assert (base['max'], base['min']) == (25, 20)
    assert base['total'] == pytest.approx(4 * 25 + 3 * 20)
    # Hushan: 8 units, 2 without any sign; Fuhai: 5 units, 1 without.
    assert spread['total'] == pytest.approx(100 * 8 / 6 + 60 * 5 / 4)
    # Eligible and known: 5 with 4 answers in Hushan, 4 with 3 answers in Fuhai.
    assert adjusted['total'] == pytest.approx(100 * 8 / 6 * 5 / 4 + 60 * 5 / 4 * 4 / 3)
    assert raked['total'] == pytest.approx(900)
    assert (raked['max'], raked['min']) == (pytest.approx(150), pytest.approx(100))
    # Kish: 7 · (4 · 150² + 3 · 100²) / 900²
    assert raked['kish'] == pytest.approx(7 * (4 * 150**2 + 3 * 100**2) / 900**2)


def test_the_returns_reconcile_to_n(app: Flask) -> None:
    with database_of(app).transaction() as session:
        figures = figures_of(session, tiny(session))
    total = figures['returns']['total']
    assert total['complete'] == figures['dataset']['n'] == 7
    assert total['invited'] == 13
    parts = ('complete', 'withdrawn', 'refusal', 'ineligible', 'unknown')
    assert sum(total[name] for name in parts) == 13
    assert total['rr1'] == pytest.approx(7 / (7 + 2 + 3))
    assert total['e'] == pytest.approx(9 / 10)
    assert total['rr3'] == pytest.approx(7 / (9 + 0.9 * 3))
    weighted = figures['returns']['weighted']
    assert weighted['rr1'] == pytest.approx(
        (4 * 25 + 3 * 20) / (4 * 25 + 25 + 2 * 25 + 3 * 20 + 20 + 20)
    )


def test_running_again_gives_the_same_digits_on_every_database(both_apps: Flask) -> None:
    hashes = set()
    for _ in range(2):
        with database_of(both_apps).transaction() as session:
            wave = session.scalars(sa.select(Wave)).first() or whole(session)
            hashes.add(made(session, wave).figures_sha256)
    assert len(hashes) == 1


def test_the_digits_do_not_depend_on_keys_or_on_the_order_of_arrival(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = whole(session)
        first = made(session, wave)
        rows = [
            dict(row._mapping)
            for row in session.execute(sa.select(Response.__table__).order_by(Response.id))
        ]
        other = factories.wave(session, slug='other', state='closed', now=NOW)
        session.execute(sa.delete(WaveStratum).where(WaveStratum.wave_id == other.id))
        for table in (WaveStratum.__table__, WaveMargin.__table__):
            copied = [
                {**row._mapping, 'wave_id': other.id}
                for row in session.execute(sa.select(table).where(table.c.wave_id == wave.id))
            ]
            session.execute(sa.insert(table), copied)
        session.expire(other)
        invitations = [
            dict(row._mapping) for row in session.execute(sa.select(Invitation.__table__))
        ]
        for key, row in enumerate(reversed(rows)):
            row |= {'id': 90_000 + key, 'wave_id': other.id, 'reference': f'r{key}'}
            row['submission_id'] = f's{key}'
        for row in invitations:
            row |= {'id': 90_000 + row['id'], 'wave_id': other.id}
        session.execute(sa.insert(Response), rows)
        session.execute(sa.insert(Invitation), invitations)
        again = made(session, other)
    assert again.dataset_sha256 == first.dataset_sha256
    for name in ('indicators', 'items', 'weights', 'returns', 'open'):
        assert json.loads(again.figures)[name] == json.loads(first.figures)[name]


def test_the_dataset_hash_sees_every_answer_and_every_weight(app: Flask) -> None:
    hashes = []
    for slug, answer, size in (('a', 'satisfied', 2), ('b', 'rather', 2), ('c', 'satisfied', 3)):
        with database_of(app).transaction() as session:
            wave = factories.wave(session, slug=slug, state='closed', now=NOW)
            sampled(
                session,
                wave,
                HUSHAN,
                [{'overall': answer}],
                probability=0.1,
                frame_count=9,
                sizes=[size],
            )
            hashes.append(dataset.load(session, wave, 'probability').sha256)
    assert len(set(hashes)) == 3


def test_the_open_stream_changes_no_figure_of_the_sample(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        before = figures_of(session, wave)
        opened(session, wave, [{'overall': 'satisfied'}] * 500)
        after = figures_of(session, wave)
    assert (before['open']['n'], after['open']['n']) == (0, 500)
    for name in ('indicators', 'items', 'weights', 'returns'):
        assert before[name] == after[name]
    assert before['dataset']['sha256'] == after['dataset']['sha256']


def test_one_call_reads_one_stream_and_the_open_one_has_no_design(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        opened(session, wave, [{}] * 3)
        sample = dataset.load(session, wave, 'probability')
        others = dataset.load(session, wave, 'open')
    assert (sample.n, others.n) == (7, 3)
    assert sample.sampling is not None
    assert others.sampling is None


@pytest.mark.parametrize('state', ['planned', 'open'])
def test_an_unsealed_wave_gives_no_figures(app: Flask, state: str) -> None:
    with database_of(app).transaction() as session:
        wave = factories.wave(session, state=state)
        with pytest.raises(WaveNotSealed):
            made(session, wave)
        assert session.scalar(sa.select(sa.func.count()).select_from(Run)) == 0


def test_the_first_run_moves_the_wave_to_estimated(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        assert wave.state == 'closed'
        made(session, wave)
        assert wave.state == 'estimated'


def test_a_frozen_run_cannot_be_changed(both_apps: Flask) -> None:
    with database_of(both_apps).transaction() as session:
        made(session, tiny(session))
    with (
        pytest.raises(sa.exc.IntegrityError, match='run is frozen'),
        database_of(both_apps).transaction() as session,
    ):
        session.execute(sa.update(Run).values(figures='{}'))


@pytest.mark.parametrize(
    ('scale', 'judged', 'withheld'),
    [
        ('share', 'satisfaction_share', 'satisfaction_score'),
        ('score', 'satisfaction_score', 'satisfaction_share'),
    ],
)
def test_satisfaction_is_judged_on_the_bound_scale_only(
    app: Flask, scale: str, judged: str, withheld: str
) -> None:
    questionnaire = factories.small()
    score = questionnaire.indicator('satisfaction_score')
    targets = questionnaire.indicator('satisfaction_share').targets
    both = questionnaire.model_copy(
        update={
            'indicators': tuple(
                each.model_copy(update={'targets': targets}) if each is score else each
                for each in questionnaire.indicators
            )
        }
    )
    rebuilt = type(questionnaire).model_validate_json(
        json.dumps(both.model_dump(mode='json', exclude_defaults=True))
    )
    with database_of(app).transaction() as session:
        figures = figures_of(
            session, tiny(session, satisfaction_scale=scale, questionnaire=rebuilt)
        )
    assert named(figures, judged)['total']['verdict']['decision'] == 'undecided'
    assert named(figures, withheld)['total']['verdict'] is None
    assert named(figures, withheld)['target'] is None
    assert named(figures, withheld)['verdict_withheld'] == 'other_scale'


@pytest.mark.parametrize(
    ('basis', 'year', 'target'),
    [
        ('national', 2020, 0.80),
        ('plan', 2020, None),
        ('plan', 2021, 0.80),
        ('plan', 2024, 0.80),
        ('plan', 2025, 0.85),
        ('plan', 2030, 0.85),
        ('chapter8', 2026, None),
    ],
)
def test_the_target_is_that_of_the_basis_in_force_in_the_year(
    app: Flask, basis: str, year: int, target: float | None
) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(
            session,
            target_basis=basis,
            # New Year's Eve in UTC is New Year's Day in Cixi.
            opens_at=datetime(year - 1, 12, 31, 16, 0, tzinfo=UTC),
            closes_at=datetime(year, 2, 1, tzinfo=UTC),
        )
        knowledge = named(figures_of(session, wave), 'knowledge')
    if target is None:
        assert knowledge['total']['verdict'] is None
        assert knowledge['verdict_withheld'] == 'other_basis'
    else:
        assert knowledge['target']['value'] == target
        assert knowledge['total']['verdict'] is not None
        assert knowledge['target'] not in knowledge['other_targets']


def test_an_indicator_without_a_target_on_the_basis_gets_no_verdict(app: Flask) -> None:
    with database_of(app).transaction() as session:
        participation = named(
            figures_of(session, tiny(session, target_basis='plan')), 'participation'
        )
    assert participation['target'] is None
    assert [other['basis'] for other in participation['other_targets']] == ['national']


def test_the_verdict_is_one_sided_and_agrees_with_its_bounds(app: Flask) -> None:
    with database_of(app).transaction() as session:
        satisfaction = named(figures_of(session, whole(session)), 'satisfaction_share')
    seen = set()
    for row in [satisfaction['total'], *satisfaction['towns']]:
        verdict = row['verdict']
        seen.add(verdict['decision'])
        expected = 'undecided'
        if verdict['lower'] > 0.8:
            expected = 'met'
        elif verdict['upper'] < 0.8:
            expected = 'not_met'
        assert verdict['decision'] == expected
        # A one-sided 95 % bound lies inside the two-sided 95 % interval.
        assert row['lci'] <= verdict['lower'] <= row['est'] <= verdict['upper'] <= row['uci']
    assert {'met', 'undecided'} <= seen


def test_the_baseline_stands_beside_the_score_only(app: Flask) -> None:
    with database_of(app).transaction() as session:
        figures = figures_of(session, tiny(session))
    assert named(figures, 'satisfaction_score')['baseline']['value'] == 75.3
    assert named(figures, 'satisfaction_share')['baseline'] is None


def test_dont_know_is_out_of_the_base_with_a_worst_case_above_five_per_cent(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        before = named(figures_of(session, wave), 'satisfaction_share')
        assert before['dont_know']['est'] == 0
        assert before['worst_case'] is None
        figures = figures_of(session, whole(session))
    after = named(figures, 'satisfaction_share')
    assert after['dont_know']['est'] > 0.05
    assert after['total']['n'] < after['dont_know']['n']
    expected = after['total']['est'] * (1 - after['dont_know']['est'])
    assert after['worst_case']['est'] == pytest.approx(expected, rel=1e-9)
    # For knowledge “don't know” counts as not right from the start: nothing is worse.
    assert named(figures, 'knowledge')['worst_case'] is None
    assert named(figures, 'knowledge')['total']['missing'] == 0


def test_a_withdrawn_answer_is_not_used_and_counts_as_a_refusal(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = factories.wave(
            session, state='closed', now=NOW, population={HUSHAN: 600, FUHAI: 300}
        )
        rows = [{'overall': 'satisfied'}] * 3 + [{'overall': 'not_at_all'}]
        for town in (HUSHAN, FUHAI):
            sampled(session, wave, town, rows, probability=0.1, frame_count=40, withdrawn=1)
        figures = figures_of(session, wave)
    returns = figures['returns']['total']
    assert (returns['complete'], returns['withdrawn']) == (6, 2)
    assert returns['rr1'] == 6 / 8
    assert named(figures, 'satisfaction_share')['total']['est'] == 1.0
    assert figures['weights']['classes'][0]['nonresponse'] == pytest.approx(4 / 3)


def test_a_share_of_one_has_an_interval_of_some_width(app: Flask) -> None:
    with database_of(app).transaction() as session:
        participation = named(figures_of(session, tiny(session)), 'participation')
    assert participation['total']['est'] == 1.0
    assert participation['total']['lci'] < 0.9


def test_who_lacks_a_raking_variable_keeps_the_share_from_before(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = whole(session)
        session.execute(sa.delete(WaveMargin))
        session.expire(wave)
        wave.margins = [
            WaveMargin(variable='overall', category=value, share=share, source='test')
            for value, share in (('satisfied', 0.6), ('rather', 0.3), ('not_very', 0.05))
        ] + [WaveMargin(variable='overall', category='not_at_all', share=0.05, source='test')]
        session.flush()
        weights = figures_of(session, wave)['weights']
    (missing,) = weights['raking']['not_known']
    rows = {row['category']: row for row in weights['raking']['margins']}
    lost = rows['not_known']
    assert missing['n'] == lost['n'] > 0
    before = sum(row['before'] for row in rows.values() if row['variable'] == 'overall')
    after = sum(row['after'] for row in rows.values() if row['variable'] == 'overall')
    assert lost['after'] / after == pytest.approx(lost['before'] / before, rel=1e-6)
    known = after - lost['after']
    assert rows['satisfied']['after'] == pytest.approx(0.6 * known, rel=1e-6)


def test_raking_meets_the_population_of_towns_and_margins(app: Flask) -> None:
    with database_of(app).transaction() as session:
        raking = figures_of(session, whole(session))['weights']['raking']
    assert raking['misfit'] < 1e-6
    for row in raking['margins']:
        assert row['after'] == pytest.approx(row['population'], rel=1e-6)


def test_without_raking_a_reason_is_needed_and_kept(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        with pytest.raises(ProblemsFound) as found:
            made(session, wave, raking=False)
        assert [problem.where for problem in found.value.problems] == ['reason']
        figures = figures_of(session, wave, raking=False, reason='人口数尚未核定')
    assert figures['weights']['raking'] is None
    assert figures['options']['reason'] == '人口数尚未核定'


def test_bad_options_are_named_all_at_once() -> None:
    problems = Options(level=0.5, method='guess', raking=False).problems()
    assert [problem.where for problem in problems] == ['level', 'method', 'reason']


def test_a_town_with_a_single_answer_is_refused_by_name(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = factories.wave(
            session, state='closed', now=NOW, population={HUSHAN: 600, FUHAI: 300}
        )
        sampled(session, wave, HUSHAN, [{}] * 3, probability=0.1, frame_count=40)
        sampled(session, wave, FUHAI, [{}], probability=0.1, frame_count=40)
        with pytest.raises(TownWithoutSample) as refusal:
            made(session, wave)
    assert refusal.value.values['towns'] == [{'zh': '附海镇', 'en': 'Fuhai Town'}]


def test_a_category_with_people_but_without_answers_is_refused_by_name(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        wave.margins = [
            WaveMargin(variable='age', category=age, share=share, source='test')
            for age, share in (('a18_39', 0.4), ('a40_up', 0.5), ('a70_up', 0.1))
        ]
        session.flush()
        with pytest.raises(MarginWithoutAnswers) as refusal:
            made(session, wave)
    assert refusal.value.values['categories'] == 'age = a70_up'


def test_answers_without_their_invitations_are_refused(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        first = session.scalars(sa.select(Invitation).where(Invitation.outcome == 'complete'))
        session.delete(first.first())
        session.flush()
        with pytest.raises(OutcomesDiffer) as refusal:
            made(session, wave)
    assert refusal.value.values['invited'] == 3


def test_a_wave_with_open_answers_only_has_no_figures(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = factories.wave(session, state='closed', now=NOW)
        opened(session, wave, [{}] * 200)
        with pytest.raises(NothingToEstimate):
            made(session, wave)


def test_the_correction_for_a_large_sample_counts_adults_not_addresses(app: Flask) -> None:
    """Every address answers.  Of each the only adult, or one of two: half is still unknown."""
    rows = [{'overall': 'satisfied'}] * 7 + [{'overall': 'not_very'}] * 3
    errors = {}
    for size in (1, 2):
        with database_of(app).transaction() as session:
            wave = factories.wave(
                session,
                slug=f'all-{size}',
                state='closed',
                now=NOW,
                population={HUSHAN: 10 * size},
            )
            sampled(session, wave, HUSHAN, rows, probability=1.0, frame_count=10, sizes=[size] * 10)
            errors[size] = named(figures_of(session, wave), 'satisfaction_share')['total']['se']
    assert errors[1] == 0
    assert errors[2] == pytest.approx(math.sqrt((1 - 1 / 2) * 0.7 * 0.3 / 9), rel=1e-12)


def test_a_frame_smaller_than_its_sample_is_refused_with_its_cure(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = factories.wave(session, state='closed', now=NOW, population={HUSHAN: 600})
        sampled(session, wave, HUSHAN, [{}] * 5, probability=1.0, frame_count=4)
        with pytest.raises(CannotEstimate, match='smaller than the number of its answers'):
            made(session, wave)


def test_a_run_says_what_went_in(app: Flask) -> None:
    with database_of(app).transaction() as session:
        wave = tiny(session)
        frozen = made(session, wave, method='korn-graubard', level=0.9)
        figures = json.loads(frozen.figures)
    assert json.loads(frozen.options) == {
        'level': 0.9,
        'method': 'korn-graubard',
        'raking': True,
        'reason': '',
    }
    assert frozen.version_sha256 == wave.version_sha256 == figures['questionnaire']['sha256']
    assert frozen.dataset_sha256 == figures['dataset']['sha256']
    assert frozen.software.startswith('cixi_survey ')
    assert set(figures['software']) == {'cixi_survey', 'numpy', 'scipy'}
    assert run.canonical(figures) == frozen.figures
