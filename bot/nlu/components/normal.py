"""One normal form of Chinese text, of the same length as the text, so that offsets stay true."""
from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

_TOKEN = re.compile(r"<([A-Z]+)_\d+>")


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """Traditional → simplified, one character each, for the characters residents really write."""
    pairs = (Path(__file__).parent / "traditional.txt").read_text(encoding="utf-8").split()
    return {ord(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def fold(text: str) -> str:
    """Full-width to half-width, traditional to simplified, lower case: every character stays one character."""
    folded = []
    for character in text:
        plain = unicodedata.normalize("NFKC", character)
        plain = plain if len(plain) == 1 else character
        lower = plain.lower()
        folded.append(lower if len(lower) == 1 else plain)
    return "".join(folded).translate(_simplified())


def read_for_intent(text: str) -> str:
    """The text as the intent classifier sees it: folded, personal tokens and numbers made alike, tidy spaces."""
    plain = _TOKEN.sub(lambda match: {"PHONE": "电", "ID": "证", "CARD": "卡", "EMAIL": "邮"}.get(
        match[1], "码") + "号码", text)
    plain = fold(plain)
    plain = re.sub(r"hy\d{8}-?\d+", "工单号", plain)
    plain = re.sub(r"\d+", "0", plain)
    plain = re.sub(r"(.)\1{2,}", r"\1\1", plain)
    return re.sub(r"\s+", " ", plain).strip()
