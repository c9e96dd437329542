"""Which service, which free slot, which appointment is meant; pure functions over what was said and what there is."""
from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

ZONE = timezone(timedelta(hours=8))
_WEEKDAYS = "一二三四五六日"
_GENERIC = re.compile(r"办理|申请|预约|服务|窗口|业务|登记|一下|我想|我要|办|约|改|取消|时间")
_DATED = re.compile(r"[月日号周]|星期|礼拜|今|明|后天|大后|假期|国庆|元旦|五一")
_ORDINAL = re.compile(r"(?:第|选|要|就)?\s*(?P<n>[1-9一二三四五六七八九])\s*(?:个|项|号|吧|$)|^(?P<bare>[1-9一二三四五六七八九])[。.、]?$")
_LAST = re.compile(r"最后(?:一)?(?:个|项)?$")
_ANY = re.compile(r"都(?:行|可以|好)|随便|最早|越早越好|最近(?:的|那)|尽快|哪个(?:都行|早)|早点|你(?:们)?(?:看着|安排|定)")
_NUMBER = re.compile(r"YY\s?\d{8}\s?-?\s?\d{5,}", re.I)


def moment(text: str) -> datetime:
    """RFC 3339 → the office's clock."""
    return datetime.fromisoformat(text).astimezone(ZONE)


def write_when(item: dict[str, Any]) -> str:
    """12月3日（周四）09:00–09:30."""
    begin, end = moment(item["starts_at"]), moment(item["ends_at"])
    return f"{begin.month}月{begin.day}日（周{_WEEKDAYS[begin.weekday()]}）{begin:%H:%M}–{end:%H:%M}"


def write_time(entity: dict[str, Any]) -> str:
    """A time as it was understood; without the clock where only a day or a part of it was said."""
    begins, ends = moment(entity["from"]), moment(entity.get("to") or entity["from"])
    day = f"{begins.month}月{begins.day}日（周{_WEEKDAYS[begins.weekday()]}）"
    if begins == ends:
        return f"{day}{begins:%H:%M}"
    if ends - begins < timedelta(days=1) and begins.date() == ends.date():
        return f"{day}{begins:%H:%M}–{ends:%H:%M}"
    last = ends - timedelta(minutes=1)
    return day if last.date() == begins.date() else f"{day}到{last.month}月{last.day}日"


def pick_service(text: str, services: list[str]) -> list[str]:
    """The services a text may mean: those named whole, else those that share most of their own words with it."""
    named = [service for service in services if service in text]
    if named:
        return named
    said = _pairs(text)
    shares = {service: len(said & _pairs(service)) for service in services}
    best = max(shares.values(), default=0)
    return [service for service, share in shares.items() if share == best] if best else []


def _pairs(text: str) -> set[str]:
    plain = _GENERIC.sub(" ", text)
    return {plain[i:i + 2] for i in range(len(plain) - 1) if " " not in plain[i:i + 2]}


def choice_of(text: str, labels: list[str]) -> int | None:
    """Which of the offered lines was chosen by its words or its number."""
    said = text.strip().rstrip("。.！!吧")
    for index, label in enumerate(labels):
        if said == label or (len(said) >= 4 and said in label):
            return index
    if _LAST.search(said) and labels:
        return len(labels) - 1
    found = _ORDINAL.search(said) if len(said) <= 8 and not re.search(r"[点号日月周:：](?!$)", said) else None
    if found:
        n = found["n"] or found["bare"]
        index = ("123456789".find(n) if n.isdigit() else "一二三四五六七八九".find(n))
        return index if 0 <= index < len(labels) else None
    return 0 if labels and _ANY.search(text) else None


def time_of(entities: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The time that was said, the last where there are several (改到…); None where none was."""
    times = [e for e in entities if e.get("entity") == "time" and e.get("from")]
    return times[-1] if times else None


def is_dated(entity: dict[str, Any]) -> bool:
    """Whether the expression names a day: 十点 alone means the day that is spoken of."""
    return bool(_DATED.search(str(entity.get("value") or "")))


def matching(slots: list[dict[str, Any]], entity: dict[str, Any], *, by_clock: bool = False) -> list[dict[str, Any]]:
    """The slots a time means: the one that holds the moment, or all that begin in the stretch."""
    begins, ends = moment(entity["from"]), moment(entity.get("to") or entity["from"])
    if by_clock:
        first, last = begins.strftime("%H:%M"), ends.strftime("%H:%M")
        if first == last:
            return [s for s in slots if f"{moment(s['starts_at']):%H:%M}" <= first < f"{moment(s['ends_at']):%H:%M}"]
        return [s for s in slots if first <= f"{moment(s['starts_at']):%H:%M}" < (last if last > first else "24:00")]
    if begins == ends:
        return [s for s in slots if moment(s["starts_at"]) <= begins < moment(s["ends_at"])][:1]
    return [s for s in slots if begins <= moment(s["starts_at"]) < ends]


def pick_appointment(text: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The appointments a text may mean: by number, by service, else all of them."""
    if named := _NUMBER.search(text):
        plain = re.sub(r"\s", "", named[0]).upper()
        return [item for item in items if item.get("number") == plain]
    services = pick_service(text, sorted({str(item["service"]) for item in items}))
    return [item for item in items if item["service"] in services] if len(services) == 1 else items
