"""While a resident waits for a person and nobody has come yet: his place in the line, and his leaving it."""

import re

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Conversation, Holder, Message
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket

_ASKS_AFTER = re.compile(
    r"^[\W]*(?:喂+|哎|诶|请问|你好|您好)?[\W]*(?:还?有(?:没有)?人(?:在|值班|回复?|理我?)?(?:吗|么|嘛|没有?|不|伐|咩|啵|呢|呀|啊|哇|[?？])|人(?:呢|哪去了)|人工呢|在(?:吗|么|不在)|还在(?:吗|么)|怎么(?:还)?没人"
    r"|(?:还)?(?:要|得)(?:等|排)?多(?:久|长时间)|(?:还要)?等多久|(?:我)?(?:前面)?(?:还有)?(?:几|多少)(?:个人|位|人)|排(?:到)?(?:第)?几(?:位|个|了)?)")
_LEAVES = re.compile(
    r"^[\W]*(?:算了)?[\W]*(?:我)?(?:(?:不|别)(?:再)?(?:等|排(?:队)?)了?(?:吧|啦)?|不(?:用|要|找|转)(?:转)?人工了?|不用人工了)(?=\W|$)[\W]*")
LONGEST = 14
"""Who says more than this beside it tells something else too."""


def asks_after_it(text: str) -> bool:
    """喂，有人吗; 还要等多久."""
    return len(text) <= LONGEST and bool(_ASKS_AFTER.search(text))


def leave_with(text: str) -> str | None:
    """What is left to say of him who waits no longer (算了不等了，我家停水了); None where he goes on waiting."""
    return _LEAVES.sub("", text, count=1) if _LEAVES.search(text) else None


def in_danger() -> ColumnElement[bool]:
    """Whether a danger was reported in a conversation that is not over: who speaks of dying waits behind nobody."""
    return exists().where(
        Ticket.conversation_id == Conversation.id, Ticket.urgency == "emergency", Ticket.state.in_(OPEN)
    )


async def is_in_danger(session: AsyncSession, conversation: Conversation) -> bool:
    """The same of one conversation."""
    return bool(await session.scalar(select(in_danger()).where(Conversation.id == conversation.id)))


async def waiting_before(session: AsyncSession, conversation: Conversation) -> int:
    """How many still wait for a person who asked before him, or are in danger where he is not."""
    earlier = Conversation.waiting_since < conversation.waiting_since
    first = earlier & in_danger() if await is_in_danger(session, conversation) else or_(earlier, in_danger())
    query = select(func.count()).where(
        Conversation.holder == Holder.STAFF, Conversation.taken_by.is_(None), Conversation.waiting_since.is_not(None),
        Conversation.id != conversation.id, first,
    )
    return int(await session.scalar(query) or 0)


async def was_said(session: AsyncSession, conversation: Conversation, text: str) -> bool:
    """Whether he heard this already while he waits."""
    return bool(await session.scalar(select(exists().where(
        Message.conversation_id == conversation.id, Message.author == "assistant", Message.text == text,
        Message.at >= conversation.waiting_since))))


def step_out(conversation: Conversation) -> None:
    """Back to the assistant."""
    conversation.holder, conversation.taken_by, conversation.waiting_since = Holder.ASSISTANT, None, None
