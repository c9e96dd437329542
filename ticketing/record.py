"""A move of a ticket: one conditional update, one row of the record, the clocks, the audit, in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import write_time
from core.conversation import hide
from core.errors import Conflict, Stale
from ticketing import sla
from ticketing.model import Ticket, Transition
from ticketing.office import Office
from ticketing.staff import Actor

CHANGES_AT_MOST = 50
"""Who reads a ticket so old learns the rest by reading it again."""


async def move(
    session: AsyncSession,
    office: Office,
    actor: Actor,
    ticket: Ticket,
    verb: str,
    now: datetime,
    *,
    to: str | None = None,
    reason: str | None = None,
    changes: dict[str, Any] | None = None,
    if_match: int | None = None,
) -> None:
    """Record a verb; `to` None leaves the state.

    When the ticket was moved meanwhile nothing is kept: Stale for a caller who named a version, else Conflict.
    """
    source, seen = ticket.state, ticket.version
    await session.flush()
    done = await session.execute(
        update(Ticket)
        .where(Ticket.id == ticket.id, Ticket.state == source, Ticket.version == seen)
        .values(state=to or source, version=seen + 1, moved_at=now)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise await _lost(session, actor, ticket.id, seen if if_match is None else if_match, if_match is not None)
    await session.refresh(ticket, ["state", "version", "moved_at"])
    await add_transition(session, actor, ticket, verb, source, now, reason, changes)
    await sla.on_verb(session, office, ticket, verb, now)


async def _lost(
    session: AsyncSession, actor: Actor, ticket_id: int, read: int, has_named_version: bool
) -> Stale | Conflict:
    """The race was lost: say what the ticket is now."""
    query = select(Ticket.state, Ticket.version).where(Ticket.id == ticket_id)
    state, version = (await session.execute(query)).one()
    detail = (
        f"somebody else moved the ticket at this moment: it is {state} at version {version} now; "
        "read it again, then decide"
    )
    return Stale(detail, await find_changes(session, actor, ticket_id, read)) if has_named_version else Conflict(detail)


async def lock(session: AsyncSession, ticket: Ticket) -> None:
    """Until the transaction ends nobody else moves the ticket, saves a draft of its reply or gives a task of it.

    The ticket is read anew: it may have been moved since.
    """
    await session.flush()
    await session.refresh(ticket, ["state", "version", "moved_at"], with_for_update=True)


async def hold(session: AsyncSession, actor: Actor, ticket: Ticket, if_match: int | None) -> None:
    """As lock, for a verb that looks at more than the ticket's own row before it moves it: as found, or not at all."""
    seen = ticket.version
    await lock(session, ticket)
    if ticket.version != seen:
        raise await _lost(session, actor, ticket.id, seen if if_match is None else if_match, if_match is not None)


async def find_changes(session: AsyncSession, actor: Actor, ticket_id: int, since: int) -> list[dict[str, Any]]:
    """What was done after this version: `{seq, verb, actor, at, state, fields}`, oldest first.

    The names of fields, not their values: those are read with the ticket. Nothing for a resident, who writes without
    naming a version and reads nothing of who works on his ticket.
    """
    if actor.resident_id is not None:
        return []
    query = select(Transition).where(Transition.ticket_id == ticket_id, Transition.seq > since)
    rows = await session.scalars(query.order_by(Transition.seq).limit(CHANGES_AT_MOST))
    return [
        {"seq": row.seq, "verb": row.verb, "actor": row.actor, "at": write_time(row.at), "state": row.to_state,
         "fields": sorted({*(row.changes or {}), *(("state",) if row.from_state != row.to_state else ())})}
        for row in rows
    ]


async def add_transition(
    session: AsyncSession,
    actor: Actor,
    ticket: Ticket,
    verb: str,
    source: str | None,
    now: datetime,
    reason: str | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """The row of the record and its audit row; `seq` is the version it made."""
    session.add(
        Transition(
            ticket_id=ticket.id,
            seq=ticket.version,
            verb=verb,
            from_state=source,
            to_state=ticket.state,
            actor=actor.name,
            at=now,
            reason=await hide(session, ticket.resident_id, reason, only_known=True) if reason else None,
            changes=changes,
        )
    )
    audit.record(session, now, actor.name, f"ticket:{verb}", f"ticket:{ticket.number}")
    await session.flush()
