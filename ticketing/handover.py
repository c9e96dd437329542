"""Handover: what somebody has in hand goes to another, or to the queues of the departments; nothing stays behind."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.conversation import Conversation
from core.errors import Conflict, Invalid
from ticketing import record, roster, routing, visits
from ticketing.lifecycle import OPEN, State
from ticketing.model import Measure, Ticket
from ticketing.office import Office
from ticketing.roster import Absence, Duty, Roster
from ticketing.staff import Actor, Staff

AT_ONCE = 200


@dataclass(frozen=True)
class HandedOver:
    """How many of each went to somebody else; `queued` are tickets that now wait in a department's queue."""

    tickets: int
    queued: int
    measures: int
    conversations: int


async def hand_over(
    session: AsyncSession, office: Office, actor: Actor, name: str, to: str | None, reason: str, now: datetime,
    *, leaves: bool = False,
) -> HandedOver:
    """Everything open of `name` goes to `to`; without one to who is on duty, else to the department's queue.

    A ticket about `to` does not go to him. `leaves`: he cannot sign in any more, and is on no roster.
    """
    here = await roster.load(session, office, now)
    if here.find(name) is None:
        raise Invalid(f"name: nobody here is called {name}", "name")
    if to is not None and (to == name or here.find(to) is None):
        raise Invalid(f"to: nobody else here is called {to}", "to")
    tickets, queued = await _tickets(session, office, actor, here, name, to, reason, now)
    measures = await session.execute(
        update(Measure).where(Measure.owner == name, Measure.fulfilled_at.is_(None)).values(owner=to)
    )
    talks = await session.execute(
        update(Conversation)
        .where(Conversation.taken_by == name)
        .values(taken_by=to, waiting_since=None if to else now)
    )
    await session.execute(
        update(Ticket).where(Ticket.asked_first == name, Ticket.state == State.REGISTERED).values(asked_first=to)
    )
    await visits.note_handed_over(session, name, to, now)
    if leaves:
        await _leave(session, name, now)
    detail = {"to": to, "tickets": tickets, "queued": queued}
    audit.record(session, now, actor.name, "staff:leave" if leaves else "staff:hand_over", f"staff:{name}", reason, detail)
    await session.flush()
    return HandedOver(
        tickets, queued, measures.rowcount, talks.rowcount  # type: ignore[attr-defined]
    )


async def _tickets(
    session: AsyncSession, office: Office, actor: Actor, here: Roster, name: str, to: str | None, reason: str,
    now: datetime,
) -> tuple[int, int]:
    """Each open ticket with a row in its record; what somebody else moves at this moment is left for the next round."""
    moved = queued = last = 0
    while True:
        query = select(Ticket).where(Ticket.assignee == name, Ticket.state.in_(OPEN), Ticket.id > last)
        batch = (await session.scalars(query.order_by(Ticket.id).limit(AT_ONCE))).all()
        for ticket in batch:
            last = ticket.id
            person = await _successor(session, here, ticket, name, to)
            changes = {"assignee": [name, person]}
            try:
                async with session.begin_nested():
                    ticket.assignee = person
                    await record.move(
                        session, office, actor, ticket, "reassign", now, reason=f"交接：{reason}", changes=changes
                    )
            except Conflict:
                continue
            moved, queued = moved + 1, queued + (person is None)
        if len(batch) < AT_ONCE:
            return moved, queued


async def _successor(
    session: AsyncSession, here: Roster, ticket: Ticket, name: str, to: str | None
) -> str | None:
    if to is not None:
        person = here.find(to)
        return to if person and not routing.concerns_person(ticket, person) else None
    if ticket.department is None:
        return None
    able = await routing.candidates(session, here, ticket, ticket.department)
    return next((each.person.name for each in able if each.on_duty and each.person.name != name), None)


async def _leave(session: AsyncSession, name: str, now: datetime) -> None:
    await session.execute(update(Staff).where(Staff.name == name).values(left_at=now))
    await session.execute(delete(Duty).where(Duty.name == name, Duty.ends_at > now))
    await session.execute(delete(Absence).where(Absence.name == name, Absence.ends_at > now))
    await session.execute(update(Absence).where(Absence.deputy == name, Absence.ends_at > now).values(deputy=None))
