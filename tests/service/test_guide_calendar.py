"""A guide's dates are kept without anybody thinking of them, and its owner hears of them in time, once."""

from datetime import date, datetime, timedelta

import pytest

from core import clock
from knowledge_base import life
from knowledge_base.tables import GuideRow
from service import guide_calendar
from service.guide_calendar import find_due
from tests.knowledge_base.samples import sample
from ticketing import staff, staff_notices

TODAY = date(2026, 11, 25)
SAUNA = ("sauna", "汗蒸房预约", "桑拿", "property")


@pytest.mark.parametrize(
    ("valid_to", "checked_on", "kinds"),
    [
        pytest.param(TODAY + timedelta(days=31), TODAY, [], id="far away"),
        pytest.param(TODAY + timedelta(days=30), TODAY, ["valid_to"], id="a month before"),
        pytest.param(TODAY + timedelta(days=7), TODAY, ["soon"], id="a week before"),
        pytest.param(TODAY, TODAY, ["soon"], id="its last day"),
        pytest.param(TODAY - timedelta(days=1), TODAY, ["expired"], id="over"),
        pytest.param(None, TODAY - timedelta(days=365), ["checked_on"], id="not checked for a year"),
        pytest.param(None, TODAY - timedelta(days=364), [], id="checked within the year"),
        pytest.param(None, None, [], id="no dates"),
    ],
)
def test_what_is_due_follows_from_the_dates(valid_to, checked_on, kinds):
    row = GuideRow(valid_to=valid_to, checked_on=checked_on)
    assert [due.kind for due in find_due(row, TODAY, 30, 365)] == kinds


async def publish(house, **changed):
    front = "".join(f"{name}: {value}\n" for name, value in changed.items())
    async with house.db.writing() as session:
        row = await life.draft(session, sample(*SAUNA, front=front.strip()).guide, "chen", clock.now())
        await life.publish(session, row, "chen", clock.now())


async def words_to(house, name):
    async with house.db.writing() as session:
        await staff_notices.tell_waiting(session, house.runtime.office, clock.now())
        return [notice.text for notice, _ in await staff_notices.list_of(session, name, 50)]


async def test_the_owner_is_reminded_once_and_the_editors_where_the_owner_is_a_window(house):
    await publish(house, valid_to="2026-12-20")
    async with house.db.writing() as session:
        await staff.add(session, "chen", ["editor"], None, None, clock.now())
        await staff.add(session, "wu", ["clerk"], None, None, clock.now())
    for _ in range(2):
        await guide_calendar.run_calendar(house.runtime, clock.now())
    [told] = await words_to(house, "chen")
    assert "《汗蒸房预约》" in told and "2026-12-20" in told and await words_to(house, "wu") == []

    async def delivered():
        row = (await house.get("/outbox", "administrator"))["items"][0]
        return (row["recipient"], row["origin"], row["result"]) == ("staff:chen", "staff", "sent")

    house.runtime.news.notify("outbox")
    await house.until(delivered)
    house.move_clock("2026-12-15T10:00:00+08:00")
    await guide_calendar.run_calendar(house.runtime, clock.now())
    assert len(await words_to(house, "chen")) == 2


async def test_an_owner_who_is_a_member_of_staff_is_told_himself(house):
    await publish(house, valid_to="2026-12-20", owner="ou")
    async with house.db.writing() as session:
        for name in ("chen", "ou"):
            await staff.add(session, name, ["editor"], None, None, clock.now())
    await guide_calendar.run_calendar(house.runtime, clock.now())
    assert len(await words_to(house, "ou")) == 1 and await words_to(house, "chen") == []


async def test_what_was_scheduled_answers_and_what_is_over_expires_without_a_hand(house):
    await publish(house, valid_to="2026-12-20")
    async with house.db.writing() as session:
        row = await life.draft(session, sample(*SAUNA, fee="10元", front="valid_to: 2026-12-20").guide,
                               "chen", clock.now())
        await life.publish(session, row, "chen", clock.now(), datetime.fromisoformat("2026-12-01T08:00:00+08:00"))

    async def says(words):
        async def found():
            return words in (await house.post("/answers", {"question": "汗蒸房预约"}))["text"]

        await house.until(found)

    house.runtime.news.notify("guides")
    await says("不收费")
    house.move_clock("2026-12-01T08:00:30+08:00")
    await guide_calendar.run_calendar(house.runtime, clock.now())
    await says("10元")
    house.move_clock("2026-12-21T00:00:30+08:00")
    await guide_calendar.run_calendar(house.runtime, clock.now())
    assert (await house.get("/guides/sauna"))["status"] == "expired"
