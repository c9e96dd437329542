"""A ticket as the API shows it, for this reader: what he may not know is masked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, privacy
from core.attachments import files_of
from core.conversation import Conversation, Resident, ResidentAddress, reveal
from core.queues import Outbox, Result, Status
from ticketing import incidents, letters, sla, visits
from ticketing.lifecycle import PLAIN_WORDS, State
from ticketing.model import Callback, Draft, Measure, Reply, Task, Ticket, Transition
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.tickets import allowed_verbs, find_facts
from ticketing.visibility import about_as_given, hides_person, reads_state_alone, visible
from ticketing.visits import Visit

TOLD = frozenset({"ask_supplement", "supplement", "decline", "progress", "extend", "withdraw", "urge", "follow_up"})
"""Verbs whose words were said to the resident, or by him: of the others he is shown the step alone."""
INTERNAL = frozenset({"note", "exclude", "raise", "contact", "request_return", "refuse_return", "request_extension",
                      "refuse_extension", "send_back", "link", "unlink", "take_back"})
"""What the office does among itself. The resident does not read of it."""
OUTSIDERS = frozenset({"resident", "assistant", "system"})
OFFICE = "office"
"""How staff are named to a resident."""

ASSISTANT = "assistant"
Row = TypeVar("Row")


def write_time(moment: datetime | None) -> str | None:
    """RFC 3339 with the office's offset."""
    return clock.local(moment).isoformat(timespec="milliseconds") if moment else None


class Reader:
    """Resolves a resident's tokens for one reader, or leaves them where the person is hidden."""

    def __init__(self, session: AsyncSession, ticket: Ticket, hidden: bool) -> None:
        self._session, self._ticket, self.hidden = session, ticket, hidden
        said = (item.get("value") for item in ticket.elements if item.get("name") == "person")
        self._name = next((name for name in said if name and len(name) > 1), None)
        """Who called says his name in the words of the call too."""

    async def text(self, text: str | None) -> str | None:
        if text is None:
            return text
        if self.hidden:
            return text.replace(self._name, privacy.mask_name(self._name)) if self._name else text
        return await reveal(self._session, self._ticket.resident_id, text)


async def describe(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, now: datetime
) -> dict[str, Any]:
    """Exactly the ticket of interfaces §4. A confidential resident's reading is audited."""
    if reads_state_alone(actor, ticket):
        return _describe_state(ticket)
    hidden = hides_person(actor, ticket)
    if ticket.confidential and not hidden and actor.resident_id is None:
        audit.record(session, now, actor.name, "resident:read", f"ticket:{ticket.number}")
    # What the assistant reads it says through Rasa, which keeps tokens alone: they are resolved on the way out.
    reader = Reader(session, ticket, hidden or ASSISTANT in actor.roles)
    into = await session.get(Ticket, ticket.merged_into_id) if ticket.merged_into_id else None
    if into is not None and actor.resident_id is not None and into.resident_id != ticket.resident_id:
        into = None  # Residents do not learn of each other.
    return {
        "number": ticket.number,
        "kind": ticket.kind,
        "category": ticket.category,
        "title": await reader.text(ticket.title),
        "description": await reader.text(ticket.description),
        "place": await reader.text(ticket.place),
        "happened_at": ticket.happened_at,
        "state": ticket.state,
        "state_text": PLAIN_WORDS[State(ticket.state)],
        "urgency": ticket.urgency,
        "confidential": ticket.confidential,
        "about": about_as_given(ticket.about),
        "department": ticket.department,
        "assignee": ticket.assignee if actor.resident_id is None else None,
        "asked_first": None if actor.resident_id is not None else ticket.asked_first,
        "green_channel": ticket.green_channel if actor.resident_id is None else None,
        "resident": await _describe_resident(session, ticket, hidden),
        "conversation": ticket.conversation_id,
        "channel": ticket.channel,
        "call_id": ticket.call_id,
        "reply_by": ticket.reply_by,
        "answered_on_call": ticket.answered_on_call if "turn" in (ticket.answered_on_call or {}) else None,
        "recording": None if hidden or actor.resident_id is not None else ticket.recording,
        "registered_at": write_time(ticket.registered_at),
        "registered_by": _named(ticket.registered_by, actor),
        "allowed": allowed_verbs(office, actor, ticket, await find_facts(session, ticket)),
        "clocks": await sla.describe_clocks(session, ticket, now),
        "promise": await sla.promise(session, office, ticket),
        "transitions": await _describe_transitions(session, ticket, reader, actor),
        "level": ticket.level,
        "replies": await _describe_replies(session, ticket, reader, actor),
        "visits": await _describe_visits(session, ticket, actor, hidden),
        "letters": await _describe_letters(session, ticket),
        "measures": await _describe_measures(session, ticket, reader),
        "tasks": await _describe_tasks(session, ticket, reader) if actor.resident_id is None else [],
        "elements": [await _describe_element(item, reader) for item in ticket.elements],
        "missing": ticket.missing,
        "decline_asked": await _describe_proposal(ticket, reader) if actor.resident_id is None else None,
        "archive": ticket.archive if actor.resident_id is None else None,
        "solved": ticket.solved,
        "satisfied": ticket.satisfied,
        "merged_into": into.number if into else None,
        "known_event": await incidents.known_text(session, ticket),
        **(await _describe_links(session, ticket, actor) if actor.resident_id is None else {}),
        "version": ticket.version,
    }


async def _describe_links(session: AsyncSession, ticket: Ticket, actor: Actor) -> dict[str, Any]:
    """`lead`: the ticket whose answer is this one's; `linked`: those that wait for this one's."""
    lead = await session.get(Ticket, ticket.lead_id) if ticket.lead_id else None
    query = select(Ticket.number).where(Ticket.lead_id == ticket.id, visible(actor)).order_by(Ticket.id)
    return {"lead": lead.number if lead else None, "linked": list((await session.scalars(query)).all())}


async def _describe_proposal(ticket: Ticket, reader: Reader) -> dict[str, Any] | None:
    asked = ticket.decline_asked
    return asked and {**asked, "reason": await reader.text(asked["reason"]), "where_to": await reader.text(asked["where_to"])}


async def _describe_element(item: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """An element beside the words it came from; who may not know the person sees neither name nor number."""
    evidence = item.get("evidence")
    shown = {**evidence, "text": await reader.text(evidence.get("text"))} if evidence else None
    return {**item, "value": await reader.text(item.get("value")), "evidence": shown}


def _describe_state(ticket: Ticket) -> dict[str, Any]:
    """What who registered a report about staff keeps of it."""
    return {
        "number": ticket.number, "kind": ticket.kind, "state": ticket.state,
        "state_text": PLAIN_WORDS[State(ticket.state)], "version": ticket.version, "allowed": [],
    }


async def _all(session: AsyncSession, table: type[Row], ticket: Ticket) -> Sequence[Row]:
    query = select(table).where(table.ticket_id == ticket.id).order_by(table.id)  # type: ignore[attr-defined]
    return (await session.scalars(query)).all()


async def _describe_resident(session: AsyncSession, ticket: Ticket, hidden: bool) -> dict[str, Any]:
    resident = await session.get_one(Resident, ticket.resident_id)
    name, phone, email = resident.name, resident.phone, resident.email
    address: str | None = None
    if hidden:
        name = privacy.mask_name(name) if name else name
        phone = f"{phone[:3]}****{phone[-4:]}" if phone else phone
        email = privacy.mask(email) if email else email
    elif ticket.conversation_id is not None:
        address = (await session.get_one(Conversation, ticket.conversation_id)).address
    else:
        known = select(ResidentAddress).where(ResidentAddress.resident_id == resident.id).limit(1)
        row = await session.scalar(known)
        address = f"{row.channel}:{row.value}" if row else None
    described: dict[str, Any] = {
        "id": resident.id, "kind": resident.kind, "name": name, "phone": phone, "email": email,
        "address": address,
    }
    if resident.on_behalf_of and not hidden:
        described["on_behalf_of"] = resident.on_behalf_of
    return described


async def _describe_transitions(
    session: AsyncSession, ticket: Ticket, reader: Reader, actor: Actor
) -> list[dict[str, Any]]:
    found = []
    for row in await _all(session, Transition, ticket):
        item: dict[str, Any] = {
            "seq": row.seq, "verb": row.verb, "from_state": row.from_state, "to_state": row.to_state,
            "actor": row.actor, "at": write_time(row.at), "reason": await reader.text(row.reason),
        }
        if row.changes:
            item["changes"] = row.changes
        if actor.resident_id is None:
            found.append(item)
        elif row.verb not in INTERNAL and not is_proposed(row):
            found.append(_for_resident(item))
    return found


def is_proposed(row: Transition) -> bool:
    """A refusal that waited for its countersignature: nobody outside reads what may not come."""
    return row.verb == "decline" and row.from_state == row.to_state


def _outside(name: str) -> str:
    """A member of staff is the office to those outside it."""
    return name if name in OUTSIDERS else OFFICE


def _named(name: str | None, actor: Actor) -> str | None:
    return name if name is None or actor.resident_id is None else _outside(name)


def _for_reader(deliveries: list[dict[str, Any]], actor: Actor) -> list[dict[str, Any]]:
    """Why an attempt failed is the office's business: a gateway's words, a clerk's note of a call."""
    if actor.resident_id is None:
        return deliveries
    return [item | {"error": None} for item in deliveries]


def _for_resident(item: dict[str, Any]) -> dict[str, Any]:
    """A step as the resident may read it: no member of staff by name, and no word that was not meant for him."""
    shown = {name: value for name, value in item.items() if name != "changes"}
    shown["actor"] = _outside(item["actor"])
    shown["reason"] = item["reason"] if item["verb"] in TOLD else None
    return shown


async def _describe_files(session: AsyncSession, reply: Reply) -> list[dict[str, Any]]:
    found = await files_of(session, [item["id"] for item in reply.attachments])
    return [{"id": row.id, "name": row.name, "type": row.type, "size": row.size} for row in found.values()]


async def _describe_replies(
    session: AsyncSession, ticket: Ticket, reader: Reader, actor: Actor
) -> list[dict[str, Any]]:
    """Replies with their deliveries; a resident sees only what was approved."""
    found = []
    for row in await _all(session, Reply, ticket):
        if actor.resident_id is not None and (row.approved_at is None or row.withdrawn_at is not None):
            continue
        found.append(
            {
                "id": row.id,
                "text": await reader.text(row.text),
                "action_taken": await reader.text(row.action_taken) if actor.resident_id is None else None,
                "findings": row.findings,
                "submitted_by": _named(row.submitted_by, actor),
                "approved_at": write_time(row.approved_at),
                "approved_by": _named(row.approved_by, actor),
                "delivered_at": write_time(row.delivered_at),
                "withdrawn_at": write_time(row.withdrawn_at),
                "attachments": await _describe_files(session, row),
                "deliveries": _for_reader(await _describe_deliveries(session, ticket, row), actor),
            }
        )
    return found


async def _describe_deliveries(session: AsyncSession, ticket: Ticket, reply: Reply) -> list[dict[str, Any]]:
    rows = await session.scalars(
        select(Outbox).where(Outbox.reply_id == reply.id, Outbox.ticket_id == ticket.id).order_by(Outbox.id)
    )
    found = [
        {
            "step": row.step, "channel": row.channel, "status": _delivery_status(row),
            "at": write_time(row.opened_at or row.sent_at or row.created_at), "platform_id": row.platform_id,
            "error": row.last_error,
        }
        for row in rows
    ]
    if reply.call_turn is not None:
        found.append({"step": "call", "channel": "phone", "status": "delivered",
                      "at": write_time(reply.delivered_at), "platform_id": f"turn:{reply.call_turn}", "error": None})
    calls = await session.scalars(select(Callback).where(Callback.reply_id == reply.id).order_by(Callback.id))
    found += [
        {
            "step": "call_back", "channel": "phone",
            "status": "delivered" if call.reached else "waiting",
            "at": write_time(call.done_at or call.opened_at), "platform_id": f"call-back:{call.id}",
            "error": call.note if call.attempts and not call.reached else None,
        }
        for call in calls
    ]
    return found


def _delivery_status(row: Outbox) -> str:
    if row.status != Status.DONE:
        return "waiting"
    if row.result == Result.SENT:
        return "delivered"
    if row.result == Result.ANNOUNCED:
        return "delivered" if row.opened_at else "announced"
    return "failed"


async def _describe_letters(session: AsyncSession, ticket: Ticket) -> list[dict[str, Any]]:
    found = [letters.describe(row) for row in await letters.of_ticket(session, ticket)]
    return [{k: write_time(v) if k.endswith("_at") else v for k, v in item.items()} for item in found]


async def _describe_visits(session: AsyncSession, ticket: Ticket, actor: Actor, hidden: bool) -> list[dict[str, Any]]:
    rows = await visits.of_ticket(session, ticket)
    return [await describe_visit(session, row, ticket, actor, hidden) for row in rows]


async def describe_visit(
    session: AsyncSession, visit: Visit, ticket: Ticket, actor: Actor, hidden: bool
) -> dict[str, Any]:
    """A visit for this reader, times written out. Residents read the worker's number, staff his name too."""
    # The assistant reads tokens: they are resolved on the way out.
    hidden = hidden or ASSISTANT in actor.roles
    found = await visits.describe(session, visit, ticket, actor.resident_id is None, hidden)
    if found["price"]:
        found["price"]["answered_at"] = write_time(found["price"]["answered_at"])
    return {k: write_time(v) if k.endswith("_at") else v for k, v in found.items()}


async def _describe_measures(session: AsyncSession, ticket: Ticket, reader: Reader) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "what": await reader.text(row.what), "owner": row.owner, "due_on": row.due_on.isoformat(),
         "fulfilled_at": write_time(row.fulfilled_at)}
        for row in await _all(session, Measure, ticket)
    ]


async def _describe_tasks(session: AsyncSession, ticket: Ticket, reader: Reader) -> list[dict[str, Any]]:
    return [await describe_task(row, ticket.number, reader) for row in await _all(session, Task, ticket)]


async def describe_task(row: Task, number: str, reader: Reader) -> dict[str, Any]:
    return {
        "id": row.id, "ticket": number, "department": row.department, "kind": row.kind,
        "status": "done" if row.answered_at else "open", "text": await reader.text(row.text),
        "due_at": write_time(row.due_at), "answer": await reader.text(row.answer),
        "answered_at": write_time(row.answered_at),
    }


async def describe_draft(draft: Draft | None, reader: Reader) -> dict[str, Any]:
    """Version 0 where nobody has saved one."""
    if draft is None:
        return {"version": 0, "findings": None, "action_taken": "", "reply": "", "measures": [], "saved_by": None,
                "saved_at": None}
    return {
        "version": draft.version, "findings": draft.findings, "action_taken": await reader.text(draft.action_taken),
        "reply": await reader.text(draft.reply),
        "measures": [item | {"what": await reader.text(item["what"])} for item in draft.measures],
        "saved_by": draft.saved_by, "saved_at": write_time(draft.saved_at),
    }
