"""A call that came before, with other words: its ticket keeps both."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.phone import turns_of
from core.conversation import hide
from core.queues import Inbox
from service.runtime import Runtime
from service.texts import say
from ticketing import tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import Actor

SPEAKERS = {"caller": "来电人", "agent": "话务员"}


async def facts_of_call(session: AsyncSession, resident_id: int, inbox_id: int | None) -> dict[str, Any]:
    """What a call tells beside its words: its id, when it began, its recording, and what the agent answered in it."""
    row = await session.get(Inbox, inbox_id) if inbox_id else None
    if row is None or row.channel != "phone" or "turns" not in row.facts:
        return {}
    agent: list[dict[str, Any]] = [
        {"turn": number, "speaker": turn.speaker,
         "text": await hide(session, resident_id, turn.text, only_known=True)}
        for number, turn in enumerate(turns_of(row.text, row.facts))
        if turn.speaker == "agent"
    ]
    longest = max(agent, key=lambda turn: len(turn["text"]), default=None)
    return {
        "call_id": row.facts["call_id"],
        "started_at": datetime.fromisoformat(row.facts["started_at"]),
        "recording": row.facts.get("recording"),
        "answered_on_call": {**longest, "turns": agent} if longest else None,
    }


async def ticket_of_earlier_version(session: AsyncSession, row: Inbox) -> Ticket | None:
    """The ticket that an earlier version of this call led to."""
    if row.channel != "phone" or int(row.facts.get("version") or 1) < 2:
        return None
    query = select(Ticket).where(Ticket.call_id == row.facts["call_id"]).order_by(Ticket.id).limit(1)
    return await session.scalar(query)


async def add_version(runtime: Runtime, session: AsyncSession, ticket: Ticket, row: Inbox, now: datetime) -> None:
    """The new words are added to the ticket as said by the caller; one that is over only has them in its record."""
    if ticket.state not in OPEN:
        return
    lines = (f"{SPEAKERS[turn.speaker]}：{turn.text}" for turn in turns_of(row.text, row.facts))
    text = say("call_new_version", version=row.facts["version"], words="\n".join(lines))
    actor = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
    await tickets.perform(
        session, runtime.office, actor, ticket.number, "supplement", {"text": text[:10_000]}, None, now
    )
