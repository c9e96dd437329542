"""The office as ticketing sees it: its preset, its switches, its calendars, and how it speaks to a resident."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.working_hours import WorkingHours
from ticketing.model import Reply, Ticket
from ticketing.preset import Preset, load_preset

Tell = Callable[[AsyncSession, Ticket, str, str, Reply | None, datetime], Awaitable[None]]
"""(session, ticket, text, origin, reply, now): puts a text on its way to the ticket's resident."""


@dataclass(frozen=True, slots=True)
class Calendars:
    """Each department's working time."""

    preset: Preset

    def of(self, department: str | None) -> WorkingHours:
        """A department that is no longer there has the calendar of the first."""
        try:
            return self.preset.hours(department)
        except Invalid:
            return self.preset.hours(None)


@dataclass(frozen=True, slots=True)
class Office:
    """Built once from the settings. `close_after` and the like are written as targets: `3 working days`."""

    preset: Preset
    name: str
    tell: Tell
    self_approval: bool = False
    close_after: str = "3 working days"
    archive_after: str = "30 days"
    announce_wait: str = "2 working days"
    satisfied_from: int = 3
    public_url: str = ""

    @property
    def calendars(self) -> Calendars:
        return Calendars(self.preset)

    def count(self, start: datetime, target: str, department: str | None) -> datetime:
        """When the target is over that starts now, by the department's calendar."""
        return self.calendars.of(department).add(start, target)


def make_office(settings: Any, tell: Tell) -> Office:
    """The office of these settings (service.settings.Settings)."""
    preset = load_preset(settings.office.preset)
    own = settings.tickets.self_approval
    return Office(
        preset=preset,
        name=settings.office.name or preset.title,
        tell=tell,
        self_approval=preset.self_approval if own is None else own,
        close_after=settings.tickets.close_after,
        archive_after=settings.tickets.archive_after,
        announce_wait=settings.delivery.announce_wait,
        satisfied_from=settings.survey.satisfied_from,
        public_url=settings.web.public_url,
    )
