"""What an office may change, read from one file: departments, categories, calendars, limits, approval, words."""

from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator, model_validator

from core.clock import local
from core.errors import Invalid, Misconfigured
from core.targets import fit_count, parse_target
from core.working_hours import WorkingHours
from ticketing.booking_rules import BookingRules
from ticketing.calendars import NO_DAYS, Calendar, Days, build
from ticketing.letter_texts import Letters

FOLDER = Path(__file__).parent / "presets"

Kind = Literal["consultation", "complaint", "request", "suggestion", "report", "praise"]
Urgency = Literal["routine", "pressing", "urgent", "emergency"]
DeclineCode = Literal[
    "out_of_area", "litigation", "reconsideration", "petition", "discipline", "duplicate", "no_matter", "other"
]


class Part(BaseModel):
    """A part of a preset: frozen, an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Department(Part):
    code: str
    name: str
    calendar: str
    head: str
    """The post (not the person) that answers for it."""


class Category(Part):
    """`keywords` and `description` are what routing compares a resident's words with."""

    code: str
    name: str
    parent: str | None = None
    department: str
    kind: Kind | None = None
    approval: bool = True
    materials: tuple[str, ...] = ()
    description: str = ""
    keywords: tuple[str, ...] = ()


class AppliesTo(Part):
    """Empty means any. A category stands for those under it too."""

    kind: tuple[Kind, ...] = ()
    urgency: tuple[Urgency, ...] = ()
    category: tuple[str, ...] = ()
    green_channel: tuple[str, ...] = ()
    """Codes of the list; a rule that names some is for tickets they were granted to."""


class Extension(Part):
    """How far and how often a clock may be extended."""

    at_most: str
    times: int = 1


class Rule(Part):
    """One limit. `name` is the clock's name; of several rules for one name the strictest wins.

    `starts`, `stops`, `pauses`, `resumes` name verbs; `joint` is the target when several departments work
    on the ticket; `tell` says who hears at which share. A new version of a rule has the same `id`, a higher
    `version` and its own `valid_from`.
    """

    id: str
    name: str
    title: str
    version: int = 1
    valid_from: date | None = None
    valid_to: date | None = None
    applies_to: AppliesTo = AppliesTo()
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    target: str
    count: str | None = None
    roll: bool = False
    joint: str | None = None
    extension: Extension | None = None
    tell: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        try:
            for target in filter(None, (self.target, self.joint)):
                fit_count(parse_target(target), self.count)
            if self.extension:
                parse_target(self.extension.at_most)
        except Invalid as error:
            raise ValueError(error.detail) from error
        return self

    @field_validator("tell", mode="before")
    @classmethod
    def _read_tell(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {share: [whom] if isinstance(whom, str) else whom for share, whom in value.items()}

    @field_validator("tell")
    @classmethod
    def _check_shares(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if not all(share.endswith("%") and share[:-1].isdigit() for share in value):
            raise ValueError("shares are written like 80%")
        return value

    @property
    def shares(self) -> list[tuple[int, tuple[str, ...]]]:
        """`[(80, ("clerk",)), …]`, in hundredths, the smallest first."""
        return sorted((int(share[:-1]), whom) for share, whom in self.tell.items())

    def is_in_force(self, now: datetime) -> bool:
        today = local(now).date()
        return (self.valid_from or today) <= today <= (self.valid_to or today)


class Decline(Part):
    code: DeclineCode
    words: str
    where_to: str


class GreenChannel(Part):
    """绿色通道: who is entitled, by what proof, and what he gets."""

    code: str
    name: str
    proof: str
    what: str


class TaskTargets(Part):
    joint: str = "3 working days"
    consult: str = "2 working days"


class Ladder(Part):
    """What a breach leads to beyond the people that a rule's `tell` names."""

    supervise_within: str = "2 working days"
    """The deadline of written supervision, from the moment it begins."""
    redos: int = 3
    """So many redos raise the level; 0: they do not."""
    refused_returns: int = 3

    @field_validator("supervise_within")
    @classmethod
    def _is_target(cls, value: str) -> str:
        try:
            parse_target(value)
        except Invalid as error:
            raise ValueError(error.detail) from error
        return value


class Preset(Part):
    name: str
    title: str
    words: dict[str, str]
    """`resident` is what residents are called here: 业主, 群众, 患者."""
    calendars: dict[str, Calendar]
    departments: tuple[Department, ...] = Field(min_length=1)
    fallback_department: str
    """Gets what no category knows, and what was refused twice: nothing is ownerless."""
    categories: tuple[Category, ...] = Field(min_length=1)
    self_approval: bool = False
    sign_for: bool = True
    decline_countersigned: bool = False
    returns_at_most: int = 2
    declines: tuple[Decline, ...]
    green_channel: tuple[GreenChannel, ...] = ()
    tasks: TaskTargets = TaskTargets()
    appointments: BookingRules = BookingRules()
    ladder: Ladder = Ladder()
    letters: Letters = Letters()
    sla: tuple[Rule, ...] = Field(min_length=1)
    _days: Days = PrivateAttr(NO_DAYS)

    @model_validator(mode="after")
    def _check_references(self) -> "Preset":
        codes = {department.code for department in self.departments}
        categories = {category.code for category in self.categories}
        wrong = [f"department {code}" for code in self._named_departments() if code not in codes]
        wrong += [f"calendar {d.calendar}" for d in self.departments if d.calendar not in self.calendars]
        wrong += [f"parent {c.parent}" for c in self.categories if c.parent and c.parent not in categories]
        wrong += [f"category {c}" for r in self.sla for c in r.applies_to.category if c not in categories]
        green = {entry.code for entry in self.green_channel}
        wrong += [f"green channel {c}" for r in self.sla for c in r.applies_to.green_channel if c not in green]
        wrong += _repeated([d.code for d in self.departments]) + _repeated([c.code for c in self.categories])
        wrong += _repeated([f"{rule.id}@{rule.version}" for rule in self.sla])
        if wrong:
            raise ValueError("unknown or twice there: " + ", ".join(wrong))
        return self

    def _named_departments(self) -> list[str]:
        offered = (service.department for service in self.appointments.services)
        return [self.fallback_department, *(category.department for category in self.categories), *offered]

    @cached_property
    def _hours(self) -> dict[str, WorkingHours]:
        return {name: build(calendar, self._days, name) for name, calendar in self.calendars.items()}

    def all_hours(self) -> dict[str, WorkingHours]:
        """Every calendar by its name."""
        return dict(self._hours)

    def set_days(self, days: Days) -> bool:
        """Keep these days besides the weekly hours, in place: whoever holds the preset counts by them at once.

        True when they are other than before.
        """
        if days == self._days:
            return False
        self._days = days
        self.__dict__.pop("_hours", None)
        return True

    @cached_property
    def _categories(self) -> dict[str, Category]:
        return {category.code: category for category in self.categories}

    def hours(self, department: str | None = None) -> WorkingHours:
        """The working time of a department; None: of the first. An unknown one is Invalid."""
        found = self.departments[0] if department is None else self.department(department)
        return self._hours[found.calendar]

    def department(self, code: str) -> Department:
        for department in self.departments:
            if department.code == code:
                return department
        known = ", ".join(department.code for department in self.departments)
        raise Invalid(f"There is no department '{code}'; there are {known}.", "department")

    def category(self, code: str) -> Category:
        if code not in self._categories:
            raise Invalid(f"There is no category '{code}': see GET /api/v1/categories.", "category")
        return self._categories[code]

    def lineage(self, code: str | None) -> list[str]:
        """The category's code and those above it; empty for none or an unknown one."""
        found: list[str] = []
        while code in self._categories and code not in found:
            found.append(code)
            code = self._categories[code].parent
        return found

    def needs_approval(self, category: str | None) -> bool:
        """Whether a supervisor approves before the reply goes out; without a category: yes."""
        known = self._categories.get(category) if category else None
        return known.approval if known else True

    def green(self, code: str) -> GreenChannel:
        """The entry of the list; an unknown one is Invalid."""
        found = next((entry for entry in self.green_channel if entry.code == code), None)
        if found is None:
            known = ", ".join(entry.code for entry in self.green_channel) or "none"
            raise Invalid(f"code: nobody is entitled as '{code}'; there are {known}", "code")
        return found

    def decline_words(self, code: str) -> Decline | None:
        return next((decline for decline in self.declines if decline.code == code), None)

    def describe_departments(self) -> list[dict[str, Any]]:
        return [department.model_dump() for department in self.departments]

    def describe_categories(self) -> list[dict[str, Any]]:
        """The items of `GET /categories`."""
        items = (c.model_dump(mode="json", exclude={"keywords"}) for c in self.categories)
        return [{k: v for k, v in item.items() if v is not None or k not in ("parent", "kind")} for item in items]


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


PRESETS = ("property", "hall", "hospital")


def load_preset(name: str) -> Preset:
    """The shipped preset `property`, `hall` or `hospital`; a wrong key is Misconfigured with its place."""
    path = FOLDER / f"{name}.yml"
    if not name.isidentifier() or not path.exists():
        known = ", ".join(sorted(found.stem for found in FOLDER.glob("*.yml")))
        raise Misconfigured(f"office.preset: there is no preset '{name}'; there are {known}.")
    # Every scalar is read as text and each field's type decides: YAML would read 14:00 as 840 and `no` as false.
    values = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    try:
        return Preset.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path.name}: {place}: {first['msg']}") from error
