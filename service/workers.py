"""The loops that do the work: inbox to assistant, outbox to channels, and what the calendar brings about."""

import asyncio
import itertools
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from channels.base import rings
from core import clock, log, queues
from core.errors import Conflict
from core.loops import keep
from core.queues import MAX_ATTEMPTS, Inbox, Outbox
from service import (
    bookings,
    delivery,
    guide_calendar,
    incident_watch,
    intake,
    media,
    open_questions,
    passive,
    rehearsals,
    reminders,
    second_hearing,
)
from service.idempotency import KEPT, IdempotencyKey
from service.pace import stopwatch
from service.runtime import Runtime
from ticketing import calendar_days, escalation, staff_notices, tickets, visit_desk
from ticketing.due import anything_due
from ticketing.staff import SYSTEM

logger = log.logger(__name__)

INBOX_WORKERS = 4
OUTBOX_WORKERS = 4
LOOK_EVERY_S = 1.0
WORK_ENDS_S = 2.0
"""So long what is in hand may take when the service stops; a turn that takes longer is made again at the next start."""
TIDY_EVERY_S = 20.0
WARN_EVERY_S = 5.0
"""How late a warning may be because nobody looked; the rest of its minute is for the work itself."""
HEAR_EVERY_S = 5.0
INSPECT_EVERY_S = 60.0
RETRY_AFTER = (timedelta(seconds=2), timedelta(seconds=15))

Row = TypeVar("Row", Inbox, Outbox)


async def run(runtime: Runtime) -> None:
    """All loops, until the service stops. A loop that fails is an error of ours: it is logged and goes on."""
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
    take_in = partial(_work, runtime, Inbox, "inbox", name, INBOX_WORKERS, _take_in)
    send = partial(_work, runtime, Outbox, "outbox", name, OUTBOX_WORKERS, delivery.deliver)
    async with asyncio.TaskGroup() as group:
        group.create_task(keep("inbox", take_in))
        group.create_task(keep("outbox", send))
        group.create_task(_repeat(runtime, tidy, TIDY_EVERY_S))
        group.create_task(_repeat(runtime, reminders.remind_due, TIDY_EVERY_S))
        group.create_task(_repeat(runtime, incident_watch.watch, LOOK_EVERY_S))
        group.create_task(_repeat(runtime, media.fetch_due, LOOK_EVERY_S))
        group.create_task(_repeat(runtime, second_hearing.hear_again, HEAR_EVERY_S))
        group.create_task(_repeat(runtime, warn, WARN_EVERY_S))
        group.create_task(_repeat(runtime, _measure, LOOK_EVERY_S))
        group.create_task(_repeat(runtime, _inspect, LOOK_EVERY_S))
        group.create_task(_repeat(runtime, _learn, LOOK_EVERY_S))


async def stop(runtime: Runtime, running: asyncio.Task[None]) -> None:
    """End the loops: between two transactions where it can be waited for, else where they are.

    A transaction that is cancelled may keep SQLite's one write lock with a connection that nobody ends.
    """
    runtime.stopping.set()
    for topic in ("inbox", "outbox", "rehearse", "learn"):
        runtime.news.notify(topic)
    await asyncio.wait({running}, timeout=WORK_ENDS_S)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def settle(runtime: Runtime) -> None:
    """At the start, where this process is known to be alone: take back what the last one had in hand."""
    async with runtime.db.writing() as session:
        await passive.settle_after_restart(runtime, session, clock.now())
        await queues.release_all(session, Inbox)
        await queues.release_all(session, Outbox)


async def _work(
    runtime: Runtime,
    table: type[Row],
    topic: str,
    name: str,
    hands: int,
    do: Callable[[Runtime, Row, str], Awaitable[None]],
) -> None:
    """Claim as many rows as hands are free, and do each beside the others; one look serves them all."""
    busy: set[asyncio.Task[None]] = set()
    with runtime.news.listen(topic) as bell:

        def put_down(task: asyncio.Task[None]) -> None:
            busy.discard(task)
            bell.set()  # A hand is free, and the next of this order key too.

        async with asyncio.TaskGroup() as group:
            for number in itertools.count():
                if runtime.stopping.is_set():
                    return
                bell.clear()
                runtime.beat(topic)
                worker = f"{name}:{topic}:{number}"
                free = hands - len(busy)
                rows = await _claim(runtime, table, worker, free)
                for row in rows:
                    task = group.create_task(_do(runtime, topic, row, worker, do))
                    busy.add(task)
                    task.add_done_callback(put_down)
                if len(rows) < free or not free:
                    await rings(bell, LOOK_EVERY_S)


async def _do(
    runtime: Runtime, topic: str, row: Row, worker: str, do: Callable[[Runtime, Row, str], Awaitable[None]]
) -> None:
    try:
        await do(runtime, row, worker)
    except asyncio.CancelledError:
        raise
    except Exception:  # Its lease ends by itself; the others go on.
        logger.exception("worker failed", queue=topic)


async def _claim(runtime: Runtime, table: type[Row], worker: str, most: int) -> Sequence[Row]:
    if not most:
        return []
    try:
        async with runtime.db.reading() as session:
            if not await queues.anything_due(session, table, clock.now()):
                return []
        async with runtime.db.writing() as session:
            return await queues.claim(session, table, worker, clock.now(), most)
    except IntegrityError:  # Another process took a row of the same order key at this moment.
        return []
    except SQLAlchemyError:
        logger.exception("nothing could be claimed", queue=table.__tablename__)
        return []


async def _take_in(runtime: Runtime, row: Inbox, worker: str) -> None:
    """Handle one inbox row; what fails is tried again, and after three tries left to a person."""
    started = stopwatch()
    try:
        await intake.handle(runtime, row, worker, clock.now())
    except asyncio.CancelledError:
        raise
    except Exception as error:
        logger.exception("message failed", inbox=row.id, attempts=row.attempts)
        await _leave(runtime, row, worker, f"{type(error).__name__}: {error}")
    finally:
        runtime.pace.answered(stopwatch() - started)


async def _leave(runtime: Runtime, row: Inbox, worker: str, error: str) -> None:
    async with runtime.db.writing() as session:
        if row.attempts >= MAX_ATTEMPTS:
            await queues.set_aside(session, Inbox, row.id, worker, log.mask_text(error))
        else:
            again_at = clock.now() + RETRY_AFTER[min(row.attempts, len(RETRY_AFTER)) - 1]
            await queues.put_back(session, Inbox, row.id, worker, log.mask_text(error), again_at)


async def _repeat(runtime: Runtime, do: Callable[[Runtime], Awaitable[None]], seconds: float) -> None:
    while not runtime.stopping.is_set():
        try:
            await do(runtime)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("periodic work failed", work=do.__name__)
        await rings(runtime.stopping, seconds)


async def tidy(runtime: Runtime) -> None:
    """What the calendar brings about: closing, archiving, unopened announcements, appointments, keys that are over."""
    now = clock.now()
    async with runtime.db.writing() as session:
        await tickets.close_due(session, runtime.office, now)
    async with runtime.db.writing() as session:
        await tickets.archive_due(session, runtime.office, now)
    await delivery.go_on_with_unopened(runtime, now)
    await bookings.run_calendar(runtime, now)
    await _remind_of_visits(runtime, now)
    await calendar_days.refresh(runtime.db, runtime.office, SYSTEM, now)
    await guide_calendar.run_calendar(runtime, now)
    async with runtime.db.writing() as session:
        await session.execute(delete(IdempotencyKey).where(IdempotencyKey.at < now - KEPT))


async def _remind_of_visits(runtime: Runtime, now: datetime) -> None:
    async with runtime.db.reading() as session:
        due = await visit_desk.anything_to_remind(session, now)
    while due:
        async with runtime.db.writing() as session:
            due = await visit_desk.remind_due(session, runtime.office, now) == visit_desk.AT_ONCE
        runtime.news.notify("outbox")


async def warn(runtime: Runtime) -> None:
    """Due times: what is over is noted for whom it concerns, batch by batch, then told in one message a person."""
    now = clock.now()
    async with runtime.db.reading() as session:
        due, waiting = await anything_due(session, now), await staff_notices.anything_waiting(session, now)
    while due:
        async with runtime.db.writing() as session:
            due = await escalation.note_due(session, runtime.office, now) == escalation.AT_ONCE
        waiting = True
    while waiting:
        async with runtime.db.writing() as session:
            told = await staff_notices.tell_waiting(session, runtime.office, now)
        waiting = told == staff_notices.AT_ONCE
        runtime.news.notify("outbox")
    runtime.beat("warnings")


async def _inspect(runtime: Runtime) -> None:
    """Each night, and when an editor asks for it: the guides are rehearsed, the day's open questions collected."""
    asked = await runtime.news.wait("rehearse", INSPECT_EVERY_S)
    if runtime.stopping.is_set():
        return
    now = clock.now()
    if not asked and not await rehearsals.is_due(runtime.db, runtime.settings, now):
        return
    async with runtime.db.writing() as session:
        await open_questions.collect(runtime, session, now)
    await rehearsals.run(runtime, "system", now)


async def _learn(runtime: Runtime) -> None:
    """When somebody asks for it in the console: the categories learn from the office's own tickets."""
    if not runtime.learning_for:
        await runtime.news.wait("learn", INSPECT_EVERY_S)
    by, runtime.learning_for = runtime.learning_for, ""
    if not by or runtime.stopping.is_set():
        return
    from service.learning import Office, teach  # Brings numpy with it: not at the start.

    settings = runtime.settings
    office = Office(runtime.db, runtime.db.keys, runtime.office.preset, settings.data_dir,
                    settings.understanding.vectors)
    try:
        await teach(office, by, clock.now())
    except Conflict as error:
        logger.warning("nothing was learnt", reason=error.detail)
    runtime.news.notify("guides")


async def _measure(runtime: Runtime) -> None:
    async with runtime.db.reading() as session:
        queue: queues.Queue
        for queue, name in ((Inbox, "inbox"), (Outbox, "outbox")):
            counts = await queues.backlog(session, queue)
            for status in ("todo", "doing", "set_aside"):
                runtime.backlog.labels(name, status).set(counts.get(status, 0))
            if queue is Inbox:
                runtime.pace.set_waiting(counts.get("todo", 0) + counts.get("doing", 0))
