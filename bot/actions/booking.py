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
_SOONEST = re.compile(r"最早|越早越好|最近的|尽快|随便|早点|你(?:们)?(?:看着|安排|定)")
_CLOCK = re.compile(r"(?:那|就|还是|选|要|我|约|定|嗯|好|吧|[，,])*(?P<clock>(?P<late>下午|晚上|傍晚)?(?:上午|早上|中午)?"
                    r"(?P<hour>\d{1,2}|十[一二]?|[一二两三四五六七八九])[点时](?P<minute>半|一刻|三刻|[0-5]\d)?)[钟整]?"
                    r"(?:那个|的|吧|呗|嘛|啊|呀|好了?|也?行|也?可以|了|就)*[。.！!]*")
_HOURS = {word: hour for hour, word in enumerate("一二三四五六七八九十", 1)} | {"两": 2, "十一": 11, "十二": 12}
_MINUTES = {None: 0, "半": 30, "一刻": 15, "三刻": 45}
_OF_DAY = re.compile(r"[点时:：]|[上下中]午|早|晚|傍")
_OTHER_NAMES = {"领证|扯证|结婚证": "结婚登记", "离婚证": "离婚登记", "暂住证": "居住证", "房产证|房本|过户": "不动产", "病例": "病历"}
"""What people call a service that has another name on the list."""
_FREE = re.compile(
    r"(?:能不能|可不可以|能|可以|好|得)[^，。！？,?不]{0,10}?(?<![大合违节条契租])约(?!束)|(?<![大合违节条契租])约[^，。！？,?]{0,12}(?:行|成|中|可以|好|能|得)[吗么嘛不伐啵]"
    r"|有(?:没有|冇)?(?:空位|空号|号(?!码)源?|名额|空档|空当)(?:可以[约挂])?[^，。！？,?]{0,2}(?:[吗么嘛不没伐啵]|$|[？?])|[约挂]得?[上到](?:吗|么|不|伐|号)|[约挂]不[约挂]得[上到]|约满了?[吗没]")
_NOT_FREE = re.compile(r"怎么|如何|咋|不(?:用|需要?|要|必|能)?(?:预约|约)|改|换|取消|退|推迟|推后|延|提前|投诉|[吗没]约")
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
    named = [service for service in services if service in text or _is_short_for(service, text)]
    if named:
        return named
    said = _pairs(text + " " + " ".join(name for words, name in _OTHER_NAMES.items() if re.search(words, text)))
    shares = {service: len(said & _pairs(service)) for service in services}
    best = max(shares.values(), default=0)
    return [service for service, share in shares.items() if share == best] if best else []


def _is_short_for(service: str, text: str) -> bool:
    """社保卡 is short for 社会保障卡: first and last character, and at least one between."""
    name = _GENERIC.sub("", service)
    short = name[:1] + "".join(f"{re.escape(c)}?" for c in name[1:-1]) + name[-1:]
    return len(name) >= 4 and any(len(found[0]) >= 3 for found in re.finditer(short, text))


def _pairs(text: str) -> set[str]:
    plain = _GENERIC.sub(" ", text)
    return {plain[i:i + 2] for i in range(len(plain) - 1) if " " not in plain[i:i + 2]}


def choice_of(text: str, labels: list[str], *, timed: bool = False) -> int | None:
    """Which of the offered lines was chosen by its words or its number. `timed`: 周末都行 leaves more than one."""
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
    return 0 if labels and not timed and _ANY.search(text) else None


def wants_soonest(text: str) -> bool:
    """周三最早的: the first of those he means."""
    return bool(_SOONEST.search(text))


def asks_free(text: str) -> bool:
    """周一上午能约不, 明天还有号吗: whoever asks whether it can be booked wants to book it. How to book is another question."""
    return bool(_FREE.search(text)) and not _NOT_FREE.search(text)


def clock_of(text: str, offered: list[dict[str, Any]]) -> dict[str, Any] | None:
    """十点吧 alone is no time elsewhere; where hours were offered it is the one of them."""
    found = _CLOCK.fullmatch(text.strip())
    if not found or not offered:
        return None
    hour = int(found["hour"]) if found["hour"].isdigit() else _HOURS[found["hour"]]
    hour += 12 if hour < 7 or (found["late"] and hour < 12) else 0  # No office is open before seven.
    minute = int(found["minute"]) if (found["minute"] or "").isdigit() else _MINUTES[found["minute"]]
    if hour > 23:
        return None
    at = moment(offered[0]["starts_at"]).replace(hour=hour, minute=minute).isoformat()
    return {"entity": "time", "value": found["clock"], "from": at, "to": at}


def time_of(entities: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The time that was said, the last where there are several (改到…); None where none was."""
    times = [e for e in entities if e.get("entity") == "time" and e.get("from")]
    days = [e for e in times[:-1] if is_dated(e)]
    if days and not is_dated(times[-1]) and _OF_DAY.search(str(times[-1].get("value") or "")):
        return _on_day(times[-1], days[-1])
    return times[-1] if times else None


def _on_day(entity: dict[str, Any], day: dict[str, Any]) -> dict[str, Any]:
    """周三领证，上午 is the morning of that Wednesday; of several days (周末，上午) all are kept."""
    begins, ends = moment(day["from"]), moment(day.get("to") or day["from"])
    if ends - begins > timedelta(days=1):
        return day
    later = begins.date() - moment(entity["from"]).date()
    moved = {name: (moment(entity[name]) + later).isoformat() for name in ("from", "to") if entity.get(name)}
    return entity | moved | {"value": f"{day.get('value') or ''}{entity.get('value') or ''}"}


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
