"""Published versions of questionnaires: publishing a file, listing, looking one up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey import access, audit, database
from cixi_survey.config import ROOT
from cixi_survey.errors import N_, Problem, ProblemsFound
from cixi_survey.models import QuestionnaireVersion, Wave
from cixi_survey.questionnaire import definition

FOLDER = ROOT / 'surveys'


@dataclass(frozen=True)
class Published:
    """A version; ``new`` is false when the same definition was published before."""

    sha256: str
    name: str
    new: bool


def files() -> list[Path]:
    """The questionnaire files that come with the program."""
    return sorted(FOLDER.glob('*.yaml'))


def shipped(name: str) -> bytes:
    """The content of one of ``files``.  Raises ProblemsFound for any other name."""
    for path in files():
        if path.name == name:
            return path.read_bytes()
    if not name:
        message = N_('No file was chosen.')
        cure = N_('Choose one of the list, or upload your own.')
        raise ProblemsFound([Problem('file_name', 'file_missing', message, cure)])
    raise ProblemsFound(
        [
            Problem(
                'file_name',
                'file_unknown',
                N_('There is no questionnaire file “%(name)s” here.'),
                N_('Choose one of the list, or upload your own.'),
                {'name': name},
            )
        ]
    )


def text_of(content: bytes) -> str:
    """The text of a questionnaire file; raises ProblemsFound when it is not UTF-8."""
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise ProblemsFound(
            [
                Problem(
                    'file',
                    'not_utf8',
                    N_('The file is not written in UTF-8.'),
                    N_('Save it as UTF-8 in your editor (not GBK or ANSI).'),
                    line=content.count(b'\n', 0, error.start) + 1,
                )
            ]
        ) from error


def publish(
    session: Session,
    content: bytes,
    *,
    filename: str,
    actor: str,
    now: datetime,
    staff_id: int | None = None,
) -> Published:
    """Store a questionnaire file as a version.  The same definition is stored only once.

    Raises ProblemsFound with every fault of the file and its line.
    """
    text = text_of(content)
    questionnaire = definition.load(text, filename=filename)
    version = QuestionnaireVersion(
        sha256=questionnaire.sha256,
        name=questionnaire.name,
        definition=questionnaire.canonical(),
        source=text,
        published_at=now,
        published_by=staff_id,
    )
    known = session.get(QuestionnaireVersion, questionnaire.sha256) is not None
    if known or not database.added(session, version):
        return Published(questionnaire.sha256, questionnaire.name, new=False)
    audit.record(
        session,
        actor=actor,
        action='questionnaire.publish',
        subject=f'questionnaire:{questionnaire.name}',
        now=now,
        details={'file': filename, 'sha256': questionnaire.sha256},
    )
    return Published(questionnaire.sha256, questionnaire.name, new=True)


def every(session: Session) -> Sequence[QuestionnaireVersion]:
    """Every version, the latest first."""
    query = sa.select(QuestionnaireVersion).order_by(
        QuestionnaireVersion.published_at.desc(), QuestionnaireVersion.name
    )
    return session.scalars(query).all()


def find(session: Session, sha256: str) -> QuestionnaireVersion:
    """One version.  Raises access.NotFound."""
    found = session.get(QuestionnaireVersion, sha256)
    if found is None:
        raise access.NotFound
    return found


def waves_of(session: Session, sha256: str) -> Sequence[Wave]:
    """The waves that ask with a version."""
    query = sa.select(Wave).where(Wave.version_sha256 == sha256).order_by(Wave.opens_at)
    return session.scalars(query).all()


def used_before(session: Session, sha256: str) -> QuestionnaireVersion | None:
    """The version that a version is naturally compared with.

    The one that the wave before its own asked with; if it was never used, the one that was used
    last; if there is none, the one published before it under the same name.
    """
    now = find(session, sha256)
    used = [
        wave.version
        for wave in session.scalars(sa.select(Wave).order_by(Wave.opens_at))
        if wave.version.name == now.name
    ]
    shas = [version.sha256 for version in used]
    before = used[: shas.index(sha256)] if sha256 in shas else used
    for version in reversed(before):
        if version.sha256 != sha256:
            return version
    query = (
        sa.select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.name == now.name,
            QuestionnaireVersion.published_at < now.published_at,
        )
        .order_by(QuestionnaireVersion.published_at.desc())
        .limit(1)
    )
    return session.scalars(query).first()
