"""A move of a ticket: one conditional update, one row of the record, the clocks, the audit, in one transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.conversation import hide
from core.errors import Conflict, Stale
from ticketing import sla
from ticketing.model import Ticket, Transition
from ticketing.office import Office
from ticketing.staff import Actor


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
        raise await _lost(session, ticket.id, if_match)
    await session.refresh(ticket, ["state", "version", "moved_at"])
    await add_transition(session, actor, ticket, verb, source, now, reason, changes)
    await sla.on_verb(session, office, ticket, verb, now)


async def _lost(session: AsyncSession, ticket_id: int, if_match: int | None) -> Stale | Conflict:
    """The race was lost: say what the ticket is now."""
    query = select(Ticket.state, Ticket.version).where(Ticket.id == ticket_id)
    state, version = (await session.execute(query)).one()
    detail = (
        f"somebody else moved the ticket at this moment: it is {state} at version {version} now; "
        "read it again, then decide"
    )
    return Conflict(detail) if if_match is None else Stale(detail)


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
