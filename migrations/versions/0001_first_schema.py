"""First schema"""

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None

FROZEN = ('questionnaire_version', 'run', 'publication', 'audit_entry')
ANSWER_COLUMNS = (
    'reference, submission_id, version_sha256, stream, outcome, stratum, psu, '
    'base_weight, frame_count, answers, answers_sha256, language, channel, notice_version, '
    'started_at, submitted_at'
)
NOT_A_WITHDRAWAL = 'NEW.withdrawn_at IS NULL OR OLD.withdrawn_at IS NOT NULL'


def forbid(name: str, table: str, event: str, sentence: str, when: str = '') -> None:
    """A trigger that refuses ``event`` on ``table`` with ``sentence``."""
    condition = f'WHEN ({when})' if when else ''
    if op.get_bind().dialect.name == 'sqlite':
        op.execute(
            f'CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition} '
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )
        return
    op.execute(
        f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS '
        f"$$ BEGIN RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation'; END $$"
    )
    op.execute(
        f'CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition} '
        f'EXECUTE FUNCTION {name}()'
    )


def triggers() -> None:
    for table in FROZEN:
        for event in ('UPDATE', 'DELETE'):
            forbid(f'frozen_{table}_{event.lower()}', table, event, f'{table} is frozen')
    forbid(
        'frozen_response_update',
        'response',
        f'UPDATE OF {ANSWER_COLUMNS}',
        'answers are changed only by a withdrawal',
        NOT_A_WITHDRAWAL,
    )
    forbid(
        'frozen_response_wave',
        'response',
        'UPDATE OF wave_id',
        'a response stays in its wave',
        'NEW.wave_id <> OLD.wave_id',
    )
    forbid('frozen_response_delete', 'response', 'DELETE', 'responses are never deleted')


def upgrade() -> None:
    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False),
    sa.Column('action', sa.String(length=60), nullable=False),
    sa.Column('subject', sa.String(length=100), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('previous', sa.String(length=64), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry')),
    sa.UniqueConstraint('digest', name=op.f('uq_audit_entry_digest')),
    sa.UniqueConstraint('previous', name=op.f('uq_audit_entry_previous'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entry_action'), ['action'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entry_subject'), ['subject'], unique=False)

    op.create_table('limit_counter',
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('expires_at', sa.Double(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_limit_counter'))
    )
    with op.batch_alter_table('limit_counter', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_limit_counter_expires_at'), ['expires_at'], unique=False)

    op.create_table('staff',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('created_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('deactivated_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff')),
    sa.UniqueConstraint('username', name=op.f('uq_staff_username'))
    )
    op.create_table('questionnaire_version',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('published_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['published_by'], ['staff.id'], name=op.f('fk_questionnaire_version_published_by_staff')),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_questionnaire_version'))
    )
    with op.batch_alter_table('questionnaire_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_questionnaire_version_name'), ['name'], unique=False)

    op.create_table('staff_role',
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.CheckConstraint("role IN ('administrator', 'organiser', 'statistician')", name=op.f('ck_staff_role_role')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_role_staff_id_staff')),
    sa.PrimaryKeyConstraint('staff_id', 'role', name=op.f('pk_staff_role'))
    )
    op.create_table('staff_session',
    sa.Column('id', sa.String(length=43), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('created_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('seen_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.id'], name=op.f('fk_staff_session_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_session'))
    )
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_session_staff_id'), ['staff_id'], unique=False)

    op.create_table('wave',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(length=40), nullable=False),
    sa.Column('title_zh', sa.String(length=200), nullable=False),
    sa.Column('title_en', sa.String(length=200), nullable=False),
    sa.Column('version_sha256', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('sealed', sa.Boolean(), nullable=False),
    sa.Column('opens_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('closes_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('target_n', sa.Integer(), nullable=False),
    sa.Column('operator', sa.String(length=200), nullable=False),
    sa.Column('contact', sa.String(length=200), nullable=False),
    sa.Column('form_number', sa.String(length=60), nullable=False),
    sa.Column('form_authority', sa.String(length=200), nullable=False),
    sa.Column('approval_number', sa.String(length=100), nullable=False),
    sa.Column('approval_valid_until', sa.Date(), nullable=True),
    sa.Column('satisfaction_scale', sa.String(length=8), nullable=False),
    sa.Column('target_basis', sa.String(length=12), nullable=False),
    sa.Column('population_source', sa.String(length=300), nullable=False),
    sa.Column('open_link', sa.Boolean(), nullable=False),
    sa.Column('demonstration', sa.Boolean(), nullable=False),
    sa.Column('closed_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('created_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=True),
    sa.CheckConstraint("satisfaction_scale IN ('share', 'score')", name=op.f('ck_wave_satisfaction_scale')),
    sa.CheckConstraint("sealed = (state IN ('closed', 'estimated', 'published'))", name=op.f('ck_wave_sealed')),
    sa.CheckConstraint("state = 'planned' OR (form_number <> '' AND form_authority <> '' AND approval_number <> '' AND approval_valid_until IS NOT NULL)", name=op.f('ck_wave_approved_before_launch')),
    sa.CheckConstraint("state IN ('planned', 'open', 'closed', 'estimated', 'published')", name=op.f('ck_wave_state')),
    sa.CheckConstraint("target_basis IN ('national', 'plan', 'chapter8')", name=op.f('ck_wave_target_basis')),
    sa.CheckConstraint('closes_at > opens_at', name=op.f('ck_wave_order_of_times')),
    sa.CheckConstraint('target_n > 0', name=op.f('ck_wave_target_n')),
    sa.ForeignKeyConstraint(['created_by'], ['staff.id'], name=op.f('fk_wave_created_by_staff')),
    sa.ForeignKeyConstraint(['version_sha256'], ['questionnaire_version.sha256'], name=op.f('fk_wave_version_sha256_questionnaire_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_wave')),
    sa.UniqueConstraint('id', 'sealed', name=op.f('uq_wave_id_sealed')),
    sa.UniqueConstraint('id', 'version_sha256', name=op.f('uq_wave_id_version_sha256')),
    sa.UniqueConstraint('slug', name=op.f('uq_wave_slug'))
    )
    op.create_table('frame',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('filename', sa.String(length=200), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('units', sa.Integer(), nullable=False),
    sa.Column('loaded_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('loaded_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['loaded_by'], ['staff.id'], name=op.f('fk_frame_loaded_by_staff')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_frame_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_frame')),
    sa.UniqueConstraint('wave_id', name=op.f('uq_frame_wave_id'))
    )
    op.create_table('closed_code',
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_closed_code_wave_id_wave')),
    sa.PrimaryKeyConstraint('code_hash', name=op.f('pk_closed_code'))
    )
    with op.batch_alter_table('closed_code', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_closed_code_wave_id'), ['wave_id'], unique=False)

    op.create_table('invitation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('stratum', sa.String(length=9), nullable=False),
    sa.Column('psu', sa.String(length=12), nullable=False),
    sa.Column('unit', sa.String(length=200), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('probability', sa.Double(), nullable=False),
    sa.Column('frame_count', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=True),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.CheckConstraint("outcome IN ('pending', 'complete', 'refusal', 'ineligible')", name=op.f('ck_invitation_outcome')),
    sa.CheckConstraint('probability > 0 AND probability <= 1', name=op.f('ck_invitation_probability')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_invitation_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_invitation_code_hash')),
    sa.UniqueConstraint('wave_id', 'unit', name=op.f('uq_invitation_wave_id_unit'))
    )
    op.create_table('run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('dataset_sha256', sa.String(length=64), nullable=False),
    sa.Column('version_sha256', sa.String(length=64), nullable=False),
    sa.Column('options', sa.Text(), nullable=False),
    sa.Column('software', sa.String(length=200), nullable=False),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.Column('figures_sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['made_by'], ['staff.id'], name=op.f('fk_run_made_by_staff')),
    sa.ForeignKeyConstraint(['version_sha256'], ['questionnaire_version.sha256'], name=op.f('fk_run_version_sha256_questionnaire_version')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_run_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run')),
    sa.UniqueConstraint('id', 'wave_id', name=op.f('uq_run_id_wave_id'))
    )
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_wave_id'), ['wave_id'], unique=False)

    op.create_table('wave_margin',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('variable', sa.String(length=32), nullable=False),
    sa.Column('category', sa.String(length=40), nullable=False),
    sa.Column('share', sa.Double(), nullable=False),
    sa.Column('source', sa.String(length=300), nullable=False),
    sa.CheckConstraint('share > 0 AND share < 1', name=op.f('ck_wave_margin_share')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_wave_margin_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', 'variable', 'category', name=op.f('pk_wave_margin'))
    )
    op.create_table('wave_stratum',
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('town_code', sa.String(length=9), nullable=False),
    sa.Column('name_zh', sa.String(length=60), nullable=False),
    sa.Column('name_en', sa.String(length=60), nullable=False),
    sa.Column('population', sa.Integer(), nullable=False),
    sa.CheckConstraint('population > 0', name=op.f('ck_wave_stratum_population')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_wave_stratum_wave_id_wave')),
    sa.PrimaryKeyConstraint('wave_id', 'town_code', name=op.f('pk_wave_stratum'))
    )
    op.create_table('draft',
    sa.Column('submission_id', sa.String(length=32), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('invitation_id', sa.Integer(), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('section', sa.String(length=40), nullable=False),
    sa.Column('channel', sa.String(length=40), nullable=False),
    sa.Column('started_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('saved_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitation.id'], name=op.f('fk_draft_invitation_id_invitation')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_draft_wave_id_wave')),
    sa.PrimaryKeyConstraint('submission_id', name=op.f('pk_draft')),
    sa.UniqueConstraint('invitation_id', name=op.f('uq_draft_invitation_id'))
    )
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draft_wave_id'), ['wave_id'], unique=False)

    op.create_table('frame_unit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('stratum', sa.String(length=9), nullable=False),
    sa.Column('psu', sa.String(length=12), nullable=False),
    sa.Column('unit', sa.String(length=200), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.CheckConstraint('size > 0', name=op.f('ck_frame_unit_size')),
    sa.ForeignKeyConstraint(['frame_id'], ['frame.id'], name=op.f('fk_frame_unit_frame_id_frame')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_frame_unit')),
    sa.UniqueConstraint('frame_id', 'unit', name=op.f('uq_frame_unit_frame_id_unit'))
    )
    op.create_table('publication',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=1000), nullable=False),
    sa.Column('result', sa.Text(), nullable=False),
    sa.Column('result_sha256', sa.String(length=64), nullable=False),
    sa.Column('published_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=True),
    sa.CheckConstraint("revision = 1 OR reason <> ''", name=op.f('ck_publication_revision_explained')),
    sa.ForeignKeyConstraint(['published_by'], ['staff.id'], name=op.f('fk_publication_published_by_staff')),
    sa.ForeignKeyConstraint(['run_id', 'wave_id'], ['run.id', 'run.wave_id'], name=op.f('fk_publication_run_id_wave_id_run')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_publication_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_publication')),
    sa.UniqueConstraint('wave_id', 'revision', name=op.f('uq_publication_wave_id_revision'))
    )
    op.create_table('response',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('reference', sa.String(length=12), nullable=False),
    sa.Column('submission_id', sa.String(length=32), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('version_sha256', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.Boolean(), nullable=False),
    sa.Column('stream', sa.String(length=12), nullable=False),
    sa.Column('outcome', sa.String(length=12), nullable=False),
    sa.Column('invitation_id', sa.Integer(), nullable=True),
    sa.Column('stratum', sa.String(length=9), nullable=True),
    sa.Column('psu', sa.String(length=12), nullable=True),
    sa.Column('base_weight', sa.Double(), nullable=True),
    sa.Column('frame_count', sa.Integer(), nullable=True),
    sa.Column('answers', sa.Text(), nullable=False),
    sa.Column('answers_sha256', sa.String(length=64), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('channel', sa.String(length=40), nullable=False),
    sa.Column('notice_version', sa.String(length=40), nullable=False),
    sa.Column('started_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('submitted_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', types.UtcDateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(stream = 'probability' AND stratum IS NOT NULL AND psu IS NOT NULL AND base_weight IS NOT NULL AND base_weight > 0 AND frame_count IS NOT NULL AND frame_count > 0) OR (stream = 'open' AND invitation_id IS NULL AND stratum IS NULL AND psu IS NULL AND base_weight IS NULL AND frame_count IS NULL)", name=op.f('ck_response_design_of_stream')),
    sa.CheckConstraint("outcome IN ('complete', 'refusal', 'ineligible')", name=op.f('ck_response_outcome')),
    sa.CheckConstraint("sealed OR stream = 'open' OR invitation_id IS NOT NULL", name=op.f('ck_response_invited_until_sealed')),
    sa.CheckConstraint("stream IN ('probability', 'open')", name=op.f('ck_response_stream')),
    sa.CheckConstraint('NOT sealed OR invitation_id IS NULL', name=op.f('ck_response_sealed_without_invitation')),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitation.id'], name=op.f('fk_response_invitation_id_invitation')),
    sa.ForeignKeyConstraint(['wave_id', 'sealed'], ['wave.id', 'wave.sealed'], name='fk_response_sealed_wave', onupdate='CASCADE', initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['wave_id', 'version_sha256'], ['wave.id', 'wave.version_sha256'], name=op.f('fk_response_wave_id_version_sha256_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_response')),
    sa.UniqueConstraint('invitation_id', name=op.f('uq_response_invitation_id')),
    sa.UniqueConstraint('reference', name=op.f('uq_response_reference')),
    sa.UniqueConstraint('submission_id', name=op.f('uq_response_submission_id'))
    )
    with op.batch_alter_table('response', schema=None) as batch_op:
        batch_op.create_index('ix_response_wave_id_stream', ['wave_id', 'stream'], unique=False)

    op.create_table('sample_draw',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('wave_id', sa.Integer(), nullable=False),
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('frame_sha256', sa.String(length=64), nullable=False),
    sa.Column('seed', sa.BigInteger(), nullable=False),
    sa.Column('allocation', sa.String(length=20), nullable=False),
    sa.Column('allocated', sa.JSON(), nullable=False),
    sa.Column('drawn_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('drawn_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['drawn_by'], ['staff.id'], name=op.f('fk_sample_draw_drawn_by_staff')),
    sa.ForeignKeyConstraint(['frame_id'], ['frame.id'], name=op.f('fk_sample_draw_frame_id_frame')),
    sa.ForeignKeyConstraint(['wave_id'], ['wave.id'], name=op.f('fk_sample_draw_wave_id_wave')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sample_draw')),
    sa.UniqueConstraint('wave_id', name=op.f('uq_sample_draw_wave_id'))
    )
    triggers()


def downgrade() -> None:
    if op.get_bind().dialect.name != 'sqlite':
        for table in FROZEN:
            for event in ('update', 'delete'):
                op.execute(f'DROP FUNCTION frozen_{table}_{event}() CASCADE')
        for event in ('update', 'wave', 'delete'):
            op.execute(f'DROP FUNCTION frozen_response_{event}() CASCADE')
    op.drop_table('sample_draw')
    with op.batch_alter_table('response', schema=None) as batch_op:
        batch_op.drop_index('ix_response_wave_id_stream')

    op.drop_table('response')
    op.drop_table('publication')
    op.drop_table('frame_unit')
    with op.batch_alter_table('draft', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draft_wave_id'))

    op.drop_table('draft')
    op.drop_table('wave_stratum')
    op.drop_table('wave_margin')
    with op.batch_alter_table('run', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_wave_id'))

    op.drop_table('run')
    op.drop_table('invitation')
    op.drop_table('closed_code')
    op.drop_table('frame')
    op.drop_table('wave')
    with op.batch_alter_table('staff_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_session_staff_id'))

    op.drop_table('staff_session')
    op.drop_table('staff_role')
    with op.batch_alter_table('questionnaire_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_questionnaire_version_name'))

    op.drop_table('questionnaire_version')
    op.drop_table('staff')
    with op.batch_alter_table('limit_counter', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_limit_counter_expires_at'))

    op.drop_table('limit_counter')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entry_subject'))
        batch_op.drop_index(batch_op.f('ix_audit_entry_action'))

    op.drop_table('audit_entry')
