"""Where a ticket goes: by category, roster, absence and load; never to whom it is about; nothing stays ownerless."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from core import clock
from core.errors import Conflict, Invalid
from tests.core.test_working_hours import at
from tests.ticketing.conftest import CLERK, OFFICER, SUBMISSION, SUPERVISOR, describe_clocks
from ticketing import green_channel, handover, roster, routing, tickets
from ticketing.model import Measure, Ticket, Transition
from ticketing.roster import Absence, Duty
from ticketing.staff import Actor, Person, Staff

MONDAY = at("2026-11-30 10:00")
ADMINISTRATOR = Actor("root", frozenset({"administrator"}), None)


def person(name, *roles, department=None):
    return Person(name, frozenset(roles), department)


PEOPLE = (
    person("cai", "clerk"), person("bai", "clerk"), person("su", "supervisor"),
    person("wu", "officer", department="engineering"), person("xu", "officer", department="engineering"),
    person("yu", "officer", department="engineering"), person("ou", "officer"), person("ji", "inspector"),
)


@pytest.fixture
def office(office):
    return replace(office, people=PEOPLE)


@pytest.fixture(autouse=True)
def monday_morning():
    clock.set_offset(MONDAY - clock.now())
    yield
    clock.set_offset(timedelta())


async def find(session, number):
    return await session.scalar(select(Ticket).where(Ticket.number == number))


async def look(desk, number):
    """(department, why, candidates as (name, on duty, load))."""
    async with desk.db.reading() as session:
        ticket, here = await find(session, number), await roster.load(session, desk.office, clock.now())
        department, why = routing.suggest_department(desk.office.preset, ticket)
        able = await routing.candidates(session, here, ticket, department.code)
        return department.code, why, [(each.person.name, each.on_duty, each.load) for each in able]


async def on_duty(desk, *names, department="engineering"):
    async with desk.db.writing() as session:
        for name in names:
            session.add(Duty(name=name, department=department, starts_at=MONDAY - timedelta(hours=2),
                             ends_at=MONDAY + timedelta(hours=8), made_by="su"))


async def away(desk, name, deputy=None):
    async with desk.db.writing() as session:
        session.add(Absence(name=name, deputy=deputy, starts_at=MONDAY - timedelta(days=1),
                            ends_at=MONDAY + timedelta(days=5), made_by="su"))


async def assign(desk, **body):
    number = await desk.register(category="repairs-plumbing")
    await desk.do(number, "accept")
    await desk.do(number, "assign", {"department": "engineering"} | body)
    return number


async def test_the_category_names_the_department_and_what_none_knows_goes_to_the_fallback(desk):
    department, why, _ = await look(desk, await desk.register(category="repairs-plumbing"))
    assert department == "engineering" and "水管与漏水" in why[0]
    async with desk.db.reading() as session:
        ticket = await find(session, await desk.register(category="other"))
    ticket.category = None
    department, why = routing.suggest_department(desk.office.preset, ticket)
    assert department.code == desk.office.preset.fallback_department and "兜底" in why[0]


async def test_a_complaint_about_a_unit_passes_it_over(desk):
    for unit in ("engineering", "工程维修部"):
        department, why, able = await look(desk, await desk.register(category="repairs-plumbing", about={"unit": unit}))
        assert department == "service" and "回避" in why[0]
        assert not {"wu", "xu", "yu"} & {name for name, *_ in able}
    department, why, _ = await look(desk, await desk.register(category="fees-property", about={"unit": "service"}))
    assert department == "engineering" and len(why) == 2, "where the fallback is complained about, another has it"


async def test_who_is_on_duty_comes_first_then_who_has_least_and_who_is_away_not_at_all(desk):
    for _ in range(2):
        await assign(desk, assignee="wu")
    await assign(desk, assignee="xu")
    number = await desk.register(category="repairs-plumbing")
    assert (await look(desk, number))[2] == [("ou", False, 0), ("yu", False, 0), ("xu", False, 1), ("wu", False, 2)]
    await on_duty(desk, "wu", "xu")
    await away(desk, "yu")
    assert (await look(desk, number))[2] == [("xu", True, 1), ("wu", True, 2), ("ou", False, 0)]


async def test_assigning_without_a_name_takes_who_is_on_duty_and_has_least(desk):
    assert (await desk.find(await assign(desk))).assignee is None, "without a roster it waits in the queue"
    await on_duty(desk, "wu", "xu")
    assert [(await desk.find(await assign(desk))).assignee for _ in range(4)] == ["wu", "xu", "wu", "xu"]
    await away(desk, "wu", deputy="yu")
    assert (await desk.find(await assign(desk))).assignee == "xu"
    assert (await desk.find(await assign(desk, assignee="yu"))).assignee == "yu"


async def test_a_ticket_about_somebody_cannot_be_given_to_him_and_is_not_seen_by_him(desk):
    number = await desk.register(category="repairs-plumbing", about={"staff": "wu"})
    await desk.do(number, "accept")
    with pytest.raises(Conflict, match="about wu"):
        await desk.do(number, "assign", {"department": "engineering", "assignee": "wu"})
    await on_duty(desk, "wu", "xu")
    await desk.do(number, "assign", {"department": "engineering"})
    assert (await desk.find(number)).assignee == "xu"
    with pytest.raises(Conflict, match="about wu"):
        await desk.do(number, "reassign", {"assignee": "wu"}, SUPERVISOR)
    async with desk.db.reading() as session:
        for name, sees in (("wu", False), ("xu", True)):
            actor = Actor(name, frozenset({"officer"}), "engineering")
            seen = await session.scalar(select(Ticket.id).where(tickets.visible(actor), Ticket.number == number))
            assert (seen is not None) is sees


async def test_who_was_asked_first_has_it_until_it_is_accepted(desk):
    async with desk.db.reading() as session:
        assert (await find(session, await desk.register())).asked_first == "cai"
    assistant = Actor("assistant", frozenset({"assistant"}), None)
    first = await desk.register(assistant, kind="consultation")
    assert (await desk.find(first)).asked_first is None, "nobody is on duty: it is every clerk's"
    await on_duty(desk, "bai", "cai", department="service")
    names = [(await desk.find(await desk.register(assistant))).asked_first for _ in range(3)]
    # One of cai's own waits already.
    assert names == ["bai", "bai", "cai"] or names == ["bai", "cai", "bai"]
    from ticketing.escalation import find_all

    async with desk.db.reading() as session:
        here = await roster.load(session, desk.office, clock.now())
        ticket = await find(session, first)
        ticket.asked_first = "bai"
        assert [each.name for each in find_all(here, ticket, ["clerk"])] == ["bai"]
        ticket.state = "accepted"
        assert {each.name for each in find_all(here, ticket, ["clerk"])} == {"bai", "cai"}
        ticket.state, ticket.about = "registered", {"staff": "bai"}
        assert [each.name for each in find_all(here, ticket, ["clerk"])] == ["cai"]


async def test_a_handover_leaves_nothing_behind(desk):
    mine = [await assign(desk, assignee="wu") for _ in range(3)]
    about = await desk.register(category="repairs-plumbing", about={"staff": "yu"})
    await desk.do(about, "accept")
    await desk.do(about, "assign", {"department": "engineering", "assignee": "wu"})
    done = await assign(desk, assignee="wu")
    await desk.do(done, "submit", SUBMISSION, OFFICER)
    await desk.deliver(done)
    async with desk.db.writing() as session:
        ticket = await find(session, mine[0])
        session.add(Measure(ticket_id=ticket.id, what="更换水管", owner="wu", due_on=MONDAY.date()))
        session.add(Staff(name="wu", roles=["officer"], department="engineering", created_at=MONDAY))
    await on_duty(desk, "wu", "xu")
    async with desk.db.writing() as session:
        moved = await handover.hand_over(
            session, desk.office, ADMINISTRATOR, "wu", "yu", "离职", clock.now(), leaves=True)
    assert (moved.tickets, moved.queued, moved.measures) == (4, 1, 1)
    assert [(await desk.find(number)).assignee for number in (*mine, about, done)] == ["yu", "yu", "yu", None, "wu"]
    async with desk.db.reading() as session:
        rows = list(await session.scalars(select(Transition).where(Transition.verb == "reassign")))
        assert {row.reason for row in rows} == {"交接：离职"} and rows[0].changes == {"assignee": ["wu", "yu"]}
        here = await roster.load(session, desk.office, clock.now())
    assert here.find("wu") is None and not any(name == "wu" for name, _ in here.duty)
    for name, to in (("wu", None), ("nobody", None), ("xu", "xu"), ("xu", "nobody")):
        with pytest.raises(Invalid):
            async with desk.db.writing() as session:
                await handover.hand_over(session, desk.office, ADMINISTRATOR, name, to, "x", clock.now())


async def test_without_a_successor_it_goes_to_who_is_on_duty_else_to_the_queue(desk):
    number = await assign(desk, assignee="wu")
    async with desk.db.writing() as session:
        moved = await handover.hand_over(session, desk.office, SUPERVISOR, "wu", None, "休假", clock.now())
    assert (moved.tickets, moved.queued) == (1, 1) and (await desk.find(number)).assignee is None
    await desk.do(number, "reassign", {"assignee": "wu"}, SUPERVISOR)
    await on_duty(desk, "wu", "xu")
    async with desk.db.writing() as session:
        await handover.hand_over(session, desk.office, SUPERVISOR, "wu", None, "休假", clock.now())
    assert (await desk.find(number)).assignee == "xu"


async def test_the_green_channel_shortens_the_limit_and_keeps_who_granted_it(desk):
    number = await desk.register()

    async def finish():
        async with desk.db.reading() as session:
            shown = await describe_clocks(session, await find(session, number), clock.now())
            return next(item for item in shown if item["name"] == "finish")

    async def grant(code, actor=CLERK):
        async with desk.db.writing() as session:
            body = green_channel.Grant(code=code)
            await green_channel.grant(session, desk.office, actor, await find(session, number), body, clock.now())

    assert (await finish())["rule_version"] == "finish@1"
    await grant("elderly")
    shown = await finish()
    assert (shown["rule_version"], shown["due_at"]) == ("finish-green@1", "2026-12-02T17:30:00+08:00")
    ticket = await desk.find(number)
    assert (ticket.green_channel["granted_by"], ticket.green_channel["proof"]) == ("cai", "业主档案")
    with pytest.raises(Conflict, match="already"):
        await grant("elderly")
    with pytest.raises(Invalid, match="elderly, disabled"):
        await grant("vip")
    await desk.do(number, "withdraw")
    with pytest.raises(Conflict, match="open"):
        await grant("disabled")
    limits = {entry["code"]: entry["limit"] for entry in green_channel.describe(desk.office)}
    assert limits == {"elderly": "2 working days", "disabled": "2 working days"}
