"""Which weights are in force, when several people or processes decide at once."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import Conflict
from ticketing import weights
from ticketing.weights import KEPT, LEASE, Weights

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)


async def add(db, count=1):
    """Versions with weights; the number of the last."""
    async with db.writing() as session:
        for _ in range(count):
            row = Weights(preset="hall", at=NOW, by="cli", outcome="better", figures={}, lessons="x", digest="d", content=b"w")
            session.add(row)
            await session.flush()
        return row.id


async def put(db, version, instead_of=None):
    async with db.writing() as session:
        return await weights.put_in_force(session, "hall", version, "supervisor", NOW, instead_of)


async def current(db):
    async with db.reading() as session:
        return await weights.in_force(session, "hall")


async def test_of_many_who_begin_at_once_one_learns(db):
    async def begin(name):
        async with db.writing() as session:
            await weights.begin(session, "hall", name, NOW)

    await begin("first")
    async with db.writing() as session:
        assert await weights.go_on(session, "hall", "first", None)
    done = await asyncio.gather(*(begin(f"one-{n}") for n in range(6)), return_exceptions=True)
    assert sum(one is None for one in done) == 1 and sum(isinstance(one, Conflict) for one in done) == 5


async def test_who_was_silent_too_long_has_lost_his_turn(db):
    async with db.writing() as session:
        await weights.begin(session, "hall", "slow", NOW)
    later = NOW + LEASE + timedelta(seconds=1)
    async with db.writing() as session:
        await weights.begin(session, "hall", "next", later)
    async with db.writing() as session:
        assert not await weights.go_on(session, "hall", "slow", later + LEASE)
        assert await weights.go_on(session, "hall", "next", later + LEASE)


async def test_what_was_compared_with_another_version_does_not_come_into_force(db):
    first, second = await add(db), await add(db)
    await put(db, first)
    with pytest.raises(Conflict):
        await put(db, second, instead_of=0)
    assert (await current(db))[0] == first


async def test_each_change_is_counted_so_that_every_process_sees_it(db):
    version = await add(db)
    counts = []
    for wanted in (version, version, 0):
        await put(db, wanted)
        counts.append(await current(db))
    assert [number for number, _ in counts] == [version, version, 0]
    assert [changes for _, changes in counts] == [1, 2, 3]


async def test_a_roll_back_leads_through_what_was_in_force_before_to_what_is_shipped(db):
    first, second = await add(db), await add(db)
    await put(db, first)
    await put(db, second)
    for expected in (first, 0):
        async with db.writing() as session:
            assert await weights.roll_back(session, "hall", "supervisor", NOW) == expected
    async with db.writing() as session:
        with pytest.raises(Conflict):
            await weights.roll_back(session, "hall", "supervisor", NOW)


async def test_old_weights_go_but_never_those_in_force_nor_the_way_back(db):
    first, second = await add(db), await add(db)
    await put(db, first)
    await put(db, second)
    last = await add(db, KEPT + 3)
    async with db.writing() as session:
        await weights.drop_old(session, "hall")
    await put(db, last)
    async with db.writing() as session:
        assert await weights.roll_back(session, "hall", "supervisor", NOW) == second
        assert await weights.roll_back(session, "hall", "supervisor", NOW) == first
    with pytest.raises(Conflict, match="内容已经清除"):
        await put(db, second + 1)
