"""`make bench`: the budgets that can be measured so far, in one table: figure, ratio, budget, met or not.

`python -m benchmarks [name …]` runs only these: service, intake, search, understanding, calls, guides, warnings, races, writers, promises, rehearsal, incidents, queue, real, others.
"""

import asyncio
import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks import calls, chat, intake, promises, real_messages, understanding
from benchmarks.questions import read_rows
from benchmarks.running import ROOT, run_service
from ticketing.preset import load_preset

REAL_LIMIT = 300
LONGEST_S = 180
LONG = ("guides", "incidents", "queue")
"""No benchmark may take longer (these twice that: they make all vectors first, replay a year, fill two databases): its line then says so. All together stay under ten minutes on an idle machine."""

OTHERS: tuple[tuple[str, list[str]], ...] = (
    ("working_hours", ["-m", "benchmarks.working_hours", "20000"]),
    ("clocks", ["-m", "benchmarks.clocks"]),
    ("appointments", ["-m", "benchmarks.appointments", "500"]),
    ("matters", ["-m", "benchmarks.matters"]),
    ("three_times", ["-m", "benchmarks.three_times", "300"]),
    ("officers_week", ["-m", "benchmarks.officers_week"]),
)
"""Benchmarks with figures of their own: module, command. One that is not there is left out."""


@dataclass(frozen=True)
class Line:
    """One line of the table. `met` is None where the design states no budget."""

    what: str
    figure: str
    ratio: str = ""
    budget: str = ""
    met: bool | None = None


Lines = list[Line]


async def measure_service() -> Lines:
    """Start, memory, turns, and commits at 200 messages a second, all on one running service."""
    async with run_service(intake.environ(), "property") as service:
        await service.wait_ready()
        started = [
            Line("start → /healthz", f"{service.healthy_s:.1f} s", "", "≤ 3 s", service.healthy_s <= 3),
            Line("start → assistant ready", f"{service.ready_s:.1f} s", "", "≤ 25 s", service.ready_s <= 25),
        ]
        await asyncio.sleep(2)
        turn = await chat.compare(service)
        paced = await chat.at_rate(service)
        used = service.process.memory_mb()
        commits = await intake.commit_p99(service)
        peak = service.process.peak_mb
    parts = ", ".join(f"{name} {size:.0f}" for name, size in sorted(used.items()))
    more = (turn["ours_p50"] - turn["bare_p50"]) * 1000
    return [
        *started,
        Line(f"memory after turns ({parts})", f"{sum(used.values()):.0f} MB, peak {peak:.0f}", "", "≤ 1500 MB",
             peak <= 1500),
        Line("chat turn p50, one at a time", f"{turn['ours_p50'] * 1000:.0f} ms",
             f"+{more:.0f} ms over a bare Rasa turn ({turn['bare_p50'] * 1000:.0f} ms)", "≤ +30 ms", more <= 30),
        Line(f"chat turn p95 at {chat.RATE} turns/s", f"{paced['p95'] * 1000:.0f} ms",
             f"p50 {paced['p50'] * 1000:.0f} ms", "≤ 1000 ms", paced["p95"] <= 1),
        Line("WeChat at 200 messages/s: commit p99", f"≤ {commits['commit_p99'] * 1000:.0f} ms",
             f"answer p99 {commits['p99']:.2f} s, slowest {commits['slowest']:.2f} s", "≤ 300 ms, answer ≤ 4 s",
             commits["commit_p99"] <= 0.3 and commits["slowest"] <= 4),
    ]


async def measure_intake() -> Lines:
    bare, ours = await intake.measure_server("bare"), await intake.measure_server("ours")
    ratio = ours["rate"] / bare["rate"]
    figure = f"{ours['rate']:.0f}/s, p99 {ours['p99'] * 1000:.0f} ms"
    against = f"{ratio:.2f} of a bare aiohttp + sqlite3 handler ({bare['rate']:.0f}/s)"
    return [Line("intake, stored and acknowledged, 32 clients", figure, against, "≥ 0.50", ratio >= 0.5)]


async def measure_search() -> Lines:
    done = await _run(["-m", "benchmarks.search"], LONGEST_S - 5)
    sections = re.search(r"speed over (\d+)", done)
    found = re.findall(r"^(words(?: and vector)?): p50 ([\d.]+) ms\s+p95 ([\d.]+) ms", done, re.MULTILINE)
    budgets = {"words": 20.0, "words and vector": 60.0}
    return [
        Line(f"guide search, {sections and sections[1]} sections, {name}", f"p95 {p95} ms", f"p50 {p50} ms",
             f"≤ {budgets[name]:.0f} ms", float(p95) <= budgets[name])
        for name, p50, p95 in found
    ] or [Line("guide search", "failed: " + done.strip()[-200:], met=False)]


async def measure_guides() -> Lines:
    """How well questions find their guides, on the held-out questions."""
    from benchmarks import curve, guides

    shelf = [each.guide for each in guides.shipped()]
    index = await guides.load(shelf)
    rows = [row for row in read_rows({(guide.preset, guide.slug) for guide in shelf}) if not row.tune]
    found = guides.count(index, rows, await guides.ask(index, rows))
    guides.show("held out", found)
    guides.compare(index, rows, await guides.measure(index, rows))
    print(f"\ncurve: {await curve.draw(index, rows, guides.RESULTS / 'answered_against_wrong.png')}")
    faq = await guides.try_faq()
    index.close()
    of = f"of {found.covered + found.uncovered} held-out questions"
    lines = [
        Line("guides: top-1", f"{found.top1:.3f}", of, "≥ 0.90", found.top1 >= 0.9),
        Line("guides: top-3", f"{found.top3:.3f}", "", "≥ 0.97", found.top3 >= 0.97),
        Line("guides: asked field", f"{found.field:.3f}", "", "≥ 0.90", found.field >= 0.9),
        Line("guides: wrong answers, of all", f"{found.wrong:.3f}", f"right guide quoted {found.answered:.3f}",
             "≤ 0.03", found.wrong <= 0.03),
        Line("guides: refused, of what is not covered", f"{found.refused:.3f}", "", "≥ 0.93", found.refused >= 0.93),
        Line("guides: quotes letter by letter", f"{found.verbatim:.0%}", "", "100 %", found.verbatim == 1),
    ]
    if faq:
        lines += [Line("public FAQ: R@1", f"{faq[0]:.3f}", "", "≥ 0.70", faq[0] >= 0.7),
                  Line("public FAQ: R@5", f"{faq[1]:.3f}", "", "≥ 0.90", faq[1] >= 0.9)]
    return lines


async def measure_real() -> Lines:
    if not real_messages.is_there():
        return []
    outcome = await real_messages.measure(REAL_LIMIT)
    print()
    real_messages.show(outcome)
    return [
        Line(f"real messages ({outcome.sent}): lost", str(outcome.lost),
             f"{outcome.acknowledged} acknowledged, {outcome.tickets.total()} tickets, {outcome.cited} cited answers",
             "0", outcome.lost == 0),
        Line("real messages: end to end", f"{outcome.whole_rate:.1f}/s", f"intake {outcome.intake_rate:.1f}/s"),
        Line("real messages: slowest answer to the platform", f"{outcome.slowest_s:.2f} s", "", "≤ 4 s",
             outcome.slowest_s <= 4),
        Line("real messages: peak memory", f"{outcome.peak_mb:.0f} MB", "", "≤ 1500 MB", outcome.peak_mb <= 1500),
    ]


async def measure_warnings() -> Lines:
    """With 100,000 open tickets, a twentieth of them due in one minute."""
    done = await _run(["-m", "benchmarks.clocks"], LONGEST_S - 10)
    late = re.search(r"latest warning: (\d+) s", done)
    look = re.search(r"nothing is due: ([\d.]+ ms).*?(\d+) times as fast", done)
    if late is None or look is None:
        return [Line("due-time warnings", "failed: " + done.strip()[-200:], met=False)]
    ratio = f"a look takes {look[1]}, {look[2]} times as fast as reading every clock"
    return [Line("due-time warning, 100,000 open tickets: latest", f"{late[1]} s", ratio, "≤ 60 s", int(late[1]) <= 60)]


async def measure_races() -> Lines:
    """Places of slots, on both databases; `python -m benchmarks.appointments` runs ten thousand."""
    done = await _run(["-m", "benchmarks.appointments", "1000"], LONGEST_S - 10)
    found = re.findall(r"(\w+): (\d+) races, (\d+) double bookings, (\d+) lost updates", done)
    return [
        Line(f"races for the last place, {name}: double bookings, lost updates", f"{double}, {lost}", f"{races} races",
             "0, 0", double == lost == "0")
        for name, races, double, lost in found
    ] or [Line("races for the last place", "failed: " + done.strip()[-200:], met=False)]


async def measure_writers() -> Lines:
    """Many writers on one ticket, on both databases; `python -m benchmarks.writers` runs ten thousand."""
    done = await _run(["-m", "benchmarks.writers", "400"], LONGEST_S - 10)
    found = re.findall(r"(\w+): (\d+) writers on one ticket, (\d+) lost updates, (\d+) refusals", done)
    return [
        Line(f"writers racing on one ticket, {name}: lost updates", lost, f"{writers} writers, {refused} refusals", "0",
             lost == "0")
        for name, writers, lost, refused in found
    ] or [Line("writers racing on one ticket", "failed: " + done.strip()[-200:], met=False)]


async def measure_promises() -> Lines:
    """On the held-out half of the labelled replies."""
    rows = [row for row in promises.read_labels() if not row.tune]
    found = promises.measure(rows, load_preset("hall").hours())
    of = f"{found.replies} held-out replies"
    return [Line("dated promises in replies: recall", f"{found.recall:.3f}", of, "≥ 0.95", found.recall >= 0.95),
            Line("dated promises in replies: precision", f"{found.precision:.3f}", of, "≥ 0.90", found.precision >= 0.9)]


async def measure_rehearsal() -> Lines:
    done = await _run(["-m", "benchmarks.rehearsal", "--words"], 170)
    sound = re.search(r"sound guides: (\d+) asked (\d+) questions, (\d+) failures", done)
    found = re.findall(r"^(as they lie in a folder|with the version before on record): (\d+) of (\d+) found", done, re.M)
    alarms = f"{sound[3]} alarms over {sound[1]} sound guides, {sound[2]} questions" if sound else ""
    return [
        Line(f"rehearsal: planted faults found, {name}", f"{hits} of {count}", alarms, "≥ 0.95",
             int(hits) >= 0.95 * int(count))
        for name, hits, count in found
    ] or [Line("rehearsal", "failed: " + done.strip()[-200:], met=False)]
async def measure_incidents() -> Lines:
    """Petitions replayed by words with planted events (`python -m benchmarks.incidents vectors` takes longer); one look."""
    done = await _run(["-m", "benchmarks.incidents", "words"], LONGEST_S - 10)
    found = re.search(r"(\d+) of (\d+) planted.*?([\d.]+) a week.*?precision ([\d.]+)  recall ([\d.]+)", done, re.S)
    look = await _run(["-m", "benchmarks.incidents", "look"], LONGEST_S - 10)
    cost = re.search(r"p50 ([\d.]+ ms)  p95 ([\d.]+ ms), (\d+ times)", look)
    lines = []
    if found:
        lines += [Line("incidents by words: drafts by the fourth report", f"{found[1]} of {found[2]}", "planted events"),
                  Line("incidents by words: false drafts", f"{found[3]} a week", "", "≤ 1 a week", float(found[3]) <= 1),
                  Line("repeats by words: precision, recall", f"{found[4]}, {found[5]}", "petitions grouped by hand")]
    if cost:
        lines.append(Line("one look for repeats, 100,000 tickets", f"p50 {cost[1]}, p95 {cost[2]}",
                          f"{cost[3]} as fast as reading every ticket"))
    return lines or [Line("incidents", "skipped or failed: " + done.strip()[-200:])]


async def measure_queue() -> Lines:
    """A page of fifty with 100,000 tickets on SQLite, and on PostgreSQL where it is installed."""
    done = await _run(["-m", "benchmarks.ticket_list"], 2 * LONGEST_S - 10)
    found = re.findall(r"^(\w+): (\d+) tickets, a page, (.+): p50 (\d+) ms  p95 (\d+) ms", done, re.M)
    return [
        Line(f"queue, {tickets} tickets, {name}: {what}", f"p95 {p95} ms", f"p50 {p50} ms", "≤ 300 ms", int(p95) <= 300)
        for name, tickets, what, p50, p95 in found
    ] or [Line("queue", "failed: " + done.strip()[-200:], met=False)]


async def measure_understanding() -> Lines:
    outcome = await understanding.measure()
    print()
    understanding.show(outcome)
    understanding.draw(outcome, understanding.RESULTS / "confusion_apart.png")
    return [
        Line(f"understanding: {name.strip()}", f"{value:.3g}", f"{len(outcome.pairs)} utterances", target,
             reached if target else None)
        for name, (value, target, reached) in understanding.figures(outcome).items()
    ]


async def measure_calls() -> Lines:
    """The labelled calls through the telephone's door; the held-out half is what counts."""
    scores, seconds = await calls.measure()
    print(f"\n{calls.table(scores)}")
    found = dict(scores)["held_out"]
    lines = [Line(f"calls: {name}, held out", f"P {found.precision(name):.2f} R {found.recall(name):.2f}", f"{found.wanted[name]} said")
             for name in (*calls.NAMES, "drafts")]
    return [*lines, Line("calls: from the call to its tickets, median", f"{seconds:.2f} s")]


async def measure_others() -> Lines:
    """Prints what the other benchmarks print; their figures are their own."""
    for name, command in OTHERS:
        if importlib.util.find_spec(f"benchmarks.{name}"):
            print(f"\n— {name}")
            print((await _run(command, 120)).rstrip())
    return []


async def _run(arguments: list[str], within_s: float) -> str:
    """Another Python, for no longer than this."""
    def run() -> str:
        try:
            done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True,
                                  timeout=within_s)
        except subprocess.TimeoutExpired:
            return f"stopped after {within_s:.0f} s"
        return done.stdout + ("" if done.returncode == 0 else done.stderr[-600:])

    return await asyncio.to_thread(run)


MEASURES: dict[str, Callable[[], Awaitable[Lines]]] = {
    "service": measure_service,
    "intake": measure_intake,
    "search": measure_search,
    "guides": measure_guides,
    "warnings": measure_warnings,
    "races": measure_races,
    "writers": measure_writers,
    "promises": measure_promises,
    "rehearsal": measure_rehearsal,
    "incidents": measure_incidents,
    "queue": measure_queue,
    "understanding": measure_understanding,
    "calls": measure_calls,
    "others": measure_others,
    "real": measure_real,
}


def show(lines: Lines) -> None:
    """The table, each budget with what was found."""
    heads = ("what", "figure", "ratio or reference", "budget", "met")
    rows = [heads, *((line.what, line.figure, line.ratio, line.budget, _met(line)) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _met(line: Line) -> str:
    return {True: "yes", False: "NO", None: ""}[line.met]


async def main(names: list[str]) -> None:
    lines: Lines = []
    began = time.monotonic()
    for name in names or MEASURES:
        print(f"· measuring {name} …", flush=True)
        try:
            async with asyncio.timeout(LONGEST_S * 2 if name in LONG else LONGEST_S):
                lines += await MEASURES[name]()
        except TimeoutError:
            lines.append(Line(name, "not finished in time", met=False))
        except (Exception, SystemExit) as error:
            lines.append(Line(name, f"failed: {error}"[:200], met=False))
    print(f"\n{time.monotonic() - began:.0f} s in all, on this machine as busy as it was\n")
    show(lines)


if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in MEASURES]
    if unknown:
        raise SystemExit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    asyncio.run(main(sys.argv[1:]))
