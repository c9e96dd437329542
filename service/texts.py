"""The sentences of texts.yml."""

from functools import cache
from pathlib import Path

import yaml


@cache
def _sentences() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text("utf-8"))
    return loaded


def say(sentence: str, /, **values: object) -> str:
    """The sentence of this name, filled in. KeyError when there is none, or a value is missing."""
    return _sentences()[sentence].format(**values).strip()
