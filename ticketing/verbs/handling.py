"""While a department works on it: reassign, sign for, contact, progress, return, extension, raise, urge, note."""

from core import clock
from core.errors import Conflict, Invalid
from ticketing import joint, roster, routing, sla, visits
from ticketing.letters import write_day
from ticketing.lifecycle import OPEN
from ticketing.model import Note, Ticket
from ticketing.verbs import mentions
from ticketing.verbs.act import Act, Do
from ticketing.verbs.kin import linked_to
from ticketing.verbs.replies import without_person


async def reassign(act: Act) -> None:
    routing.check_person(await roster.load(act.session, act.office, act.now), act.ticket, act.body.assignee)
    changes: dict[str, list[object]] = {"assignee": [act.ticket.assignee, act.body.assignee]}
    act.ticket.assignee = act.body.assignee
    await act.move(changes=changes)


async def sign_for(act: Act) -> None:
    """Where the office does not sign, nobody is offered it and no limit runs; who does it all the same does no harm."""
    changes: dict[str, list[object]] | None = None
    if act.ticket.assignee is None:
        act.ticket.assignee, changes = act.actor.name, {"assignee": [None, act.actor.name]}
    await act.move(changes=changes)


async def contact(act: Act) -> None:
    reached = "已联系上" if act.body.reached else "未联系上"
    await act.move(reason=f"{reached}：{act.body.note}", changes={"reached": [None, act.body.reached]})


async def progress(act: Act) -> None:
    """A word to the resident while it is not finished, and to those whose tickets wait for the same answer."""
    await act.move(reason=act.body.text)
    await act.tell("progress", "progress", text=act.body.text)
    for ticket in await linked_to(act.session, act.ticket, Ticket.state.in_(OPEN), lock=True):
        other = Act(act.session, act.office, act.actor, ticket, act.verb, act.body, act.now)
        text = act.body.text if ticket.resident_id == act.ticket.resident_id else await without_person(act, act.body.text)
        await other.move(reason=text)
        await other.tell("progress", "progress", text=text)


async def request_return(act: Act) -> None:
    if act.ticket.return_open:
        raise Conflict("a return is asked for already: the clerk decides")
    act.ticket.return_open = True
    await act.move(reason=act.body.reason)


async def grant_return(act: Act) -> None:
    _require_return(act)
    act.ticket.return_open = False
    changes: dict[str, list[object]] = {"department": [act.ticket.department, None]}
    changes |= await joint.end_tasks(act.session, act.office, act.ticket, act.actor.name, act.now)
    act.ticket.department = act.ticket.assignee = None
    await act.move("accepted", changes=changes)
    await visits.cancel_open(act.session, act.office, act.ticket, "改由其他部门办理", act.now, told=True)


async def refuse_return(act: Act) -> None:
    """Refused as often as the preset allows, it goes to the fallback unit: somebody must do it."""
    _require_return(act)
    act.ticket.return_open = False
    act.ticket.returns_refused += 1
    changes = None
    if act.ticket.returns_refused >= act.office.preset.returns_at_most:
        fallback = act.office.preset.fallback_department
        changes = {"department": [act.ticket.department, fallback]}
        act.ticket.department, act.ticket.assignee = fallback, None
    await act.move(reason=act.body.reason, changes=changes)


def _require_return(act: Act) -> None:
    if not act.ticket.return_open:
        raise Conflict("nobody asked for a return")


async def request_extension(act: Act) -> None:
    """Before the due time; the supervisor decides."""
    await _require_time_left(act)
    act.ticket.extension_asked = {"due_at": act.body.due_at.isoformat(), "reason": act.body.reason}
    await act.move(reason=act.body.reason)


async def extend(act: Act) -> None:
    """A new due time for the finish clock; the resident is told."""
    await _require_time_left(act)
    act.ticket.extension_asked = None
    await act.move(reason=act.body.reason, changes={"due_at": [None, act.body.due_at.isoformat()]})
    await sla.extend(act.session, act.office, act.ticket, act.body.clock, act.body.due_at, act.now)
    due = clock.local(act.body.due_at)
    letter = await act.write_letter("extension", due=write_day(act.body.due_at), reason=act.body.reason)
    day = f"{due.month}月{due.day}日"
    await act.tell("extended", "extension", letter=letter, due=day, reason=act.body.reason)


async def check_extension(act: Act) -> None:
    if act.body.due_at <= act.now:
        raise Invalid("due_at: a new due time lies in the future", "due_at")
    due = await sla.due_at(act.session, act.ticket, act.body.clock)
    if due is not None and act.body.due_at <= due:
        raise Invalid("due_at: a new due time is later than the one there is", "due_at")
    latest = await sla.latest_extension(act.session, act.office, act.ticket, act.body.clock)
    if latest is not None and act.body.due_at > latest:
        raise Invalid(f"due_at: an extension ends by {clock.local(latest):%Y-%m-%d %H:%M} at the latest", "due_at")


async def _require_time_left(act: Act) -> None:
    due = await sla.due_at(act.session, act.ticket, act.body.clock)
    if due is not None and act.now > due:
        raise Conflict("the due time is over: owe the resident a word (progress) instead of an extension")


async def refuse_extension(act: Act) -> None:
    if act.ticket.extension_asked is None:
        raise Conflict("nobody asked for an extension")
    act.ticket.extension_asked = None
    await act.move(reason=act.body.reason)


async def raise_level(act: Act) -> None:
    """督办: a level up, with a deadline of its own."""
    changes: dict[str, list[object]] = {"level": [act.ticket.level, act.ticket.level + 1]}
    if act.body.due_at is not None:
        changes["due_at"] = [None, act.body.due_at.isoformat()]
    act.ticket.level += 1
    await act.move(reason=act.body.reason, changes=changes)


async def urge(act: Act) -> None:
    await act.move()


async def note(act: Act) -> None:
    text = await act.hide(act.body.text)
    await mentions.tell(act)
    act.session.add(Note(ticket_id=act.ticket.id, actor=act.actor.name, text=text, at=act.now))
    await act.move(reason=text)


async def exclude(act: Act) -> None:
    act.ticket.excluded = True
    await act.move(reason=act.body.reason)


DO: dict[str, Do] = {
    "reassign": reassign, "sign_for": sign_for, "contact": contact, "progress": progress,
    "request_return": request_return, "grant_return": grant_return, "refuse_return": refuse_return,
    "request_extension": request_extension, "extend": extend, "refuse_extension": refuse_extension,
    "raise": raise_level, "urge": urge, "note": note, "exclude": exclude,
}
CHECKS: dict[str, Do] = {"request_extension": check_extension, "extend": check_extension}
