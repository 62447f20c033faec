"""A reserve of a sample, and how much of it was released"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in ('reserve', 'released'):
        op.add_column('sample_draw', sa.Column(column, sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    for column in ('released', 'reserve'):
        op.drop_column('sample_draw', column)
