"""The same matter again: by the same person, or by many. Found at intake by the words, later once more by the meaning.

What is found is shown to clerks with what agrees; nothing is merged by itself. Candidates come out of the index of
search terms, which holds the keys of places too, so that a look costs the same however many tickets there are.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, delete, exists, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import places
from core.clock import write_time
from core.conversation import Resident
from core.db import UTC, Base, Json
from core.persons import is_same_person
from core.segment import terms
from ticketing.likeness import LONGEST, PLACE_IN, Likeness, Rarity, Said, compare, key_of
from ticketing.model import Ticket
from ticketing.search import LONGEST_TERM, TicketTerm
from ticketing.staff import Actor
from ticketing.visibility import visible

WITHIN = timedelta(days=60)
OF_ONE_PERSON = timedelta(days=365)
MOST_TICKETS = 10_000
"""So many tickets back a look goes at most, however short a time they took to come."""
MOST_TERMS, COMMON = 50, 300
"""The rarest terms are looked up; one of more tickets than this tells none from another."""
BY_WORDS, BY_PLACE, BY_PERSON = 20, 15, 10
"""Candidates that are compared in full."""
KEPT, SHOWN = 0.15, 0.2
"""The share from which a pair is kept, for bursts; and from which a clerk is shown it."""
NEVER = ("report", "praise")
"""Kinds that repeat nothing: a report about staff is the inspectors' alone."""


class TicketLook(Base):
    """The second look at a ticket, with its meaning where vectors are on."""

    __tablename__ = "ticket_look"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    looked_at: Mapped[datetime] = mapped_column(UTC)
    vector: Mapped[bytes | None] = mapped_column(LargeBinary)
    """384 numbers of four bytes."""


class TicketRepeat(Base):
    """Two tickets that are likely about one matter; the later one first."""

    __tablename__ = "ticket_repeat"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True, index=True)
    share: Mapped[int]
    """In hundredths."""
    same_person: Mapped[bool]
    because: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    found_at: Mapped[datetime] = mapped_column(UTC)


@dataclass(frozen=True, slots=True)
class Repeat:
    """An earlier ticket, how likely it is about the same matter, and why."""

    ticket: Ticket
    person: int
    likeness: Likeness


def text_of(ticket: Ticket) -> str:
    """What is made into a vector: the head of what was said."""
    said = ticket.description if ticket.description.startswith(ticket.title) else f"{ticket.title}。{ticket.description}"
    return " ".join(f"{ticket.place or ''} {said}".split())[:80]


async def look(session: AsyncSession, ticket: Ticket, now: datetime, vector: "array[float] | None" = None) -> list[Repeat]:
    """Earlier tickets that are likely about the same matter, the likeliest first; kept for who reads the ticket."""
    if ticket.kind in NEVER:
        return []
    person = await session.scalar(select(Resident.person_id).where(Resident.id == ticket.resident_id))
    mine = _said(ticket, person or ticket.resident_id, vector)
    floor = await _first_since(session, ticket, now)
    keys = {key_of(key) for key in mine.place.keys()}
    rarity = await _rarity(session, ticket, mine.words | mine.title | keys, floor)
    found = {*await _by_words(session, ticket, mine, rarity, floor), *await _by_place(session, ticket, keys, floor),
             *await _by_person(session, ticket, now)}
    repeats = []
    for other, their_person, stored in await _load(session, found, ticket):
        theirs = _said(other, their_person, _vector(stored))
        likeness = compare(mine, theirs, rarity)
        if likeness.share >= KEPT:
            repeats.append(Repeat(other, theirs.person, likeness))
    repeats.sort(key=lambda repeat: (-repeat.likeness.share, -repeat.ticket.id))
    await _keep(session, ticket, mine.person, repeats, now)
    return repeats


def _said(ticket: Ticket, person: int, vector: "array[float] | None") -> Said:
    words, title, place = _read(ticket.place, ticket.title, ticket.description[:LONGEST])
    return Said(ticket.id, person, ticket.registered_at, ticket.category, words, title, place, vector)


@lru_cache(maxsize=4096)
def _read(place: str | None, title: str, head: str) -> tuple[frozenset[str], frozenset[str], places.Place]:
    """Words, words of the title, and place. Kept, because tickets of late are compared again and again."""
    return _telling(f"{title}。{head}"), _telling(title), places.read(place, title, head[:PLACE_IN])


def _telling(text: str) -> frozenset[str]:
    return frozenset(term for term in terms(places.without_numbers(text)) if 1 < len(term) <= LONGEST_TERM)


def _vector(stored: bytes | None) -> "array[float] | None":
    return array("f", stored) if stored else None


async def _first_since(session: AsyncSession, ticket: Ticket, now: datetime) -> int:
    """The first ticket that is still near enough in time."""
    query = select(Ticket.id).where(Ticket.registered_at >= now - WITHIN).order_by(Ticket.registered_at).limit(1)
    return max(await session.scalar(query) or 0, ticket.id - MOST_TICKETS)


async def _rarity(session: AsyncSession, ticket: Ticket, said: Iterable[str], floor: int) -> Rarity:
    query = (
        select(TicketTerm.term, func.count())
        .where(TicketTerm.term.in_(list(said)), TicketTerm.ticket_id.between(floor, ticket.id))
        .group_by(TicketTerm.term)
    )
    counts = {term: count for term, count in (await session.execute(query)).all()}
    return Rarity(ticket.id - floor + 1, counts)


async def _by_words(session: AsyncSession, ticket: Ticket, mine: Said, rarity: Rarity, floor: int) -> list[int]:
    """Those that share the most of its rare terms."""
    rare = [term for term in mine.words if 1 < rarity.counts.get(term, 1) <= COMMON]
    rare = sorted(rare, key=lambda term: -rarity.weigh(term))[:MOST_TERMS]
    if not rare:
        return []
    query = select(TicketTerm.ticket_id, TicketTerm.term).where(
        TicketTerm.term.in_(rare), TicketTerm.ticket_id.between(floor, ticket.id - 1)
    )
    scores: dict[int, float] = {}
    for other, term in (await session.execute(query)).all():
        scores[other] = scores.get(other, 0.0) + rarity.weigh(term) ** 2
    return sorted(scores, key=lambda other: (-scores[other], -other))[:BY_WORDS]


async def _by_place(session: AsyncSession, ticket: Ticket, keys: set[str], floor: int) -> Sequence[int]:
    if not keys:
        return []
    query = (
        select(TicketTerm.ticket_id)
        .where(TicketTerm.term.in_(keys), TicketTerm.ticket_id.between(floor, ticket.id - 1))
        .order_by(TicketTerm.ticket_id.desc()).distinct().limit(BY_PLACE)
    )
    return (await session.scalars(query)).all()


async def _by_person(session: AsyncSession, ticket: Ticket, now: datetime) -> Sequence[int]:
    query = select(Ticket.id).where(
        is_same_person(Ticket.resident_id, ticket.resident_id), Ticket.id < ticket.id,
        Ticket.registered_at >= now - OF_ONE_PERSON,
    )
    return (await session.scalars(query.order_by(Ticket.id.desc()).limit(BY_PERSON))).all()


async def _load(
    session: AsyncSession, ids: set[int], ticket: Ticket
) -> list[tuple[Ticket, int, bytes | None]]:
    query = (
        select(Ticket, func.coalesce(Resident.person_id, Resident.id), TicketLook.vector)
        .join(Resident, Resident.id == Ticket.resident_id)
        .outerjoin(TicketLook, TicketLook.ticket_id == Ticket.id)
        .where(Ticket.id.in_(ids), Ticket.id != ticket.id, Ticket.kind.not_in(NEVER), Ticket.state != "merged")
    )
    return [(other, person, vector) for other, person, vector in (await session.execute(query)).all()]


async def _keep(
    session: AsyncSession, ticket: Ticket, person: int, repeats: Sequence[Repeat], now: datetime
) -> None:
    await session.execute(delete(TicketRepeat).where(TicketRepeat.ticket_id == ticket.id))
    rows = [
        {"ticket_id": ticket.id, "other_id": each.ticket.id, "share": round(100 * each.likeness.share),
         "same_person": each.person == person, "because": list(each.likeness.because), "found_at": now}
        for each in repeats
    ]
    if rows:
        await session.execute(insert(TicketRepeat), rows)


# The second look


async def waiting(session: AsyncSession, now: datetime, most: int) -> Sequence[Ticket]:
    """Tickets that were not looked at a second time, the oldest first."""
    last = await session.scalar(select(func.max(TicketLook.ticket_id))) or 0
    # Two transactions may commit in another order than their tickets were numbered: a few are looked for behind.
    looked = exists().where(TicketLook.ticket_id == Ticket.id)
    query = select(Ticket).where(Ticket.id > last - 200, Ticket.registered_at > now - timedelta(days=1), ~looked)
    return (await session.scalars(query.order_by(Ticket.id).limit(most))).all()


async def look_again(
    session: AsyncSession, ticket: Ticket, now: datetime, vector: Sequence[float] | None
) -> list[Repeat] | None:
    """With the meaning, where there is one; the ticket does not wait any more. None: somebody else has looked."""
    made = array("f", vector) if vector is not None else None
    row = {"ticket_id": ticket.id, "looked_at": now, "vector": made.tobytes() if made else None}
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    done = await session.execute(dialect.insert(TicketLook.__table__).values(row).on_conflict_do_nothing())
    return await look(session, ticket, now, made) if done.rowcount else None  # type: ignore[attr-defined]


# For who reads the ticket


async def list_repeats(session: AsyncSession, actor: Actor, ticket: Ticket, limit: int) -> list[dict[str, Any]]:
    """Earlier and later tickets about the same matter, as far as this reader may see them; persons stay tokens."""
    query = (
        select(TicketRepeat, Ticket)
        .join(Ticket, or_((TicketRepeat.other_id == Ticket.id) & (TicketRepeat.ticket_id == ticket.id),
                          (TicketRepeat.ticket_id == Ticket.id) & (TicketRepeat.other_id == ticket.id)))
        .where(or_(TicketRepeat.ticket_id == ticket.id, TicketRepeat.other_id == ticket.id), visible(actor),
               Ticket.kind.not_in(NEVER), TicketRepeat.share >= 100 * SHOWN)
        .order_by(TicketRepeat.share.desc(), Ticket.id.desc()).limit(limit)
    )
    return [_describe(row, other) for row, other in (await session.execute(query)).all()]


def _describe(row: TicketRepeat, other: Ticket) -> dict[str, Any]:
    return {
        "number": other.number, "title": other.title, "description": other.description, "place": other.place,
        "category": other.category, "department": other.department, "state": other.state,
        "registered_at": write_time(other.registered_at), "same_person": row.same_person, "share": row.share / 100,
        "because": row.because,
    }
