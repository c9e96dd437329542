"""What the calendar brings about for guides: publishing and expiry by date, and reminders to their owners."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from knowledge_base import life
from knowledge_base.tables import GuideReminder, GuideRow
from service import open_questions
from service.runtime import Runtime
from service.staff_messages import tell_owner

SOON = timedelta(days=7)

WORDS = {
    "valid_to": "办事指南《{title}》（{owner}）{day}到期，请核对后发布新的版本。",
    "soon": "办事指南《{title}》（{owner}）只剩几天，{day}到期；到期后不再回答居民。",
    "expired": "办事指南《{title}》（{owner}）已于{day}到期，居民问起时只告知到期和咨询电话。请核对后发布新的版本。",
    "checked_on": "办事指南《{title}》（{owner}）上次核对是{day}，请再核对一遍，把核对日期改到今天。",
}


class Due(NamedTuple):
    """What an owner is to be reminded of; `day` is the date it is about."""

    kind: str
    day: date


async def run_calendar(runtime: Runtime, now: datetime) -> None:
    """Publish, expire, remind; for the worker that tidies."""
    async with runtime.db.writing() as session:
        changed = await life.run_calendar(session, now)
    if changed:
        runtime.news.notify("guides")
    async with runtime.db.writing() as session:
        await remind(runtime, session, now)
    async with runtime.db.writing() as session:
        told = await open_questions.tell_those_who_asked(runtime, session, now)
    if told:
        runtime.news.notify("outbox")


async def remind(runtime: Runtime, session: AsyncSession, now: datetime) -> list[str]:
    """Tell each guide's owner what is due, once; answers the slugs that somebody was reminded of."""
    settings = runtime.settings
    today = clock.local(now).date()
    query = select(GuideRow).where(GuideRow.preset == settings.office.preset, GuideRow.state.in_(life.STANDING))
    told = []
    for row in (await session.scalars(query.order_by(GuideRow.slug))).all():
        for due in find_due(row, today, settings.guides.remind_days, settings.guides.check_days):
            if not await _mark(session, row, due, now):
                continue
            text = WORDS[due.kind].format(title=row.title, owner=row.owner, day=due.day)
            await tell_owner(session, runtime.office, row.owner, text, now)
            told.append(row.slug)
    return told


def find_due(row: GuideRow, today: date, remind_days: int, check_days: int) -> list[Due]:
    """What is due for one guide today: its end, and its next check."""
    found = []
    if row.valid_to is not None:
        left = row.valid_to - today
        if left < timedelta():
            found.append(Due("expired", row.valid_to))
        elif left <= min(SOON, timedelta(days=remind_days)):
            found.append(Due("soon", row.valid_to))
        elif left <= timedelta(days=remind_days):
            found.append(Due("valid_to", row.valid_to))
    if row.checked_on is not None and row.checked_on + timedelta(days=check_days) <= today:
        found.append(Due("checked_on", row.checked_on))
    return found


async def _mark(session: AsyncSession, row: GuideRow, due: Due, now: datetime) -> bool:
    """True for the one who marks it first: two workers remind nobody twice."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    done = await session.execute(
        dialect.insert(GuideReminder)
        .values(guide_id=row.id, kind=due.kind, due_on=due.day, told_at=now)
        .on_conflict_do_nothing()
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
