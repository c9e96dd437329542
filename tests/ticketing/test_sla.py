"""Clocks start, pause, resume, move and stop by verbs; warnings are told once; the resident hears one sentence."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.conversation import add_resident
from core.db import Database
from core.errors import Conflict, Invalid
from tests.core.test_working_hours import at
from tests.ticketing.conftest import describe_clocks
from ticketing import clock_words, pauses, sla
from ticketing.calendars import Days, read_days
from ticketing.clocks import Clock
from ticketing.due import Due, anything_due, claim, due_clocks, is_overdue
from ticketing.model import Ticket, Transition
from ticketing.preset import Preset, load_preset
from ticketing.staff import Actor

# 26 November 2026 is a Thursday.
THURSDAY = at("2026-11-26 10:00")


@dataclass
class FakeOffice:
    """What sla reads of an office."""

    preset: Preset


HALL, PROPERTY, HOSPITAL = (FakeOffice(load_preset(name)) for name in ("hall", "property", "hospital"))


async def make_ticket(session: AsyncSession, now: datetime = THURSDAY, number: int = 1, **fields: Any) -> Ticket:
    resident = await add_resident(session, now)
    values: dict[str, Any] = {
        "number": f"HY20261126-{number:05}", "kind": "complaint", "category": None, "title": "路灯不亮",
        "description": "路灯不亮三天了", "state": "registered", "urgency": "routine", "confidential": False,
        "resident_id": resident.id, "code": "123456", "registered_by": "clerk", "registered_at": now,
        "moved_at": now, "elements": [], "missing": [],
    }
    ticket = Ticket(**(values | fields))
    session.add(ticket)
    await session.flush()
    return ticket


async def run(session: AsyncSession, office: FakeOffice, ticket: Ticket, *steps: tuple[str, str]) -> None:
    for verb, moment in steps:
        await sla.on_verb(session, office, ticket, verb, at(moment))


async def clocks(session: AsyncSession, ticket: Ticket, now: datetime = THURSDAY) -> dict[str, dict[str, Any]]:
    return {clock["name"]: clock for clock in await describe_clocks(session, ticket, now)}


async def test_registering_starts_accept_and_finish_and_promises_both(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await sla.on_verb(session, HALL, ticket, "register", THURSDAY)
        shown = await clocks(session, ticket)
        assert shown["accept"]["due_at"] == "2026-11-27T17:30:00+08:00"
        assert shown["finish"]["due_at"] == "2026-12-03T17:30:00+08:00"
        assert shown["finish"]["rule_version"] == "finish@1"
        assert await clock_words.promise(session, ticket) == "我们会在11月27日17:30前受理，并在12月3日前答复您。"
        assert await sla.due_at(session, ticket, "finish") == at("2026-12-03 17:30")


async def test_accept_stops_at_acceptance_and_finish_at_the_delivered_reply(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("accept", "2026-11-26 11:00"))
        shown = await clocks(session, ticket)
        assert shown["accept"]["stopped_at"] == "2026-11-26T11:00:00+08:00" and not shown["accept"]["breached"]
        ticket.state = "approved"
        await run(session, HALL, ticket, ("assign", "2026-11-26 11:10"), ("submit", "2026-11-27 11:00"))
        await run(session, HALL, ticket, ("approve", "2026-11-27 12:00"))
        assert (await clocks(session, ticket))["finish"]["stopped_at"] is None
        await run(session, HALL, ticket, ("reply", "2026-12-04 09:00"))
        shown = await clocks(session, ticket)
        assert shown["finish"]["stopped_at"] == "2026-12-04T09:00:00+08:00" and shown["finish"]["breached"]
        assert all(clock["stopped_at"] for clock in shown.values())


async def test_an_answer_given_in_the_call_stops_the_finish_clock_at_once(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        ticket.state = "replied"
        await run(session, HALL, ticket, ("answer_directly", "2026-11-26 10:30"))
        assert all(clock["stopped_at"] for clock in (await clocks(session, ticket)).values())


async def test_a_contact_that_reached_nobody_is_no_first_reply(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session, state="in_progress")
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        for seq, reached in ((2, False), (3, True)):
            session.add(
                Transition(
                    ticket_id=ticket.id, seq=seq, verb="contact", from_state="in_progress", to_state="in_progress",
                    actor="o", at=THURSDAY, changes={"reached": [None, reached]},
                )
            )
            await session.flush()
            await run(session, HALL, ticket, ("contact", "2026-11-26 11:00"))
            assert bool((await clocks(session, ticket))["first_reply"]["stopped_at"]) is reached


async def test_a_pause_moves_the_due_time_by_the_working_time_it_took(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("ask_supplement", "2026-11-27 16:30"))
        shown = await clocks(session, ticket, at("2027-03-01 10:00"))
        assert shown["finish"]["paused_at"] == "2026-11-27T16:30:00+08:00" and not shown["finish"]["breached"]
        assert "supplement" in shown and "补充" in await clock_words.promise(session, ticket)
        await run(session, HALL, ticket, ("supplement", "2026-11-30 10:00"))
        shown = await clocks(session, ticket)
        # An hour of Friday and an hour of Monday.
        assert shown["finish"]["due_at"] == "2026-12-04T11:00:00+08:00"
        assert shown["finish"]["paused_at"] is None and shown["finish"]["paused_total_s"] == 65 * 3600 + 1800
        assert shown["supplement"]["stopped_at"]


async def test_a_natural_limit_is_paused_by_the_wall_clock(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session, urgency="emergency")
        await run(session, PROPERTY, ticket, ("register", "2026-11-26 10:00"))
        await run(session, PROPERTY, ticket, ("ask_supplement", "2026-11-26 20:00"), ("supplement", "2026-11-26 21:00"))
        assert (await clocks(session, ticket))["finish"]["due_at"] == "2026-11-27T11:00:00+08:00"


async def test_the_strictest_rule_wins_and_says_so(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session, urgency="emergency")
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        shown = {row["name"]: row for row in await clock_words.explain_clocks(session, HALL, ticket, THURSDAY)}
        assert shown["accept"]["due_at"] == "2026-11-26T11:00:00+08:00"
        assert shown["accept"]["rule_version"] == "accept-emergency@1"
        assert any("从严" in step and "受理 1 个工作日" in step for step in shown["accept"]["explain"])


async def test_amending_puts_running_clocks_under_the_rules_that_now_fit(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session, kind="consultation")
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        assert (await clocks(session, ticket))["finish"]["rule_version"] == "finish-consultation@1"
        ticket.kind = "complaint"
        await run(session, HALL, ticket, ("amend", "2026-11-26 11:00"))
        assert (await clocks(session, ticket))["finish"]["due_at"] == "2026-12-03T17:30:00+08:00"
        ticket.urgency = "emergency"
        await run(session, HALL, ticket, ("amend", "2026-11-26 11:30"))
        assert (await clocks(session, ticket))["finish"]["due_at"] == "2026-11-27T10:00:00+08:00"


async def test_redo_starts_new_clocks_and_keeps_the_old_ones(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("accept", "2026-11-26 11:00"))
        await run(session, HALL, ticket, ("reply", "2026-11-30 10:00"), ("redo", "2026-12-01 10:00"))
        finishes = [c for c in await describe_clocks(session, ticket, THURSDAY) if c["name"] == "finish"]
        assert [bool(clock["stopped_at"]) for clock in finishes] == [True, False]
        assert finishes[1]["due_at"] == "2026-12-08T17:30:00+08:00"


@pytest.mark.parametrize(("verb", "state"), [("decline", "declined"), ("withdraw", "withdrawn"), ("merge", "merged")])
async def test_where_nothing_is_left_to_do_no_clock_runs(verb: str, state: str, db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("ask_supplement", "2026-11-26 10:30"))
        ticket.state = state
        await run(session, HALL, ticket, (verb, "2026-11-26 11:00"))
        assert all(clock["stopped_at"] for clock in (await clocks(session, ticket)).values())


async def test_unmerging_lets_the_clocks_run_on_as_if_never_stopped(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("accept", "2026-11-26 10:30"))
        before = await clocks(session, ticket)
        await run(session, HALL, ticket, ("merge", "2026-11-26 11:00"), ("unmerge", "2026-11-27 11:00"))
        assert await clocks(session, ticket) == before


async def test_an_extension_moves_the_finish_clock_once_and_in_time(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        with pytest.raises(Invalid):
            await sla.extend(session, HALL, ticket, "finish", at("2026-12-01 10:00"), THURSDAY)
        with pytest.raises(Invalid):
            await sla.extend(session, HALL, ticket, "finish", at("2026-12-31 10:00"), THURSDAY)
        with pytest.raises(Conflict):
            await sla.extend(session, HALL, ticket, "finish", at("2026-12-10 17:30"), at("2026-12-04 10:00"))
        clock = await sla.extend(session, HALL, ticket, "finish", at("2026-12-10 17:30"), THURSDAY)
        assert clock.due_at == at("2026-12-10 17:30")
        assert any("批准延期" in step for step in clock_words.explain(HALL, clock))
        with pytest.raises(Conflict):
            await sla.extend(session, HALL, ticket, "finish", at("2026-12-11 17:30"), THURSDAY)
        with pytest.raises(Conflict):
            await sla.extend(session, HALL, ticket, "return", at("2026-12-11 17:30"), THURSDAY)


async def test_several_departments_have_the_longer_limit(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HOSPITAL, ticket, ("register", "2026-11-26 10:00"))
        await sla.give_joint_time(session, HOSPITAL, ticket, THURSDAY)
        assert await sla.due_at(session, ticket, "finish") == HOSPITAL.preset.hours().add(THURSDAY, "10 working days")


async def test_recalculating_after_a_notice_keeps_pauses_and_extensions(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        await run(session, HALL, ticket, ("ask_supplement", "2026-11-27 09:00"), ("supplement", "2026-11-27 10:00"))
        before = await clocks(session, ticket)
        assert (await sla.recalculate(session, HALL, THURSDAY)).moved == ()
        assert await clocks(session, ticket) == before
        moved = FakeOffice(load_preset("hall"))
        moved.preset.set_days(Days(own={"": read_days(["2026-11-30, 停电"])}))
        batch = await sla.recalculate(session, moved, THURSDAY)
        assert {change.name for change in batch.moved} == {"accept", "finish", "first_reply"} and batch.last == 0
        assert (await clocks(session, ticket))["finish"]["due_at"] == "2026-12-07T10:00:00+08:00"


async def test_each_share_is_due_once(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
    # Thursday 10:00 to Friday 17:30 are 13 working hours: 80 % of them are over on Friday at 14:54.
    assert await _due(db, at("2026-11-27 14:53")) == []
    assert len(await _due(db, at("2026-11-27 14:54"))) == 1
    [due] = await _due(db, at("2026-11-27 15:30"))
    assert (due.clock.name, due.share, due.whom) == ("accept", 80, ("clerk",))
    async with db.writing() as session:
        [mine] = await due_clocks(session, HALL, at("2026-11-27 15:30"))
        assert await claim(session, HALL, mine)
    async with db.writing() as session:
        assert (await session.get_one(Clock, due.clock.id)).next_tell_at == at("2026-11-27 17:30")
        assert await due_clocks(session, HALL, at("2026-11-27 15:30")) == []
        late = [d for d in await due_clocks(session, HALL, at("2026-11-27 17:31")) if d.clock.name == "accept"]
        assert [d.share for d in late] == [100]
        assert await claim(session, HALL, late[0])
        assert (await session.get_one(Clock, due.clock.id)).breached


async def _due(db: Database, now: datetime) -> list[Due]:
    async with db.reading() as session:
        return await due_clocks(session, HALL, now)


async def test_after_a_day_without_the_service_everybody_hears_only_the_last_share(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
    [accept] = [due for due in await _due(db, at("2026-11-28 09:00")) if due.clock.name == "accept"]
    assert (accept.share, accept.whom) == (100, ("clerk", "supervisor", "department head"))


async def test_the_second_worker_finds_the_warning_taken(db: Database) -> None:
    now = at("2026-11-27 15:30")
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
    [first], [second] = await _due(db, now), await _due(db, now)
    for due, expected in ((first, True), (second, False)):
        async with db.writing() as session:
            session.add(due.clock)
            assert await claim(session, HALL, due) is expected


async def test_a_paused_clock_warns_nobody_and_is_not_overdue(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"), ("ask_supplement", "2026-11-26 10:30"))
        later = at("2027-03-01 10:00")
        assert {due.clock.name for due in await due_clocks(session, HALL, later)} == {"supplement"}
        assert (await session.scalars(select(Ticket).where(is_overdue(later)))).all() == []
        await run(session, HALL, ticket, ("supplement", "2026-11-26 11:30"))
        assert (await session.scalars(select(Ticket).where(is_overdue(later)))).all() == [ticket]
        assert (await session.scalars(select(Ticket).where(is_overdue(THURSDAY)))).all() == []


async def test_the_due_scan_reads_an_index_and_not_every_clock(db: Database) -> None:
    """The very statements that the worker sends, asked for their plans."""
    sent: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine.sync_engine, "before_cursor_execute", remember)
    async with db.reading() as session:
        assert await due_clocks(session, HALL, THURSDAY) == [] and not await anything_due(session, THURSDAY)
    event.remove(db.engine.sync_engine, "before_cursor_execute", remember)
    asked = [(statement, values) for statement, values in sent if "FROM clock" in statement]
    assert len(asked) == 2
    for statement, values in asked:
        async with db.reading() as session:
            if not db.is_sqlite:  # It reads a small table whole unless it is told not to.
                await session.execute(text("SET LOCAL enable_seqscan = off"))
                await session.execute(text("SET LOCAL enable_bitmapscan = off"))
            words = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
            connection = await session.connection()
            rows = await connection.exec_driver_sql(words + statement, values)
            plan = " ".join(str(row) for row in rows)
        assert "ix_clock_tell" in plan, plan
        assert ("SCAN" not in plan) if db.is_sqlite else ("Sort" not in plan and "Seq Scan" not in plan), plan


async def test_a_new_version_of_a_rule_counts_from_its_day_on_and_changes_nothing_that_runs(db: Database) -> None:
    old = next(rule for rule in HALL.preset.sla if rule.id == "finish")
    new = old.model_copy(update={"version": 2, "valid_from": date(2026, 12, 1), "target": "3 working days"})
    office = FakeOffice(HALL.preset.model_copy(update={"sla": (*HALL.preset.sla, new)}))
    async with db.writing() as session:
        before, after = await make_ticket(session), await make_ticket(session, number=2)
        await run(session, office, before, ("register", "2026-11-30 10:00"))
        await run(session, office, after, ("register", "2026-12-01 10:00"))
        first, second = (await clocks(session, before))["finish"], (await clocks(session, after))["finish"]
        assert (first["rule_version"], first["due_at"]) == ("finish@1", "2026-12-07T17:30:00+08:00")
        assert (second["rule_version"], second["due_at"]) == ("finish@2", "2026-12-04T17:30:00+08:00")
        await run(session, office, before, ("accept", "2026-12-02 10:00"))
        assert (await clocks(session, before))["finish"] == first


async def test_a_joint_task_and_a_measure_have_clocks_of_their_own(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session, state="in_progress")
        for subject in ("task:1", "task:2"):
            await sla.on_event(session, HALL, ticket, "give_task", subject, THURSDAY, department="trade")
        promised = at("2027-01-04 17:30")
        await sla.on_event(session, HALL, ticket, "promise", "measure:1", THURSDAY, due_at=promised)
        await sla.on_event(session, HALL, ticket, "answer_task", "task:1", at("2026-11-27 10:00"))
        running = [(c.subject, c.due_at) for c in await session.scalars(
            select(Clock).where(Clock.stopped_at.is_(None)).order_by(Clock.id))]
        assert running == [("task:2", at("2026-12-01 17:30")), ("measure:1", promised)]
        # What was promised for later outlives the ticket; what others were asked for does not.
        await run(session, HALL, ticket, ("close", "2026-11-30 10:00"))
        left = await session.scalars(select(Clock.subject).where(Clock.stopped_at.is_(None)))
        assert list(left) == ["measure:1"]
        await sla.on_event(session, HALL, ticket, "keep_promise", "measure:1", at("2026-12-30 10:00"))
        assert (await clocks(session, ticket, at("2027-02-01 10:00")))["measure"]["breached"] is False


async def test_pauses_are_reported_by_officer_with_their_reasons(db: Database) -> None:
    seer = Actor("su", frozenset({"supervisor"}), None)

    async def ask(session: AsyncSession, ticket: Ticket, officer: str, moment: str) -> None:
        session.add(Transition(ticket_id=ticket.id, seq=ticket.id, verb="ask_supplement", from_state="registered",
                               to_state="registered", actor=officer, at=at(moment), reason="缺房号"))
        await session.flush()
        await run(session, HALL, ticket, ("ask_supplement", moment))

    async with db.writing() as session:
        one, two = await make_ticket(session), await make_ticket(session, number=2)
        for ticket in (one, two):
            await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
        await ask(session, one, "ou", "2026-11-26 11:00")
        await ask(session, two, "wu", "2026-11-26 11:00")
        await run(session, HALL, one, ("supplement", "2026-11-26 12:00"))
        rows = await pauses.by_officer(
            session, seer, at("2026-11-01 00:00"), at("2026-12-01 00:00"), at("2026-11-27 11:00"))
        assert [(row["person"], row["pauses"], row["total_s"]) for row in rows] == [("wu", 1, 86400), ("ou", 1, 3600)]
        assert rows[1]["tickets"][0]["reason"] == "缺房号" and rows[0]["tickets"][0]["to"] is None
        with pytest.raises(Invalid):
            await pauses.by_officer(session, seer, at("2026-12-01 00:00"), at("2026-11-01 00:00"), THURSDAY)


async def test_moments_are_kept_in_utc(db: Database) -> None:
    async with db.writing() as session:
        ticket = await make_ticket(session)
        await run(session, HALL, ticket, ("register", "2026-11-26 10:00"))
    async with db.reading() as session:
        clock = (await session.scalars(select(Clock))).first()
        assert clock is not None and clock.started_at == THURSDAY and clock.started_at.utcoffset() == timedelta()
        assert clock.started_at.tzinfo is UTC
