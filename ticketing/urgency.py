"""How urgent a matter is by its words: routine, pressing or urgent."""

from functools import lru_cache
from pathlib import Path

import yaml

ROUTINE = "routine"
LEVELS = ("urgent", "pressing")
LEVELS_OF: dict[str, tuple[str, ...]] = {"praise": (), "consultation": (), "suggestion": ("urgent",)}
REACH = 3
"""So many characters before a word may take it back."""


def judge(text: str, kind: str = "complaint") -> tuple[str, tuple[str, ...]]:
    """The level and the words that decided it; routine with none.

    Thanks wait for nobody; a suggestion names old people and danger as its reasons, and is urgent by plain danger alone.
    """
    words = _words()
    for level in LEVELS_OF.get(kind, LEVELS):
        found = tuple(word for word in words[level] if _says(text, word, words["unless"]))
        if found:
            return level, found[:4]
    return ROUTINE, ()


def _says(text: str, word: str, unless: tuple[str, ...]) -> bool:
    at = text.find(word)
    while at >= 0:
        if not any(text[max(0, at - REACH) : at].endswith(taken) for taken in unless):
            return True
        at = text.find(word, at + 1)
    return False


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    loaded = yaml.safe_load((Path(__file__).parent / "urgency.yml").read_text("utf-8"))
    levels = {level: tuple(word for row in loaded[level] for word in row) for level in LEVELS}
    return levels | {"unless": tuple(loaded["unless"])}
