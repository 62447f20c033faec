"""Questionnaire drafts"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('questionnaire_draft',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('based_on', sa.String(length=64), nullable=True),
    sa.Column('published_sha256', sa.String(length=64), nullable=True),
    sa.Column('published_revision', sa.Integer(), nullable=True),
    sa.Column('created_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=False),
    sa.Column('changed_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('changed_by', sa.Integer(), nullable=False),
    sa.CheckConstraint('(published_sha256 IS NULL) = (published_revision IS NULL)', name=op.f('ck_questionnaire_draft_published')),
    sa.CheckConstraint('revision > 0', name=op.f('ck_questionnaire_draft_revision')),
    sa.ForeignKeyConstraint(['based_on'], ['questionnaire_version.sha256'], name=op.f('fk_questionnaire_draft_based_on_questionnaire_version')),
    sa.ForeignKeyConstraint(['changed_by'], ['staff.id'], name=op.f('fk_questionnaire_draft_changed_by_staff')),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], name=op.f('fk_questionnaire_draft_created_by_staff')),
    sa.ForeignKeyConstraint(['published_sha256'], ['questionnaire_version.sha256'], name=op.f('fk_questionnaire_draft_published_sha256_questionnaire_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_questionnaire_draft')),
    sqlite_autoincrement=True,
    )
    op.create_table('questionnaire_draft_save',
    sa.Column('draft_id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('parent', sa.Integer(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('act', sa.String(length=20), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('faults', sa.Integer(), nullable=False),
    sa.Column('saved_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('saved_by', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['draft_id'], ['questionnaire_draft.id'], name=op.f('fk_questionnaire_draft_save_draft_id_questionnaire_draft'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['saved_by'], ['staff.id'], name=op.f('fk_questionnaire_draft_save_saved_by_staff')),
    sa.PrimaryKeyConstraint('draft_id', 'revision', name=op.f('pk_questionnaire_draft_save'))
    )


def downgrade() -> None:
    op.drop_table('questionnaire_draft_save')
    op.drop_table('questionnaire_draft')
