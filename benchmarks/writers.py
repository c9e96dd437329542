"""Writers who race on one ticket: is ever a change lost that its writer was told is done? On both databases.

`python -m benchmarks.writers [writers]`: every second writer reads a number off the ticket and writes the next one,
naming the version he read; the others leave a note without naming any. Who is refused reads again and goes on. In the
end the number, the notes, the version and the record must count exactly as many as wrote.
"""

import asyncio
import sys
import time
from typing import Any

from sqlalchemy import func, select

from benchmarks.both_databases import measure_on_both
from core import clock
from core.conversation import add_resident
from core.db import Database
from core.errors import Conflict, Stale
from service import models  # noqa: F401
from tests.conftest import KEYS
from ticketing import tickets
from ticketing.model import Note, Ticket, Transition
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.staff import SYSTEM, Actor

CLERK = Actor("bench", frozenset({"clerk"}), None)
AT_ONCE = 6


async def _tell(*_told: Any) -> None:
    """Nobody is told in a benchmark."""


OFFICE = Office(preset=load_preset("property"), name="bench", tell=_tell)


async def _register(db: Database) -> str:
    async with db.writing() as session:
        resident = await add_resident(session, clock.now())
        body = {"kind": "complaint", "description": "许多人同时办一件事", "happened_at": "0"}
        ticket = await tickets.register(session, OFFICE, CLERK, body, clock.now(), resident_id=resident.id)
        return ticket.number


async def _write(db: Database, number: str, verb: str) -> int:
    """How often this writer was refused before he was done."""
    refused = 0
    while True:
        version, body = None, {"text": "看过了"}
        if verb == "amend":
            async with db.reading() as session:
                ticket = await tickets.find_visible(session, SYSTEM, number)
                version, body = ticket.version, {"happened_at": str(int(ticket.happened_at or 0) + 1)}
        try:
            async with db.writing() as session:
                await tickets.perform(session, OFFICE, CLERK, number, verb, body, version, clock.now())
            return refused
        except (Conflict, Stale):
            refused += 1


async def _count_lost(db: Database, number: str, writers: int) -> int:
    async with db.reading() as session:
        ticket = await tickets.find_visible(session, SYSTEM, number)
        notes = await session.scalar(select(func.count()).select_from(Note).where(Note.ticket_id == ticket.id)) or 0
        steps = select(func.count()).select_from(Transition).where(Transition.ticket_id == ticket.id)
        found = (int(ticket.happened_at or 0) + notes, ticket.version - 1, (await session.scalar(steps) or 0) - 1)
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1
    return max(abs(writers - each) for each in found)


async def measure(url: str, writers: int) -> None:
    db = Database(url, KEYS)
    number = await _register(db)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(which: int) -> int:
        async with gate:
            return await _write(db, number, "amend" if which % 2 else "note")

    began = time.perf_counter()
    refused = await asyncio.gather(*(one(which) for which in range(writers)))
    took = time.perf_counter() - began
    lost = await _count_lost(db, number, writers)
    print(f"{db.engine.dialect.name}: {writers} writers on one ticket, {lost} lost updates,"
          f" {sum(refused)} refusals; {writers / took:.0f} writes/s", flush=True)
    await db.close()


if __name__ == "__main__":
    asyncio.run(measure_on_both(measure, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
