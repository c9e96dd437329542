"""The forms of phone numbers, ticket numbers, scores and counters in Chinese text."""
from __future__ import annotations

import re

_SPOKEN = "零一二三四五六七八九幺〇"

EXACT: list[tuple[str, re.Pattern[str]]] = [
    ("phone", re.compile(r"(?P<it><phone_\d+>)")),
    ("id_number", re.compile(r"(?P<it><id_\d+>|(?<!\d)\d{17}[\dx](?![\da-z]))")),
    ("ticket_number", re.compile(r"(?P<it>hy\s?\d{8}\s?-?\s?\d{5,})")),
    ("ticket_number", re.compile(r"(?:工单号?码?|单号|编号|流水号|受理号)[是为:：\s]{0,3}(?P<it>\d{5,}(?:-\d{3,})?)")),
    ("phone", re.compile(
        r"(?<![\d-])(?P<it>(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}|0\d{2,3}[-\s]?\d{7,8}|[48]00-?\d{3}-?\d{4})(?!\d)")),
    ("phone", re.compile(rf"(?P<it>[一幺][{_SPOKEN}]{{10}})(?![{_SPOKEN}])")),
]
"""Read on folded text; the group `it` is the entity."""

BROAD: list[tuple[str, re.Pattern[str]]] = [
    ("score", re.compile(r"(?P<it>(?:非常|很|特别|十分|挺|比较|相当)?(?:不太|不)?满意)")),
    ("score", re.compile(r"(?P<it>(?<![\d.扣差])(?:10|[0-9]|[一二三四五十]|满|零)(?:分|颗星|星)(?!钱|钟|之|类|级|开|局|院|店))")),
    ("department", re.compile(
        r"(?P<it>(?:[a-z]|\d{1,3}|[一二三四五六七八九十]{1,3})号?窗口)")),
]
