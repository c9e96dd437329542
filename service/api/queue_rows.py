"""Inbox and outbox over the API: what arrived, what went out, and what waits for a person."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Select, false, or_, select
from sqlalchemy.orm import aliased

from core import audit, privacy, queues
from core.clock import write_time
from core.errors import Conflict, NotFound
from core.queues import Inbox, Outbox
from service.api.conversations import confidential_among, may_see_person
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing.bodies import Nothing
from ticketing.model import Ticket
from ticketing.staff import Actor

READERS = frozenset({"clerk", "administrator", "auditor", "inspector"})
WORKERS = ("clerk", "administrator", "inspector")
INBOX_FILTERS = ("status", "channel", "account", "external_id", "conversation")
OUTBOX_FILTERS = ("status", "channel", "account", "conversation", "ticket")

Query = TypeVar("Query", bound=Select[*tuple[Any, ...]])


def _describe_inbox(row: Inbox) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "account": row.account,
        "external_id": row.external_id,
        "sender": row.sender,
        "text": row.text,
        "event": row.event,
        "attachments": row.attachments,
        "in_reply_to": row.in_reply_to,
        "received_at": write_time(row.received_at),
        "status": row.status,
        "attempts": row.attempts,
        "scheduled_at": write_time(row.scheduled_at),
        "claimed_by": row.claimed_by,
        "claimed_until": write_time(row.claimed_until),
        "last_error": row.last_error,
        "conversation": row.conversation_id,
        "created_at": write_time(row.created_at),
    }


def describe_outbox(row: Outbox, number: str | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "channel": row.channel,
        "account": row.account,
        "recipient": row.recipient,
        "text": row.text,
        "choices": row.choices,
        "in_reply_to": row.in_reply_to,
        "origin": row.origin,
        "step": row.step,
        "status": row.status,
        "result": row.result,
        "platform_id": row.platform_id,
        "sent_at": write_time(row.sent_at),
        "opened_at": write_time(row.opened_at),
        "attempts": row.attempts,
        "scheduled_at": write_time(row.scheduled_at),
        "last_error": row.last_error,
        "conversation": row.conversation_id,
        "ticket": number,
        "created_at": write_time(row.created_at),
    }


def visible(actor: Actor, table: Any) -> Any:
    """The rows this actor may know of: what belongs to a report is there for inspectors only."""
    case = aliased(Ticket)  # The list joins tickets itself.
    of_report = select(case.id).where(case.conversation_id == table.conversation_id, case.kind == "report")
    reported: Any = of_report.exists()
    if table is Outbox:
        of_ticket = select(case.id).where(case.id == Outbox.ticket_id, case.kind == "report")
        reported = or_(reported, of_ticket.exists())
    seen = [reported] if "inspector" in actor.roles else []
    if actor.roles & (READERS - {"inspector"}):
        seen.append(~reported)
    return or_(false(), *seen)


async def _hidden(call: Call, rows: Any) -> set[int]:
    """Conversations among these rows whose confidential resident this caller may not know."""
    confidential = await confidential_among(call.session, (row.conversation_id for row in rows))
    return {found for found in confidential if not may_see_person(call.session, call.actor, found, call.now)}


def _masked(described: dict[str, Any], hidden: set[int], end: str) -> dict[str, Any]:
    """The row with address and text masked, where its resident is hidden."""
    if described["conversation"] in hidden:
        described |= {end: "****", "text": privacy.mask(described["text"] or "")}
    return described


async def list_inbox(call: Call) -> Result:
    limit = call.limit()
    query = select(Inbox).where(visible(call.actor, Inbox))
    columns = {
        "status": Inbox.status, "channel": Inbox.channel, "account": Inbox.account,
        "external_id": Inbox.external_id,
    }
    rows, more = cut((await call.session.scalars(_narrow(call, query, Inbox, columns).limit(limit + 1))).all(), limit)
    hidden = await _hidden(call, rows)
    return page([_masked(_describe_inbox(row), hidden, "sender") for row in rows], rows[-1].id if rows else None, more)


async def list_outbox(call: Call) -> Result:
    limit = call.limit()
    query = (
        select(Outbox, Ticket.number)
        .outerjoin(Ticket, Ticket.id == Outbox.ticket_id)
        .where(visible(call.actor, Outbox))
    )
    columns = {"status": Outbox.status, "channel": Outbox.channel, "account": Outbox.account,
               "ticket": Ticket.number}
    rows, more = cut((await call.session.execute(_narrow(call, query, Outbox, columns).limit(limit + 1))).all(), limit)
    hidden = await _hidden(call, (row for row, _ in rows))
    items = [_masked(describe_outbox(row, number), hidden, "recipient") for row, number in rows]
    return page(items, rows[-1][0].id if rows else None, more)


def _narrow(call: Call, query: Query, table: Any, columns: Mapping[str, Any]) -> Query:
    """What the caller asked for, the newest first, from where his last page ended."""
    for name, column in columns.items():
        if name in call.query:
            query = query.where(column == call.query[name])
    if "conversation" in call.query:
        query = query.where(table.conversation_id == _identity(call.query["conversation"]))
    after = call.after()
    if after is not None:
        query = query.where(table.id < after)
    return query.order_by(table.id.desc())


def _identity(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


async def replay_inbox(call: Call) -> Result:
    """Put a message that was set aside back to work."""
    row_id = call.number("id")
    if await call.session.scalar(select(Inbox.id).where(Inbox.id == row_id, visible(call.actor, Inbox))) is None:
        raise NotFound("there is no such message: GET /inbox lists them")
    call.require(*WORKERS)
    call.body()
    await _replay(call, Inbox, row_id, "inbox")
    return Result(_describe_inbox(await call.session.get_one(Inbox, row_id, populate_existing=True)))


async def retry_outbox(call: Call) -> Result:
    row_id = call.number("id")
    if await call.session.scalar(select(Outbox.id).where(Outbox.id == row_id, visible(call.actor, Outbox))) is None:
        raise NotFound("there is no such message: GET /outbox lists them")
    call.require(*WORKERS)
    call.body()
    await _replay(call, Outbox, row_id, "outbox")
    return Result(describe_outbox(await call.session.get_one(Outbox, row_id, populate_existing=True), None))


async def _replay(call: Call, table: queues.Queue, row_id: int, name: str) -> None:
    if not await queues.replay(call.session, table, row_id, call.now):
        raise Conflict("only a message that was set aside can be tried again")
    audit.record(call.session, call.now, call.actor.name, f"{name}:replay", f"{name}:{row_id}")
    call.after_commit.append(name)


ENDPOINTS = (
    Endpoint("GET", "/inbox", list_inbox, "Messages that arrived", roles=READERS,
             query=(*INBOX_FILTERS, "limit", "after"), tag="queues"),
    Endpoint("GET", "/outbox", list_outbox, "Messages that went out", roles=READERS,
             query=(*OUTBOX_FILTERS, "limit", "after"), tag="queues"),
    Endpoint("POST", "/inbox/{id}/replay", replay_inbox, "Try a message that was set aside again", Nothing,
             session="write", tag="queues"),
    Endpoint("POST", "/outbox/{id}/retry", retry_outbox, "Try an outgoing message that was set aside again", Nothing,
             session="write", tag="queues"),
)
