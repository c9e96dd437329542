"""What delivery means for a ticket: when a reply counts as delivered, and the call-back where nothing else reached."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import hide
from core.queues import Outbox, Result
from ticketing import sla
from ticketing.model import Callback, Reply, Ticket
from ticketing.office import Office
from ticketing.record import move
from ticketing.staff import SYSTEM


async def delivered(
    session: AsyncSession, office: Office, reply_id: int, now: datetime, *, outbox_id: int | None = None
) -> None:
    """A reply reached its resident: the ticket it belongs to moves from approved to replied.

    A reply that also goes to the resident of a merged ticket moves nothing there.
    """
    reply = await session.get_one(Reply, reply_id)
    ticket = await session.get_one(Ticket, reply.ticket_id)
    if outbox_id is not None:
        row = await session.get_one(Outbox, outbox_id, populate_existing=True)
        if row.ticket_id != ticket.id:
            return
    if reply.delivered_at is None:
        reply.delivered_at = now
    if ticket.state == "approved" and reply.round == ticket.round and reply.withdrawn_at is None:
        await move(session, office, SYSTEM, ticket, "reply", now, to="replied")


async def newest_reply(session: AsyncSession, ticket: Ticket, *which: ColumnElement[bool]) -> Reply | None:
    """The newest reply of this round that was not withdrawn; of `which` alone, where that is said."""
    return (await newest_replies(session, [ticket.id], *which)).get(ticket.id)


async def newest_replies(
    session: AsyncSession, ticket_ids: Collection[int], *which: ColumnElement[bool]
) -> dict[int, Reply]:
    """The same of many tickets, by their ids."""
    if not ticket_ids:
        return {}
    query = (
        select(Reply)
        .join(Ticket, Ticket.id == Reply.ticket_id)
        .where(Reply.ticket_id.in_(ticket_ids), Reply.round == Ticket.round, Reply.withdrawn_at.is_(None), *which)
        .order_by(Reply.id)
    )
    return {reply.ticket_id: reply for reply in await session.scalars(query)}


async def is_delivered(session: AsyncSession, ticket: Ticket) -> bool:
    """Whether, since the last redo, a reply reached the resident. The database's own gate asks the same."""
    by_reply = has_reached(Reply.ticket_id == ticket.id, Reply.round == ticket.round)
    return bool(await session.scalar(select(by_reply)))


def has_reached(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    """As a condition: whether one of these replies reached the resident."""
    carried = exists().where(
        Outbox.ticket_id == Reply.ticket_id,
        Outbox.origin == "reply",
        Outbox.reply_id == Reply.id,
        or_(
            Outbox.result == Result.SENT,
            and_(Outbox.result == Result.ANNOUNCED, Outbox.opened_at.is_not(None)),
        ),
    )
    called = exists().where(
        Callback.ticket_id == Reply.ticket_id,
        Callback.round == Reply.round,
        Callback.reply_id == Reply.id,
        Callback.reached.is_(True),
    )
    return exists().where(
        *which, Reply.withdrawn_at.is_(None), or_(Reply.call_turn.is_not(None), carried, called)
    )


async def open_callback(
    session: AsyncSession,
    office: Office,
    ticket: Ticket,
    reply_id: int | None,
    text: str,
    now: datetime,
    reason: str = "delivery",
) -> Callback:
    """The last step of every plan: a person calls. One open call for one thing to say."""
    open_one = await session.scalar(
        select(Callback).where(
            Callback.ticket_id == ticket.id,
            Callback.reply_id.is_(None) if reply_id is None else Callback.reply_id == reply_id,
            Callback.reason == reason,
            Callback.done_at.is_(None),
        )
    )
    if open_one:
        return open_one
    callback = Callback(
        ticket_id=ticket.id,
        reply_id=reply_id,
        round=ticket.round,
        reason=reason,
        text=await hide(session, ticket.resident_id, text, only_known=True),
        opened_at=now,
    )
    session.add(callback)
    await session.flush()
    await sla.on_event(session, office, ticket, "open_call_back", f"callback:{callback.id}", now)
    return callback


async def failed(session: AsyncSession, office: Office, outbox_id: int, error: str) -> Outbox:
    """A bounce or a failed report: that attempt delivered nothing after all."""
    row = await session.get_one(Outbox, outbox_id)
    row.result, row.last_error = Result.FAILED, error[:500]
    await session.flush()
    return row
