"""The schema: bring a database to the newest migration, or say how it differs."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cixi_survey.config import ROOT
from cixi_survey.database import Database
from cixi_survey.errors import N_, Refusal


class NewerSchema(Refusal):
    """The database was migrated by a newer program."""

    code = 'newer_schema'
    title = N_('The database is newer than this program')
    message = N_('Its schema is at version %(found)s, which this program does not know.')
    cure = N_('Start the newer program, or restore the backup made before the update.')


def upgrade(database: Database) -> bool:
    """Apply every missing migration, in one transaction; whether there was one.

    Raises NewerSchema, DatabaseUnreachable.
    """
    with database.transaction() as session:
        connection = session.connection()
        config = _config(connection)
        scripts = ScriptDirectory.from_config(config)
        found = MigrationContext.configure(connection).get_current_revision()
        if found == scripts.get_current_head():
            return False
        if found is not None and found not in {
            script.revision for script in scripts.walk_revisions()
        }:
            raise NewerSchema(found=found)
        command.upgrade(config, 'head')
    return True


def check(database: Database) -> None:
    """Raise alembic.util.CommandError when the models and the migrated schema differ."""
    with database.transaction() as session:
        command.check(_config(session.connection()))


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option('script_location', str(ROOT / 'migrations'))
    config.set_main_option('path_separator', 'os')
    config.attributes['connection'] = connection
    return config
