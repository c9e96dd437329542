"""Who does not want to be known, by the assistant's own words for it (`bot/actions/secrecy.yml`): chat and calls are read alike."""

import re
from functools import lru_cache
from typing import Any

import yaml

from service.bot import BOT


def wants_confidence(words: str) -> bool:
    """By what he says last of it: 请保密 … 算了，不用保密了."""
    forms, words = _forms(), _plain(words)
    taken_back = [found.span() for found in forms["taken_back"].finditer(words)]
    wishes = [found.start() for found in forms["confidential"].finditer(words)
              if not any(begin <= found.start() < end for begin, end in taken_back)]
    return bool(wishes) and (not taken_back or wishes[-1] > taken_back[-1][0])


def stays_unnamed(words: str) -> bool:
    """匿名, 不想留名字."""
    words = _plain(words)
    return bool(_forms()["anonymous"].search(words)) and not _forms()["named_after_all"].search(words)


def _plain(words: str) -> str:
    """别说是俺说嘞 as 别说是我说的, each word where it was."""
    dialect: dict[str, str] = _read()["dialect"]
    return re.sub("|".join(sorted(dialect, key=len, reverse=True)), lambda said: dialect[said[0]], words)


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((BOT / "actions" / "secrecy.yml").read_text("utf-8"))
    return found


@lru_cache(maxsize=1)
def _forms() -> dict[str, re.Pattern[str]]:
    return {name: re.compile("".join(form.split())) for name, form in _read().items() if name != "dialect"}
