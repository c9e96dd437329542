"""Feasts and days of the lunar calendar, computed from the new moons, so that no year is missing from a table."""
from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

ZONE = timezone(timedelta(hours=8))
"""China has one time zone and no summer time."""

SOLAR = {"元旦": (1, 1, 3), "妇女节": (3, 8, 1), "三八节": (3, 8, 1), "清明": (4, 5, 3), "清明节": (4, 5, 3), "五一": (5, 1, 5), "劳动节": (5, 1, 5),
         "儿童节": (6, 1, 1), "六一": (6, 1, 1), "国庆": (10, 1, 7), "国庆节": (10, 1, 7), "十一假期": (10, 1, 7), "十一黄金周": (10, 1, 7),
         "双十一": (11, 11, 1), "立春": (2, 4, 1), "立夏": (5, 5, 1), "夏至": (6, 21, 1), "立秋": (8, 7, 1), "霜降": (10, 23, 1), "立冬": (11, 7, 1), "冬至": (12, 22, 1), "圣诞": (12, 25, 1), "圣诞节": (12, 25, 1), "暑假": (7, 10, 50), "寒假": (1, 20, 30)}
"""Month, day, and how many days it takes."""
LUNAR = {"春节": (1, 1, 8), "大年初一": (1, 1, 1), "大年初二": (1, 2, 1), "大年初三": (1, 3, 1), "大年初四": (1, 4, 1), "大年初五": (1, 5, 1), "大年初六": (1, 6, 1), "大年初七": (1, 7, 1), "大年初八": (1, 8, 1),
         "过年": (1, 1, 8), "年三十": (1, 0, 1), "除夕": (1, 0, 1), "大年三十": (1, 0, 1), "元宵": (1, 15, 1), "元宵节": (1, 15, 1),
         "正月十五": (1, 15, 1), "七夕": (7, 7, 1), "腊八": (12, 8, 1), "腊八节": (12, 8, 1), "端午": (5, 5, 3), "端午节": (5, 5, 3), "中秋": (8, 15, 3), "中秋节": (8, 15, 3), "重阳": (9, 9, 1), "重阳节": (9, 9, 1)}
_MIDDLE = {1: (2, 19), 2: (3, 20), 3: (4, 20), 4: (5, 21), 5: (6, 21), 6: (7, 22), 7: (8, 23), 8: (9, 23), 9: (10, 23), 10: (11, 22), 11: (12, 21), 12: (1, 20)}
"""The day of the sun's path that each lunar month holds, to a day."""
_MONTH = 29.530588861
_FIRST = datetime(2000, 1, 6, 18, 14, tzinfo=UTC)


@lru_cache(maxsize=256)
def new_moon(n: int) -> date:
    """The day in China of the n-th new moon since January 2000 (Meeus, to some minutes)."""
    t = n / 1236.85
    sun = math.radians(2.5534 + 29.10535670 * n)
    moon = math.radians(201.5643 + 385.81693528 * n)
    node = math.radians(160.7108 + 390.67050284 * n)
    shift = (-0.40720 * math.sin(moon) + 0.17241 * math.sin(sun) + 0.01608 * math.sin(2 * moon) + 0.01039 * math.sin(2 * node)
             + 0.00739 * math.sin(moon - sun) - 0.00514 * math.sin(moon + sun) + 0.00208 * math.sin(2 * sun))
    days = _MONTH * n + 0.00015437 * t * t - 0.000428 + shift
    return (datetime(2000, 1, 6, 14, 20, 36, tzinfo=UTC) + timedelta(days=days)).astimezone(ZONE).date()


def _month_with(day: date) -> date:
    """The first day of the lunar month that holds this day."""
    n = round((datetime(day.year, day.month, day.day, tzinfo=UTC) - _FIRST).days / _MONTH) + 1
    while new_moon(n) > day:
        n -= 1
    return new_moon(n)


def lunar_day(year: int, month: int, day: int) -> date:
    """The day of a lunar month in the year that begins in spring of `year`."""
    middle = date(year + (month == 12), *_MIDDLE[month])
    return _month_with(middle) + timedelta(days=day - 1)


def coming_day_of_month(today: date, day: int) -> date:
    """初八 alone: the next one."""
    this = _month_with(today) + timedelta(days=day - 1)
    return this if this >= today else _month_with(today + timedelta(days=31)) + timedelta(days=day - 1)


def feast(name: str, year: int) -> tuple[date, int]:
    """First day of a feast in a year, and how many days it takes."""
    if name in SOLAR:
        month, day, length = SOLAR[name]
        return date(year, month, day), length
    month, day, length = LUNAR[name]
    return lunar_day(year, month, day), length
