"""Appointments: the resident is told where they are made."""
from __future__ import annotations

from datetime import datetime

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.step import Events, Step, entities_of, sentence


class Appointment(Step):
    """Book, move, cancel."""

    def name(self) -> str:
        """One action for the three intents."""
        return "action_appointment"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Read the time back, point to the page and offer a person."""
        times = [e for e in entities_of(tracker, "time") if e.get("from")]
        heard = sentence("utter_appointment_time", time=in_words(times[-1])) if times else ""
        say.utter_message(text=heard + sentence("utter_appointment"), buttons=[{"title": "转人工", "payload": "转人工"}])
        return []


def in_words(time: dict[str, str]) -> str:
    """12月1日（周二）10:00; without the clock where only a day or a part of it was said."""
    begins, ends = datetime.fromisoformat(time["from"]), datetime.fromisoformat(time.get("to") or time["from"])
    day = f"{begins.month}月{begins.day}日（周{'一二三四五六日'[begins.weekday()]}）"
    if begins == ends:
        return f"{day}{begins:%H:%M}"
    return f"{day}{begins:%H:%M}–{ends:%H:%M}" if begins.date() == ends.date() else day
