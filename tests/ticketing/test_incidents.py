"""From burst to answer, on both databases: a draft by itself, confirmed by a person, ended with the lead's answer."""

from core import clock
from core.conversation import add_resident
from tests.ticketing.conftest import CLERK
from ticketing import hotspots, incident_desk, incidents, repeats, tickets
from ticketing.staff import SYSTEM

TEXTS = ("三号楼电梯停在五层不动了，老人下不来", "3栋的电梯坏了，不动了", "我家三号楼，电梯从早上就停了不动")
KNOWN = {"text": "配件在路上，今天18点修好。"}


async def report(desk, text: str) -> str:
    """Registered and looked at once more, as the worker does."""
    async with desk.db.writing() as session:
        now = clock.now()
        resident = await add_resident(session, now)
        body = {"kind": "complaint", "category": "lifts-fault", "description": text}
        ticket = await tickets.register(session, desk.office, CLERK, body, now, resident_id=resident.id)
        found = await repeats.look_again(session, ticket, now, None)
        assert found is not None
        await incidents.gather(session, desk.office, ticket, found, now)
        return ticket.number


async def test_a_burst_is_drafted_confirmed_joined_counted_and_over_with_its_answer(desk):
    numbers = [await report(desk, text) for text in TEXTS]
    async with desk.db.writing() as session:
        draft = await incident_desk.find(session, CLERK, 1)
        assert (draft.status, draft.place) == ("draft", "3号楼 电梯")
        await incident_desk.confirm(session, desk.office, CLERK, draft, KNOWN, clock.now())
    late = await report(desk, "三栋电梯什么时候修好，一直停着不动")
    lead = await desk.find(numbers[0])
    assert [(await desk.find(number)).lead_id for number in (*numbers[1:], late)] == [lead.id] * 3
    async with desk.db.reading() as session:
        [spot, *_] = await hotspots.count(session, CLERK, lead.registered_at, clock.now(), 10)
        assert (spot["tickets"], spot["people"]) == (4, 4) and "3号楼" in spot["place"]
    async with desk.db.writing() as session:
        assert await incident_desk.settle(session, clock.now()) == []
    await desk.do(numbers[0], "answer_directly", {"reply": "已修好。"})
    await desk.deliver(numbers[0])
    async with desk.db.writing() as session:
        [over] = await incident_desk.settle(session, clock.now())
        assert (over.status, over.decided_by) == ("ended", SYSTEM.name)
