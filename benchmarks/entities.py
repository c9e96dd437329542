"""How well entities are found, by the components alone and within seconds: `python -m benchmarks.entities [--wrong] [FILE …]`.

Without files, every set of tests/data whose sentences are annotated. `--wrong` prints what was missed or invented, except
of the sets that nobody reads. Last come the times: of one sentence, and of the longest petitions where they are at hand.
"""
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

import yaml

from benchmarks.running import DATA, ROOT
from benchmarks.understanding import NOW, Entity, Saying, f1, read_marks
from benchmarks.understanding_ways import names_of

BOT = ROOT / "bot"
sys.path.insert(0, str(BOT))

from nlu.components.finding import Finder  # noqa: E402 - found by the line above

LONG = 2000
"""Characters of a long petition."""


def make_finder() -> Finder:
    """The finder as the assistant has it after training."""
    blocks = [block for file in sorted((BOT / "nlu").glob("*.yml"))
              for block in yaml.safe_load(file.read_text("utf-8")).get("nlu", [])]
    return Finder(names_of(blocks))


def read_set(file: Path) -> list[Saying]:
    """The annotated sayings of a set."""
    annotated = yaml.safe_load(file.read_text("utf-8")).get("annotated", {})
    return [Saying(text, intent, found) for intent, lines in annotated.items() for text, found in map(read_marks, lines)]


def unread(file: Path) -> bool:
    """A set that nobody reads: only its totals are told."""
    return file.stem.endswith("_kept")


def measure(finder: Finder, file: Path, wrong: bool) -> list[float]:
    """One line an entity type; the seconds each saying took."""
    right, got, wanted, seconds = Counter[str](), Counter[str](), Counter[str](), []
    for saying in read_set(file):
        began = time.perf_counter()
        entities = finder.find(saying.text, NOW)
        seconds.append(time.perf_counter() - began)
        meant = saying.entities or frozenset()
        found = {(e["entity"], e["start"], e["end"]) for e in entities}
        for counter, part in ((right, found & meant), (got, found), (wanted, meant)):
            counter.update(kind for kind, _, _ in part)
        if wrong and found != meant:
            print(f"    {saying.text}\n      missed {_said(meant - found, saying)}  invented {_said(found - meant, saying)}")
    if seconds:
        print(f"{file.stem}, {len(seconds)} sentences")
        for kind in sorted(wanted | got) if not unread(file) else ():
            _show(kind, right[kind], got[kind], wanted[kind])
        _show("all", right.total(), got.total(), wanted.total())
    return seconds


def _said(entities: frozenset[Entity] | set[Entity], saying: Saying) -> str:
    return " ".join(f"{saying.text[start:end]}/{kind}" for kind, start, end in sorted(entities, key=lambda e: e[1])) or "–"


def _show(kind: str, right: int, got: int, wanted: int) -> None:
    print(f"  {kind:14} precision {right / got if got else 1:.3f}  recall {right / wanted if wanted else 1:.3f}  "
          f"F1 {f1(right, got, wanted):.3f}  ({wanted})")


def show_times(finder: Finder, seconds: list[float]) -> None:
    """Milliseconds of a sentence, and of petitions cut or repeated to the length of a long one."""
    print(f"a sentence: p50 {1000 * statistics.median(seconds):.2f} ms, longest {1000 * max(seconds):.2f} ms")
    file = DATA / "petitions" / "qa.jsonl"
    if not file.exists():
        return
    spent = []
    for line in file.read_text("utf-8").splitlines():
        text = (json.loads(line)["body"] * LONG)[:LONG]
        began = time.perf_counter()
        finder.find(text, NOW)
        spent.append(time.perf_counter() - began)
    print(f"{LONG} characters: p50 {1000 * statistics.median(spent):.1f} ms, longest {1000 * max(spent):.1f} ms")


def main() -> None:
    """Every set in turn."""
    files = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    finder, seconds = make_finder(), []
    for file in files or sorted((ROOT / "tests" / "data").glob("understanding*.yml")):
        seconds += measure(finder, file, wrong="--wrong" in sys.argv and not unread(file))
    show_times(finder, seconds)


if __name__ == "__main__":
    main()
