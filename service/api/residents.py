"""Residents over the API: who is the same person, who else is at the same address; joined on proof, and parted."""

from pydantic import BaseModel, ConfigDict, Field

from service import residents
from service.api.endpoint import Call, Endpoint, Result

CLERKS = frozenset({"clerk"})


class Join(BaseModel):
    model_config = ConfigDict(extra="forbid")
    other: int
    proof: str = Field(min_length=4, max_length=400)
    """What shows that the two are one: a code that was read out, a number called back."""


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


async def read(call: Call) -> Result:
    resident = await residents.find(call.session, call.actor, call.number("id"))
    return Result(await residents.read(call.session, call.actor, resident, call.now))


async def join(call: Call) -> Result:
    resident = await residents.find(call.session, call.actor, call.number("id"))
    body = call.body()
    await residents.join(call.session, call.actor, resident, body.other, body.proof, call.now)
    return await read(call)


async def part(call: Call) -> Result:
    resident = await residents.find(call.session, call.actor, call.number("id"))
    call.body()
    await residents.part(call.session, call.actor, resident, call.now)
    return await read(call)


ENDPOINTS = (
    Endpoint("GET", "/residents/{id}", read, "A resident, and who is the same person", roles=CLERKS, session="write",
             tag="residents"),
    Endpoint("POST", "/residents/{id}/join", join, "Two residents are one person, on proof", Join, CLERKS, "write",
             tag="residents"),
    Endpoint("POST", "/residents/{id}/part", part, "Undo the joining of a resident", Nothing, CLERKS, "write",
             tag="residents"),
)
