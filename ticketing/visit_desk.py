"""What is done with a visit: planned, moved, set out, arrived, priced, finished; and what the resident says to it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock
from core.attachments import files_of, take_for_reply
from core.checking import Body, Moment
from core.conversation import hide
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from ticketing import roster, routing, staff_notices, staff_numbers, tickets, visits
from ticketing.bodies import Short, Text
from ticketing.lifecycle import State
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.roster import Absence
from ticketing.staff import Actor
from ticketing.staff_numbers import StaffNumber
from ticketing.texts import say
from ticketing.visibility import roles_on, visible
from ticketing.visits import SOURCES, TAKES_TIME, Visit, VisitStatus, tell

PLANNERS = frozenset({"clerk", "officer"})
WORKERS = frozenset({"clerk", "officer"})
LONGEST = timedelta(hours=12)
AT_ONCE = 200


class Window(Body):
    starts_at: Moment
    ends_at: Moment
    worker: Short | None = None
    """Left out: who has the ticket, or who had the visit."""

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if not timedelta() < self.ends_at - self.starts_at <= LONGEST:
            raise ValueError("ends_at: a window ends after it begins, within twelve hours")
        return self


class Move(Window):
    reason: Short | None = None


class Price(Body):
    amount: Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,2})?$")]
    """In yuan: 120 or 120.50."""
    what_for: Short

    @property
    def fen(self) -> int:
        yuan, _, rest = self.amount.partition(".")
        return int(yuan) * 100 + int((rest + "00")[:2])


class PriceAnswer(Body):
    agreed: bool
    how: Short
    """How he said it: 当面同意, 电话中同意."""


class Finish(Body):
    done: Text
    attachments: Annotated[list[int], Field(max_length=20)] = []
    """Photographs of the finished work, uploaded before (POST /attachments)."""
    without_photograph: Short | None = None
    """Why there is none: the resident would not have it."""
    reply: Text | None = None
    """The short path: submitted with the visit as what was done; where the category needs no approval it goes out."""


class Solved(Body):
    solved: bool
    comment: Annotated[str, Field(max_length=5000)] | None = None


class Why(Body):
    reason: Short


async def find(session: AsyncSession, actor: Actor, visit_id: int) -> tuple[Visit, Ticket]:
    """NotFound unless this actor may see the ticket."""
    query = select(Visit, Ticket).join(Ticket, Ticket.id == Visit.ticket_id)
    row = (await session.execute(query.where(Visit.id == visit_id, visible(actor)))).first()
    if row is None:
        raise NotFound("there is no such visit: a ticket's `visits` name those there are")
    return row[0], row[1]


def check_role(actor: Actor, ticket: Ticket) -> None:
    if not roles_on(actor, ticket) & PLANNERS:
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


async def _change(session: AsyncSession, visit: Visit, what: str, if_match: int | None, **values: Any) -> None:
    """One conditional update: nothing is changed where the visit is not what was read."""
    if if_match is not None and if_match != visit.version:
        raise Stale(f"the visit is at version {visit.version} now: read it again, then decide")
    if visit.status not in SOURCES[what]:
        raise Conflict(f"the visit is {visit.status}: that is possible while it is {' or '.join(sorted(SOURCES[what]))}")
    await session.flush()
    changed = await session.execute(
        update(Visit)
        .where(Visit.id == visit.id, Visit.version == visit.version, Visit.status == visit.status)
        .values(version=visit.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise Conflict("somebody else changed the visit at this moment: read it again, then decide")
    await session.refresh(visit)


def _record(session: AsyncSession, actor: Actor, visit: Visit, what: str, now: datetime) -> None:
    audit.record(session, now, actor.name, f"visit:{what}", f"visit:{visit.id}", detail={"version": visit.version})


async def move(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Move, now: datetime,
    if_match: int | None,
) -> None:
    """Another window or another worker; the resident is told what it is now."""
    worker = body.worker or visit.worker
    number = await _take_worker(session, office, ticket, worker, body, now, visit.id)
    before = {
        "starts_at": clock.local(visit.starts_at).isoformat(), "ends_at": clock.local(visit.ends_at).isoformat(),
        "worker": visit.worker, "at": clock.local(now).isoformat(), "by": actor.name, "reason": body.reason,
    }
    await _change(
        session, visit, "move", if_match, starts_at=body.starts_at, ends_at=body.ends_at, worker=worker,
        worker_number=number, moves=[*visit.moves, before], wish=None,
        remind_at=visits.reminder_due(office, body.starts_at, now),
    )
    _record(session, actor, visit, "move", now)
    await tell(session, office, visit, ticket, "visit_moved", now)


async def cancel(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Why, now: datetime,
    if_match: int | None,
) -> None:
    """Nobody comes; the resident reads why."""
    reason = await hide(session, ticket.resident_id, body.reason, only_known=True)
    await _change(session, visit, "cancel", if_match, status=VisitStatus.CANCELLED, reason=reason, remind_at=None)
    _record(session, actor, visit, "cancel", now)
    await tell(session, office, visit, ticket, "visit_cancelled", now, reason=body.reason.rstrip("。.！!"))


async def set_out(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Any, now: datetime,
    if_match: int | None,
) -> None:
    """On the way: the one word of that day."""
    await _change(
        session, visit, "set_out", if_match, status=VisitStatus.ON_THE_WAY, set_out_at=now, remind_at=None
    )
    _record(session, actor, visit, "set_out", now)
    await tell(session, office, visit, ticket, "visit_on_the_way", now)


async def arrive(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Any, now: datetime,
    if_match: int | None,
) -> None:
    """At the door: nothing is told, he sees it."""
    await _change(session, visit, "arrive", if_match, status=VisitStatus.ARRIVED, arrived_at=now, remind_at=None)
    _record(session, actor, visit, "arrive", now)


async def miss(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Why, now: datetime,
    if_match: int | None,
) -> None:
    """Nobody was at home: the resident is asked for another time."""
    reason = await hide(session, ticket.resident_id, body.reason, only_known=True)
    await _change(session, visit, "miss", if_match, status=VisitStatus.MISSED, reason=reason, remind_at=None)
    _record(session, actor, visit, "miss", now)
    await tell(session, office, visit, ticket, "visit_missed", now)


async def offer_price(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Price, now: datetime,
    if_match: int | None,
) -> None:
    """What it costs and what for, before anything is done; an answer to an earlier price does not count for this one."""
    what_for = await hide(session, ticket.resident_id, body.what_for, only_known=True)
    await _change(
        session, visit, "offer_price", if_match, price_fen=body.fen, price_for=what_for, price_agreed=None,
        price_answered_at=None, price_answered_by=None, price_answer=None,
    )
    _record(session, actor, visit, "offer_price", now)
    amount = visits.write_price(body.fen)
    await tell(session, office, visit, ticket, "visit_price", now, amount=amount, what_for=body.what_for)


async def answer_price(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: PriceAnswer,
    now: datetime, if_match: int | None,
) -> None:
    """The resident's yes or no: his own on the page, or heard by a member of staff, who says how."""
    if visit.price_fen is None:
        raise Conflict("no price was offered: there is nothing to agree to")
    if visit.price_agreed is not None:
        raise Conflict("this price was answered already: offer another one to ask again")
    how = await hide(session, ticket.resident_id, body.how)
    by = "resident" if actor.resident_id is not None else actor.name
    await _change(
        session, visit, "answer_price", if_match, price_agreed=body.agreed, price_answered_at=now,
        price_answered_by=by, price_answer=how,
    )
    _record(session, actor, visit, "answer_price", now)
    if actor.resident_id is not None:
        sentence = "visit_price_agreed" if body.agreed else "visit_price_refused"
        await _note(session, visit, ticket, say(sentence, number=ticket.number), now)


async def finish(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Finish, now: datetime,
    if_match: int | None,
) -> None:
    """The work is done, and shown. With `reply` it is submitted at once: the short path."""
    if not body.attachments and body.without_photograph is None:
        raise Invalid("attachments: a photograph of the finished work, or without_photograph says why", "attachments")
    if visit.price_fen and visit.price_agreed is not True:
        raise Conflict("the price is not agreed: work begins with the resident's yes (answer_price), or another price")
    photographs = await _take_photographs(session, body.attachments, actor, ticket)
    await _change(
        session, visit, "finish", if_match, status=VisitStatus.FINISHED, finished_at=now,
        done=await hide(session, ticket.resident_id, body.done), photographs=photographs,
        without_photograph=body.without_photograph,
    )
    _record(session, actor, visit, "finish", now)
    if body.reply is not None:
        submission = {"action_taken": body.done, "reply": body.reply, "attachments": body.attachments}
        await tickets.perform(session, office, actor, ticket.number, "submit", submission, None, now)


async def _take_photographs(
    session: AsyncSession, ids: Sequence[int], actor: Actor, ticket: Ticket
) -> list[dict[str, Any]]:
    try:
        taken = await take_for_reply(session, ids, actor.name, ticket.id)
    except ValueError as error:
        raise Invalid(f"attachments: {error} is no file you uploaded: POST /attachments first", "attachments") from None
    found = await files_of(session, ids)
    if any(not row.type.startswith("image/") for row in found.values()):
        raise Invalid("attachments: photographs only; other papers go with the reply", "attachments")
    return taken


async def say_solved(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Solved, now: datetime,
    if_match: int | None,
) -> None:
    """The resident's word, once; where the reply has reached him it is the ticket's follow-up too."""
    if visit.solved is not None:
        raise Conflict("the resident said already whether it is solved")
    comment = await hide(session, ticket.resident_id, body.comment) if body.comment else None
    await _change(session, visit, "say_solved", if_match, solved=body.solved, solved_at=now, comment=comment)
    _record(session, actor, visit, "say_solved", now)
    if "follow_up" in tickets.allowed_verbs(office, actor, ticket, await tickets.find_facts(session, ticket)):
        said = {"reached": True, "solved": body.solved, "comment": body.comment}
        await tickets.perform(session, office, actor, ticket.number, "follow_up", said, None, now)
    elif not body.solved:
        await _note(session, visit, ticket, say("visit_unsolved", number=ticket.number), now)


async def wish(
    session: AsyncSession, office: Office, actor: Actor, visit: Visit, ticket: Ticket, body: Why, now: datetime,
    if_match: int | None,
) -> None:
    """The resident would rather have another time; who plans is told."""
    said = await hide(session, ticket.resident_id, body.reason)
    await _change(session, visit, "wish", if_match, wish=said)
    _record(session, actor, visit, "wish", now)
    await _note(session, visit, ticket, say("visit_wish", number=ticket.number), now)


async def _note(session: AsyncSession, visit: Visit, ticket: Ticket, words: str, now: datetime) -> None:
    """On the console of who comes and who has the ticket."""
    await staff_notices.note(session, [
        {"whom": name, "by": staff_notices.CONSOLE, "ticket_id": ticket.id, "text": words, "pressing": False,
         "noted_at": now, "not_before": now}
        for name in {visit.worker, ticket.assignee or visit.worker}
    ])


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
