"""The database itself refuses to close a ticket without a delivered reply."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.conversation import add_resident
from core.db import Database
from core.message import OutboundMessage
from core.queues import enqueue
from ticketing.model import Callback, Reply, Ticket

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def _ticket(resident: int, state: str) -> Ticket:
    return Ticket(
        number="HY20261123-00001",
        kind="complaint",
        title="楼道灯不亮",
        description="三楼的灯坏了",
        state=state,
        urgency="routine",
        confidential=False,
        resident_id=resident,
        code="ABC234",
        round=2,
        registered_by="wang",
        registered_at=NOW,
        moved_at=NOW,
    )


async def _replied(
    db: Database, reply: dict[str, Any] | None, sent: dict[str, Any] | None, call: dict[str, Any] | None
) -> None:
    """A replied ticket in its second round, with a reply, an attempt and a call-back as given."""
    async with db.writing() as session:
        ticket = _ticket((await add_resident(session, NOW)).id, "replied")
        session.add(ticket)
        await session.flush()
        row = None
        if reply is not None:
            values: dict[str, Any] = {"round": 2} | reply
            row = Reply(ticket_id=ticket.id, text="已修好", submitted_by="li", submitted_at=NOW, **values)
            session.add(row)
            await session.flush()
        if sent is not None and row is not None:
            message = OutboundMessage("email", "desk", "a@example.org", "已修好", sent.pop("origin", "reply"))
            attempt = enqueue(session, message, NOW, ticket_id=ticket.id, reply_id=row.id)
            for name, value in sent.items():
                setattr(attempt, name, value)
        if call is not None:
            for_reply = call.pop("for_reply", True)
            session.add(
                Callback(
                    ticket_id=ticket.id,
                    reply_id=row.id if row and for_reply else None,
                    reason="delivery",
                    text="已修好",
                    opened_at=NOW,
                    **({"round": 2} | call),
                )
            )


async def _set_state(db: Database, state: str) -> None:
    async with db.engine.begin() as connection:
        await connection.execute(text("UPDATE ticket SET state = :state"), {"state": state})


REFUSED = [
    pytest.param(None, None, None, id="no reply"),
    pytest.param({}, None, None, id="a draft that nobody sent"),
    pytest.param({}, {"result": None}, None, id="still waiting"),
    pytest.param({}, {"result": "failed"}, None, id="bounced"),
    pytest.param({}, {"result": "handed_on"}, None, id="handed on"),
    pytest.param({}, {"result": "announced"}, None, id="announced and not opened"),
    pytest.param({}, {"result": "sent", "origin": "progress"}, None, id="only a word in between"),
    pytest.param({"round": 1}, {"result": "sent"}, None, id="delivered before the redo"),
    pytest.param({"withdrawn_at": NOW}, {"result": "announced", "opened_at": NOW}, None, id="withdrawn"),
    pytest.param({"round": 1, "call_turn": 3}, None, None, id="given in the call, before the redo"),
    pytest.param({}, None, {"reached": False}, id="called, not reached"),
    pytest.param({"round": 1}, None, {"reached": True, "round": 1}, id="called before the redo"),
    pytest.param({}, None, {"reached": True, "for_reply": False}, id="called about something else"),
]
ALLOWED = [
    pytest.param({}, {"result": "sent"}, None, id="sent"),
    pytest.param({}, {"result": "announced", "opened_at": NOW}, None, id="announced and opened"),
    pytest.param({}, {"result": "failed"}, {"reached": True}, id="bounced, then called"),
    pytest.param({"call_turn": 3}, None, None, id="given in the call"),
]


@pytest.mark.parametrize("state", ["closed", "followed_up", "archived"])
@pytest.mark.parametrize(("reply", "sent", "call"), REFUSED)
async def test_sql_cannot_close_what_was_not_delivered(
    db: Database, reply: Any, sent: Any, call: Any, state: str
) -> None:
    await _replied(
        db, None if reply is None else dict(reply), dict(sent) if sent else sent, dict(call) if call else call
    )
    with pytest.raises(DBAPIError, match="close refused"):
        await _set_state(db, state)


@pytest.mark.parametrize(("reply", "sent", "call"), ALLOWED)
async def test_sql_may_close_what_was_delivered(db: Database, reply: Any, sent: Any, call: Any) -> None:
    await _replied(db, dict(reply), dict(sent) if sent else sent, dict(call) if call else call)
    for state in ("closed", "followed_up", "archived"):
        await _set_state(db, state)
    async with db.reading() as session:
        assert (await session.scalars(select(Ticket.state))).all() == ["archived"]


async def test_a_ticket_cannot_be_born_closed(db: Database) -> None:
    with pytest.raises(DBAPIError, match="close refused"):
        async with db.writing() as session:
            session.add(_ticket((await add_resident(session, NOW)).id, "closed"))
