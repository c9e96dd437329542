"""Many people, one matter: tickets linked to a lead, whose one answer and closing go to each by his own delivery plan.

A lead is never linked itself, so there are no chains and no cycles. Each linked ticket keeps its own number, clocks,
reply and proof: it closes only when the answer reached its own resident, and nobody learns of the others.
"""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, Invalid
from ticketing.delivery import is_delivered, newest_reply
from ticketing.lifecycle import OPEN, State
from ticketing.model import Reply, Ticket, Transition
from ticketing.staff import SYSTEM
from ticketing.verbs.act import Act, Do
from ticketing.verbs.kin import linked_to
from ticketing.verbs.replies import SHARES, share


async def link(act: Act, other: Ticket) -> None:
    """To the other ticket, or to the lead that one is linked to; those linked to this one come along."""
    ticket, session = act.ticket, act.session
    lead = await session.get_one(Ticket, other.lead_id) if other.lead_id else other
    if lead.id == ticket.id:
        raise Conflict(f"{other.number} is linked to {ticket.number} already: unlink it first, to turn them round")
    if (lead.kind == "report") != (ticket.kind == "report"):
        raise Invalid("to: a report about staff is linked with nothing but reports", "to")
    # Two that are linked to each other at one moment would both wait for the other: who comes second sees the first.
    both = select(Ticket.id).where(Ticket.id.in_((ticket.id, lead.id))).order_by(Ticket.id).with_for_update()
    await session.execute(both)
    await session.refresh(lead, ["lead_id", "state"])
    if lead.lead_id is not None:
        raise Conflict(f"{lead.number} was linked to another ticket at this moment: look again, then link to that one")
    old = await session.get(Ticket, ticket.lead_id) if ticket.lead_id else None
    await _lead_to(session, ticket, lead)
    ticket.lead_id = lead.id
    await act.move(changes={"linked": [old.number if old else None, lead.number]})
    reply = await _answer_under_way(session, lead)
    if reply is not None and ticket.state in SHARES:
        await share(Act(session, act.office, act.actor, lead, act.verb, act.body, act.now), reply, ticket)


async def _lead_to(session: AsyncSession, old: Ticket, new: Ticket) -> None:
    """Who was linked to the old ticket is linked to the new one."""
    await session.execute(
        update(Ticket).where(Ticket.lead_id == old.id, Ticket.id != new.id).values(lead_id=new.id)
        .execution_options(synchronize_session="fetch")
    )


async def _answer_under_way(session: AsyncSession, lead: Ticket) -> Reply | None:
    """The lead's answer where it is approved and nobody can have complained about it yet."""
    if lead.state != State.APPROVED:
        return None
    return await newest_reply(session, lead, Reply.approved_at.is_not(None))


async def unlink(act: Act) -> None:
    """It is answered by itself again."""
    if act.ticket.lead_id is None:
        raise Conflict("this ticket is linked to no other")
    lead = await act.session.get_one(Ticket, act.ticket.lead_id)
    act.ticket.lead_id = None
    await act.move(changes={"linked": [lead.number, None]})


async def shared_copies(session: AsyncSession, reply: Reply) -> Sequence[tuple[Reply, Ticket]]:
    """What linked tickets got of this reply, the tickets locked."""
    query = (
        select(Reply, Ticket).join(Ticket, Ticket.id == Reply.ticket_id)
        .where(Reply.same_as_id == reply.id, Reply.withdrawn_at.is_(None))
        .order_by(Ticket.id).with_for_update().execution_options(populate_existing=True)
    )
    return [(own, ticket) for own, ticket in (await session.execute(query)).all()]


async def take_back(act: Act, own: Reply, ticket: Ticket) -> None:
    """The lead's answer was sent back: the linked ticket stands where it stood, or is taken up again if it was told."""
    other = Act(act.session, act.office, SYSTEM, ticket, "take_back", None, act.now)
    if own.delivered_at is None:
        if ticket.state == State.APPROVED:
            await other.move(await _state_before(act.session, ticket), reason=act.body.reason)
        return
    if ticket.state in (State.REPLIED, State.CLOSED, State.FOLLOWED_UP):
        ticket.round += 1
        ticket.solved = ticket.satisfied = None
        other.verb = "redo"
        await other.move(State.IN_PROGRESS, reason=act.body.reason)
        await other.tell("redone", "progress", promise=await other.promise())


async def _state_before(session: AsyncSession, ticket: Ticket) -> str:
    query = select(Transition.from_state).where(Transition.ticket_id == ticket.id, Transition.verb == "share_reply")
    state = await session.scalar(query.order_by(Transition.seq.desc()).limit(1))
    # What waited for a supervisor waits for its officer again: its own draft was overtaken.
    return State.IN_PROGRESS if state in (None, State.IN_APPROVAL) else state


async def close_with_lead(act: Act) -> None:
    """Closing goes to all who were reached; who was not keeps his ticket open until he is."""
    lead = select(Reply.id).where(Reply.ticket_id == act.ticket.id)
    told = select(Reply.ticket_id).where(Reply.same_as_id.in_(lead), Reply.withdrawn_at.is_(None))
    for ticket in await linked_to(act.session, act.ticket, Ticket.state == State.REPLIED, Ticket.id.in_(told), lock=True):
        if await is_delivered(act.session, ticket):
            await Act(act.session, act.office, SYSTEM, ticket, "close", None, act.now).move(State.CLOSED)


async def hand_on(act: Act, to: Ticket | None = None) -> Ticket | None:
    """The lead goes without an answer: the ticket it went into leads, else the oldest that is still open."""
    followers = await linked_to(act.session, act.ticket, Ticket.state.in_(OPEN), lock=True)
    if not followers:
        return None
    new = to or followers[0]
    if new.lead_id == act.ticket.id:
        new.lead_id = None
        changes = {"linked": [act.ticket.number, None]}
        await Act(act.session, act.office, SYSTEM, new, "unlink", None, act.now).move(changes=changes)
    await act.session.flush()
    await _lead_to(act.session, act.ticket, new)
    return new


DO: dict[str, Do] = {"unlink": unlink}
