"""A call that came while the assistant was away is heard again when it is back, unless a clerk has its ticket in hand."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from core.queues import Inbox
from service import second_hearing
from service.assistant import MOMENT_MARK
from service.second_hearing import UnheardCall
from tests.service.house import WORKDAY, House
from tests.service.reading import read
from tests.service.test_calls import bring, call, ticket_of
from ticketing.clocks import Clock
from ticketing.staff_notices import StaffNotice

LAMP = ("您好", "昨天晚上开始，春晖苑三栋二单元的灯不亮了")


def come_back(house: House, intent: str | None = None) -> None:
    """The assistant is there again and reads what has a form; `intent`: what it takes a story for that is no danger."""

    def understand(said: str) -> dict[str, Any]:
        found = read(said.partition(MOMENT_MARK)[0], datetime.fromisoformat(WORKDAY))
        return found | ({"intent": {"name": intent, "confidence": 0.9}} if intent and not found["intent"] else {})

    house.rasa.read, house.rasa.is_away = understand, False


async def waiting(house: House) -> int:
    async with house.db.reading() as session:
        return int(await session.scalar(select(func.count()).select_from(UnheardCall)) or 0)


async def test_place_time_and_kind_arrive_on_the_ticket_when_the_assistant_is_back(exchange: House):
    await bring(exchange, call(*LAMP))
    before = await ticket_of(exchange)
    assert before["happened_at"] is None and before["state"] == "registered" and "time" in before["missing"]
    come_back(exchange, "complain")

    async def heard() -> Any:
        ticket = await ticket_of(exchange)
        return ticket if ticket["version"] > before["version"] else None

    ticket = await exchange.until(heard)  # The service's own loop did it.
    assert ticket["place"] == "春晖苑3栋2单元" and ticket["happened_at"].startswith("2026-11-24")
    assert ticket["kind"] == "complaint" != before["kind"] and "time" not in ticket["missing"]
    assert {item["name"] for item in ticket["elements"]} >= {"place", "time", "matter"}
    last = (await exchange.get(f"/tickets/{ticket['number']}"))["transitions"][-1]
    assert (last["actor"], last["verb"]) == ("system", "amend")
    assert last["changes"]["kind"] == [before["kind"], "complaint"]
    assert await waiting(exchange) == 0


async def test_each_matter_of_the_call_gets_what_was_said_of_it(exchange: House):
    await bring(exchange, call("您好", "昨天下午4栋的电梯坏了", "好的，还有别的问题吗", "还有一件事，今天早上北门的垃圾没人收"))

    async def both() -> Any:
        items = (await exchange.get("/tickets?call_id=c-1"))["items"]
        return items if len(items) == 2 else None

    assert all(item["happened_at"] is None for item in await exchange.until(both))
    come_back(exchange)
    await second_hearing.hear_again(exchange.runtime)
    second, first = await both()
    assert first["place"] == "4栋" and first["happened_at"].startswith("2026-11-24")
    assert second["happened_at"].startswith("2026-11-25") and "北门" in second["place"]


async def test_danger_that_only_the_assistant_sees_is_an_emergency_told_at_once(exchange: House):
    await bring(exchange, call("您好", "五栋这边情况不太好，你们快来看看"))
    before = await ticket_of(exchange)
    assert before["urgency"] != "emergency"
    come_back(exchange, "report_emergency")
    await second_hearing.hear_again(exchange.runtime)
    ticket = await ticket_of(exchange)
    assert (ticket["urgency"], ticket["kind"]) == ("emergency", "request")
    async with exchange.db.reading() as session:
        told = (await session.scalars(select(StaffNotice.text))).all()
        due = (await session.scalars(select(Clock.due_at).where(Clock.stopped_at.is_(None)))).all()
    assert any("险情" in text and ticket["number"] in text for text in told)
    first = {item["name"]: item["due_at"] for item in before["clocks"]}
    assert due and any(item["due_at"] < first.get(item["name"], "9") for item in ticket["clocks"])


async def test_an_alarm_is_not_taken_back_by_the_second_hearing(exchange: House):
    await bring(exchange, call("您好", "快来人，我家厨房着火了"))
    number = (await ticket_of(exchange))["number"]
    exchange.rasa.read, exchange.rasa.is_away = (lambda _text: {"intent": {"name": "ask_guide", "confidence": 0.9}}), False
    await second_hearing.hear_again(exchange.runtime)
    ticket = await exchange.get(f"/tickets/{number}")
    assert (ticket["urgency"], ticket["kind"]) == ("emergency", "request") and await waiting(exchange) == 0


@pytest.mark.parametrize(("verb", "body"), [
    ("amend", {"place": "6栋"}), ("confirm", {"elements": [{"name": "place", "value": "6栋"}]}), ("note", {"text": "已回电"}),
    ("accept", {}),
], ids=lambda value: value if isinstance(value, str) else "")
async def test_a_ticket_that_a_clerk_has_in_hand_is_left_as_he_left_it(exchange: House, verb: str, body: dict[str, Any]):
    await bring(exchange, call(*LAMP))
    number = (await ticket_of(exchange))["number"]
    await exchange.do(number, verb, **body)
    left = await exchange.get(f"/tickets/{number}")
    come_back(exchange, "complain")
    await second_hearing.hear_again(exchange.runtime)
    ticket = await exchange.get(f"/tickets/{number}")
    assert {name: ticket[name] for name in ("version", "kind", "place", "happened_at", "elements", "missing")} == {
        name: left[name] for name in ("version", "kind", "place", "happened_at", "elements", "missing")}
    assert await waiting(exchange) == 0, "nothing is left to be done for it"


async def test_a_clerk_who_read_the_ticket_before_the_second_hearing_is_told_that_it_changed(exchange: House):
    await bring(exchange, call(*LAMP))
    ticket = await ticket_of(exchange)
    come_back(exchange, "complain")
    await second_hearing.hear_again(exchange.runtime)
    answer = await exchange.call("POST", f"/tickets/{ticket['number']}/confirm", body={}, If_Match=f'"{ticket["version"]}"')
    assert answer.status == 412


async def test_an_assistant_that_goes_away_in_the_middle_leaves_the_call_to_be_heard_later(exchange: House):
    await bring(exchange, call(*LAMP))
    before = await ticket_of(exchange)
    come_back(exchange, "complain")
    understand = exchange.rasa.read

    def fall_away(said: str) -> dict[str, Any]:
        exchange.rasa.is_away = True
        return understand(said)

    exchange.rasa.read = fall_away
    await second_hearing.hear_again(exchange.runtime)
    assert (await ticket_of(exchange))["version"] == before["version"] and await waiting(exchange) == 1
    exchange.rasa.read, exchange.rasa.is_away = understand, False
    await second_hearing.hear_again(exchange.runtime)
    assert (await ticket_of(exchange))["happened_at"] and await waiting(exchange) == 0


async def test_a_hearing_that_breaks_off_before_its_end_changes_nothing_and_is_made_again(
    exchange: House, monkeypatch: pytest.MonkeyPatch
):
    await bring(exchange, call(*LAMP))
    before = await ticket_of(exchange)
    come_back(exchange, "complain")

    async def die(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr("ticketing.second_reading.search.index", die)  # The last step before the commit.
        with pytest.raises(asyncio.CancelledError):
            await second_hearing.hear_again(exchange.runtime)
    assert (await ticket_of(exchange)) == before | {"clocks": (await ticket_of(exchange))["clocks"]}
    assert await waiting(exchange) == 1
    await second_hearing.hear_again(exchange.runtime)
    assert (await ticket_of(exchange))["happened_at"] and await waiting(exchange) == 0


async def test_two_who_hear_it_at_once_make_one_change_and_no_second_ticket(exchange: House):
    await bring(exchange, call(*LAMP))
    before = await ticket_of(exchange)
    come_back(exchange, "complain")
    await asyncio.gather(*[second_hearing.hear_again(exchange.runtime) for _ in range(3)])
    assert (await ticket_of(exchange))["version"] == before["version"] + 1  # ticket_of counts them too.


async def test_what_cannot_be_understood_is_left_to_the_clerk_and_keeps_no_other_call_waiting(exchange: House):
    await bring(exchange, call(*LAMP))
    await bring(exchange, call("您好", "昨天晚上南门的路灯坏了", call_id="c-2"))
    first, second = await ticket_of(exchange), await ticket_of(exchange, "c-2")
    come_back(exchange)
    understand = exchange.rasa.read
    broken = {"entities": [{"entity": "time", "from": "never"}], "intent": {}}
    exchange.rasa.read = lambda said: broken if "不亮" in said else understand(said)
    await second_hearing.hear_again(exchange.runtime)
    assert (await ticket_of(exchange))["version"] == first["version"]
    assert (await ticket_of(exchange, "c-2"))["version"] > second["version"] and await waiting(exchange) == 0


async def test_a_call_that_the_assistant_heard_is_not_heard_again(exchange: House):
    come_back(exchange)
    await bring(exchange, call(*LAMP))
    await ticket_of(exchange)
    assert await waiting(exchange) == 0
    async with exchange.db.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Inbox)) == 1
