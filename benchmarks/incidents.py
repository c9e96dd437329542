"""Repeats and incidents: petitions replayed in their order of time, events planted among them; and what a look costs.

`python -m benchmarks.incidents [vectors|words|look [tickets]]`. Printed: at which report each planted event becomes a draft, drafts a week that
are no event, precision and recall of repeats on groups labelled by hand (incident_groups.yml: ids alone), with sentence
vectors and by words; and one look at intake with 100,000 tickets on SQLite. Budget: a draft by the fourth report, at most
one false one a week.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import insert, select

from benchmarks.running import DATA, quantile, read_rows
from core import clock
from core.conversation import Resident
from core.db import Database
from core.embed import Embedder
from core.segment import terms
from service import incident_watch, models  # noqa: F401
from tests.conftest import KEYS, make_tables
from ticketing import repeats, tickets
from ticketing.incidents import Incident, IncidentReport
from ticketing.lesson import learn
from ticketing.matters import Matters, phrases_of
from ticketing.model import Ticket
from ticketing.office import Office
from ticketing.preset import load_preset
from ticketing.repeats import TicketRepeat, text_of
from ticketing.staff import SYSTEM

HERE = Path(__file__).parent
PETITIONS = DATA / "petitions" / "hot.jsonl"
BY_REPORT, FALSE_A_WEEK = 4, 1.0
NEAR = timedelta(days=60)
"""Two petitions of one group that lie further apart are not asked for."""
KNOWN = repeats.SHOWN
"""The share from which a repeat counts as said."""


async def _tell(*_told: Any) -> None:
    """No resident is told in a benchmark."""


OFFICE = Office(preset=load_preset("hall"), name="bench", tell=_tell)


@dataclass(frozen=True)
class Report:
    """One petition as it comes in. `event`: the planted one it tells of; `group`: its hand label."""

    at: datetime
    user: str
    title: str | None
    text: str
    event: str | None = None
    group: int | None = None


@dataclass
class Outcome:
    """What a replay found."""

    weeks: float
    drafted_at: dict[str, int | None]
    drafts: int
    false: list[list[str]]
    real: int
    precision: float
    recall: float
    pairs: int
    looks: list[float] = field(default_factory=list)


def read_reports() -> list[Report]:
    groups = yaml.safe_load((HERE / "incident_groups.yml").read_text("utf-8"))["groups"]
    group_of = {str(each): number for number, ids in enumerate(groups) for each in ids}
    planted = yaml.safe_load((HERE / "bursts.yml").read_text("utf-8"))
    reports = [
        Report(_time(row["time"]), row["user"], row["title"].strip()[:200], row["body"].strip() or row["title"],
               group=group_of.get(row["id"]))
        for row in read_rows(PETITIONS)
    ]
    for burst in planted["bursts"]:
        start = datetime.fromisoformat(burst["at"]).replace(tzinfo=clock.ZONE)
        reports += [Report(start + timedelta(minutes=each["after"]), f"{burst['name']} {number}", None, each["text"], burst["name"])
                    for number, each in enumerate(burst["reports"])]
    reports += [Report(datetime.fromisoformat(each["at"]).replace(tzinfo=clock.ZONE), f"alone {number}", None, each["text"])
                for number, each in enumerate(planted["alone"])]
    return sorted(reports, key=lambda each: each.at)


def _time(text: str) -> datetime:
    return datetime.strptime(text.replace("-", "/"), "%Y/%m/%d %H:%M:%S").replace(tzinfo=clock.ZONE)


async def replay(reports: Sequence[Report], *, vectors: bool) -> Outcome:
    """As the service does it: registered, looked at, and looked at once more by the worker."""
    embedder = Embedder(vectors)
    matters = learn(OFFICE.preset, phrases_of(OFFICE.preset), None)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'incidents.db'}"
        await make_tables(url)
        db = Database(url, KEYS)
        residents: dict[str, int] = {}
        told: dict[int, Report] = {}
        drafted: dict[str, int | None] = {each.event: None for each in reports if each.event}
        for report in reports:
            ticket_id = await _take(db, embedder, matters, residents, report)
            told[ticket_id] = report
            if report.event and drafted[report.event] is None:
                drafted[report.event] = await _count_if_drafted(db, ticket_id, told)
        outcome = await _judge(db, told, drafted)
        await db.close()
    embedder.close()
    return outcome


async def _take(db: Database, embedder: Embedder, matters: Matters, residents: dict[str, int], report: Report) -> int:
    category = matters.guess(f"{report.title or ''}。{report.text}", None)[0].category
    async with db.writing() as session:
        if report.user not in residents:
            session.add(resident := Resident(created_at=report.at))
            await session.flush()
            residents[report.user] = resident.id
        body = {"kind": "complaint", "title": report.title, "description": report.text, "category": category}
        ticket = await tickets.register(session, OFFICE, SYSTEM, body, report.at, resident_id=residents[report.user])
        ticket_id, text = ticket.id, text_of(ticket)
    made = await embedder.query([text])
    async with db.writing() as session:
        await incident_watch.look(OFFICE, session, ticket_id, None if made is None else made[0].tolist(), report.at)
    return ticket_id


async def _count_if_drafted(db: Database, ticket_id: int, told: dict[int, Report]) -> int | None:
    """The number of this report among those of its event, where a draft of that event is there now."""
    async with db.reading() as session:
        report = await session.get(IncidentReport, ticket_id)
        if report is None:
            return None
        members = list(await session.scalars(
            select(IncidentReport.ticket_id).where(IncidentReport.incident_id == report.incident_id)))
    mine = [each for each in members if told[each].event == told[ticket_id].event]
    return sum(each.event == told[ticket_id].event for each in told.values()) if 2 * len(mine) > len(members) else None


async def _judge(db: Database, told: dict[int, Report], drafted: dict[str, int | None]) -> Outcome:
    async with db.reading() as session:
        members: dict[int, list[int]] = {}
        for row in await session.scalars(select(IncidentReport)):
            members.setdefault(row.incident_id, []).append(row.ticket_id)
        rows = (await session.scalars(select(TicketRepeat).where(TicketRepeat.share >= round(100 * KNOWN)))).all()
        drafts = len((await session.scalars(select(Incident.id))).all())
    kinds = {number: _most([told[each].event or told[each].group for each in each_]) for number, each_ in members.items()}
    false = [[(told[each].title or told[each].text)[:24] for each in members[number]] for number, kind in kinds.items() if kind is None]
    petitions = {ticket_id: report for ticket_id, report in told.items() if report.event is None and report.title}
    wanted = {
        (one, other) for one, mine in petitions.items() for other, theirs in petitions.items()
        if other < one and mine.group is not None and mine.group == theirs.group
        and (mine.at - theirs.at <= NEAR or (mine.user == theirs.user and mine.at - theirs.at <= repeats.OF_ONE_PERSON))
    }
    said = {(row.ticket_id, row.other_id) for row in rows if row.ticket_id in petitions and row.other_id in petitions}
    moments = [report.at for report in petitions.values() if report.at.year >= 2019]
    weeks = (max(moments) - min(moments)) / timedelta(weeks=1)
    real = sum(kind is not None for kind in kinds.values())
    hit = len(said & wanted)
    return Outcome(weeks, drafted, drafts, false, real, hit / max(len(said), 1), hit / max(len(wanted), 1), len(wanted))


def _most(kinds: list[Any]) -> Any:
    """What more than half of the reports are about; None where they have nothing in common."""
    (kind, count), *_ = Counter(kinds).most_common(1)
    return kind if kind is not None and 2 * count > len(kinds) else None


# The cost of a look


async def measure_look(count: int) -> tuple[float, float, float]:
    """Seconds, p50 and p95, of one look at intake with so many tickets of sixty days; and of reading every ticket."""
    texts = [row["title"].strip()[:30] for row in read_rows(PETITIONS)]
    now = datetime(2026, 11, 25, 10, tzinfo=clock.ZONE)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'look.db'}"
        await make_tables(url)
        db = Database(url, KEYS)
        await _fill(db, texts, count, now)
        looks = [await _look_once(db, text, now) for text in texts[:60]]
        began = time.perf_counter()
        async with db.reading() as session:
            for _ in await session.scalars(select(Ticket)):
                pass
        everything = time.perf_counter() - began
        await db.close()
    return quantile(looks, 0.5), quantile(looks, 0.95), everything


async def _fill(db: Database, texts: Sequence[str], count: int, now: datetime) -> None:
    """Tickets whose words are mixed out of two petitions each, over a year."""
    chance = random.Random(14)
    async with db.writing() as session:
        session.add(Resident(id=1, created_at=now))
    known = [sorted({term for term in terms(text) if len(term) <= 32}) for text in texts]
    for first in range(1, count + 1, 2000):
        numbers = range(first, min(first + 2000, count + 1))
        async with db.writing() as session:
            await session.execute(insert(Ticket), [_ticket(number, count, chance.choice(texts), now) for number in numbers])
            rows = []
            for number in numbers:
                one, other = chance.choice(known), chance.choice(known)
                found = {*one[: len(one) // 2], *other[len(other) // 2 :]}
                rows += [(term, number) for term in found]
            connection = await session.connection()
            await connection.exec_driver_sql("INSERT INTO ticket_term (term, ticket_id) VALUES (?, ?)", rows)


def _ticket(number: int, count: int, text: str, now: datetime) -> dict[str, Any]:
    at = now - timedelta(days=365) * (count - number) / count
    return {
        "id": number, "number": f"HY20261101-{number:06}", "kind": "complaint", "category": "other", "title": text[:30],
        "description": text, "state": "in_progress", "urgency": "routine", "confidential": False, "department": "service",
        "resident_id": 1, "code": "ABCDEF", "registered_by": "clerk", "registered_at": at, "moved_at": at,
        "elements": [], "missing": [], "supplement_open": False, "supplements_asked": 0, "return_open": False,
        "returns_refused": 0, "excluded": False, "round": 1, "level": 0, "version": 3,
    }


async def _look_once(db: Database, text: str, now: datetime) -> float:
    async with db.writing() as session:
        resident = Resident(created_at=now)
        session.add(resident)
        await session.flush()
        body = {"kind": "complaint", "description": text}
        ticket = await tickets.register(session, OFFICE, SYSTEM, body, now, resident_id=resident.id)
        began = time.perf_counter()
        await repeats.look(session, ticket, now)
        return time.perf_counter() - began


def show(outcome: Outcome, name: str) -> None:
    late = [event for event, number in outcome.drafted_at.items() if number is None or number > BY_REPORT]
    print(f"{name}: {len(outcome.drafted_at) - len(late)} of {len(outcome.drafted_at)} planted events are drafts by the "
          f"fourth report (at the {', '.join(str(number or '–') for number in outcome.drafted_at.values())}.)")
    for event in late:
        print(f"    late or never: {event}")
    print(f"    {outcome.drafts} drafts in {outcome.weeks:.0f} weeks: {outcome.real} of events, {len(outcome.false)} false, "
          f"{len(outcome.false) / outcome.weeks:.2f} a week")
    for titles in outcome.false[:6]:
        print(f"    false: {' | '.join(titles[:4])}")
    print(f"    repeats: precision {outcome.precision:.3f}  recall {outcome.recall:.3f}  of {outcome.pairs} labelled pairs")


async def main(what: str, count: int) -> None:
    if not PETITIONS.exists():
        print("incidents: skipped, ../shared/data/petitions is absent")
        return
    if what in ("all", "vectors"):
        show(await replay(read_reports(), vectors=True), "words and vectors")
    if what in ("all", "words"):
        show(await replay(read_reports(), vectors=False), "words alone")
    if what in ("all", "look"):
        p50, p95, everything = await measure_look(count)
        print(f"one look at intake with {count} tickets: p50 {p50 * 1000:.1f} ms  p95 {p95 * 1000:.1f} ms, "
              f"{everything / p50:.0f} times as fast as reading every ticket ({everything:.1f} s)")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "all", int(sys.argv[2]) if len(sys.argv) > 2 else 100_000))
