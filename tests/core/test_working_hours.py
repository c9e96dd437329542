"""Working time is counted as the contract's table says, and as a minute-by-minute count says."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.working_hours import BruteForce
from core.clock import ZONE
from core.errors import Invalid
from core.reckoning import explain
from core.working_hours import ALWAYS, Source, Windows, WorkingHours

OFFICE: Windows = ((540, 720), (840, 1050))
WEEK: list[Windows] = [OFFICE] * 5 + [(), ()]
GOLDEN_WEEK = {date(2026, 10, day): "国庆节" for day in range(1, 8)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def office(provisional_from: date | None = None) -> WorkingHours:
    return WorkingHours(
        WEEK, closed=GOLDEN_WEEK, made_up={date(2026, 10, 10): 2}, provisional_from=provisional_from
    )


# 27 November 2026 is a Friday, 30 November a Monday.
ROWS = [
    pytest.param("2026-11-27 16:40", "2 working hours", "hours", "2026-11-30 10:10", id="over a weekend"),
    pytest.param("2026-11-27 20:00", "1 working day", "next_day", "2026-11-30 17:30", id="Friday night"),
    pytest.param("2026-11-28 10:00", "1 working day", "next_day", "2026-11-30 17:30", id="Saturday"),
    pytest.param("2026-11-28 10:00", "1 working day", "inclusive", "2026-11-30 17:30", id="Saturday, 含本数"),
    pytest.param("2026-11-30 08:00", "1 working day", "inclusive", "2026-11-30 17:30", id="same day"),
    pytest.param("2026-11-30 18:00", "2 working days", "inclusive", "2026-12-01 17:30", id="after closing"),
    pytest.param("2026-11-30 11:30", "0.5 working hours", "hours", "2026-11-30 12:00", id="ends at noon"),
    pytest.param("2026-09-30 10:00", "3 working days", "next_day", "2026-10-10 17:30", id="国庆 and 调休"),
    pytest.param("2026-11-30 10:00", "24 hours", "natural", "2026-12-01 10:00", id="24 hours"),
    pytest.param("2026-02-28 10:00", "15 days", "natural", "2026-03-15 10:00", id="15 days"),
]


@pytest.mark.parametrize(("start", "target", "count", "due"), ROWS)
def test_the_worked_table_holds(start: str, target: str, count: str, due: str) -> None:
    assert office().add(at(start), target, count) == at(due)
    assert office().add(at(start), target) == at(due) or count == "inclusive"


@pytest.mark.parametrize(("start", "target", "count", "due"), ROWS)
def test_the_explanation_ends_at_the_due_moment(start: str, target: str, count: str, due: str) -> None:
    steps = explain(office(), at(start), target, count)
    assert "起算" in steps[0]
    assert steps[-1].endswith(f"{due[11:]} 到期")


def test_the_explanation_names_lunch_holidays_and_made_up_days() -> None:
    steps = "\n".join(explain(office(), at("2026-09-30 11:20"), "30 working hours"))
    assert "扣除午休 12:00–14:00" in steps
    assert "扣除国庆节：10月1日 周四 至 10月7日 周三，7 天不计" in steps
    assert "10月10日 周六（调休上班）" in steps


def test_the_explanation_says_when_a_date_may_still_change() -> None:
    uncertain = office(provisional_from=date(2027, 1, 1))
    assert any("尚未公布" in step for step in explain(uncertain, at("2026-12-30 10:00"), "5 working days"))
    assert not any("尚未公布" in step for step in explain(uncertain, at("2026-11-30 10:00"), "2 working days"))


def test_roll_moves_an_end_on_a_holiday_to_the_next_close() -> None:
    start = at("2026-09-30 10:00")
    assert office().add(start, "2 days", roll=True) == at("2026-10-08 17:30")
    assert office().add(start, "2 days") == at("2026-10-02 10:00")
    assert office().add(at("2026-11-30 10:00"), "1 days", roll=True) == at("2026-12-01 10:00")


def test_moments_come_out_in_utc() -> None:
    for target in ("1 working hour", "1 working day", "1 hour", "0 working days"):
        assert office().add(at("2026-11-30 10:00"), target).tzinfo is UTC


def test_a_calendar_that_never_closes_counts_every_hour() -> None:
    always = WorkingHours([ALWAYS] * 7)
    assert always.add(at("2026-11-28 23:30"), "2 working hours") == at("2026-11-29 01:30")
    assert always.add(at("2026-11-28 23:30"), "1 working day") == at("2026-11-30 00:00")
    assert explain(always, at("2026-11-28 23:30"), "1 working day")[-2:] == [
        "11月29日 周日 第 1 个工作日",
        "11月30日 周一 00:00 到期",
    ]


@pytest.mark.parametrize(
    ("target", "count", "field"),
    [
        ("1.5 days", None, "target"),
        ("0.5 working days", None, "target"),
        ("soon", None, "target"),
        ("-1 days", None, "target"),
        ("5", None, "target"),
        ("9999999 days", None, "target"),
        ("5 working days", "hours", "count"),
        ("5 working days", "natural", "count"),
        ("2 working hours", "next_day", "count"),
        ("24 hours", "hours", "count"),
        ("15 days", "inclusive", "count"),
        ("15 days", "sometimes", "count"),
    ],
)
def test_what_cannot_be_counted_is_refused(target: str, count: str | None, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        office().add(at("2026-11-30 10:00"), target, count)
    assert refused.value.field == field


def test_the_longest_target_has_an_end_or_a_refusal_and_never_a_crash() -> None:
    assert office().add(at("2026-11-30 10:00"), "100000 days").year == 2300
    seldom = WorkingHours([()] * 6 + [OFFICE])
    with pytest.raises(Invalid):
        seldom.add(at("2026-11-30 10:00"), "100000 working days")


def test_a_day_says_why_it_is_open_or_closed() -> None:
    hours = WorkingHours(
        WEEK,
        closed=GOLDEN_WEEK,
        made_up={date(2026, 10, 10): 2},
        special={date(2026, 10, 8): (((540, 600),), "盘点"), date(2026, 10, 9): ((), "停电")},
        provisional_from=date(2027, 1, 1),
    )
    assert hours.day(date(2026, 10, 1)).source is Source.HOLIDAY
    assert hours.day(date(2026, 10, 10)).hours == [["09:00", "12:00"], ["14:00", "17:30"]]
    assert hours.day(date(2026, 10, 8)).hours == [["09:00", "10:00"]]
    assert not hours.day(date(2026, 10, 9)).working
    assert hours.day(date(2027, 3, 1)).provisional and not hours.day(date(2026, 12, 31)).provisional


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-30 08:00", "2026-11-30 09:00"),
        ("2026-11-30 09:00", "2026-11-30 09:00"),
        ("2026-11-30 12:00", "2026-11-30 14:00"),
        ("2026-11-27 17:30", "2026-11-30 09:00"),
        ("2026-09-30 18:00", "2026-10-08 09:00"),
    ],
)
def test_the_next_opening_is_found(moment: str, opening: str) -> None:
    assert office().next_opening(at(moment)) == at(opening)
    assert office().is_open(at(moment)) == (moment == opening)


def test_windows_that_overlap_or_run_backwards_are_refused() -> None:
    for windows in (((600, 540),), ((540, 720), (700, 800)), ((0, 1441),), ((540, 540),)):
        with pytest.raises(Invalid):
            WorkingHours([windows] * 7)
    with pytest.raises(Invalid):
        WorkingHours([()] * 7)


window = st.lists(st.integers(0, 1440), min_size=0, max_size=6, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)
day_in_span = st.dates(date(2026, 1, 1), date(2026, 3, 1))
calendar = st.tuples(
    st.lists(window, min_size=7, max_size=7).filter(any),
    st.dictionaries(day_in_span, st.just("节日"), max_size=6),
    st.dictionaries(day_in_span, st.integers(0, 6), max_size=4),
    st.dictionaries(day_in_span, st.tuples(window, st.just("特殊")), max_size=4),
)
minute = st.integers(0, 60 * 1440)


@settings(max_examples=150, deadline=None)
@given(calendar, minute, minute, st.integers(1, 3000))
def test_a_minute_by_minute_count_agrees(
    parts: tuple[list[Windows], dict, dict, dict], first: int, second: int, amount: int
) -> None:
    weekly, closed, made_up, special = parts
    hours = WorkingHours(weekly, closed=closed, made_up=made_up, special=special)
    brute = BruteForce(weekly, closed, made_up, special, first=date(2026, 1, 1), days=60)
    begin = at("2026-01-01 00:00")
    a, b = begin + timedelta(minutes=first), begin + timedelta(minutes=second)
    assert hours.between(a, b) == timedelta(minutes=brute.between(first, second))
    due = brute.add(first, amount)
    if due is not None:
        assert hours.add(a, f"{int(amount / 60 * 10**6) / 10**6:.6f} working hours") - (begin + timedelta(minutes=due)) < timedelta(
            seconds=1
        )
        assert hours.shift(a, timedelta(minutes=amount)) == begin + timedelta(minutes=due)
