"""The one task that commits what has arrived: many requests, one transaction, each waits for its own commit."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Histogram
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import Database
from core.message import InboundMessage, storable
from core.queues import Inbox, Status, find_inbox, inbox_values, insert_inbox

COMMIT_SECONDS = Histogram(
    "huiyin_inbox_commit_seconds",
    "From the request to the commit of its message, one observation a stored message",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5),
)
MAX_BATCH = 200


@dataclass(frozen=True, slots=True)
class Stored:
    """The row that holds a message, and whether this call stored it."""

    id: int
    new: bool


Also = Callable[[AsyncSession, int], Awaitable[None]]
"""What a channel writes in the same transaction, given the session and the new row's id."""


@dataclass(slots=True)
class _Arrival:
    message: InboundMessage
    error: str | None
    also: Also | None
    passive_s: float | None
    started: float
    committed: asyncio.Future[Stored]


class InboxWriter:
    """Stores messages in groups. `put()` returns only when the message is on disk."""

    def __init__(self, db: Database, on_stored: Callable[[], None] = lambda: None) -> None:
        """`on_stored` is called after each commit: it wakes the workers."""
        self._db = db
        self._on_stored = on_stored
        self._arrivals: asyncio.Queue[_Arrival] = asyncio.Queue()

    async def put(
        self, message: InboundMessage, *, also: Also | None = None, passive_s: float | None = None
    ) -> Stored:
        """Store a message. Any error (a full disk, a lost database) is raised here, and nothing was stored.

        `passive_s`: for how many seconds the platform's own request stays open for the answer.
        """
        return await self._submit(message, None, also, passive_s)

    async def put_aside(self, message: InboundMessage, error: str) -> Stored:
        """Store a message that cannot be understood, for a person to look at."""
        return await self._submit(message, error, None, None)

    async def _submit(
        self, message: InboundMessage, error: str | None, also: Also | None, passive_s: float | None
    ) -> Stored:
        loop = asyncio.get_running_loop()
        arrival = _Arrival(message, error, also, passive_s, loop.time(), loop.create_future())
        self._arrivals.put_nowait(arrival)
        return await arrival.committed

    async def run(self) -> None:
        """Commit whatever has arrived, again and again, until cancelled."""
        while True:
            batch = [await self._arrivals.get()]
            while len(batch) < MAX_BATCH and not self._arrivals.empty():
                batch.append(self._arrivals.get_nowait())
            await self._store(batch)

    async def _store(self, batch: list[_Arrival]) -> None:
        try:
            results = await self._commit(batch)
        except Exception as error:
            # One bad message (or one bad `also`) must not take its neighbours with it.
            if len(batch) > 1:
                for arrival in batch:
                    await self._store([arrival])
                return
            _refuse(batch[0], error)
            return
        for arrival, stored in zip(batch, results, strict=True):
            _accept(arrival, stored)
        self._on_stored()

    async def _commit(self, batch: list[_Arrival]) -> list[Stored]:
        now = clock.now()
        async with self._db.writing(urgent=True) as session:
            ids = await insert_inbox(session, [_values(arrival, now) for arrival in batch])
            return [
                await _settle(session, arrival, row_id) for arrival, row_id in zip(batch, ids, strict=True)
            ]


def _values(arrival: _Arrival, now: datetime) -> dict[str, Any]:
    values = inbox_values(arrival.message, now)
    if arrival.error is not None:
        values |= {"status": Status.SET_ASIDE, "last_error": storable(arrival.error[:500])}
    if arrival.passive_s is not None:
        values["passive_until"] = now + timedelta(seconds=arrival.passive_s)
    return values


async def _settle(session: AsyncSession, arrival: _Arrival, row_id: int | None) -> Stored:
    """What belongs to a new row is written with it; a message that was seen before has its row already."""
    if row_id is not None:
        if arrival.also:
            await arrival.also(session, row_id)
        return Stored(row_id, new=True)
    row = await find_inbox(session, arrival.message)
    assert isinstance(row, Inbox)
    return Stored(row.id, new=False)


def _accept(arrival: _Arrival, stored: Stored) -> None:
    if stored.new:
        COMMIT_SECONDS.observe(asyncio.get_running_loop().time() - arrival.started)
    if not arrival.committed.done():
        arrival.committed.set_result(stored)


def _refuse(arrival: _Arrival, error: Exception) -> None:
    if not arrival.committed.done():
        arrival.committed.set_exception(error)
