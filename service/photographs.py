"""Pictures and files without a word: they go to the ticket that is open, or wait with the draft that is."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Conversation, Matter
from service.assistant import Saying
from service.runtime import Runtime
from service.texts import say
from ticketing import tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import Actor


async def add(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, matter: Matter, what: str, now: datetime
) -> list[Saying]:
    """Supplement the newest open ticket; empty when there is neither a ticket nor a draft they could belong to.

    The files themselves are in the conversation, where who works on the ticket sees them.
    """
    if matter.form_open:
        return [Saying(say("files_for_draft", what=what))]
    ticket = await session.scalar(
        select(Ticket)
        .where(Ticket.conversation_id == conversation.id, Ticket.state.in_(OPEN))
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if ticket is None:
        return []
    resident = Actor("resident", frozenset({"resident"}), None, conversation.resident_id)
    body: dict[str, Any] = {"text": f"[{what}]"}
    await tickets.perform(session, runtime.office, resident, ticket.number, "supplement", body, None, now)
    matter.ticket_id = matter.ticket_id or ticket.id
    return [Saying(say("files_added", what=what, number=ticket.number))]
