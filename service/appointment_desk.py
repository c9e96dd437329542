"""The console's list of a day's appointments: who comes when, with what, checked in here, and printable."""

from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import select

from core import clock
from core.errors import Forbidden
from service import bookings
from service.appointment_pages import STATUS_WORDS
from service.staff_page import Page, signed_in
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
async def list_day(page: Page) -> web.StreamResponse:
    """One date, by time and counter."""
    _require(page, READERS)
    on = _date(page)
    rows, free = await _read(page, on)
    return await page.render(
        "appointments.html", on=on, before=on - timedelta(days=1), after=on + timedelta(days=1), rows=rows, free=free,
        words={status.value: words for status, words in STATUS_WORDS.items()}, states=bookings.STATES,
        may_write=bool(page.me.roles & WRITERS),
    )


def _require(page: Page, roles: frozenset[str]) -> None:
    if not page.me.roles & roles:
        raise web.HTTPForbidden(text="您没有查看预约的权限。")


def _date(page: Page) -> date:
    try:
        return date.fromisoformat(page.request.query.get("on", ""))
    except ValueError:
        return clock.local(page.now).date()


async def _read(page: Page, on: date) -> tuple[list[dict[str, Any]], int]:
    """The day's appointments but for those called off, and how many places are free."""
    begin = datetime(on.year, on.month, on.day, tzinfo=clock.ZONE)
    end = begin + timedelta(days=1)
    async with page.runtime.db.reading() as session:
        query = select(Appointment).where(
            Appointment.starts_at >= begin, Appointment.starts_at < end,
            Appointment.status != AppointmentStatus.CANCELLED,
        )
        found = list((await session.scalars(query.order_by(Appointment.starts_at, Appointment.id).limit(MOST))).all())
        rows = await bookings.describe(page.runtime, session, page.me, found)
        open_slots = select(Slot).where(Slot.starts_at >= begin, Slot.starts_at < end, Slot.closed_at.is_(None))
        free = sum(slot.capacity - slot.booked for slot in await session.scalars(open_slots))
    return sorted(rows, key=lambda row: (row["starts_at"], row["counter"] or "", row["id"])), free


@signed_in
async def act(page: Page) -> web.StreamResponse:
    if not page.me.roles & WRITERS:
        raise Forbidden("您没有更改预约的权限。")
    verb, number = page.request.match_info["verb"], page.request.match_info["id"]
    async with page.runtime.db.writing() as session:
        found = await appointments.find(session, page.me, int(number) if number.isdecimal() else 0)
        if verb == "check_in":
            await appointments.check_in(session, page.me, found, page.now)
        else:
            await appointments.cancel(session, page.me, found, page.now, is_own=False)
            await bookings.tell(page.runtime, session, found, "cancelled", page.now)
    page.runtime.news.notify("outbox")
    raise web.HTTPSeeOther(f"/staff/appointments?on={clock.local(found.starts_at).date()}")
