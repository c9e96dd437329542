"""Dated promises in draft replies: recall and precision on the replies labelled by hand in tests/data/promises.yml.

`python -m benchmarks.promises [--all]`: the held-out half, every second row; with `--all` the other half too, and each
miss and false find. The real replies are read from ../shared/data/petitions/qa.jsonl, and left out where it is absent.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import yaml

from benchmarks.running import DATA, ROOT, read_rows
from core.working_hours import WorkingHours
from ticketing.preset import load_preset
from ticketing.promises import find_promises

LABELS = ROOT / "tests" / "data" / "promises.yml"
LETTERS = DATA / "petitions" / "qa.jsonl"
DRAFTED = date(2026, 11, 25)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A reply, the day it was written, and each promised day by the place of its words."""

    name: str
    text: str
    on: date
    promises: dict[int, date]
    tune: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    replies: int
    right: int
    missed: tuple[str, ...]
    false: tuple[str, ...]

    @property
    def recall(self) -> float:
        return self.right / (self.right + len(self.missed) or 1)

    @property
    def precision(self) -> float:
        return self.right / (self.right + len(self.false) or 1)


def read_labels() -> Iterator[Labelled]:
    """All labelled replies; of the real ones those that are here. Every second one is for tuning."""
    rows = yaml.safe_load(LABELS.read_text(encoding="utf-8"))
    for number, row in enumerate(rows["own"]):
        places = {row["text"].index(str(words)): due for words, due in row["promises"].items()}
        yield Labelled(row["id"], row["text"], row.get("drafted", DRAFTED), places, number % 2 == 0)
    letters = read_rows(LETTERS) if LETTERS.exists() else []
    for number, row in enumerate(rows["real"] if letters else []):
        letter = letters[row["line"]]
        on = datetime.strptime(letter["reply_time"].split()[0], "%Y/%m/%d").date()
        yield Labelled(f"line {row['line']}", letter["reply"], on, row["promises"], number % 2 == 0)


def measure(rows: Sequence[Labelled], hours: WorkingHours) -> Outcome:
    """A find is right when its words hold the labelled place and its day is the labelled one."""
    right, missed, false = 0, [], []
    for row in rows:
        open_labels = dict(row.promises)
        for found in find_promises(row.text, row.on, hours):
            place = next((place for place, due in open_labels.items()
                          if found.start <= place + 1 < found.end + 1 and due == found.due_on), None)
            if place is None:
                false.append(f"{row.name}: {row.text[found.start : found.end]} → {found.due_on}")
            else:
                del open_labels[place]
                right += 1
        missed += [f"{row.name}: {row.text[place : place + 12]!r} → {due}" for place, due in open_labels.items()]
    return Outcome(len(rows), right, tuple(missed), tuple(false))


def main() -> None:
    rows, hours = list(read_labels()), load_preset("hall").hours()
    halves = {"held out": [row for row in rows if not row.tune]}
    if "--all" in sys.argv:
        halves["tuned on"] = [row for row in rows if row.tune]
    for name, half in halves.items():
        found = measure(half, hours)
        print(f"promises, {name}: recall {found.recall:.3f}, precision {found.precision:.3f}"
              f" ({found.replies} replies, {found.right + len(found.missed)} promises)")
        if "--all" in sys.argv and name == "tuned on":
            print("\n".join([*(f"  missed {each}" for each in found.missed), *(f"  false  {each}" for each in found.false)]))


if __name__ == "__main__":
    main()
