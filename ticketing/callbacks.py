"""Call-backs: the list of calls to make, and what came of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.checking import check_body
from core.errors import Conflict, Forbidden, NotFound
from ticketing import letters, sla
from ticketing.bodies import CallbackDone
from ticketing.delivery import delivered
from ticketing.model import CallAttempt, Callback, Letter, Reply, Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.visibility import find_with_ticket, roles_on, visible

CALLERS = frozenset({"clerk", "officer"})


async def list_open(session: AsyncSession, actor: Actor, limit: int = 200) -> list[tuple[Callback, Ticket]]:
    """The calls this actor may see, oldest first."""
    query = (
        select(Callback, Ticket)
        .join(Ticket, Ticket.id == Callback.ticket_id)
        .where(Callback.done_at.is_(None), visible(actor))
        .order_by(Callback.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).all()]


async def done(
    session: AsyncSession, office: Office, actor: Actor, callback_id: int, raw: Any, now: datetime
) -> Callback:
    """Log one call. Reached: the reply is delivered by it, and the task is over; else it stays open."""
    found = await find_with_ticket(session, actor, Callback, callback_id)
    if found is None:
        raise NotFound("there is no such call-back: GET /call-backs lists them")
    callback, ticket = found
    if not roles_on(actor, ticket) & CALLERS:
        raise Forbidden("a call-back is made by a clerk or an officer")
    body = check_body(CallbackDone, raw)
    if callback.done_at is not None:
        raise Conflict("this call-back is done already")
    callback.attempts += 1
    outcome = body.outcome or ("connected" if body.reached else "no_answer")
    session.add(
        CallAttempt(callback_id=callback.id, at=now, by=actor.name, outcome=outcome, reached=body.reached,
                    note=body.note)
    )
    callback.note, callback.reached = body.note, body.reached
    if body.reached:
        callback.done_at, callback.done_by = now, actor.name
        await sla.on_event(session, office, ticket, "finish_call_back", f"callback:{callback.id}", now)
    if outcome == "collected":
        of_it = Letter.reply_id.is_(None) if callback.reply_id is None else Letter.reply_id == callback.reply_id
        await letters.mark_collected(session, actor, ticket, body.note, now, of_it)
    audit.record(session, now, actor.name, "callback:call", f"callback:{callback.id}")
    await session.flush()
    reply = await session.get(Reply, callback.reply_id) if callback.reply_id is not None else None
    if body.reached and reply is not None and callback.reason == "delivery" and reply.ticket_id == ticket.id:
        await delivered(session, office, reply.id, now)
    return callback


async def attempts_at(session: AsyncSession, callback_ids: Sequence[int]) -> dict[int, list[CallAttempt]]:
    """The tries so far by their call-back, oldest first."""
    query = select(CallAttempt).where(CallAttempt.callback_id.in_(callback_ids)).order_by(CallAttempt.id)
    found: dict[int, list[CallAttempt]] = {callback_id: [] for callback_id in callback_ids}
    for item in await session.scalars(query):
        found[item.callback_id].append(item)
    return found
