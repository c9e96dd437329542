"""Limits and clocks: verbs start, pause, resume and stop clocks by the preset's rules.

A clock counts by the calendar of the department that had the ticket when it started: what the resident was
promised does not move because the ticket does. Of several rules for one name the strictest wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.clock import write_time
from core.errors import Conflict, Invalid
from core.targets import parse_target
from core.working_hours import WorkingHours
from ticketing import clocks
from ticketing.clocks import Clock, is_breached
from ticketing.lifecycle import OPEN
from ticketing.model import Measure, Ticket, Transition
from ticketing.office import Office
from ticketing.preset import Preset, Rule
from ticketing.staff_notices import StaffNotice

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


# Verbs and clocks


async def on_verb(session: AsyncSession, office: Office, ticket: Ticket, verb: str, now: datetime) -> None:
    """What a verb does to the ticket's clocks, in the verb's transaction, after its state and transition are written."""
    if verb == "decline" and ticket.state in OPEN:
        return  # It waits for its countersignature: nothing is decided yet.
    acts = await _acts(session, ticket, verb)
    for clock in await running_clocks(session, ticket.id):
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
    office: Office,
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
    for clock in await running_clocks(session, ticket.id):
        rule = rule_of(preset, clock)
        if clock.subject == subject and rule and event in rule.stops:
            clocks.stop(clock, hours_of(preset, clock), event, now)
    rules = [rule for rule in _fitting(preset, ticket, now) if event in rule.starts]
    for name in dict.fromkeys(rule.name for rule in rules):
        clock = _make(preset, ticket, [rule for rule in rules if rule.name == name], now, department)
        clock.subject = subject
        if due_at is not None:
            clocks.fix(clock, due_at, now)
            clocks.plan_telling(clock, hours_of(preset, clock), rule_of(preset, clock))
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
    rule, hours = rule_of(preset, clock), hours_of(preset, clock)
    if verb in ENDS or acts.intersection(rule.stops if rule else ("reply",)):
        clocks.stop(clock, hours, verb, now)
    elif rule and acts.intersection(rule.pauses):
        clocks.pause(clock, verb, now)
    elif rule and acts.intersection(rule.resumes) and clock.paused_at:
        clocks.resume(clock, hours, now)
        await _plan_telling_again(session, clock, hours, rule, now)


async def _watch_measures(session: AsyncSession, office: Office, ticket: Ticket, now: datetime) -> None:
    """From the moment that the resident reads a promise its clock runs, to the close of the day it was promised for."""
    await session.flush()
    watched = {clock.subject for clock in await running_clocks(session, ticket.id, "measure")}
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
    running = await running_clocks(session, ticket.id, SUPERVISION)
    if "due_at" in changes and running:
        clock = running[-1]
        clocks.fix(clock, datetime.fromisoformat(changes["due_at"][1]), now)
        clocks.plan_telling(clock, hours_of(preset, clock), rule_of(preset, clock))


async def _reopen(session: AsyncSession, preset: Preset, ticket: Ticket) -> None:
    merged = select(Clock).where(Clock.ticket_id == ticket.id, Clock.stopped_by == "merge")
    for clock in await session.scalars(merged):
        clocks.reopen(clock)
        rule = rule_of(preset, clock)
        clocks.plan_telling(clock, hours_of(preset, clock), rule, await _last_told(session, clock))


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


def on_breach(session: AsyncSession, office: Office, ticket: Ticket, running: set[str], now: datetime) -> None:
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
    _choose(clock, hours_of(preset, clock), rules)
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
        rules, hours = [rule for rule in fitting if rule.name == clock.name], hours_of(preset, clock)
        if not rules:
            clocks.stop(clock, hours, "amend", now)
        elif rule_of(preset, clock) not in rules or len(rules) > 1:
            before = clock.rule_id
            _choose(clock, hours, rules)
            if clock.rule_id == before:
                clocks.plan_telling(clock, hours, rule_of(preset, clock), await _last_told(session, clock))
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


def rule_of(preset: Preset, clock: Clock) -> Rule | None:
    for rule in preset.sla:
        if (rule.id, rule.version) == (clock.rule_id, clock.rule_version):
            return rule
    return None


def hours_of(preset: Preset, clock: Clock) -> WorkingHours:
    """A department that is no longer there has the calendar of the first."""
    try:
        return preset.hours(clock.department)
    except Invalid:
        return preset.hours()


async def running_clocks(session: AsyncSession, ticket_id: int, name: str | None = None) -> list[Clock]:
    query = select(Clock).where(Clock.ticket_id == ticket_id, Clock.stopped_at.is_(None)).order_by(Clock.id)
    if name:
        query = query.where(Clock.name == name)
    return list((await session.scalars(query)).all())


# Moving the due time


async def latest_extension(
    session: AsyncSession, office: Office, ticket: Ticket, name: str
) -> datetime | None:
    """Until when a running clock may be extended at most; None where it does not run or no rule says so."""
    running = await running_clocks(session, ticket.id, name)
    if not running:
        return None
    clock = running[-1]
    rule = rule_of(office.preset, clock)
    if rule is None or rule.extension is None:
        return None
    return hours_of(office.preset, clock).add(clock.due_at, rule.extension.at_most)


async def extend(
    session: AsyncSession, office: Office, ticket: Ticket, name: str, due_at: datetime, now: datetime
) -> Clock:
    """A new due time for a running clock.

    Conflict: none runs, it is over, or it was extended as often as the rule allows. Invalid: not later than
    now due, or further than the rule allows.
    """
    running = await running_clocks(session, ticket.id, name)
    if not running:
        raise Conflict(f"the clock '{name}' does not run: there is nothing to extend")
    clock = running[-1]
    if is_breached(clock, now):
        raise Conflict("the due time is over: owe the resident a word (progress) instead of an extension")
    if due_at <= clock.due_at:
        raise Invalid(f"due_at: the new due time lies after {write_time(clock.due_at)}", "due_at")
    rule, hours = rule_of(office.preset, clock), hours_of(office.preset, clock)
    if rule and rule.extension:
        if sum("due_at" in entry and "by" not in entry for entry in clock.history) >= rule.extension.times:
            raise Conflict("the clock was extended as often as the rule allows")
        latest = await latest_extension(session, office, ticket, name)
        if latest and due_at > latest:
            raise Invalid(f"due_at: an extension ends by {write_time(latest)} at the latest", "due_at")
    clocks.extend(clock, due_at, now)
    await _plan_telling_again(session, clock, hours, rule, now)
    await session.flush()
    return clock


async def give_joint_time(session: AsyncSession, office: Office, ticket: Ticket, now: datetime) -> None:
    """Several departments work on the ticket: running clocks get the rule's `joint` target."""
    for clock in await running_clocks(session, ticket.id):
        rule = rule_of(office.preset, clock)
        if rule and rule.joint and clock.target != rule.joint and not is_breached(clock, now):
            hours = hours_of(office.preset, clock)
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
    session: AsyncSession, office: Office, now: datetime, after: int = 0, limit: int = 500
) -> Recounted:
    """Count running clocks anew after the calendar changed, `limit` at a time, from the id `after` on."""
    query = select(Clock, Ticket.number).join(Ticket, Ticket.id == Clock.ticket_id)
    query = query.where(Clock.stopped_at.is_(None), Clock.id > after).order_by(Clock.id).limit(limit)
    done = (await session.execute(query)).all()
    moved = []
    for clock, number in done:
        hours = hours_of(office.preset, clock)
        before = clock.due_at
        clocks.recount(clock, hours)
        if clock.due_at != before:
            await _plan_telling_again(session, clock, hours, rule_of(office.preset, clock), now)
            moved.append(Moved(number, clock.name, write_time(before), write_time(clock.due_at)))
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


async def _last_told(session: AsyncSession, clock: Clock) -> int:
    query = select(func.max(StaffNotice.share)).where(StaffNotice.clock_id == clock.id)
    return await session.scalar(query) or 0


async def due_at(session: AsyncSession, ticket: Ticket, name: str) -> datetime | None:
    """When the running clock of this name is due; None when none runs."""
    running = await running_clocks(session, ticket.id, name)
    return running[-1].due_at if running else None
