"""Questions that stayed open: an editor answers once, the guide learns it, and whoever asked is told, once."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, queues
from core import conversation as conversations
from core.conversation import Conversation, Matter, Message
from core.errors import Conflict, Invalid, NotFound
from core.message import Address, OutboundMessage
from core.privacy import mask
from knowledge_base import library, life
from knowledge_base.guide import Faq, Guide
from knowledge_base.tables import GuideRow, Unanswered
from service.runtime import Runtime
from service.texts import say
from ticketing.model import Ticket

MOST = 2000
"""Open questions that are looked at; older ones come up when these are settled."""
TOLD_WITHIN = timedelta(days=60)
"""A question that waited longer for its guide is not answered out of the blue."""
LASTS = timedelta(hours=48)
ASKED_AGAIN = 0.6
"""From here on two messages of one matter ask the same."""
LOOK_BACK = timedelta(hours=26)


@dataclasses.dataclass(frozen=True)
class Settlement:
    """How an editor answers: an FAQ line of a guide, a word for it, the guide as it is, or nothing."""

    how: str
    """faq·alias·guide·nothing"""
    guide: str | None = None
    question: str | None = None
    answer: str | None = None
    alias: str | None = None


async def read_open(session: AsyncSession, preset: str) -> Sequence[Unanswered]:
    """The newest questions that nobody settled."""
    query = select(Unanswered).where(Unanswered.preset == preset, Unanswered.settled_at.is_(None))
    return (await session.scalars(query.order_by(Unanswered.id.desc()).limit(MOST))).all()


async def settle(runtime: Runtime, session: AsyncSession, rows: Sequence[Unanswered], how: Settlement, by: str,
                 now: datetime) -> int:
    """Teach the guide, settle the questions, tell who asked. Answers how many were told."""
    first = rows[0]
    guide = None
    if how.how != "nothing":
        guide = await _teach(session, first, how, by, now)
    settled = await session.execute(
        update(Unanswered)
        .where(Unanswered.id.in_([row.id for row in rows]), Unanswered.settled_at.is_(None))
        .values(settled_at=now, settled_by=by, settled_as=how.how, settled_guide=guide.slug if guide else None,
                reply=how.answer)
        .execution_options(synchronize_session=False)
    )
    if not settled.rowcount:  # type: ignore[attr-defined]
        raise Conflict("这些问题刚刚已经有人答复：重新读取 /unanswered")
    audit.record(session, now, by, "unanswered:settle", f"unanswered:{first.id}", None,
                 {"how": how.how, "guide": guide.slug if guide else None, "questions": len(rows)})
    return await tell_those_who_asked(runtime, session, now)


async def _teach(session: AsyncSession, first: Unanswered, how: Settlement, by: str, now: datetime) -> Guide:
    """The guide that answers from now on, with the line or the word it was missing."""
    if not how.guide:
        raise Invalid("写明由哪一篇指南回答（guide）", "guide")
    try:
        row = await life.find_row(session, first.preset, how.guide)
    except NotFound as error:
        raise Invalid(error.detail, "guide") from None
    guide = await life.newest(session, row)
    if how.how == "guide":
        if row.state == "withdrawn":
            raise Invalid(f"《{row.title}》已撤下，请换一篇或重新发布", "guide")
        return guide
    if row.state != "published":
        raise Conflict(f"《{row.title}》现在是{life.WORDS[row.state]}，发布以后才能加进去")
    if row.pending is not None:
        raise Conflict(f"《{row.title}》还有没发布的修改，请先发布或者放弃")
    await life.publish(session, await life.draft(session, _with_more(guide, first, how), by, now), by, now)
    return guide


def _with_more(guide: Guide, first: Unanswered, how: Settlement) -> Guide:
    if how.how == "alias":
        word = (how.alias or first.question).strip()
        if word in (guide.title, *guide.aliases):
            raise Invalid(f"《{guide.title}》已经有“{word}”这个叫法", "alias")
        return dataclasses.replace(guide, aliases=(*guide.aliases, word))
    if not how.answer:
        raise Invalid("写下答复（answer）", "answer")
    question = (how.question or first.question).strip()
    return dataclasses.replace(guide, faq=(*guide.faq, Faq(question, how.answer.strip())))


# Telling who asked


async def tell_those_who_asked(runtime: Runtime, session: AsyncSession, now: datetime) -> int:
    """Everybody whose question was settled by a guide that is in force now and who was not told yet."""
    query = (
        select(Unanswered, GuideRow)
        .join(GuideRow, (GuideRow.preset == Unanswered.preset) & (GuideRow.slug == Unanswered.settled_guide))
        .where(Unanswered.told_at.is_(None), Unanswered.settled_at > now - TOLD_WITHIN, GuideRow.state == "published")
        .order_by(Unanswered.id)
        .execution_options(populate_existing=True)
    )
    told: set[tuple[int, str]] = set()
    for row, stored in (await session.execute(query)).all():
        conversation = await _conversation_of(session, row)
        if conversation is None or not await _mark_told(session, row, now):
            continue
        if (conversation.id, stored.slug) in told:
            continue
        guide = Guide.from_json(stored.content, version=stored.version)
        if await _tell(runtime, session, conversation, row, guide, now):
            told.add((conversation.id, stored.slug))
    return len(told)


async def _conversation_of(session: AsyncSession, row: Unanswered) -> Conversation | None:
    """Where it was asked; None where nobody can be told."""
    found: int | None = None
    if row.matter_id is not None:
        found = await session.scalar(select(Matter.conversation_id).where(Matter.id == row.matter_id))
    elif row.ticket_id is not None:
        found = await session.scalar(select(Ticket.conversation_id).where(Ticket.id == row.ticket_id))
    return await session.get(Conversation, found) if found is not None else None


async def _mark_told(session: AsyncSession, row: Unanswered, now: datetime) -> bool:
    """True for the one who marks it first: nobody is told twice."""
    done = await session.execute(
        update(Unanswered)
        .where(Unanswered.id == row.id, Unanswered.told_at.is_(None))
        .values(told_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


async def _tell(runtime: Runtime, session: AsyncSession, conversation: Conversation, row: Unanswered, guide: Guide,
                now: datetime) -> bool:
    """One message into the conversation in which it was asked, through the outbox."""
    address = Address.parse(conversation.address)
    channel = runtime.channels.get((address.channel, conversation.account))
    if channel is None or not channel.capabilities.carries:
        return False
    text = say(
        "answered_now", question=row.question[:60], answer=row.reply or guide.overview, title=guide.title,
        version=guide.version, checked_on=guide.checked_on or "",
        link=f"{runtime.settings.public_url}/guides/{guide.slug}",
    )
    message = OutboundMessage(address.channel, conversation.account, address.value, text, "progress")
    sent = queues.enqueue(session, message, now, step=channel.capabilities.carries[0],
                          conversation_id=conversation.id, deadline_at=now + LASTS)
    await session.flush()
    await conversations.record_message(session, conversation, now, author="staff", text=text, outbox_id=sent.id)
    return True


# What else is worth an editor's look


async def collect(runtime: Runtime, session: AsyncSession, now: datetime) -> int:
    """Consultations whose reply was rated badly, and what was asked twice within a matter; answers how many are new."""
    return await _collect_badly_rated(runtime, session, now) + await _collect_asked_again(runtime, session, now)


async def _collect_badly_rated(runtime: Runtime, session: AsyncSession, now: datetime) -> int:
    known = select(Unanswered.ticket_id).where(Unanswered.ticket_id.is_not(None))
    query = select(Ticket).where(
        Ticket.kind == "consultation", Ticket.satisfied < runtime.settings.survey.satisfied_from,
        Ticket.confidential.is_(False), Ticket.id.not_in(known),
    )
    rows = (await session.scalars(query.order_by(Ticket.id).limit(200))).all()
    for ticket in rows:
        session.add(Unanswered(
            preset=runtime.settings.office.preset, question=mask(ticket.description)[:400], status="badly_rated",
            reason=f"satisfied {ticket.satisfied}", ticket_id=ticket.id, asked_at=ticket.registered_at,
        ))
    await session.flush()
    return len(rows)


async def _collect_asked_again(runtime: Runtime, session: AsyncSession, now: datetime) -> int:
    """Whoever asks the same twice in a row was not helped by the first answer."""
    from knowledge_base.themes import alike

    query = select(Message).where(Message.author == "resident", Message.at > now - LOOK_BACK,
                                  Message.matter_id.is_not(None))
    before: dict[int, str] = {}
    count = 0
    for message in await session.scalars(query.order_by(Message.id)):
        assert message.matter_id is not None
        last = before.get(message.matter_id)
        before[message.matter_id] = message.text
        if last is None or len(message.text) < 4 or alike(last, message.text) < ASKED_AGAIN:
            continue
        known = select(Unanswered.id).where(Unanswered.matter_id == message.matter_id).limit(1)
        if await session.scalar(known) is None:
            session.add(Unanswered(
                preset=runtime.settings.office.preset, question=mask(message.text)[:400], status="asked_again",
                reason="asked_again", matter_id=message.matter_id, asked_at=message.at,
            ))
            await session.flush()
            count += 1
    return count


async def published_guides(session: AsyncSession, preset: str) -> list[Guide]:
    """What an answer can be added to."""
    return sorted(await library.guides(session, [preset], ["published"]), key=lambda guide: guide.title)
