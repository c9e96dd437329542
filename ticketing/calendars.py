"""Each department's working time: weekly hours, public holidays and 调休 of mainland China, the office's own days."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from core.clock import local, write_time
from core.errors import Invalid
from core.reckoning import explain
from core.working_hours import Windows, WorkingHours, check_windows, write_minute

FIRST_YEAR, LAST_YEAR = 2010, 2100
"""Years whose holidays are known or can be computed; a later date has none, and is provisional."""

LONGEST_SPAN = timedelta(days=3660)
"""`GET /calendar` lists at most ten years."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\d\d):([0-5]\d)-(\d\d):([0-5]\d)", re.ASCII)
_SUBSTITUTE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


class OwnDay(BaseModel):
    """A day the office sets itself: `hours` empty means closed. It wins over holidays and 调休."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    name: str
    hours: Windows = ()

    @field_validator("hours", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_windows(value) if isinstance(value, str) else value


class Calendar(BaseModel):
    """One calendar: `weekly` maps `mon-fri`, `sat` … to windows; a department names the calendar it keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekly: tuple[Windows, ...]
    holidays: bool = True
    """Whether public holidays and 调休 apply (not for an emergency room)."""
    days: tuple[OwnDay, ...] = ()

    @field_validator("weekly", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_weekly(value) if isinstance(value, dict) else value


def read_windows(text: str) -> Windows:
    """`09:00-12:00, 14:00-17:30` → windows; an empty text is a closed day."""
    windows = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = _WINDOW.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is not a window: write it like 09:00-12:00")
        windows.append((int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])))
    try:
        return check_windows(windows)
    except Invalid as error:
        raise ValueError(error.detail) from error


def write_windows(windows: Windows) -> list[list[str]]:
    """As `GET /calendar` writes them: `[["09:00", "12:00"]]`."""
    return [[write_minute(start), write_minute(end)] for start, end in windows]


def read_weekly(spans: dict[str, str]) -> tuple[Windows, ...]:
    """`{mon-fri: …, sat: …}` → seven sets of windows, Monday first."""
    weekly: list[Windows] = [()] * 7
    for span, text in spans.items():
        first, _, last = span.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise ValueError(f"'{span}' is not a span of weekdays: write mon, or mon-fri")
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last or first) + 1):
            weekly[weekday] = read_windows(text)
    return tuple(weekly)


@lru_cache(maxsize=1)
def public_holidays() -> tuple[dict[date, str], dict[date, int], date]:
    """Holidays by name, made-up days by the weekday they stand in for, and the first provisional date.

    The `holidays` package lists the days of a notice but for the weekends that touch them; those belong to
    the holiday too (a clinic with Saturday hours is closed on them) and are filled in here.
    """
    # The package loads the calendars of every religion: a second that a start need not wait for.
    import holidays
    from holidays.countries.china import ChinaStaticHolidays

    found = holidays.country_holidays("CN", years=range(FIRST_YEAR, LAST_YEAR + 1), language="zh_CN")
    made_up = {on: 0 for on in found.weekend_workdays}
    closed: dict[date, str] = {}
    for on, name in sorted(found.items()):
        match = _SUBSTITUTE.search(name)
        if match and (worked := date(int(match[1]), int(match[2]), int(match[3]))) in made_up:
            made_up[worked] = on.weekday()
        closed[on] = name.split("（")[0].replace("; ", "、")
    _fill_weekends(closed, made_up)
    return closed, made_up, date(max(ChinaStaticHolidays.special_public_holidays) + 1, 1, 1)


def _fill_weekends(closed: dict[date, str], made_up: dict[date, int]) -> None:
    for on, name in sorted(closed.items()):
        for step in (timedelta(days=-1), timedelta(days=1)):
            near = on + step
            while near.weekday() >= 5 and near not in made_up and near not in closed:
                closed[near] = name
                near += step


@dataclass(frozen=True)
class Days:
    """What an office keeps beside its weekly hours: notices by year, `(closed, made_up)`; own days by calendar.

    The own days of the calendar `""` are those of every calendar that keeps public holidays.
    """

    notices: Mapping[int, tuple[Mapping[date, str], Mapping[date, int]]] = field(default_factory=dict)
    own: Mapping[str, tuple[OwnDay, ...]] = field(default_factory=dict)


NO_DAYS = Days()


def build(calendar: Calendar, days: Days = NO_DAYS, name: str = "") -> WorkingHours:
    """The calendar as an object that can be counted with."""
    own = (*(days.own.get("", ()) if calendar.holidays else ()), *(days.own.get(name, ()) if name else ()))
    special = {day.date: (day.hours, day.name) for day in (*calendar.days, *own)}
    if not calendar.holidays:
        return WorkingHours(calendar.weekly, special=special)
    closed, made_up, provisional_from = with_notices(days)
    return WorkingHours(
        calendar.weekly, closed=closed, made_up=made_up, special=special, provisional_from=provisional_from
    )


def with_notices(days: Days) -> tuple[dict[date, str], dict[date, int], date]:
    """The public holidays, with the imported notices in place of what was known of their years."""
    known_closed, known_made_up, provisional_from = public_holidays()
    years = days.notices.keys()
    closed = {on: name for on, name in known_closed.items() if on.year not in years}
    made_up = {on: weekday for on, weekday in known_made_up.items() if on.year not in years}
    for notice_closed, notice_made_up in days.notices.values():
        for on in notice_made_up:
            closed.pop(on, None)
        closed |= notice_closed
        made_up |= notice_made_up
    while provisional_from.year in years:
        provisional_from = date(provisional_from.year + 1, 1, 1)
    return closed, made_up, provisional_from


def list_days(hours: WorkingHours, first: date, last: date) -> dict[str, Any]:
    """The body of `GET /calendar`. A span that runs backwards or over ten years is Invalid."""
    if not timedelta() <= last - first <= LONGEST_SPAN:
        raise Invalid("`to` is not before `from`, and at most ten years after it.", "to")
    return {
        "items": [
            {
                "date": day.date.isoformat(),
                "working": day.working,
                "hours": day.hours,
                "source": day.source.value,
                "name": day.name,
                "provisional": day.provisional,
            }
            for day in hours.days(first, last)
        ]
    }


def describe_due(hours: WorkingHours, start: datetime, target: str, count: str | None = None) -> dict[str, Any]:
    """The body of `GET /calendar/due`: when it is due, on the office's wall clock, and the way there."""
    due = hours.add(start, target, count)
    return {"due_at": write_time(due), "steps": explain(hours, start, target, count)}


def check_notice(hours: WorkingHours, now: datetime) -> tuple[str, str]:
    """For `/readyz`: `ok`, or `degraded` while today's year has no notice of the State Council."""
    known_until = hours.known_until
    if known_until is None:
        return "ok", "this office keeps no public holidays"
    if local(now).date() < known_until:
        return "ok", f"holidays are announced until {known_until - timedelta(days=1)}"
    return "degraded", "this year's holidays are provisional: huiyin calendar import FILE takes the State Council's notice"


def read_days(lines: Iterable[str]) -> tuple[OwnDay, ...]:
    """Own days from lines `2027-10-08, 国庆节` (closed) or `2027-10-09, 调休上班, 09:00-12:00, 14:00-17:30`.

    What `huiyin calendar import FILE` reads; `#` begins a comment. A line that cannot be read is Invalid.
    """
    days = []
    for number, line in enumerate(lines, 1):
        text = line.split("#")[0].strip()
        if not text:
            continue
        on, name, hours = [*(part.strip() for part in text.split(",", 2)), "", ""][:3]
        try:
            days.append(OwnDay(date=date.fromisoformat(on), name=name, hours=read_windows(hours)))
        except ValueError as error:
            raise Invalid(f"line {number}: {error}", "days") from error
    return tuple(days)
