"""A reply while it is written: the draft that officers share, and what it promises."""

from core import audit, clock
from core.errors import Forbidden, Invalid, NotFound
from service.api.endpoint import Call, Endpoint, Result
from ticketing import bodies, drafts, joint, promises, tickets
from ticketing.model import Draft, Ticket
from ticketing.reader import reader_of
from ticketing.views import describe_draft
from ticketing.visibility import hides_person, roles_on


async def read(call: Call) -> Result:
    """The newest version, or the one named by `version`; version 0 while nobody saved one.

    `answers` are those of the other departments, `merged` the reply with the joint ones below it.
    """
    ticket = await _find(call)
    version = call.query.get("version")
    if version is not None and (not version.isascii() or not version.isdecimal() or len(version) > 9):
        raise Invalid("version is a number: the ETag of what was saved", "version")
    draft = await drafts.find(call.session, ticket, None if version is None else int(version))
    if draft is None and version is not None:
        raise NotFound("there is no such version of the draft: leave it out to read the newest")
    return await _show(call, ticket, draft)


async def save(call: Call) -> Result:
    """Another version. `If-Match` names the version that was read; versions before it stay readable."""
    ticket = await _find(call)
    draft = await drafts.save(call.session, call.actor, ticket, call.body(), call.if_match, call.now)
    return await _show(call, ticket, draft)


async def list_promises(call: Call) -> Result:
    """What a draft reply promises for a day, to be entered as `measures` of its submit; nothing is kept."""
    ticket = await _find(call)
    hours = call.runtime.office.calendars.of_letters(ticket.department)
    found = promises.find_promises(call.body().reply, clock.local(call.now).date(), hours)
    items = [{"what": item.what, "due_on": item.due_on.isoformat(), "quote": item.quote} for item in found]
    return Result({"items": items, "next": None})


async def _find(call: Call) -> Ticket:
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    if not roles_on(call.actor, ticket) & drafts.WRITERS:
        raise Forbidden("replies are drafted by a clerk, an officer or a supervisor")
    return ticket


async def _show(call: Call, ticket: Ticket, draft: Draft | None) -> Result:
    hidden = hides_person(call.actor, ticket)
    if ticket.confidential and not hidden:
        audit.record(call.session, call.now, call.actor.name, "resident:read", f"ticket:{ticket.number}")
    reader = await reader_of(call.session, ticket, hidden)
    described = describe_draft(draft, reader)
    described["answers"] = await joint.list_answers(call.session, call.runtime.office, ticket, reader)
    described["merged"] = joint.merge_answers(described["reply"], described["answers"])
    return Result(described, headers={"ETag": f'"{described["version"]}"'})


ENDPOINTS = (
    Endpoint("GET", "/tickets/{number}/draft", read, "The shared draft of the reply", query=("version",)),
    Endpoint("PUT", "/tickets/{number}/draft", save, "Save a version of the draft", bodies.SaveDraft, session="write"),
    Endpoint("POST", "/tickets/{number}/promises", list_promises, "The dated promises of a draft reply",
             bodies.DraftReply),
)
