"""The database: engine, reading(), writing(), the declarative base and its column types."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC as UTC_ZONE
from datetime import datetime
from typing import Any

from sqlalchemy import JSON as SaJson
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, MetaData, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import TimeoutError as WaitedTooLong
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from core.encryption import Keyring

BUSY_S = 30
"""So long a writer waits for the others."""
LEFTOVERS_TRIES, LEFTOVERS_S = 3, 0.3

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What every table derives from."""

    metadata = MetaData(naming_convention=NAMING)


Id = BigInteger().with_variant(Integer, "sqlite")
"""A key that counts up. SQLite counts only where the type is spelled INTEGER."""

Json = SaJson().with_variant(JSONB(), "postgresql")


class UTC(TypeDecorator[datetime]):
    """An aware moment in UTC. SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a zone is not stored: use clock.now()")
        return value.astimezone(UTC_ZONE)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC_ZONE) if value.tzinfo is None else value.astimezone(UTC_ZONE)


class EncryptedBytes(TypeDecorator[bytes]):
    """Bytes that are ciphertext at rest (AES-GCM, key outside the database)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keys(dialect).encrypt(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keys(dialect).decrypt(value)


class EncryptedText(TypeDecorator[str]):
    """Text that is ciphertext at rest. It cannot be searched or compared in SQL."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        return None if value is None else _keys(dialect).encrypt(value.encode("utf-8", "surrogatepass"))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else _keys(dialect).decrypt(value).decode("utf-8", "surrogatepass")


class EncryptedJson(TypeDecorator[Any]):
    """A JSON value that is ciphertext at rest."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else _keys(dialect).encrypt(json.dumps(value).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(_keys(dialect).decrypt(value))


def _keys(dialect: Dialect) -> Keyring:
    """The keys travel on the engine's dialect: a column type has no other way to reach its engine."""
    keys: Keyring = dialect.huiyin_keys  # type: ignore[attr-defined]
    return keys


class Database:
    """One engine and its two doors. `reading()` never stops a writer, `writing()` never loses an update."""

    def __init__(self, url: str, keys: Keyring) -> None:
        """`url` is `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`; nothing is opened yet."""
        self.url = url
        self.engine = _make_engine(url)
        self.keys = keys
        self.engine.sync_engine.dialect.huiyin_keys = keys  # type: ignore[attr-defined]
        self._read = async_sessionmaker(self.engine.execution_options(begin="BEGIN"), expire_on_commit=False)
        self._write = async_sessionmaker(
            self.engine.execution_options(begin="BEGIN IMMEDIATE"), expire_on_commit=False
        )
        self._turn, self._ordinary = asyncio.Lock(), asyncio.Lock()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A consistent view; nothing is kept. What was loaded can still be read afterwards."""
        async with self._read() as session:
            try:
                yield session
            finally:
                session.expunge_all()  # A rollback would expire it.
                await session.rollback()

    @asynccontextmanager
    async def writing(self, *, urgent: bool = False) -> AsyncIterator[AsyncSession]:
        """One transaction, committed at the end, rolled back on an error. Hold no network call inside.

        `urgent` is for what a platform waits for: storing messages.
        """
        async with self._in_turn(urgent), self._write() as session, session.begin():
            yield session

    @asynccontextmanager
    async def _in_turn(self, urgent: bool) -> AsyncIterator[None]:
        """SQLite has one writer at a time and lets the others sleep and try: here each has his turn in order.

        Of the ordinary writers only one stands in the row, so who is urgent waits for two at most. Who waited for
        `BUSY_S` gets a database error, as SQLite itself would give.
        """
        async with AsyncExitStack() as row:
            for lock in (self._turn,) if urgent else (self._ordinary, self._turn):
                if self.is_sqlite:
                    try:
                        async with asyncio.timeout(BUSY_S):
                            await row.enter_async_context(lock)
                    except TimeoutError:
                        raise WaitedTooLong("other writers held the database for too long") from None
            yield

    async def close(self) -> None:
        await self.engine.dispose()


async def end_leftovers() -> None:
    """End every task that still waits in this loop; call it last, after `close()`.

    A database connection that was cancelled while it closed waits for a thread that is gone. That wait stands in a
    `finally`, so it takes a second cancellation; without it the process would never end.
    """
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for _ in range(LEFTOVERS_TRIES):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=LEFTOVERS_S)


def _make_engine(url: str) -> AsyncEngine:
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S, "isolation_level": None}, pool_size=10)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL lets readers and a writer work at once; FULL keeps what was acknowledged through a power cut."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_S * 1000}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    """The driver's own deferred transactions lose updates silently, so the BEGIN is said here."""
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
