"""Which moments a time expression means, by its parts: the day, the part of it, the clock."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from re import Match

from nlu.components.feasts import ZONE, coming_day_of_month, feast, lunar_day

Parts = dict[str, str | None]
"""The named groups of a time expression."""
Span = tuple[datetime, datetime]
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "日": 7, "天": 7}
_DAYS = {"大前": -3, "前": -2, "昨": -1, "琴": -1, "噚": -1, "寻": -1, "夜": -1, "外后": 3, "万后": 3, "今": 0, "当": 0, "明": 1, "听": 1, "后": 2, "大后": 3}
PERIODS = {
    "凌晨": (0, 6), "清晨": (5, 8), "清早": (5, 8), "一大早": (5, 9), "早上": (6, 9), "早晨": (6, 9),
    "上午": (8, 12), "中午": (11, 14), "下午": (12, 18), "傍晚": (17, 19), "晚上": (18, 24), "夜里": (20, 24),
    "夜晚": (18, 24), "半夜": (0, 5), "深夜": (22, 24), "午夜": (23, 24), "午后": (12, 15), "早": (6, 9), "晚": (18, 24),
    "晚间": (18, 24), "朝早": (6, 9), "朝": (6, 9), "上昼": (8, 12), "下昼": (12, 18), "晏昼": (12, 18), "晌午": (11, 14), "头晌": (8, 12),
    "后晌": (12, 18), "大清早": (5, 8), "大早上": (5, 9), "大晚上": (18, 24), "大半夜": (0, 5), "后半夜": (0, 5), "下半夜": (0, 5), "三更半夜": (0, 5),
    "前半夜": (20, 24), "上半夜": (20, 24), "一早": (5, 9), "白天": (8, 18), "夜间": (20, 24), "头午": (8, 12), "早浪向": (6, 9), "早浪": (6, 9), "中浪向": (11, 14), "夜头": (18, 24), "下晚黑": (18, 24), "下晚": (17, 20), "傍黑天": (17, 19), "上晌": (8, 12), "前晌": (8, 12), "前半晌": (8, 12), "下晌": (12, 18), "后半晌": (12, 18), "过晌": (12, 18), "晌午头": (11, 14), "中午头": (11, 14), "大中午": (11, 14),
    "全天": (8, 18), "整天": (8, 18), "全日": (8, 18), "午间": (11, 14), "早起": (5, 9), "打早": (5, 8), "一清早": (5, 8), "清早八早": (5, 8), "大清八早": (5, 8), "透早": (5, 8), "上半天": (8, 12), "前半天": (8, 12), "下半天": (12, 18),
    "后半天": (12, 18), "上半日": (8, 12), "下半日": (12, 18), "下晡": (12, 18), "傍黑": (17, 19), "黄昏": (17, 19), "晚黑": (18, 24), "夜黑": (18, 24), "晚夕": (18, 24), "暗时": (18, 24),
    "大夜里": (20, 24), "黑夜": (20, 24), "夜": (20, 24), "晨": (5, 8), "擦黑": (17, 19),
}
MEALS = {"天亮": 6, "早饭": 8, "早餐": 8, "上班": 9, "开门": 9, "午饭": 12, "中饭": 12, "午餐": 12, "午休": 13, "放学": 16.5, "下班": 17.5, "关门": 17.5,
          "收工": 18, "晚饭": 19, "晚餐": 19, "天黑": 19}
"""What a day is told by beside the clock: 下班前, 晚饭以后."""
_EVENING_OF = {"早上": "早上", "晚上": "晚上", "夜里": "夜里", "上午": "上午", "下午": "下午", "中午": "中午", "早": "早", "晚": "晚", "夜": "夜里", "朝": "朝早", "晨": "清晨", "早晨": "早晨", "晚黑": "晚上", "晚夕": "晚上", "夜黑": "晚上"}


def number(text: str) -> int:
    """三, 十二, 二十, 15 → the number; half and few count as they are meant."""
    if text.isdigit():
        return int(text)
    if text in {"几"}:
        return 3
    if "十" in text:
        tens, _, ones = text.partition("十")
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
    return sum(_DIGITS[c] * 10 ** n for n, c in enumerate(reversed(text)))


def _figures(said: str) -> int:
    """二零一九 → 2019."""
    return int("".join(str(_DIGITS.get(c, c)) for c in said))


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=ZONE)
    except ValueError:
        return None


def _month(now: datetime, shift: int) -> datetime:
    months = now.year * 12 + now.month - 1 + shift
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=ZONE)


_SHIFT = {"大上": -2, "大下": 2, "今": 0, "呢": 0, "上上": -2, "上": -1, "下": 1, "下下": 2, "这": 0, "这个": 0, "本": 0, None: 0}


def _span(match: Match[str], now: datetime) -> Span | None:
    """First and last moment of the date part; None where the calendar has no such day."""
    parts = match.groupdict()
    if stretch := next((read for name, read in _STRETCHES.items() if parts[name]), None):
        return stretch(parts, match, now)
    day = next((read(parts, now) for name, read in _DAYS_BY.items() if parts[name]), _midnight(now))
    return None if day is None else (day, day + timedelta(days=1))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _monday(now: datetime, which: str | None) -> datetime:
    """Of this week, or of the one that is meant."""
    today = _midnight(now)
    return today - timedelta(days=today.weekday()) + timedelta(weeks=_SHIFT[which])


def _weekday(parts: Parts, now: datetime) -> datetime:
    day = _monday(now, parts["wkrel"]) + timedelta(days=number(parts["wkday"] or "") - 1)
    return day if parts["wkrel"] or day >= _midnight(now) else day + timedelta(weeks=1)


def _day_of_month(parts: Parts, now: datetime) -> datetime | None:
    first = _month(now, _SHIFT[parts["mrel"]])
    return _day(first.year, first.month, number((parts["mday"] or "").replace("几", "")))


def _weekend(parts: Parts, match: Match[str], now: datetime) -> Span:
    monday = _monday(now, parts["werel"])
    return monday + timedelta(days=5), monday + timedelta(days=7)


def _week(parts: Parts, match: Match[str], now: datetime) -> Span:
    monday = _monday(now, parts["wrel"])
    return monday, monday + timedelta(weeks=1)


def _end_of_month(parts: Parts, match: Match[str], now: datetime) -> Span:
    return _part_of_month(_month(now, _SHIFT[parts["mpart_rel"]]), parts["mpart"] or "", bool(parts["tail"]), _midnight(now))


def _whole_month(parts: Parts, match: Match[str], now: datetime) -> Span:
    first = _month(now, _SHIFT[parts["mwhole"]])
    return first, _month(first, 1)


def _named_month(parts: Parts, match: Match[str], now: datetime) -> Span | None:
    month = number(parts["onlymonth"] or "")
    first = _day(int(parts["oyear"]), month, 1) if parts["oyear"] else _in_year(now, parts["yrel"], month, 1)
    if first and parts["onlypart"]:
        return _part_of_month(first, parts["onlypart"], False, _midnight(now))
    return (first, _month(first, 1)) if first else None


def _ten_days(parts: Parts, match: Match[str], now: datetime) -> Span:
    first = _midnight(now).replace(day=1) + timedelta(days={"上": 0, "中": 10, "下": 20}[parts["tenth"] or ""])
    return first, first + timedelta(days=10) if parts["tenth"] != "下" else _month(now, 1)


def _edge_of_year(parts: Parts, match: Match[str], now: datetime) -> Span:
    year = now.year + {"去": -1, "明": 1}.get(parts["yendrel"] or "", 0)
    first = datetime(year, 1 if parts["yend"] == "初" else 12, 1, tzinfo=ZONE)
    return first, _month(first, 1)


def _ago(parts: Parts, match: Match[str], now: datetime) -> Span:
    return _away(parts["ago_n"] or "", parts["ago_unit"] or "", "前" in (parts["ago_way"] or ""), now, _midnight(now))


def _just_now(parts: Parts, match: Match[str], now: datetime) -> Span:
    return now - timedelta(minutes=30), now


def _in_year(now: datetime, year: str | None, month: int, day: int) -> datetime | None:
    """10月3日 of the year that is named, else of the nearest."""
    return _day(now.year + _YEARS[year], month, day) if year else _nearest_year(now, month, day)


def _from(day: date, days: int = 1) -> tuple[datetime, datetime]:
    begins = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return begins, begins + timedelta(days=days)


def _feast(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    """国庆 is its first day, 国庆期间 all of them; without a year the nearest one."""
    name = parts["feast"] or ""
    years = [now.year + _YEARS[parts["yrel"]]] if parts["yrel"] else [now.year - 1, now.year, now.year + 1]
    first, days = min((feast(name, year) for year in years), key=lambda found: abs((found[0] - now.date()).days))
    if which := parts["fday"]:
        return _from(first + timedelta(days=days - 1 if which == "最后一天" else number(which[1]) - 1))
    return _from(first, days if re.search("期间|假", match[0]) else 1)


def _season(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    first = datetime(now.year + _YEARS[parts["yrel"] or "今年"], {"春": 3, "夏": 6, "秋": 9, "冬": 12}[(parts["season"] or "")[0]], 1, tzinfo=ZONE)
    return first, _month(first, 3)


def _lunar(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    """正月初八 is a day, 正月 a month, 出了正月 the month after it; without a year the nearest one."""
    month = {"正": 1, "腊": 12, "冬": 11}.get(said := parts["lunar"] or parts["lmonth"] or "") or number(said)
    years = [now.year + _YEARS[parts["yrel"]]] if parts["yrel"] else [now.year - 1, now.year, now.year + 1]
    first = min((lunar_day(year, month, 1) for year in years), key=lambda day: abs((day - now.date()).days))
    if said := parts["lday"] or parts["lmday"]:
        return _from(first + timedelta(days=number(said.removeprefix("初").replace("廿", "二十")) - 1))
    return _from(first + timedelta(days=30 * bool(parts["past"])), 30)


def _moonday(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    said = parts["moonday"] or parts["moonday2"] or ""
    return _from(coming_day_of_month(now.date(), number("二十" + said[1:] if said[0] == "廿" else said)))


def _year(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    """2019年, 二零零八年."""
    year = _figures((parts["yonly"] or "")[:4])
    return datetime(year, 1, 1, tzinfo=ZONE), datetime(year + 1, 1, 1, tzinfo=ZONE)


def _new_year(parts: Parts, match: Match[str], now: datetime) -> tuple[datetime, datetime]:
    """年前 is until the spring feast that comes, 年后 the month behind it."""
    first = min(day for year in (now.year, now.year + 1) if (day := feast("春节", year)[0]) > now.date())
    return _from(now.date(), (first - now.date()).days) if parts["newyear"] == "前" else _from(first + timedelta(days=8), 30)


_LATE = frozenset("下晌 后半晌 过晌 下半天 后半天 下半日 下晡 傍黑 黄昏 晚黑 夜黑 晚夕 暗时 大夜里 黑夜 下午 傍晚 晚上 晚 夜里 夜晚 深夜 午后 晚间 下昼 晏昼 后晌 大晚上 夜间 夜 前半夜 上半夜 擦黑".split())
"""Parts of the day whose hours lie behind noon."""
_YEARS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}
_DAYS_BY: Mapping[str, Callable[[Parts, datetime], datetime | None]] = {
    "year": lambda parts, now: _day(_figures(parts["year"] or ""), number(parts["ymonth"] or ""), number(parts["yday"] or "")),
    "month": lambda parts, now: _in_year(now, parts["yrel"], number(parts["month"] or ""), number(parts["day"] or "")),
    "smonth": lambda parts, now: _nearest_year(now, number(parts["smonth"] or ""), number(parts["sday"] or "")),
    "rday": lambda parts, now: _midnight(now) + timedelta(days=_DAYS[parts["rday"] or ""]),
    "wkday": _weekday, "mrel": _day_of_month,
    "dday": lambda parts, now: _day(now.year, now.month, number(parts["dday"] or "")),
}
"""What names one day; where nothing does, today is meant."""
_STRETCHES: Mapping[str, Callable[[Parts, Match[str], datetime], Span | None]] = {
    "weekend": _weekend, "wrel": _week, "mpart": _end_of_month, "mwhole": _whole_month, "onlymonth": _named_month,
    "tenth": _ten_days, "yend": _edge_of_year, "ago_n": _ago, "feast": _feast, "season": _season, "lunar": _lunar, "lmonth": _lunar,
    "moonday": _moonday, "moonday2": _moonday, "yonly": _year, "newyear": _new_year, "now": _just_now,
}


def _nearest_year(now: datetime, month: int, day: int) -> datetime | None:
    """11月3日 without a year is the one nearest to now."""
    days = [d for d in (_day(now.year + n, month, day) for n in (-1, 0, 1)) if d]
    return min(days, key=lambda d: abs((d - now).total_seconds())) if days else None


def _part_of_month(first: datetime, part: str, before: bool, today: datetime) -> tuple[datetime, datetime]:
    following = _month(first, 1)
    if before:
        return today, following
    if part in {"上旬", "下旬"}:
        return (first, first + timedelta(days=10)) if part == "上旬" else (first + timedelta(days=20), following)
    if part in {"底", "末"}:
        return following - timedelta(days=5), following
    if part == "初":
        return first, first + timedelta(days=10)
    return first + timedelta(days=10), first + timedelta(days=20)


_MINUTES = {"小时": 60, "钟头": 60, "刻钟": 15, "分钟": 1}


def _away(count: str, unit: str, ago: bool, now: datetime, today: datetime) -> tuple[datetime, datetime]:
    amount = 0.5 if count == "半" else float(number(count))
    sign = -1 if ago else 1
    if unit in _MINUTES:
        moment = now + sign * timedelta(minutes=amount * _MINUTES[unit])
        return moment, moment
    days = amount * {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30, "年": 365}[unit]
    day = (today + sign * timedelta(days=days)).replace(hour=0, minute=0)
    return day, day + timedelta(days=1)


def resolve(match: Match[str], now: datetime) -> tuple[datetime, datetime] | None:
    """First and last moment of what was found; None where the calendar or the clock has none such."""
    parts = match.groupdict()
    span = _span(match, now)
    if span is None:
        return None
    begins, ends = span
    period = parts["period"] or _EVENING_OF.get(parts["rword"] or "")
    if meal := parts["meal"]:
        moment = begins.replace(hour=0, minute=0) + timedelta(hours=MEALS[meal])
        return (begins, moment) if "前" in (parts["meal_way"] or "") else (moment, begins.replace(hour=0, minute=0) + timedelta(days=1))
    if parts["hour"]:
        hour, minute = _clock(parts, period)
        if hour > 28 or minute > 59:
            return None
        moment = begins.replace(hour=0, minute=0) + timedelta(hours=hour, minutes=minute)
        return moment, moment
    if period:
        first, last = PERIODS[period]
        return begins + timedelta(hours=first), begins + timedelta(hours=last)
    return begins, ends


def _clock(parts: dict[str, str | None], period: str | None) -> tuple[int, int]:
    hour = number(parts["hour"] or "0")
    said = (parts["minute"] or "").removesuffix("分")
    minute = {"": 0, "半": 30, "一刻": 15, "三刻": 45}.get(said)
    if minute is None:
        minute = number(said)
    if period in _LATE and hour < 12:
        if period in {"夜里", "深夜", "夜间", "夜"} and hour < 6:
            return hour, minute  # 夜里两点 is after midnight, 夜里十点 before it.
        return hour + (24 if period in {"晚上", "晚", "夜晚", "大晚上"} and hour < 5 else 12), minute  # 昨晚一点 is today.
    if period in {"晚上", "晚", "夜里", "半夜"} and hour == 12:
        return 24, minute
    if period == "中午" and hour < 3:
        return hour + 12, minute
    if period is None and 1 <= hour <= 6:
        return hour + 12, minute   # Nobody visits an office at three in the morning.
    return hour, minute
