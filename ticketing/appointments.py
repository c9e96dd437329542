"""Appointments 预约: book within capacity, move, cancel, check in; reminders and no-shows.

A place is a conditional UPDATE on the slot, a change of an appointment a conditional UPDATE on its row; both in one
transaction. Rows are taken in one order, so that no two wait for each other: resident, slots by id, appointment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import ForeignKey, Index, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.checking import Body
from core.clock import ZONE, local
from core.conversation import Resident, hide
from core.db import UTC, Base, Id, Json
from core.errors import Conflict, NotFound, Stale
from ticketing.bodies import Short
from ticketing.office import Office
from ticketing.slots import Slot, give_place_back, horizon_end, take_place
from ticketing.staff import SYSTEM, Actor

AT_ONCE = 50
"""How many appointments one transaction of the calendar's work takes."""

_REMINDED_LATER = text("remind_at IS NOT NULL")
_STILL_BOOKED = text("status = 'booked'")


class AppointmentStatus(StrEnum):
    """What became of an appointment."""

    BOOKED = "booked"
    """The resident is expected."""
    CHECKED_IN = "checked_in"
    """He came."""
    CANCELLED = "cancelled"
    """He, or the office, called it off; the place is free again."""
    NO_SHOW = "no_show"
    """The slot is over and he did not come."""


REFUSALS = {
    "full": "this slot is full: choose another from GET /slots?free=true",
    "over": "this slot is over: choose another from GET /slots?free=true",
    "closed": "this slot was closed: choose another from GET /slots?free=true",
    "horizon": "this slot is further ahead than residents may book: choose an earlier one, or ask a clerk",
    "limit": "this resident has as many appointments before him as the office allows: cancel or move one",
    "same_slot": "this resident has an appointment in this slot already",
    "no_shows": "this resident stayed away too often of late: a clerk can book for him",
    "not_booked": "this appointment is not open any more: book a new one",
    "started": "this slot has begun: a clerk can still change it",
}
"""Why a booking is refused, by the word that callers can tell them apart by."""


class Refused(Conflict):
    """A booking that cannot be; `reason` is a key of REFUSALS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REFUSALS[reason])
        self.reason = reason


class Appointment(Base):
    """A resident's place in a slot. It keeps its id when it is moved."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index("ix_appointment_slot", "slot_id", "id"),
        Index("ix_appointment_resident", "resident_id", "id"),
        Index("ix_appointment_remind", "remind_at", sqlite_where=_REMINDED_LATER, postgresql_where=_REMINDED_LATER),
        Index("ix_appointment_booked", "ends_at", sqlite_where=_STILL_BOOKED, postgresql_where=_STILL_BOOKED),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("resident.id"))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"))
    """Where it was booked: the first way to tell him about it."""
    status: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(UTC)
    """The slot's, kept here too, so that what comes next is found by one index."""
    ends_at: Mapped[datetime] = mapped_column(UTC)
    booked_by: Mapped[str]
    booked_at: Mapped[datetime] = mapped_column(UTC)
    changed_at: Mapped[datetime] = mapped_column(UTC)
    remind_at: Mapped[datetime | None] = mapped_column(UTC)
    """When the reminder is due; None when it was sent, or none is."""
    reminded_at: Mapped[datetime | None] = mapped_column(UTC)
    materials: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """What a look at the papers found: `{name, state: complete·missing·unfit, note}`."""
    version: Mapped[int] = mapped_column(default=1)

    @property
    def number(self) -> str:
        """What residents quote: YY20261126-00017."""
        return f"YY{local(self.booked_at):%Y%m%d}-{self.id:05d}"


class CheckedMaterial(Body):
    name: Short
    state: Literal["complete", "missing", "unfit"]
    note: Short | None = None


class PreCheck(Body):
    """齐, 缺, 不合格: all at once, so that the resident is told once."""

    items: Annotated[list[CheckedMaterial], Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True)
class Booking:
    """Who wants which slot. `is_own`: he does it himself, or the assistant for him, so the limits bind."""

    slot: Slot
    resident: Resident
    is_own: bool
    ticket_id: int | None = None
    conversation_id: int | None = None


async def book(session: AsyncSession, office: Office, actor: Actor, booking: Booking, now: datetime) -> Appointment:
    """A place in the slot, in the caller's transaction. Refused when it is full, over or closed, or a limit says no."""
    slot, resident = booking.slot, booking.resident
    if booking.is_own:
        await _hold(session, resident)
        await _check_limits(session, office, resident, slot, now)
    await _take(session, slot, now)
    appointment = Appointment(
        slot_id=slot.id, resident_id=resident.id, ticket_id=booking.ticket_id,
        conversation_id=booking.conversation_id, status=AppointmentStatus.BOOKED, starts_at=slot.starts_at,
        ends_at=slot.ends_at, booked_by=actor.name, booked_at=now, changed_at=now,
        remind_at=remind_at(office, slot.starts_at, now), materials=[], version=1,
    )
    session.add(appointment)
    await session.flush()
    audit.record(session, now, actor.name, "appointment:book", f"appointment:{appointment.id}")
    return appointment


async def _take(session: AsyncSession, slot: Slot, now: datetime) -> None:
    if await take_place(session, slot.id, now):
        return
    await session.refresh(slot)
    raise Refused("closed" if slot.closed_at else "over" if slot.ends_at <= now else "full")


async def _hold(session: AsyncSession, resident: Resident) -> None:
    """Two bookings of one person are counted one after the other. On SQLite a writer is alone anyway."""
    same = Resident.id == resident.id
    if resident.phone_digest:
        same = or_(same, Resident.phone_digest == resident.phone_digest)
    rows = select(Resident.id).where(same).order_by(Resident.id)
    await session.execute(rows.with_for_update(key_share=True))


async def _hold_slots(session: AsyncSession, *ids: int) -> None:
    await session.execute(select(Slot.id).where(Slot.id.in_(ids)).order_by(Slot.id).with_for_update(key_share=True))


async def _check_limits(
    session: AsyncSession, office: Office, resident: Resident, slot: Slot, now: datetime
) -> None:
    rules = office.preset.appointments
    if slot.starts_at <= now:
        raise Refused("over")
    if slot.starts_at >= horizon_end(office, now):
        raise Refused("horizon")
    his = _of_person(resident)
    ahead = (Appointment.status == AppointmentStatus.BOOKED, Appointment.ends_at > now)
    if await session.scalar(select(Appointment.id).where(his, *ahead, Appointment.slot_id == slot.id).limit(1)):
        raise Refused("same_slot")
    if await _count(session, his, *ahead) >= rules.per_resident:
        raise Refused("limit")
    since = now - timedelta(days=rules.no_shows_days)
    missed = (Appointment.status == AppointmentStatus.NO_SHOW, Appointment.ends_at > since)
    if rules.no_shows_at_most and await _count(session, his, *missed) >= rules.no_shows_at_most:
        raise Refused("no_shows")


def _of_person(resident: Resident) -> Any:
    """His appointments; who has the same telephone counts as he, whatever address he wrote from."""
    mine = Appointment.resident_id == resident.id
    if not resident.phone_digest:
        return mine
    same = select(Resident.id).where(Resident.phone_digest == resident.phone_digest)
    return or_(mine, Appointment.resident_id.in_(same))


async def _count(session: AsyncSession, *conditions: Any) -> int:
    return await session.scalar(select(func.count()).select_from(Appointment).where(*conditions)) or 0


async def move(
    session: AsyncSession, office: Office, actor: Actor, appointment: Appointment, to: Slot, now: datetime,
    *, is_own: bool, if_match: int | None = None,
) -> None:
    """Another slot for the same appointment: the old place is free at the moment the new one is taken."""
    _check_version(appointment, if_match)
    if to.id == appointment.slot_id:
        raise Refused("same_slot")
    if is_own:
        _check_not_started(appointment, now)
        if to.starts_at <= now:
            raise Refused("over")
        if to.starts_at >= horizon_end(office, now):
            raise Refused("horizon")
    before = appointment.slot_id
    await _hold_slots(session, before, to.id)
    await _change(
        session, appointment, now, if_match, slot_id=to.id, starts_at=to.starts_at, ends_at=to.ends_at,
        remind_at=remind_at(office, to.starts_at, now), reminded_at=None,
    )
    await give_place_back(session, before)
    await _take(session, to, now)
    audit.record(session, now, actor.name, "appointment:move", f"appointment:{appointment.id}",
                 detail={"slot": [before, to.id]})


async def cancel(
    session: AsyncSession, actor: Actor, appointment: Appointment, now: datetime,
    *, is_own: bool, if_match: int | None = None,
) -> None:
    """Call it off; the place is free again."""
    _check_version(appointment, if_match)
    if is_own:
        _check_not_started(appointment, now)
    await _hold_slots(session, appointment.slot_id)
    await _change(session, appointment, now, if_match, status=AppointmentStatus.CANCELLED, remind_at=None)
    await give_place_back(session, appointment.slot_id)
    audit.record(session, now, actor.name, "appointment:cancel", f"appointment:{appointment.id}")


async def check_in(
    session: AsyncSession, actor: Actor, appointment: Appointment, now: datetime, if_match: int | None = None
) -> None:
    """He came; somebody late, who was counted as absent already, too."""
    came = (AppointmentStatus.BOOKED, AppointmentStatus.NO_SHOW)
    await _change(
        session, appointment, now, if_match, sources=came, status=AppointmentStatus.CHECKED_IN, remind_at=None
    )
    audit.record(session, now, actor.name, "appointment:check_in", f"appointment:{appointment.id}")


async def pre_check(
    session: AsyncSession, actor: Actor, appointment: Appointment, body: PreCheck, now: datetime,
    if_match: int | None = None,
) -> None:
    """What a look at the papers found, before or at the visit."""
    items = [item.model_dump(exclude_none=True) for item in body.items]
    for item in items:
        if "note" in item:
            item["note"] = await hide(session, appointment.resident_id, item["note"], only_known=True)
    seen = (AppointmentStatus.BOOKED, AppointmentStatus.CHECKED_IN)
    await _change(session, appointment, now, if_match, sources=seen, materials=items)
    audit.record(session, now, actor.name, "appointment:pre_check", f"appointment:{appointment.id}")


def _check_version(appointment: Appointment, if_match: int | None) -> None:
    if if_match is not None and if_match != appointment.version:
        raise Stale(f"the appointment is at version {appointment.version} now: read it again, then decide")


def _check_not_started(appointment: Appointment, now: datetime) -> None:
    if appointment.status == AppointmentStatus.BOOKED and appointment.starts_at <= now:
        raise Refused("started")


async def _change(
    session: AsyncSession, appointment: Appointment, now: datetime, if_match: int | None,
    *, sources: Sequence[str] = (AppointmentStatus.BOOKED,), **values: Any,
) -> None:
    """One conditional UPDATE: who comes second changes nothing."""
    _check_version(appointment, if_match)
    if appointment.status not in sources:
        raise Refused("not_booked")
    seen = appointment.version
    changed = await session.execute(
        update(Appointment)
        .where(Appointment.id == appointment.id, Appointment.version == seen, Appointment.status.in_(sources))
        .values(version=seen + 1, changed_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        if if_match is not None:
            raise Stale("somebody else changed this appointment at this moment: read it again, then decide")
        raise Conflict("somebody else changed this appointment at this moment: read it again, then decide")
    await session.refresh(appointment)


async def find(session: AsyncSession, actor: Actor, appointment_id: int) -> Appointment:
    """The appointment; a resident (and the assistant for him) finds his own only."""
    found = await session.get(Appointment, appointment_id)
    if found is None or (actor.resident_id is not None and found.resident_id != actor.resident_id):
        raise NotFound("there is no such appointment: GET /appointments lists them")
    return found


async def booked_in(session: AsyncSession, slot_id: int) -> list[Appointment]:
    """Who is still expected in a slot."""
    query = select(Appointment).where(
        Appointment.slot_id == slot_id, Appointment.status == AppointmentStatus.BOOKED
    )
    return list((await session.scalars(query.order_by(Appointment.id))).all())


# What the calendar brings about


def remind_at(office: Office, starts_at: datetime, now: datetime) -> datetime | None:
    """When he is reminded: the day before, as soon as the hours for it begin. None when that is over already:
    what he has just been told needs no reminder."""
    opens, _ = office.preset.appointments.remind_window
    before = local(starts_at).date() - timedelta(days=1)
    moment = datetime(before.year, before.month, before.day, tzinfo=ZONE) + timedelta(minutes=opens)
    return moment if moment > now else None


async def anything_to_remind(session: AsyncSession, now: datetime) -> bool:
    """A cheap look that needs no write lock."""
    query = select(Appointment.id).where(Appointment.remind_at <= now, Appointment.status == AppointmentStatus.BOOKED)
    return await session.scalar(query.limit(1)) is not None


async def claim_reminders(session: AsyncSession, office: Office, now: datetime) -> list[Appointment]:
    """Those to be reminded now, each claimed once; what they are told goes into the same transaction.

    After the hours for it (the service was away all day) nobody is woken, and nobody is reminded of what is over.
    """
    opens, closes = office.preset.appointments.remind_window
    minute = local(now).hour * 60 + local(now).minute
    if not opens <= minute < closes:
        return []
    query = (
        select(Appointment)
        .where(Appointment.remind_at <= now, Appointment.status == AppointmentStatus.BOOKED)
        .order_by(Appointment.remind_at)
        .limit(AT_ONCE)
    )
    claimed = []
    for appointment in (await session.scalars(query)).all():
        done = await session.execute(
            update(Appointment)
            .where(Appointment.id == appointment.id, Appointment.remind_at == appointment.remind_at,
                   Appointment.status == AppointmentStatus.BOOKED)
            .values(remind_at=None, reminded_at=now)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount and appointment.starts_at > now:  # type: ignore[attr-defined]
            claimed.append(appointment)
    return claimed


async def mark_no_shows(session: AsyncSession, office: Office, now: datetime) -> int:
    """Whose slot is over and who did not come; how many."""
    over = now - timedelta(minutes=office.preset.appointments.no_show_after_minutes)
    query = select(Appointment.id).where(
        and_(Appointment.status == AppointmentStatus.BOOKED, Appointment.ends_at <= over)
    )
    ids = list((await session.scalars(query.limit(AT_ONCE))).all())
    for appointment_id in ids:
        done = await session.execute(
            update(Appointment)
            .where(Appointment.id == appointment_id, Appointment.status == AppointmentStatus.BOOKED)
            .values(status=AppointmentStatus.NO_SHOW, changed_at=now, remind_at=None, version=Appointment.version + 1)
            .execution_options(synchronize_session=False)
        )
        if done.rowcount:  # type: ignore[attr-defined]
            audit.record(session, now, SYSTEM.name, "appointment:no_show", f"appointment:{appointment_id}")
    return len(ids)
