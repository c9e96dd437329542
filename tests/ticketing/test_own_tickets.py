"""Which of the office's tickets teach a category, on both databases, and what of their words is used."""

import pytest

from core import clock
from tests.ticketing.conftest import NEEDS_APPROVAL, OFFICER, Desk
from ticketing import tickets
from ticketing.own_tickets import AMENDED_WEIGHS, read_lessons, without_persons
from ticketing.second_reading import SecondReading, put_right
from ticketing.staff import SYSTEM


async def lessons_of(desk):
    async with desk.db.reading() as session:
        return await read_lessons(session, desk.office.preset)


@pytest.fixture
def desk(db, office):
    return Desk(db, office)


async def test_closed_tickets_teach_and_amended_ones_count_more_whether_closed_or_not(desk):
    await desk.bring_to("closed")
    await desk.bring_to("in_progress")
    put_right = await desk.register(description="快递柜柜门弹不开")
    await desk.do(put_right, "amend", {"category": "repairs-public"}, OFFICER)
    found = {lesson.category: lesson.weight for lesson in (await lessons_of(desk)).items}
    assert found == {NEEDS_APPROVAL: 1.0, "repairs-public": AMENDED_WEIGHS}


async def test_an_amendment_of_something_else_confirms_no_category(desk):
    number = await desk.register()
    await desk.do(number, "amend", {"place": "6栋"}, OFFICER)
    assert (await lessons_of(desk)).items == []


async def test_what_the_service_itself_reads_anew_of_a_call_teaches_nothing(desk):
    number = await desk.register(SYSTEM)
    reading = SecondReading({"category": "repairs-public", "urgency": "routine"}, [], [], "again")
    async with desk.db.writing() as session:
        ticket = await tickets.find_visible(session, OFFICER, number)
        assert await put_right(session, desk.office, ticket, reading, clock.now())
    assert (await desk.find(number)).category == "repairs-public"
    assert (await lessons_of(desk)).items == []


async def test_the_same_tickets_have_the_same_digest_and_any_change_another(desk):
    number = await desk.register(description="快递柜柜门弹不开")
    digests = []
    for category in ("repairs-public", "cleaning-waste", "repairs-public"):
        await desk.do(number, "amend", {"category": category}, OFFICER)
        digests.append((await lessons_of(desk)).digest)
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize(
    ("title", "description", "words"),
    [
        ("电梯坏了", "电梯坏了，电话13800550123", "电梯坏了，电话"),
        ("电梯坏了", "请回<PHONE_1>或 lin@example.org", "电梯坏了\n请回或"),
        ("费用", "卡号6222021234567890128被扣", "费用\n卡号被扣"),
        ("", "", ""),
    ],
)
def test_no_number_of_a_person_is_learnt_from(title, description, words):
    assert without_persons(title, description) == words
