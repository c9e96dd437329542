"""The tickets that go with another: those merged into it, and those linked to it."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from ticketing.model import Ticket


async def merged_into(session: AsyncSession, ticket: Ticket) -> Sequence[Ticket]:
    """The tickets that go on in this one."""
    query = select(Ticket).where(Ticket.merged_into_id == ticket.id, Ticket.state == "merged")
    return (await session.scalars(query)).all()


async def linked_to(session: AsyncSession, lead: Ticket, *more: ColumnElement[bool], lock: bool = False) -> Sequence[Ticket]:
    """The tickets that wait for this one's answer, the oldest first. `lock`: nobody moves them meanwhile."""
    query = select(Ticket).where(Ticket.lead_id == lead.id, *more).order_by(Ticket.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).all()
