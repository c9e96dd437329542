"""Past consultations that are like a ticket, with the reply that was approved: a suggestion, never sent by itself."""

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import write_time
from core.segment import terms
from ticketing.model import Reply, Ticket
from ticketing.search import LONGEST_TERM, TicketTerm
from ticketing.staff import Actor
from ticketing.visibility import visible

MOST_TERMS = 40
LOOKED_AT = 200
COMMON = 5000
"""A term of more tickets than this tells none from another."""
ALIKE = 0.25
"""Share of the ticket's rare terms that another must hold to be suggested."""


async def find_similar(session: AsyncSession, actor: Actor, ticket: Ticket, limit: int) -> list[dict[str, Any]]:
    """The nearest first. Persons in other residents' texts stay tokens for everybody: they are nobody's business here."""
    weights = await _weigh(session, ticket)
    whole = sum(weights.values())
    if not whole:
        return []
    scores = await _score(session, weights, ticket)
    near = sorted((found for found in scores.items() if found[1] >= ALIKE * whole), key=lambda found: -found[1])
    items = []
    for ticket_id, score in near[:LOOKED_AT]:
        found = await session.scalar(select(Ticket).where(Ticket.id == ticket_id, visible(actor)))
        if found is None or found.kind != "consultation" or found.confidential:
            continue
        reply = await _approved(session, found)
        if reply is not None:
            items.append(_describe(found, reply, score / whole))
        if len(items) == limit:
            break
    return items


async def _weigh(session: AsyncSession, ticket: Ticket) -> dict[str, float]:
    """The ticket's terms by rarity among all tickets; what stands everywhere says nothing."""
    said = {term for term in terms(f"{ticket.title} {ticket.description}") if 1 < len(term) <= LONGEST_TERM}
    if not said:
        return {}
    total = await session.scalar(select(func.count()).select_from(Ticket)) or 1
    query = select(TicketTerm.term, func.count()).where(TicketTerm.term.in_(said)).group_by(TicketTerm.term)
    counts = {term: count for term, count in (await session.execute(query)).all()}
    weights = {term: math.log(1 + total / count) for term, count in counts.items() if 1 < count <= COMMON}
    rarest = sorted(weights, key=lambda term: -weights[term])[:MOST_TERMS]
    return {term: weights[term] for term in rarest}


async def _score(session: AsyncSession, weights: dict[str, float], ticket: Ticket) -> dict[int, float]:
    query = (
        select(TicketTerm.ticket_id, TicketTerm.term)
        .join(Ticket, Ticket.id == TicketTerm.ticket_id)
        .where(TicketTerm.term.in_(weights), Ticket.kind == "consultation", Ticket.id != ticket.id)
    )
    scores: dict[int, float] = {}
    for ticket_id, term in (await session.execute(query)).all():
        scores[ticket_id] = scores.get(ticket_id, 0.0) + weights[term]
    return scores


async def _approved(session: AsyncSession, ticket: Ticket) -> Reply | None:
    query = select(Reply).where(Reply.ticket_id == ticket.id, Reply.approved_at.is_not(None),
                                Reply.withdrawn_at.is_(None), Reply.call_turn.is_(None))
    found: Sequence[Reply] = (await session.scalars(query.order_by(Reply.id.desc()).limit(1))).all()
    return found[0] if found else None


def _describe(ticket: Ticket, reply: Reply, score: float) -> dict[str, Any]:
    return {
        "number": ticket.number, "title": ticket.title, "description": ticket.description,
        "category": ticket.category, "department": ticket.department, "reply": reply.text,
        "approved_at": write_time(reply.approved_at), "satisfied": ticket.satisfied, "score": round(score, 3),
    }
