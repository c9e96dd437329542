"""The conversation as stored: add a line, read on, open and check sessions."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from channels.base import PermanentFailure
from channels.webchat.tables import WebChatFile, WebChatKey, WebChatMessage, WebChatSession
from core.message import Attachment


async def open_session(session: AsyncSession, now: datetime) -> tuple[str, str]:
    """A new session: its id, and the token that is shown this once."""
    name, token = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
    session.add(WebChatSession(id=name, token_digest=_digest(token), created_at=now))
    return name, token


async def is_owner(session: AsyncSession, name: str, token: str) -> bool:
    """Whether the token opens this session; an unknown session looks the same as a wrong token."""
    row, given = await session.get(WebChatSession, name), _digest(token)
    if hmac.compare_digest(row.token_digest if row else _digest(""), given) and row is not None:
        return True
    key = await session.get(WebChatKey, given)
    return key is not None and key.session_id == name


async def add_key(session: AsyncSession, name: str, now: datetime) -> str:
    """Another token for a session, shown this once."""
    token = secrets.token_urlsafe(32)
    session.add(WebChatKey(token_digest=_digest(token), session_id=name, created_at=now))
    return token


async def add_line(
    session: AsyncSession,
    name: str,
    client_id: str,
    author: str,
    text: str,
    now: datetime,
    *,
    choices: Sequence[str] = (),
    attachments: Sequence[Attachment] = (),
    outbox_id: int | None = None,
) -> int:
    """Add a line once and give its `seq`; the same line again gives the first one's.

    PermanentFailure when the session is gone.
    """
    # The lock makes seq and commit come in the same order within a session: who reads after 7 misses no 6.
    query = select(WebChatSession.id).where(WebChatSession.id == name).with_for_update()
    if await session.scalar(query) is None:
        raise PermanentFailure("this web chat no longer exists")
    files = [await _add_file(session, name, attachment) for attachment in attachments]
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    inserted = await session.execute(
        dialect.insert(WebChatMessage)
        .values(
            session_id=name, client_id=client_id, author=author, text=text, choices=list(choices),
            attachments=files, outbox_id=outbox_id, at=now,
        )
        .on_conflict_do_nothing()
        .returning(WebChatMessage.seq)
    )
    seq = inserted.scalar_one_or_none()
    return seq if seq is not None else await seq_of(session, name, client_id)


async def seq_of(session: AsyncSession, name: str, client_id: str) -> int:
    query = select(WebChatMessage.seq).where(
        WebChatMessage.session_id == name, WebChatMessage.client_id == client_id
    )
    return (await session.scalars(query)).one()


async def read_after(session: AsyncSession, name: str, seq: int, limit: int) -> list[dict[str, Any]]:
    """The lines after `seq`, oldest first, as the browser gets them."""
    query = (
        select(WebChatMessage)
        .where(WebChatMessage.session_id == name, WebChatMessage.seq > seq)
        .order_by(WebChatMessage.seq)
        .limit(limit)
    )
    return [_describe(row) for row in await session.scalars(query)]


async def find_file(session: AsyncSession, name: str, file_id: str) -> WebChatFile | None:
    row = await session.get(WebChatFile, file_id)
    if row is None or row.session_id != name:
        return None
    session.expunge(row)  # what is read stays readable after the transaction
    return row


async def forget(session: AsyncSession, name: str) -> None:
    """Delete everything said in the session; the session stays, so that late replies find a door."""
    await session.execute(delete(WebChatMessage).where(WebChatMessage.session_id == name))
    await session.execute(delete(WebChatFile).where(WebChatFile.session_id == name))


async def _add_file(session: AsyncSession, name: str, attachment: Attachment) -> dict[str, Any]:
    file_id = secrets.token_urlsafe(16)
    if attachment.path:
        session.add(
            WebChatFile(
                id=file_id, session_id=name, name=attachment.name, type=attachment.type, path=attachment.path
            )
        )
    return {
        "id": file_id,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
        "url": f"/channels/webchat/sessions/{name}/attachments/{file_id}",
    }


def _describe(row: WebChatMessage) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "id": row.client_id,
        "from": row.author,
        "text": row.text,
        "at": row.at.isoformat(),
        "attachments": row.attachments,
        "choices": row.choices,
    }


def _digest(token: str) -> str:
    """The token is random, so a plain digest tells nothing about it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
