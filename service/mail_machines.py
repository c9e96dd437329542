"""Mails that machines cause: returned mail, copies in a second mailbox, repeats, loops and floods."""

import re
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import log, queues
from core.conversation import Conversation
from core.errors import Conflict
from core.message import Address
from core.queues import WAITING, Inbox, Outbox, Result
from service import delivery
from service.runtime import Runtime
from ticketing.model import Ticket

logger = log.logger(__name__)

AN_HOUR = timedelta(hours=1)
MANY = 10
"""More mails than this in an hour from one sender look like a loop: he gets one automatic answer an hour."""
FLOOD = 200
"""More than this, and the rest waits for a person."""
RETURNS_WITHIN = timedelta(days=6)
"""Mail servers give up after five days."""
AUTOMATIC_ORIGINS = ("assistant", "receipt")
_PREFIXES = re.compile(r"(?i)^(\s*(re|fwd?|aw|回复|答复|回覆|转发|转)\s*([\[(]\d+[\])])?\s*[:：])+")
_NUMBER = re.compile(r"(?i)\[?HY\d{8}-\d{5,}\]?")


async def handle_quietly(runtime: Runtime, row: Inbox, worker: str, now: datetime) -> bool:
    """Take a mail that belongs to no conversation to its end; False for all others."""
    if row.channel != "email":
        return False
    if row.event == "bounce":
        await take_bounce(runtime, row)
    elif row.event != "own" and not await _is_quiet(runtime, row, worker, now):
        return False
    async with runtime.db.writing() as session:
        await queues.finish(session, Inbox, row.id, worker, done_at=now)
    return True


async def _is_quiet(runtime: Runtime, row: Inbox, worker: str, now: datetime) -> bool:
    async with runtime.db.writing() as session:
        if await is_copy(runtime, session, row):
            return True
        conversation = await _known_conversation(session, row)
        if row.event == "auto_reply":
            return conversation is None
        if conversation is None or row.conversation_id is not None:
            return False
        if await _mails_within(session, conversation.id, now) < FLOOD:
            return False
        await queues.set_aside(session, Inbox, row.id, worker, f"more than {FLOOD} mails in an hour: is it a loop?")
    return True


async def is_copy(runtime: Runtime, session: AsyncSession, row: Inbox) -> bool:
    """The same mail came into another mailbox of ours before: whoever writes to two departments has one matter."""
    others = [account for name, account in runtime.channels if name == "email" and account != row.account]
    earlier = select(Inbox.id).where(
        Inbox.channel == "email", Inbox.account.in_(others), Inbox.external_id == row.external_id, Inbox.id < row.id
    )
    return await session.scalar(earlier.limit(1)) is not None


async def _known_conversation(session: AsyncSession, row: Inbox) -> Conversation | None:
    address = str(Address(row.channel, row.sender))
    return await session.scalar(
        select(Conversation).where(Conversation.address == address, Conversation.account == row.account)
    )


async def _mails_within(session: AsyncSession, conversation_id: int, now: datetime) -> int:
    query = select(func.count()).where(Inbox.conversation_id == conversation_id, Inbox.created_at > now - AN_HOUR)
    return await session.scalar(query) or 0


async def find_repeat(session: AsyncSession, conversation_id: int, row: Inbox) -> Inbox | None:
    """An earlier mail of the last hour with the same subject and words: sent twice, or by a program."""
    query = (
        select(Inbox)
        .where(
            Inbox.conversation_id == conversation_id, Inbox.id < row.id, Inbox.created_at > row.created_at - AN_HOUR,
        )
        .order_by(Inbox.id.desc())
        .limit(30)
    )
    for other in await session.scalars(query):
        same = other.text == row.text and other.attachments == row.attachments and not other.event
        if same and plain_subject(other) == plain_subject(row):
            return other
    return None


def plain_subject(row: Inbox) -> str:
    """The subject without Re: and 回复：, however many, and without the number that we wrote beside it."""
    return _NUMBER.sub("", _PREFIXES.sub("", str(row.facts.get("subject") or ""))).strip()


async def may_answer(session: AsyncSession, row: Inbox, conversation_id: int, now: datetime) -> bool:
    """Whether an automatic answer may go out: never to a repeat, one an hour to whom a loop is suspected of."""
    if row.channel != "email":
        return True
    if await find_repeat(session, conversation_id, row) is not None:
        return False
    if await _mails_within(session, conversation_id, now) <= MANY:
        return True
    said = select(Outbox.id).where(
        Outbox.conversation_id == conversation_id,
        Outbox.origin.in_(AUTOMATIC_ORIGINS),
        Outbox.created_at > now - AN_HOUR,
    )
    return await session.scalar(said.limit(1)) is None


async def take_bounce(runtime: Runtime, row: Inbox) -> None:
    """A mail came back for good: its attempt failed, and the plan goes on. A delay changes nothing."""
    bounce = row.facts.get("bounce") or {}
    if not bounce.get("permanent"):
        return
    async with runtime.db.writing() as session:
        returned = await _find_returned(session, row)
        if returned is None:
            logger.info("returned mail is none of ours", inbox=row.id)
            return
        if returned.status in WAITING:
            raise Conflict("the mail that came back is still being sent: look again in a moment")
        if returned.result != Result.SENT:
            return
        await delivery.undo(runtime, session, returned, f"bounced: {bounce.get('status') or 'refused'}")
        if returned.origin == "staff" and returned.ticket_id is None and returned.conversation_id is not None:
            conversation = await session.get_one(Conversation, returned.conversation_id)
            conversation.waiting_since = conversation.waiting_since or row.received_at
    runtime.news.notify("outbox")


async def _find_returned(session: AsyncSession, row: Inbox) -> Outbox | None:
    """The row that came back: by our sealed mark, by its Message-ID, else by recipient and ticket."""
    bounce = row.facts["bounce"]
    if bounce.get("outbox_id"):
        return await session.get(Outbox, bounce["outbox_id"])
    if bounce.get("message_id"):
        return await session.scalar(
            select(Outbox).where(Outbox.channel == "email", Outbox.platform_id == bounce["message_id"])
        )
    recipients = [address for address in bounce.get("recipients") or [] if address]
    query = (
        select(Outbox)
        .where(
            Outbox.channel == "email", Outbox.account == row.account, Outbox.result == Result.SENT,
            func.lower(Outbox.recipient).in_(recipients), Outbox.sent_at > row.received_at - RETURNS_WITHIN,
        )
        .order_by(Outbox.id.desc())
    )
    if number := bounce.get("number"):
        query = query.join(Ticket, Ticket.id == Outbox.ticket_id).where(Ticket.number == number)
    return await session.scalar(query.limit(1)) if recipients else None
