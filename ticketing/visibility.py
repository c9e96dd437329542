"""Who may see which ticket, whom a report belongs to, and when a resident's person is hidden."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from ticketing.model import Task, Ticket
from ticketing.staff import Actor

STAFF_ROLES = frozenset({"clerk", "officer", "supervisor", "auditor"})
INSPECTOR_STANDS_FOR = frozenset({"clerk", "officer", "supervisor"})
SEES_CONFIDENTIAL = frozenset({"clerk", "supervisor", "inspector"})


def visible(actor: Actor) -> ColumnElement[bool]:
    """The tickets this actor may know of, as a condition."""
    if actor.resident_id is not None:
        return Ticket.resident_id == actor.resident_id
    if "system" in actor.roles:
        return true()
    reports = Ticket.kind == "report" if "inspector" in actor.roles else false()
    if not actor.roles & STAFF_ROLES:
        return reports if "inspector" in actor.roles else false()
    others: ColumnElement[bool] = Ticket.kind != "report"
    if actor.department is not None:
        asked = select(Task.id).where(
            Task.ticket_id == Ticket.id, Task.department == actor.department, Task.answered_at.is_(None)
        )
        mine = or_(Ticket.department.is_(None), Ticket.department == actor.department, asked.exists())
        others = and_(others, mine)
    return or_(reports, others)


def roles_on(actor: Actor, ticket: Ticket) -> frozenset[str]:
    """What the actor's roles count for on this ticket: on a report an inspector stands for all of them."""
    if ticket.kind != "report" or "system" in actor.roles or actor.resident_id is not None:
        return actor.roles
    return INSPECTOR_STANDS_FOR | actor.roles if "inspector" in actor.roles else frozenset()


def may_ask_again(actor: Actor, ticket: Ticket) -> bool:
    """一次性告知: once the resident was asked and has answered, only a supervisor asks again."""
    asked = ticket.supplements_asked and not ticket.supplement_open
    return not asked or "supervisor" in roles_on(actor, ticket)


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
