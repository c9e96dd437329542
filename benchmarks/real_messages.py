"""Real petitions through a door of the running service with the real assistant: what became of each?

`python -m benchmarks.real_messages [--limit N] [--preset hall] [--door wechat|email]`. Every row of
../shared/data/petitions/{hotline,hot,qa} is the first message of a follower (or a mail address) of his own. Lost is what was acknowledged and has no inbox row, or neither a reply
nor a ticket; it must be 0, and the exit code says so.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.doors import DOORS, Door, Sent
from benchmarks.running import DATA, Service, quantile, read_rows, run_service

FILES = {"hotline": "content", "hot": "body", "qa": "body"}
CLIENTS = 32
STALLED_S = 90
SOURCE = "【来源】"
"""With these words the source of a quotation begins."""

REPORT_BEGUN = "report begun, asked for what is missing"
KINDS_OF_ANSWER = {
    "diverted to emergency numbers": ("请马上拨打", "立即拨打", "请立即"),
    "asked which matter is meant": ("请问您想问的是哪一件事", "请问您想办理或咨询哪一件事"),
    REPORT_BEGUN: ("请问是什么时候发生", "请问可以打哪个电话", "请问在什么位置"),
    "no guide, hand-over offered": ("还没有办事指南", "还没有对应的办事指南", "没有相应的办事指南", "已到期"),
    "outside the office's business": ("不在本窗口的服务范围", "不在我们的服务范围"),
    "taken for a question about a ticket": ("没有找到您的工单",),
    "not understood": ("没有听明白",),
    "small talk": ("不太会聊天", "我是智能助手", "不客气", "再见"),
}
"""What an answer without ticket and source is, by words of ours in it."""
OTHER = "of no known kind"


@dataclass
class Outcome:
    """What is printed."""

    sent: int = 0
    acknowledged: int = 0
    stored: int = 0
    tickets: Counter[str] = field(default_factory=Counter)
    cited: int = 0
    others: Counter[str] = field(default_factory=Counter)
    openings: Counter[str] = field(default_factory=Counter)
    """How the answers begin that are of no known kind."""
    set_aside: int = 0
    lost: int = 0
    without_assistant: int = 0
    unsent: int = 0
    intake_s: float = 0.0
    whole_s: float = 0.0
    slowest_s: float = 0.0
    p99_s: float = 0.0
    peak_mb: float = 0.0
    peaks: dict[str, float] = field(default_factory=dict)

    @property
    def intake_rate(self) -> float:
        return self.acknowledged / self.intake_s if self.intake_s else 0.0

    @property
    def whole_rate(self) -> float:
        return self.acknowledged / self.whole_s if self.whole_s else 0.0


def read_messages(limit: int | None, domain: str = "") -> list[Sent]:
    """One message a row, files taken in turns so that a limit takes some of each."""
    rows = []
    for name, body in FILES.items():
        for number, row in enumerate(read_rows(DATA / "petitions" / f"{name}.jsonl")):
            text = "\n".join(part for part in ((row.get("title") or "").strip(), (row.get(body) or "").strip()) if part)
            rows.append((number, Sent(f"o{name}{number:05d}{domain}", text)))
    rows.sort(key=lambda item: item[0])
    return [sent for _, sent in rows[:limit]]


class Progress:
    """A bar on a terminal, a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._spoken = 0.0
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())

    def show(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._spoken >= 10:
                self._spoken = time.monotonic()
                print(f"  {what}: {done} of {total}", flush=True)
            return
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, description=what, completed=done, total=total)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()


async def feed(door: Door, messages: Sequence[Sent], progress: Progress) -> None:
    """Send all, so many at a time; the platform tries three times, as the real one does."""
    waiting = iter(messages)
    done = 0

    async def follow() -> None:
        nonlocal done
        for sent in waiting:
            await door.send(sent)
            done += 1
            progress.show("sent", done, len(messages))

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(follow())


async def wait_drained(service: Service, total: int, progress: Progress) -> int:
    """Until nothing waits in either queue; gives how many replies still wait when nothing moves any more."""
    last, moved = None, time.monotonic()
    while True:
        (inbox,), = service.ask("SELECT count(*) FROM inbox WHERE status IN ('todo', 'doing')")
        (outbox,), = service.ask("SELECT count(*) FROM outbox WHERE status IN ('todo', 'doing')")
        progress.show("answered", total - int(inbox), total)
        if not inbox and not outbox:
            return 0
        if (inbox, outbox) != last:
            last, moved = (inbox, outbox), time.monotonic()
        if time.monotonic() - moved > (STALLED_S if inbox else 15):
            return int(outbox)
        await asyncio.sleep(0.5)


def judge(service: Service, door: Door, messages: Sequence[Sent], outcome: Outcome) -> None:
    """Each message counts once: lost, set aside, ticket, cited answer, other answer."""
    outcome.sent = len(messages)
    by_sender = {sent.sender: sent for sent in messages}
    for recipient, texts in door.replies().items():
        by_sender[recipient].replies += texts
    rows = {sender: (status, conversation, matter) for sender, status, conversation, matter in service.ask(
        "SELECT sender, status, conversation_id, matter_id FROM inbox WHERE channel = ?", door.channel)}
    tickets = dict(service.ask("SELECT conversation_id, kind FROM ticket WHERE conversation_id IS NOT NULL"))
    forms = {matter for (matter,) in service.ask("SELECT id FROM matter WHERE form_open")}
    staff = {one for (one,) in service.ask("SELECT id FROM conversation WHERE holder = 'staff'")}
    for sent in messages:
        status, conversation, matter = rows.get(sent.sender, (None, None, None))
        outcome.acknowledged += sent.acknowledged
        outcome.stored += status is not None
        said = "\n".join(sent.replies)
        if status == "set_aside":
            outcome.set_aside += 1
        elif conversation in tickets:
            outcome.tickets[tickets[conversation]] += 1
        elif SOURCE in said:
            outcome.cited += 1
        elif said:
            kind = _kind_of(said, matter in forms, conversation in staff)
            outcome.others[kind] += 1
            outcome.openings[said[:14]] += kind == OTHER
        nothing_came = status != "set_aside" and conversation not in tickets and not said
        outcome.lost += sent.acknowledged and (status is None or nothing_came)


def _kind_of(said: str, form_open: bool, with_staff: bool) -> str:
    if with_staff:
        return "handed over to a clerk"
    if form_open:
        return REPORT_BEGUN
    return next((kind for kind, words in KINDS_OF_ANSWER.items() if any(word in said for word in words)), OTHER)


async def measure(limit: int | None = None, preset: str = "hall", through: str = "wechat") -> Outcome:
    """The whole run: start, feed, drain, count."""
    domain = "" if through == "wechat" else "@resident.example"
    messages, outcome, progress = read_messages(limit, domain), Outcome(), Progress()
    door: Door = DOORS[through]()
    environ = await door.start()
    try:
        async with run_service(environ, preset) as service:
            door.connect(service)
            await service.wait_ready()
            began = time.monotonic()
            await feed(door, messages, progress)
            outcome.intake_s = time.monotonic() - began
            outcome.unsent = await wait_drained(service, len(messages), progress)
            outcome.whole_s = time.monotonic() - began
            judge(service, door, messages, outcome)
            away = await service.metric("huiyin_turns_without_assistant_total")
            outcome.without_assistant = int(sum(away.values()))
            outcome.peak_mb, outcome.peaks = service.process.peak_mb, service.process.peaks
    finally:
        progress.close()
        await door.close()
    outcome.slowest_s = max(sent.seconds for sent in messages)
    outcome.p99_s = quantile((sent.seconds for sent in messages), 0.99)
    return outcome


def show(outcome: Outcome) -> None:
    kinds = ", ".join(f"{kind} {count}" for kind, count in outcome.tickets.most_common()) or "none"
    others = ", ".join(f"{kind} {count}" for kind, count in outcome.others.most_common()) or "none"
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(outcome.peaks.items()))
    lines = {
        "messages sent": outcome.sent,
        "acknowledged": outcome.acknowledged,
        "stored": outcome.stored,
        "became tickets": f"{outcome.tickets.total()} ({kinds})",
        "answered from guides, cited": outcome.cited,
        "other answers": f"{outcome.others.total()} ({others})",
        "of all, while the assistant was away": outcome.without_assistant,
        "set aside": outcome.set_aside,
        "lost": outcome.lost,
        "replies still waiting for the platform": outcome.unsent,
        "intake": f"{outcome.intake_rate:.1f} messages/s (request p99 {outcome.p99_s:.2f} s, slowest"
                  f" {outcome.slowest_s:.2f} s)",
        "end to end": f"{outcome.whole_rate:.1f} messages/s ({outcome.whole_s:.0f} s)",
        "peak memory": f"{outcome.peak_mb:.0f} MB ({parts})",
    }
    for name, value in lines.items():
        print(f"{name:<40} {value}")
    for opening, count in outcome.openings.most_common(6):
        if count >= 3:  # What is said often are words of ours, not a resident's.
            print(f"  of no known kind, {count} times: {opening}…")


def is_there() -> bool:
    """Whether the petitions are here; says so when not."""
    there = all((DATA / "petitions" / f"{name}.jsonl").exists() for name in FILES)
    if not there:
        print("real_messages: skipped, ../shared/data/petitions is absent")
    return there


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="no more than so many messages")
    parser.add_argument("--preset", default="hall", choices=("property", "hall", "hospital"))
    parser.add_argument("--door", default="wechat", choices=tuple(DOORS))
    arguments = parser.parse_args()
    if not is_there():
        return 0
    outcome = asyncio.run(measure(arguments.limit, arguments.preset, arguments.door))
    show(outcome)
    return 1 if outcome.lost else 0


if __name__ == "__main__":
    sys.exit(main())
