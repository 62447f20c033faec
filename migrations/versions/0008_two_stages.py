"""Villages drawn before the persons in them"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('village_frame',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('demonstration', sa.Boolean(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('villages', sa.Integer(), nullable=False),
    sa.Column('loaded_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('loaded_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['loaded_by'], ['staff.id'], name=op.f('fk_village_frame_loaded_by_staff')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_village_frame_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_village_frame')),
    sa.UniqueConstraint('wave_id', name=op.f('uq_village_frame_wave_id'))
    )
    op.create_table('frame_village',
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('psu', sa.String(length=12), nullable=False),
    sa.Column('stratum', sa.String(length=9), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.CheckConstraint('size > 0', name=op.f('ck_frame_village_size')),
    sa.ForeignKeyConstraint(['frame_id'], ['village_frame.id'], name=op.f('fk_frame_village_frame_id_village_frame')),
    sa.PrimaryKeyConstraint('frame_id', 'psu', name=op.f('pk_frame_village'))
    )
    op.create_table('village_draw',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('frame_sha256', sa.String(length=64), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('towns', sa.JSON(), nullable=False),
    sa.Column('drawn_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['drawn_by'], ['staff.id'], name=op.f('fk_village_draw_drawn_by_staff')),
    sa.ForeignKeyConstraint(['frame_id'], ['village_frame.id'], name=op.f('fk_village_draw_frame_id_village_frame')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_village_draw_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_village_draw')),
    sa.UniqueConstraint('wave_id', name=op.f('uq_village_draw_wave_id'))
    )
    op.create_table('drawn_village',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('psu', sa.String(length=12), nullable=False),
    sa.Column('stratum', sa.String(length=9), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('probability', sa.Double(), nullable=False),
    sa.Column('persons', sa.Integer(), nullable=False),
    sa.Column('listed', sa.Integer(), nullable=True),
    sa.Column('drawn', sa.Integer(), nullable=True),
    sa.CheckConstraint('probability > 0 AND probability <= 1', name=op.f('ck_drawn_village_probability')),
    sa.CheckConstraint('persons > 0', name=op.f('ck_drawn_village_persons')),
    sa.CheckConstraint('drawn <= listed', name=op.f('ck_drawn_village_drawn')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_drawn_village_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', 'psu', name=op.f('pk_drawn_village'))
    )
    for column in ('list_sha256', 'sample_sha256'):
        op.add_column('sample_draw', sa.Column(column, sa.String(length=64), nullable=True))


def downgrade() -> None:
    for column in ('sample_sha256', 'list_sha256'):
        op.drop_column('sample_draw', column)
    for table in ('drawn_village', 'village_draw', 'frame_village', 'village_frame'):
        op.drop_table(table)
