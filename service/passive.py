"""Passive replies: the answer given within the platform's own request. It is an outbox row, its proof the response."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import PassiveReply
from core import clock, queues
from core.message import OutboundMessage
from core.queues import LEASE, Inbox, Outbox, Result, Status
from service import delivery
from service.runtime import Runtime

WORKER = "passive"
GIVEN_AGAIN = timedelta(seconds=30)
"""For so long a platform that repeats its request is given the same answer again."""
RETRIES_LAST = timedelta(seconds=10)
"""A platform that did not get our response asks again within this time."""
FAST_ENOUGH_S = 3.0
CLAIM_TAKES_S = 0.4
"""Kept back from the deadline for the claim itself, so that the answer is never later than promised."""


class OutboxPassiveReplies:
    """The channels' PassiveReplies over the outbox."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def expect(self, account: str) -> bool:
        """Whether the backlog lets an answer be ready in time."""
        return self._runtime.pace.expected_wait_s() < FAST_ENOUGH_S

    async def wait(self, inbox_id: int, deadline: float) -> PassiveReply | None:
        loop = asyncio.get_running_loop()
        while (left := deadline - CLAIM_TAKES_S - loop.time()) > 0:
            rang = asyncio.ensure_future(self._runtime.news.wait(f"answered:{inbox_id}", min(left, 1.0)))
            await asyncio.sleep(0)  # Now the wait has begun: an answer from here on is not missed.
            reply, over = await self._look(inbox_id)
            if reply or over:
                rang.cancel()
                return reply
            await rang
        return None

    async def stored_reply(self, inbox_id: int) -> PassiveReply | None:
        reply, _ = await self._look(inbox_id)
        return reply or await self._given_before(inbox_id)

    async def _look(self, inbox_id: int) -> tuple[PassiveReply | None, bool]:
        """The claimed answer, and whether waiting on is pointless."""
        async with self._runtime.db.reading() as session:
            row = await session.get(Inbox, inbox_id)
            ready = await session.scalar(
                select(Outbox.id).where(Outbox.inbox_id == inbox_id, Outbox.status == Status.TODO).limit(1)
            )
            over = row is None or row.status in (Status.DONE, Status.SET_ASIDE)
            waiting = ready is not None or (row is not None and not self._pushes(row) and over)
        if not waiting or row is None:
            return None, over
        reply = await self._claim(row)
        return reply, over

    def _pushes(self, row: Inbox) -> bool:
        channel = self._runtime.channels.get((row.channel, row.account))
        return channel is None or channel.capabilities.pushes

    async def _claim(self, row: Inbox) -> PassiveReply | None:
        """Take the answer (where nothing else can be said to him: everything that waits), oldest first."""
        now = clock.now()
        pushes = self._pushes(row)
        try:
            async with self._runtime.db.writing() as session:
                rows = await _waiting_rows(session, row, answer_only=pushes)
                if not rows or not await queues.claim_row(session, Outbox, rows[0].id, WORKER, now):
                    return None
        except IntegrityError:  # Something else is just being said to this resident: let it go first.
            return None
        return self._reply(rows)

    def _reply(self, rows: list[Outbox]) -> PassiveReply:
        async def confirm(unsaid: str) -> None:
            async with self._runtime.db.writing() as session:
                await self._record(session, rows, unsaid)
            self._runtime.news.notify("outbox")

        async def give_back() -> None:
            async with self._runtime.db.writing() as session:
                now = clock.now()
                await queues.put_back(session, Outbox, rows[0].id, WORKER, "the platform's request ended", now)
            self._runtime.news.notify("outbox")

        choices = next((tuple(row.choices) for row in reversed(rows) if row.choices), ())
        return PassiveReply("\n\n".join(row.text for row in rows), confirm, give_back, choices)

    async def _record(self, session: AsyncSession, rows: list[Outbox], unsaid: str) -> None:
        now = clock.now()
        await delivery.record_sent(self._runtime, session, rows[0], WORKER, Result.SENT, "passive")
        for row in rows[1:]:
            if await queues.claim_row(session, Outbox, row.id, WORKER, now):
                await delivery.record_sent(self._runtime, session, row, WORKER, Result.SENT, "passive")
        if unsaid.strip():
            first = rows[0]
            message = OutboundMessage(first.channel, first.account, first.recipient, unsaid, first.origin)
            queues.enqueue(
                session, message, now, conversation_id=first.conversation_id,
                deadline_at=now + delivery.ANSWER_LASTS,
            )

    async def _given_before(self, inbox_id: int) -> PassiveReply | None:
        """The same answer for a repeated request: the response to the earlier one was evidently lost."""
        since = clock.now() - GIVEN_AGAIN
        async with self._runtime.db.reading() as session:
            rows = (
                await session.scalars(
                    select(Outbox)
                    .where(Outbox.inbox_id == inbox_id, Outbox.platform_id == "passive", Outbox.sent_at > since)
                    .order_by(Outbox.id)
                )
            ).all()
        if not rows:
            return None
        return PassiveReply("\n\n".join(row.text for row in rows), _nothing_to_record, _nothing_to_give_back)


async def _nothing_to_record(_unsaid: str) -> None:
    """It was recorded when it was first given."""


async def _nothing_to_give_back() -> None:
    """It was never claimed again."""


async def _waiting_rows(session: AsyncSession, row: Inbox, *, answer_only: bool) -> list[Outbox]:
    """What waits for this resident, oldest first; [] when something older must be said before the answer."""
    waiting = (
        await session.scalars(
            select(Outbox)
            .where(Outbox.order_key == row.order_key, Outbox.status.in_(queues.WAITING))
            .order_by(Outbox.id)
        )
    ).all()
    if any(item.status == Status.DOING for item in waiting):
        return []
    if not answer_only:
        return list(waiting)
    return [waiting[0]] if waiting and waiting[0].inbox_id == row.id else []


async def settle_after_restart(runtime: Runtime, session: AsyncSession, now: datetime) -> None:
    """What was in hand as a passive reply when the service died. Nobody knows whether the response was written.

    Where nothing can be pushed, a platform that did not get it asks again within seconds and is then given the
    stored reply, so a fresh one counts as given (nothing is said twice); an old one is said again. An account that
    can push acknowledges a repeated request without a text, so there the answer is always said again: by a message
    of its own, perhaps a second time, but never not at all.
    """
    for (name, account), channel in runtime.channels.items():
        if not channel.capabilities.pushes:
            await _count_as_given(session, name, account, now)


async def _count_as_given(session: AsyncSession, channel: str, account: str, now: datetime) -> None:
    in_hand = (Outbox.status == Status.DOING, Outbox.claimed_by == WORKER)
    fresh = Outbox.claimed_until > now + LEASE - RETRIES_LAST
    await session.execute(
        update(Outbox)
        .where(Outbox.channel == channel, Outbox.account == account, *in_hand, fresh)
        .values(
            status=Status.DONE, result=Result.SENT, platform_id="passive", sent_at=now, claimed_by=None,
            claimed_until=None,
        )
        .execution_options(synchronize_session=False)
    )
