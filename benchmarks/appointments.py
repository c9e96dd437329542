"""Races for the last place: is a slot ever booked twice, or a place lost? On both databases.

`python -m benchmarks.appointments [races]` lets three residents book, move into, and cancel in one slot with one
place at the same moment, so many times, and counts what must not be: more appointments than places, a count that
is not the number of appointments, and a place that nobody got although it was free.
"""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.both_databases import measure_on_both
from core import clock
from core.conversation import Resident
from core.db import Database
from core.errors import Conflict
from service import models  # noqa: F401
from tests.conftest import KEYS
from ticketing import appointments
from ticketing.appointments import Appointment, AppointmentStatus, Booking
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.slots import Slot
from ticketing.staff import Actor

CLERK = Actor("bench", frozenset({"clerk"}), None)
AT_ONCE = 4
"""Races that run side by side."""


@dataclass(frozen=True)
class Race:
    """A slot with one free place; another whose one place the third of three people holds."""

    contested: Slot
    other: Slot
    people: list[Resident]
    appointment: Appointment


async def _tell(*_told: Any) -> None:
    """Nobody is told in a benchmark."""


OFFICE = Office(preset=load_preset("property"), name="bench", tell=_tell)


async def _prepare(db: Database, races: int, now: datetime) -> list[Race]:
    """Slots and residents of all races, in a few large transactions: the races are what is measured."""
    prepared: list[Race] = []
    while len(prepared) < races:
        async with db.writing() as session:
            batch = [_new_race(session, now) for _ in range(min(500, races - len(prepared)))]
            await session.flush()
            for race in batch:
                race.appointment.slot_id, race.appointment.resident_id = race.other.id, race.people[2].id
                session.add(race.appointment)
            prepared += batch
    return prepared


def _new_race(session: AsyncSession, now: datetime) -> Race:
    start = now + timedelta(days=1)
    contested, other = (
        Slot(service="竞争", starts_at=at, ends_at=at + timedelta(minutes=30), capacity=1, booked=booked,
             outside_hours=False, made_by="bench")
        for at, booked in ((start, 0), (start + timedelta(days=1), 1))
    )
    people = [Resident(created_at=now) for _ in range(3)]
    session.add_all([contested, other, *people])
    appointment = Appointment(
        status=AppointmentStatus.BOOKED, starts_at=other.starts_at, ends_at=other.ends_at, booked_by="bench",
        booked_at=now, changed_at=now, materials=[], version=1,
    )
    return Race(contested, other, people, appointment)


async def _book(db: Database, slot_id: int, resident_id: int, now: datetime) -> None:
    async with db.writing() as session:
        slot, resident = await session.get_one(Slot, slot_id), await session.get_one(Resident, resident_id)
        await appointments.book(session, OFFICE, CLERK, Booking(slot, resident, is_own=True), now)


async def _move(db: Database, appointment_id: int, slot_id: int, now: datetime) -> None:
    async with db.writing() as session:
        appointment, slot = await session.get_one(Appointment, appointment_id), await session.get_one(Slot, slot_id)
        await appointments.move(session, OFFICE, CLERK, appointment, slot, now, is_own=True)


async def _cancel(db: Database, appointment_id: int, now: datetime) -> None:
    async with db.writing() as session:
        appointment = await session.get_one(Appointment, appointment_id)
        await appointments.cancel(session, CLERK, appointment, now, is_own=True)


async def _run(db: Database, race: Race, number: int, now: datetime) -> None:
    """Two book one place while a third moves into it, or cancels elsewhere."""
    slot, mine = race.contested.id, race.appointment.id
    third = _move(db, mine, slot, now) if number % 2 else _cancel(db, mine, now)
    two = (_book(db, slot, person.id, now) for person in race.people[:2])
    for outcome in await asyncio.gather(*two, third, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(outcome, Conflict):
            raise outcome


async def _count_faults(db: Database, contested: set[int]) -> Counter[str]:
    """What must not be, over all slots of all races."""
    faults: Counter[str] = Counter()
    held = (
        select(Appointment.slot_id, func.count().label("held"))
        .where(Appointment.status != AppointmentStatus.CANCELLED)
        .group_by(Appointment.slot_id)
        .subquery()
    )
    query = select(Slot.id, Slot.booked, Slot.capacity, func.coalesce(held.c.held, 0)).outerjoin(
        held, held.c.slot_id == Slot.id
    )
    async with db.reading() as session:
        for slot_id, booked, capacity, count in await session.execute(query):
            faults["double bookings"] += max(count - capacity, 0)
            faults["lost updates"] += booked != count
            faults["free places nobody got"] += slot_id in contested and count < capacity
    return faults


async def measure(url: str, races: int) -> None:
    db, now = Database(url, KEYS), clock.now()
    prepared = await _prepare(db, races, now)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int, race: Race) -> None:
        async with gate:
            await _run(db, race, number, now)

    began = time.perf_counter()
    await asyncio.gather(*(one(number, race) for number, race in enumerate(prepared)))
    took = time.perf_counter() - began
    faults = await _count_faults(db, {race.contested.id for race in prepared})
    found = ", ".join(f"{faults[name]} {name}" for name in ("double bookings", "lost updates", "free places nobody got"))
    print(f"{db.engine.dialect.name}: {races} races, {found}; {races / took:.0f} races/s")
    await db.close()


if __name__ == "__main__":
    asyncio.run(measure_on_both(measure, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
