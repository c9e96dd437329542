"""Where it is: the parts of an address said over several turns, corrected, and put together in their order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.hearing.answers import correction_at, corrects, says_yes
from service.hearing.numbers import to_number
from service.hearing.people import Said
from service.hearing.voices import Heard

Parse = Mapping[str, Any]
"""What the assistant understood of a piece: `intent`, `entities` with their offsets in its plain text."""

LEVELS = ("name", "building", "unit", "floor", "room", "spot")
_PARTS = {
    "building": re.compile(r"(?:\d+|[A-Za-z甲乙丙丁东西南北])\s?(?:号楼|栋|幢|座|#楼|#)(?:楼)?"),
    "unit": re.compile(r"\d+\s?(?:单元|门洞)"),
    "floor": re.compile(r"(?:负|地下)?\d+\s?[楼层]"),
    "room": re.compile(r"\d{3,4}(?:室|房)?$|\d{1,4}\s?(?:室|号?房间?)|(?<=[单元楼栋])\d{3,4}"),
}
_NUMBERED = re.compile(r"\d+号(?:窗口|线|院|病房|诊室)?")
_HOME = re.compile(r"(?:我(?:家|是)?(?:就)?住|家住|我家(?:是|在)?|我是)(?:在|的)?[^，,。]{0,8}$")
_LIVES = re.compile(r"(?:那边|这边|那里|这里)?住(?!院|户|宅|着)")
"""Behind a place it is where he lives: 我在3栋住."""
_REFUSED = re.compile(r"不(?:是|在)[^，,。是]{0,2}$")
_ASKS_PLACE = re.compile(r"哪(?:个|里|儿|栋|一栋|一?层|边|条|家|号)?|几(?:栋|号|单元|楼|层|号楼)|位置|地址|地点|具体在|什么(?:地方|位置|小区|路)|房号|门牌|小区名|几[零〇]几|多少[号室]")
_ROOM_ANSWER = re.compile(r"^(?:我家?是?|就是|是|在|对|[，,\s])*(\d{3,4})(?:室|房)?(?:$|[，,。\s吧啊的])")
_BEFORE = re.compile(
    r"(?:(?:(?<=[，,。\s在住是])|^)[^，,。\s在住是我你他们的这那个]{2,4}小区|小区|院子|医院|大厅|门诊楼?|住院[部楼]|急诊楼?|[内外儿骨眼产]科(?:门诊)?|妇产?科|地下|负)的?$"
)
_ASKS_NUMBER = re.compile(r"(?:几|哪一?)(?P<what>号窗口|号楼|号院|号线|号诊室|号电梯|栋|幢|座|单元|楼|层)")
_NUMBER = re.compile(r"(?:^|(?<=[，,。\s是在]))(\d{1,3})号?(?:$|[，,。\s吧啊呀的])")
_BEHIND = re.compile(
    r"(?:(?<=门)口)|(?:(?<=号)楼(?:[前后下]面?)?|(?<=楼下)面|(?<=大厅)的?\d+号窗口)(?:的?(?:地下车库|地下停车场|停车场))?|的?(?:大厅|\d+床|门口|楼下|楼顶|楼道里?|电梯口|路口|交叉口|大门口?|单元门|消防通道|地下车库|缴费处|取药处|[东南西北]门口?|前面|后面|旁边|对面)+"
)
_VILLAGE = re.compile(
    r"(?:我们?|俺们?|咱们?|^|[，,。\s在住])(?:是|在|家?住)?(?:在|的)?(?P<it>[^，,。\s在住是我你的这那个有]{1,8}?(?:村|镇|乡|屯|街道|社区))(?!里?的?(?:人|干部|领导|工作))"
)
_VAGUE = re.compile(r"大?门口?|楼下|附近|旁边")
"""Which one is asked next, and the answer takes its place."""
_ENDS_IN_SPOT = re.compile(r"(?:门|口|楼道|车库|停车场|大厅|窗口|缴费处|取药处|车棚|楼下)$")
_SITE = re.compile(r"(?:在|[，,。\s]|^)(?P<it>[^，,。\s我你在是]{2,10}?(?:工地|厂区|市场|大街|路))(?=那边|附近|旁边|里|上|干|打工|，|有|口|边)")
_NO_SPOT = re.compile(r"^(?:物业|居委会|社区|热线|客服|派出所|公安局?|医院|大厅|政务服务中心|服务中心)")
_NEVER = re.compile(r"^(?:12345|12320|物业|小区|医院|大厅|窗口|楼道|热线)$")


_INSIDE = "(?:地下)?(?:车库|停车场)|楼道|楼梯间|消防通道|单元门|电梯[口间]?|楼顶|健身区|花坛|绿化带|车棚"
"""What is named behind an estate, and whose building may be told later."""


@dataclass
class Spot:
    """An address in the making: its parts by level, and which pieces gave them."""

    parts: dict[str, str] = field(default_factory=dict)
    given: dict[str, Said] = field(default_factory=dict)
    home: bool = False

    @property
    def value(self) -> str:
        written = "".join(self.parts.get(level, "") for level in LEVELS[:-1])
        spot = self.parts.get("spot", "")
        return written + (spot.removeprefix("单元") if written.endswith("单元") else spot)

    def agrees(self, parts: Mapping[str, str]) -> bool:
        """Whether these parts can be of the same address."""
        return all(level == "spot" or self.parts.get(level, part) in part or part in self.parts.get(level, part)
                   for level, part in parts.items())

    def take(self, parts: Mapping[str, str], said: Said, *, over: bool) -> None:
        """Fill in what was open; `over`: the caller corrects himself."""
        for level, part in parts.items():
            known = self.parts.get(level)
            if level == "spot" and len(parts) == 1 and _ENDS_IN_SPOT.search(self.value) and not _VAGUE.fullmatch(known or ""):
                continue
            if known is None or over or (level == "spot" and _VAGUE.fullmatch(known)) or (level != "spot" and known in part and known != part):
                self.parts[level], self.given[level] = part, said
            elif level == "spot" and part not in self.value and len(parts) > 1:
                self.parts[level], self.given[level] = known + part if len(known + part) < 30 else known, said


def split_place(place: str) -> dict[str, str]:
    """春晖苑6栋2单元301门口 → name, building, unit, room, spot."""
    rest, parts = place.strip("，,。 的"), {}
    first = len(rest)
    for level, pattern in _PARTS.items():
        if match := pattern.search(rest):
            parts[level] = match[0].replace(" ", "")
            first = min(first, match.start())
            rest = rest[: match.start()] + "\0" + rest[match.end() :]
    before, _, after = rest.partition("\0")
    if not parts:
        if _is_spot(before):
            return {"spot": before}
        gate = re.fullmatch(rf"(.{{2,}}?)的?((?:[东南西北]|大)?门口?|门口|{_INSIDE})", before)
        return {"name": gate[1], "spot": gate[2]} if gate else {"name": before}
    after = after.replace("\0", "").strip("，,。 的-")
    return ({"name": before.strip("，,。 的")} if before.strip("，,。 的") else {}) | parts | ({"spot": after} if after else {})


def _is_spot(place: str) -> bool:
    return bool(re.fullmatch(
        r"(?:地下)?(?:车库|停车场)|地下室|楼道|楼梯间|消防通道|单元门|大门口?|小区门口?|[东南西北]门口?|门口|[东南西北]广场|健身区|花坛|绿化带|垃圾[站房]|天台"
        r"|楼顶|顶楼|电梯[口间]?|地库|服务大厅|办事大厅|大厅|候诊区|岗亭|快递柜|充电桩|充电棚|车棚|\d+号窗口|路口|.{0,4}窗口", place))


def find_place(pieces: Sequence[Heard], parses: Mapping[int, Parse], numbered: Mapping[int, int]) -> Said | None:
    """The place of a matter. `parses` by the piece's number in the call, `numbered`: piece of this matter → that number."""
    spots: list[Spot] = []
    asked = False
    before: tuple[Heard, list[tuple[int, str]]] | None = None
    for at, piece in enumerate(pieces):
        mentions = _mentions(piece, parses.get(numbered[at], {}))
        if not piece.is_caller:
            asked = bool(_ASKS_PLACE.search(piece.text))
            before = (piece, mentions)
            continue
        amends = bool(before) and _corrects_a_part(before[1] if before else [], mentions, piece)
        if before and before[1] and (says_yes(piece.text) or amends):
            for _, place in before[1]:
                _add(spots, split_place(place), Said(place, 0.85, piece, before[0]), over=False, home=False)
        if named := _VILLAGE.search(piece.plain) or _SITE.search(piece.plain):
            whole = _tidy(named["it"].replace("的", ""))
            if all(place in whole for _, place in mentions):  # 城北的兴盛工地 is more than 兴盛工地.
                mentions = [(named.start("it"), whole)]
        mentions += _bare_number(before[0], piece, mentions) if before else []
        if asked and not mentions and (match := _ROOM_ANSWER.match(to_number(piece.plain))):
            mentions = [(match.start(1), match[1])]
        for start, place in mentions:
            head = piece.plain[:start]
            if _REFUSED.search(head) and len(mentions) > 1:
                continue
            sure = 0.9 if re.search(r"\d", place) or asked else 0.8
            # 六栋，不是九栋: what stands before the no replaces what was read back as well.
            corrected = amends or 0 <= correction_at(piece.plain) <= start
            home = bool(_HOME.search(head) or _LIVES.match(piece.plain, start + len(place)))
            _add(spots, split_place(place), Said(place, sure, piece), over=corrected, home=home)
        asked, before = False, None
    return _best(spots) or _unit_named(pieces, parses, numbered)


def _bare_number(question: Heard, piece: Heard, mentions: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """十二, said to 哪一栋; 五栋一, said to 几栋几单元: a number without its unit has the unit that was asked for last."""
    asked = [match["what"] for match in _ASKS_NUMBER.finditer(question.text)]
    text = to_number(piece.plain)
    if not asked or (mentions and (len(asked) < 2 or asked[-1] in text)):
        return []
    if mentions:
        number = re.search(r"(?<=[栋幢座楼元])[，,\s]*(\d{1,3})(?:$|[，,。\s吧啊呀的])", text)
    else:
        number = _NUMBER.search(text)
    if number is None:
        return []
    # 五零二, said to 几楼, is the room: no house has so many floors.
    is_room = asked[-1] in ("楼", "层") and len(number[1]) > 2
    return [(number.start(1), number[1] if is_room else number[1] + asked[-1])]


def _unit_named(pieces: Sequence[Heard], parses: Mapping[int, Parse], numbered: Mapping[int, int]) -> Said | None:
    """药房 or 内科 stands for the place, where no other was said."""
    for at, piece in enumerate(pieces):
        for entity in parses.get(numbered[at], {}).get("entities") or []:
            if piece.is_caller and entity["entity"] == "department" and not _NO_SPOT.match(entity["value"]):
                return Said(str(entity["value"]), 0.6, piece)
    return None


def _corrects_a_part(read_back: Sequence[tuple[int, str]], mentions: Sequence[tuple[int, str]], piece: Heard) -> bool:
    """不是3栋是4栋, said to 春晖苑3栋: the rest of what was read back is right."""
    if not corrects(piece.plain):
        return False
    said = {level for _, place in read_back for level in split_place(place)}
    again = {level for _, place in mentions for level in split_place(place)} - {"name", "spot"}
    return bool(said & again)


def _mentions(piece: Heard, parse: Parse) -> list[tuple[int, str]]:
    """Where and which places stand in it; those side by side are one."""
    spans: list[tuple[int, int]] = []
    text = piece.plain
    for entity in sorted(parse.get("entities") or [], key=lambda item: int(item["start"])):
        if entity["entity"] not in ("place", "department") or (entity["entity"] == "department" and "窗口" not in entity["value"]):
            continue
        start, end = int(entity["start"]), int(entity["end"])
        if spans and _belongs(text, spans[-1], (start, end)):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    whole = (_whole(text, *span) for span in spans)
    return [(start, _tidy(text[start:end])) for start, end in whole if not _NEVER.match(text[start:end])]


def _belongs(text: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two places side by side are one: 春晖苑 6栋; two roads are one crossing; 3栋，5栋 are two."""
    between = text[first[1] : second[0]] if second[0] >= first[1] else None
    if between is None:
        return False
    if re.fullmatch(r"\s?[和与跟、]\s?", between):
        return text[first[1] - 1] in "路街道" and bool(re.search("[路街道]", text[second[0] : second[1]]))
    return bool(re.fullmatch(r"[\s，,、的]{0,2}", between)) and not (
        split_place(text[slice(*first)]).keys() & split_place(text[slice(*second)]).keys())


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """With the words on both sides that belong to it: 小区 before 南门, 门口 behind 5栋."""
    if before := _BEFORE.search(text[:start]):
        start = before.start()
    if behind := _BEHIND.match(text, end):
        end = behind.end()
    return start, end


def _tidy(place: str) -> str:
    place = re.sub(r"([栋幢座])楼(?![下上前后道顶])", r"\1", place)
    return re.sub(r"^(?:就?在|就|一下|我(?:们)?|是|到|去|反映(?:一下)?|投诉|你们|咱们?)+", "", re.sub(r"[\s，,、]+", "", place))


def _add(spots: list[Spot], parts: Mapping[str, str], said: Said, *, over: bool, home: bool) -> None:
    if not parts:
        return
    fitting = next((spot for spot in reversed(spots) if over or spot.agrees(parts)), None)
    if fitting is None:
        # 5栋 beside 我住6栋: the name of the estate is said once for both.
        fitting = Spot(home=home)
        if spots and "name" in spots[0].parts and "name" not in parts:
            fitting.take({"name": spots[0].parts["name"]}, spots[0].given["name"], over=False)
        spots.append(fitting)
    fitting.home = fitting.home and home
    fitting.take(parts, said, over=over)


def _best(spots: Sequence[Spot]) -> Said | None:
    """Where it is rather than where he lives; the more exact; the earlier."""
    named = [spot for spot in spots if spot.value]
    if not named:
        return None
    best = max(named, key=lambda spot: (not spot.home or len(named) == 1, min(len(spot.parts), 3), -named.index(spot)))
    # The turn that a clerk looks at is the one that told most of it.
    weights: dict[int, int] = {}
    for level, said in best.given.items():
        weights[id(said)] = weights.get(id(said), 0) + len(best.parts[level])
    said = max(best.given.values(), key=lambda item: weights[id(item)])
    exact = any(level in best.parts for level in ("building", "unit", "room", "floor")) or len(best.parts) > 1
    confidence = said.confidence if exact else min(said.confidence, 0.7)
    return Said(best.value, confidence, said.piece, said.after)
