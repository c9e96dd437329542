"""The delivery plan: the ways to reach a resident in order, one outbox row an attempt, a call-back always last.

There is no other way to speak to a resident. A row is claimed, the database let go, the channel asked to send,
and what came of it recorded: sent, later, or the next step of the plan.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import Attempt, Channel, PermanentFailure, Sent, TemporaryFailure, WindowClosed
from core import clock, log, persons, queues
from core import conversation as conversations
from core.attachments import outgoing
from core.conversation import Conversation, Resident, ResidentAddress
from core.message import Address, Attachment, OutboundMessage
from core.queues import Inbox, Outbox, Result, Status
from service import letters, merging
from service.mail_headers import headers_of
from service.runtime import Runtime
from service.texts import say
from ticketing import delivery as ticket_delivery
from ticketing.letters import Letter
from ticketing.model import Reply, Ticket

logger = log.logger(__name__)

TO_STAFF = "staff:"
"""How the recipient of a row to a member of staff begins."""
LONGEST_ID = 18
CALL_BACK = "call_back"
OWED_A_CALL = {"reply", "decline", "supplement", "extension"}
"""What must reach the resident even where every platform fails: then a person calls."""

ANSWER_LASTS = timedelta(hours=48)
"""An answer of the assistant that could not be said for this long is not said any more."""

STEP_LASTS = {"email": timedelta(hours=24), "sms": timedelta(hours=4)}
"""How long a step is tried before the plan goes on."""
OTHER_STEPS_LAST = timedelta(hours=1)

BACK_OFF = tuple(timedelta(seconds=s) for s in (2, 10, 30, 120, 300, 900))


@dataclass(frozen=True, slots=True)
class Step:
    """One way to reach a resident."""

    name: str
    channel: str
    account: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Party:
    """Whom something is told: a resident, where he wrote, and his ticket where it is about one."""

    resident_id: int
    conversation_id: int | None
    ticket: Ticket | None = None

    @classmethod
    def of(cls, ticket: Ticket) -> "Party":
        return cls(ticket.resident_id, ticket.conversation_id, ticket)


async def tell(
    runtime: Runtime,
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    origin: str,
    reply: Reply | None,
    now: datetime,
    letter: Letter | None = None,
    link: str | None = None,
) -> None:
    """How ticketing speaks to a resident: the first step of his plan, in the caller's transaction."""
    text = await conversations.reveal(session, ticket.resident_id, text)
    link = letters.link(runtime, letter.id) if letter else link
    await _begin_step(
        runtime, session, Party.of(ticket), None, text, origin, reply.id if reply else None, now, link,
        letter.id if letter else None,
    )


async def tell_resident(
    runtime: Runtime, session: AsyncSession, party: Party, text: str, origin: str, now: datetime, link: str
) -> None:
    """What is not about a ticket, such as an appointment: the same plan, in the caller's transaction.

    `link` is the page that says the same, for steps that only announce.
    """
    await _begin_step(runtime, session, party, None, text, origin, None, now, link)


async def plan(runtime: Runtime, session: AsyncSession, party: Party) -> list[Step]:
    """The steps for this resident: where he wrote, its notice form, SMS, e-mail. The call-back is implied."""
    steps: list[Step] = []
    if party.ticket and party.ticket.reply_by:  # Who came or wrote on paper is answered by a person, as he asked.
        return steps
    for channel_name, account, value in await _known_ends(runtime, session, party):
        channel = runtime.channels.get((channel_name, account))
        if channel:
            names = (*channel.capabilities.carries, *channel.capabilities.announces)
            steps += [Step(name, channel_name, account, value) for name in names]
    # Each step once: the one after a step is found by its name, so that a plan always comes to its end.
    return list({step.name: step for step in reversed(steps)}.values())[::-1]


async def _known_ends(
    runtime: Runtime, session: AsyncSession, party: Party
) -> Sequence[tuple[str, str, str]]:
    """(channel, account, value) of every known end: the conversation, other addresses, phone, e-mail."""
    ends: list[tuple[str, str, str]] = []
    if party.conversation_id:
        conversation = await session.get_one(Conversation, party.conversation_id)
        address = Address.parse(conversation.address)
        ends.append((address.channel, conversation.account, address.value))
    resident = await session.get_one(Resident, party.resident_id)
    if resident.phone:
        ends.append(("sms", _first_account(runtime, "sms"), resident.phone))
    if resident.email:
        ends.append(("email", _first_account(runtime, "email"), resident.email))
    known = select(ResidentAddress).where(ResidentAddress.resident_id == resident.id).order_by(ResidentAddress.id)
    for row in await session.scalars(known):
        ends.append((row.channel, row.account or _first_account(runtime, row.channel), row.value))
    for other in await persons.others_of(session, resident.id):
        ends += [("sms", _first_account(runtime, "sms"), other.phone)] if other.phone else []
        known = select(ResidentAddress).where(ResidentAddress.resident_id == other.id).order_by(ResidentAddress.id)
        for row in await session.scalars(known):
            ends.append((row.channel, row.account or _first_account(runtime, row.channel), row.value))
    return ends


def _first_account(runtime: Runtime, channel: str) -> str:
    return next((account for name, account in runtime.channels if name == channel), "")


async def _begin_step(
    runtime: Runtime,
    session: AsyncSession,
    party: Party,
    after: str | None,
    text: str,
    origin: str,
    reply_id: int | None,
    now: datetime,
    link: str | None = None,
    letter_id: int | None = None,
) -> None:
    """Begin the step that follows `after` (the first for None); with none left, the call-back."""
    steps = await plan(runtime, session, party)
    names = [step.name for step in steps]
    steps = steps[names.index(after) + 1 :] if after in names else ([] if after else steps)
    if not steps:
        if origin in OWED_A_CALL and party.ticket:
            await ticket_delivery.open_callback(session, runtime.office, party.ticket, reply_id, text, now)
        return
    step = steps[0]
    channel = runtime.channels[step.channel, step.account]
    message = OutboundMessage(
        channel=step.channel,
        account=step.account,
        recipient=step.recipient,
        text=text,
        origin=origin,
        in_reply_to=None,
        attachments=await _files_of_reply(session, reply_id),
        link=f"{runtime.settings.public_url}/r/{reply_token(runtime, reply_id)}" if reply_id else link,
    )
    waits = None if channel.capabilities.pushes else now + announce_wait(runtime, now)
    queues.enqueue(
        session,
        message,
        now,
        step=step.name,
        conversation_id=party.conversation_id,
        ticket_id=party.ticket.id if party.ticket else None,
        resident_id=party.resident_id,
        reply_id=reply_id,
        letter_id=letter_id,
        scheduled_at=waits,
        deadline_at=(waits or now) + STEP_LASTS.get(step.name, OTHER_STEPS_LAST),
    )


async def _files_of_reply(session: AsyncSession, reply_id: int | None) -> tuple[Attachment, ...]:
    reply = await session.get_one(Reply, reply_id) if reply_id else None
    return await outgoing(session, reply.attachments) if reply and reply.attachments else ()


def reply_token(runtime: Runtime, reply_id: int) -> str:
    """The unguessable name of a reply's page."""
    return f"{reply_id}-{runtime.db.keys.digest(f'reply/{reply_id}')}"


def read_reply_token(runtime: Runtime, token: str) -> int | None:
    """Which reply a page's name stands for; None when it was made up."""
    number, _, _ = token.partition("-")
    if not number.isascii() or not number.isdecimal() or len(number) > LONGEST_ID:
        return None
    right = reply_token(runtime, int(number))
    return int(number) if hmac.compare_digest(right.encode(), token.encode("utf-8", "replace")) else None


def announce_wait(runtime: Runtime, now: datetime) -> timedelta:
    """How long an announced text may stay unopened before the plan goes on."""
    return runtime.office.after(now, runtime.settings.delivery.announce_wait) - now


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
        await _begin_next(runtime, session, row, now)
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
            await _begin_next(runtime, session, row, now)


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
        await _begin_next(runtime, session, row, clock.now())


async def _begin_next(runtime: Runtime, session: AsyncSession, row: Outbox, now: datetime) -> None:
    """The step after this row's, for whom it was: an answer of the assistant has none."""
    if row.recipient.startswith(TO_STAFF):
        return  # A member of staff has the console; a ticket named beside is not whom it goes to.
    if row.ticket_id is not None:
        party = Party.of(await session.get_one(Ticket, row.ticket_id))
    elif row.resident_id is not None:
        party = Party(row.resident_id, row.conversation_id)
    else:
        return
    await _begin_step(
        runtime, session, party, row.step, row.text, row.origin, row.reply_id, now, row.link, row.letter_id
    )
