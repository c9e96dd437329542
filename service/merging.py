"""Several messages said as one, where the platform lets us say no more than so many."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from sqlalchemy import select

from core import clock
from core.queues import Outbox, Status
from service.runtime import Runtime


@runtime_checkable
class Budgeted(Protocol):
    """A channel that knows how many messages it may still send to somebody."""

    async def left(self, recipient: str, now: datetime) -> int | None:
        """How many; None when only the platform knows."""


async def riders(runtime: Runtime, row: Outbox) -> Sequence[Outbox]:
    """The messages that wait behind this one and must go with it, because not each can go by itself."""
    channel = runtime.channels.get((row.channel, row.account))
    if not isinstance(channel, Budgeted) or row.step not in channel.capabilities.carries:
        return []
    now = clock.now()
    async with runtime.db.reading() as session:
        waiting = (
            await session.scalars(
                select(Outbox)
                .where(
                    Outbox.order_key == row.order_key, Outbox.id > row.id, Outbox.status == Status.TODO,
                    Outbox.step == row.step, Outbox.scheduled_at <= now,
                )
                .order_by(Outbox.id)
            )
        ).all()
        session.expunge_all()
    plain = [item for item in waiting if not item.attachments and not item.choices]
    left = await channel.left(row.recipient, now) if plain else None
    return plain if left is not None and left <= len(plain) else []
