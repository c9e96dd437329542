"""The office as ticketing sees it: its preset, its switches, its calendars, and how it speaks to a resident."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Invalid
from core.working_hours import WorkingHours
from ticketing.model import Letter, Reply, Ticket
from ticketing.preset import Preset
from ticketing.staff import Person


class Tell(Protocol):
    """Puts a text on its way to the ticket's resident, and the letter that goes with it, in the caller's transaction."""

    async def __call__(
        self, session: AsyncSession, ticket: Ticket, text: str, origin: str, reply: Reply | None, now: datetime,
        letter: Letter | None = None, link: str | None = None, /,
    ) -> None:
        """`link` is the page that says the same, for ways that only announce; a letter has its own."""


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


    def of_letters(self, department: str | None) -> WorkingHours:
        """What 工作日 and 国庆节后 mean to a resident: where a department never closes, the office's own calendar."""
        hours = self.of(department)
        return hours if hours.known_until is not None else self.preset.hours()


@dataclass(frozen=True, slots=True)
class Way:
    """How members of staff with these roles are told, besides the console."""

    kind: str
    """mail·webhook"""
    end: str
    """A mail address, or the name of a webhook."""
    account: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Office:
    """Built once by service from the settings. `close_after` and the like are written as targets: `3 working days`."""

    preset: Preset
    name: str
    tell: Tell
    self_approval: bool = False
    decline_countersigned: bool = False
    """不予受理 is a clerk's proposal until a supervisor declines too."""
    close_after: str = "3 working days"
    archive_after: str = "30 days"
    announce_wait: str = "2 working days"
    satisfied_from: int = 3
    public_url: str = ""
    people: tuple[Person, ...] = ()
    """Those who use the API by a token; those who sign in are in the table of staff."""
    ways: tuple[Way, ...] = ()

    @property
    def calendars(self) -> Calendars:
        return Calendars(self.preset)

    @property
    def ends(self) -> dict[str, str]:
        """The account that each end of a way is reached through."""
        return {way.end: way.account for way in self.ways}

    def after(self, start: datetime, target: str, department: str | None = None) -> datetime:
        """When `target` from `start` is over, by the department's calendar; `0` is at once."""
        if target.strip() == "0":
            return start
        return self.calendars.of(department).add(start, target)

    def is_open(self, now: datetime, department: str | None = None) -> bool:
        """Whether the counter is open at this moment."""
        return self.calendars.of(department).is_open(now)
