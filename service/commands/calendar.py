"""huiyin calendar: when the office is open."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from core import clock
from core.errors import Invalid
from service.commands.common import AsJson, new_group, opened, print_list, read_settings, run
from service.office import make_office
from ticketing import calendar_days
from ticketing.calendar_days import NewDay
from ticketing.calendars import list_days, read_days, write_windows
from ticketing.holiday_notice import read_notice
from ticketing.office import Office
from ticketing.staff import Actor

app = new_group("Working days and hours.")
CLI = Actor("cli", frozenset({"administrator"}), None)
SHOWN = timedelta(days=30)
KINDS = {".csv": "csv", ".yaml": "yaml", ".yml": "yaml"}
LARGEST_FILE = 1_000_000


@app.command("show")
def show(
    first: Annotated[str | None, typer.Option("--from", help="The first date; today if left out.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last date; thirty days later if left out.")] = None,
    department: Annotated[str | None, typer.Option(help="Whose calendar; the first department's if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Each day with its hours, why it has them, and whether that may still change."""
    print_list(run(_show(_date(first, "--from"), _date(last, "--to"), department, as_json)), as_json)


@app.command("import")
def import_file(path: Path) -> None:
    """The State Council's table of a year (csv or yaml), or the office's own days (txt); open due times follow.

    Lines of own days: `2027-03-08, 半天, 09:00-12:00`, or `2027-03-09, 停电` for a closed day.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise Invalid(f"{path.name} is larger than a calendar can be", "file")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{path.name} is not UTF-8: save it as UTF-8", "file") from None
    print(run(_import(text, path.suffix.lower())))


def _date(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(f"{name} is a date such as 2026-12-01", name) from None


async def _show(
    first: date | None, last: date | None, department: str | None, as_json: bool
) -> list[dict[str, Any]]:
    first = first or clock.local(clock.now()).date()
    office = _office()
    async with opened() as db, db.reading() as session:
        await calendar_days.load(session, office)
    items: list[dict[str, Any]] = list_days(office.preset.hours(department), first, last or first + SHOWN)["items"]
    return items if as_json else [_write(item) for item in items]


def _write(item: dict[str, Any]) -> dict[str, str]:
    weekday = "一二三四五六日"[date.fromisoformat(item["date"]).weekday()]
    hours = "、".join(f"{start}–{end}" for start, end in item["hours"]) or "休"
    return {
        "date": item["date"], "weekday": f"周{weekday}", "hours": hours, "name": item["name"],
        "provisional": "（未公布，暂定）" if item["provisional"] else "",
    }


def _office() -> Office:
    return make_office(read_settings(), _tell_nobody)


async def _tell_nobody(*_told: Any) -> None:
    """A calendar tells nobody."""


async def _import(text: str, suffix: str) -> str:
    now, office = clock.now(), _office()
    async with opened() as db:
        await calendar_days.refresh(db, office, CLI, now)
        async with db.writing() as session:
            if suffix in KINDS:
                notice = read_notice(text, KINDS[suffix])
                await calendar_days.import_notice(session, CLI, notice, now)
                done = f"{notice.year}: {len(notice.closed)} days closed, {len(notice.made_up)} days of rest worked"
            else:
                days = read_days(text.splitlines())
                for day in days:
                    hours = ", ".join(f"{start}-{end}" for start, end in write_windows(day.hours))
                    body = NewDay(date=day.date, name=day.name or "本单位安排", hours=hours)
                    await calendar_days.set_day(session, office, CLI, body, now)
                done = f"{len(days)} days of the office's own"
        moved = await calendar_days.refresh(db, office, CLI, now)
    return f"{done}; {moved} due times moved"
