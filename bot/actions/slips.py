"""What was said wrongly and put right: 不是1幢，是11幢; 12栋……说错了，是11栋; 是67号不是76号. Pure functions."""
from __future__ import annotations

import re
from typing import Any

_NEW_VALUE = re.compile(r"不对|不是|错了|搞错|改成|改为|改一下|换成|更正|纠正|应该是|应为|是.{1,12}才对|打错|写错|说错")
_PUTS_RIGHT = re.compile(r"[说写打记搞弄听报讲填][错反]|更正|纠正|改成|改为|换成|应该是|应为|是(?:\d|[一二三四五六七八九十昨前今])[^，,。]{0,8}[，,\s]?不是|不是[^，,。]{1,10}[，,\s]*(?:而|应该|其实)?是(?:\d|[一二三四五六七八九十昨前今])")
_DENIED = re.compile(r"(?<!是)(?:不是|不在|并非|不叫|不住)(?:在|我们?家?)?$")
_SLIP = re.compile(
    r"(?:不对|[说写打记搞弄听报讲]错|(?<![没不])错)(?:了|啦|咯)?(?:一?点|个字|地址|时间|楼号|房号|门牌号?)?[，,。!！~…\s]*(?:不是[^，,。]{1,10}[，,\s]*)?(?:应该|其实|实际)?(?:上)?(?:是|在|为)?[，,\s]*$")
"""Right before a value: what was said before it was a slip."""
_VALUE = r"[^，。！？,.!?\s是不成改应把而]{1,16}"
_SWAPS = (
    re.compile(rf"不是(?P<wrong>{_VALUE})[，,\s]*(?:而是|应该是|其实是|是)(?P<right>{_VALUE})"),
    re.compile(rf"(?P<right>{_VALUE})[，,\s]?不是(?P<wrong>{_VALUE})"),
    re.compile(rf"(?:把)?(?P<right>{_VALUE})[说写打听记报登看]成了?(?P<wrong>{_VALUE})"),
    re.compile(rf"(?:把)?(?P<wrong>{_VALUE})(?:应该是|应该为|应为|改成|改为|换成|更正为)(?P<right>{_VALUE})"),
)
_UNIT = re.compile(r"(?:号楼|单元|[号栋幢座楼层室房期区床])$")
_NUMBER = re.compile(r"[\d一二三四五六七八九十两]")
_ENDS_BARE = re.compile(r"[\dA-Za-z一二三四五六七八九十两零甲乙丙丁东南西北]$")
_TRAILS = re.compile(r"[了啊哦的吧呀哈呢]+$")


def names_wrong_value(text: str) -> bool:
    """不对, 是…才对, 不是: where a value is asked about, something that was said before was wrong."""
    return bool(_NEW_VALUE.search(text))


def puts_right(text: str) -> bool:
    """说错了, 是67号不是76号: it corrects, whatever else it may be taken for."""
    return bool(_PUTS_RIGHT.search(text))


def meant_ones(text: str, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what was denied (不是周三, and the 周三晚上 before it) and without the times that a slip took back."""
    denied = [e for e in entities if _DENIED.search(text[:e["start"]])]
    kept = [e for e in entities if e not in denied]
    for wrong in denied:
        if any(e["entity"] == wrong["entity"] and e["start"] > wrong["start"] for e in kept):
            kept = [e for e in kept if e["entity"] != wrong["entity"] or e["start"] > wrong["start"] or wrong["value"] not in e["value"]]
    slip = next((e for e in kept if e["entity"] == "time" and _SLIP.search(text[:e["start"]])), None)
    return kept if slip is None else [e for e in kept if e["entity"] != "time" or e["start"] >= slip["start"]]


def slip_before_place(text: str, entities: list[dict[str, Any]]) -> int | None:
    """Where the right place begins in a message that first says a wrong one."""
    places = [e for e in entities if e["entity"] == "place"]
    return next((int(e["start"]) for e in places[1:] if _SLIP.search(text[:e["start"]])), None)


def put_right(old: str, text: str) -> str | None:
    """The value with the wrong part of it replaced: 是67号不是76号 of 和睦路76号; None where nothing of it is named as wrong."""
    for form in _SWAPS:
        for found in form.finditer(text):
            wrong, right = (_TRAILS.sub("", found[name]) for name in ("wrong", "right"))
            at = re.search(rf"(?<![\dA-Za-z]){re.escape(wrong)}(?![\d])", old) if wrong and right else None
            if at is None or wrong == right or (_NUMBER.search(wrong) and not _NUMBER.search(right)):
                continue  # 我刚又去看了，不是9楼: what stands before it is no value.
            if (unit := _UNIT.search(wrong)) and _ENDS_BARE.search(right):
                right += unit[0]
            elif not unit and (named := _UNIT.search(right)) and old.startswith(named[0], at.end()):
                right = right[:named.start()]
            return old[:at.start()] + right + old[at.end():]
    return None
