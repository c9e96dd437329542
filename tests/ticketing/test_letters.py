"""Letters: numbered without a gap however many are written at once, in the office's own words, signed by number."""

import asyncio
import contextlib

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from core import clock
from core.errors import Conflict, Invalid
from tests.ticketing.conftest import CLERK, OFFICER, SUPERVISOR
from ticketing import letters, staff_numbers, tickets
from ticketing.letter_texts import Letters
from ticketing.model import Letter
from ticketing.staff import SYSTEM, Actor


async def read_letters(db, **which) -> list[Letter]:
    async with db.reading() as session:
        found = (await session.scalars(select(Letter).filter_by(**which).order_by(Letter.id))).all()
        session.expunge_all()
        return list(found)


async def test_letters_written_at_one_moment_have_each_a_number_and_none_is_left_out(desk, db):
    numbers = [await desk.register() for _ in range(12)]
    await asyncio.gather(*(desk.do(number, "accept") for number in numbers))
    assert sorted(item.ordinal for item in await read_letters(db, kind="acceptance")) == list(range(1, 13))


async def test_many_tickets_in_one_transaction_and_each_alone_do_not_stop_each_other(desk, db):
    """Who holds the register waits for no ticket that another holds who waits for the register."""
    numbers = [await desk.register() for _ in range(6)]

    async def accept_all() -> None:
        async with db.writing() as session:
            for number in numbers:
                with contextlib.suppress(Conflict):
                    async with session.begin_nested():
                        await tickets.perform(session, desk.office, CLERK, number, "accept", {}, None, clock.now())

    async def accept_one(number: str) -> None:
        with contextlib.suppress(Conflict):
            await desk.do(number, "accept")

    await asyncio.gather(accept_all(), *(accept_one(number) for number in reversed(numbers)))
    assert sorted(item.ordinal for item in await read_letters(db)) == list(range(1, 7))


async def test_a_verb_that_failed_uses_no_number_up(desk, db):
    number, other = await desk.register(), await desk.register()

    async def accept_and_fail() -> None:
        async with db.writing() as session:
            await tickets.perform(session, desk.office, CLERK, number, "accept", {}, None, clock.now())
            raise RuntimeError("the power is cut before the commit")

    with pytest.raises(RuntimeError):
        await accept_and_fail()
    await desk.do(other, "accept")
    assert [item.number for item in await read_letters(db)] == ["物服受字〔2026〕1号"]


async def test_each_year_begins_again_by_the_offices_clock(desk, db):
    from datetime import datetime, timedelta

    before = datetime(2026, 12, 31, 23, 59, tzinfo=clock.ZONE)
    async with db.writing() as session:
        for moment in (before, before + timedelta(minutes=1), before + timedelta(minutes=2)):
            ticket = await tickets.find_visible(session, SYSTEM, await _registered(session, desk))
            await letters.make(session, desk.office, CLERK, ticket, "acceptance", moment, {})
    assert [item.number for item in await read_letters(db)] == [
        "物服受字〔2026〕1号", "物服受字〔2027〕1号", "物服受字〔2027〕2号"]


async def _registered(session, desk) -> str:
    body = {"kind": "complaint", "description": "电梯又坏了"}
    return (await tickets.register(session, desk.office, CLERK, body, clock.now())).number


async def test_the_letter_keeps_the_words_of_its_day_and_tokens_in_place_of_numbers(desk, db):
    number = await desk.register(title="请打 13800550123")
    await desk.do(number, "accept")
    await desk.do(number, "amend", {"title": "换了标题"})
    (letter,) = await read_letters(db)
    assert "请打 <PHONE_1>" in letter.text and "换了标题" not in letter.text
    async with db.reading() as session:
        sheet = await letters.lay_out(session, desk.office, await session.get_one(Letter, letter.id))
    assert "请打 13800550123" in sheet.paragraphs[0] and sheet.addressee == "林小雨："


async def test_the_office_writes_its_own_title_mark_and_words_in_the_shipped_letters_places(desk, db, office):
    own = {"mark": "云", "texts": {"decline": {"title": "告知书", "text": "{title}：{reason}\n{promise}\n（{office}）"}}}
    preset = office.preset.model_copy(update={"letters": Letters.model_validate(own)})
    object.__setattr__(desk, "office", type(office)(preset=preset, name=office.name, tell=office.tell))
    number = await desk.register(title="电梯{坏}了")
    await desk.do(number, "decline", {"code": "other", "reason": "不归{我}管", "where_to": "居委会"})
    (letter,) = await read_letters(db)
    assert (letter.title, letter.number) == ("告知书", "云不受字〔2026〕1号")
    assert letter.text.splitlines()[0] == "电梯{坏}了：不归{我}管" and letter.text.endswith(f"（{office.name}）")


@pytest.mark.parametrize(
    "text", [pytest.param("{where_to}", id="a place of another letter"), pytest.param("{", id="an open brace"),
             pytest.param("{0}", id="a number"), pytest.param("{title.x}", id="an attribute")]
)
def test_a_preset_text_that_names_what_is_not_there_is_refused_with_what_there_is(text):
    with pytest.raises(ValidationError, match="registered"):
        Letters.model_validate({"texts": {"acceptance": {"text": text}}})


async def test_a_letter_is_signed_by_the_writers_number_which_stays_his(desk, db):
    for _ in range(2):
        number = await desk.register()
        await desk.do(number, "accept")
        await desk.do(number, "assign", {"department": "service"})
        await desk.do(number, "submit", {"findings": "upheld", "action_taken": "x", "reply": "好了"}, OFFICER)
        await desk.do(number, "approve", {}, SUPERVISOR)
    signed = [(item.kind, item.staff_number) for item in await read_letters(db)]
    clerk, officer = signed[0][1], signed[1][1]
    assert clerk and officer and clerk != officer
    assert signed == [("acceptance", clerk), ("reply", officer)] * 2


async def test_numbers_of_staff_are_given_once_and_never_to_two(db):
    zhou, wu = Actor("zhou", frozenset({"officer"}), None), Actor("wu", frozenset({"officer"}), None)
    async with db.writing() as session:
        await staff_numbers.give(session, "zhou", "0002")
        assert await staff_numbers.number_of(session, zhou) == "0002"
        assert await staff_numbers.number_of(session, wu) == "00002"
        assert await staff_numbers.number_of(session, SYSTEM) is None
        for name, number in (("zhou", "0003"), ("feng", "0002"), ("feng", "a b"), ("feng", "")):
            with pytest.raises(Invalid):
                async with session.begin_nested():
                    await staff_numbers.give(session, name, number)
