"""Answers, guides and understanding over the API."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.clock import write_time
from core.conversation import Matter
from core.errors import NotFound
from knowledge_base.tables import Notice
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing.model import Ticket

if TYPE_CHECKING:
    from knowledge_base.answer import Answer

KIND_OF_INTENT = {
    "complain": "complaint",
    "request_service": "request",
    "suggest": "suggestion",
    "praise": "praise",
    "report_misconduct": "report",
    "ask_guide": "consultation",
    "report_emergency": "request",
}
"""Which kind of ticket an intent leads to (interfaces §4)."""

SMALL_TALK = frozenset({"greet", "goodbye", "thanks", "affirm", "deny", "rate", "chitchat", "out_of_scope"})
TELLS_ITS_MATTER = 60
"""Characters: who urges, adds something or asks for a person at such length says what it is about, and it has a category."""
EMERGENCY = "emergency"
UNSURE = "nlu_fallback"
"""What the assistant makes of a text it is not sure about; whoever asks here gets the likeliest intent with its share."""

KEPT_FOR_EDITORS = frozenset({"no_guide", "out_of_scope", "clarify", "expired"})
"""A question with such an answer, asked in a matter, is kept; one that failed says nothing about the guides."""


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=5000)
    preset: Literal["property", "hall", "hospital"] | None = None
    context_guide: str | None = None
    chosen: str | None = None
    """The guide the resident chose when he was asked back."""
    place: str | None = Field(None, max_length=200)
    """Where the resident is: a notice for other places is not for him."""


class Text(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=10_000)
    channel: str = "webchat"
    at: AwareDatetime | None = None


async def answer(call: Call) -> Result:
    """An answer in the office's own words with its citations, or a stated reason for none."""
    body = call.body()
    preset = body.preset or call.runtime.settings.office.preset
    found = await call.runtime.knowledge.answer(
        call.session,
        body.question,
        preset,
        call.now,
        body.context_guide or (call.matter.last_guide if call.matter else None),
        body.place or await _known_place(call),
        body.chosen,
    )
    if call.matter is not None:
        async with call.runtime.db.writing() as session:
            await _remember(session, call.matter.id, body.question, found, preset, call.now)
    return Result(found.as_json())


async def _remember(
    session: AsyncSession, matter_id: int, question: str, found: "Answer", preset: str, now: datetime
) -> None:
    """What a matter was answered from, for its next question; what it was not answered, for the editors."""
    from knowledge_base.unanswered import remember_unanswered  # Brings numpy with it: not at the start.

    if found.citations and not found.citations[0].guide.startswith("notice:"):
        matter = await session.get_one(Matter, matter_id)
        matter.last_guide = found.citations[0].guide
    if found.status in KEPT_FOR_EDITORS:
        await remember_unanswered(session, question, found, preset, now, matter_id=matter_id)


async def _known_place(call: Call) -> str | None:
    """Where the resident of this conversation is, as his last ticket says; None for whoever else asks."""
    if call.conversation is None:
        return None
    query = select(Ticket.place).where(Ticket.resident_id == call.conversation.resident_id, Ticket.place.is_not(None))
    place: str | None = await call.session.scalar(query.order_by(Ticket.id.desc()).limit(1))
    return place


async def understand(call: Call) -> Result:
    """What the assistant makes of a text, without side effects. Offsets are code points of the text as sent."""
    body = call.body()
    parsed, _ = await asyncio.gather(
        call.runtime.assistant.understand(body.text, clock.local(body.at or call.now)),
        call.runtime.categories.look_at(body.text),
    )
    shift = len(body.text) - len(body.text.lstrip())
    intents = [item for item in parsed.get("intent_ranking") or [parsed.get("intent") or {}]
               if item.get("name") not in (None, UNSURE)]
    name = intents[0]["name"] if intents else "out_of_scope"
    kind = KIND_OF_INTENT.get(name)
    tells = kind or (name not in SMALL_TALK and len(body.text) >= TELLS_ITS_MATTER)
    found = await call.runtime.categories.sort(body.text, kind or "complaint", parsed.get("vector")) if tells else None
    return Result(
        {
            "intent": name,
            "confidence": intents[0]["confidence"] if intents else 0.0,
            "intents": [{"name": item["name"], "confidence": item["confidence"]} for item in intents],
            "entities": [_read_entity(item, body.text, shift) for item in parsed.get("entities") or []],
            "matters": [_read_matter(item, body.text, shift) for item in parsed.get("matters") or []],
            "kind": kind,
            "category": found.category if found else None,
            "category_confidence": found.share if found else None,
            "decided_by": [*found.words, *found.pressing] if found else [],
            "urgency": EMERGENCY if name == "report_emergency" else found.urgency if found else "routine",
        }
    )


def _read_matter(item: dict[str, Any], text: str, shift: int) -> dict[str, Any]:
    """One of several wishes in a long text, with its own words."""
    start, end = item["start"] + shift, item["end"] + shift
    return {"intent": item["intent"], "confidence": item["confidence"], "text": text[start:end], "start": start, "end": end}


def _read_entity(item: dict[str, Any], text: str, shift: int) -> dict[str, Any]:
    start, end = item["start"] + shift, item["end"] + shift
    entity = {"type": item["entity"], "value": text[start:end], "start": start, "end": end}
    if item["entity"] == "time":
        entity |= {name: item[name] for name in ("from", "to") if name in item}
    return entity


class NewNotice(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=5000)
    places: list[str] = []
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    preset: Literal["property", "hall", "hospital"] | None = None


async def put_up_notice(call: Call) -> Result:
    """What is true for a while: answered first while it is in force."""
    from knowledge_base import notices  # Brings numpy with it: not at the start.

    body = call.body()
    row = await notices.put_up(
        call.session, body.preset or call.runtime.settings.office.preset, body.title, body.text, body.places,
        body.valid_from, body.valid_to, call.actor.name, call.now,
    )
    return Result(_describe_notice(row), 201)


async def list_notices(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Notice).where(Notice.withdrawn_at.is_(None)).order_by(Notice.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(Notice.id < after)
    if call.query.get("in_force") == "true":
        query = query.where(Notice.valid_from <= call.now, Notice.valid_to > call.now)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    return page([_describe_notice(row) for row in rows], rows[-1].id if rows else None, more)


async def withdraw_notice(call: Call) -> Result:
    from knowledge_base import notices

    if await call.session.get(Notice, call.number("id")) is None:
        raise NotFound("there is no such notice: GET /notices lists them")
    call.require(*EDITORS)
    await notices.withdraw(call.session, call.number("id"), call.actor.name, call.now)
    return Result(None, 204)


def _describe_notice(row: Notice) -> dict[str, Any]:
    return {
        "id": row.id, "preset": row.preset, "title": row.title, "text": row.text, "places": row.places,
        "valid_from": write_time(row.valid_from), "valid_to": write_time(row.valid_to),
    }


EDITORS = frozenset({"editor", "supervisor"})

ENDPOINTS = (
    Endpoint("POST", "/answers", answer, "Answer a question from the guides", Question, tag="knowledge"),
    Endpoint("POST", "/understand", understand, "What a text means, without side effects", Text, tag="knowledge"),
    Endpoint("POST", "/notices", put_up_notice, "Put up a notice", NewNotice, EDITORS, "write", status=201,
             tag="knowledge"),
    Endpoint("GET", "/notices", list_notices, "Notices", query=("in_force", "limit", "after"), tag="knowledge"),
    Endpoint("DELETE", "/notices/{id}", withdraw_notice, "Take a notice down", session="write",
             status=204, tag="knowledge"),
)
