"""How well residents are understood: the test sets through POST /api/v1/understand of the running service.

`python -m benchmarks.understanding [held_out]`; the confusion matrix is drawn to benchmarks/results/ by the bot's Python.
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.running import DATA, ROOT, Service, run_service

TOKEN = "token-of-the-benchmark"
NOW = "2026-11-26T10:00:00+08:00"
RESULTS = ROOT / "benchmarks" / "results"
SETS = {"apart": ROOT / "tests" / "data" / "understanding.yml",
        "held_out": ROOT / "tests" / "data" / "understanding_held_out.yml"}
NO_TICKET = frozenset({"chitchat", "out_of_scope"})
EXACT_TYPES = ("phone", "ticket_number")
SEVEN = ("城乡建设", "环境保护", "交通运输", "教育文体", "劳动和社会保障", "商贸旅游", "卫生计生")
_MARKED = re.compile(r"\[([^\[\]]+)\]\((\w+)\)")
Entity = tuple[str, int, int]


@dataclass(frozen=True)
class Saying:
    """One utterance; `entities` is None where they are not annotated."""

    text: str
    intent: str
    entities: frozenset[Entity] | None = None


@dataclass
class Outcome:
    """What was understood: (meant, understood) pairs, and per entity type right, found, wanted."""

    pairs: list[tuple[Saying, dict[str, Any]]] = field(default_factory=list)
    times: list[tuple[str, bool]] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    petitions: list[tuple[str, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def read_marks(line: str) -> tuple[str, frozenset[Entity]]:
    """`[3号楼](place)冒烟` → the text and its entities with their offsets."""
    text, at, found = "", 0, set()
    for match in _MARKED.finditer(line):
        text += line[at:match.start()]
        found.add((match[2], len(text), len(text) + len(match[1])))
        text, at = text + match[1], match.end()
    return text + line[at:], frozenset(found)


def load(name: str = "apart") -> tuple[list[Saying], dict[str, Any]]:
    """The sayings of a set, long ones included, and the set as it stands."""
    data: dict[str, Any] = yaml.safe_load(SETS[name].read_text("utf-8"))
    sayings = [Saying(text, intent) for intent, lines in data["said"].items() for text in lines]
    for intent, lines in data.get("annotated", {}).items():
        sayings += [Saying(text, intent, found) for text, found in map(read_marks, lines)]
    return sayings + [Saying(item["said"], item["intent"]) for item in data.get("long", [])], data


async def ask(service: Service, text: str, at: str = NOW, channel: str = "webchat") -> dict[str, Any]:
    """One answer of POST /understand."""
    async with service.http.post(
        service.url + "/api/v1/understand", json={"text": text, "channel": channel, "at": at},
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as response:
        if response.status != 200:
            raise SystemExit(f"/understand answered {response.status}: {(await response.text())[:200]}")
        answer: dict[str, Any] = await response.json()
        return answer


async def measure(name: str = "apart", petitions: bool = True) -> Outcome:
    """Ask the running service for every saying, time expression and petition."""
    sayings, data = load(name)
    outcome = Outcome()
    environ = {"HUIYIN__API__TOKENS__BENCH": json.dumps({"token": TOKEN, "role": ["clerk"]})}
    async with run_service(environ, "hall") as service:
        if petitions and DATA.exists():
            outcome.petitions = await _sort_petitions(service)
        await service.wait_ready(400)
        for saying in sayings:
            began = time.perf_counter()
            outcome.pairs.append((saying, await ask(service, saying.text)))
            outcome.seconds.append(time.perf_counter() - began)
        for item in data.get("times", []):
            outcome.times.append((item["said"], _is_right(item, await ask(service, item["said"], str(item["at"])))))
        for text in data.get("no_times", []):
            if any(entity["type"] == "time" for entity in (await ask(service, text))["entities"]):
                outcome.invented.append(text)
    return outcome


def _is_right(item: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    return any(
        entity["value"] == item["value"] and all(item.get(end) in (None, entity.get(end)) for end in ("from", "to"))
        for entity in answer["entities"] if entity["type"] == "time"
    )


async def _sort_petitions(service: Service) -> list[tuple[str, str]]:
    """(label, first-level category by its name) of every labelled petition, registered as a complaint.

    The category is what the service makes of the text, with or without the assistant: no turn is spent on it, and
    the two minutes a benchmark has are enough while the assistant is still loading beside it.
    """
    await service.wait_for(60, "categories")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with service.http.get(service.url + "/api/v1/categories?limit=200", headers=headers) as response:
        known = {item["code"]: item for item in (await response.json())["items"]}
    found = []
    for line in (DATA / "petitions" / "labelled.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        body = {"kind": "complaint", "description": f"{row['title']}。{row['body']}"[:5000], "resident": {}}
        async with service.http.post(service.url + "/api/v1/tickets", json=body, headers=headers) as response:
            ticket = await response.json()
            if response.status != 201:
                raise SystemExit(f"a petition was not registered: {response.status} {ticket}")
        top = known[known[ticket["category"]].get("parent") or ticket["category"]]
        found.append((row["label"], top["name"]))
    return found


def f1(right: int, found: int, wanted: int) -> float:
    """Harmonic mean of precision and recall."""
    return 2 * right / (found + wanted) if found + wanted else 1.0


def macro_f1(pairs: Iterable[tuple[str, str]], labels: Iterable[str] | None = None) -> float:
    """Mean F1 over the labels (those that are meant, if none are given)."""
    pairs = list(pairs)
    meant, got = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    right = Counter(a for a, b in pairs if a == b)
    return statistics.fmean(f1(right[name], got[name], meant[name]) for name in labels or meant)


def entity_scores(outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    """By type: right (type and both offsets), found, wanted."""
    scores: dict[str, list[int]] = {}
    for saying, answer in outcome.pairs:
        if saying.entities is None:
            continue
        found = {(entity["type"], entity["start"], entity["end"]) for entity in answer["entities"]}
        for n, entities in enumerate((found & saying.entities, found, saying.entities)):
            for kind, _, _ in entities:
                scores.setdefault(kind, [0, 0, 0])[n] += 1
    return {kind: (right, got, wanted) for kind, (right, got, wanted) in scores.items()}


def figures(outcome: Outcome) -> dict[str, tuple[float, str, bool]]:
    """What is measured → its figure, its target, whether that is reached."""
    pairs = [(saying.intent, answer["intent"]) for saying, answer in outcome.pairs]
    meant = Counter(a for a, _ in pairs)
    both = Counter(pairs)
    confused = both["complain", "ask_guide"] + both["ask_guide", "complain"]
    silent = [answer["kind"] in (None, "consultation") for saying, answer in outcome.pairs if saying.intent in NO_TICKET]
    found: dict[str, tuple[float, str, bool]] = {}

    def put(name: str, value: float, target: str, least: float | None = None, most: float | None = None) -> None:
        found[name] = (value, target, (least is None or value >= least) and (most is None or value <= most))

    put("intent accuracy", statistics.fmean(a == b for a, b in pairs), "≥ .93", .93)
    put("intent macro-F1", macro_f1(pairs), "≥ .90", .90)
    put("emergencies missed", meant["report_emergency"] - both["report_emergency", "report_emergency"], "0", most=0)
    put("ask_human recall", both["ask_human", "ask_human"] / meant["ask_human"], "≥ .98", .98)
    put("complain ↔ ask_guide", confused / (meant["complain"] + meant["ask_guide"]), "≤ .03", most=.03)
    put("chitchat and out of scope: no ticket", statistics.fmean(silent), "≥ .95", .95)
    scores = entity_scores(outcome)
    if scores:
        put("entities, F1", f1(*map(sum, zip(*scores.values(), strict=True))), "≥ .90", .90)
    for kind, score in sorted(scores.items()):
        least = .99 if kind in EXACT_TYPES else None
        put(f"  {kind}, F1 ({score[2]})", f1(*score), "≥ .99" if least else "", least)
    if outcome.times:
        put("time expressions right", statistics.fmean(right for _, right in outcome.times), "≥ .95", .95)
        put("times invented", len(outcome.invented), "0", most=0)
    if outcome.petitions:
        put("petitions, macro-F1 of seven classes", macro_f1(outcome.petitions, SEVEN), "≥ .82", .82)
    put("p50 of one /understand, ms", statistics.median(outcome.seconds) * 1000, "≤ 30", most=30)
    return found


def draw(outcome: Outcome, path: Path) -> None:
    """The confusion matrix as a picture; the bot's environment has what draws it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pairs = [(saying.intent, answer["intent"]) for saying, answer in outcome.pairs]
    python = ROOT / "bot" / ".venv" / "bin" / "python"
    subprocess.run([str(python), str(Path(__file__).with_name("draw_confusion.py")), str(path)],
                   input=json.dumps(pairs), text=True, check=True, capture_output=True, timeout=120)


def show(outcome: Outcome) -> None:
    """The figures, the worst confusions and every sentence that was taken for something else."""
    for name, (value, target, reached) in figures(outcome).items():
        print(f"{name:40} {value:8.3f}  {target:7} {'yes' if reached else 'NO' if target else ''}")
    wrong = Counter((s.intent, a["intent"]) for s, a in outcome.pairs if s.intent != a["intent"])
    print("\nworst confusions (meant → understood)")
    for (meant, understood), times in wrong.most_common(8):
        print(f"{times:3} {meant} → {understood}")
    if "--wrong" in sys.argv:
        for saying, answer in outcome.pairs:
            if saying.intent != answer["intent"]:
                print(f"{saying.intent} → {answer['intent']} {answer['confidence']:.2f}: {saying.text.strip()[:70]}")


async def main() -> None:
    name = next((word for word in sys.argv[1:] if word in SETS), "apart")
    outcome = await measure(name, petitions=name == "apart")
    print(f"{len(outcome.pairs)} utterances of {SETS[name].name}")
    show(outcome)
    draw(outcome, RESULTS / f"confusion_{name}.png")


if __name__ == "__main__":
    asyncio.run(main())
