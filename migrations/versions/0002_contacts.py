"""Contacts left after answering, and the prize draw"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contact_given',
    sa.Column('response_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['response_id'], ['response.id'], name=op.f('fk_contact_given_response_id_response')),
    sa.PrimaryKeyConstraint('response_id', name=op.f('pk_contact_given'))
    )
    op.create_table('contact_offer',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('news', sa.Boolean(), nullable=False),
    sa.Column('prizes', sa.Integer(), nullable=False),
    sa.Column('rules_zh', sa.String(length=1000), nullable=False),
    sa.Column('rules_en', sa.String(length=1000), nullable=False),
    sa.Column('keep_until', sa.Date(), nullable=False),
    sa.Column('purged_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint('news OR prizes > 0', name=op.f('ck_contact_offer_something')),
    sa.CheckConstraint('prizes >= 0', name=op.f('ck_contact_offer_prizes')),
    sa.CheckConstraint("prizes = 0 OR (rules_zh <> '' AND rules_en <> '')", name=op.f('ck_contact_offer_rules')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_contact_offer_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', name=op.f('pk_contact_offer'))
    )
    op.create_table('contact',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('news', sa.Boolean(), nullable=False),
    sa.Column('prize', sa.Boolean(), nullable=False),
    sa.Column('sealed_contact', sa.String(length=1000), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('removal_hash', sa.String(length=64), nullable=False),
    sa.CheckConstraint('news OR prize', name=op.f('ck_contact_purpose')),
    sa.ForeignKeyConstraint(['wave_id'], ['contact_offer.wave_id'], name=op.f('fk_contact_wave_id_contact_offer')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact')),
    sa.UniqueConstraint('removal_hash', name=op.f('uq_contact_removal_hash')),
    sa.UniqueConstraint('wave_id', 'fingerprint', name=op.f('uq_contact_wave_id_fingerprint'))
    )
    op.create_table('prize_draw',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('entries', sa.Integer(), nullable=False),
    sa.Column('entries_sha256', sa.String(length=64), nullable=False),
    sa.Column('winners', sa.JSON(), nullable=False),
    sa.Column('endings', sa.JSON(), nullable=False),
    sa.Column('drawn_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=False),
    sa.Column('confirmed_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('confirmed_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('(confirmed_at IS NULL) = (confirmed_by IS NULL)', name=op.f('ck_prize_draw_confirmed_by_somebody')),
    sa.CheckConstraint('confirmed_by IS NULL OR confirmed_by <> drawn_by', name=op.f('ck_prize_draw_two_people')),
    sa.ForeignKeyConstraint(['confirmed_by'], ['staff.id'], name=op.f('fk_prize_draw_confirmed_by_staff')),
    sa.ForeignKeyConstraint(['drawn_by'], ['staff.id'], name=op.f('fk_prize_draw_drawn_by_staff')),
    sa.ForeignKeyConstraint(['wave_id'], ['contact_offer.wave_id'], name=op.f('fk_prize_draw_wave_id_contact_offer')),
    sa.PrimaryKeyConstraint('wave_id', name=op.f('pk_prize_draw'))
    )


def downgrade() -> None:
    for table in ('prize_draw', 'contact', 'contact_offer', 'contact_given'):
        op.drop_table(table)
