"""A word to members of staff about the guides: noted as every other word to staff, and told in the office's hours."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ticketing import staff_notices
from ticketing.office import Office
from ticketing.staff import Staff

EDITORS = frozenset({"editor"})
"""Who is told when a guide's owner is a window or an office and no member of staff."""


async def tell_owner(session: AsyncSession, office: Office, owner: str, text: str, now: datetime) -> None:
    """Leave a word for a guide's owner, in the caller's transaction: in the console, and where editors are told besides."""
    at = now if office.is_open(now) else office.calendars.of(None).next_opening(now)
    row = {"ticket_id": None, "clock_id": None, "share": None, "text": text, "pressing": False, "noted_at": now,
           "not_before": at}
    rows = [row | {"whom": name, "by": staff_notices.CONSOLE} for name in await find_people(session, owner)]
    rows += [row | {"whom": way.end, "by": way.kind} for way in office.ways if way.roles & EDITORS]
    await staff_notices.note(session, rows)


async def find_people(session: AsyncSession, owner: str, roles: Iterable[str] = EDITORS) -> Sequence[str]:
    """Who is meant by a guide's owner: the member of staff of that name, else all who have one of these roles."""
    staff = (await session.scalars(select(Staff).order_by(Staff.id))).all()
    if any(person.name == owner for person in staff):
        return [owner]
    wanted = set(roles)
    return [person.name for person in staff if wanted & set(person.roles)] or [owner]
