"""What is done with a visit: planned, moved, set out, arrived, priced, finished; and what the resident says to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock
from core.attachments import files_of, take_for_reply
from core.conversation import hide
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from ticketing import roster, routing, staff_notices, staff_numbers, tickets, visits
from ticketing.lifecycle import State
from ticketing.model import Ticket
from ticketing.offered import allowed_verbs, find_facts
from ticketing.office import Office
from ticketing.roster import Absence
from ticketing.staff import Actor
from ticketing.staff_numbers import StaffNumber
from ticketing.texts import say
from ticketing.visibility import find_with_ticket, roles_on
from ticketing.visit_bodies import Window
from ticketing.visits import SOURCES, TAKES_TIME, Visit, VisitStatus, tell

WORKERS = frozenset({"clerk", "officer"})
"""Who plans visits, and who makes them."""
AT_ONCE = 200


@dataclass(slots=True)
class Deed:
    """One thing done with a visit: by whom, with what, when. `body` is checked, and so is who may do it."""

    session: AsyncSession
    office: Office
    actor: Actor
    visit: Visit
    ticket: Ticket
    body: Any
    now: datetime
    if_match: int | None = None
    """The version the caller had read, where he named it."""

    async def change(self, what: str, **values: Any) -> None:
        """One conditional update and its audit row: nothing is changed where the visit is not what was read."""
        visit = self.visit
        if self.if_match is not None and self.if_match != visit.version:
            raise Stale(f"the visit is at version {visit.version} now: read it again, then decide")
        if visit.status not in SOURCES[what]:
            possible = " or ".join(sorted(SOURCES[what]))
            raise Conflict(f"the visit is {visit.status}: that is possible while it is {possible}")
        await self.session.flush()
        changed = await self.session.execute(
            update(Visit)
            .where(Visit.id == visit.id, Visit.version == visit.version, Visit.status == visit.status)
            .values(version=visit.version + 1, **values)
            .execution_options(synchronize_session=False)
        )
        if not changed.rowcount:  # type: ignore[attr-defined]
            raise Conflict("somebody else changed the visit at this moment: read it again, then decide")
        await self.session.refresh(visit)
        _record(self.session, self.actor, visit, what, self.now)

    async def tell(self, sentence: str, **values: str) -> None:
        await tell(self.session, self.office, self.visit, self.ticket, sentence, self.now, **values)

    async def note(self, sentence: str) -> None:
        """On the console of who comes and of who has the ticket."""
        words = say(sentence, number=self.ticket.number)
        await staff_notices.note(self.session, [
            {"whom": name, "by": staff_notices.CONSOLE, "ticket_id": self.ticket.id, "text": words, "pressing": False,
             "noted_at": self.now, "not_before": self.now}
            for name in {self.visit.worker, self.ticket.assignee or self.visit.worker}
        ])

    async def hide(self, text: str) -> str:
        """As it is stored: personal data as tokens."""
        return await hide(self.session, self.ticket.resident_id, text)


def _record(session: AsyncSession, actor: Actor, visit: Visit, what: str, now: datetime) -> None:
    audit.record(session, now, actor.name, f"visit:{what}", f"visit:{visit.id}", detail={"version": visit.version})


async def find(session: AsyncSession, actor: Actor, visit_id: int) -> tuple[Visit, Ticket]:
    """NotFound unless this actor may see the ticket."""
    found = await find_with_ticket(session, actor, Visit, visit_id)
    if found is None:
        raise NotFound("there is no such visit: a ticket's `visits` name those there are")
    return found


def check_role(actor: Actor, ticket: Ticket) -> None:
    if not roles_on(actor, ticket) & WORKERS:
        raise Forbidden("visits are planned and made by a clerk or an officer")


async def plan(
    session: AsyncSession, office: Office, actor: Actor, ticket: Ticket, body: Window, now: datetime
) -> Visit:
    """A visit in an agreed window; the resident is told, and reminded on the day before."""
    if ticket.kind != "request":
        raise Conflict("visits belong to requests (求助/报修): amend the ticket's kind first")
    if ticket.state != State.IN_PROGRESS:
        raise Conflict(f"the ticket is {ticket.state}: a visit is planned while it is in_progress")
    worker = body.worker or ticket.assignee
    if worker is None:
        raise Invalid("worker: nobody has this ticket yet, so say who comes", "worker")
    number = await _take_worker(session, office, ticket, worker, body, now)
    visit = Visit(
        ticket_id=ticket.id, worker=worker, worker_number=number, starts_at=body.starts_at, ends_at=body.ends_at,
        status=VisitStatus.PLANNED, version=1, planned_by=actor.name, planned_at=now, moves=[], photographs=[],
        remind_at=visits.reminder_due(office, body.starts_at, now),
    )
    session.add(visit)
    await session.flush()
    _record(session, actor, visit, "plan", now)
    await tell(session, office, visit, ticket, "visit_planned", now)
    return visit


async def _take_worker(
    session: AsyncSession, office: Office, ticket: Ticket, worker: str, window: Window, now: datetime,
    other_than: int | None = None,
) -> str:
    """The worker's number, his row locked until the transaction ends: nobody else can plan him meanwhile.

    Invalid where he is nobody of this department; Conflict where he is away, elsewhere, or whom it is about.
    """
    if window.ends_at <= now:
        raise Invalid("ends_at: the window is over", "ends_at")
    here = await roster.load(session, office, now)
    person = here.find(worker)
    if person is None or not person.roles & WORKERS or not person.serves(ticket.department):
        raise Invalid(f"worker: no clerk or officer {worker[:40]} works for this ticket's department", "worker")
    routing.check_person(here, ticket, worker)
    number = await staff_numbers.number_of(session, Actor(worker, frozenset(), None))
    await session.execute(select(StaffNumber.id).where(StaffNumber.name == worker).with_for_update())
    away = select(Absence.id).where(
        Absence.name == worker, Absence.starts_at < window.ends_at, Absence.ends_at > window.starts_at
    )
    if await session.scalar(away.limit(1)):
        raise Conflict(f"{worker} is away then: choose another time or another worker")
    taken = select(Visit).where(
        Visit.worker == worker, Visit.status.in_(TAKES_TIME), Visit.starts_at < window.ends_at,
        Visit.ends_at > window.starts_at, Visit.id != (other_than or 0),
    )
    if found := await session.scalar(taken.limit(1)):
        raise Conflict(f"{worker} is elsewhere {visits.write_when(found)}: choose another time or another worker")
    assert number
    return number


async def move(deed: Deed) -> None:
    """Another window or another worker; the resident is told what it is now."""
    visit, body = deed.visit, deed.body
    worker = body.worker or visit.worker
    number = await _take_worker(deed.session, deed.office, deed.ticket, worker, body, deed.now, visit.id)
    before = {
        "starts_at": clock.write_time(visit.starts_at), "ends_at": clock.write_time(visit.ends_at),
        "worker": visit.worker, "at": clock.write_time(deed.now), "by": deed.actor.name, "reason": body.reason,
    }
    await deed.change(
        "move", starts_at=body.starts_at, ends_at=body.ends_at, worker=worker, worker_number=number, wish=None,
        moves=[*visit.moves, before], remind_at=visits.reminder_due(deed.office, body.starts_at, deed.now),
    )
    await deed.tell("visit_moved")


async def cancel(deed: Deed) -> None:
    """Nobody comes; the resident reads why."""
    reason = await deed.hide(deed.body.reason)
    await deed.change("cancel", status=VisitStatus.CANCELLED, reason=reason, remind_at=None)
    await deed.tell("visit_cancelled", reason=deed.body.reason.rstrip("。.！!"))


async def set_out(deed: Deed) -> None:
    """On the way: the one word of that day."""
    await deed.change("set_out", status=VisitStatus.ON_THE_WAY, set_out_at=deed.now, remind_at=None)
    await deed.tell("visit_on_the_way")


async def arrive(deed: Deed) -> None:
    """At the door: nothing is told, he sees it."""
    await deed.change("arrive", status=VisitStatus.ARRIVED, arrived_at=deed.now, remind_at=None)


async def miss(deed: Deed) -> None:
    """Nobody was at home: the resident is asked for another time."""
    reason = await deed.hide(deed.body.reason)
    await deed.change("miss", status=VisitStatus.MISSED, reason=reason, remind_at=None)
    await deed.tell("visit_missed")


async def offer_price(deed: Deed) -> None:
    """What it costs and what for, before anything is done; an answer to an earlier price does not count for this one."""
    body = deed.body
    await deed.change(
        "offer_price", price_fen=body.fen, price_for=await deed.hide(body.what_for), price_agreed=None,
        price_answered_at=None, price_answered_by=None, price_answer=None,
    )
    await deed.tell("visit_price", amount=visits.write_price(body.fen), what_for=body.what_for)


async def answer_price(deed: Deed) -> None:
    """The resident's yes or no: his own on the page, or heard by a member of staff, who says how."""
    if deed.visit.price_fen is None:
        raise Conflict("no price was offered: there is nothing to agree to")
    if deed.visit.price_agreed is not None:
        raise Conflict("this price was answered already: offer another one to ask again")
    is_own = deed.actor.resident_id is not None
    await deed.change(
        "answer_price", price_agreed=deed.body.agreed, price_answered_at=deed.now,
        price_answered_by="resident" if is_own else deed.actor.name, price_answer=await deed.hide(deed.body.how),
    )
    if is_own:
        await deed.note("visit_price_agreed" if deed.body.agreed else "visit_price_refused")


async def finish(deed: Deed) -> None:
    """The work is done, and shown. With `reply` it is submitted at once: the short path."""
    visit, body = deed.visit, deed.body
    if not body.attachments and body.without_photograph is None:
        raise Invalid("attachments: a photograph of the finished work, or without_photograph says why", "attachments")
    if visit.price_fen and visit.price_agreed is not True:
        raise Conflict("the price is not agreed: work begins with the resident's yes (answer_price), or another price")
    await deed.change(
        "finish", status=VisitStatus.FINISHED, finished_at=deed.now, done=await deed.hide(body.done),
        photographs=await _take_photographs(deed, body.attachments), without_photograph=body.without_photograph,
    )
    if body.reply is not None:
        submission = {"action_taken": body.done, "reply": body.reply, "attachments": body.attachments}
        await tickets.perform(
            deed.session, deed.office, deed.actor, deed.ticket.number, "submit", submission, None, deed.now
        )


async def _take_photographs(deed: Deed, ids: Sequence[int]) -> list[dict[str, Any]]:
    try:
        taken = await take_for_reply(deed.session, ids, deed.actor.name, deed.ticket.id)
    except ValueError as error:
        raise Invalid(f"attachments: {error} is no file you uploaded: POST /attachments first", "attachments") from None
    found = await files_of(deed.session, ids)
    if any(not row.type.startswith("image/") for row in found.values()):
        raise Invalid("attachments: photographs only; other papers go with the reply", "attachments")
    return taken


async def say_solved(deed: Deed) -> None:
    """The resident's word, once; where the reply has reached him it is the ticket's follow-up too."""
    session, ticket, body = deed.session, deed.ticket, deed.body
    if deed.visit.solved is not None:
        raise Conflict("the resident said already whether it is solved")
    comment = await deed.hide(body.comment) if body.comment else None
    await deed.change("say_solved", solved=body.solved, solved_at=deed.now, comment=comment)
    facts = await find_facts(session, [ticket])
    if "follow_up" in allowed_verbs(deed.office, deed.actor, ticket, facts[ticket.id]):
        said = {"reached": True, "solved": body.solved, "comment": body.comment}
        await tickets.perform(session, deed.office, deed.actor, ticket.number, "follow_up", said, None, deed.now)
    elif not body.solved:
        await deed.note("visit_unsolved")


async def wish(deed: Deed) -> None:
    """The resident would rather have another time; who plans is told."""
    await deed.change("wish", wish=await deed.hide(deed.body.reason))
    await deed.note("visit_wish")


async def remind_due(session: AsyncSession, office: Office, now: datetime) -> int:
    """Those of tomorrow, each once, and nobody at night; how many were due."""
    opens, closes = office.preset.appointments.remind_window
    minute = clock.local(now).hour * 60 + clock.local(now).minute
    if not opens <= minute < closes:
        return 0
    query = select(Visit, Ticket).join(Ticket, Ticket.id == Visit.ticket_id).where(Visit.remind_at <= now)
    rows = (await session.execute(query.order_by(Visit.remind_at).limit(AT_ONCE))).all()
    for visit, ticket in rows:
        claimed = await session.execute(
            update(Visit)
            .where(Visit.id == visit.id, Visit.remind_at == visit.remind_at)
            .values(remind_at=None)
            .execution_options(synchronize_session=False)
        )
        still = visit.status == VisitStatus.PLANNED and visit.starts_at > now
        if claimed.rowcount and still:  # type: ignore[attr-defined]
            await tell(session, office, visit, ticket, "visit_reminder", now, "notice")
    return len(rows)


async def anything_to_remind(session: AsyncSession, now: datetime) -> bool:
    """A cheap look that needs no write lock."""
    return await session.scalar(select(Visit.id).where(Visit.remind_at <= now).limit(1)) is not None
