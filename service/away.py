"""While the assistant is away: a sentence at once, one open consultation ticket for a conversation."""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import conversation as conversations
from core import places
from core.conversation import Conversation, Matter, Message
from service import danger
from service.assistant import Saying
from service.runtime import Runtime
from service.texts import say
from ticketing import clock_words, tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import SYSTEM, Actor
from ticketing.titles import find_title

SAME_DANGER = timedelta(minutes=30)
"""So long after an alarm the next cry of the same conversation may be about the same danger."""


async def hand_to_clerk(
    runtime: Runtime,
    session: AsyncSession,
    conversation: Conversation,
    matter: Matter,
    message: Message,
    now: datetime,
) -> list[Saying]:
    """Register what was said for a clerk, or add it to the ticket that waits already; what the resident is told.

    Danger has an emergency ticket of its own, and the number to call stands first.
    """
    text = await conversations.reveal(session, conversation.resident_id, message.text)
    alarm = danger.see(text)
    if alarm:
        waiting = await _reported_danger(session, conversation, text, alarm, now)
    else:
        waiting = await _waiting_ticket(session, conversation)
    if waiting is not None:
        actor = Actor("resident", frozenset({"resident"}), None, conversation.resident_id)
        await tickets.perform(
            session, runtime.office, actor, waiting.number, "supplement", {"text": text}, None, now
        )
        matter.ticket_id = waiting.id
        return [Saying(_first(alarm, say("assistant_away_again", number=waiting.number)))]
    body = {"kind": "consultation", "title": find_title(text), "description": text}
    if alarm:
        body |= {"kind": "request", "urgency": danger.EMERGENCY}
    ticket = await tickets.register(
        session, runtime.office, SYSTEM, body, now,
        resident_id=conversation.resident_id, conversation_id=conversation.id,
        channel=conversation.address.partition(":")[0],
    )
    matter.ticket_id = ticket.id
    promise = await clock_words.promise(session, ticket)
    told = "assistant_away_in_danger" if alarm else "assistant_away"
    return [Saying(_first(alarm, say(told, number=ticket.number, promise=promise)))]


def _first(alarm: str | None, text: str) -> str:
    return f"{alarm}\n{text}" if alarm else text


async def _reported_danger(
    session: AsyncSession, conversation: Conversation, text: str, alarm: str, now: datetime
) -> Ticket | None:
    """The emergency ticket of this conversation about the same danger, whoever registered it, the assistant or we."""
    ticket = await session.scalar(
        select(Ticket)
        .where(
            Ticket.conversation_id == conversation.id,
            Ticket.urgency == danger.EMERGENCY,
            Ticket.state.in_(OPEN),
            Ticket.registered_at >= now - SAME_DANGER,
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if ticket is None:
        return None
    here, there = places.read(text).building, places.read(ticket.place, ticket.description).building
    elsewhere = bool(here and there and not here & there)
    return ticket if danger.is_one(danger.see(ticket.description), alarm) and not elsewhere else None


async def _waiting_ticket(session: AsyncSession, conversation: Conversation) -> Ticket | None:
    return await session.scalar(
        select(Ticket)
        .where(
            Ticket.conversation_id == conversation.id,
            or_(Ticket.kind == "consultation", Ticket.urgency == danger.EMERGENCY),
            Ticket.state.in_(OPEN),
            Ticket.registered_by == SYSTEM.name,
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    )
