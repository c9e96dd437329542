"""A word to a member of staff: an outbox row to `staff:<name>`, which he reads in the console."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import queues
from core.message import OutboundMessage
from core.queues import Outbox
from ticketing.staff import Staff
from ticketing.staff_notices import CONSOLE

ACCOUNT = "main"


def tell_staff(session: AsyncSession, name: str, text: str, now: datetime) -> Outbox:
    """Leave a word for somebody, in the caller's transaction."""
    return queues.enqueue(session, OutboundMessage(CONSOLE, ACCOUNT, f"staff:{name}", text, "staff"), now)


async def find_people(session: AsyncSession, owner: str, roles: Iterable[str]) -> list[str]:
    """Who is meant by a guide's owner: the member of staff of that name, else all who have one of these roles."""
    staff = (await session.scalars(select(Staff).order_by(Staff.id))).all()
    if any(person.name == owner for person in staff):
        return [owner]
    wanted = set(roles)
    return [person.name for person in staff if wanted & set(person.roles)] or [owner]


async def read_messages(session: AsyncSession, name: str, limit: int) -> Sequence[Outbox]:
    """The newest words to this member of staff."""
    query = select(Outbox).where(Outbox.order_key == f"{CONSOLE}/{ACCOUNT}/staff:{name}").order_by(Outbox.id.desc())
    return (await session.scalars(query.limit(limit))).all()
