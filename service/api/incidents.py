"""Incidents over the API: what many people report at once, confirmed or dismissed by a person; and the hot spots."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from core.checking import check_body
from core.clock import write_time
from core.errors import Invalid
from service import incident_watch
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import bodies, hotspots, incident_desk
from ticketing.incidents import CONFIRMED, STATUSES, Incident, IncidentReport
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.visibility import visible

READERS = frozenset({"clerk", "officer", "supervisor", "auditor"})
DECIDERS = frozenset({"clerk", "supervisor"})
SHOWN = 200
"""Numbers of tickets that are listed of one incident; `reports` counts all."""


async def list_incidents(call: Call) -> Result:
    limit, after, status = call.limit(), call.after(), call.query.get("status")
    query = select(Incident).where(incident_desk.is_visible(call.actor)).order_by(Incident.id.desc()).limit(limit + 1)
    if status is not None:
        if status not in STATUSES:
            raise Invalid(f"status is one of {', '.join(STATUSES)}", "status")
        query = query.where(Incident.status == status)
    if after is not None:
        query = query.where(Incident.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page([await describe(call, row) for row in rows], rows[-1].id if rows else None, more)


async def read(call: Call) -> Result:
    return Result(await describe(call, await incident_desk.find(call.session, call.actor, call.number("id"))))


async def open_by_hand(call: Call) -> Result:
    call.body()
    confirmed = await incident_desk.open_by_hand(call.session, call.runtime.office, call.actor, call.raw_body, call.now)
    return await _stand_for(call, confirmed, 201)


async def confirm(call: Call) -> Result:
    incident = await incident_desk.find(call.session, call.actor, call.number("id"))
    call.require(*DECIDERS)
    call.body()
    confirmed = await incident_desk.confirm(
        call.session, call.runtime.office, call.actor, incident, call.raw_body, call.now
    )
    return await _stand_for(call, confirmed, 200)


async def _stand_for(call: Call, confirmed: incident_desk.Confirmed, status: int) -> Result:
    await incident_watch.put_up(call.runtime, call.session, confirmed, call.actor.name, call.now)
    call.after_commit += ["outbox", "tickets"]
    return Result(await describe(call, confirmed.incident), status)


async def dismiss(call: Call) -> Result:
    incident = await incident_desk.find(call.session, call.actor, call.number("id"))
    call.require(*DECIDERS)
    body = check_body(bodies.Reason, call.raw_body)
    await incident_desk.dismiss(call.session, call.actor, incident, body.reason, call.now)
    return Result(await describe(call, incident))


async def end(call: Call) -> Result:
    incident = await incident_desk.find(call.session, call.actor, call.number("id"))
    call.require(*DECIDERS)
    await incident_desk.end(call.session, call.actor, incident, call.now)
    await incident_watch.take_down(call.session, incident, call.actor.name, call.now)
    return Result(await describe(call, incident))


async def describe(call: Call, row: Incident) -> dict[str, Any]:
    """An incident for this reader: the tickets he may see, the oldest first."""
    return await describe_for(call.session, call.actor, row)


async def describe_for(session: Any, actor: Actor, row: Incident) -> dict[str, Any]:
    reports = select(IncidentReport.ticket_id).where(IncidentReport.incident_id == row.id)
    found = (await session.scalars(
        select(Ticket).where(Ticket.id.in_(reports), visible(actor)).order_by(Ticket.id).limit(SHOWN))).all()
    lead = await session.get(Ticket, row.lead_id) if row.lead_id else None
    people = await session.scalar(
        select(func.count(func.distinct(Ticket.resident_id))).where(Ticket.id.in_(reports), visible(actor)))
    return {
        "id": row.id, "status": row.status, "title": row.title, "category": row.category, "place": row.place,
        "text": row.text, "lead": lead.number if lead else None, "people": people,
        "tickets": [
            {"number": each.number, "title": each.title, "place": each.place, "state": each.state,
             "registered_at": write_time(each.registered_at),
             "linked": lead is not None and lead.id in (each.id, each.lead_id)}
            for each in found
        ],
        "opened_at": write_time(row.opened_at), "last_at": write_time(row.last_at),
        "valid_to": write_time(row.valid_to), "notice": row.notice_id if row.status == CONFIRMED else None,
        "decided_by": row.decided_by, "decided_at": write_time(row.decided_at), "reason": row.reason,
    }


async def list_hot_spots(call: Call) -> Result:
    """Places and categories with the most tickets of a period, beside the period of the same length before it."""
    start, end_ = read_period(call.query.get("from"), call.query.get("to"), call.now)
    items = await hotspots.count(call.session, call.actor, start, end_, call.limit())
    return Result({"items": items, "next": None, "from": write_time(start), "to": write_time(end_)})


def read_period(start: str | None, end_: str | None, now: datetime) -> tuple[datetime, datetime]:
    """RFC 3339 moments; without them the last thirty days."""
    to = _moment("to", end_) if end_ else now
    since = _moment("from", start) if start else to - timedelta(days=30)
    if since >= to:
        raise Invalid("from lies before to", "from")
    if to - since > timedelta(days=366):
        raise Invalid("from: a year at most; ask for a shorter period", "from")
    return since, to


def _moment(name: str, text: str) -> datetime:
    # A plus in an address that was not written as %2B arrives as a space.
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 2000 <= moment.year < 2200:
        raise Invalid(f"{name} is a moment with its offset, such as 2026-11-25T00:00:00+08:00", name)
    return moment


ENDPOINTS = (
    Endpoint("GET", "/incidents", list_incidents, "Events that many people report, newest first", roles=READERS,
             query=("status", "limit", "after")),
    Endpoint("POST", "/incidents", open_by_hand, "Open an incident from tickets, confirmed at once", incident_desk.Open,
             DECIDERS, "write", status=201),
    Endpoint("GET", "/incidents/{id}", read, "One incident", roles=READERS),
    Endpoint("POST", "/incidents/{id}/confirm", confirm, "Stand for a draft: one answer, and what is known is told",
             incident_desk.Confirm, READERS, "write"),
    Endpoint("POST", "/incidents/{id}/dismiss", dismiss, "A draft is no event", bodies.Reason, READERS, "write"),
    Endpoint("POST", "/incidents/{id}/end", end, "It is over: nobody is told any more", bodies.Nothing, READERS, "write"),
    Endpoint("GET", "/hot-spots", list_hot_spots, "Places and categories with the most tickets", roles=READERS,
             query=("from", "to", "limit")),
)
