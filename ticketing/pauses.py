"""Who stopped the clock, how often, why and for how long: a pause is a right of the office that must not be a habit."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import write_time
from core.errors import Invalid
from ticketing.clocks import Clock
from ticketing.model import Ticket, Transition
from ticketing.staff import Actor
from ticketing.visibility import visible

LONGEST_PERIOD = timedelta(days=366)
CLOCK = "finish"
"""The clock whose pauses count: others stop with it."""


async def by_officer(
    session: AsyncSession, actor: Actor, first: datetime, last: datetime, now: datetime
) -> list[dict[str, Any]]:
    """`[{person, pauses, total_s, tickets: [{number, from, to, reason, paused_s}]}]`, who paused longest first.

    A pause that goes on counts until now. Only tickets this actor may see are counted.
    """
    if not timedelta() <= last - first <= LONGEST_PERIOD:
        raise Invalid("`to` is not before `from`, and at most a year after it", "to")
    query = (
        select(Transition, Clock, Ticket.number)
        .join(Ticket, Ticket.id == Transition.ticket_id)
        .join(Clock, (Clock.ticket_id == Ticket.id) & (Clock.name == CLOCK))
        .where(Transition.verb == "ask_supplement", Transition.at >= first, Transition.at < last, visible(actor))
        .order_by(Transition.at)
    )
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for transition, clock, number in await session.execute(query):
        if pause := _pause_of(clock, transition.at, now):
            found[transition.actor].append({"number": number, "reason": transition.reason} | pause)
    rows = [
        {"person": person, "pauses": len(pauses), "total_s": sum(pause["paused_s"] for pause in pauses),
         "tickets": pauses}
        for person, pauses in found.items()
    ]
    return sorted(rows, key=lambda row: (-row["total_s"], row["person"]))


def _pause_of(clock: Clock, begun: datetime, now: datetime) -> dict[str, Any] | None:
    """The pause of this clock that began at this moment."""
    if clock.paused_at == begun:
        return {"from": write_time(begun), "to": None, "paused_s": int((now - begun).total_seconds())}
    for entry in clock.history:
        if "from" in entry and datetime.fromisoformat(entry["from"]) == begun:
            ended = datetime.fromisoformat(entry["to"])
            return {"from": write_time(begun), "to": write_time(ended), "paused_s": int((ended - begun).total_seconds())}
    return None
