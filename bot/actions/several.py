"""Several matters in one message: the office is asked what each part is about, and questions among them are answered."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.guides import answer
from actions.parts import (
    AT_MOST,
    FORM_KINDS,
    TELLS,
    Part,
    cut,
    is_more,
    is_of_the_story,
    is_one,
    join,
    turn,
    without_places,
    words_of,
)
from actions.reading import SKIPPED
from actions.step import sentence

_TOKEN = re.compile(r"<[A-Z]+_\d+>")


async def find_parts(message: dict[str, Any], api: Api) -> list[Part]:
    """The parts that are matters of their own, in their order; empty where the message has one matter at most.

    An office that does not answer has one matter.
    """
    edges = cut(message)
    if len(edges) < 2:
        return []
    try:
        tops = await _tops(api)
        parts = [await _understand(message, begin, end, api, tops) for begin, end in edges]
        parts = [parts[0], *(part if not is_more(message, part) else Part(part.start, part.end, None, "", 0.0) for part in parts[1:])]
    except ApiError:
        return []
    joined = join(parts)
    return joined if len(joined) > 1 else []


async def find_other(slots: dict[str, Any], message: dict[str, Any], api: Api) -> tuple[Part, bool] | None:
    """A matter told in the middle of another one's form, and whether it is one of its own; None for more of the story.

    Only words that turn to something else (对了, 另外 …) begin one, and only where the office sorts it elsewhere: in doubt
    it is one matter, and the resident is told so.
    """
    begin, text = turn(message), str(message.get("text") or "")
    if begin is None or slots.get("what") in (None, SKIPPED):
        return None
    try:
        tops = await _tops(api)
        other = await _understand(message, begin, len(text), api, tops)
        if other.kind not in FORM_KINDS:
            return None
        told = {"text": str(slots["what"])}
        first = await _understand(told, 0, len(told["text"]), api, tops)
    except ApiError:
        return None
    first = Part(first.start, first.end, str(slots["kind"]), first.category, first.sure)
    full = len((slots.get("extra") or {}).get("others") or []) >= AT_MOST - 1
    return other, not full and not is_one(first, other) and not is_of_the_story(message, other)


async def _tops(api: Api) -> dict[str, str]:
    """The first-level category of each."""
    found = (await api.get("/categories?limit=200")).get("items") or []
    return {each["code"]: each.get("parent") or each["code"] for each in found}


async def _understand(message: dict[str, Any], begin: int, end: int, api: Api, tops: dict[str, str]) -> Part:
    """What a part asks for. No token goes along: the service would put in what it stands for."""
    part = Part(begin, end, None, "", 0.0)
    text = _TOKEN.sub("", words_of(message, part)).strip()
    if len(text) < TELLS:
        return part
    found = await api.post("/understand", {"text": text, "channel": "webchat"})
    # 3栋2单元电梯又停了 sounds like an address: what is told of it is asked about alone.
    if found.get("kind") is None and len(rest := _TOKEN.sub("", without_places(message, part)).strip()) >= TELLS and rest != text:
        found = await api.post("/understand", {"text": rest, "channel": "webchat"})
    category = str(found.get("category") or "")
    return Part(begin, end, found.get("kind"), tops.get(category, category), float(found.get("category_confidence") or 0))


async def answer_parts(
    say: CollectingDispatcher, tracker: Tracker, api: Api, message: dict[str, Any], parts: list[Part]
) -> None:
    """What was asked beside the matter is answered at once; nothing that fails here may stop the matter."""
    for part in (part for part in parts if part.kind == "consultation"):
        before = len(say.messages)
        try:
            await answer(say, tracker, api, words_of(message, part))
        except ApiError:
            say.utter_message(text=sentence("utter_aside_failed"))
        if len(say.messages) == before:
            say.utter_message(text=sentence("utter_no_guide_aside"))
