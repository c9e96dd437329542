"""Letters at the desk: who may read one, and that the resident came and took it, which delivers what it says."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.errors import Conflict, Forbidden, NotFound
from ticketing import callbacks, letters
from ticketing.delivery import open_callback
from ticketing.letters import Sheet
from ticketing.model import Callback, Letter, Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.visibility import find_with_ticket, hides_person, roles_on

HAND_OVER = callbacks.CALLERS


async def read(
    session: AsyncSession, office: Office, actor: Actor, letter_id: int, now: datetime
) -> tuple[Letter, Ticket, Sheet]:
    """The letter, its ticket and what it says to this reader. Reading a confidential resident's is audited."""
    letter, ticket = await find_visible(session, actor, letter_id)
    hidden = hides_person(actor, ticket)
    if ticket.confidential and not hidden and actor.resident_id is None:
        audit.record(session, now, actor.name, "resident:read", f"ticket:{ticket.number}")
    return letter, ticket, await letters.lay_out(session, office, letter, hidden)


async def find_visible(session: AsyncSession, actor: Actor, letter_id: int) -> tuple[Letter, Ticket]:
    """The letter and its ticket, when this actor may know of it."""
    found = await find_with_ticket(session, actor, Letter, letter_id)
    if found is None:
        raise NotFound("there is no such letter: GET /letters lists those you may see")
    return found


async def collect(
    session: AsyncSession, office: Office, actor: Actor, letter_id: int, read_note: Callable[[], str], now: datetime
) -> tuple[Letter, Ticket]:
    """The resident holds it in his hand: logged, and the call-back that waited for him is done with it.

    An answer that was on its way by other means counts as delivered too: nothing reaches more surely.
    """
    letter, ticket = await find_visible(session, actor, letter_id)
    if not roles_on(actor, ticket) & HAND_OVER:
        raise Forbidden("a letter is handed over by a clerk or an officer")
    note = read_note()
    if letter.void_at is not None:
        raise Conflict("this letter is void: hand over the one that took its place")
    if letter.collected_at is not None:
        raise Conflict("this letter was collected already")
    # Whether it lies here still is asked in the same statement: two members of staff may have read it before.
    if not await letters.mark_collected(session, actor, ticket, note, now, Letter.id == letter.id):
        raise Conflict("this letter was collected at this moment: read it again")
    await session.refresh(letter)
    audit.record(session, now, actor.name, "letter:collected", f"letter:{letter.number}")
    call = await _call_for(session, office, letter, ticket, now)
    if call is not None:
        body = {"reached": True, "outcome": "collected", "note": note}
        await callbacks.done(session, office, actor, call.id, body, now)
    return letter, ticket


async def _call_for(
    session: AsyncSession, office: Office, letter: Letter, ticket: Ticket, now: datetime
) -> Callback | None:
    """The open call-back for what the letter says; for a reply that has none, one that says how it arrived."""
    if letter.reply_id is not None:
        return await open_callback(session, office, ticket, letter.reply_id, letter.text, now)
    return await session.scalar(
        select(Callback).where(
            Callback.ticket_id == ticket.id, Callback.reply_id.is_(None), Callback.reason == "delivery",
            Callback.done_at.is_(None),
        )
    )
