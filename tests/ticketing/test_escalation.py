"""The ladder on both databases: who hears of which share, once, by day; what a breach and repeated redoing set going."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.queues import Outbox
from tests.core.test_working_hours import at
from tests.ticketing.conftest import CLERK, OFFICER, SUBMISSION, SUPERVISOR, describe_clocks
from ticketing import clock_words, escalation, staff_notices
from ticketing.clocks import Clock
from ticketing.model import Ticket, Transition
from ticketing.office import Way
from ticketing.roster import Absence, Duty
from ticketing.staff import Actor, Person
from ticketing.staff_notices import StaffNotice

# 30 November 2026 is a Monday; the property office is open 09:00–12:00 and 14:00–17:30.
MONDAY = at("2026-11-30 09:00")


def person(name, *roles, department=None):
    return Person(name, frozenset(roles), department)


PEOPLE = (
    person("cai", "clerk"), person("ou", "officer"), person("wu", "officer", department="engineering"),
    person("head", "supervisor", department="engineering"), person("su", "supervisor"), person("ji", "inspector"),
    person("ji2", "inspector"),
)


@pytest.fixture
def office(office):
    return replace(office, people=PEOPLE)


@pytest.fixture(autouse=True)
def monday_morning():
    move_clock(MONDAY)
    yield
    clock.set_offset(timedelta())


def move_clock(moment):
    clock.set_offset(timedelta())
    clock.set_offset(moment - clock.now())


async def in_progress(desk, assignee="wu", **fields):
    """A complaint at the engineers', which counts in days."""
    number = await desk.register(**fields)
    await desk.do(number, "accept")
    await desk.do(number, "assign", {"department": "engineering", "assignee": assignee})
    return number


async def warn(desk, moment):
    """What the worker does: note what is due, then tell what waits."""
    move_clock(moment)
    while True:
        async with desk.db.writing() as session:
            if not await escalation.note_due(session, desk.office, moment):
                break
    async with desk.db.writing() as session:
        await staff_notices.tell_waiting(session, desk.office, moment)


async def told(desk, number=None, clock_name=None):
    """(whom, by, share) of what was told, in order."""
    query = select(StaffNotice, Clock.name).outerjoin(Clock, Clock.id == StaffNotice.clock_id)
    query = query.where(StaffNotice.told_at.is_not(None)).order_by(StaffNotice.id)
    if number:
        query = query.join(Ticket, Ticket.id == StaffNotice.ticket_id).where(Ticket.number == number)
    async with desk.db.reading() as session:
        rows = (await session.execute(query)).all()
    return [(row.whom, row.by, row.share) for row, name in rows if clock_name in (None, name)]


async def outbox(desk):
    async with desk.db.reading() as session:
        query = select(Outbox).where(Outbox.origin == "staff").order_by(Outbox.id)
        return [(row.channel, row.recipient, row.text) for row in await session.scalars(query)]


async def running(desk, number):
    async with desk.db.reading() as session:
        ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
        shown = await describe_clocks(session, ticket, clock.now())
    return {item["name"]: item for item in shown if item["stopped_at"] is None}


async def test_the_assignee_hears_first_then_head_and_supervisor_then_it_is_supervised(desk):
    number = await in_progress(desk)
    # Seven days from Monday 09:00; 80 % of them are over on Saturday morning, when nobody works.
    await warn(desk, at("2026-12-05 20:00"))
    assert await told(desk, number, "finish") == []
    await warn(desk, at("2026-12-07 08:59"))
    assert await told(desk, number, "finish") == []
    await warn(desk, at("2026-12-07 09:00"))
    found = await told(desk, number, "finish")
    assert [(whom, share) for whom, _, share in found] == [("wu", 80)]
    await warn(desk, at("2026-12-07 09:01"))
    assert {whom for whom, _, share in await told(desk, number, "finish") if share == 100} == {"wu", "head", "su"}
    ticket = await desk.find(number)
    assert ticket.level == 0
    await warn(desk, at("2026-12-10 21:01"))
    ticket = await desk.find(number)
    assert ticket.level == 1 and "supervision" in await running(desk, number)
    async with desk.db.reading() as session:
        raised = await session.scalar(select(Transition).where(Transition.verb == "raise"))
    assert raised.actor == "system" and "仍未办结" in raised.reason
    # Two working days from Thursday evening: Monday's closing time.
    assert (await running(desk, number))["supervision"]["due_at"] == "2026-12-14T17:30:00+08:00"


async def test_each_share_is_told_once_by_however_many_workers(desk):
    number = await in_progress(desk)
    moment = at("2026-12-07 09:30")
    move_clock(moment)

    async def work():
        async with desk.db.writing() as session:
            await escalation.note_due(session, desk.office, moment)
        async with desk.db.writing() as session:
            await staff_notices.tell_waiting(session, desk.office, moment)

    await asyncio.gather(*(work() for _ in range(5)))
    await warn(desk, moment)
    found = await told(desk, number, "finish")
    assert sorted(whom for whom, *_ in found) == ["head", "su", "wu"]
    assert len([row for row in await outbox(desk) if row[1] == "staff:su"]) >= 1
    before = await outbox(desk)
    await warn(desk, moment + timedelta(minutes=5))
    assert await outbox(desk) == before


async def test_nobody_off_duty_is_woken_but_for_an_emergency(desk):
    quiet = await desk.register()
    urgent = await desk.register(urgency="emergency")
    async with desk.db.writing() as session:
        for number, name in ((quiet, "finish"), (urgent, "finish")):
            ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
            for each in await session.scalars(select(Clock).where(Clock.ticket_id == ticket.id)):
                each.next_tell_at = at("2026-11-30 23:00") if each.name == name else None
    await warn(desk, at("2026-11-30 23:01"))
    assert await told(desk, quiet) == []
    assert await told(desk, urgent) != []
    await warn(desk, at("2026-12-01 09:00"))
    assert await told(desk, quiet) != []


async def test_who_is_on_duty_by_the_roster_hears_it_at_night(desk):
    async with desk.db.writing() as session:
        session.add(Duty(name="wu", department="engineering", starts_at=at("2026-12-06 18:00"),
                         ends_at=at("2026-12-07 08:00"), made_by="su"))
    number = await in_progress(desk, assignee=None)
    await warn(desk, at("2026-12-06 22:00"))
    assert {whom for whom, *_ in await told(desk, number, "finish")} == {"wu"}


async def test_a_deputy_hears_it_for_who_is_away(desk):
    async with desk.db.writing() as session:
        session.add(Absence(name="wu", deputy="ou", starts_at=MONDAY, ends_at=at("2026-12-31 00:00"), made_by="su"))
        session.add(Absence(name="su", deputy=None, starts_at=MONDAY, ends_at=at("2026-12-31 00:00"), made_by="su"))
    number = await in_progress(desk)
    await warn(desk, at("2026-12-07 10:00"))
    assert {whom for whom, *_ in await told(desk, number, "finish")} == {"ou", "head"}


async def test_whom_a_complaint_is_about_never_hears_of_it(desk):
    number = await desk.register(about={"staff": "su"})
    await warn(desk, at("2026-12-08 10:00"))
    heard = {whom for whom, *_ in await told(desk, number)}
    assert heard and "su" not in heard
    unit = await desk.register(about={"unit": "工程维修部"})
    await warn(desk, at("2026-12-22 10:00"))
    heard = {whom for whom, *_ in await told(desk, unit)}
    assert heard and not heard & {"wu", "head"}


async def test_of_a_report_only_inspectors_hear(desk):
    report = await desk.register(kind="report", about={"staff": "ji"})
    await desk.register()
    await warn(desk, at("2026-12-08 10:00"))
    assert {whom for whom, *_ in await told(desk, report)} == {"ji2"}
    async with desk.db.reading() as session:
        rows = list(await session.scalars(select(Outbox).where(Outbox.recipient == "staff:ji2")))
        ticket = await session.scalar(select(Ticket).where(Ticket.number == report))
    assert rows and all(row.ticket_id == ticket.id for row in rows), "a report's message is a report's outbox row"
    assert not any(report in text for _, to, text in await outbox(desk) if to != "staff:ji2")


async def test_many_at_once_come_as_one_message_a_person(desk):
    numbers = [await desk.register() for _ in range(25)]
    async with desk.db.writing() as session:
        for each in await session.scalars(select(Clock).where(Clock.name != "accept")):
            each.next_tell_at = None
    await warn(desk, at("2026-12-01 17:31"))
    to_su = [text for _, to, text in await outbox(desk) if to == "staff:su"]
    assert len(to_su) == 1 and to_su[0].startswith("有 25 件") and "另有 5 件" in to_su[0]
    assert sum(number in to_su[0] for number in numbers) == 20
    assert len([row for row in await told(desk) if row[0] == "su"]) == 25


async def test_mail_and_webhook_are_told_for_the_roles_they_were_set_for(desk):
    mail = Way("mail", "duty@office.example", "office", frozenset({"supervisor"}))
    hook = Way("webhook", "webhook-2", "2", frozenset({"officer"}))
    desk.office = replace(desk.office, ways=(mail, hook))
    number = await in_progress(desk)
    await warn(desk, at("2026-12-07 10:00"))
    found = await told(desk, number, "finish")
    assert ("duty@office.example", "mail", 100) in found and ("webhook-2", "webhook", 100) in found
    ways = {(channel, to) for channel, to, _ in await outbox(desk)}
    assert {("email", "staff:duty@office.example"), ("webhook", "staff:webhook-2"), ("console", "staff:wu")} <= ways
    async with desk.db.reading() as session:
        accounts = set(await session.scalars(select(Outbox.account).where(Outbox.channel != "console")))
        assert {"office", "2"} <= accounts


async def test_warnings_by_mail_are_gathered_and_breaches_are_not(desk):
    desk.office = replace(desk.office, ways=(Way("mail", "desk@office.example", "main", frozenset({"clerk"})),))
    first, second, third = [await desk.register() for _ in range(3)]

    async def plan(number, moment):
        async with desk.db.writing() as session:
            ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
            for each in await session.scalars(select(Clock).where(Clock.ticket_id == ticket.id)):
                each.next_tell_at = moment if each.name == "accept" else None

    start = at("2026-11-30 10:00")
    for n, number in enumerate((first, second, third)):
        await plan(number, start + timedelta(minutes=n))

    async def mails():
        return [text for channel, _, text in await outbox(desk) if channel == "email"]

    for n in range(9):
        await warn(desk, start + timedelta(minutes=n))
        assert len(await mails()) == 1
    await warn(desk, start + timedelta(minutes=10))
    assert len(await mails()) == 2 and (await mails())[1].startswith("有 2 件")


async def test_what_was_done_by_morning_is_not_told_any_more(desk):
    number = await desk.register()
    async with desk.db.writing() as session:
        for each in await session.scalars(select(Clock)):
            each.next_tell_at = at("2026-11-30 22:00") if each.name == "accept" else None
    await warn(desk, at("2026-11-30 22:01"))
    await desk.do(number, "accept")
    await warn(desk, at("2026-12-01 09:30"))
    assert await told(desk, number) == []


async def test_a_broken_limit_owes_the_resident_a_word_within_a_working_day(desk):
    number = await in_progress(desk)
    await warn(desk, at("2026-12-07 09:30"))
    owed = (await running(desk, number))["progress"]
    assert owed["due_at"] == "2026-12-08T17:30:00+08:00"
    await desk.do(number, "progress", {"text": "配件已到，明天上门更换。"}, OFFICER)
    assert "progress" not in await running(desk, number)
    await warn(desk, at("2026-12-09 09:30"))
    assert await told(desk, number, "progress") == []


async def test_the_third_redo_raises_the_level_and_the_fourth_does_not(desk):
    number = await in_progress(desk, assignee="wu")
    levels = []
    for _ in range(4):
        await desk.do(number, "submit", SUBMISSION, OFFICER)
        await desk.do(number, "approve", {}, SUPERVISOR)
        await desk.deliver(number)
        await desk.do(number, "redo", {"reason": "还是不行"}, SUPERVISOR)
        levels.append(((await desk.find(number)).level, "supervision" in await running(desk, number)))
    assert levels == [(0, False), (0, False), (1, True), (1, False)]
    async with desk.db.writing() as session:
        await staff_notices.tell_waiting(session, desk.office, clock.now())
    assert {whom for whom, *_ in await told(desk, number)} >= {"wu", "head", "su"}
    assert any("已重办 3 次" in text for *_, text in await outbox(desk))


async def test_the_third_refused_return_raises_the_level(desk):
    number = await in_progress(desk, assignee="wu")
    for _ in range(3):
        await desk.do(number, "request_return", {"reason": "不归我们"}, OFFICER)
        await desk.do(number, "refuse_return", {"reason": "归你们"}, CLERK)
    assert (await desk.find(number)).level == 1


async def test_a_raise_with_a_date_counts_to_that_date_and_a_second_begins_anew(desk):
    number = await in_progress(desk)
    await desk.do(number, "raise", {"reason": "领导批示", "due_at": "2026-12-02T12:00:00+08:00"}, SUPERVISOR)
    assert (await running(desk, number))["supervision"]["due_at"] == "2026-12-02T12:00:00+08:00"
    await warn(desk, at("2026-12-02 12:01"))
    assert {whom for whom, _, share in await told(desk, number, "supervision") if share == 100} == {"wu", "head", "su"}
    await desk.do(number, "raise", {"reason": "仍未办结"}, SUPERVISOR)
    assert (await desk.find(number)).level == 2
    async with desk.db.reading() as session:
        ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
        explained = await clock_words.explain_clocks(session, desk.office, ticket, clock.now())
    supervised = [item for item in explained if item["name"] == "supervision"]
    assert [item["stopped_at"] is None for item in supervised] == [False, True]
    assert any("督办限定" in step for step in supervised[0]["explain"])
    assert supervised[0]["told"] and supervised[0]["told"][0].keys() == {"at", "share", "whom", "by"}


async def test_a_warning_is_not_lost_where_nobody_has_the_role(desk):
    desk.office = replace(desk.office, people=(person("boss", "administrator"),))
    number = await desk.register()
    await warn(desk, at("2026-12-01 17:31"))
    assert {whom for whom, *_ in await told(desk, number)} == {"boss"}


async def test_a_promise_that_is_not_kept_reaches_its_owner_and_then_the_supervisor(desk):
    number = await in_progress(desk)
    promised = [{"what": "更换门机", "owner": "ou", "due_on": "2026-12-04"}, {"what": "清理", "due_on": "2026-12-05"}]
    await desk.do(number, "submit", SUBMISSION | {"measures": promised}, OFFICER)
    assert "measure" not in await running(desk, number), "nobody was promised anything yet"
    await desk.do(number, "approve", {}, SUPERVISOR)
    await desk.deliver(number)
    await desk.do(number, "close", {}, OFFICER)
    async with desk.db.reading() as session:
        found = await session.scalars(select(Clock).where(Clock.name == "measure").order_by(Clock.id))
        # A Friday's close; the end of a Saturday, when nobody works.
        assert [each.due_at for each in found] == [at("2026-12-04 17:30"), at("2026-12-06 00:00")]
        ids = [int(subject.partition(":")[2]) for subject in await session.scalars(
            select(Clock.subject).where(Clock.name == "measure").order_by(Clock.id))]
    await warn(desk, at("2026-12-04 17:31"))
    # Both have been reminded of; the first is over.
    found = await told(desk, number, "measure")
    assert ("ou", "console", 100) in found and ("su", "console", 100) in found and ("wu", "console", 80) in found
    said = {to: text for _, to, text in await outbox(desk) if "答应居民的" in text}
    assert "“更换门机”应于 12月4日 17:30 前兑现，还没有兑现" in said["staff:su"] and "“清理”" in said["staff:wu"]
    await desk.do(number, "fulfil", {"measure": ids[0], "note": "已换"}, OFFICER)
    async with desk.db.reading() as session:
        open_ones = await session.scalars(select(Clock.subject).where(
            Clock.name == "measure", Clock.stopped_at.is_(None)))
        assert list(open_ones) == [f"measure:{ids[1]}"]


async def test_urging_is_told_to_whoever_has_it_at_once(desk):
    number = await desk.register(SUPERVISOR)
    await desk.do(number, "urge", {}, CLERK)
    await warn(desk, MONDAY + timedelta(minutes=1))
    assert [whom for whom, *_ in await told(desk, number)] == [], "the only clerk urged it himself"
    await desk.do(number, "accept")
    await desk.do(number, "assign", {"department": "engineering", "assignee": "wu"})
    await desk.do(number, "urge", {}, CLERK)
    await warn(desk, MONDAY + timedelta(minutes=2))
    assert [whom for whom, *_ in await told(desk, number)] == ["wu"]
    assert "催办" in (await outbox(desk))[-1][2]


async def add_word(desk, number, text):
    async with desk.db.reading() as session:
        whose = await session.scalar(select(Ticket.resident_id).where(Ticket.number == number))
    await desk.do(number, "supplement", {"text": text}, Actor("resident", frozenset({"resident"}), None, whose))


async def test_danger_and_every_further_word_of_it_rings_the_desk_at_once(desk):
    number = await desk.register(SUPERVISOR, urgency="emergency")
    await warn(desk, MONDAY + timedelta(minutes=1))
    assert ("cai", "console") in {(whom, by) for whom, by, *_ in await told(desk, number)}
    before = len(await outbox(desk))
    await add_word(desk, number, "里面困了两个人")
    await warn(desk, MONDAY + timedelta(minutes=3))
    said = await outbox(desk)
    assert len(said) > before and number in said[-1][2] and "新情况" in said[-1][2]


async def test_a_word_to_an_ordinary_ticket_wakes_nobody(desk):
    number = await desk.register(SUPERVISOR)
    await add_word(desk, number, "还有一处也在漏")
    await warn(desk, MONDAY + timedelta(minutes=1))
    assert await told(desk, number) == []
