"""Several departments at one ticket: their answers come first, advice does not hold it up, a return ends what was asked."""

import asyncio

import pytest
from sqlalchemy import select

from core import clock
from core.errors import Conflict
from tests.ticketing.conftest import CLERK, OFFICER, SUBMISSION, SUPERVISOR, Desk, describe_clocks
from ticketing import joint, tickets
from ticketing.bodies import NewTask
from ticketing.model import Task, Transition
from ticketing.staff import SYSTEM


async def give(desk: Desk, number: str, kind: str = "joint", department: str = "security") -> int:
    async with desk.db.writing() as session:
        ticket = await tickets.find_visible(session, CLERK, number)
        body = NewTask(department=department, kind=kind, text="请查监控")
        return (await joint.give_task(session, desk.office, CLERK, ticket, body, clock.now())).id


async def tasks_of(desk: Desk, number: str) -> list[tuple[str, str, bool]]:
    ticket = await desk.find(number)
    async with desk.db.reading() as session:
        rows = await session.scalars(select(Task).where(Task.ticket_id == ticket.id).order_by(Task.id))
        return [(row.department, row.kind, row.answered_at is None) for row in rows]


async def clocks_of(desk: Desk, number: str) -> list[tuple[str, bool]]:
    async with desk.db.reading() as session:
        ticket = await tickets.find_visible(session, SYSTEM, number)
        found = await describe_clocks(session, ticket, clock.now())
        return [(item["name"], item["stopped_at"] is None) for item in found if item["name"] == "task"]


async def test_an_open_joint_task_holds_the_reply_up_and_asking_for_advice_does_not(desk):
    number = await desk.bring_to("in_progress")
    await give(desk, number, "consult")
    assert await desk.do(number, "submit", SUBMISSION, OFFICER) == "in_approval"
    await desk.do(number, "send_back", {"reason": "问问秩序部"}, SUPERVISOR)
    await give(desk, number)
    with pytest.raises(Conflict, match="joint task is still open"):
        await desk.do(number, "submit", SUBMISSION, OFFICER)
    assert await clocks_of(desk, number) == [("task", True), ("task", True)], "each has a limit of its own"


async def test_a_joint_task_is_not_given_once_the_reply_is_written_and_advice_may_be(desk):
    number = await desk.bring_to("in_approval")
    with pytest.raises(Conflict, match="send it back"):
        await give(desk, number)
    await give(desk, number, "consult")


async def test_a_joint_task_given_while_the_reply_is_submitted_is_not_passed_over(desk):
    """Whichever comes first, the other sees it: never a reply on its way and a joint task open."""
    for _ in range(12):
        number = await desk.bring_to("in_progress")
        done = await asyncio.gather(
            desk.do(number, "submit", SUBMISSION, OFFICER), give(desk, number), return_exceptions=True
        )
        assert sorted(isinstance(each, Conflict) for each in done) == [False, True], done
        is_open = [task for task in await tasks_of(desk, number) if task[2]]
        assert ((await desk.find(number)).state == "in_approval") is not bool(is_open)


async def test_a_return_that_is_granted_ends_what_other_departments_were_asked(desk):
    number = await desk.bring_to("accepted")
    await desk.do(number, "assign", {"department": "engineering", "joint": ["security", "environment"]})
    await desk.do(number, "request_return", {"reason": "不归我部门"}, OFFICER)
    assert await desk.do(number, "grant_return") == "accepted"
    assert {is_open for *_, is_open in await tasks_of(desk, number)} == {False}
    assert await clocks_of(desk, number) == [("task", False), ("task", False)]
    async with desk.db.reading() as session:
        changes = await session.scalar(select(Transition.changes).where(Transition.verb == "grant_return"))
    assert len(changes["tasks"][0]) == 2 and changes["tasks"][1] == []
    await desk.do(number, "assign", {"department": "service"})
    assert await desk.do(number, "submit", SUBMISSION, OFFICER) == "in_approval"


async def test_no_department_is_asked_twice_or_asked_to_help_itself(desk):
    number = await desk.bring_to("accepted")
    await give(desk, number, department="environment")
    await desk.do(number, "assign", {"department": "engineering", "joint": ["engineering", "security", "security",
                                                                          "environment"]})
    assert await tasks_of(desk, number) == [("environment", "joint", True), ("security", "joint", True)]


async def test_what_is_withdrawn_is_asked_of_nobody_any_more(desk):
    number = await desk.bring_to("in_progress")
    await give(desk, number)
    assert await desk.do(number, "withdraw", {"reason": "不用了"}) == "withdrawn"
    assert await tasks_of(desk, number) == [("security", "joint", False)]
