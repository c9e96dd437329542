"""Residents over the API: who is the same person, who else is at the same address; joined on proof, and parted."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, select

from core import audit, persons
from core.conversation import Resident, ResidentAddress
from core.errors import Conflict, Forbidden, Invalid, NotFound
from service.api.endpoint import Call, Endpoint, Result
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.visibility import visible

CLERKS = frozenset({"clerk"})
MOST = 20


class Join(BaseModel):
    model_config = ConfigDict(extra="forbid")
    other: int
    proof: str = Field(min_length=4, max_length=400)
    """What shows that the two are one: a code that was read out, a number called back."""


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def _find(call: Call, resident_id: int, *, named_in_body: bool = False) -> Resident:
    """A resident this caller may know of: not one of whom there is nothing but reports about staff."""
    found = await call.session.get(Resident, resident_id)
    tickets = select(Ticket.id).where(Ticket.resident_id == resident_id)
    known = await call.session.scalar(
        select(exists(tickets.where(visible(call.actor))) | ~exists(tickets))
    )
    if found is None or found.erased_at or not known:
        if named_in_body:
            raise Invalid("other: there is no such resident", "other")
        raise NotFound("there is no such resident: a ticket's `resident` names one")
    return found


async def read(call: Call) -> Result:
    """His addresses, the others that are the same person, and who else has open tickets at the same place."""
    resident = await _find(call, call.number("id"))
    confidential = await _is_confidential(call, resident.id)
    if confidential:
        audit.record(call.session, call.now, call.actor.name, "resident:read", f"resident:{resident.id}")
    same = await persons.others_of(call.session, resident.id)
    return Result(
        {
            **_describe(resident),
            "addresses": await _addresses(call, resident.id),
            "same_person": [
                {**_describe(item), "addresses": await _addresses(call, item.id)} for item in same
            ],
            "others_at_address": await _others_at_address(call, resident.id, {item.id for item in same}),
        }
    )


def _describe(resident: Resident) -> dict[str, Any]:
    return {"id": resident.id, "kind": resident.kind, "name": resident.name, "phone": resident.phone,
            "email": resident.email}


async def _addresses(call: Call, resident_id: int) -> list[str]:
    query = select(ResidentAddress).where(ResidentAddress.resident_id == resident_id).order_by(ResidentAddress.id)
    return [f"{row.channel}:{row.value}" for row in await call.session.scalars(query)]


async def _is_confidential(call: Call, resident_id: int) -> bool:
    query = select(Ticket.id).where(Ticket.resident_id == resident_id, Ticket.confidential.is_(True)).limit(1)
    return await call.session.scalar(query) is not None


async def _others_at_address(call: Call, resident_id: int, same: set[int]) -> list[dict[str, Any]]:
    """A neighbour with the same trouble, or the same household: for the clerk to judge, never joined by itself."""
    places = select(Ticket.place).where(Ticket.resident_id == resident_id, Ticket.place.is_not(None))
    query = (
        select(Ticket)
        .where(
            Ticket.place.in_(places), Ticket.resident_id.not_in({resident_id, *same}), Ticket.state.in_(OPEN),
            Ticket.confidential.is_(False), visible(call.actor),
        )
        .order_by(Ticket.id.desc())
        .limit(MOST)
    )
    return [
        {"resident": row.resident_id, "ticket": row.number, "title": row.title, "place": row.place}
        for row in await call.session.scalars(query)
    ]


async def join(call: Call) -> Result:
    first = await _find(call, call.number("id"))
    body = call.body()
    second = await _find(call, body.other, named_in_body=True)
    if first.id == second.id:
        raise Invalid("other: this is the same resident", "other")
    if any([await _is_confidential(call, item.id) for item in (first, second)]):
        raise Forbidden("a resident who asked to stay confidential is joined with nobody")
    await persons.join(call.session, first, second, body.proof, call.actor.name, call.now)
    return await read(call)


async def part(call: Call) -> Result:
    resident = await _find(call, call.number("id"))
    call.body()
    if not await persons.part(call.session, resident, call.actor.name, call.now):
        raise Conflict("this resident is joined with nobody: there is nothing to undo")
    return await read(call)


ENDPOINTS = (
    Endpoint("GET", "/residents/{id}", read, "A resident, and who is the same person", roles=CLERKS, session="write",
             tag="residents"),
    Endpoint("POST", "/residents/{id}/join", join, "Two residents are one person, on proof", Join, CLERKS, "write",
             tag="residents"),
    Endpoint("POST", "/residents/{id}/part", part, "Undo the joining of a resident", Nothing, CLERKS, "write",
             tag="residents"),
)
