"""The lifecycle: who may do what in which state, and that no ticket closes without a delivered reply."""

import asyncio

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core import clock
from core.errors import Conflict, Forbidden, HuiyinError, Invalid, NotFound, Stale
from core.queues import Outbox, Result
from tests.ticketing.conftest import CLERK, INSPECTOR, OFFICER, PEOPLE, SUBMISSION, SUPERVISOR
from ticketing import callbacks, tickets
from ticketing.delivery import open_callback
from ticketing.lifecycle import TABLE, VERBS, State
from ticketing.model import Callback, Reply, Ticket, Transition
from ticketing.staff import Actor
from ticketing.verbs import DO
from ticketing.visibility import roles_on

ONLY_ON_OCCASION = {"grant_return", "refuse_return", "refuse_extension", "sign_for", "unlink", "decline", "send_back"}
"""Verbs that answer a request, or that the preset switches off."""


def test_every_verb_of_the_table_is_done_by_a_function_and_no_other_is():
    assert set(DO) | {"reply", "archive", "share_reply", "take_back"} == set(VERBS)


async def test_a_complaint_goes_from_registration_to_follow_up_with_a_row_for_every_step(desk, db):
    number = await desk.bring_to("followed_up")
    async with db.reading() as session:
        rows = (await session.scalars(select(Transition).order_by(Transition.seq))).all()
        verbs = [row.verb for row in rows]
    assert verbs == ["register", "accept", "assign", "submit", "approve", "reply", "close", "follow_up"]
    assert [row.seq for row in rows] == list(range(1, 9))
    assert (await desk.find(number)).version == 8


async def test_the_table_alone_decides_who_may_do_what_in_which_state(desk, db):
    """For a ticket in every state and every role: nothing is offered that the table does not allow."""
    number = await desk.register()
    async with db.reading() as session:
        ticket = await tickets.find_visible(session, CLERK, number)
        for state in State:
            ticket.state = state
            for role, actor in PEOPLE.items():
                offered = set(tickets.allowed_verbs(desk.office, actor, ticket))
                roles = roles_on(actor, ticket)
                named = {row.name for row in TABLE if roles & row.who and state in row.sources and row.name in DO}
                assert offered <= named, (state, role)
                assert named - offered <= ONLY_ON_OCCASION, (state, role)


async def test_a_role_that_the_table_does_not_name_is_refused_before_the_body_is_looked_at(desk):
    number = await desk.register()
    auditor = Actor("au", frozenset({"auditor"}), None)
    for verb in DO:
        with pytest.raises(Forbidden):
            await desk.do(number, verb, {"nonsense": 1}, auditor)


async def test_the_order_of_checks_is_sight_role_body_version_state(desk):
    number = await desk.register()
    with pytest.raises(NotFound):
        await desk.do("HY20260101-99999", "accept")
    with pytest.raises(Forbidden):
        await desk.do(number, "approve", {"x": 1}, CLERK, if_match=99)
    with pytest.raises(Invalid):
        await desk.do(number, "close", {"x": 1}, OFFICER, if_match=99)
    with pytest.raises(Stale):
        await desk.do(number, "close", {}, OFFICER, if_match=99)
    with pytest.raises(Conflict):
        await desk.do(number, "close", {}, OFFICER, if_match=1)


async def test_a_ticket_is_not_closed_while_its_reply_is_on_its_way(desk):
    number = await desk.bring_to("approved")
    with pytest.raises(Conflict):
        await desk.do(number, "close", {}, OFFICER)


async def test_closing_is_refused_when_a_bounce_took_the_delivery_back(desk, db):
    number = await desk.bring_to("replied")
    async with db.writing() as session:
        row = await session.scalar(select(Outbox).where(Outbox.origin == "reply"))
        row.result = Result.FAILED
    with pytest.raises(Conflict):
        await desk.do(number, "close", {}, OFFICER)
    async with db.writing() as session:
        assert await tickets.close_due(session, desk.office, clock.now().replace(year=2030)) == 0


@pytest.mark.parametrize("state", ["registered", "in_progress", "approved"])
async def test_no_sql_by_hand_closes_a_ticket_without_a_delivered_reply(desk, db, state):
    number = await desk.bring_to(state)
    with pytest.raises(DBAPIError, match="close refused"):
        async with db.writing() as session:
            await session.execute(text("UPDATE ticket SET state = 'closed' WHERE number = :n"), {"n": number})
    assert (await desk.find(number)).state == state


async def test_a_reply_of_an_earlier_round_does_not_close_a_ticket_that_was_redone(desk, db):
    number = await desk.bring_to("replied")
    await desk.do(number, "redo", {"reason": "没修好"}, CLERK)
    with pytest.raises(DBAPIError, match="close refused"):
        async with db.writing() as session:
            await session.execute(text("UPDATE ticket SET state = 'closed' WHERE number = :n"), {"n": number})


async def test_the_system_closes_after_three_working_days_and_not_before(desk, db):
    number = await desk.bring_to("replied")
    async with db.reading() as session:
        delivered_at = await session.scalar(select(Reply.delivered_at))
    due = desk.office.after(delivered_at, "3 working days")
    for moment, state in ((due.replace(microsecond=0), "replied"), (due, "closed")):
        if moment < due or state == "closed":
            async with db.writing() as session:
                await tickets.close_due(session, desk.office, moment)
            assert (await desk.find(number)).state == state


async def test_two_officers_at_once_one_moves_the_ticket_and_the_other_is_told(desk):
    number = await desk.register()
    results = await asyncio.gather(
        *(
            desk.do(number, verb, body)
            for verb, body in (
                ("accept", {}),
                ("decline", {"code": "other", "reason": "x", "where_to": "y"}),
                ("accept", {}),
            )
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(item, str) for item in results) == 1
    assert all(isinstance(item, HuiyinError | DBAPIError | str) for item in results)
    assert (await desk.find(number)).version == 2


async def test_nobody_approves_his_own_submission(desk):
    number = await desk.bring_to("in_progress")
    both = Actor("both", frozenset({"officer", "supervisor"}), None)
    await desk.do(number, "submit", SUBMISSION, both)
    with pytest.raises(Forbidden, match="own submission"):
        await desk.do(number, "approve", {}, both)
    assert await desk.do(number, "approve", {}, SUPERVISOR) == "approved"


async def test_a_complaint_is_not_submitted_without_findings(desk):
    number = await desk.bring_to("in_progress")
    with pytest.raises(Invalid, match="findings"):
        await desk.do(number, "submit", {"action_taken": "a", "reply": "b"}, OFFICER)


async def test_what_was_sent_back_is_not_sent(desk, db):
    number = await desk.bring_to("approved")
    assert await desk.do(number, "send_back", {"reason": "写清楚时间"}, SUPERVISOR) == "in_progress"
    async with db.reading() as session:
        row = await session.scalar(select(Outbox).where(Outbox.origin == "reply"))
        assert (row.status, row.result) == ("done", "failed")
        assert (await session.scalar(select(Reply))).withdrawn_at is not None


async def test_what_reached_the_resident_is_not_sent_back(desk, db):
    number = await desk.bring_to("replied")
    with pytest.raises(Conflict):
        await desk.do(number, "send_back", {"reason": "x"}, SUPERVISOR)


async def test_a_report_about_staff_is_there_for_inspectors_alone(desk):
    number = await desk.register(kind="report", description="收费员多收钱不开票", actor=CLERK)
    with pytest.raises(NotFound):
        await desk.do(number, "accept", {}, CLERK)
    assert await desk.do(number, "accept", {}, INSPECTOR) == "accepted"


async def test_another_departments_ticket_is_not_there(desk):
    number = await desk.bring_to("in_progress")
    codes = [item.code for item in desk.office.preset.departments]
    stranger = Actor("st", frozenset({"officer"}), codes[1])
    with pytest.raises(NotFound):
        await desk.do(number, "sign_for", {}, stranger)


async def test_a_complaint_about_a_unit_is_never_assigned_to_that_unit(desk):
    department = desk.office.preset.departments[0]
    number = await desk.register(about={"unit": department.name})
    await desk.do(number, "accept")
    with pytest.raises(Conflict, match="about"):
        await desk.do(number, "assign", {"department": department.code})


async def test_everything_missing_is_asked_for_once_and_a_second_time_is_a_supervisors(desk, tell):
    number = await desk.register()
    await desk.do(number, "ask_supplement", {"missing": ["购房合同", "照片"]})
    assert "1. 购房合同\n2. 照片" in tell.told[-1][2]
    with pytest.raises(Conflict):
        await desk.do(number, "ask_supplement", {"missing": ["发票"]}, SUPERVISOR)
    await desk.do(number, "supplement", {"text": "都补上了"})
    with pytest.raises(Forbidden, match="一次性告知"):
        await desk.do(number, "ask_supplement", {"missing": ["发票"]})
    await desk.do(number, "ask_supplement", {"missing": ["发票"]}, SUPERVISOR)


async def test_a_call_that_reached_the_resident_delivers_the_reply(desk, db):
    number = await desk.bring_to("approved")
    async with db.writing() as session:
        ticket = await session.scalar(select(Ticket))
        reply = await session.scalar(select(Reply))
        callback = await open_callback(session, desk.office, ticket, reply.id, reply.text, clock.now())
    async with db.writing() as session:
        await callbacks.done(
            session, desk.office, CLERK, callback.id, {"reached": False, "note": "无人接听"}, clock.now()
        )
    assert (await desk.find(number)).state == "approved"
    async with db.writing() as session:
        await callbacks.done(
            session, desk.office, CLERK, callback.id, {"reached": True, "note": "已告知"}, clock.now()
        )
    assert (await desk.find(number)).state == "replied"
    assert await desk.do(number, "close", {}, OFFICER) == "closed"


async def test_a_bad_rating_opens_a_call_back_and_changes_nothing_by_itself(desk, db):
    number = await desk.bring_to("closed")
    await desk.do(number, "follow_up", {"reached": True, "solved": False, "satisfied": 1}, CLERK)
    assert (await desk.find(number)).state == "followed_up"
    async with db.reading() as session:
        assert (await session.scalar(select(Callback))).reason == "bad_rating"


async def test_merged_tickets_share_the_reply_and_come_apart_again(desk, tell, db):
    first, second = await desk.register(), await desk.register()
    assert await desk.do(second, "merge", {"into": first}) == "merged"
    assert await desk.do(second, "unmerge") == "registered"
    await desk.do(second, "merge", {"into": first})
    with pytest.raises(Invalid):
        await desk.do(first, "merge", {"into": first})
    for verb, body, actor in (
        ("accept", {}, CLERK),
        ("assign", {"department": desk.office.preset.departments[0].code}, CLERK),
        ("submit", SUBMISSION, OFFICER),
        ("approve", {}, SUPERVISOR),
    ):
        await desk.do(first, verb, body, actor)
    assert {told[0] for told in tell.told if told[1] == "reply"} == {first, second}
    await desk.deliver(second)
    assert (await desk.find(first)).state == "approved"
    await desk.deliver(first)
    assert (await desk.find(first)).state == "replied"


async def test_numbers_given_at_once_are_all_different(desk):
    numbers = await asyncio.gather(*(desk.register() for _ in range(12)))
    assert len(set(numbers)) == 12


async def test_personal_data_in_a_ticket_is_stored_as_tokens(desk, db):
    await desk.register(description="请打我电话13800001234")
    async with db.reading() as session:
        assert await session.scalar(select(Ticket.description)) == "请打我电话<PHONE_1>"


def test_states_in_the_table_are_the_states_there_are():
    assert {state for row in TABLE for state in row.sources} == set(State)
