"""Answers are kept as long as residents were told, and not a day longer."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import audit, clock, retention, vault
from cixi_survey.models import AuditEntry, Publication, Response, Run, Wave
from cixi_survey.respond import withdrawal
from cixi_survey.results import dataset, publish, run
from cixi_survey.waves import lifecycle
from tests import factories
from tests.conftest import SECRET
from tests.results import conftest as results

SAID = {'overall': 'not_at_all', 'reason': '河水太脏'}


def answered(session, *, slug='w2026', **changes):
    """An open wave with one answer of the sample and one by the open link; the receipts."""
    wave = factories.wave(session, slug=slug, **changes)
    unit, _code = factories.invitation(session, wave)
    return [
        factories.response(session, wave, unit, SAID).reference,
        factories.response(session, wave, None, SAID).reference,
    ]


def withdraw(database, reference, now=None):
    with database.transaction() as session:
        withdrawal.withdraw(session, reference, secret_key=SECRET, now=now or clock.now())


def all_that_is_stored(database):
    with database.reading() as session:
        rows = session.execute(sa.text('SELECT * FROM response')).mappings().all()
    return str([dict(row) for row in rows])


def test_by_consent_nothing_of_a_withdrawn_answer_is_left(database):
    with database.transaction() as session:
        invited, opened = answered(session, legal_basis='consent')
    for reference in (invited, opened):
        withdraw(database, reference)
        withdraw(database, reference)
    assert '河水太脏' not in all_that_is_stored(database)
    with database.reading() as session:
        rows = session.execute(sa.select(Response.answers, Response.locked)).all()
        assert rows == [('{}', None), ('{}', None)]


def test_on_statutory_ground_it_is_locked_and_opened_only_on_record(database):
    now = clock.now()
    with database.transaction() as session:
        invited, _opened = answered(session, legal_basis='statutory')
    withdraw(database, invited)
    assert all_that_is_stored(database).count('河水太脏') == 1  # the other one's
    with database.transaction() as session:
        (row,) = retention.unlock(
            session, 'w2026', secret_key=SECRET, reason='inspection 7', actor='li', now=now
        )
        assert row['answers']['reason'] == '河水太脏'
        assert set(row) == {'stream', 'stratum', 'answers'}
    with database.reading() as session:
        entry = session.scalars(sa.select(AuditEntry)).one()
        assert (entry.action, entry.details['reason']) == ('answers.unlock', 'inspection 7')
        assert '河水' not in str(entry.details)
        assert audit.broken_at(session) is None


def test_without_a_reason_or_with_another_key_nothing_is_opened(database):
    with database.transaction() as session:
        reference = answered(session, legal_basis='statutory')[0]
    withdraw(database, reference)
    asked = {'actor': 'li', 'now': clock.now()}
    for key, reason, refusal in (
        (SECRET, ' ', retention.ReasonMissing),
        ('another key of forty characters, and more', 'why', vault.Unreadable),
    ):
        with pytest.raises(refusal), database.transaction() as session:
            retention.unlock(session, 'w2026', secret_key=key, reason=reason, **asked)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(AuditEntry.id))) == 0


@pytest.mark.parametrize('basis', ['consent', 'statutory'])
def test_a_withdrawn_answer_is_in_no_later_figure(database, basis):
    with database.transaction() as session:
        answered(session, legal_basis=basis)
        wave = session.scalars(sa.select(Wave)).one()
        more = factories.response(session, wave, None, {'overall': 'satisfied'}).reference
    withdraw(database, more)
    with database.transaction() as session:
        lifecycle.close_wave(session, 'w2026', actor='li', now=clock.now())
    with database.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        loaded = dataset.load(session, wave, 'open')
    assert (loaded.n, loaded.withdrawn) == (1, {'': 1})


def test_after_closing_it_is_too_late_and_said_kindly(database):
    with database.transaction() as session:
        reference = answered(session)[0]
        lifecycle.close_wave(session, 'w2026', actor='li', now=clock.now())
    with pytest.raises(withdrawal.TooLateToWithdraw, match='to protect you'):
        withdraw(database, reference)
    assert '河水太脏' in all_that_is_stored(database)


# --- erasing --------------------------------------------------------------------------------------


def erase(database, now):
    with database.transaction() as session:
        return retention.erase_due(session, actor='retention', now=now)


def test_answers_go_on_the_day_after_the_last_one_promised(database):
    with database.transaction() as session:
        invited, _opened = answered(session, legal_basis='statutory', retention_years=3)
        answered(session, slug='later', retention_years=4)
    withdraw(database, invited)
    with database.transaction() as session:
        for slug in ('w2026', 'later'):
            lifecycle.close_wave(session, slug, actor='li', now=clock.now())
    with database.reading() as session:
        last = session.scalars(sa.select(Wave).where(Wave.slug == 'w2026')).one().answers_until
    evening = clock.from_local(clock.datetime(last.year, last.month, last.day, 23, 59))
    assert erase(database, evening) == 0
    assert erase(database, evening + timedelta(minutes=2)) == 1
    assert erase(database, evening + timedelta(days=1)) == 0
    with database.reading() as session:
        erased = sa.select(Response).join(Wave, Response.wave_id == Wave.id)
        rows = session.scalars(erased.where(Wave.slug == 'w2026')).all()
        assert [(row.answers, row.locked, row.outcome) for row in rows] == [
            ('{}', None, 'complete')
        ] * 2
        kept = session.scalars(erased.where(Wave.slug == 'later')).all()
        assert all('河水太脏' in row.answers for row in kept)
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == 'answers.erase')
        ).one()
        assert (entry.subject, entry.details) == ('wave:w2026', {'responses': 2})


def test_an_open_wave_is_never_erased(database):
    with database.transaction() as session:
        answered(session)
    assert erase(database, clock.now() + timedelta(days=9000)) == 0
    assert '河水太脏' in all_that_is_stored(database)


def test_figures_stay_and_new_ones_are_refused(app):
    database = app.extensions['cixi_database']
    with database.transaction() as session:
        wave = results.tiny(session)
        made = run.estimate(session, wave, run.Options(), by=None, now=results.NOW)
        publish.publish(session, wave, made, by=None, now=results.NOW, reason='')
        over = wave.closes_at + timedelta(days=800)
    assert erase(database, over) == 1
    with database.transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        with pytest.raises(dataset.AnswersErased, match='Figures and results'):
            run.estimate(session, wave, run.Options(), by=None, now=over)
        assert session.scalar(sa.select(sa.func.count(Run.id))) == 1
        assert session.scalar(sa.select(sa.func.count(Publication.id))) == 1
    assert app.test_client().get('/results/tiny').status_code == 200


def test_the_commands_say_what_they_did(app, tmp_path):
    database = app.extensions['cixi_database']
    with database.transaction() as session:
        reference = answered(session, legal_basis='statutory')[0]
    withdraw(database, reference)
    runner, file = app.test_cli_runner(), tmp_path / 'unlocked.jsonl'
    asked = ['answers', 'unlock', 'w2026', str(file)]
    done = runner.invoke(args=[*asked, '--reason', 'inspection 7'])
    assert (done.exit_code, '1 withdrawn' in done.output) == (0, True)
    assert json.loads(file.read_text(encoding='utf-8'))['answers']['reason'] == '河水太脏'
    assert file.stat().st_mode & 0o777 == 0o600
    again = runner.invoke(args=[*asked, '--reason', 'inspection 8'])
    assert again.exit_code == 2
    assert '不会覆盖' in again.output
    assert runner.invoke(args=asked).exit_code == 2
    assert '0 waves' in runner.invoke(args=['retention']).output
    with database.reading() as session:
        acts = session.scalars(sa.select(AuditEntry.action)).all()
    assert acts == ['answers.unlock']
