"""Tickets over the API: register, read, list, and every verb of the lifecycle."""

from typing import Any

from core import conversation as conversations
from core.conversation import Matter
from core.errors import NotFound
from core.queues import Inbox
from service import alarms, danger
from service.api.assistant import ASSISTANT, matter_of
from service.api.endpoint import Call, Endpoint, Result
from service.categories import Sorted
from service.runtime import Runtime
from ticketing import bodies, clock_words, repeats, saved_views, search, similar, tickets, views
from ticketing.lifecycle import VERBS
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.titles import find_title

SUGGESTED_TO = frozenset({"clerk", "officer", "supervisor", "inspector"})
SEES_REPEATS = SUGGESTED_TO | {"auditor"}
REGISTRARS = frozenset({"clerk", "officer", "supervisor", "inspector", "assistant"})


async def register(call: Call) -> Result:
    """A new ticket. For the assistant: of the resident whose matter it named."""
    body = call.body().model_dump(exclude_unset=True, mode="json")
    if subject := await _subject(call):
        body["title"] = body.get("title") or find_title(body["description"], subject)
    known: dict[str, Any] = {}
    if call.conversation is not None:
        known = {
            "resident_id": call.conversation.resident_id,
            "conversation_id": call.conversation.id,
            "channel": call.conversation.address.partition(":")[0],
        }
    if call.prepared is not None:
        known |= {"suggested": call.prepared.category, "judged": call.prepared.urgency}
    ticket = await tickets.register(call.session, call.runtime.office, call.actor, body, call.now, **known)
    if call.matter is not None:
        matter = await _matter_for(call, call.matter)
        matter.ticket_id = ticket.id
        matter.form_open = False
    answer = await _describe(call, ticket)
    answer["code"] = ticket.code
    headers = {"Location": f"/api/v1/tickets/{ticket.number}", "ETag": f'"{ticket.version}"'}
    call.after_commit += ["outbox", "tickets"]
    return Result(answer, 201, headers)


async def raise_alarm(call: Call) -> Result:
    """Danger that the assistant saw: on the ticket of this very danger where it was reported already, else a ticket at once."""
    matter, conversation, body = matter_of(call), call.conversation, call.body()
    assert conversation is not None
    office, text = call.runtime.office, alarms.with_draft(body.text, body.drafted)
    ticket = await alarms.find_alarm(call.session, conversation, body.text, body.place, call.now)
    joined = ticket is not None
    if ticket is not None:
        await alarms.join(call.session, office, conversation, ticket, text, call.now)
    else:
        known = {"suggested": call.prepared.category} if call.prepared is not None else {}
        ticket = await tickets.register(
            call.session, office, call.actor,
            {"kind": "request", "urgency": danger.EMERGENCY, "description": text, "place": body.place,
             "title": find_title(body.text, await _subject(call)), "resident": {"phone": body.phone} if body.phone else {}},
            call.now, resident_id=conversation.resident_id, conversation_id=conversation.id,
            channel=conversation.address.partition(":")[0], **known,
        )
        matter = await _matter_for(call, matter)
        matter.ticket_id = ticket.id
    matter.form_open = False
    call.after_commit += ["outbox", "tickets"]
    promise = await clock_words.promise(call.session, ticket)
    return Result({"number": ticket.number, "joined": joined, "promise": promise}, 200 if joined else 201)


async def sort_alarm(runtime: Runtime, raw: Any) -> Sorted | None:
    """Whose work it is, by the cry alone."""
    text = raw.get("text") if isinstance(raw, dict) else None
    return await runtime.categories.sort(text, "request") if isinstance(text, str) and text else None


async def _subject(call: Call) -> str | None:
    """The subject of the mail that this ticket is made of; a second matter in one mail is named by its own words."""
    if call.message_id is None or call.matter is None or call.matter.ticket_id is not None:
        return None
    row = await call.session.get(Inbox, call.message_id)
    return str(row.facts.get("subject") or "") if row is not None and row.channel == "email" else None


async def _matter_for(call: Call, matter: Matter) -> Matter:
    """A matter has one ticket at most: the second one of a message that told two is a matter of its own."""
    if matter.ticket_id is None or call.conversation is None:
        return matter
    return await conversations.open_matter(call.session, call.conversation, call.now)


async def sort_matter(runtime: Runtime, raw: Any) -> Sorted | None:
    """Where the matter belongs, where nobody said so."""
    if not isinstance(raw, dict) or raw.get("category") is not None:
        return None
    text = _once(*(raw.get(name) for name in ("title", "description", "place")))
    return await runtime.categories.sort(text, str(raw.get("kind"))) if text else None


def _once(*said: object) -> str:
    """Each on a line of its own, but for what another says already: said twice, a school's name would count as the matter."""
    lines = list(dict.fromkeys(part for part in said if isinstance(part, str)))
    return "\n".join(line for line in lines if not any(line in other for other in lines if other != line))


async def read(call: Call) -> Result:
    ticket = await tickets.find_readable(call.session, call.actor, call.params["number"])
    return Result(await _describe(call, ticket), headers={"ETag": f'"{ticket.version}"'})


async def list_tickets(call: Call) -> Result:
    view = call.query.get("view")
    filters = await saved_views.filters_of(call.session, call.actor, view) if view else {}
    filters |= {name: call.query[name] for name in search.FILTERS if name in call.query}
    limit = call.limit()
    found = await search.list_tickets(call.session, call.actor, filters, limit, _cursor(call), call.now)
    items = await views.describe_all(call.session, call.runtime.office, call.actor, found.tickets, call.now)
    return Result({"items": items, "next": found.next})


def _cursor(call: Call) -> str | None:
    after = call.after()
    return None if after is None else str(after)


async def perform(call: Call) -> Result:
    """Any verb: the checks and their order are ticketing's."""
    verb = call.params["verb"]
    if verb not in VERBS:
        raise NotFound(f"there is no verb {verb[:40]}: a ticket's `allowed` lists those that work now")
    actor = call.actor
    if call.matter is not None and verb in bodies.RESIDENT_VERBS:
        actor = Actor("resident", frozenset({"resident"}), None, call.actor.resident_id)
    ticket = await tickets.perform(
        call.session, call.runtime.office, actor, call.params["number"], verb, call.raw_body, call.if_match, call.now
    )
    call.after_commit += ["outbox", "tickets"]
    return Result(await _describe(call, ticket), headers={"ETag": f'"{ticket.version}"'})


async def clocks(call: Call) -> Result:
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    return Result({"items": await clock_words.explain_clocks(call.session, call.runtime.office, ticket, call.now)})


async def list_similar(call: Call) -> Result:
    """Past consultations like this one with their approved replies; nothing is sent by itself."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    call.require(*SUGGESTED_TO)
    items = await similar.find_similar(call.session, call.actor, ticket, min(call.limit(), 20))
    return Result({"items": items, "next": None})


async def list_repeats(call: Call) -> Result:
    """Tickets that are likely about the same matter, of the same person or of others, and what agrees."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    call.require(*SEES_REPEATS)
    items = await repeats.list_repeats(call.session, call.actor, ticket, min(call.limit(), 50))
    return Result({"items": items, "next": None})


async def _describe(call: Call, ticket: Ticket) -> dict[str, object]:
    return await views.describe(call.session, call.runtime.office, call.actor, ticket, call.now)


ENDPOINTS = (
    Endpoint("POST", "/tickets", register, "Register a ticket", bodies.Register, REGISTRARS, "write", status=201,
             before=sort_matter),
    Endpoint("POST", "/alarms", raise_alarm, "Report danger (the assistant)", bodies.Alarm, ASSISTANT, "write", status=201,
             before=sort_alarm),
    Endpoint("GET", "/tickets", list_tickets, "Tickets, newest first", query=(*search.FILTERS, "view", "limit", "after")),
    Endpoint("GET", "/tickets/{number}", read, "One ticket"),
    Endpoint("GET", "/tickets/{number}/clocks", clocks, "A ticket's clocks, explained"),
    Endpoint("GET", "/tickets/{number}/similar", list_similar, "Past consultations like this one", query=("limit",)),
    Endpoint("GET", "/tickets/{number}/repeats", list_repeats, "Tickets that are likely about the same matter, and why",
             query=("limit",)),
    Endpoint("POST", "/tickets/{number}/{verb}", perform, "Do something with a ticket", session="write"),
)
