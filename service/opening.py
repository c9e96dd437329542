"""One sentence on whether a guide's office is open, from the department's calendar."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from core import clock
from core.working_hours import ALWAYS, Day, Source, WorkingHours
from knowledge_base.guide import Guide
from ticketing.office import Office

WEEKDAYS = "一二三四五六日"


def make_opening(office: Office) -> Callable[[Guide, date, datetime], str | None]:
    """What `answer` asks. Guides of another preset than the office's are silent: their hours are not ours."""

    def describe(guide: Guide, day: date, now: datetime) -> str | None:
        if guide.preset != office.preset.name:
            return None
        hours = office.calendars.of(_department(office, guide))
        found = hours.day(day)
        if found.windows == ALWAYS:
            return None  # Somebody is on duty day and night: when a guide's counter is open its own hours say.
        if day != clock.local(now).date():
            return f"{_name(day)}{_why(found)}{_written(found.hours)}"
        return _today(hours, found, now)

    return describe


def _department(office: Office, guide: Guide) -> str | None:
    """The department that answers for a guide, where its owner is one; else the first one's calendar holds."""
    return next((each.code for each in office.preset.departments if each.name == guide.owner), None)


def _why(day: Day) -> str:
    """Why a day is not like its weekday; empty where it is."""
    if day.source is Source.MAKE_UP:
        return "调休上班，"
    return f"{day.name}放假，" if day.source is Source.HOLIDAY else ""


def _today(calendar: WorkingHours, day: Day, now: datetime) -> str:
    time, windows = clock.local(now).strftime("%H:%M"), day.hours
    if not windows:
        return f"今天{_why(day)}不办公，{_next(calendar, now)}开始办理。"
    if any(start <= time < end for start, end in windows):
        return f"现在正在办公，今天{_written(windows)}"
    later = [start for start, _ in windows if start > time]
    if later and any(end <= time for _, end in windows):
        return f"现在是午休，{later[0]}开始办理。"
    return f"现在还没上班，{later[0]}开始办理。" if later else f"今天已下班，{_next(calendar, now)}开始办理。"


def _next(calendar: WorkingHours, now: datetime) -> str:
    opening = clock.local(calendar.next_opening(now))
    day = opening.date()
    name = "明天" if day == clock.local(now).date() + timedelta(days=1) else _name(day)
    return f"{name}{opening:%H:%M}"


def _name(day: date) -> str:
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def _written(windows: list[list[str]]) -> str:
    if not windows:
        return "不办公。"
    return "办理时间 " + "，".join(f"{start}–{end}" for start, end in windows) + "。"
