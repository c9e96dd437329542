"""The list of tickets: filters, cursor, and full text in which two-character Chinese words are found."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import places
from core.clock import local
from core.db import Base
from core.errors import Invalid
from core.segment import terms
from ticketing.due import is_due_before, is_overdue
from ticketing.likeness import PLACE_IN, key_of
from ticketing.model import Measure, Ticket
from ticketing.staff import Actor
from ticketing.visibility import visible

FILTERS = ("state", "kind", "department", "category", "resident", "conversation", "call_id", "q", "overdue",
           "confidential", "promises", "assignee", "urgency", "due_within")
INDEXED_VERBS = frozenset({"amend", "confirm", "supplement"})
LONGEST_TERM = 32
MOST_HOURS = 24 * 60


class TicketTerm(Base):
    """Which ticket holds which search term: characters, bigrams and words of title, description and place.

    The keys of its place are among them, with a sign before that no word begins with: 3栋 and 三号楼 are found together.
    """

    __tablename__ = "ticket_term"
    __table_args__ = (Index("ix_ticket_term_ticket", "ticket_id"),)

    term: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)


@dataclass(frozen=True, slots=True)
class Found:
    tickets: list[Ticket]
    next: str | None


async def index(session: AsyncSession, ticket: Ticket) -> None:
    """Bring the ticket's terms up to date, in the caller's transaction."""
    await session.execute(delete(TicketTerm).where(TicketTerm.ticket_id == ticket.id))
    text = f"{ticket.title} {ticket.description} {ticket.place or ''}"
    found = {term for term in terms(text) if len(term) <= LONGEST_TERM}
    where = places.read(ticket.place, ticket.title, ticket.description[:PLACE_IN])
    found |= {key_of(key) for key in where.keys() if len(key) < LONGEST_TERM}
    if found:
        rows = [{"term": term, "ticket_id": ticket.id} for term in sorted(found)]
        await session.execute(insert(TicketTerm), rows)


async def list_tickets(
    session: AsyncSession,
    actor: Actor,
    filters: dict[str, str],
    limit: int,
    after: str | None,
    now: datetime,
) -> Found:
    """Newest first. Invalid for a filter value that cannot be one."""
    query = select(Ticket).where(visible(actor))
    for name, value in filters.items():
        query = _filter(query, name, value, actor, now)
    if after:
        query = query.where(Ticket.id < _number("after", after))
    rows = list((await session.scalars(query.order_by(Ticket.id.desc()).limit(limit + 1))).all())
    more = len(rows) > limit
    return Found(rows[:limit], str(rows[limit - 1].id) if more else None)


def check_filters(actor: Actor, filters: dict[str, str], now: datetime) -> None:
    """Raises Invalid for a filter that does not exist, or a value it cannot have."""
    for name, value in filters.items():
        if name not in FILTERS:
            raise Invalid(f"filters: there is no filter {name[:40]}; there are {', '.join(FILTERS)}", "filters")
        _filter(select(Ticket), name, value, actor, now)


def _filter(query: Select[Any], name: str, value: str, actor: Actor, now: datetime) -> Select[Any]:
    if name == "q":
        return _matching(query, value)
    if name == "assignee":
        return query.where(Ticket.assignee == (actor.name if value == "me" else value))
    if name == "due_within":
        return query.where(is_due_before(now, now + timedelta(hours=_hours(name, value))))
    if name in ("resident", "conversation"):
        column = Ticket.resident_id if name == "resident" else Ticket.conversation_id
        return query.where(column == _number(name, value))
    if name == "overdue":
        condition = is_overdue(now)
        return query.where(condition if _switch(name, value) else ~condition)
    if name == "confidential":
        return query.where(Ticket.confidential.is_(_switch(name, value)))
    if name == "promises":
        owed = select(Measure.ticket_id).where(Measure.fulfilled_at.is_(None))
        if value == "overdue":
            return query.where(Ticket.id.in_(owed.where(Measure.due_on < local(now).date())))
        return query.where(Ticket.id.in_(owed) if _switch(name, value) else Ticket.id.not_in(owed))
    columns: dict[str, Any] = {
        "state": Ticket.state, "kind": Ticket.kind, "department": Ticket.department,
        "category": Ticket.category, "call_id": Ticket.call_id, "urgency": Ticket.urgency,
    }
    return query.where(columns[name] == value)


def _matching(query: Select[Any], text: str) -> Select[Any]:
    """Every bigram (or the single character) of the words searched for; a ticket number matches itself."""
    wanted = text.strip()
    if wanted.upper().startswith("HY"):
        return query.where(Ticket.number.startswith(wanted.upper(), autoescape=True))
    found = {term for term in terms(wanted) if len(term) <= LONGEST_TERM}
    longer = {term for term in found if len(term) > 1} or found
    for term in sorted(longer)[:24]:
        query = query.where(exists().where(TicketTerm.ticket_id == Ticket.id, TicketTerm.term == term))
    return query


def _switch(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Invalid(f"{name} is true or false", name)
    return value == "true"


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or len(value) > 18:
        raise Invalid(f"{name} is a number", name)
    return int(value)


def _hours(name: str, value: str) -> int:
    hours = _number(name, value)
    if not 1 <= hours <= MOST_HOURS:
        raise Invalid(f"{name} is a number of hours from 1 to {MOST_HOURS}", name)
    return hours
