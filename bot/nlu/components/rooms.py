"""Rooms told by their bare numbers: 门牌是602, 隔壁803, 不是201 是2010."""
from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]

_DOOR_NUMBER = re.compile(r"(?:门牌号?|房间?号|室号|病房号?|床号)(?:是|为|:|应该是|写错了,?应?该?是|改成)?\s?(?P<it>[a-z]?\d{2,4})(?![\d元块])")
_ROOM_TOLD = re.compile(
    r"(?:我们?是\s?(?!20[01]\d)|(?:我家是?|我住|住在?|家在|租在)\s?|(?<=[\u4e00-\u9fff!])[,。!?\s](?=\d{3,4}[!。,]*$)(?!1(?:10|19|20|22|14)(?!\d)))(?P<it>[1-3]?\d(?:0[1-9]|1\d))(?=的|[,。!?\s]|$|家|漏|没|停|这|业主)")
_ROOM_NUMBER = r"(?!1(?:10|19)(?!\d))[1-3]?\d(?:0[1-9]|1\d)"
_NEIGHBOUR = re.compile(rf"(?:^(?={_ROOM_NUMBER}(?:的[水人租业门住]|家|业主|租|漏|停|没|老))|隔壁|楼上|楼下|对门|对面|跟|和|同|不止我家|我家是?)\s?(?P<it>{_ROOM_NUMBER})(?!\d|天(?!天)|[元块米人次分斤平度号户])")
_CORRECTED = re.compile(rf"(?P<it>{_ROOM_NUMBER})\s?(?:[,，]?\s?(?:是|应该是)|改成|改为|不是)\s?(?P<other>{_ROOM_NUMBER})(?!\d|[元块米人次天分斤平度号])")
"""不是201 是2010, 601改成1601."""
_DOOR_SPOKEN_OF = re.compile(r"门牌|房号|房间号|室号|哪[几]?户|[一二三四五六七八九两几\d]户")
_ANY_ROOM = re.compile(rf"(?<![\d\-.年月a-z])(?P<it>{_ROOM_NUMBER})(?![\d\-.]|\s?[元块米人次天分斤平度号年月栋幢座户])")
_NUMBERS_ELSE = re.compile(r"号码|电话|位|证|分机|欠|收|费|金额|价|尾号|编号|工单|单号|验证码|密码|密|[分元块]")


_ROOM_AFTER_ALL = re.compile(rf"(?:(?:打|写|说|报|记|填|搞|弄)错了?|不对|看准了|看清了|其实|应该)[,，\s]{{0,2}}(?:应该)?是\s?(?P<it>{_ROOM_NUMBER})(?=[,，。!\s的]|$|家|那)")
"""打错了 是1302."""


def find_rooms(plain: str) -> Iterator[Span]:
    """Numbers that are rooms by what stands beside them, or because doors are spoken of."""
    for pattern in (_NEIGHBOUR, _DOOR_NUMBER, _ROOM_AFTER_ALL):
        yield from (match.span("it") for match in pattern.finditer(plain))
    yield from (match.span(name) for match in _CORRECTED.finditer(plain) for name in ("it", "other"))
    yield from (match.span("it") for match in _ROOM_TOLD.finditer(plain) if not _counts_else(plain, match.start(), 12))
    if _DOOR_SPOKEN_OF.search(plain):
        yield from (match.span("it") for match in _ANY_ROOM.finditer(plain) if not _counts_else(plain, match.start(), 6))


def _counts_else(plain: str, at: int, within: int) -> bool:
    return bool(_NUMBERS_ELSE.search(plain, max(at - within, 0), at))
