"""What single verbs promise: the order of refusals, merged tickets, sending back, what is offered, who sees what."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from core import clock
from core.conversation import Personal, Resident
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.queues import Outbox, Status
from tests.ticketing.conftest import CLERK, INSPECTOR, OFFICER, SUBMISSION, SUPERVISOR
from ticketing import callbacks, record, tickets
from ticketing.delivery import open_callback
from ticketing.model import Callback, Measure, Reply, Ticket, Transition
from ticketing.staff import SYSTEM, Actor
from ticketing.views import describe

BOTH = Actor("both", frozenset({"officer", "supervisor"}), None)
MEASURES = [{"what": "换新门机", "due_on": "2027-01-31"}]


# The order of refusals: 403, 422, 412, 409

WRONG_FIELDS = [
    ("amend", {"category": "no-such"}, CLERK, "category"),
    ("amend", {"kind": None}, CLERK, "kind"),
    ("assign", {"department": "no-such"}, CLERK, "department"),
    ("assign", {"department": "engineering", "joint": ["no-such"]}, CLERK, "department"),
    ("answer_directly", {"call_turn": 7}, CLERK, "call_turn"),
    ("submit", {"action_taken": "a", "reply": "b"}, OFFICER, "findings"),
    ("fulfil", {"measure": 99, "note": "n"}, OFFICER, "measure"),
    ("follow_up", {"reached": False, "solved": True}, CLERK, "reached"),
    ("merge", {"into": "HY20260101-99999"}, CLERK, "into"),
    ("link", {"to": "HY20260101-99999"}, CLERK, "to"),
    ("extend", {"reason": "r", "due_at": "2020-01-01T00:00:00+08:00"}, SUPERVISOR, "due_at"),
]


async def test_a_wrong_field_is_told_before_a_stale_version_and_a_wrong_state(desk):
    number = await desk.bring_to("replied")
    for verb, body, actor, field in WRONG_FIELDS:
        with pytest.raises(Invalid) as refused:
            await desk.do(number, verb, body, actor, if_match=1)
        assert refused.value.field == field, (verb, body)


async def test_who_may_not_is_told_so_before_the_body_the_version_and_the_state(desk):
    own = await desk.bring_to("in_progress")
    await desk.do(own, "submit", SUBMISSION, BOTH)
    with pytest.raises(Forbidden):
        await desk.do(own, "approve", {"x": 1}, BOTH, if_match=1)
    asked = await desk.register()
    await desk.do(asked, "ask_supplement", {"missing": ["照片"]})
    await desk.do(asked, "supplement", {"text": "有了"})
    await desk.do(asked, "accept")
    with pytest.raises(Forbidden):
        await desk.do(asked, "ask_supplement", {}, CLERK, if_match=1)
    assistant = Actor("assistant", frozenset({"assistant"}), None, (await desk.find(asked)).resident_id)
    with pytest.raises(Forbidden):
        await desk.do(asked, "answer_directly", {}, assistant, if_match=1)


async def test_who_lost_a_race_reads_what_the_ticket_is_now(desk, db):
    number = await desk.register()
    for if_match, kind in ((1, Stale), (None, Conflict)):
        with pytest.raises(kind, match="it is registered at version 5 now"):
            async with db.writing() as session:
                ticket = await tickets.find_visible(session, SYSTEM, number)
                faster = update(Ticket).where(Ticket.id == ticket.id).values(version=5)
                await session.execute(faster.execution_options(synchronize_session=False))
                await record.move(
                    session, desk.office, CLERK, ticket, "accept", clock.now(), to="accepted", if_match=if_match
                )
    assert (await desk.find(number)).version == 1


# Merged tickets


async def _merge(desk, db) -> tuple[str, str]:
    """Two residents' tickets on their way to one reply, in which the first one's phone and name stand."""
    first, second = await desk.register(description="我的电话13800001234"), await desk.register()
    async with db.writing() as session:
        for number, name in ((first, "高小云"), (second, "白大川")):
            ticket = await tickets.find_visible(session, SYSTEM, number)
            (await session.get_one(Resident, ticket.resident_id)).name = name
            if number == second:
                keys = session.get_bind().dialect.huiyin_keys
                session.add(Personal(resident_id=ticket.resident_id, token="<PHONE_1>", value="13900005678",
                                     digest=keys.digest("13900005678")))
    await desk.do(second, "merge", {"into": first})
    await desk.do(first, "accept")
    await desk.do(first, "assign", {"department": desk.office.preset.departments[0].code})
    reply = "高小云您好，师傅会打13800001234，今天修好。"
    await desk.do(first, "submit", SUBMISSION | {"reply": reply}, OFFICER)
    await desk.do(first, "approve", {}, SUPERVISOR)
    return first, second


async def test_the_resident_of_a_merged_ticket_reads_nothing_personal_of_the_other(desk, db, tell):
    first, second = await _merge(desk, db)
    said = {number: text for number, origin, text in tell.told if origin == "reply"}
    assert "高小云您好，师傅会打13800001234" in said[first]
    assert "今天修好" in said[second] and "高某您好" in said[second]
    assert not any(word in said[second] for word in ("13800001234", "13900005678", "高小云", "<PHONE"))
    async with db.reading() as session:
        replies = {row.ticket_id: row.text for row in await session.scalars(select(Reply))}
        assert "<PHONE" not in replies[(await desk.find(second)).id]


async def test_the_resident_of_a_merged_ticket_does_not_read_for_whom_the_other_spoke_on_it(desk, db, tell):
    mother, father = ({"resident": {"on_behalf_of": {"relation": who, "name": name}}}
                      for who, name in (("妈", "周兰英"), ("爸", "胡志远")))
    first, second = await desk.register(**mother), await desk.register()
    async with db.writing() as session:
        resident_id = (await tickets.find_visible(session, SYSTEM, first)).resident_id
        body = {"kind": "request", "description": "6栋的门坏了"} | father
        await tickets.register(session, desk.office, CLERK, body, clock.now(), resident_id=resident_id)
    await desk.do(second, "merge", {"into": first})
    await desk.do(first, "accept")
    await desk.do(first, "assign", {"department": desk.office.preset.departments[0].code})
    await desk.do(first, "submit", SUBMISSION | {"reply": "周兰英家的电梯已修好。"}, OFFICER)
    await desk.do(first, "approve", {}, SUPERVISOR)
    said = {number: text for number, origin, text in tell.told if origin == "reply"}
    assert "周兰英家的电梯" in said[first] and "周某家的电梯" in said[second]


async def test_an_erased_value_does_not_become_the_other_residents(desk, db, tell):
    first, second = await desk.register(description="我的电话13800001234"), await desk.register()
    await desk.do(second, "merge", {"into": first})
    await desk.do(first, "accept")
    await desk.do(first, "assign", {"department": desk.office.preset.departments[0].code})
    await desk.do(first, "submit", SUBMISSION | {"reply": "会打13800001234。"}, OFFICER)
    async with db.writing() as session:
        for row in await session.scalars(select(Personal)):
            await session.delete(row)
    await desk.do(first, "approve", {}, SUPERVISOR)
    assert "<PHONE" not in {number: text for number, _, text in tell.told}[second]


async def test_two_tickets_merged_into_each_other_at_one_moment_leave_one_open(desk, db):
    for _ in range(5):
        first, second = await desk.register(), await desk.register()
        ways = ((first, second), (second, first))
        done = await asyncio.gather(
            *(desk.do(one, "merge", {"into": other}) for one, other in ways), return_exceptions=True
        )
        assert sorted(isinstance(each, Conflict) for each in done) == [False, True]
        async with db.reading() as session:
            states = await session.scalars(select(Ticket.state).where(Ticket.number.in_((first, second))))
            assert sorted(states) == ["merged", "registered"]


async def test_a_call_to_the_resident_of_a_merged_ticket_does_not_move_the_surviving_one(desk, db):
    first, second = await _merge(desk, db)
    async with db.writing() as session:
        merged = await tickets.find_visible(session, SYSTEM, second)
        # Whichever reply the call is about: the merged ticket's own, or the surviving one's.
        replies = (await session.scalars(select(Reply).order_by(Reply.id))).all()
        calls = [
            await open_callback(session, desk.office, merged, reply.id, reply.text, clock.now()) for reply in replies
        ]
    assert len(calls) == 2
    for call in calls:
        async with db.writing() as session:
            said = {"reached": True, "note": "已告知"}
            await callbacks.done(session, desk.office, CLERK, call.id, said, clock.now())
    assert (await desk.find(first)).state == "approved"
    assert (await desk.find(second)).state == "merged"


# What the calendar brings about


async def test_tickets_that_wait_do_not_keep_others_from_being_closed(desk, db, monkeypatch):
    monkeypatch.setattr(tickets, "AT_ONCE", 1)
    waiting = [await desk.bring_to("replied") for _ in range(2)]
    over = await desk.bring_to("replied")
    async with db.writing() as session:
        long_ago = clock.now() - timedelta(days=60)
        ticket = await tickets.find_visible(session, SYSTEM, over)
        await session.execute(update(Reply).where(Reply.ticket_id == ticket.id).values(delivered_at=long_ago))
        assert await tickets.close_due(session, desk.office, clock.now()) == 1
    assert (await desk.find(over)).state == "closed"
    assert {(await desk.find(number)).state for number in waiting} == {"replied"}


async def test_a_ticket_that_fails_does_not_stop_the_round(desk, db):
    broken, sound = await desk.bring_to("replied"), await desk.bring_to("replied")
    ticket = await desk.find(broken)
    async with db.writing() as session:  # The row of its next transition is taken: the database refuses the move.
        session.add(
            Transition(ticket_id=ticket.id, seq=ticket.version + 1, verb="note", to_state="replied", actor="x",
                       at=clock.now())
        )
    async with db.writing() as session:
        assert await tickets.close_due(session, desk.office, clock.now() + timedelta(days=60)) == 1
    assert ((await desk.find(broken)).state, (await desk.find(broken)).version) == ("replied", ticket.version)
    assert (await desk.find(sound)).state == "closed"


async def test_what_lay_still_long_enough_is_archived_and_the_rest_is_not(desk, db):
    number = await desk.bring_to("closed")
    async with db.writing() as session:
        assert await tickets.archive_due(session, desk.office, clock.now() + timedelta(days=29)) == 0
        assert await tickets.archive_due(session, desk.office, clock.now() + timedelta(days=31)) == 1
    assert (await desk.find(number)).state == "archived"


# Sending back


async def test_a_reply_that_is_being_sent_is_not_sent_back(desk, db):
    number = await desk.bring_to("approved")
    async with db.writing() as session:
        await session.execute(update(Outbox).where(Outbox.origin == "reply").values(status=Status.DOING))
    with pytest.raises(Conflict, match="being sent at this moment"):
        await desk.do(number, "send_back", {"reason": "x"}, SUPERVISOR)
    async with db.reading() as session:
        assert (await session.scalar(select(Reply))).withdrawn_at is None


async def test_nobody_is_called_and_nothing_goes_on_for_a_reply_that_was_sent_back(desk, db):
    number = await desk.bring_to("approved")
    async with db.writing() as session:
        ticket, reply = await tickets.find_visible(session, SYSTEM, number), await session.scalar(select(Reply))
        await open_callback(session, desk.office, ticket, reply.id, reply.text, clock.now())
        announced = update(Outbox).where(Outbox.origin == "reply").values(status="done", result="announced")
        await session.execute(announced)
    await desk.do(number, "send_back", {"reason": "写清楚时间"}, SUPERVISOR)
    async with db.reading() as session:
        assert (await session.scalar(select(Callback))).done_at is not None
        assert (await session.scalar(select(Outbox).where(Outbox.origin == "reply"))).result == "failed"


async def test_the_copies_for_merged_tickets_are_sent_back_too(desk, db):
    first, _ = await _merge(desk, db)
    await desk.do(first, "send_back", {"reason": "写清楚时间"}, SUPERVISOR)
    async with db.reading() as session:
        assert all(reply.withdrawn_at for reply in await session.scalars(select(Reply)))
        todo = select(func.count()).where(Outbox.origin == "reply", Outbox.status == Status.TODO)
        assert await session.scalar(todo) == 0


async def test_submitting_again_does_not_double_the_measures(desk, db):
    number = await desk.bring_to("in_progress")
    for _ in range(2):
        await desk.do(number, "submit", SUBMISSION | {"measures": MEASURES}, OFFICER)
        await desk.do(number, "send_back", {"reason": "x"}, SUPERVISOR)
    await desk.do(number, "submit", SUBMISSION | {"measures": MEASURES}, OFFICER)
    async with db.reading() as session:
        assert await session.scalar(select(func.count(Measure.id))) == 1
        changes = await session.scalar(select(Transition.changes).where(Transition.verb == "send_back").limit(1))
        assert changes["measures"][1] == []


async def test_sending_back_leaves_the_measures_of_an_earlier_round(desk, db):
    number = await desk.bring_to("in_progress")
    await desk.do(number, "submit", SUBMISSION | {"measures": MEASURES}, OFFICER)
    await desk.do(number, "approve", {}, SUPERVISOR)
    await desk.deliver(number)
    await desk.do(number, "redo", {"reason": "没修好"})
    await desk.do(number, "submit", SUBMISSION, OFFICER)
    await desk.do(number, "send_back", {"reason": "x"}, SUPERVISOR)
    async with db.reading() as session:
        assert await session.scalar(select(func.count(Measure.id))) == 1


# What is offered


async def _offered(desk, db, number: str, actor: Actor) -> set[str]:
    async with db.writing() as session:
        ticket = await tickets.find_visible(session, actor, number)
        return set((await describe(session, desk.office, actor, ticket, clock.now()))["allowed"])


async def test_closing_is_offered_only_after_a_delivery(desk, db):
    number = await desk.bring_to("replied")
    assert "close" in await _offered(desk, db, number, OFFICER)
    async with db.writing() as session:
        await session.execute(update(Outbox).where(Outbox.origin == "reply").values(result="failed"))
    assert "close" not in await _offered(desk, db, number, OFFICER)
    assert "follow_up" not in await _offered(desk, db, number, CLERK)


async def test_approving_is_not_offered_to_who_submitted(desk, db):
    number = await desk.bring_to("in_progress")
    await desk.do(number, "submit", SUBMISSION, BOTH)
    assert "approve" not in await _offered(desk, db, number, BOTH)
    assert "approve" in await _offered(desk, db, number, SUPERVISOR)


async def test_a_resident_puts_the_place_of_his_ticket_right_and_the_old_one_stays_in_the_record(desk, db):
    number = await desk.register(place="3幢")
    await desk.do(number, "supplement", {"text": "说错了，是5幢", "place": "5幢"})
    await desk.do(number, "supplement", {"text": "还在漏"})
    assert (await desk.find(number)).place == "5幢"


async def test_asking_a_second_time_is_offered_to_a_supervisor_alone(desk, db):
    number = await desk.register()
    assert "ask_supplement" in await _offered(desk, db, number, CLERK)
    await desk.do(number, "ask_supplement", {"missing": ["照片"]})
    await desk.do(number, "supplement", {"text": "有了"})
    assert "ask_supplement" not in await _offered(desk, db, number, CLERK)
    assert "ask_supplement" in await _offered(desk, db, number, SUPERVISOR)


# Who sees what


async def test_a_unit_does_not_read_what_is_said_about_it_while_nobody_has_it(desk):
    unit, other = desk.office.preset.departments[:2]
    for named in (unit.code, unit.name):
        number = await desk.register(about={"unit": named})
        for department, sees in ((unit.code, False), (other.code, True)):
            officer = Actor("of", frozenset({"officer"}), department)
            if sees:
                await desk.do(number, "progress", {"text": "在看"}, officer)
                continue
            with pytest.raises(NotFound):
                await desk.do(number, "progress", {"text": "在看"}, officer)


async def test_a_unit_that_is_named_later_no_longer_reads_it(desk, db):
    unit = desk.office.preset.departments[0]
    officer = Actor("of", frozenset({"officer"}), unit.code)
    number = await desk.register()
    await desk.do(number, "progress", {"text": "在看"}, officer)
    await desk.do(number, "amend", {"about": {"unit": unit.name}})
    with pytest.raises(NotFound):
        await desk.do(number, "progress", {"text": "在看"}, officer)
    async with db.writing() as session:
        ticket = await tickets.find_visible(session, CLERK, number)
        described = await describe(session, desk.office, CLERK, ticket, clock.now())
    assert described["about"] == {"unit": unit.name}
    assert described["transitions"][-1]["changes"]["about"] == [None, {"unit": unit.name}]


async def test_who_registered_a_report_keeps_its_number_and_state_and_nothing_else(desk, db):
    number = await desk.register(kind="report", description="收费员多收钱不开票", actor=CLERK)
    async with db.writing() as session:
        ticket = await tickets.find_readable(session, CLERK, number)
        described = await describe(session, desk.office, CLERK, ticket, clock.now())
        assert described == {
            "number": number, "kind": "report", "state": "registered", "state_text": "已登记，等待受理",
            "version": 1, "allowed": [],
        }
        assert "description" in await describe(session, desk.office, INSPECTOR, ticket, clock.now())
        with pytest.raises(NotFound):
            await tickets.find_readable(session, SUPERVISOR, number)
