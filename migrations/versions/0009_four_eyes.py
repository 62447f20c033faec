"""A second person approves a wave before it opens"""

import sqlalchemy as sa
from alembic import op

from cixi_survey.database import UtcDateTime

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('wave_approval',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=False),
    sa.Column('asked_by', sa.String(length=64), nullable=False),
    sa.Column('decision', sa.String(length=12), nullable=False),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('decided_by', sa.String(length=64), nullable=False),
    sa.Column('remark', sa.String(length=1000), nullable=False),
    sa.CheckConstraint("(decision = '') = (decided_at IS NULL)", name=op.f('ck_wave_approval_decided')),
    sa.CheckConstraint("decision IN ('', 'approved', 'returned', 'taken_back')", name=op.f('ck_wave_approval_decision')),
    sa.CheckConstraint("decision NOT IN ('approved', 'returned') OR decided_by <> asked_by", name=op.f('ck_wave_approval_second_person')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_wave_approval_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wave_approval'))
    )
    op.create_index(op.f('ix_wave_approval_wave_id'), 'wave_approval', ['wave_id'])


def downgrade() -> None:
    op.drop_table('wave_approval')
