"""Several departments at one ticket: their answers in one consolidated reply, and what becomes of open tasks."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit
from core.clock import write_time
from core.conversation import hide
from core.errors import Conflict, Invalid
from ticketing import record, sla
from ticketing.bodies import NewTask
from ticketing.lifecycle import OPEN, State
from ticketing.model import Task, Ticket
from ticketing.office import Office
from ticketing.reader import Reader
from ticketing.staff import Actor
from ticketing.texts import say
from ticketing.visibility import is_about


async def give_task(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, body: NewTask, now: datetime
) -> Task:
    """Another department's part, or its advice, with a limit of its own.

    Conflict where the ticket is about that department, is not open, or has its reply written already: a joint answer
    could not be in it any more. A submit at the same moment waits, and then sees the task; or this waits for it.
    """
    department = office.preset.department(body.department)
    await record.lock(session, ticket)
    if ticket.state not in OPEN:
        raise Conflict(f"the ticket is {ticket.state}: redo it first, then give tasks")
    if body.kind == "joint" and ticket.state in REPLY_IS_WRITTEN:
        raise Conflict(f"the ticket is {ticket.state}: its reply is written; send it back first, or ask for advice")
    if is_about(ticket, department.code, department.name):
        raise Conflict(f"the ticket is about {department.name}: ask another department")
    due_at = body.due_at or office.after(now, getattr(office.preset.tasks, body.kind), department.code)
    text = await hide(session, ticket.resident_id, body.text)
    task = Task(ticket_id=ticket.id, department=department.code, kind=body.kind, text=text, due_at=due_at)
    session.add(task)
    audit.record(session, now, actor.name, "task:add", f"ticket:{ticket.number}")
    await session.flush()
    await sla.on_event(
        session, office, ticket, "give_task", f"task:{task.id}", now, department=department.code, due_at=due_at
    )
    return task


REPLY_IS_WRITTEN = frozenset({State.IN_APPROVAL, State.APPROVED})


async def list_answers(
    session: AsyncSession, office: Office, ticket: Ticket, reader: Reader
) -> list[dict[str, Any]]:
    """`[{task, kind, department, name, text, answered_at}]`, in the order in which the departments answered."""
    query = select(Task).where(Task.ticket_id == ticket.id, Task.answer.is_not(None)).order_by(Task.answered_at, Task.id)
    return [
        {"task": row.id, "kind": row.kind, "department": row.department, "name": _name(office, row.department),
         "text": reader.text(row.answer), "answered_at": write_time(row.answered_at)}
        for row in await session.scalars(query)
    ]


def _name(office: Office, department: str) -> str:
    try:
        return office.preset.department(department).name
    except Invalid:  # A department that is no longer there.
        return department


def merge_answers(reply: str, answers: list[dict[str, Any]]) -> str:
    """The reply so far and below it each joint answer that it does not hold yet, for the officer to make one text of.

    What was asked for as advice is the office's own business and no part of it.
    """
    missing = [item for item in answers if item["kind"] == "joint" and item["text"] not in reply]
    lines = [say("joint_answer", department=item["name"], text=item["text"]) for item in missing]
    return "\n".join([*([reply.rstrip()] if reply.strip() else []), *lines])


async def end_tasks(
    session: AsyncSession, office: Office, ticket: Ticket, actor: str, now: datetime
) -> dict[str, list[object]]:
    """The ticket goes elsewhere: nobody owes an answer to who had it. Which tasks it were, for the record."""
    query = select(Task).where(Task.ticket_id == ticket.id, Task.answered_at.is_(None)).order_by(Task.id)
    open_ones = list(await session.scalars(query))
    for task in open_ones:
        task.answered_at, task.answered_by = now, actor
        await sla.on_event(session, office, ticket, "answer_task", f"task:{task.id}", now)
    await session.flush()
    return {"tasks": [[task.id for task in open_ones], []]} if open_ones else {}
