"""A year's notice of the State Council on public holidays, read from a table: csv or yaml.

    节日,开始,结束,调休上班                year: 2027
    元旦,2027-01-01,2027-01-03,            holidays:
    春节,2027-02-05,2027-02-11,              - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
    国庆节,2027-10-01,2027-10-07,2027-10-09    - {name: 国庆节, from: 2027-10-01, to: 2027-10-07, work: [2027-10-09]}

Several days of work in one cell of the csv stand with `;` between. A day of work has the hours of a usual working
day; `2027-10-09=fri` has those of a Friday.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import yaml

from core.errors import Invalid
from ticketing.calendars import FIRST_YEAR, LAST_YEAR, WEEKDAYS

LONGEST_HOLIDAY = timedelta(days=15)
COLUMNS = {
    "name": ("name", "节日", "名称", "节假日"), "from": ("from", "开始", "放假开始"),
    "to": ("to", "结束", "放假结束"), "work": ("work", "调休上班", "上班", "调休"),
}
_WORK = re.compile(r"(\d{4}-\d\d-\d\d)(?:=(\w{3}))?")


@dataclass(frozen=True)
class HolidayNotice:
    """What is closed, and which days of rest are worked: date → weekday whose hours they have (0 is Monday)."""

    year: int
    closed: Mapping[date, str]
    made_up: Mapping[date, int]


def read_notice(text: str, kind: str) -> HolidayNotice:
    """`kind` is csv or yaml. Invalid names the line, or what does not fit together."""
    rows = list(_read_yaml(text) if kind == "yaml" else _read_csv(text))
    if not rows:
        raise Invalid("no holiday is in this table", "file")
    closed: dict[date, str] = {}
    made_up: dict[date, int] = {}
    for place, row in rows:
        _add(closed, made_up, place, row)
    return _check(closed, made_up)


def _add(closed: dict[date, str], made_up: dict[date, int], place: str, row: Mapping[str, Any]) -> None:
    name = str(row.get("name") or "").strip()
    first, last = _date(row.get("from"), place), _date(row.get("to") or row.get("from"), place)
    if not name or not timedelta() <= last - first < LONGEST_HOLIDAY:
        raise Invalid(f"{place}: a holiday has a name, and ends after it begins, within a fortnight", "file")
    for on in _span(first, last):
        if on in closed:
            raise Invalid(f"{place}: {on} is in two holidays", "file")
        closed[on] = name
    for on, weekday in _days_of_work(row.get("work"), place):
        made_up[on] = weekday


def _span(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _check(closed: dict[date, str], made_up: dict[date, int]) -> HolidayNotice:
    """A notice is for one year; New Year's Day may begin in the last days of the year before."""
    years = {on.year for on in closed}
    year = max(years)
    if years - {year, year - 1} or any(on.year < year and on.month < 12 for on in closed):
        raise Invalid(f"a notice is for one year: this one has days of {', '.join(map(str, sorted(years)))}", "file")
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise Invalid(f"a notice is for a year from {FIRST_YEAR} on", "file")
    for on in made_up:
        if on in closed:
            raise Invalid(f"{on} is a holiday and a day of work", "file")
        if on.weekday() < 5:
            raise Invalid(f"{on} is no day of rest: a day of work made up is a Saturday or Sunday", "file")
        if abs(on.year - year) > 1:
            raise Invalid(f"{on}: a day of work belongs to the year of the notice", "file")
    return HolidayNotice(year, closed, made_up)


def _read_csv(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    reader = csv.reader(text.removeprefix("\ufeff").splitlines())
    names: list[str | None] | None = None
    for number, cells in enumerate(reader, 1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if names is None:
            names = [next((ours for ours, theirs in COLUMNS.items() if cell in theirs), None) for cell in cells]
            if not {"name", "from"} <= set(names):
                raise Invalid(f"line {number}: the first line names the columns 节日,开始,结束,调休上班", "file")
            continue
        yield f"line {number}", {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _read_yaml(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        # Every scalar is read as text: a date is checked here, with its place.
        read = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise Invalid(f"this is not yaml: {str(error).splitlines()[0]}", "file") from None
    holidays = read.get("holidays") if isinstance(read, dict) else None
    if not isinstance(holidays, list):
        raise Invalid("a yaml file has `holidays`, a list of {name, from, to, work}", "file")
    for number, row in enumerate(holidays, 1):
        if not isinstance(row, dict) or row.keys() - COLUMNS.keys():
            raise Invalid(f"holiday {number}: write {{name, from, to, work}}", "file")
        work = row.get("work") or ""
        yield f"holiday {number}", row | {"work": ";".join(work) if isinstance(work, list) else work}


def _date(value: Any, place: str) -> date:
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise Invalid(f"{place}: '{str(value)[:20]}' is not a date such as 2027-10-01", "file") from None


def _days_of_work(value: Any, place: str) -> Iterator[tuple[date, int]]:
    for part in re.split(r"[;；、\s]+", str(value or "").strip()):
        if not part:
            continue
        match = _WORK.fullmatch(part)
        if match is None or match[2] not in (None, *WEEKDAYS):
            raise Invalid(f"{place}: '{part[:20]}' is not a day of work such as 2027-10-09 or 2027-10-09=fri", "file")
        yield _date(match[1], place), WEEKDAYS.index(match[2]) if match[2] else 0
