"""What hangs on the tickets of a page: each table is read once for all of them, whatever their number."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.attachments import StoredFile, files_of
from core.conversation import Conversation, Resident, ResidentAddress
from core.queues import Outbox
from ticketing import incidents
from ticketing.clocks import Clock
from ticketing.model import Callback, Letter, Measure, Reply, Task, Ticket, Transition
from ticketing.offered import Facts, find_facts
from ticketing.reader import Reader, keeps_tokens, readers_of
from ticketing.staff import Actor
from ticketing.visibility import visible
from ticketing.visits import Visit

OF_TICKET: tuple[type[Any], ...] = (Transition, Clock, Reply, Visit, Letter, Measure, Task)
"""Tables whose rows belong to one ticket each, and are shown oldest first."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """All that is read of some tickets for one reader. What belongs to a ticket or a reply is found by its id."""

    rows: Mapping[type[Any], Mapping[int, Sequence[Any]]]
    sent: Mapping[int, Sequence[Outbox]]
    """By the reply."""
    calls: Mapping[int, Sequence[Callback]]
    """By the reply."""
    files: Mapping[int, StoredFile]
    residents: Mapping[int, Resident]
    addresses: Mapping[int, str]
    """By the ticket; of those alone whose person the reader may know."""
    others: Mapping[int, Ticket]
    """The tickets that these were merged into, or whose answer is theirs."""
    linked: Mapping[int, Sequence[str]]
    """By the lead: the numbers of those that wait for its answer."""
    known_events: Mapping[int, str]
    facts: Mapping[int, Facts]
    readers: Mapping[int, Reader]

    def of(self, table: type[Row], ticket: Ticket) -> Sequence[Row]:
        return self.rows[table].get(ticket.id, ())


async def read_page(session: AsyncSession, actor: Actor, tickets: Sequence[Ticket]) -> Page:
    """Everything for this reader."""
    ids = [ticket.id for ticket in tickets]
    rows = {table: await _by_ticket(session, table, ids) for table in OF_TICKET}
    replies = [reply for group in rows[Reply].values() for reply in group]
    return Page(
        rows=rows,
        sent=await _by_reply(session, Outbox, replies),
        calls=await _by_reply(session, Callback, replies),
        files=await files_of(session, [item["id"] for reply in replies for item in reply.attachments]),
        residents=await _by_id(session, Resident, {ticket.resident_id for ticket in tickets}),
        addresses=await _addresses(session, [ticket for ticket in tickets if not keeps_tokens(actor, ticket)]),
        others=await _by_id(session, Ticket, {each for ticket in tickets for each in (ticket.merged_into_id, ticket.lead_id) if each}),
        linked=await _linked(session, actor, ids),
        known_events=await incidents.known_texts(session, tickets),
        facts=await find_facts(session, tickets),
        readers=await readers_of(session, [(ticket, keeps_tokens(actor, ticket)) for ticket in tickets]),
    )


async def _by_ticket(session: AsyncSession, table: type[Any], ids: Sequence[int]) -> Mapping[int, Sequence[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    if ids:
        for row in await session.scalars(select(table).where(table.ticket_id.in_(ids)).order_by(table.id)):
            found[row.ticket_id].append(row)
    return found


async def _by_reply(session: AsyncSession, table: type[Any], replies: Sequence[Reply]) -> Mapping[int, Sequence[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    if replies:
        of_these = table.reply_id.in_([reply.id for reply in replies])
        for row in await session.scalars(select(table).where(of_these).order_by(table.id)):
            found[row.reply_id].append(row)
    return found


async def _by_id(session: AsyncSession, table: type[Any], ids: Collection[int]) -> Mapping[int, Any]:
    rows = await session.scalars(select(table).where(table.id.in_(ids))) if ids else ()
    return {row.id: row for row in rows}


async def _addresses(session: AsyncSession, tickets: Sequence[Ticket]) -> Mapping[int, str]:
    """Where the ticket came from; without a conversation the first address that is known of its resident."""
    talks = await _by_id(session, Conversation, {ticket.conversation_id for ticket in tickets if ticket.conversation_id})
    found = {ticket.id: talks[ticket.conversation_id].address for ticket in tickets if ticket.conversation_id}
    first = await _first_addresses(session, {ticket.resident_id for ticket in tickets if ticket.id not in found})
    return {ticket.id: first[ticket.resident_id] for ticket in tickets if ticket.resident_id in first} | found


async def _first_addresses(session: AsyncSession, resident_ids: Collection[int]) -> Mapping[int, str]:
    found: dict[int, str] = {}
    if resident_ids:
        query = select(ResidentAddress).where(ResidentAddress.resident_id.in_(resident_ids)).order_by(ResidentAddress.id)
        for row in await session.scalars(query):
            found.setdefault(row.resident_id, f"{row.channel}:{row.value}")
    return found


async def _linked(session: AsyncSession, actor: Actor, ids: Sequence[int]) -> Mapping[int, Sequence[str]]:
    """Those this reader may see."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    if ids and actor.resident_id is None:
        query = select(Ticket.lead_id, Ticket.number).where(Ticket.lead_id.in_(ids), visible(actor)).order_by(Ticket.id)
        for lead_id, number in await session.execute(query):
            found[int(lead_id or 0)].append(number)
    return found
