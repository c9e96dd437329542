"""huiyin slots: when services can be visited."""

from datetime import date, timedelta
from typing import Annotated, Any

import typer

from core import clock
from core.errors import Invalid
from service.commands.common import AsJson, new_group, opened, print_list, read_settings, run
from service.office import make_office
from ticketing import slots
from ticketing.slots import Slot
from ticketing.staff import Actor

app = new_group("Slots that residents can book.")
CLI = Actor("cli", frozenset({"administrator"}), None)


@app.command("generate")
def generate(
    first: Annotated[str | None, typer.Option("--from", help="The first date; today if left out.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last date; the preset's horizon if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make the slots of the preset's services; what is there already is left. For a daily timer."""
    print_list(run(_generate(_date(first, "--from"), _date(last, "--to"))), as_json)


def _date(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid(f"{name} is a date such as 2026-12-01", name) from None


async def _generate(first: date | None, last: date | None) -> list[dict[str, Any]]:
    settings, now = read_settings(), clock.now()
    office = make_office(settings, _tell_nobody)
    first = first or clock.local(now).date()
    last = last or clock.local(now).date() + timedelta(days=office.preset.appointments.horizon_days)
    if not timedelta() <= last - first <= timedelta(days=366):
        raise Invalid("--to lies after --from, by a year at most", "--to")
    async with opened() as db, db.writing() as session:
        made = await slots.generate(session, office, CLI, first, last, now)
        return [_describe(slot) for slot in made]


async def _tell_nobody(*_told: Any) -> None:
    """Making slots tells nobody."""


def _describe(slot: Slot) -> dict[str, Any]:
    begin, end = clock.local(slot.starts_at), clock.local(slot.ends_at)
    return {
        "id": slot.id, "service": slot.service, "at": f"{begin:%Y-%m-%d %H:%M}", "until": f"{end:%H:%M}",
        "counter": slot.counter, "capacity": slot.capacity,
    }
