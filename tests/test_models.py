"""The rules that the database itself keeps, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import audit, clock
from cixi_survey.models import (
    AuditEntry,
    Draft,
    Invitation,
    Notice,
    QuestionnaireVersion,
    Response,
    Run,
    Wave,
)
from tests import factories

pytestmark = pytest.mark.parametrize('database_url', ['sqlite', 'postgresql'], indirect=True)


def refused(database, work):
    """Run ``work`` in a transaction that must fail on a constraint; return the complaint."""
    with pytest.raises((sa.exc.IntegrityError, sa.exc.DatabaseError)) as caught:  # noqa: SIM117
        with database.transaction() as session:
            work(session)
    return str(caught.value)


@pytest.fixture
def invited(database):
    """An open wave with one invited and one open-link response."""
    with database.transaction() as session:
        wave = factories.wave(session)
        unit, _code = factories.invitation(session, wave)
        factories.response(session, wave, unit)
        factories.response(session, wave)
        return wave.id


def test_one_response_per_submission_id(database, invited):
    def again(session):
        wave = session.get(Wave, invited)
        first = session.scalars(sa.select(Response)).first()
        factories.response(session, wave, submission_id=first.submission_id)

    assert 'submission_id' in refused(database, again)


def test_one_response_per_invitation(database, invited):
    def again(session):
        wave = session.get(Wave, invited)
        factories.response(session, wave, session.scalars(sa.select(Invitation)).one())

    assert 'invitation_id' in refused(database, again)


def test_a_response_belongs_to_the_version_of_its_wave(database, invited):
    def other_version(session):
        wave = session.get(Wave, invited)
        other = QuestionnaireVersion(
            sha256='f' * 64, name='x', definition='{}', source='', published_at=clock.now()
        )
        session.add(other)
        session.flush()
        factories.response(session, wave, version_sha256=other.sha256)

    refused(database, other_version)

    def change_of_wave(session):
        session.execute(sa.update(Wave).values(version_sha256='f' * 64))

    refused(database, change_of_wave)


def test_a_published_version_can_be_neither_changed_nor_deleted(database, invited):
    for statement in (
        sa.update(QuestionnaireVersion).values(definition='{}'),
        sa.delete(QuestionnaireVersion),
    ):
        assert 'frozen' in refused(database, lambda session, s=statement: session.execute(s))


def test_the_stream_is_probability_or_open_and_carries_its_design(database, invited):
    def unknown_stream(session):
        factories.response(session, session.get(Wave, invited), stream='pooled')

    def open_with_weight(session):
        factories.response(session, session.get(Wave, invited), base_weight=3.0)

    def invited_without_weight(session):
        wave = session.get(Wave, invited)
        unit, _code = factories.invitation(session, wave)
        factories.response(session, wave, unit, base_weight=None)

    for work in (unknown_stream, open_with_weight, invited_without_weight):
        refused(database, work)


def test_a_wave_cannot_open_without_its_approval(database):
    for missing in ('form_number', 'form_authority', 'approval_number'):
        complaint = refused(database, lambda session, m=missing: factories.wave(session, **{m: ''}))
        assert 'approved_before_launch' in complaint
    refused(database, lambda session: factories.wave(session, approval_valid_until=None))


def test_a_wave_ends_after_it_begins(database):
    now = clock.now()
    assert 'order_of_times' in refused(
        database, lambda session: factories.wave(session, opens_at=now, closes_at=now)
    )


def seal(session, wave_id):
    session.execute(
        sa.update(Response)
        .where(Response.wave_id == wave_id)
        .values(sealed=True, invitation_id=None)
    )
    session.execute(sa.update(Wave).where(Wave.id == wave_id).values(sealed=True, state='closed'))


def test_after_closing_no_response_can_name_an_invitation(database, invited):
    def seal_carelessly(session):
        session.execute(sa.update(Wave).values(sealed=True, state='closed'))

    assert 'sealed_without_invitation' in refused(database, seal_carelessly)

    with database.transaction() as session:
        seal(session, invited)
    with database.reading() as session:
        assert session.scalars(sa.select(Response.sealed)).all() == [True, True]
        joined = sa.select(Response.id).join(Invitation, Response.invitation_id == Invitation.id)
        assert session.scalars(joined).all() == []

    def tie_again(session):
        unit = session.scalars(sa.select(Invitation.id)).one()
        session.execute(
            sa.update(Response).where(Response.stream == 'probability').values(invitation_id=unit)
        )

    assert 'sealed_without_invitation' in refused(database, tie_again)


def test_a_closed_wave_takes_no_response_even_from_careless_code(database, invited):
    with database.transaction() as session:
        seal(session, invited)

    def late(session):
        factories.response(session, session.get(Wave, invited), sealed=False)

    refused(database, late)


def test_a_wave_is_sealed_exactly_when_it_is_closed(database, invited):
    assert 'ck_wave_sealed' in refused(
        database, lambda session: session.execute(sa.update(Wave).values(state='closed'))
    )


def test_answers_change_only_by_a_withdrawal_and_are_never_deleted(database, invited):
    assert 'only by a withdrawal' in refused(
        database, lambda session: session.execute(sa.update(Response).values(answers='{}'))
    )
    assert 'never deleted' in refused(
        database, lambda session: session.execute(sa.delete(Response))
    )
    now = clock.now()
    with database.transaction() as session:
        session.execute(sa.update(Response).values(answers='{}', withdrawn_at=now))
    for values in ({'answers': '{"a":1}'}, {'withdrawn_at': None}, {'withdrawn_at': now}):
        change = sa.update(Response).values(values)
        assert 'only by a withdrawal' in refused(
            database, lambda session, change=change: session.execute(change)
        )


def withdrawal(**values):
    return sa.update(Response).values({'answers': '{}', 'withdrawn_at': clock.now(), **values})


def test_a_withdrawal_deletes_or_locks_as_the_ground_of_its_wave_says(database):
    with database.transaction() as session:
        for slug, basis in (('by-consent', 'consent'), ('by-law', 'statutory')):
            factories.response(session, factories.wave(session, slug=slug, legal_basis=basis))
    ids = {
        slug: sa.select(Wave.id).where(Wave.slug == slug).scalar_subquery()
        for slug in ('by-consent', 'by-law')
    }
    wrong = [
        withdrawal(locked='sealed').where(Response.wave_id == ids['by-consent']),
        withdrawal().where(Response.wave_id == ids['by-law']),
        withdrawal(answers='{"overall":"satisfied"}'),
        withdrawal(withdrawn_at=None, locked='sealed'),
    ]
    for change in wrong:
        refused(database, lambda session, change=change: session.execute(change))
    with database.transaction() as session:
        session.execute(withdrawal().where(Response.wave_id == ids['by-consent']))
        session.execute(withdrawal(locked='sealed').where(Response.wave_id == ids['by-law']))
    unlock = sa.update(Response).values(locked=None)
    assert 'only by a withdrawal' in refused(database, lambda session: session.execute(unlock))


def test_a_sealed_response_cannot_be_withdrawn(database, invited):
    with database.transaction() as session:
        seal(session, invited)
    refused(database, lambda session: session.execute(withdrawal()))


def test_what_a_response_says_of_itself_never_changes_not_even_by_a_withdrawal(database, invited):
    for name, value in (
        ('outcome', 'refusal'),
        ('consented_at', None),
        ('mode', 'paper'),
        ('submitted_at', clock.now() - timedelta(days=1)),
        ('base_weight', 7.0),
    ):
        change = withdrawal(**{name: value})
        assert 'never changes' in refused(
            database, lambda session, change=change: session.execute(change)
        )


def test_a_response_names_its_notice_and_a_complete_one_its_consent(database, invited):
    def respond(**changes):
        return lambda session: factories.response(session, session.get(Wave, invited), **changes)

    assert 'names its notice' in refused(database, respond(notice_sha256=None))
    assert 'names its notice' in refused(database, respond(consented_at=None))
    assert refused(database, respond(notice_sha256='f' * 64))
    assert refused(database, respond(mode='telepathy'))
    with database.transaction() as session:
        respond(outcome='refusal', consented_at=None)(session)


def test_a_kept_notice_can_be_neither_changed_nor_deleted(database, invited):
    for statement in (sa.update(Notice).values(content='{}'), sa.delete(Notice)):
        assert 'frozen' in refused(database, lambda session, s=statement: session.execute(s))


def test_a_wave_opens_only_with_a_legal_basis_and_a_notice(database):
    assert 'legal basis' in refused(
        database, lambda session: factories.wave(session, legal_basis='')
    )
    with database.transaction() as session:
        factories.wave(session, state='planned', legal_basis='consent')
    opening = sa.update(Wave).values(state='open')
    assert 'and a notice' in refused(database, lambda session: session.execute(opening))


def test_what_residents_were_promised_stays(database, invited):
    for values in (
        {'legal_basis': 'statutory'},
        {'retention_years': 9},
        {'notice_sha256': None},
    ):
        change = sa.update(Wave).values(values)
        assert 'promised' in refused(
            database, lambda session, change=change: session.execute(change)
        )


def test_answers_are_erased_only_when_their_time_is_over(database, invited):
    with database.reading() as session:
        over = session.get(Wave, invited).closes_at + timedelta(days=731)

    def erase(at):
        return sa.update(Wave).values(erased_at=at)

    empty = sa.update(Response).values(answers='{}')
    early = erase(over - timedelta(days=9))
    assert 'time is over' in refused(database, lambda session: session.execute(erase(over)))
    with database.transaction() as session:
        seal(session, invited)
    assert 'time is over' in refused(database, lambda session: session.execute(early))
    assert 'time is over' in refused(database, lambda session: session.execute(empty))
    with database.transaction() as session:
        session.execute(erase(over))
        session.execute(empty)
    assert 'erased once' in refused(database, lambda session: session.execute(erase(None)))


def test_one_draft_per_invitation(database, invited):
    def two(session):
        now = clock.now()
        unit = session.scalars(sa.select(Invitation.id)).one()
        for number in range(2):
            session.add(
                Draft(
                    submission_id=f'{number:032d}',
                    wave_id=invited,
                    invitation_id=unit,
                    revision=1,
                    answers={},
                    started_at=now,
                    saved_at=now,
                )
            )

    assert 'invitation_id' in refused(database, two)


def test_a_run_is_frozen(database, invited):
    with database.transaction() as session:
        session.add(
            Run(
                wave_id=invited,
                dataset_sha256='0' * 64,
                version_sha256=session.get(Wave, invited).version_sha256,
                options='{}',
                software='',
                figures='{}',
                figures_sha256='0' * 64,
                made_at=clock.now(),
            )
        )
    for statement in (sa.update(Run).values(figures='{"x":1}'), sa.delete(Run)):
        assert 'frozen' in refused(database, lambda session, s=statement: session.execute(s))


def test_the_chain_of_acts_shows_a_change(database):
    now = clock.now()
    with database.transaction() as session:
        for action in ('wave.create', 'wave.open', 'wave.close'):
            audit.record(session, actor='li', action=action, subject='wave:w', now=now)
    with database.reading() as session:
        assert audit.broken_at(session) is None
    assert 'frozen' in refused(
        database, lambda session: session.execute(sa.update(AuditEntry).values(actor='wang'))
    )
    with database.transaction() as session:
        entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()[1]
        entry.actor = 'wang'
        with session.no_autoflush:
            assert audit._digest(entry) != entry.digest
            entry.actor = 'li'
            assert audit._digest(entry) == entry.digest
            entry.at += timedelta(seconds=1)
            assert audit._digest(entry) != entry.digest
        session.expunge(entry)


def test_acts_at_the_same_moment_form_one_chain(database):
    def act(person):
        for _ in range(5):
            with database.transaction() as session:
                audit.record(session, actor=person, action='a.b', subject='wave:w', now=clock.now())

    with ThreadPoolExecutor() as pool:
        list(pool.map(act, ('li', 'wang', 'chen', 'zhou')))
    with database.reading() as session:
        assert audit.broken_at(session) is None
        assert session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 20


def test_a_complaint_of_the_database_does_not_repeat_what_was_answered(database, invited):
    def twice(session):
        first = session.scalars(sa.select(Response)).first()
        wave = session.get(Wave, invited)
        answers = {'wish': 'my neighbour'}
        factories.response(session, wave, answers=answers, submission_id=first.submission_id)

    assert 'my neighbour' not in refused(database, twice)


def test_times_come_back_as_they_went_in_to_the_second_and_in_utc(database):
    moment = clock.from_local(clock.datetime(2026, 11, 23, 18, 30))
    with database.transaction() as session:
        factories.wave(session, opens_at=moment, closes_at=moment + timedelta(minutes=1))
    with database.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
    assert wave.opens_at == moment
    assert wave.opens_at.utcoffset() == timedelta(0)
    assert clock.show(wave.opens_at) == '2026-11-23 18:30'


def test_the_last_minute_shown_still_counts(database):
    end = clock.from_local(clock.datetime(2026, 11, 23, 18, 30))
    with database.transaction() as session:
        wave = factories.wave(session, opens_at=end - timedelta(days=1), closes_at=end)
    assert wave.is_open(end + timedelta(seconds=59))
    assert not wave.is_open(end + timedelta(seconds=60))
    assert not wave.is_open(wave.opens_at - timedelta(seconds=1))


def test_an_exception_undoes_the_whole_transaction(database):
    def fail_late(session):
        factories.wave(session)
        raise RuntimeError

    with pytest.raises(RuntimeError), database.transaction() as session:
        fail_late(session)
    with database.reading() as session:
        assert session.scalars(sa.select(Wave)).all() == []
