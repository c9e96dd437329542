"""Idempotency keys: the answer to a write is kept in the write's own transaction and given again."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, EncryptedJson
from core.errors import Invalid

KEPT = timedelta(hours=48)


class IdempotencyKey(Base):
    """One write that was answered. `scope` is a digest of token, method, path and key."""

    __tablename__ = "idempotency_key"

    scope: Mapped[str] = mapped_column(primary_key=True)
    body_digest: Mapped[str]
    answer: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    at: Mapped[datetime] = mapped_column(UTC, index=True)


def scope_of(token: str, method: str, path: str, key: str) -> str:
    return hashlib.sha256("\n".join((token, method, path, key)).encode()).hexdigest()


def digest_of(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


async def find_answer(session: AsyncSession, scope: str, body: Any, now: datetime) -> dict[str, Any] | None:
    """What was answered before; Invalid when the same key came with another body."""
    kept = await session.get(IdempotencyKey, scope)
    if kept is None or kept.at < now - KEPT:
        if kept is not None:
            await session.delete(kept)
            await session.flush()
        return None
    if kept.body_digest != digest_of(body):
        raise Invalid("this Idempotency-Key was used with another body: choose a new key", "Idempotency-Key")
    return kept.answer


def keep_answer(session: AsyncSession, scope: str, body: Any, answer: dict[str, Any], now: datetime) -> None:
    session.add(IdempotencyKey(scope=scope, body_digest=digest_of(body), answer=answer, at=now))
