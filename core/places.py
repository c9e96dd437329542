"""Where something is, out of how people write it: 3栋, 三号楼, 3# and 3号楼东门 name one building.

`read` gives the parts that were named, each in one form; `compare` says whether two texts can mean the same place.
Nothing is looked up: an office's own list of addresses is not needed, and a place without any known form is `unknown`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from core.segment import fold, segment

_DIGITS = {character: number for number, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NUMERAL = r"(?:\d{1,4}|[零〇一二两三四五六七八九十百]{1,6})"
_BUILDING = re.compile(rf"(?<![\d\-])({_NUMERAL}|[a-z])\s*(?:号\s*楼|号\s*[栋幢座]|#\s*[楼栋幢]?|[栋幢座])")
_BUILDING_FIRST = re.compile(rf"(?:[栋幢]号|楼号|楼栋)[:：]?\s*({_NUMERAL})")
_WHOLE = re.compile(r"(?<![\d\-])(\d{1,3})-(?:(\d{1,2})-)?(\d{3,4})(?![\d\-])")
_UNIT = re.compile(rf"({_NUMERAL})\s*(?:号?单元|号?门洞|梯口)")
_ROOM = re.compile(r"(?<![\d\-])(\d{3,4})\s*(?:室|房(?!地|产|价|子)|号房|户)")
_FLOOR = re.compile(rf"(?<!负)(?<!地下)(?<!号)({_NUMERAL})\s*(?:层|楼(?!栋)|f(?![a-z]))")
_CELLAR = re.compile(r"(?:负|地下|-|b)\s*([1-5一二三四五])\s*(?:层|楼)?(?![\d-])")
_GATE = re.compile(rf"([东南西北]{{1,2}}|正|大|{_NUMERAL}号)(?:大|侧|小)?门(?!子|店|面|诊|卡|锁|槛|牌|洞)")
_PHASE = re.compile(rf"({_NUMERAL})\s*期(?!间|限|末|望|待|初|房?款)")
_LIFT = re.compile(rf"({_NUMERAL})\s*(?:号|#)?\s*(?:电梯|梯)(?!口)")
_WINDOW = re.compile(rf"({_NUMERAL})\s*号\s*(?:窗口|窗|柜台|诊室)")
_LINE = re.compile(r"(?<!\d)(\d{1,4})\s*路(?!口|上|段|面|边)")
_NUMBER = re.compile(rf"((?:[\u4e00-\u9fff]{{1,3}})(?:路|街|巷|弄|大道))\s*({_NUMERAL})\s*号(?!\s*[楼栋幢座线电窗])")

_SPOTS = {
    "车库": ("车库", "地库", "地下停车", "负一楼停车", "负1楼停车"),
    "停车场": ("停车场", "停车坪", "露天停车"),
    "电梯": ("电梯", "升降机"), "大堂": ("大堂", "门厅", "单元门口", "单元门", "楼道口"),
    "楼道": ("楼道", "楼梯间", "走廊", "过道", "消防通道"), "天台": ("天台", "楼顶", "屋顶", "顶楼"),
    "游乐场": ("游乐场", "儿童乐园", "滑梯", "健身区", "健身器材"), "垃圾站": ("垃圾站", "垃圾房", "垃圾桶", "垃圾屋"),
    "水池": ("喷泉", "水池", "景观池", "池塘"), "岗亭": ("岗亭", "门岗", "保安亭"),
    "泵房": ("泵房", "水泵房"), "配电房": ("配电房", "配电间", "配电室"),
    "门诊": ("门诊大厅", "门诊楼", "门诊部"), "急诊": ("急诊科", "急诊室", "急诊"), "药房": ("药房", "取药处"),
}
"""A spot by the words people use for it."""

_KINDS = ("小区", "社区", "花园", "家园", "公寓", "公馆", "花苑", "新村", "大厦", "广场", "商城", "新城", "华庭", "名苑",
          "山庄", "别墅", "府邸", "学校", "小学", "中学", "幼儿园", "医院", "公园", "市场", "超市", "商场", "工业园", "地铁站",
          "车站", "学院", "大学", "公司", "集团", "银行", "酒店", "系统", "平台", "工地", "厂", "苑", "园", "庭", "府", "湾", "城", "里", "轩", "居", "村", "镇", "街道", "大道", "路", "街", "巷", "桥", "站")
"""What the name of a place ends with, the longer first. A company and an on-line service are places where things happen."""
_LONGER_KINDS = tuple(kind for kind in _KINDS if len(kind) > 1)
_GENERIC = frozenset(("小区", "社区", "花园", "家园", "公寓", "新村", "系统", "平台"))
"""Endings that people leave out or exchange: 云溪花园 is 云溪小区 too."""
_EMPTY = frozenset(
    "的 了 在 于 位于 是 我 我们 我家 本 该 此 这 那 这个 那个 贵 各 某 每 全 整个 住 住在 到 去 至 从 往 和 与 及 或 被 把 将 对 向 "
    "有 没有 因 由 请 请问 关于 反映 投诉 举报 咨询 建议 要求 希望 附近 旁边 旁 对面 里面 门口 外面 周边 一个 几个 业主 居民 市民 "
    "小区 社区 街道 回 出 进 进出 上 下 我市 本市 领导 尊敬 你们 您 你 他 她 他们 大家 现在 目前 今天 昨天 整 都 也 就 还 又 不 同一 "
    "区 县 市 省 家 夜 电梯 空气 房 屋 车 手 心 水 店 校 班 一 管 在建 这里 那里 哪里 家里 夜里 城里 村里 到站 通往 通向 经过 路过 途经 隔壁 老 新 大 小 内 外 前 后 中 左 右 东 南 西 北".split()
)
_NAME_LENGTH = 6
_HAN = re.compile(r"[\u4e00-\u9fff]+\Z")


class Agreement(StrEnum):
    """How far two places agree."""

    SAME = "same"
    """What both name is the same, and it is as near as a building, a gate, a spot or a named place."""
    UNKNOWN = "unknown"
    """They name nothing that could be compared."""
    APART = "apart"
    """They name the same kind of thing, and it is not the same one."""


@dataclass(frozen=True, slots=True)
class Place:
    """What was named, each part in one form; empty where it was not."""

    names: frozenset[str] = frozenset()
    """Named places: estates, roads, schools, without an exchangeable ending such as 小区."""
    phase: frozenset[str] = frozenset()
    building: frozenset[str] = frozenset()
    unit: frozenset[str] = frozenset()
    floor: frozenset[str] = frozenset()
    room: frozenset[str] = frozenset()
    gate: frozenset[str] = frozenset()
    window: frozenset[str] = frozenset()
    spot: frozenset[str] = frozenset()

    def keys(self) -> frozenset[str]:
        """One string for each part by which it can be found again: `号楼:3`, `门:东`, `云溪`."""
        return frozenset(
            value if name == "names" else f"{name}:{value}" for name in _FOUND_BY for value in getattr(self, name)
        )

    def label(self) -> str:
        """As staff read it: 云溪 3号楼 东门."""
        longest = {name for name in self.names if not any(name != other and name in other for other in self.names)}
        parts = [_said(name, sorted(longest if name == "names" else getattr(self, name))) for name in _SHOWN]
        return " ".join(part for part in parts if part)

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


_FOUND_BY = ("names", "building", "gate", "window", "spot")
_SHOWN = ("names", "phase", "building", "unit", "gate", "window", "spot")
_ENDINGS = {"phase": "期", "building": "号楼", "unit": "单元", "gate": "门", "window": "号窗口"}


def _said(name: str, values: list[str]) -> str:
    return "、".join(value + _ENDINGS.get(name, "") for value in values)


def read(*texts: str | None) -> Place:
    """The place that these texts name together; what was said of it in several ways counts once."""
    plain = fold("\n".join(text for text in texts if text))
    whole = [found.groups() for found in _WHOLE.finditer(plain)]
    numbers = {
        "phase": _all(_PHASE, plain),
        "building": _all(_BUILDING, plain) | _all(_BUILDING_FIRST, plain) | {number_of(each[0]) for each in whole},
        "unit": _all(_UNIT, plain) | {number_of(each[1]) for each in whole if each[1]},
        "room": _all(_ROOM, plain) | {number_of(each[2]) for each in whole},
        "floor": _all(_FLOOR, plain) | {f"-{each}" for each in _all(_CELLAR, plain)},
        "gate": {each.replace("正", "大") for each in _all(_GATE, plain)},
        "window": _all(_WINDOW, plain),
    }
    return Place(names=frozenset(_names(plain)), spot=frozenset(_spots(plain)),
                 **{name: frozenset(values) for name, values in numbers.items()})


_NUMBERED = (_WHOLE, _BUILDING_FIRST, _BUILDING, _UNIT, _ROOM, _GATE, _PHASE, _LIFT, _WINDOW, _FLOOR)


def without_numbers(text: str) -> str:
    """The folded text without building, unit, room, gate and floor: what is left says what happened there."""
    plain = fold(text)
    for pattern in _NUMBERED:
        plain = pattern.sub(" ", plain)
    return plain


def _all(pattern: re.Pattern[str], text: str) -> set[str]:
    return {number_of(found[1]) for found in pattern.finditer(text)}


def number_of(text: str) -> str:
    """12 for 十二, 012 and 12; letters and directions as they are."""
    text = text.removesuffix("号")
    if text.isascii() and text.isdecimal():
        return str(int(text))
    if not text or any(character not in _DIGITS and character not in "十百" for character in text):
        return text
    if "十" not in text and "百" not in text:
        return str(int("".join(str(_DIGITS[character]) for character in text)))
    hundreds, _, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    return str((_DIGITS.get(hundreds, 1) * 100 if "百" in text else 0)
               + (_DIGITS.get(tens.removeprefix("零"), 1) * 10 if ten else 0) + _DIGITS.get(ones.removeprefix("零"), 0))


def _spots(plain: str) -> Iterable[str]:
    found = [name for name, words in _SPOTS.items() if any(word in plain for word in words)]
    lifts = [f"{number}号电梯" for number in _all(_LIFT, plain)]
    return [name for name in found if name != "电梯" or not lifts] + lifts


def _names(plain: str) -> Iterable[str]:
    """Names before an ending such as 花园 or 路, each as far back as the words go without one that says nothing.

    Shorter ones are given too: 管一管青枫路 and 青枫路 are found by what they have in common.
    """
    parts = segment(plain)
    for at, part in enumerate(parts):
        if not part.endswith(_KINDS) or not _HAN.match(part):
            continue
        kind = next(each for each in _KINDS if part.endswith(each))
        name = part
        for before in reversed(parts[:at]):
            if before in _EMPTY or not _HAN.match(before) or len(before) + len(name) > _NAME_LENGTH:
                break
            if before.endswith(_KINDS if len(before) > 2 else _LONGER_KINDS):
                break
            name = before + name
            if (stem := _stem(name, kind)):
                yield stem
        if (stem := _stem(part, kind)):
            yield stem
    for line in _LINE.findall(plain):
        yield f"{line}路"
    for road, number in _NUMBER.findall(plain):
        yield f"{road}{number_of(number)}号"


def common(read_places: Sequence[Place]) -> Place:
    """What at least half of these places name."""
    def named(name: str) -> frozenset[str]:
        counts = Counter(value for place in read_places for value in getattr(place, name))
        return frozenset(value for value, count in counts.items() if 2 * count >= len(read_places))

    return Place(**{field.name: named(field.name) for field in fields(Place)})


def _stem(name: str, kind: str) -> str:
    """The name without an exchangeable ending; empty where nothing is left that tells one place from another."""
    stem = name[: -len(kind)] if kind in _GENERIC else name
    shortest = 2 if kind in _GENERIC else 3
    return stem if len(stem) >= shortest and stem not in _EMPTY and stem not in _KINDS else ""


_DECIDES = ("building", "gate", "window", "phase", "unit")
"""Where two that both name one and share none are apart, the more telling first."""

_LONG_PLACES = ("路", "街", "大道", "巷", "桥", "站", "镇", "街道", "号")


def compare(one: Place, other: Place) -> Agreement:
    """Whether both can mean one place. A name in common outweighs what only one of them adds to it."""
    for name in _DECIDES:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and not mine & theirs:
            return Agreement.APART
    if one.names and other.names and not _share_name(one.names, other.names):
        return Agreement.APART if _is_one_estate(one.names) and _is_one_estate(other.names) else Agreement.UNKNOWN
    if one.building & other.building or one.gate & other.gate or one.window & other.window or one.spot & other.spot:
        return Agreement.SAME
    return Agreement.SAME if _share_name(one.names, other.names) else Agreement.UNKNOWN


def _is_one_estate(names: frozenset[str]) -> bool:
    """Whether one place is named. Roads lie beside estates, and who tells a long story names his neighbours too."""
    longest = max(names, key=len)
    return all(name in longest for name in names) and not longest.endswith(_LONG_PLACES)


def _share_name(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Whether one name stands in the other: 云溪 and 溪云府云溪 are written by different people of one place."""
    return any(a in b or b in a for a in mine for b in theirs)
