"""Where something is, out of what was said: the entities, else the name of a place in a long text."""
from __future__ import annotations

import re
from typing import Any

from actions.slips import put_right, slip_before_place

_KINDS = ("省|市|区|县|镇|乡|村|街道|社区|小区|新村|大道|大街|老街|路口|路段|公路|高速|路|街|巷|弄|桥|隧道|公园|广场|花园|家园|花苑|公馆|大厦|公寓|宿舍区?|工业园|产业园|"
          "园区|开发区|幼儿园|小学|中学|学校|大学|学院|医院|卫生院|汽车站|地铁站|公交站|车站|市场|商场|超市|酒店|工地|停车场|工厂|楼盘|苑|郡|分局|派出所|营业厅")
_STEM = r"[^我你他她它们在是的了住到去从就这那有和与跟把被让给对为不也都还要会能想请问您好里边说看过叫个吗呢吧啊至以受因没么什已经诺认购决希但而月日年于向由用按将如果若或往其整所每并且系准备该贴划欺拆建修停受漂着\W_]"
_CHAIN = re.compile(rf"{_STEM}{{1,7}}?(?:{_KINDS})(?:{_STEM}{{1,7}}?(?:{_KINDS})){{0,5}}(?:\d+号)?(?:\d+(?:栋|幢|座|号楼|期|单元|楼))*")
_ONE = re.compile(_KINDS)
_NOT_NAMED = re.compile(
    r"^(?:[本各全某此旧新大小老]?(?:市|区|县|镇|乡|村|路|街|桥|小区|社区|公园|学校|医院|停车场|工地|派出所|分局|广场|市场|超市|酒店)$|附近|周边|别的|其他|一个|多个|几个|很多|两个|"
    r"城市|门市|夜市|上市|都市|集市|地区|郊区|景区|片区|学区|山区|农村|乡村|道路|马路|铁路|走路|网路|线路|电路|逛街|楼市|股市|通过|经过|建议|投诉|举报|反映|关于|尊敬|领导|业主|居民|车辆)")
_N_OF = r"(?:[A-Za-z]?\d+|[A-Za-z]|[一二三四五六七八九十百零〇两]+)"
_PARTS = tuple(re.compile(_N_OF + unit) for unit in (
    "(?:号楼|栋|幢|座)", "单元", "(?:室|房)", "(?:楼|层)(?!栋)", "号(?![楼院])", "号?窗口", "号?床"))
"""The parts of an address, each of which may be corrected alone."""
_ROOM = re.compile(r"\d{3,4}(?:室|房)?")
_OFFICE = re.compile(r"(?:科|诊室|急诊|门诊|病房|病区|药房|药局|收费处|挂号处|取药处|抽血处|窗口|护士站|住院部|ICU|手术室|产房|输液室|化验室|检查室|大厅|导诊台|服务台|前台|总台|体检中心)$")
"""Offices that somebody can go to; a bureau or the property company is none of them."""
_OF_OFFICE = r"的?(?:那个|那位|有个|一个|值班)?(?:[^\W\d_]{0,2}(?:医生|大夫|护士|主任|师傅|窗口|工作人员)|[厕卫]|走廊|门口|里|等)"
_HEAD = re.compile(r"^(?:反映|关于|举报|投诉|咨询|请问|建议|希望|位于|地址|地点|就在|住在|家住|我是|我家|本人|我们|在|位|于|是|对|给|请|求)+[是为：:]?")
_EDGES = " \t\u3000，,、。：:"
"""No place begins or ends with them: 在 7栋 is 7栋."""
_NUMBER = re.compile(r"\d|[一二三四五六七八九十]+(?:栋|幢|座|单元|楼|层|号|室|期)")
_SIDE = re.compile(r"[东南西北前后正侧左右]+大?(?:门|侧|区|边|楼|院|广场|出口|入口)|负[一二三]|地下|[a-zA-Z]区")
_SPOT = re.compile(
    r"^(?:就|是|就是)?(?:在|位于)(?P<spot>[^，。,？?吗呢了过]{2,16}?(?:口|旁边?|附近|对面|里面?|前面?|后面?|边上?|门|楼下?|下面|上面|那儿|那边))(?:那里|那儿|那边)?[吧啊呢哦]?[。！!]?$")
_VAGUE = re.compile(
    r"(?:我们?|咱们?|本|这|那|就|在|家|的)*(?:单元门|门禁|楼道|楼梯间?|走廊|过道|楼[上下]|电梯|[一二三四五六七八九十\d]{1,2}[楼层])(?:里|内|口|间|门|厅|门口|的|那个|那边|那里)*")
"""Every building has one: it says where in the building, and not in which."""
_POINTS = re.compile(
    r"就|还?是|在|我|们|咱|你|他|家|自己|住|[那这哪]|个|[一二三四五六七八九十]|[栋幢座楼层]|单元|里|边|儿|头|块|的|[吧啊呀呗嘛哦嗯]|上次|老?地方|位置|原来|旁|附近|隔壁|对面|\W")
"""Who says only these words points at something that nobody else can see: 就我们那栋."""
_POINTED_AT = re.compile(r"[这那哪]$")
_ELSEWHERE = re.compile(r"(?:去|到|找|跟|和|向|问|打)[^，。]{0,14}(?:说|反映|投诉|讲|问|报)(?:过|了)")
"""Where he went to complain is not where it is."""
_BESIDE = re.compile(r"我?们?家?的?(?:位置|地址|地点|地方)|就|是|在|位于|的|那里|那边|那儿|吧|啊|哦|嗯|口|这里|这边|小区|我们|咱们?|旁边?|附近|里面?|\W")
_FROM = re.compile(r"[从由自](?P<begins>[^，。；,.;!！?？\s从]{2,14}?)(?:打车|打的|叫车|坐车|乘车|坐出租车?|坐网约车|出发|上车)?[，,\s]?(?:到|至|去|往|回|开到|开往)$")
_RIDES = re.compile(r"打车|打的|的士|叫车|拼车|顺风车|出租|网约车|滴滴|专车|快车|司机|师傅[^，。]{0,4}绕|绕[路道远]|车费|起步价|打表|拒载|公交|班车|大巴|[路班]车|一路|沿线|沿途|全程|路段|这段路")
_WHERE_FROM = re.compile(rf"(?:{_KINDS}|站|港|码头|口|门|航站楼|机场[Tt]?\d?|[Tt]\d|院|厂|店|馆|楼|城|湾|镇|村|里|家园|大厅|单位|公司)$")
_NEAR = 1
"""Two entities with at most so many characters (a comma, 的) between them are one place."""
LONGEST = 60
SURE = 2
"""A name of so many parts is written down as the place; a vaguer one only says that the story has its place."""


def place_said(text: str, entities: list[dict[str, Any]], *, broad: bool) -> str | None:
    """The place said in a text; where a slip is put right in the same breath, the right one."""
    kept = [e for e in entities if not (e["entity"] == "place" and is_pointed_at(text, e))]
    if (begins := slip_before_place(text, kept)) is not None:
        wrong = place_of(text, [e for e in kept if e["start"] < begins], broad=False)
        right = place_anew(wrong, text, [e for e in kept if e["start"] >= begins]) if wrong else None
        if right:
            return right
    return _way(text, kept) or place_in_other_words(text) or place_of(text, kept, broad=broad)


def _way(text: str, entities: list[dict[str, Any]]) -> str | None:
    """从机场到翡翠湾 where it is about a ride: the whole way is the place, and not its end."""
    if not _RIDES.search(text):
        return None
    times = [(e["start"], e["end"]) for e in entities if e["entity"] == "time"]
    for end in sorted((e for e in entities if e["entity"] == "place"), key=lambda e: int(e["start"])):
        way = _FROM.search(text[:end["start"]])
        if way and _WHERE_FROM.search(way["begins"]) and not any(a < way.end("begins") and way.start("begins") < b for a, b in times):
            return f"{way['begins']}到{end['value']}"
    return None


def place_anew(old: str | None, text: str, entities: list[dict[str, Any]]) -> str | None:
    """The place as a correction makes it of the old one; None where it says no other."""
    if old and (right := put_right(old, text)):
        return right
    other = [e for e in entities if not (old and e["entity"] == "place" and (e["value"] in old or is_pointed_at(text, e)))]
    new = place_in_other_words(text) or place_of(text, other, broad=False)
    return amended(old, new) if new and new != old else None


def place_of(text: str, entities: list[dict[str, Any]], *, broad: bool) -> str | None:
    """The place said in a text. `broad`: a named place without a house number counts too (long texts)."""
    places = [e for e in entities if e["entity"] == "place"]
    offices = [e for e in entities if e["entity"] == "department" and _OFFICE.search(e["value"])]
    beside = [e for e in offices if any(_touch(text, e, place) for place in places)]
    found = _joined(text, [*places, *beside])
    numbered = [place for place in found if re.search(r"\d|[一二三四五六七八九十]+(?:栋|幢|座|单元|楼|号|室)", place)]
    exact = numbered[0] if numbered else None
    named = named_place(text) if broad and exact is None else None
    if named and _weight(named) >= SURE and (not found or len(named) > len(found[0]) + 1):
        return named
    office = next((e for e in offices if re.match(_OF_OFFICE, text[e["end"]:])), offices[0] if offices else None)
    best = exact or (found[0] if found else None)
    if best and is_vague(best):
        if office and len(offices) == 1 and not beside:
            return f"{office['value']}{best}"  # 心内科……六楼: of the floors this is the one.
        best = next((place for place in numbered if not is_vague(place)), best)
    if best:
        return best
    return str(office["value"]) if office else None


def _touch(text: str, one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Side by side: 门诊楼皮肤科, 心内科12床, 大厅A区5号窗口."""
    first, last = sorted((one, other), key=lambda e: int(e["start"]))
    return 0 <= last["start"] - first["end"] <= _NEAR and bool(re.fullmatch(r"[\s的]?", text[first["end"]:last["start"]]))


def _joined(text: str, entities: list[dict[str, Any]]) -> list[str]:
    """Entities that stand side by side are one: 幸福小区 6栋 2单元."""
    spans: list[tuple[int, int]] = []
    for entity in sorted(entities, key=lambda e: int(e["start"])):
        start, end = int(entity["start"]), int(entity["end"])
        if spans and 0 <= start - spans[-1][1] <= _NEAR and re.fullmatch(r"[\s，,、的]?", text[spans[-1][1]:start]):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [place for start, end in spans if (place := _without_head(text[start:end]))]


def _without_head(place: str) -> str:
    """建议小区 is no place: what is left without the first word only says that there is one."""
    bare = _HEAD.sub("", place).strip(_EDGES)
    return bare if bare == place.strip(_EDGES) else "" if _NOT_NAMED.match(bare) else bare


def named_place(text: str) -> str | None:
    """A place by its name (街道, 小区, 路, 学校 …), the longest chain near the beginning; None when there is none."""
    best = ""
    for match in _CHAIN.finditer(text[:600]):
        place = _HEAD.sub("", match.group(0))
        if 3 <= len(place) <= LONGEST and not _NOT_NAMED.match(place) and _weight(place) > _weight(best):
            best = place
    return best or None


def _weight(place: str) -> int:
    """How exactly a name tells a place: each further part of it, and a number."""
    return len(_ONE.findall(place)) + 2 * bool(re.search(r"\d+(?:号|栋|幢|座)", place)) + (len(place) > 3)


def amended(old: str | None, new: str) -> str:
    """5栋2单元301 corrected by 6栋 is 6栋2单元301; a whole address replaces the old one."""
    for part in _PARTS:
        if old and part.fullmatch(new) and part.search(old):
            return part.sub(new, old, count=1)
    if old and _ROOM.fullmatch(new) and re.search(r"(?:单元|[栋幢座楼-])\d{3,4}(?:室|房)?$", old):
        return re.sub(r"\d{3,4}(?:室|房)?$", new, old)
    return new


def corrected_place(old: str | None, text: str, entities: list[dict[str, Any]]) -> str | None:
    """The place of a registered ticket, as a correction gives it; None where it says no other, or a less exact one."""
    new = place_anew(old, text, entities)
    return None if not new or is_vague(new) or exactness(new) < exactness(old or "") else new


def _count(written: str) -> int:
    """十二 is 12, 二十 is 20."""
    tens, ten, ones = written.rpartition("十")
    digits = "一二三四五六七八九"
    return ((digits.find(tens) + 1 or 1) * 10 if ten else 0) + digits.find(ones or "-") + 1


_N = r"(?:\d{1,4}|[零〇一二两三四五六七八九十]{1,4})"
_HEARD = re.compile(
    rf"(?P<building>{_N})\s*(?P<word>[洞动冻栋幢])\s*(?:(?P<unit>{_N})\s*(?:单元|[但蛋丹担弹][元园圆原员]))?\s*(?P<room>\d{{3,4}}|[零〇一二两三四五六七八九十]{{3,4}})?"
    rf"|(?P<only>{_N})\s*[但蛋丹担弹][元园圆原员]")
_IN_ENGLISH = (
    (re.compile(r"\b(?:building|bldg|block|tower)\s*(?:no\.?|number|#)?\s*(\d+|[a-z])\b", re.I), "栋"),
    (re.compile(r"\bunit\s*(?:no\.?|number|#)?\s*(\d+)\b", re.I), "单元"),
    (re.compile(r"\b(?:room|apartment|apt\.?|flat|suite)\s*(?:no\.?|number|#)?\s*(\d+)\b", re.I), "室"),
)


def place_in_other_words(text: str) -> str | None:
    """A building as a voice input writes it (8洞五但元三零二), or in English (room 502, building 3); None where it is neither."""
    for found in _HEARD.finditer(text):
        if found["only"]:
            return f"{_digits(found['only'])}单元"
        misheard = found["word"] in "洞动冻" or re.search(r"[但蛋丹担弹]", found.group(0))
        if misheard and (found["unit"] or found["room"] or _BESIDE.sub("", text.replace(found.group(0), "")) in ("", "住")):
            unit = f"{_digits(found['unit'])}单元" if found["unit"] else ""
            return f"{_digits(found['building'])}栋{unit}{_digits(found['room']) if found['room'] else ''}"
    return "".join(f"{seen[1].upper()}{word}" for form, word in _IN_ENGLISH if (seen := form.search(text))) or None


def _digits(written: str) -> str:
    """三零二 is 302, 十二 is 12, 十二零三 is 1203."""
    if tens := re.match(r"[一二三四五六七八九]?十[一二三四五六七八九]?", written):
        return str(_count(tens[0])) + _digits(written[tens.end():])
    return "".join(str("零一二三四五六七八九".find(c)) if c in "零一二三四五六七八九" else {"〇": "0", "两": "2"}.get(c, c) for c in written)


def exactness(place: str) -> int:
    """How near a place leads: 2 by a number or a name, 1 by a side or a gate (南门), 0 where it may be anywhere (小区门口)."""
    return 2 if _NUMBER.search(place) or named_place(place) else int(bool(_SIDE.search(place)))


def nearer_place(old: str, text: str, place: str | None) -> str | None:
    """The place that a message says beside a vague one, where it says nothing but where; None where it tells a story."""
    new = place or bare_spot(text)
    if new and new != old and new.startswith(old):
        return new  # 心内科, then 心内科12床.
    if not new or exactness(new) <= exactness(old) or len(_BESIDE.sub("", text.replace(new, ""))) > 2:
        return None
    return new


def bare_spot(text: str) -> str | None:
    """在幼儿园旁边 as a whole message is a place, though no word of it is known as one."""
    found = _SPOT.match(text)
    return found["spot"] if found and not only_points(found["spot"]) else None


def is_vague(place: str | None) -> bool:
    """楼道, 三楼: somebody has to be told the building too."""
    return bool(place and _VAGUE.fullmatch(place))


def only_points(text: str) -> bool:
    """就我们那栋: words that lead nobody there."""
    return len(_POINTS.sub("", text)) < 2


def is_pointed_at(text: str, entity: dict[str, Any]) -> bool:
    """我们这一栋: nobody else can see which."""
    return bool(_POINTED_AT.search(text[:entity["start"]])) and only_points(str(entity["value"]))


def leads_from_vague(old: str | None, new: str, text: str) -> bool:
    """Whether the place asked for, because the one that is known is vague, was said now."""
    return is_vague(old) and not is_vague(new) and not _ELSEWHERE.search(text)
