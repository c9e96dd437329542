"""What one message adds to a draft ticket; pure functions over slots, text and entities."""
from __future__ import annotations

import re
from typing import Any

SKIPPED = "-"
"""Asked for or not needed, and left open: never asked again."""
KINDS = {"complain": "complaint", "request_service": "request", "suggest": "suggestion", "praise": "praise",
         "report_misconduct": "report"}
NEEDED = {"complaint": ("what", "place", "happened", "phone"), "request": ("what", "place", "phone"),
          "suggestion": ("what",), "praise": ("what",), "report": ("what", "place", "happened", "phone")}
_BARE = re.compile(r"我|要|想|来|一下|你们|帮|请|麻烦|您好|你好|投诉|举报|报修|维修|反映|提|个|建议|表扬|意见|问题|的|了|点|件|事|情"
                   r"|匿名|保密|[，。！？,.!?\s]|有人|师傅|服务|一个|进行|这里|吗|呢|吧|啊|不留电话")
_ANONYMOUS = re.compile(r"匿名|不(?:想|愿意?|方便|用|要)?留|别留|不(?:想|愿意?|方便)(?:透露|说(?:电话|名字))|没有?电话")
_CONFIDENTIAL = re.compile(r"保密|(?:别|不要|不能)(?:让|告诉).{0,8}(?:知道|是我)")
_UNKNOWN = re.compile(r"不记得|记不清|不清楚|不知道|忘了|说不(?:清|好|准)|没注意|不方便说|随便|不详|跳过|没有$|不用了$")
_NEW_VALUE = re.compile(r"不对|不是|错了|改成|改为|更正|应该是|应为|是.{1,12}才对")
_BEHALF = re.compile(r"(?:替|帮|代)我?(?P<who>妈妈?|爸爸?|母亲|父亲|奶奶|爷爷|外婆|外公|老公|老婆|丈夫|妻子|儿子|女儿|孩子|邻居|朋友|公司|单位)")
_BARE_PERIOD = re.compile(r"(?:每天)?(?:凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|夜晚|半夜|深夜|午夜|晚间)")
_QUESTION = re.compile(r"[?？吗呢]\s*$|怎么|如何|多少|什么|哪|几点|能不能|可不可以|要不要|是不是")
_GIVE_UP = re.compile(r"^(?:那就?|还是)?算了|(?:不|别)(?:投诉|报修?|登记|办|反映|提|说)了|取消(?:登记|投诉|报修)?|不(?:想|用|要)(?:投诉|登记|报)")


def give_up(text: str) -> bool:
    """算了, 不投诉了."""
    return bool(_GIVE_UP.search(text)) and len(text) <= 20


def is_question(text: str) -> bool:
    """The resident asks back instead of answering."""
    return bool(_QUESTION.search(text)) and not _UNKNOWN.search(text)


def substance(text: str) -> str | None:
    """The description in a message, or None when it only says 我要投诉."""
    return text.strip() if len(_BARE.sub("", text)) >= 3 else None


def read(slots: dict[str, Any], message: dict[str, Any], requested: str | None) -> dict[str, Any]:
    """New values for slots: everything said is taken, and what was asked for counts as its answer."""
    text = str(message.get("text") or "").strip()
    found: dict[str, list[dict[str, Any]]] = {}
    for entity in message.get("entities", []):
        found.setdefault(entity["entity"], []).append(entity)
    new: dict[str, Any] = {}
    corrects = bool(_NEW_VALUE.search(text)) or message.get("intent", {}).get("name") == "correct"
    if found.get("phone"):
        new["phone"] = found["phone"][-1]["value"]
    for slot, entity in (("place", "place"), ("happened", "time")):
        if found.get(entity) and (corrects or slots.get(slot) in (None, SKIPPED)):
            new |= _value(slot, found[entity], slots, corrects)
    scanned = (message.get("metadata") or {}).get("place")
    if scanned and slots.get("place") in (None, SKIPPED):
        new["place"] = scanned   # The poster he scanned hangs there.
    extra = dict(slots.get("extra") or {})
    if _ANONYMOUS.search(text):
        extra["anonymous"] = "匿名" in text or extra.get("anonymous", False)
        new.setdefault("phone", SKIPPED)
    if _CONFIDENTIAL.search(text):
        extra["confidential"] = True
    if found.get("person") and "我" in text[:found["person"][0]["start"]][-4:]:
        extra["name"] = found["person"][0]["value"]
    if who := _BEHALF.search(text):
        extra["on_behalf_of"] = {"relation": who["who"]}
    new["extra"] = extra
    return new | _answer(slots, new, text, requested, corrects)


def _value(slot: str, entities: list[dict[str, Any]], slots: dict[str, Any], corrects: bool) -> dict[str, Any]:
    entity = entities[-1] if corrects else entities[0]
    if slot == "happened":
        if _BARE_PERIOD.fullmatch(entity["value"]):
            return {"happened": entity["value"], "happened_at": None}   # 天天半夜 is a habit, not a moment.
        return {"happened": entity["value"], "happened_at": None if entity.get("coming") else entity.get("from")}
    return {"place": amended(slots.get("place"), entity["value"]) if corrects else entity["value"]}


def amended(old: str | None, new: str) -> str:
    """5栋2单元301 corrected by 6栋 is 6栋2单元301; a whole address replaces the old one."""
    building = re.compile(r"\d+(?:号楼|栋|幢|座)")
    if old and building.fullmatch(new) and building.search(old):
        return building.sub(new, old, count=1)
    return new


def _answer(slots: dict[str, Any], new: dict[str, Any], text: str, requested: str | None, corrects: bool) -> dict[str, Any]:
    if requested is None or (corrects and len(new) > 1):
        if slots.get("what") is None and (said := substance(text)):
            return {"what": said}
        return {}
    if requested in new:
        return {}
    if requested == "what":
        return {"what": substance(text)} if substance(text) else {}
    if requested == "phone":
        return {"phone": SKIPPED} if _UNKNOWN.search(text) or len(new) == 1 else {}
    if _UNKNOWN.search(text):
        return {requested: SKIPPED}
    return {requested: text} if len(new) == 1 and len(text) <= 40 else {}


def needed(kind: str, slots: dict[str, Any], known_phone: bool) -> list[str]:
    """What still has to be asked for."""
    return [slot for slot in NEEDED[kind] if slots.get(slot) is None and not (slot == "phone" and known_phone)]
