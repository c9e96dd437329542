"""A call that came while the assistant was away is heard again when it is back, so that its tickets say what was said."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core import clock, log
from core.db import Base, Json
from core.errors import AssistantUnavailable, Conflict
from core.queues import Inbox
from service import calls
from service.runtime import Runtime
from service.texts import say
from ticketing import second_reading
from ticketing.model import Ticket

logger = log.logger(__name__)

AT_ONCE = 20
"""Calls in one round: what comes in meanwhile has its turn between two rounds."""


class UnheardCall(Base):
    """A call whose tickets were made from its words alone; the row goes in the transaction that puts them right."""

    __tablename__ = "unheard_call"

    inbox_id: Mapped[int] = mapped_column(ForeignKey("inbox.id"), primary_key=True, autoincrement=False)
    tickets: Mapped[list[int]] = mapped_column(Json)
    """In the order of its matters."""


def remember(session: AsyncSession, row: Inbox, tickets: Sequence[Ticket]) -> None:
    """In the transaction that registers them: either both are there, or none."""
    session.add(UnheardCall(inbox_id=row.id, tickets=[ticket.id for ticket in tickets]))


async def hear_again(runtime: Runtime) -> None:
    """Hear the calls that wait, oldest first, while the assistant is there; what it does not finish waits on."""
    async with runtime.db.reading() as session:
        waiting = (await session.scalars(
            select(Inbox).join(UnheardCall, UnheardCall.inbox_id == Inbox.id).order_by(Inbox.id).limit(AT_ONCE)
        )).all()
    if not waiting or not await runtime.assistant.is_ready():
        return
    for row in waiting:
        if runtime.stopping.is_set():
            return
        try:
            await _hear(runtime, row, clock.now())
        except AssistantUnavailable as error:
            logger.info("calls wait for the assistant", reason=error.detail)
            return
        except (Conflict, SQLAlchemyError) as error:  # Somebody moved a ticket at this moment: the next round looks again.
            logger.warning("a call will be heard again", inbox=row.id, error=type(error).__name__)


async def _hear(runtime: Runtime, row: Inbox, now: datetime) -> None:
    """One call: understood without a transaction, then put right in one that whoever is first with the row has."""
    told: list[calls.Told] = []
    try:
        told = await calls.tell_again(runtime, row)
    except AssistantUnavailable:
        raise
    except Exception as error:  # Whatever it stumbled over, the clerk has the words; the other calls go on.
        logger.error("call not understood", inbox=row.id, error=type(error).__name__)
    async with runtime.db.writing() as session:
        gone = await session.execute(delete(UnheardCall).where(UnheardCall.inbox_id == row.id).returning(UnheardCall.tickets))
        ids = gone.scalar_one_or_none() or []
        if len(ids) != len(told):
            return  # Another process was first, or its matters cannot be told apart as they were.
        for ticket_id, item in zip(ids, told, strict=True):
            await _put_right(runtime, session, await session.get_one(Ticket, ticket_id), item, now)
    runtime.news.notify("tickets")


async def _put_right(runtime: Runtime, session: AsyncSession, ticket: Ticket, told: calls.Told, now: datetime) -> None:
    draft, sorted_ = told.draft, told.sorted
    fields = {
        "kind": draft.kind, "place": draft.value("place"), "category": sorted_.category if sorted_ else None,
        "happened_at": draft.happened_at.isoformat() if draft.happened_at else None,
        "urgency": "emergency" if draft.emergency else sorted_.urgency if sorted_ else ticket.urgency,
    }
    reading = second_reading.SecondReading(
        fields, await calls.describe_elements(session, ticket.resident_id, draft), list(draft.missing), say("call_heard_again")
    )
    await second_reading.put_right(session, runtime.office, ticket, reading, now)
