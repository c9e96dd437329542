"""What is decided of an incident: a person confirms, dismisses, opens or ends it; one that is over ends by itself.

Confirmed, its reports wait for the one answer of its lead, and each is told what is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.checking import Body, Moment, check_body
from core.errors import Conflict, Invalid, NotFound
from ticketing.bodies import Short, Supplement, Text
from ticketing.incidents import CONFIRMED, DISMISSED, DRAFT, ENDED, Incident, IncidentReport, lead_of, open_draft
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.staff import SYSTEM, Actor
from ticketing.verbs import handling, linking
from ticketing.verbs.act import Act
from ticketing.visibility import visible

LASTS = timedelta(days=1)
"""What is known is told for so long where nobody says otherwise."""


class Confirm(Body):
    """`lead`: whose answer goes to all (default: the oldest report that is open); `leave_out`: what does not belong."""

    text: Text
    title: Short | None = None
    places: list[Short] = Field(default=[], max_length=50)
    valid_to: Moment | None = None
    lead: Short | None = None
    leave_out: list[Short] = Field(default=[], max_length=500)


class Open(Confirm):
    """By hand, from tickets that a person knows to be one event."""

    tickets: list[Short] = Field(min_length=1, max_length=500)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An incident that a person stands for, with what else the service does for it: a notice, residents told."""

    incident: Incident
    body: Confirm


async def find(session: AsyncSession, actor: Actor, incident_id: int) -> Incident:
    """NotFound unless this actor may see one of its tickets."""
    incident = await session.scalar(select(Incident).where(Incident.id == incident_id, is_visible(actor)))
    if incident is None:
        raise NotFound("there is no such incident: GET /incidents lists those you may see")
    return incident


def is_visible(actor: Actor) -> ColumnElement[bool]:
    """As a condition: one of its tickets is this reader's to see."""
    return Incident.id.in_(
        select(IncidentReport.incident_id).join(Ticket, Ticket.id == IncidentReport.ticket_id).where(visible(actor))
    )


async def open_by_hand(
    session: AsyncSession, office: Office, actor: Actor, raw: Any, now: datetime
) -> Confirmed:
    """An event that a person knows of, from its tickets: confirmed at once."""
    body = check_body(Open, raw)
    reports = [await _ticket(session, actor, number) for number in dict.fromkeys(body.tickets)]
    others = select(IncidentReport).where(IncidentReport.ticket_id.in_([each.id for each in reports]))
    for report in await session.scalars(others.with_for_update()):
        other = await session.get_one(Incident, report.incident_id)
        if other.status == CONFIRMED:
            raise Conflict(f"one of these tickets reports incident {other.id} already: add the others to that one")
        await session.delete(report)
    await session.flush()
    incident = await open_draft(session, reports, body.title or reports[0].title[:60], now)
    return await confirm(session, office, actor, incident, raw | {"tickets": body.tickets}, now, Open)


async def _ticket(session: AsyncSession, actor: Actor, number: str) -> Ticket:
    ticket = await session.scalar(select(Ticket).where(Ticket.number == number, visible(actor)))
    if ticket is None or ticket.kind == "report":
        raise Invalid(f"tickets: there is no ticket {number[:40]}", "tickets")
    return ticket


async def confirm(
    session: AsyncSession, office: Office, actor: Actor, incident: Incident, raw: Any, now: datetime,
    model: type[Confirm] = Confirm,
) -> Confirmed:
    """A person stands for it: its reports wait for one answer, and each is told what is known."""
    body = check_body(model, raw)
    if body.valid_to is not None and body.valid_to <= now:
        raise Invalid("valid_to: this moment is over; leave it out for a day from now", "valid_to")
    await _decide(session, actor, incident, DRAFT, CONFIRMED, None, now)
    await _leave_out(session, incident, body.leave_out)
    lead = await _choose_lead(session, incident, body.lead)
    incident.title, incident.text = body.title or incident.title, body.text
    incident.lead_id, incident.valid_to = lead.id, body.valid_to or now + LASTS
    await session.flush()
    reports = select(IncidentReport.ticket_id).where(IncidentReport.incident_id == incident.id)
    for ticket in (await session.scalars(select(Ticket).where(
            Ticket.id.in_(reports), Ticket.id != lead.id, Ticket.state.in_(OPEN)).order_by(Ticket.id))).all():
        if ticket.lead_id != lead.id:
            await linking.link(Act(session, office, actor, ticket, "link", None, now), lead)
    await handling.progress(Act(session, office, actor, lead, "progress", Supplement(text=body.text), now))
    return Confirmed(incident, body)


async def _leave_out(session: AsyncSession, incident: Incident, numbers: Sequence[str]) -> None:
    for number in numbers:
        ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
        report = await session.get(IncidentReport, ticket.id) if ticket else None
        if report is None or report.incident_id != incident.id:
            raise Invalid(f"leave_out: {number[:40]} is no report of this incident", "leave_out")
        await session.delete(report)
    await session.flush()


async def _choose_lead(session: AsyncSession, incident: Incident, number: str | None) -> Ticket:
    """Named, or the oldest that is open. One that waits for another's answer stands for that one."""
    reports = select(IncidentReport.ticket_id).where(IncidentReport.incident_id == incident.id)
    query = select(Ticket).where(Ticket.id.in_(reports), Ticket.state.in_(OPEN)).order_by(Ticket.id)
    if number is not None:
        query = query.where(Ticket.number == number)
    lead = await session.scalar(query.limit(1))
    if lead is None and number is not None:
        raise Invalid(f"lead: {number[:40]} is no open report of this incident", "lead")
    if lead is None:
        raise Conflict("none of its tickets is open any more: dismiss the draft, its reports were answered")
    return await session.get_one(Ticket, lead.lead_id) if lead.lead_id else lead


async def dismiss(session: AsyncSession, actor: Actor, incident: Incident, reason: str, now: datetime) -> None:
    """It is no event: its tickets stay as they are, and what is like them makes no new draft."""
    await _decide(session, actor, incident, DRAFT, DISMISSED, reason, now)


async def end(session: AsyncSession, actor: Actor, incident: Incident, now: datetime) -> None:
    """It is over: nobody is linked or told any more. The answer to those who are linked is still owed."""
    await _decide(session, actor, incident, CONFIRMED, ENDED, None, now)


async def _decide(
    session: AsyncSession, actor: Actor, incident: Incident, source: str, status: str, reason: str | None, now: datetime
) -> None:
    done = await session.execute(
        update(Incident).where(Incident.id == incident.id, Incident.status == source)
        .values(status=status, decided_by=actor.name, decided_at=now, reason=reason)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(incident)
    if not done.rowcount:  # type: ignore[attr-defined]
        raise Conflict(f"the incident is {incident.status} already: read it again, then decide")
    audit.record(session, now, actor.name, f"incident:{status}", f"incident:{incident.id}", reason)


async def settle(session: AsyncSession, now: datetime) -> list[Incident]:
    """End what is over: the time, or the lead was answered."""
    over = []
    for incident in await session.scalars(select(Incident).where(Incident.status == CONFIRMED)):
        lead = await lead_of(session, incident)
        if lead is None or (incident.valid_to is not None and incident.valid_to <= now):
            await end(session, SYSTEM, incident, now)
            over.append(incident)
        elif incident.lead_id != lead.id:
            incident.lead_id = lead.id
    return over
