"""Quick work over the API: canned replies, saved views, and one verb on many tickets."""

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import select

from core import audit
from core.checking import Body
from core.clock import write_time
from core.errors import HuiyinError, Invalid
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import bulk, canned_replies, saved_views, tickets
from ticketing.bodies import Short
from ticketing.canned_replies import CannedReply
from ticketing.saved_views import BUILT_IN, SavedView

STAFF = frozenset({"clerk", "officer", "supervisor", "inspector"})
READERS = STAFF | {"editor", "auditor", "administrator"}
WRITERS = frozenset({"supervisor", "editor", "administrator"})


class NewCannedReply(Body):
    title: Annotated[str, Field(min_length=1, max_length=100)]
    purpose: Literal["reply", "progress", "decline", "note"] = "reply"
    text: Annotated[str, Field(min_length=1, max_length=5000)]
    category: Short | None = None
    department: Short | None = None


class NewView(Body):
    name: Annotated[str, Field(min_length=1, max_length=50)]
    filters: dict[str, Short]
    shared: bool = False


class BulkTicket(Body):
    number: Short
    version: Annotated[int, Field(ge=1, lt=1 << 31)] | None = None
    """As it was seen where it was chosen; a ticket that changed since is left alone."""


class Bulk(Body):
    tickets: Annotated[list[BulkTicket], Field(min_length=1, max_length=bulk.MOST)]
    verb: Short
    body: dict[str, Any] = {}
    dry_run: bool = False


async def list_canned(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(CannedReply).order_by(CannedReply.id.desc()).limit(limit + 1)
    for name in ("purpose", "category", "department"):
        if name in call.query:
            query = query.where(getattr(CannedReply, name) == call.query[name])
    if after is not None:
        query = query.where(CannedReply.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page([_describe(row) for row in rows], rows[-1].id if rows else None, more)


def _describe(row: CannedReply) -> dict[str, Any]:
    names = ("id", "title", "purpose", "text", "category", "department", "version", "changed_by")
    return {name: getattr(row, name) for name in names} | {"changed_at": write_time(row.changed_at)}


async def add_canned(call: Call) -> Result:
    row = CannedReply(**_checked(call), version=1, changed_by=call.actor.name, changed_at=call.now)
    call.session.add(row)
    await call.session.flush()
    audit.record(call.session, call.now, call.actor.name, "canned_reply:add", f"canned_reply:{row.id}")
    return Result(_describe(row), 201, {"ETag": '"1"'})


def _checked(call: Call) -> dict[str, Any]:
    body = call.body()
    canned_replies.check_text(body.text)
    canned_replies.check_place(call.runtime.office, body.category, body.department)
    return dict(body.model_dump())


async def change_canned(call: Call) -> Result:
    row = await canned_replies.find(call.session, call.number("id"))
    row = await canned_replies.change(call.session, row, _checked(call), call.if_match, call.actor.name, call.now)
    audit.record(call.session, call.now, call.actor.name, "canned_reply:change", f"canned_reply:{row.id}")
    return Result(_describe(row), headers={"ETag": f'"{row.version}"'})


async def remove_canned(call: Call) -> Result:
    row = await canned_replies.find(call.session, call.number("id"))
    await call.session.delete(row)
    audit.record(call.session, call.now, call.actor.name, "canned_reply:remove", f"canned_reply:{row.id}")
    return Result(None, 204)


async def list_filled(call: Call) -> Result:
    """What serves this ticket, filled in from it, the nearest first."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    items = []
    for row in await canned_replies.list_for(call.session, ticket, call.limit()):
        filled = await canned_replies.fill(call.session, call.runtime.office, call.actor, ticket, row, call.now)
        items.append(_describe(row) | {"text": filled.text, "missing": list(filled.missing)})
    return Result({"items": items, "next": None})


async def list_views(call: Call) -> Result:
    """Those that every console has, then one's own and the shared ones."""
    built_in = [
        {"id": key, "name": name, "filters": filters, "shared": True, "owner": None}
        for key, (name, filters) in BUILT_IN.items()
    ]
    kept = [_describe_view(view) for view in await saved_views.list_of(call.session, call.actor)]
    return Result({"items": [*built_in, *kept], "next": None})


def _describe_view(view: SavedView) -> dict[str, Any]:
    return {"id": view.id, "name": view.name, "filters": view.filters, "shared": view.shared, "owner": view.owner}


async def add_view(call: Call) -> Result:
    body = call.body()
    view = await saved_views.add(call.session, call.actor, body.name, body.filters, body.shared, call.now)
    return Result(_describe_view(view), 201)


async def remove_view(call: Call) -> Result:
    """One's own; a shared one also by a supervisor."""
    await saved_views.remove(call.session, call.actor, call.number("id"))
    return Result(None, 204)


async def perform_on_many(call: Call) -> Result:
    """Each ticket by itself; `dry_run` says what would happen and changes nothing."""
    body = call.body()
    wanted = [bulk.Wanted(each.number, each.version) for each in body.tickets]
    outcomes = await bulk.perform_all(
        call.session, call.runtime.office, call.actor, wanted, body.verb, body.body, call.now, dry_run=body.dry_run
    )
    if not body.dry_run:
        call.after_commit += ["outbox", "tickets"]
    failed = sum(outcome.error is not None for outcome in outcomes)
    items = [
        {"number": each.number, "ok": each.error is None, "state": each.state, "version": each.version,
         "error": _describe_error(each.error)}
        for each in outcomes
    ]
    return Result({"dry_run": body.dry_run, "done": len(items) - failed, "failed": failed, "items": items})


def _describe_error(error: HuiyinError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    field = {"field": error.field} if isinstance(error, Invalid) and error.field else {}
    return {"status": error.status, "title": error.title, "detail": error.detail} | field


_TAG = "quick work"
ENDPOINTS = (
    Endpoint("GET", "/canned-replies", list_canned, "Canned replies, newest first", roles=READERS,
             query=("purpose", "category", "department", "limit", "after"), tag=_TAG),
    Endpoint("POST", "/canned-replies", add_canned, "A canned reply", NewCannedReply, WRITERS, "write", status=201,
             tag=_TAG),
    Endpoint("PUT", "/canned-replies/{id}", change_canned, "A new wording", NewCannedReply, WRITERS, "write", tag=_TAG),
    Endpoint("DELETE", "/canned-replies/{id}", remove_canned, "Remove a canned reply", roles=WRITERS, session="write",
             status=204, tag=_TAG),
    Endpoint("GET", "/tickets/{number}/canned-replies", list_filled, "Canned replies for this ticket, filled in",
             roles=STAFF, query=("limit",), tag=_TAG),
    Endpoint("GET", "/views", list_views, "Lists of tickets under a name", roles=READERS, tag=_TAG),
    Endpoint("POST", "/views", add_view, "Keep a list under a name", NewView, READERS, "write", status=201, tag=_TAG),
    Endpoint("DELETE", "/views/{id}", remove_view, "Remove a view", roles=READERS, session="write", status=204,
             tag=_TAG),
    Endpoint("POST", "/tickets/bulk", perform_on_many, "One verb on many tickets, or a trial of it", Bulk, STAFF,
             "write", tag=_TAG),
)
