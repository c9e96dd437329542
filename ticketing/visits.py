"""Visits for repairs 报修: who comes when, what it costs, what was done. Data beside the ticket, no state of its own.

A worker is in one place at a time: his row is locked while it is asked whether he is free. The resident reads the
worker's number and never his name.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import clock
from core.db import UTC, Base, Id, Json
from core.encryption import Keyring
from core.queues import Outbox, Result, Status
from ticketing import staff_notices
from ticketing.lifecycle import State
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.texts import say

WEEKDAYS = "一二三四五六日"
OVERTAKES = frozenset({"visit_moved", "visit_cancelled", "visit_on_the_way"})
"""Sentences that make those before them about the same visit untrue."""
_TO_REMIND = text("remind_at IS NOT NULL")


class VisitStatus(StrEnum):
    """Where a visit stands."""

    PLANNED = "planned"
    ON_THE_WAY = "on_the_way"
    ARRIVED = "arrived"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    MISSED = "missed"
    """Nobody opened the door."""


S = VisitStatus
PLAIN_WORDS = {
    S.PLANNED: "已约好", S.ON_THE_WAY: "维修人员已出发", S.ARRIVED: "维修人员已到达", S.FINISHED: "已完工",
    S.CANCELLED: "已取消", S.MISSED: "上门时没有联系上您",
}
"""What residents read for a state."""
COMING = frozenset({S.PLANNED, S.ON_THE_WAY})
TAKES_TIME = frozenset({S.PLANNED, S.ON_THE_WAY, S.ARRIVED})
"""While a visit stands so, its worker is nowhere else in its window."""
SOURCES: dict[str, frozenset[VisitStatus]] = {
    "move": frozenset({S.PLANNED}), "cancel": COMING, "set_out": frozenset({S.PLANNED}), "arrive": COMING,
    "miss": TAKES_TIME, "offer_price": TAKES_TIME, "answer_price": TAKES_TIME, "finish": frozenset({S.ARRIVED}),
    "say_solved": frozenset({S.FINISHED}), "wish": frozenset({S.PLANNED, S.MISSED}),
}
"""In which states something can be done with a visit."""


class Visit(Base):
    """One visit. The window is what the resident was told; `version` goes up by one with every change."""

    __tablename__ = "visit"
    __table_args__ = (
        Index("ix_visit_worker", "worker", "starts_at"),
        Index("ix_visit_remind_at", "remind_at", sqlite_where=_TO_REMIND, postgresql_where=_TO_REMIND),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    worker: Mapped[str]
    worker_number: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(UTC)
    ends_at: Mapped[datetime] = mapped_column(UTC)
    status: Mapped[str] = mapped_column(default=S.PLANNED)
    version: Mapped[int] = mapped_column(default=1)
    planned_by: Mapped[str]
    planned_at: Mapped[datetime] = mapped_column(UTC)
    moves: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    """`[{starts_at, ends_at, worker, at, by, reason}]`: what it was before each move."""
    remind_at: Mapped[datetime | None] = mapped_column(UTC)
    set_out_at: Mapped[datetime | None] = mapped_column(UTC)
    arrived_at: Mapped[datetime | None] = mapped_column(UTC)
    price_fen: Mapped[int | None]
    """In hundredths of a yuan; None: nothing is charged."""
    price_for: Mapped[str | None]
    price_agreed: Mapped[bool | None]
    """The resident's yes or no; None while he has not said it."""
    price_answered_at: Mapped[datetime | None] = mapped_column(UTC)
    price_answered_by: Mapped[str | None]
    """`resident` on his page, or the member of staff who heard it and says how."""
    price_answer: Mapped[str | None]
    finished_at: Mapped[datetime | None] = mapped_column(UTC)
    done: Mapped[str | None]
    photographs: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    without_photograph: Mapped[str | None]
    """Why there is none."""
    solved: Mapped[bool | None]
    solved_at: Mapped[datetime | None] = mapped_column(UTC)
    comment: Mapped[str | None]
    wish: Mapped[str | None]
    """What the resident would rather have: another time."""
    reason: Mapped[str | None]
    """Why it was cancelled, or what was found at a closed door."""


def write_when(visit: Visit) -> str:
    """12月3日（周四）09:00–11:00."""
    begin, end = clock.local(visit.starts_at), clock.local(visit.ends_at)
    last = f"{end:%H:%M}" if begin.date() == end.date() else f"{end.month}月{end.day}日{end:%H:%M}"
    return f"{begin.month}月{begin.day}日（周{WEEKDAYS[begin.weekday()]}）{begin:%H:%M}–{last}"


def write_price(fen: int) -> str:
    """120.00: in yuan."""
    return f"{fen // 100}.{fen % 100:02d}"


def token(keys: Keyring, visit_id: int) -> str:
    """The unguessable name of a visit's page."""
    return f"{visit_id}-{keys.digest(f'visit/{visit_id}')}"


def link(session: AsyncSession, office: Office, visit: Visit) -> str:
    keys: Keyring = session.get_bind().dialect.huiyin_keys  # type: ignore[attr-defined]
    return f"{office.public_url}/visits/{token(keys, visit.id)}"


async def tell(
    session: AsyncSession, office: Office, visit: Visit, ticket: Ticket, sentence: str, now: datetime,
    origin: str = "progress", **values: str,
) -> None:
    """A sentence of texts.yml about the visit to the ticket's resident, in place of what he was not told yet."""
    where = link(session, office, visit)
    if sentence in OVERTAKES and await _overtake(session, ticket, where):
        if sentence == "visit_cancelled":  # He never heard that somebody would come.
            return
        sentence = "visit_planned" if sentence == "visit_moved" else sentence
    said = say(
        sentence, number=ticket.number, title=ticket.title, worker=visit.worker_number, when=write_when(visit),
        link=where, **values,
    )
    await office.tell(session, ticket, said, origin, None, now, None, where)


async def _overtake(session: AsyncSession, ticket: Ticket, where: str) -> bool:
    """What waits still to be said about this visit is not said any more; whether there was anything."""
    changed = await session.execute(
        update(Outbox)
        .where(Outbox.ticket_id == ticket.id, Outbox.link == where, Outbox.status == Status.TODO)
        .values(status=Status.DONE, result=Result.FAILED, last_error="overtaken: it is otherwise now")
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


async def of_ticket(session: AsyncSession, ticket: Ticket) -> Sequence[Visit]:
    """A ticket's visits, oldest first. One that was only registered has none."""
    if ticket.state == State.REGISTERED:
        return []
    return (await session.scalars(select(Visit).where(Visit.ticket_id == ticket.id).order_by(Visit.id))).all()


def reminder_due(office: Office, starts_at: datetime, now: datetime) -> datetime | None:
    """On the day before, from the hour on at which residents are reminded; None where he was told that day anyway."""
    opens, _ = office.preset.appointments.remind_window
    begin = clock.local(starts_at)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    due = midnight - timedelta(days=1) + timedelta(minutes=opens)
    return due.astimezone(now.tzinfo) if now < midnight - timedelta(days=1) else None


async def cancel_open(
    session: AsyncSession, office: Office, ticket: Ticket, reason: str, now: datetime, told: bool
) -> None:
    """The ticket goes another way: nobody comes any more. `told`: the resident learns of it here."""
    for visit in await of_ticket(session, ticket):
        changed = await session.execute(
            update(Visit)
            .where(Visit.id == visit.id, Visit.status.in_(COMING))
            .values(status=S.CANCELLED, version=Visit.version + 1, reason=reason, remind_at=None)
            .execution_options(synchronize_session=False)
        )
        await session.refresh(visit)
        if changed.rowcount and told:  # type: ignore[attr-defined]
            await tell(session, office, visit, ticket, "visit_cancelled", now, reason=reason)


async def note_handed_over(session: AsyncSession, name: str, to: str | None, now: datetime) -> None:
    """Somebody does not come to his visits any more: who has the ticket now sends another, and so the resident is told.

    A visit is not given to another by itself: he may be elsewhere, and the resident holds the first one's number.
    """
    query = select(Visit, Ticket).join(Ticket, Ticket.id == Visit.ticket_id)
    for visit, ticket in await session.execute(query.where(Visit.worker == name, Visit.status.in_(COMING))):
        words = say("visit_handed_over", number=ticket.number, when=write_when(visit), who=name)
        await staff_notices.note(session, [
            {"whom": whom, "by": staff_notices.CONSOLE, "ticket_id": ticket.id, "text": words, "pressing": True,
             "noted_at": now, "not_before": now}
            for whom in {to or ticket.assignee or visit.planned_by, visit.planned_by} - {name}
        ])


def describe(
    visit: Visit, ticket: Ticket, for_staff: bool, read: Callable[[str | None], str | None]
) -> dict[str, Any]:
    """The visit as the API shows it, but for times and files: its name is for staff alone, its number for all.

    `read` puts personal data back into what was written, for who may know it.
    """
    found = {
        "id": visit.id, "ticket": ticket.number, "worker_number": visit.worker_number, "starts_at": visit.starts_at,
        "ends_at": visit.ends_at, "when": write_when(visit), "status": visit.status,
        "status_text": PLAIN_WORDS[S(visit.status)], "set_out_at": visit.set_out_at,
        "arrived_at": visit.arrived_at, "finished_at": visit.finished_at, "done": read(visit.done),
        "price": None if visit.price_fen is None else {
            "amount": write_price(visit.price_fen), "what_for": read(visit.price_for),
            "agreed": visit.price_agreed, "answered_at": visit.price_answered_at,
        },
        "photographs": [item["id"] for item in visit.photographs], "solved": visit.solved,
        "solved_at": visit.solved_at, "comment": read(visit.comment), "wish": read(visit.wish),
        "version": visit.version,
    }
    if for_staff:
        found |= {
            "worker": visit.worker, "planned_by": visit.planned_by, "planned_at": visit.planned_at,
            "moves": visit.moves, "reason": read(visit.reason), "without_photograph": visit.without_photograph,
            "price_answered_by": visit.price_answered_by, "price_answer": read(visit.price_answer),
        }
    return found
