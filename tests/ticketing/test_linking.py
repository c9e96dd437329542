"""One matter of many people: one answer and one closing for all, each with his own proof, and nobody hears of the others."""

import asyncio

import pytest
from sqlalchemy import select

from core import clock
from core.conversation import Resident
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.queues import Outbox, Result, Status
from tests.ticketing.conftest import CLERK, INSPECTOR, OFFICER, SUBMISSION, SUPERVISOR
from ticketing import tickets
from ticketing.delivery import failed
from ticketing.model import Reply, Ticket, Transition
from ticketing.staff import Actor
from ticketing.views import describe


async def link(desk, count: int = 2, **fields) -> tuple[str, list[str]]:
    lead = await desk.register(**fields)
    others = [await desk.register(description=f"三号楼电梯不动了，第{number}位") for number in range(count)]
    for number in others:
        await desk.do(number, "link", {"to": lead})
    return lead, others


async def answer(desk, lead: str, reply: str = SUBMISSION["reply"]) -> None:
    if (await desk.find(lead)).state == "registered":
        await desk.do(lead, "accept")
        await desk.do(lead, "assign", {"department": desk.office.preset.departments[0].code})
    await desk.do(lead, "submit", SUBMISSION | {"reply": reply}, OFFICER)
    await desk.do(lead, "approve", {}, SUPERVISOR)


async def states(desk, numbers) -> list[str]:
    return [(await desk.find(number)).state for number in numbers]


async def verbs(db, ticket: Ticket) -> list[str]:
    async with db.reading() as session:
        query = select(Transition.verb).where(Transition.ticket_id == ticket.id).order_by(Transition.seq)
        return list(await session.scalars(query))


async def test_the_leads_answer_goes_to_all_and_each_is_replied_by_his_own_delivery(desk, db, tell):
    lead, (first, second) = await link(desk)
    await answer(desk, lead)
    said = {number: text for number, origin, text in tell.told if origin == "reply"}
    assert set(said) == {lead, first, second} and all(SUBMISSION["reply"] in text for text in said.values())
    assert all(number in said[number] and not any(other in said[number] for other in said if other != number)
               for number in said)
    assert await states(desk, (lead, first, second)) == ["approved"] * 3
    await desk.deliver(first)
    assert await states(desk, (lead, first, second)) == ["approved", "replied", "approved"]


async def test_closing_the_lead_closes_who_was_reached_and_nobody_else(desk, db):
    lead, (first, second) = await link(desk)
    await answer(desk, lead)
    for number in (lead, first):
        await desk.deliver(number)
    await desk.do(lead, "close", {}, OFFICER)
    assert await states(desk, (lead, first, second)) == ["closed", "closed", "approved"]
    with pytest.raises(Conflict):
        await desk.do(second, "close", {}, OFFICER)
    await desk.deliver(second)
    await desk.do(second, "close", {}, OFFICER)
    assert (await desk.find(second)).state == "closed"


async def test_a_delivery_that_failed_afterwards_keeps_that_ticket_from_closing_with_the_lead(desk, db):
    lead, (first, second) = await link(desk)
    await answer(desk, lead)
    for number in (lead, first, second):
        await desk.deliver(number)
    async with db.writing() as session:
        row = await session.scalar(select(Outbox.id).where(
            Outbox.ticket_id == (await desk.find(second)).id, Outbox.origin == "reply"))
        await failed(session, desk.office, row, "the mailbox is full")
    await desk.do(lead, "close", {}, OFFICER)
    assert await states(desk, (first, second)) == ["closed", "replied"]


async def test_nothing_personal_of_one_reaches_another_and_a_resident_reads_of_no_other_ticket(desk, db, tell):
    lead, (first, _) = await link(desk, description="我叫高小云，电话13800550001")
    async with db.writing() as session:
        (await session.get_one(Resident, (await desk.find(lead)).resident_id)).name = "高小云"
    await answer(desk, lead, "高小云您好，师傅会打13800550001，电梯今天修好。")
    said = {number: text for number, origin, text in tell.told if origin == "reply"}
    assert "今天修好" in said[first] and "高小云" not in said[first] and "13800550001" not in said[first]
    ticket = await desk.find(first)
    resident = Actor("resident", frozenset({"resident"}), None, ticket.resident_id)
    async with db.reading() as session:
        shown = await describe(session, desk.office, resident, await session.get_one(Ticket, ticket.id), clock.now())
        staff = await describe(session, desk.office, CLERK, await session.get_one(Ticket, ticket.id), clock.now())
    assert lead not in str(shown) and "link" not in [row["verb"] for row in shown["transitions"]]
    assert staff["lead"] == lead and "lead" not in shown


async def test_the_clocks_of_a_linked_ticket_stop_with_its_own_delivery(desk, db):
    lead, (first, _) = await link(desk)
    await answer(desk, lead)
    async with db.reading() as session:
        shown = await describe(session, desk.office, CLERK, await session.get_one(Ticket, (await desk.find(first)).id),
                               clock.now())
    running = {row["name"] for row in shown["clocks"] if row["stopped_at"] is None}
    assert "accept" not in running and "finish" in running
    await desk.deliver(first)
    async with db.reading() as session:
        shown = await describe(session, desk.office, CLERK, await session.get_one(Ticket, (await desk.find(first)).id),
                               clock.now())
    assert all(row["stopped_at"] for row in shown["clocks"])


async def test_an_answer_sent_back_is_stopped_for_all_and_each_stands_where_it_stood(desk, db, tell):
    lead, (first, second) = await link(desk)
    await desk.do(second, "accept")
    await answer(desk, lead)
    await desk.do(lead, "send_back", {"reason": "日期写错了"}, SUPERVISOR)
    assert await states(desk, (lead, first, second)) == ["in_progress", "registered", "accepted"]
    async with db.reading() as session:
        rows = (await session.scalars(select(Outbox).where(Outbox.origin == "reply"))).all()
        assert all((row.status, row.result) == (Status.DONE, Result.FAILED) for row in rows) and len(rows) == 3
    await answer(desk, lead, "电梯明天修好。")
    for number in (lead, first, second):
        await desk.deliver(number)
    assert await states(desk, (lead, first, second)) == ["replied"] * 3


async def test_who_was_told_an_answer_that_was_sent_back_is_told_that_it_is_taken_up_again(desk, db, tell):
    lead, (first, second) = await link(desk)
    await answer(desk, lead)
    await desk.deliver(first)
    await desk.do(lead, "send_back", {"reason": "日期写错了"}, SUPERVISOR)
    assert await states(desk, (first, second)) == ["in_progress", "registered"]
    assert any(number == first and "重新办理" in text for number, _, text in tell.told)
    await answer(desk, lead, "电梯明天修好。")
    await desk.deliver(first)
    assert (await desk.find(first)).state == "replied"
    async with db.reading() as session:
        replies = await session.scalars(select(Reply).where(Reply.ticket_id == (await desk.find(first)).id))
        assert [(row.round, row.withdrawn_at is None) for row in replies] == [(1, False), (2, True)]


async def test_a_ticket_with_an_answer_of_its_own_on_the_way_is_not_answered_twice(desk, tell):
    lead, (first, _) = await link(desk)
    await desk.do(first, "answer_directly", {"reply": "您家的按钮已单独更换。"})
    await answer(desk, lead)
    [said] = [text for number, origin, text in tell.told if (number, origin) == (first, "reply")]
    assert "按钮" in said


async def test_who_is_linked_while_the_answer_is_on_its_way_gets_it_too(desk, tell):
    lead, _ = await link(desk, 1)
    await answer(desk, lead)
    late = await desk.register()
    await desk.do(late, "link", {"to": lead})
    assert (await desk.find(late)).state == "approved"
    assert any((number, origin) == (late, "reply") for number, origin, _ in tell.told)


async def test_a_word_in_between_goes_to_all_who_wait(desk, tell):
    lead, others = await link(desk)
    await desk.do(lead, "progress", {"text": "配件今天下午到。"})
    assert {number for number, origin, text in tell.told if origin == "progress" and "配件" in text} == {lead, *others}


async def test_links_make_no_chains_and_no_cycles(desk):
    lead, (first, second) = await link(desk)
    with pytest.raises(Conflict, match="already"):
        await desk.do(lead, "link", {"to": first})
    with pytest.raises(Invalid):
        await desk.do(first, "link", {"to": first})
    other = await desk.register()
    await desk.do(other, "link", {"to": first})  # To one that is linked: to its lead.
    assert (await desk.find(other)).lead_id == (await desk.find(lead)).id
    top = await desk.register()
    await desk.do(lead, "link", {"to": top})  # The lead itself: all come along.
    top_id = (await desk.find(top)).id
    assert [(await desk.find(number)).lead_id for number in (lead, first, second, other)] == [top_id] * 4


async def test_two_tickets_linked_to_each_other_at_one_moment_leave_one_lead(desk):
    for _ in range(5):
        one, other = await desk.register(), await desk.register()
        done = await asyncio.gather(desk.do(one, "link", {"to": other}), desk.do(other, "link", {"to": one}),
                                    return_exceptions=True)
        assert sorted(isinstance(each, Conflict) for each in done) == [False, True]
        assert sorted([(await desk.find(number)).lead_id is None for number in (one, other)]) == [False, True]


async def test_an_unlinked_ticket_is_answered_by_itself(desk, tell):
    lead, (first, _) = await link(desk)
    assert "unlink" in tickets.allowed_verbs(desk.office, CLERK, await desk.find(first))
    assert "unlink" not in tickets.allowed_verbs(desk.office, CLERK, await desk.find(lead))
    await desk.do(first, "unlink")
    with pytest.raises(Conflict):
        await desk.do(first, "unlink")
    await answer(desk, lead)
    assert (await desk.find(first)).state == "registered"


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        pytest.param("withdraw", {}, id="withdrawn"),
        pytest.param("decline", {"code": "other", "reason": "r", "where_to": "w"}, id="declined"),
    ],
)
async def test_a_lead_that_goes_without_an_answer_leaves_the_others_one(desk, db, verb, body):
    lead, (first, second) = await link(desk)
    await desk.do(lead, verb, body)
    assert (await desk.find(first)).lead_id is None
    assert (await desk.find(second)).lead_id == (await desk.find(first)).id
    await answer(desk, first)
    assert (await desk.find(second)).state == "approved"


async def test_a_lead_that_is_merged_takes_those_linked_along_and_unmerging_leaves_no_cycle(desk, tell):
    lead, (first, second) = await link(desk)
    into = await desk.register()
    await desk.do(lead, "merge", {"into": into})
    assert [(await desk.find(number)).lead_id for number in (first, second)] == [(await desk.find(into)).id] * 2
    await desk.do(lead, "unmerge")
    assert (await desk.find(lead)).lead_id is None
    lead, (first, second) = await link(desk)
    await desk.do(lead, "merge", {"into": first})  # Into one of those that were linked to it.
    assert (await desk.find(first)).lead_id is None
    assert (await desk.find(second)).lead_id == (await desk.find(first)).id
    await answer(desk, first)
    assert {number for number, origin, _ in tell.told if origin == "reply"} == {lead, first, second}


async def test_a_report_about_staff_is_linked_with_nothing_else(desk):
    report, complaint = await desk.register(kind="report", actor=INSPECTOR), await desk.register()
    both = Actor("ji", frozenset({"inspector", "clerk"}), None)
    with pytest.raises(Invalid):
        await desk.do(report, "link", {"to": complaint}, both)


async def test_the_shared_answer_is_nobodys_button(desk):
    _, (first, _) = await link(desk)
    for verb in ("share_reply", "take_back"):
        for actor in (CLERK, OFFICER, SUPERVISOR):
            assert verb not in tickets.allowed_verbs(desk.office, actor, await desk.find(first))
            with pytest.raises((Forbidden, NotFound)):
                await desk.do(first, verb, {}, actor)


async def test_a_hundred_linked_tickets_are_answered_and_none_is_left(desk, tell):
    lead, others = await link(desk, 100)
    await answer(desk, lead)
    assert {number for number, origin, _ in tell.told if origin == "reply"} == {lead, *others}
    assert set(await states(desk, others)) == {"approved"}
