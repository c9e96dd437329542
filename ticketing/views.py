"""A ticket as the API shows it, for this reader: what he may not know is masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, privacy
from core.attachments import StoredFile
from core.clock import write_time
from core.queues import Outbox, Result, Status
from ticketing import clock_words, letters, visits
from ticketing.clocks import Clock
from ticketing.lifecycle import PLAIN_WORDS, State
from ticketing.model import Draft, Letter, Measure, Reply, Task, Ticket, Transition
from ticketing.offered import allowed_verbs
from ticketing.office import Office
from ticketing.page import Page, read_page
from ticketing.reader import Reader
from ticketing.staff import Actor
from ticketing.visibility import about_as_given, hides_person, reads_state_alone
from ticketing.visits import Visit

TOLD = frozenset({"ask_supplement", "supplement", "decline", "progress", "extend", "withdraw", "urge", "follow_up"})
"""Verbs whose words were said to the resident, or by him: of the others he is shown the step alone."""
INTERNAL = frozenset({"note", "exclude", "raise", "contact", "request_return", "refuse_return", "request_extension",
                      "refuse_extension", "send_back", "link", "unlink", "take_back"})
"""What the office does among itself. The resident does not read of it."""
OUTSIDERS = frozenset({"resident", "assistant", "system"})
OFFICE = "office"
"""How staff are named to a resident."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket before a reader's eyes, with all that was read of it."""

    office: Office
    actor: Actor
    ticket: Ticket
    page: Page
    now: datetime

    @property
    def is_staff(self) -> bool:
        return self.actor.resident_id is None

    @property
    def hidden(self) -> bool:
        """Whether he may not know the person."""
        return hides_person(self.actor, self.ticket)

    @property
    def reader(self) -> Reader:
        return self.page.readers[self.ticket.id]


async def describe(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, now: datetime
) -> dict[str, Any]:
    """Exactly the ticket of interfaces §4. A confidential resident's reading is audited."""
    return (await describe_all(session, office, actor, [ticket], now))[0]


async def describe_all(
    session: AsyncSession, office: Office, actor: Actor, tickets: Sequence[Ticket], now: datetime
) -> list[dict[str, Any]]:
    """A list's tickets, each as it is described alone, in as many queries as one takes."""
    page = await read_page(session, actor, [ticket for ticket in tickets if not reads_state_alone(actor, ticket)])
    found = []
    for ticket in tickets:
        if reads_state_alone(actor, ticket):
            found.append(_describe_state(ticket))
            continue
        seen = Seen(office, actor, ticket, page, now)
        if ticket.confidential and seen.is_staff and not seen.hidden:
            audit.record(session, now, actor.name, "resident:read", f"ticket:{ticket.number}")
        found.append(_describe_case(seen) | _describe_course(seen) | (_describe_desk(seen) if seen.is_staff else _hide_desk()))
    return found


def _describe_case(seen: Seen) -> dict[str, Any]:
    """What the matter is, whose, and where it stands."""
    ticket, reader = seen.ticket, seen.reader
    return {
        "number": ticket.number,
        "kind": ticket.kind,
        "category": ticket.category,
        "title": reader.text(ticket.title),
        "description": reader.text(ticket.description),
        "place": reader.text(ticket.place),
        "happened_at": ticket.happened_at,
        "state": ticket.state,
        "state_text": PLAIN_WORDS[State(ticket.state)],
        "urgency": ticket.urgency,
        "level": ticket.level,
        "confidential": ticket.confidential,
        "about": about_as_given(ticket.about),
        "department": ticket.department,
        "resident": _describe_resident(seen),
        "conversation": ticket.conversation_id,
        "channel": ticket.channel,
        "call_id": ticket.call_id,
        "reply_by": ticket.reply_by,
        "answered_on_call": ticket.answered_on_call if "turn" in (ticket.answered_on_call or {}) else None,
        "registered_at": write_time(ticket.registered_at),
        "registered_by": _named(ticket.registered_by, seen.actor),
        "elements": [_describe_element(item, reader) for item in ticket.elements],
        "missing": ticket.missing,
        "solved": ticket.solved,
        "satisfied": ticket.satisfied,
        "merged_into": _merged_into(seen),
        "known_event": seen.page.known_events.get(ticket.id),
        "version": ticket.version,
    }


def _describe_course(seen: Seen) -> dict[str, Any]:
    """What happened, what is still to come, and what can be done now."""
    ticket, page = seen.ticket, seen.page
    clocks = page.of(Clock, ticket)
    return {
        "allowed": allowed_verbs(seen.office, seen.actor, ticket, page.facts[ticket.id]),
        "clocks": [clock_words.describe(row, seen.now) for row in clocks],
        "promise": clock_words.promise_of(ticket, clocks),
        "transitions": _describe_transitions(seen),
        "replies": [_describe_reply(row, seen) for row in page.of(Reply, ticket) if seen.is_staff or _is_given(row)],
        "visits": [describe_visit(row, ticket, seen.actor, seen.reader) for row in page.of(Visit, ticket)],
        "letters": [_with_times_written(letters.describe(row)) for row in page.of(Letter, ticket)],
        "measures": [_describe_measure(row, seen.reader) for row in page.of(Measure, ticket)],
    }


def _hide_desk() -> dict[str, Any]:
    """What residents see in its place."""
    return {"assignee": None, "asked_first": None, "green_channel": None, "recording": None, "tasks": [],
            "decline_asked": None, "archive": None}


def _describe_desk(seen: Seen) -> dict[str, Any]:
    """What the office keeps to itself. `lead`: the ticket whose answer is this one's; `linked`: those that wait for it."""
    ticket, page = seen.ticket, seen.page
    lead = page.others.get(ticket.lead_id) if ticket.lead_id else None
    return {
        "assignee": ticket.assignee,
        "asked_first": ticket.asked_first,
        "green_channel": ticket.green_channel,
        "recording": None if seen.hidden else ticket.recording,
        "tasks": [describe_task(row, ticket.number, seen.reader) for row in page.of(Task, ticket)],
        "decline_asked": _describe_proposal(ticket, seen.reader),
        "archive": ticket.archive,
        "lead": lead.number if lead else None,
        "linked": list(page.linked.get(ticket.id, ())),
    }


def _merged_into(seen: Seen) -> str | None:
    ticket = seen.ticket
    into = seen.page.others.get(ticket.merged_into_id) if ticket.merged_into_id else None
    if into is not None and not seen.is_staff and into.resident_id != ticket.resident_id:
        return None  # Residents do not learn of each other.
    return into.number if into else None


def _describe_proposal(ticket: Ticket, reader: Reader) -> dict[str, Any] | None:
    asked = ticket.decline_asked
    return asked and {**asked, "reason": reader.text(asked["reason"]), "where_to": reader.text(asked["where_to"])}


def _describe_element(item: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """An element beside the words it came from; who may not know the person sees neither name nor number."""
    evidence = item.get("evidence")
    shown = {**evidence, "text": reader.text(evidence.get("text"))} if evidence else None
    return {**item, "value": reader.text(item.get("value")), "evidence": shown}


def _describe_state(ticket: Ticket) -> dict[str, Any]:
    """What who registered a report about staff keeps of it."""
    return {
        "number": ticket.number, "kind": ticket.kind, "state": ticket.state,
        "state_text": PLAIN_WORDS[State(ticket.state)], "version": ticket.version, "allowed": [],
    }


def _describe_resident(seen: Seen) -> dict[str, Any]:
    """The assistant, too, acts for a resident without his name and numbers: whatever reaches Rasa stays in its trackers."""
    resident = seen.page.residents[seen.ticket.resident_id]
    name, phone, email = resident.name, resident.phone, resident.email
    if seen.reader.hidden:
        name = privacy.mask_name(name) if name else name
        phone = f"{phone[:3]}****{phone[-4:]}" if phone else phone
        email = privacy.mask(email) if email else email
    described: dict[str, Any] = {
        "id": resident.id, "kind": resident.kind, "name": name, "phone": phone, "email": email,
        "address": seen.page.addresses.get(seen.ticket.id),
    }
    if seen.ticket.on_behalf_of and not seen.reader.hidden:
        described["on_behalf_of"] = seen.ticket.on_behalf_of
    return described


def _describe_transitions(seen: Seen) -> list[dict[str, Any]]:
    found = []
    for row in seen.page.of(Transition, seen.ticket):
        item: dict[str, Any] = {
            "seq": row.seq, "verb": row.verb, "from_state": row.from_state, "to_state": row.to_state,
            "actor": row.actor, "at": write_time(row.at), "reason": seen.reader.text(row.reason),
        }
        if row.changes:
            item["changes"] = row.changes
        if seen.is_staff:
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


def _for_resident(item: dict[str, Any]) -> dict[str, Any]:
    """A step as the resident may read it: no member of staff by name, and no word that was not meant for him."""
    shown = {name: value for name, value in item.items() if name != "changes"}
    shown["actor"] = _outside(item["actor"])
    shown["reason"] = item["reason"] if item["verb"] in TOLD else None
    return shown


def _is_given(reply: Reply) -> bool:
    """A resident sees only what was approved, and not taken back."""
    return reply.approved_at is not None and reply.withdrawn_at is None


def _describe_reply(row: Reply, seen: Seen) -> dict[str, Any]:
    files = seen.page.files
    return {
        "id": row.id,
        "text": seen.reader.text(row.text),
        "action_taken": seen.reader.text(row.action_taken) if seen.is_staff else None,
        "findings": row.findings,
        "submitted_by": _named(row.submitted_by, seen.actor),
        "approved_at": write_time(row.approved_at),
        "approved_by": _named(row.approved_by, seen.actor),
        "delivered_at": write_time(row.delivered_at),
        "withdrawn_at": write_time(row.withdrawn_at),
        "attachments": [_describe_file(files[item["id"]]) for item in row.attachments if item["id"] in files],
        "deliveries": [_for_reader(item, seen) for item in _describe_deliveries(row, seen)],
    }


def _describe_file(row: StoredFile) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "type": row.type, "size": row.size}


def _for_reader(delivery: dict[str, Any], seen: Seen) -> dict[str, Any]:
    """Why an attempt failed is the office's business: a gateway's words, a clerk's note of a call."""
    return delivery if seen.is_staff else delivery | {"error": None}


def _describe_deliveries(reply: Reply, seen: Seen) -> list[dict[str, Any]]:
    found = [
        {
            "step": row.step, "channel": row.channel, "status": _delivery_status(row),
            "at": write_time(row.opened_at or row.sent_at or row.created_at), "platform_id": row.platform_id,
            "error": row.last_error,
        }
        for row in seen.page.sent.get(reply.id, ()) if row.ticket_id == seen.ticket.id
    ]
    if reply.call_turn is not None:
        found.append({"step": "call", "channel": "phone", "status": "delivered",
                      "at": write_time(reply.delivered_at), "platform_id": f"turn:{reply.call_turn}", "error": None})
    return found + [
        {
            "step": "call_back", "channel": "phone",
            "status": "delivered" if call.reached else "waiting",
            "at": write_time(call.done_at or call.opened_at), "platform_id": f"call-back:{call.id}",
            "error": call.note if call.attempts and not call.reached else None,
        }
        for call in seen.page.calls.get(reply.id, ())
    ]


def _delivery_status(row: Outbox) -> str:
    if row.status != Status.DONE:
        return "waiting"
    if row.result == Result.SENT:
        return "delivered"
    if row.result == Result.ANNOUNCED:
        return "delivered" if row.opened_at else "announced"
    return "failed"


def _with_times_written(item: dict[str, Any]) -> dict[str, Any]:
    return {name: write_time(value) if name.endswith("_at") else value for name, value in item.items()}


def describe_visit(visit: Visit, ticket: Ticket, actor: Actor, reader: Reader) -> dict[str, Any]:
    """A visit for this reader, times written out. Residents read the worker's number, staff his name too."""
    found = visits.describe(visit, ticket, actor.resident_id is None, reader.resolve)
    if found["price"]:
        found["price"]["answered_at"] = write_time(found["price"]["answered_at"])
    return _with_times_written(found)


def _describe_measure(row: Measure, reader: Reader) -> dict[str, Any]:
    return {
        "id": row.id, "what": reader.text(row.what), "owner": row.owner, "due_on": row.due_on.isoformat(),
        "fulfilled_at": write_time(row.fulfilled_at),
    }


def describe_task(row: Task, number: str, reader: Reader) -> dict[str, Any]:
    return {
        "id": row.id, "ticket": number, "department": row.department, "kind": row.kind,
        "status": "done" if row.answered_at else "open", "text": reader.text(row.text),
        "due_at": write_time(row.due_at), "answer": reader.text(row.answer),
        "answered_at": write_time(row.answered_at),
    }


def describe_draft(draft: Draft | None, reader: Reader) -> dict[str, Any]:
    """Version 0 where nobody has saved one."""
    if draft is None:
        return {"version": 0, "findings": None, "action_taken": "", "reply": "", "measures": [], "saved_by": None,
                "saved_at": None}
    return {
        "version": draft.version, "findings": draft.findings, "action_taken": reader.text(draft.action_taken),
        "reply": reader.text(draft.reply),
        "measures": [item | {"what": reader.text(item["what"])} for item in draft.measures],
        "saved_by": draft.saved_by, "saved_at": write_time(draft.saved_at),
    }
