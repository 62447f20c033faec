"""Publishing: a run goes to the public through disclosure control, as a revision with a reason."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Refusal
from cixi_survey.models import Publication, Run, Wave
from cixi_survey.results import disclosure
from cixi_survey.results.disclosure import PublicResult


class RunOfAnotherWave(Refusal):
    """The run was not made from this wave."""

    code = 'run_of_another_wave'
    title = N_('This run belongs to another wave')
    message = N_('A run can be published only for the wave from which it was made.')
    cure = N_('Choose a run from the list of this wave.')


class RunDamaged(Refusal):
    """The stored figures are not the ones that were frozen."""

    code = 'run_damaged'
    title = N_('The figures of this run were changed after they were made')
    message = N_('Their checksum is not the one that was stored with them.')
    cure = N_('Make a new run, and ask those who run the system to find out what happened.')


class ReasonMissing(Refusal):
    """A revision says why it was made."""

    status = 422
    code = 'reason_missing'
    title = N_('Say why the published figures change')
    message = N_('Figures of this wave are published already. The reason is shown beside them.')
    cure = N_('Go back, write the reason, and publish again.')


class AlreadyPublic(Refusal):
    """The run is what the public reads now; a revision of it would change nothing."""

    code = 'already_public'
    title = N_('These figures are public already')
    message = N_('What the public reads now is this run, so there is nothing to revise.')
    cure = N_('To correct the result, make a new run and publish that.')


def preview(run: Run) -> PublicResult:
    """What the public would see of a run.  Raises RunDamaged."""
    if hashlib.sha256(run.figures.encode()).hexdigest() != run.figures_sha256:
        raise RunDamaged
    return disclosure.release(json.loads(run.figures), run_sha256=run.figures_sha256)


def publish(
    session: Session, wave: Wave, run: Run, *, by: int | None, now: datetime, reason: str = ''
) -> Publication:
    """Publish a run: the first revision of the wave's result, or the next one with its reason.

    Raises RunOfAnotherWave, AlreadyPublic, RunDamaged and ReasonMissing.
    """
    if run.wave_id != wave.id:
        raise RunOfAnotherWave
    history = revisions(session, wave)
    if history and history[0].run_id == run.id:
        raise AlreadyPublic
    revision = 1 + (history[0].revision if history else 0)
    reason = reason.strip()
    if revision > 1 and not reason:
        raise ReasonMissing
    result = preview(run)
    publication = Publication(
        wave_id=wave.id,
        run_id=run.id,
        revision=revision,
        reason=reason,
        result=result.text,
        result_sha256=result.sha256,
        published_at=now,
        published_by=by,
    )
    session.add(publication)
    wave.state = 'published'
    session.flush()
    return publication


def revisions(session: Session, wave: Wave) -> list[Publication]:
    """Everything that was published of a wave, the newest first."""
    query = (
        sa.select(Publication)
        .where(Publication.wave_id == wave.id)
        .order_by(Publication.revision.desc())
    )
    return list(session.scalars(query))
