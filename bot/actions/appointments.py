"""Appointments: the resident is told where they are made."""
from __future__ import annotations

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api
from actions.step import Events, Step, sentence


class Appointment(Step):
    """Book, move, cancel."""

    def name(self) -> str:
        """One action for the three intents."""
        return "action_appointment"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """Point to the page and offer a person."""
        say.utter_message(text=sentence("utter_appointment"), buttons=[{"title": "转人工", "payload": "转人工"}])
        return []
