"""Inbox and outbox: the two doors. Put, claim, finish, try again, set aside.

Every race is decided by a conditional UPDATE and a look at the row count. Rows of one order key (one
sender on one account, one recipient on one account) are handled strictly in order: only the oldest
waiting row of a key can be claimed, and a partial unique index allows one row of a key in hand.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    Select,
    UniqueConstraint,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from core.db import UTC, Base, EncryptedBytes, EncryptedJson, EncryptedText, Id, Json
from core.message import Attachment, InboundMessage, OutboundMessage, storable

MAX_ATTEMPTS = 3
"""An inbox message that failed this often waits for a person."""

LEASE = timedelta(seconds=90)
"""How long a worker may hold a row before others take it for dead."""


class Status(StrEnum):
    """Where a row of either queue is."""

    TODO = "todo"
    """Waits for a worker, until `scheduled_at` at the earliest."""
    DOING = "doing"
    """A worker has it in hand until `claimed_until`."""
    DONE = "done"
    """Nothing is left to do with this row."""
    SET_ASIDE = "set_aside"
    """Failed too often or cannot be understood: a person looks."""


class Result(StrEnum):
    """What became of an outbox row that is done."""

    SENT = "sent"
    """The platform accepted the whole text."""
    ANNOUNCED = "announced"
    """The platform accepted a notice with a link to the text."""
    FAILED = "failed"
    """The platform refused for good, or a bounce came back."""
    HANDED_ON = "handed_on"
    """This step could not be used now; the next step of the delivery plan has it."""


WAITING = (Status.TODO, Status.DOING)
_UNFINISHED = text("status IN ('todo', 'doing')")
_IN_HAND = text("status = 'doing'")
_NOW = bindparam("now", type_=UTC)


class Inbox(Base):
    """One message from a resident, as it was stored before it was acknowledged."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "account", "external_id"),
        Index("uq_inbox_in_hand", "order_key", unique=True, sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
        Index("ix_inbox_waiting", "order_key", "id", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
        Index("ix_inbox_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    channel: Mapped[str]
    account: Mapped[str]
    external_id: Mapped[str]
    sender: Mapped[str]
    order_key: Mapped[str]
    text: Mapped[str] = mapped_column(EncryptedText)
    event: Mapped[str | None]
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    facts: Mapped[dict[str, Any]] = mapped_column(EncryptedJson)
    in_reply_to: Mapped[str | None]
    raw: Mapped[bytes] = mapped_column(EncryptedBytes)
    received_at: Mapped[datetime] = mapped_column(UTC)
    passive_until: Mapped[datetime | None] = mapped_column(UTC)
    """Until then the platform's own request is open and waits for the answer."""
    status: Mapped[str] = mapped_column(default=Status.TODO)
    attempts: Mapped[int] = mapped_column(default=0)
    scheduled_at: Mapped[datetime] = mapped_column(UTC)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None] = mapped_column(UTC)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTC)
    done_at: Mapped[datetime | None] = mapped_column(UTC)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    matter_id: Mapped[int | None] = mapped_column(ForeignKey("matter.id"))


class Outbox(Base):
    """One attempt to tell somebody something; the row's status is the state of the delivery."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_in_hand", "order_key", unique=True, sqlite_where=_IN_HAND, postgresql_where=_IN_HAND),
        Index("ix_outbox_waiting", "order_key", "id", sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
        Index("ix_outbox_status", "status", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    channel: Mapped[str]
    account: Mapped[str]
    recipient: Mapped[str]
    order_key: Mapped[str]
    text: Mapped[str] = mapped_column(EncryptedText)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    choices: Mapped[list[str]] = mapped_column(Json)
    link: Mapped[str | None]
    in_reply_to: Mapped[str | None]
    origin: Mapped[str]
    step: Mapped[str]
    """Which step of the delivery plan this is: the channel's name, or `wechat_notice`, `sms`, …"""
    inbox_id: Mapped[int | None] = mapped_column(ForeignKey("inbox.id"), index=True)
    """The message this answers, so that an answer can be given within the platform's own request."""
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversation.id"), index=True)
    ticket_id: Mapped[int | None] = mapped_column(Id, index=True)
    resident_id: Mapped[int | None] = mapped_column(Id)
    """Whom it is for, where no ticket says so: the plan goes on to his next way."""
    reply_id: Mapped[int | None] = mapped_column(Id, index=True)
    letter_id: Mapped[int | None] = mapped_column(Id, index=True)
    """The letter that goes with it, as a file where the channel carries files."""
    status: Mapped[str] = mapped_column(default=Status.TODO)
    result: Mapped[str | None]
    platform_id: Mapped[str | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    scheduled_at: Mapped[datetime] = mapped_column(UTC)
    deadline_at: Mapped[datetime | None] = mapped_column(UTC)
    """When the step gives up and the plan goes on."""
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None] = mapped_column(UTC)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTC)
    sent_at: Mapped[datetime | None] = mapped_column(UTC)
    opened_at: Mapped[datetime | None] = mapped_column(UTC)
    """When the link of an announced text was opened."""


Row = TypeVar("Row", Inbox, Outbox)
Queue = type[Inbox] | type[Outbox]


def inbox_values(message: InboundMessage, now: datetime) -> dict[str, Any]:
    """The columns of a new inbox row. Whatever a platform lets through is made storable here, in one place."""
    sender = storable(message.sender)
    return {
        "channel": message.channel,
        "account": message.account,
        "external_id": storable(message.external_id),
        "sender": sender,
        "order_key": f"{message.channel}/{message.account}/{sender}",
        "text": storable(message.text),
        "event": storable(message.event),
        "attachments": storable([asdict(item) for item in message.attachments]),
        "facts": storable(message.facts),
        "in_reply_to": storable(message.in_reply_to),
        "raw": message.raw,
        "received_at": message.received_at,
        "passive_until": None,
        "status": Status.TODO,
        "attempts": 0,
        "scheduled_at": now,
        "created_at": now,
        "last_error": None,
    }


@lru_cache
def _insert_inbox(dialect: str) -> Any:
    columns = Inbox.__table__.c
    named = (columns.channel, columns.account, columns.external_id)
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(Inbox.__table__)
    return insert.on_conflict_do_nothing(index_elements=named).returning(columns.id, *named)


async def insert_inbox(session: AsyncSession, values: Sequence[dict[str, Any]]) -> list[int | None]:
    """Store rows; for each its new id, or None where the same message was stored before (or earlier in `values`).

    One statement stores them all, because each statement costs more than the row it carries.
    """
    stored = await session.execute(_insert_inbox(session.get_bind().dialect.name), values)
    ids = {(channel, account, external_id): row_id for row_id, channel, account, external_id in stored}
    return [ids.pop((row["channel"], row["account"], row["external_id"]), None) for row in values]


async def find_inbox(session: AsyncSession, message: InboundMessage) -> Inbox | None:
    """The stored row of a message that was seen before."""
    return await session.scalar(
        select(Inbox).where(
            Inbox.channel == message.channel,
            Inbox.account == message.account,
            Inbox.external_id == storable(message.external_id),
        )
    )


def enqueue(
    session: AsyncSession,
    message: OutboundMessage,
    now: datetime,
    *,
    step: str | None = None,
    inbox_id: int | None = None,
    conversation_id: int | None = None,
    ticket_id: int | None = None,
    resident_id: int | None = None,
    reply_id: int | None = None,
    letter_id: int | None = None,
    scheduled_at: datetime | None = None,
    deadline_at: datetime | None = None,
) -> Outbox:
    """Put a message into the outbox, in the caller's transaction."""
    row = Outbox(
        channel=message.channel,
        account=message.account,
        recipient=message.recipient,
        order_key=f"{message.channel}/{message.account}/{message.recipient}",
        text=message.text,
        attachments=[asdict(item) for item in message.attachments],
        choices=list(message.choices),
        link=message.link,
        in_reply_to=message.in_reply_to,
        origin=message.origin,
        step=step or message.channel,
        inbox_id=inbox_id,
        conversation_id=conversation_id,
        ticket_id=ticket_id,
        resident_id=resident_id,
        reply_id=reply_id,
        letter_id=letter_id,
        status=Status.TODO,
        attempts=0,
        scheduled_at=scheduled_at or now,
        deadline_at=deadline_at,
        created_at=now,
    )
    session.add(row)
    return row


async def claim(session: AsyncSession, table: type[Row], worker: str, now: datetime, most: int = 1) -> Sequence[Row]:
    """Take the oldest rows whose order keys have none before them, with a lease; none when nothing is due.

    Call it in a transaction of its own: the claim must be committed before the work begins. `worker` is a name of
    this claim alone: who lost his lease and finishes late must not be taken for who has the row now.
    """
    await release_expired(session, table, now)
    locks = session.get_bind().dialect.name == "postgresql"
    due = (await session.scalars(_claimable(table, locks), {"now": now, "most": most})).all()
    if not due:
        return []
    await session.execute(
        update(table)
        .where(table.id.in_(due), table.status == Status.TODO)
        .values(status=Status.DOING, claimed_by=worker, claimed_until=now + LEASE, attempts=table.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    mine = select(table).where(table.id.in_(due), table.status == Status.DOING, table.claimed_by == worker)
    return (await session.scalars(mine.order_by(table.id))).all()


async def claim_row(session: AsyncSession, table: type[Row], row_id: int, worker: str, now: datetime) -> bool:
    """Take one named row when it still waits; False when somebody else was faster."""
    changed = await session.execute(
        update(table)
        .where(table.id == row_id, table.status == Status.TODO)
        .values(status=Status.DOING, claimed_by=worker, claimed_until=now + LEASE, attempts=table.attempts + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


@lru_cache
def _claimable(table: Queue, locks: bool) -> Select[int]:
    """`:most` rows due at `:now` whose order key has no older row waiting or in hand.

    Made once: putting the statement together costs more than asking it.
    """
    older = aliased(table)
    first = ~exists().where(
        older.order_key == table.order_key,
        older.status.in_(WAITING),
        or_(older.id < table.id, older.status == Status.DOING),
        older.id != table.id,
    )
    query = select(table.id).where(table.status == Status.TODO, table.scheduled_at <= _NOW, first)
    query = query.order_by(table.id).limit(bindparam("most", type_=Integer))
    return query.with_for_update(skip_locked=True) if locks else query


@lru_cache
def _anything_due(table: Queue) -> Select[bool]:
    expired = exists().where(table.status == Status.DOING, table.claimed_until < _NOW)
    return select(or_(exists(_claimable(table, False)), expired))


async def anything_due(session: AsyncSession, table: Queue, now: datetime) -> bool:
    """Whether a claim could find something: a cheap look that needs no write lock."""
    return bool(await session.scalar(_anything_due(table), {"now": now, "most": 1}))


async def release_expired(session: AsyncSession, table: type[Row], now: datetime) -> None:
    """Give back what a dead worker held."""
    await session.execute(
        update(table)
        .where(table.status == Status.DOING, table.claimed_until < now)
        .values(status=Status.TODO, claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


async def release_all(session: AsyncSession, table: type[Row]) -> None:
    """Give back everything in hand: only for a start that knows to be alone on this database."""
    await session.execute(
        update(table)
        .where(table.status == Status.DOING)
        .values(status=Status.TODO, claimed_by=None, claimed_until=None)
        .execution_options(synchronize_session=False)
    )


async def finish(session: AsyncSession, table: type[Row], row_id: int, worker: str, **values: Any) -> bool:
    """Mark a row done, if this worker still holds it; False when its lease was lost meanwhile."""
    return await _leave(session, table, row_id, worker, status=Status.DONE, last_error=None, **values)


async def put_back(
    session: AsyncSession, table: type[Row], row_id: int, worker: str, error: str, again_at: datetime
) -> bool:
    """Try the row again later."""
    return await _leave(
        session, table, row_id, worker, status=Status.TODO, last_error=error[:500], scheduled_at=again_at
    )


async def set_aside(session: AsyncSession, table: type[Row], row_id: int, worker: str, error: str) -> bool:
    """Leave the row to a person; its successors go on."""
    return await _leave(session, table, row_id, worker, status=Status.SET_ASIDE, last_error=error[:500])


async def _leave(session: AsyncSession, table: type[Row], row_id: int, worker: str, **values: Any) -> bool:
    changed = await session.execute(
        update(table)
        .where(table.id == row_id, table.status == Status.DOING, table.claimed_by == worker)
        .values(claimed_by=None, claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def replay(session: AsyncSession, table: Queue, row_id: int, now: datetime) -> bool:
    """Put a row that was set aside back to work; False when it was not set aside."""
    changed = await session.execute(
        update(table)
        .where(table.id == row_id, table.status == Status.SET_ASIDE)
        .values(status=Status.TODO, attempts=0, scheduled_at=now, last_error=None)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def backlog(session: AsyncSession, table: Queue) -> dict[str, int]:
    """How many rows are in each status that is not done."""
    query = select(table.status, func.count()).where(table.status != Status.DONE).group_by(table.status)
    return {status: count for status, count in (await session.execute(query)).all()}


async def waiting_before(session: AsyncSession, row_id: int) -> int:
    """How many inbox messages wait before this one, of all senders: what a passive reply depends on."""
    query = select(func.count()).where(and_(Inbox.status.in_(WAITING), Inbox.id < row_id))
    return int(await session.scalar(query) or 0)


def attachments_of(row: Inbox | Outbox) -> tuple[Attachment, ...]:
    """The attachments of a row as the channels speak them."""
    return tuple(Attachment(**item) for item in row.attachments)
