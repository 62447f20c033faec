"""How often an interview ended with nothing kept"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('screened_out',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.CheckConstraint("outcome IN ('complete', 'refusal', 'ineligible')", name=op.f('ck_screened_out_outcome')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_screened_out_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', 'outcome', name=op.f('pk_screened_out'))
    )


def downgrade() -> None:
    op.drop_table('screened_out')
