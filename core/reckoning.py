"""The way from a start to its due moment, step by step and in Chinese: why something is due on Thursday at 17:30."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from core.clock import local
from core.targets import Count, Target, fit_count, parse_target
from core.working_hours import Day, Source, Window, WorkingHours, write_minute

WEEKDAYS = "一二三四五六日"

LONG = 14
"""A way with more steps than this shows its beginning and its end."""

_COUNTED = {
    Count.HOURS: "按开放时间累计",
    Count.NEXT_DAY: "次日起算",
    Count.INCLUSIVE: "含当日",
    Count.NATURAL: "自然时间，节假日不顺延",
}
_LUNCH = (11 * 60, 15 * 60)


def explain(
    hours: WorkingHours,
    start: datetime,
    target: Target | str,
    count: str | None = None,
    *,
    roll: bool = False,
) -> list[str]:
    """The steps of `hours.add(start, target, count, roll=roll)`; the last one ends in 到期."""
    target = parse_target(target) if isinstance(target, str) else target
    count = fit_count(target, count)
    due = hours.add(start, target, count, roll=roll)
    steps = [f"{write_moment(start)} 起算，时限 {target.chinese}（{_COUNTED[count]}）"]
    if target.amount:
        match count:
            case Count.HOURS:
                steps += _shorten(_walk_windows(hours, start, due))
            case Count.NEXT_DAY | Count.INCLUSIVE:
                steps += _shorten(_walk_days(hours, start, due, count))
            case Count.NATURAL:
                steps += _roll_steps(hours, start + target.duration, due)
    if any(day.provisional for day in hours.days(local(start).date(), local(due).date())):
        steps.append("其中有日期的放假安排尚未公布，暂按法定节假日计算，公布后重新计算")
    return [*steps, f"{write_moment(due)} 到期"]


def write_moment(moment: datetime) -> str:
    """`11月27日 周五 17:30`, on the office's wall clock."""
    at = local(moment)
    return f"{at.month}月{at.day}日 周{WEEKDAYS[at.weekday()]} {at:%H:%M}"


def _walk_windows(hours: WorkingHours, start: datetime, due: datetime) -> Iterator[str]:
    """Each window that counts, each lunch between two of a day, each run of days that are not worked."""
    first, last = local(start), local(due)
    for working, run in _runs(list(hours.days(first.date(), last.date()))):
        if not working:
            yield _closed_step(run)
            continue
        for day in run:
            begin = _minute_of(first) if day.date == first.date() else 0
            end = _minute_of(last) if day.date == last.date() else 24 * 60
            yield from _window_steps(day, begin, end)


def _window_steps(day: Day, begin: int, end: int) -> Iterator[str]:
    head = f"{_write_date(day)}" + ("（调休上班）" if day.source is Source.MAKE_UP else "")
    before: Window | None = None
    for window in day.windows:
        opened, closed = max(window[0], begin), min(window[1], end)
        if before is not None and before[1] > begin and window[0] < end:
            yield f"扣除{_gap_name(before[1], window[0])} {write_minute(before[1])}–{write_minute(window[0])}"
        if opened < closed:
            counted = _write_minutes(closed - opened)
            yield f"{head} {write_minute(opened)}–{write_minute(closed)}，计 {counted}"
        before = window
    if before is not None and begin >= before[1]:
        yield f"{head} {write_minute(begin)} 已下班，不计"


def _walk_days(hours: WorkingHours, start: datetime, due: datetime, count: Count) -> Iterator[str]:
    # A calendar that is open all day closes at midnight, which is the next date already.
    first, last = local(start).date(), local(due - timedelta(microseconds=1)).date()
    if count is Count.NEXT_DAY:
        yield "当日不计，次日起算"
        first += timedelta(days=1)
    number = 0
    for working, run in _runs(list(hours.days(first, last))):
        if not working:
            yield _closed_step(run)
            continue
        for day in run:
            number += 1
            made_up = "调休上班，" if day.source is Source.MAKE_UP else ""
            yield f"{_write_date(day)} {made_up}第 {number} 个工作日"


def _roll_steps(hours: WorkingHours, end: datetime, due: datetime) -> list[str]:
    if due == end:
        return [f"顺延至 {write_moment(end)}，中间不扣除节假日"]
    rested = list(hours.days(local(end).date(), local(due).date()))[:-1]
    return [f"届满于 {write_moment(end)}", _closed_step(rested), "顺延至其后第一个工作日下班"]


def _runs(days: Sequence[Day]) -> Iterator[tuple[bool, list[Day]]]:
    for working, run in groupby(days, key=lambda day: day.working):
        yield working, list(run)


def _closed_step(run: Sequence[Day]) -> str:
    """`10月1日 周四 至 10月7日 周三 国庆节、周末，7 天不计`."""
    names = dict.fromkeys(_closed_name(day) for day in run)
    span = _write_date(run[0]) if len(run) == 1 else f"{_write_date(run[0])} 至 {_write_date(run[-1])}"
    return f"扣除{'、'.join(names)}：{span}，{len(run)} 天不计"


def _closed_name(day: Day) -> str:
    if day.name:
        return day.name
    return "周末" if day.date.weekday() >= 5 else "休息日"


def _gap_name(start: int, end: int) -> str:
    return "午休" if _LUNCH[0] <= start and end <= _LUNCH[1] else "休息"


def _write_date(day: Day) -> str:
    return f"{day.date.month}月{day.date.day}日 周{WEEKDAYS[day.date.weekday()]}"


def _write_minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    parts = ([f"{hours} 小时"] if hours else []) + ([f"{rest} 分钟"] if rest else [])
    return " ".join(parts)


def _minute_of(at: datetime) -> int:
    return at.hour * 60 + at.minute


def _shorten(steps: Iterator[str]) -> list[str]:
    """All steps of a short way, the first and the last of a long one."""
    every = list(steps)
    if len(every) <= LONG:
        return every
    half = LONG // 2
    return [*every[:half], f"……（中间 {len(every) - 2 * half} 步从略）", *every[-half:]]
