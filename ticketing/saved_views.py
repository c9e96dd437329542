"""Saved views: a list of tickets under a name, one's own, everybody's, or one that every console has."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import UniqueConstraint, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.db import UTC, Base, Id, Json
from core.errors import Conflict, Forbidden, Invalid, NotFound
from ticketing import search
from ticketing.staff import Actor

MOST = 50
"""How many views one person keeps."""

SHARERS = frozenset({"supervisor", "administrator"})
"""Who offers a view to everybody."""

BUILT_IN: dict[str, tuple[str, dict[str, str]]] = {
    "mine": ("我承办的", {"assignee": "me"}),
    "soon": ("一天内到期", {"due_within": "24"}),
    "overdue": ("已超期", {"overdue": "true"}),
    "new": ("待受理", {"state": "registered"}),
    "approval": ("待审批", {"state": "in_approval"}),
    "emergency": ("特急", {"urgency": "emergency"}),
}
"""(name, filters) by key."""


class SavedView(Base):
    """The filters of the list of tickets, kept by whom they help."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("owner", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    owner: Mapped[str]
    name: Mapped[str]
    filters: Mapped[dict[str, str]] = mapped_column(Json)
    shared: Mapped[bool]
    """Offered to everybody; each sees in it what he may see."""
    made_at: Mapped[datetime] = mapped_column(UTC)


async def list_of(session: AsyncSession, actor: Actor) -> Sequence[SavedView]:
    """His own and those that are shared, by name."""
    mine = or_(SavedView.owner == actor.name, SavedView.shared)
    return (await session.scalars(select(SavedView).where(mine).order_by(SavedView.name, SavedView.id))).all()


async def offer(session: AsyncSession, actor: Actor) -> list[dict[str, object]]:
    """What stands above the queue: the lists that every console has, then those kept; `may_remove` of each."""
    built_in = [{"id": key, "name": name, "may_remove": False} for key, (name, _) in BUILT_IN.items()]
    kept = [
        {"id": view.id, "name": view.name, "may_remove": may_remove(view, actor)}
        for view in await list_of(session, actor)
    ]
    return [*built_in, *kept]


def may_remove(view: SavedView, actor: Actor) -> bool:
    """His own; a shared one also by who may share."""
    return view.owner == actor.name or bool(view.shared and actor.roles & SHARERS)


async def remove(session: AsyncSession, actor: Actor, view_id: int) -> None:
    """Raises NotFound for one he does not see, Forbidden for one that is not his to remove."""
    view = await find(session, actor, view_id)
    if not may_remove(view, actor):
        raise Forbidden("a shared view is removed by who made it, or by a supervisor")
    await session.delete(view)


async def add(
    session: AsyncSession, actor: Actor, name: str, filters: dict[str, str], shared: bool, now: datetime
) -> SavedView:
    """Keep a view. Invalid for a filter that does not exist or cannot have this value, or a name he has already."""
    if shared and not actor.roles & SHARERS:
        raise Forbidden(f"a view for everybody needs the role {' or '.join(sorted(SHARERS))}")
    search.check_filters(actor, filters, now)
    mine = (await session.scalars(select(SavedView.name).where(SavedView.owner == actor.name))).all()
    if name in mine:
        raise Invalid(f"name: you have a view {name} already", "name")
    if len(mine) >= MOST:
        raise Conflict(f"there are {MOST} views already: remove one first")
    view = SavedView(owner=actor.name, name=name, filters=filters, shared=shared, made_at=now)
    session.add(view)
    await session.flush()
    return view


async def find(session: AsyncSession, actor: Actor, view_id: int) -> SavedView:
    """NotFound for one that is another's and not shared."""
    view = await session.get(SavedView, view_id)
    if view is None or not (view.shared or view.owner == actor.name):
        raise NotFound("there is no such view: GET /views lists yours")
    return view


async def filters_of(session: AsyncSession, actor: Actor, key: str) -> dict[str, str]:
    """The filters of a view by its number, or by the key of one that is built in."""
    if key in BUILT_IN:
        return dict(BUILT_IN[key][1])
    if not key.isascii() or not key.isdecimal() or len(key) > 18:
        raise NotFound(f"there is no view {key[:40]}: GET /views lists yours")
    return dict((await find(session, actor, int(key))).filters)
