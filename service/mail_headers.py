"""What a mail of ours refers to: the resident's own mail, its thread, and his subject with the ticket's number."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Matter
from core.queues import Inbox, Outbox
from ticketing.model import Ticket


async def headers_of(session: AsyncSession, row: Outbox, office: str) -> dict[str, str]:
    """For a mail of ours: the name beside our address, and the resident's mail that it answers, with its thread."""
    asked = await _asked_by(session, row)
    headers = {"office": office}
    if asked is None:
        return headers
    message_id = str(asked.facts.get("message_id") or "")
    references: Sequence[str] = asked.facts.get("references") or []
    if message_id:
        headers |= {"in_reply_to": message_id, "references": " ".join([*references, message_id])}
    if row.ticket_id is None and (subject := str(asked.facts.get("subject") or "")):
        matter = await session.get(Matter, asked.matter_id) if asked.matter_id else None
        ticket = await session.get(Ticket, matter.ticket_id) if matter and matter.ticket_id else None
        headers["subject"] = _answer_subject(subject, ticket.number if ticket else None)
        if ticket:
            headers["number"] = ticket.number
    return headers


def _answer_subject(subject: str, number: str | None) -> str:
    """The resident's own subject, and the number once."""
    answered = subject if subject.lower().startswith(("re:", "回复:", "回复：", "答复:", "答复：")) else f"Re: {subject}"
    return answered if not number or number in answered else f"{answered} [{number}]"


async def _asked_by(session: AsyncSession, row: Outbox) -> Inbox | None:
    """The mail that is answered: the very one, else the newest of the ticket."""
    if row.inbox_id is not None:
        asked = await session.get(Inbox, row.inbox_id)
        return asked if asked is not None and asked.channel == "email" else None
    if row.ticket_id is None or row.conversation_id is None:
        return None
    matters = select(Matter.id).where(Matter.ticket_id == row.ticket_id)
    return await session.scalar(
        select(Inbox)
        .where(
            Inbox.conversation_id == row.conversation_id, Inbox.channel == "email", Inbox.sender == row.recipient,
            Inbox.matter_id.in_(matters), Inbox.event.is_(None),
        )
        .order_by(Inbox.id.desc())
        .limit(1)
    )
