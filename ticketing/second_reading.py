"""What is read of a ticket's own words a second time: it goes on the ticket while nobody of the office has it in hand."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, get_args

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import hide
from ticketing import escalation, repeats, roster, search
from ticketing.accused import KINDS, find_accused
from ticketing.bodies import Urgency
from ticketing.lifecycle import State
from ticketing.model import Ticket, Transition
from ticketing.staff import SYSTEM
from ticketing.verbs.act import Act
from ticketing.visibility import about_as_given, about_with_code

if TYPE_CHECKING:
    from ticketing.office import Office

NOT_OF_THE_OFFICE = frozenset({"resident", "assistant", SYSTEM.name})
URGENCIES = get_args(Urgency)
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class SecondReading:
    """`fields` are the ticket's, in clear; `elements` as the ticket keeps them."""

    fields: dict[str, Any]
    elements: list[dict[str, Any]]
    missing: list[str]
    reason: str
    """What the record says of it."""


async def put_right(
    session: AsyncSession, office: "Office", ticket: Ticket, reading: SecondReading, now: datetime
) -> bool:
    """Bring the ticket to what is read now, old values in the record; False where there was nothing to be put right.

    A ticket that somebody of the office has touched is his: he has read the words himself. An alarm is never taken
    back, since people were told to run. Conflict when somebody moves the ticket at this moment.
    """
    act = Act(session, office, SYSTEM, ticket, "amend", None, now)
    await act.hold()
    verbs = await _verbs_while_untouched(session, ticket)
    if verbs is None:
        return False
    before = ticket.urgency
    changes = await _change(session, office, ticket, reading, now)
    missing = ticket.missing if "supplement" in verbs else reading.missing
    if not changes and (ticket.elements, ticket.missing) == (reading.elements, missing):
        return False
    ticket.elements, ticket.missing = reading.elements, missing
    await act.move(reason=reading.reason, changes=changes)
    if ticket.urgency == escalation.EMERGENCY != before:
        await escalation.after_verb(session, office, SYSTEM, ticket, "register", now)
    await repeats.look(session, ticket, now)
    await search.index(session, ticket)
    return True


async def _verbs_while_untouched(session: AsyncSession, ticket: Ticket) -> set[str] | None:
    """What happened to it so far; None when it is in somebody's hands."""
    query = select(Transition.verb, Transition.actor).where(Transition.ticket_id == ticket.id)
    done = (await session.execute(query)).all()
    if ticket.state != State.REGISTERED or any(row.actor not in NOT_OF_THE_OFFICE for row in done):
        return None
    return {row.verb for row in done}


async def _change(
    session: AsyncSession, office: "Office", ticket: Ticket, reading: SecondReading, now: datetime
) -> dict[str, list[object]]:
    """Set what is read otherwise now: `{field: [old, new]}`. What is not read any more stays."""
    fields = {name: value for name, value in reading.fields.items() if value is not None}
    if ticket.urgency == escalation.EMERGENCY:
        fields.pop("kind", None)
    if URGENCIES.index(fields.get("urgency", ticket.urgency)) <= URGENCIES.index(ticket.urgency):
        fields.pop("urgency", None)
    if "place" in fields:
        fields["place"] = await hide(session, ticket.resident_id, fields["place"])
    changes: dict[str, list[object]] = {}
    for name, value in fields.items():
        if getattr(ticket, name) != value:
            changes[name] = [getattr(ticket, name), value]
            setattr(ticket, name, value)
    if ticket.about is None and ticket.kind in KINDS:
        names = [person.name for person in (await roster.load(session, office, now)).people]
        ticket.about = about_with_code(office.preset, find_accused(office.preset, names, ticket.description))
        if ticket.about is not None:
            changes["about"] = [None, about_as_given(ticket.about)]
    return changes
