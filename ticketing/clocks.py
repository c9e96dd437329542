"""A clock of a ticket: its row, and how starting, pausing, extending and stopping move its due time."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id, Json
from core.reckoning import explain, write_moment
from core.targets import parse_target
from core.working_hours import WorkingHours
from ticketing.preset import Rule

_RUNNING = text("stopped_at IS NULL")
_TICKING = text("stopped_at IS NULL AND paused_at IS NULL AND next_tell_at IS NOT NULL")


class Clock(Base):
    """One limit of one ticket. It keeps the target it was started with: a new version of a rule changes nothing."""

    __tablename__ = "clock"
    __table_args__ = (
        Index("ix_clock_ticket", "ticket_id", "id"),
        Index("ix_clock_due", "due_at", "ticket_id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_clock_tell", "next_tell_at", "id", sqlite_where=_TICKING, postgresql_where=_TICKING),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    name: Mapped[str]
    subject: Mapped[str | None]
    """What of the ticket it runs for, where there may be several: `task:12`, `measure:3`, `callback:7`."""
    title: Mapped[str]
    rule_id: Mapped[str]
    rule_version: Mapped[int]
    department: Mapped[str | None]
    """Whose calendar it counts by; None: the first department's."""
    target: Mapped[str]
    count: Mapped[str | None]
    roll: Mapped[bool]
    wider: Mapped[list[str]] = mapped_column(Json)
    """Rules that fitted as well and were not as strict."""
    history: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    """Pauses `{from, to, by}`, extensions `{at, due_at}` and set deadlines `{at, due_at, by}`, oldest first."""
    started_at: Mapped[datetime] = mapped_column(UTC)
    due_at: Mapped[datetime] = mapped_column(UTC)
    paused_at: Mapped[datetime | None] = mapped_column(UTC)
    paused_by: Mapped[str | None]
    paused_total_s: Mapped[int] = mapped_column(default=0)
    stopped_at: Mapped[datetime | None] = mapped_column(UTC)
    stopped_by: Mapped[str | None]
    """The verb that stopped it."""
    breached: Mapped[bool] = mapped_column(default=False)
    """Stopped too late, or told to be over; while it runs, `is_breached` says it to the second."""
    next_tell_at: Mapped[datetime | None] = mapped_column(UTC)
    """When the next share is reached that somebody is to hear about."""


def is_breached(clock: Clock, now: datetime) -> bool:
    """Whether it was, or is, over its due time; time does not pass while it is paused."""
    return (clock.stopped_at or clock.paused_at or now) > clock.due_at


def pause(clock: Clock, verb: str, now: datetime) -> None:
    if clock.paused_at is None:
        clock.paused_at, clock.paused_by = now, verb


def resume(clock: Clock, hours: WorkingHours, now: datetime) -> None:
    """The due time moves by the time paused: working time where the rule counts it, else by the wall clock."""
    if clock.paused_at is None:
        return
    begun, ended = clock.paused_at, max(now, clock.paused_at)
    clock.due_at = _move(clock, hours, clock.due_at, begun, ended)
    entry = {"from": begun.isoformat(), "to": ended.isoformat(), "by": clock.paused_by}
    clock.history = [*clock.history, entry]
    clock.paused_total_s += int((ended - begun).total_seconds())
    clock.paused_at = clock.paused_by = None


def stop(clock: Clock, hours: WorkingHours, verb: str, now: datetime) -> None:
    resume(clock, hours, now)
    clock.stopped_at, clock.stopped_by = now, verb
    clock.breached = is_breached(clock, now)
    clock.next_tell_at = None


def reopen(clock: Clock) -> None:
    """As if it had never been stopped: the resident's time ran on."""
    clock.stopped_at = clock.stopped_by = None
    clock.breached = False


def extend(clock: Clock, due_at: datetime, now: datetime) -> None:
    clock.history = [*clock.history, {"at": now.isoformat(), "due_at": due_at.isoformat()}]
    clock.due_at = due_at


def fix(clock: Clock, due_at: datetime, now: datetime) -> None:
    """A due time that a person set in place of the rule's."""
    clock.history = [*clock.history, {"at": now.isoformat(), "due_at": due_at.isoformat(), "by": "raise"}]
    clock.due_at = due_at


def recount(clock: Clock, hours: WorkingHours) -> None:
    """The due time anew, by this calendar: base, then every pause and extension in turn."""
    due = hours.add(clock.started_at, clock.target, clock.count, roll=clock.roll)
    for entry in clock.history:
        if "due_at" in entry:
            due = datetime.fromisoformat(entry["due_at"])
        else:
            due = _move(clock, hours, due, *_pause_of(entry))
    clock.due_at = due


def plan_telling(clock: Clock, hours: WorkingHours, rule: Rule | None, after: int = 0) -> None:
    """Set when the first share above `after` (in hundredths) is reached."""
    clock.next_tell_at = next_telling(clock, hours, rule, after)


def next_telling(clock: Clock, hours: WorkingHours, rule: Rule | None, after: int) -> datetime | None:
    """When the first share above `after` is reached; None when there is none."""
    shares = [share for share, _ in rule.shares if share > after] if rule else []
    return share_moment(clock, hours, shares[0]) if shares and not clock.stopped_at else None


def explain_clock(clock: Clock, hours: WorkingHours) -> list[str]:
    """The way from start to due in Chinese: the base count, then pauses, extensions and how it ended."""
    steps = explain(hours, clock.started_at, clock.target, clock.count, roll=clock.roll)
    if clock.wider:
        steps.insert(1, f"同时适用的较宽时限：{'、'.join(clock.wider)}；从严，按本时限")
    due = hours.add(clock.started_at, clock.target, clock.count, roll=clock.roll)
    for entry in clock.history:
        if "due_at" in entry:
            due = datetime.fromisoformat(entry["due_at"])
            why = "督办限定" if "by" in entry else "批准延期，改为"
            steps.append(f"{_at(entry['at'])} {why} {write_moment(due)} 到期")
            continue
        begun, ended = _pause_of(entry)
        due = _move(clock, hours, due, begun, ended)
        span = f"{write_moment(begun)} 至 {write_moment(ended)}"
        steps.append(f"{span} 暂停计时，顺延至 {write_moment(due)} 到期")
    if clock.paused_at:
        steps.append(f"{write_moment(clock.paused_at)} 起暂停计时，恢复后顺延")
    if clock.stopped_at:
        late = "已超期" if is_breached(clock, clock.stopped_at) else "未超期"
        steps.append(f"{write_moment(clock.stopped_at)} 停止计时，{late}")
    return steps


def _move(clock: Clock, hours: WorkingHours, due: datetime, begun: datetime, ended: datetime) -> datetime:
    if parse_target(clock.target).counts_working_time:
        return hours.shift(due, hours.between(begun, ended))
    moved = due + (ended - begun)
    return hours.roll(moved) if clock.roll else moved


def share_moment(clock: Clock, hours: WorkingHours, share: int) -> datetime:
    """When `share` hundredths of the clock's own time are over, pauses not counted."""
    pauses = [_pause_of(entry) for entry in clock.history if "from" in entry]
    rest = (share - 100) / 100
    if not parse_target(clock.target).counts_working_time:
        total = clock.due_at - clock.started_at - sum((b - a for a, b in pauses), timedelta())
        return clock.due_at + max(total, timedelta()) * rest
    total = hours.between(clock.started_at, clock.due_at)
    total -= sum((hours.between(a, b) for a, b in pauses), timedelta())
    return hours.shift(clock.due_at, max(total, timedelta()) * rest)


def _pause_of(entry: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(entry["from"]), datetime.fromisoformat(entry["to"])


def _at(moment: str) -> str:
    return write_moment(datetime.fromisoformat(moment))
