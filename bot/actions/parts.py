"""The parts of a message that tells several matters: where they lie, which are tickets of their own, what all share. Pure."""
from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Any

from actions.places import named_place
from actions.reading import is_placeless, read

LONG = 70
"""From so many characters on the assistant itself tells the wishes of a text (`matters`); shorter ones are cut at words."""
AT_MOST = 3
SURE = 0.45
"""Share of a category from which on it tells two matters apart; less sure parts stay together on one ticket."""
FORM_KINDS = ("complaint", "request", "suggestion", "praise", "report")
_TO_BE_MENDED = ("complaint", "request")
"""Of one thing these are one matter: 电梯又坏了，派人来修."""
_OPENS = re.compile(
    r"(?:^|(?<=[。！？!?；;，,、\s]))(?:另外|此外|还有(?:一?[件个](?:事情?|问题)|就是|[，,：:]|(?=我?们?还?(?:想|要)?再?(?:问|咨询|请教|了解)))|再(?:有|一个|就是)|顺便(?:问一?下|说一?下|反映一?下|请)?"
    r"|其次|第[二三]个?(?:问题|件事)?(?:是|[，,、：:])|其[二三](?:是|[，,、：:])?|[二三](?:是|[、.．])|[23][、.．)）])")
_OPENS_SENTENCE = re.compile(r"(?<=[。！？!?；;\n])\s*(?:另外|此外|还有(?!一会|多久|多少|没有|什么|谁|人(?!家)|哪|几)|再有|再就是|再一个|顺便|其次|对了)")
"""A sentence that begins so tells another matter in a text of any length; the office is asked whether it does."""
_TURNS = re.compile(
    r"(?:^|(?<=[。！？!?；;，,、\s]))[哦噢啊哎诶]?[，,]?(?:对了|另外|此外|还有(?!一会|多久|多少|没有)|顺便|再(?:有|一个|就是)|其次|(?:我|我们)?还(?:要|想)(?:再?投诉|再?反映|报修|说|提|建议|举报))")
"""With these words somebody may turn to another matter while the first one is asked about; the office is asked whether he does."""
_OF_THE_STORY = re.compile(
    r"(?:找|打|说|反映|投诉|报|报修|沟通|联系|催|等|问)(?:了|过)|(?:物业|你们|他们|他|她|对方|保安|管理处|客服|社区)[^，。,]{0,6}(?:不管|不理|不来|不处理|不承认|推)|没(?:有)?用"
    r"|影响|睡不|害得|耽误|受不了|没法(?:睡|住|过|出门)|气(?:死|病)")
"""What was tried before, and what it does to him: it belongs to what he is telling, unless the office is surer than `SURER`."""
_TRIED = re.compile(r"还有[，,]?(?:我们?|我家)?(?:前前后后|前后|已经|都)?(?:打|找|反映|投诉|报|催|说|问)(?:了|过)")
SURER = 0.8
_ELSEWHERE = re.compile(r"\d+路(?![口灯])|[一二三四五六七八九十]+路(?:公交|车)|公交|地铁|班车|巴士|出租车|网约车|高铁|火车")
"""What runs through the town is not where the first matter is."""
_LEADS = re.compile(r"^(?:[\s，,、。：:；;哦噢啊哎诶]|(?:我|我们)?(?:有|要|想)?(?:说|讲|反映|投诉|问)?[两三几23](?:个|件)(?:事情?|问题)儿?(?=[，,：:、\s])|一[个件](?:事情?|问题)?是(?=[^，,。]{3})|对了|另外|此外|还有(?:一?[件个](?:事情?|问题)|就是|(?=[，,：:])|(?=\d+\s?[栋幢号座楼单])|(?!人|谁|多|几|两|没有|\d|[一二三四五六七八九十]))|再(?:有|一个|就是)|顺便|其次|第[一二三]个?(?:问题|件事)?(?=是|[，,、：:])|其[一二三]"
                    r"|[一二三](?=是|[、.．])|[123](?=[、.．)）])|是(?=[^，,。]{4})|[.．)）])+")
_EDGES = " \t\r\n，,、；;"
TELLS = 5
"""Characters without which a part says nothing."""


@dataclass(frozen=True)
class Part:
    """`text[start:end]` of the message: `kind` of ticket it asks for, consultation for a question, None for neither."""

    start: int
    end: int
    kind: str | None
    category: str
    sure: float


def cut(message: dict[str, Any]) -> list[tuple[int, int]]:
    """Where the parts of a message lie; one part is all of it."""
    text = str(message.get("text") or "")
    if len(text.strip()) >= LONG:
        cuts = [int(found["start"]) for found in message.get("matters") or []][1:]
    else:
        cuts = [found.start() for found in _OPENS.finditer(text) if len(text[:found.start()].strip()) >= TELLS]
    cuts += [found.start() for found in _OPENS_SENTENCE.finditer(text) if not any(abs(found.start() - cut) < TELLS for cut in cuts)]
    edges = [0, *sorted(set(cuts)), len(text)]
    return [(begin, end) for begin, end in itertools.pairwise(edges) if text[begin:end].strip()]


def turn(message: dict[str, Any]) -> int | None:
    """Where a message in the middle of a form turns to what may be another matter; None where it does not."""
    text = str(message.get("text") or "")
    found = next((found for found in _TURNS.finditer(text) if len(_LEADS.sub("", text[found.start():])) >= TELLS), None)
    return None if found is None else found.start()


def is_of_the_story(message: dict[str, Any], other: Part) -> bool:
    """Whether words that turn to something still tell of the same matter: that nobody came, that nobody sleeps."""
    return other.sure < SURER and bool(_OF_THE_STORY.search(words_of(message, other)))


def is_more(message: dict[str, Any], part: Part) -> bool:
    """Whether a part that begins with 还有 tells more of the matter before it: what was tried, what it does to him."""
    text = str(message["text"])[part.start:part.end].lstrip()
    return bool(_TRIED.match(text)) or (text.startswith("还有") and is_of_the_story(message, part))


def join(parts: list[Part]) -> list[Part]:
    """What belongs together, by kind and first-level category, stays together; a part without a matter belongs to the one before."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and (is_one(last, part) or len(joined) == AT_MOST):
            first = last if last.kind else part
            joined[-1] = Part(last.start, part.end, first.kind, first.category, first.sure)
        else:
            joined.append(part)
    return joined


def is_one(one: Part, other: Part) -> bool:
    """Whether two parts are one matter, as far as the office can tell."""
    if one.kind is None or other.kind is None:
        return True
    if one.kind in _TO_BE_MENDED and other.kind in _TO_BE_MENDED:
        return one.category == other.category or min(one.sure, other.sure) < SURE
    return one.kind == other.kind and (one.kind == "consultation" or one.category == other.category or min(one.sure, other.sure) < SURE)


def words_of(message: dict[str, Any], part: Part) -> str:
    """A part as a matter of its own begins: without 另外."""
    return _LEADS.sub("", str(message["text"])[part.start:part.end]).strip(_EDGES)


def without_places(message: dict[str, Any], part: Part) -> str:
    """The words of a part without where it is."""
    alone = only(message, part)
    text = str(alone["text"])
    for place in sorted((e for e in alone["entities"] if e["entity"] == "place"), key=lambda e: -int(e["start"])):
        text = text[:place["start"]] + text[place["end"]:]
    return text.strip(_EDGES)


def only(message: dict[str, Any], part: Part) -> dict[str, Any]:
    """The message as if nothing but this part had been said; what was read in it keeps its place."""
    text = str(message["text"])[part.start:part.end]
    lead = _LEADS.match(text)
    begins = part.start + (lead.end() if lead else 0)
    entities = [
        each | {"start": int(each["start"]) - begins, "end": int(each["end"]) - begins}
        for each in message.get("entities") or [] if begins <= int(each["start"]) and int(each["end"]) <= part.end
    ]
    return {"text": str(message["text"])[begins:part.end].rstrip(_EDGES), "entities": entities, "metadata": message.get("metadata")}


def read_parts(message: dict[str, Any], parts: list[Part], slots: dict[str, Any], now: str) -> dict[str, Any]:
    """The draft of the first matter, with the others in `extra`: who speaks, his number and his wish for confidence hold for all."""
    blank: dict[str, Any] = dict.fromkeys(("what", "place", "happened", "happened_at", "phone", "extra", "begin"))
    first, *others = [part for part in parts if part.kind in FORM_KINDS]
    slots = slots | blank | {"kind": first.kind}
    draft = blank | {"kind": first.kind} | read(slots, only(message, first), None, now)
    whole = read(slots, message, None, now)
    draft["phone"] = whole.get("phone")
    draft["extra"] = dict(whole.get("extra") or {}) | ({"others": [
        {"kind": part.kind} | {name: value for name, value in read(blank, only(message, part), None, now).items()
                               if name in ("what", "place", "happened", "happened_at")}
        for part in others
    ]} if others else {})
    # 都是11栋1单元 holds for each of them.
    shared = re.search(r"[都全](?:是|在)", str(message.get("text") or ""))
    if draft.get("place") is None and (shared or not any(each.get("place") for each in draft["extra"].get("others") or [])):
        draft["place"] = whole.get("place")
    return draft


def read_other(
    slots: dict[str, Any], message: dict[str, Any], part: Part, requested: str | None, now: str
) -> dict[str, Any]:
    """The draft with another matter kept for afterwards; what was said before it in the message still counts as the answer."""
    before = only(message, Part(0, part.start, None, "", 0.0))
    new = read(slots, before, requested, now) if before["text"].strip() else {"extra": dict(slots.get("extra") or {})}
    blank: dict[str, Any] = dict.fromkeys(("what", "place", "happened", "happened_at", "phone", "extra", "begin"))
    # Who asks for confidence or takes it back, or says who he is, does so for all he tells.
    said = read(blank | {"extra": new["extra"]}, only(message, part), None, now)
    if said.get("phone") and slots.get("phone") is None:
        new["phone"] = said["phone"]
    kept = {"kind": part.kind} | {name: said.get(name) for name in ("what", "place", "happened", "happened_at")}
    extra = said["extra"]
    return new | {"extra": extra | {"others": [*(extra.get("others") or []), kept]}}


def slots_of_other(slots: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Another matter's slots. Where it says no place and needs one, it is where the first one is: 楼道 is that building's."""
    shared = {name: value for name, value in (slots.get("extra") or {}).items() if name not in ("others", "missing")}
    place, first = other.get("place"), str(slots.get("place") or "")
    what = str(other.get("what") or "")
    if place is None and other["kind"] in _TO_BE_MENDED and not is_placeless(what) and not _ELSEWHERE.search(what):
        place = slots.get("place")
    elif place and re.search(r"\d", first) and not re.search(r"\d", place) and named_place(place) is None:
        place = place if place in first else first + place
    return other | {"place": place, "phone": slots.get("phone"), "extra": shared}
