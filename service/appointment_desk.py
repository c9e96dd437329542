"""The console's list of a day's appointments: who comes when, with what, checked in here, and printable."""

from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from core import clock
from core.errors import Forbidden
from service import bookings
from service.appointment_pages import STATUS_WORDS
from service.console import Visit, signed_in
from ticketing import appointments
from ticketing.appointments import Appointment, AppointmentStatus
from ticketing.slots import Slot

READERS = frozenset({"clerk", "officer", "supervisor", "inspector", "administrator", "auditor"})
WRITERS = READERS - {"auditor"}
MOST = 1000


def routes() -> list[web.RouteDef]:
    return [
        web.get("/staff/appointments", list_day),
        web.post("/staff/appointments/{id}/{verb:check_in|cancel}", act),
    ]


@signed_in
async def list_day(visit: Visit) -> web.StreamResponse:
    """One date, by time and counter."""
    _require(visit, READERS)
    on = _date(visit)
    rows, free = await _read(visit, on)
    return await visit.render(
        "appointments.html", on=on, before=on - timedelta(days=1), after=on + timedelta(days=1), rows=rows, free=free,
        words={status.value: words for status, words in STATUS_WORDS.items()}, states=bookings.STATES,
        may_write=bool(visit.me.roles & WRITERS),
    )


def _require(visit: Visit, roles: frozenset[str]) -> None:
    if not visit.me.roles & roles:
        raise web.HTTPForbidden(text="您没有查看预约的权限。")


def _date(visit: Visit) -> date:
    try:
        return date.fromisoformat(visit.request.query.get("on", ""))
    except ValueError:
        return clock.local(visit.now).date()


async def _read(visit: Visit, on: date) -> tuple[list[dict[str, Any]], int]:
    """The day's appointments but for those called off, and how many places are free."""
    begin = datetime(on.year, on.month, on.day, tzinfo=clock.ZONE)
    end = begin + timedelta(days=1)
    async with visit.runtime.db.reading() as session:
        query = select(Appointment).where(
            Appointment.starts_at >= begin, Appointment.starts_at < end,
            Appointment.status != AppointmentStatus.CANCELLED,
        )
        found = list((await session.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(MOST))).all())
        rows = await bookings.describe(visit.runtime, session, visit.me, found)
        open_slots = select(Slot).where(Slot.starts_at >= begin, Slot.starts_at < end, Slot.closed_at.is_(None))
        free = sum(slot.capacity - slot.booked for slot in await session.scalars(open_slots))
    return sorted(rows, key=lambda row: (row["starts_at"], row["counter"] or "", row["id"])), free


@signed_in
async def act(visit: Visit) -> web.StreamResponse:
    if not visit.me.roles & WRITERS:
        raise Forbidden("您没有更改预约的权限。")
    verb, number = visit.request.match_info["verb"], visit.request.match_info["id"]
    async with visit.runtime.db.writing() as session:
        found = await appointments.find(session, visit.me, int(number) if number.isdecimal() else 0)
        if verb == "check_in":
            await appointments.check_in(session, visit.me, found, visit.now)
        else:
            await appointments.cancel(session, visit.me, found, visit.now, is_own=False)
            await bookings.tell(visit.runtime, session, found, "cancelled", visit.now)
    visit.runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/staff/appointments?on={clock.local(found.starts_at).date()}")
