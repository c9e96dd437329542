"""What members of staff are to hear: noted once, gathered, and put into the outbox as one message a person and way.

A warning is noted in the transaction that claims its share of a clock; it is told when its time has come: at once, or
in the morning for who is off duty. What is no longer true by then is not told any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, UniqueConstraint, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import queues
from core.db import UTC, Base, Id
from core.message import OutboundMessage
from ticketing.clocks import Clock
from ticketing.model import Ticket
from ticketing.office import Office

CONSOLE, MAIL, WEBHOOK = "console", "mail", "webhook"
CHANNELS = {CONSOLE: "console", MAIL: "email", WEBHOOK: "webhook"}
GATHER = timedelta(minutes=10)
"""Warnings that are not yet a breach go by mail and webhook at most this often; what comes meanwhile goes together."""
LONGEST_DIGEST = 20
AT_ONCE = 500
TOLD_FOR = timedelta(days=2)
"""How long a mail or a webhook may be tried."""

_WAITING = text("told_at IS NULL AND dropped_at IS NULL")


class StaffNotice(Base):
    """One thing for one member of staff by one way. Of a share of a clock, each is noted once."""

    __tablename__ = "staff_notice"
    __table_args__ = (
        UniqueConstraint("clock_id", "share", "whom", "by"),
        Index("ix_staff_notice_waiting", "not_before", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_staff_notice_whom", "whom", "by", "told_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    whom: Mapped[str]
    """A name; for mail and webhook the end that the office set for a role."""
    by: Mapped[str]
    """console·mail·webhook"""
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    clock_id: Mapped[int | None] = mapped_column(ForeignKey("clock.id"))
    share: Mapped[int | None]
    """In hundredths: 80."""
    text: Mapped[str]
    pressing: Mapped[bool]
    """A breach, or an urgent matter: it waits for no gathering."""
    noted_at: Mapped[datetime] = mapped_column(UTC)
    not_before: Mapped[datetime] = mapped_column(UTC)
    told_at: Mapped[datetime | None] = mapped_column(UTC)
    dropped_at: Mapped[datetime | None] = mapped_column(UTC)
    """When it was found to be no longer true."""
    outbox_id: Mapped[int | None] = mapped_column(Id)
    read_at: Mapped[datetime | None] = mapped_column(UTC)
    """When he looked at it on the console."""


async def note(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Note what is to be told; what was noted for the same share, person and way before stays as it is."""
    if not rows:
        return
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    await session.execute(dialect.insert(StaffNotice.__table__).on_conflict_do_nothing(), list(rows))


def _of(name: str) -> Select[StaffNotice]:
    return select(StaffNotice).where(
        StaffNotice.whom == name, StaffNotice.by == CONSOLE, StaffNotice.told_at.is_not(None)
    )


async def list_of(
    session: AsyncSession, name: str, limit: int, after: int | None = None
) -> list[tuple[StaffNotice, str | None]]:
    """What this member of staff was told on the console, newest first, with the ticket's number."""
    query = _of(name).outerjoin(Ticket, Ticket.id == StaffNotice.ticket_id).add_columns(Ticket.number)
    if after is not None:
        query = query.where(StaffNotice.id < after)
    rows = await session.execute(query.order_by(StaffNotice.id.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


async def count_unread(session: AsyncSession, name: str) -> int:
    query = _of(name).where(StaffNotice.read_at.is_(None)).with_only_columns(func.count())
    return await session.scalar(query) or 0


async def mark_read(session: AsyncSession, name: str, up_to: int, now: datetime) -> None:
    """He has seen everything up to this one."""
    await session.execute(
        update(StaffNotice)
        .where(StaffNotice.whom == name, StaffNotice.by == CONSOLE, StaffNotice.id <= up_to,
               StaffNotice.told_at.is_not(None), StaffNotice.read_at.is_(None))
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )


async def anything_waiting(session: AsyncSession, now: datetime) -> bool:
    query = select(StaffNotice.id).where(_WAITING, StaffNotice.not_before <= now).limit(1)
    return await session.scalar(query) is not None


async def tell_waiting(session: AsyncSession, office: Office, now: datetime) -> int:
    """Put what waits into the outbox, one message a person and way; how many notices were dealt with."""
    query = (
        select(StaffNotice, Ticket.kind, Clock.stopped_at)
        .outerjoin(Ticket, Ticket.id == StaffNotice.ticket_id)
        .outerjoin(Clock, Clock.id == StaffNotice.clock_id)
        .where(_WAITING, StaffNotice.not_before <= now)
        .order_by(StaffNotice.not_before, StaffNotice.id)
        .limit(AT_ONCE)
    )
    if session.get_bind().dialect.name == "postgresql":
        query = query.with_for_update(of=StaffNotice, skip_locked=True)
    rows = (await session.execute(query)).all()
    told: list[tuple[tuple[Any, ...], StaffNotice]] = []
    for notice, kind, stopped_at in rows:
        if stopped_at is not None and (notice.share or 0) < 100:
            notice.dropped_at = now
            continue
        # A report about staff shares its message with nothing else, so that only inspectors read it in the outbox.
        alone = notice.ticket_id if kind == "report" else 0
        told.append(((notice.whom, notice.by, alone or 0), notice))
    for (whom, by, _), group in groupby(sorted(told, key=lambda item: (item[0], item[1].id)), key=lambda item: item[0]):
        await _tell_one(session, office, whom, by, [notice for _, notice in group], now)
    await session.flush()
    return len(rows)


async def _tell_one(
    session: AsyncSession, office: Office, whom: str, by: str, notices: list[StaffNotice], now: datetime
) -> None:
    if by != CONSOLE and not any(notice.pressing for notice in notices):
        query = select(func.max(StaffNotice.told_at)).where(StaffNotice.whom == whom, StaffNotice.by == by)
        last = await session.scalar(query)
        if last is not None and last + GATHER > now:
            for notice in notices:
                notice.not_before = last + GATHER
            return
    tickets = {notice.ticket_id for notice in notices}
    account = office.ends[whom] if by != CONSOLE and whom in office.ends else "main"
    message = OutboundMessage(CHANNELS[by], account, f"staff:{whom}", _digest(notices), "staff")
    row = queues.enqueue(
        session, message, now, ticket_id=tickets.pop() if len(tickets) == 1 else None, deadline_at=now + TOLD_FOR
    )
    await session.flush()
    await session.execute(
        update(StaffNotice)
        .where(StaffNotice.id.in_([notice.id for notice in notices]), StaffNotice.told_at.is_(None))
        .values(told_at=now, outbox_id=row.id)
        .execution_options(synchronize_session=False)
    )


def _digest(notices: Sequence[StaffNotice]) -> str:
    """One line for one thing, a numbered list for several."""
    if len(notices) == 1:
        return notices[0].text
    lines = [f"{number}. {notice.text}" for number, notice in enumerate(notices[:LONGEST_DIGEST], 1)]
    more = len(notices) - LONGEST_DIGEST
    return "\n".join([f"有 {len(notices)} 件需要处理：", *lines, *([f"另有 {more} 件，请看工作台。"] if more > 0 else [])])
