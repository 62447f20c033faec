"""What came with a request to a questionnaire, as plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import request

CHANNEL = re.compile(r'[A-Za-z0-9_-]{1,40}')


@dataclass(frozen=True)
class Posted:
    """A questionnaire form: our own fields begin with an underscore, all others are answers."""

    ticket: str
    revision: int
    section: str
    do: str
    raw: dict[str, list[str]]


def read() -> Posted:
    """The form of this request."""
    form = request.form
    revision = form.get('_revision', '')
    return Posted(
        ticket=form.get('_ticket', ''),
        revision=int(revision) if re.fullmatch('[0-9]{1,9}', revision) else 0,
        section=form.get('_section', '').replace('\0', ''),
        do=form.get('_do', 'send'),
        raw={
            name: texts
            for name, texts in form.lists()
            if not name.startswith('_') and name != 'csrf_token'
        },
    )


def channel() -> str:
    """The poster or mailing that led here (``?c=``), or nothing when it is no such name."""
    given = request.args.get('c', '')
    return given if CHANNEL.fullmatch(given) else ''
