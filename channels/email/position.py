"""How far a mailbox was read, in the database, and the way from the IMAP thread to the inbox."""

from collections.abc import Awaitable, Callable

from sqlalchemy import update

from channels.email.imap import Position
from channels.email.tables import MailboxPosition
from core import clock
from core.db import Database


class ImapStore:
    """What the IMAP thread asks for, done in the service's loop."""

    def __init__(
        self,
        db: Database,
        account: str,
        folder: str,
        take: Callable[[bytes], Awaitable[object]],
        put_aside: Callable[[bytes, str], Awaitable[object]],
    ) -> None:
        self._db, self._key = db, (account, folder)
        self._take, self._put_aside = take, put_aside

    async def take(self, raw: bytes) -> None:
        await self._take(raw)

    async def put_aside(self, raw: bytes, error: str) -> None:
        await self._put_aside(raw, error)

    async def load_position(self) -> Position | None:
        async with self._db.reading() as session:
            row = await session.get(MailboxPosition, self._key)
            return Position(row.validity, row.uid, row.read_at) if row else None

    async def save_position(self, validity: int, uid: int) -> None:
        """Never back within one numbering, whatever another process has read."""
        account, folder = self._key
        now = clock.now()
        async with self._db.writing() as session:
            row = await session.get(MailboxPosition, self._key)
            if row is None:
                session.add(MailboxPosition(account=account, folder=folder, validity=validity, uid=uid, read_at=now))
                return
            of_folder = (MailboxPosition.account == account, MailboxPosition.folder == folder)
            further = (MailboxPosition.validity != validity) | (MailboxPosition.uid < uid)
            await session.execute(
                update(MailboxPosition).where(*of_folder, further).values(validity=validity, uid=uid, read_at=now)
            )
