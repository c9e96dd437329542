"""Questions go to the guides; what they do not say is not invented."""
from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.step import Events, text_of


def chosen(tracker: Tracker) -> str | None:
    """The guide whose title, offered as a choice before, was just said."""
    text = text_of(tracker).strip()
    return next((c["guide"] for c in tracker.get_slot("choices") or [] if c["title"] == text), None)


async def answer(say: CollectingDispatcher, tracker: Tracker, api: Api) -> tuple[str, Events]:
    """Say the guides' answer → its status and the events; silent for no_guide and error."""
    asked = (tracker.get_slot("offer") or {}).get("question")
    guide = chosen(tracker)
    body: dict[str, Any] = {"question": asked if guide and asked else text_of(tracker)}
    if guide:
        body["context_guide"] = guide
    found = await api.post("/answers", body)
    status = found.get("status", "error")
    if status == "clarify":
        choices = found.get("candidates") or []
        say.utter_message(text=found.get("text") or "您想问的是哪一项？",
                          buttons=[{"title": c["title"], "payload": c["title"]} for c in choices])
        return status, [SlotSet("choices", choices), SlotSet("offer", {"question": body["question"]})]
    if status in {"answered", "expired", "out_of_scope"} and found.get("text"):
        say.utter_message(text=found["text"])
        return status, [SlotSet("choices", None)]
    return status, []
