"""The same matter again is found at intake, by words and place, with what agrees; nothing is merged by itself."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core import clock
from core.conversation import add_resident
from tests.ticketing.conftest import CLERK, INSPECTOR
from ticketing import repeats, tickets
from ticketing.model import Ticket
from ticketing.repeats import TicketRepeat
from ticketing.staff import SYSTEM, Actor


async def register(desk, text: str, *, resident: int | None = None, at=None, **fields) -> str:
    async with desk.db.writing() as session:
        now = at or clock.now()
        if resident is None:
            resident = (await add_resident(session, now)).id
        body = {"kind": "complaint", "description": text} | fields
        return (await tickets.register(session, desk.office, CLERK, body, now, resident_id=resident)).number


async def found(desk, number: str, actor: Actor = CLERK) -> list[dict]:
    async with desk.db.reading() as session:
        return await repeats.list_repeats(session, actor, await tickets.find_visible(session, SYSTEM, number), 20)


async def test_two_people_with_the_same_matter_are_shown_to_each_other_s_clerk_with_what_agrees(desk):
    first = await register(desk, "三号楼电梯停在五层不动了，老人下不来", place="三号楼")
    await register(desk, "小区门口的路灯不亮了，晚上回家看不见", place="东门")
    second = await register(desk, "3栋的电梯停了，老人没法下楼", place="3栋")
    [item] = await found(desk, second)
    assert item["number"] == first and not item["same_person"]
    why = {each["feature"]: each.get("value") for each in item["because"]}
    assert why["place"].startswith("3号楼") and "电梯" in "".join(why["words"]) and why["time"] < 1
    assert [each["number"] for each in await found(desk, first)] == [second]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("5栋的电梯停了，老人没法下楼", "5栋", id="another building"),
        pytest.param("三号楼楼道里有人养鸡，早上很吵", "三号楼", id="another matter in the same building"),
        pytest.param("停车费怎么交", None, id="nothing in common"),
        pytest.param("。。。", None, id="no words at all"),
    ],
)
async def test_what_is_another_matter_is_not_shown(desk, text, place):
    await register(desk, "三号楼电梯停在五层不动了，老人下不来", place="三号楼")
    assert await found(desk, await register(desk, text, place=place)) == []


async def test_the_same_person_is_said_to_be_the_same(desk, db):
    first = await register(desk, "楼下烧烤店半夜还在放音乐，吵得睡不着")
    async with db.reading() as session:
        resident = (await tickets.find_visible(session, SYSTEM, first)).resident_id
    again = await register(desk, "楼下烧烤店半夜放音乐吵得睡不着，还没人管", resident=resident)
    [item] = await found(desk, again)
    assert item["same_person"] and {"feature": "person"} in item["because"]


async def test_a_year_old_matter_of_somebody_else_is_not_dug_out(desk):
    await register(desk, "三号楼电梯停在五层不动了", place="三号楼", at=clock.now() - timedelta(days=90))
    assert await found(desk, await register(desk, "三号楼电梯停在五层不动了", place="三号楼")) == []


async def test_reports_about_staff_are_shown_to_nobody_as_a_repeat(desk):
    text = "前台人员收红包办事，态度恶劣"
    await register(desk, text, kind="report")
    number = await register(desk, text)
    assert await found(desk, number) == await found(desk, number, INSPECTOR) == []


async def test_who_may_not_see_the_other_ticket_is_not_shown_it(desk):
    await register(desk, "三号楼电梯停在五层不动了", about={"staff": "cai"})
    number = await register(desk, "三号楼电梯停在五层不动了")
    assert await found(desk, number) == []
    assert len(await found(desk, number, Actor("fang", frozenset({"clerk"}), None))) == 1


async def test_an_amended_place_is_looked_at_anew_and_nothing_is_merged(desk, db):
    first = await register(desk, "三号楼电梯停在五层不动了，老人下不来", place="三号楼")
    second = await register(desk, "电梯停了，老人没法下楼", place="五号楼")
    assert await found(desk, second) == []
    await desk.do(second, "amend", {"place": "三号楼"})
    assert [item["number"] for item in await found(desk, second)] == [first]
    async with db.reading() as session:
        assert set(await session.scalars(select(Ticket.state))) == {"registered"}


async def test_what_was_found_is_kept_once_however_often_one_looks(desk, db):
    await register(desk, "三号楼电梯停在五层不动了")
    number = await register(desk, "三号楼电梯停在五层不动了")
    for _ in range(2):
        async with db.writing() as session:
            await repeats.look(session, await tickets.find_visible(session, SYSTEM, number), clock.now())
    async with db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(TicketRepeat)) == 1


async def test_the_second_look_finds_by_meaning_what_the_words_do_not_say(desk, db):
    """Two vectors that lie near each other stand for two sentences that mean the same."""
    near, far = [1.0] + [0.0] * 383, [0.0, 1.0] + [0.0] * 382
    numbers = [await register(desk, text, place="三号楼") for text in ("龙头拧开一滴都没有", "怎么断水了", "楼道堆了沙发")]
    assert await found(desk, numbers[1]) == []
    for number, vector in zip(numbers, (near, near, far), strict=True):
        async with db.writing() as session:
            await repeats.look_again(session, await tickets.find_visible(session, SYSTEM, number), clock.now(), vector)
    assert [item["number"] for item in await found(desk, numbers[1])] == [numbers[0]]
    async with db.reading() as session:
        assert await repeats.waiting(session, clock.now(), 10) == []


async def test_two_workers_look_at_a_ticket_once(desk, db):
    number = await register(desk, "三号楼电梯停在五层不动了")

    async def look_again():
        async with db.writing() as session:
            ticket = await tickets.find_visible(session, SYSTEM, number)
            return await repeats.look_again(session, ticket, clock.now(), None)

    looked = await asyncio.gather(*(look_again() for _ in range(3)))
    assert [each for each in looked if each is not None] == [[]]
