"""常用语: sentences that officers use again and again, with placeholders that the ticket fills in."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import audit, clock
from core.conversation import reveal
from core.db import UTC, Base, Id
from core.errors import Invalid, NotFound, Stale
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.staff import Actor
from ticketing.visibility import hides_person

PURPOSES: dict[str, tuple[tuple[str, str], ...]] = {
    "reply": (("submit", "reply"), ("answer_directly", "reply")),
    "progress": (("progress", "text"),),
    "decline": (("decline", "reason"),),
    "note": (("note", "text"),),
}
"""What a sentence is for: the (verb, field) pairs it can be put into."""

MOST_OFFERED = 50
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TO_FILL_IN = re.compile(r"【请填写[^】]*】")


class CannedReply(Base):
    """One sentence or text. Without category or department it serves all of them."""

    __tablename__ = "canned_reply"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    title: Mapped[str]
    purpose: Mapped[str]
    """A key of PURPOSES."""
    text: Mapped[str]
    category: Mapped[str | None]
    department: Mapped[str | None]
    version: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(UTC)


@dataclass(frozen=True, slots=True)
class _Case:
    """What placeholders are read from."""

    office: Office
    ticket: Ticket
    title: str
    place: str | None
    now: datetime

    def name_of(self, kind: str, code: str | None) -> str | None:
        listed: Sequence[Any] = self.office.preset.departments if kind == "department" else self.office.preset.categories
        return next((item.name for item in listed if item.code == code), None)


PLACEHOLDERS: dict[str, Callable[[_Case], str | None]] = {
    "工单号": lambda case: case.ticket.number,
    "事项": lambda case: case.title,
    "地点": lambda case: case.place,
    "类别": lambda case: case.name_of("category", case.ticket.category),
    "承办部门": lambda case: case.name_of("department", case.ticket.department),
    "单位": lambda case: case.office.name,
    "居民": lambda case: case.office.preset.words.get("resident"),
    "登记日期": lambda case: _date(case.ticket.registered_at),
    "今天": lambda case: _date(case.now),
}


def _date(at: datetime) -> str:
    local = clock.local(at)
    return f"{local.year}年{local.month}月{local.day}日"


@dataclass(frozen=True, slots=True)
class Filled:
    """A text as it goes into a form; `missing` names what the officer must still write."""

    text: str
    missing: tuple[str, ...]


async def fill(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, row: CannedReply, now: datetime
) -> Filled:
    """The text for this ticket. What it does not say stands there as 【请填写：…】, which no verb lets out."""
    title, place = ticket.title, ticket.place
    if not hides_person(actor, ticket):
        title = await reveal(session, ticket.resident_id, title)
        place = await reveal(session, ticket.resident_id, place) if place else None
        if ticket.confidential:
            audit.record(session, now, actor.name, "resident:read", f"ticket:{ticket.number}")
    case = _Case(office, ticket, title, place, now)
    missing: list[str] = []

    def put_in(found: re.Match[str]) -> str:
        value = PLACEHOLDERS[found[1]](case)
        if value is None:
            missing.append(found[1])
        return value or f"【请填写：{found[1]}】"

    return Filled(_PLACEHOLDER.sub(put_in, row.text), tuple(dict.fromkeys(missing)))


def require_filled_in(verb: str, body: Any) -> None:
    """Raises Invalid while a text for a resident still asks to be filled in."""
    for purpose, places in PURPOSES.items():
        for field in (field for name, field in places if name == verb and purpose != "note"):
            if found := _TO_FILL_IN.search(getattr(body, field) or ""):
                raise Invalid(f"{field}: {found[0]} is still in the text: write what belongs there", field)


def check_text(text: str) -> None:
    """Raises Invalid for a placeholder that nothing fills in."""
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in PLACEHOLDERS]
    if unknown:
        known = "".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise Invalid(f"text: {{{unknown[0][:40]}}} is no placeholder; there are {known}", "text")


def check_place(office: Office, category: str | None, department: str | None) -> None:
    """Raises Invalid for a category or department that the office does not have."""
    if category is not None:
        office.preset.category(category)
    if department is not None:
        office.preset.department(department)


async def list_for(session: AsyncSession, ticket: Ticket, limit: int) -> Sequence[CannedReply]:
    """What serves this ticket: its own category first, then its department's, then what serves all."""
    serves = and_(
        or_(CannedReply.category.is_(None), CannedReply.category == ticket.category),
        or_(CannedReply.department.is_(None), CannedReply.department == ticket.department),
    )
    nearest = (CannedReply.category.is_(None), CannedReply.department.is_(None), CannedReply.title, CannedReply.id)
    return (await session.scalars(select(CannedReply).where(serves).order_by(*nearest).limit(limit))).all()


async def offer(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, now: datetime
) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """What a ticket's page offers: (title, filled text) by the (verb, field) it can be put into."""
    offered: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in await list_for(session, ticket, MOST_OFFERED):
        filled = await fill(session, office, actor, ticket, row, now)
        for place in PURPOSES[row.purpose]:
            offered.setdefault(place, []).append((row.title, filled.text))
    return offered


async def find(session: AsyncSession, row_id: int) -> CannedReply:
    row = await session.get(CannedReply, row_id)
    if row is None:
        raise NotFound("there is no such canned reply: GET /canned-replies lists them")
    return row


async def change(
    session: AsyncSession, row: CannedReply, values: dict[str, Any], if_match: int | None, by: str, now: datetime
) -> CannedReply:
    """A new wording. Stale when somebody changed it since `if_match` was read."""
    changed = await session.execute(
        update(CannedReply)
        .where(CannedReply.id == row.id, CannedReply.version == (row.version if if_match is None else if_match))
        .values(**values, version=CannedReply.version + 1, changed_by=by, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise Stale(f"this text is at version {row.version} now, changed by {row.changed_by}: read it again")
    await session.refresh(row)
    return row
