"""One sentence on whether a guide's office is open, from the department's calendar."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from core import clock
from knowledge_base.guide import Guide
from ticketing.office import Office

WEEKDAYS = "一二三四五六日"


def make_opening(office: Office) -> Callable[[Guide, date, datetime], str | None]:
    """What `answer` asks. Guides of another preset than the office's are silent: their hours are not ours."""

    def describe(guide: Guide, day: date, now: datetime) -> str | None:
        if guide.preset != office.preset.name:
            return None
        windows = office.calendars.of(None).day(day).hours
        if day != clock.local(now).date():
            return f"{_name(day)}{_written(windows)}"
        return _today(office, windows, now)

    return describe


def _today(office: Office, windows: list[list[str]], now: datetime) -> str:
    time = clock.local(now).strftime("%H:%M")
    if not windows:
        return f"今天不办公，{_next(office, now)}开始办理。"
    if any(start <= time < end for start, end in windows):
        return f"现在正在办公，今天{_written(windows)}"
    later = [start for start, _ in windows if start > time]
    if later and any(end <= time for _, end in windows):
        return f"现在是午休，{later[0]}开始办理。"
    return f"现在还没上班，{later[0]}开始办理。" if later else f"今天已下班，{_next(office, now)}开始办理。"


def _next(office: Office, now: datetime) -> str:
    opening = clock.local(office.calendars.of(None).next_opening(now))
    day = opening.date()
    name = "明天" if day == clock.local(now).date() + timedelta(days=1) else _name(day)
    return f"{name}{opening:%H:%M}"


def _name(day: date) -> str:
    return f"{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


def _written(windows: list[list[str]]) -> str:
    if not windows:
        return "不办公。"
    return "办理时间 " + "，".join(f"{start}–{end}" for start, end in windows) + "。"
