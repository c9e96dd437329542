"""Warnings with 100,000 open tickets on SQLite: how late is a warning, and what does a look cost when nothing is due?

`python -m benchmarks.clocks [tickets]`. The budget: no warning later than 60 s after its moment. A rush is measured too:
one ticket in twenty is due in the same minute, as at the close of a working day.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from core import clock
from core.conversation import Resident
from core.db import Database
from core.queues import Outbox
from service import models, workers  # noqa: F401
from tests.conftest import KEYS, make_tables
from ticketing import escalation, staff_notices
from ticketing.clocks import Clock
from ticketing.due import anything_due
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.staff import Person
from ticketing.staff_notices import StaffNotice

BUDGET_S = 60
ONE_IN = 20
PEOPLE = (
    *(Person(f"officer{n}", frozenset({"officer"}), "service") for n in range(10)),
    Person("head", frozenset({"supervisor"}), "service"), Person("clerk", frozenset({"clerk"}), None),
)


async def _tell(*_told: Any) -> None:
    """No resident is told in a benchmark."""


OFFICE = Office(preset=load_preset("property"), name="bench", tell=_tell, people=PEOPLE)


async def _fill(db: Database, tickets: int, now: datetime, rush: datetime) -> None:
    """Open tickets with a finish and a first-reply clock each; one finish in ONE_IN is over at the rush."""
    async with db.writing() as session:
        session.add(Resident(id=1, created_at=now))
    for first in range(1, tickets + 1, 5000):
        numbers = range(first, min(first + 5000, tickets + 1))
        async with db.writing() as session:
            await session.execute(insert(Ticket), [_ticket(number, now) for number in numbers])
            await session.execute(insert(Clock), [row for number in numbers for row in _clocks(number, now, rush)])


def _ticket(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number, "number": f"HY20261101-{number:05}", "kind": "complaint", "category": "fees-property",
        "title": "多收了停车费", "description": "多收了停车费，要求退还", "state": "in_progress", "urgency": "routine",
        "confidential": False, "department": "service", "assignee": f"officer{number % 10}", "resident_id": 1,
        "code": "ABCDEF", "registered_by": "clerk", "registered_at": now, "moved_at": now, "elements": [],
        "missing": [], "supplement_open": False, "supplements_asked": 0, "return_open": False,
        "returns_refused": 0, "excluded": False, "round": 1, "level": 0, "version": 3,
    }


def _clocks(number: int, now: datetime, rush: datetime) -> Sequence[dict[str, Any]]:
    due = rush if number % ONE_IN == 0 else rush + timedelta(days=1, seconds=number)
    base = {
        "ticket_id": number, "department": "service", "rule_version": 1, "roll": False, "wider": [], "history": [],
        "started_at": due - timedelta(days=7), "paused_total_s": 0, "breached": False,
    }
    return [
        base | {"name": "finish", "title": "答复", "rule_id": "finish", "target": "7 days", "count": None, "due_at": due,
                "next_tell_at": due},
        base | {"name": "first_reply", "title": "首次回应", "rule_id": "first-reply", "target": "24 hours",
                "count": None, "due_at": due + timedelta(days=3), "next_tell_at": due + timedelta(days=3)},
    ]


async def _look(db: Database, now: datetime) -> float:
    began = time.perf_counter()
    async with db.reading() as session:
        await anything_due(session, now)
        await staff_notices.anything_waiting(session, now)
    return time.perf_counter() - began


async def _work(db: Database, now: datetime) -> tuple[float, float]:
    """Until all that is due was told: (seconds in all, the longest transaction)."""
    began, longest, going = time.perf_counter(), 0.0, True
    while going:
        start = time.perf_counter()
        async with db.writing() as session:
            going = await escalation.note_due(session, OFFICE, now) == escalation.AT_ONCE
        longest = max(longest, time.perf_counter() - start)
    told = staff_notices.AT_ONCE
    while told == staff_notices.AT_ONCE:
        async with db.writing() as session:
            told = await staff_notices.tell_waiting(session, OFFICE, now)
    return time.perf_counter() - began, longest


async def _load_everything(db: Database) -> float:
    """What a scan without the index would do: read every running clock."""
    began = time.perf_counter()
    async with db.reading() as session:
        for _ in await session.scalars(select(Clock).where(Clock.stopped_at.is_(None))):
            pass
    return time.perf_counter() - began


async def main(tickets: int) -> None:
    rush = datetime(2026, 12, 1, 17, 30, tzinfo=clock.ZONE)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'clocks.db'}"
        await make_tables(url)
        db = Database(url, KEYS)
        await _fill(db, tickets, rush - timedelta(days=7), rush)
        looks = sorted([await _look(db, rush - timedelta(minutes=5)) for _ in range(50)])
        everything = await _load_everything(db)
        took, longest = await _work(db, rush)
        async with db.reading() as session:
            noted = await session.scalar(select(func.count()).select_from(StaffNotice))
            messages = await session.scalar(select(func.count()).select_from(Outbox))
        await db.close()
    late = workers.WARN_EVERY_S + took
    print(f"{tickets} open tickets, {2 * tickets} running clocks")
    print(f"a look when nothing is due: {looks[25] * 1000:.1f} ms (p50), {everything / looks[25]:.0f} times as fast as "
          f"reading every running clock ({everything:.1f} s)")
    print(f"a rush of {tickets // ONE_IN} due in one minute: {took:.1f} s until all is told ({noted} notices in {messages} "
          f"messages), longest transaction {longest * 1000:.0f} ms")
    print(f"latest warning: {late:.0f} s after its moment; budget {BUDGET_S} s: {'met' if late <= BUDGET_S else 'NOT MET'}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
