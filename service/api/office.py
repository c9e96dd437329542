"""What the office is and when it is open: departments, categories, the calendar; tasks and call-backs."""

from datetime import date, datetime

from sqlalchemy import select

from core import audit, clock
from core.errors import Conflict, Forbidden, Invalid, NotFound
from service.api.endpoint import Call, Endpoint, Result, page
from ticketing import bodies, callbacks, tickets
from ticketing.calendars import describe_due, list_days
from ticketing.model import Callback, Task, Ticket
from ticketing.views import Reader, describe_task, write_time
from ticketing.visibility import hides_person, roles_on, visible

TASK_GIVERS = frozenset({"clerk", "officer"})


async def departments(call: Call) -> Result:
    return Result({"items": call.runtime.office.preset.describe_departments(), "next": None})


async def categories(call: Call) -> Result:
    return Result({"items": call.runtime.office.preset.describe_categories(), "next": None})


async def calendar(call: Call) -> Result:
    today = clock.local(call.now).date()
    first = _date(call, "from", today)
    hours = call.runtime.office.preset.hours(call.query.get("department"))
    return Result(list_days(hours, first, _date(call, "to", first)))


async def due(call: Call) -> Result:
    target = call.query.get("target")
    if not target:
        raise Invalid("target: say how long, such as `2 working hours` or `5 working days`", "target")
    hours = call.runtime.office.preset.hours(call.query.get("department"))
    return Result(describe_due(hours, _moment(call, "start"), target, call.query.get("count")))


def _date(call: Call, name: str, default: date) -> date:
    text = call.query.get(name)
    if text is None:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{name} is a date, such as 2026-10-01", name) from None


def _moment(call: Call, name: str) -> datetime:
    text = call.query.get(name)
    if text is None:
        return call.now
    try:
        # A plus sign that was not escaped in the address arrives as a blank.
        moment = datetime.fromisoformat(text.replace(" ", "+") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        raise Invalid(f"{name} is a moment in RFC 3339, such as 2026-10-01T09:00:00+08:00", name) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=clock.ZONE)


async def list_tasks(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Task, Ticket).join(Ticket, Ticket.id == Task.ticket_id).where(visible(call.actor))
    if "ticket" in call.query:
        query = query.where(Ticket.number == call.query["ticket"])
    if "department" in call.query:
        query = query.where(Task.department == call.query["department"])
    if status := call.query.get("status"):
        query = query.where(Task.answered_at.is_(None) if status == "open" else Task.answered_at.is_not(None))
    if after is not None:
        query = query.where(Task.id < after)
    rows = (await call.session.execute(query.order_by(Task.id.desc()).limit(limit))).all()
    items = [await describe_task(task, ticket.number, _reader(call, ticket)) for task, ticket in rows]
    return page(items, rows[-1][0].id if rows else None, limit, len(rows))


def _reader(call: Call, ticket: Ticket) -> Reader:
    return Reader(call.session, ticket, hides_person(call.actor, ticket))


async def add_task(call: Call) -> Result:
    """Ask another department to do its part, or for its word."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    if not roles_on(call.actor, ticket) & TASK_GIVERS:
        raise Forbidden("a task is given by a clerk or an officer")
    body = call.body()
    office = call.runtime.office
    department = office.preset.department(body.department)
    target = getattr(office.preset.tasks, body.kind)
    due_at = body.due_at or office.after(call.now, target, department.code)
    task = Task(ticket_id=ticket.id, department=department.code, kind=body.kind, text=body.text, due_at=due_at)
    call.session.add(task)
    audit.record(call.session, call.now, call.actor.name, "task:add", f"ticket:{ticket.number}")
    await call.session.flush()
    return Result(await describe_task(task, ticket.number, _reader(call, ticket)), 201)


async def answer_task(call: Call) -> Result:
    row = (
        await call.session.execute(
            select(Task, Ticket)
            .join(Ticket, Ticket.id == Task.ticket_id)
            .where(Task.id == call.number("id"), visible(call.actor))
        )
    ).first()
    if row is None:
        raise NotFound("there is no such task: GET /tasks lists them")
    task, ticket = row
    if "officer" not in roles_on(call.actor, ticket) or call.actor.department not in (None, task.department):
        raise Forbidden("a task is answered by an officer of its department")
    body = call.body()
    if task.answered_at is not None:
        raise Conflict("this task is answered already")
    task.answer, task.answered_at, task.answered_by = body.text, call.now, call.actor.name
    audit.record(call.session, call.now, call.actor.name, "task:answer", f"task:{task.id}")
    await call.session.flush()
    return Result(await describe_task(task, ticket.number, _reader(call, ticket)))


async def list_callbacks(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Callback, Ticket).join(Ticket, Ticket.id == Callback.ticket_id).where(visible(call.actor))
    if status := call.query.get("status"):
        query = query.where(Callback.done_at.is_(None) if status == "open" else Callback.done_at.is_not(None))
    if "ticket" in call.query:
        query = query.where(Ticket.number == call.query["ticket"])
    if after is not None:
        query = query.where(Callback.id < after)
    rows = (await call.session.execute(query.order_by(Callback.id.desc()).limit(limit))).all()
    items = [await _describe_callback(call, callback, ticket) for callback, ticket in rows]
    return page(items, rows[-1][0].id if rows else None, limit, len(rows))


async def _describe_callback(call: Call, callback: Callback, ticket: Ticket) -> dict[str, object]:
    return {
        "id": callback.id,
        "ticket": ticket.number,
        "status": "done" if callback.done_at else "open",
        "reason": callback.reason,
        "text": await _reader(call, ticket).text(callback.text),
        "opened_at": write_time(callback.opened_at),
        "attempts": callback.attempts,
        "reached": callback.reached,
        "note": callback.note,
        "done_at": write_time(callback.done_at),
        "done_by": callback.done_by,
    }


async def finish_callback(call: Call) -> Result:
    callback = await callbacks.done(
        call.session, call.runtime.office, call.actor, call.number("id"), call.raw_body, call.now
    )
    ticket = await call.session.get_one(Ticket, callback.ticket_id)
    return Result(await _describe_callback(call, callback, ticket))


ENDPOINTS = (
    Endpoint("GET", "/departments", departments, "Departments", tag="office"),
    Endpoint("GET", "/categories", categories, "Categories", tag="office"),
    Endpoint("GET", "/calendar", calendar, "Working days and hours", query=("from", "to", "department"),
             tag="office"),
    Endpoint("GET", "/calendar/due", due, "When something is due, and why",
             query=("start", "target", "count", "department"), tag="office"),
    Endpoint("GET", "/tasks", list_tasks, "Tasks", query=("ticket", "department", "status", "limit", "after"),
             tag="office"),
    Endpoint("POST", "/tickets/{number}/tasks", add_task, "Give another department a task", bodies.NewTask,
             session="write", status=201),
    Endpoint("POST", "/tasks/{id}/answer", answer_task, "Answer a task", bodies.TaskAnswer, session="write",
             tag="office"),
    Endpoint("GET", "/call-backs", list_callbacks, "Calls to make", query=("status", "ticket", "limit", "after"),
             tag="office"),
    Endpoint("POST", "/call-backs/{id}/done", finish_callback, "Log a call", bodies.CallbackDone, session="write",
             tag="office"),
)
