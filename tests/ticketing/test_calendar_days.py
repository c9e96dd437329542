"""Notices and own days: read with the place of each mistake, kept, counted by, and open due times follow."""

from datetime import date

import pytest
from sqlalchemy import select

from core import clock
from core.audit import Audit
from core.checking import check_body
from core.errors import Invalid, NotFound
from tests.core.test_working_hours import at
from tests.ticketing.conftest import describe_clocks
from ticketing import calendar_days
from ticketing.calendar_days import NewDay
from ticketing.calendars import public_holidays
from ticketing.holiday_notice import read_notice
from ticketing.model import Ticket
from ticketing.staff import Actor

ADMINISTRATOR = Actor("root", frozenset({"administrator"}), None)
NOW = at("2026-11-26 10:00")
# An invented notice for 2027: it is not out yet.
CSV = """节日,开始,结束,调休上班
元旦,2027-01-01,2027-01-03,
# 春节多放一天
春节,2027-02-05,2027-02-12,2027-01-31;2027-02-20=fri
国庆节,2027-10-01,2027-10-07,2027-10-09
"""
YAML = """
year: 2027
holidays:
  - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
  - {name: 春节, from: 2027-02-05, to: 2027-02-12, work: [2027-01-31, 2027-02-20=fri]}
  - {name: 国庆节, from: 2027-10-01, to: 2027-10-07, work: [2027-10-09]}
"""


@pytest.mark.parametrize(("text", "kind"), [(CSV, "csv"), (YAML, "yaml"), ("\ufeff" + CSV, "csv")],
                         ids=["csv", "yaml", "csv with a byte order mark"])
def test_a_notice_is_read_from_either_kind_of_table(text, kind):
    notice = read_notice(text, kind)
    assert notice.year == 2027 and len(notice.closed) == 3 + 8 + 7
    assert notice.closed[date(2027, 2, 12)] == "春节"
    assert notice.made_up == {date(2027, 1, 31): 0, date(2027, 2, 20): 4, date(2027, 10, 9): 0}


def test_new_years_day_may_begin_in_the_old_year():
    notice = read_notice("name,from,to\n元旦,2027-12-31,2028-01-02\n春节,2028-01-25,2028-02-01\n", "csv")
    assert notice.year == 2028 and date(2027, 12, 31) in notice.closed


WRONG = [
    ("", "csv", "no holiday"), ("节日,开始,结束\n", "csv", "no holiday"), ("元旦,2027-01-01\n", "csv", "line 1"),
    ("节日,开始\n元旦,2027-13-01", "csv", "line 2: '2027-13-01' is not a date"),
    ("节日,开始,结束\n元旦,2027-01-03,2027-01-01", "csv", "line 2: a holiday has a name, and ends after"),
    ("节日,开始,结束\n元旦,2027-01-01,2027-03-01", "csv", "within a fortnight"),
    ("节日,开始,结束\n,2027-01-01,2027-01-03", "csv", "a holiday has a name"),
    ("节日,开始,结束\n元旦,2027-01-01,2027-01-03\n元旦,2027-01-03,2027-01-03", "csv", "line 3: 2027-01-03 is in two"),
    ("节日,开始,结束,上班\n元旦,2027-01-01,2027-01-03,2027-01-02", "csv", "a holiday and a day of work"),
    ("节日,开始,结束,上班\n元旦,2027-01-01,2027-01-03,2027-01-04", "csv", "is no day of rest"),
    ("节日,开始,结束,上班\n元旦,2027-01-01,2027-01-03,10月9日", "csv", "'10月9日' is not a day of work"),
    ("节日,开始,结束,上班\n元旦,2027-01-01,2027-01-03,2027-01-09=xxx", "csv", "is not a day of work"),
    ("节日,开始\n元旦,2027-01-01\n国庆节,2029-10-01", "csv", "for one year"),
    ("节日,开始\n元旦,1999-01-01", "csv", "from 2010 on"),
    ("holidays: 5", "yaml", "a list of"), ("[", "yaml", "not yaml"), ("- a", "yaml", "a list of"),
    ("holidays: [a]", "yaml", "holiday 1"), ("holidays: [{name: 元旦, form: 2027-01-01}]", "yaml", "holiday 1"),
    ("holidays: [{name: 元旦, from: 2027-01-01, to: [x]}]", "yaml", "is not a date"),
]


@pytest.mark.parametrize(("text", "kind", "said"), WRONG, ids=[row[2] for row in WRONG])
def test_a_mistake_in_a_notice_is_named_with_its_place(text, kind, said):
    with pytest.raises(Invalid) as caught:
        read_notice(text, kind)
    assert said in caught.value.detail


async def take(db, office, notice):
    async with db.writing() as session:
        await calendar_days.import_notice(session, ADMINISTRATOR, notice, NOW)
    return await calendar_days.refresh(db, office, ADMINISTRATOR, NOW)


async def test_a_year_without_a_notice_is_provisional_until_it_comes(db, office):
    assert public_holidays()[2] <= date(2027, 1, 1)
    assert office.preset.hours().day(date(2027, 3, 1)).provisional
    await calendar_days.refresh(db, office, ADMINISTRATOR, NOW)
    await take(db, office, read_notice(CSV, "csv"))
    hours = office.preset.hours()
    assert not hours.day(date(2027, 3, 1)).provisional and hours.day(date(2028, 3, 1)).provisional
    assert not hours.day(date(2027, 2, 12)).working, "as announced"
    assert hours.day(date(2027, 4, 5)).working, "what was computed for the year is not mixed in"
    assert hours.day(date(2027, 2, 20)).working and hours.day(date(2027, 10, 9)).working
    security = office.preset.hours("security")
    assert security.day(date(2027, 2, 12)).working, "a calendar without holidays has none"
    # A correction of the notice takes the place of the first.
    await take(db, office, read_notice("节日,开始,结束\n春节,2027-02-05,2027-02-11\n", "csv"))
    assert office.preset.hours().day(date(2027, 2, 12)).working
    assert not office.preset.hours().day(date(2027, 2, 20)).working


async def test_open_due_times_follow_a_notice_and_the_record_says_so(desk):
    await calendar_days.refresh(desk.db, desk.office, ADMINISTRATOR, NOW)
    clock.set_offset(at("2027-02-03 16:00") - clock.now())
    number = await desk.register()
    closed = await desk.register()
    await desk.do(closed, "withdraw")

    async def due():
        async with desk.db.reading() as session:
            ticket = await session.scalar(select(Ticket).where(Ticket.number == number))
            return {c["name"]: c["due_at"] for c in await describe_clocks(session, ticket, clock.now())}

    before = await due()
    assert before["accept"] == "2027-02-04T17:30:00+08:00"
    moved = await take(desk.db, desk.office, read_notice("节日,开始,结束\n春节,2027-02-04,2027-02-12\n", "csv"))
    after = await due()
    assert after["accept"] == "2027-02-15T17:30:00+08:00" and after["finish"] == before["finish"], "days do not move"
    assert moved == 1
    async with desk.db.reading() as session:
        rows = list(await session.scalars(select(Audit).where(Audit.action == "clock:recount")))
    assert [(row.subject, row.detail["due_at"]) for row in rows] == [
        (f"ticket:{number}", ["2027-02-04T17:30:00+08:00", "2027-02-15T17:30:00+08:00"])
    ]
    assert await calendar_days.refresh(desk.db, desk.office, ADMINISTRATOR, NOW) == 0
    clock.set_offset(clock.now() - clock.now())


async def test_another_process_learns_of_a_notice_and_goes_on_where_a_stop_left_it(desk, office):
    from ticketing.office import Office
    from ticketing.preset import load_preset

    await calendar_days.refresh(desk.db, desk.office, ADMINISTRATOR, NOW)
    await desk.register()
    async with desk.db.writing() as session:
        await calendar_days.import_notice(session, ADMINISTRATOR, read_notice(CSV, "csv"), NOW)
        state = await session.get_one(calendar_days.CalendarState, 1)
        state.recounted_to = 1
    other = Office(preset=load_preset("property"), name="x", tell=office.tell)
    await calendar_days.refresh(desk.db, other, ADMINISTRATOR, NOW)
    assert not other.preset.hours().day(date(2027, 2, 12)).working
    async with desk.db.reading() as session:
        state = await session.get_one(calendar_days.CalendarState, 1)
        assert (state.digest, state.recounted_to) == (calendar_days.digest(other), 0)


async def test_own_days_win_over_notices_and_one_calendar_may_have_its_own(db, office):
    async def set_day(**body):
        async with db.writing() as session:
            made = await calendar_days.set_day(session, office, ADMINISTRATOR, check_body(NewDay, body), NOW)
            return made.id

    await set_day(date="2026-10-02", name="开放日", hours="10:00-12:00")
    await set_day(date="2026-10-02", name="开放日", hours="10:00-11:00")
    night = await set_day(date="2026-12-01", name="消防演练", hours="08:00-20:00", department="security")
    await calendar_days.refresh(db, office, ADMINISTRATOR, NOW)
    assert office.preset.hours().day(date(2026, 10, 2)).hours == [["10:00", "11:00"]]
    assert office.preset.hours("security").day(date(2026, 10, 2)).hours == [["00:00", "24:00"]]
    assert office.preset.hours("security").day(date(2026, 12, 1)).hours == [["08:00", "20:00"]]
    assert len(office.preset.hours().day(date(2026, 12, 1)).hours) == 2
    async with db.writing() as session:
        await calendar_days.remove_day(session, ADMINISTRATOR, night, NOW)
        with pytest.raises(NotFound):
            await calendar_days.remove_day(session, ADMINISTRATOR, 999, NOW)
    await calendar_days.refresh(db, office, ADMINISTRATOR, NOW)
    assert office.preset.hours("security").day(date(2026, 12, 1)).hours == [["00:00", "24:00"]]
    for wrong in ({"hours": "9-12"}, {"date": "tomorrow"}, {"name": ""}, {"hours": "12:00-09:00"}):
        with pytest.raises(Invalid):
            check_body(NewDay, {"date": "2026-12-01", "name": "x"} | wrong)
