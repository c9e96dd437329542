"""Residents' pages for appointments: choose, book, look up, move, cancel. They work without JavaScript."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from channels.phone_call import normal_number
from core import clock
from core.conversation import Resident
from core.errors import Conflict, TooMany
from core.message import storable
from knowledge_base import library
from service import bookings, clients
from service.api.endpoint import RUNTIME
from service.pages import render
from service.runtime import Runtime
from service.texts import say
from ticketing import appointments, slots
from ticketing.appointments import Appointment, AppointmentStatus, Booking
from ticketing.slots import Slot
from ticketing.staff import Actor

MOST_SLOTS = 300
LONGEST_NAME = 100
LONGEST_TOKEN = 200
STATUS_WORDS = {
    AppointmentStatus.BOOKED: "已预约", AppointmentStatus.CHECKED_IN: "已到场",
    AppointmentStatus.CANCELLED: "已取消", AppointmentStatus.NO_SHOW: "未到场",
}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/appointments", choose),
        web.post("/appointments/book", book),
        web.post("/appointments/find", find),
        web.get("/appointments/{token}", show),
        web.post("/appointments/{token}/move", move),
        web.post("/appointments/{token}/cancel", cancel),
    ]


async def choose(request: web.Request) -> web.Response:
    """The services, or one service's free slots."""
    return await _choose(request, storable(request.query.get("service", "")))


async def _choose(
    request: web.Request, service: str, *, error: str | None = None, status: int = 200, **filled: str
) -> web.Response:
    runtime, now = request.app[RUNTIME], clock.now()
    async with runtime.db.reading() as session:
        offered = await slots.offered_services(session, runtime.office, now)
        days = await _free_days(session, runtime, service, now) if service else []
        guides = await library.guides(session, [runtime.settings.office.preset], ["published"])
    guide = bookings.pick_guide(guides, service, None) if service else None
    return render(
        request, "appointments.html", status, services=offered, service=service, days=days, error=error,
        filled=filled, guide=guide, bring=bookings.materials_of(guide),
    )


async def _free_days(
    session: AsyncSession, runtime: Runtime, service: str, now: datetime
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The free slots of a service by day, the soonest first."""
    query = slots.free_slots(now, slots.horizon_end(runtime.office, now)).where(Slot.service == service)
    days: dict[str, list[dict[str, Any]]] = {}
    for slot in await session.scalars(query.order_by(Slot.starts_at, Slot.id).limit(MOST_SLOTS)):
        day, _, hours = bookings.write_when(slot).rpartition("）")
        days.setdefault(f"{day}）", []).append(
            {"id": slot.id, "hours": hours, "free": slot.capacity - slot.booked, "counter": slot.counter}
        )
    return list(days.items())


async def book(request: web.Request) -> web.Response:
    runtime, now = request.app[RUNTIME], clock.now()
    form = await _read_form(request)
    service, name, phone = (form.get(key, "") for key in ("service", "name", "phone"))
    filled = {"name": name, "phone": phone, "ticket": form.get("ticket", "").upper()}
    if refused := _count_try(request):
        return await _refuse_many(request, service, refused, filled)
    number = normal_number(phone).removeprefix("+86")  # As clerks write it, so that it is known to be the same.
    if not name or len(name) > LONGEST_NAME or not re.fullmatch(r"\+?\d{7,15}", number):
        return await _choose(request, service, error=say("appointment_who"), status=422, **filled)
    try:
        async with runtime.db.writing() as session:
            slot = await _find_slot(session, form.get("slot", ""))
            if slot is None:
                return await _choose(request, service, error=say("appointment_choose"), status=422, **filled)
            ticket = await bookings.find_ticket(session, filled["ticket"], number) if filled["ticket"] else None
            if filled["ticket"] and ticket is None:
                return await _choose(request, service, error=say("appointment_ticket"), status=422, **filled)
            person = await bookings.find_person(session, name, number, now, ticket)
            booking = Booking(slot, person, is_own=True, ticket_id=ticket.id if ticket else None)
            made = await appointments.book(session, runtime.office, _actor(person.id), booking, now)
            await bookings.tell(runtime, session, made, "booked", now)
            path = f"/appointments/{bookings.token(runtime, made.id)}"
    except Conflict as error:
        words = bookings.write_refusal(runtime, error)
        return await _choose(request, service, error=words, status=409, **filled)
    runtime.news.notify("outbox")
    raise web.HTTPSeeOther(path)


async def _read_form(request: web.Request) -> dict[str, str]:
    """What was typed, as every database keeps it."""
    return {name: storable(value.strip()) for name, value in (await request.post()).items() if isinstance(value, str)}


async def _refuse_many(request: web.Request, service: str, error: TooMany, filled: dict[str, str]) -> web.Response:
    response = await _choose(request, service, error=error.detail, status=429, **filled)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _count_try(request: web.Request) -> TooMany | None:
    try:
        clients.count_try(request.app[RUNTIME], request, "appointments")
    except TooMany as error:
        return error
    return None


async def _find_slot(session: AsyncSession, text: str) -> Slot | None:
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        return None
    return await session.get(Slot, int(text))


def _actor(resident_id: int) -> Actor:
    return Actor("resident", frozenset({"resident"}), None, resident_id)


async def find(request: web.Request) -> web.Response:
    """Number and the end of the telephone lead to the appointment's own page."""
    runtime = request.app[RUNTIME]
    form = await _read_form(request)
    number = form.get("number", "").upper()
    if refused := _count_try(request):
        return await _refuse_many(request, "", refused, {"number": number})
    async with runtime.db.reading() as session:
        found = await bookings.find_by_number(session, number, form.get("code", ""))
    if found is None:
        return await _choose(request, "", error=say("appointment_unknown"), status=404, number=number)
    raise web.HTTPSeeOther(f"/appointments/{bookings.token(runtime, found.id)}")


async def show(request: web.Request) -> web.Response:
    return await _show(request)


async def _show(request: web.Request, *, error: str | None = None, status: int = 200) -> web.Response:
    runtime, now = request.app[RUNTIME], clock.now()
    async with runtime.db.reading() as session:
        found = await _by_token(request, session)
        if found is None:
            return render(request, "missing.html", 404)
        slot = await session.get_one(Slot, found.slot_id)
        bring = await bookings.bring(session, runtime, slot)
        is_open = bookings.is_open(found, now)
        days = await _free_days(session, runtime, slot.service, now) if is_open else []
    return render(
        request, "appointment.html", status, a=found, slot=slot, when=bookings.write_when(found), bring=bring,
        days=days, is_open=is_open, error=error, state=STATUS_WORDS[AppointmentStatus(found.status)],
        token=request.match_info["token"], states=bookings.STATES,
    )


async def _by_token(request: web.Request, session: AsyncSession) -> Appointment | None:
    text = request.match_info["token"]
    found = bookings.read_token(request.app[RUNTIME], text) if len(text) <= LONGEST_TOKEN else None
    return await session.get(Appointment, found) if found else None


Change = Callable[[AsyncSession, Appointment, Actor, datetime], Awaitable[str]]


async def move(request: web.Request) -> web.Response:
    form = await _read_form(request)

    async def change(session: AsyncSession, found: Appointment, actor: Actor, now: datetime) -> str:
        to = await _find_slot(session, form.get("slot", ""))
        if to is None:
            raise Conflict(say("appointment_choose"))
        await appointments.move(session, request.app[RUNTIME].office, actor, found, to, now, is_own=True)
        return "moved"

    return await _change(request, change)


async def cancel(request: web.Request) -> web.Response:
    async def change(session: AsyncSession, found: Appointment, actor: Actor, now: datetime) -> str:
        await appointments.cancel(session, actor, found, now, is_own=True)
        return "cancelled"

    return await _change(request, change)


async def _change(request: web.Request, change: Change) -> web.Response:
    """Who holds the page's name may change the appointment; what came of it is shown, and told by the plan."""
    runtime, now = request.app[RUNTIME], clock.now()
    try:
        async with runtime.db.writing() as session:
            found = await _by_token(request, session)
            if found is None:
                return render(request, "missing.html", 404)
            resident = await session.get_one(Resident, found.resident_id)
            done = await change(session, found, _actor(resident.id), now)
            await bookings.tell(runtime, session, found, done, now)
    except Conflict as error:
        return await _show(request, error=bookings.write_refusal(runtime, error), status=409)
    runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/appointments/{request.match_info['token']}")
