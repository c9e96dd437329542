"""Before somebody works on it: confirm, amend, ask for more, take more, accept, decline, answer at once, assign."""

from sqlalchemy import select

from core import clock
from core.conversation import Resident
from core.errors import Conflict, Forbidden, Invalid
from ticketing import residents, roster, routing, sla
from ticketing.bodies import ResidentBody
from ticketing.model import Task
from ticketing.office import Office
from ticketing.verbs.act import Act, Do
from ticketing.verbs.linking import hand_on
from ticketing.verbs.replies import add_reply, send_reply
from ticketing.visibility import about_as_given, about_with_code, is_about, may_answer, may_ask_again, may_decline

PLAIN_FIELDS = ("category", "kind", "place", "happened_at", "urgency", "confidential", "about")
TEXT_FIELDS = ("title", "description")
NEVER_EMPTY = ("title", "description", "kind", "urgency", "confidential")


async def confirm(act: Act) -> None:
    """The clerk has looked at a transcript or letter; what he corrected counts as certain."""
    elements = {item["name"]: dict(item) for item in act.ticket.elements}
    for given in act.body.elements or []:
        value = await act.hide(given.value)
        elements[given.name] = {**elements.get(given.name, {"evidence": None}), "name": given.name,
                                "value": value, "confidence": 1.0}
        if given.name == "place":
            act.ticket.place = value
        if given.name == "time":
            act.ticket.happened_at = given.value
        if given.name == "matter":
            act.ticket.title = value[:200]
    await _learn_person(act)
    act.ticket.elements = list(elements.values())
    act.ticket.missing = [name for name in act.ticket.missing if name not in elements]
    await act.move()


async def _learn_person(act: Act) -> None:
    """Name and call-back number that the clerk heard himself are the resident's from now on."""
    given = {item.name: item.value for item in act.body.elements or [] if item.name in ("person", "phone") and item.value}
    if given:
        resident = await act.session.get_one(Resident, act.ticket.resident_id)
        residents.learn(act.session, resident, ResidentBody(name=given.get("person"), phone=given.get("phone")))


async def check_amend(act: Act) -> None:
    given = act.body.model_dump(exclude_unset=True)
    empty = next((name for name in NEVER_EMPTY if name in given and given[name] in (None, "")), None)
    if empty:
        raise Invalid(f"{empty}: a ticket always has one; leave the field out to keep it", empty)
    if given.get("category") is not None:
        act.office.preset.category(given["category"])


async def amend(act: Act) -> None:
    """Change facts; the old values stay in the record."""
    changes: dict[str, list[object]] = {}
    given = act.body.model_dump(exclude_unset=True, mode="json")
    for name, value in given.items():
        if name in TEXT_FIELDS or name == "place":
            value = await act.hide(value) if value else value
        if name == "about":
            value = about_with_code(act.office.preset, value)
        old = getattr(act.ticket, name)
        if old != value:
            changes[name] = [about_as_given(old), about_as_given(value)] if name == "about" else [old, value]
            setattr(act.ticket, name, value)
    await act.move(changes=changes)


async def may_ask_supplement(act: Act) -> None:
    if not may_ask_again(act.actor, act.ticket):
        raise Forbidden("the resident was asked once already (一次性告知): a second time is a supervisor's to ask")


async def ask_supplement(act: Act) -> None:
    """Everything missing at once (一次性告知). A second time is a supervisor's to decide."""
    if act.ticket.supplement_open:
        raise Conflict("a supplement is being waited for already: wait for it, or take it as given")
    act.ticket.supplement_open = True
    act.ticket.supplements_asked += 1
    act.ticket.missing = list(act.body.missing)
    await act.move(reason="、".join(act.body.missing))
    listed = "\n".join(f"{number}. {item}" for number, item in enumerate(act.body.missing, 1))
    letter = await act.write_letter("supplement", missing=listed)
    await act.tell("ask_supplement", "supplement", letter=letter, missing=listed)


async def supplement(act: Act) -> None:
    act.ticket.supplement_open = False
    act.ticket.missing = []
    changes: dict[str, list[object]] = {}
    if act.body.place:
        place = await act.hide(act.body.place)
        changes["place"] = [act.ticket.place, place]
        act.ticket.place = place
    if act.body.happened_at:
        changes["happened_at"] = [act.ticket.happened_at, act.body.happened_at]
        act.ticket.happened_at = act.body.happened_at
    await act.move(reason=await act.hide(act.body.text), changes=changes or None)


async def accept(act: Act) -> None:
    act.ticket.decline_asked = None
    await act.move("accepted")
    day = clock.local(act.now)
    letter = await act.write_letter("acceptance")
    date = f"{day.month}月{day.day}日"
    await act.tell("accepted", "receipt", letter=letter, date=date, promise=await act.promise())


async def check_who_declines(act: Act) -> None:
    if may_decline(act.actor, act.ticket, act.office.self_approval):
        return
    if act.ticket.decline_asked is None:
        raise Forbidden("a refusal is a clerk's to begin: leave it to the desk")
    raise Forbidden("the refusal waits for the countersignature of another supervisor: he declines too, or sends it back")


async def decline(act: Act) -> None:
    """Not taken up: the coded reason, words, and where to go instead; delivered like a reply.

    Where the office has refusals countersigned the clerk's is a proposal: nothing is said to the resident until a
    supervisor declines too, in words of his own or the same.
    """
    reason = f"{act.body.code}：{act.body.reason}"
    if act.office.decline_countersigned and act.ticket.decline_asked is None:
        proposed = {**act.body.model_dump(), "by": act.actor.name, "at": act.now.isoformat()}
        for name in ("reason", "where_to"):
            proposed[name] = await act.hide(proposed[name])
        act.ticket.decline_asked = proposed
        await act.move(reason=reason, changes={"decline_asked": [None, act.body.code]})
        return
    act.ticket.decline_asked = None
    await act.move("declined", reason=reason)
    await hand_on(act)
    words = {"reason": act.body.reason, "where_to": act.body.where_to}
    letter = await act.write_letter("decline", **words)
    await act.tell("declined", "decline", letter=letter, **words)


async def may_answer_directly(act: Act) -> None:
    if not may_answer(act.actor, act.ticket):
        raise Forbidden("the assistant answers consultations only: leave this one to a clerk")


async def check_answer_directly(act: Act) -> None:
    if act.body.call_turn is not None:
        _said_in_call(act)


async def answer_directly(act: Act) -> None:
    """The reply at once; or the turn of the call in which the agent gave it, which is its delivery."""
    if act.body.call_turn is not None:
        await _answered_in_call(act)
        return
    reply = await add_reply(act, act.body.reply)
    await act.move("approved")
    await send_reply(act, reply, on_paper=False)


def _said_in_call(act: Act) -> str:
    """The agent's words of that turn; Invalid when the turn is absent or the caller's."""
    turns = (act.ticket.answered_on_call or {}).get("turns") or []
    known = act.ticket.answered_on_call or {}
    said = next((turn for turn in turns if turn.get("turn") == act.body.call_turn), None)
    if said is None and known.get("turn") == act.body.call_turn:
        said = known
    if said is None or said.get("speaker", "agent") != "agent":
        raise Invalid("call_turn: this call has no such turn of the agent", "call_turn")
    return str(said["text"])


async def _answered_in_call(act: Act) -> None:
    reply = await add_reply(act, _said_in_call(act))
    reply.call_turn, reply.approved_at, reply.approved_by = act.body.call_turn, act.now, act.actor.name
    reply.delivered_at = act.now
    await act.move("replied")


async def check_assign(act: Act) -> None:
    for code in (act.body.department, *act.body.joint):
        act.office.preset.department(code)


async def assign(act: Act) -> None:
    """To a department, never to the unit it is about; joint departments get tasks."""
    department = act.office.preset.department(act.body.department)
    asked = {task.department for task in await open_tasks(act, "joint")}
    joint = [
        act.office.preset.department(code) for code in dict.fromkeys(act.body.joint)
        if code != department.code and code not in asked
    ]
    for item in (department, *joint):
        if is_about(act.ticket, item.code, item.name):
            raise Conflict(f"the ticket is about {item.name}: it must go to another department")
    here = await roster.load(act.session, act.office, act.now)
    routing.check_person(here, act.ticket, act.body.assignee)
    person = act.body.assignee or await routing.pick_on_duty(act.session, here, act.ticket, department.code)
    changes: dict[str, list[object]] = {"department": [act.ticket.department, department.code]}
    act.ticket.department, act.ticket.assignee = department.code, person
    await act.move("in_progress", changes=changes)
    for item in joint:
        due_at = joint_due(act.office, item.code, act)
        task = Task(ticket_id=act.ticket.id, department=item.code, kind="joint", text=act.ticket.title, due_at=due_at)
        act.session.add(task)
        await act.session.flush()
        await sla.on_event(
            act.session, act.office, act.ticket, "give_task", f"task:{task.id}", act.now, department=item.code,
            due_at=due_at,
        )
    if joint:
        await sla.give_joint_time(act.session, act.office, act.ticket, act.now)


def joint_due(office: Office, department: str, act: Act):  # type: ignore[no-untyped-def]
    return office.after(act.now, office.preset.tasks.joint, department)


async def open_tasks(act: Act, kind: str) -> list[Task]:
    query = select(Task).where(
        Task.ticket_id == act.ticket.id, Task.kind == kind, Task.answered_at.is_(None)
    )
    return list((await act.session.scalars(query)).all())


DO: dict[str, Do] = {
    "confirm": confirm, "amend": amend, "ask_supplement": ask_supplement, "supplement": supplement,
    "accept": accept, "decline": decline, "answer_directly": answer_directly, "assign": assign,
}
MAY: dict[str, Do] = {"decline": check_who_declines, "ask_supplement": may_ask_supplement, "answer_directly": may_answer_directly}
CHECKS: dict[str, Do] = {
    "amend": check_amend, "answer_directly": check_answer_directly, "assign": check_assign,
}
