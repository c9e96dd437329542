"""Who may see which ticket, whom a report belongs to, and when a resident's person is hidden."""

from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from core.persons import is_same_person
from ticketing.model import Task, Ticket
from ticketing.preset import Preset
from ticketing.staff import Actor

STAFF_ROLES = frozenset({"clerk", "officer", "supervisor", "auditor"})
INSPECTOR_STANDS_FOR = frozenset({"clerk", "officer", "supervisor"})
READS_REPORTS = frozenset({"inspector", "system", "assistant"})
CODE = "department"
"""The key in a stored `about` for the code of the unit."""
SEES_CONFIDENTIAL = frozenset({"clerk", "supervisor", "inspector"})

Row = TypeVar("Row")


def visible(actor: Actor) -> ColumnElement[bool]:
    """The tickets this actor may know of, as a condition."""
    if actor.resident_id is not None:
        return is_same_person(Ticket.resident_id, actor.resident_id)
    if "system" in actor.roles:
        return true()
    spared = _is_not_about_person(actor.name)
    reports = and_(Ticket.kind == "report", spared) if "inspector" in actor.roles else false()
    if not actor.roles & STAFF_ROLES:
        return reports if "inspector" in actor.roles else false()
    others: ColumnElement[bool] = and_(Ticket.kind != "report", spared)
    if actor.department is not None:
        asked = select(Task.id).where(
            Task.ticket_id == Ticket.id, Task.department == actor.department, Task.answered_at.is_(None)
        ).correlate(Ticket)
        unassigned = and_(Ticket.department.is_(None), _is_not_about(actor.department))
        mine = or_(unassigned, Ticket.department == actor.department, asked.exists())
        others = and_(others, mine)
    return or_(reports, others)


async def find_with_ticket(
    session: AsyncSession, actor: Actor, table: type[Row], row_id: int
) -> tuple[Row, Ticket] | None:
    """What hangs on a ticket, and that ticket, when this actor may know of it."""
    of_ticket: Any = table
    query = select(table, Ticket).join(Ticket, Ticket.id == of_ticket.ticket_id)
    found = (await session.execute(query.where(of_ticket.id == row_id, visible(actor)))).first()
    return None if found is None else (found[0], found[1])


def _is_not_about_person(name: str) -> ColumnElement[bool]:
    """A complaint about somebody is not read by him."""
    return or_(Ticket.about.is_(None), func.coalesce(Ticket.about["staff"].as_string(), "") != name)


def _is_not_about(department: str) -> ColumnElement[bool]:
    """A complaint about a unit waits where that unit does not read it."""
    named = (Ticket.about[key].as_string() for key in ("unit", CODE))
    return and_(*(func.coalesce(value, "") != department for value in named))


def about_with_code(preset: Preset, about: dict[str, Any] | None) -> dict[str, Any] | None:
    """`about` as it is stored: where its unit names a department, with that department's code, for queries."""
    about = {key: value for key, value in (about or {}).items() if key != CODE}
    unit = about.get("unit")
    code = next((item.code for item in preset.departments if unit and unit in (item.code, item.name)), None)
    return (about | ({CODE: code} if code else {})) or None


def about_as_given(about: dict[str, Any] | None) -> dict[str, Any] | None:
    """`about` as it is shown: without what is stored for queries."""
    return {key: value for key, value in about.items() if key != CODE} if about else about


def was_registered_by(actor: Actor) -> ColumnElement[bool]:
    """The reports this member of staff registered: he keeps their number and state."""
    if actor.resident_id is not None or not actor.roles & (STAFF_ROLES | {"inspector"}):
        return false()
    return and_(Ticket.kind == "report", Ticket.registered_by == actor.name)


def reads_state_alone(actor: Actor, ticket: Ticket) -> bool:
    """Whether this reader keeps only the number and state: a report, for any member of staff but an inspector."""
    return ticket.kind == "report" and actor.resident_id is None and not actor.roles & READS_REPORTS


def roles_on(actor: Actor, ticket: Ticket) -> frozenset[str]:
    """What the actor's roles count for on this ticket: on a report an inspector stands for all of them."""
    if ticket.kind != "report" or "system" in actor.roles or actor.resident_id is not None:
        return actor.roles
    return INSPECTOR_STANDS_FOR | actor.roles if "inspector" in actor.roles else frozenset()


def may_ask_again(actor: Actor, ticket: Ticket) -> bool:
    """一次性告知: once the resident was asked and has answered, only a supervisor asks again."""
    asked = ticket.supplements_asked and not ticket.supplement_open
    return not asked or "supervisor" in roles_on(actor, ticket)


def may_decline(actor: Actor, ticket: Ticket, self_approval: bool) -> bool:
    """A refusal is a clerk's to begin; one that waits for its countersignature another supervisor's to end."""
    roles, asked = roles_on(actor, ticket), ticket.decline_asked
    if asked is None:
        return "clerk" in roles
    return "supervisor" in roles and (self_approval or asked["by"] != actor.name)


def may_answer(actor: Actor, ticket: Ticket) -> bool:
    """The assistant answers consultations only."""
    return ticket.kind == "consultation" or "assistant" not in actor.roles


def hides_person(actor: Actor, ticket: Ticket) -> bool:
    """Whether the complainant is masked for this reader: an officer who handles a confidential ticket."""
    if not ticket.confidential or actor.resident_id is not None or "system" in actor.roles:
        return False
    return not actor.roles & SEES_CONFIDENTIAL


def is_about(ticket: Ticket, department: Any, name: str) -> bool:
    """Whether the ticket is about this unit (by code or name)."""
    unit = (ticket.about or {}).get("unit")
    return bool(unit) and unit in (department, name)
