"""The plan saved with a wave"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('wave_plan',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('question', sa.JSON(), nullable=False),
    sa.Column('answers', sa.Integer(), nullable=False),
    sa.Column('addresses', sa.Integer(), nullable=False),
    sa.Column('saved_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('saved_by', sa.String(length=64), nullable=False),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_wave_plan_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', name=op.f('pk_wave_plan'))
    )


def downgrade() -> None:
    op.drop_table('wave_plan')
