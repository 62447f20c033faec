"""Notices kept word for word, consent, and what a withdrawal does by the ground of the wave"""

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from cixi_survey import database as types

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

FIXED = (
    'reference, submission_id, version_sha256, stream, outcome, stratum, psu, '
    'base_weight, frame_count, language, channel, notice_version, notice_sha256, consented_at, '
    'mode, started_at, submitted_at'
)
FIRST_FIXED = (
    'reference, submission_id, version_sha256, stream, outcome, stratum, psu, '
    'base_weight, frame_count, answers, answers_sha256, language, channel, notice_version, '
    'started_at, submitted_at'
)
TRIGGERS = {
    'frozen_notice_update': 'notice',
    'frozen_notice_delete': 'notice',
    'frozen_response_update': 'response',
    'frozen_response_answers': 'response',
    'response_names_notice': 'response',
    'wave_promises': 'wave',
    'wave_opened_as': 'wave',
    'wave_changed_to': 'wave',
    'wave_erased': 'wave',
}
MOMENT = 'TIMESTAMP WITH TIME ZONE'

wave = sa.table(
    'wave',
    *map(sa.column, ('id', 'state', 'title_zh', 'title_en', 'version_sha256', 'legal_basis')),
    *map(sa.column, ('notice_sha256', 'retention_years')),
)
version = sa.table('questionnaire_version', sa.column('sha256'), sa.column('definition'))
notice = sa.table(
    'notice',
    *map(sa.column, ('sha256', 'version', 'content')),
    sa.column('made_at', types.UtcDateTime()),
)


def is_sqlite() -> bool:
    return op.get_bind().dialect.name == 'sqlite'


def forbid(name: str, table: str, event: str, sentence: str, when: str = '') -> None:
    """A trigger that refuses ``event`` on ``table`` with ``sentence``, if ``when`` holds.

    PostgreSQL takes no queries in WHEN, so there the function looks.
    """
    if is_sqlite():
        condition = f'WHEN ({when})' if when else ''
        op.execute(
            f'CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW {condition} '
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
        )
        return
    refusal = f"RAISE EXCEPTION '{sentence}' USING ERRCODE = 'check_violation';"
    refusal = f'IF {when} THEN {refusal} END IF; RETURN NEW;' if when else refusal
    op.execute(
        f'CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal} END $$'
    )
    op.execute(
        f'CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()'
    )


def allow(name: str, table: str) -> None:
    """Drop a trigger and what it calls."""
    if is_sqlite():
        op.execute(f'DROP TRIGGER {name}')
    else:
        op.execute(f'DROP TRIGGER {name} ON {table}')
        op.execute(f'DROP FUNCTION {name}()')


def add(table: str, *columns: str) -> None:
    # Spelled out, because a batch would make a new table and lose the triggers of the old one.
    for column in columns:
        op.execute(f'ALTER TABLE {table} ADD COLUMN {column}')


def upgrade() -> None:
    op.create_table('notice',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('version', sa.String(length=40), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('made_at', types.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_notice'))
    )
    moment = 'DATETIME' if is_sqlite() else MOMENT
    refers = 'VARCHAR(64) CONSTRAINT fk_{}_notice_sha256_notice REFERENCES notice (sha256)'
    add('wave',
        "legal_basis VARCHAR(12) DEFAULT '' NOT NULL "
        "CONSTRAINT ck_wave_legal_basis CHECK (legal_basis IN ('', 'consent', 'statutory'))",
        'retention_years INTEGER DEFAULT 2 NOT NULL '
        'CONSTRAINT ck_wave_retention_years CHECK (retention_years BETWEEN 2 AND 30)',
        f'notice_sha256 {refers.format("wave")}',
        f'erased_at {moment}')
    add('draft', f'consented_at {moment}')
    add('response',
        f'notice_sha256 {refers.format("response")}',
        f'consented_at {moment}',
        "mode VARCHAR(12) DEFAULT 'web' NOT NULL "
        "CONSTRAINT ck_response_mode CHECK (mode IN ('web', 'paper', 'interviewer'))",
        'locked TEXT CONSTRAINT ck_response_locked_when_withdrawn '
        'CHECK (locked IS NULL OR withdrawn_at IS NOT NULL)')
    _keep_notices_of_opened_waves()
    allow('frozen_response_update', 'response')
    _triggers()


def _keep_notices_of_opened_waves() -> None:
    """What people read so far is the text of the questionnaire, which promised to delete."""
    connection = op.get_bind()
    opened = connection.execute(
        sa.select(wave.c.id, wave.c.title_zh, wave.c.title_en, version.c.definition)
        .join(version, version.c.sha256 == wave.c.version_sha256)
        .where(wave.c.state != 'planned')
    ).all()
    for row in opened:
        read = json.loads(row.definition)['notice']
        texts = {
            language: {
                'lines': [],
                'sections': [{'title': '', 'paragraphs': text.strip().split('\n\n')}],
            }
            for language, text in read['text'].items()
        }
        content = json.dumps(
            {
                'version': read['version'],
                'survey': {'zh': row.title_zh, 'en': row.title_en},
                'texts': texts,
            },
            ensure_ascii=False,
            sort_keys=True,
            separators=(',', ':'),
        )
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        if not connection.scalar(sa.select(sa.func.count()).where(notice.c.sha256 == sha256)):
            connection.execute(
                notice.insert().values(
                    sha256=sha256,
                    version=read['version'],
                    content=content,
                    made_at=datetime.now(UTC),
                )
            )
        connection.execute(
            wave.update()
            .where(wave.c.id == row.id)
            # They were told “at least two years”: nobody has decided yet to delete after two.
            .values(legal_basis='consent', notice_sha256=sha256, retention_years=10)
        )
        connection.execute(
            sa.text('UPDATE response SET notice_sha256 = :sha256 WHERE wave_id = :wave'),
            {'sha256': sha256, 'wave': row.id},
        )
    connection.execute(
        sa.text("UPDATE response SET consented_at = submitted_at WHERE outcome = 'complete'")
    )


def _triggers() -> None:
    for event in ('UPDATE', 'DELETE'):
        forbid(f'frozen_notice_{event.lower()}', 'notice', event, 'notice is frozen')
    forbid(
        'frozen_response_update',
        'response',
        f'UPDATE OF {FIXED}',
        'what a response says of itself never changes',
    )
    withdrawn = (
        'OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL AND NOT OLD.sealed '
        "AND NEW.answers = '{}' AND (NEW.locked IS NOT NULL) = "
        "(SELECT w.legal_basis = 'statutory' FROM wave w WHERE w.id = NEW.wave_id)"
    )
    erased = (
        "NEW.answers = '{}' AND NEW.locked IS NULL AND (NEW.withdrawn_at = OLD.withdrawn_at "
        'OR (NEW.withdrawn_at IS NULL AND OLD.withdrawn_at IS NULL)) AND '
        '(SELECT w.erased_at IS NOT NULL FROM wave w WHERE w.id = NEW.wave_id)'
    )
    forbid(
        'frozen_response_answers',
        'response',
        'UPDATE OF answers, answers_sha256, withdrawn_at, locked',
        'answers are changed only by a withdrawal or when their time is over',
        f'NOT (({withdrawn}) OR ({erased}))',
    )
    forbid(
        'response_names_notice',
        'response',
        'INSERT',
        'a response names its notice, and a complete one its consent',
        "NEW.notice_sha256 IS NULL OR (NEW.outcome = 'complete' AND NEW.consented_at IS NULL)",
    )
    forbid(
        'wave_promises',
        'wave',
        'UPDATE OF legal_basis, retention_years, notice_sha256',
        'what residents were promised stays',
        "OLD.state <> 'planned'",
    )
    unsaid = "NEW.state <> 'planned' AND (NEW.legal_basis = '' OR NEW.notice_sha256 IS NULL)"
    sentence = 'a wave opens with a legal basis and a notice'
    forbid('wave_opened_as', 'wave', 'INSERT', sentence, unsaid)
    forbid('wave_changed_to', 'wave', 'UPDATE OF state', sentence, unsaid)
    over = (
        "datetime(OLD.closes_at, '+' || OLD.retention_years || ' years')"
        if is_sqlite()
        else 'OLD.closes_at + make_interval(years => OLD.retention_years)'
    )
    forbid(
        'wave_erased',
        'wave',
        'UPDATE OF erased_at',
        'answers are kept until their time is over, and erased once',
        'OLD.erased_at IS NOT NULL OR NEW.erased_at IS NULL OR NOT OLD.sealed '
        f'OR NEW.erased_at < {over}',
    )


def downgrade() -> None:
    for name, table in TRIGGERS.items():
        allow(name, table)
    for table, checks, columns in (
        (
            'response',
            ('ck_response_mode', 'ck_response_locked_when_withdrawn'),
            ('locked', 'mode', 'consented_at', 'notice_sha256'),
        ),
        ('draft', (), ('consented_at',)),
        (
            'wave',
            ('ck_wave_legal_basis', 'ck_wave_retention_years'),
            ('erased_at', 'notice_sha256', 'retention_years', 'legal_basis'),
        ),
    ):
        with op.batch_alter_table(table) as batch_op:
            for check in checks:
                batch_op.drop_constraint(op.f(check), type_='check')
            for column in columns:
                batch_op.drop_column(column)
    op.drop_table('notice')
    if is_sqlite():  # a new table has no triggers
        stays = 'NEW.wave_id <> OLD.wave_id'
        forbid('frozen_response_wave', 'response', 'UPDATE OF wave_id', 'a response stays', stays)
        forbid('frozen_response_delete', 'response', 'DELETE', 'responses are never deleted')
    forbid(
        'frozen_response_update',
        'response',
        f'UPDATE OF {FIRST_FIXED}',
        'answers are changed only by a withdrawal',
        'NEW.withdrawn_at IS NULL OR OLD.withdrawn_at IS NOT NULL',
    )
