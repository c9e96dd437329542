"""Before WeChat's window closes on somebody who is still owed an answer, he is asked to keep it open."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.wechat import WeChatWindow
from core import clock, queues
from core.conversation import Conversation
from core.message import OutboundMessage
from service.runtime import Runtime
from service.texts import say
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket

BEFORE = timedelta(hours=4)
"""The window closes 48 hours after the resident's last message; he is asked at 44."""
LEFT = 2
"""One message for the question, and one for the answer if it comes before he writes."""


async def remind_due(runtime: Runtime) -> None:
    """One question for each window, however many processes look."""
    now = clock.now()
    async with runtime.db.reading() as session:
        query = select(WeChatWindow).where(
            WeChatWindow.kind == "message", WeChatWindow.reminded.is_(False), WeChatWindow.left >= LEFT,
            WeChatWindow.closes_at > now, WeChatWindow.closes_at <= now + BEFORE,
        )
        windows = (await session.scalars(query.limit(200))).all()
        session.expunge_all()
    for window in windows:
        async with runtime.db.writing() as session:
            if await _claim(session, window):
                await _remind(runtime, session, window, now)
    if windows:
        runtime.news.notify("outbox")


async def _claim(session: AsyncSession, window: WeChatWindow) -> bool:
    """False when somebody else has it, or the resident has just written and the window is another."""
    changed = await session.execute(
        update(WeChatWindow)
        .where(
            WeChatWindow.account == window.account, WeChatWindow.openid == window.openid,
            WeChatWindow.kind == "message", WeChatWindow.reminded.is_(False),
            WeChatWindow.closes_at == window.closes_at,
        )
        .values(reminded=True)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def _remind(runtime: Runtime, session: AsyncSession, window: WeChatWindow, now: datetime) -> None:
    channel = runtime.channels.get(("wechat", window.account))
    if channel is None or not channel.capabilities.pushes:
        return
    owed = (
        await session.execute(
            select(Ticket.id, Ticket.number, Conversation.id)
            .join(Conversation, Conversation.id == Ticket.conversation_id)
            .where(
                Conversation.address == f"wechat:{window.openid}", Conversation.account == window.account,
                Ticket.state.in_(OPEN),
            )
            .order_by(Ticket.id.desc())
        )
    ).first()
    if owed is None:
        return
    ticket_id, number, conversation_id = owed
    text = say("keep_open", number=number)
    message = OutboundMessage("wechat", window.account, window.openid, text, "notice")
    queues.enqueue(
        session, message, now, conversation_id=conversation_id, ticket_id=ticket_id, deadline_at=window.closes_at
    )
