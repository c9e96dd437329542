"""The draft of a ticket's reply, shared by all who work on it: each saving is a version of its own, none is lost."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import write_time
from core.conversation import hide
from core.errors import Conflict, Stale
from ticketing import record
from ticketing.bodies import SaveDraft, Submit
from ticketing.lifecycle import OPEN
from ticketing.model import Draft, Ticket
from ticketing.staff import Actor

WRITERS = frozenset({"clerk", "officer", "supervisor"})
FIELDS = ("findings", "action_taken", "reply", "measures")


async def find(session: AsyncSession, ticket: Ticket, version: int | None = None) -> Draft | None:
    """The newest version, or the one that is named; None where there is none."""
    query = select(Draft).where(Draft.ticket_id == ticket.id)
    if version is not None:
        query = query.where(Draft.version == version)
    found: Draft | None = await session.scalar(query.order_by(Draft.version.desc()).limit(1))
    return found


async def list_versions(session: AsyncSession, ticket: Ticket, limit: int) -> list[Draft]:
    """The newest first."""
    query = select(Draft).where(Draft.ticket_id == ticket.id).order_by(Draft.version.desc()).limit(limit)
    return list(await session.scalars(query))


async def save(
    session: AsyncSession, actor: Actor, ticket: Ticket, body: SaveDraft | Submit, read: int | None, now: datetime
) -> Draft:
    """Another version, made of what the caller wrote.

    `read`: the version he had before him (0: none). Stale when it is not the newest any more; without it his is put on
    top. What stands in the newest version already is not saved again. Conflict when nothing is left to be drafted.
    """
    # Two who save at one moment get two versions, one after the other.
    await record.lock(session, ticket)
    if ticket.state not in OPEN:
        raise Conflict(f"the ticket is {ticket.state}: there is no reply to be drafted, redo it first")
    newest = await find(session, ticket)
    at = newest.version if newest else 0
    if read is not None and read != at:
        raise Stale(
            f"the draft is at version {at} now: read it, and join what you wrote with it",
            await _changed_since(session, ticket, read),
        )
    wanted = await _written(session, ticket, body)
    if newest is not None and wanted == _fields_of(newest):
        return newest
    draft = Draft(ticket_id=ticket.id, version=at + 1, saved_by=actor.name, saved_at=now, **wanted)
    session.add(draft)
    await session.flush()
    return draft


def _fields_of(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in FIELDS}


async def _written(session: AsyncSession, ticket: Ticket, body: SaveDraft | Submit) -> dict[str, Any]:
    """The fields as they are stored: the resident's personal data as tokens."""
    measures = [item.model_dump(mode="json") for item in body.measures]
    for item in measures:
        item["what"] = await hide(session, ticket.resident_id, item["what"])
    return {
        "findings": body.findings,
        "action_taken": await hide(session, ticket.resident_id, body.action_taken),
        "reply": await hide(session, ticket.resident_id, body.reply),
        "measures": measures,
    }


async def _changed_since(session: AsyncSession, ticket: Ticket, read: int) -> list[dict[str, Any]]:
    """Who saved which version meanwhile, and which fields it changed."""
    query = select(Draft).where(Draft.ticket_id == ticket.id, Draft.version >= read).order_by(Draft.version)
    rows = list(await session.scalars(query))
    before: dict[str, Any] = {"findings": None, "action_taken": "", "reply": "", "measures": []}
    if rows and rows[0].version == read:
        before = _fields_of(rows.pop(0))
    changed = []
    for row in rows:
        fields = [name for name, value in _fields_of(row).items() if value != before[name]]
        changed.append({"version": row.version, "actor": row.saved_by, "at": write_time(row.saved_at),
                        "fields": fields})
        before = _fields_of(row)
    return changed
