"""Days that an office keeps beside its weekly hours: imported notices and its own days; and what a change moves.

What is kept is read into the preset's calendars, in place, whenever it has changed. Running clocks are counted anew
when the calendars are not those they were counted by, whether a notice was imported or the software's table grew.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, field_validator
from sqlalchemy import UniqueConstraint, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.checking import Body, Day
from core.db import UTC, Base, Database, Id
from core.errors import NotFound
from ticketing import sla
from ticketing.bodies import Short
from ticketing.calendars import Days, OwnDay, read_windows, write_windows
from ticketing.holiday_notice import HolidayNotice
from ticketing.office import Office
from ticketing.staff import Actor

HOLIDAY, MAKE_UP, OWN = "holiday", "make_up", "own"
EVERY = ""
"""Stands for every calendar that keeps public holidays."""
AT_ONCE = 200
"""Clocks counted anew in one transaction."""


class CalendarDay(Base):
    """One date that is not as the week has it."""

    __tablename__ = "calendar_day"
    __table_args__ = (UniqueConstraint("date", "calendar", "kind"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    date: Mapped[date]
    kind: Mapped[str]
    """holiday·make_up (from a notice) · own"""
    notice: Mapped[int | None] = mapped_column(index=True)
    """The year of the notice it came with."""
    calendar: Mapped[str]
    name: Mapped[str]
    hours: Mapped[str]
    """Of an own day, `09:00-12:00, 14:00-17:30`; empty: closed."""
    weekday: Mapped[int | None]
    """Of a day made up: whose hours it has, 0 is Monday."""
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(UTC)


class CalendarState(Base):
    """One row: by which calendars the running clocks were counted."""

    __tablename__ = "calendar_state"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    digest: Mapped[str]
    recounted_to: Mapped[int] = mapped_column(default=0)
    """The last clock counted anew; what a stop interrupted goes on there."""


class NewDay(Body):
    """An own day: closed where `hours` are empty. Without `department` for every calendar with public holidays."""

    date: Day
    name: Short
    hours: Annotated[str, Field(max_length=200)] = ""
    department: str | None = None

    @field_validator("hours")
    @classmethod
    def _are_windows(cls, value: str) -> str:
        read_windows(value)
        return value


async def import_notice(session: AsyncSession, actor: Actor, notice: HolidayNotice, now: datetime) -> None:
    """Keep a notice in place of what was known of its year. The clocks follow with `refresh`."""
    await session.execute(delete(CalendarDay).where(CalendarDay.notice == notice.year))
    base = {"notice": notice.year, "calendar": EVERY, "hours": "", "made_by": actor.name, "made_at": now}
    for on, name in notice.closed.items():
        await _replace(session, CalendarDay(date=on, kind=HOLIDAY, name=name, weekday=None, **base))
    for on, weekday in notice.made_up.items():
        await _replace(session, CalendarDay(date=on, kind=MAKE_UP, name="调休上班", weekday=weekday, **base))
    detail = {"holidays": len(notice.closed), "made_up": len(notice.made_up)}
    audit.record(session, now, actor.name, "calendar:import", f"calendar:{notice.year}", detail=detail)
    await session.flush()


async def _replace(session: AsyncSession, day: CalendarDay) -> None:
    await session.execute(
        delete(CalendarDay).where(
            CalendarDay.date == day.date, CalendarDay.calendar == day.calendar, CalendarDay.kind == day.kind
        )
    )
    session.add(day)


async def set_day(session: AsyncSession, office: Office, actor: Actor, body: NewDay, now: datetime) -> CalendarDay:
    """An own day of the office, or of the calendar that a department keeps."""
    calendar = office.preset.department(body.department).calendar if body.department else EVERY
    day = CalendarDay(
        date=body.date, kind=OWN, notice=None, calendar=calendar, name=body.name, hours=body.hours, weekday=None,
        made_by=actor.name, made_at=now,
    )
    await _replace(session, day)
    audit.record(session, now, actor.name, "calendar:set", f"calendar:{body.date}", detail={"calendar": calendar})
    await session.flush()
    return day


async def remove_day(session: AsyncSession, actor: Actor, day_id: int, now: datetime) -> None:
    """Take an own day back. A notice is replaced by another, not taken apart."""
    day = await session.get(CalendarDay, day_id)
    if day is None or day.kind != OWN:
        raise NotFound("there is no such day of the office's own: GET /calendar/days lists them")
    await session.delete(day)
    audit.record(session, now, actor.name, "calendar:remove", f"calendar:{day.date}")


async def own_days(session: AsyncSession) -> Sequence[CalendarDay]:
    """The office's own days, by date."""
    query = select(CalendarDay).where(CalendarDay.kind == OWN).order_by(CalendarDay.date, CalendarDay.id)
    return (await session.scalars(query)).all()


# Into the calendars, and what follows


async def load(session: AsyncSession, office: Office) -> bool:
    """Read what is kept into the preset's calendars; True when they are other than before."""
    notices: dict[int, tuple[dict[date, str], dict[date, int]]] = {}
    own: dict[str, list[OwnDay]] = {}
    for day in await session.scalars(select(CalendarDay).order_by(CalendarDay.id)):
        if day.notice is not None:
            closed, made_up = notices.setdefault(day.notice, ({}, {}))
            if day.kind == HOLIDAY:
                closed[day.date] = day.name
            else:
                made_up[day.date] = day.weekday or 0
        else:
            own.setdefault(day.calendar, []).append(
                OwnDay(date=day.date, name=day.name, hours=read_windows(day.hours))
            )
    return office.preset.set_days(Days(notices, {name: tuple(days) for name, days in own.items()}))


def digest(office: Office) -> str:
    """Names the calendars as they count: another digest, another due time perhaps."""
    described = [
        [name, *(repr(part) for part in hours.facts())] for name, hours in sorted(office.preset.all_hours().items())
    ]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:32]


async def refresh(db: Database, office: Office, actor: Actor, now: datetime) -> int:
    """Read the calendars, and count running clocks anew where they have changed; how many due times moved.

    Batch by batch, so that nothing waits long; a stop in between goes on where it was. The first time there is
    nothing to compare with: what runs was counted by these calendars.
    """
    async with db.reading() as session:
        await load(session, office)
        state = await session.get(CalendarState, 1)
        wanted = digest(office)
        if state is not None and state.digest == wanted and not state.recounted_to:
            return 0
    if state is None:
        async with db.writing() as session:
            if await session.get(CalendarState, 1) is None:
                session.add(CalendarState(id=1, digest=wanted, recounted_to=0))
        return 0
    return await _recount(db, office, actor, wanted, state.recounted_to if state.digest == wanted else 0, now)


async def _recount(
    db: Database, office: Office, actor: Actor, wanted: str, after: int, now: datetime
) -> int:
    moved = 0
    while True:
        async with db.writing() as session:
            batch = await sla.recalculate(session, office, now, after, AT_ONCE)
            for change in batch.moved:
                detail = {"clock": change.name, "due_at": [change.before, change.after]}
                audit.record(session, now, actor.name, "clock:recount", f"ticket:{change.number}", detail=detail)
            after = batch.last
            values = {"digest": wanted, "recounted_to": after}
            await session.execute(update(CalendarState).where(CalendarState.id == 1).values(values))
        moved += len(batch.moved)
        if not after:
            return moved


def describe_day(day: CalendarDay) -> dict[str, Any]:
    return {
        "id": day.id, "date": day.date.isoformat(), "name": day.name, "hours": write_windows(read_windows(day.hours)),
        "calendar": day.calendar or None, "made_by": day.made_by,
    }
