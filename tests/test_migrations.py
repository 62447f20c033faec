"""One line of migrations, the models are what they make, and a newer database is not touched."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from cixi_survey import clock, migrate, notices
from cixi_survey.database import Database
from cixi_survey.models import Response, Wave
from cixi_survey.respond import withdrawal
from tests import factories


def test_one_head_and_numbered_names():
    scripts = ScriptDirectory.from_config(migrate._config(None))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert len(scripts.get_heads()) == 1
    assert sorted(revisions, reverse=True) == revisions


def test_the_migrated_schema_is_that_of_the_models(database):
    migrate.check(database)


def test_a_second_upgrade_changes_nothing(database):
    assert migrate.upgrade(database) is False


def test_down_and_up_again(database):
    with database.transaction() as session:
        command.downgrade(migrate._config(session.connection()), 'base')
    with database.reading() as session:
        left = set(sa.inspect(session.connection()).get_table_names()) - {'alembic_version'}
    assert left == set()
    assert migrate.upgrade(database) is True
    migrate.check(database)


def test_a_failing_migration_leaves_nothing_behind(tmp_path, monkeypatch):
    database = Database(f'sqlite:///{tmp_path}/x.db')

    def fail(*_args, **_keywords):
        raise RuntimeError('the power went off')

    monkeypatch.setattr('alembic.op.create_index', fail)
    monkeypatch.setattr('alembic.operations.BatchOperations.create_index', fail, raising=False)
    with pytest.raises(RuntimeError, match='power'):
        migrate.upgrade(database)
    monkeypatch.undo()
    with database.reading() as session:
        assert sa.inspect(session.connection()).get_table_names() == []
    assert migrate.upgrade(database) is True


def test_a_database_of_a_newer_program_is_refused_with_the_cure(database):
    with database.transaction() as session:
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.NewerSchema, match='Start the newer program'):
        migrate.upgrade(database)


def test_sqlite_is_set_for_durable_concurrent_use(sqlite_url):
    database = Database(sqlite_url)
    with database.reading() as session:
        found = {
            name: session.execute(sa.text(f'PRAGMA {name}')).scalar()
            for name in ('journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout')
        }
    database.engine.dispose()
    assert found == {
        'journal_mode': 'wal',
        'synchronous': 2,
        'foreign_keys': 1,
        'busy_timeout': 30000,
    }


OLD_WAVE = """INSERT INTO wave (slug, title_zh, title_en, version_sha256, state, sealed, opens_at,
  closes_at, target_n, operator, contact, form_number, form_authority, approval_number,
  approval_valid_until, satisfaction_scale, target_basis, population_source, open_link,
  demonstration, created_at)
  VALUES (:slug, '批次', 'Wave', :version, :state, false, '2026-11-01', '2026-12-01',
  1, 'o', 'c', 'f', 'a', 'n', '2027-01-01', 'share', 'national', '', true, false, '2026-10-01')"""
OLD_RESPONSE = """INSERT INTO response (reference, submission_id, wave_id, version_sha256, sealed,
  stream, outcome, answers, answers_sha256, language, channel, notice_version, started_at,
  submitted_at)
  SELECT :outcome, :outcome, id, version_sha256, sealed, 'open', :outcome, '{"wish":"trees"}', 'x',
  'zh', '', '1', '2026-11-02', '2026-11-02 08:00:00' FROM wave WHERE slug = 'running'"""


def test_answers_from_before_keep_the_notice_that_was_read_and_what_it_promised(database):
    questionnaire = factories.small()
    with database.transaction() as session:
        command.downgrade(migrate._config(session.connection()), '0001')
        session.execute(
            sa.text(
                'INSERT INTO questionnaire_version (sha256, name, definition, source, published_at)'
                " VALUES (:sha256, 'q', :definition, '', '2026-10-01')"
            ),
            {'sha256': questionnaire.sha256, 'definition': questionnaire.canonical()},
        )
        for slug, state in (('running', 'open'), ('prepared', 'planned')):
            given = {'slug': slug, 'state': state, 'version': questionnaire.sha256}
            session.execute(sa.text(OLD_WAVE), given)
        for outcome in ('complete', 'refusal'):
            session.execute(sa.text(OLD_RESPONSE), {'outcome': outcome})
    assert migrate.upgrade(database) is True
    with database.reading() as session:
        waves = {wave.slug: wave for wave in session.scalars(sa.select(Wave))}
        read = notices.of(session, waves['running'])
        assert read.texts['zh'].sections[0].paragraphs == ('自愿、匿名。',)
        assert (waves['running'].legal_basis, waves['running'].retention_years) == ('consent', 10)
        assert (waves['prepared'].legal_basis, waves['prepared'].notice_sha256) == ('', None)
        stored = {each.outcome: each for each in session.scalars(sa.select(Response))}
    assert {each.notice_sha256 for each in stored.values()} == {read.sha256}
    assert stored['complete'].consented_at == stored['complete'].submitted_at
    assert stored['refusal'].consented_at is None
    with database.transaction() as session:
        withdrawal.withdraw(session, 'complete', secret_key='k' * 40, now=clock.now())
    with database.reading() as session:
        assert session.scalars(sa.select(Response.answers)).all().count('{}') == 1
