"""Appointments joined with what residents read: what to bring from the guide, and the words they are told."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.clock import write_time
from core.conversation import Resident
from core.errors import HuiyinError
from knowledge_base import library
from knowledge_base.guide import Guide
from service import delivery_plan
from service.runtime import Runtime
from service.texts import say
from ticketing import appointments, slots
from ticketing.appointments import Appointment, AppointmentStatus, Refused
from ticketing.model import Ticket
from ticketing.slots import Slot
from ticketing.staff import Actor
from ticketing.visibility import hides_person, visible

NUMBER = re.compile(r"YY(\d{8})-(\d{5,18})")
WEEKDAYS = "一二三四五六日"
MOST_MATERIALS = 12
SENTENCES = {
    "booked": "appointment_booked", "moved": "appointment_moved", "cancelled": "appointment_cancelled",
    "closed": "appointment_closed", "reminder": "appointment_reminder", "papers": "appointment_papers",
}
"""What a resident is told about his appointment."""
REFUSALS = {
    "full": "appointment_full", "over": "appointment_over", "closed": "appointment_closed_slot",
    "horizon": "appointment_horizon", "limit": "appointment_limit", "same_slot": "appointment_same_slot",
    "no_shows": "appointment_no_shows", "not_booked": "appointment_not_booked", "started": "appointment_started",
}
"""Why a booking cannot be, to a resident."""
STATES = {"complete": "齐", "missing": "缺", "unfit": "不合格"}
_CONDITION = re.compile(r"选一|选二|只在|只有|不用|才需|可不|时需要|的需要|的[要带]|时[要带]")
"""A remark that says who need not bring it."""
_BULLET = re.compile(r"^\s*(?:[-*+•]|\d+[.、)）])\s*")


# What to bring


async def published(session: AsyncSession, runtime: Runtime) -> list[Guide]:
    """The guides that residents may read: read once for all the appointments one has to do with."""
    return await library.guides(session, [runtime.settings.office.preset], ["published"])


def pick_guide(found: list[Guide], service: str, slug: str | None) -> Guide | None:
    """By slug, title or alias; else the only one whose title holds the service's name, or is held by it.

    Of two that fit none is taken: a wrong guide would have people bring the wrong papers.
    """
    if slug:
        return next((guide for guide in found if guide.slug == slug), None)
    wanted = _plain(service)
    same = [guide for guide in found if wanted in {_plain(name) for name in (guide.title, *guide.aliases)}]
    near = [guide for guide in found if wanted in _plain(guide.title) or _plain(guide.title) in wanted]
    fitting = same or (near if len(wanted) > 1 else [])
    return fitting[0] if len(fitting) == 1 else None


def _plain(name: str) -> str:
    return re.sub(r"[\s、，。（）()《》“”]", "", name)


def materials_of(guide: Guide | None) -> list[str]:
    """The guide's materials, one an item: the rows of its table, or the lines of its list, or the text itself."""
    text = guide.fields.get("materials", "") if guide else ""
    lines = text.splitlines()
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines if line.startswith("|")]
    if len(rows) > 2:
        return [_write_material(dict(zip(rows[0], row, strict=False))) for row in rows[2:] if row[0]]
    items = [_BULLET.sub("", line).strip(" ；;。") for line in lines if _BULLET.match(line)]
    return [item for item in items if item] or ([text.strip()] if text.strip() else [])


def _write_material(row: dict[str, str]) -> str:
    """居住证明（原件或复印件；三选一): what to bring, and when it is not everybody who must."""
    name, *_ = row.values()
    remarks = [row.get("形式", ""), *(part for part in [row.get("说明", "")] if _CONDITION.search(part))]
    shown = "；".join(remark for remark in remarks if remark)
    return f"{name}（{shown}）" if shown else name


async def bring(session: AsyncSession, runtime: Runtime, slot: Slot, found: list[Guide] | None = None) -> list[str]:
    """What the resident of an appointment brings, by the guide of its service."""
    guides = found if found is not None else await published(session, runtime)
    return materials_of(pick_guide(guides, slot.service, slot.guide))


# Words


def write_when(slot: Slot | Appointment) -> str:
    """12月3日（周四）09:00–09:30."""
    begin, end = clock.local(slot.starts_at), clock.local(slot.ends_at)
    return f"{begin.month}月{begin.day}日（周{WEEKDAYS[begin.weekday()]}）{begin:%H:%M}–{end:%H:%M}"


def write_refusal(runtime: Runtime, error: HuiyinError) -> str:
    """Why a booking cannot be, to a resident."""
    rules = runtime.office.preset.appointments
    if not isinstance(error, Refused):
        return error.detail
    return say(REFUSALS[error.reason], days=rules.horizon_days, limit=rules.per_resident)


async def tell(
    runtime: Runtime, session: AsyncSession, appointment: Appointment, what: str, now: datetime,
    guides: list[Guide] | None = None, **more: Any,
) -> None:
    """Tell the resident about his appointment; `what` is a key of SENTENCES, `guides` those that were read already."""
    slot = await session.get_one(Slot, appointment.slot_id)
    materials = await bring(session, runtime, slot, guides) if what in ("booked", "moved", "reminder") else []
    shown = "；".join(materials[:MOST_MATERIALS]) + (" 等" if len(materials) > MOST_MATERIALS else "")
    text = say(
        SENTENCES[what], service=slot.service, when=write_when(appointment), number=appointment.number,
        counter=f"，{slot.counter}" if slot.counter else "", link=link(runtime, appointment),
        bring=say("appointment_bring", materials=shown) + "\n" if materials else "", **more,
    )
    party = delivery_plan.Party(appointment.resident_id, appointment.conversation_id)
    await delivery_plan.tell_resident(runtime, session, party, text, "notice", now, link(runtime, appointment))


# As JSON


async def describe(
    runtime: Runtime, session: AsyncSession, actor: Actor, rows: Sequence[Appointment]
) -> list[dict[str, Any]]:
    """Appointments with what to bring; guides, slots and people are read once for all of them."""
    if not rows:
        return []
    found = await published(session, runtime)
    slots_by_id = await _by_id(session, Slot, {row.slot_id for row in rows})
    people = await _by_id(session, Resident, {row.resident_id for row in rows})
    seen = await _by_id(session, Ticket, {row.ticket_id for row in rows if row.ticket_id}, visible(actor))
    described = []
    for row in rows:
        slot, ticket = slots_by_id[row.slot_id], seen.get(row.ticket_id or 0)
        described.append({
            "id": row.id, "number": row.number, "slot": slot.id, "service": slot.service,
            "starts_at": write_time(row.starts_at), "ends_at": write_time(row.ends_at), "counter": slot.counter,
            "status": row.status, "resident": row.resident_id, "ticket": ticket.number if ticket else None,
            "bring": materials_of(pick_guide(found, slot.service, slot.guide)), "materials": row.materials,
            "booked_by": row.booked_by, "booked_at": write_time(row.booked_at),
            "reminded_at": write_time(row.reminded_at), "link": link(runtime, row), "version": row.version,
        } | _person(actor, row, people[row.resident_id], ticket))
    return described


async def _by_id(session: AsyncSession, table: Any, ids: set[int], *conditions: Any) -> dict[int, Any]:
    if not ids:
        return {}
    return {row.id: row for row in await session.scalars(select(table).where(table.id.in_(ids), *conditions))}


def _person(actor: Actor, row: Appointment, resident: Resident, ticket: Ticket | None) -> dict[str, Any]:
    """Who is expected. Not shown where the ticket behind it hides him from this reader."""
    if row.ticket_id and (ticket is None or hides_person(actor, ticket)):
        return {"name": None, "phone": None}
    return {"name": resident.name, "phone": resident.phone}


# The page's name of an appointment


def link(runtime: Runtime, appointment: Appointment) -> str:
    return f"{runtime.settings.public_url}/appointments/{token(runtime, appointment.id)}"


def token(runtime: Runtime, appointment_id: int) -> str:
    """The unguessable name of an appointment's page."""
    return f"{appointment_id}-{runtime.db.keys.digest(f'appointment/{appointment_id}')}"


def read_token(runtime: Runtime, text: str) -> int | None:
    """Which appointment a page's name stands for; None when it was made up."""
    number, _, _ = text.partition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > 18 or token(runtime, int(number)) != text:
        return None
    return int(number)


async def find_by_number(session: AsyncSession, number: str, last_digits: str) -> Appointment | None:
    """By the number residents quote and the end of the telephone; a wrong pair looks like an unknown number."""
    match = NUMBER.fullmatch(number)
    found = await session.get(Appointment, int(match[2])) if match else None
    if found is None or found.number != number or len(last_digits) != 4:
        return None
    resident = await session.get_one(Resident, found.resident_id)
    return found if re.sub(r"\D", "", resident.phone or "").endswith(last_digits) else None


async def find_ticket(session: AsyncSession, number: str, phone: str) -> Ticket | None:
    """The ticket a booking is about: its number, with the telephone that its resident gave."""
    ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
    if ticket is None:
        return None
    resident = await session.get_one(Resident, ticket.resident_id)
    known = re.sub(r"\D", "", resident.phone or "")[-11:]
    return ticket if known and known == re.sub(r"\D", "", phone)[-11:] else None


async def find_person(
    session: AsyncSession, name: str, phone: str, now: datetime, ticket: Ticket | None = None
) -> Resident:
    """Who booked on the page: the ticket's resident; the same name with the same telephone is the same person."""
    if ticket is not None:
        return await session.get_one(Resident, ticket.resident_id)
    keys = session.get_bind().dialect.huiyin_keys  # type: ignore[attr-defined]
    digest = keys.digest(phone)
    query = select(Resident).where(Resident.phone_digest == digest, Resident.erased_at.is_(None))
    for known in await session.scalars(query.order_by(Resident.id)):
        if known.name == name:
            return known
    resident = Resident(kind="person", name=name, phone=phone, phone_digest=digest, created_at=now)
    session.add(resident)
    await session.flush()
    return resident


# Closing a slot, and what the calendar brings about


async def close_slot(
    runtime: Runtime, session: AsyncSession, actor: Actor, slot_id: int, reason: str, now: datetime
) -> Slot:
    """Close a slot; everybody who had a place is told, once."""
    slot = await slots.close_slot(session, actor, slot_id, reason, now)
    for appointment in await appointments.booked_in(session, slot_id):
        await appointments.cancel(session, actor, appointment, now, is_own=False)
        await tell(runtime, session, appointment, "closed", now, reason=reason)
    await session.refresh(slot)
    return slot


async def run_calendar(runtime: Runtime, now: datetime) -> None:
    """Reminders of the day before, and who did not come."""
    async with runtime.db.reading() as session:
        due = await appointments.anything_to_remind(session, now)
        found = await published(session, runtime) if due else []
    while due:
        async with runtime.db.writing() as session:
            claimed = await appointments.claim_reminders(session, runtime.office, now)
            for appointment in claimed:
                await tell(runtime, session, appointment, "reminder", now, found)
        due = len(claimed) == appointments.AT_ONCE
    async with runtime.db.writing() as session:
        await appointments.mark_no_shows(session, runtime.office, now)
    runtime.news.notify("outbox")


def is_open(appointment: Appointment, now: datetime) -> bool:
    """Whether the resident can still move or cancel it himself."""
    return appointment.status == AppointmentStatus.BOOKED and appointment.starts_at > now
