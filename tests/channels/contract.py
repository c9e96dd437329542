"""What every channel must pass. A channel's test module subclasses Contract and gives a fixture `door`."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest
from sqlalchemy import select

from channels.base import Attempt, Channel, TemporaryFailure
from channels.http import REFUSED
from core.db import Database
from core.inbox_writer import InboxWriter
from core.message import OutboundMessage
from core.queues import Inbox, Status

PHONE = "13800001234"


class Door(Protocol):
    """A channel with its platform, as the contract plays it."""

    channel: Channel
    recipient: str

    async def deliver(self, text: str, number: int) -> int:
        """The platform brings message `number`; gives the HTTP status."""

    async def forge(self, text: str) -> int:
        """Somebody else brings one."""

    async def malformed(self) -> int:
        """The platform (or a resident's own browser) brings something that is no message."""

    async def oversized(self) -> int:
        """… and something too large."""

    async def received(self) -> list[str]:
        """What the resident was sent, one text a message."""

    def answer_with_error_body(self) -> bool:
        """The platform's next answer is 200 with an error in it; False where there is no platform."""

    def never_answer(self) -> bool:
        """The platform's next answer does not come; False where there is no platform."""


@contextlib.asynccontextmanager
async def running_writer(db: Database) -> AsyncIterator[InboxWriter]:
    """An inbox writer at work."""
    writer = InboxWriter(db)
    task = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        task.cancel()


async def stored(db: Database) -> list[Inbox]:
    """All that is in the inbox, oldest first."""
    async with db.reading() as session:
        rows = list(await session.scalars(select(Inbox).order_by(Inbox.id)))
        session.expunge_all()
        return rows


def refused(channel: str) -> float:
    """How many requests the channel has refused so far."""
    return sum(
        sample.value
        for metric in REFUSED.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.labels["channel"] == channel
    )


def must_speak(door: Door) -> None:
    """Skip what is about sending where people, not machines, speak."""
    if not door.channel.capabilities.carries:
        pytest.skip("this channel sends nothing by itself")


def outbound(door: Door, text: str, **fields: Any) -> OutboundMessage:
    channel = door.channel
    return OutboundMessage(channel.name, channel.account, door.recipient, text, "assistant", **fields)


class Contract:
    """The tests. `door` is the channel's own fixture, `db` the database of the run."""

    async def test_a_duplicate_is_stored_once(self, door: Any, db: Database) -> None:
        statuses = await asyncio.gather(*(door.deliver("路灯坏了", 1) for _ in range(5)))
        assert all(200 <= status < 300 for status in statuses)
        assert [row.text for row in await stored(db)] == ["路灯坏了"]

    async def test_two_messages_are_two_rows_of_one_order_key(self, door: Any, db: Database) -> None:
        await door.deliver("第一条", 1)
        await door.deliver("第二条", 2)
        rows = await stored(db)
        assert [row.text for row in rows] == ["第一条", "第二条"]
        assert rows[0].order_key == rows[1].order_key and rows[0].raw

    async def test_a_forged_message_is_refused_counted_and_not_stored(self, door: Any, db: Database) -> None:
        before = refused(door.channel.name)
        assert await door.forge("我是假的") in (401, 403, 404)
        assert await stored(db) == []
        assert refused(door.channel.name) == before + 1

    async def test_a_malformed_payload_is_set_aside_or_refused(self, door: Any, db: Database) -> None:
        status = await door.malformed()
        rows = await stored(db)
        kept_aside = [row.status for row in rows] == [Status.SET_ASIDE] and bool(rows[0].raw)
        assert kept_aside if rows else 400 <= status < 500

    async def test_what_is_too_large_is_refused(self, door: Any, db: Database) -> None:
        assert await door.oversized() == 413
        assert await stored(db) == []

    async def test_a_leading_slash_is_text(self, door: Any, db: Database) -> None:
        await door.deliver("/restart", 1)
        assert [row.text for row in await stored(db)] == ["/restart"]

    async def test_what_cannot_be_stored_is_not_acknowledged(self, door: Any, db: Database) -> None:
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE inbox RENAME TO inbox_away")
        assert await door.deliver("磁盘满了", 1) >= 500
        async with db.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE inbox_away RENAME TO inbox")
        assert 200 <= await door.deliver("磁盘满了", 1) < 300
        assert [row.text for row in await stored(db)] == ["磁盘满了"]

    async def test_a_sent_text_arrives_with_proof(self, door: Any) -> None:
        must_speak(door)
        sent = await door.channel.send(outbound(door, "已经派人去修。"), Attempt(1, door.channel.name))
        assert sent.platform_id and not sent.announced
        assert await door.received() == ["已经派人去修。"]

    async def test_long_text_is_split_and_nothing_of_it_is_lost(self, door: Any) -> None:
        must_speak(door)
        limit = door.channel.capabilities.max_chars
        text = "".join(f"第{number}句话说的是物业费怎样计算。" for number in range(70))
        await door.channel.send(outbound(door, text), Attempt(1, door.channel.name))
        received = await door.received()
        assert "".join(received) == text
        assert limit is None or (len(received) > 1 and all(len(part) <= limit for part in received))

    async def test_200_with_an_error_body_is_a_failure(self, door: Any) -> None:
        if not door.answer_with_error_body():
            pytest.skip("this channel has no platform that could answer so")
        with pytest.raises(TemporaryFailure):
            await door.channel.send(outbound(door, "好"), Attempt(1, door.channel.name))
        assert await door.received() == []

    async def test_a_time_out_is_temporary(self, door: Any) -> None:
        if not door.never_answer():
            pytest.skip("this channel has no platform that could be slow")
        with pytest.raises(TemporaryFailure):
            await door.channel.send(outbound(door, "好"), Attempt(1, door.channel.name))

    async def test_secrets_and_phone_numbers_do_not_reach_the_log(
        self, door: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            await door.deliver(f"请打{PHONE}", 1)
            await door.forge(f"请打{PHONE}")
            await door.malformed()
            if door.channel.capabilities.carries:
                await door.channel.send(outbound(door, f"您的电话{PHONE}"), Attempt(1, door.channel.name))
            if door.answer_with_error_body():
                with contextlib.suppress(TemporaryFailure):
                    await door.channel.send(outbound(door, "好"), Attempt(2, door.channel.name))
        lines = [line for line in caplog.text.splitlines() if "aiosqlite" not in line and "asyncio" not in line]
        for secret in (PHONE, *door.channel.secrets()):
            assert not [line for line in lines if secret in line]
