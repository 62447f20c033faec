"""Alembic's environment: cixi_survey.migrate gives a connection; `alembic` drafts without."""

from alembic import context
from sqlalchemy import Connection

from cixi_survey import models
from cixi_survey.config import load
from cixi_survey.database import Database


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=models.Base.metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix='types.',
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get('connection')
if given is not None:
    run(given)
else:
    with Database(load().database_url).engine.begin() as opened:
        run(opened)
