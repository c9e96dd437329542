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
_NO_REGIONS = frozenset("城市 太阳 治安 乡下 城里 老家 外地 外省 农村 国内 国外 中国 全国 平原 大桥 城乡 海外 境外 郊区 市区 镇上 街上 河边 湖边 江边 "
    "加拿大 新加坡 美国 日本 韩国 朝鲜 英国 法国 德国 意大利 西班牙 葡萄牙 荷兰 瑞士 瑞典 挪威 俄罗斯 乌克兰 澳大利亚 澳洲 新西兰 印度 泰国 越南 缅甸 老挝 马来西亚 印尼 菲律宾 迪拜 非洲 欧洲 美洲 亚洲".split())
"""Countries abroad are where somebody is, and no address."""
_NO_REGION = re.compile(r"^[上下中][^海]|[门楼坡班考水跑庆边旁]$")


def find_regions(plain: str, words: Words) -> Iterator[Span]:
    """A province or a city by itself (户口在江西), and any other that is said to be where somebody is or comes from."""
    last = 0
    for word in words.all:
        listed, place = word.text in REGIONS, word.tag == "ns"
        if word.text[0] in "贵本我" and not listed:
            continue  # 前往贵科.
        if not (listed or place) or len(word.text) < 2 or word.text in _NO_REGIONS or (word.text in old_names.COMMON and plain[word.end:word.end + 1] in tuple("里上下中")) or _NOT_REGION.match(plain, word.end):
            continue
        there = bool(_AT_REGION.search(plain[max(word.start - 3, 0):word.start])) and (listed or not _NO_REGION.search(word.text))
        if there or (listed and word.tag[:2] in ("ns", "nr", "nz")) or (place and last == word.start > 0):
            last = word.end
            yield word.start, last
