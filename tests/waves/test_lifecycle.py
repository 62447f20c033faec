"""The life of a wave: what opens it, what closes it, and what closing makes impossible."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cixi_survey import audit, clock
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import (
    AuditEntry,
    ClosedCode,
    Draft,
    FrameUnit,
    Invitation,
    Response,
    Wave,
)
from cixi_survey.waves import guards, lifecycle
from tests import factories
from tests.waves import conftest as make
from tests.waves.conftest import ACT

SLUG = 'autumn-2026'


def reasons(database, *, without_sample=False, now=None):
    act = {**ACT, 'now': now or clock.now()}
    with pytest.raises(lifecycle.NotReady) as refused, database.transaction() as session:
        lifecycle.put_forward(session, SLUG, without_sample=without_sample, **act)
    return [problem.code for problem in refused.value.problems]


def actions(session):
    query = sa.select(AuditEntry.action).order_by(AuditEntry.id)
    return session.scalars(query).all()


def test_a_fully_prepared_wave_opens(database):
    with database.transaction() as session:
        wave = make.opened(session)
        assert wave.is_open(clock.now())
    with database.reading() as session:
        assert actions(session) == [
            'wave.create',
            'wave.populations',
            'wave.frame',
            'wave.draw',
            'wave.codes',
            'wave.put_forward',
            'wave.approve',
            'wave.open',
        ]
        assert audit.broken_at(session) is None


def test_every_reason_against_opening_is_told_at_once(database):
    with database.transaction() as session:
        make.create(
            session,
            form_number='',
            form_authority=' ',
            approval_number='',
            approval_valid_until=None,
        )
    assert reasons(database) == [
        'approval_missing',
        'approval_missing',
        'approval_missing',
        'approval_missing',
        'population_missing',
        'sample_missing',
    ]


def test_every_reason_has_a_sentence_and_a_cure(database):
    with database.transaction() as session:
        wave = make.create(session, approval_number='')
        for problem in guards.opening_problems(session, wave, clock.now()):
            assert problem.message
            assert problem.cure
            assert '%(' not in problem.text()


@pytest.mark.parametrize(
    ('days', 'expected'),
    [(-1, 'approval_expired'), (5, 'approval_too_short'), (20, None), (30, None)],
)
def test_the_approval_must_last_to_the_closing_day(database, today, days, expected):
    with database.transaction() as session:
        make.prepared(session, approval_valid_until=today + timedelta(days=days))
    if expected:
        assert reasons(database) == [expected]
    else:
        with database.transaction() as session:
            assert make.open_wave(session).state == 'open'


def test_a_wave_whose_end_is_past_does_not_open(database):
    with database.transaction() as session:
        wave = make.prepared(session)
        later = wave.closes_at + timedelta(minutes=1)
    assert reasons(database, now=later) == ['closing_past']


def test_a_sample_without_codes_is_not_enough(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session)
        make.draw_sample(session)
    assert reasons(database) == ['codes_missing']


def test_open_link_only_has_to_be_said(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
    assert reasons(database) == ['sample_missing']
    with database.transaction() as session:
        wave = make.open_wave(session, without_sample=True)
        assert wave.state == 'open'


def test_without_sample_and_without_link_nobody_could_answer(database):
    with database.transaction() as session:
        make.create(session, open_link=False)
        make.load_populations(session)
    assert reasons(database, without_sample=True) == ['nobody_can_answer']


def changed(**changes):
    """The small questionnaire with something else in it."""
    questionnaire = factories.small()
    return questionnaire.model_copy(update=changes)


def test_a_questionnaire_in_one_language_does_not_open(database):
    with database.transaction() as session:
        make.prepared(session, questionnaire=changed(languages=('zh',)))
    assert reasons(database) == ['language_missing']


def test_scale_and_target_must_exist_in_the_questionnaire(database):
    questionnaire = factories.small()
    only = tuple(each for each in questionnaire.indicators if each.family == 'knowledge')
    with database.transaction() as session:
        make.prepared(session, questionnaire=changed(indicators=only), target_basis='chapter8')
    assert reasons(database) == ['scale_unknown', 'target_unknown']


def test_every_town_with_a_population_needs_sampled_units(database):
    with database.transaction() as session:
        make.prepared(session)
        session.execute(sa.delete(Invitation).where(Invitation.stratum == make.FUHAI))
    assert reasons(database) == ['town_without_sample']


def test_the_database_itself_refuses_an_open_wave_without_approval(database):
    with database.transaction() as session:
        make.create(session, approval_number='')
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as session:
        session.execute(sa.update(Wave).values(state='open'))


def test_a_wave_opens_only_once(database):
    with database.transaction() as session:
        make.opened(session)
        lifecycle.close_wave(session, SLUG, **ACT)
    with pytest.raises(lifecycle.AlreadyOpened), database.transaction() as session:
        make.open_wave(session)


def test_what_was_decided_can_be_changed_only_while_planned(database):
    with database.transaction() as session:
        wave = make.prepared(session)
        plan = make.plan(version_sha256=wave.version_sha256, target_n=70)
        lifecycle.edit(session, SLUG, plan, **ACT)
        make.open_wave(session)
    for change in ({'satisfaction_scale': 'score'}, {'target_basis': 'plan'}, {'target_n': 1}):
        with pytest.raises(lifecycle.NotPlanned), database.transaction() as session:
            lifecycle.edit(session, SLUG, dataclasses.replace(plan, **change), **ACT)


def test_an_edit_records_before_and_after(database):
    with database.transaction() as session:
        wave = make.create(session)
        plan = make.plan(
            version_sha256=wave.version_sha256,
            opens_at=wave.opens_at,
            closes_at=wave.closes_at,
            target_n=1600,
        )
        lifecycle.edit(session, SLUG, plan, **ACT)
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == 'wave.edit')).one()
        assert entry.details == {'before': {'target_n': 60}, 'after': {'target_n': 1600}}


def test_two_waves_cannot_share_an_address_nor_close_before_they_open(database):
    with database.transaction() as session:
        wave = make.create(session)
    with pytest.raises(ProblemsFound) as found, database.transaction() as session:
        make.create(session, closes_at=wave.opens_at)
    assert [problem.code for problem in found.value.problems] == ['times_reversed', 'slug_taken']


def test_a_plan_sent_twice_at_once_makes_one_wave(database):
    with database.transaction() as session:
        factories.publish(session)

    def send(_number):
        try:
            with database.transaction() as session:
                return make.create(session).slug
        except ProblemsFound as found:
            return found.problems[0].code

    with ThreadPoolExecutor(6) as pool:
        said = sorted(pool.map(send, range(6)))
    assert said == [SLUG, *['slug_taken'] * 5]


def test_only_an_open_wave_closes(database):
    with database.transaction() as session:
        make.create(session)
    with pytest.raises(lifecycle.NotOpen), database.transaction() as session:
        lifecycle.close_wave(session, SLUG, **ACT)


@pytest.fixture
def answered(database):
    """A closed wave with an answer from the sample, one by open link, and a draft left over."""
    with database.transaction() as session:
        wave = make.opened(session)
        unit, other = session.scalars(
            sa.select(Invitation).where(Invitation.wave_id == wave.id).limit(2)
        )
        factories.response(session, wave, unit)
        factories.response(session, wave)
        session.add(
            Draft(
                submission_id='d' * 32,
                wave_id=wave.id,
                invitation_id=other.id,
                revision=1,
                answers={},
                started_at=clock.now(),
                saved_at=clock.now(),
            )
        )
        session.flush()
        lifecycle.close_wave(session, SLUG, **ACT)
    return database


def test_closing_cuts_every_answer_from_its_invitation(answered):
    with answered.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        assert (wave.state, wave.sealed) == ('closed', True)
        rows = session.execute(sa.select(Response.sealed, Response.invitation_id)).all()
        assert rows == [(True, None)] * 2
        assert session.scalar(sa.select(sa.func.count()).select_from(Draft)) == 0
        joined = sa.select(Response.id).join(Invitation, Response.invitation_id == Invitation.id)
        assert session.scalars(joined).all() == []


def test_closing_keeps_the_design_values_and_the_outcomes(answered):
    with answered.reading() as session:
        sampled = session.scalars(sa.select(Response).where(Response.stream == 'probability')).one()
        assert sampled.base_weight > 0
        assert sampled.stratum
        outcomes = session.execute(
            sa.select(Invitation.outcome, sa.func.count()).group_by(Invitation.outcome)
        )
        assert {row[0]: row[1] for row in outcomes} == {'complete': 1, 'pending': 99}


def test_the_database_refuses_to_tie_a_sealed_answer_to_an_invitation_again(answered):
    with answered.reading() as session:
        unit = session.scalars(sa.select(Invitation.id).limit(1)).one()
    for values in ({'invitation_id': unit}, {'sealed': False, 'invitation_id': unit}):
        with pytest.raises(sa.exc.IntegrityError), answered.transaction() as session:
            session.execute(
                sa.update(Response).where(Response.stream == 'probability').values(**values)
            )


def test_the_database_refuses_to_unseal_a_closed_wave(answered):
    for values in ({'sealed': False}, {'state': 'open'}, {'state': 'open', 'sealed': False}):
        with pytest.raises(sa.exc.IntegrityError), answered.transaction() as session:
            session.execute(sa.update(Wave).values(**values))


def test_the_database_refuses_a_late_answer_that_names_its_invitation(answered):
    pending = sa.select(Invitation).where(Invitation.outcome == 'pending')
    with answered.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        unit = session.scalars(pending).first()
    with pytest.raises(sa.exc.IntegrityError), answered.transaction() as session:
        factories.response(session, wave, unit, sealed=False, invitation_id=unit.id)


def test_an_answer_on_its_way_while_the_wave_closes_is_sealed_too(database):
    with database.transaction() as session:
        wave = make.opened(session)
        unit = session.scalars(sa.select(Invitation).limit(1)).one()

    def close():
        with database.transaction() as session:
            lifecycle.close_wave(session, SLUG, **ACT)

    with ThreadPoolExecutor() as pool:
        with database.transaction() as session:
            factories.response(session, wave, unit)
            closing = pool.submit(close)
        closing.result(timeout=30)
    with database.reading() as session:
        assert session.execute(sa.select(Response.sealed, Response.invitation_id)).all() == [
            (True, None)
        ]


def test_after_closing_the_sample_is_nameless(database):
    with database.transaction() as session:
        wave = make.opened(session)
        keys = session.scalars(sa.select(Invitation.id).order_by(Invitation.id)).all()
        households = set(session.scalars(sa.select(Invitation.unit)))
        codes = set(session.scalars(sa.select(Invitation.code_hash)))
    answered = [keys[place] for place in (70, 3, 41, 12, 99, 25, 58)]
    for key in answered:
        with database.transaction() as session:
            factories.response(session, wave, session.get(Invitation, key))
    before = counts_by_design(database)
    with database.transaction() as session:
        lifecycle.close_wave(session, SLUG, **ACT)
    database.scrub(*lifecycle.SCRUBBED)
    assert counts_by_design(database) == before
    with database.reading() as session:
        left = session.scalars(sa.select(Invitation)).all()
        assert not households & {unit.unit for unit in left}
        assert {(unit.psu, unit.code_hash) for unit in left} == {('', None)}
        assert session.scalars(sa.select(FrameUnit)).all() == []
        assert set(session.scalars(sa.select(ClosedCode.code_hash))) == codes
        if not database.is_sqlite:
            written = sa.select(sa.literal_column('xmin::text')).select_from(Invitation)
            assert len(set(session.scalars(written))) == 1
    if database.is_sqlite:
        path = Path(str(database.url.database))
        kept = b''.join(part.read_bytes() for part in path.parent.glob(path.name + '*'))
        assert next(iter(households)).encode() not in kept


def counts_by_design(database):
    """How many units of which design value ended how: what the estimates need of the sample."""
    values = (Invitation.stratum, Invitation.size, Invitation.probability, Invitation.outcome)
    with database.reading() as session:
        query = sa.select(*values, sa.func.count()).group_by(*values)
        return sorted(tuple(row) for row in session.execute(query))
