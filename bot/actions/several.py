"""Several matters in one message: the office is asked what each part is about, and questions among them are answered."""
from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.guides import answer
from actions.parts import TELLS, Part, cut, join, words_of
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
        tops = {each["code"]: each.get("parent") or each["code"]
                for each in (await api.get("/categories?limit=200")).get("items") or []}
        parts = [await _understand(message, begin, end, api, tops) for begin, end in edges]
    except ApiError:
        return []
    joined = join(parts)
    return joined if len(joined) > 1 else []


async def _understand(message: dict[str, Any], begin: int, end: int, api: Api, tops: dict[str, str]) -> Part:
    """What a part asks for. No token goes along: the service would put in what it stands for."""
    text = _TOKEN.sub("", words_of(message, Part(begin, end, None, "", 0.0))).strip()
    if len(text) < TELLS:
        return Part(begin, end, None, "", 0.0)
    found = await api.post("/understand", {"text": text, "channel": "webchat"})
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
