"""Time expressions of residents → spans with their moments; none is invented where a sentence has none."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from re import Match

from nlu.components.normal import fold

ZONE = timezone(timedelta(hours=8))
"""China has one time zone and no summer time."""

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "日": 7, "天": 7}
_N = r"(?:[0-9]{1,2}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"

_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2, "大后": 3}
_PERIODS = {
    "凌晨": (0, 6), "清晨": (5, 8), "清早": (5, 8), "一大早": (5, 9), "早上": (6, 9), "早晨": (6, 9),
    "上午": (8, 12), "中午": (11, 14), "下午": (12, 18), "傍晚": (17, 19), "晚上": (18, 24), "夜里": (20, 24),
    "夜晚": (18, 24), "半夜": (0, 5), "深夜": (22, 24), "午夜": (23, 24), "午后": (12, 15), "早": (6, 9), "晚": (18, 24),
    "晚间": (18, 24),
}
_FEASTS = {"元旦": (1, 1), "五一": (5, 1), "劳动节": (5, 1), "国庆": (10, 1), "国庆节": (10, 1), "十一假期": (10, 1)}

_PERIOD = "|".join(sorted((p for p in _PERIODS if len(p) > 1), key=len, reverse=True))
_DATE = rf"""
    (?P<year>(?:19|20)\d\d)\s?[年/.-]\s?(?P<ymonth>{_N})\s?[月/.-]\s?(?P<yday>{_N})\s?[日号]?
  | (?<![0-9/.-])(?P<smonth>1[0-2]|0?[1-9])/(?P<sday>3[01]|[12][0-9]|0?[1-9])(?![0-9/.])
  | (?P<month>{_N})\s?月\s?(?:份\s?)?(?P<day>{_N})\s?[日号]?(?![0-9个人名元块])
  | (?P<rday>大前|大后|前|昨|今|当|明|后)(?P<rword>天|日|早|晚|夜|儿个?(?=[早上下中晚夜傍凌就天要能去来,，。 ]|$))(?!后)
  | (?P<wkrel>上上|下下|上|下|这|本)?个?(?:周|星期|礼拜)(?P<wkday>[一二三四五六日天1-6])(?![月年岁次]|[0-9](?!\d?\s?[点时:：]))
  | (?P<werel>上上|下下|上|下|这个?|本)?个?(?P<weekend>周末)
  | (?P<wrel>上上|下下|上|下|这|本)个?(?:周|星期|礼拜)(?![一二三四五六日天末1-6])
  | (?P<mrel>上|下|这|本)个?月(?:份)?(?P<mday>{_N})[日号]
  | (?P<mpart_rel>上|下|这|本)?个?月(?P<mpart>底|末|初|中旬|中)
  | (?P<mwhole>上|下|这|本)个?月(?!\w{{0,1}}[底末初])
  | (?P<onlymonth>{_N})\s?月(?:份|底|初)(?:之前|以前)?
  | 年(?P<yend>底|末|初)
  | (?P<ago_n>{_N}|半|几)个?(?P<ago_unit>天|日|周|星期|礼拜|月|小时|钟头|分钟)(?P<ago_way>之前|以前|前|之后|以后|后)(?!台|面|门)
  | (?P<feast>{"|".join(sorted(_FEASTS, key=len, reverse=True))})(?:假期|期间|当天)?
  | (?P<dday>(?<![0-9a-z第路街巷弄道])(?:[1-9]|[12][0-9]|3[01]|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九]))[号日](?P<dday_end>)
  | (?P<now>刚才|刚刚|方才)
"""
_CLOCK = r"""
    (?:(?P<hour>[01]?[0-9]|2[0-4]|十[一二三四五六七八九]?|二十[一二三四]?|[一二两三四五六七八九])
       \s?(?:点钟|点整|点|时(?!候|间|常|代|期|刻|效|段|尚|不)|:|：)\s?
       (?P<minute>半|[一三]刻|(?:[0-5][0-9]|[二三四五]?十[一二三四五六七八九]?|零[0-9一二三四五六七八九])(?:分)?(?![0-9个次人号栋幢座楼单室层])|[0-9一二三四五六七八九]分(?!钟))?)
"""
_WHEN = re.compile(
    rf"(?:(?:{_DATE})的?\s?,?)?(?:(?P<period>{_PERIOD})的?\s?)?(?:{_CLOCK})?(?P<tail>左右|前后|之前|以前|前(?![面台台天])|之后|以后)?",
    re.VERBOSE)
_NOT_A_DAY = re.compile(r"[楼栋幢座门窗线院井厅岗桌机馆地区厂柜台诊病床铺仓库房址码牌称召令段家单室口信桩]|之门|[车泊]位|车库|充电|电梯")
_IDIOM = re.compile(r"一时半|[0-9一二三四五六七八九十]+点钟?方向|一点一|七点八|两点一线|三点式")
_NOT_A_CLOCK = re.compile(r"[都也儿不没建意要问希内小声反忙钱用吧事办法]|[^\d]?滴")


@dataclass(frozen=True)
class Time:
    """`text[start:end]` means the moments from `begins` to `ends` (equal for a time of the clock)."""

    start: int
    end: int
    begins: datetime
    ends: datetime
    relative_to_future: bool
    """A bare weekday was taken as the coming one; a report of what happened may mean the last one."""


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


def find_times(text: str, now: datetime) -> list[Time]:
    """All time expressions of a text, as seen at `now` (aware); ranges (从…到…) are one expression."""
    plain = fold(text)
    return list(_joined(plain, list(_single(plain, now.astimezone(ZONE)))))


def _single(plain: str, now: datetime) -> Iterator[Time]:
    at = 0
    while at < len(plain):
        match = _WHEN.match(plain, at)
        if match is None or match.end() == at or not _means_time(match, plain):
            at += 1
            continue
        found = _resolve(match, now)
        if found is None:
            at += 1
            continue
        yield Time(match.start(), _end(match), *found, _future(match))
        at = match.end()


def _end(match: Match[str]) -> int:
    raw = match.group(0)
    return match.start() + len(raw.rstrip(" ,的"))


def _means_time(match: Match[str], plain: str) -> bool:
    """Refuse what only looks like a time: 一点都不方便, 6号楼, 有点, 前前后后."""
    parts = match.groupdict()
    has_date = any(value for key, value in parts.items() if key in _DATE_KEYS)
    following = plain[match.end():match.end() + 2]
    if parts["dday"] and not parts["hour"] and not parts["period"] and _NOT_A_DAY.match(following):
        return False
    if parts["dday"] and not 1 <= number(parts["dday"]) <= 31:
        return False
    if parts["smonth"] and not parts["hour"] and not parts["period"]:
        return False    # 3/4 of something, or a fraction of a date: only what names a day's part too is one.
    if parts["rday"] == "当" and (parts["rword"] or "").startswith("儿"):
        return False
    if parts["hour"] and not has_date and not parts["period"]:
        return _bare_clock(match, parts, plain, following)
    if not has_date and not parts["hour"] and parts["period"]:
        return not parts["tail"]
    if parts["rday"] == "当" and parts["rword"] not in {"天", "晚"}:
        return False
    if parts["rword"] in {"早", "晚", "夜"} and parts["rday"] in {"后", "大后", "当"} and parts["rword"] != "晚":
        return False
    return has_date or bool(parts["hour"])


def _bare_clock(match: Match[str], parts: dict[str, str | None], plain: str, following: str) -> bool:
    said = match.group(0)
    before = plain[max(0, match.start() - 1):match.start()]
    if ":" in said or "：" in said:
        return bool(parts["minute"]) and len(parts["minute"] or "") >= 2 and not before.isdigit()
    if "时" in said and not parts["minute"] and "点" not in said:
        return before in {"", "，", "。", " ", "在", "到"} and said[0].isdigit()
    if before and before in "第几有差快慢早晚多早0123456789.":
        return False
    if _IDIOM.match(plain[match.start():match.end() + 4]):
        return False
    if parts["minute"] or "钟" in said or "整" in said or parts["tail"]:
        return True
    if (parts["hour"] or "") in {"一", "两", "1"}:
        return False
    return not _NOT_A_CLOCK.match(following)


_DATE_KEYS = frozenset((
    "year", "month", "smonth", "rday", "wkday", "wrel", "mrel", "mpart", "mwhole", "onlymonth", "yend", "ago_n", "feast",
    "dday", "now", "weekend"))


def _future(match: Match[str]) -> bool:
    parts = match.groupdict()
    return bool(parts["wkday"] and not parts["wkrel"])


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=ZONE)
    except ValueError:
        return None


def _month(now: datetime, shift: int) -> datetime:
    months = now.year * 12 + now.month - 1 + shift
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=ZONE)


_SHIFT = {"上上": -2, "上": -1, "下": 1, "下下": 2, "这": 0, "这个": 0, "本": 0, None: 0}


def _span(match: Match[str], now: datetime) -> tuple[datetime, datetime] | None:
    """First and last moment of the date part; None where the calendar has no such day."""
    parts = match.groupdict()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day: datetime | None = None
    if parts["year"]:
        day = _day(int(parts["year"]), number(parts["ymonth"]), number(parts["yday"]))
    elif parts["month"]:
        day = _nearest_year(now, number(parts["month"]), number(parts["day"]))
    elif parts["smonth"]:
        day = _nearest_year(now, number(parts["smonth"]), number(parts["sday"]))
    elif parts["rday"]:
        day = today + timedelta(days=_DAYS[parts["rday"]])
    elif parts["wkday"]:
        monday = today - timedelta(days=today.weekday())
        day = monday + timedelta(weeks=_SHIFT[parts["wkrel"]], days=number(parts["wkday"]) - 1)
        if not parts["wkrel"] and day < today:
            day += timedelta(weeks=1)
    elif parts["weekend"]:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=_SHIFT[parts["werel"]])
        return monday + timedelta(days=5), monday + timedelta(days=7)
    elif parts["wrel"]:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=_SHIFT[parts["wrel"]])
        return monday, monday + timedelta(weeks=1)
    elif parts["mrel"]:
        first = _month(now, _SHIFT[parts["mrel"]])
        day = _day(first.year, first.month, number(parts["mday"]))
    elif parts["mpart"]:
        return _part_of_month(_month(now, _SHIFT[parts["mpart_rel"]]), parts["mpart"], bool(parts["tail"]), today)
    elif parts["mwhole"]:
        first = _month(now, _SHIFT[parts["mwhole"]])
        return first, _month(first, 1)
    elif parts["onlymonth"]:
        first = _nearest_year(now, number(parts["onlymonth"]), 1)
        return (first, _month(first, 1)) if first else None
    elif parts["yend"]:
        return ((datetime(now.year, 12, 1, tzinfo=ZONE), datetime(now.year + 1, 1, 1, tzinfo=ZONE))
                if parts["yend"] != "初" else (datetime(now.year, 1, 1, tzinfo=ZONE), datetime(now.year, 2, 1, tzinfo=ZONE)))
    elif parts["ago_n"]:
        return _away(parts["ago_n"], parts["ago_unit"], "前" in parts["ago_way"], now, today)
    elif parts["feast"]:
        day = _nearest_year(now, *_FEASTS[parts["feast"]])
    elif parts["dday"]:
        day = _day(now.year, now.month, number(parts["dday"]))
    elif parts["now"]:
        return now - timedelta(minutes=30), now
    else:
        day = today
    return None if day is None else (day, day + timedelta(days=1))


def _nearest_year(now: datetime, month: int, day: int) -> datetime | None:
    """11月3日 without a year is the one nearest to now."""
    days = [d for d in (_day(now.year + n, month, day) for n in (-1, 0, 1)) if d]
    return min(days, key=lambda d: abs((d - now).total_seconds())) if days else None


def _part_of_month(first: datetime, part: str, before: bool, today: datetime) -> tuple[datetime, datetime]:
    following = _month(first, 1)
    if before:
        return today, following
    if part in {"底", "末"}:
        return following - timedelta(days=5), following
    if part == "初":
        return first, first + timedelta(days=10)
    return first + timedelta(days=10), first + timedelta(days=20)


def _away(count: str, unit: str, ago: bool, now: datetime, today: datetime) -> tuple[datetime, datetime]:
    amount = 0.5 if count == "半" else float(number(count))
    sign = -1 if ago else 1
    if unit in {"小时", "钟头", "分钟"}:
        moment = now + sign * timedelta(minutes=amount * (1 if unit == "分钟" else 60))
        return moment, moment
    days = amount * {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}[unit]
    day = (today + sign * timedelta(days=days)).replace(hour=0, minute=0)
    return day, day + timedelta(days=1)


def _resolve(match: Match[str], now: datetime) -> tuple[datetime, datetime] | None:
    parts = match.groupdict()
    span = _span(match, now)
    if span is None:
        return None
    begins, ends = span
    period = parts["period"] or {"早": "早", "晚": "晚", "夜": "夜里"}.get(parts["rword"] or "")
    if parts["hour"]:
        hour, minute = _clock(parts, period)
        if hour > 24 or minute > 59:
            return None
        moment = begins.replace(hour=0, minute=0) + timedelta(hours=hour, minutes=minute)
        return moment, moment
    if period:
        first, last = _PERIODS[period]
        return begins + timedelta(hours=first), begins + timedelta(hours=last)
    return begins, ends


def _clock(parts: dict[str, str | None], period: str | None) -> tuple[int, int]:
    hour = number(parts["hour"] or "0")
    said = (parts["minute"] or "").removesuffix("分")
    minute = {"": 0, "半": 30, "一刻": 15, "三刻": 45}.get(said)
    if minute is None:
        minute = number(said)
    if period in {"下午", "傍晚", "晚上", "晚", "夜里", "夜晚", "深夜", "午后", "晚间"} and hour < 12:
        # 夜里两点 is after midnight, 夜里十点 before it.
        return (hour, minute) if period in {"夜里", "深夜"} and hour < 6 else (hour + 12, minute)
    if period in {"晚上", "晚", "夜里", "半夜"} and hour == 12:
        return 24, minute
    if period == "中午" and hour < 3:
        return hour + 12, minute
    if period is None and 1 <= hour <= 6:
        return hour + 12, minute   # Nobody visits an office at three in the morning.
    return hour, minute


def _joined(plain: str, times: list[Time]) -> Iterator[Time]:
    """Two expressions with 到 or 至 between them are one range."""
    waiting: Time | None = None
    for time in times:
        if waiting and plain[waiting.end:time.start].strip() in {"到", "至", "-", "—", "~", "一直到"}:
            ends = time.ends
            if ends < waiting.begins:
                # 明天下午三点到五点: the day is said once.
                moved = waiting.begins.replace(hour=ends.hour, minute=ends.minute)
                ends = moved if moved >= waiting.begins else moved + timedelta(hours=12)
            waiting = Time(waiting.start, time.end, waiting.begins, ends, waiting.relative_to_future)
            continue
        if waiting:
            yield waiting
        waiting = time
    if waiting:
        yield waiting
