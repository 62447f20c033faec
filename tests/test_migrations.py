"""One line of migrations, the models are what they make, and a newer database is not touched."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from cixi_survey import migrate
from cixi_survey.database import Database


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
