"""What the office is and when it is open: departments, categories, the calendar; tasks and call-backs."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, literal, select
from sqlalchemy.orm import aliased

from core import audit, clock
from core.audit import Audit
from core.checking import check_year
from core.clock import write_time
from core.conversation import Conversation, hide
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.queues import Inbox, Outbox
from service.api.endpoint import Call, Endpoint, Result, cut, page
from ticketing import bodies, calendar_days, callbacks, joint, pauses, sla, tickets
from ticketing.calendars import describe_due, list_days
from ticketing.model import CallAttempt, Callback, Task, Ticket
from ticketing.reader import Reader, readers_of
from ticketing.views import describe_task
from ticketing.visibility import hides_person, roles_on, visible

STAFF = frozenset({"clerk", "officer", "supervisor", "inspector", "auditor"})
CALENDAR_WRITERS = frozenset({"supervisor", "administrator"})
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


async def list_own_days(call: Call) -> Result:
    days = await calendar_days.own_days(call.session)
    return Result({"items": [calendar_days.describe_day(day) for day in days], "next": None})


async def set_day(call: Call) -> Result:
    """A day of the office's own. Due times that it moves follow within a minute."""
    day = await calendar_days.set_day(call.session, call.runtime.office, call.actor, call.body(), call.now)
    return Result(calendar_days.describe_day(day), 201)


async def remove_day(call: Call) -> Result:
    call.require(*CALENDAR_WRITERS)
    await calendar_days.remove_day(call.session, call.actor, call.number("id"), call.now)
    return Result(None, 204)


async def due(call: Call) -> Result:
    target = call.query.get("target")
    if not target:
        raise Invalid("target: say how long, such as `2 working hours` or `5 working days`", "target")
    hours = call.runtime.office.preset.hours(call.query.get("department"))
    try:
        return Result(describe_due(hours, _moment(call, "start"), target, call.query.get("count")))
    except OverflowError:
        raise Invalid("this ends after the last year there is: choose an earlier start", "start") from None


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


async def list_pauses(call: Call) -> Result:
    """Who paused how many clocks for how long, in the last thirty days where nothing else is asked."""
    today = clock.local(call.now).date()
    last = _date(call, "to", today)
    check_year(last, "to")
    first = _date(call, "from", last - timedelta(days=30))
    check_year(first, "from")
    begin, end = (datetime(on.year, on.month, on.day, tzinfo=clock.ZONE) for on in (first, last + timedelta(days=1)))
    rows = await pauses.by_officer(call.session, call.actor, begin, end, call.now)
    return Result({"items": rows, "next": None})


async def list_tasks(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    asked = aliased(Task)  # What may be seen is asked of the tasks too.
    query = select(asked, Ticket).join(Ticket, Ticket.id == asked.ticket_id).where(visible(call.actor))
    if "ticket" in call.query:
        query = query.where(Ticket.number == call.query["ticket"])
    if "department" in call.query:
        query = query.where(asked.department == call.query["department"])
    if status := _status(call):
        query = query.where(asked.answered_at.is_(None) if status == "open" else asked.answered_at.is_not(None))
    if after is not None:
        query = query.where(asked.id < after)
    rows, more = cut((await call.session.execute(query.order_by(asked.id.desc()).limit(limit + 1))).all(), limit)
    readers = await _readers(call, [ticket for _, ticket in rows])
    items = [describe_task(task, ticket.number, readers[ticket.id]) for task, ticket in rows]
    return page(items, rows[-1][0].id if rows else None, more)


def _status(call: Call) -> str | None:
    status = call.query.get("status")
    if status not in (None, "open", "done"):
        raise Invalid("status is open or done", "status")
    return status


async def _readers(call: Call, found: Sequence[Ticket]) -> dict[int, Reader]:
    """Who reads the tickets' texts for this caller. Each reading of a confidential resident's is audited."""
    hidden = {ticket.id: hides_person(call.actor, ticket) for ticket in found}
    for ticket in found:
        if ticket.confidential and not hidden[ticket.id]:
            audit.record(call.session, call.now, call.actor.name, "resident:read", f"ticket:{ticket.number}")
    return await readers_of(call.session, [(ticket, hidden[ticket.id]) for ticket in found])


async def _describe_task(call: Call, task: Task, ticket: Ticket) -> dict[str, Any]:
    return describe_task(task, ticket.number, (await _readers(call, [ticket]))[ticket.id])


async def add_task(call: Call) -> Result:
    """Ask another department to do its part, or for its word."""
    ticket = await tickets.find_visible(call.session, call.actor, call.params["number"])
    if not roles_on(call.actor, ticket) & TASK_GIVERS:
        raise Forbidden("a task is given by a clerk or an officer")
    task = await joint.give_task(call.session, call.runtime.office, call.actor, ticket, call.body(), call.now)
    return Result(await _describe_task(call, task, ticket), 201)


async def answer_task(call: Call) -> Result:
    asked = aliased(Task)
    row = (
        await call.session.execute(
            select(asked, Ticket)
            .join(Ticket, Ticket.id == asked.ticket_id)
            .where(asked.id == call.number("id"), visible(call.actor))
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
    task.answer = await hide(call.session, ticket.resident_id, body.text)
    task.answered_at, task.answered_by = call.now, call.actor.name
    audit.record(call.session, call.now, call.actor.name, "task:answer", f"task:{task.id}")
    await sla.on_event(call.session, call.runtime.office, ticket, "answer_task", f"task:{task.id}", call.now)
    await call.session.flush()
    return Result(await _describe_task(call, task, ticket))


async def list_callbacks(call: Call) -> Result:
    limit, after = call.limit(), call.after()
    query = select(Callback, Ticket).join(Ticket, Ticket.id == Callback.ticket_id).where(visible(call.actor))
    if status := _status(call):
        query = query.where(Callback.done_at.is_(None) if status == "open" else Callback.done_at.is_not(None))
    if "ticket" in call.query:
        query = query.where(Ticket.number == call.query["ticket"])
    if after is not None:
        query = query.where(Callback.id < after)
    rows, more = cut((await call.session.execute(query.order_by(Callback.id.desc()).limit(limit + 1))).all(), limit)
    items = await _describe_callbacks(call, [(callback, ticket) for callback, ticket in rows])
    return page(items, rows[-1][0].id if rows else None, more)


async def _describe_callbacks(call: Call, rows: Sequence[tuple[Callback, Ticket]]) -> list[dict[str, object]]:
    readers = await _readers(call, [ticket for _, ticket in rows])
    tries = await callbacks.attempts_at(call.session, [callback.id for callback, _ in rows])
    return [_describe_callback(row, ticket, readers[ticket.id], tries[row.id]) for row, ticket in rows]


def _describe_callback(
    callback: Callback, ticket: Ticket, reader: Reader, tries: Sequence[CallAttempt]
) -> dict[str, object]:
    return {
        "id": callback.id,
        "ticket": ticket.number,
        "status": "done" if callback.done_at else "open",
        "reason": callback.reason,
        "text": reader.text(callback.text),
        "opened_at": write_time(callback.opened_at),
        "way": ticket.reply_by or "call",
        "attempts": callback.attempts,
        "calls": [
            {"at": write_time(item.at), "by": item.by, "outcome": item.outcome, "reached": item.reached,
             "note": item.note}
            for item in tries
        ],
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
    return Result((await _describe_callbacks(call, [(callback, ticket)]))[0])


AUDIT_FILTERS = ("actor", "action", "subject")


async def list_audit(call: Call) -> Result:
    """The audit record, newest first. What was done on a report about staff is there for inspectors only."""
    limit, after = call.limit(), call.after()
    query = select(Audit).order_by(Audit.id.desc()).limit(limit + 1)
    if "inspector" not in call.actor.roles:
        for subjects in _subjects_of_reports():
            query = query.where(Audit.subject.not_in(subjects))
    for name in AUDIT_FILTERS:
        if name in call.query:
            query = query.where(getattr(Audit, name) == call.query[name])
    if after is not None:
        query = query.where(Audit.id < after)
    rows, more = cut((await call.session.scalars(query)).all(), limit)
    items = [
        {"id": row.id, "at": write_time(row.at), "actor": row.actor, "action": row.action,
         "subject": row.subject, "reason": row.reason, "detail": row.detail}
        for row in rows
    ]
    return page(items, rows[-1].id if rows else None, more)


def _subjects_of_reports() -> Iterable[Any]:
    reports = Ticket.kind == "report"
    yield select(literal("ticket:") + Ticket.number).where(reports)
    talks = select(Ticket.conversation_id).where(reports, Ticket.conversation_id.is_not(None))
    for name, key, query in (
        ("conversation", Conversation.id, select(Conversation).where(Conversation.id.in_(talks))),
        ("inbox", Inbox.id, select(Inbox).where(Inbox.conversation_id.in_(talks))),
        ("outbox", Outbox.id, select(Outbox).where(Outbox.conversation_id.in_(talks))),
        ("task", Task.id, select(Task).join(Ticket, Ticket.id == Task.ticket_id).where(reports)),
        ("callback", Callback.id, select(Callback).join(Ticket, Ticket.id == Callback.ticket_id).where(reports)),
    ):
        yield query.with_only_columns(literal(f"{name}:") + cast(key, String))


ENDPOINTS = (
    Endpoint("GET", "/departments", departments, "Departments", tag="office"),
    Endpoint("GET", "/categories", categories, "Categories", tag="office"),
    Endpoint("GET", "/calendar", calendar, "Working days and hours", query=("from", "to", "department"),
             tag="office"),
    Endpoint("GET", "/calendar/days", list_own_days, "The office's own days", tag="office"),
    Endpoint("POST", "/calendar/days", set_day, "Set a day of the office's own", calendar_days.NewDay,
             CALENDAR_WRITERS, "write", status=201, tag="office"),
    Endpoint("DELETE", "/calendar/days/{id}", remove_day, "Take an own day back", session="write", status=204,
             tag="office"),
    Endpoint("GET", "/calendar/due", due, "When something is due, and why",
             query=("start", "target", "count", "department"), tag="office"),
    Endpoint("GET", "/reports/pauses", list_pauses, "Who paused clocks, how often and for how long",
             roles=frozenset({"supervisor", "inspector", "auditor"}), query=("from", "to"), tag="office"),
    Endpoint("GET", "/tasks", list_tasks, "Tasks", roles=STAFF, query=("ticket", "department", "status", "limit", "after"),
             tag="office"),
    Endpoint("POST", "/tickets/{number}/tasks", add_task, "Give another department a task", bodies.NewTask,
             session="write", status=201),
    Endpoint("POST", "/tasks/{id}/answer", answer_task, "Answer a task", bodies.TaskAnswer, session="write",
             tag="office"),
    Endpoint("GET", "/call-backs", list_callbacks, "Calls to make", roles=STAFF,
             query=("status", "ticket", "limit", "after"), tag="office"),
    Endpoint("GET", "/audit", list_audit, "Who did what", roles=frozenset({"auditor"}),
             query=(*AUDIT_FILTERS, "limit", "after"), tag="office"),
    Endpoint("POST", "/call-backs/{id}/done", finish_callback, "Log a call", bodies.CallbackDone, session="write",
             tag="office"),
)
