"""Slots and appointments over the API. The assistant books, moves and cancels for the resident of its matter alone."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Select, select

from core import clock
from core.checking import Body, check_year
from core.clock import write_time
from core.conversation import Resident
from core.errors import Forbidden, Invalid
from knowledge_base import library
from service import bookings
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import appointments, residents, slots
from ticketing.appointments import Appointment, AppointmentStatus, PreCheck
from ticketing.bodies import ResidentBody
from ticketing.model import Ticket
from ticketing.slots import CloseSlot, NewSlot, Resize, Slot
from ticketing.visibility import visible

SLOT_WRITERS = frozenset({"clerk", "administrator"})
BOOKERS = frozenset({"clerk", "officer", "supervisor", "inspector", "administrator"})
READERS = BOOKERS | {"auditor", "assistant"}


RowId = Annotated[int, Field(ge=1, lt=2**63)]


class NewAppointment(Body):
    """`resident`: an id, or the person as in a registration; left out where the ticket or the matter says who."""

    slot: RowId
    resident: RowId | ResidentBody | None = None
    ticket: str | None = None


class MoveAppointment(Body):
    slot: RowId
    """The id of the slot it is moved to."""


# Slots


async def open_slot(call: Call) -> Result:
    slot = await slots.open_slot(call.session, call.runtime.office, call.actor, call.body(), call.now)
    return Result(_describe_slot(slot), 201, {"Location": f"/api/v1/slots?id={slot.id}"})


async def resize_slot(call: Call) -> Result:
    slot_id = call.number("id")
    await slots.find_slot(call.session, slot_id)
    call.require(*SLOT_WRITERS)
    slot = await slots.resize(call.session, call.actor, slot_id, call.body().capacity, call.now)
    return Result(_describe_slot(slot))


async def close_slot(call: Call) -> Result:
    """No more bookings; those who had one are told."""
    slot_id = call.number("id")
    await slots.find_slot(call.session, slot_id)
    call.require(*SLOT_WRITERS)
    slot = await bookings.close_slot(
        call.runtime, call.session, call.actor, slot_id, call.body().reason, call.now
    )
    call.after_commit.append("outbox")
    return Result(_describe_slot(slot))


async def list_slots(call: Call) -> Result:
    """Newest first, or by time with `order=soonest`; `free=true`: what can be booked by who asks."""
    limit, after = call.limit(), call.after()
    soonest = call.query.get("order") == "soonest"
    query = _filter_slots(call)
    if after is not None:
        seen = await call.session.get(Slot, after)
        if seen is None:
            raise Invalid("after is the `next` of the page before", "after")
        query = query.where(slots.after_slot(seen) if soonest else Slot.id < after)
    query = query.order_by(Slot.starts_at, Slot.id) if soonest else query.order_by(Slot.id.desc())
    rows, more = cut((await call.session.scalars(query.limit(limit + 1))).all(), limit)
    return page([_describe_slot(slot) for slot in rows], rows[-1].id if rows else None, more)


def _filter_slots(call: Call) -> Select[Slot]:
    query = select(Slot)
    if _flag(call, "free"):
        # Residents are shown what they may book; a clerk may go past the horizon.
        binds = "assistant" in call.actor.roles
        query = slots.free_slots(call.now, slots.horizon_end(call.runtime.office, call.now) if binds else None)
    if "service" in call.query:
        query = query.where(Slot.service == call.query["service"])
    if "department" in call.query:
        query = query.where(Slot.department == call.query["department"])
    return _within(call, query, Slot)


def _flag(call: Call, name: str) -> bool:
    text = call.query.get(name, "false")
    if text not in ("true", "false"):
        raise Invalid(f"{name} is true or false", name)
    return text == "true"


def _within(call: Call, query: Select[Any], table: type[Slot] | type[Appointment]) -> Select[Any]:
    """`from` and `to` as dates (both included) or moments (the end not)."""
    if "from" in call.query:
        query = query.where(table.starts_at >= _moment(call.query["from"], "from"))
    if "to" in call.query:
        query = query.where(table.starts_at < _moment(call.query["to"], "to", end_of_day=True))
    return query


def _moment(text: str, name: str, *, end_of_day: bool = False) -> datetime:
    try:
        if len(text) == len("2026-12-01"):
            on = date.fromisoformat(text)
            check_year(on, name)
            return datetime.combine(on + timedelta(days=end_of_day), datetime.min.time(), clock.ZONE)
        # A plus sign that was not escaped in the address arrives as a blank.
        moment = datetime.fromisoformat(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        raise Invalid(f"{name} is a date, or a moment in RFC 3339 such as 2026-12-01T09:00:00+08:00", name) from None
    check_year(moment, name)
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ZONE)


async def list_services(call: Call) -> Result:
    """What can be booked now, by name, with what to bring."""
    offered = await slots.offered_services(call.session, call.runtime.office, call.now)
    found = await library.guides(call.session, [call.runtime.settings.office.preset], ["published"])
    for item in offered:
        guide = bookings.pick_guide(found, item["service"], None)
        item["next_free_at"] = write_time(item["next_free_at"])
        item |= {"guide": guide.slug if guide else None, "bring": bookings.materials_of(guide)}
    return Result({"items": offered, "next": None})


def _describe_slot(slot: Slot) -> dict[str, Any]:
    return {
        "id": slot.id, "service": slot.service, "starts_at": write_time(slot.starts_at), "ends_at": write_time(slot.ends_at),
        "capacity": slot.capacity, "booked": slot.booked, "free": _free(slot), "counter": slot.counter,
        "department": slot.department, "guide": slot.guide, "outside_hours": slot.outside_hours,
        "closed_at": write_time(slot.closed_at), "closed_reason": slot.closed_reason,
    }


def _free(slot: Slot) -> int:
    return 0 if slot.closed_at else slot.capacity - slot.booked


# Appointments


async def book(call: Call) -> Result:
    """A place in a slot. Full, over or closed: 409, whose `reason` says which."""
    is_own = _acts_as_resident(call)
    body: NewAppointment = call.body()
    slot = await call.session.get(Slot, body.slot)
    if slot is None:
        raise Invalid("slot: there is no such slot: GET /slots lists them", "slot")
    ticket = await _find_ticket(call, body.ticket)
    resident = await _find_resident(call, body.resident, ticket)
    if ticket is not None and ticket.resident_id != resident.id:
        raise Invalid("ticket: this ticket is another resident's", "ticket")
    talk = call.conversation.id if call.conversation else ticket.conversation_id if ticket else None
    booking = appointments.Booking(slot, resident, is_own, ticket.id if ticket else None, talk)
    made = await appointments.book(call.session, call.runtime.office, call.actor, booking, call.now)
    if not is_own:  # The assistant says it in the conversation, where the resident is.
        await _tell(call, made, "booked")
    return await _answer(call, made, 201)


def _acts_as_resident(call: Call) -> bool:
    """Whether the resident acts himself, through the assistant. Forbidden for who may do neither."""
    if "assistant" not in call.actor.roles:
        call.require(*BOOKERS)
        return False
    if call.actor.resident_id is None:
        raise Forbidden("the assistant books for the resident of a matter: name it in X-Huiyin-Matter")
    return True


async def _find_ticket(call: Call, number: str | None) -> Ticket | None:
    if number is None:
        return None
    found = await call.session.scalar(select(Ticket).where(Ticket.number == number, visible(call.actor)))
    if found is None:
        raise Invalid("ticket: there is no such ticket", "ticket")
    return found


async def _find_resident(call: Call, asked: int | ResidentBody | None, ticket: Ticket | None) -> Resident:
    if call.actor.resident_id is not None:
        own = await call.session.get_one(Resident, call.actor.resident_id)
        if isinstance(asked, int) and asked != own.id:
            raise Forbidden("the assistant books for the resident of its matter alone: leave `resident` out")
        if isinstance(asked, ResidentBody):
            residents.learn(call.session, own, asked)
        return own
    if isinstance(asked, ResidentBody):
        return (await residents.find(call.session, asked, call.now, None, None))[0]
    known = asked if asked is not None else ticket.resident_id if ticket else None
    resident = await call.session.get(Resident, known) if known is not None else None
    if resident is None or resident.erased_at is not None:
        raise Invalid("resident: give the id of a resident, or who it is: {name, phone}", "resident")
    return resident


async def move(call: Call) -> Result:
    appointment = await appointments.find(call.session, call.actor, call.number("id"))
    is_own = _acts_as_resident(call)
    to = await call.session.get(Slot, call.body().slot)
    if to is None:
        raise Invalid("slot: there is no such slot: GET /slots lists them", "slot")
    await appointments.move(
        call.session, call.runtime.office, call.actor, appointment, to, call.now, is_own=is_own,
        if_match=call.if_match,
    )
    if not is_own:
        await _tell(call, appointment, "moved")
    return await _answer(call, appointment)


async def cancel(call: Call) -> Result:
    appointment = await appointments.find(call.session, call.actor, call.number("id"))
    is_own = _acts_as_resident(call)
    call.body()
    await appointments.cancel(
        call.session, call.actor, appointment, call.now, is_own=is_own, if_match=call.if_match
    )
    if not is_own:
        await _tell(call, appointment, "cancelled")
    return await _answer(call, appointment)


async def check_in(call: Call) -> Result:
    appointment = await appointments.find(call.session, call.actor, call.number("id"))
    call.require(*BOOKERS)
    call.body()
    await appointments.check_in(call.session, call.actor, appointment, call.now, call.if_match)
    return await _answer(call, appointment)


async def pre_check(call: Call) -> Result:
    """齐, 缺, 不合格: what is not complete is told to the resident in one message, before he comes."""
    appointment = await appointments.find(call.session, call.actor, call.number("id"))
    call.require(*BOOKERS)
    await appointments.pre_check(call.session, call.actor, appointment, call.body(), call.now, call.if_match)
    lacking = [item for item in appointment.materials if item["state"] != "complete"]
    if lacking and appointment.status == AppointmentStatus.BOOKED:
        found = "；".join(
            f"{item['name']}（{bookings.STATES[item['state']]}{'：' + item['note'] if item.get('note') else ''}）"
            for item in lacking
        )
        await _tell(call, appointment, "papers", found=found)
    return await _answer(call, appointment)


async def read(call: Call) -> Result:
    return await _answer(call, await appointments.find(call.session, call.actor, call.number("id")))


async def list_appointments(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Appointment).order_by(Appointment.id.desc()).limit(limit + 1)
    if "assistant" in call.actor.roles:
        query = query.where(Appointment.resident_id == (call.actor.resident_id or 0))
    for name, column in (("resident", Appointment.resident_id), ("slot", Appointment.slot_id)):
        if name in call.query:
            query = query.where(column == _id(call, name))
    if "ticket" in call.query:
        numbered = select(Ticket.id).where(Ticket.number == call.query["ticket"], visible(call.actor))
        query = query.where(Appointment.ticket_id.in_(numbered))
    if status := call.query.get("status"):
        if status not in set(AppointmentStatus):
            raise Invalid(f"status is one of {', '.join(AppointmentStatus)}", "status")
        query = query.where(Appointment.status == status)
    query = _within(call, query, Appointment)
    if after is not None:
        query = query.where(Appointment.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page(await bookings.describe(call.runtime, call.session, call.actor, rows), rows[-1].id if rows else None, more)


def _id(call: Call, name: str) -> int:
    text = call.query[name]
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid(f"{name} is the id of a {name}", name)
    return int(text)


async def _tell(call: Call, appointment: Appointment, what: str, **more: Any) -> None:
    await bookings.tell(call.runtime, call.session, appointment, what, call.now, **more)
    call.after_commit.append("outbox")


async def _answer(call: Call, appointment: Appointment, status: int = 200) -> Result:
    headers = {"ETag": f'"{appointment.version}"'}
    if status == 201:
        headers["Location"] = f"/api/v1/appointments/{appointment.id}"
    return Result((await bookings.describe(call.runtime, call.session, call.actor, [appointment]))[0], status, headers)


class NoFields(Body):
    """An empty body."""


ENDPOINTS = (
    Endpoint("GET", "/slots", list_slots, "Slots",
             query=("service", "department", "from", "to", "free", "order", "limit", "after"), tag="appointments"),
    Endpoint("POST", "/slots", open_slot, "A new slot", NewSlot, SLOT_WRITERS, "write", status=201,
             tag="appointments"),
    Endpoint("GET", "/slots/services", list_services, "What can be booked now", tag="appointments"),
    Endpoint("POST", "/slots/{id}/resize", resize_slot, "More or fewer places", Resize, session="write",
             tag="appointments"),
    Endpoint("POST", "/slots/{id}/close", close_slot, "Close a slot and tell who had booked", CloseSlot,
             session="write", tag="appointments"),
    Endpoint("GET", "/appointments", list_appointments, "Appointments", roles=READERS,
             query=("resident", "slot", "ticket", "status", "from", "to", "limit", "after"), tag="appointments"),
    Endpoint("POST", "/appointments", book, "Book", NewAppointment, BOOKERS | {"assistant"}, "write", status=201,
             tag="appointments"),
    Endpoint("GET", "/appointments/{id}", read, "One appointment", roles=READERS, tag="appointments"),
    Endpoint("POST", "/appointments/{id}/move", move, "Move to another slot", MoveAppointment, session="write",
             tag="appointments"),
    Endpoint("POST", "/appointments/{id}/cancel", cancel, "Cancel", NoFields, session="write", tag="appointments"),
    Endpoint("POST", "/appointments/{id}/check_in", check_in, "The resident is here", NoFields, session="write",
             tag="appointments"),
    Endpoint("POST", "/appointments/{id}/materials", pre_check, "What a look at the papers found", PreCheck,
             session="write", tag="appointments"),
)
