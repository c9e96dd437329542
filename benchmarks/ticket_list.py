"""A page of the queue with many tickets in the database: what a page of fifty costs, by reader and filter, on both databases.

`python -m benchmarks.ticket_list [tickets]`. The budget: p95 of a page ≤ 300 ms at 100,000 tickets on SQLite. Each ticket has a
conversation, transitions, clocks, and every second one an answer with its delivery and its letter.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from benchmarks.both_databases import measure_on_both
from benchmarks.running import quantile
from core import clock
from core.conversation import Conversation, Resident
from core.db import Database
from core.queues import Outbox
from service import models  # noqa: F401
from tests.conftest import KEYS
from ticketing import search, views
from ticketing.clocks import Clock
from ticketing.model import Letter, Reply, Ticket, Transition
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.staff import Actor

PAGE, TRIES, AT_ONCE = 50, 20, 5000
STATES = ("registered", "accepted", "in_progress", "in_approval", "approved", "replied", "withdrawn", "declined")
KINDS = ("complaint", "request", "suggestion", "consultation")
CLERK, OFFICER = Actor("bench", frozenset({"clerk"}), None), Actor("officer7", frozenset({"officer"}), "engineering")
PAGES: tuple[tuple[str, Actor, dict[str, str]], ...] = (
    ("all, for a clerk", CLERK, {}),
    ("all, for an officer of a department", OFFICER, {}),
    ("in_approval", CLERK, {"state": "in_approval"}),
    ("a kind", CLERK, {"kind": "consultation"}),
    ("a rare category", CLERK, {"category": "fees-property"}),
    ("one's own", OFFICER, {"assignee": "me"}),
    ("of a resident", CLERK, {"resident": "77"}),
    ("emergencies", CLERK, {"urgency": "emergency"}),
    ("confidential", CLERK, {"confidential": "true"}),
    ("overdue", CLERK, {"overdue": "true"}),
    ("due within a day", CLERK, {"due_within": "24"}),
    ("promises not kept", CLERK, {"promises": "true"}),
)


async def _tell(*_told: Any) -> None:
    """No resident is told in a benchmark."""


OFFICE = Office(preset=load_preset("property"), name="bench", tell=_tell)


async def _fill(db: Database, count: int, now: datetime) -> None:
    for first in range(1, count + 1, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, count + 1))
        answered = [number for number in numbers if number % 2]
        async with db.writing() as session:
            await session.execute(insert(Resident), [{"id": number, "kind": "person", "name": "林小雨", "created_at": now} for number in numbers])
            await session.execute(insert(Conversation), [
                {"id": number, "address": f"webchat:g{number}", "account": "web", "resident_id": number, "holder": "assistant",
                 "opened_at": now, "last_message_at": now} for number in numbers])
            await session.execute(insert(Ticket), [_ticket(number, now) for number in numbers])
            await session.execute(insert(Transition), [row for number in numbers for row in _transitions(number, now)])
            await session.execute(insert(Clock), [row for number in numbers for row in _clocks(number, now)])
            await session.execute(insert(Reply), [
                {"id": number, "ticket_id": number, "round": 1, "text": "多收的停车费已原路退回。" * 8, "attachments": [],
                 "submitted_by": "officer", "submitted_at": now, "approved_by": "head", "approved_at": now} for number in answered])
            await session.execute(insert(Outbox), [
                {"channel": "webchat", "account": "web", "recipient": "g", "order_key": f"g{number}", "text": "退回了",
                 "attachments": [], "choices": [], "origin": "reply", "step": "webchat", "ticket_id": number, "reply_id": number,
                 "status": "done", "result": "sent", "attempts": 1, "scheduled_at": now, "created_at": now, "sent_at": now}
                for number in answered])
            await session.execute(insert(Letter), [
                {"ticket_id": number, "reply_id": number, "kind": "reply", "year": 2026, "ordinal": number,
                 "number": f"{number}号", "title": "答复书", "text": "退回了", "office": "bench", "made_at": now} for number in answered])


def _ticket(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number, "number": f"HY20261101-{number:06}", "kind": KINDS[number % 4],
        "category": "fees-property" if number % 1000 == 0 else "noise", "title": "多收了停车费",
        "description": "云溪花园多收了停车费，要求退还。" * 12, "state": STATES[number % 8],
        "urgency": "emergency" if number % 2000 == 0 else "routine", "confidential": number % 500 == 0,
        "department": "engineering" if number % 6 == 0 else "service", "assignee": f"officer{number % 700}",
        "resident_id": number, "conversation_id": number, "channel": "webchat", "code": "ABCDEF", "registered_by": "clerk",
        "registered_at": now, "moved_at": now, "elements": [], "missing": [], "supplement_open": False,
        "supplements_asked": 0, "return_open": False, "returns_refused": 0, "excluded": False, "round": 1, "level": 0,
        "version": 5,
    }


def _transitions(number: int, now: datetime) -> Iterable[dict[str, Any]]:
    steps = ("register", "confirm", "accept", "assign", "progress")
    return [{"ticket_id": number, "seq": at, "verb": verb, "from_state": "registered", "to_state": "accepted",
             "actor": "clerk", "at": now, "reason": None, "changes": None} for at, verb in enumerate(steps, 1)]


def _clocks(number: int, now: datetime) -> Iterable[dict[str, Any]]:
    """One finish in four hundred is over, and one is due today."""
    due = now + {0: timedelta(hours=-3), 1: timedelta(hours=5)}.get(number % 400, timedelta(days=9))
    base = {"ticket_id": number, "department": "service", "rule_version": 1, "roll": False, "wider": [], "history": [],
            "started_at": now - timedelta(days=1), "paused_total_s": 0, "breached": False, "count": None}
    return [base | {"name": "finish", "title": "答复", "rule_id": "finish", "target": "10 days", "due_at": due},
            base | {"name": "accept", "title": "受理", "rule_id": "accept", "target": "24 hours", "due_at": due, "stopped_at": now,
                    "stopped_by": "accept"}]


async def _show(db: Database, actor: Actor, filters: dict[str, str], now: datetime) -> float:
    """As the API answers it, to the JSON text."""
    began = time.perf_counter()
    async with db.reading() as session:
        with session.no_autoflush:
            found = await search.list_tickets(session, actor, filters, PAGE, None, now)
            json.dumps(await views.describe_all(session, OFFICE, actor, found.tickets, now), ensure_ascii=False)
    return time.perf_counter() - began


async def _measure(url: str, count: int) -> None:
    db, now = Database(url, KEYS), clock.now()
    await _fill(db, count, now)
    for name, actor, filters in PAGES:
        times = [await _show(db, actor, filters, now) * 1000 for _ in range(TRIES + 1)][1:]
        print(f"{url.partition(':')[0].partition('+')[0]}: {count} tickets, a page, {name}: p50 {quantile(times, 0.5):.0f} ms  "
              f"p95 {quantile(times, 0.95):.0f} ms", flush=True)
    await db.close()


if __name__ == "__main__":
    asyncio.run(measure_on_both(_measure, int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
