"""One inbox row: whose conversation, which matter, in whose hands; then the assistant's turn, then the outbox.

The only place that opens conversations. The steps of `handle()` are the path of design §4.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, log, queues
from core import conversation as conversations
from core.conversation import Conversation, Holder, Matter, Message
from core.errors import AssistantUnavailable
from core.message import Address, OutboundMessage
from core.queues import Inbox
from service import away, calls, danger, delivery, line, mail, mail_machines, photographs, scenes, second_hearing
from service.assistant import Saying, Turn
from service.runtime import Runtime
from service.texts import say

logger = log.logger(__name__)

WELCOMED_EVENTS = {"subscribe", "scan", "click"}
"""Following us, and a code or a button that we do not know: the resident waits for a word."""
NOTICE_RESULT = "templatesendjobfinish"
INTERACTIVE = {"wechat", "webchat"}
"""Channels in which one missing thing is asked for at a time."""
SILENT = {"phone", "desk"}
"""Channels in which nothing can be said: what is missing is marked for the clerk."""
MEDIA_WORDS = {"image": "图片", "video": "视频", "audio": "语音", "voice": "语音"}
ENDS_MATTER = re.compile(r"^\W*(再见|拜拜|没事了|没有了|不用了谢谢)\W*$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message belongs: loaded once, used after the transaction that found it."""

    conversation: Conversation
    matter: Matter
    message: Message
    repeats: bool = False
    """The same mail was sent before, within the hour: it was answered then."""
    scan: scenes.Scan | None = None
    """The poster he scanned, where the message is a scan of one of ours."""


async def handle(runtime: Runtime, row: Inbox, worker: str, now: datetime) -> None:
    """Take one claimed inbox row to its end: replies in the outbox and the row done, in one transaction."""
    if await mail_machines.handle_quietly(runtime, row, worker, now):
        return
    async with runtime.db.writing() as session:
        place = await _find_place(session, row, now)
        if _is_from_resident(row):
            await delivery.resend_announced(runtime, session, place.conversation, now)
            await delivery.resend_unsaid(runtime, session, place.conversation, now)
        earlier = await calls.ticket_of_earlier_version(session, row)
    heard = await calls.tell_matters(runtime, row) if calls.is_call(row) and earlier is None else None
    for_ticket = await mail.word_on_ticket(runtime, row, place.matter, place.message)
    is_said_to = earlier or heard or for_ticket or place.repeats
    sayings = [] if is_said_to else await _answer(runtime, row, place, now)
    away_now = sayings is None
    async with runtime.db.writing() as session:
        conversation = await session.get_one(Conversation, place.conversation.id)
        matter = await session.get_one(Matter, place.matter.id)
        if not await queues.finish(session, Inbox, row.id, worker, done_at=now):
            logger.warning("lease lost, another worker has this message", inbox=row.id)
            return
        if earlier is not None:
            matter.ticket_id = earlier.id
            await calls.add_version(runtime, session, earlier, row, now)
        if heard is not None:
            registered = await calls.register(runtime, session, conversation, matter, row, heard.told, now)
            if not heard.is_whole:
                second_hearing.remember(session, row, registered)
        if for_ticket and not place.repeats:
            sayings = await mail.add_to_ticket(runtime, session, conversation, matter, row, for_ticket, now)
        if sayings is None and row.event:
            sayings = [Saying(say("scanned_without_assistant"))]
        if sayings and not row.text.strip() and row.attachments and not _is_voice(row):
            added = await photographs.add(runtime, session, conversation, matter, _name_files(row), now)
            sayings = added or sayings
        if sayings is None:
            sayings = await away.hand_to_clerk(runtime, session, conversation, matter, place.message, now)
        if ENDS_MATTER.match(row.text) and not matter.form_open:
            matter.ended = True
        if sayings and not await mail_machines.may_answer(session, row, conversation.id, now):
            logger.warning("a loop is suspected: no automatic answer", inbox=row.id)
            sayings = []
        await _say(runtime, session, row, conversation, matter, sayings, now)
    if away_now:
        runtime.turns_without_assistant.inc()
    runtime.news.notify("outbox")
    runtime.news.notify(f"answered:{row.id}")


def _is_from_resident(row: Inbox) -> bool:
    """Whether he himself did something: a bounce or the platform's word on a notice opens no window."""
    return not row.facts.get("automatic") and (row.event is None or row.event in WELCOMED_EVENTS)


async def _find_place(session: AsyncSession, row: Inbox, now: datetime) -> Place:
    """The conversation and matter, with the message recorded once however often the row is tried."""
    conversation = await conversations.find_or_open(session, Address(row.channel, row.sender), row.account, now)
    repeats = row.channel == "email" and await mail_machines.find_repeat(session, conversation.id, row) is not None
    scan = await scenes.find_scan(session, row)
    message = await session.scalar(select(Message).where(Message.inbox_id == row.id))
    if message and message.matter_id:
        return Place(conversation, await session.get_one(Matter, message.matter_id), message, repeats, scan)
    if row.channel == "email":
        matter = await mail.find_matter(session, conversation, row, now)
    else:
        matter = await conversations.current_matter(session, conversation, now)
    message = await conversations.record_message(
        session,
        conversation,
        now,
        author="resident",
        text=scan.text if scan else _words(row),
        matter=matter,
        attachments=row.attachments,
        inbox_id=row.id,
    )
    await session.execute(
        update(Inbox).where(Inbox.id == row.id).values(conversation_id=conversation.id, matter_id=matter.id)
    )
    return Place(conversation, matter, message, repeats, scan)


async def _answer(runtime: Runtime, row: Inbox, place: Place, now: datetime) -> list[Saying] | None:
    """What is said to this message; None when the assistant is away. No transaction is open here."""
    if row.facts.get("automatic") or (row.event and not row.text and place.scan is None):
        return await _answer_event(runtime, row)
    if place.conversation.holder == Holder.STAFF:
        runtime.news.notify(f"conversation:{place.conversation.id}")
        if place.conversation.taken_by is None and not runtime.office.is_open(now) and line.asks_after_it(place.message.text):
            opens = clock.local(runtime.office.calendars.of(None).next_opening(now))
            return [Saying(say("in_line_till_open", opens=f"{opens.month}月{opens.day}日{opens:%H:%M}"))]
        if not await _speaks_all_the_same(runtime, place, now):
            return await _answer_who_waits(runtime, row, place, now)
    if not row.event and not row.text.strip():
        return [_ask_for_words(row)]
    return await _take_turn(runtime, row, place, place.scan.said if place.scan else place.message.text)


async def _take_turn(runtime: Runtime, row: Inbox, place: Place, text: str) -> list[Saying] | None:
    turn = Turn(place.matter.id, row.id, text, _metadata(runtime, row, place))
    welcome = await _answer_event(runtime, row) if row.event == "subscribe" else []
    try:
        return [*welcome, *await runtime.assistant.take_turn(turn, again=row.attempts > 1)]
    except AssistantUnavailable as error:
        logger.warning("no answer from the assistant", inbox=row.id, reason=error.detail)
        return None


async def _speaks_all_the_same(runtime: Runtime, place: Place, now: datetime) -> bool:
    """In a person's hands the assistant is silent, but for danger, and while nobody can be there yet."""
    if place.conversation.taken_by is None and not runtime.office.is_open(now):
        return True
    try:
        understood = await runtime.assistant.understand(place.message.text)
    except AssistantUnavailable:
        return danger.see(place.message.text) is not None
    return bool((understood.get("intent") or {}).get("name") == "report_emergency")


async def _answer_who_waits(runtime: Runtime, row: Inbox, place: Place, now: datetime) -> list[Saying] | None:
    """Nothing, once a person is there. Before that he may ask how long it takes, or wait no longer; in danger he is not met with silence."""
    if place.conversation.taken_by is not None:
        return []
    rest = line.leave_with(place.message.text)
    only_speaks = rest is None and not line.asks_after_it(place.message.text)
    async with runtime.db.writing() as session:
        conversation = await session.get_one(Conversation, place.conversation.id)
        if conversation.taken_by is not None or conversation.holder != Holder.STAFF:
            return []
        if only_speaks:
            comfort = say("with_you_soon")
            silent = not await line.is_in_danger(session, conversation) or await line.was_said(session, conversation, comfort)
            return [] if silent else [Saying(comfort)]
        if rest is None:
            ahead = await line.waiting_before(session, conversation)
            return [Saying(say("still_in_line" if ahead else "first_in_line", ahead=ahead))]
        line.step_out(conversation)
        audit.record(session, now, "resident", "conversation:leave_line", f"conversation:{conversation.id}")
    runtime.news.notify("conversations")
    return await _take_turn(runtime, row, place, rest) if rest else [Saying(say("left_the_line"))]


async def _answer_event(runtime: Runtime, row: Inbox) -> list[Saying]:
    """A welcome to who follows us; a bounce changes the delivery it belongs to; a machine gets no answer."""
    if row.event == NOTICE_RESULT:
        await delivery.take_notice_result(runtime, row)
    if row.event in WELCOMED_EVENTS:
        return [Saying(say("welcome", office=runtime.office.name))]
    return []


def _ask_for_words(row: Inbox) -> Saying:
    if _is_voice(row):
        return Saying(say("voice_not_understood"))
    return Saying(say("say_it_in_words", what=_name_files(row)) if row.attachments else say("nothing_said"))


def _is_voice(row: Inbox) -> bool:
    return any(str(item["type"]).partition("/")[0] in {"audio", "voice"} for item in row.attachments)


def _name_files(row: Inbox) -> str:
    kinds = {str(item["type"]).partition("/")[0] for item in row.attachments}
    return "、".join(dict.fromkeys(MEDIA_WORDS.get(kind, "文件") for kind in sorted(kinds)))


def _words(row: Inbox) -> str:
    """What stands in the record as said; of a call with its spoken numbers in digits, so that they become tokens."""
    return calls.write_down(row) if calls.is_call(row) else row.text or _describe(row)


def _describe(row: Inbox) -> str:
    """How a message without text stands in the record."""
    if row.event:
        return f"[{row.event}]"
    return "".join(f"[{MEDIA_WORDS.get(str(item['type']).partition('/')[0], '文件')}]" for item in row.attachments)


def _metadata(runtime: Runtime, row: Inbox, place: Place) -> dict[str, Any]:
    return {
        "matter": place.matter.id,
        "message": row.id,
        "channel": row.channel,
        "interactive": row.channel in INTERACTIVE,
        "preset": runtime.settings.office.preset,
        "received_at": row.received_at.isoformat(),
        "place": place.scan.place if place.scan else None,
    }


async def _say(
    runtime: Runtime,
    session: AsyncSession,
    row: Inbox,
    conversation: Conversation,
    matter: Matter,
    sayings: list[Saying],
    now: datetime,
) -> None:
    """Put what is said into the outbox; one message where each costs a part of the platform's budget."""
    if row.channel in SILENT:
        return
    texts = [
        Saying(await conversations.reveal(session, conversation.resident_id, item.text), item.choices)
        for item in sayings
    ]
    if row.channel != "webchat" and len(texts) > 1:
        choices = next((item.choices for item in reversed(texts) if item.choices), ())
        texts = [Saying("\n\n".join(item.text for item in texts), choices)]
    passive = row.passive_until if row.passive_until and row.passive_until > now else None
    for saying in texts:
        message = OutboundMessage(
            channel=row.channel,
            account=row.account,
            recipient=row.sender,
            text=saying.text,
            origin="assistant",
            in_reply_to=row.external_id,
            choices=saying.choices,
        )
        sent = queues.enqueue(
            session, message, now, inbox_id=row.id, conversation_id=conversation.id,
            scheduled_at=passive, deadline_at=now + delivery.ANSWER_LASTS,
        )
        await session.flush()
        await conversations.record_message(
            session, conversation, now, author="assistant", text=saying.text, matter=matter, outbox_id=sent.id
        )
