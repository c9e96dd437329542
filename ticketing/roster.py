"""Who is there: everybody who works here, who is on duty, who is away and who stands in for him."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id
from ticketing.office import Office
from ticketing.staff import Person, Staff


class Duty(Base):
    """A shift 值班: while it lasts, the person is on duty for the department, by night too."""

    __tablename__ = "duty"
    __table_args__ = (Index("ix_duty_ends_at", "ends_at", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str]
    department: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(UTC)
    ends_at: Mapped[datetime] = mapped_column(UTC)
    made_by: Mapped[str]


class Absence(Base):
    """Leave, illness, a journey: new work and warnings go to the deputy, or to the others."""

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_ends_at", "ends_at", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str]
    deputy: Mapped[str | None]
    starts_at: Mapped[datetime] = mapped_column(UTC)
    ends_at: Mapped[datetime] = mapped_column(UTC)
    made_by: Mapped[str]


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody at one moment."""

    people: tuple[Person, ...]
    away: dict[str, str | None] = field(default_factory=dict)
    """Who is away, and his deputy."""
    duty: frozenset[tuple[str, str]] = frozenset()
    """(name, department) of the shifts that run."""

    def find(self, name: str | None) -> Person | None:
        return next((person for person in self.people if person.name == name), None)

    def with_role(self, *roles: str) -> list[Person]:
        return [person for person in self.people if person.roles.intersection(roles)]

    def is_on_duty(self, person: Person, department: str | None = None) -> bool:
        """Whether a shift of his runs, for this department or (None) for any."""
        return any(name == person.name and department in (None, of) for name, of in self.duty)

    def present(self, people: Iterable[Person]) -> list[Person]:
        """These, with deputies in place of those who are away, each once. A deputy who is away is left out too."""
        found: dict[str, Person] = {}
        for person in people:
            stand_in = self.find(self.away[person.name]) if person.name in self.away else person
            if stand_in and stand_in.name not in self.away:
                found[stand_in.name] = stand_in
        return list(found.values())


async def load(session: AsyncSession, office: Office, now: datetime) -> Roster:
    """Those who can sign in and those who use the API by a token of their own; the first wins where both are there."""
    people = {person.name: person for person in office.people}
    for staff in await session.scalars(select(Staff).where(Staff.left_at.is_(None)).order_by(Staff.id)):
        people[staff.name] = Person(staff.name, frozenset(staff.roles), staff.department)
    gone = select(Staff.name).where(Staff.left_at.is_not(None))
    for name in await session.scalars(gone):
        people.pop(name, None)
    away = select(Absence).where(Absence.starts_at <= now, Absence.ends_at > now).order_by(Absence.id)
    shifts = select(Duty.name, Duty.department).where(Duty.starts_at <= now, Duty.ends_at > now)
    return Roster(
        tuple(people.values()),
        {row.name: row.deputy for row in await session.scalars(away)},
        frozenset((name, department) for name, department in await session.execute(shifts)),
    )


def names(people: Sequence[Person]) -> list[str]:
    return [person.name for person in people]
