"""Tries and replays: which try of a message this is, and whether its nonce was used for another body."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from channels.wechat.seal import Forged
from channels.wechat.tables import WeChatNonce

KEEP = timedelta(minutes=21)
"""Twice the skew and a little: an older timestamp is refused anyway."""


class Nonces:
    """Timestamp and nonce of plain messages. In memory for speed, in a table for other processes and restarts."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._seen: dict[tuple[str, str], tuple[str, datetime]] = {}

    def check(self, query: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Forged when the pair came with another body before; the platform's own repeats are identical."""
        if len(self._seen) > 50_000:
            self._seen = {key: item for key, item in self._seen.items() if item[1] > now - KEEP}
        digest, _ = self._seen.setdefault(_pair(query), (_digest(body), now))
        if digest != _digest(body):
            raise Forged("replay")

    async def keep(self, session: AsyncSession, query: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Write the pair down in the transaction that stores its message. Forged when another process saw it."""
        timestamp, nonce = _pair(query)
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        values = {"account": self._account, "timestamp": timestamp, "nonce": nonce}
        inserted = await session.execute(
            dialect.insert(WeChatNonce)
            .values(**values, digest=_digest(body), at=now)
            .on_conflict_do_nothing()
            .returning(WeChatNonce.digest)
        )
        if inserted.scalar_one_or_none() is None:
            row = await session.scalar(select(WeChatNonce).filter_by(**values))
            if row is not None and row.digest != _digest(body):
                raise Forged("replay")


async def drop_old_nonces(session: AsyncSession, now: datetime) -> None:
    await session.execute(delete(WeChatNonce).where(WeChatNonce.at < now - KEEP))


class Tries:
    """Which of the platform's three tries a request is, counted for a minute."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, datetime]] = {}

    def count(self, external_id: str, first_seen: datetime | None, now: datetime) -> int:
        """1, 2 or 3. `first_seen` is given for a repeat: after a restart its age tells which try this is."""
        if len(self._counts) > 5_000:
            self._counts = {key: item for key, item in self._counts.items() if now - item[1] < KEEP}
        before, _ = self._counts.get(external_id, (0, now))
        if not before and first_seen is not None:
            before = 2 if now - first_seen > timedelta(seconds=9) else 1
        self._counts[external_id] = (before + 1, now)
        return min(before + 1, 3)


def _pair(query: Mapping[str, str]) -> tuple[str, str]:
    return query.get("timestamp", ""), query.get("nonce", "")[:128]


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
