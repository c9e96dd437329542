"""Who is on duty, who is away, what goes to whom, and the 绿色通道."""

from typing import Annotated, Any

from pydantic import Field, model_validator
from sqlalchemy import select

from core import audit
from core.checking import Body, Moment
from core.clock import write_time
from core.errors import Forbidden, Invalid, NotFound
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import green_channel, handover, roster, routing, staff_notices, tickets, views
from ticketing.bodies import Short
from ticketing.roster import Absence, Duty

READERS = frozenset({"clerk", "officer", "supervisor", "inspector", "administrator"})
WRITERS = frozenset({"supervisor", "administrator"})
LONGEST_SHIFT_DAYS = 31


class Span(Body):
    name: Short
    starts_at: Moment
    ends_at: Moment

    @model_validator(mode="after")
    def _runs_forward(self) -> "Span":
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at lies after starts_at")
        return self


class NewDuty(Span):
    department: str

    @model_validator(mode="after")
    def _is_a_shift(self) -> "NewDuty":
        if (self.ends_at - self.starts_at).days >= LONGEST_SHIFT_DAYS:
            raise ValueError("a shift lasts a month at most")
        return self


class NewAbsence(Span):
    deputy: Short | None = None


class HandOver(Body):
    """`to` left out: to who is on duty, else to the departments' queues. `leaves`: he signs in no more."""

    to: Short | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    leaves: bool = False


async def list_duties(call: Call) -> Result:
    """Shifts that run or are to come."""
    return await _list(call, Duty)


async def list_absences(call: Call) -> Result:
    return await _list(call, Absence)


async def _list(call: Call, table: type[Duty] | type[Absence]) -> Result:
    limit, after = call.limit(), call.after()
    query = select(table).where(table.ends_at > call.now).order_by(table.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(table.id < after)
    found: Any = (await call.session.scalars(query)).all()
    rows, more = cut(found, limit)
    return page([_describe(row) for row in rows], rows[-1].id if rows else None, more)


def _describe(row: Duty | Absence) -> dict[str, Any]:
    part = {"department": row.department} if isinstance(row, Duty) else {"deputy": row.deputy}
    return {
        "id": row.id, "name": row.name, "starts_at": write_time(row.starts_at), "ends_at": write_time(row.ends_at),
        "made_by": row.made_by,
    } | part


async def add_duty(call: Call) -> Result:
    body = call.body()
    call.runtime.office.preset.department(body.department)
    await _require_person(call, body.name, "name")
    return await _add(call, Duty(**body.model_dump(), made_by=call.actor.name), "duty:add")


async def add_absence(call: Call) -> Result:
    """By a supervisor, or by who is away himself."""
    body = call.body()
    if not call.actor.roles & WRITERS and body.name != call.actor.name:
        raise Forbidden("an absence is entered by a supervisor, or by who is away himself")
    await _require_person(call, body.name, "name")
    if body.deputy is not None:
        await _require_person(call, body.deputy, "deputy")
        if body.deputy == body.name:
            raise Invalid("deputy: somebody else stands in", "deputy")
    return await _add(call, Absence(**body.model_dump(), made_by=call.actor.name), "absence:add")


async def _require_person(call: Call, name: str, field: str) -> None:
    here = await roster.load(call.session, call.runtime.office, call.now)
    if here.find(name) is None:
        raise Invalid(f"{field}: nobody here is called {name}", field)


async def _add(call: Call, row: Duty | Absence, action: str) -> Result:
    call.session.add(row)
    await call.session.flush()
    audit.record(call.session, call.now, call.actor.name, action, f"staff:{row.name}")
    return Result(_describe(row), 201)


async def remove_duty(call: Call) -> Result:
    return await _remove(call, Duty)


async def remove_absence(call: Call) -> Result:
    return await _remove(call, Absence)


async def _remove(call: Call, table: type[Duty] | type[Absence]) -> Result:
    row: Any = await call.session.get(table, call.number("id"))
    if row is None:
        raise NotFound("there is no such entry: list them to see what there is")
    if not call.actor.roles & WRITERS and not (isinstance(row, Absence) and row.name == call.actor.name):
        raise Forbidden("this is taken back by a supervisor, or by who entered it for himself")
    await call.session.delete(row)
    audit.record(call.session, call.now, call.actor.name, f"{table.__tablename__}:remove", f"staff:{row.name}")
    return Result(None, 204)


async def hand_over(call: Call) -> Result:
    """What somebody has in hand goes to others. That he leaves is said by the administrator."""
    body = call.body()
    if body.leaves:
        call.require("administrator")
    done = await handover.hand_over(
        call.session, call.runtime.office, call.actor, call.params["name"], body.to, body.reason, call.now,
        leaves=body.leaves,
    )
    return Result({
        "name": call.params["name"], "to": body.to, "tickets": done.tickets, "queued": done.queued,
        "measures": done.measures, "conversations": done.conversations,
    })


async def suggest(call: Call) -> Result:
    """Where a ticket belongs and who could take it, with the reasons."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    office = call.runtime.office
    here = await roster.load(call.session, office, call.now)
    department, why = routing.suggest_department(office.preset, ticket)
    able = await routing.candidates(call.session, here, ticket, ticket.department or department.code)
    return Result({
        "department": department.code, "why": why, "asked_first": ticket.asked_first,
        "assignee": able[0].person.name if able else None,
        "candidates": [{"name": each.person.name, "on_duty": each.on_duty, "load": each.load} for each in able],
    })


async def list_my_notices(call: Call) -> Result:
    """What the caller was told on the console, newest first."""
    limit = call.limit()
    found = await staff_notices.list_of(call.session, call.actor.name, limit + 1, call.after())
    rows, more = cut(found, limit)
    items = [
        {
            "id": notice.id, "at": write_time(notice.told_at), "text": notice.text, "ticket": number,
            "share": notice.share / 100 if notice.share else None, "read_at": write_time(notice.read_at),
        }
        for notice, number in rows
    ]
    return page(items, rows[-1][0].id if rows else None, more)


async def list_green_channel(call: Call) -> Result:
    return Result({"items": green_channel.describe(call.runtime.office), "next": None})


async def grant_green_channel(call: Call) -> Result:
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    green_channel.check_role(call.actor, ticket)
    await green_channel.grant(
        call.session, call.runtime.office, call.actor, ticket, call.body(), call.now, call.if_match
    )
    described = await views.describe(call.session, call.runtime.office, call.actor, ticket, call.now)
    return Result(described, headers={"ETag": f'"{ticket.version}"'})


ENDPOINTS = (
    Endpoint("GET", "/duties", list_duties, "Shifts", roles=READERS, query=("limit", "after"), tag="roster"),
    Endpoint("POST", "/duties", add_duty, "A shift", NewDuty, WRITERS, "write", status=201, tag="roster"),
    Endpoint("DELETE", "/duties/{id}", remove_duty, "Take a shift back", roles=WRITERS, session="write", status=204,
             tag="roster"),
    Endpoint("GET", "/absences", list_absences, "Who is away", roles=READERS, query=("limit", "after"), tag="roster"),
    Endpoint("POST", "/absences", add_absence, "Somebody is away", NewAbsence, READERS, "write", status=201,
             tag="roster"),
    Endpoint("DELETE", "/absences/{id}", remove_absence, "Somebody is back", roles=READERS, session="write",
             status=204, tag="roster"),
    Endpoint("POST", "/staff/{name}/hand_over", hand_over, "Hand over what somebody has in hand", HandOver, WRITERS,
             "write", tag="roster"),
    Endpoint("GET", "/staff_notices", list_my_notices, "What the caller was told about due times", roles=READERS,
             query=("limit", "after"), tag="roster"),
    Endpoint("GET", "/green_channel", list_green_channel, "Who is entitled to the green channel", tag="roster"),
    Endpoint("GET", "/tickets/{number}/routing", suggest, "Where a ticket belongs, and why",
             roles=frozenset({"clerk", "officer", "supervisor", "inspector"}), tag="roster"),
    Endpoint("POST", "/tickets/{number}/green_channel", grant_green_channel, "Grant the green channel",
             green_channel.Grant, session="write", tag="roster"),
)
