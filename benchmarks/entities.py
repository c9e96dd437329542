"""How well entities are found, by the components alone and within a minute: `python -m benchmarks.entities [--wrong] [--patterns] [FILE …]`.

Patterns and the chain that is learnt from the marked sentences, as the assistant has them; `--patterns` leaves the chain out.
Without files, every set of tests/data whose sentences are annotated. `--wrong` prints what was missed or invented, except
of the sets that nobody reads. Last come the times: of one sentence, and of the longest petitions where they are at hand.
"""
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from benchmarks.running import DATA, ROOT
from benchmarks.understanding import NOW, Entity, Saying, f1, read_marks

PYTHON = ROOT / "bot" / ".venv" / "bin" / "python"
LONG = 2000
"""Characters of a long petition."""
Find = Callable[[str], tuple[list[dict[str, Any]], float]]


@contextmanager
def run_finder(patterns_alone: bool) -> Iterator[Find]:
    """The finder in the assistant's own Python: entities of a text and the seconds it took."""
    command = [str(PYTHON), str(Path(__file__).parent / "entities_found.py"), *(["--patterns"] if patterns_alone else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdin and process.stdout
        asked, answered = process.stdin, process.stdout

        def find(text: str) -> tuple[list[dict[str, Any]], float]:
            asked.write(json.dumps([text, NOW]) + "\n")
            asked.flush()
            entities, seconds = json.loads(answered.readline())
            return entities, seconds

        yield find
        asked.close()


def read_set(file: Path) -> list[Saying]:
    """The annotated sayings of a set."""
    annotated = yaml.safe_load(file.read_text("utf-8")).get("annotated", {})
    return [Saying(text, intent, found) for intent, lines in annotated.items() for text, found in map(read_marks, lines)]


def unread(file: Path) -> bool:
    """A set that nobody reads: only its totals are told."""
    return file.stem.endswith("_kept")


def measure(find: Find, file: Path, wrong: bool) -> list[float]:
    """One line an entity type; the seconds each saying took."""
    right, got, wanted, seconds = Counter[str](), Counter[str](), Counter[str](), []
    for saying in read_set(file):
        entities, spent = find(saying.text)
        seconds.append(spent)
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


def show_times(find: Find, seconds: list[float]) -> None:
    """Milliseconds of a sentence, and of petitions cut or repeated to the length of a long one."""
    print(f"a sentence: p50 {1000 * statistics.median(seconds):.2f} ms, longest {1000 * max(seconds):.2f} ms")
    file = DATA / "petitions" / "qa.jsonl"
    if not file.exists():
        return
    spent = [find((json.loads(line)["body"] * LONG)[:LONG])[1] for line in file.read_text("utf-8").splitlines()]
    print(f"{LONG} characters: p50 {1000 * statistics.median(spent):.1f} ms, longest {1000 * max(spent):.1f} ms")


def main() -> None:
    """Every set in turn."""
    files = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    seconds: list[float] = []
    with run_finder("--patterns" in sys.argv) as find:
        for file in files or sorted((ROOT / "tests" / "data").glob("understanding*.yml")):
            seconds += measure(find, file, wrong="--wrong" in sys.argv and not unread(file))
        show_times(find, seconds)


if __name__ == "__main__":
    main()
