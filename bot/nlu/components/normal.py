"""One normal form of Chinese text, of the same length as the text, so that offsets stay true."""
from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

_TOKEN = re.compile(r"<([A-Z]+)_\d+>")
_NAMED = {"PHONE": "电话号码", "ID": "身份证号码", "CARD": "银行卡号码", "EMAIL": "邮箱地址"}
_SPOKEN = "零一二三四五六七八九幺〇"
_WRITTEN_OUT = (
    (re.compile(r"(?<!\d)\d{17}[\dx]"), "身份证号码"),
    (re.compile(r"(?<!\d)(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?!\d)"), "电话号码"),
    (re.compile(r"(?<![\d-])0\d{2,3}-?\d{7,8}(?!\d)"), "电话号码"),
    (re.compile(rf"[一幺][{_SPOKEN}]{{10}}"), "电话号码"),
)
"""Numbers that arrive without having been made tokens say the same as tokens."""
_CONTACT = re.compile(r"[,。 ]*(?:请|可)?(?:打|拨打)?(?:我的?|本人)?(?:的)?(?:联系)?(?:电话|手机号?码?|方式|打|联系)?[是为: ]*(?:电话号码|邮箱地址)")
_GREETING = re.compile(
    r"^(?:(?:喂+|[你您妳]好[啊呀哇]?|[你您]们好|哈[喽啰罗]|嗨|hi|hello|[早中晚下上]{1,2}午?好|在吗|亲)[,，。.!！~～、:： ]*){1,2}(?=[^,，。.!！~～、:： ?？].{5,})")
"""Who greets first and then says what he wants does not want to greet."""
LEAST_MATTER = 8
"""So many characters beside a phone number are a matter of their own; the number then says nothing about what is wanted."""


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    """One character each: traditional → simplified, and words of the dialects that are written with one (佢 → 他, 俺 → 我)."""
    pairs = (Path(__file__).parent / "traditional.txt").read_text(encoding="utf-8").split()
    return {ord(pair[0]): pair[1] for pair in pairs if len(pair) == 2}


def fold(text: str) -> str:
    """Full-width to half-width, traditional to simplified, lower case: every character stays one character."""
    return "".join(map(_fold_character, text))


@lru_cache(maxsize=8192)
def _fold_character(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    plain = plain if len(plain) == 1 else character
    lower = plain.lower()
    return (lower if len(lower) == 1 else plain).translate(_simplified())


def read_for_intent(text: str) -> str:
    """The text as the intent classifier sees it: folded, personal tokens and numbers made alike, tidy spaces, no salutation."""
    plain = re.sub(r"hy\d{8}-?\d+", "工单号", read_for_vector(text))
    plain = re.sub(r"\d+", "0", plain)
    plain = re.sub(r"(.)\1{2,}", r"\1\1", plain)
    return _GREETING.sub("", re.sub(r"\s+", " ", plain).strip())


def read_for_vector(text: str) -> str:
    """The text as the sentence vectors see it: folded, with personal data named instead of written out."""
    plain = _TOKEN.sub(lambda match: _NAMED.get(match[1], "号码"), text)
    plain = fold(plain)
    for pattern, name in _WRITTEN_OUT:
        plain = pattern.sub(name, plain)
    rest = _CONTACT.sub("", plain)
    return rest if len(rest.strip(" ,.。!")) >= LEAST_MATTER else plain
