"""A call becomes tickets, one a matter; one that came before, with other words, is kept by the ticket it has."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.phone import turns_of
from core import log
from core.conversation import Conversation, Matter, hide
from core.errors import AssistantUnavailable
from core.queues import Inbox
from service import danger
from service.categories import Sorted
from service.hearing import Draft, Heard, draft_matters, hear
from service.hearing.draft import SPEAKERS, write_dialogue, write_numbers
from service.hearing.matters import split_matters, words_of
from service.hearing.people import find_phone
from service.runtime import Runtime
from service.texts import say
from ticketing import tickets
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.titles import find_title

logger = log.logger(__name__)

Parses = dict[int, dict[str, Any]]
IN_DANGER = {"intent": {"name": "report_emergency", "confidence": 1.0}}
"""What the assistant would have understood of danger."""


@dataclass(frozen=True, slots=True)
class Told:
    """One matter of a call, and where its words belong."""

    draft: Draft
    sorted: Sorted | None


@dataclass(frozen=True, slots=True)
class Hearing:
    """All matters of a call. `is_whole`: the assistant was there for all of it."""

    told: list[Told]
    is_whole: bool


def is_call(row: Inbox) -> bool:
    """A call that could be read; what could not be is set aside before it gets here."""
    return row.channel == "phone" and "turns" in row.facts


def caller_of(row: Inbox) -> str:
    """The number the exchange showed, as residents say it; empty where it showed none."""
    return row.sender.removeprefix("+86") if row.facts.get("caller_known") else ""


def write_down(row: Inbox) -> str:
    """The words of a call with spoken telephone numbers in digits, so that they are known for personal data."""
    lines: dict[int, str] = {}
    for piece, text in _written(row):
        lines[piece.turn] = f"{lines.get(piece.turn, '')}{text}"
    return "\n".join(lines[turn] for turn in sorted(lines))


def _written(row: Inbox) -> list[tuple[Heard, str]]:
    """Each piece of the call with its words as `write_down` has them."""
    pieces = hear(turns_of(row.text, row.facts))
    phone = find_phone(pieces, caller_of(row))
    return list(zip(pieces, write_numbers(pieces, phone.value if phone else ""), strict=True))


async def tell_matters(runtime: Runtime, row: Inbox) -> Hearing:
    """What the call wants: at least one matter. No transaction is open here.

    No call is lost because it could not be understood: then its ticket stands with everything missing.
    """
    pieces, started_at = _hear(row)
    parses, gists, is_whole = await _understand(runtime, pieces, started_at)
    try:
        drafts = draft_matters(pieces, parses, gists, caller_of(row), started_at)
    except Exception as error:  # whatever it stumbled over, a clerk reads the words
        logger.error("call not understood", inbox=row.id, error=type(error).__name__)
        drafts = [Draft("consultation", write_dialogue(pieces, ""), (), "")]
    return Hearing(await _sort(runtime, drafts), is_whole)


async def tell_again(runtime: Runtime, row: Inbox) -> list[Told]:
    """What the call wants, with all that the assistant understands of it.

    AssistantUnavailable while it is away; what cannot be understood raises too.
    """
    pieces, started_at = _hear(row)
    parses: Parses = {}
    gists: Parses = {}
    await _ask(runtime, pieces, started_at, parses, gists)
    return await _sort(runtime, draft_matters(pieces, parses, gists, caller_of(row), started_at))


def _hear(row: Inbox) -> tuple[list[Heard], datetime]:
    return hear(turns_of(row.text, row.facts)), datetime.fromisoformat(row.facts["started_at"])


async def _sort(runtime: Runtime, drafts: list[Draft]) -> list[Told]:
    return [Told(draft, await runtime.categories.sort(draft.words, draft.kind) if draft.words else None)
            for draft in drafts]


async def _understand(runtime: Runtime, pieces: list[Heard], started_at: datetime) -> tuple[Parses, Parses, bool]:
    """What the assistant makes of each piece and of each matter's words, and whether it is all; of danger always."""
    parses: Parses = {}
    gists: Parses = {}
    try:
        await _ask(runtime, pieces, started_at, parses, gists)
    except AssistantUnavailable as error:
        logger.warning("a call is registered without the assistant", reason=error.detail)
        runtime.turns_without_assistant.inc()
        told = _words_of_matters(pieces)
        gists |= {ordinal: IN_DANGER for ordinal, words in told.items() if ordinal not in gists and danger.see(words)}
        return parses, gists, False
    return parses, gists, True


async def _ask(runtime: Runtime, pieces: list[Heard], started_at: datetime, parses: Parses, gists: Parses) -> None:
    """Fill in what the assistant understands; what it said before it fell away stays."""
    for ordinal, words in _words_of_matters(pieces).items():
        gists[ordinal] = await runtime.assistant.understand(words, started_at)
    for number, piece in enumerate(pieces):
        if len(piece.plain) > 1:
            parses[number] = await runtime.assistant.understand(piece.plain, started_at)


def _words_of_matters(pieces: list[Heard]) -> dict[int, str]:
    said = (words_of([pieces[number] for number in numbers]) for numbers in split_matters(pieces))
    return {ordinal: words for ordinal, words in enumerate(said) if words}


async def register(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, matter: Matter, row: Inbox,
    told: list[Told], now: datetime,
) -> list[Ticket]:
    """A ticket for each matter, in the caller's transaction; they stay registered until a clerk confirms them."""
    turns = await _agent_turns(session, conversation.resident_id, row)
    registered: list[Ticket] = []
    for item in told:
        ticket = await _register_one(runtime, session, conversation, row, item, now)
        answered = item.draft.answered
        answer = next((turn for turn in turns if answered and turn["turn"] == answered.turn), None)
        ticket.answered_on_call = {**(answer or {}), "turns": turns} if turns else None
        ticket.recording = row.facts.get("recording")
        registered.append(ticket)
    matter.ticket_id = registered[0].id
    runtime.news.notify("tickets")
    return registered


async def _register_one(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, row: Inbox, told: Told, now: datetime
) -> Ticket:
    draft = told.draft
    phone = draft.value("phone")
    # The number he calls from is known already, by his address.
    resident: dict[str, Any] = {
        "name": None if draft.anonymous else draft.value("person"),
        "phone": phone if phone != caller_of(row) else None,
        "on_behalf_of": {"relation": draft.on_behalf_of.value} if draft.on_behalf_of else None,
    }
    actor = Actor("assistant", frozenset({"assistant"}), None, conversation.resident_id)
    body = {
        "kind": draft.kind, "title": find_title(draft.value("matter") or say("call_without_matter")),
        "description": draft.description[:10_000], "place": draft.value("place"),
        "happened_at": draft.happened_at.isoformat() if draft.happened_at else None,
        "confidential": draft.confidential, "anonymous": draft.anonymous,
        "resident": {name: value for name, value in resident.items() if value},
    } | ({"urgency": "emergency"} if draft.emergency else {})
    ticket = await tickets.register(
        session, runtime.office, actor, body, now,
        resident_id=conversation.resident_id, conversation_id=conversation.id, channel="phone",
        call_id=row.facts["call_id"], started_at=datetime.fromisoformat(row.facts["started_at"]),
        suggested=told.sorted.category if told.sorted else None, judged=told.sorted.urgency if told.sorted else None,
    )
    ticket.elements = await describe_elements(session, conversation.resident_id, draft)
    ticket.missing = list(draft.missing)
    return ticket


async def describe_elements(session: AsyncSession, resident_id: int, draft: Draft) -> list[dict[str, Any]]:
    """The elements as a ticket keeps them: each beside the words it came from, personal data as tokens."""
    return [
        {
            "name": item.name, "value": await hide(session, resident_id, item.value),
            "confidence": round(item.confidence, 2),
            "evidence": {"turn": item.turn, "text": await hide(session, resident_id, item.text)}
            | ({} if item.answers is None else {"answers": item.answers}),
        }
        for item in draft.elements
    ]


async def _agent_turns(session: AsyncSession, resident_id: int, row: Inbox) -> list[dict[str, Any]]:
    """What the agent said, turn by turn: each may be the answer that a clerk names."""
    texts: dict[int, str] = {}
    for piece, text in _written(row):
        if not piece.is_caller:
            texts[piece.turn] = f"{texts.get(piece.turn, '')}{text}"
    return [
        {"turn": turn, "speaker": "agent", "text": await hide(session, resident_id, text, only_known=True)}
        for turn, text in sorted(texts.items())
    ]


async def ticket_of_earlier_version(session: AsyncSession, row: Inbox) -> Ticket | None:
    """The ticket that an earlier version of this call led to."""
    if row.channel != "phone" or int(row.facts.get("version") or 1) < 2:
        return None
    query = select(Ticket).where(Ticket.call_id == row.facts["call_id"]).order_by(Ticket.id).limit(1)
    return await session.scalar(query)


async def add_version(runtime: Runtime, session: AsyncSession, ticket: Ticket, row: Inbox, now: datetime) -> None:
    """The new words are added to the ticket as said by the caller; one that is over only has them in its record."""
    if ticket.state not in OPEN:
        return
    words = "\n".join(f"{SPEAKERS[piece.speaker]}：{said}" for piece, said in _written(row))
    text = say("call_new_version", version=row.facts["version"], words=words)
    actor = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
    await tickets.perform(
        session, runtime.office, actor, ticket.number, "supplement", {"text": text[:10_000]}, None, now
    )
