"""The time: the only place that reads it, so that a rehearsal or a test can move it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
"""The offices' own time, used at the edge only: whatever is stored or compared is UTC."""

_offset = timedelta()


def now() -> datetime:
    """The moment, aware, in UTC. Take it once per operation and pass it down."""
    return datetime.now(UTC) + _offset


def set_offset(offset: timedelta) -> None:
    """Move the service's clock (setting `clock.offset`), for rehearsals only."""
    global _offset
    _offset = offset


def local(moment: datetime) -> datetime:
    """The same moment on the office's wall clock."""
    return moment.astimezone(ZONE)


def write_time(moment: datetime | None) -> str | None:
    """As answers of the API and records name a moment: RFC 3339 with the office's offset, as exact as it is known."""
    return local(moment).isoformat() if moment else None
