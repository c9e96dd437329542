"""What each message leaves behind besides itself, written in groups shortly after, not in its own transaction.

A window or a nonce that a crash takes with it costs little: the next step of the delivery plan, or a replay
that somebody must make within that very moment. A statement more for each message would halve the intake.
"""

import asyncio
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from channels.wechat import budget, replay
from core import log
from core.db import Database

SOON_S = 0.1

_log = log.logger(__name__)


class Ledger:
    """Notes of one account that wait to be written; the first note starts the clock."""

    def __init__(self, account: str, db: Database) -> None:
        self._account = account
        self._db = db
        self._windows: dict[tuple[str, str], datetime] = {}
        self._nonces: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._writing: asyncio.Task[None] | None = None

    def note_window(self, openid: str, kind: str, now: datetime) -> None:
        """The follower acted: his window of this kind is full again."""
        self._windows[openid, kind] = now
        self._write_soon()

    def note_nonce(self, timestamp: str, nonce: str, digest: str, now: datetime) -> None:
        self._nonces[timestamp, nonce] = (digest, now)
        self._write_soon()

    def forget(self, openid: str) -> None:
        """Let go of what is noted about a follower and not yet written."""
        self._windows = {key: at for key, at in self._windows.items() if key[0] != openid}

    async def flush(self) -> None:
        """Write what is noted now. What cannot be written is noted again for the next time."""
        windows, self._windows = self._windows, {}
        nonces, self._nonces = self._nonces, {}
        if not windows and not nonces:
            return
        try:
            async with self._db.writing() as session:
                await budget.open_windows(session, self._account, windows)
                await replay.keep_nonces(session, self._account, nonces)
        except SQLAlchemyError as error:
            self._windows = windows | self._windows
            self._nonces = nonces | self._nonces
            _log.warning("ledger_waits", account=self._account, error=type(error).__name__)

    async def close(self) -> None:
        """Write the rest."""
        if self._writing:
            self._writing.cancel()
            self._writing = None
        await self.flush()

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._wait_and_write())

    async def _wait_and_write(self) -> None:
        while self._windows or self._nonces:
            await asyncio.sleep(SOON_S)
            await self.flush()
