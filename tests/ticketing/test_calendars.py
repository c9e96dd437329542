"""Holidays and 调休 are those of the State Council's notices; what is not announced yet is provisional."""

from datetime import date, timedelta

import pytest

from core.errors import Invalid
from tests.core.test_working_hours import ROWS, at
from ticketing.calendars import Days, check_notice, describe_due, list_days, public_holidays, read_days
from ticketing.preset import load_preset

FIRST = load_preset("property").hours()
NOTICE_2026 = {
    "2026-01-01": 3, "2026-02-15": 9, "2026-04-04": 3, "2026-05-01": 5, "2026-06-19": 3, "2026-09-25": 3,
    "2026-10-01": 7,
}
"""First day and length of each holiday of 2026, as announced."""
MADE_UP_2026 = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def test_the_year_is_as_announced_weekends_of_a_holiday_included() -> None:
    closed, made_up, _ = public_holidays()
    for first, length in NOTICE_2026.items():
        days = [date.fromisoformat(first) + timedelta(days=n) for n in range(length)]
        assert all(day in closed for day in days), first
        assert days[0] - timedelta(days=1) not in closed and days[-1] + timedelta(days=1) not in closed, first
    assert sorted(day.isoformat() for day in made_up if day.year == 2026) == MADE_UP_2026
    assert sum(day.year == 2026 for day in closed) == sum(NOTICE_2026.values())


@pytest.mark.parametrize(("start", "target", "count", "due"), ROWS)
def test_the_first_department_of_the_property_preset_gives_the_worked_table(
    start: str, target: str, count: str, due: str
) -> None:
    answer = describe_due(FIRST, at(start), target, count)
    assert answer["due_at"] == at(due).isoformat()
    assert answer["steps"][-1].endswith("到期")


def test_days_are_listed_with_windows_source_and_doubt() -> None:
    days = {item["date"]: item for item in list_days(FIRST, date(2026, 10, 1), date(2027, 2, 10))["items"]}
    assert days["2026-10-01"] == {
        "date": "2026-10-01", "working": False, "hours": [], "source": "holiday", "name": "国庆节",
        "provisional": False,
    }
    assert days["2026-10-10"]["source"] == "make_up" and days["2026-10-10"]["working"]
    assert days["2026-11-27"]["hours"] == [["09:00", "12:00"], ["14:00", "17:30"]]
    assert not days["2026-12-31"]["provisional"] and days["2027-01-04"]["provisional"]
    assert days["2027-02-06"]["source"] == "holiday"


def test_a_year_beyond_all_notices_is_provisional_and_never_an_exception() -> None:
    [far] = list_days(FIRST, date(2150, 10, 1), date(2150, 10, 1))["items"]
    assert far["provisional"]
    steps = describe_due(FIRST, at("2150-10-01 10:00"), "5 working days")["steps"]
    assert any("尚未公布" in step for step in steps)


def test_an_emergency_room_knows_neither_night_nor_holiday() -> None:
    emergency = load_preset("hospital").hours("emergency")
    assert emergency.is_open(at("2026-10-01 03:00")) and not emergency.day(date(2027, 2, 6)).provisional


def test_a_clinic_with_saturday_hours_keeps_the_holiday_and_works_the_made_up_saturday_in_full() -> None:
    clinic = load_preset("hospital").hours("outpatient")
    assert not clinic.day(date(2026, 10, 3)).working
    assert clinic.day(date(2026, 10, 10)).hours == [["08:00", "12:00"], ["13:30", "17:00"]]
    assert clinic.day(date(2026, 10, 17)).hours == [["08:00", "12:00"]]


def test_the_offices_own_days_win() -> None:
    own = read_days(["2026-10-10, 停电检修", "# a comment", "2026-10-03, 值班, 09:00-12:00"])
    preset = load_preset("property")
    assert preset.set_days(Days(own={"": own})) and not preset.set_days(Days(own={"": own}))
    hours = preset.hours()
    assert not hours.day(date(2026, 10, 10)).working
    assert hours.day(date(2026, 10, 3)).hours == [["09:00", "12:00"]]
    assert FIRST.day(date(2026, 10, 10)).working


@pytest.mark.parametrize("line", ["2026-13-01, x", "tomorrow", "2026-10-03, x, 9-12", "2026-10-03, x, 12:00-09:00"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(Invalid, match="line 2"):
        read_days(["2026-10-10, 停电", line])


@pytest.mark.parametrize(("first", "last"), [("2026-10-02", "2026-10-01"), ("2026-01-01", "2046-01-01")])
def test_a_span_that_cannot_be_listed_is_refused(first: str, last: str) -> None:
    with pytest.raises(Invalid):
        list_days(FIRST, date.fromisoformat(first), date.fromisoformat(last))


def test_readiness_says_when_this_years_notice_is_missing() -> None:
    _, _, provisional_from = public_holidays()
    assert check_notice(FIRST, at(f"{provisional_from.year - 1}-12-31 10:00"))[0] == "ok"
    assert check_notice(FIRST, at(f"{provisional_from.year}-01-01 10:00"))[0] == "degraded"
    emergency = load_preset("hospital").hours("emergency")
    assert check_notice(emergency, at(f"{provisional_from.year}-01-01 10:00"))[0] == "ok"
