"""Appointments on both databases: a place is never given twice, limits bind residents, the calendar brings about the rest."""

import asyncio
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from core.checking import check_body
from core.clock import ZONE
from core.conversation import add_resident
from core.errors import Conflict, Invalid
from ticketing import appointments, slots
from ticketing.appointments import Appointment, AppointmentStatus, Booking, Refused
from ticketing.booking_rules import BookableService, BookingRules
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.slots import NewSlot, Slot
from ticketing.staff import Actor

CLERK = Actor("cai", frozenset({"clerk"}), None)
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=ZONE)
RACERS = 40


async def make_slot(db, office, *, capacity=1, start=MONDAY + timedelta(days=1), minutes=30, now=MONDAY):
    body = check_body(NewSlot, {
        "service": "居住证办理", "starts_at": start, "ends_at": start + timedelta(minutes=minutes),
        "capacity": capacity,
    })
    async with db.writing() as session:
        return (await slots.open_slot(session, office, CLERK, body, now)).id


async def make_people(db, count=1, **fields):
    async with db.writing() as session:
        return [(await add_resident(session, MONDAY, name=f"居民{n}", **fields)).id for n in range(count)]


async def book(db, office, slot_id, resident_id, *, own=True, now=MONDAY):
    from core.conversation import Resident

    async with db.writing() as session:
        slot, resident = await session.get_one(Slot, slot_id), await session.get_one(Resident, resident_id)
        made = await appointments.book(session, office, CLERK, Booking(slot, resident, own), now)
        return made.id


async def change(db, office, what, appointment_id, *args, now=MONDAY, own=True):
    async with db.writing() as session:
        found = await session.get_one(Appointment, appointment_id)
        if what == "move":
            to = await session.get_one(Slot, args[0])
            await appointments.move(session, office, CLERK, found, to, now, is_own=own)
        elif what == "cancel":
            await appointments.cancel(session, CLERK, found, now, is_own=own)
        else:
            await appointments.check_in(session, CLERK, found, now)


async def read_slot(db, slot_id):
    """(booked as the slot counts, booked as the appointments say)."""
    async with db.reading() as session:
        booked = (await session.get_one(Slot, slot_id)).booked
        held = await session.scalar(select(func.count()).select_from(Appointment).where(
            Appointment.slot_id == slot_id, Appointment.status != AppointmentStatus.CANCELLED))
        return booked, held


async def outcomes(*work):
    """How each ended: None, or the reason it was refused for."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for each in done:
        if isinstance(each, BaseException) and not isinstance(each, Conflict):
            raise each
    return [getattr(each, "reason", "conflict") if isinstance(each, Conflict) else None for each in done]


async def test_of_many_who_book_at_once_only_as_many_as_fit_get_a_place(db, office):
    slot = await make_slot(db, office, capacity=3)
    people = await make_people(db, RACERS)
    ended = await outcomes(*(book(db, office, slot, person) for person in people))
    assert ended.count(None) == 3 and set(ended) == {None, "full"}
    assert await read_slot(db, slot) == (3, 3)


async def test_one_resident_who_books_everywhere_at_once_gets_no_more_than_the_limit(db, office):
    made = [await make_slot(db, office, start=MONDAY + timedelta(days=1, hours=n)) for n in range(10)]
    person, = await make_people(db)
    ended = await outcomes(*(book(db, office, slot, person) for slot in made))
    assert ended.count(None) == office.preset.appointments.per_resident
    assert set(ended) == {None, "limit"}


async def test_moves_to_and_fro_at_once_lose_no_place_and_make_none(db, office):
    one, other = [await make_slot(db, office, capacity=4, start=MONDAY + timedelta(days=d)) for d in (1, 2)]
    people = await make_people(db, 6)
    here = [await book(db, office, one, person) for person in people[:3]]
    there = [await book(db, office, other, person) for person in people[3:]]
    moves = [change(db, office, "move", a, other) for a in here] + [change(db, office, "move", a, one) for a in there]
    cancels = [change(db, office, "cancel", a) for a in here + there]
    await outcomes(*moves, *cancels)
    for slot in (one, other):
        booked, held = await read_slot(db, slot)
        assert booked == held <= 4


async def test_closing_a_slot_while_people_cancel_and_book_deadlocks_nobody(db, office):
    for _ in range(5):
        slot = await make_slot(db, office, capacity=6)
        people = await make_people(db, 8)
        mine = [await book(db, office, slot, person) for person in people[:4]]

        async def close(slot=slot):
            async with db.writing() as session:
                await slots.close_slot(session, CLERK, slot, "停电", MONDAY)
                for each in await appointments.booked_in(session, slot):
                    await appointments.cancel(session, CLERK, each, MONDAY, is_own=False)

        cancels = [change(db, office, "cancel", each) for each in mine]
        books = [book(db, office, slot, person, own=bool(n % 2)) for n, person in enumerate(people[4:])]
        await outcomes(close(), *cancels, *books)
        assert await read_slot(db, slot) == (0, 0)


async def test_two_cancels_of_one_appointment_free_one_place(db, office):
    slot = await make_slot(db, office, capacity=2)
    first, second = await make_people(db, 2)
    mine = await book(db, office, slot, first)
    await book(db, office, slot, second)
    ended = await outcomes(*(change(db, office, "cancel", mine) for _ in range(5)))
    assert ended.count(None) == 1
    assert await read_slot(db, slot) == (1, 1)


async def test_a_move_to_a_full_slot_keeps_the_old_place(db, office):
    old, full = [await make_slot(db, office, start=MONDAY + timedelta(days=d)) for d in (1, 2)]
    first, second = await make_people(db, 2)
    mine = await book(db, office, old, first)
    await book(db, office, full, second)
    with pytest.raises(Refused) as refused:
        await change(db, office, "move", mine, full)
    assert refused.value.reason == "full"
    assert await read_slot(db, old) == (1, 1)
    await change(db, office, "cancel", mine)
    assert await read_slot(db, old) == (0, 0)
    with pytest.raises(Refused) as refused:
        await change(db, office, "move", mine, full)
    assert refused.value.reason == "not_booked"


async def test_limits_bind_residents_and_not_the_clerk(db, office):
    far = await make_slot(db, office, start=MONDAY + timedelta(days=60))
    near = await make_slot(db, office, capacity=5)
    over = await make_slot(db, office, start=MONDAY - timedelta(minutes=10))
    person, = await make_people(db)
    for slot, reason in ((far, "horizon"), (over, "over")):
        with pytest.raises(Refused) as refused:
            await book(db, office, slot, person)
        assert refused.value.reason == reason
    await book(db, office, near, person)
    with pytest.raises(Refused) as refused:
        await book(db, office, near, person)
    assert refused.value.reason == "same_slot"
    await book(db, office, far, person, own=False)
    await book(db, office, near, person, own=False)
    await book(db, office, over, person, own=False)


async def test_who_has_the_same_telephone_counts_as_one_person(db, office):
    slot = await make_slot(db, office, capacity=5)
    first, second = await make_people(db, 2, phone_digest="digest of 13800550123")
    await book(db, office, slot, first)
    with pytest.raises(Refused) as refused:
        await book(db, office, slot, second)
    assert refused.value.reason == "same_slot"


async def test_who_stayed_away_three_times_books_at_the_desk(db, office):
    person, = await make_people(db)
    for n in range(3):
        slot = await make_slot(db, office, start=MONDAY + timedelta(hours=n))
        await book(db, office, slot, person, own=False)
    friday = MONDAY + timedelta(days=4)
    async with db.writing() as session:
        assert await appointments.mark_no_shows(session, office, friday) == 3
        assert await appointments.mark_no_shows(session, office, friday) == 0
    later = await make_slot(db, office, start=MONDAY + timedelta(days=7))
    with pytest.raises(Refused) as refused:
        await book(db, office, later, person, now=friday)
    assert refused.value.reason == "no_shows"
    await book(db, office, later, person, now=friday, own=False)
    half_a_year = timedelta(days=180)
    last = await make_slot(db, office, start=MONDAY + half_a_year)
    await book(db, office, last, person, now=MONDAY + half_a_year - timedelta(days=2))


async def test_a_latecomer_counted_as_absent_can_still_check_in(db, office):
    slot = await make_slot(db, office)
    person, = await make_people(db)
    mine = await book(db, office, slot, person)
    end = MONDAY + timedelta(days=1, minutes=30)
    async with db.writing() as session:
        assert await appointments.mark_no_shows(session, office, end) == 0
        assert await appointments.mark_no_shows(session, office, end + timedelta(minutes=30)) == 1
    await change(db, office, "check_in", mine, now=end + timedelta(minutes=40))
    async with db.reading() as session:
        assert (await session.get_one(Appointment, mine)).status == AppointmentStatus.CHECKED_IN


async def test_everybody_is_reminded_once_on_the_day_before_and_nobody_at_night(db, office):
    slot = await make_slot(db, office, capacity=4, start=MONDAY + timedelta(days=2))
    gone, moved, stays, late = await make_people(db, 4)
    gone, moved, stays = [await book(db, office, slot, who) for who in (gone, moved, stays)]
    other = await make_slot(db, office, start=MONDAY + timedelta(days=4))
    await change(db, office, "cancel", gone)
    await change(db, office, "move", moved, other)
    tuesday = MONDAY + timedelta(days=1)
    late = await book(db, office, slot, late, now=tuesday.replace(hour=15))

    async def reminded(at):
        async with db.writing() as session:
            return [each.id for each in await appointments.claim_reminders(session, office, at)]

    assert await reminded(MONDAY.replace(hour=23)) == []
    assert await reminded(tuesday.replace(hour=9, minute=59)) == []
    both = await asyncio.gather(*(reminded(tuesday.replace(hour=10)) for _ in range(4)))
    assert sorted(each for found in both for each in found) == [stays], "who has just booked for tomorrow was told already"
    assert await reminded(tuesday.replace(hour=11)) == []
    assert await reminded(MONDAY + timedelta(days=3, hours=2)) == [moved]


async def test_a_reminder_that_is_too_late_is_not_sent(db, office):
    slot = await make_slot(db, office, start=MONDAY + timedelta(days=2))
    person, = await make_people(db)
    await book(db, office, slot, person)
    async with db.writing() as session:
        assert await appointments.claim_reminders(session, office, MONDAY + timedelta(days=2, hours=2)) == []


async def test_a_closed_slot_takes_nobody_and_is_closed_once(db, office):
    slot = await make_slot(db, office, capacity=2)
    person, = await make_people(db)
    async with db.writing() as session:
        await slots.close_slot(session, CLERK, slot, "停电", MONDAY)
    with pytest.raises(Refused) as refused:
        await book(db, office, slot, person)
    assert refused.value.reason == "closed"
    with pytest.raises(Conflict):
        async with db.writing() as session:
            await slots.close_slot(session, CLERK, slot, "停电", MONDAY)


async def test_a_slot_outside_the_opening_hours_is_marked(db, office):
    async def marked(start, minutes=30):
        made = await make_slot(db, office, start=start, minutes=minutes)
        async with db.reading() as session:
            return (await session.get_one(Slot, made)).outside_hours

    assert not await marked(MONDAY.replace(hour=11, minute=30))
    assert await marked(MONDAY.replace(hour=11, minute=45))  # Into the lunch break.
    assert await marked(MONDAY + timedelta(days=5))  # A Saturday.
    with pytest.raises(Invalid):
        await make_slot(db, office, start=MONDAY - timedelta(days=1))
    with pytest.raises(Invalid):
        await make_slot(db, office, minutes=-30)


def with_services(office, *services):
    rules = BookingRules(services=services)
    return Office(name=office.name, preset=office.preset.model_copy(update={"appointments": rules}), tell=office.tell)


async def test_recurring_slots_follow_the_opening_calendar_and_are_made_once(db, office):
    service = BookableService(
        service="居住证办理", department="service", weekly={"mon-fri": "08:30-12:30", "sat": "09:00-10:00"},
        minutes=60, capacity=2, counters=("1号窗口", "2号窗口"),
    )
    office = with_services(office, service)
    first, last = date(2026, 9, 28), date(2026, 10, 11)
    now = datetime(2026, 9, 1, tzinfo=ZONE)
    async with db.writing() as session:
        made = await slots.generate(session, office, CLERK, first, last, now)
    days = sorted({slot.starts_at.astimezone(ZONE).date() for slot in made})
    # The first week of October is a holiday; Saturday 10 October is worked instead, Saturday 3 October is not.
    assert days == [date(2026, 9, 28), date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 9),
                    date(2026, 10, 10)]
    monday = [slot for slot in made if slot.starts_at.astimezone(ZONE).date() == first]
    # The office opens at nine and closes at noon: 08:30 and 11:30 are no whole slots.
    assert {slot.starts_at.astimezone(ZONE).strftime("%H:%M") for slot in monday} == {"09:30", "10:30"}
    assert {slot.counter for slot in monday} == {"1号窗口", "2号窗口"} and len(monday) == 4
    async with db.writing() as session:
        assert await slots.generate(session, office, CLERK, first, last, now) == []


@pytest.mark.parametrize("name", ["property", "hall", "hospital"])
async def test_the_shipped_services_make_slots_within_the_opening_hours(db, name, tell):
    office = Office(name="x", preset=load_preset(name), tell=tell)
    assert office.preset.appointments.services
    async with db.writing() as session:
        made = await slots.generate(session, office, CLERK, date(2026, 11, 30), date(2026, 12, 6), MONDAY)
    for service in office.preset.appointments.services:
        mine = [slot for slot in made if slot.service == service.service]
        assert mine and not any(slot.outside_hours for slot in mine)
