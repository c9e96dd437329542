"""Files that still lie at their platform: fetched, checked and kept, apart from the answer to their message."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from sqlalchemy import select, update

from channels.base import PermanentFailure, TemporaryFailure
from channels.files import NotAllowed
from core import clock, log
from core.attachments import StoredFile
from core.conversation import Conversation
from core.message import Address, Attachment
from service.runtime import Runtime

logger = log.logger(__name__)

AT_ONCE = 8
LEASE = timedelta(minutes=3)
"""How long one process may take to fetch a file before another tries."""
PLATFORM_KEEPS = timedelta(days=3)
"""WeChat deletes what a resident sent after three days."""
BACK_OFF = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600))


@runtime_checkable
class Fetches(Protocol):
    """A channel whose residents' files lie at the platform."""

    async def fetch(self, attachment: Attachment, limit: int) -> bytes:
        """The bytes. Raises one of the three errors of sending."""


async def fetch_due(runtime: Runtime) -> None:
    """Fetch what is due now."""
    now = clock.now()
    async with runtime.db.reading() as session:
        due = select(StoredFile.id, StoredFile.fetch_at).where(StoredFile.fetch_at <= now)
        found = (await session.execute(due.order_by(StoredFile.fetch_at).limit(AT_ONCE))).all()
    mine = [row.id for row in found if row.fetch_at and await _claim(runtime, row.id, row.fetch_at, now)]
    await asyncio.gather(*(_fetch(runtime, file_id) for file_id in mine))


async def _claim(runtime: Runtime, file_id: int, seen: datetime, now: datetime) -> bool:
    """Only who moves `fetch_at` on fetches; a dead process's claim runs out by itself."""
    async with runtime.db.writing() as session:
        changed = await session.execute(
            update(StoredFile)
            .where(StoredFile.id == file_id, StoredFile.fetch_at == seen)
            .values(fetch_at=now + LEASE, attempts=StoredFile.attempts + 1)
            .execution_options(synchronize_session=False)
        )
        return bool(changed.rowcount)  # type: ignore[attr-defined]


async def _fetch(runtime: Runtime, file_id: int) -> None:
    async with runtime.db.reading() as session:
        row = await session.get_one(StoredFile, file_id)
        conversation = await session.get_one(Conversation, row.conversation_id)
        session.expunge_all()
    try:
        kept = await _bring(runtime, row, conversation)
    except TemporaryFailure as error:
        again_at = clock.now() + BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
        await _write(runtime, row, fetch_at=again_at if again_at < row.at + PLATFORM_KEEPS else None,
                     last_error=error.detail)
    except (PermanentFailure, NotAllowed) as error:
        logger.warning("file not kept", attachment=file_id, reason=str(error))
        await _write(runtime, row, fetch_at=None, last_error=str(error)[:500])
    else:
        await _write(runtime, row, fetch_at=None, last_error=None, path=kept.path, name=kept.name,
                     type=kept.type, size=kept.size)
        runtime.news.notify(f"conversation:{row.conversation_id}")


async def _bring(runtime: Runtime, row: StoredFile, conversation: Conversation) -> Attachment:
    channel = runtime.channels.get((Address.parse(conversation.address).channel, conversation.account))
    if not isinstance(channel, Fetches):
        raise PermanentFailure("the account it lies at is not configured any more")
    content = await channel.fetch(Attachment(row.name, row.type, media_id=row.media_id), runtime.files.max_bytes)
    return await runtime.files.keep(content, row.name)


async def _write(runtime: Runtime, row: StoredFile, **values: object) -> None:
    async with runtime.db.writing() as session:
        await session.execute(
            update(StoredFile)
            .where(StoredFile.id == row.id)
            .values(**values)
            .execution_options(synchronize_session=False)
        )
