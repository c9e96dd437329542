"""Where and about what most tickets of a period are, beside the period of the same length before."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import places
from ticketing.lifecycle import OPEN
from ticketing.likeness import PLACE_IN, key_of
from ticketing.model import Ticket
from ticketing.repeats import NEVER
from ticketing.search import TicketTerm
from ticketing.staff import Actor
from ticketing.visibility import visible

FEWEST = 2
"""One ticket makes no hot spot."""
SIGN = key_of("")
"""With it the keys of places begin among the search terms."""
LISTED = 20


async def count(session: AsyncSession, actor: Actor, start: datetime, end: datetime, limit: int) -> list[dict[str, Any]]:
    """Rows `{place, category, tickets, people, open, before, numbers}`, the most tickets first.

    A ticket counts at each place it names. What is said of a place by a second name in the same tickets is left out.
    """
    rows = await _group(session, actor, start, end)
    seen: dict[tuple[str | None, frozenset[int]], dict[str, Any]] = {}
    before = {(key, category): len(ids) for (key, category), ids in (await _group(session, actor, start - (end - start), start)).items()}
    order = sorted(rows.items(), key=lambda row: (-len(row[1]), -len(row[0][0]), row[0]))
    for (key, category), ids in order:
        spot = (category, frozenset(ids))
        if len(ids) < FEWEST or spot in seen:
            continue
        seen[spot] = {"key": key, "category": category, "ids": ids, "before": before.get((key, category), 0)}
        if len(seen) == limit:
            break
    return [await _describe(session, row) for row in seen.values()]


async def _group(
    session: AsyncSession, actor: Actor, start: datetime, end: datetime
) -> dict[tuple[str, str | None], set[int]]:
    query = (
        select(TicketTerm.term, Ticket.category, Ticket.id)
        .join(Ticket, Ticket.id == TicketTerm.ticket_id)
        .where(Ticket.registered_at >= start, Ticket.registered_at < end, visible(actor), Ticket.kind.not_in(NEVER),
               TicketTerm.term.startswith(SIGN))
    )
    found: dict[tuple[str, str | None], set[int]] = {}
    for key, category, ticket_id in (await session.execute(query)).all():
        found.setdefault((key, category), set()).add(ticket_id)
    return found


async def _describe(session: AsyncSession, row: dict[str, Any]) -> dict[str, Any]:
    tickets = (await session.scalars(select(Ticket).where(Ticket.id.in_(row["ids"])).order_by(Ticket.id.desc()))).all()
    return {
        "place": _label(row["key"], [places.read(each.place, each.title, each.description[:PLACE_IN]) for each in tickets]),
        "category": row["category"], "tickets": len(tickets), "people": len({each.resident_id for each in tickets}),
        "open": sum(each.state in OPEN for each in tickets), "before": row["before"],
        "numbers": [each.number for each in tickets[:LISTED]],
    }


def _label(key: str, read: list[places.Place]) -> str:
    """The place that all these tickets name, as staff read it; the key itself is in it."""
    named = [place for place in read if key in {key_of(each) for each in place.keys()}]
    return places.common(named).label() or key.removeprefix(SIGN).rpartition(":")[2]
