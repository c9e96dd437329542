"""The labelled calls in tests/data/calls, and how right a call's drafts are, element by element."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from benchmarks.running import ROOT

FOLDER = ROOT / "tests" / "data" / "calls"
SETS = ("seen", "held_out")
NAMES = ("person", "phone", "place", "time", "matter")
CONTAINED = frozenset({"time", "matter"})
"""Labelled by a word of it."""
STARTED_AT = "2026-11-26T10:00:00+08:00"
_LOOSE = re.compile(r"[的\s，,]|那个|先生|女士")


@dataclass
class Score:
    """Counts by element: right, found, wanted; and what went wrong, in words."""

    right: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def precision(self, name: str) -> float:
        """Of what was found, the part that is right."""
        return self.right[name] / self.found[name] if self.found[name] else 1.0

    def recall(self, name: str) -> float:
        """Of what was said, the part that was found rightly."""
        return self.right[name] / self.wanted[name] if self.wanted[name] else 1.0

    def count(self, name: str, wanted: Any, found: Any, right: bool, where: str) -> None:
        """One value beside its label; None is none."""
        self.wanted[name] += wanted is not None
        self.found[name] += found is not None
        self.right[name] += right and wanted is not None and found is not None
        if (wanted is None) != (found is None) or not right:
            self.wrong.append(f"{where} {name}: {wanted} / {found}")


def load(name: str) -> list[dict[str, Any]]:
    """The calls of a set, as they stand."""
    calls: list[dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yml").read_text("utf-8"))
    return calls


def body_of(call: Mapping[str, Any]) -> dict[str, Any]:
    """The call as a telephone exchange brings it."""
    starts = call.get("starts") or range(0, 10 * len(call["turns"]), 10)
    turns = [
        {"speaker": "caller" if line[0] == "c" else "agent", "start_s": start, "end_s": start + 5, "text": line[2:]}
        for start, line in zip(starts, call["turns"], strict=True)
    ]
    return {"call_id": call["id"], "caller": call.get("caller", ""),
            "started_at": call.get("started_at", STARTED_AT), "turns": turns}


def judge(call: Mapping[str, Any], tickets: Sequence[Mapping[str, Any]], score: Score) -> None:
    """Add a call to the score. `tickets`: in the order of the call, as the API shows them."""
    wanted: list[dict[str, Any]] = call["matters"]
    score.count("drafts", len(wanted), len(tickets), len(wanted) == len(tickets), call["id"])
    for place, label in enumerate(wanted):
        ticket: Mapping[str, Any] = tickets[place] if place < len(tickets) else {}
        where = f"{call['id']}#{place}"
        found = {item["name"]: item["value"] for item in ticket.get("elements") or []}
        for name in NAMES:
            score.count(name, label.get(name), found.get(name), _is_right(name, label.get(name), found.get(name)), where)
        _judge_rest(call, label, ticket, score, where)


def _judge_rest(call: Mapping[str, Any], label: Mapping[str, Any], ticket: Mapping[str, Any], score: Score, where: str) -> None:
    score.count("kind", label["kind"], ticket.get("kind"), label["kind"] == ticket.get("kind"), where)
    happened = ticket.get("happened_at")
    score.count("happened", label.get("happened"), happened, str(happened).startswith(str(label.get("happened"))), where)
    answered = (ticket.get("answered_on_call") or {}).get("turn")
    score.count("answered", label.get("answered"), answered, label.get("answered") == answered, where)
    danger = True if ticket.get("urgency") == "emergency" else None
    score.count("emergency", call.get("emergency"), danger, call.get("emergency") == danger, where)


def _is_right(name: str, wanted: str | None, found: str | None) -> bool:
    if wanted is None or found is None:
        return wanted == found
    plain, label = _LOOSE.sub("", found), _LOOSE.sub("", str(wanted))
    return label in plain if name in CONTAINED else label == plain


def table(scores: Iterable[tuple[str, Score]]) -> str:
    """Precision and recall of each element, a column a set."""
    rows = list(scores)
    names = [*NAMES, "happened", "kind", "answered", "emergency", "drafts"]
    head = "element".ljust(12) + "".join(f"{title:>24}" for title, _ in rows)
    lines = [name.ljust(12) + "".join(f"   P {score.precision(name):.2f}  R {score.recall(name):.2f} ({score.wanted[name]:>2})" for _, score in rows)
             for name in names]
    return "\n".join([head, *lines])
