"""工号: what a resident reads of a member of staff, instead of his name."""

from sqlalchemy import Integer, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.errors import Invalid
from ticketing.staff import Actor

NO_PERSONS = frozenset({"system", "assistant", "resident", "cli"})
SHORTEST = 4


class StaffNumber(Base):
    """One number for one name, kept for good: what was signed with it must stay his."""

    __tablename__ = "staff_number"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(unique=True)
    number: Mapped[str | None] = mapped_column(unique=True)
    """As the office gave it; None: from `id`."""


async def number_of(session: AsyncSession, actor: Actor) -> str | None:
    """The number of who acts, given to him now where he has none yet; None for a machine or a resident."""
    if actor.name in NO_PERSONS or actor.resident_id is not None:
        return None
    found = await _find_or_add(session, actor.name)
    if found.number is None:
        found.number = await _free_number(session, found.id)
        await session.flush()
    return found.number


async def give(session: AsyncSession, name: str, number: str) -> None:
    """The office's own number for somebody. Invalid when another has it, or he signed with another one before."""
    number = number.strip()
    if not number.isalnum() or len(number) > 20:
        raise Invalid("number: letters and digits, at most 20", "number")
    row = await _find_or_add(session, name)
    if row.number not in (None, number):
        raise Invalid(f"number: {name} has the number {row.number} already, and letters are signed with it", "number")
    row.number = number
    try:
        await session.flush()
    except IntegrityError:
        raise Invalid(f"number: {number} is somebody else's", "number") from None


async def _find_or_add(session: AsyncSession, name: str) -> StaffNumber:
    by_name = select(StaffNumber).where(StaffNumber.name == name)
    if found := await session.scalar(by_name):
        return found
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    await session.execute(dialect.insert(StaffNumber).values(name=name).on_conflict_do_nothing())
    return (await session.scalars(by_name)).one()


async def _free_number(session: AsyncSession, number: int) -> str:
    """From the row's own id, with more zeros while the office gave the same to somebody."""
    for width in range(SHORTEST, 20):
        text = f"{number:0{width}d}"
        if await session.scalar(select(StaffNumber.id).where(StaffNumber.number == text)) is None:
            return text
    raise Invalid("number: no staff number is free: give one with huiyin staff number", "number")
