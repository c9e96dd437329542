"""A ticket's clocks in words: as the API shows and explains them, and as what the resident is promised."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import local, write_time
from core.targets import Unit, parse_target
from ticketing import clocks, sla
from ticketing.clocks import Clock, is_breached
from ticketing.lifecycle import OPEN
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.staff_notices import StaffNotice


def describe(clock: Clock, now: datetime) -> dict[str, Any]:
    return {
        "name": clock.name,
        "rule_version": f"{clock.rule_id}@{clock.rule_version}",
        "started_at": write_time(clock.started_at),
        "due_at": write_time(clock.due_at),
        "paused_at": write_time(clock.paused_at),
        "paused_total_s": clock.paused_total_s,
        "stopped_at": write_time(clock.stopped_at),
        "breached": is_breached(clock, now),
    }


async def explain_clocks(
    session: AsyncSession, office: Office, ticket: Ticket, now: datetime
) -> list[dict[str, Any]]:
    """The items of `GET /tickets/{number}/clocks`: each clock, the way to its due time, and who was told."""
    query = select(Clock).where(Clock.ticket_id == ticket.id).order_by(Clock.id)
    found = list((await session.scalars(query)).all())
    notices = select(StaffNotice).where(
        StaffNotice.clock_id.in_([clock.id for clock in found]), StaffNotice.told_at.is_not(None)
    )
    told: dict[int, list[dict[str, Any]]] = {}
    for row in await session.scalars(notices.order_by(StaffNotice.id)):
        entry = {"at": write_time(row.told_at), "share": (row.share or 0) / 100, "whom": row.whom, "by": row.by}
        told.setdefault(row.clock_id or 0, []).append(entry)
    return [
        describe(clock, now) | {"explain": explain(office, clock), "told": told.get(clock.id, [])}
        for clock in found
    ]


def explain(office: Office, clock: Clock) -> list[str]:
    """The way from start to due, in Chinese."""
    return clocks.explain_clock(clock, sla.hours_of(office.preset, clock))


async def promise(session: AsyncSession, ticket: Ticket) -> str:
    """One plain sentence for the resident: what happens next, and until when."""
    return promise_of(ticket, await sla.running_clocks(session, ticket.id))


def promise_of(ticket: Ticket, every: Sequence[Clock]) -> str:
    """The same sentence, from the ticket's clocks, oldest first."""
    running = {clock.name: clock for clock in every if clock.stopped_at is None}
    accept, finish = running.get("accept"), running.get("finish")
    if "supplement" in running or (finish and finish.paused_at):
        return "请您补充所缺的内容，收到后我们会继续办理。"
    if ticket.state not in OPEN:
        return _AFTERWARDS.get(ticket.state, "这件事已经办完。")
    if finish is None:
        return "我们会尽快办理并答复您。"
    if accept is None or accept.due_at >= finish.due_at:
        return f"我们会在{_write_limit(finish)}前答复您。"
    return f"我们会在{_write_limit(accept, with_time=True)}前受理，并在{_write_limit(finish)}前答复您。"


_AFTERWARDS = {
    "replied": "我们已经答复您，如有不同意见请告诉我们。",
    "declined": "我们已经说明不予受理的原因。",
    "withdrawn": "这件事已按您的意思撤回。",
    "merged": "这件事已与另一件合并办理，办理结果会一并答复您。",
}


def _write_limit(clock: Clock, with_time: bool = False) -> str:
    """`12月3日`, with the time of day where the limit is a matter of hours."""
    at, started = local(clock.due_at), local(clock.started_at)
    year = "" if at.year == started.year else f"{at.year}年"
    hours = parse_target(clock.target).unit in (Unit.HOURS, Unit.WORKING_HOURS)
    return f"{year}{at.month}月{at.day}日" + (f"{at:%H:%M}" if with_time or hours else "")
