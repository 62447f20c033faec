"""What several pages of waves need."""

from __future__ import annotations

import io

from flask import send_file
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cixi_survey.access import wave_for
from cixi_survey.errors import Term
from cixi_survey.models import Wave
from cixi_survey.waves import lifecycle

CSV_TYPE = 'text/csv; charset=utf-8'


def changeable(session: Session, slug: str) -> Wave:
    """The wave with what the pages show of it, if it may still change.  Raises NotPlanned."""
    wave = wave_for(session, slug)
    if wave.state != 'planned':
        state = Term(lifecycle.STATE_NAMES[wave.state])
        raise lifecycle.NotPlanned(title=wave.title, state=state, slug=slug)
    load(wave)
    return wave


def load(wave: Wave) -> None:
    """Read what a page shows after the session is closed."""
    for name in ('strata', 'margins', 'version'):
        getattr(wave, name)


def csv_file(content: bytes, name: str) -> ResponseReturnValue:
    """A CSV file to keep."""
    return send_file(io.BytesIO(content), mimetype=CSV_TYPE, as_attachment=True, download_name=name)
