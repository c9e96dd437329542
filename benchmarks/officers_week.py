"""An officer's week: 60 real petitions worked through the API with a moved clock, and the record that is left of it.

`python -m benchmarks.officers_week [FOLDER]` plays Monday 30 November to Monday 7 December 2026 in the hall preset and
writes `officers_week.txt` (every ticket with its verbs, clocks, replies and what the resident was told) into FOLDER, by default
`benchmarks/results`. What must hold of any record is checked; the exit code says whether it does. Reading the record by
hand is the point: it shows what no rule was written for.
"""

import asyncio
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.running import DATA, read_rows
from core import clock, queues
from core.queues import Inbox, Outbox
from service import workers
from tests.conftest import make_tables
from tests.service.house import House, open_house
from ticketing.model import Ticket
from ticketing.staff_notices import StaffNotice

PETITIONS = DATA / "petitions" / "hot.jsonl"
TICKETS = 60
SHORTEST, LONGEST = 20, 700
MONDAY = datetime(2026, 11, 30, 9, 0, tzinfo=clock.ZONE)
DAYS = 8
RESULTS = Path(__file__).parent / "results"
ROLES: dict[str, dict[str, Any]] = {
    "clerk": {"role": "clerk"}, "supervisor": {"role": "supervisor"}, "supervisor2": {"role": "supervisor"},
    "inspector": {"role": "inspector"}, "inspector2": {"role": "inspector"},
    **{f"{name}": {"role": "officer", "department": name} for name in
       ("general", "construction", "environment", "transport", "education", "labour", "trade", "health")},
}
FINDINGS = {"complaint", "report"}


@dataclass
class Case:
    """One petition in the hands of the office. `now` is where the story has come to."""

    week: "Week"
    number: str
    kind: str
    department: str
    plot: str
    resident: "Guest"
    stuck: str = ""
    """Why the story could not go on."""

    async def do(self, who: str, verb: str, status: int = 200, **body: Any) -> Any:
        return await self.week.house.post(f"/tickets/{self.number}/{verb}", body, who, status)

    async def officer(self, verb: str, status: int = 200, **body: Any) -> Any:
        return await self.do("inspector" if self.kind == "report" else self.department, verb, status, **body)

    async def desk(self, verb: str, status: int = 200, **body: Any) -> Any:
        return await self.do("inspector" if self.kind == "report" else "clerk", verb, status, **body)

    async def take_up(self) -> None:
        await self.desk("accept")
        await self.desk("assign", department=self.department)
        if self.kind != "report":
            await self.officer("sign_for")

    async def answer(self, reply: str, **more: Any) -> Any:
        """Submit, and approve where the category needs it."""
        findings = {"findings": "upheld"} if self.kind in FINDINGS else {}
        found = await self.officer("submit", action_taken="已到现场核实并处理", reply=reply, **findings, **more)
        if found["state"] == "in_approval":
            await self.do("inspector2" if self.kind == "report" else "supervisor", "approve")
        await self.week.settle()
        return await self.read()

    async def read(self) -> Any:
        return await self.week.house.get(f"/tickets/{self.number}", "inspector" if self.kind == "report" else "clerk")

    async def must_refuse(self, who: str, verb: str, status: int, **body: Any) -> None:
        await self.do(who, verb, status, **body)


@dataclass
class Guest:
    """A resident in the web chat: what he is told is read where he reads it."""

    house: House
    session: str
    token: str
    seen: int = 0

    @classmethod
    async def open(cls, house: House) -> "Guest":
        found = await (await house.client.post("/channels/webchat/sessions")).json()
        return cls(house, found["session"], found["token"])

    async def told(self) -> list[str]:
        path = f"/channels/webchat/sessions/{self.session}/messages"
        response = await self.house.client.get(path, headers={"Authorization": f"Bearer {self.token}"})
        return [item["text"] for item in (await response.json())["items"] if item["from"] != "resident"]


@dataclass
class Week:
    """The office, its clock, and the cases."""

    house: House
    cases: list[Case] = field(default_factory=list)

    async def go_to(self, moment: datetime) -> None:
        """Move the clock, and let what the calendar brings about come; never backwards."""
        if moment <= clock.now():
            return
        self.house.move_clock(moment.isoformat())
        await workers.warn(self.house.runtime)
        await workers.tidy(self.house.runtime)
        await self.settle()

    async def settle(self) -> None:
        """Until nothing waits in either queue that is due now."""
        self.house.runtime.news.notify("outbox")

        async def quiet() -> bool:
            async with self.house.db.reading() as session:
                due = [await queues.anything_due(session, table, clock.now()) for table in (Inbox, Outbox)]
                doing = await session.scalar(select(func.count()).where(Outbox.status == queues.Status.DOING))
            return not any(due) and not doing

        await self.house.until(quiet)

    async def register(self, petition: dict[str, str], kind: str, plot: str, **more: Any) -> Case:
        guest = await Guest.open(self.house)
        body = {
            "kind": kind, "title": petition["title"][:60], "description": petition["text"],
            "resident": {"address": f"webchat:{guest.session}", "name": f"居民{len(self.cases) + 1}"},
        } | more
        who = "inspector" if kind == "report" else "clerk"
        found = await self.house.post("/tickets", body, who, 201)
        route = await self.house.get(f"/tickets/{found['number']}/routing", who)
        case = Case(self, found["number"], kind, route["department"], plot, guest)
        if case.department not in ROLES:
            case.department = "general"
        self.cases.append(case)
        return case


Plot = Callable[[Case, "Pace"], Awaitable[None]]


class Pace:
    """Lets a plot wait for a later hour while the others go on: the week wakes it at its time."""

    def __init__(self) -> None:
        self.waiting: list[tuple[datetime, int, asyncio.Event]] = []
        self._places = itertools.count()

    async def until(self, day: int, hour: float) -> None:
        """`day` 0 is Monday."""
        woken = asyncio.Event()
        self.waiting.append((MONDAY.replace(hour=0) + timedelta(days=day, hours=hour), next(self._places), woken))
        await woken.wait()


async def answered_at_once(case: Case, pace: Pace) -> None:
    await case.do("clerk", "answer_directly", reply="您好，此事可在综合窗口办理，周一至周五 9:00—17:30。")


async def answered_and_liked(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 10)
    await case.officer("contact", reached=True, note="已电话联系，约好查看时间")
    await pace.until(2, 15)
    await case.answer("已处理完毕，感谢您的反映。")
    await pace.until(3, 10)
    await case.officer("close")
    await case.desk("follow_up", reached=True, solved=True, satisfied=5)


async def sent_back_once(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 11)
    findings = {"findings": "upheld"} if case.kind in FINDINGS else {}
    found = await case.officer("submit", action_taken="处理", reply="已阅。", **findings)
    if found["state"] == "in_approval":
        await case.do("supervisor", "send_back", reason="没有回答居民的问题")
        await pace.until(1, 16)
        await case.answer("经查属实，已责令整改，三日内复查。")


async def returned_and_given_to_others(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(0, 16)
    await case.officer("request_return", reason="不属于本部门职责")
    await case.must_refuse(case.department, "request_return", 409, reason="再退")
    await pace.until(1, 9.5)
    await case.do("clerk", "grant_return")
    case.department = "trade" if case.department != "trade" else "construction"
    await case.do("clerk", "assign", department=case.department)
    await case.officer("sign_for")
    await pace.until(3, 11)
    await case.answer("已由主管部门核实处理。")


async def return_refused(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 10)
    await case.officer("request_return", reason="事权不清")
    await case.do("clerk", "refuse_return", reason="按职责分工由你部门牵头")
    await pace.until(4, 10)
    await case.answer("已牵头处理完毕。")


async def extended(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(3, 10)
    due = (MONDAY + timedelta(days=11, hours=6)).isoformat()
    await case.officer("request_extension", reason="需要专业机构检测", due_at=due)
    await case.do("supervisor", "extend", reason="同意，检测需要时间", due_at=due)
    await pace.until(4, 16)
    await case.officer("progress", text="检测已在进行，预计下周出结果。")


async def extension_refused(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(2, 10)
    due = (MONDAY + timedelta(days=11, hours=6)).isoformat()
    await case.officer("request_extension", reason="忙", due_at=due)
    await case.do("supervisor", "refuse_extension", reason="不是延期的理由")
    await pace.until(4, 15)
    await case.answer("已按期办结。")


async def joint(case: Case, pace: Pace) -> None:
    await case.take_up()
    other = "environment" if case.department != "environment" else "transport"
    task = await case.week.house.post(
        f"/tickets/{case.number}/tasks", {"department": other, "kind": "joint", "text": "请核实污染来源"}, "clerk", 201
    )
    advice = await case.week.house.post(
        f"/tickets/{case.number}/tasks", {"department": "labour" if other != "labour" else "trade", "kind": "consult",
                                           "text": "有无相关规定"}, "clerk", 201
    )
    await pace.until(1, 15)
    findings = {"findings": "upheld"} if case.kind in FINDINGS else {}
    await case.must_refuse(case.department, "submit", 409, action_taken="等", reply="等", **findings)
    await case.week.house.post(f"/tasks/{task['id']}/answer", {"text": "已核实，来源为工地"}, other)
    await case.week.house.post(f"/tasks/{advice['id']}/answer", {"text": "有规定"}, advice["department"])
    await pace.until(2, 10)
    await case.answer("经多部门核实，来源为工地，已责令停工整改。")


async def supplemented(case: Case, pace: Pace) -> None:
    await case.do("clerk", "ask_supplement", missing=["具体地点", "发生时间"])
    await pace.until(2, 9.5)
    await case.do("clerk", "supplement", text="在人民路口，每天晚上十点")
    await case.take_up()
    await pace.until(4, 11)
    await case.answer("已安排夜间巡查。")


async def declined(case: Case, pace: Pace) -> None:
    await pace.until(0, 11)
    await case.do("clerk", "decline", code="litigation", reason="此事法院正在审理", where_to="请向受理的法院反映")


async def promised_and_kept(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 10)
    found = await case.answer("本周四前完成修复。", measures=[{"what": "修复路面", "due_on": "2026-12-03"}])
    await pace.until(3, 16)
    await case.officer("fulfil", measure=found["measures"][0]["id"], note="路面已修好，附照片")


async def promised_and_forgotten(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 10)
    await case.answer("12月2日前完成清理。", measures=[{"what": "清理垃圾", "due_on": "2026-12-02"}])


async def done_again(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 14)
    await case.answer("已处理。")
    await pace.until(2, 9.5)
    await case.officer("close")
    await case.do("clerk", "follow_up", reached=True, solved=False, satisfied=1, comment="根本没人来")
    await case.do("supervisor", "redo", reason="居民反映未解决")
    await pace.until(4, 10)
    await case.answer("已再次上门，问题解决。")


async def withdrawn(case: Case, pace: Pace) -> None:
    await case.do("clerk", "accept")
    await pace.until(1, 10)
    await case.do("clerk", "withdraw", reason="居民来电说已自行解决")


async def left_lying(case: Case, pace: Pace) -> None:
    """Nobody touches it: the ladder must."""


async def taken_up_and_left(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(2, 14)
    await case.do("clerk", "urge")
    await pace.until(7, 10)
    await case.officer("progress", text="抱歉让您久等，正在处理。")


async def raised(case: Case, pace: Pace) -> None:
    await case.take_up()
    await pace.until(1, 9.5)
    await case.do("supervisor", "raise", reason="群众反映强烈", due_at=(MONDAY + timedelta(days=2, hours=6)).isoformat())
    await pace.until(2, 14)
    await case.answer("已办结并向您说明。")


async def repaired(case: Case, pace: Pace) -> None:
    """A visit is agreed, moved, priced, made and photographed; the resident says that it is so."""
    await case.take_up()
    post = case.week.house.post
    later = sum(other.plot == case.plot for other in case.week.cases) - 1  # A worker is in one place at a time.
    window = {"starts_at": _at(1, 9.5 + later), "ends_at": _at(1, 10.5 + later), "worker": case.department}
    visit = await post(f"/tickets/{case.number}/visits", window, case.department, 201)
    await pace.until(1, 9)
    moved = window | {"starts_at": _at(2, 14 + later), "ends_at": _at(2, 15 + later), "reason": "配件明天到"}
    await post(f"/visits/{visit['id']}/move", moved, case.department)
    await pace.until(2, 13.5 + later)
    await post(f"/visits/{visit['id']}/set_out", {}, case.department)
    await pace.until(2, 14 + later)
    await post(f"/visits/{visit['id']}/arrive", {}, case.department)
    price = {"amount": "80", "what_for": "更换阀门"}
    await post(f"/visits/{visit['id']}/offer_price", price, case.department)
    done = {"done": "已更换阀门", "without_photograph": "居民不同意拍照"}
    await post(f"/visits/{visit['id']}/finish", done, case.department, 409)
    await post(f"/visits/{visit['id']}/answer_price", {"agreed": True, "how": "当面同意"}, case.department)
    await pace.until(2, 14.5 + later)
    await post(f"/visits/{visit['id']}/finish", done, case.department)
    await post(f"/visits/{visit['id']}/say_solved", {"solved": True}, case.department)
    await case.answer("阀门已更换，现场试水正常。")


async def linked_to_the_one_before(case: Case, pace: Pace) -> None:
    """A second report of the same: it waits for the lead's answer, which goes to both."""
    lead = next(other for other in reversed(case.week.cases[:-1]) if other.plot == answered_and_liked.__name__
                and other.kind == "complaint")
    await case.desk("accept")
    await case.desk("link", to=lead.number)


def _at(day: int, hour: float) -> str:
    return (MONDAY.replace(hour=0) + timedelta(days=day, hours=hour)).isoformat()


PLOTS: tuple[tuple[Plot, str], ...] = (
    (answered_at_once, "consultation"), (answered_and_liked, "complaint"), (sent_back_once, "complaint"),
    (returned_and_given_to_others, "complaint"), (return_refused, "suggestion"), (extended, "complaint"),
    (extension_refused, "request"), (joint, "complaint"), (supplemented, "complaint"), (declined, "complaint"),
    (promised_and_kept, "request"), (promised_and_forgotten, "complaint"), (done_again, "complaint"),
    (repaired, "request"), (withdrawn, "request"), (left_lying, "complaint"), (taken_up_and_left, "suggestion"),
    (raised, "complaint"),
    (answered_and_liked, "report"), (answered_at_once, "praise"), (linked_to_the_one_before, "complaint"),
)
"""A plot and the kind of ticket it happens to; each happens three times."""


async def play(folder: Path) -> tuple[str, list[str]]:
    """The whole week: its record, and what does not hold of it."""
    template = folder / "empty.db"
    await make_tables(f"sqlite+aiosqlite:///{template}")
    tokens = {name: {"token": f"token-of-{name}", **rest} for name, rest in ROLES.items()}
    (folder / "data").mkdir()
    house, close = await open_house(
        folder / "data", template, office={"preset": "hall"}, api={"tokens": tokens},
        web={"limits": {"webchat_sessions_per_minute": 10_000}},
    )
    try:
        week = Week(house)
        house.move_clock(MONDAY.isoformat())
        await _play_all(week)
        return await _look_back(week)
    finally:
        await close()


async def _play_all(week: Week) -> None:
    pace = Pace()
    running: list[asyncio.Task[None]] = []
    for place, petition in enumerate(_petitions()):
        plot, kind = PLOTS[place % len(PLOTS)]
        case = await week.register(petition, kind, plot.__name__)
        running.append(asyncio.create_task(plot(case, pace)))
        await _let_run(running, pace)
    for step in range(DAYS * 48):
        moment = MONDAY.replace(hour=0) + timedelta(minutes=30 * step)
        await week.go_to(moment)
        for entry in sorted(entry for entry in pace.waiting if entry[0] <= moment):
            pace.waiting.remove(entry)
            entry[2].set()
            await _let_run(running, pace)
    for task, case in zip(running, week.cases, strict=True):
        if error := task.exception():
            case.stuck = f"{type(error).__name__}: {error}"


async def _let_run(running: list[asyncio.Task[None]], pace: Pace) -> None:
    """Until every plot waits for a later hour or has come to its end: the clock must not move under a plot."""
    while len(pace.waiting) + sum(task.done() for task in running) < len(running):  # noqa: ASYNC110 - other tasks' doing
        await asyncio.sleep(0.01)


async def _look_back(week: Week) -> tuple[str, list[str]]:
    async with week.house.db.reading() as session:
        counted = select(Ticket.number, func.count()).join(StaffNotice, StaffNotice.ticket_id == Ticket.id)
        notices = {number: count for number, count in await session.execute(counted.group_by(Ticket.number))}
    pages, wrong, states = [], [], Counter[str]()
    for case in week.cases:
        ticket, told = await case.read(), await case.resident.told()
        states[ticket["state"]] += 1
        pages.append(_write(case, ticket, told, notices.get(case.number, 0)))
        wrong += [f"{case.number} ({case.plot}): {what}" for what in _find_wrong(case, ticket, told, notices)]
    head = f"{len(week.cases)} tickets: " + ", ".join(f"{state} {count}" for state, count in sorted(states.items()))
    return "\n\n".join([head, *pages]), wrong


def _write(case: Case, ticket: dict[str, Any], told: list[str], notices: int) -> str:
    """One ticket as an inspector would read it."""
    lines = [f"{case.number} {case.kind} {ticket['category']} [{case.plot}] → {ticket['state']} 「{ticket['title']}」"]
    lines += [
        f"  {each['at'][5:16]} {each['verb']:<18} {each['from_state'] or '':<12}→ {each['to_state']:<12} {each['actor']}"
        f"{'：' + each['reason'] if each['reason'] else ''}" for each in ticket["transitions"]
    ]
    lines += [
        f"  时限 {each['name']:<12} {each['started_at'][5:16]} → {each['due_at'][5:16]}"
        f" {'停 ' + each['stopped_at'][5:16] if each['stopped_at'] else '在走'}{' 超期' if each['breached'] else ''}"
        for each in ticket["clocks"]
    ]
    lines += [f"  承诺 {each['what']} {each['due_on']} {each['fulfilled_at'] or '未兑现'}" for each in ticket["measures"]]
    lines += [f"  上门 {each['starts_at'][5:16]}–{each['ends_at'][11:16]} {each['status']}" for each in ticket["visits"]]
    lines += [f"  协办 {each['department']} {each['kind']} {each['answer'] or '未答'}" for each in ticket["tasks"]]
    lines += [f"  居民读到：{' / '.join(text.splitlines())}" for text in told]
    return "\n".join([*lines, f"  内部提醒 {notices} 次"])


INTERNAL = ("没有回答居民的问题", "不属于本部门职责", "事权不清", "按职责分工", "不是延期的理由", "请核实污染来源", "群众反映强烈")
"""Words between colleagues: no resident reads them."""


def _find_wrong(case: Case, ticket: dict[str, Any], told: list[str], notices: dict[str, int]) -> list[str]:
    """What must hold of any record, and does not."""
    steps, replies = ticket["transitions"], [each for each in ticket["replies"] if each["delivered_at"]]
    everything = "\n".join(told)
    late = [each for each in ticket["clocks"] if each["breached"] and each["name"] in ("accept", "finish")]
    checks = {
        f"the story could not go on: {case.stuck[:400]}": not case.stuck,
        "the record has gaps": [each["seq"] for each in steps] == list(range(1, len(steps) + 1)),
        "the states do not follow one another": all(
            before["to_state"] == after["from_state"] for before, after in itertools.pairwise(steps)
        ),
        "closed without a delivered reply": ticket["state"] not in ("replied", "closed", "followed_up") or bool(replies),
        "a delivered reply was not read once": all(everything.count(each["text"]) == 1 for each in replies),
        "nobody has it": ticket["state"] != "in_progress" or bool(ticket["department"]),
        "the resident does not know its number": bool(told) and case.number in told[0],
        "a resident read words between colleagues": not any(words in everything for words in INTERNAL),
        "a resident read who works here": not any(f"：{name}" in everything for name in ROLES),
        "a broken limit was told to nobody": not late or notices.get(case.number, 0) > 0,
        "a resident was told more than ten things": len(told) <= 10,
    }
    return [what for what, holds in checks.items() if not holds]


def _petitions() -> list[dict[str, str]]:
    found = [{"title": row["title"], "text": row["body"]} for row in read_rows(PETITIONS)]
    return [row for row in found if SHORTEST <= len(row["text"]) <= LONGEST][:TICKETS]


def main(target: Path) -> int:
    if not PETITIONS.exists():
        print("the petitions are not here: no week was played")
        return 0
    with tempfile.TemporaryDirectory(prefix="huiyin-week-") as name:
        record, wrong = asyncio.run(play(Path(name)))
    target.mkdir(parents=True, exist_ok=True)
    (target / "officers_week.txt").write_text(record + "\n", "utf-8")
    print(record.partition("\n")[0])
    print("\n".join(wrong) or "everything that must hold of a record holds")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS))
