"""When it happened: residents' words for it, and the moment they mean seen from the beginning of the call."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.hearing.answers import correction_at, says_yes
from service.hearing.people import Said
from service.hearing.places import Parse
from service.hearing.voices import Heard

_SPAN = re.compile(
    r"(?:已经|大概|差不多|可能|得有|有|都|快|持续|连续|坏了|停了|漏了|堆了|拖了|等了|黑了)*(?P<it>(?:好几|几|半|两三|一两|三四|四五|多少|小?\d+|[一二两三四五六七八九十]+)(?:多|来)?个?(?:多)?(?:小时|钟头|天|周|星期|礼拜|月|年)(?:多)?)(?:了|左右|以来|没|不|，|。|吧|啊|$)"
    r"|(?P<habit>(?:每天|天天|每晚|每到|每周|每个?周末)(?:都是?)?(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜|周末)?(?:\d+点)?|三天两头|隔三差五|这几天|这两天|最近(?:几天|一段时间|一周)?|前段时间|好久|很久|去年|今年|上半年|年前|刚才|刚刚)"
)
_AHEAD = re.compile(r"^(?:[^，。]{0,4})(?:能不能|能|可不可以|可以|之前(?:能|给|修)|以前给|必须|一定|再不|给我|派人|来修|修好|来人|过来|办|去办|去|会|我再|我要去|想去|上班|开门|有空|在家)")
_ASKS_AHEAD = re.compile(r"^[^，。]?(?:上班|开门|能|可以|可不可以|有人?吗|办公|值班|放号)")
_IS_THING = re.compile(r"^(?:电梯|窗口|楼|线|院|门|柜|机|桌|诊室|病房|桩)")
_ASKS_TIME = re.compile(r"什么时候|多久|多长时间|几点|哪天|何时|几天|多少天|时间(?:是|大概)|啥时候")
_IS_AGE = re.compile(r"岁|孩子|小孩|年级|住了|工作|结婚|干了|开了|交了")
_CLOCK = re.compile(r"\d+(?:点|:|：)|[一二两三四五六七八九十]+点")


Mention = tuple[str, datetime | None, float, int]
"""The words, their moment, how much they tell, and where they stand."""


@dataclass(frozen=True, slots=True)
class SaidTime:
    """The words, and the moment where they name one (aware; None for a habit or a span)."""

    said: Said
    moment: datetime | None


def find_time(
    pieces: Sequence[Heard], parses: Mapping[int, Parse], numbered: Mapping[int, int], started_at: datetime
) -> SaidTime | None:
    """The time of a matter: what answers the agent's question, what is exact, what was said first; a correction wins."""
    found: SaidTime | None = None
    best = 0.0
    asked = False
    before: tuple[Heard, list[Mention]] | None = None
    for at, piece in enumerate(pieces):
        asked_number = bool(before and re.search(r"几号[^，。]*$", before[0].text) and not asked)
        mentions = _mentions(piece, parses.get(numbered[at], {}), started_at, asked_number)
        if not piece.is_caller:
            asked, before = bool(_ASKS_TIME.search(piece.text)), (piece, mentions)
            continue
        taken_back = correction_at(piece.plain)
        if not mentions and found is None and before and before[1] and says_yes(piece.text):
            value, moment, _, _ = before[1][-1]
            found, best = SaidTime(Said(value, 0.85, piece, before[0]), moment), 2.0
        for value, moment, weight, start in mentions:
            score = weight + (2.0 if asked else 0.0) + (5.0 if 0 <= taken_back <= start else 0.0)
            if score > best:
                found, best = SaidTime(Said(value, 0.9 if moment else 0.75, piece), moment), score
        asked, before = False, None
    return found


def _mentions(piece: Heard, parse: Parse, started_at: datetime, asked_number: bool) -> list[Mention]:
    found: list[Mention] = []
    text, taken = piece.plain, []
    for entity in parse.get("entities") or []:
        if entity["entity"] != "time" or not entity.get("from"):
            continue
        start, end = int(entity["start"]), int(entity["end"])
        named = re.fullmatch(r".{1,3}号", str(entity["value"])) and (_IS_THING.match(text[end:]) or asked_number)
        if named or re.search(r"不是[^，,。]{0,2}$", text[:start]):
            continue
        moment = datetime.fromisoformat(entity["from"])
        if entity.get("coming") and moment > started_at and not _ASKS_AHEAD.match(text[end:]):
            # 周三 of what has happened is the last one; 周六上班吗 asks for the next.
            moment -= timedelta(weeks=1)
        is_today = moment.date() == started_at.astimezone(moment.tzinfo).date()
        if moment > started_at or (is_today and _AHEAD.match(text[end:])):
            continue
        taken.append((start, end))
        value = str(entity["value"])
        habit = re.search(r"(?:每天|天天|每晚|一到|每到|每次)(?:都是?)?$", text[:start])
        if habit:
            found.append((habit[0] + value, None, 1.2, start))
        else:
            found.append((value, moment, 1.0 + 0.5 * bool(_CLOCK.search(value)) - 0.4 * (value in ("今天", "刚才", "刚刚")), start))
    for match in _SPAN.finditer(text):
        span = match.span("it") if match["it"] else match.span("habit")
        if any(span[0] < end and start < span[1] for start, end in taken) or _IS_AGE.search(text[max(0, span[0] - 4) : span[1] + 2]):
            continue
        found.append((match["it"] or match["habit"], None, 0.8, span[0]))
    return found
