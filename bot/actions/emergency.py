"""Emergencies: the right number in the first line, before anything else, and a ticket that rings a clerk."""
from __future__ import annotations

import re
from pathlib import Path

import yaml
from nlu.components.signs import put_right
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.api import Api, ApiError
from actions.places import place_of
from actions.reading import SKIPPED, own_phone
from actions.step import Events, Step, sentence, text_of

_WORDS = yaml.safe_load((Path(__file__).parent.parent / "nlu" / "components" / "danger.yml").read_text(encoding="utf-8"))
DANGERS: list[tuple[str, str]] = [(row["when"], row["say"]) for row in _WORDS["sentences"]]
"""Which sentence goes first: the first whose words the text has decides."""
ANY_DANGER = "utter_danger"


async def raise_alarm(say: CollectingDispatcher, tracker: Tracker, api: Api) -> None:
    """The number is said whether or not the ticket succeeds, in the same single message.

    Whether it is a ticket of its own or joins one about the same danger is the service's to say (service/alarms.py).
    """
    text, entities = text_of(tracker), list(tracker.latest_message.get("entities") or [])
    place = place_of(text, entities, broad=True) or _drafted(tracker, "place")
    phone = own_phone(text, entities) or _drafted(tracker, "phone")
    said = {"text": text, "drafted": _draft(tracker), "place": place, "phone": phone}
    lines = [sentence(danger_of(text))]
    try:
        ticket = await api.post("/alarms", {name: value for name, value in said.items() if value}, 1)
        if ticket.get("joined"):
            lines.append(sentence("utter_emergency_again", number=ticket["number"]))
        else:
            lines.append(sentence("utter_emergency_ticket", number=ticket["number"], promise=ticket.get("promise") or ""))
            lines += [] if place else [sentence("utter_emergency_place")]
    except ApiError:
        lines.append(sentence("utter_emergency_failed"))
    say.utter_message(text="\n".join(lines))


def danger_of(text: str) -> str:
    """The kind of danger, named by the sentence that goes first."""
    plain = put_right(text)
    return next((name for words, name in DANGERS if re.search(words, plain)), ANY_DANGER)


def _drafted(tracker: Tracker, slot: str) -> str | None:
    value = tracker.get_slot(slot)
    return str(value) if value not in (None, SKIPPED) else None


def _draft(tracker: Tracker) -> str:
    """What he was telling when the danger came is not lost."""
    others = (tracker.get_slot("extra") or {}).get("others") or []
    drafts = [_drafted(tracker, "what"), *(other.get("what") for other in others)]
    return "；".join(str(draft) for draft in drafts if draft)


class Emergency(Step):
    """report_emergency outside a form."""

    def name(self) -> str:
        """Before everything else."""
        return "action_emergency"

    async def act(self, say: CollectingDispatcher, tracker: Tracker, api: Api) -> Events:
        """The alarm, and nothing beside it."""
        await raise_alarm(say, tracker, api)
        return []
