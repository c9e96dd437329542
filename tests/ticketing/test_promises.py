"""Dated promises of a draft reply: found with the right day, and nothing else taken for one."""

from datetime import date

import pytest
from sqlalchemy import select

from benchmarks.promises import DRAFTED, measure, read_labels
from core.errors import Conflict, Invalid
from tests.ticketing.conftest import CLERK, OFFICER, SUBMISSION, SUPERVISOR
from ticketing.dates import MOST_WORDS
from ticketing.model import Measure
from ticketing.preset import load_preset
from ticketing.promises import find_promises

HOURS = load_preset("hall").hours()
ROWS = list(read_labels())


def days(text: str, on: date = DRAFTED) -> list[str]:
    return [found.due_on.isoformat() for found in find_promises(text, on, HOURS)]


def test_what_replies_promise_is_found_and_little_else():
    """On the half that nothing was tuned on; recall ≥ .95, precision ≥ .90."""
    found = measure([row for row in ROWS if not row.tune], HOURS)
    assert found.recall >= 0.95, found.missed
    assert found.precision >= 0.90, found.false


def test_the_labels_are_many_and_about_half_of_them_promise_nothing():
    assert len(ROWS) >= 117 and len({row.name for row in ROWS}) == len(ROWS)
    assert 0.3 < sum(not row.promises for row in ROWS) / len(ROWS) < 0.6


@pytest.mark.parametrize(
    ("text", "on", "due"),
    [
        pytest.param("我们3个工作日内办好。", date(2026, 9, 29), "2026-10-09", id="over the national holiday"),
        pytest.param("我们3个工作日内办好。", date(2026, 10, 8), "2026-10-12", id="over a Saturday that is worked"),
        pytest.param("一个月内办好。", date(2027, 1, 31), "2027-02-28", id="a month that has no such day"),
        pytest.param("月底前办好。", date(2028, 2, 3), "2028-02-29", id="a leap year"),
        pytest.param("1月10日前办好。", date(2026, 12, 20), "2027-01-10", id="the next year"),
        pytest.param("本周五前办好。", date(2026, 11, 27), "2026-11-27", id="on that Friday itself"),
        pytest.param("周一办好。", date(2026, 11, 27), "2026-11-30", id="the Monday to come"),
        pytest.param("计划于12月3日（周四）前更换。", DRAFTED, "2026-12-03", id="with its weekday"),
    ],
)
def test_a_day_is_counted_in_the_office_s_calendar(text: str, on: date, due: str):
    assert days(text, on) == [due]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("13月40日前办好。", id="no such day"),
        pytest.param("2月30日前办好。", id="no such day of February"),
        pytest.param("０日内办好", id="no length at all"),
        pytest.param("9999年12月31日起，" * 50, id="the end of the calendar"),
        pytest.param("3号楼、7号线、12号门的灯都修好了。", id="names with numbers"),
        pytest.param("，。；！" * 200, id="signs alone"),
    ],
)
def test_what_names_no_day_promises_nothing(text: str):
    assert days(text) == []


def test_what_is_promised_is_said_without_the_day_and_quoted_with_it():
    (found,) = find_promises("您好。电梯门机已订货，3个工作日内更换完毕。谢谢。", DRAFTED, HOURS)
    assert found.what == "电梯门机已订货，更换完毕"
    assert found.quote == "电梯门机已订货，3个工作日内更换完毕"


def test_one_day_said_twice_in_a_sentence_is_one_promise():
    assert days("定于今晚（11月25日）7点半开协调会。") == ["2026-11-25"]


def test_a_long_letter_is_read_in_a_moment_however_it_is_written():
    assert days("3" * 20_000) == days("十" * 20_000) == days("至" * 20_000) == []
    assert 0 < len(days("我们3日内修好" * 2_800)) <= MOST_WORDS


def test_a_sign_far_away_says_nothing_of_a_promise():
    """A quotation that is never closed, or opened a page before, makes no word the resident's."""
    far = "这里写了很多别的情况" * 40
    assert days(f"您说“电梯坏了。{far}。我们12月3日前更换。") == ["2026-12-03"]


# What becomes of a promise


async def promise(desk, count: int = 1) -> tuple[str, list[int]]:
    """A delivered reply that promises so many things; their ids."""
    number = await desk.bring_to("in_progress")
    measures = [{"what": f"更换{which}号灯", "due_on": "2027-01-31"} for which in range(count)]
    await desk.do(number, "submit", SUBMISSION | {"measures": measures}, OFFICER)
    await desk.do(number, "approve", {}, SUPERVISOR)
    await desk.deliver(number)
    async with desk.db.reading() as session:
        return number, list(await session.scalars(select(Measure.id).order_by(Measure.id)))


async def test_a_promise_kept_is_told_with_its_proof_and_the_resident_is_asked(desk, tell):
    number, (kept, other) = await promise(desk, 2)
    await desk.do(number, "fulfil", {"measure": kept, "note": "0号灯已换，附照片"}, OFFICER)
    _, origin, text = tell.told[-1]
    assert origin == "progress" and "更换0号灯" in text and "0号灯已换，附照片" in text and "是这样吗？" in text
    async with desk.db.reading() as session:
        rows = {row.id: row for row in await session.scalars(select(Measure))}
    assert rows[kept].fulfilled_at and rows[kept].proof == "0号灯已换，附照片" and rows[other].fulfilled_at is None
    with pytest.raises(Conflict, match="fulfilled already"):
        await desk.do(number, "fulfil", {"measure": kept, "note": "又一次"}, OFFICER)


async def test_a_promise_is_kept_after_the_ticket_was_closed_and_not_without_proof(desk):
    number, (kept,) = await promise(desk)
    await desk.do(number, "close", {}, OFFICER)
    with pytest.raises(Invalid, match="note"):
        await desk.do(number, "fulfil", {"measure": kept}, OFFICER)
    assert await desk.do(number, "fulfil", {"measure": kept, "note": "已换"}, OFFICER) == "closed"


async def test_a_resident_who_says_that_it_is_not_so_is_a_reason_to_redo(desk):
    number, (kept,) = await promise(desk)
    await desk.do(number, "fulfil", {"measure": kept, "note": "已换"}, OFFICER)
    assert await desk.do(number, "redo", {"reason": "居民说没换"}, CLERK) == "in_progress"
