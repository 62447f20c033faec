"""Test links"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('trial_link',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('draft_id', sa.Integer(), nullable=True),
    sa.Column('version_sha256', sa.String(length=64), nullable=True),
    sa.Column('made_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=False),
    sa.Column('expires_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('ended_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(draft_id IS NULL) <> (version_sha256 IS NULL)', name=op.f('ck_trial_link_one_subject')),
    sa.CheckConstraint('expires_at > made_at', name=op.f('ck_trial_link_order_of_times')),
    sa.ForeignKeyConstraint(['draft_id'], ['questionnaire_draft.id'], name=op.f('fk_trial_link_draft_id_questionnaire_draft'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], name=op.f('fk_trial_link_made_by_staff')),
    sa.ForeignKeyConstraint(['version_sha256'], ['questionnaire_version.sha256'], name=op.f('fk_trial_link_version_sha256_questionnaire_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trial_link')),
    sqlite_autoincrement=True,
    )
    op.create_index(op.f('ix_trial_link_draft_id'), 'trial_link', ['draft_id'])
    op.create_index(op.f('ix_trial_link_version_sha256'), 'trial_link', ['version_sha256'])


def downgrade() -> None:
    op.drop_table('trial_link')
