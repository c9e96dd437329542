"""The files of conversations: what each is called, where its bytes lie, and which still wait at their platform."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id
from core.message import Attachment

WAITS = text("fetch_at IS NOT NULL")


class StoredFile(Base):
    """One file that came with a message, or that a member of staff uploaded for a reply."""

    __tablename__ = "attachment"
    __table_args__ = (Index("ix_attachment_fetch_at", "fetch_at", sqlite_where=WAITS, postgresql_where=WAITS),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(Id, index=True)
    """The ticket whose reply has it."""
    uploaded_by: Mapped[str | None]
    """The member of staff who brought it for a reply."""
    name: Mapped[str]
    type: Mapped[str]
    size: Mapped[int]
    path: Mapped[str | None]
    """Below the folder of attachments; None while the bytes are not here."""
    media_id: Mapped[str | None]
    """The platform's handle, with which the bytes are fetched."""
    fetch_at: Mapped[datetime | None] = mapped_column(UTC)
    """When they are fetched next; None where nothing is to be fetched (any more)."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(UTC)


async def keep_files(
    session: AsyncSession, conversation_id: int, items: Iterable[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """Rows for a message's attachments (as queues keep them); what the message remembers of each: its id."""
    rows = [
        StoredFile(
            conversation_id=conversation_id,
            name=item["name"],
            type=item["type"],
            size=item["size"],
            path=item["path"],
            media_id=item["media_id"],
            fetch_at=now if item["media_id"] and not item["path"] else None,
            attempts=0,
            at=now,
        )
        for item in items
    ]
    session.add_all(rows)
    await session.flush()
    return [{"id": row.id} for row in rows]


async def take_for_reply(
    session: AsyncSession, ids: Sequence[int], uploaded_by: str, ticket_id: int
) -> list[dict[str, Any]]:
    """A reply takes files that its author uploaded; what the reply remembers of each. ValueError names a wrong one."""
    found = await files_of(session, ids)
    for file_id in ids:
        row = found.get(file_id)
        if row is None or row.uploaded_by != uploaded_by or row.ticket_id not in (None, ticket_id):
            raise ValueError(str(file_id))
        row.ticket_id = ticket_id
    return [{"id": file_id} for file_id in dict.fromkeys(ids)]


async def outgoing(session: AsyncSession, items: Iterable[dict[str, Any]]) -> tuple[Attachment, ...]:
    """What a reply remembers of its files, as channels send them."""
    ids = [item["id"] for item in items]
    found = await files_of(session, ids)
    rows = [found[file_id] for file_id in ids if file_id in found]
    return tuple(Attachment(row.name, row.type, row.size, row.path) for row in rows)


async def files_of(session: AsyncSession, ids: Sequence[int]) -> dict[int, StoredFile]:
    """These files by their id."""
    if not ids:
        return {}
    rows = await session.scalars(select(StoredFile).where(StoredFile.id.in_(ids)))
    return {row.id: row for row in rows}
