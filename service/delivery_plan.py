"""The delivery plan: the ways to reach a resident in order, one outbox row an attempt, a call-back always last.

There is no other way to speak to a resident. What becomes of a row is `delivery`'s work.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import conversation as conversations
from core import persons, queues
from core.attachments import outgoing
from core.conversation import Conversation, Resident, ResidentAddress
from core.message import Address, Attachment, OutboundMessage
from core.queues import Outbox
from service import letters
from service.runtime import Runtime
from ticketing import delivery as ticket_delivery
from ticketing.model import Letter, Reply, Ticket

TO_STAFF = "staff:"
"""How the recipient of a row to a member of staff begins."""
LONGEST_ID = 18
OWED_A_CALL = {"reply", "decline", "supplement", "extension"}
"""What must reach the resident even where every platform fails: then a person calls."""

STEP_LASTS = {"email": timedelta(hours=24), "sms": timedelta(hours=4)}
"""How long a step is tried before the plan goes on."""
OTHER_STEPS_LAST = timedelta(hours=1)


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
    await begin_step(
        runtime, session, Party.of(ticket), None, text, origin, reply.id if reply else None, now, link,
        letter.id if letter else None,
    )


async def tell_resident(
    runtime: Runtime, session: AsyncSession, party: Party, text: str, origin: str, now: datetime, link: str
) -> None:
    """What is not about a ticket, such as an appointment: the same plan, in the caller's transaction.

    `link` is the page that says the same, for steps that only announce.
    """
    await begin_step(runtime, session, party, None, text, origin, None, now, link)


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


async def begin_step(
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


async def begin_next(runtime: Runtime, session: AsyncSession, row: Outbox, now: datetime) -> None:
    """The step after this row's, for whom it was: an answer of the assistant has none."""
    if row.recipient.startswith(TO_STAFF):
        return  # A member of staff has the console; a ticket named beside is not whom it goes to.
    if row.ticket_id is not None:
        party = Party.of(await session.get_one(Ticket, row.ticket_id))
    elif row.resident_id is not None:
        party = Party(row.resident_id, row.conversation_id)
    else:
        return
    await begin_step(
        runtime, session, party, row.step, row.text, row.origin, row.reply_id, now, row.link, row.letter_id
    )
