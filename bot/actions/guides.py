"""Questions go to the guides; what they do not say is not invented."""
from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.step import Events, Step, sentence, text_of


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


class Answer(Step):
    """ask_guide."""

    def name(self) -> str:
        """Also in the middle of a form."""
        return "action_answer"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Answer, ask back, or say honestly that there is no guide and offer a person."""
        _status, events = await answer(say, tracker, api)
        if not say.messages:
            say.utter_message(text=sentence("utter_no_guide"),
                              buttons=[{"title": "转人工", "payload": "转人工"}])
            events = [*events, SlotSet("offer", {"person": True})]
        return events
