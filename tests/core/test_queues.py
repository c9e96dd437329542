"""Inbox and outbox keep their promises on both databases."""

import asyncio
from datetime import timedelta

import pytest

from core import clock, queues
from core.db import Database
from core.inbox_writer import InboxWriter
from core.message import InboundMessage
from core.queues import Inbox, Status


def message(number: int, sender: str = "oA", **fields: object) -> InboundMessage:
    values: dict[str, object] = {
        "channel": "wechat",
        "account": "main",
        "external_id": f"{sender}:{number}",
        "sender": sender,
        "text": f"第{number}条",
        "received_at": clock.now(),
        "raw": b"<xml/>",
    }
    return InboundMessage(**(values | fields))  # type: ignore[arg-type]


@pytest.fixture
async def writer(db: Database):
    writer = InboxWriter(db)
    task = asyncio.create_task(writer.run())
    yield writer
    task.cancel()


async def claim(db: Database, worker: str = "w1", later: timedelta = timedelta()) -> Inbox | None:
    async with db.writing() as session:
        return next(iter(await queues.claim(session, Inbox, worker, clock.now() + later)), None)


async def test_the_same_message_is_stored_once_however_often_it_comes(db, writer):
    stored = await asyncio.gather(*(writer.put(message(1)) for _ in range(30)))
    assert [item.new for item in stored].count(True) == 1
    assert len({item.id for item in stored}) == 1


async def test_text_and_raw_are_not_readable_in_the_database(db, writer):
    await writer.put(message(1, text="我的电话13800001234", raw=b"13800001234"))
    async with db.reading() as session:
        connection = await session.connection()
        row = (await connection.exec_driver_sql("SELECT text, raw FROM inbox")).one()
        assert b"13800001234" not in bytes(row[0]) + bytes(row[1])
        assert (await session.get_one(Inbox, 1)).text == "我的电话13800001234"


async def test_messages_of_one_sender_are_claimed_strictly_in_order(db, writer):
    for number in (1, 2):
        await writer.put(message(number))
    await writer.put(message(1, sender="oB"))
    first, other, none = await claim(db), await claim(db, "w2"), await claim(db, "w3")
    assert first and first.text == "第1条" and other and other.sender == "oB" and none is None
    async with db.writing() as session:
        assert await queues.finish(session, Inbox, first.id, "w1")
    second = await claim(db)
    assert second and second.text == "第2条"


async def test_a_message_to_be_tried_again_holds_up_its_successors_but_one_set_aside_does_not(db, writer):
    for number in (1, 2):
        await writer.put(message(number))
    first = await claim(db)
    assert first
    async with db.writing() as session:
        await queues.put_back(session, Inbox, first.id, "w1", "busy", clock.now() + timedelta(hours=1))
    assert await claim(db) is None
    again = await claim(db, later=timedelta(hours=2))
    assert again and again.id == first.id and again.attempts == 2
    async with db.writing() as session:
        await queues.set_aside(session, Inbox, first.id, "w1", "broken")
    second = await claim(db)
    assert second and second.text == "第2条"


async def test_what_a_dead_worker_held_comes_back_and_his_late_word_does_not_count(db, writer):
    await writer.put(message(1))
    first = await claim(db, "dead")
    assert first
    again = await claim(db, "alive", later=queues.LEASE + timedelta(seconds=1))
    assert again and again.id == first.id
    async with db.writing() as session:
        assert not await queues.finish(session, Inbox, first.id, "dead")
        assert await queues.finish(session, Inbox, first.id, "alive")


async def test_many_workers_never_hold_the_same_message(db, writer):
    await asyncio.gather(*(writer.put(message(n, sender=f"o{n % 7}")) for n in range(40)))
    taken: list[int] = []

    async def work(name: str) -> None:
        misses = 0
        while misses < 20:
            row = await claim(db, name)
            if row is None:
                misses += 1
                await asyncio.sleep(0.01)
                continue
            taken.append(row.id)
            async with db.writing() as session:
                assert await queues.finish(session, Inbox, row.id, name)

    await asyncio.gather(*(work(f"w{n}") for n in range(6)))
    assert sorted(taken) == sorted(set(taken)) and len(taken) == 40


async def test_one_message_that_cannot_be_stored_does_not_take_its_neighbours_with_it(db, writer):
    async def refuse(session, row_id):
        raise OSError("disk full")

    results = await asyncio.gather(
        writer.put(message(1)),
        writer.put(message(2), also=refuse),
        writer.put(message(3)),
        return_exceptions=True,
    )
    assert isinstance(results[1], OSError)
    async with db.reading() as session:
        assert await queues.backlog(session, Inbox) == {Status.TODO: 2}


async def test_a_message_set_aside_can_be_replayed(db, writer):
    stored = await writer.put_aside(message(1), "not XML")
    assert await claim(db) is None
    async with db.writing() as session:
        assert await queues.replay(session, Inbox, stored.id, clock.now())
    assert await claim(db)
