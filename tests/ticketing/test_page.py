"""A page of tickets: each reader finds on it what he may read, and many take no more queries than two."""

from datetime import date

import pytest
from sqlalchemy import event, update

from core import clock
from core.attachments import StoredFile
from core.audit import Audit
from core.conversation import add_resident
from core.message import OutboundMessage
from core.queues import Outbox, Result, Status, enqueue
from tests.ticketing.conftest import CLERK, INSPECTOR, OFFICER, SUPERVISOR
from ticketing import search, tickets, views
from ticketing.incidents import Incident, IncidentReport
from ticketing.model import Callback, Letter, Measure, Reply, Task, Ticket
from ticketing.staff import Actor
from ticketing.visits import Visit

PHONE = "13800001234"
RESIDENT = 1
NOW = clock.now()
READERS = {
    "clerk": CLERK, "officer": OFFICER, "supervisor": SUPERVISOR, "inspector": INSPECTOR,
    "engineer": Actor("gong", frozenset({"officer"}), "engineering"), "auditor": Actor("shen", frozenset({"auditor"}), None),
    "editor": Actor("bian", frozenset({"editor"}), None),
    "resident": Actor("resident", frozenset({"resident"}), None, RESIDENT),
    "assistant": Actor("assistant", frozenset({"assistant"}), None, RESIDENT),
}


async def add_everything(db, ticket_id: int, other_id: int, state: str) -> None:
    """Rows of each kind for a ticket, its texts with the token of its resident's telephone."""
    now, words = clock.now(), "请打<PHONE_1>"
    async with db.writing() as session:
        file = StoredFile(name="门机.jpg", type="image/jpeg", size=9, path="x", at=now, uploaded_by="officer")
        session.add(file)
        await session.flush()
        reply = Reply(ticket_id=ticket_id, round=1, text=words, action_taken=words, findings="upheld", submitted_by="officer",
                      submitted_at=now, attachments=[{"id": file.id}], approved_by="supervisor", approved_at=now)
        session.add(reply)
        await session.flush()
        enqueue(session, OutboundMessage("webchat", "web", "r", words, "reply"), now, ticket_id=ticket_id, reply_id=reply.id)
        enqueue(session, OutboundMessage("webchat", "web", "r", words, "reply"), now, ticket_id=other_id, reply_id=reply.id)
        await session.flush()
        await session.execute(update(Outbox).where(Outbox.reply_id == reply.id).values(
            status=Status.DONE, result=Result.SENT, sent_at=now, last_error="555 busy"))
        incident = Incident(status="confirmed", title="停水", category=None, place="", text="正在抢修", opened_at=now, last_at=now)
        session.add(incident)
        await session.flush()
        session.add_all([
            Callback(ticket_id=ticket_id, reply_id=reply.id, round=1, reason="delivery", text=words, opened_at=now, attempts=1,
                     note="占线"),
            Visit(ticket_id=ticket_id, worker="chen", worker_number="017", starts_at=now, ends_at=now, planned_by="clerk",
                  planned_at=now, moves=[], photographs=[], done=words, price_fen=100, price_for=words, status="finished"),
            Letter(ticket_id=ticket_id, reply_id=reply.id, kind="reply", year=2026, ordinal=ticket_id, number=f"{ticket_id}号",
                   title="答复书", text=words, office="云溪", made_at=now),
            Measure(ticket_id=ticket_id, what=words, due_on=date(2026, 12, 3)),
            Task(ticket_id=ticket_id, department="engineering", kind="consult", text=words, answer=words, answered_at=now),
            IncidentReport(ticket_id=ticket_id, incident_id=incident.id),
        ])
        await session.execute(update(Ticket).where(Ticket.id == ticket_id).values(
            state=state, lead_id=other_id, merged_into_id=other_id, recording="r.mp3",
            decline_asked={"code": "other", "reason": words, "where_to": words, "by": "clerk", "at": "x"},
            elements=[{"name": "person", "value": "林小雨", "evidence": {"turn": 0, "text": "我是林小雨"}}],
        ))


@pytest.fixture
def full(desk):
    """Makes a ticket with rows of each kind beside it; the first that is made is the lead of the others."""

    async def make(count: int = 1, **fields) -> list[str]:
        numbers = []
        async with desk.db.writing() as session:
            if await session.get(Ticket, 1) is None:
                resident = await add_resident(session, clock.now(), name="林小雨", phone=PHONE, email="lin@example.org")
                first = {"kind": "complaint", "description": f"林小雨家的水停了，电话{PHONE}", "resident": {}}
                await tickets.register(session, desk.office, CLERK, first, clock.now(), resident_id=resident.id)
            for _ in range(count):
                body = {"kind": "complaint", "description": f"林小雨家的水停了，电话{PHONE}"} | fields
                made = await tickets.register(session, desk.office, CLERK, body, clock.now(), resident_id=RESIDENT)
                numbers.append((made.id, made.number))
        for ticket_id, _ in numbers:
            await add_everything(desk.db, ticket_id, 1, "replied" if ticket_id % 2 else "in_approval")
        return [number for _, number in numbers]

    return make


async def show(desk, actor: Actor, limit: int = 50) -> tuple[list[dict], list[str]]:
    """The newest tickets as this reader is shown them; and whose reading is on record."""
    async with desk.db.reading() as session:
        with session.no_autoflush:
            found = (await search.list_tickets(session, actor, {}, limit, None, clock.now())).tickets
            items = await views.describe_all(session, desk.office, actor, found, NOW)
            return items, [row.subject for row in session.new if isinstance(row, Audit) and row.actor == actor.name]


WHOLE = ("林小雨", PHONE, f"林小雨家的水停了，电话{PHONE}")
MASKED = ("林某", "138****1234", "林某家的水停了，电话<PHONE_1>")
FOUR = {
    "plain": {}, "confidential": {"confidential": True}, "about engineering": {"about": {"unit": "engineering"}},
    "report": {"kind": "report"},
}
READ_BY: dict[str, dict[str, tuple[str, str, str]]] = {
    "clerk": {"plain": WHOLE, "confidential": WHOLE, "about engineering": WHOLE},
    "officer": {"plain": WHOLE, "confidential": MASKED, "about engineering": WHOLE},
    "supervisor": {"plain": WHOLE, "confidential": WHOLE, "about engineering": WHOLE},
    "inspector": {"report": WHOLE},
    "engineer": {"plain": WHOLE, "confidential": MASKED},
    "auditor": {"plain": WHOLE, "confidential": MASKED, "about engineering": WHOLE},
    "editor": {},
    "resident": {"plain": WHOLE, "confidential": WHOLE, "about engineering": WHOLE, "report": WHOLE},
    "assistant": {"plain": MASKED, "confidential": MASKED, "about engineering": MASKED, "report": MASKED},
}
"""Which of the four each reader finds on his page; and of each the resident's name, his number and what was said."""


async def test_a_page_of_four_tickets_shows_each_reader_what_he_may_read_of_each(desk, full):
    named = {(await full(**fields))[0]: what for what, fields in FOUR.items()}
    for who, expected in READ_BY.items():
        items, on_record = await show(desk, READERS[who])
        shown = {named[item["number"]]: (item["resident"]["name"], item["resident"]["phone"], item["description"])
                 for item in items if item["number"] in named}
        assert shown == expected, who
        known = [number for number, what in named.items() if what == "confidential" and who in ("clerk", "supervisor")]
        assert on_record == [f"ticket:{number}" for number in known], who


async def test_on_a_page_a_confidential_resident_is_hidden_from_officers_and_known_to_clerks_on_record(desk, full):
    [number] = await full(confidential=True)
    (hidden, _), on_record = await show(desk, OFFICER)
    assert hidden["number"] == number and PHONE not in str(hidden) and "林小雨" not in str(hidden)
    assert hidden["recording"] is None and on_record == []
    (known, _), on_record = await show(desk, CLERK)
    assert known["replies"][0]["text"] == known["visits"][0]["done"] == known["tasks"][0]["answer"] == f"请打{PHONE}"
    assert known["resident"]["name"] == "林小雨" and known["measures"][0]["what"] == f"请打{PHONE}"
    assert on_record == [f"ticket:{number}"]


async def test_the_assistant_reads_tokens_and_a_resident_nothing_of_the_office(desk, full):
    await full()
    (said, _), _ = await show(desk, READERS["assistant"])
    assert PHONE not in str(said["description"]) and said["replies"][0]["text"] == "请打<PHONE_1>"
    (read, _), _ = await show(desk, READERS["resident"])
    assert read["replies"][0]["text"] == f"请打{PHONE}" and read["tasks"] == [] and "linked" not in read
    assert {each["error"] for each in read["replies"][0]["deliveries"]} == {None} and read["decline_asked"] is None


async def test_on_a_page_each_reply_has_its_own_deliveries_files_and_calls(desk, full):
    numbers = await full(3)
    *items, lead = (await show(desk, CLERK))[0]
    assert [item["number"] for item in items] == numbers[::-1] and lead["linked"] == numbers
    for item in items:
        [reply] = item["replies"]
        assert [(each["step"], each["status"], each["error"]) for each in reply["deliveries"]] == [
            ("webchat", "delivered", "555 busy"), ("call_back", "waiting", "占线")]
        assert [each["name"] for each in reply["attachments"]] == ["门机.jpg"]
        assert item["known_event"] and len(item["letters"]) == 1 and item["lead"] == item["merged_into"] == lead["number"]


async def test_twenty_tickets_take_no_more_queries_than_two(desk, full):
    await full(20)
    asked: list[str] = []
    event.listen(desk.db.engine.sync_engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    counts = []
    for limit in (2, 20):
        asked.clear()
        assert len((await show(desk, CLERK, limit))[0]) == limit
        counts.append(len(asked))
    assert counts[0] == counts[1] > 0
