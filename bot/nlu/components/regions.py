"""Provinces, cities and counties by themselves: 户口在江西, 从湖北回来. The list stands in places.yml."""
from __future__ import annotations

import re
from collections.abc import Iterator

from nlu.components import old_names
from nlu.components.words import Words

Span = tuple[int, int]

REGIONS = frozenset(old_names.LISTS["regions"].split())
_NOT_REGION = re.compile("|".join(old_names.LISTS["not_regions"].split()))
_AT_REGION = re.compile(r"(?:[在从到去回往]|老家是?|户口是?|籍贯是?|来自|住在?|我是|[妇婆爸妈公人]是|证是)$")
_NO_REGIONS = frozenset("城市 太阳 治安 乡下 城里 老家 外地 外省 农村 国内 国外 中国 全国 平原 大桥 城乡 海外 境外 郊区 市区 镇上 街上 河边 湖边 江边".split())
_NO_REGION = re.compile(r"^[上下中][^海]|[门楼坡班考水跑庆边旁]$")


def find_regions(plain: str, words: Words) -> Iterator[Span]:
    """A province or a city by itself (户口在江西), and any other that is said to be where somebody is or comes from."""
    last = 0
    for word in words.all:
        listed, place = word.text in REGIONS, word.tag == "ns"
        if not (listed or place) or len(word.text) < 2 or word.text in _NO_REGIONS or (word.text in old_names.COMMON and plain[word.end:word.end + 1] in tuple("里上下中")) or _NOT_REGION.match(plain, word.end):
            continue
        there = bool(_AT_REGION.search(plain[max(word.start - 3, 0):word.start])) and (listed or not _NO_REGION.search(word.text))
        if there or (listed and word.tag[:2] in ("ns", "nr", "nz")) or (place and last == word.start > 0):
            last = word.end
            yield word.start, last
