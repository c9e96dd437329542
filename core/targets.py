"""How long something may take, and how that is counted: "5 working days", next_day."""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from core.errors import Invalid

LONGEST = 100_000
"""No promise is longer than this many hours or days; it keeps every sum inside the calendar."""


class Unit(StrEnum):
    """What a target counts."""

    WORKING_HOURS = "working hours"
    WORKING_DAYS = "working days"
    HOURS = "hours"
    DAYS = "days"


class Count(StrEnum):
    """How it is counted."""

    HOURS = "hours"
    """Opening minutes run on; ends exactly where a window ends → that end."""
    NEXT_DAY = "next_day"
    """次日起算: whole working days after the date of start; due when the last of them closes."""
    INCLUSIVE = "inclusive"
    """含本数: the date of start, when it is worked, is the first."""
    NATURAL = "natural"
    """By the wall clock: same time of day, not moved by holidays."""


FITTING: dict[Unit, tuple[Count, ...]] = {
    Unit.WORKING_HOURS: (Count.HOURS,),
    Unit.WORKING_DAYS: (Count.NEXT_DAY, Count.INCLUSIVE),
    Unit.HOURS: (Count.NATURAL,),
    Unit.DAYS: (Count.NATURAL,),
}
"""The counts that fit a unit, its default first."""

_CHINESE = {
    Unit.WORKING_HOURS: "个工作小时",
    Unit.WORKING_DAYS: "个工作日",
    Unit.HOURS: "小时",
    Unit.DAYS: "天",
}
_FORM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?) +((?:working )?(?:hour|day))s?", re.ASCII)
_EXAMPLES = "write it like '2 working hours', '5 working days', '24 hours' or '15 days'"


@dataclass(frozen=True)
class Target:
    """An amount of a unit. Days are whole; hours may be a fraction."""

    amount: Decimal
    unit: Unit

    @property
    def days(self) -> int:
        return int(self.amount)

    @property
    def duration(self) -> timedelta:
        """The time it takes, for all but working days, whose length the calendar knows."""
        hours = self.amount * 24 if self.unit is Unit.DAYS else self.amount
        return timedelta(microseconds=int(hours * 3_600_000_000))

    @property
    def counts_working_time(self) -> bool:
        return self.unit in (Unit.WORKING_HOURS, Unit.WORKING_DAYS)

    @property
    def chinese(self) -> str:
        return f"{self.amount.normalize():f} {_CHINESE[self.unit]}"

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.unit}"


def parse_target(text: str) -> Target:
    """`2 working hours` → Target. A bare `0` is no time at all. Anything else is Invalid(field=target)."""
    if text.strip() == "0":
        return Target(Decimal(0), Unit.HOURS)
    match = _FORM.fullmatch(" ".join(text.split()))
    if match is None:
        raise Invalid(f"'{text}' is not a target: {_EXAMPLES}.", "target")
    target = Target(Decimal(match[1]), Unit(match[2] + "s"))
    if target.amount > LONGEST:
        raise Invalid(f"'{text}' is too long: at most {LONGEST} hours or days.", "target")
    if target.unit in (Unit.WORKING_DAYS, Unit.DAYS) and target.amount % 1:
        raise Invalid(f"'{text}' is a fraction of a day: give whole days, or hours.", "target")
    return target


def fit_count(target: Target, count: str | None = None) -> Count:
    """The count to use: the given one if it fits the target, else Invalid(field=count); None → the default."""
    fitting = FITTING[target.unit]
    if count is None:
        return fitting[0]
    if count not in fitting:
        allowed = " or ".join(fitting)
        raise Invalid(f"'{count}' does not count {target.unit}: use {allowed}.", "count")
    return Count(count)
