"""Conversations over the API: read them, take them over, speak, give them back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import false, func, or_, select, update

from core import audit, queues
from core import conversation as conversations
from core.attachments import StoredFile, files_of
from core.clock import write_time
from core.conversation import Conversation, Holder, Message
from core.errors import Conflict, Invalid, NotFound
from core.message import Address, OutboundMessage
from service import line, presence
from service.api.endpoint import Call, Endpoint, Result, cut, page
from service.texts import say
from ticketing.model import Ticket
from ticketing.staff import Actor
from ticketing.visibility import SEES_CONFIDENTIAL

READERS = frozenset({"clerk", "officer", "inspector", "auditor"})
SPEAKERS = frozenset({"clerk", "inspector"})
"""An inspector sees, and so takes, the conversations of reports alone."""
HIDDEN_KINDS = ("report",)
LAST_WORDS = 3
LONGEST_SETTLED = 400
"""What is kept for the assistant of what staff said: so many messages, so many characters."""


class Words(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=10_000)


class HandBack(BaseModel):
    """`settled`: what was agreed, for the assistant; left out, it is what was said last."""

    model_config = ConfigDict(extra="forbid")
    settled: str | None = Field(None, max_length=2000)


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


def visible(actor: Actor) -> Any:
    """Which conversations this actor may know of: a report's belong to inspectors, an officer's to his department."""
    tickets_of = select(Ticket.id).where(Ticket.conversation_id == Conversation.id)
    reports = tickets_of.where(Ticket.kind.in_(HIDDEN_KINDS)).exists()
    seen: list[Any] = []
    if "inspector" in actor.roles:
        seen.append(reports)
    if actor.roles & {"clerk", "auditor"}:
        seen.append(~reports)
    elif "officer" in actor.roles:
        worked_on = tickets_of.where(Ticket.department.is_not(None))
        if actor.department is not None:
            worked_on = tickets_of.where(Ticket.department == actor.department)
        seen.append(~reports & worked_on.exists())
    return or_(false(), *seen)


async def confidential_among(session: Any, conversation_ids: Iterable[int | None]) -> set[int]:
    """Those conversations in which a resident asked to stay confidential."""
    query = select(Ticket.conversation_id).where(
        Ticket.conversation_id.in_({found for found in conversation_ids if found is not None}),
        Ticket.confidential.is_(True),
    )
    return {found for found in await session.scalars(query) if found is not None}


def may_see_person(session: Any, actor: Actor, conversation_id: int, now: datetime) -> bool:
    """Whether a confidential resident is shown to this reader. A reading is audited."""
    if not actor.roles & SEES_CONFIDENTIAL:
        return False
    audit.record(session, now, actor.name, "resident:read", f"conversation:{conversation_id}")
    return True


async def _find(call: Call) -> Conversation:
    found = await call.session.scalar(
        select(Conversation).where(Conversation.id == call.number("id"), visible(call.actor))
    )
    if found is None:
        raise NotFound("there is no such conversation: GET /conversations lists them")
    return found


def describe(row: Conversation, hidden: bool = False) -> dict[str, Any]:
    return {
        "id": row.id,
        "address": row.address.partition(":")[0] + ":****" if hidden else row.address,
        "account": row.account,
        "resident": row.resident_id,
        "holder": row.holder,
        "taken_by": row.taken_by,
        "waiting_since": write_time(row.waiting_since),
        "summary": row.summary,
        "opened_at": write_time(row.opened_at),
        "last_message_at": write_time(row.last_message_at),
    }


async def list_conversations(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Conversation).where(visible(call.actor)).order_by(Conversation.id.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(Conversation.id < after)
    for name, column in (("address", Conversation.address), ("holder", Conversation.holder)):
        if name in call.query:
            query = query.where(column == call.query[name])
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    hidden = await _hidden(call, rows)
    return page([describe(row, row.id in hidden) for row in rows], rows[-1].id if rows else None, more)


async def _hidden(call: Call, rows: Iterable[Conversation]) -> set[int]:
    """Those of these conversations whose resident this caller may not know."""
    confidential = await confidential_among(call.session, (row.id for row in rows))
    return {found for found in confidential if not may_see_person(call.session, call.actor, found, call.now)}


async def read(call: Call) -> Result:
    found = await _find(call)
    return Result(describe(found, found.id in await _hidden(call, [found])))


async def list_messages(call: Call) -> Result:
    """The messages of one conversation, oldest first."""
    text = call.query.get("conversation", "")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Invalid("name the conversation: ?conversation=<id>", "conversation")
    conversation = await call.session.scalar(
        select(Conversation).where(Conversation.id == int(text), visible(call.actor))
    )
    if conversation is None:
        raise NotFound("there is no such conversation: GET /conversations lists them")
    limit, after = call.limit(), call.after() or 0
    query = select(Message).where(Message.conversation_id == conversation.id, Message.seq > after)
    rows, more = cut((await call.session.scalars(query.order_by(Message.seq).limit(limit + 1))).all(), limit)
    hidden = conversation.id in await _hidden(call, [conversation])
    files = await files_of(call.session, [item["id"] for row in rows for item in row.attachments])
    items = [await describe_message(call, conversation, row, hidden, files) for row in rows]
    return page(items, rows[-1].seq if rows else None, more)


def describe_file(row: StoredFile) -> dict[str, Any]:
    """A file as messages list it; `size` is 0 while it still lies at its platform."""
    url = f"/api/v1/attachments/{row.id}"
    return {"id": row.id, "name": row.name, "type": row.type, "size": row.size, "url": url}


async def describe_message(
    call: Call, conversation: Conversation, row: Message, hidden: bool, files: Mapping[int, StoredFile]
) -> dict[str, Any]:
    text = row.text
    if not hidden:
        text = await conversations.reveal(call.session, conversation.resident_id, text)
    return {
        "id": row.id,
        "seq": row.seq,
        "from": row.author,
        "text": text,
        "at": write_time(row.at),
        "attachments": [describe_file(files[item["id"]]) for item in row.attachments if item["id"] in files],
    }


async def take(call: Call) -> Result:
    """A clerk takes the conversation; decided by one conditional update."""
    conversation = await _find(call)
    call.require(*SPEAKERS)
    call.body()
    await take_over(call.session, conversation, call.actor, call.now)
    call.after_commit += ["outbox", f"conversation:{conversation.id}"]
    return Result(describe(conversation))


async def take_over(
    session: Any, conversation: Conversation, actor: Actor, now: datetime
) -> None:
    changed = await session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id, Conversation.taken_by.is_(None))
        .values(holder=Holder.STAFF, taken_by=actor.name, waiting_since=None)
        .execution_options(synchronize_session=False)
    )
    await session.refresh(conversation)
    if not changed.rowcount and conversation.taken_by != actor.name:
        raise Conflict(f"{conversation.taken_by} has this conversation already: read on, or ask to be given it")
    if changed.rowcount:
        await tell(session, conversation, say("taken_by_staff", name=actor.name), None, now)
        audit.record(session, now, actor.name, "conversation:take", f"conversation:{conversation.id}")


async def give_back(call: Call) -> Result:
    conversation = await _find(call)
    call.require(*SPEAKERS)
    await hand_back(call.session, conversation, call.actor, call.now, call.body().settled)
    call.after_commit += ["outbox", f"conversation:{conversation.id}"]
    return Result(describe(conversation))


async def hand_back(
    session: Any, conversation: Conversation, actor: Actor, now: datetime, settled: str | None = None
) -> None:
    """The assistant has it again and knows what was settled; the next message opens a new matter."""
    if conversation.holder != Holder.STAFF:
        raise Conflict("the assistant holds this conversation already")
    if settled:
        settled = await conversations.hide(session, conversation.resident_id, settled, only_known=True)
    conversation.summary = settled or await _last_said(session, conversation)
    line.step_out(conversation)
    matter = await conversations.current_matter(session, conversation, now)
    matter.ended, matter.form_open = True, False
    await tell(session, conversation, say("given_back"), None, now)
    audit.record(session, now, actor.name, "conversation:give_back", f"conversation:{conversation.id}")


async def _last_said(session: Any, conversation: Conversation) -> str | None:
    """The last words of staff since the assistant spoke last; None where nobody said anything."""
    spoke = select(func.max(Message.seq)).where(
        Message.conversation_id == conversation.id, Message.author == "assistant"
    )
    query = select(Message.text).where(
        Message.conversation_id == conversation.id, Message.author == "staff", Message.actor.is_not(None),
        Message.seq > func.coalesce(spoke.scalar_subquery(), 0),
    )
    texts = (await session.scalars(query.order_by(Message.seq.desc()).limit(LAST_WORDS))).all()
    return " ".join(reversed(texts))[:LONGEST_SETTLED] or None


async def speak(call: Call) -> Result:
    conversation = await _find(call)
    call.require(*SPEAKERS)
    words = call.body()
    await speak_as_staff(call.session, conversation, call.actor, words.text, call.now)
    call.after_commit += ["outbox", f"conversation:{conversation.id}"]
    return Result(describe(conversation), 201)


async def show_typing(call: Call) -> Result:
    conversation = await _find(call)
    call.require(*SPEAKERS)
    call.body()
    if conversation.taken_by not in (None, call.actor.name):
        raise Conflict(f"{conversation.taken_by} has this conversation: ask to be given it")
    await presence.show_typing(call.runtime, conversation)
    return Result({"shown": True})


async def speak_as_staff(
    session: Any, conversation: Conversation, actor: Actor, text: str, now: datetime
) -> None:
    if conversation.taken_by not in (None, actor.name):
        raise Conflict(f"{conversation.taken_by} has this conversation: ask to be given it")
    await tell(session, conversation, text, actor.name, now)


async def tell(
    session: Any, conversation: Conversation, text: str, actor: str | None, now: datetime
) -> None:
    """A sentence into the conversation, through the outbox; recorded as said by staff."""
    address = Address.parse(conversation.address)
    message = OutboundMessage(address.channel, conversation.account, address.value, text, "staff")
    row = queues.enqueue(session, message, now, conversation_id=conversation.id)
    await session.flush()
    await conversations.record_message(
        session, conversation, now, author="staff", text=text, actor=actor, outbox_id=row.id
    )


ENDPOINTS = (
    Endpoint("GET", "/conversations", list_conversations, "Conversations, newest first", roles=READERS,
             query=("address", "holder", "limit", "after"), tag="conversations"),
    Endpoint("GET", "/conversations/{id}", read, "One conversation", roles=READERS, tag="conversations"),
    Endpoint("GET", "/messages", list_messages, "Messages of a conversation, oldest first", roles=READERS,
             query=("conversation", "limit", "after"), tag="conversations"),
    Endpoint("POST", "/conversations/{id}/take", take, "Take a conversation over", Nothing, session="write",
             tag="conversations"),
    Endpoint("POST", "/conversations/{id}/give_back", give_back, "Give a conversation back to the assistant",
             HandBack, session="write", tag="conversations"),
    Endpoint("POST", "/conversations/{id}/messages", speak, "Say something to the resident", Words,
             session="write", status=201, tag="conversations"),
    Endpoint("POST", "/conversations/{id}/typing", show_typing, "Show the resident that somebody is writing", Nothing,
             tag="conversations"),
)
