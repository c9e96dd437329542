"""One resident over several doors: joined on proof only, undone by a clerk, neighbours shown to clerks."""

from typing import Any

import pytest
from sqlalchemy import select

from channels.phone_call import normal_number
from core import clock, persons
from core import conversation as conversations
from core.conversation import Resident
from core.message import Address
from tests.service.house import House
from tests.service.test_pages import enter, link_for
from tests.service.test_quick_desk import open_page, send
from ticketing.staff import Actor


async def resident(house: House, channel: str, value: str, account: str = "web") -> int:
    """Somebody who wrote (or called) from this address."""
    async with house.db.writing() as session:
        talk = await conversations.find_or_open(session, Address(channel, value), account, clock.now())
        return talk.resident_id


async def registered(house: House, **fields: Any) -> tuple[str, int]:
    ticket = await house.register(**fields)
    return ticket["number"], ticket["resident"]["id"]


async def seen_by(house: House, resident_id: int) -> set[str]:
    """The tickets that this resident may see."""
    from ticketing import search

    actor = Actor("resident", frozenset({"resident"}), None, resident_id)
    async with house.db.reading() as session:
        found = await search.list_tickets(session, actor, {}, 50, None, clock.now())
        return {ticket.number for ticket in found.tickets}


async def test_two_who_are_one_see_both_their_tickets_until_they_are_parted(house: House):
    (first_number, first), (second_number, second) = await registered(house), await registered(house)
    (third_number, third) = await registered(house)
    assert await seen_by(house, first) == {first_number}
    told = await house.post(f"/residents/{first}/join", {"other": second, "proof": "按登记号码回拨核对"})
    assert [item["id"] for item in told["same_person"]] == [second]
    await house.post(f"/residents/{second}/join", {"other": third, "proof": "按登记号码回拨核对"})
    assert await seen_by(house, first) == {first_number, second_number, third_number}
    told = await house.post(f"/residents/{second}/part")
    assert told["same_person"] == []
    assert await seen_by(house, first) == {first_number, third_number}
    assert await seen_by(house, second) == {second_number}
    await house.post(f"/residents/{second}/part", status=409)


async def test_two_groups_that_are_joined_become_one(house: House):
    ids = [(await registered(house))[1] for _ in range(4)]
    for first, second in ((0, 1), (2, 3), (1, 2)):
        await house.post(f"/residents/{ids[first]}/join", {"other": ids[second], "proof": "证件核对"})
    told = await house.get(f"/residents/{ids[0]}")
    assert [item["id"] for item in told["same_person"]] == ids[1:]


@pytest.mark.parametrize(
    ("body", "who", "status"),
    [
        pytest.param({"other": 99999, "proof": "证件核对"}, "clerk", 422, id="nobody"),
        pytest.param({"other": 1, "proof": "证件核对"}, "clerk", 422, id="himself"),
        pytest.param({"other": 2}, "clerk", 422, id="no proof"),
        pytest.param({"other": 2, "proof": ""}, "clerk", 422, id="an empty proof"),
        pytest.param({"other": 2, "proof": "证件核对"}, "officer", 403, id="an officer"),
        pytest.param({"other": 2, "proof": "证件核对"}, None, 401, id="nobody asked"),
    ],
)
async def test_without_proof_nobody_is_joined(house: House, body: dict[str, Any], who: str | None, status: int):
    for _ in range(2):
        await registered(house)
    await house.post("/residents/1/join", body, who, status)
    assert (await house.get("/residents/1"))["same_person"] == []


async def test_a_confidential_resident_is_joined_with_nobody_and_a_report_s_is_unknown(house: House):
    (_, open_one), (_, hidden) = await registered(house), await registered(house, confidential=True)
    await house.post(f"/residents/{open_one}/join", {"other": hidden, "proof": "证件核对"}, status=403)
    number = (await house.register(kind="report", category=None))["number"]
    reporter = (await house.get(f"/tickets/{number}", "inspector"))["resident"]["id"]
    await house.get(f"/residents/{reporter}", status=404)
    await house.post(f"/residents/{open_one}/join", {"other": reporter, "proof": "证件核对"}, status=422)
    assert (await house.get(f"/residents/{open_one}"))["same_person"] == []


async def test_clerks_see_who_else_has_something_open_at_the_same_place(house: House):
    (_, first) = await registered(house, place="5号楼1202")
    (neighbour, second) = await registered(house, place="5号楼1202")
    await registered(house, place="6号楼")
    await registered(house, place="5号楼1202", confidential=True)
    told = (await house.get(f"/residents/{first}"))["others_at_address"]
    assert [(item["ticket"], item["resident"]) for item in told] == [(neighbour, second)]


async def test_a_number_that_was_called_from_joins_and_one_that_was_only_named_does_not(house: House):
    phone = normal_number("13800550123")
    caller = await resident(house, "phone", phone, "main")
    await registered(house, resident={"name": "冒名者", "phone": phone})  # says the number, proved nothing
    chatting = await resident(house, "webchat", "s-1")
    async with house.db.writing() as session:
        row = await session.get_one(Resident, chatting)
        row.phone, row.phone_digest = phone, house.db.keys.digest(phone)
        await session.flush()
        await persons.join_by_phone(session, row, "a code", clock.now())
    async with house.db.reading() as session:
        joined = (await session.scalars(select(Resident.id).where(Resident.person_id.is_not(None)))).all()
    assert set(joined) == {caller, chatting}


# In the console.


async def test_a_clerk_sees_neighbours_joins_on_proof_and_parts_again(house: House):
    first_number, first = await registered(house, place="3栋2单元")
    second_number, second = await registered(house, place="3栋2单元")
    await enter(house, await link_for(house, "cai", "clerk"))
    assert f"/staff/residents/{first}" in await open_page(house, f"/staff/tickets/{first_number}")
    page = await open_page(house, f"/staff/residents/{first}")
    assert second_number in page and "没有合并过" in page
    path = f"/staff/residents/{first}"
    unproven = await (await send(house, f"{path}/join", page, [("other", str(second)), ("proof", "")])).text()
    assert "凭什么认定" in unproven and "没有合并过" in unproven
    joined = await (await send(house, f"{path}/join", page, [("other", str(second)), ("proof", "回拨核对")])).text()
    assert "没有合并过" not in joined and second_number not in joined
    parted = await (await send(house, f"{path}/part", page, [])).text()
    assert "没有合并过" in parted


async def test_only_clerks_open_a_residents_page(house: House):
    number, one = await registered(house)
    await enter(house, await link_for(house, "su", "supervisor"))
    assert (await house.client.get(f"/staff/residents/{one}")).status == 403
    assert f"/staff/residents/{one}" not in await open_page(house, f"/staff/tickets/{number}")
