"""Who a resident is: his addresses, the others that are the same person, and who else is at the same address.

Residents are joined by a clerk on proof only, and parted again; neighbours are shown, never joined by themselves.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, persons
from core.conversation import Resident, ResidentAddress
from core.errors import Conflict, Forbidden, Invalid, NotFound
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.visibility import visible

MOST = 20


async def find(session: AsyncSession, actor: Actor, resident_id: int) -> Resident:
    """NotFound for one this member of staff may not know of: of whom there is nothing but reports about staff."""
    found = await session.get(Resident, resident_id)
    tickets = select(Ticket.id).where(Ticket.resident_id == resident_id)
    known = await session.scalar(select(exists(tickets.where(visible(actor))) | ~exists(tickets)))
    if found is None or found.erased_at or not known:
        raise NotFound("there is no such resident: a ticket's `resident` names one")
    return found


async def read(session: AsyncSession, actor: Actor, resident: Resident, now: datetime) -> dict[str, Any]:
    """All that is known of him. Reading one who asked to stay confidential is audited."""
    if await _is_confidential(session, resident.id):
        audit.record(session, now, actor.name, "resident:read", f"resident:{resident.id}")
    same = await persons.others_of(session, resident.id)
    return {
        **await _describe(session, resident),
        "same_person": [await _describe(session, item) for item in same],
        "others_at_address": await _others_at_address(session, actor, resident.id, {item.id for item in same}),
    }


async def _describe(session: AsyncSession, resident: Resident) -> dict[str, Any]:
    query = select(ResidentAddress).where(ResidentAddress.resident_id == resident.id).order_by(ResidentAddress.id)
    return {
        "id": resident.id, "kind": resident.kind, "name": resident.name, "phone": resident.phone,
        "email": resident.email, "addresses": [f"{row.channel}:{row.value}" for row in await session.scalars(query)],
    }


async def _is_confidential(session: AsyncSession, resident_id: int) -> bool:
    query = select(Ticket.id).where(Ticket.resident_id == resident_id, Ticket.confidential.is_(True)).limit(1)
    return await session.scalar(query) is not None


async def _others_at_address(
    session: AsyncSession, actor: Actor, resident_id: int, same: set[int]
) -> list[dict[str, Any]]:
    """A neighbour with the same trouble, or the same household: for the clerk to judge."""
    places = select(Ticket.place).where(Ticket.resident_id == resident_id, Ticket.place.is_not(None))
    query = (
        select(Ticket)
        .where(
            Ticket.place.in_(places), Ticket.resident_id.not_in({resident_id, *same}), Ticket.state.in_(OPEN),
            Ticket.confidential.is_(False), visible(actor),
        )
        .order_by(Ticket.id.desc())
        .limit(MOST)
    )
    return [
        {"resident": row.resident_id, "ticket": row.number, "title": row.title, "place": row.place}
        for row in await session.scalars(query)
    ]


async def join(
    session: AsyncSession, actor: Actor, first: Resident, other_id: int, proof: str, now: datetime
) -> None:
    """These two are one person. Invalid for one who is not there or the same, Forbidden for one who is confidential."""
    try:
        second = await find(session, actor, other_id)
    except NotFound:
        raise Invalid("other: there is no such resident", "other") from None
    if first.id == second.id:
        raise Invalid("other: this is the same resident", "other")
    if any([await _is_confidential(session, item.id) for item in (first, second)]):
        raise Forbidden("a resident who asked to stay confidential is joined with nobody")
    await persons.join(session, first, second, proof, actor.name, now)


async def part(session: AsyncSession, actor: Actor, resident: Resident, now: datetime) -> None:
    """Undo the joining of one. Conflict when he is joined with nobody."""
    if not await persons.part(session, resident, actor.name, now):
        raise Conflict("this resident is joined with nobody: there is nothing to undo")
