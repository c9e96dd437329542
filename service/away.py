"""While the assistant is away: a sentence at once, one open consultation ticket for a conversation."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import conversation as conversations
from core.conversation import Conversation, Matter, Message
from service import alarms, danger
from service.assistant import Saying
from service.runtime import Runtime
from service.texts import say
from ticketing import clock_words, tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import SYSTEM
from ticketing.titles import find_title


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
        waiting = await alarms.find_alarm(session, conversation, text, None, now)
    else:
        waiting = await _waiting_ticket(session, conversation)
    if waiting is not None:
        await alarms.join(session, runtime.office, conversation, waiting, text, now)
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
