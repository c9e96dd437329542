"""Which field a question asks for, and whether it says anything about the matter itself."""

import re
from functools import lru_cache
from pathlib import Path

import yaml

from core.segment import fold, words

HERE = Path(__file__).parent
GROUPS = ("empty", "out_of_scope", "diagnosis", "opinion", "warning", "accident", "child", "any_age")
"""Lists of asking.yml that are not fields."""


def asked_field(question: str) -> str | None:
    """The field whose words the question holds; the longest word wins, then the earliest field of the list."""
    plain = fold(question)
    best: tuple[float, str | None] = (0, None)
    for field, told in asking().items():
        if field in GROUPS:
            continue
        weight = max((len(word) + _emphasis(plain, word) for word in told if word in plain), default=0)
        if weight > best[0]:
            best = (weight, field)
    return best[1]


def names_something(question: str) -> bool:
    """Whether the question names a matter at all; 那要带什么材料 does not."""
    return any(len(word) > 1 for word in words(strip(question)))


def strip(question: str) -> str:
    """The question without the words that ask for a field and those that say nothing."""
    plain = fold(question)
    for word in _saying_nothing():
        plain = plain.replace(word, " ")
    return plain


@lru_cache(maxsize=1)
def _saying_nothing() -> list[str]:
    """The words of all fields and the empty ones, longest first."""
    told = [word for group, many in asking().items() if group not in GROUPS or group == "empty" for word in many]
    return sorted(told, key=len, reverse=True)


def holds(question: str, group: str) -> bool:
    """Whether the question holds one of a group's words (asking.yml)."""
    plain = re.sub(r"\s+", "", fold(question))
    return any(word in plain for word in asking()[group])


def belongs_elsewhere(question: str, preset: str) -> str | None:
    """The word of elsewhere.yml that the question holds, the longest of them; None where it holds none."""
    plain = fold(question)
    return max((word for word in _elsewhere()[preset] if word in plain), key=len, default=None)


def foreign_words(preset: str) -> list[str]:
    """The words of elsewhere.yml for this preset."""
    return _elsewhere()[preset]


@lru_cache(maxsize=1)
def _elsewhere() -> dict[str, list[str]]:
    table: dict[str, list[str]] = yaml.safe_load((HERE / "elsewhere.yml").read_text("utf-8"))
    return {preset: [fold(str(word)) for word in told] for preset, told in table.items()}


@lru_cache(maxsize=1)
def asking() -> dict[str, list[str]]:
    """asking.yml, folded."""
    table: dict[str, list[str]] = yaml.safe_load((HERE / "asking.yml").read_text("utf-8"))
    return {field: [fold(str(word)) for word in told] for field, told in table.items()}


def _emphasis(plain: str, word: str) -> float:
    """What stands later in a question is rather what is asked: 我在外地，要多少钱."""
    return plain.rfind(word) / (len(plain) + 1)
