"""What is due: whose share of a clock is to be told now, claimed by one worker; and what is over, for queries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from core.working_hours import WorkingHours
from ticketing import clocks, sla
from ticketing.clocks import Clock
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.preset import Rule


@dataclass(frozen=True)
class Due:
    """Somebody is to hear that this share of the clock is over."""

    clock: Clock
    share: int
    """In hundredths."""
    whom: tuple[str, ...]


async def due_clocks(session: AsyncSession, office: Office, now: datetime, limit: int = 500) -> list[Due]:
    """Clocks with a share to be told now, the longest waiting first; read by index, whatever the number of tickets."""
    query = (
        select(Clock)
        .where(Clock.stopped_at.is_(None), Clock.paused_at.is_(None), Clock.next_tell_at <= now)
        .order_by(Clock.next_tell_at, Clock.id)
        .limit(limit)
    )
    return [
        Due(clock, *_reached(clock, sla.hours_of(office.preset, clock), sla.rule_of(office.preset, clock), now))
        for clock in await session.scalars(query)
    ]


async def anything_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a share waits to be told: a cheap look that needs no write lock."""
    query = select(Clock.id).where(Clock.stopped_at.is_(None), Clock.paused_at.is_(None), Clock.next_tell_at <= now)
    return await session.scalar(query.order_by(Clock.next_tell_at).limit(1)) is not None


def _reached(clock: Clock, hours: WorkingHours, rule: Rule | None, now: datetime) -> tuple[int, tuple[str, ...]]:
    """The highest share that is over, and whom it and the shares before it, from the planned one on, were to tell.

    After the service was away there may be several: everybody hears once, and only the last. A rule that is no
    longer there has the supervisor look.
    """
    planned, share = clock.next_tell_at, 0
    whom: list[str] = []
    for each, people in rule.shares if rule else []:
        moment = clocks.share_moment(clock, hours, each)
        if planned and moment >= planned and (moment <= now or not share):
            share, whom = each, [*whom, *people]
    return (share, tuple(dict.fromkeys(whom))) if share else (100, ("supervisor",))


async def claim(session: AsyncSession, office: Office, due: Due) -> bool:
    """Take a share to be told, and plan the next. False: another worker had it first, or the clock has stopped."""
    clock, seen = due.clock, due.clock.next_tell_at
    hours, rule = sla.hours_of(office.preset, clock), sla.rule_of(office.preset, clock)
    values: dict[str, Any] = {"next_tell_at": clocks.next_telling(clock, hours, rule, due.share)}
    if due.share >= 100 and clock.name not in sla.WAITS_FOR_RESIDENT:
        values["breached"] = True
    claimed = await session.execute(
        update(Clock)
        .where(Clock.id == clock.id, Clock.next_tell_at == seen, Clock.stopped_at.is_(None))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if not claimed.rowcount:  # type: ignore[attr-defined]
        return False
    for name, value in values.items():
        set_committed_value(clock, name, value)
    return True


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """For queries over Ticket: a clock of ours runs and is over."""
    # A clock that stands was over before it was paused: that it is due before now holds for both, and has an index.
    over = or_(Clock.paused_at.is_(None), Clock.due_at < Clock.paused_at)
    return _has_clock(Clock.due_at < now, over)


def is_due_before(now: datetime, until: datetime) -> ColumnElement[bool]:
    """For queries over Ticket: a clock of ours runs, is not over, and will be before `until`."""
    return _has_clock(Clock.paused_at.is_(None), Clock.due_at >= now, Clock.due_at < until)


def _has_clock(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The few clocks that run and meet the conditions are found first, then their tickets: not each ticket asked."""
    mine = and_(Clock.stopped_at.is_(None), Clock.name.not_in(sla.WAITS_FOR_RESIDENT))
    return Ticket.id.in_(select(Clock.ticket_id).where(mine, *conditions))
