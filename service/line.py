"""While a resident waits for a person and nobody has come yet: his place in the line, and his leaving it."""

import re

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Conversation, Holder

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


async def waiting_before(session: AsyncSession, conversation: Conversation) -> int:
    """How many have asked for a person before him and still wait."""
    query = select(func.count()).where(
        Conversation.holder == Holder.STAFF,
        Conversation.taken_by.is_(None),
        Conversation.waiting_since < conversation.waiting_since,
    )
    return int(await session.scalar(query) or 0)


def step_out(conversation: Conversation) -> None:
    """Back to the assistant."""
    conversation.holder, conversation.taken_by, conversation.waiting_since = Holder.ASSISTANT, None, None
