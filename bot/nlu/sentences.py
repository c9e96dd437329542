"""The training sentences; `cd bot && .venv/bin/python -m nlu.sentences` ships their vectors beside them.

A vector costs ten to thirty milliseconds of two cores, so ten thousand would cost every set-up its minutes. What is not
shipped is made when it is first trained: the file needs writing anew only after many sentences have changed.
"""
from __future__ import annotations

import re
from pathlib import Path

import yaml

from nlu.components.engine import embed_all, key_of
from nlu.components.shipped import write_vectors

HERE = Path(__file__).parent
_MARKED = re.compile(r"\[([^\[\]]+)\]\(\w+\)")


def read() -> list[tuple[str, str]]:
    """Every sentence without its marks, and its intent."""
    return [(_MARKED.sub(r"\1", line[2:]), block["intent"]) for file in sorted(HERE.glob("*.yml"))
            for block in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu", []) if "intent" in block
            for line in block["examples"].splitlines()]


def main() -> None:
    """Write the vectors of the sentences as they stand."""
    texts = sorted({text for text, _ in read()})
    write_vectors(dict(zip(map(key_of, texts), embed_all(texts), strict=True)))


if __name__ == "__main__":
    main()
