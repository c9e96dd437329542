"""Visits for repairs: a worker is in one place, a price is agreed first, and the resident is told little and truly."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.errors import Conflict, Invalid, Stale
from core.queues import Outbox, Status
from tests.ticketing.conftest import CLERK, OFFICER, Desk
from ticketing import handover, staff, tickets, visit_desk
from ticketing.model import Ticket
from ticketing.roster import Absence
from ticketing.staff import SYSTEM
from ticketing.staff_notices import StaffNotice
from ticketing.visit_bodies import Finish, Move, Price, PriceAnswer, Solved, Why, Window
from ticketing.visits import Visit

NOW = datetime(2026, 11, 25, 10, tzinfo=clock.ZONE)
"""A Wednesday."""
NINE = datetime(2026, 11, 27, 9, tzinfo=clock.ZONE)


def window(hours: float = 0, long: float = 2, worker: str = "ma", model: type = Window):
    begin = NINE + timedelta(hours=hours)
    return model(starts_at=begin, ends_at=begin + timedelta(hours=long), worker=worker)


class Repairs:
    """Drives visits, one transaction each, at a moment of its own."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.db, self.now = desk, desk.db, NOW

    async def ticket(self, **fields) -> str:
        number = await self.desk.register(kind="request", category="repairs-plumbing", title="水管漏水", **fields)
        await self.desk.do(number, "accept")
        await self.desk.do(number, "assign", {"department": "engineering"})
        return number

    async def plan(self, number: str, body) -> int:
        async with self.db.writing() as session:
            ticket = await tickets.find_visible(session, SYSTEM, number)
            return (await visit_desk.plan(session, self.desk.office, OFFICER, ticket, body, self.now)).id

    async def do(self, visit_id: int, what: str, body=None, actor=OFFICER, if_match=None) -> None:
        async with self.db.writing() as session:
            visit, ticket = await visit_desk.find(session, SYSTEM, visit_id)
            deed = visit_desk.Deed(session, self.desk.office, actor, visit, ticket, body, self.now, if_match)
            await getattr(visit_desk, what)(deed)

    async def read(self, visit_id: int) -> Visit:
        async with self.db.reading() as session:
            visit = await session.get_one(Visit, visit_id)
            session.expunge(visit)
            return visit

    async def remind(self, moment: datetime) -> list[str]:
        """What is said by the reminders of this moment."""
        before = len(self.told)
        async with self.db.writing() as session:
            await visit_desk.remind_due(session, self.desk.office, moment)
        return [text for _, _, text in self.told[before:]]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return self.desk.office.tell.told

    async def send(self) -> None:
        """The delivery worker says what waits."""
        async with self.db.writing() as session:
            for row in await session.scalars(select(Outbox).where(Outbox.status == Status.TODO)):
                row.status = Status.DONE

    async def waiting(self) -> list[str]:
        async with self.db.reading() as session:
            rows = await session.scalars(select(Outbox).where(Outbox.status == Status.TODO).order_by(Outbox.id))
            return [row.text for row in rows if "上门" in row.text]


@pytest.fixture
async def repairs(desk) -> AsyncIterator[Repairs]:
    async with desk.db.writing() as session:
        for name in ("ma", "tang"):
            await staff.add(session, name, ["officer"], "engineering", None, clock.now())
        await staff.add(session, "an", ["officer"], "security", None, clock.now())
        await staff.add(session, "shen", ["auditor"], None, None, clock.now())
    yield Repairs(desk)


async def test_the_resident_is_told_when_and_which_number_comes_and_never_the_name(repairs):
    visit = await repairs.read(await repairs.plan(await repairs.ticket(), window()))
    text = repairs.told[-1][2]
    assert "11月27日（周五）09:00–11:00" in text and f"工号 {visit.worker_number}" in text
    assert "ma" not in text.split("http")[0].replace(visit.worker_number, "")


@pytest.mark.parametrize(
    ("other", "is_free"),
    [pytest.param(window(), False, id="the same"), pytest.param(window(1), False, id="overlapping its end"),
     pytest.param(window(-1), False, id="overlapping its beginning"),
     pytest.param(window(0.5, 0.5), False, id="inside"), pytest.param(window(-1, 6), False, id="around"),
     pytest.param(window(2), True, id="after"), pytest.param(window(-2), True, id="before"),
     pytest.param(window(0, worker="tang"), True, id="another worker")],
)
async def test_a_worker_is_in_one_place_at_a_time(repairs, other, is_free):
    first, second = await repairs.ticket(), await repairs.ticket()
    await repairs.plan(first, window())
    with contextlib.nullcontext() if is_free else pytest.raises(Conflict, match="elsewhere"):
        await repairs.plan(second, other)


async def test_of_ten_plans_for_one_hour_at_one_moment_one_is_made(repairs):
    numbers = [await repairs.ticket() for _ in range(10)]

    async def try_to(number: str) -> bool:
        try:
            await repairs.plan(number, window())
        except Conflict:
            return False
        return True

    assert sum(await asyncio.gather(*(try_to(number) for number in numbers))) == 1


async def test_two_visits_moved_to_one_hour_at_one_moment_do_not_both_get_it(repairs):
    first = await repairs.plan(await repairs.ticket(), window())
    second = await repairs.plan(await repairs.ticket(), window(4))

    async def move(visit_id: int) -> bool:
        try:
            await repairs.do(visit_id, "move", window(24, model=Move))
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(move(first), move(second))) == [False, True]


async def test_a_cancelled_or_missed_visit_leaves_its_worker_free(repairs):
    for deed in ("cancel", "miss"):
        await repairs.do(await repairs.plan(await repairs.ticket(), window()), deed, Why(reason="没人"))
    assert await repairs.plan(await repairs.ticket(), window())


@pytest.mark.parametrize(
    ("body", "error"),
    [pytest.param(window(worker="shen"), Invalid, id="no officer"), pytest.param(window(worker="an"), Invalid, id="of another unit"),
     pytest.param(window(worker="nobody"), Invalid, id="unknown"), pytest.param(window(-96), Invalid, id="over")],
)
async def test_who_cannot_come_is_not_planned(repairs, body, error):
    with pytest.raises(error):
        await repairs.plan(await repairs.ticket(), body)


async def test_who_is_away_is_not_planned_and_whom_it_is_about_neither(repairs):
    number = await repairs.ticket()
    async with repairs.db.writing() as session:
        session.add(Absence(name="ma", deputy=None, starts_at=NINE, ends_at=NINE + timedelta(days=1), made_by="cai"))
    with pytest.raises(Conflict, match="away"):
        await repairs.plan(number, window())
    with pytest.raises(Conflict, match="about"):
        await repairs.plan(await repairs.ticket(about={"staff": "tang"}), window(worker="tang"))


async def test_a_visit_needs_a_request_that_is_in_progress(repairs):
    with pytest.raises(Conflict, match="in_progress"):
        await repairs.plan(await repairs.desk.register(kind="request"), window())
    with pytest.raises(Conflict, match="kind"):
        await repairs.plan(await repairs.desk.bring_to("in_progress"), window())


async def test_what_was_not_said_yet_is_said_once_as_it_is_now(repairs):
    visit = await repairs.plan(await repairs.ticket(), window())
    await repairs.do(visit, "move", window(4, model=Move))
    (text,) = await repairs.waiting()
    assert "13:00–15:00" in text and "改期" not in text
    await repairs.do(visit, "cancel", Why(reason="管道公司先修"))
    assert await repairs.waiting() == []


async def test_what_was_said_is_corrected(repairs):
    visit = await repairs.plan(await repairs.ticket(), window())
    await repairs.send()
    await repairs.do(visit, "move", window(4, model=Move))
    await repairs.send()
    await repairs.do(visit, "cancel", Why(reason="管道公司先修。"))
    assert "上门改期" in repairs.told[-2][2]
    assert "取消：管道公司先修。需要时" in repairs.told[-1][2]


async def test_the_reminder_comes_on_the_day_before_once_and_never_at_night(repairs):
    await repairs.plan(await repairs.ticket(), window())
    day_before = NINE - timedelta(days=1)
    assert await repairs.remind(day_before.replace(hour=3)) == []
    (text,) = await repairs.remind(day_before.replace(hour=10))
    assert "【提醒】" in text
    assert await repairs.remind(day_before.replace(hour=11)) == []


async def test_who_was_told_on_the_day_before_is_not_reminded_and_who_is_not_visited_neither(repairs):
    cancelled = await repairs.plan(await repairs.ticket(), window())
    await repairs.send()
    await repairs.do(cancelled, "cancel", Why(reason="改约"))
    repairs.now = NINE - timedelta(days=1, hours=1)
    await repairs.plan(await repairs.ticket(), window(2))
    assert await repairs.remind(repairs.now.replace(hour=19)) == []


async def test_work_is_not_finished_before_the_resident_said_yes_to_its_price(repairs):
    visit = await repairs.plan(await repairs.ticket(), window())
    done = Finish(done="换了阀门", without_photograph="居民不愿拍照")
    await repairs.do(visit, "arrive")
    with pytest.raises(Conflict, match="no price"):
        await repairs.do(visit, "answer_price", PriceAnswer(agreed=True, how="当面"))
    await repairs.do(visit, "offer_price", Price(amount="120.5", what_for="阀门和人工"))
    assert "阀门和人工，收费 120.50 元" in repairs.told[-1][2]
    with pytest.raises(Conflict, match="not agreed"):
        await repairs.do(visit, "finish", done)
    await repairs.do(visit, "answer_price", PriceAnswer(agreed=False, how="当面说太贵"))
    with pytest.raises(Conflict, match="not agreed"):
        await repairs.do(visit, "finish", done)
    await repairs.do(visit, "offer_price", Price(amount="80", what_for="阀门"))
    assert (await repairs.read(visit)).price_agreed is None
    await repairs.do(visit, "answer_price", PriceAnswer(agreed=True, how="当面同意"))
    with pytest.raises(Conflict, match="already"):
        await repairs.do(visit, "answer_price", PriceAnswer(agreed=False, how="反悔"))
    await repairs.do(visit, "finish", done)
    found = await repairs.read(visit)
    assert (found.status, found.price_fen, found.price_answer) == ("finished", 8000, "当面同意")


async def test_a_finished_work_shows_a_photograph_or_says_why_there_is_none(repairs):
    visit = await repairs.plan(await repairs.ticket(), window())
    with pytest.raises(Conflict, match="planned"):
        await repairs.do(visit, "finish", Finish(done="x", without_photograph="y"))
    await repairs.do(visit, "arrive")
    with pytest.raises(Invalid, match="photograph"):
        await repairs.do(visit, "finish", Finish(done="换了阀门"))
    with pytest.raises(Invalid, match="uploaded"):
        await repairs.do(visit, "finish", Finish(done="换了阀门", attachments=[999]))


async def test_the_short_path_submits_with_the_visit_and_the_reply_goes_out(repairs):
    number = await repairs.ticket()
    visit = await repairs.plan(number, window())
    await repairs.do(visit, "arrive")
    await repairs.do(visit, "finish", Finish(done="换了阀门", without_photograph="居民不愿", reply="阀门已换好，不再漏水。"))
    assert (await repairs.desk.find(number)).state == "approved"
    assert "阀门已换好" in repairs.told[-1][2]


async def test_a_finish_whose_reply_cannot_be_submitted_finishes_nothing(repairs):
    number = await repairs.ticket()
    visit = await repairs.plan(number, window())
    await repairs.do(visit, "arrive")
    await repairs.desk.do(number, "submit", {"action_taken": "x", "reply": "好了"}, OFFICER)
    with pytest.raises(Conflict):
        await repairs.do(visit, "finish", Finish(done="换", without_photograph="无", reply="好了"))
    assert (await repairs.read(visit)).status == "arrived"


async def test_the_residents_word_is_kept_once_and_is_the_follow_up_where_the_reply_reached_him(repairs):
    number = await repairs.ticket()
    visit = await repairs.plan(number, window())
    await repairs.do(visit, "arrive")
    await repairs.do(visit, "finish", Finish(done="换了阀门", without_photograph="居民不愿", reply="阀门已换好。"))
    await repairs.desk.deliver(number)
    await repairs.do(visit, "say_solved", Solved(solved=False, comment="又漏了"), CLERK)
    with pytest.raises(Conflict, match="already"):
        await repairs.do(visit, "say_solved", Solved(solved=True), CLERK)
    ticket = await repairs.desk.find(number)
    assert (ticket.state, ticket.solved) == ("followed_up", False)


async def test_a_stale_reader_changes_nothing_and_of_two_at_once_one_is_refused(repairs):
    visit = await repairs.plan(await repairs.ticket(), window())
    with pytest.raises(Stale):
        await repairs.do(visit, "set_out", if_match=7)

    async def try_to(what: str) -> bool:
        try:
            await repairs.do(visit, what, Why(reason="x"))
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(try_to("miss"), try_to("cancel"))) == [False, True]


async def test_a_ticket_that_goes_another_way_has_no_visitor(repairs):
    withdrawn, returned = await repairs.ticket(), await repairs.ticket()
    first, second = await repairs.plan(withdrawn, window()), await repairs.plan(returned, window(3))
    await repairs.send()
    await repairs.desk.do(withdrawn, "withdraw")
    await repairs.desk.do(returned, "request_return", {"reason": "属燃气公司"}, OFFICER)
    await repairs.desk.do(returned, "grant_return")
    assert [(await repairs.read(item)).status for item in (first, second)] == ["cancelled", "cancelled"]
    told = [text for _, _, text in repairs.told if "上门取消" in text]
    assert len(told) == 1 and returned in told[0]


async def test_who_hands_over_his_work_leaves_no_resident_waiting_unnoticed(repairs, db):
    number = await repairs.ticket()
    visit = await repairs.plan(number, window())
    async with db.writing() as session:
        await handover.hand_over(session, repairs.desk.office, SYSTEM, "ma", "tang", "调岗", NOW)
    async with db.reading() as session:
        notices = (await session.scalars(select(StaffNotice).where(StaffNotice.whom == "tang"))).all()
    assert [number in item.text and "09:00–11:00" in item.text for item in notices].count(True) == 1
    await repairs.do(visit, "move", window(worker="tang", model=Move))
    assert (await repairs.read(visit)).worker == "tang"


@pytest.mark.parametrize("amount", ["-5", "0.001", "1e3", "abc", "", "12345678"])
def test_a_price_is_an_amount_in_yuan(amount):
    with pytest.raises(ValueError, match="amount"):
        Price(amount=amount, what_for="x")


async def test_personal_numbers_in_what_was_done_are_stored_as_tokens(repairs, db):
    visit = await repairs.plan(await repairs.ticket(), window())
    await repairs.do(visit, "arrive")
    await repairs.do(visit, "finish", Finish(done="物业 13800550177 在场", without_photograph="无"))
    async with db.reading() as session:
        found = await session.get_one(Visit, visit)
        assert "13800550177" not in (found.done or "") and (await session.scalar(select(Ticket.kind))) == "request"
