"""What an office may set about its verbs: countersigned refusals, signing for tickets; and the archive at the end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.errors import Conflict, Forbidden
from tests.ticketing.conftest import CLERK, OFFICER, SUPERVISOR, Desk
from ticketing import sla, tickets
from ticketing.model import Ticket, TicketNumber
from ticketing.staff import SYSTEM, Actor
from ticketing.staff_notices import StaffNotice
from ticketing.views import describe

REFUSAL = {"code": "out_of_area", "reason": "不在本小区，王先生13800551234已知", "where_to": "请找社区"}
BOTH = Actor("both", frozenset({"clerk", "supervisor"}), None)


@pytest.fixture
def strict(desk: Desk) -> Desk:
    """An office in which a supervisor countersigns refusals."""
    desk.office = replace(desk.office, decline_countersigned=True)
    return desk


async def read(desk: Desk, number: str, actor: Actor) -> dict:
    async with desk.db.writing() as session:
        ticket = await tickets.find_visible(session, actor, number)
        return await describe(session, desk.office, actor, ticket, clock.now())


async def test_a_refusal_waits_for_the_supervisor_and_the_resident_hears_nothing_before(strict, tell):
    number = await strict.register()
    assert await strict.do(number, "decline", REFUSAL) == "registered"
    assert tell.told == []
    ticket = await read(strict, number, SUPERVISOR)
    assert ticket["decline_asked"]["code"] == "out_of_area" and {"decline", "send_back"} <= set(ticket["allowed"])
    resident = Actor("resident", frozenset({"resident"}), None, (await strict.find(number)).resident_id)
    seen = await read(strict, number, resident)
    assert [item["verb"] for item in seen["transitions"]] == ["register"] and seen["decline_asked"] is None
    async with strict.db.reading() as session:
        running = await sla.running_names(session, [(await strict.find(number)).id])
    assert "accept" in running[(await strict.find(number)).id], "the limit to accept or decline runs on"
    assert await strict.do(number, "decline", REFUSAL | {"reason": "不在本小区"}, SUPERVISOR) == "declined"
    assert [origin for _, origin, _ in tell.told] == ["decline"] and "不在本小区" in tell.told[0][2]


async def test_who_proposed_it_does_not_countersign_it_nor_does_another_clerk(strict):
    number = await strict.register()
    await strict.do(number, "decline", REFUSAL, BOTH)
    for actor in (BOTH, CLERK):
        with pytest.raises(Forbidden, match="countersignature"):
            await strict.do(number, "decline", REFUSAL, actor)
    assert "decline" not in (await read(strict, number, BOTH))["allowed"]
    assert await strict.do(number, "decline", REFUSAL, SUPERVISOR) == "declined"


async def test_a_refusal_that_is_sent_back_leaves_the_ticket_to_the_desk(strict, tell):
    number = await strict.register()
    await strict.do(number, "decline", REFUSAL)
    assert await strict.do(number, "send_back", {"reason": "归我们管"}, SUPERVISOR) == "registered"
    with pytest.raises(Conflict, match="nothing waits"):
        await strict.do(number, "send_back", {"reason": "再退"}, SUPERVISOR)
    assert "send_back" not in (await read(strict, number, SUPERVISOR))["allowed"]
    assert await strict.do(number, "accept") == "accepted" and tell.told[-1][1] == "receipt"


async def test_a_proposed_refusal_is_told_to_the_supervisors(strict):
    from ticketing.staff import Person

    strict.office = replace(strict.office, people=(Person("su", frozenset({"supervisor"}), None),))
    number = await strict.register()
    await strict.do(number, "decline", REFUSAL)
    async with strict.db.reading() as session:
        rows = [(row.whom, row.text) for row in await session.scalars(select(StaffNotice))]
    assert rows == [("su", f"拟不予受理：工单 {number} 等您核定。")]


async def test_a_clerk_declines_by_himself_where_nothing_is_countersigned(desk):
    number = await desk.register()
    with pytest.raises(Forbidden):
        await desk.do(number, "decline", REFUSAL, SUPERVISOR)
    assert "decline" not in (await read(desk, number, SUPERVISOR))["allowed"]
    assert await desk.do(number, "decline", REFUSAL) == "declined"


async def test_nobody_is_asked_to_sign_where_the_office_does_not_and_who_does_has_it_in_hand(desk):
    assert not desk.office.preset.sign_for
    number = await desk.bring_to("in_progress")
    seen = await read(desk, number, OFFICER)
    assert "sign_for" not in seen["allowed"] and "sign_for" not in {clock["name"] for clock in seen["clocks"]}
    await desk.do(number, "sign_for", {}, OFFICER)
    assert (await desk.find(number)).assignee == OFFICER.name


async def test_who_urges_all_day_disturbs_once_and_is_on_record_each_time(desk):
    from ticketing.staff import Person

    desk.office = replace(desk.office, people=(Person("wu", frozenset({"officer"}), "engineering"),))
    number = await desk.bring_to("accepted")
    await desk.do(number, "assign", {"department": "engineering", "assignee": "wu"})
    for _ in range(3):
        await desk.do(number, "urge")

    async def told() -> int:
        async with desk.db.reading() as session:
            return len([row for row in await session.scalars(select(StaffNotice)) if "催办" in row.text])

    assert await told() == 1
    try:
        clock.set_offset(timedelta(days=1))
        await desk.do(number, "urge")
    finally:
        clock.set_offset(timedelta())
    assert await told() == 2
    verbs = [item["verb"] for item in (await read(desk, number, CLERK))["transitions"]]
    assert verbs.count("urge") == 4


# The archive


async def archive(desk: Desk) -> int:
    async with desk.db.writing() as session:
        return await tickets.archive_due(session, desk.office, clock.now() + timedelta(days=40))


async def test_an_archived_case_has_its_number_and_an_index_of_its_papers(desk):
    number = await desk.bring_to("followed_up")
    other = await desk.register()
    await desk.do(other, "withdraw")
    assert await archive(desk) == 2
    first, second = await read(desk, number, CLERK), await read(desk, other, CLERK)
    year = clock.local(clock.now() + timedelta(days=40)).year
    assert [first["archive"]["number"], second["archive"]["number"]] == [
        f"GD·{year}-D30-TS-00001", f"GD·{year}-D30-TS-00002"]
    titles = [item["title"] for item in first["archive"]["index"]]
    assert titles[0] == "登记" and {"答复", "办结", "回访记录", "办理过程（8 项）"} <= set(titles)
    assert any("受理" in title for title in titles), "the letters are papers of the case"
    assert [item["seq"] for item in first["archive"]["index"]] == list(range(1, len(titles) + 1))
    assert "林小雨" not in str(first["archive"])


async def test_a_case_is_archived_once_and_its_number_given_once(desk):
    number = await desk.bring_to("closed")
    assert [await archive(desk), await archive(desk)] == [1, 0]
    async with desk.db.reading() as session:
        rows = await session.scalars(select(TicketNumber.last).where(TicketNumber.day.startswith("GD")))
        assert list(rows) == [1]
        assert await session.scalar(select(Ticket.state).where(Ticket.number == number)) == "archived"
    with pytest.raises(Conflict):
        await desk.do(number, "note", {"text": "补一句"})
    resident = Actor("resident", frozenset({"resident"}), None, (await desk.find(number)).resident_id)
    assert (await read(desk, number, resident))["archive"] is None
    assert (await read(desk, number, SYSTEM))["archive"]["number"]
