"""What only the assistant calls: its matter, and a person for the resident."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from core import audit
from core import conversation as conversations
from core.clock import write_time
from core.conversation import Conversation, Holder, Matter, Message, Resident
from core.errors import NotFound
from service import line
from service.api.endpoint import Call, Endpoint, Result
from service.intake import INTERACTIVE
from service.mail import ON_HIS_WORD
from ticketing import clock_words, residents, tickets
from ticketing.bodies import ResidentBody
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.staff import Actor

ASSISTANT = frozenset({"assistant"})
FOR_LATER = "转人工："
"""With these words begins the title of a ticket that waits for the morning."""
SETTLED_LASTS = timedelta(days=3)
"""So long the assistant speaks of what a person settled."""


class HandOver(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=500)
    summary: str = Field("", max_length=4000)


class MatterNews(BaseModel):
    """What a turn changed: whether a form is open, and what the resident said about himself after his ticket."""

    model_config = ConfigDict(extra="forbid")
    form_open: bool | None = None
    phone: str | None = Field(None, min_length=1, max_length=100)
    name: str | None = Field(None, min_length=1, max_length=100)
    confidential: bool | None = None
    last_guide: str | None = Field(None, min_length=1, max_length=100)
    """What is spoken of now, where no answer was given: what was booked."""


def matter_of(call: Call) -> Matter:
    """The matter the assistant named; NotFound without one."""
    if call.matter is None:
        raise NotFound("name the matter in the header X-Huiyin-Matter")
    return call.matter


async def hand_over(call: Call) -> Result:
    """The assistant asks for a person: his place in the line, and outside opening hours one numbered ticket."""
    matter, body = matter_of(call), call.body()
    conversation = call.conversation
    assert conversation is not None
    is_open = call.runtime.office.is_open(call.now)
    if conversation.holder != Holder.STAFF:
        conversation.holder, conversation.waiting_since = Holder.STAFF, call.now
    conversation.summary = await conversations.hide(call.session, conversation.resident_id, body.summary)
    matter.form_open = False
    number, promise, again = None, "", False
    if not is_open:
        ticket = await _own_ticket(call, matter) or await _ticket_that_waits(call, conversation)
        again = ticket is not None and ticket.title.startswith(FOR_LATER)
        ticket = await _add_to(call, ticket, body) if ticket else await _ticket_for_later(call, conversation, body)
        matter.ticket_id, number = ticket.id, ticket.number
        promise = await clock_words.promise(call.session, ticket)
    before = await line.waiting_before(call.session, conversation)
    reason = body.reason[:200]
    audit.record(
        call.session, call.now, "assistant", "conversation:hand_over", f"conversation:{conversation.id}", reason
    )
    call.after_commit += ["conversations", f"conversation:{conversation.id}"]
    return Result(
        {"conversation": conversation.id, "position": before + 1, "open": is_open, "ticket": number,
         "promise": promise, "again": again}
    )


async def _own_ticket(call: Call, matter: Matter) -> Ticket | None:
    """The ticket this very matter was registered as: it is taken up in the morning all the same."""
    ticket = await call.session.get(Ticket, matter.ticket_id) if matter.ticket_id else None
    return ticket if ticket is not None and ticket.state in OPEN else None


async def _ticket_that_waits(call: Call, conversation: Conversation) -> Ticket | None:
    """The ticket of an earlier hand-over out of hours: a conversation waits with one number, not with many."""
    return await call.session.scalar(
        select(Ticket)
        .where(
            Ticket.conversation_id == conversation.id,
            Ticket.kind == "consultation",
            Ticket.state.in_(OPEN),
            Ticket.title.startswith(FOR_LATER),
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    )


async def _add_to(call: Call, ticket: Ticket, body: HandOver) -> Ticket:
    """What was said since, on the ticket that waits already."""
    if not ticket.title.startswith(FOR_LATER):
        return ticket
    text = f"{body.reason}\n{body.summary}".strip()
    return await tickets.perform(
        call.session, call.runtime.office, _resident(ticket.resident_id), ticket.number, "supplement", {"text": text},
        None, call.now,
    )


async def _ticket_for_later(call: Call, conversation: Conversation, body: HandOver) -> Ticket:
    text = body.summary or body.reason
    fields = {"kind": "consultation", "title": f"{FOR_LATER}{body.reason}"[:60], "description": text}
    return await tickets.register(
        call.session, call.runtime.office, call.actor, fields, call.now,
        resident_id=conversation.resident_id, conversation_id=conversation.id,
        channel=conversation.address.partition(":")[0],
    )


def _resident(resident_id: int) -> Actor:
    return Actor("resident", frozenset({"resident"}), None, resident_id)


async def read_matter(call: Call) -> Result:
    """What the assistant may know of the matter it is in."""
    return Result(await _describe(call))


async def change_matter(call: Call) -> Result:
    """A form was opened or closed; a telephone number, a name or the wish for confidence came after the ticket."""
    matter, body = matter_of(call), call.body()
    conversation = call.conversation
    assert conversation is not None
    if body.form_open is not None:
        matter.form_open = body.form_open
    if body.last_guide is not None:
        matter.last_guide = body.last_guide
    if body.phone is not None or body.name is not None:
        resident = await call.session.get_one(Resident, conversation.resident_id)
        residents.learn(call.session, resident, ResidentBody(phone=body.phone, name=body.name))
    if body.confidential is not None:
        await _keep_confidence(call, conversation, body.confidential)
    return Result(await _describe(call))


async def _keep_confidence(call: Call, conversation: Conversation, confidential: bool) -> None:
    """On the newest open ticket of the conversation, as a clerk would write it down on the resident's word."""
    ticket = await call.session.scalar(
        select(Ticket)
        .where(Ticket.conversation_id == conversation.id, Ticket.state.in_(OPEN))
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if ticket is None or ticket.confidential == confidential:
        return
    await tickets.perform(
        call.session, call.runtime.office, ON_HIS_WORD, ticket.number, "amend", {"confidential": confidential}, None,
        call.now,
    )


async def _describe(call: Call) -> dict[str, Any]:
    matter, conversation = matter_of(call), call.conversation
    assert conversation is not None
    resident = await call.session.get_one(Resident, conversation.resident_id)
    channel = conversation.address.partition(":")[0]
    return {
        "matter": matter.id,
        "conversation": conversation.id,
        "channel": channel,
        "interactive": channel in INTERACTIVE,
        "preset": call.runtime.settings.office.preset,
        "office": call.runtime.office.name,
        "last_guide": matter.last_guide,
        "form_open": matter.form_open,
        "known": {"name": bool(resident.name), "phone": bool(resident.phone)},
        "settled": await _settled(call, conversation, call.now),
        "now": write_time(call.now),
    }


async def _settled(call: Call, conversation: Conversation, now: datetime) -> str | None:
    """What a person settled with the resident before he gave the conversation back; tokens stay tokens."""
    if conversation.holder != Holder.ASSISTANT or not conversation.summary:
        return None
    last = await call.session.scalar(
        select(func.max(Message.at)).where(Message.conversation_id == conversation.id, Message.author == "staff")
    )
    return conversation.summary if last is not None and now - last < SETTLED_LASTS else None


ENDPOINTS = (
    Endpoint("POST", "/hand-over", hand_over, "Ask for a person (the assistant)", HandOver, ASSISTANT, "write",
             tag="assistant"),
    Endpoint("GET", "/matter", read_matter, "The matter the assistant is in", roles=ASSISTANT, tag="assistant"),
    Endpoint("POST", "/matter", change_matter, "What a turn changed of its matter", MatterNews, ASSISTANT, "write",
             tag="assistant"),
)
