"""The office's own tickets as examples of its categories: which may be learnt from, and without whom they are about."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import privacy
from ticketing.lifecycle import State
from ticketing.model import Ticket, Transition
from ticketing.preset import Preset
from ticketing.staff import SYSTEM
from ticketing.titles import find_title

KINDS = ("complaint", "request", "suggestion", "praise")
"""A report about staff is read by inspectors alone, and a consultation is about a guide."""
CONFIRMED = (State.CLOSED, State.FOLLOWED_UP, State.ARCHIVED)
"""Who worked it to its end left the category as it is."""
NEVER = (State.WITHDRAWN, State.DECLINED, State.MERGED)
AMENDED_WEIGHS = 3.0
AT_MOST = 2000
"""The newest: what the office decided years ago is not how it sorts now, and learning stays a matter of minutes."""
HELD_OUT = 4
"""One in so many is never learnt from: it tells whether what was learnt is better."""
_TOKEN = re.compile(r"<[A-Z]+_\d+>")
_LONG_NUMBER = re.compile(r"\d{5,}")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One ticket: its words without personal data, and the category people left it with. `ticket` is its id."""

    ticket: int
    resident: int
    text: str
    category: str
    amended: bool

    @property
    def weight(self) -> float:
        return AMENDED_WEIGHS if self.amended else 1.0

    @property
    def is_held_out(self) -> bool:
        """By the text alone: the same words are never on both sides, and a ticket stays on its side for good."""
        return hashlib.sha256(self.text.encode()).digest()[0] % HELD_OUT == 0


@dataclass(frozen=True, slots=True)
class Lessons:
    """All of them, newest first, and how many tickets name a category that the office has no more."""

    items: Sequence[Lesson]
    of_lost_categories: int

    @property
    def digest(self) -> str:
        """The same tickets with the same categories teach the same."""
        taught = hashlib.sha256()
        for item in self.items:
            taught.update(f"{item.ticket} {item.category} {item.amended} {item.text}\n".encode())
        return taught.hexdigest()


async def read_lessons(session: AsyncSession, preset: Preset) -> Lessons:
    """Closed tickets, and open ones whose category somebody amended. Confidential ones and those about staff are left out."""
    amended = await _amended(session)
    query = (
        select(Ticket.id, Ticket.resident_id, Ticket.title, Ticket.description, Ticket.category, Ticket.about)
        .where(
            Ticket.kind.in_(KINDS), Ticket.confidential.is_(False), Ticket.category.is_not(None),
            or_(Ticket.state.in_(CONFIRMED), and_(Ticket.id.in_(amended), Ticket.state.not_in(NEVER))),
        )
        .order_by(Ticket.id.desc())
        .limit(AT_MOST)
    )
    known = {item.code for item in preset.categories}
    found: list[Lesson] = []
    lost = 0
    for row in (await session.execute(query)).all():
        text = without_persons(row.title, row.description)
        if not text or (row.about or {}).get("staff"):
            continue
        if row.category not in known:
            lost += 1
            continue
        found.append(Lesson(row.id, row.resident_id, text, row.category, row.id in amended))
    return Lessons(found, lost)


async def _amended(session: AsyncSession) -> set[int]:
    """Tickets whose category somebody of the office put right; the newest, as many as are read."""
    query = (
        select(Transition.ticket_id, Transition.changes)
        .where(Transition.verb == "amend", Transition.actor != SYSTEM.name)
        .order_by(Transition.id.desc())
        .limit(AT_MOST * 2)
    )
    changed: Sequence[Any] = (await session.execute(query)).all()
    return {row.ticket_id for row in changed if "category" in (row.changes or {})}


def without_persons(title: str, description: str) -> str:
    """The words of a ticket without telephone, identity and card numbers, addresses of mail, and the tokens for them."""
    taken_from_it = title.rstrip("…") in description or title == find_title(description)
    text = description if taken_from_it else f"{title}\n{description}"
    for found in reversed(privacy.find(text)):
        text = text[: found.start] + text[found.end :]
    return _LONG_NUMBER.sub("", _TOKEN.sub("", text)).strip()
