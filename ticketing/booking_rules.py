"""What an office sets about appointments: how far ahead, how many, when residents are reminded, what is offered."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from core.working_hours import Windows
from ticketing.calendars import read_weekly, read_windows


class BookableService(BaseModel):
    """One service that `huiyin slots generate` makes slots for: its windows are cut into slots, one a counter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    """As residents read it."""
    department: str
    weekly: tuple[Windows, ...]
    minutes: Annotated[int, Field(ge=5, le=480)] = 30
    capacity: Annotated[int, Field(ge=1, le=1000)] = 1
    """Places in one slot of one counter."""
    counters: tuple[str, ...] = ()
    """Windows that work side by side; none is one counter without a name."""
    guide: str | None = None
    """The slug of the guide that says what to bring; without it the guide whose title is the service."""

    @field_validator("weekly", mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return read_weekly(value) if isinstance(value, dict) else value


class BookingRules(BaseModel):
    """The limits bind residents and the assistant; staff who see the person may go beyond them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    horizon_days: Annotated[int, Field(ge=1, le=366)] = 14
    """How many days ahead of today a resident may book."""
    per_resident: Annotated[int, Field(ge=1)] = 3
    """Appointments one resident may have before him at a time."""
    no_shows_at_most: Annotated[int, Field(ge=0)] = 3
    """Who stayed away this often within `no_shows_days` books at the desk or by telephone; 0: no such rule."""
    no_shows_days: Annotated[int, Field(ge=1)] = 90
    remind: str = "10:00-20:00"
    """When on the day before a reminder may be sent."""
    no_show_after_minutes: Annotated[int, Field(ge=0)] = 30
    """After the end of the slot."""
    services: tuple[BookableService, ...] = ()

    @field_validator("remind")
    @classmethod
    def _is_window(cls, value: str) -> str:
        if len(read_windows(value)) != 1:
            raise ValueError("remind is one window such as 10:00-20:00")
        return value

    @property
    def remind_window(self) -> tuple[int, int]:
        """In minutes since midnight."""
        return read_windows(self.remind)[0]
