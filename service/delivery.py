"""Sending: a row is claimed, the database let go, the channel asked, and what came of it recorded.

Sent, later, or the next step of the plan; and what is learnt afterwards: a link that was opened, a bounce, a report.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Channel, PermanentFailure, Sent, TemporaryFailure, WindowClosed
from core import clock, log, queues
from core.conversation import Conversation
from core.message import OutboundMessage
from core.queues import Inbox, Outbox, Result, Status
from service import letters, merging
from service.delivery_plan import OTHER_STEPS_LAST, TO_STAFF, announce_wait, begin_next
from service.mail_headers import headers_of
from service.runtime import Runtime
from service.texts import say
from ticketing import delivery as ticket_delivery
from ticketing.model import Ticket

logger = log.logger(__name__)

ANSWER_LASTS = timedelta(hours=48)
"""An answer of the assistant that could not be said for this long is not said any more."""

BACK_OFF = tuple(timedelta(seconds=s) for s in (2, 10, 30, 120, 300, 900))


async def deliver(runtime: Runtime, row: Outbox, worker: str) -> None:
    """Send one claimed row and record what came of it. No transaction is open while the platform is asked."""
    others = await merging.riders(runtime, row)
    try:
        sent = await _send(runtime, row, others)
    except TemporaryFailure as error:
        await _try_later(runtime, row, worker, error.detail)
    except WindowClosed as error:
        await _go_on(runtime, row, worker, Result.HANDED_ON, error.detail)
    except PermanentFailure as error:
        await _go_on(runtime, row, worker, Result.FAILED, error.detail)
    else:
        async with runtime.db.writing() as session:
            result = Result.ANNOUNCED if sent.announced else Result.SENT
            await record_sent(runtime, session, row, worker, result, sent.platform_id)
            for other in others:
                if await queues.claim_row(session, Outbox, other.id, worker, clock.now()):
                    await record_sent(runtime, session, other, worker, result, sent.platform_id)


async def _send(runtime: Runtime, row: Outbox, others: Sequence[Outbox]) -> Sent:
    channel: Channel | None = runtime.channels.get((row.channel, row.account))
    if channel is None:
        raise PermanentFailure(f"no account {row.account} of channel {row.channel} is configured")
    sheet = await letters.attach(runtime, row) if row.step in channel.capabilities.carries else ()
    message = OutboundMessage(
        channel=row.channel,
        account=row.account,
        recipient=row.recipient.removeprefix(TO_STAFF),
        text="\n\n".join(item.text for item in (row, *others)),
        origin=row.origin,
        attachments=(*queues.attachments_of(row), *sheet),
        in_reply_to=row.in_reply_to,
        choices=tuple(row.choices),
        link=row.link,
    )
    return await channel.send(message, Attempt(row.id, row.step, await _notice(runtime, row)))


async def _notice(runtime: Runtime, row: Outbox) -> dict[str, str]:
    """What a step that only announces may say: never the text itself."""
    if row.recipient.startswith(TO_STAFF):
        return {"subject": f"{runtime.office.name}：待办提醒"}
    if row.ticket_id is None and row.resident_id is not None:
        return {
            "number": "", "title": f"{runtime.office.name}：您有新的消息", "state": "请查看",
            "at": clock.local(row.created_at).strftime("%Y-%m-%d %H:%M"), "subject": runtime.office.name,
        }
    async with runtime.db.reading() as session:
        mail = await headers_of(session, row, runtime.office.name) if row.channel == "email" else {}
        if row.ticket_id is None:
            return {"subject": runtime.office.name, **mail} if mail else {}
        ticket = await session.get_one(Ticket, row.ticket_id)
        return {
            "number": ticket.number,
            "title": f"{runtime.office.name}：您的工单有新消息",
            "state": "已答复" if row.reply_id else "有进展",
            "at": clock.local(row.created_at).strftime("%Y-%m-%d %H:%M"),
            "subject": f"[{ticket.number}] {ticket.title}",
            **mail,
        }


async def record_sent(
    runtime: Runtime,
    session: AsyncSession,
    row: Outbox,
    worker: str,
    result: Result,
    platform_id: str | None,
) -> bool:
    """Mark a row done with its proof; a reply that was carried is thereby delivered."""
    now = clock.now()
    done = await queues.finish(
        session, Outbox, row.id, worker, result=result, platform_id=platform_id, sent_at=now
    )
    if done and result == Result.SENT and row.reply_id and row.origin == "reply":
        await ticket_delivery.delivered(session, runtime.office, row.reply_id, now, outbox_id=row.id)
    return done


async def _try_later(runtime: Runtime, row: Outbox, worker: str, error: str) -> None:
    now = clock.now()
    again_at = now + BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
    if row.deadline_at and again_at > row.deadline_at:
        await _go_on(runtime, row, worker, Result.FAILED, error)
        return
    async with runtime.db.writing() as session:
        await queues.put_back(session, Outbox, row.id, worker, error, again_at)


async def _go_on(runtime: Runtime, row: Outbox, worker: str, result: Result, error: str) -> None:
    """This step is over without success: record it and begin the next."""
    now = clock.now()
    logger.warning("delivery step failed", outbox=row.id, step=row.step, reason=error)
    async with runtime.db.writing() as session:
        values = {"result": result, "sent_at": None}
        if not await queues.finish(session, Outbox, row.id, worker, **values):
            return
        stored = await session.get_one(Outbox, row.id, populate_existing=True)
        stored.last_error = error[:500]
        await begin_next(runtime, session, row, now)
    runtime.news.notify("outbox")


async def resend_announced(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, now: datetime
) -> None:
    """The resident writes again: what was only announced to him here is said in full now."""
    for row in await session.scalars(_announced().where(Outbox.conversation_id == conversation.id)):
        row.result = Result.HANDED_ON
        channel = runtime.channels.get((row.channel, row.account))
        if channel is None or row.ticket_id is None:
            continue
        message = OutboundMessage(
            row.channel, row.account, row.recipient, row.text, row.origin, link=row.link,
            attachments=queues.attachments_of(row),
        )
        queues.enqueue(
            session, message, now, step=channel.capabilities.carries[0], conversation_id=conversation.id,
            ticket_id=row.ticket_id, reply_id=row.reply_id, letter_id=row.letter_id, deadline_at=now + OTHER_STEPS_LAST,
        )


async def resend_unsaid(
    runtime: Runtime, session: AsyncSession, conversation: Conversation, now: datetime
) -> None:
    """The resident writes again: answers that the platform's window kept from him are said now, in one message."""
    rows = (
        await session.scalars(
            select(Outbox)
            .where(
                Outbox.conversation_id == conversation.id, Outbox.status == Status.DONE,
                Outbox.result == Result.HANDED_ON, Outbox.ticket_id.is_(None), Outbox.reply_id.is_(None),
                Outbox.step == Outbox.channel, Outbox.created_at > now - ANSWER_LASTS,
            )
            .order_by(Outbox.id)
        )
    ).all()
    if not rows:
        return
    for row in rows:
        row.result, row.last_error = Result.FAILED, "the window was closed; said again when the resident wrote"
    last = rows[-1]
    text = say("said_late", text="\n\n".join(row.text for row in rows))
    message = OutboundMessage(last.channel, last.account, last.recipient, text, last.origin)
    queues.enqueue(session, message, now, conversation_id=conversation.id, deadline_at=now + OTHER_STEPS_LAST)


async def go_on_with_unopened(runtime: Runtime, now: datetime) -> None:
    """What was announced and not opened in time goes on to the next step."""
    async with runtime.db.writing() as session:
        for row in await session.scalars(_announced().where(Outbox.sent_at < now - timedelta(hours=1)).limit(200)):
            assert row.sent_at
            if row.sent_at + announce_wait(runtime, row.sent_at) > now or row.ticket_id is None:
                continue
            row.result = Result.HANDED_ON
            await begin_next(runtime, session, row, now)


def _announced() -> Select[Outbox]:
    return select(Outbox).where(
        Outbox.status == Status.DONE, Outbox.result == Result.ANNOUNCED, Outbox.opened_at.is_(None)
    )


async def open_reply(runtime: Runtime, session: AsyncSession, reply_id: int, now: datetime) -> None:
    """The page of a reply was opened: what announced it has thereby delivered it."""
    for row in await session.scalars(_announced().where(Outbox.reply_id == reply_id)):
        row.opened_at = now
        await session.flush()
        await ticket_delivery.delivered(session, runtime.office, reply_id, now, outbox_id=row.id)


async def take_report(runtime: Runtime, outbox_id: int, state: str, detail: str | None) -> bool:
    """A gateway's word on a message it took: failed goes on with the plan. False when the row is not known."""
    async with runtime.db.writing() as session:
        row = await session.get(Outbox, outbox_id)
        if row is None or row.channel != "sms":
            return False
        if state == "failed" and row.result != Result.FAILED:
            await undo(runtime, session, row, detail or "the gateway reports failure")
    runtime.news.notify("outbox")
    return True


async def take_notice_result(runtime: Runtime, row: Inbox) -> None:
    """WeChat's word on a notice it took: one that did not arrive has announced nothing, and the plan goes on."""
    status = str(row.facts.get("status") or "")
    if not status or status == "success":
        return
    async with runtime.db.writing() as session:
        notice = await session.scalar(
            _announced().where(
                Outbox.channel == row.channel, Outbox.account == row.account, Outbox.recipient == row.sender,
                Outbox.platform_id == str(row.facts.get("msg_id")),
            )
        )
        if notice is not None:
            await undo(runtime, session, notice, f"the notice did not arrive: {status}")
    runtime.news.notify("outbox")


async def undo(runtime: Runtime, session: AsyncSession, row: Outbox, error: str) -> None:
    """What counted as sent did not arrive: mark the attempt and go on with the plan (a closed ticket: a call)."""
    failed = await session.execute(
        update(Outbox)
        .where(Outbox.id == row.id, Outbox.result.is_distinct_from(Result.FAILED))
        .values(result=Result.FAILED, last_error=error[:500])
    )
    if failed.rowcount:  # type: ignore[attr-defined]
        await session.refresh(row)
        await begin_next(runtime, session, row, clock.now())
