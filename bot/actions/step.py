"""What every action has: a failing call ends in an honest sentence, and every turn says something."""
from __future__ import annotations

import itertools
import logging
from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from nlu.components.signs import EMERGENCY, may_be_danger
from rasa_sdk import Action, Tracker
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError

logger = logging.getLogger(__name__)
Events = list[dict[str, Any]]
KEEPS_MISSES = {"action_missed", "action_inform"}
"""They count the misses themselves."""


@lru_cache(maxsize=1)
def _sentences() -> dict[str, str]:
    domain = yaml.safe_load((Path(__file__).parent.parent / "domain.yml").read_text(encoding="utf-8"))
    return {name: texts[0]["text"] for name, texts in domain["responses"].items()}


def sentence(response: str, **values: Any) -> str:
    """A response of domain.yml with its values, for messages made of several."""
    return _sentences()[response].format(**values)


class Step(Action, ABC):
    """Subclasses write `act`; events are returned, texts go to the dispatcher."""

    failed = "utter_failed"

    async def start(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events | None:
        """What comes before `act` and may take its place."""
        return None

    @abstractmethod
    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The step itself."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> Events:
        """Run `act`; whatever goes wrong, the resident is told."""
        events: Events = [] if self.name() in KEEPS_MISSES else [SlotSet("misses", 0)]
        api = Api(tracker, self.name())
        try:
            started = await self.start(dispatcher, tracker, api)
            events += started if started is not None else await self.act(dispatcher, tracker, api)
            say_numbers_in_doubt(dispatcher, tracker)
            return events
        except ApiError as problem:
            logger.warning("%s: the service answered %s", self.name(), problem.status)
            dispatcher.utter_message(text=sentence(
                "utter_no_ticket" if problem.status == 404 else self.failed))
            return events


def say_numbers_in_doubt(say: CollectingDispatcher, tracker: Tracker) -> None:
    """Before whatever is answered, once: what is told may be a danger that nobody named."""
    ranking = [(each["name"], float(each["confidence"])) for each in tracker.latest_message.get("intent_ranking") or []]
    answered = any(e.get("event") == "bot" for e in itertools.takewhile(lambda e: e.get("event") != "user", reversed(tracker.events)))
    if say.messages and not answered and intent_of(tracker) != EMERGENCY and may_be_danger(ranking, text_of(tracker)):
        say.utter_message(text=sentence("utter_danger_perhaps"))
        say.messages.insert(0, say.messages.pop())


def text_of(tracker: Tracker) -> str:
    """What the resident said in this turn."""
    return str(tracker.latest_message.get("text") or "")


def entities_of(tracker: Tracker, name: str) -> list[dict[str, Any]]:
    """The entities of one type in this turn."""
    return [e for e in tracker.latest_message.get("entities", []) if e["entity"] == name]


def intent_of(tracker: Tracker) -> str:
    """The intent of this turn; empty when there is none."""
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def moment_of(tracker: Tracker) -> str:
    """When the message was received, RFC 3339; empty when nobody said."""
    return str((tracker.latest_message.get("metadata") or {}).get("received_at") or "")


def channel_of(tracker: Tracker) -> str:
    """The channel of this turn; empty when nobody said."""
    return str((tracker.latest_message.get("metadata") or {}).get("channel") or "")


def is_here(tracker: Tracker) -> bool:
    """Whether the resident waits for the answer where he wrote, so that a person can take over there."""
    return channel_of(tracker) not in ("phone", "email", "desk")


def begins_matter(tracker: Tracker, kind: str = "complaint") -> Events:
    """What was said is a matter of its own, whatever it sounded like: the form takes it."""
    latest = tracker.latest_message
    message = {"text": text_of(tracker), "entities": latest.get("entities") or [], "matters": latest.get("matters") or [],
               "metadata": latest.get("metadata")}
    return [SlotSet("begin", {"kind": kind, "message": message}), FollowupAction("ticket_form")]
