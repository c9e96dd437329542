"""Tries and replays: which try of a message this is, and whether its nonce was used for another body."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from channels.wechat.seal import Forged
from channels.wechat.tables import WeChatNonce
from core.db import Database

KEEP = timedelta(minutes=21)
"""Twice the skew and a little: an older timestamp is refused anyway."""


class Nonces:
    """Timestamp and nonce of plain messages: in memory while we run, from the table after a restart."""

    def __init__(self, account: str, db: Database) -> None:
        self._account = account
        self._db = db
        self._seen: dict[tuple[str, str], tuple[str, datetime]] | None = None
        self._reading = asyncio.Lock()

    async def check(self, query: Mapping[str, str], body: bytes, now: datetime) -> str | None:
        """Forged when the pair came with another body before; the platform's own repeats are identical.

        Gives the body's digest, to be kept, when the pair is new.
        """
        seen = await self._known(now)
        digest = hashlib.sha256(body).hexdigest()
        before, _ = seen.get(pair_of(query), (None, now))
        if before is not None and before != digest:
            raise Forged("replay")
        seen[pair_of(query)] = (digest, now)
        return digest if before is None else None

    async def _known(self, now: datetime) -> dict[tuple[str, str], tuple[str, datetime]]:
        async with self._reading:
            if self._seen is None:
                self._seen = await self._read(now)
        if len(self._seen) > 50_000:
            self._seen = {key: item for key, item in self._seen.items() if item[1] > now - KEEP}
        return self._seen

    async def _read(self, now: datetime) -> dict[tuple[str, str], tuple[str, datetime]]:
        query = select(WeChatNonce.timestamp, WeChatNonce.nonce, WeChatNonce.digest, WeChatNonce.at).where(
            WeChatNonce.account == self._account, WeChatNonce.at > now - KEEP
        )
        async with self._db.reading() as session:
            return {(row.timestamp, row.nonce): (row.digest, row.at) for row in await session.execute(query)}


async def keep_nonces(
    session: AsyncSession, account: str, nonces: Mapping[tuple[str, str], tuple[str, datetime]]
) -> None:
    """Write pairs down for the next start."""
    if not nonces:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    rows = [
        {"account": account, "timestamp": timestamp, "nonce": nonce, "digest": digest, "at": at}
        for (timestamp, nonce), (digest, at) in nonces.items()
    ]
    await session.execute(dialect.insert(WeChatNonce.__table__).on_conflict_do_nothing(), rows)


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


def pair_of(query: Mapping[str, str]) -> tuple[str, str]:
    return query.get("timestamp", ""), query.get("nonce", "")[:128]
