"""Time: stored in UTC, decided and shown in Asia/Shanghai, to the minute."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo('Asia/Shanghai')


def now() -> datetime:
    """The present moment, aware, in UTC, without microseconds."""
    return datetime.now(UTC).replace(microsecond=0)


def local(moment: datetime) -> datetime:
    """The same moment as a wall clock in Cixi shows it."""
    return moment.astimezone(BEIJING)


def from_local(naive: datetime) -> datetime:
    """A wall-clock time typed in Cixi, as the moment in UTC."""
    if naive.tzinfo is not None:
        raise ValueError('from_local takes a time without a zone')
    return naive.replace(tzinfo=BEIJING).astimezone(UTC)


def show(moment: datetime) -> str:
    """``2026-11-23 18:30`` in Cixi's time, for files and records; pages use ``i18n.moment``."""
    return local(moment).strftime('%Y-%m-%d %H:%M')


def show_date(moment: datetime) -> str:
    """The date in Cixi on which ``moment`` falls."""
    return local(moment).strftime('%Y-%m-%d')
