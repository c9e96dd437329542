"""Which matter a mail belongs to, and what it says to a ticket."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import conversation as conversations
from core import log, persons
from core.conversation import Conversation, Matter, Message
from core.errors import AssistantUnavailable
from core.queues import Inbox, Outbox
from service.assistant import Saying
from service.mail_answers import Answer, learn, place_for, read_answer
from service.mail_machines import find_repeat
from service.runtime import Runtime
from service.texts import say
from ticketing import delivery as ticket_delivery
from ticketing import tickets
from ticketing.lifecycle import OPEN, State
from ticketing.model import Ticket
from ticketing.staff import Actor

logger = log.logger(__name__)

OVER = frozenset({State.DECLINED, State.WITHDRAWN, State.ARCHIVED})
"""What is said after these is a new matter."""

FOR_THE_ASSISTANT = frozenset({
    "ask_status", "urge", "withdraw", "rate", "correct", "ask_human", "ask_guide", "report_emergency",
    "book_appointment", "move_appointment", "cancel_appointment",
})
"""Intents that the assistant answers even in a thread that has its ticket; all else is said to the ticket."""
SURE = 0.6
ON_HIS_WORD = Actor("resident", frozenset({"clerk", "inspector"}), None)
"""As a clerk would write it down for him."""
CIVILITIES = frozenset({"thanks", "goodbye", "greet"})
SHORT = 30


async def find_matter(session: AsyncSession, conversation: Conversation, row: Inbox, now: datetime) -> Matter:
    """The matter of a mail: of the mail of ours it answers, of the ticket it names, of its thread; else a new one."""
    named = await _named_ticket(session, conversation, row)
    if named is not None and named.state not in OVER:
        return await _matter_of_ticket(session, conversation, named, row, now)
    found = await _matter_of_thread(session, conversation, row)
    if found is not None:
        ticket = await session.get(Ticket, found.ticket_id) if found.ticket_id else None
        if ticket is None or (await _surviving(session, ticket)).state not in OVER:
            return found
    return await conversations.open_matter(session, conversation, now, row.facts.get("thread"))


async def _named_ticket(session: AsyncSession, conversation: Conversation, row: Inbox) -> Ticket | None:
    """The ticket whose mail is answered, or whose number is named; only a ticket of this resident's own."""
    answered = select(Outbox.ticket_id).where(
        Outbox.channel == "email", Outbox.ticket_id.is_not(None), Outbox.platform_id.in_(_ids(row))
    )
    of_mail = await session.scalar(
        select(Ticket).where(Ticket.id.in_(answered), _own(conversation)).order_by(Ticket.id.desc()).limit(1)
    )
    number = row.facts.get("ticket_number")
    if of_mail is not None or not number:
        return await _surviving(session, of_mail) if of_mail is not None else None
    of_number = await session.scalar(select(Ticket).where(Ticket.number == number, _own(conversation)))
    return await _surviving(session, of_number) if of_number is not None else None


def _own(conversation: Conversation) -> ColumnElement[bool]:
    """A ticket of this person, by whatever channel it came."""
    same = persons.is_same_person(Ticket.resident_id, conversation.resident_id)
    return or_(same, Ticket.conversation_id == conversation.id)


async def _surviving(session: AsyncSession, ticket: Ticket) -> Ticket:
    """The ticket into which this one was merged, however often."""
    for _ in range(20):
        if ticket.merged_into_id is None:
            break
        ticket = await session.get_one(Ticket, ticket.merged_into_id)
    return ticket


def _ids(row: Inbox) -> list[str]:
    """What the mail says it answers, the nearest first."""
    return [name for name in (row.in_reply_to, *reversed(row.facts.get("references") or [])) if name]


async def _matter_of_ticket(
    session: AsyncSession, conversation: Conversation, ticket: Ticket, row: Inbox, now: datetime
) -> Matter:
    query = select(Matter).where(Matter.conversation_id == conversation.id, Matter.ticket_id == ticket.id)
    found = await session.scalar(query.order_by(Matter.ordinal.desc()).limit(1))
    if found is None:
        found = await conversations.open_matter(session, conversation, now, row.facts.get("thread"))
        found.ticket_id = ticket.id
        await session.flush()
    return found


async def _matter_of_thread(session: AsyncSession, conversation: Conversation, row: Inbox) -> Matter | None:
    """By the thread's first mail, by any earlier mail of it, or because the same was sent before."""
    mine = select(Matter).where(Matter.conversation_id == conversation.id)
    threads = [*_ids(row), row.facts.get("thread")]
    found = await session.scalar(mine.where(Matter.thread.in_(threads)).order_by(Matter.ordinal.desc()).limit(1))
    if found is not None:
        return found
    answers = select(Outbox.inbox_id).where(Outbox.channel == "email", Outbox.platform_id.in_(_ids(row)))
    earlier = [Inbox.id.in_(answers), *(Inbox.external_id.startswith(f"{name}:", autoescape=True) for name in _ids(row))]
    for which in earlier:
        of_mail = select(Inbox.matter_id).where(Inbox.conversation_id == conversation.id, which)
        found = await session.scalar(mine.where(Matter.id.in_(of_mail)).order_by(Matter.ordinal.desc()).limit(1))
        if found is not None:
            return found
    repeated = await find_repeat(session, conversation.id, row)
    return await session.get(Matter, repeated.matter_id) if repeated and repeated.matter_id else None


async def word_on_ticket(runtime: Runtime, row: Inbox, matter: Matter, message: Message) -> Answer | None:
    """What this mail says to its thread's ticket; None where it goes through the assistant. No transaction is open here."""
    if row.channel != "email" or row.event or row.facts.get("automatic") or matter.ticket_id is None:
        return None
    async with runtime.db.reading() as session:
        ticket = await session.get_one(Ticket, matter.ticket_id)
        if not await _came_later(session, row, message, ticket):
            return None
    parsed: dict[str, Any] = {}
    if row.text.strip():
        with suppress(AssistantUnavailable):
            parsed = await runtime.assistant.understand(message.text)
    intent = parsed.get("intent") or {}
    asks = intent.get("name") in FOR_THE_ASSISTANT and float(intent.get("confidence") or 0) >= SURE
    return None if asks and not ticket.supplement_open else read_answer(row.text, parsed)


async def _came_later(session: AsyncSession, row: Inbox, message: Message, ticket: Ticket) -> bool:
    """False for the mail that the ticket was made of, also when it is handled again after a crash."""
    if ticket.registered_at < row.received_at:
        return True
    before = select(Message.id).where(
        Message.matter_id == message.matter_id, Message.seq < message.seq, Message.author == "resident"
    )
    return row.attempts == 1 and await session.scalar(before.limit(1)) is not None


async def add_to_ticket(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, matter: Matter, row: Inbox, answer: Answer, now: datetime
) -> list[Saying]:
    """What a mail says to its ticket: a supplement while it is open, a call by a person after it was answered."""
    ticket = await _surviving(session, await session.get_one(Ticket, matter.ticket_id))
    matter.ticket_id = ticket.id
    text = row.text.strip() or "、".join(str(item["name"]) for item in row.attachments)
    if not text or (_is_civility(text) and not row.attachments):
        return []
    if ticket.state in OPEN:
        actor = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
        learnt = await learn(session, ticket, answer, text)
        place = place_for(ticket, answer)
        body = {"text": text} | ({"place": place} if place else {})
        await tickets.perform(session, runtime.office, actor, ticket.number, "supplement", body, None, now)
        if answer.confidential and not ticket.confidential:
            await tickets.perform(session, runtime.office, ON_HIS_WORD, ticket.number, "amend", {"confidential": True}, None, now)
            learnt += "\n" + say("confidential_now")
        runtime.news.notify("tickets")
        return [Saying(say("mail_joined_ticket", number=ticket.number) + learnt)]
    await ticket_delivery.open_callback(session, runtime.office, ticket, None, text, now, reason="wrote_again")
    return [Saying(say("mail_after_reply", number=ticket.number))]


def _is_civility(text: str) -> bool:
    """谢谢 alone asks for nothing."""
    rest = text
    for word in ("非常感谢", "感谢", "谢谢", "多谢", "收到", "好的", "知道了", "辛苦了", "您", "你们", "了", "已", "！", "!", "。", "，", ",", " ", "\n"):
        rest = rest.replace(word, "")
    return not rest
