"""What is written wrong on its face: telephone numbers, links, dates and times that cannot be."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

from knowledge_base.guide import Guide

PAGES = re.compile(r"/(?:|guides|progress|appointments|statistics)(?:[?#].*)?|/(?:static|forms)/.+|/guides/.+")
"""Addresses of our own that a guide may lead to."""
NOWHERE = ("localhost", "example.com", "example.org", "example.net", ".example", ".invalid", ".test", ".local")

_LINK = re.compile(r"\[[^\]]*\]\(\s*([^)\s]*)[^)]*\)")
_BARE = re.compile(r"(?<![(\w/])(?:https?|htp|http|htps|ftp):?/{1,2}[^\s）)，。；、》]*", re.I)
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}|(?:\d{1,3}\.){3}\d{1,3}", re.I)
_NUMBERS = re.compile(r"(?<![\d:：.第])\d[\d\-—–‐ ]*\d(?![\d:：])")
_PHONE = re.compile(
    r"0\d{2,3}[-—–‐ ]?[2-9]\d{2,3}[-—–‐ ]?\d{4}|[2-9]\d{2,3}[- ]?\d{4}|(?:86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
    r"|[48]00[- ]?\d{3,4}[- ]?\d{3,4}|1\d{2}|1[02]\d{3}|9[56]\d{3,6}"
)
_SMALL = re.compile(r"\d{1,2}")
_NOT_A_NUMBER = re.compile(r"^\s*(?:小时|分钟|时|点|号|楼|层|日|天|个|元|年|月|室|栋|幢|次)|^\s*[–—-]\s*\d{1,2}[:：]")
_DATES = (
    re.compile(r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]"),
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d{2})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<![年\d])(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]"),
)
_TIME = re.compile(r"(?<![\d:：])(\d{1,2})[:：](\d{2})(?![\d:：])")
_SPAN = re.compile(r"(?<![\d:：])(\d{1,2})[:：](\d{2})\s*[–—\-~～至到]\s*(\d{1,2})[:：](\d{2})(?![\d:：])")


def find_malformed(guide: Guide) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of everything in the guide that cannot be as it is written."""
    for name in ("phone", "supervision_phone"):
        yield from ((name, fault) for fault in _phones(guide.fields.get(name, "")))
    for name, text in parts(guide):
        yield from ((name, fault) for find in (_links, _dates, _times) for fault in find(text))


def parts(guide: Guide) -> Iterator[tuple[str, str]]:
    """All texts of the guide with the field each stands in."""
    yield "overview", guide.overview
    yield from guide.fields.items()
    for each in guide.faq:
        yield "faq", f"{each.question}\n{each.answer}"


def _phones(text: str) -> Iterator[str]:
    text = unicodedata.normalize("NFKC", text)
    for found in _NUMBERS.finditer(text):
        written = found[0].strip()
        if text[: found.start()].rstrip().endswith(("转", "分机")):
            continue
        if _SMALL.fullmatch(written) or _NOT_A_NUMBER.match(text[found.end():]):
            continue
        if not _PHONE.fullmatch(written):
            yield f"电话号码“{written}”位数不对"


def _links(text: str) -> Iterator[str]:
    for link in [found[1] for found in _LINK.finditer(text)] + _BARE.findall(_LINK.sub(" ", text)):
        if not _leads_somewhere(link):
            yield f"链接“{link}”打不开，应当以 https:// 或 guide: 开头" if link else "有一个链接没有写地址"


def _leads_somewhere(link: str) -> bool:
    scheme = link.partition(":")[0].lower()
    if link.startswith("/"):
        return PAGES.fullmatch(link) is not None
    if scheme in ("guide", "tel", "mailto") or link.startswith("#"):
        return len(link) > len(scheme) + 1
    if scheme not in ("http", "https"):
        return False
    try:
        host = (urlsplit(link).hostname or "").lower()
    except ValueError:
        return False
    return _HOST.fullmatch(host) is not None and not host.endswith(NOWHERE)


def _dates(text: str) -> Iterator[str]:
    for pattern in _DATES:
        for found in pattern.finditer(text):
            year = int(found.groupdict().get("y") or 2024)
            try:
                date(year, int(found["m"]), int(found["d"]))
            except ValueError:
                yield f"没有“{found[0]}”这一天"


def _times(text: str) -> Iterator[str]:
    for found in _TIME.finditer(text):
        if int(found[1]) > 24 or int(found[2]) > 59:
            yield f"没有“{found[0]}”这个时间"
    for found in _SPAN.finditer(text):
        start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
        if start == end:
            yield f"“{found[0]}”开始和结束是同一时间"
