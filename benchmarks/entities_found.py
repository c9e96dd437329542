"""Entities as the assistant finds them, a line a text: run by the bot's Python, which alone has the chain's library.

Reads JSON lines [text, moment], answers [entities, seconds]; the chain is learnt from the sentences of `bot/nlu` first, as
the training does. `--patterns` leaves it out.
"""
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

BOT = Path(__file__).resolve().parents[1] / "bot"
sys.path.insert(0, str(BOT))

from nlu.components import chain  # noqa: E402 - found by the line above
from nlu.components.finding import Finder  # noqa: E402

_MARKED = re.compile(r"\[([^\[\]]+)\]\((\w+)\)")


def read_blocks() -> list[dict[str, Any]]:
    """The training data."""
    return [block for file in sorted((BOT / "nlu").glob("*.yml")) for block in yaml.safe_load(file.read_text("utf-8")).get("nlu", [])]


def read_marked(blocks: list[dict[str, Any]]) -> Iterator[tuple[str, list[chain.Mark]]]:
    """Every training sentence that has marks, and what they mark."""
    for line in (line[2:] for block in blocks if "intent" in block for line in block["examples"].splitlines()):
        text, at, marks = "", 0, []
        for match in _MARKED.finditer(line):
            text += line[at:match.start()]
            marks.append((match[2], len(text), len(text) + len(match[1])))
            text, at = text + match[1], match.end()
        if marks:
            yield text + line[at:], marks


def make_finder(blocks: list[dict[str, Any]]) -> Finder:
    """The finder with the lookups of the training data."""
    return Finder({block["lookup"]: [line[2:] for line in block["examples"].splitlines()] for block in blocks if "lookup" in block})


def make_chain(finder: Finder, blocks: list[dict[str, Any]]) -> chain.Chain:
    """The chain as a training makes it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "marks.crf"
        chain.learn(((text, marks, chain.find_marks(finder, text)) for text, marks in read_marked(blocks)), file)
        return chain.Chain(file)


def main() -> None:
    """Answer until the input ends."""
    blocks = read_blocks()
    finder = make_finder(blocks)
    learnt = None if "--patterns" in sys.argv else make_chain(finder, blocks)
    for line in sys.stdin:
        text, moment = json.loads(line)
        began = time.perf_counter()
        found = finder.find(text, moment)
        if learnt:
            found = learnt.decide(text, found)
        print(json.dumps([found, time.perf_counter() - began]), flush=True)


if __name__ == "__main__":
    main()
