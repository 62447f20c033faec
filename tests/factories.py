"""Things that many tests need, made the short way, with sensible defaults.

Each function takes a session of an open transaction; what a test is about goes through the
product's own work functions instead.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cixi_survey import clock, codes, notices
from cixi_survey.database import Database
from cixi_survey.models import (
    Invitation,
    QuestionnaireVersion,
    Response,
    Staff,
    StaffRole,
    StaffSession,
    Wave,
    WaveStratum,
)
from cixi_survey.questionnaire import definition
from cixi_survey.questionnaire.definition import Questionnaire
from tests.conftest import SECRET

FIXTURES = Path(__file__).parent / 'fixtures'
BASELINE = Path(__file__).parent.parent / 'surveys' / 'cixi-eco-baseline.yaml'
TOWNS = {'330282004': ('浒山街道', 'Hushan Subdistrict'), '330282108': ('附海镇', 'Fuhai Town')}
VILLAGES = {'330282004': '330282004001', '330282108': '330282108001'}

ANSWERS: Mapping[str, object] = {
    'consent': 'yes',
    'town': '330282004',
    'village': '330282004001',
    'age': 'a18_39',
    'overall': 'satisfied',
    'sat_water': 'rather',
    'sat_air': 'satisfied',
    'k_one': 'june5',
    'k_two': 'walk',
    'did': ['sorted'],
    'adults': 2,
}


def small() -> Questionnaire:
    """The small questionnaire of the fixtures."""
    path = FIXTURES / 'small.yaml'
    return definition.load(path.read_text(encoding='utf-8'), filename=path.name)


def publish(session: Session, questionnaire: Questionnaire | None = None) -> QuestionnaireVersion:
    """A published version (the small questionnaire unless given); the same one only once."""
    questionnaire = questionnaire or small()
    found = session.get(QuestionnaireVersion, questionnaire.sha256)
    if found is not None:
        return found
    version = QuestionnaireVersion(
        sha256=questionnaire.sha256,
        name=questionnaire.name,
        definition=questionnaire.canonical(),
        source='',
        published_at=clock.now(),
    )
    session.add(version)
    session.flush()
    return version


def wave(
    session: Session,
    *,
    slug: str = 'w2026',
    state: str = 'open',
    now: datetime | None = None,
    questionnaire: Questionnaire | None = None,
    population: Mapping[str, int] | None = None,
    **changes: object,
) -> Wave:
    """An open, approved wave of two towns (60,000 and 20,000 adults)."""
    now = now or clock.now()
    population = population or {'330282004': 60_000, '330282108': 20_000}
    values: dict[str, object] = {
        'slug': slug,
        'title_zh': '测试批次',
        'title_en': 'Test wave',
        'version_sha256': publish(session, questionnaire).sha256,
        'state': state,
        'sealed': state in {'closed', 'estimated', 'published'},
        'opens_at': now - timedelta(days=1),
        'closes_at': now + timedelta(days=10),
        'target_n': 100,
        'operator': '慈溪市统计局',
        'contact': '0574-12345678',
        'form_number': '慈环调1号',
        'form_authority': '慈溪市统计局',
        'approval_number': '慈统审〔2026〕1号',
        'approval_valid_until': (now + timedelta(days=365)).date(),
        'legal_basis': 'consent',
        'retention_years': 2,
        'population_source': 'test figures',
        'created_at': now,
    }
    made = Wave(**{**values, **changes})
    made.strata = [
        WaveStratum(
            town_code=code,
            name_zh=TOWNS[code][0],
            name_en=TOWNS[code][1],
            population=adults,
        )
        for code, adults in population.items()
    ]
    if state != 'planned' and made.legal_basis:
        made.version = session.get_one(QuestionnaireVersion, made.version_sha256)
        notices.freeze(session, made, now)
    session.add(made)
    session.flush()
    return made


def invitation(
    session: Session,
    wave: Wave,
    *,
    code: str | None = None,
    stratum: str = '330282004',
    size: int = 1,
    probability: float = 0.01,
    frame_count: int = 1000,
    outcome: str = 'pending',
) -> tuple[Invitation, str]:
    """One sampled unit of ``wave`` and its plain code."""
    code = code or codes.new_code()
    made = Invitation(
        wave_id=wave.id,
        stratum=stratum,
        psu=VILLAGES[stratum],
        unit=f'unit {secrets.token_hex(6)}',
        size=size,
        probability=probability,
        frame_count=frame_count,
        code_hash=codes.hashed(code, SECRET),
        outcome=outcome,
    )
    session.add(made)
    session.flush()
    return made, code


def response(
    session: Session,
    wave: Wave,
    invitation: Invitation | None = None,
    answers: Mapping[str, object] | None = None,
    *,
    outcome: str = 'complete',
    **changes: object,
) -> Response:
    """A stored response: of the probability stream when there is an invitation, else open."""
    text = json.dumps(
        {**ANSWERS, **(answers or {})}, ensure_ascii=False, sort_keys=True, separators=(',', ':')
    )
    now = clock.now()
    values: dict[str, object] = {
        'reference': codes.new_reference(),
        'submission_id': secrets.token_hex(16),
        'wave_id': wave.id,
        'version_sha256': wave.version_sha256,
        'sealed': wave.sealed,
        'stream': 'open',
        'outcome': outcome,
        'answers': text,
        'answers_sha256': hashlib.sha256(text.encode()).hexdigest(),
        'language': 'zh',
        'notice_version': '1',
        'notice_sha256': wave.notice_sha256,
        'consented_at': now,
        'started_at': now,
        'submitted_at': now,
    }
    if invitation is not None:
        values |= {
            'stream': 'probability',
            'invitation_id': None if wave.sealed else invitation.id,
            'stratum': invitation.stratum,
            'psu': invitation.psu,
            'base_weight': invitation.base_weight,
            'frame_count': invitation.frame_count,
        }
        invitation.outcome = outcome
    made = Response(**{**values, **changes})
    session.add(made)
    session.flush()
    return made


def staff(session: Session, *roles: str, username: str = 'zhang') -> Staff:
    """An account with these roles; its password cannot be used (sign in with ``sign_in``)."""
    made = Staff(
        username=username,
        name='张三',
        password_hash='!',
        created_at=clock.now(),
        roles=[StaffRole(role=role) for role in roles],
    )
    session.add(made)
    session.flush()
    return made


def sign_in(client: FlaskClient, database: Database, *roles: str, username: str = 'zhang') -> Staff:
    """Make an account with these roles and sign this client in as it."""
    key = secrets.token_urlsafe(32)
    with database.transaction() as session:
        made = staff(session, *roles, username=username)
        now = clock.now()
        session.add(StaffSession(id=key, staff_id=made.id, created_at=now, seen_at=now))
    with client.session_transaction() as cookie:
        cookie['_user_id'] = key
        cookie['_fresh'] = True
    return made


def many(session: Session, wave: Wave, rows: Sequence[Mapping[str, object]]) -> None:
    """A complete probability response for each of ``rows`` (answers to change)."""
    for answers in rows:
        stratum = str(answers.get('town', '330282004'))
        unit, _code = invitation(session, wave, stratum=stratum)
        response(session, wave, unit, answers)
