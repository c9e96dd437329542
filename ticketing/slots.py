"""Slots: when a service can be visited, and how many at once. A place is taken by one conditional UPDATE."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator
from sqlalchemy import CheckConstraint, ColumnElement, Index, Select, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.checking import Body, Moment
from core.clock import ZONE, local
from core.db import UTC, Base, Id
from core.errors import Conflict, Invalid, NotFound
from core.working_hours import Source
from ticketing.bodies import Short
from ticketing.booking_rules import BookableService
from ticketing.office import Office
from ticketing.staff import Actor

LONGEST_SLOT = timedelta(hours=24)
FARTHEST = timedelta(days=3 * 366)


class Slot(Base):
    """A stretch of time in which `capacity` residents can be received. The database too refuses one more."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("booked >= 0 AND booked <= capacity", name="booked_within_capacity"),
        Index("ix_slot_service", "service", "starts_at"),
        Index("ix_slot_starts_at", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    service: Mapped[str]
    """As residents read it."""
    starts_at: Mapped[datetime] = mapped_column(UTC)
    ends_at: Mapped[datetime] = mapped_column(UTC)
    capacity: Mapped[int]
    booked: Mapped[int] = mapped_column(default=0)
    counter: Mapped[str | None]
    department: Mapped[str | None]
    guide: Mapped[str | None]
    outside_hours: Mapped[bool] = mapped_column(default=False)
    """The department is not open all that time: staff see it, and mean it."""
    made_by: Mapped[str]
    closed_at: Mapped[datetime | None] = mapped_column(UTC)
    closed_reason: Mapped[str | None]


class NewSlot(Body):
    service: Short
    starts_at: Moment
    ends_at: Moment
    capacity: Annotated[int, Field(ge=1, le=1000)]
    counter: Short | None = None
    department: str | None = None
    guide: Short | None = None

    @model_validator(mode="after")
    def _runs_forward(self) -> "NewSlot":
        if not timedelta() < self.ends_at - self.starts_at <= LONGEST_SLOT:
            raise ValueError("ends_at lies after starts_at, by a day at most")
        return self


class Resize(Body):
    capacity: Annotated[int, Field(ge=1, le=1000)]


class CloseSlot(Body):
    reason: Short


async def open_slot(session: AsyncSession, office: Office, actor: Actor, body: NewSlot, now: datetime) -> Slot:
    """A new slot. One outside the opening hours is taken and marked: an extra Saturday is the office's to decide."""
    if body.ends_at <= now:
        raise Invalid("ends_at: this slot is over already", "ends_at")
    if body.starts_at > now + FARTHEST:
        raise Invalid("starts_at: slots are opened three years ahead at most", "starts_at")
    if body.department is not None:
        office.preset.department(body.department)
    hours, length = office.calendars.of(body.department), body.ends_at - body.starts_at
    outside = hours.between(body.starts_at, body.ends_at) != length
    slot = Slot(**body.model_dump(), booked=0, made_by=actor.name, outside_hours=outside)
    session.add(slot)
    await session.flush()
    audit.record(session, now, actor.name, "slot:open", f"slot:{slot.id}")
    return slot


async def resize(session: AsyncSession, actor: Actor, slot_id: int, capacity: int, now: datetime) -> Slot:
    """More places, or fewer: never fewer than are booked."""
    slot = await find_slot(session, slot_id)
    changed = await session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.booked <= capacity, Slot.closed_at.is_(None))
        .values(capacity=capacity)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(slot)
    if not changed.rowcount:  # type: ignore[attr-defined]
        why = "is closed" if slot.closed_at else f"has {slot.booked} booked: move or cancel some first"
        raise Conflict(f"this slot {why}")
    audit.record(session, now, actor.name, "slot:resize", f"slot:{slot_id}", detail={"capacity": capacity})
    return slot


async def close_slot(session: AsyncSession, actor: Actor, slot_id: int, reason: str, now: datetime) -> Slot:
    """No more is booked here; the caller cancels what was. Conflict when it is closed already."""
    slot = await find_slot(session, slot_id)
    changed = await session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.closed_at.is_(None))
        .values(closed_at=now, closed_reason=reason)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise Conflict("this slot is closed already")
    audit.record(session, now, actor.name, "slot:close", f"slot:{slot_id}", reason)
    await session.refresh(slot)
    return slot


async def find_slot(session: AsyncSession, slot_id: int) -> Slot:
    found = await session.get(Slot, slot_id)
    if found is None:
        raise NotFound("there is no such slot: GET /slots lists them")
    return found


async def take_place(session: AsyncSession, slot_id: int, now: datetime) -> bool:
    """One place of the slot, if one is free, the slot is not closed and not over."""
    taken = await session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.booked < Slot.capacity, Slot.closed_at.is_(None), Slot.ends_at > now)
        .values(booked=Slot.booked + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount)  # type: ignore[attr-defined]


async def give_place_back(session: AsyncSession, slot_id: int) -> None:
    await session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.booked > 0)
        .values(booked=Slot.booked - 1)
        .execution_options(synchronize_session=False)
    )


async def find_faults(session: AsyncSession) -> list[str]:
    """Slots whose count is not the number of their appointments: there is none unless somebody wrote past us."""
    rows = await session.execute(
        text(
            "SELECT s.id, s.booked, COUNT(a.id) FROM slot s LEFT JOIN appointment a"
            " ON a.slot_id = s.id AND a.status <> 'cancelled' GROUP BY s.id, s.booked HAVING COUNT(a.id) <> s.booked"
        )
    )
    return [f"slot {slot_id} counts {booked} booked and has {held}" for slot_id, booked, held in rows]


# Reading


def free_slots(now: datetime, until: datetime | None = None) -> Select[Slot]:
    """Slots a place can be had in, from now on, and before `until`."""
    return select(Slot).where(*_can_be_had(now, until))


def _can_be_had(now: datetime, until: datetime | None) -> list[ColumnElement[bool]]:
    conditions = [Slot.closed_at.is_(None), Slot.booked < Slot.capacity, Slot.starts_at > now]
    return [*conditions, Slot.starts_at < until] if until else conditions


def horizon_end(office: Office, now: datetime) -> datetime:
    """The midnight that ends the last day a resident may book."""
    last = local(now).date() + timedelta(days=office.preset.appointments.horizon_days + 1)
    return datetime(last.year, last.month, last.day, tzinfo=ZONE)


async def offered_services(session: AsyncSession, office: Office, now: datetime) -> list[dict[str, Any]]:
    """`[{service, next_free_at, free}]`: what a resident can book now, by name."""
    query = (
        select(Slot.service, func.min(Slot.starts_at), func.sum(Slot.capacity - Slot.booked))
        .where(*_can_be_had(now, horizon_end(office, now)))
        .group_by(Slot.service)
        .order_by(Slot.service)
    )
    return [
        {"service": service, "next_free_at": first, "free": int(free)}
        for service, first, free in await session.execute(query)
    ]


def after_slot(slot: Slot) -> Any:
    """What comes after this one in the order of time."""
    return or_(Slot.starts_at > slot.starts_at, and_(Slot.starts_at == slot.starts_at, Slot.id > slot.id))


# Recurring slots


async def generate(
    session: AsyncSession, office: Office, actor: Actor, first: date, last: date, now: datetime
) -> list[Slot]:
    """The preset's services as slots from `first` to `last`; what is there already, or over, is left out.

    A day on which the department is closed has none, and a window is cut down to the hours it is open: what the
    office keeps on a made-up day is followed too.
    """
    made: list[Slot] = []
    for service in office.preset.appointments.services:
        known = await _known(session, service.service, first, last)
        for body in _cut(office, service, first, last):
            if body.ends_at > now and (body.starts_at, body.counter) not in known:
                made.append(await open_slot(session, office, actor, body, now))
    return made


async def _known(session: AsyncSession, service: str, first: date, last: date) -> set[tuple[datetime, str | None]]:
    begin, end = _midnight(first), _midnight(last + timedelta(days=1))
    query = select(Slot.starts_at, Slot.counter).where(
        Slot.service == service, Slot.starts_at >= begin, Slot.starts_at < end
    )
    return {(starts_at, counter) for starts_at, counter in await session.execute(query)}


def _cut(office: Office, service: BookableService, first: date, last: date) -> Iterator[NewSlot]:
    hours = office.calendars.of(service.department)
    length = timedelta(minutes=service.minutes)
    for day in hours.days(first, last):
        # A Saturday that is worked instead of a Wednesday has the windows of an ordinary working day.
        weekly = service.weekly[day.date.weekday()] or (_usual(service) if day.source is Source.MAKE_UP else ())
        for start, end in weekly:
            at = _midnight(day.date) + timedelta(minutes=start)
            while at + length <= _midnight(day.date) + timedelta(minutes=end):
                if hours.between(at, at + length) == length:
                    for counter in service.counters or (None,):
                        yield NewSlot(
                            service=service.service, starts_at=at, ends_at=at + length, capacity=service.capacity,
                            counter=counter, department=service.department, guide=service.guide,
                        )
                at += length


def _usual(service: BookableService) -> tuple[tuple[int, int], ...]:
    """The windows of the first weekday on which the service is offered."""
    return next((windows for windows in service.weekly if windows), ())


def _midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=ZONE)
