"""Limits and clocks: verbs start, pause, resume and stop clocks by the preset's rules; what is due is found by index.

A clock counts by the calendar of the department that had the ticket when it started: what the resident was
promised does not move because the ticket does. Of several rules for one name the strictest wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from core.clock import local
from core.errors import Conflict, Invalid
from core.targets import Unit, parse_target
from core.working_hours import WorkingHours
from ticketing import clocks
from ticketing.clocks import Clock, is_breached, write_rfc3339
from ticketing.model import Measure, Ticket, Transition
from ticketing.preset import Preset, Rule
from ticketing.staff_notices import StaffNotice

if TYPE_CHECKING:
    from ticketing.office import Office

__all__ = [
    "Clock", "anything_due", "claim", "describe_clocks", "due_at", "due_clocks", "explain", "explain_clocks", "extend",
    "give_joint_time", "is_overdue", "on_breach", "on_event", "on_verb", "promise", "recalculate",
    "running_names",
]

ENDS = frozenset({"decline", "withdraw", "merge", "close", "archive"})
"""With these nothing is left to wait for, whatever the rules say."""

OUTLIVES = frozenset({"measure", "call_back"})
"""What was promised for later, and a call that is still to be made, do not end with the ticket."""

EVENTS = frozenset({
    "register", "breach", "open_call_back", "finish_call_back", "give_task", "answer_task", "promise", "keep_promise"
})
"""What rules may name besides verbs: a limit of ours was broken; something of a ticket began or ended."""

SUPERVISION = "supervision"
"""The clock that 督办 starts."""

WAITS_FOR_RESIDENT = ("supplement",)
"""Clocks that run against the resident: their end is no breach of ours."""


@dataclass(frozen=True)
class Due:
    """Somebody is to hear that this share of the clock is over."""

    clock: Clock
    share: int
    """In hundredths."""
    whom: tuple[str, ...]


# Verbs and clocks


async def on_verb(session: AsyncSession, office: "Office", ticket: Ticket, verb: str, now: datetime) -> None:
    """What a verb does to the ticket's clocks, in the verb's transaction, after its state and transition are written."""
    if verb == "decline" and ticket.state in _BEFORE_REPLY:
        return  # It waits for its countersignature: nothing is decided yet.
    acts = await _acts(session, ticket, verb)
    for clock in await _running(session, ticket.id):
        if clock.name in OUTLIVES or (clock.subject and verb not in ENDS):
            continue
        await _apply(session, office.preset, clock, acts, verb, now)
    if verb == "unmerge":
        await _reopen(session, office.preset, ticket)
    if verb == "amend":
        await _reconsider(session, office.preset, ticket, now)
    await _start(session, office.preset, ticket, acts, now)
    if verb == "raise":
        await _set_deadline(session, office.preset, ticket, now)
    if acts & {"reply", "fulfil"}:
        await _watch_measures(session, office, ticket, now)
    await session.flush()


async def on_event(
    session: AsyncSession,
    office: "Office",
    ticket: Ticket,
    event: str,
    subject: str,
    now: datetime,
    *,
    department: str | None = None,
    due_at: datetime | None = None,
) -> None:
    """What begins or ends one of several things of a ticket: each has a clock of its own.

    `department` has the thing, so its calendar counts; `due_at` is what was agreed, in place of the rule's target.
    """
    preset = office.preset
    for clock in await _running(session, ticket.id):
        rule = _rule_of(preset, clock)
        if clock.subject == subject and rule and event in rule.stops:
            clocks.stop(clock, _hours_of(preset, clock), event, now)
    rules = [rule for rule in _fitting(preset, ticket, now) if event in rule.starts]
    for name in dict.fromkeys(rule.name for rule in rules):
        clock = _make(preset, ticket, [rule for rule in rules if rule.name == name], now, department)
        clock.subject = subject
        if due_at is not None:
            clocks.fix(clock, due_at, now)
            clocks.plan_telling(clock, _hours_of(preset, clock), _rule_of(preset, clock))
        session.add(clock)
    await session.flush()


async def _acts(session: AsyncSession, ticket: Ticket, verb: str) -> frozenset[str]:
    """What the verb amounts to: an answer given in the call is delivered; nobody reached is no contact.

    A ticket that gets its lead's answer is accepted, signed for and submitted with it.
    """
    if verb == "answer_directly" and ticket.state == "replied":
        return frozenset({verb, "reply"})
    if verb == "share_reply":
        return frozenset({verb, "answer_directly", "submit"})
    if verb == "contact":
        query = select(Transition.changes).where(Transition.ticket_id == ticket.id, Transition.verb == verb)
        changes = await session.scalar(query.order_by(Transition.seq.desc()).limit(1))
        if changes and changes.get("reached") == [None, False]:
            return frozenset()
    return frozenset({verb})


async def _apply(
    session: AsyncSession, preset: Preset, clock: Clock, acts: frozenset[str], verb: str, now: datetime
) -> None:
    rule, hours = _rule_of(preset, clock), _hours_of(preset, clock)
    if verb in ENDS or acts.intersection(rule.stops if rule else ("reply",)):
        clocks.stop(clock, hours, verb, now)
    elif rule and acts.intersection(rule.pauses):
        clocks.pause(clock, verb, now)
    elif rule and acts.intersection(rule.resumes) and clock.paused_at:
        clocks.resume(clock, hours, now)
        await _plan_telling_again(session, clock, hours, rule, now)


async def _watch_measures(session: AsyncSession, office: "Office", ticket: Ticket, now: datetime) -> None:
    """From the moment that the resident reads a promise its clock runs, to the close of the day it was promised for."""
    await session.flush()
    watched = {clock.subject for clock in await _running(session, ticket.id, "measure")}
    hours = office.preset.hours(ticket.department) if ticket.department else office.preset.hours()
    for measure in await session.scalars(select(Measure).where(Measure.ticket_id == ticket.id).order_by(Measure.id)):
        subject = f"measure:{measure.id}"
        if measure.fulfilled_at is not None and subject in watched:
            await on_event(session, office, ticket, "keep_promise", subject, now)
        elif measure.fulfilled_at is None and subject not in watched:
            due = hours.close_of(measure.due_on)
            await on_event(session, office, ticket, "promise", subject, now, due_at=due)


async def _set_deadline(session: AsyncSession, preset: Preset, ticket: Ticket, now: datetime) -> None:
    """Who raises a ticket may say until when: then that, and not the rule's target, is what is counted to."""
    await session.flush()
    last = select(Transition.changes).where(Transition.ticket_id == ticket.id, Transition.verb == "raise")
    changes = await session.scalar(last.order_by(Transition.seq.desc()).limit(1)) or {}
    running = await _running(session, ticket.id, SUPERVISION)
    if "due_at" in changes and running:
        clock = running[-1]
        clocks.fix(clock, datetime.fromisoformat(changes["due_at"][1]), now)
        clocks.plan_telling(clock, _hours_of(preset, clock), _rule_of(preset, clock))


async def _reopen(session: AsyncSession, preset: Preset, ticket: Ticket) -> None:
    merged = select(Clock).where(Clock.ticket_id == ticket.id, Clock.stopped_by == "merge")
    for clock in await session.scalars(merged):
        clocks.reopen(clock)
        rule = _rule_of(preset, clock)
        clocks.plan_telling(clock, _hours_of(preset, clock), rule, await _last_told(session, clock))


async def _start(
    session: AsyncSession, preset: Preset, ticket: Ticket, acts: frozenset[str], now: datetime
) -> None:
    """Start a clock for each name that has a fitting rule and does not run already."""
    if any(acts.intersection(rule.starts) for rule in preset.sla):
        running = (await running_names(session, [ticket.id]))[ticket.id]
        _start_others(session, preset, ticket, acts, running, now)


def _start_others(
    session: AsyncSession, preset: Preset, ticket: Ticket, acts: frozenset[str], running: set[str], now: datetime
) -> None:
    fitting = [rule for rule in _fitting(preset, ticket, now) if acts.intersection(rule.starts)]
    for name in dict.fromkeys(rule.name for rule in fitting):
        if name not in running:
            rules = [rule for rule in fitting if rule.name == name]
            session.add(_make(preset, ticket, rules, now))


async def running_names(session: AsyncSession, ticket_ids: Sequence[int]) -> dict[int, set[str]]:
    """The names of the clocks that run for these tickets, but for those of one of several things."""
    query = select(Clock.ticket_id, Clock.name).where(
        Clock.ticket_id.in_(ticket_ids), Clock.stopped_at.is_(None), Clock.subject.is_(None)
    )
    found: dict[int, set[str]] = {ticket_id: set() for ticket_id in ticket_ids}
    for ticket_id, name in await session.execute(query):
        found[ticket_id].add(name)
    return found


def on_breach(session: AsyncSession, office: "Office", ticket: Ticket, running: set[str], now: datetime) -> None:
    """What rules start when a limit is broken; `running` names what runs, and learns what was started."""
    acts = frozenset({"breach"})
    _start_others(session, office.preset, ticket, acts, running, now)
    running.update(rule.name for rule in office.preset.sla if "breach" in rule.starts)


def _make(
    preset: Preset, ticket: Ticket, rules: Sequence[Rule], now: datetime, department: str | None = None
) -> Clock:
    clock = Clock(
        ticket_id=ticket.id, department=department or ticket.department, started_at=now, history=[], paused_total_s=0, breached=False
    )
    _choose(clock, _hours_of(preset, clock), rules)
    return clock


def _choose(clock: Clock, hours: WorkingHours, rules: Sequence[Rule]) -> None:
    """Put the clock under the strictest of the rules, and count it."""

    def due(rule: Rule) -> datetime:
        return hours.add(clock.started_at, rule.target, rule.count, roll=rule.roll)

    strictest = min(rules, key=due)
    clock.name, clock.title = strictest.name, strictest.title
    clock.rule_id, clock.rule_version = strictest.id, strictest.version
    clock.target, clock.count, clock.roll = strictest.target, strictest.count, strictest.roll
    clock.wider = [f"{rule.title} {parse_target(rule.target).chinese}" for rule in rules if rule is not strictest]
    clocks.recount(clock, hours)
    clocks.plan_telling(clock, hours, strictest)


async def _reconsider(session: AsyncSession, preset: Preset, ticket: Ticket, now: datetime) -> None:
    """Kind, category or urgency may have changed: other rules may fit the clocks that run, counted from their start."""
    every = list((await session.scalars(select(Clock).where(Clock.ticket_id == ticket.id))).all())
    fitting = _fitting(preset, ticket, now)
    for clock in every:
        if clock.stopped_at or clock.subject or clock.name in WAITS_FOR_RESIDENT:
            continue
        rules, hours = [rule for rule in fitting if rule.name == clock.name], _hours_of(preset, clock)
        if not rules:
            clocks.stop(clock, hours, "amend", now)
        elif _rule_of(preset, clock) not in rules or len(rules) > 1:
            before = clock.rule_id
            _choose(clock, hours, rules)
            if clock.rule_id == before:
                clocks.plan_telling(clock, hours, _rule_of(preset, clock), await _last_told(session, clock))
    names = {clock.name for clock in every}
    late = [rule for rule in fitting if "register" in rule.starts and rule.name not in names]
    for name in dict.fromkeys(rule.name for rule in late):
        rules = [rule for rule in late if rule.name == name]
        session.add(_make(preset, ticket, rules, ticket.registered_at))


def _fitting(preset: Preset, ticket: Ticket, now: datetime) -> list[Rule]:
    """The rules in force for this ticket, of each only its newest version."""
    lineage, granted = preset.lineage(ticket.category), (ticket.green_channel or {}).get("code")
    newest: dict[str, Rule] = {}
    for rule in preset.sla:
        to = rule.applies_to
        fits = (
            (not to.kind or ticket.kind in to.kind)
            and (not to.urgency or ticket.urgency in to.urgency)
            and (not to.category or any(code in to.category for code in lineage))
            and (not to.green_channel or granted in to.green_channel)
        )
        if fits and rule.is_in_force(now) and (rule.id not in newest or rule.version > newest[rule.id].version):
            newest[rule.id] = rule
    return list(newest.values())


def _rule_of(preset: Preset, clock: Clock) -> Rule | None:
    for rule in preset.sla:
        if (rule.id, rule.version) == (clock.rule_id, clock.rule_version):
            return rule
    return None


def _hours_of(preset: Preset, clock: Clock) -> WorkingHours:
    """A department that is no longer there has the calendar of the first."""
    try:
        return preset.hours(clock.department)
    except Invalid:
        return preset.hours()


async def _running(session: AsyncSession, ticket_id: int, name: str | None = None) -> list[Clock]:
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.stopped_at.is_(None)).order_by(Clock.id)
    if name:
        query = query.where(Clock.name == name)
    return list((await session.scalars(query)).all())


# Moving the due time


async def latest_extension(
    session: AsyncSession, office: "Office", ticket: Ticket, name: str
) -> datetime | None:
    """Until when a running clock may be extended at most; None where it does not run or no rule says so."""
    running = await _running(session, ticket.id, name)
    if not running:
        return None
    clock = running[-1]
    rule = _rule_of(office.preset, clock)
    if rule is None or rule.extension is None:
        return None
    return _hours_of(office.preset, clock).add(clock.due_at, rule.extension.at_most)


async def extend(
    session: AsyncSession, office: "Office", ticket: Ticket, name: str, due_at: datetime, now: datetime
) -> Clock:
    """A new due time for a running clock.

    Conflict: none runs, it is over, or it was extended as often as the rule allows. Invalid: not later than
    now due, or further than the rule allows.
    """
    running = await _running(session, ticket.id, name)
    if not running:
        raise Conflict(f"the clock '{name}' does not run: there is nothing to extend")
    clock = running[-1]
    if is_breached(clock, now):
        raise Conflict("the due time is over: owe the resident a word (progress) instead of an extension")
    if due_at <= clock.due_at:
        raise Invalid(f"due_at: the new due time lies after {write_rfc3339(clock.due_at)}", "due_at")
    rule, hours = _rule_of(office.preset, clock), _hours_of(office.preset, clock)
    if rule and rule.extension:
        if sum("due_at" in entry and "by" not in entry for entry in clock.history) >= rule.extension.times:
            raise Conflict("the clock was extended as often as the rule allows")
        latest = await latest_extension(session, office, ticket, name)
        if latest and due_at > latest:
            raise Invalid(f"due_at: an extension ends by {write_rfc3339(latest)} at the latest", "due_at")
    clocks.extend(clock, due_at, now)
    await _plan_telling_again(session, clock, hours, rule, now)
    await session.flush()
    return clock


async def give_joint_time(session: AsyncSession, office: "Office", ticket: Ticket, now: datetime) -> None:
    """Several departments work on the ticket: running clocks get the rule's `joint` target."""
    for clock in await _running(session, ticket.id):
        rule = _rule_of(office.preset, clock)
        if rule and rule.joint and clock.target != rule.joint and not is_breached(clock, now):
            hours = _hours_of(office.preset, clock)
            clock.target = rule.joint
            clocks.recount(clock, hours)
            await _plan_telling_again(session, clock, hours, rule, now)
    await session.flush()


@dataclass(frozen=True)
class Moved:
    """A due time that another calendar moved."""

    number: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Recounted:
    """One batch: the last clock's id, 0 at the end, and what moved."""

    last: int
    moved: tuple[Moved, ...]


async def recalculate(
    session: AsyncSession, office: "Office", now: datetime, after: int = 0, limit: int = 500
) -> Recounted:
    """Count running clocks anew after the calendar changed, `limit` at a time, from the id `after` on."""
    query = select(Clock, Ticket.number).join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.where(Clock.stopped_at.is_(None), Clock.id > after).order_by(Clock.id).limit(limit)
    done = (await session.execute(query)).all()
    moved = []
    for clock, number in done:
        hours = _hours_of(office.preset, clock)
        before = clock.due_at
        clocks.recount(clock, hours)
        if clock.due_at != before:
            await _plan_telling_again(session, clock, hours, _rule_of(office.preset, clock), now)
            moved.append(Moved(number, clock.name, write_rfc3339(before), write_rfc3339(clock.due_at)))
    await session.flush()
    return Recounted(done[-1][0].id if len(done) == limit else 0, tuple(moved))


async def _plan_telling_again(
    session: AsyncSession, clock: Clock, hours: WorkingHours, rule: Rule | None, now: datetime
) -> None:
    """The due time moved: shares that lie ahead and were not told yet are told; what is past is not."""
    clocks.plan_telling(clock, hours, rule, await _last_told(session, clock))
    for share, _ in rule.shares if rule else ():
        if clock.next_tell_at is None or clock.next_tell_at > now:
            return
        clocks.plan_telling(clock, hours, rule, share)


# Warnings


async def due_clocks(session: AsyncSession, office: "Office", now: datetime, limit: int = 500) -> list[Due]:
    """Clocks with a share to be told now, the longest waiting first; read by index, whatever the number of tickets."""
    query = (
        select(Clock)
        .where(Clock.stopped_at.is_(None), Clock.paused_at.is_(None), Clock.next_tell_at <= now)
        .order_by(Clock.next_tell_at, Clock.id)
        .limit(limit)
    )
    return [
        Due(clock, *_reached(clock, _hours_of(office.preset, clock), _rule_of(office.preset, clock), now))
        for clock in await session.scalars(query)
    ]


async def anything_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a share waits to be told: a cheap look that needs no write lock."""
    query = select(Clock.id).where(Clock.stopped_at.is_(None), Clock.paused_at.is_(None), Clock.next_tell_at <= now)
    return await session.scalar(query.order_by(Clock.next_tell_at).limit(1)) is not None


def _reached(clock: Clock, hours: WorkingHours, rule: Rule | None, now: datetime) -> tuple[int, tuple[str, ...]]:
    """The highest share that is over, and whom it and the shares before it, from the planned one on, were to tell.

    After the service was away there may be several: everybody hears once, and only the last. A rule that is no
    longer there has the supervisor look.
    """
    planned, share = clock.next_tell_at, 0
    whom: list[str] = []
    for each, people in rule.shares if rule else []:
        moment = clocks.share_moment(clock, hours, each)
        if planned and moment >= planned and (moment <= now or not share):
            share, whom = each, [*whom, *people]
    return (share, tuple(dict.fromkeys(whom))) if share else (100, ("supervisor",))


async def claim(session: AsyncSession, office: "Office", due: Due) -> bool:
    """Take a share to be told, and plan the next. False: another worker had it first, or the clock has stopped."""
    clock, seen = due.clock, due.clock.next_tell_at
    hours, rule = _hours_of(office.preset, clock), _rule_of(office.preset, clock)
    values: dict[str, Any] = {"next_tell_at": clocks.next_telling(clock, hours, rule, due.share)}
    if due.share >= 100 and clock.name not in WAITS_FOR_RESIDENT:
        values["breached"] = True
    claimed = await session.execute(
        update(Clock)
        .where(Clock.id == clock.id, Clock.next_tell_at == seen, Clock.stopped_at.is_(None))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if not claimed.rowcount:  # type: ignore[attr-defined]
        return False
    for name, value in values.items():
        set_committed_value(clock, name, value)
    return True


async def _last_told(session: AsyncSession, clock: Clock) -> int:
    query = select(func.max(StaffNotice.share)).where(StaffNotice.clock_id == clock.id)
    return await session.scalar(query) or 0


# Reading


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """For queries over Ticket: a clock of ours runs and is over."""
    over = or_(
        and_(Clock.paused_at.is_(None), Clock.due_at < now),
        and_(Clock.paused_at.is_not(None), Clock.due_at < Clock.paused_at),
    )
    mine = and_(Clock.ticket_id == Ticket.id, Clock.stopped_at.is_(None), Clock.name.not_in(WAITS_FOR_RESIDENT))
    return exists().where(mine, over)


def is_due_before(now: datetime, until: datetime) -> ColumnElement[bool]:
    """For queries over Ticket: a clock of ours runs, is not over, and will be before `until`."""
    mine = and_(Clock.ticket_id == Ticket.id, Clock.stopped_at.is_(None), Clock.name.not_in(WAITS_FOR_RESIDENT))
    return exists().where(mine, Clock.paused_at.is_(None), Clock.due_at >= now, Clock.due_at < until)


async def due_at(session: AsyncSession, ticket: Ticket, name: str) -> datetime | None:
    """When the running clock of this name is due; None when none runs."""
    running = await _running(session, ticket.id, name)
    return running[-1].due_at if running else None


async def describe_clocks(session: AsyncSession, ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
    """The `clocks` of a ticket's JSON, oldest first."""
    query = select(Clock).where(Clock.ticket_id == ticket.id).order_by(Clock.id)
    return [describe(clock, now) for clock in await session.scalars(query)]


def describe(clock: Clock, now: datetime) -> dict[str, Any]:
    return {
        "name": clock.name,
        "rule_version": f"{clock.rule_id}@{clock.rule_version}",
        "started_at": write_rfc3339(clock.started_at),
        "due_at": write_rfc3339(clock.due_at),
        "paused_at": write_rfc3339(clock.paused_at),
        "paused_total_s": clock.paused_total_s,
        "stopped_at": write_rfc3339(clock.stopped_at),
        "breached": is_breached(clock, now),
    }


async def explain_clocks(
    session: AsyncSession, office: "Office", ticket: Ticket, now: datetime
) -> list[dict[str, Any]]:
    """The items of `GET /tickets/{number}/clocks`: each clock, the way to its due time, and who was told."""
    query = select(Clock).where(Clock.ticket_id == ticket.id).order_by(Clock.id)
    found = list((await session.scalars(query)).all())
    notices = select(StaffNotice).where(
        StaffNotice.clock_id.in_([clock.id for clock in found]), StaffNotice.told_at.is_not(None)
    )
    told: dict[int, list[dict[str, Any]]] = {}
    for row in await session.scalars(notices.order_by(StaffNotice.id)):
        entry = {"at": write_rfc3339(row.told_at), "share": (row.share or 0) / 100, "whom": row.whom, "by": row.by}
        told.setdefault(row.clock_id or 0, []).append(entry)
    return [
        describe(clock, now) | {"explain": explain(office, clock), "told": told.get(clock.id, [])}
        for clock in found
    ]


def explain(office: "Office", clock: Clock) -> list[str]:
    """The way from start to due, in Chinese."""
    return clocks.explain_clock(clock, _hours_of(office.preset, clock))


async def promise(session: AsyncSession, office: "Office", ticket: Ticket) -> str:
    """One plain sentence for the resident: what happens next, and until when."""
    return promise_of(ticket, await _running(session, ticket.id))


def promise_of(ticket: Ticket, every: Sequence[Clock]) -> str:
    """The same sentence, from the ticket's clocks, oldest first."""
    running = {clock.name: clock for clock in every if clock.stopped_at is None}
    accept, finish = running.get("accept"), running.get("finish")
    if "supplement" in running or (finish and finish.paused_at):
        return "请您补充所缺的内容，收到后我们会继续办理。"
    if ticket.state not in _BEFORE_REPLY:
        return _AFTERWARDS.get(ticket.state, "这件事已经办完。")
    if finish is None:
        return "我们会尽快办理并答复您。"
    if accept is None or accept.due_at >= finish.due_at:
        return f"我们会在{_write_limit(finish)}前答复您。"
    return f"我们会在{_write_limit(accept, with_time=True)}前受理，并在{_write_limit(finish)}前答复您。"


_BEFORE_REPLY = ("registered", "accepted", "in_progress", "in_approval", "approved")
_AFTERWARDS = {
    "replied": "我们已经答复您，如有不同意见请告诉我们。",
    "declined": "我们已经说明不予受理的原因。",
    "withdrawn": "这件事已按您的意思撤回。",
    "merged": "这件事已与另一件合并办理，办理结果会一并答复您。",
}


def _write_limit(clock: Clock, with_time: bool = False) -> str:
    """`12月3日`, with the time of day where the limit is a matter of hours."""
    at, started = local(clock.due_at), local(clock.started_at)
    year = "" if at.year == started.year else f"{at.year}年"
    hours = parse_target(clock.target).unit in (Unit.HOURS, Unit.WORKING_HOURS)
    return f"{year}{at.month}月{at.day}日" + (f"{at:%H:%M}" if with_time or hours else "")
