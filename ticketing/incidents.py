"""One event that many people report, as the service sees it by itself: a burst by place and matter becomes a draft.

A draft only shows; nobody is linked or told before a person has confirmed it (`incident_desk`). From then on who reports
the same is linked to its lead and told what is known, until the lead is answered or the time is over.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.orm.attributes import flag_modified

from core import places
from core.db import UTC, Base, Id
from ticketing import escalation, roster, staff_notices
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket, Transition
from ticketing.office import Office
from ticketing.repeats import Repeat, TicketRepeat
from ticketing.staff import SYSTEM
from ticketing.texts import say
from ticketing.verbs import linking
from ticketing.verbs.act import Act

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
    incident = await open_draft(session, reports, first.title[:60], now)
    await _tell_staff(session, office, first, say("draft_incident", count=len(reports), title=incident.title), now)
    return incident


async def open_draft(session: AsyncSession, reports: Sequence[Ticket], title: str, now: datetime) -> Incident:
    """A draft of the event that these tickets report: what and where by what most of them say."""
    incident = Incident(
        status=DRAFT, title=title, category=_most_common([each.category for each in reports]),
        place=_place_of(reports), opened_at=now, last_at=max(each.registered_at for each in reports),
    )
    session.add(incident)
    await session.flush()
    session.add_all(IncidentReport(ticket_id=number, incident_id=incident.id) for number in {each.id for each in reports})
    await session.flush()
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


async def any_confirmed(session: AsyncSession) -> bool:
    return await session.scalar(select(Incident.id).where(Incident.status == CONFIRMED).limit(1)) is not None
