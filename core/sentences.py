"""The sentences of a file, each said by its name."""

from functools import cache
from pathlib import Path
from typing import Protocol

import yaml


class Say(Protocol):
    """How a room speaks."""

    def __call__(self, sentence: str, /, **values: object) -> str:
        """The sentence of this name, filled in. KeyError when there is none, or a value is missing."""


def speak_from(path: Path) -> Say:
    """Says the sentences of this file; it is read when the first of them is said."""

    @cache
    def read() -> dict[str, str]:
        loaded: dict[str, str] = yaml.safe_load(path.read_text("utf-8"))
        return loaded

    def say(sentence: str, /, **values: object) -> str:
        return read()[sentence].format(**values).strip()

    return say
