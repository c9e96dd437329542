"""Who acts: an actor with roles, the people who work here, and those of them who may sign in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id, Json
from core.errors import Invalid, NotFound

ROLES = ("clerk", "officer", "supervisor", "inspector", "editor", "auditor", "administrator")
SHORTEST_PASSWORD = 8


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `name` is what the record keeps; `resident_id` limits him to that resident's tickets."""

    name: str
    roles: frozenset[str]
    department: str | None
    resident_id: int | None = None


SYSTEM = Actor("system", frozenset({"system"}), None)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here; without `department` he belongs to all."""

    name: str
    roles: frozenset[str]
    department: str | None

    def serves(self, department: str | None) -> bool:
        return self.department is None or self.department == department


class Staff(Base):
    """A member of staff. Several roles in one person are usual in a small office."""

    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(unique=True)
    roles: Mapped[list[str]] = mapped_column(Json)
    department: Mapped[str | None]
    password_hash: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(UTC)
    signed_in_at: Mapped[datetime | None] = mapped_column(UTC)
    left_at: Mapped[datetime | None] = mapped_column(UTC)
    """Since when he works here no more: his open work was handed over."""


async def add(
    session: AsyncSession,
    name: str,
    roles: Sequence[str],
    department: str | None,
    password: str | None,
    now: datetime,
) -> Staff:
    """A new member of staff. Invalid for a role that does not exist, a short password, or a name that is taken."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise Invalid(f"role: there is no role {', '.join(unknown)}; there are {', '.join(ROLES)}", "role")
    if await session.scalar(select(Staff.id).where(Staff.name == name)):
        raise Invalid(f"name: {name} is there already", "name")
    hashed = await hash_password(password) if password is not None else None
    staff = Staff(name=name, roles=list(roles), department=department, password_hash=hashed, created_at=now)
    session.add(staff)
    await session.flush()
    return staff


async def hash_password(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(f"password: use at least {SHORTEST_PASSWORD} characters", "password")
    return await asyncio.to_thread(PasswordHasher().hash, password)


async def find(session: AsyncSession, name: str) -> Staff:
    found = await session.scalar(select(Staff).where(Staff.name == name))
    if found is None:
        raise NotFound(f"there is no member of staff {name}: huiyin staff add makes one")
    return found


async def check_password(session: AsyncSession, name: str, password: str) -> bool:
    """Whether the password opens this account; an unknown name takes as long as a wrong password."""
    found = await session.scalar(select(Staff).where(Staff.name == name, Staff.left_at.is_(None)))
    known = found.password_hash if found and found.password_hash else None
    return await asyncio.to_thread(_verify, known or _DUMMY, password) and known is not None


_DUMMY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$2wE9l2bBVRBRvBL3kV5bLr5cqx1L7vHtGqfb0o0b1ac"


def _verify(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def actor_of(staff: Staff) -> Actor:
    return Actor(staff.name, frozenset(staff.roles), staff.department)
