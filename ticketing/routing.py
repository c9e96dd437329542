"""Where a ticket goes: its category by the resident's words, its department by the category, its person by the roster.

Nothing is ownerless: what no category knows goes to the preset's fallback, and until a ticket is accepted it stays
with who was asked first (首问负责). A complaint about a unit or a person reaches neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import Conversation
from core.errors import Conflict
from core.segment import terms
from ticketing.lifecycle import OPEN, State
from ticketing.model import Ticket
from ticketing.preset import Category, Department, Preset
from ticketing.roster import Roster
from ticketing.staff import Actor, Person
from ticketing.visibility import CODE, is_about

KEYWORD_WEIGHT, NAME_WEIGHT, DESCRIPTION_WEIGHT, KIND_WEIGHT = 3.0, 2.0, 0.5, 1.0
LEAST_SCORE = 2.0


def suggest_category(preset: Preset, kind: str, text: str) -> str | None:
    """The code of the category whose words are found in the text; None when none is near enough."""
    words = frozenset(term for term in terms(text) if len(term) > 1)
    scored = [(_score(category, kind, text, words), category.code) for category in preset.categories]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= LEAST_SCORE else None


def _score(category: Category, kind: str, text: str, words: frozenset[str]) -> float:
    score = KEYWORD_WEIGHT * sum(keyword in text for keyword in category.keywords)
    score += NAME_WEIGHT * (category.name in text)
    described = {term for term in terms(category.description) if len(term) > 1}
    score += DESCRIPTION_WEIGHT * len(words & described)
    # A lift that fails is a repair to one and a complaint to another: the usual kind only tips the scale.
    return score + (KIND_WEIGHT if score and category.kind in (None, kind) else 0.0)


# Department


def suggest_department(preset: Preset, ticket: Ticket) -> tuple[Department, list[str]]:
    """The department of the ticket's category, of those above it, else the fallback; and why, in Chinese.

    The unit it is about is passed over; where that leaves nobody, the first other department has it.
    """
    why: list[str] = []
    ways = [(preset.category(code), "") for code in preset.lineage(ticket.category)]
    codes = [(category.department, f"类别“{category.name}”归其办理") for category, _ in ways]
    codes.append((preset.fallback_department, "没有归口的部门，由兜底部门接办"))
    codes += [(department.code, "其余部门都被投诉，由其接办") for department in preset.departments]
    for code, reason in codes:
        department = preset.department(code)
        if not is_about(ticket, department.code, department.name):
            return department, [*why, f"{department.name}：{reason}"]
        if not why or not why[-1].startswith(department.name):
            why.append(f"{department.name}是被投诉单位，回避")
    return preset.department(preset.fallback_department), [*why, "只有一个部门：由兜底部门接办，请主管关注"]


# Person


@dataclass(frozen=True)
class Candidate:
    """Somebody who could take it, as he stands now."""

    person: Person
    on_duty: bool
    load: int
    """Open tickets in his hands."""


async def candidates(
    session: AsyncSession, here: Roster, ticket: Ticket, department: str
) -> list[Candidate]:
    """Who of the department could take it: who is on duty first, then who has least in hand. Who is away is not there."""
    role = "inspector" if ticket.kind == "report" else "officer"
    able = [person for person in here.with_role(role) if person.serves(department) or role == "inspector"]
    present = [person for person in here.present(able) if not concerns_person(ticket, person)]
    loads = await _loads(session, [person.name for person in present])
    found = [Candidate(person, here.is_on_duty(person, department), loads.get(person.name, 0)) for person in present]
    return sorted(found, key=lambda each: (not each.on_duty, each.load, each.person.name))


async def _loads(session: AsyncSession, names: Iterable[str]) -> dict[str, int]:
    query = (
        select(Ticket.assignee, func.count())
        .where(Ticket.assignee.in_(list(names)), Ticket.state.in_(OPEN))
        .group_by(Ticket.assignee)
    )
    return {str(name): count for name, count in await session.execute(query)}


async def pick_on_duty(session: AsyncSession, here: Roster, ticket: Ticket, department: str) -> str | None:
    """Who takes a ticket that was given to a department without a name: somebody on duty there, the least laden.

    None where the department keeps no roster: then it waits in the department's queue.
    """
    able = await candidates(session, here, ticket, department)
    return able[0].person.name if able and able[0].on_duty else None


async def first_asked(
    session: AsyncSession, here: Roster, actor: Actor, conversation_id: int | None
) -> str | None:
    """首问负责: who registered it, or holds the conversation; else a clerk on duty, the one with least to accept.

    None where nobody is on duty: then all clerks hear of it.
    """
    if actor.resident_id is None and not actor.roles & {"system", "assistant"}:
        return actor.name
    if conversation_id is not None:
        holder = await session.scalar(select(Conversation.taken_by).where(Conversation.id == conversation_id))
        if holder:
            return holder
    on_duty = [person for person in here.present(here.with_role("clerk")) if here.is_on_duty(person)]
    if not on_duty:
        return None
    query = (
        select(Ticket.asked_first, func.count())
        .where(Ticket.state == State.REGISTERED, Ticket.asked_first.in_([person.name for person in on_duty]))
        .group_by(Ticket.asked_first)
    )
    waiting: dict[Any, int] = {name: count for name, count in await session.execute(query)}
    return min((person.name for person in on_duty), key=lambda name: (waiting.get(name, 0), name))


# 回避


def concerns_person(ticket: Ticket, person: Person) -> bool:
    """Whether it is about this person, or about the unit he belongs to."""
    about = ticket.about or {}
    if person.name in (about.get("staff"), about.get("unit")):
        return True
    return person.department is not None and person.department in (about.get("unit"), about.get(CODE))


def check_person(here: Roster, ticket: Ticket, name: str | None) -> None:
    """Conflict where a ticket would go to whom it is about."""
    if name is None:
        return
    person = here.find(name) or Person(name, frozenset(), None)
    if concerns_person(ticket, person):
        raise Conflict(f"the ticket is about {name}, or about his unit: it must go to somebody else")
