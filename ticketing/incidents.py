"""One event that many people report: a burst by place and matter becomes a draft, a person confirms it, one answer ends it.

A draft only shows; nobody is linked or told before a clerk has confirmed it. From then on who reports the same is linked
to its lead and told what is known, until the lead is answered or the time is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, ForeignKey, Index, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import flag_modified

from core import audit, places
from core.checking import Body, Moment, check_body
from core.db import UTC, Base, Id
from core.errors import Conflict, Invalid, NotFound
from ticketing import escalation, roster, staff_notices
from ticketing.bodies import Short, Supplement, Text
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket, Transition
from ticketing.office import Office
from ticketing.repeats import Repeat, TicketRepeat
from ticketing.staff import SYSTEM, Actor
from ticketing.texts import say
from ticketing.verbs import handling, linking
from ticketing.verbs.act import Act
from ticketing.visibility import visible

BURST = timedelta(days=7)
"""Reports of one event come within this time of each other."""
PEOPLE = 3
"""So many different people make a burst."""
BELONGS, JOINS = 0.15, 0.3
"""The share from which three make a burst, chosen on a year of petitions; and from which one more belongs to it."""
SURELY, SURELY_OF_FEW = 0.45, 0.7
"""From here on somebody is linked and told without a person looking first: the mean of the three likeliest reports of
the event, so that one that happens to sound alike decides nothing; or of fewer, where there are no more."""
LIKELIEST = 3
LASTS = timedelta(days=1)
"""What is known is told for so long where nobody says otherwise."""
DRAFT, CONFIRMED, DISMISSED, ENDED = "draft", "confirmed", "dismissed", "ended"
STATUSES = (DRAFT, CONFIRMED, DISMISSED, ENDED)


class Incident(Base):
    """An event, from draft to end. `text` is what residents are told of it."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_status", "status", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    status: Mapped[str]
    """draft·confirmed·dismissed·ended"""
    title: Mapped[str]
    category: Mapped[str | None]
    place: Mapped[str]
    """As staff read it; empty where the reports name none in common."""
    text: Mapped[str | None]
    lead_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"))
    notice_id: Mapped[int | None] = mapped_column(Id)
    """The notice that says the same to whoever asks."""
    opened_at: Mapped[datetime] = mapped_column(UTC)
    last_at: Mapped[datetime] = mapped_column(UTC)
    """The moment of the newest report."""
    valid_to: Mapped[datetime | None] = mapped_column(UTC)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None] = mapped_column(UTC)
    reason: Mapped[str | None]
    """Why it was dismissed or ended."""


class IncidentReport(Base):
    """A ticket that reports an event; a ticket reports one."""

    __tablename__ = "incident_report"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incident.id"), index=True)


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


# Found


async def gather(
    session: AsyncSession, office: Office, ticket: Ticket, found: Sequence[Repeat], now: datetime
) -> Incident | None:
    """The event this ticket reports: one that is known, or a new draft where enough people report the same."""
    known = await session.get(IncidentReport, ticket.id)
    near = [each for each in found if _is_report(each.ticket, now) and each.likeness.share >= BELONGS]
    if known is not None or not _is_report(ticket, now) or not near:
        return await session.get(Incident, known.incident_id) if known else None
    incident = await _known_by(session, [each for each in near if each.likeness.share >= JOINS])
    if incident is not None:
        session.add(IncidentReport(ticket_id=ticket.id, incident_id=incident.id))
        incident.last_at = max(incident.last_at, ticket.registered_at)
        await session.flush()
        return incident
    around = await _around(session, near, now)
    if len({ticket.resident_id, *(each.resident_id for each in around)}) < PEOPLE or not _are_many(near, ticket, around):
        return None
    return await _draft(session, office, [*around, ticket], now)


def _is_report(ticket: Ticket, now: datetime) -> bool:
    """A confidential ticket is nobody's report, and an old one none of this event."""
    return (not ticket.confidential and ticket.state not in ("withdrawn", "declined", "merged")
            and ticket.registered_at >= now - BURST)


def _are_many(near: Sequence[Repeat], ticket: Ticket, around: Sequence[Ticket]) -> bool:
    """Whether they are different people: one person behind several addresses is one."""
    persons = {each.ticket.id: each.person for each in near}
    return len({persons.get(each.id, each.resident_id) for each in around} | {ticket.resident_id}) >= PEOPLE


async def _known_by(session: AsyncSession, near: Sequence[Repeat]) -> Incident | None:
    """The event that the likeliest of these report and that is not over; a dismissed one takes what is like it too."""
    rows = await session.execute(
        select(IncidentReport.ticket_id, Incident).join(Incident, Incident.id == IncidentReport.incident_id)
        .where(IncidentReport.ticket_id.in_([each.ticket.id for each in near]), Incident.status != ENDED)
    )
    incidents = {ticket_id: incident for ticket_id, incident in rows.all()}
    return next((incidents[each.ticket.id] for each in near if each.ticket.id in incidents), None)


async def _around(session: AsyncSession, near: Sequence[Repeat], now: datetime) -> list[Ticket]:
    """Those near the ticket, and those that were found near to one of them, which report no event yet."""
    ids = [each.ticket.id for each in near]
    query = select(TicketRepeat.ticket_id, TicketRepeat.other_id).where(
        TicketRepeat.ticket_id.in_(ids) | TicketRepeat.other_id.in_(ids), TicketRepeat.share >= 100 * BELONGS
    )
    more = {number for row in (await session.execute(query)).all() for number in row} - set(ids)
    others = (await session.scalars(select(Ticket).where(Ticket.id.in_(more)))).all() if more else []
    around = [each.ticket for each in near] + [each for each in others if _is_report(each, now)]
    reported = select(IncidentReport.ticket_id).where(IncidentReport.ticket_id.in_([each.id for each in around]))
    taken = set(await session.scalars(reported))
    return [each for each in around if each.id not in taken]


async def _draft(session: AsyncSession, office: Office, reports: Sequence[Ticket], now: datetime) -> Incident:
    first = min(reports, key=lambda each: each.id)
    incident = Incident(
        status=DRAFT, title=first.title[:60], category=_most_common([each.category for each in reports]),
        place=_place_of(reports), opened_at=now, last_at=max(each.registered_at for each in reports),
    )
    session.add(incident)
    await session.flush()
    session.add_all(IncidentReport(ticket_id=number, incident_id=incident.id) for number in {each.id for each in reports})
    await session.flush()
    await _tell_staff(session, office, first, say("draft_incident", count=len(reports), title=incident.title), now)
    return incident


def _most_common(values: Sequence[str | None]) -> str | None:
    return max(values, key=values.count)


def _place_of(reports: Sequence[Ticket]) -> str:
    """What at least half of them name."""
    read = [places.read(each.place, each.title, each.description[:150]) for each in reports]
    return places.common(read).label()


async def _tell_staff(session: AsyncSession, office: Office, ticket: Ticket, text: str, now: datetime) -> None:
    here = await roster.load(session, office, now)
    people = escalation.find_all(here, ticket, ("clerk", "supervisor"))
    await staff_notices.note(session, escalation.describe(office, here, ticket, people, text, now, pressing=True))


# Known already


async def join_at_intake(
    session: AsyncSession, ticket: Ticket, found: Sequence[Repeat], now: datetime
) -> Incident | None:
    """At registration: surely the same as a confirmed event. The link stands in the first transition."""
    incident, lead = await _known_event(session, ticket, found, now)
    if incident is None or lead is None:
        return None
    await _report(session, ticket, incident)
    ticket.lead_id = lead.id
    first = await session.scalar(select(Transition).where(Transition.ticket_id == ticket.id, Transition.seq == 1))
    if first is not None:
        first.changes = {"linked": [None, lead.number]}
        flag_modified(first, "changes")
    await session.flush()
    return incident


async def join_later(
    session: AsyncSession, office: Office, ticket: Ticket, found: Sequence[Repeat], now: datetime
) -> Incident | None:
    """By the second look: linked, and told so in a word of its own."""
    incident, lead = await _known_event(session, ticket, found, now)
    if incident is None or lead is None or ticket.lead_id is not None or ticket.id == lead.id or ticket.state not in OPEN:
        return None
    await _report(session, ticket, incident)
    act = Act(session, office, SYSTEM, ticket, "link", None, now)
    await linking.link(act, lead)
    await act.tell("progress", "progress", text=say("known_event", text=incident.text))
    return incident


async def _report(session: AsyncSession, ticket: Ticket, incident: Incident) -> None:
    report = await session.get(IncidentReport, ticket.id) or IncidentReport(ticket_id=ticket.id)
    report.incident_id = incident.id
    session.add(report)
    incident.last_at = max(incident.last_at, ticket.registered_at)


async def _known_event(
    session: AsyncSession, ticket: Ticket, found: Sequence[Repeat], now: datetime
) -> tuple[Incident | None, Ticket | None]:
    if not found or not _is_report(ticket, now):
        return None, None
    incident = await _known_by(session, [each for each in found if _is_report(each.ticket, now)])
    if incident is None or incident.status != CONFIRMED or (incident.valid_to and incident.valid_to <= now):
        return None, None
    reports = set(await session.scalars(
        select(IncidentReport.ticket_id).where(IncidentReport.incident_id == incident.id,
                                               IncidentReport.ticket_id != ticket.id)))
    shares = sorted((each.likeness.share for each in found if each.ticket.id in reports), reverse=True)[:LIKELIEST]
    asked = min(LIKELIEST, len(reports))
    if sum(shares) / asked < (SURELY if asked == LIKELIEST else SURELY_OF_FEW):
        return None, None
    return incident, await lead_of(session, incident)


async def lead_of(session: AsyncSession, incident: Incident) -> Ticket | None:
    """The ticket whose answer goes to all, while it is open; it may have been handed on since."""
    lead = await session.get(Ticket, incident.lead_id) if incident.lead_id else None
    if lead is not None and lead.lead_id is not None:
        lead = await session.get(Ticket, lead.lead_id)
    if lead is None or lead.state in ("withdrawn", "declined", "merged"):
        lead = await session.scalar(_leads(incident).limit(1))
    return lead if lead is not None and lead.state in OPEN else None


def _leads(incident: Incident) -> Any:
    reports = select(IncidentReport.ticket_id).where(IncidentReport.incident_id == incident.id)
    return select(Ticket).where(Ticket.id.in_(reports), Ticket.lead_id.is_(None), Ticket.state.in_(OPEN)).order_by(Ticket.id)


async def known_texts(session: AsyncSession, tickets: Sequence[Ticket]) -> dict[int, str]:
    """What whoever reported a known event is told with his number, by the ticket's id; nothing where it is over."""
    waiting = [ticket.id for ticket in tickets if ticket.lead_id is not None]
    if not waiting:
        return {}
    query = select(IncidentReport.ticket_id, Incident.text).join(
        Incident, Incident.id == IncidentReport.incident_id
    ).where(IncidentReport.ticket_id.in_(waiting), Incident.status == CONFIRMED)
    return {ticket_id: say("known_event", text=text) for ticket_id, text in await session.execute(query) if text}


# Decided


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
    incident = Incident(
        status=DRAFT, title=body.title or reports[0].title[:60], category=_most_common([each.category for each in reports]),
        place=_place_of(reports), opened_at=now, last_at=max(each.registered_at for each in reports),
    )
    session.add(incident)
    await session.flush()
    session.add_all(IncidentReport(ticket_id=each.id, incident_id=incident.id) for each in reports)
    await session.flush()
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


async def any_confirmed(session: AsyncSession) -> bool:
    return await session.scalar(select(Incident.id).where(Incident.status == CONFIRMED).limit(1)) is not None


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
