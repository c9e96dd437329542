"""When it happened, out of what was said, and how it is read back. Pure functions over text and entities."""
from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

_AT_HOME = re.compile(r"[^，。！？,.!?\s]{0,6}?(?:在家|有空|有人在?|方便|都行|都可以|可以来|能来|过来|来修|上门|再来|之前)")
"""After a time: when somebody may come, not when it happened."""
_WAS_AWAY = re.compile(r"[^，。！？,.!?\s]{0,4}?(?:忙|忘|没(?:看到|看见|来得及|顾上|顾得上|回))")
"""After a time: why he answers only now."""
_SINCE = re.compile(r"(?:从|自从?)(?P<since>[^，。！？,.!?从自]{2,14}?)(?:开始|以来|至今|到现在|起)")
_BARE_PERIOD = re.compile(r"(?:每天)?(?:凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|夜晚|半夜|深夜|午夜|晚间)")
_HABIT = re.compile(
    r"(?:每天|天天|每晚|每到|每次|每逢|每年|每月|每周)[^，。！？,.!?\s]{0,6}?(?:凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜|深夜|周末|下雨天?)?"
    r"|三天两头|隔三差五|时不时|动不动|一直|长期|经常|常年|总是|老是|最近|近期|近日|近来|这段时间|这几天|这两天|前段时间|反复|多次"
    r"|(?:已经?|都|快|持续|连续|有|堆了|坏了|停了|漏了|等了|拖了)?(?:好几|几|半|多|\d+|[一二两三四五六七八九十]+)(?:多|来)?个?(?:多)?(?:小时|天|日|周|星期|礼拜|月|年)(?:多|了|以来|来|之久)+"
    r"|(?:堆|坏|停|漏|等|拖)了(?:好几|几|半|\d+|[一二两三四五六七八九十]+)(?:多)?个?(?:小时|天|周|星期|礼拜|月|年)"
    r"|(?:从|自)[^，。！？,.!?]{1,12}(?:开始|以来|至今|到现在|起)|至今|刚才|刚刚|今年以?来?|去年|前年|上半年|下半年|年前|年初|年底")

_UNTIL = re.compile(r"[^。！？!?；;\n]{0,24}?(?:到|至)(?:了)?(?:差不多|大概|快)?$")
_LONGEST_STRETCH = timedelta(days=62)
_HAS_DAY = re.compile(r"[今昨前明后]天|[今昨明]|周|星期|礼拜|月|[日号]|天")
_WEEKDAY = re.compile(r"(?<![上下每这本])(?:周|星期|礼拜)[一二三四五六日天]")
_OFTEN = re.compile(r"(?:都|就|每|经常|总|老是|也都)")
_RELATIVE = re.compile(r"[今昨前]|刚|周[一二三四五六日天]|星期|礼拜|\d\s?[号日]|[一二三四五六七八九十][号日]")
"""Words for a day that somebody who reads them later has to reckon out."""
_PUT_IN = re.compile(r"(?:(?<!不)是|为|成|应该|其实|改到|时间|日期|(?:说|写|打|记|搞|弄)错了?)(?:在|于)?[：:，,\s]*$")
_DATED = re.compile(r"(?:\d|[一二三四五六七八九十])\s?月\s?(?:份)?(?:\d|[一二三四五六七八九十])|\d[./-]\d|前后|前几|几[天日]|[一二两三四五六七八九十几\d]天|年|个月|周末")


def when_of(text: str, entities: list[dict[str, Any]], now: str) -> dict[str, Any]:
    """When it happened: a moment, else a habit in the resident's words. What lies ahead has not happened."""
    times = [e for e in entities if e["entity"] == "time"]
    since = _SINCE.search(text)
    begun = next((e for e in times if since and since.start() < e["start"] < since.end()), None)
    if since and (begun or re.search(r"\d年|月", since["since"])) and not any(e["end"] <= since.start() for e in times):
        # What has lasted since October began in October, whatever else was done on which day.
        return {"happened": since.group(0), "happened_at": begun.get("from") if begun else None}
    for entity in times:
        if tells_when_at_home(text, entity) or _WAS_AWAY.match(text, entity["end"]):
            continue
        begins = entity.get("from")
        if begins and now and datetime.fromisoformat(begins) > datetime.fromisoformat(now) and not entity.get("coming"):
            continue
        if _BARE_PERIOD.fullmatch(entity["value"]):
            # 天天半夜 is a habit, not a moment.
            habit = next((h for h in _HABIT.finditer(text) if h.start() < entity["start"] <= h.end()), None)
            return {"happened": text[habit.start():entity["end"]] if habit else entity["value"], "happened_at": None}
        return {"happened": _until(text, times, entity), "happened_at": _last_one(text, entity, now) if entity.get("coming") else begins}
    habit = _HABIT.search(text)
    return {"happened": habit.group(0), "happened_at": None} if habit and habit.group(0) else {}


def tells_when_at_home(text: str, entity: dict[str, Any]) -> bool:
    """今天下午在家 is when somebody may come."""
    return entity["entity"] == "time" and bool(_AT_HOME.match(text, entity["end"]))


def _until(text: str, times: list[dict[str, Any]], first: dict[str, Any]) -> str:
    """昨晚八点抱着孩子去，等到十二点: the stretch, where a later time ends it; else the time alone."""
    said = str(first["value"])
    last = next((e for e in times if e["start"] >= first["end"]), None)
    if last is None or not _UNTIL.fullmatch(text[first["end"]:last["start"]]) or tells_when_at_home(text, last):
        return said
    begins, ends = first.get("from"), last.get("from")
    if begins and ends and _HAS_DAY.search(last["value"]):
        stretch = datetime.fromisoformat(ends) - datetime.fromisoformat(begins)
        if not timedelta(0) <= stretch <= _LONGEST_STRETCH:
            return said
    return f"{said}至{last['value']}"


def _last_one(text: str, entity: dict[str, Any], now: str) -> str | None:
    """周三晚上 has happened: it was the last Wednesday. None for 每周三 and 周三都."""
    begins = entity.get("from")
    if not (begins and now) or len(_WEEKDAY.findall(entity["value"])) != 1 or _OFTEN.search(entity["value"]) or _OFTEN.match(text, entity["end"]):
        return None
    moment = datetime.fromisoformat(begins)
    return (moment if moment <= datetime.fromisoformat(now) else moment - timedelta(weeks=1)).isoformat()


_OF_PAPERS = re.compile(r"出生|生日|生于|有效期|发证|(?:入院|出院|手术|就诊|检查|签发|登记)(?:日期|时间|年份)|[证单卡]上(?:写|印|登)")
"""A date that stands in a paper: 出生年份写的1990年，应该是1991年 says no day on which something happened."""


def when_anew(text: str, entities: list[dict[str, Any]], now: str) -> dict[str, Any]:
    """The time that a correction puts in place of the old one (是前天晚上, 时间改成…); empty where it gives none."""
    for entity in entities:
        if entity["entity"] == "time" and not _OF_PAPERS.search(text[:entity["start"]]) and _PUT_IN.search(text[:entity["start"]]):
            found = when_of(text, [entity], now)
            return found if found.get("happened_at") else {}
    return {}


def read_back(happened: str, happened_at: Any) -> str:
    """昨晚八点（11月26日）: his own words, and the day they mean where they do not name it."""
    if not happened_at or not _RELATIVE.search(happened) or _DATED.search(happened):
        return happened
    day = datetime.fromisoformat(str(happened_at))
    return f"{happened}（{day.month}月{day.day}日）"
