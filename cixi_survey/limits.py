"""Rate limits, counted in the database so that every process counts together.

``limits`` has no storage on SQL, so this module gives it one.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_limiter import Limiter, RequestLimit
from flask_limiter.util import get_remote_address
from limits import parse
from limits.storage import Storage
from sqlalchemy.dialects import postgresql, sqlite

from cixi_survey import database
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import LimitCounter

FAILURES = parse('10/minute')


class TooMany(Refusal):
    """A rate limit is reached."""

    status = 429
    code = 'too_many'
    title = N_('Too many attempts')
    message = N_('There were too many attempts from here in a short time.')
    cure = N_('Please wait a minute and try again.')


class DatabaseStorage(Storage):
    """Fixed windows in the table ``limit_counter``."""

    STORAGE_SCHEME = ['cixi']  # noqa: RUF012 - the base class wants a list

    @property
    def base_exceptions(self) -> type[Exception]:
        return sa.exc.SQLAlchemyError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count one use of ``key`` and return the count of its present window."""
        now = time.time()
        with database.transaction() as session:
            insert = postgresql.insert if not database.get().is_sqlite else sqlite.insert
            fresh = LimitCounter.expires_at < now
            statement = insert(LimitCounter).values(key=key, count=amount, expires_at=now + expiry)
            counted = statement.on_conflict_do_update(
                index_elements=['key'],
                set_={
                    'count': sa.case((fresh, amount), else_=LimitCounter.count + amount),
                    'expires_at': sa.case((fresh, now + expiry), else_=LimitCounter.expires_at),
                },
            ).returning(LimitCounter.count)
            count: int = session.execute(counted).scalar_one()
            if count == amount:
                # without those that another request holds: two who waited for each other would fail
                stale = sa.select(LimitCounter.key).where(LimitCounter.expires_at < now - 60)
                unheld = stale.with_for_update(skip_locked=True)
                session.execute(sa.delete(LimitCounter).where(LimitCounter.key.in_(unheld)))
        return count

    def get(self, key: str) -> int:
        row = self._row(key)
        return row[0] if row else 0

    def get_expiry(self, key: str) -> float:
        row = self._row(key)
        return row[1] if row else time.time()

    def _row(self, key: str) -> tuple[int, float] | None:
        with database.reading() as session:
            row = session.execute(
                sa.select(LimitCounter.count, LimitCounter.expires_at).where(
                    LimitCounter.key == key, LimitCounter.expires_at >= time.time()
                )
            ).first()
        return (row[0], row[1]) if row else None

    def check(self) -> bool:
        database.get().check()
        return True

    def reset(self) -> int | None:
        with database.transaction() as session:
            session.execute(sa.delete(LimitCounter))
        return None

    def clear(self, key: str) -> None:
        with database.transaction() as session:
            session.execute(sa.delete(LimitCounter).where(LimitCounter.key == key))


def _breached(_limit: RequestLimit) -> Any:
    raise TooMany


limiter = Limiter(
    get_remote_address,
    storage_uri='cixi://',
    on_breach=_breached,
    headers_enabled=False,
    swallow_errors=False,
)


def refuse_guessing(what: str) -> None:
    """Raise TooMany where one address has failed too often at ``what`` in the last minute."""
    if not limiter.limiter.test(FAILURES, what, get_remote_address()):
        raise TooMany


def count_failure(what: str) -> None:
    """Note that a number of the kind ``what`` did not exist."""
    limiter.limiter.hit(FAILURES, what, get_remote_address())


def init_app(app: Flask) -> None:
    limiter.init_app(app)
