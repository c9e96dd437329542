"""One person behind several addresses: residents are joined on proof only, keep their own texts, and can be parted.

Joining moves nothing: the texts of each resident hold tokens that only his own row resolves. Residents with the same
`person_id` are one person; taking it away undoes the joining.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core import audit
from core.conversation import Resident, ResidentAddress


def is_same_person(column: ColumnElement[int] | Any, resident_id: int) -> ColumnElement[bool]:
    """As a condition: the column names this resident, or another one that was joined with him."""
    me, other = aliased(Resident), aliased(Resident)
    joined = select(other.id).join(me, other.person_id == me.person_id).where(me.id == resident_id)
    return or_(column == resident_id, column.in_(joined))


async def others_of(session: AsyncSession, resident_id: int) -> Sequence[Resident]:
    """The other residents that are the same person, in the order in which they first came."""
    query = select(Resident).where(
        is_same_person(Resident.id, resident_id), Resident.id != resident_id, Resident.erased_at.is_(None)
    )
    return (await session.scalars(query.order_by(Resident.id))).all()


async def join(
    session: AsyncSession, first: Resident, second: Resident, proof: str, actor: str, now: datetime
) -> None:
    """From now on these two are one person, with everybody each was joined with before."""
    person = first.person_id or second.person_id or first.id
    if first.id == second.id or (first.person_id == second.person_id == person):
        return
    old = [value for value in (first.person_id, second.person_id) if value]
    await session.execute(
        update(Resident)
        .where(or_(Resident.id.in_([first.id, second.id]), Resident.person_id.in_(old)))
        .values(person_id=person)
        .execution_options(synchronize_session="fetch")
    )
    audit.record(session, now, actor, "resident:join", f"resident:{first.id}", f"resident:{second.id}: {proof}"[:500])


async def part(session: AsyncSession, resident: Resident, actor: str, now: datetime) -> bool:
    """Undo: this resident is somebody of his own again. False when he was joined with nobody."""
    if resident.person_id is None:
        return False
    resident.person_id = None
    audit.record(session, now, actor, "resident:part", f"resident:{resident.id}")
    await session.flush()
    return True


async def join_by_phone(session: AsyncSession, resident: Resident, proof: str, now: datetime) -> None:
    """Who has proven this telephone is joined with who called from it: the number came from the channel itself."""
    if not resident.phone_digest:
        return
    for other in await session.scalars(_callers(resident)):
        await join(session, resident, other, proof, "system", now)


def _callers(resident: Resident) -> Select[Resident]:
    """Residents whose own address is that telephone: a number that somebody only named proves nothing."""
    return (
        select(Resident)
        .join(ResidentAddress, ResidentAddress.resident_id == Resident.id)
        .where(
            Resident.phone_digest == resident.phone_digest, Resident.id != resident.id,
            Resident.erased_at.is_(None), ResidentAddress.channel == "phone",
        )
    )
