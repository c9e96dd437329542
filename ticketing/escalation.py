"""The ladder: who hears at which share of a clock, and what a breach sets going.

The rules say it (`tell: {80%: assignee, 100%: [assignee, department head], 150%: supervise}`): assignee, department
head, supervisor, then written supervision 督办 with its own deadline. Redone or refused too often, a ticket goes a
level up by itself. Nobody off duty is woken, unless the matter is urgent.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import log
from core.clock import local
from core.errors import Conflict
from ticketing import roster, sla, staff_notices
from ticketing.bodies import Raise
from ticketing.due import Due, claim, due_clocks
from ticketing.lifecycle import OPEN, State
from ticketing.model import Measure, Ticket, Transition
from ticketing.office import Office
from ticketing.roster import Roster
from ticketing.routing import concerns_person
from ticketing.staff import SYSTEM, Actor, Person
from ticketing.staff_notices import CONSOLE, StaffNotice
from ticketing.verbs import DO
from ticketing.verbs.act import Act

logger = log.logger(__name__)

AT_ONCE = 50
"""Clocks in one transaction: few enough that messages which arrive meanwhile do not wait."""
SUPERVISE = "supervise"
"""The step of the ladder that is an act and no person: written supervision."""
EMERGENCY = "emergency"
URGENT = frozenset({"urgent", EMERGENCY})
OWES_A_WORD = frozenset({"accept", "first_reply", "finish"})
"""What the resident was promised: when it is broken he is owed a word."""
AWAKE_AFTER_CLOSE = timedelta(hours=1)


async def note_due(session: AsyncSession, office: Office, now: datetime) -> int:
    """One batch of shares that are over: noted for whom the rule names, the next planned. How many there were.

    Less than AT_ONCE: nothing is left.
    """
    dues = await due_clocks(session, office, now, AT_ONCE)
    if not dues:
        return 0
    wanted = {due.clock.ticket_id for due in dues}
    found = await session.scalars(select(Ticket).where(Ticket.id.in_(wanted)))
    tickets = {ticket.id: ticket for ticket in found}
    here = await roster.load(session, office, now)
    running = await sla.running_names(session, list(tickets))
    rows: list[dict[str, Any]] = []
    for due in [due for due in dues if await claim(session, office, due)]:
        ticket = tickets[due.clock.ticket_id]
        rows += await _describe_due(session, office, here, due, ticket, now)
        if due.share >= 100 and due.clock.name in OWES_A_WORD and ticket.state in OPEN:
            sla.on_breach(session, office, ticket, running[ticket.id], now)
    await session.flush()
    await staff_notices.note(session, rows)
    return len(dues)


async def _describe_due(
    session: AsyncSession, office: Office, here: Roster, due: Due, ticket: Ticket, now: datetime
) -> list[dict[str, Any]]:
    """Who hears what of this share. The step of the ladder that is an act is done."""
    people = find_people(
        here, ticket, [word for word in due.whom if word != SUPERVISE], **await _part(session, due, ticket)
    )
    if SUPERVISE in due.whom and ticket.state in OPEN:
        await _supervise(session, office, ticket, f"{due.clock.title}时限已过，仍未办结", now)
        people = _once([*people, *find_all(here, ticket, SUPERVISED)])
    words = _write(due, ticket, await _promised(session, due, ticket))
    rows = describe(office, here, ticket, people, words, now, pressing=due.share >= 100)
    return [row | {"clock_id": due.clock.id, "share": due.share} for row in rows]


async def _part(session: AsyncSession, due: Due, ticket: Ticket) -> dict[str, str | None]:
    """In whose hands that part of the ticket is which the clock runs for."""
    kind, _, number = (due.clock.subject or "").partition(":")
    if kind == "task":
        return {"department": due.clock.department, "assignee": None}
    if kind == "measure":
        owner = await session.scalar(select(Measure.owner).where(Measure.id == int(number)))
        return {"department": ticket.department, "assignee": owner or ticket.assignee}
    return {"department": ticket.department, "assignee": ticket.assignee}


async def _promised(session: AsyncSession, due: Due, ticket: Ticket) -> str:
    """What was promised, where the clock is a promise's: several of one ticket are told apart by their words."""
    kind, _, number = (due.clock.subject or "").partition(":")
    if kind != "measure" or ticket.kind == "report":
        return ""
    return str(await session.scalar(select(Measure.what).where(Measure.id == int(number))) or "")


SUPERVISED = ("assignee", "department head", "supervisor")


async def _supervise(
    session: AsyncSession, office: Office, ticket: Ticket, reason: str, now: datetime
) -> None:
    """督办: a level up by the system, in writing (the transition's reason), with a deadline of its own."""
    due_at = office.after(now, office.preset.ladder.supervise_within, ticket.department)
    body = Raise(reason=reason, due_at=due_at)
    try:
        async with session.begin_nested():
            await DO["raise"](Act(session, office, SYSTEM, ticket, "raise", body, now))
    except Conflict as error:  # Somebody moved the ticket at this moment: he has it in hand.
        logger.warning("written supervision was not begun", ticket=ticket.number, reason=error.detail)


async def after_verb(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, verb: str, now: datetime
) -> None:
    """What a verb does to the ladder: redone, or a return refused, so and so often raises the level, once each.

    Urging and raising are told at once; so is danger, and every further word of who reported it.
    """
    ladder = office.preset.ladder
    if verb in TOLD_AT_ONCE and ticket.state in OPEN and (verb not in IN_DANGER or ticket.urgency == EMERGENCY):
        await _tell_at_once(session, office, ticket, verb, actor, now)
    often = {"redo": (ladder.redos, "重办"), "refuse_return": (ladder.refused_returns, "退单未获同意")}
    if verb not in often or ticket.state not in OPEN:
        return
    limit, what = often[verb]
    query = select(func.count()).select_from(Transition).where(
        Transition.ticket_id == ticket.id, Transition.verb == verb
    )
    times = await session.scalar(query) or 0
    if not limit or times == 0 or times % limit:
        return
    await _supervise(session, office, ticket, f"已{what} {times} 次，升级督办", now)
    here = await roster.load(session, office, now)
    people = find_all(here, ticket, SUPERVISED)
    text = f"督办：工单 {ticket.number} 已{what} {times} 次，升到第 {ticket.level} 级。"
    await staff_notices.note(session, describe(office, here, ticket, people, text, now, pressing=True))


TOLD_AT_ONCE: dict[str, tuple[tuple[str, ...], str]] = {
    "urge": (("assignee",), "催办：工单 {number} 被催办，请尽快答复。"),
    "decline": (("supervisor",), "拟不予受理：工单 {number} 等您核定。"),
    "raise": (("assignee", "department head", "supervisor"), "督办：工单 {number} 升到第 {level} 级，请限期办结。"),
    "register": (("clerk", "supervisor"), "险情：紧急工单 {number} 刚刚登记，请立即处置。"),
    "supplement": (("assignee", "clerk", "supervisor"), "险情：紧急工单 {number} 又有新情况，请立即查看。"),
}
IN_DANGER = frozenset({"register", "supplement"})
"""Told at once of an emergency alone: of other tickets the queue tells."""


async def _tell_at_once(
    session: AsyncSession, office: Office, ticket: Ticket, verb: str, actor: Actor, now: datetime
) -> None:
    words, text = TOLD_AT_ONCE[verb]
    here = await roster.load(session, office, now)
    if verb == "urge" and ticket.state == State.REGISTERED:
        words = ("clerk",)
    said = text.format(number=ticket.number, level=ticket.level)
    spared = {actor.name} | (await _heard_today(session, ticket, said, now) if verb == "urge" else set())
    people = [person for person in find_all(here, ticket, words) if person.name not in spared]
    await staff_notices.note(session, describe(office, here, ticket, people, said, now,
                                               pressing=verb == "raise" or verb in IN_DANGER))


async def _heard_today(session: AsyncSession, ticket: Ticket, said: str, now: datetime) -> set[str]:
    """Who urges ten times a day is on record ten times, and disturbs each of those who work on it once."""
    today = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(StaffNotice.whom).where(
        StaffNotice.ticket_id == ticket.id, StaffNotice.text == said, StaffNotice.noted_at >= today
    )
    return set(await session.scalars(query))


# Who


def find_people(
    here: Roster, ticket: Ticket, words: Iterable[str], *, department: str | None, assignee: str | None
) -> list[Person]:
    """Who the words of a rule stand for on this ticket: never whom it is about; deputies for who is away.

    `department`, `assignee`: whose matter it is, mostly the ticket's own. Where nobody is left the supervisors hear
    it, and where there are none the administrators: a warning is not lost.
    """
    matter = Concern(ticket, department, assignee)
    fitting = [person for word in words for person in _FIND.get(word, _by_role(word))(here, matter)]
    for found in (fitting, _supervisors(here, matter), here.with_role("supervisor"), here.with_role("administrator")):
        people = [person for person in here.present(_once(found)) if not concerns_person(ticket, person)]
        if ticket.kind == "report":
            people = [person for person in people if "inspector" in person.roles]
        if people:
            return people
    if ticket.kind == "report":
        return [person for person in here.with_role("inspector") if not concerns_person(ticket, person)]
    return []


def find_all(here: Roster, ticket: Ticket, words: Iterable[str]) -> list[Person]:
    """As find_people, for the ticket as a whole."""
    return find_people(here, ticket, words, department=ticket.department, assignee=ticket.assignee)


def _once(people: Iterable[Person]) -> list[Person]:
    return list({person.name: person for person in people}.values())


@dataclass(frozen=True, slots=True)
class Concern:
    """A ticket, and in whose hands it, or the part of it in question, is."""

    ticket: Ticket
    department: str | None
    assignee: str | None

    def role(self, role: str) -> str:
        """On a report an inspector stands for all of them."""
        return "inspector" if self.ticket.kind == "report" else role


def _assignee(here: Roster, of: Concern) -> list[Person]:
    """Whoever has it; before somebody does, those of the department who could."""
    person = here.find(of.assignee)
    return [person] if person else _of_department(here, of, "officer")


def _of_department(here: Roster, of: Concern, role: str) -> list[Person]:
    """Those on duty before all others, those of the department before those of all departments."""
    role = of.role(role)
    able = [person for person in here.with_role(role) if person.serves(of.department) or role == "inspector"]
    on_duty = [person for person in able if here.is_on_duty(person, of.department)]
    own = [person for person in able if person.department is not None]
    return on_duty or own or able


def _clerks(here: Roster, of: Concern) -> list[Person]:
    """Until it is accepted, who was asked first; else the clerks on duty, else all."""
    first = here.find(of.ticket.asked_first)
    if of.ticket.state == State.REGISTERED and of.role("clerk") == "clerk" and first and here.present([first]):
        if not concerns_person(of.ticket, first) and "clerk" in first.roles:
            return [first]
    able = here.with_role(of.role("clerk"))
    return [person for person in able if here.is_on_duty(person)] or able


def _supervisors(here: Roster, of: Concern) -> list[Person]:
    able = here.with_role(of.role("supervisor"))
    return [person for person in able if person.serves(of.department)] or able


def _heads(here: Roster, of: Concern) -> list[Person]:
    """A department's own supervisor answers for it."""
    own = [person for person in here.with_role(of.role("supervisor")) if person.department == of.department]
    return own if own and of.department else _supervisors(here, of)


Find = Callable[[Roster, Concern], list[Person]]


def _by_role(role: str) -> Find:
    return lambda here, of: _of_department(here, of, role)


_FIND: dict[str, Find] = {
    "assignee": _assignee, "officer": _assignee, "clerk": _clerks, "department head": _heads,
    "supervisor": _supervisors,
}


# By which way, and when


def describe(
    office: Office, here: Roster, ticket: Ticket, people: Sequence[Person], words: str, now: datetime,
    *, pressing: bool,
) -> list[dict[str, Any]]:
    """The rows of a notice: on the console of each, and by the ways the office set for their roles."""
    urgent = ticket.urgency in URGENT
    rows: list[dict[str, Any]] = []
    for person in people:
        at = now if urgent or is_awake(office, here, person, now) else next_morning(office, person, now)
        row = {"ticket_id": ticket.id, "clock_id": None, "share": None, "text": words, "pressing": pressing or urgent,
               "noted_at": now, "not_before": at}
        rows.append(row | {"whom": person.name, "by": CONSOLE})
        rows += [row | {"whom": way.end, "by": way.kind} for way in office.ways if way.roles & person.roles]
    # Two people behind one end are told there once, with the first who is awake.
    rows.sort(key=lambda row: row["not_before"])
    return list({(row["whom"], row["by"]): row for row in reversed(rows)}.values())


def is_awake(office: Office, here: Roster, person: Person, now: datetime) -> bool:
    """On duty by the roster, or on a working day of his department, between opening and an hour after closing."""
    if here.is_on_duty(person):
        return True
    windows = office.calendars.of(person.department).day(local(now).date()).windows
    if not windows:
        return False
    minute = timedelta(hours=local(now).hour, minutes=local(now).minute)
    opens, closes = timedelta(minutes=windows[0][0]), timedelta(minutes=windows[-1][1])
    return opens <= minute <= closes + AWAKE_AFTER_CLOSE


def next_morning(office: Office, person: Person, now: datetime) -> datetime:
    return office.calendars.of(person.department).next_opening(now)


def _write(due: Due, ticket: Ticket, promised: str) -> str:
    """One line without anything personal: the title has tokens where a person was named."""
    at = local(due.clock.due_at)
    what = "举报" if ticket.kind == "report" else f"“{ticket.title[:20]}”"
    when = f"{at.month}月{at.day}日 {at:%H:%M}"
    if promised:
        told = f"工单 {ticket.number} 答应居民的“{promised[:40]}”"
        return f"超时：{told}应于 {when} 前兑现，还没有兑现。" if due.share >= 100 else f"提醒：{told}应于 {when} 前兑现。"
    if SUPERVISE in due.whom and ticket.state in OPEN:
        return f"督办：工单 {ticket.number}{what}“{due.clock.title}”时限 {when} 已过，升到第 {ticket.level} 级，请限期办结。"
    if due.share >= 100:
        return f"超时：工单 {ticket.number}{what}“{due.clock.title}”时限 {when} 已过。"
    return f"提醒：工单 {ticket.number}{what}“{due.clock.title}”时限已用 {due.share}%，{when} 到期。"
