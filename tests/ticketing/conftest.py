"""An office, people, and a fake way of speaking to residents whose record is public."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.conversation import add_resident
from core.db import Database
from core.message import OutboundMessage
from core.queues import Outbox, Result, Status, enqueue
from ticketing import clock_words, tickets
from ticketing.clocks import Clock
from ticketing.delivery import delivered
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.staff import SYSTEM, Actor

CLERK = Actor("cai", frozenset({"clerk"}), None)
OFFICER = Actor("ou", frozenset({"officer"}), None)
SUPERVISOR = Actor("su", frozenset({"supervisor"}), None)
INSPECTOR = Actor("ji", frozenset({"inspector"}), None)
PEOPLE = {"clerk": CLERK, "officer": OFFICER, "supervisor": SUPERVISOR, "inspector": INSPECTOR, "system": SYSTEM}


@dataclass
class FakeTell:
    """Puts what a resident is told into the outbox of a channel that is never asked; `told` keeps it."""

    told: list[tuple[str, str, str]] = field(default_factory=list)

    async def __call__(self, session, ticket, text, origin, reply, now, letter=None, link=None) -> None:
        self.told.append((ticket.number, origin, text))
        message = OutboundMessage("webchat", "web", f"resident-{ticket.resident_id}", text, origin, link=link)
        enqueue(session, message, now, ticket_id=ticket.id, reply_id=reply.id if reply else None)
        await session.flush()


@pytest.fixture
def tell() -> FakeTell:
    return FakeTell()


@pytest.fixture
def office(tell) -> Office:
    return Office(name="云溪花园物业服务中心", preset=load_preset("property"), tell=tell)


async def describe_clocks(session: AsyncSession, ticket: Ticket, now: datetime) -> list[dict[str, Any]]:
    """The `clocks` of a ticket's JSON, oldest first."""
    query = select(Clock).where(Clock.ticket_id == ticket.id).order_by(Clock.id)
    return [clock_words.describe(clock, now) for clock in await session.scalars(query)]


class Desk:
    """Drives tickets through their verbs, one transaction a verb, as the API does."""

    def __init__(self, db: Database, office: Office) -> None:
        self.db, self.office = db, office

    async def register(self, actor: Actor = CLERK, **fields) -> str:
        body = {
            "kind": "complaint", "category": NEEDS_APPROVAL, "description": "3栋2单元电梯又坏了，老人下不了楼",
        } | fields
        async with self.db.writing() as session:
            resident = await add_resident(session, clock.now(), name="林小雨")
            ticket = await tickets.register(session, self.office, actor, body, clock.now(), resident_id=resident.id)
            return ticket.number

    async def do(self, number: str, verb: str, body: dict | None = None, actor: Actor = CLERK, if_match=None):
        async with self.db.writing() as session:
            ticket = await tickets.perform(
                session, self.office, actor, number, verb, body or {}, if_match, clock.now()
            )
            return ticket.state

    async def find(self, number: str) -> Ticket:
        async with self.db.reading() as session:
            ticket = await tickets.find_visible(session, SYSTEM, number)
            session.expunge(ticket)
            return ticket

    async def deliver(self, number: str) -> None:
        """What a delivery worker does when the channel took the reply."""
        async with self.db.writing() as session:
            ticket = await tickets.find_visible(session, SYSTEM, number)
            for row in await session.scalars(
                Outbox.__table__.select()
                .with_only_columns(Outbox.id)
                .where(Outbox.ticket_id == ticket.id, Outbox.origin == "reply", Outbox.status == Status.TODO)
            ):
                sent = await session.get_one(Outbox, row)
                sent.status, sent.result, sent.sent_at = Status.DONE, Result.SENT, clock.now()
                await session.flush()
                await delivered(session, self.office, sent.reply_id, clock.now(), outbox_id=sent.id)

    async def bring_to(self, state: str) -> str:
        """A complaint in this state, by the shortest honest way."""
        number = await self.register()
        for verb, body, actor in WAY:
            if (await self.find(number)).state == state:
                return number
            if verb == "deliver":
                await self.deliver(number)
            else:
                await self.do(number, verb, body, actor)
        assert (await self.find(number)).state == state
        return number


NEEDS_APPROVAL = next(item.code for item in load_preset("property").categories if item.approval)
SUBMISSION = {"findings": "upheld", "action_taken": "已更换门机", "reply": "电梯门机已更换，今天恢复运行。"}
WAY = (
    ("accept", {}, CLERK),
    ("assign", {"department": load_preset("property").departments[0].code}, CLERK),
    ("submit", SUBMISSION, OFFICER),
    ("approve", {}, SUPERVISOR),
    ("deliver", {}, SYSTEM),
    ("close", {}, OFFICER),
    ("follow_up", {"reached": True, "solved": True, "satisfied": 5}, CLERK),
)


@pytest.fixture
def desk(db, office) -> Desk:
    return Desk(db, office)
