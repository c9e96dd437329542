"""The day a question is about: 今天, 明天, 下周六, 10月1日."""

import re
from datetime import date, timedelta

_NEAR = {"大后天": 3, "后天": 2, "明天": 1, "明日": 1, "今天": 0, "今日": 0, "现在": 0}
_WEEKDAY = re.compile(r"(下下|下|这|本)?个?(?:周|星期|礼拜)([一二三四五六日天])")
_DATE = re.compile(r"(\d{1,2})月(\d{1,2})[日号]")


def asked_day(question: str, today: date) -> date | None:
    """The day that is named; None where none is. A date without a year is the next one to come."""
    if found := _DATE.search(question):
        return _next_date(int(found[1]), int(found[2]), today)
    for word, ahead in _NEAR.items():
        if word in question:
            return today + timedelta(days=ahead)
    if found := _WEEKDAY.search(question):
        weekday = "一二三四五六日".index(found[2].replace("天", "日"))
        monday = today - timedelta(days=today.weekday())
        weeks = {"下下": 2, "下": 1}.get(found[1] or "", 0)
        day = monday + timedelta(weeks=weeks, days=weekday)
        return day if day >= today or found[1] else day + timedelta(weeks=1)
    return None


def _next_date(month: int, day: int, today: date) -> date | None:
    for year in (today.year, today.year + 1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None
