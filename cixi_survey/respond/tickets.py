"""Tickets: submission ids made and signed by the server.

A form carries the ticket it was given.  Whoever holds one may keep a draft under its id and send
one response with it; nobody can make one up, or use that of one door at another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadSignature, URLSafeSerializer


@dataclass(frozen=True)
class Ticket:
    """A submission id, for which door, since when, and as written in the form."""

    door: str
    submission_id: str
    issued_at: datetime
    text: str


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt='submission ticket')


def issue(door: str, secret_key: str, now: datetime, submission_id: str = '') -> Ticket:
    """A ticket for a fresh submission, or for one that has a draft."""
    submission_id = submission_id or secrets.token_hex(16)
    text = _serializer(secret_key).dumps([door, submission_id, int(now.timestamp())])
    assert isinstance(text, str)
    return Ticket(door, submission_id, now, text)


def read(text: str, door: str, secret_key: str) -> Ticket | None:
    """The ticket written in ``text``, or None when it is not ours or for another door."""
    try:
        of, submission_id, issued = _serializer(secret_key).loads(text)
    except BadSignature:
        return None
    if of != door:
        return None
    return Ticket(door, submission_id, datetime.fromtimestamp(issued, UTC), text)
